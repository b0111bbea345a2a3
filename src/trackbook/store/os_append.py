"""A file that grows at its end, also on a disk that takes only a part of what is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from . import os_calls


class AppendFile:
    """A file that grows at its end: what could not be written waits in ``pending``.

    ``pending`` may be extended by any thread at any time; ``drain`` is called by one at a time.
    The file is made by the first ``drain``. ``tail(data)`` says how many bytes of a last write that
    was cut off are to go before more is added.
    """

    def __init__(self, path: Path, tail: Callable[[Path], int]) -> None:
        self.path = path
        self.pending = bytearray()
        self.drained = 0
        """How many bytes have gone to the file."""
        self._tail = tail
        self._fd: int | None = None
        self._start = 0

    def drain(self, limit: int | None = None) -> None:
        """Write what waits (its first ``limit`` bytes); raises where the disk does not take it all.

        What was not written keeps waiting.
        """
        if limit is None:
            limit = len(self.pending)
        if not limit:
            return
        if self._fd is None:
            self._open()
        assert self._fd is not None
        end = self.drained + limit
        while True:
            # By the file's size, not by what ``write`` returns: Ctrl-C may come in between.
            size = os.fstat(self._fd).st_size
            written = min(size - self._start - self.drained, end - self.drained)
            if written < 0:  # somebody cut the file
                self._start, written = size - self.drained, 0
            del self.pending[:written]
            self.drained += written
            if self.drained >= end:
                return
            # A copy: a view would forbid other threads to extend the buffer meanwhile.
            os.write(self._fd, bytes(self.pending[: min(end - self.drained, 1 << 20)]))

    def _open(self) -> None:
        fd = os_calls.open_for_writing(self.path, os.O_APPEND)
        try:
            torn = self._tail(self.path)
            size = os.fstat(fd).st_size - torn
            if torn:
                os.ftruncate(fd, size)
            self._start = size - self.drained
        except OSError:
            os.close(fd)
            raise
        self._fd = fd

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        if self._fd is not None:
            os.fsync(self._fd)

    def close(self) -> None:
        """Let go of the file; a later ``drain`` opens it again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def torn_line(path: Path) -> int:
    """How many bytes follow the last line break of a file."""
    with os_calls.open_plain(path) as file:
        size = file.seek(0, os.SEEK_END)
        torn = 0
        while torn < size:
            step = min(1 << 16, size - torn)
            file.seek(size - torn - step)
            cut = file.read(step).rfind(b"\n")
            if cut >= 0:
                return torn + step - cut - 1
            torn += step
    return torn
