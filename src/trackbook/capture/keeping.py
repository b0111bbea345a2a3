"""What is kept with the runs of a cell: the notebook, the executed cells, what changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from . import attempts, tidiness
from .celllog import CellLog, Kept
from .filecontents import Contents
from .live import ActiveRun
from .randomness import Randomness
from .session import Session
from .signatures import SignedLogs
from .surroundings import Cell

# So long after its end a cell may still get what the front end says of it.
_PATIENCE_S = 5.0
# In a loop of more runs than this, what changed from one to the next is not worth the time.
_COMPARED = 20
# Of the cells that ran before the extension was loaded so many are logged.
_MOST_BEFORE = 500


class Keeper:
    """Keeps it at the end of each cell, and once more when the front end's word comes late."""

    def __init__(self) -> None:
        self._log = CellLog()
        self._told = False
        self._waiting: tuple[str, float, list[ActiveRun]] | None = None
        self._lines: dict[str, int] = {}
        self._signed = SignedLogs()
        self._kept: Kept | None = None
        self.contents = Contents()
        """Of the small files that cells have read."""

    def before(self, cells: Sequence[tuple[int, str]]) -> None:
        """The cells that ran before anything was seen, by count; the last one may be running."""
        now = time.time()
        for count, source in cells[-_MOST_BEFORE:]:
            moments = {"started": now, "ended": now}
            told = {"order": self.next, "cell": None, "count": count, "source": source}
            self._log.add({**told, **moments, "ok": True, "error": None, "before": True})

    def loaded(self, error: BaseException | None) -> None:
        """The cell that was running then has ended."""
        if self._log.executions:
            self._log.executions[-1].update(
                ended=time.time(),
                ok=error is None,
                error=type(error).__name__ if error is not None else None,
            )

    @property
    def next(self) -> int:
        """The order of the next execution that is logged."""
        return len(self._log) + 1

    def earlier(self, sources: Sequence[str]) -> None:
        """Note cells that ran before there was anybody to see it; only their source is known."""
        for count, source in enumerate(sources, start=1):
            self._log.add(
                {
                    "order": len(self._log) + 1,
                    "cell": None,
                    "count": count,
                    "source": source,
                    "ok": None,
                    "earlier": True,
                }
            )

    def begin(self, session: Session, cell: Cell) -> None:
        """A cell is about to run."""
        self._told = session.live.take(cell.id)

    def log(
        self,
        session: Session,
        cell: Cell,
        *,
        count: int | None,
        started: float,
        error: BaseException | None,
        seen: Mapping[str, Any],
    ) -> None:
        """Note that the cell has run, and what was ``seen`` of it."""
        session.executed[cell.id or f"In-{len(self._log) + 1}"] = cell.source
        self._log.add(
            {
                "order": len(self._log) + 1,
                "cell": cell.id,
                "count": count,
                "source": cell.source,
                "started": started,
                "ended": time.time(),
                "ok": error is None,
                "error": type(error).__name__ if error is not None else None,
                **seen,
            }
        )

    def keep(self, session: Session, cell: Cell, runs: Sequence[ActiveRun]) -> None:
        """Keep it with runs that ended in the cell, or are open at its end."""
        if not runs:
            return
        over = [run for run in runs if not run.open or run is cell.run or run in cell.owned]
        self._snapshot(session, runs, cell.id)
        for run in runs:
            self._append_cells(session, run)
        for run in over:
            del self._lines[run.id]
            self._signed.forget(run)
        for run in over if len(over) <= _COMPARED else ():
            self._compare(session, run, cell)
        told = session.live.take(cell.id) or self._told
        if cell.id and session.live.heard and not told:
            self._waiting = (cell.id, time.monotonic(), list(runs))

    def document_came(self, session: Session, cell_id: str) -> None:
        """JupyterLab's message about a cell; with a big notebook it may come after the cell."""
        waiting = self._waiting
        if waiting is None or waiting[0] != cell_id or time.monotonic() - waiting[1] > _PATIENCE_S:
            return
        self._waiting = None
        session.live.take(cell_id)
        self._snapshot(session, waiting[2], cell_id)

    def _snapshot(self, session: Session, runs: Sequence[ActiveRun], cell_id: str | None) -> None:
        started = time.perf_counter()
        live = session.live.cells()
        blob, size = session.sources().snapshot(
            session.source_file(), dict(session.executed), cell_id, live
        )
        tidy = tidiness.facts(self._log.executions, live, cell_id)
        reason = "as JupyterLab has it" if live else "the cells that ran, and the file"
        cost = {"ms": round(1000 * (time.perf_counter() - started), 1), "bytes": size}
        position = session.live.position(cell_id)
        for run in runs:
            kept: dict[str, Any] = dict(run.document.get("notebook") or {"path": None})
            run.note_capture("notebook", "captured", reason, **cost)
            run.amend(notebook={**kept, "snapshot": blob}, session=tidy)
            cell = run.document["cell"]
            if position is not None and cell is not None and cell["id"] == cell_id:
                run.amend(cell={**cell, "position": position})

    def _append_cells(self, session: Session, run: ActiveRun) -> None:
        """The executions that the run's log does not have; an open run gets more with each cell."""
        sources, blobs = session.sources(), session.store().blobs
        if self._kept is None or self._kept.blobs is not blobs:
            self._kept = Kept(blobs, Randomness(blobs), self.contents)
        since = self._lines.get(run.id, 0)
        for record in self._log.records(sources, self._kept, since=since):
            run.append_cell(record)
            self._signed.add(run, record)
        self._signed.sign(run)
        self._lines[run.id] = len(self._log)

    def _compare(self, session: Session, run: ActiveRun, cell: Cell) -> None:
        store = session.store()
        with session.afterwork.held():
            before = attempts.previous(store, run.document)
        if before is None:
            return
        earlier = (before.get("cell") or {}).get("source")
        text = store.blobs.get(earlier).decode("utf-8", "replace") if earlier else None
        with_summary = {**run.document, "summary": run.summary()}
        run.amend(changed=attempts.changes(with_summary, before, cell.source, text))
