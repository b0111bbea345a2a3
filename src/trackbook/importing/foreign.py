"""Files that somebody else wrote: no link is followed, no ``..``, and nothing grows without end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from ..errors import StoreError
from ..store import os_calls
from ..store.upkeep import layout

META_LIMIT = 1 << 18
TEXT_LIMIT = 1 << 20
LOG_LIMIT = 1 << 23
JSON_LIMIT = 1 << 29
FILE_LIMIT = 1 << 36
_MOST_FILES = 200_000
_DEEPEST = 64


def below(root: Path, path: Path) -> bool:
    """Whether a path lies in ``root`` by its name, and no part of the way there is a link."""
    try:
        parts = path.relative_to(root).parts
    except ValueError:
        return False
    here = root
    for part in parts:
        here /= part
        if part == ".." or "\0" in part or here.is_symlink():
            return False
    return True


def read(path: Path, limit: int) -> bytes:
    """The content of a regular file; raises ``StoreError`` where it is larger than ``limit``."""
    try:
        with os_calls.open_plain(path) as file:
            data = file.read(limit + 1)
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}") from problem
    if len(data) > limit:
        raise StoreError(f"{path} is larger than {limit >> 10} KiB, which it never is")
    return data


def text(path: Path, limit: int = TEXT_LIMIT) -> str:
    """The text of a small file; what is not UTF-8 in it becomes question marks."""
    return read(path, limit).decode("utf-8", "replace")


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file of any length; one of more than a MiB comes in parts."""
    try:
        with os_calls.open_plain(path) as file:
            while line := file.readline(TEXT_LIMIT):
                yield line
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}") from problem


def tail(path: Path) -> str:
    """A console text; of a very long one only the end."""
    try:
        with os_calls.open_plain(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LOG_LIMIT))
            data = file.read(LOG_LIMIT)
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}") from problem
    cut = "" if size <= LOG_LIMIT else f"... the first {size - LOG_LIMIT} bytes are left out\n"
    return cut + data.decode("utf-8", "replace")


def json_of(path: Path, limit: int = JSON_LIMIT) -> dict[str, Any]:
    """The JSON object in a file, NaN and infinities included; raises ``StoreError``."""
    found = parsed(read(path, limit), str(path))
    if not isinstance(found, dict):
        raise StoreError(f"{path} holds no JSON object")
    return found


def parsed(data: bytes, where: str) -> Any:
    """JSON as plain data, without a meaning given to any key; raises ``StoreError``."""
    try:
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            return json.loads(data)  # NaN, huge integers, lone surrogates
    except (ValueError, RecursionError) as problem:
        raise StoreError(f"{where} is no whole JSON: {problem!s:.100}") from problem


def folders(folder: Path) -> list[Path]:
    """The folders in a folder, by name, links left out."""
    return [Path(e.path) for e in layout.entries(folder) if e.is_dir(follow_symlinks=False)]


def files(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Each regular file below a folder with its path in there, ``/`` between the parts.

    Links and what is no file come too, for the caller to name: ask ``is_plain``. Empty where the
    folder is a link or is not there; raises ``StoreError`` where there are too many.
    """
    if folder.is_symlink():
        return
    waiting: list[tuple[str, Path, int]] = [("", folder, 0)]
    count = 0
    while waiting:
        prefix, here, depth = waiting.pop()
        for entry in layout.entries(here):
            count += 1
            if count > _MOST_FILES or depth > _DEEPEST:
                raise StoreError(f"{folder} holds too many files or too deep ones")
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{prefix}{entry.name}/", Path(entry.path), depth + 1))
            else:
                yield prefix + entry.name, entry


def is_plain(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a regular file and no link."""
    return entry.is_file(follow_symlinks=False)


def state(folder: Path) -> list[list[Any]]:
    """Names, sizes and times of all files below a folder: what differs once one has changed."""
    found = []
    for name, entry in files(folder):
        status = entry.stat(follow_symlinks=False)
        found.append([name, status.st_size, status.st_mtime_ns])
    return sorted(found)


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def word(value: Any) -> str:
    """The value where it is a text, else an empty one."""
    return value if isinstance(value, str) else ""
