"""IPython's hooks: every executed cell is logged, a ``%%track`` cell becomes a run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import InvalidValue, StoreError
from . import attempts, cellvalues, options, plainvalues
from . import session as sessions
from .celllog import CellLog
from .live import ActiveRun
from .patch import Guard
from .session import Session
from .surroundings import Cell

_TRACK_LINE = re.compile(r"%%track(?:[ \t]+(?P<options>.*?))?[ \t]*$")
_SCALARS = (str, bool, int, float)

Show = Callable[[ActiveRun], None]


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

    def __init__(self, shell: Any, show: Show) -> None:
        self._shell = shell
        self._show = show
        self._guard = Guard("cells")
        self._log = CellLog()
        self._started = 0.0
        self._tracked: tuple[options.Options, ActiveRun, Mapping[str, Any]] | None = None

    def install(self) -> None:
        """Hook into IPython."""
        self._shell.events.register("pre_run_cell", self.before)
        self._shell.events.register("post_run_cell", self.after)
        self._shell.input_transformers_cleanup.append(strip_track_line)

    def remove(self) -> None:
        """Undo ``install``."""
        self._shell.events.unregister("pre_run_cell", self.before)
        self._shell.events.unregister("post_run_cell", self.after)
        self._shell.input_transformers_cleanup.remove(strip_track_line)

    def before(self, info: Any) -> None:
        """``pre_run_cell``: open the run of a tracked cell."""
        if sessions.current.is_on():
            self._guard.run(self._before, info)

    def after(self, result: Any) -> None:
        """``post_run_cell``: close what the cell owns and log the cell."""
        if sessions.current.is_on():
            self._guard.run(self._after, result)

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
        session.begin_cell(cell)
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
        error = result.error_before_exec or result.error_in_exec
        self._log_cell(session, cell, result, error)
        tracked, self._tracked = self._tracked, None
        finished = [run for run in (cell.run, *cell.owned) if run is not None]
        if tracked is not None and tracked[1].open:
            self._collect(tracked, error)
        for run in finished:
            try:
                self._surroundings(session, run, cell)
            except StoreError as problem:  # the disk; the run itself goes on
                run.note_capture("notebook", "skipped", str(problem))
                session.warn(f"notebook and cells were not kept: {problem}", about="notebook")
        session.end_cell(error)
        if tracked is None or not tracked[0].quiet:
            for run in finished:
                self._show(run)

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

    def _surroundings(self, session: Session, run: ActiveRun, cell: Cell) -> None:
        """The snapshot, the log of cells and what changed since the attempt before."""
        store, sources = session.store(), session.sources()
        blob = sources.snapshot(session.source_file(), session.executed, cell.id)
        kept = dict(run.document.get("notebook") or {"path": None})
        run.amend(notebook={**kept, "snapshot": blob})
        for record in self._log.records(sources):
            run.append_cell(record)
        before = attempts.previous(store, run.document)
        if before is None:
            return
        earlier = (before.get("cell") or {}).get("source")
        text = store.blobs.get(earlier).decode("utf-8", "replace") if earlier else None
        with_summary = {**run.document, "summary": run.summary()}
        run.amend(changed=attempts.changes(with_summary, before, cell.source, text))

    def _log_cell(
        self, session: Session, cell: Cell, result: Any, error: BaseException | None
    ) -> None:
        session.executed[cell.id or f"In-{len(self._log) + 1}"] = cell.source
        self._log.add(
            {
                "order": len(self._log) + 1,
                "cell": cell.id,
                "count": result.execution_count,
                "source": cell.source,
                "started": self._started,
                "ended": time.time(),
                "ok": error is None,
                "error": type(error).__name__ if error is not None else None,
            }
        )


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
