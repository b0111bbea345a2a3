"""Change notices: how readers learn which runs changed, without looking at all of them.

Each booted machine has one file, ``index/changes/<host>-<boot id>.log``. ``> id`` says that a run
is about to change, ``< id`` that it has. A run with the first and without the second is *pending*:
its writer may have died in between, so readers look at it every time.

A file that has grown long is put aside under another name, which readers know by its inode, and a
new one begins. One that nobody has written to for long is *retired*: ``= name size`` stands in a
file that stays, and it goes. A reader that had read it to this size has missed nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import limits, os_calls, os_machine

_NOTICE = re.compile(rb"([<>]) (\d{8}-\d{6}-[0-9a-z]{10})\n")
_RETIRED = re.compile(rb"= ([A-Za-z0-9._-]{1,200}\.log) (\d{1,15})\n")
_HEAD = 64
_LONGEST = 4096
# Of 50,000 changes.
LONGEST = 1 << 22
_QUIET_S = 86_400.0
_LOCK = "aside.lock"


class Notices:
    """The notice file that this machine writes."""

    def __init__(self, index: Path) -> None:
        self._file = index / "changes" / f"{os_machine.host()}-{os_machine.boot_id()}.log"

    def begin(self, run_id: str) -> None:
        """Say that a run is about to change."""
        # Opened each time: the index may be deleted at any moment.
        os_calls.append(self._file, f"> {run_id}\n".encode())

    def done(self, run_id: str) -> None:
        """Say that a run has changed."""
        os_calls.append(self._file, f"< {run_id}\n".encode())

    @contextmanager
    def around(self, run_id: str) -> Iterator[None]:
        """Both notices around a change; after an error the run stays pending, which is right."""
        self.begin(run_id)
        yield
        self.done(run_id)

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._file.name

    def put_aside(self) -> None:
        """Begin a new file where this one has grown long; it stays under a name with a number."""
        folder = self._file.parent
        taken = os_calls.take_lock(folder / _LOCK)
        if taken is None:
            return
        fd, locked = taken
        try:
            if locked and self._file.stat().st_size > LONGEST:
                numbers = range(1, 10_000)
                names = (folder / f"{self._file.stem}.{number:04d}.log" for number in numbers)
                aside = next(path for path in names if not os.path.lexists(path))
                self._file.rename(aside)
        finally:
            os_calls.release_lock(fd)

    def retire(self, path: Path, size: int) -> None:
        """Remove another file; who has read so much of it has missed nothing."""
        os_calls.append(self._file, f"= {path.name} {size}\n".encode())
        path.unlink(missing_ok=True)


@dataclass
class _Seen:
    """How far one notice file was read, and what tells that it still is the same file."""

    inode: int
    offset: int
    head: str


@dataclass
class NoticeReader:
    """Reads what is new in all notice files."""

    folder: Path
    seen: dict[str, _Seen] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)
    retired: dict[str, int] = field(default_factory=dict)

    def read(self) -> set[str] | None:
        """The runs named since the last time; None where a file was replaced or is gone."""
        named: set[str] = set()
        # Twice, because a file may be put aside between the list and the look.
        if self._read_all(named) or self._read_all(named):
            return named
        return None

    def _read_all(self, named: set[str]) -> bool:
        files = self._files()
        moved = self._follow(files)
        for name, status in files.items():
            unread = name in moved or not self._has_read(name, status)
            if unread and not self._read_file(name, named):
                return False
        for name in self.seen.keys() - files.keys():
            if self.retired.get(name) != self.seen[name].offset:
                return False
            del self.seen[name]
        return True

    def _follow(self, files: dict[str, os.stat_result]) -> set[str]:
        """Know files again that were put aside under another name; returns their new names."""
        by_inode = {seen.inode: name for name, seen in self.seen.items()}
        moved = set()
        for name in files.keys() - self.seen.keys():
            inode = files[name].st_ino
            before = by_inode.get(inode)
            if before in self.seen and (before not in files or files[before].st_ino != inode):
                self.seen[name] = self.seen.pop(before)
                moved.add(name)
        return moved

    def tidy(self, live: Notices) -> None:
        """Keep the files few and short; what fails is tried again another time."""
        with contextlib.suppress(OSError):
            files = self._files()
            if live.name in files and files[live.name].st_size > LONGEST:
                live.put_aside()
            for name, status in files.items():
                quiet = time.time() - status.st_mtime > _QUIET_S
                if quiet and name != live.name and self._has_read(name, status):
                    live.retire(self.folder / name, status.st_size)

    def _has_read(self, name: str, status: os.stat_result) -> bool:
        seen = self.seen.get(name)
        return seen is not None and (seen.inode, seen.offset) == (status.st_ino, status.st_size)

    def skip(self) -> None:
        """Begin anew at the present ends, keeping what is open there; a rebuild comes next."""
        self.seen.clear()
        self.pending.clear()
        for name in self._files():
            self._read_file(name, set(), end=True)

    def _files(self) -> dict[str, os.stat_result]:
        """The notice files, those that were put aside before the one that goes on."""
        try:
            with os.scandir(self.folder) as entries:
                listed = sorted((e for e in entries if e.name.endswith(".log")), key=_name)
                return {e.name: e.stat() for e in listed if e.is_file(follow_symlinks=False)}
        except OSError:
            return {}

    def _read_file(self, name: str, named: set[str], *, end: bool = False) -> bool:
        """Take in what is new in one file; False where it is not the file we knew.

        False too where much is new, which is read faster from the runs; of that ``end`` will do.
        """
        seen = self.seen.get(name)
        try:
            with os_calls.open_plain(self.folder / name) as file:
                inode = os.fstat(file.fileno()).st_ino
                head = file.read(_HEAD)
                if seen is not None and not self._same(seen, inode, head):
                    return False
                offset = seen.offset if seen else 0
                size = file.seek(0, os.SEEK_END)
                if size < offset or (size - offset > limits.NOTICES and not end):
                    return False
                offset = file.seek(max(offset, size - limits.NOTICES))
                data = file.read(size - offset)
        except OSError:
            return False
        # A line that is being written comes whole the next time; one of such a length is none.
        taken = data.rfind(b"\n") + 1 or (len(data) if len(data) > _LONGEST else 0)
        self._take(data[:taken], named)
        self.seen[name] = _Seen(inode, offset + taken, head.hex())
        return True

    @staticmethod
    def _same(seen: _Seen, inode: int, head: bytes) -> bool:
        return seen.inode == inode and head.hex().startswith(seen.head)

    def _take(self, data: bytes, named: set[str]) -> None:
        for kind, raw in _NOTICE.findall(data):
            run_id = raw.decode("ascii")
            named.add(run_id)
            count = self.pending.get(run_id, 0) + (1 if kind == b">" else -1)
            if count > 0:
                self.pending[run_id] = count
            else:
                self.pending.pop(run_id, None)
        for raw, size in _RETIRED.findall(data):
            self.retired[raw.decode("ascii")] = int(size)

    # -- as plain data -----------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What ``restore`` takes."""
        files = {name: [s.inode, s.offset, s.head] for name, s in self.seen.items()}
        return {"files": files, "pending": dict(self.pending), "retired": dict(self.retired)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where a reader before left off."""
        self.seen = {
            str(name): _Seen(int(inode), int(offset), str(head))
            for name, (inode, offset, head) in state["files"].items()
        }
        self.pending = {str(run_id): int(n) for run_id, n in state["pending"].items()}
        self.retired = {str(name): int(size) for name, size in state["retired"].items()}


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
