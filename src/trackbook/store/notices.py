"""Change notices: how readers learn which runs changed, without looking at all of them.

Each booted machine has one file, ``index/changes/<host>-<boot id>.log``. ``> id`` says that a run
is about to change, ``< id`` that it has. A run with the first and without the second is *pending*:
its writer may have died in between, so readers look at it every time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import limits, os_calls, os_machine

_NOTICE = re.compile(rb"([<>]) (\d{8}-\d{6}-[0-9a-z]{10})\n")
_HEAD = 64


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

    def read(self) -> set[str] | None:
        """The runs named since the last time; None where a file was replaced or is gone."""
        named: set[str] = set()
        found = set()
        for name, status in self._files():
            found.add(name)
            seen = self.seen.get(name)
            if seen is not None and (seen.inode, seen.offset) == (status.st_ino, status.st_size):
                continue
            if not self._read_file(name, named):
                return None
        return named if found == set(self.seen) else None

    def skip(self) -> None:
        """Begin anew at the present ends, keeping what is open there; a rebuild comes next."""
        self.seen.clear()
        self.pending.clear()
        for name, _ in self._files():
            self._read_file(name, set())

    def _files(self) -> list[tuple[str, os.stat_result]]:
        try:
            with os.scandir(self.folder) as entries:
                listed = [e for e in entries if e.name.endswith(".log")]
                return [(e.name, e.stat()) for e in listed if e.is_file(follow_symlinks=False)]
        except OSError:
            return []

    def _read_file(self, name: str, named: set[str]) -> bool:
        """Take in what is new in one file; False where it is not the file we knew."""
        seen = self.seen.get(name)
        try:
            with os_calls.open_plain(self.folder / name) as file:
                inode = os.fstat(file.fileno()).st_ino
                head = file.read(_HEAD)
                if seen is not None and not self._same(seen, inode, head):
                    return False
                offset = seen.offset if seen else 0
                size = file.seek(0, os.SEEK_END)
                if size < offset:
                    return False
                # Of a file that is no list of notices, the end will do.
                offset = file.seek(max(offset, size - limits.NOTICES))
                data = file.read(size - offset)
        except OSError:
            return False
        data = data[: data.rfind(b"\n") + 1]
        self._take(data, named)
        self.seen[name] = _Seen(inode, offset + len(data), head.hex())
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

    # -- as plain data -----------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What ``restore`` takes."""
        files = {name: [s.inode, s.offset, s.head] for name, s in self.seen.items()}
        return {"files": files, "pending": dict(self.pending)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where a reader before left off."""
        self.seen = {
            str(name): _Seen(int(inode), int(offset), str(head))
            for name, (inode, offset, head) in state["files"].items()
        }
        self.pending = {str(run_id): int(n) for run_id, n in state["pending"].items()}
