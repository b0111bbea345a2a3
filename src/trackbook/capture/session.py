"""The runs of this process: which one is active, who opened it, when it ends."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from .. import settings
from ..errors import InvalidValue, StoreError, warn
from ..model import Document
from ..store import RunWriter, Store
from . import endings, notebook, workers
from .afterwork import Afterwork
from .autosave import Autosave
from .live import ActiveRun
from .livenotebook import LiveNotebook
from .nothing import NoRun
from .places import Places
from .surroundings import Cell, Surroundings
from .watch import Watch

# Where no run can be started, a ``log_*`` without one tries again after this.
_RETRY_S = 10.0


class Session:
    """Everything this process tracks. There is one, ``current``."""

    def __init__(self) -> None:
        self.enabled = True
        self.say: Callable[[str], None] = _to_stderr
        self.cell: Cell | None = None
        self.owned: list[ActiveRun] = []
        """Runs that autolog began outside cells and that last, see ``fits.begin``."""
        self.progress: Callable[[Cell], None] = _nobody
        self.executed: dict[str, str] = {}
        self._around = Surroundings()
        self._open: dict[str, ActiveRun] = {}
        self._places = Places(lambda: self.cell.run if self.cell else None, self._supersede)
        self._autosave = Autosave()
        self.watch = Watch(self._places.entered, self.heard_by)
        self._warned: set[str] = set()
        self._retry_at = 0.0
        self._hooked = False
        self._family = workers.Family()
        self._pid = os.getpid()

    @property
    def user_namespace(self) -> Mapping[str, Any] | None:
        """The namespace of the notebook's user; None outside IPython."""
        return self._around.user_namespace

    @user_namespace.setter
    def user_namespace(self, namespace: Mapping[str, Any] | None) -> None:
        self._around.user_namespace = namespace

    # -- where it all happens -----------------------------------------------------------------

    @property
    def live(self) -> LiveNotebook:
        """What JupyterLab tells of the open notebook."""
        return self._around.live

    @property
    def afterwork(self) -> Afterwork:
        """What waits until the user's code pauses."""
        return self._autosave.afterwork

    def source_file(self) -> Path | None:
        """The notebook or script of this process, where something says."""
        return self._around.source_file()

    def store(self) -> Store:
        """The store that this process writes to, made on first use. Raises ``StoreError``."""
        store, fell_back = self._around.store()
        store.before_read = self._autosave.settle
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
        self._places.settle()
        if not self.is_on():
            return NoRun()
        scope = self._places.scope(self._places.entered())
        bare = self._places.bare_in(scope)
        parent = scope
        if nested:
            parent = bare or scope
        elif nested is False:
            parent = None
            if bare is not None:
                self._supersede(bare)
        if run_id:
            run = self._resume(run_id)
        else:
            apart = parent is not None or nested is False
            above = None if apart else self._family.above(self.store())
            run = self.open_run(name, experiment, parent.document if parent else above)
        self._fill(run, params, tags, note)
        if nested and bare is not None:
            bare.bare_child = run
            return run
        if nested is None and bare is not None and bare.open:
            self._places.put_beside(run, bare, scope)
        else:
            self._places.put(run, scope)
        return run

    def open_run(
        self,
        name: str | None,
        experiment: str | None = None,
        parent: Document | None = None,
        *,
        fitted: str | None = None,
        kind: str = "child",
    ) -> ActiveRun:
        """A run on disk, with its series, number and surroundings; not yet active anywhere.

        ``fitted`` is the class whose fit makes the run: its name by default, not its series. Below
        ``parent`` it is of a ``kind`` of its own.
        """
        store = self.store()
        document = self._around.document(name, experiment, parent, fitted, self.cell)
        document["kind"] = "run" if parent is None else kind
        run = ActiveRun(store.create(document), store.blobs, self)
        run.cell_key = self.cell.key if self.cell else None
        self._adopt(run)
        self._around.run_begins(run)
        return run

    def end_run(self, status: str = "finished") -> None:
        """End the active run; without one this does nothing."""
        if (run := self.active()) is not None:
            run.end(status)

    def end_soon(self, run: ActiveRun, status: str) -> None:
        """End a run; the disk is not waited for, unless many runs wait for it already."""
        run.end(status, soon=not self._autosave.is_full)

    def active(self) -> ActiveRun | None:
        """The innermost ``with`` of this context, else the run of the cell, else the bare one."""
        self._places.settle()
        return self.heard_by(self._places.entered())

    def heard_by(self, entered: tuple[ActiveRun, ...]) -> ActiveRun | None:
        """The active run of a context where these were entered; decides nothing."""
        scope = self._places.scope(entered)
        bare = self._places.bare_in(scope)
        owned = self.cell.owned if self.cell else self.owned
        return bare or scope or next((run for run in reversed(owned) if run.open), None)

    def logging_run(self) -> ActiveRun:
        """The run that a bare ``log_*`` means; opens an implicit one where none is open."""
        run = self.active()
        if run is not None and self._family.is_over():
            run.end()
            run = self.active()
        if run is None and threading.current_thread() is not threading.main_thread():
            # A thread starts no run of its own accord while any run of the process is open.
            run = next(reversed(list(self._open.values())), None)
        if run is not None:
            return run
        if not self.is_on() or time.monotonic() < self._retry_at:
            return NoRun()
        try:
            run = self._open_worker() or self.open_run(None)
        except StoreError as problem:
            self._retry_at = time.monotonic() + _RETRY_S
            self.warn(f"nothing is tracked now: {problem}", about="start")
            return NoRun()
        self._places.put(run, None)
        return run

    def _open_worker(self) -> ActiveRun | None:
        """This process's part of the run above it; None where it is no worker."""
        above = self._family.above(self.store())
        if above is None:
            return None
        self._family.join(self.store(), above["id"])
        run = self.open_run("worker", parent=above, kind="worker")
        run.inherit(cast(RunWriter, workers.AtOnce(run.writer)), self)
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
        self._places.settle()
        bare = self._places.bare
        if bare is not None and bare.cell_key == cell.key:
            bare.end()
        self.cell = cell

    def end_cell(self, error: BaseException | None) -> None:
        """A cell is over: what it owns ends, bare runs stay open and note the error."""
        self._places.settle()
        self.watch.console.drain()
        cell, self.cell = self.cell, None
        for run in cell.owned if cell else []:
            _close(run, error)
        if cell is not None and cell.run is not None:
            _close(cell.run, error)
        if error is not None and self._places.bare is not None:
            self._places.bare.note_error(error)
        self._autosave.save_all()

    # -- what a run asks of us (live.Owner) ---------------------------------------------------

    def entered(self, run: ActiveRun) -> None:
        """The run is a ``with``: it leaves its bare place, and a bare run becomes its parent."""
        self.watch.console.drain()
        parent = self._places.enter(run, self._open.values())
        if parent is not None:
            self._make_child(run, parent)

    def left(self, run: ActiveRun) -> None:
        """The ``with`` is over."""
        self._places.leave(run)

    def ended(self, run: ActiveRun) -> None:
        """Forget an ended run as open."""
        self._around.run_ends(run)
        self.watch.ended(run)
        self._open.pop(run.id, None)
        if self.cell is not None:
            self.cell.over.append(run)
            self.progress(self.cell)
        self._places.remove(run, self._open.values())

    def dirty(self, run: ActiveRun) -> None:
        """Save the run soon."""
        self._autosave.touch(run)

    def changed(self, run: ActiveRun) -> None:
        """Save the run soon, the part of a worker at once."""
        if run.document["kind"] == "worker":
            run.save()
        else:
            self._autosave.touch(run)

    def warn(self, problem: str, about: str = "") -> None:
        """One warning a problem, or all that are ``about`` the same; the user's work goes on."""
        if (about or problem) not in self._warned:
            self._warned.add(about or problem)
            warn(f"Trackbook: {problem}")

    def cell_id(self) -> str | None:
        """The stored id of the cell that runs."""
        return self.cell.id if self.cell else None

    # -- the end of the process ---------------------------------------------------------------

    def close_all(self, error: BaseException | None = None) -> None:
        """End every open run; in a forked child this does nothing, the runs are its parent's."""
        if os.getpid() != self._pid:
            return
        self._places.settle()
        for run in reversed(self.open_runs()):
            _close(run, error)
        self._around.wait()
        self._autosave.settle(float("inf"))

    def forget(self) -> None:
        """After a fork: the parent's runs are not ours; what is logged to them is a worker's."""
        if current is self:
            workers.came_by_fork()
            fresh = reset()
            fresh.enabled, fresh.user_namespace = self.enabled, self.user_namespace
            for run in self.open_runs():
                run.inherit(workers.InheritedWriter(run.document, fresh.worker_writer), fresh)

    def worker_writer(self) -> RunWriter:
        """Where a forked child's part of its parent's runs goes."""
        return self.logging_run().writer

    def let_go(self) -> None:
        """Have the store ask this session for nothing any more."""
        self._around.let_go()
        self.watch.let_go()

    def _adopt(self, run: ActiveRun) -> None:
        self._open[run.id] = run
        self.watch.opened(run)
        if self._hooked:
            return
        self._hooked = True
        endings.watch(self.close_all, self.forget, script=self.user_namespace is None)

    def _supersede(self, old: ActiveRun) -> None:
        old.end()
        if self.cell is None or len(self.cell.over) == 1:  # once is enough in a loop
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


def _nobody(cell: Cell) -> None:
    """Nobody is shown how a cell gets on."""


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a notice, on stderr by contract


current = Session()


def reset() -> Session:
    """Begin a session without any runs, as in a fresh process."""
    global current
    current.let_go()
    current = Session()
    return current
