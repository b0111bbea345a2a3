"""What lies in a store's folders, looked at without following a link."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import StoreError
from ...model import is_run_id
from .. import blobs

_DAY = re.compile(r"\d{8}")
_PAIR = re.compile(r"[0-9a-f]{2}")


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds, by name; empty where there is none. Raises ``StoreError``."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as problem:
        raise StoreError(f"{folder} cannot be read: {problem.strerror}") from problem


def days(root: Path) -> Iterator[Path]:
    """The folders of the days."""
    for entry in entries(root / "runs"):
        if _DAY.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)


def run_folders(root: Path) -> Iterator[Path]:
    """The folders of the runs, whether whole or not."""
    for day in days(root):
        for entry in entries(day):
            if is_run(entry.name, day) and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def links(root: Path) -> Iterator[Path]:
    """Links that stand where a day or a run should; readers follow them, upkeep does not."""
    for entry in entries(root / "runs"):
        if _DAY.fullmatch(entry.name) and entry.is_symlink():
            yield Path(entry.path)
    for day in days(root):
        for entry in entries(day):
            if is_run(entry.name, day) and entry.is_symlink():
                yield Path(entry.path)


def is_run(name: str, day: Path) -> bool:
    """Whether an entry of a day's folder has the name of a run of that day."""
    return is_run_id(name) and name[:8] == day.name


def blob_files(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The name and file of every blob; one may be there packed and plain."""
    for pair in entries(root / "blobs"):
        if not (_PAIR.fullmatch(pair.name) and pair.is_dir(follow_symlinks=False)):
            continue
        for entry in entries(Path(pair.path)):
            name = entry.name.removesuffix(".zst")
            plain = entry.is_file(follow_symlinks=False)
            if plain and blobs.is_name(name) and name.partition("-")[2][:2] == pair.name:
                yield name, entry


def files_below(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every regular file of a folder and of those in it."""
    waiting = [folder]
    while waiting:
        for entry in entries(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield entry


def size(folder: Path) -> int:
    """The bytes of all files of a folder; one that vanishes meanwhile counts nothing."""
    return sum(bytes_of(entry) for entry in files_below(folder))


def bytes_of(entry: os.DirEntry[str]) -> int:
    """The bytes of a file, 0 where it is gone."""
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0
