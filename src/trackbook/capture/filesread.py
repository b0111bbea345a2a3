"""The files that a cell reads and writes, as Python's own audit events tell them.

The hook cannot be removed, only told to listen to nothing. Readers in C++ (pyarrow, HDF5, polars)
open files unseen: those that the source names are looked for by their names.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import blake3

from .filecontents import Contents
from .filehash import Hasher
from .patch import Guard

SMALL = 1 << 20
_MOST_READ = 200
_MOST_SEEN = 2_000
_PATIENCE_S = 0.05
_CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".dll", ".pth", ".ttf", ".otf", ".afm", ".mo")
_ELSEWHERE = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/run/", "/var/", "/opt/")
_OWN_FOLDERS = re.compile(
    r"/\.(trackbook|ipython|jupyter|cache|config|git|local/share/jupyter)/|/ipykernel_\d+/"
)
_WRITES = os.O_WRONLY | os.O_RDWR
_PROCESSES = {"subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.exec"}
# They start processes to count cores and the like, which no result hangs on.
_NEAR = 16
_CURIOUS = {"joblib", "loky", "platform", "psutil", "threadpoolctl", "cpuinfo"}
_MOVES = {"os.rename", "os.remove", "shutil.copyfile", "shutil.move", "os.truncate", "os.mkdir"}
_EVENTS = {"open", "socket.connect", "sqlite3.connect", *_PROCESSES, *_MOVES}

_listener: Callable[[str, tuple[Any, ...]], None] | None = None
_installed = False


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _listener is not None and event in _EVENTS:
        _listener(event, args)


def listen(listener: Callable[[str, tuple[Any, ...]], None] | None) -> None:
    """Have the events told to a listener, or to nobody."""
    global _listener, _installed
    if listener is not None and not _installed:
        _installed = True
        sys.addaudithook(_hook)
    _listener = listener


class Files:
    """What one cell after the other reads and writes."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.flags: set[str] = set()
        self._guard = Guard("files that cells read")
        self._base = _folder()
        self._hasher = Hasher()
        self._seen: dict[str, dict[str, Any]] = {}
        self._busy = threading.local()
        self._read = 0
        self._started = 0.0
        self._installed_at = [
            str(Path(place)) + os.sep
            for place in {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
            if place
        ]

    def begin(self) -> None:
        """A cell is about to run."""
        self._seen, self.flags, self._read = {}, set(), 0
        self._started = time.time()
        listen(self._told)

    def end(self, named: Iterator[str]) -> list[dict[str, Any]]:
        """What it read and wrote, those ``named`` by its source included."""
        listen(None)
        self._guard.run(self._by_name, named)
        self._hasher.wait(_PATIENCE_S)
        return [
            {**{k: v for k, v in entry.items() if v is not None}, "path": self._shown(path)}
            for path, entry in self._seen.items()
        ]

    def written(self, paths: set[str]) -> list[dict[str, Any]]:
        """The entries of files that were open for writing."""
        found = (self._path(path) for path in sorted(paths))
        return [{"how": "written", "path": self._shown(path)} for path in found if path]

    def stop(self) -> None:
        """Hear nothing any more."""
        listen(None)

    # -- what is told -------------------------------------------------------------------------

    def _told(self, event: str, args: tuple[Any, ...]) -> None:
        if getattr(self._busy, "on", False) or _is_ours():
            return
        self._busy.on = True
        try:
            self._guard.run(self._note, event, args)
        finally:
            self._busy.on = False

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            mode, flags = args[1], args[2]
            writes = bool(flags & _WRITES) if isinstance(flags, int) else False
            writes = writes or (isinstance(mode, str) and not set(mode).isdisjoint("wax+"))
            self._add(args[0], "written" if writes else "read")
            if writes and isinstance(mode, str) and "+" in mode and "w" not in mode:
                self._add(args[0], "read")
        elif event == "socket.connect":
            if _is_far(args[1]):
                self.flags.add("network")
        elif event == "sqlite3.connect":
            self._add(args[0], "read")
        elif event in _PROCESSES:
            if not _asks_about_machine():
                self.flags.add("processes")
        else:
            for path in args[:2]:
                self._add(path, "written")

    def _add(self, given: object, how: str) -> None:
        path = self._path(given)
        if path is None or len(self._seen) >= _MOST_SEEN:
            return
        known = self._seen.get(path)
        if known is not None:
            if how == "written" and known["how"] == "read":
                known["also"] = "written"
            return
        if how == "written":
            self._seen[path] = {"how": how}
        elif (status := _regular(path)) is not None:
            self._seen[path] = entry = {"how": how, "size": status.st_size}
            self._take(path, status, entry)

    def _path(self, given: object) -> str | None:
        """The absolute path of a file that is the user's."""
        if isinstance(given, bytes):
            given = os.fsdecode(given)
        if not isinstance(given, str) or not given or "\0" in given or given == ":memory:":
            return None
        path = os.path.normpath(os.path.join(_folder(), given))  # noqa: PTH118 - in a hot hook
        if path.endswith(_CODE) and not self._is_run(path):
            return None
        below_us = path.startswith(self._base + os.sep)
        if path.startswith(_ELSEWHERE) and not below_us:
            return None
        if _OWN_FOLDERS.search(path[len(self._base) :] if below_us else path):
            return None
        return None if path.startswith(tuple(self._installed_at)) else path

    def _is_run(self, path: str) -> bool:
        return "%run" in self.flags and path.endswith(".py")

    # -- contents -----------------------------------------------------------------------------

    def _take(self, path: str, status: os.stat_result, entry: dict[str, Any]) -> None:
        """A small file is read as it is now; a larger one beside the cell."""
        if status.st_size > SMALL:
            self._hasher.put(path, status, entry)
            return
        self._read += 1
        if self._read > _MOST_READ:
            return
        with open(path, "rb") as file:  # noqa: PTH123 - a Path costs more than the reading
            data = file.read(SMALL + 1)
        if len(data) <= SMALL:
            entry["hash"] = name = f"b3-{blake3.blake3(data).hexdigest()}"
            entry["size"] = len(data)
            self._contents.hold(path, name, data)

    def _by_name(self, named: Iterator[str]) -> None:
        for given in named:
            path = self._path(given)
            if path is None or path in self._seen:
                continue
            status = _regular(path)
            if status is None:
                continue
            if status.st_mtime >= self._started:
                self._seen[path] = {"how": "written"}
                continue
            self._seen[path] = entry = {"how": "seen by name", "size": status.st_size}
            self._take(path, status, entry)

    def _shown(self, path: str) -> str:
        """Relative to where the kernel started, for what lies below it."""
        if path.startswith(self._base + os.sep):
            path = path[len(self._base) + 1 :]
        return path.replace(os.sep, "/")


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - in a hot hook
    except OSError:  # it is gone
        return os.sep


def _regular(path: str) -> os.stat_result | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - in a hot hook
    except (OSError, ValueError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _asks_about_machine() -> bool:
    frame = sys._getframe(1)
    for _ in range(_NEAR):
        if frame.f_back is None:
            return False
        frame = frame.f_back
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _CURIOUS:
            return True
    return False


def _is_ours() -> bool:
    return threading.current_thread().name.startswith("trackbook")


def _is_far(address: object) -> bool:
    host = address[0] if isinstance(address, tuple) and address else ""
    return isinstance(host, str) and host not in ("", "localhost", "::1") and host[:4] != "127."
