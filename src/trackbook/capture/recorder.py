"""What is recorded of each execution besides its source: what it read, bound, changed and used."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PosixPath, WindowsPath
from typing import Any

from ..syntax.expressions import EVERYTHING
from ..syntax.names import Names, names
from . import ambient
from .filecontents import Contents
from .filesread import Files
from .observe import Observer
from .randomness import Changes, came_used
from .surroundings import Cell

_MOST_NAMES = 2_000
_MOST_VALUES = 10
_LONGEST_PATH = 1_000
_PATHS = (PosixPath, WindowsPath)


class Recorder:
    """Looks before and after each outermost cell; reads only, and changes nothing."""

    def __init__(self, shell: Any, contents: Contents) -> None:
        self._observer = Observer(shell.user_ns, shell.user_ns_hidden)
        self._namespace = shell.user_ns
        self._random = Changes()
        self.files = Files(contents)
        self._cell: Cell | None = None
        self._rng: dict[str, Any] = {}
        self._ambient: ambient.Probe = {}
        self._modules = 0
        self._took = 0.0

    def begin(self, cell: Cell, order: int) -> None:
        """A cell is about to run, the ``order``-th that is logged."""
        with _no_collection():
            self._begin(cell, order)

    def end(self, error: BaseException | None) -> dict[str, Any]:
        """The fields of its line; empty where its beginning was not seen."""
        with _no_collection():
            return self._end(error)

    def _begin(self, cell: Cell, order: int) -> None:
        started = time.perf_counter()
        self._cell = None
        found = names(cell.code)
        self._observer.begin(found, order)
        self._ambient = ambient.probe()
        self._modules = len(sys.modules)
        self._rng = self._random.states()
        self._cell = cell
        self.files.begin()
        self._took = time.perf_counter() - started

    def _end(self, error: BaseException | None) -> dict[str, Any]:
        cell, self._cell = self._cell, None
        if cell is None:
            return {}
        started = time.perf_counter()
        found = names(cell.code)
        self.files.flags |= found.flags & {"%run"}
        files = self.files.end(self._named(found))
        imported = len(sys.modules) != self._modules
        changed = ambient.changed(self._ambient, ambient.probe(), imported, cell.source)
        seen = self._observer.end(found, error is None)
        flags = found.flags | self.files.flags
        if isinstance(error, KeyboardInterrupt):
            flags |= {"interrupted"}
        if came_used(self._rng) and "seed" not in cell.source:
            flags |= {"unknown seed"}
        if seen.sampled:
            flags |= {"sampled"}
        if seen.handles is not None:
            files += self.files.written(seen.handles)
            flags |= {"open handle"}
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
        more = {"late": seen.late, "since": seen.since, "files": files}
        line |= {name: value for name, value in more.items() if value}
        line["ms"] = round(1000 * (self._took + time.perf_counter() - started), 2)
        return line

    def _named(self, found: Names) -> Iterator[str]:
        """Strings of the source, and of the variables it reads, that may be paths."""
        yield from found.paths
        values = [self._namespace.get(name) for name in sorted(found.reads)[:_MOST_VALUES]]
        texts = [v for v in values if type(v) is str and len(v) < _LONGEST_PATH]
        folders = [*texts, *(str(v) for v in values if type(v) in _PATHS)]
        yield from folders
        for folder in folders:  # DATA / "train.parquet"
            for name in found.paths[:_MOST_VALUES]:
                yield os.path.join(folder, name.lstrip("/"))  # noqa: PTH118


@contextmanager
def _no_collection() -> Iterator[None]:
    """The garbage of the user's cell is collected in the user's time, as without us."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _sorted(names: set[str] | frozenset[str]) -> list[str]:
    return sorted(names)[:_MOST_NAMES]
