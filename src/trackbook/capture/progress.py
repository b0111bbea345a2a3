"""One line that tells how far a long copy is."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Self

from .. import formats
from ..store import Watch

_QUIET_S = 1.0
_EVERY_S = 0.5


class Progress(Watch):
    """A line on stderr once a copy takes longer than a second, rewritten in place.

    Only where somebody looks: in a terminal and in a notebook, not in a file of logs.
    """

    def __init__(self, what: str, total: int) -> None:
        self.unsteady: list[Path] = []
        self._what = what
        self._total = total
        self._done = 0
        self._started = time.monotonic()
        self._next = self._started + _QUIET_S
        self._shown = False

    def copied(self, count: int) -> None:
        """So many bytes more have been read."""
        self._done += count
        now = time.monotonic()
        if now >= self._next and _somebody_looks():
            self._next = now + _EVERY_S
            self._shown = True
            share = f" ({self._done / self._total:.0%})" if self._total else ""
            done, total = formats.size(self._done), formats.size(self._total)
            _rewrite(f"Trackbook: keeping {self._what}, {done} of {total}{share}")

    def changed(self, path: Path) -> None:
        """The file was written to while it was read."""
        self.unsteady.append(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        """Leave one line that says how long it took, or none where it was stopped."""
        if self._shown:
            seconds = formats.duration(time.monotonic() - self._started)
            size = formats.size(self._done)
            told = f"Trackbook: kept {self._what}, {size} in {seconds}\n"
            _rewrite(told if kind is None else "")


def _somebody_looks() -> bool:
    stream = sys.stderr
    if stream is None:
        return False
    return stream.isatty() or type(stream).__module__.startswith("ipykernel.")


def _rewrite(line: str) -> None:
    print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)  # noqa: T201 - a notice
