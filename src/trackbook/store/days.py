"""The folders of the days, compared by modification time: runs that are copied in or removed.

A comparison costs a system call a folder, so where there are many only the newest are compared each
time, and all of them once a second. A folder that was changed just now is always looked into.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_DAY = re.compile(r"\d{8}")
# A folder that changed this recently may change again without a new time stamp.
_RACY_S = 2.0
# This many of the newest are compared each time, the others once in so many seconds.
NEWEST = 14
ROUND_S = 1.0


class Day(NamedTuple):
    """A day whose folder is not as it was: what it holds now (nothing where it is gone)."""

    name: str
    entries: set[str]
    racy: bool
    """It changed so recently that what is in it may not be whole yet."""


class DayFolders:
    """Which day folders changed since the last look."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        # 0 for one that has to be looked into again.
        self._times: dict[str, int] = {}
        self._often: dict[str, Path] = {}
        self._top = 0
        self._next_round = 0.0

    def state(self) -> dict[str, int]:
        """What ``restore`` takes."""
        return dict(self._times)

    def restore(self, times: dict[str, int]) -> None:
        """Go on where a reader before left off; nothing for a new start."""
        self._times = {str(day): int(moment) for day, moment in times.items()}
        self._next_round = 0.0

    def changed(self) -> Iterator[Day]:
        """The days that differ from the last look."""
        present, whole = self._present()
        if whole:
            for day in self._times.keys() - present.keys():
                del self._times[day]
                yield Day(day, set(), False)
        for day, moment in present.items():
            if self._times.get(day) == moment:
                continue
            racy = time.time() - moment / 1e9 < _RACY_S
            self._times[day] = 0 if racy else moment
            yield Day(day, _entries(self._runs / day), racy)

    def _present(self) -> tuple[dict[str, int], bool]:
        """Modification times of days, and whether they are those of all days."""
        top = _modified(self._runs)
        now = time.monotonic()
        if top == self._top and now < self._next_round:
            times = {day: _modified(folder) for day, folder in self._often.items()}
            if all(times.values()):
                return times, False
        self._next_round = now + ROUND_S
        # A day that appears in the same instant as the one before changes nothing above.
        self._top = 0 if time.time() - top / 1e9 < _RACY_S else top
        present = _days(self._runs)
        newest = sorted(present)[-NEWEST:]
        racy = [day for day in present if time.time() - present[day] / 1e9 < _RACY_S]
        self._often = {day: self._runs / day for day in {*newest, *racy}}
        return present, True


def _modified(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _days(runs: Path) -> dict[str, int]:
    try:
        with os.scandir(runs) as entries:
            days = [e for e in entries if _DAY.fullmatch(e.name)]
            return {e.name: e.stat().st_mtime_ns for e in days if not e.is_symlink()}
    except OSError:
        return {}


def _entries(day: Path) -> set[str]:
    try:
        with os.scandir(day) as entries:
            return {entry.name for entry in entries}
    except OSError:
        return set()
