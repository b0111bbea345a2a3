"""IPython's hooks: every executed cell is logged, a ``%%track`` cell becomes a run."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from ..errors import InvalidValue, StoreError
from . import cellvalues, options, plainvalues
from . import session as sessions
from .keeping import Keeper
from .live import ActiveRun
from .outputs import CellOutputs
from .patch import Guard
from .session import Session
from .surroundings import Cell

_TRACK_LINE = re.compile(r"%%track(?:[ \t]+(?P<options>.*?))?[ \t]*$")
_SCALARS = (str, bool, int, float)


class Report(Protocol):
    """What is shown beneath a cell."""

    def progress(self, runs: Sequence[ActiveRun]) -> None:
        """Another of these runs has ended while the cell works on."""

    def over(self, runs: Sequence[ActiveRun]) -> None:
        """The cell has ended, and these runs in it or with it."""


def strip_track_line(lines: list[str]) -> list[str]:
    """The input transformer: takes a good ``%%track`` line off, so that the cell is ordinary code.

    A bad line stays, so that the cell magic runs in its place and says what is wrong.
    """
    if not lines or _options_of(lines[0]) is None:
        return lines
    if len(lines) > 1 and lines[1].startswith("%%"):
        return lines[1:]
    return ["\n", *lines[1:]]  # an empty line, so that tracebacks keep their line numbers


def _options_of(line: str) -> options.Options | None:
    match = _TRACK_LINE.match(line.rstrip("\n"))
    if match is None:
        return None
    try:
        return options.parse(match["options"] or "")
    except InvalidValue:
        return None


def _track_options(raw_cell: str) -> options.Options | None:
    for line in raw_cell.splitlines():
        if line.strip():
            return _options_of(line.lstrip())
    return None


class CellHooks:
    """The pair of hooks around each cell. A fault of ours is one warning and switches them off."""

    def __init__(self, shell: Any, report: Report) -> None:
        self._shell = shell
        self._report = report
        self._guard = Guard("cells")
        self._keeper = Keeper()
        self._outputs = CellOutputs(shell)
        self._started = 0.0
        self._tracked: tuple[options.Options, ActiveRun, Mapping[str, Any]] | None = None

    def install(self) -> None:
        """Hook into IPython."""
        self._shell.events.register("pre_run_cell", self.before)
        self._shell.events.register("post_run_cell", self.after)
        self._shell.input_transformers_cleanup.append(strip_track_line)
        if hasattr(self._shell, "kernel"):
            live = sessions.current.live
            live.told = self._document_came
            self._guard.run(live.open)
        sessions.current.progress = lambda cell: self._guard.run(self._progress, cell)

    def remove(self) -> None:
        """Undo ``install``."""
        self._shell.events.unregister("pre_run_cell", self.before)
        self._shell.events.unregister("post_run_cell", self.after)
        self._shell.input_transformers_cleanup.remove(strip_track_line)
        self._guard.run(sessions.current.live.close)

    def before(self, info: Any) -> None:
        """``pre_run_cell``: open the run of a tracked cell."""
        if sessions.current.is_on():
            self._guard.run(self._before, info)

    def after(self, result: Any) -> None:
        """``post_run_cell``: close what the cell owns and log the cell."""
        if sessions.current.is_on():
            self._guard.run(self._after, result)
        self._outputs.leave()

    def _progress(self, cell: Cell) -> None:
        quiet = self._tracked is not None and self._tracked[0].quiet
        if not quiet:
            self._report.progress(cell.over)

    # -- before -------------------------------------------------------------------------------

    def _before(self, info: Any) -> None:
        self._tracked = None
        self._started = time.time()
        raw = info.raw_cell or ""
        source = self._shell.transform_cell(raw)
        cell_id = getattr(info, "cell_id", None)
        code_hash = cellvalues.normalised_hash(source)
        cell = Cell(key=cell_id or raw, id=cell_id, hash=code_hash, source=raw)
        session = sessions.current
        self._keeper.begin(session, cell)
        session.begin_cell(cell)
        self._tell_place(session, cell)
        asked = _track_options(raw)
        if asked is not None:
            try:
                cell.run = run = self._open(session, asked)
            except StoreError as problem:
                session.say(f"Trackbook: this cell is not tracked: {problem}")
                return
            before = _earlier(self._shell.user_ns) if asked.auto else {}
            if asked.auto:
                run.expect_params(cellvalues.foresee(source, before, params=asked.params))
                run.save()  # what is known now outlives a kernel that the cell kills
            self._tracked = (asked, run, before)
            self._outputs.begin(session.watch.console)

    def _tell_place(self, session: Session, cell: Cell) -> None:
        """Should the kernel die in this cell, the runs that are open say where."""
        session.watch.console.listen()
        with suppress(StoreError):
            for run in session.open_runs():
                run.amend(last_cell={"id": cell.id, "source": session.sources().keep(cell.source)})

    def _open(self, session: Session, asked: options.Options) -> ActiveRun:
        run = session.open_run(asked.name, asked.experiment)
        if asked.given:
            run.log_params(asked.given)
        if asked.tags:
            run.set_tags(asked.tags)
        if asked.note:
            run.set_note(asked.note)
        return run

    # -- after --------------------------------------------------------------------------------

    def _after(self, result: Any) -> None:
        session = sessions.current
        cell = session.cell
        if cell is None:  # the cell that loaded the extension
            return
        session.active()  # a touch, which decides whether a bare run has replaced another
        error = result.error_before_exec or result.error_in_exec
        self._keeper.log(
            session, cell, count=result.execution_count, started=self._started, error=error
        )
        tracked, self._tracked = self._tracked, None
        if tracked is not None:
            self._outputs.end(tracked[1], session.store().blobs, error)
            if tracked[1].open:
                self._collect(tracked, error)
        ours = [run for run in (cell.run, *cell.owned) if run is not None]
        over = [run for run in cell.over if run not in ours]
        still = [run for run in session.open_runs() if run not in ours]
        try:
            self._keeper.keep(session, cell, [*ours, *over, *still])
        except StoreError as problem:  # the disk; the runs themselves go on
            for run in ours:
                run.note_capture("notebook", "skipped", str(problem))
            session.warn(f"notebook and cells were not kept: {problem}", about="notebook")
        session.end_cell(error)
        if tracked is None or not tracked[0].quiet:
            self._report.over([*over, *ours])

    def _document_came(self, cell_id: str) -> None:
        self._guard.run(self._keeper.document_came, sessions.current, cell_id)

    def _collect(
        self,
        tracked: tuple[options.Options, ActiveRun, Mapping[str, Any]],
        error: BaseException | None,
    ) -> None:
        asked, run, before = tracked
        if run.fits and asked.name is None and len(set(run.fits)) == 1:
            run.amend(name=run.fits[0])
        if not asked.auto or sessions.current.cell is None:
            return
        facts = cellvalues.analyse(self._shell.transform_cell(sessions.current.cell.source))
        found = cellvalues.collect(
            facts,
            self._shell.user_ns,
            before,
            params=asked.params,
            metrics=asked.metrics,
            failed_line=_failing_line(error),
        )
        run.forget_expected(found.params)
        left_out = run.take_params(found.params)
        logged = run.summary()
        run.log_metrics({k: v for k, v in found.metrics.items() if k not in logged})
        if asked.metrics:
            run.amend(headline=asked.metrics[0])
        for note in [*found.notes, *(f"{name}: cannot be kept as data" for name in left_out)]:
            run.note_capture("cell", "seen", note)


def _earlier(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """What earlier cells left that could be a param; no arrays, which must not be kept alive."""
    return {
        name: value
        for name, value in namespace.items()
        if name[:1] != "_"
        and name not in ("In", "Out")
        and (value is None or type(value) in _SCALARS or plainvalues.is_config(value))
    }


def _failing_line(error: BaseException | None) -> int | None:
    """The line of the cell where an exception came from; 0 where nothing of the cell ran."""
    if error is None:
        return None
    if isinstance(error, SyntaxError) and error.__traceback__ is None:
        return 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name == "<module>":
            return trace.tb_lineno
        trace = trace.tb_next
    return 0
