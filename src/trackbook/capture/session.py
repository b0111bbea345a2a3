"""The runs of this process: which one is active, who opened it, when it ends."""

from __future__ import annotations

import atexit
import contextvars
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .. import settings
from ..errors import InvalidValue, StoreError, TrackbookWarning
from ..store import Store
from . import notebook
from .autosave import Autosave
from .live import ActiveRun
from .nothing import NoRun
from .surroundings import Cell, Surroundings

_stack: contextvars.ContextVar[tuple[ActiveRun, ...]] = contextvars.ContextVar(
    "trackbook_runs", default=()
)
# Where no run can be started, a ``log_*`` without one tries again after this.
_RETRY_S = 10.0


class Session:
    """Everything this process tracks. There is one, ``current``."""

    def __init__(self) -> None:
        self.enabled = True
        self.say: Callable[[str], None] = _to_stderr
        self.cell: Cell | None = None
        self.executed: dict[str, str] = {}
        self._around = Surroundings()
        self._open: dict[str, ActiveRun] = {}
        self._bare: ActiveRun | None = None
        self._pending: tuple[ActiveRun, ActiveRun, ActiveRun | None] | None = None
        self._autosave = Autosave()
        self._warned: set[str] = set()
        self._retry_at = 0.0
        self._hooked = False
        self._pid = os.getpid()

    @property
    def user_namespace(self) -> Mapping[str, Any] | None:
        """The namespace of the notebook's user; None outside IPython."""
        return self._around.user_namespace

    @user_namespace.setter
    def user_namespace(self, namespace: Mapping[str, Any] | None) -> None:
        self._around.user_namespace = namespace

    # -- where it all happens -----------------------------------------------------------------

    def source_file(self) -> Path | None:
        """The notebook or script of this process, where something says."""
        return self._around.source_file()

    def store(self) -> Store:
        """The store that this process writes to, made on first use. Raises ``StoreError``."""
        store, fell_back = self._around.store()
        store.before_read = self._autosave.save_all
        if fell_back:
            self.say(f"Trackbook: the project is not writable, runs go to {store.path}")
        return store

    def sources(self) -> notebook.Sources:
        """Where the sources of cells are kept: the blobs of ``store()``."""
        self.store()
        return self._around.sources

    def set_experiment(self, name: str) -> None:
        """Put the runs that start from now on into an experiment; ``/`` makes folders."""
        if not isinstance(name, str) or not name.strip():
            raise InvalidValue(f"the name of an experiment is a non-empty string, not {name!r:.60}")
        self._around.experiment = name.strip()

    # -- starting and ending ------------------------------------------------------------------

    def start_run(
        self,
        name: str | None = None,
        *,
        experiment: str | None = None,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        note: str | None = None,
        nested: bool | None = None,
        run_id: str | None = None,
    ) -> ActiveRun:
        """Open a run, bare for now; entering it as a context manager changes its place."""
        self._settle()
        if not self.is_on():
            return NoRun()
        scope = self._scope()
        bare = self._bare_of(scope)
        parent = scope
        if nested:
            parent = bare or scope
        elif nested is False:
            parent = None
            if bare is not None:
                self._supersede(bare)
        run = self._resume(run_id) if run_id else self.open_run(name, experiment, parent)
        self._fill(run, params, tags, note)
        if nested and bare is not None:
            bare.bare_child = run
            return run
        if nested is None and bare is not None and bare.open:
            self._pending = (run, bare, scope)
        self._place(run, scope)
        return run

    def open_run(
        self,
        name: str | None,
        experiment: str | None = None,
        parent: ActiveRun | None = None,
        *,
        fitted: str | None = None,
    ) -> ActiveRun:
        """A run on disk, with its series, number and surroundings; not yet active anywhere.

        ``fitted`` is the class whose fit makes the run: its name by default, not its series.
        """
        store = self.store()
        sources, cell = self.sources(), self.cell
        document = self._around.document(
            name, experiment, parent.document if parent else None, fitted, cell
        )
        if cell is not None:
            document["cell"] = {"id": cell.id, "source": sources.keep(cell.source)}
        run = ActiveRun(store.create(document), store.blobs, self)
        run.cell_key = self.cell.key if self.cell else None
        self._adopt(run)
        self._around.read_git(run)
        return run

    def end_run(self, status: str = "finished") -> None:
        """End the active run; without one this does nothing."""
        run = self.active()
        if run is not None:
            run.end(status)

    def active(self) -> ActiveRun | None:
        """The innermost ``with`` of this context, else the run of the cell, else the bare one."""
        self._settle()
        scope = self._scope()
        bare = self._bare_of(scope)
        if bare is not None:
            return bare
        if scope is not None:
            return scope
        owned = self.cell.owned if self.cell else []
        return next((run for run in reversed(owned) if run.open), None)

    def logging_run(self) -> ActiveRun:
        """The run that a bare ``log_*`` means; opens an implicit one where none is open."""
        run = self.active()
        if run is None and threading.current_thread() is not threading.main_thread():
            # A thread starts no run of its own accord while any run of the process is open.
            run = next(reversed(list(self._open.values())), None)
        if run is not None:
            return run
        if not self.is_on() or time.monotonic() < self._retry_at:
            return NoRun()
        try:
            run = self.open_run(None)
        except StoreError as problem:
            self._retry_at = time.monotonic() + _RETRY_S
            self.warn(f"nothing is tracked now: {problem}", about="start")
            return NoRun()
        self._place(run, None)
        return run

    def is_on(self) -> bool:
        """Whether anything is tracked at all."""
        return self.enabled and not settings.disabled()

    def open_runs(self) -> list[ActiveRun]:
        """The runs of this process that have not ended, oldest first."""
        return list(self._open.values())

    # -- cells --------------------------------------------------------------------------------

    def begin_cell(self, cell: Cell) -> None:
        """A cell starts; executing the cell again that began the bare run ends that run."""
        self._settle()
        self.cell = cell
        if self._bare is not None and self._bare.cell_key == cell.key:
            self._bare.end()

    def end_cell(self, error: BaseException | None) -> None:
        """A cell is over: what it owns ends, bare runs stay open and note the error."""
        self._settle()
        cell, self.cell = self.cell, None
        for run in cell.owned if cell else []:
            _close(run, error)
        if cell is not None and cell.run is not None:
            _close(cell.run, error)
        if error is not None and self._bare is not None:
            self._bare.note_error(error)
        self._autosave.save_all()

    # -- what a run asks of us (live.Owner) ---------------------------------------------------

    def entered(self, run: ActiveRun) -> None:
        """The run is a ``with``: it leaves its bare place, and a bare run becomes its parent."""
        if self._pending is not None and self._pending[0] is run:
            _, parent, scope = self._pending
            self._pending = None
            self._place(parent, scope)
            self._make_child(run, parent)
        else:
            self._settle()
            self._unplace(run)
        _stack.set((*_stack.get(), run))

    def left(self, run: ActiveRun) -> None:
        """The ``with`` is over."""
        self._settle()
        _stack.set(tuple(other for other in _stack.get() if other is not run))

    def ended(self, run: ActiveRun) -> None:
        """Forget an ended run as open."""
        self._open.pop(run.id, None)
        self._unplace(run)

    def dirty(self, run: ActiveRun) -> None:
        """Save the run soon."""
        self._autosave.touch(run)

    def warn(self, problem: str, about: str = "") -> None:
        """One warning a problem, or all that are ``about`` the same; the user's work goes on."""
        if (about or problem) not in self._warned:
            self._warned.add(about or problem)
            # Without a line of code: it would be one of ours.
            warnings.warn_explicit(f"Trackbook: {problem}", TrackbookWarning, "<trackbook>", 0)

    def cell_id(self) -> str | None:
        """The stored id of the cell that runs."""
        return self.cell.id if self.cell else None

    # -- the end of the process ---------------------------------------------------------------

    def close_all(self, error: BaseException | None = None) -> None:
        """End every open run; in a forked child this does nothing, the runs are its parent's."""
        if os.getpid() != self._pid:
            return
        if self._pending is not None:
            self._settle()
        for run in reversed(self.open_runs()):
            _close(run, error)
        self._around.wait_for_git()
        self._autosave.save_all()

    def forget(self) -> None:
        """After a fork: the parent's runs are not ours."""
        if current is self:
            fresh = reset()
            fresh.enabled, fresh.user_namespace = self.enabled, self.user_namespace

    def let_go(self) -> None:
        """Have the store ask this session for nothing any more."""
        self._around.let_go()

    def _adopt(self, run: ActiveRun) -> None:
        self._open[run.id] = run
        if self._hooked:
            return
        self._hooked = True
        atexit.register(self.close_all)
        os.register_at_fork(after_in_child=self.forget)
        if self.user_namespace is None:
            _watch_uncaught(self)

    # -- places -------------------------------------------------------------------------------

    def _scope(self) -> ActiveRun | None:
        for run in reversed(_stack.get()):
            if run.open:
                return run
        tracked = self.cell.run if self.cell else None
        return tracked if tracked is not None and tracked.open else None

    def _bare_of(self, scope: ActiveRun | None) -> ActiveRun | None:
        bare = self._bare if scope is None else scope.bare_child
        while bare is not None and bare.bare_child is not None and bare.bare_child.open:
            bare = bare.bare_child
        return bare if bare is not None and bare.open else None

    def _place(self, run: ActiveRun, scope: ActiveRun | None) -> None:
        if scope is None:
            self._bare = run
        else:
            scope.bare_child = run

    def _unplace(self, run: ActiveRun) -> None:
        if self._bare is run:
            self._bare = None
        for other in (*self._open.values(), *_stack.get()):
            if other.bare_child is run:
                other.bare_child = None

    def _settle(self) -> None:
        """The touch that decides: the new bare run was not entered, so it replaces the old one."""
        if self._pending is not None:
            _, old, _ = self._pending
            self._pending = None
            self._supersede(old)

    def _supersede(self, old: ActiveRun) -> None:
        old.end()
        self.say(f"Trackbook: {old.name} #{old.number} is finished, a new run has begun")

    def _make_child(self, run: ActiveRun, parent: ActiveRun) -> None:
        series = f"{parent.document['series']}/{run.name}"
        number = self.store().next_number(series)
        run.amend(parent=parent.id, kind="child", series=series, number=number)

    # -- filling ------------------------------------------------------------------------------

    def _resume(self, run_id: str) -> ActiveRun:
        store = self.store()
        found = store.resolve(run_id)
        if found in self._open:
            return self._open[found]
        writer = store.resume(found)
        writer.document.update(status="running", ended=None, error=None)
        run = ActiveRun(writer, store.blobs, self)
        run.save()
        self._adopt(run)
        return run

    def _fill(
        self,
        run: ActiveRun,
        params: Mapping[str, Any] | None,
        tags: Mapping[str, Any] | None,
        note: str | None,
    ) -> None:
        try:
            if params:
                run.log_params(params)
            if tags:
                run.set_tags(tags)
            if note:
                run.set_note(note)
        except InvalidValue as problem:
            run.fail(problem)
            raise


def _close(run: ActiveRun, error: BaseException | None) -> None:
    if error is None:
        run.end()
    elif run.open:
        run.fail(error)


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a notice, on stderr by contract


def _watch_uncaught(session: Session) -> None:
    earlier = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        try:
            session.close_all(error)
        finally:
            earlier(kind, error, trace)

    sys.excepthook = hook


current = Session()


def reset() -> Session:
    """Begin a session without any runs, as in a fresh process."""
    global current
    current.let_go()
    current = Session()
    _stack.set(())
    return current
