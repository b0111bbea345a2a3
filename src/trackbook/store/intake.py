"""A file on its way into a store: how far it is read, and whether it changed meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..errors import StoreError
from . import os_copies

_CHUNK = 1 << 20


class Watch:
    """What is told to whoever keeps files; this one does nothing with it."""

    def copied(self, count: int) -> None:
        """So many bytes more have been read."""

    def changed(self, path: Path) -> None:
        """The file was written to while it was read, twice: what is kept may be a mixture."""


class Unsteady(Exception):
    """The file was written to while it was read."""


class Reading:
    """One pass over an open file. A ``patient`` one raises ``Unsteady`` where it changes."""

    def __init__(self, path: Path, file: IO[bytes], *, patient: bool) -> None:
        self._path = path
        self._file = file
        self._patient = patient
        self._before = self._state()
        self._read = 0
        self._told = 0
        self._clone: Path | None = None

    @property
    def size(self) -> int:
        """The bytes that it had at the start."""
        return self._before.size

    def took(self, count: int) -> None:
        """So many bytes were read past ``chunks``."""
        self._read += count

    def news(self) -> int:
        """The bytes read since this was last asked."""
        since, self._told = self._read - self._told, self._read
        return since

    def clone_to(self, target: IO[bytes], path: Path) -> bool:
        """Let the file system copy the file at once; ``chunks`` then reads the copy at ``path``."""
        if os_copies.clone(self._file, target):
            self._clone = path
        return self._clone is not None

    def chunks(self, first: bytes) -> Iterator[bytes]:
        """The content; ``first`` was read already."""
        if self._clone is not None:
            # The file may have changed since its beginning was read; the clone no more.
            with os_copies.open_regular(self._clone) as clone:
                yield from self._rest(clone)
        else:
            self.took(len(first))
            yield first
            yield from self._rest(self._file)

    def _rest(self, file: IO[bytes]) -> Iterator[bytes]:
        while chunk := self._next(file):
            self.took(len(chunk))
            yield chunk

    def _next(self, file: IO[bytes]) -> bytes:
        try:
            return file.read(_CHUNK)
        except OSError as problem:
            raise StoreError(f"{self._path} cannot be read: {problem.strerror}") from problem

    def check(self) -> None:
        """Raise ``Unsteady`` where the file changed since this began, unless that was told once."""
        steady = self._clone is not None or (
            self._state()[:2] == self._before[:2] and self._read == self.size
        )
        if self._patient and not steady:
            raise Unsteady

    def _state(self) -> os_copies.State:
        return os_copies.state_of(os.fstat(self._file.fileno()))
