"""IPython's hooks: every executed cell is logged, a ``%%track`` cell becomes a run."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol

from ..errors import StoreError
from . import cellsource, cellvalues, options, plainvalues
from . import session as sessions
from .keeping import Keeper
from .live import ActiveRun
from .outputs import CellOutputs
from .patch import Guard
from .recorder import Recorder
from .session import Session
from .surroundings import Cell

_SCALARS = (str, bool, int, float)


class Report(Protocol):
    """What is shown beneath a cell."""

    def progress(self, runs: Sequence[ActiveRun]) -> None:
        """Another of these runs has ended while the cell works on."""

    def over(self, runs: Sequence[ActiveRun]) -> None:
        """The cell has ended, and these runs in it or with it."""


@dataclass
class _Execution:
    """A cell that runs: one within another where that calls ``run_cell``, as ``%%capture`` does."""

    cell: Cell
    started: float
    asked: options.Options | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    error: BaseException | None = None
    """That of a cell within it."""


class CellHooks:
    """The pair of hooks around each cell. A fault of ours is one warning and switches them off."""

    def __init__(self, shell: Any, report: Report) -> None:
        self._shell = shell
        self._report = report
        self._guard = Guard("cells")
        self._values = Guard("the values of cells")
        self._notebook = Guard("the notebook")
        self._line = Guard("the line below cells")
        self._keeper = Keeper()
        self._recorder = Recorder(shell, self._keeper.contents)
        self._recording = Guard("what cells change")
        self._outputs = CellOutputs(shell)
        self._running: list[_Execution | None] = []
        self.loaded = time.monotonic()

    def install(self) -> None:
        """Hook into IPython."""
        self._notebook.run(self._keeper.before, _before_us(self._shell))
        self._shell.events.register("pre_run_cell", self.before)
        self._shell.events.register("post_run_cell", self.after)
        self._shell.input_transformers_cleanup.append(cellsource.strip_track_line)
        if hasattr(self._shell, "kernel"):
            live = sessions.current.live
            live.told = self._document_came
            self._notebook.run(live.open)
        self._recording.run(self._take_earlier)
        sessions.current.progress = lambda cell: self._line.run(self._progress, cell)

    def remove(self) -> None:
        """Undo ``install``."""
        self._shell.events.unregister("pre_run_cell", self.before)
        self._shell.events.unregister("post_run_cell", self.after)
        self._shell.input_transformers_cleanup.remove(cellsource.strip_track_line)
        self._notebook.run(sessions.current.live.close)
        self._recorder.files.stop()

    def before(self, info: Any) -> None:
        """``pre_run_cell``: open the run of a tracked cell."""
        if sessions.current.is_on():
            self._guard.run(self._before, info)
            self._observe()

    def after(self, result: Any) -> None:
        """``post_run_cell``: close what the cell owns and log the cell."""
        if sessions.current.is_on():
            self._guard.run(self._after, result)
        if not self._running:
            self._outputs.leave()

    def _progress(self, cell: Cell) -> None:
        asked = next((one.asked for one in self._running if one and one.cell is cell), None)
        if asked is None or not asked.quiet:
            self._report.progress(cell.over)

    # -- before -------------------------------------------------------------------------------

    def _before(self, info: Any) -> None:
        session = sessions.current
        self._give_up(session, _depth() - 1)
        raw = info.raw_cell or ""
        asked = cellsource.track_options(raw)
        if self._running and asked is None:
            self._running.append(None)  # a part of the cell around it
            return
        cell_id = getattr(info, "cell_id", None)
        cell = Cell(cell_id or raw, cell_id, raw, lambda: cellsource.python(raw))
        execution = _Execution(cell, time.time())
        within = bool(self._running)
        parent = session.cell.run if within and session.cell else None
        self._running.append(execution)
        session.begin_cell(cell)
        session.watch.console.listen()
        self._notebook.run(self._begin, session, cell)
        if asked is not None:
            try:
                cell.run = self._open(session, asked, parent)
            except StoreError as problem:
                session.say(f"Trackbook: this cell is not tracked: {problem}")
                return
            execution.asked = asked
            if asked.auto:
                self._values.run(self._foresee, execution, asked, cell.run)
            if not within:
                self._outputs.begin(session.watch.console)

    def _take_earlier(self) -> None:
        """The cells before this one, and this one, which loads the extension."""
        history = self._shell.history_manager
        if history is not None:
            self._keeper.earlier(list(history.input_hist_raw)[1:])

    def _observe(self) -> None:
        """Last of all, since what we do ourselves is not the cell's."""
        if len(self._running) == 1 and (execution := self._running[0]) is not None:
            self._recording.run(self._recorder.begin, execution.cell, self._keeper.next)

    def _give_up(self, session: Session, depth: int) -> None:
        """Forget executions whose end was never told, as after an interrupt in a hook."""
        while len(self._running) > max(depth, 0):
            execution = self._running.pop()
            if execution is not None:
                session.cell = execution.cell
                session.end_cell(KeyboardInterrupt())

    def _foresee(self, execution: _Execution, asked: options.Options, run: ActiveRun) -> None:
        execution.before = before = _earlier(self._shell.user_ns)
        foreseen = cellvalues.foresee(execution.cell.code, before, params=asked.params)
        if foreseen:
            run.expect_params(foreseen)
            run.save()  # what is known now outlives a kernel that the cell kills

    def _begin(self, session: Session, cell: Cell) -> None:
        """Should the kernel die in this cell, the runs that are open say where."""
        self._keeper.begin(session, cell)
        with suppress(StoreError):
            for run in session.open_runs():
                run.amend(last_cell={"id": cell.id, "source": session.sources().keep(cell.source)})

    def _open(
        self, session: Session, asked: options.Options, parent: ActiveRun | None
    ) -> ActiveRun:
        above = parent.document if parent is not None and parent.open else None
        run = session.open_run(asked.name, asked.experiment, above)
        if asked.given:
            run.log_params(asked.given)
        if asked.tags:
            run.set_tags(asked.tags)
        if asked.note:
            run.set_note(asked.note)
        return run

    # -- after --------------------------------------------------------------------------------

    def _after(self, result: Any) -> None:
        if not self._running:  # the cell that loaded the extension
            self._notebook.run(
                self._keeper.loaded, result.error_before_exec or result.error_in_exec
            )
            return
        session = sessions.current
        execution = self._running.pop()
        outer = next((one for one in reversed(self._running) if one is not None), None)
        error = result.error_before_exec or result.error_in_exec
        if execution is None:
            if (
                outer is not None
                and outer.error is None
                and cellsource.is_captured(outer.cell.source)
            ):
                outer.error = error
            return
        self._over(session, execution, error or execution.error, result.execution_count)
        session.cell = outer.cell if outer is not None else None

    def _over(
        self,
        session: Session,
        execution: _Execution,
        error: BaseException | None,
        count: int | None,
    ) -> None:
        cell, asked = execution.cell, execution.asked
        seen = {"within": True} if self._running else self._recording.run(self._recorder.end, error)
        session.active()  # a touch, which decides whether a bare run has replaced another
        ours = [run for run in (cell.run, *cell.owned) if run is not None]
        over = [run for run in cell.over if run not in ours]
        still = [run for run in session.open_runs() if run not in ours]
        try:
            if cell.run is not None and asked is not None:
                if not self._running:
                    self._outputs.end(cell.run, session.store().blobs, error)
                if cell.run.open:
                    self._values.run(self._collect, execution, asked, cell.run, error)
            self._notebook.run(self._log, session, execution, error, count, seen or {})
            self._notebook.run(self._keep, session, cell, ours, [*ours, *over, *still])
        finally:  # also where the user interrupts us
            session.end_cell(error)
        if asked is None or not asked.quiet:
            self._line.run(self._report.over, [*over, *ours])

    def _log(
        self,
        session: Session,
        execution: _Execution,
        error: BaseException | None,
        count: int | None,
        seen: Mapping[str, Any],
    ) -> None:
        started = execution.started
        self._keeper.log(
            session, execution.cell, count=count, started=started, error=error, seen=seen
        )

    def _keep(
        self, session: Session, cell: Cell, ours: list[ActiveRun], runs: list[ActiveRun]
    ) -> None:
        try:
            self._keeper.keep(session, cell, runs)
        except StoreError as problem:  # the disk; the runs themselves go on
            for run in ours:
                run.note_capture("notebook", "skipped", str(problem))
            session.warn(f"notebook and cells were not kept: {problem}", about="notebook")

    def _document_came(self, cell_id: str) -> None:
        self._notebook.run(self._keeper.document_came, sessions.current, cell_id)

    def _collect(
        self,
        execution: _Execution,
        asked: options.Options,
        run: ActiveRun,
        error: BaseException | None,
    ) -> None:
        if run.fits and asked.name is None and len(set(run.fits)) == 1:
            run.amend(name=run.fits[0])
        if not asked.auto:
            return
        started = time.perf_counter()
        facts = cellvalues.analyse(execution.cell.code)
        found = cellvalues.collect(
            facts,
            self._shell.user_ns,
            execution.before,
            params=asked.params,
            metrics=asked.metrics,
            failed_line=cellsource.failing_line(execution.cell.source, error),
        )
        run.forget_expected(found.params)
        left_out = run.take_params(found.params)
        logged = run.summary()
        run.log_metrics({k: v for k, v in found.metrics.items() if k not in logged})
        if asked.metrics:
            run.amend(headline=asked.metrics[0])
        for note in [*found.notes, *(f"{name}: cannot be kept as data" for name in left_out)]:
            run.note_capture("cell", "seen", note)
        took = round(1000 * (time.perf_counter() - started), 1)
        run.note_capture("params and metrics", "captured", "from the cell", ms=took)


def _earlier(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """What earlier cells left that could be a param; no arrays, which must not be kept alive."""
    return {
        name: value
        for name, value in namespace.items()
        if name[:1] != "_"
        and name not in ("In", "Out")
        and (value is None or type(value) in _SCALARS or plainvalues.is_config(value))
    }


def _before_us(shell: Any) -> list[tuple[int, str]]:
    """The cells that IPython remembers of this session, each with its number."""
    history = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None) or []
    return [(n, source) for n, source in enumerate(history) if n > 0 and source.strip()]


def _depth() -> int:
    """How many cells run within each other now."""
    depth, frame = 0, sys._getframe(1)
    above: FrameType | None = frame
    while above is not None:
        depth += above.f_code.co_name == "run_cell_async"
        above = above.f_back
    return depth
