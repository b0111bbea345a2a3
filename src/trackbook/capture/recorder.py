"""What is recorded of each execution besides its source: what it read, bound, changed and used."""

from __future__ import annotations

import sys
import time
from typing import Any

from ..syntax.expressions import EVERYTHING
from ..syntax.names import names
from . import ambient
from .observe import Observer
from .randomness import Changes
from .surroundings import Cell

_MOST_NAMES = 2_000


class Recorder:
    """Looks before and after each outermost cell; reads only, and changes nothing."""

    def __init__(self, shell: Any) -> None:
        self._observer = Observer(shell.user_ns, shell.user_ns_hidden)
        self._random = Changes()
        self._cell: Cell | None = None
        self._rng: dict[str, Any] = {}
        self._ambient: ambient.Probe = {}
        self._modules = 0
        self._took = 0.0

    def begin(self, cell: Cell, order: int) -> None:
        """A cell is about to run, the ``order``-th that is logged."""
        started = time.perf_counter()
        self._cell = None
        found = names(cell.code)
        self._observer.begin(found, order)
        self._ambient = ambient.probe()
        self._modules = len(sys.modules)
        self._rng = self._random.states()
        self._cell = cell
        self._took = time.perf_counter() - started

    def end(self, error: BaseException | None) -> dict[str, Any]:
        """The fields of its line; empty where its beginning was not seen."""
        cell, self._cell = self._cell, None
        if cell is None:
            return {}
        started = time.perf_counter()
        found = names(cell.code)
        imported = len(sys.modules) != self._modules
        changed = ambient.changed(self._ambient, ambient.probe(), imported, cell.source)
        seen = self._observer.end(found, error is None)
        flags = set(found.flags)
        if isinstance(error, KeyboardInterrupt):
            flags.add("interrupted")
        if seen.sampled:
            flags.add("sampled")
        if seen.handles:
            flags.add("open handle")
        line: dict[str, Any] = {
            "bound": _sorted(seen.bound),
            "mutated": _sorted(seen.mutated),
            "read": _sorted(found.reads - {EVERYTHING}),
            "deleted": _sorted(seen.deleted),
            "untrusted": _sorted(seen.untrusted),
            "ambient": _sorted(changed),
            "flags": _sorted(flags),
            "rng": self._rng,
        }
        line |= {k: v for k, v in (("late", seen.late), ("since", seen.since)) if v}
        line["ms"] = round(1000 * (self._took + time.perf_counter() - started), 2)
        return line


def _sorted(names: set[str] | frozenset[str]) -> list[str]:
    return sorted(names)[:_MOST_NAMES]
