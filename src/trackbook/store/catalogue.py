"""The catalogue: every document of a store as a TinyDB table in memory, kept up by notices.

It is derived. ``index/catalog.json`` is an ordinary TinyDB file (table ``runs``, integer document
ids, the run id is field ``id``) that saves reading all folders at the next start; deleting it loses
nothing. A refreshed catalogue equals a rebuilt one.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ..jsonable import encode
from ..model import is_run_id
from . import catalogfile, folder, ownership
from .days import DayFolders
from .notices import NoticeReader, Notices
from .ownership import Owner
from .runtable import RunTable

# A folder that appeared in a busy moment is read once more when it has settled.
_SETTLED_S = 3.0


class Catalogue:
    """All documents of a local store, as fresh as the last ``refresh``. Not safe for threads."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.table = RunTable()
        self.revision = 0
        # Run id -> revision of its last change, the latest last.
        self._touched: dict[str, int] = {}
        self._notices = NoticeReader(store / "index" / "changes")
        self._days = DayFolders(store / "runs")
        self._arrived: dict[str, tuple[int, str]] = {}
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
        if state is not None and self._restore(state):
            doubtful = set(self._partial)
            changed = len(self._changed())
            # A run that has settled is no longer to be looked at, which the file still says.
            self._file.changed(changed + len(doubtful - self._partial - self._open.keys()))
        else:
            self.table.forget_all()
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
        # In their order, so that neighbours in time are neighbours in memory.
        return {run_id for run_id in sorted(named) if self._read(run_id)}

    def _rebuild(self) -> set[str]:
        # The ends of the notices first and the folders second: what changes meanwhile is named
        # by a notice that is still to be read.
        self._notices.skip()
        self._days.restore({})
        self._file.changed(1)
        known = set(self.table.ids())
        found = self._look_at_days()
        return {run_id for run_id in sorted(known | found) if self._read(run_id)}

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
        if before is None:
            number = (document["number"], run_id)
            series = document["series"]
            self._arrived[series] = max(self._arrived.get(series, number), number)
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
        found: set[str] = set()
        for day in self._days.changed():
            partial = (run_id for run_id in self._partial if run_id[:8] == day.name)
            known = {*self.table.of_day(day.name), *partial}
            differ = {r for r in day.entries ^ known if is_run_id(r) and r[:8] == day.name}
            found |= differ
            if day.racy:
                self._settling.update(dict.fromkeys(differ - known, time.monotonic()))
        return found

    def arrived(self) -> dict[str, tuple[int, str]]:
        """The highest number, with its run, of each series that got runs since the last call."""
        arrived, self._arrived = self._arrived, {}
        return arrived

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
        if self.revision and self._file.due(now=now):
            self._file.save(self.table, self._state())
            self._notices.tidy(Notices(self._store / "index"))

    def _state(self) -> dict[str, Any]:
        looked_at = self._open.keys() | self._partial | self._settling.keys()
        return {
            "notices": self._notices.state(),
            "days": self._days.state(),
            "look": sorted(looked_at),
            "watched": {
                run_id: told
                for run_id in self._open
                if (told := ownership.watched(folder.place(self._store, run_id)))
            },
        }

    def _restore(self, state: dict[str, Any]) -> bool:
        """Go on where a reader before left off; False where its words make no sense."""
        try:
            self._notices.restore(state["notices"])
            self._days.restore(state["days"])
            self._partial = {run_id for run_id in state["look"] if is_run_id(run_id)}
            watched = dict(state["watched"].items())
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
            return False
        for run_id in filter(is_run_id, watched):
            ownership.watch(folder.place(self._store, run_id), watched[run_id])
        return True


def _keep(ids: set[str], run_id: str, member: bool) -> None:
    if member:
        ids.add(run_id)
    else:
        ids.discard(run_id)
