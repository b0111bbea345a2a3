"""The user's own modules that this process has imported, kept as they are on disk."""

from __future__ import annotations

import sys
import sysconfig
import time
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import redact
from ..jsonable import dumps
from ..store import Blobs
from .notebook import TRUSTED_S

LARGEST = 1_000_000
LARGEST_IN_ALL = 10_000_000
_MOST = 1_000
_INSTALLED = {"site-packages", "dist-packages"}
_OURS = Path(__file__).parent.parent


@dataclass
class Kept:
    """A list of modules that is a blob, and what there is to say about it."""

    blob: str | None
    count: int = 0
    left_out: list[str] = field(default_factory=list)
    redacted: int = 0


@dataclass
class _File:
    stamp: tuple[int, int]
    kept: float
    blob: str
    redacted: int


class Modules:
    """Files of imported modules that nobody installed; each is read again only when it changed.

    Those below the project's root, and those that an editable installation or ``PYTHONPATH``
    brings from elsewhere.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._standard = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
        # A script's own file is told only while the script runs.
        main = self._own_file("__main__", sys.modules.get("__main__"))
        self._files: dict[str, str | None] = {"__main__": main}
        self._known: dict[str, _File] = {}
        self._list: tuple[bytes, str, float] = (b"", "", 0.0)

    def keep(self, root: Path) -> Kept:
        """Keep the modules that are imported by now; paths are relative to the root."""
        kept = Kept(None)
        listed: list[dict[str, Any]] = []
        total = 0
        for name, path in sorted(self._local(), key=lambda pair: pair[1]):
            size = _size(path)
            if size < 0:
                continue  # gone since it was imported
            total += size
            if size > LARGEST or total > LARGEST_IN_ALL or len(listed) >= _MOST:
                kept.left_out.append(f"{name} ({size / 10**6:.1f} MB)")
                continue
            file = self._file(path)
            if file is None:
                continue
            entry = {"name": name, "path": _relative(path, root), "blob": file.blob}
            listed.append({**entry, "exact": False} if file.redacted else entry)
            kept.redacted += file.redacted
        if listed:
            kept.blob, kept.count = self._keep_list(dumps(listed)), len(listed)
        return kept

    def _local(self) -> Iterator[tuple[str, str]]:
        for name, module in list(sys.modules.items()):
            if name not in self._files:
                self._files[name] = self._own_file(name, module)
            path = self._files[name]
            if path is not None:
                yield name, path

    def _own_file(self, name: str, module: object) -> str | None:
        path = namespace(module).get("__file__")
        if not isinstance(path, str) or not path.endswith(".py"):
            return None
        file = Path(path).absolute()
        if not _INSTALLED.isdisjoint(file.parts):
            return None
        if any(file.is_relative_to(place) for place in self._standard if place):
            return None
        ours = name.partition(".")[0] == "trackbook" and file.is_relative_to(_OURS)
        return None if ours else str(file)

    def _file(self, path: str) -> _File | None:
        now = time.time()
        known = self._known.get(path)
        try:
            status = Path(path).stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if known and known.stamp == stamp and abs(now - known.kept) < TRUSTED_S:
                return known
            data = Path(path).read_bytes()
        except OSError:
            return None
        clean, redacted = _without_secrets(path, data)
        known = self._known[path] = _File(stamp, now, self._blobs.put(clean), redacted)
        return known

    def _keep_list(self, data: bytes) -> str:
        last, blob, kept = self._list
        now = time.time()
        if data != last or abs(now - kept) > TRUSTED_S:
            blob = self._blobs.put(data)
            self._list = (data, blob, now)
        return blob


def namespace(module: object) -> dict[str, Any]:
    """What a module holds; a module that loads itself when looked at stays unloaded."""
    if not isinstance(module, ModuleType):
        return {}
    found = ModuleType.__getattribute__(module, "__dict__")
    return found if isinstance(found, dict) else {}


def _without_secrets(path: str, data: bytes) -> tuple[bytes, int]:
    try:
        with Path(path).open("rb") as file:
            encoding = tokenize.detect_encoding(file.readline)[0]
        text = data.decode(encoding)
    except (OSError, SyntaxError, UnicodeDecodeError, LookupError):
        encoding, text = "latin-1", data.decode("latin-1")
    clean, found = redact.source(text)
    return (clean.encode(encoding), found) if found else (data, 0)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return -1


def _relative(path: str, root: Path) -> str:
    try:
        return Path(path).relative_to(root).as_posix()
    except ValueError:
        return path
