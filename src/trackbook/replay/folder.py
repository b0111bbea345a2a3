"""The folder of a replay: the project's modules and inputs as they were, from the store's blobs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import redact
from ..errors import StoreError
from ..store import Blobs, os_copies, samples
from ..store.blobs import check_file, name_of
from .log import FileSeen
from .place import PROJECT, Place
from .recipe import Recipe

# Larger inputs are not copied: they are linked, and looked at again afterwards.
LINKED = 1 << 30


@dataclass
class Laid:
    """What was laid out, and what is not as it was."""

    paths: list[str] = field(default_factory=list)
    """The folders that project modules are imported from, ahead of what is installed."""
    modules: dict[str, str] = field(default_factory=dict)
    """File in the replay folder to blob."""
    linked: list[tuple[Path, FileSeen, str]] = field(default_factory=list)
    """Large inputs: file, what was recorded of it, how people say it."""
    changed: list[str] = field(default_factory=list)
    """Why what runs now is not what ran then; such a replay proves nothing of the recorded one."""
    notes: list[str] = field(default_factory=list)
    """What changed since, where the recorded content is used all the same."""


def lay_out(recipe: Recipe, place: Place, blobs: Blobs, folder: Path) -> Laid:
    """Fill a new folder; raises ``OSError`` where there is no room."""
    laid = Laid()
    (folder / PROJECT).mkdir(parents=True, exist_ok=True)
    (folder / place.inside(".")).mkdir(parents=True, exist_ok=True)
    for entry in filter(_is_module, recipe.modules):
        _lay_module(entry, place, blobs, folder, laid)
    for seen in recipe.inputs:
        if seen.how != "written":
            _lay_input(seen, place, blobs, folder, laid)
    return laid


# -- modules ---------------------------------------------------------------------------------------


def _is_module(entry: Mapping[str, Any]) -> bool:
    return all(isinstance(entry.get(key), str) for key in ("name", "path", "blob"))


def _lay_module(
    entry: Mapping[str, Any], place: Place, blobs: Blobs, folder: Path, laid: Laid
) -> None:
    path = str(entry["path"])
    # What names a module is the root of the project, not the notebook's folder.
    inside = place.inside(path, place.root)
    here = place.here(path, place.root)
    shown = place.shown(str(here))
    try:
        source = blobs.get(entry["blob"])
    except StoreError:
        laid.changed.append(f"code is gone from the store: {shown}")
        return
    if now := _content(here):
        if entry.get("exact", True):
            if now != source:
                laid.notes.append(f"code changed since: {shown}; the recorded one is used")
        elif _redacted(now) == source:
            source = now  # the same file, with its secrets
        else:
            laid.changed.append(f"code differs: {shown}, and secrets are hidden in what is kept")
    target = folder / inside
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source)
    laid.modules[str(target)] = name_of(source)
    for root in _roots(str(entry["name"]), target):
        if root not in laid.paths and folder in Path(root).parents:
            laid.paths.append(root)


def _roots(name: str, file: Path) -> Iterator[str]:
    """The folder that has to be on ``sys.path`` for a file to be the module of this name."""
    parts = name.split(".")
    if parts == ["__main__"]:
        return
    depth = len(parts) if file.name == "__init__.py" else len(parts) - 1
    above = file.parents
    expected = [*parts, "__init__"] if file.name == "__init__.py" else parts
    if depth < len(above) and list(file.with_suffix("").parts[-len(expected) :]) == expected:
        yield str(above[depth])


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _redacted(data: bytes) -> bytes:
    text = data.decode("utf-8", "surrogateescape")
    return redact.source(text)[0].encode("utf-8", "surrogateescape")


def check_imported(
    imported: Sequence[Mapping[str, Any]], laid: Laid, place: Place, folder: Path
) -> list[str]:
    """What was imported from the project though it is not as recorded."""
    found = []
    for entry in imported:
        file = Path(str(entry["file"]))
        blob = laid.modules.get(str(file))
        if blob is not None:
            data = _content(file)
            if data is None or name_of(data) != blob:
                found.append(f"code differs: {file.relative_to(folder / PROJECT)}")
        elif not file.is_relative_to(folder) and _own(file, place):
            found.append(f"code differs: {place.shown(str(file))} is not as recorded")
    return found


def _own(file: Path, place: Place) -> bool:
    return file.is_relative_to(place.root) and not file.is_relative_to(sys.prefix)


# -- inputs ----------------------------------------------------------------------------------------


def _lay_input(seen: FileSeen, place: Place, blobs: Blobs, folder: Path, laid: Laid) -> None:
    here = place.here(seen.path)
    shown = place.shown(seen.path)
    target = folder / place.inside(seen.path)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if seen.blob is not None and _from_blob(seen, blobs, target):
        if not _matches(here, seen):
            laid.notes.append(f"input changed since: {shown}; the recorded one is used")
            if not _is_below(seen.path, place):
                laid.changed.append(f"input changed: {shown}, which is read by its full path")
        return
    try:
        size = here.stat().st_size
        if here.is_dir():
            return
        if size > LINKED:
            target.symlink_to(here)
        else:
            copy(here, target)
    except FileNotFoundError:
        laid.changed.append(f"input is gone: {shown}")
        return
    if seen.hash is None:
        laid.notes.append(f"input was not hashed: {shown}")
    elif size > LINKED:
        laid.linked.append((here, seen, shown))
    elif not _matches(target, seen):
        laid.changed.append(f"input changed: {shown}")


def _is_below(path: str, place: Place) -> bool:
    """Whether the cell finds the copy: by a relative path within the project."""
    return not Path(path).is_absolute() and place.here(path).is_relative_to(place.root)


def _from_blob(seen: FileSeen, blobs: Blobs, target: Path) -> bool:
    try:
        target.write_bytes(blobs.get(str(seen.blob)))
    except StoreError:
        return False
    return True


def copy(source: Path, target: Path) -> None:
    """A copy, by reference where the file system can."""
    with os_copies.open_regular(source) as read, target.open("wb") as write:
        if not os_copies.clone(read, write):
            shutil.copyfileobj(read, write, 1 << 20)
    os.chmod(target, 0o600)  # noqa: PTH101


def _matches(file: Path, seen: FileSeen) -> bool:
    try:
        if seen.sampled:
            return samples.hash_of(file) == seen.hash
        check_file(file, str(seen.hash or seen.blob))
    except (StoreError, OSError):
        return False
    return True


def linked_changes(laid: Laid) -> list[str]:
    """The large inputs that are not as recorded, looked at when the replay is over."""
    return [f"input changed: {s}" for file, known, s in laid.linked if not _matches(file, known)]
