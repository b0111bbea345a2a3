"""Which run is active: entered ones in each context, bare ones for the whole process."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable

from .live import ActiveRun

_stack: contextvars.ContextVar[tuple[ActiveRun, ...]] = contextvars.ContextVar(
    "trackbook_runs", default=()
)


class Places:
    """Where the open runs of a process stand to each other.

    A new bare run replaces the bare one that is open, unless it is entered: then the open one
    becomes its parent. Which of the two it is shows only at the next touch, ``settle``.
    """

    def __init__(
        self, tracked: Callable[[], ActiveRun | None], supersede: Callable[[ActiveRun], None]
    ) -> None:
        self.bare: ActiveRun | None = None
        """The bare run outside every ``with``."""
        self._tracked = tracked
        self._supersede = supersede
        self._pending: tuple[ActiveRun, ActiveRun, ActiveRun | None] | None = None
        _stack.set(())

    def entered(self) -> tuple[ActiveRun, ...]:
        """The ``with`` runs around the caller, the innermost last."""
        return _stack.get()

    def scope(self, entered: tuple[ActiveRun, ...]) -> ActiveRun | None:
        """The innermost open run that was entered, else the run of the cell."""
        for run in reversed(entered):
            if run.open:
                return run
        tracked = self._tracked()
        return tracked if tracked is not None and tracked.open else None

    def bare_in(self, scope: ActiveRun | None) -> ActiveRun | None:
        """The innermost open bare run inside a scope."""
        bare = self.bare if scope is None else scope.bare_child
        while bare is not None and bare.bare_child is not None and bare.bare_child.open:
            bare = bare.bare_child
        return bare if bare is not None and bare.open else None

    def put(self, run: ActiveRun, scope: ActiveRun | None) -> None:
        """Make it the bare run of a scope."""
        if scope is None:
            self.bare = run
        else:
            scope.bare_child = run

    def put_beside(self, run: ActiveRun, old: ActiveRun, scope: ActiveRun | None) -> None:
        """Make it the bare run of a scope that has one; what becomes of that is still open."""
        self._pending = (run, old, scope)
        self.put(run, scope)

    def enter(self, run: ActiveRun, open_runs: Iterable[ActiveRun]) -> ActiveRun | None:
        """The run is a ``with``; returns the bare run that turns out to be its parent."""
        parent = None
        if self._pending is not None and self._pending[0] is run:
            _, parent, scope = self._pending
            self._pending = None
            self.put(parent, scope)
        else:
            self.settle()
            self.remove(run, open_runs)
        _stack.set((*_stack.get(), run))
        return parent

    def leave(self, run: ActiveRun) -> None:
        """The ``with`` is over."""
        self.settle()
        _stack.set(tuple(other for other in _stack.get() if other is not run))

    def remove(self, run: ActiveRun, open_runs: Iterable[ActiveRun]) -> None:
        """It is nobody's bare run any more."""
        if self.bare is run:
            self.bare = None
        for other in (*open_runs, *_stack.get()):
            if other.bare_child is run:
                other.bare_child = None

    def settle(self) -> None:
        """The touch that decides: the new bare run was not entered, so it replaces the old one."""
        if self._pending is not None:
            _, old, _ = self._pending
            self._pending = None
            self._supersede(old)
