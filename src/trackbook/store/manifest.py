"""Folders as data: what is in one, the manifest that names its contents, and checked paths.

A manifest is the blob ``{"files": [{"path", "size", "blob"}]}``, sorted by path; it says nothing
of times, so equal folders have one manifest.
"""

from __future__ import annotations

import mimetypes
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..errors import StoreError
from ..jsonable import dumps, loads
from . import os_copies

_LONGEST = 4000


class Entry(NamedTuple):
    """One file of a folder, as it is kept."""

    path: str
    size: int
    blob: str


@dataclass
class Scan:
    """What a folder holds: regular files by their path in it, and what is none."""

    root: Path
    files: dict[str, os_copies.State] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(state.size for state in self.files.values())


def scan(root: Path) -> Scan:
    """Every regular file below a folder, in order; links are not followed. Raises ``OSError``."""
    found = Scan(root)
    waiting = [""]
    states: dict[str, os_copies.State] = {}
    while waiting:
        prefix = waiting.pop()
        with os.scandir(root / prefix) as entries:
            for entry in entries:
                path = prefix + entry.name
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISLNK(status.st_mode):
                    found.links.append(path)
                elif stat.S_ISDIR(status.st_mode):
                    waiting.append(path + "/")
                elif stat.S_ISREG(status.st_mode):
                    states[path] = os_copies.state_of(status)
                else:
                    found.special.append(path)
    found.files = dict(sorted(states.items()))
    return found


def pack(entries: Iterable[Entry]) -> bytes:
    """A manifest."""
    return dumps({"files": [entry._asdict() for entry in entries]})


def unpack(data: bytes) -> list[Entry]:
    """The files that a manifest names; raises ``StoreError`` where it is none, or names worse."""
    try:
        files = [
            Entry(str(f["path"]), int(f["size"]), str(f["blob"])) for f in loads(data)["files"]
        ]
    except (ValueError, KeyError, TypeError):
        raise StoreError("the manifest of a folder is damaged") from None
    for entry in files:
        if problem := fault(entry.path):
            raise StoreError(f"the manifest of a folder names {entry.path!r:.80}, which {problem}")
    return files


def fault(name: Any) -> str | None:
    """What forbids a name as that of an artifact, as half a sentence; None where nothing does."""
    if not isinstance(name, str) or not name:
        return "is no non-empty string"
    if name.startswith("/") or PurePosixPath(name).is_absolute():
        return "is an absolute path"
    if ".." in name.split("/"):
        return "has .. in it"
    if "" in name.split("/") or "." in name.split("/"):
        return "has an empty part"
    if "\0" in name:
        return "has a NUL in it"
    if len(name) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    return None


_RACY_NS = 2_000_000_000


def _at_rest(state: os_copies.State, before_ns: int) -> bool:
    """Whether a later write is sure to show in the times of a file that was read since then."""
    return max(state.modified, state.changed) + _RACY_NS < before_ns


class Recent:
    """The blobs of large files that this process has kept, while these do not change."""

    _MOST = 1000

    def __init__(self) -> None:
        self._known: dict[str, tuple[os_copies.State, tuple[str, int]]] = {}

    def get(self, path: Path) -> tuple[str, int] | None:
        """Blob and size of an unchanged file; None where it has to be read."""
        if not self._known:
            return None
        state, kept = self._known.get(os.path.realpath(path), (None, None))
        try:
            return kept if state == os_copies.state_of(path.stat()) else None
        except OSError:
            return None

    def learn(self, path: Path, kept: tuple[str, int], before_ns: int) -> None:
        """A file had this content when it was read, which began at ``before_ns``."""
        try:
            state = os_copies.state_of(path.stat())
        except OSError:
            return
        if len(self._known) < self._MOST and _at_rest(state, before_ns) and state.size == kept[1]:
            self._known[os.path.realpath(path)] = state, kept


class Remembered:
    """The blobs that the files of a folder had when they were last kept, in a disposable file.

    A file is believed unchanged where size, times and inode are as they were, and where it was not
    touched in the last moments before it was read: a later write could show the same time.
    """

    def __init__(self, file: Path, is_name: Callable[[str], bool]) -> None:
        self._file = file
        self._is_name = is_name
        self._old = self._read()
        self._new: dict[str, list[Any]] = {}

    def _read(self) -> dict[str, Any]:
        try:
            files = loads(self._file.read_bytes())["files"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return files if isinstance(files, dict) else {}

    def blob(self, path: str, state: os_copies.State) -> str | None:
        """The blob of an unchanged file; None where it has to be read."""
        known = self._old.get(path)
        if not isinstance(known, list) or known[:-1] != list(state):
            return None
        if not isinstance(known[-1], str) or not self._is_name(known[-1]):
            return None
        self._new[path] = known
        return known[-1]

    def learn(self, path: str, state: os_copies.State, blob: str, before_ns: int) -> None:
        """A file had this content when it was read, which began at ``before_ns``."""
        if _at_rest(state, before_ns):
            self._new[path] = [*state, blob]

    def write(self, replace: Callable[[Path, bytes], None]) -> None:
        """Leave what is known now for the next time, where it differs."""
        if self._new != self._old:
            replace(self._file, dumps({"files": self._new}))


def lines(record: dict[str, Any], data: bytes) -> list[dict[str, Any]]:
    """A folder's line as one line a file, which is what readers see. Raises ``StoreError``."""
    prefix = f"{record['name']}/" if record.get("name") else ""
    shared: dict[str, Any] = {key: record[key] for key in ("time", "cell") if key in record}
    return [
        {
            "name": prefix + entry.path,
            "kind": kind_by_name(entry.path),
            "type": type_by_name(entry.path),
            "size": entry.size,
            "blob": entry.blob,
            **shared,
        }
        for entry in unpack(data)
    ]


def type_by_name(name: str, default: str = "application/octet-stream") -> str:
    """The MIME type that a name's suffix means."""
    return mimetypes.guess_type(name)[0] or default


def kind_by_name(name: str) -> str:
    """The kind of artifact that a name's suffix means: image, json, table, text or file."""
    mime = type_by_name(name)
    if mime.startswith("image/"):
        return "image"
    if mime == "application/json":
        return "json"
    if mime in ("text/csv", "text/tab-separated-values"):
        return "table"
    return "text" if mime.startswith("text/") else "file"
