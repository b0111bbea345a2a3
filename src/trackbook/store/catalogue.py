"""The catalogue: every document of a store as a TinyDB table in memory, kept up by notices.

It is derived. ``index/catalog.json`` is an ordinary TinyDB file (table ``runs``, integer document
ids, the run id is field ``id``) that saves reading all folders at the next start; deleting it loses
nothing. A refreshed catalogue equals a rebuilt one.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

from ..jsonable import encode
from ..model import is_run_id
from . import catalogfile, folder, ownership
from .notices import NoticeReader
from .ownership import Owner
from .runtable import RunTable

_DAY = re.compile(r"\d{8}")
# A folder that changed this recently may change again without a new time stamp.
_RACY_S = 2.0
_SETTLED_S = 3.0


class Catalogue:
    """All documents of a local store, as fresh as the last ``refresh``. Not safe for threads."""

    def __init__(self, store: Path) -> None:
        self._runs = store / "runs"
        self._store = store
        self.table = RunTable()
        self.revision = 0
        # Run id -> revision of its last change, the latest last.
        self._touched: dict[str, int] = {}
        self._notices = NoticeReader(store / "index" / "changes")
        self._days: dict[str, int] = {}
        # Looked at in every refresh: owners that may die, folders that are not whole yet.
        self._open: dict[str, Owner] = {}
        self._partial: set[str] = set()
        self._settling: dict[str, float] = {}
        self._file = catalogfile.CatalogFile(store / "index" / "catalog.json")

    # -- keeping up --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Take in whatever changed on disk since the last time."""
        if self.revision == 0:
            self._begin()
        else:
            changed = self._changed()
            if changed:
                self._advance(changed)

    def _begin(self) -> None:
        state = self._file.load(self.table)
        if state is not None:
            self._restore(state)
            self._file.changed(len(self._changed()))
        else:
            self._rebuild()
        self.revision = 1

    def _advance(self, changed: set[str]) -> None:
        self.revision += 1
        self._file.changed(len(changed))
        for run_id in changed:
            self._touched.pop(run_id, None)
            self._touched[run_id] = self.revision

    def _changed(self) -> set[str]:
        """Bring the table up to date; returns the runs that differ from before."""
        named = self._notices.read()
        if named is None:
            return self._rebuild()
        named |= self._notices.pending.keys() | self._died() | self._partial
        named |= self._look_at_days()
        now = time.monotonic()
        for run_id in [r for r, seen in self._settling.items() if now - seen > _SETTLED_S]:
            del self._settling[run_id]
            named.add(run_id)
        return {run_id for run_id in named if self._read(run_id)}

    def _rebuild(self) -> set[str]:
        # The ends of the notices first and the folders second: what changes meanwhile is named
        # by a notice that is still to be read.
        self._notices.skip()
        self._days.clear()
        self._file.changed(1)
        known = set(self.table.ids())
        found = self._look_at_days()
        return {run_id for run_id in known | found if self._read(run_id)}

    def _read(self, run_id: str) -> bool:
        """Read one run anew; whether its document changed."""
        document, owner = folder.read_document(folder.place(self._store, run_id))
        before = self.table.by_id(run_id)
        if owner is Owner.GONE:
            self._open.pop(run_id, None)
        else:
            self._open[run_id] = owner
        if document is None:
            _keep(self._partial, run_id, folder.place(self._store, run_id).is_dir())
            self.table.drop(run_id)
            return before is not None
        _keep(self._partial, run_id, folder.is_damaged(document))
        # Encoded, because a NaN differs from itself.
        if before is not None and (document == before or encode(document) == encode(before)):
            return False
        self.table.put(document)
        self._file.mark(run_id, document)
        return True

    def _died(self) -> set[str]:
        """Open runs whose owner is not as it was when last looked at."""
        return {
            run_id
            for run_id, owner in self._open.items()
            if ownership.look(folder.place(self._store, run_id))[0] is not owner
        }

    def _look_at_days(self) -> set[str]:
        """Runs that were copied in or removed, seen by the times of the day folders."""
        days = _day_folders(self._runs)
        gone = self._days.keys() - days.keys()
        altered = [day for day, moment in days.items() if self._days.get(day) != moment]
        if not gone and not altered:
            return set()
        known: dict[str, set[str]] = {}
        for run_id in [*self.table.ids(), *self._partial]:
            known.setdefault(run_id[:8], set()).add(run_id)
        found: set[str] = set()
        for day in gone:
            del self._days[day]
            found |= known.get(day, set())
        for day in altered:
            racy = time.time() - days[day] / 1e9 < _RACY_S
            self._days[day] = 0 if racy else days[day]
            listed = _run_folders(self._runs / day)
            found |= listed ^ known.get(day, set())
            if racy:
                now = time.monotonic()
                self._settling.update(dict.fromkeys(listed - known.get(day, set()), now))
        return found

    # -- what changed ------------------------------------------------------------------------------

    def since(self, revision: int) -> list[str] | None:
        """The runs that changed after a revision; None where it is not one of this object's."""
        if not 1 <= revision <= self.revision:
            return None
        ids = []
        for run_id, touched in reversed(self._touched.items()):
            if touched <= revision:
                break
            ids.append(run_id)
        return ids

    # -- its file ----------------------------------------------------------------------------------

    def write_back(self, *, now: bool = False) -> None:
        """Leave the catalogue on disk where enough changed and the store can be written."""
        if self.revision and self._file.due(len(self.table.rows), now=now):
            self._file.save(self.table, self._state())

    def _state(self) -> dict[str, Any]:
        looked_at = self._open.keys() | self._partial | self._settling.keys()
        return {
            "notices": self._notices.state(),
            "days": dict(self._days),
            "look": sorted(looked_at),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self._notices.restore(state["notices"])
        self._days = dict(state["days"])
        self._partial = {run_id for run_id in state["look"] if is_run_id(run_id)}


def _keep(ids: set[str], run_id: str, member: bool) -> None:
    if member:
        ids.add(run_id)
    else:
        ids.discard(run_id)


def _day_folders(runs: Path) -> dict[str, int]:
    try:
        with os.scandir(runs) as entries:
            return {e.name: e.stat().st_mtime_ns for e in entries if _DAY.fullmatch(e.name)}
    except OSError:
        return {}


def _run_folders(day: Path) -> set[str]:
    try:
        names = [path.name for path in day.iterdir()]
    except OSError:
        return set()
    return {name for name in names if is_run_id(name) and name[:8] == day.name}
