"""A store in a local folder: run folders, blobs, and an index that may be deleted at any time."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, RunNotFound, StoreError
from ..model import FORMAT, Document, is_run_id
from . import (
    blobs,
    edits,
    folder,
    identity,
    metriclog,
    os_calls,
    ownership,
    room,
    selection,
    series,
)
from .catalogue import Catalogue
from .notices import Notices
from .protocol import Blobs, Changes, Points
from .query import compile_where
from .rows import Found
from .writer import LocalWriter, check_format


class LocalStore:
    """See ``protocol.Store``. Opening writes nothing; the first write makes what is missing."""

    def __init__(self, path: Path) -> None:
        self.path: Path | None = path
        self.before_read: Callable[[], None] = _nothing
        self.id = ""
        self._root = path
        self._format = FORMAT
        self._blobs = blobs.LocalBlobs(path / "blobs", self.prepare)
        self.blobs: Blobs = self._blobs
        self._notices = Notices(path / "index")
        self._catalogue = Catalogue(path)
        self._writers: weakref.WeakValueDictionary[str, LocalWriter] = weakref.WeakValueDictionary()
        self._lock = threading.RLock()
        os_calls.call_in_child(self._in_child)
        # Held weakly: a store that nobody uses any more is not kept for the end of the process.
        atexit.register(_write_back, weakref.ref(self))
        self._read_identity()

    def _in_child(self) -> None:
        # A thread that the child lacks may hold the lock, or be in the midst of a refresh.
        self._lock = threading.RLock()
        self._catalogue = Catalogue(self._root)

    # -- the store itself --------------------------------------------------------------------------

    def _read_identity(self) -> None:
        found = identity.read(self._root)
        if found is not None:
            self.id, self._format = found.id, found.format
            if found.algorithm in blobs.ALGORITHMS:
                self._blobs.algorithm = found.algorithm

    def prepare(self) -> None:
        """Make the folder a store where it is none; raises ``StoreError`` where that cannot be."""
        if not self.id:
            self._read_identity()
        if not self.id:
            identity.write(self._root)
            self._read_identity()
        if self.newer:
            raise StoreError(
                f"the store {self._root} has format {self._format}, newer than this Trackbook "
                "knows: it can be read, not written; update Trackbook"
            )

    def replaced(self) -> bool:
        """Whether the folder is no longer the store that this object knew."""
        return bool(self.id) and identity.is_another(self._root, self.id)

    @property
    def newer(self) -> bool:
        """Whether a newer Trackbook made the store: it can be read, not written."""
        return self._format > FORMAT

    @property
    def writable(self) -> bool:
        """Whether runs can be written here."""
        return not self.newer and os_calls.writable(self._root)

    # -- writing -----------------------------------------------------------------------------------

    def create(self, document: Document) -> LocalWriter:
        """Begin a run; when this returns, the run is on disk."""
        if not is_run_id(document["id"]):
            raise InvalidValue(f"{document['id']!r:.60} is not a run id")
        self.prepare()
        place = folder.place(self._root, document["id"])
        try:
            self._number(document)
            place.parent.mkdir(parents=True, exist_ok=True)
            os_calls.check_folders(place.parent)
            place.mkdir()
            writer = LocalWriter(place, document, self._notices)
        except FileExistsError:
            raise StoreError(f"there is a run {document['id']} already") from None
        except OSError as problem:
            with contextlib.suppress(OSError):
                place.rmdir()
            why = room.reason(self._root, problem)
            raise StoreError(f"no run can be started: {why}") from problem
        try:
            writer.save()
        except StoreError:
            writer.abandon()
            raise
        self._writers[writer.id] = writer
        return writer

    def _number(self, document: Document) -> None:
        """Make the attempt's number its own, where another kernel starts one at the same time."""
        name = document["series"]
        if name:
            document["number"] = series.claim(
                self._root / "index",
                name,
                document["id"],
                document["number"],
                lambda: self._of(name),
            )

    def _of(self, name: str) -> list[series.Claim]:
        """The runs of a series; what all series have is written down for the next time."""
        with self._lock:
            self._refresh()
            known: dict[str, list[series.Claim]] = {}
            rows = self._catalogue.table.rows
            of_each, ids, numbers = (rows.values(key) for key in ("series", "id", "number"))
            for place in rows.places:
                known.setdefault(of_each[place], []).append((ids[place], numbers[place]))
            if self.id and self.writable:
                with contextlib.suppress(OSError):
                    series.fill(self._root / "index", known)
        return known.get(name, [])

    def next_number(self, series_name: str) -> int:
        """1 + the number of the last run of the series.

        A process that only writes takes it from the series' file, without opening the catalogue.
        """
        if self._catalogue.revision:
            with self._lock:
                self._refresh()
        last = series.last(self._root / "index", series_name)
        if last is None:
            last = max((number for _, number in self._of(series_name)), default=0)
        return last + 1

    def previous(self, series_name: str, number: int) -> Document | None:
        """The run of a series with the next lower number; None where there is none."""
        self.before_read()
        if not self._catalogue.revision:
            # The few folders that may be meant are read faster than a catalogue.
            for run_id in series.before(self._root / "index", series_name, number):
                found, _ = folder.read_document(folder.place(self._root, run_id))
                if (
                    found is not None
                    and found["series"] == series_name
                    and not found.get("deleted")
                ):
                    return found
            if series.last(self._root / "index", series_name) == 0:
                return None
        with self._lock:
            self._refresh()
            rows = self._catalogue.table.rows
        return selection.previous(rows, series_name, number)

    def resume(self, run_id: str) -> LocalWriter:
        """Own a run again."""
        present = self.document(run_id)
        self.prepare()
        check_format(present)
        if folder.is_damaged(present):
            raise StoreError(f"run {run_id} cannot be continued: {present['error']['message']}")
        place = folder.place(self._root, run_id)
        owned = StoreError(
            f"run {run_id} is still being written by another process; end it there first"
        )
        if ownership.look(place)[0] is ownership.Owner.ALIVE:
            raise owned  # perhaps on a machine that does not see the lock
        try:
            # The kernel's own words: edits stay in their files.
            document: Document = {**present, **folder.own_words(place)}
            for key in ("star", "archived", "deleted"):
                document.pop(key, None)
            document["summary"] = present["summary"]
            writer = LocalWriter(place, document, self._notices)
        except BlockingIOError:
            raise owned from None
        except (OSError, ValueError) as problem:
            raise StoreError(f"run {run_id} cannot be continued: {problem}") from problem
        self._writers[run_id] = writer
        return writer

    def edit(self, run_id: str, change: Mapping[str, Any]) -> None:
        """Lay a person's change over the run."""
        clean = edits.checked(change)
        place = self._place(run_id)
        self.prepare()
        if clean:
            document = self._unedited(place)
            edits.check_damaged(document, clean)
            self._keep_edit(place, edits.record(edits.closing(document, clean)))

    def undo(self, run_id: str, edit: str | None = None) -> None:
        """Take an edit back."""
        place = self._place(run_id)
        self.prepare()
        document = self._unedited(place)
        made = edits.undoing(document, edits.records(place), edit)
        edits.check_damaged(document, made["change"])
        self._keep_edit(place, made)

    def _keep_edit(self, place: Path, made: Mapping[str, Any]) -> None:
        try:
            with self._notices.around(place.name):
                edits.write(place, made)
        except OSError as problem:
            why = room.reason(self._root, problem)
            raise StoreError(f"run {place.name} cannot be edited: {why}") from problem

    def _unedited(self, place: Path) -> Document:
        document, _ = folder.read_unedited(place)
        if document is None:
            raise RunNotFound(f"no run has the id {place.name!r}")
        return document

    # -- reading -----------------------------------------------------------------------------------

    def find(
        self,
        where: Any = None,
        *,
        experiment: str | None = None,
        sort: str | Sequence[str] = "-started",
        limit: int | None = None,
        archived: bool = False,
    ) -> Found:
        """The documents that match."""
        compile_where(where)
        selection.check_sort(sort)
        self.before_read()
        with self._lock:
            self._refresh()
            rows = self._catalogue.table.rows
        return selection.select(
            rows, where, experiment=experiment, sort=sort, limit=limit, archived=archived
        )

    def _refresh(self) -> None:
        if not self.id:
            self._read_identity()
        self._catalogue.refresh()
        # A folder that is no store yet stays as it is, and so does a newer one's index.
        if self.id and self.writable:
            self._note_arrivals()
            self._catalogue.write_back()

    def _note_arrivals(self) -> None:
        """Runs that were copied here count for the numbers of their series."""
        for name, (number, run_id) in self._catalogue.arrived().items():
            with contextlib.suppress(OSError):
                series.note(self._root / "index", name, run_id, number)

    def count(self) -> int:
        """How many runs there are, without the deleted."""
        self.before_read()
        with self._lock:
            self._refresh()
            return len(self._catalogue.table.rows.kept)

    def trash(self) -> Found:
        """The deleted runs, the newest first; they stay on disk until they are purged."""
        with self._lock:
            self._refresh()
            rows = self._catalogue.table.rows
        deleted, started = rows.values("deleted"), rows.values("started")
        gone = [place for place in rows.places if deleted[place]]
        return Found(rows, sorted(gone, key=lambda place: started[place], reverse=True))

    def document(self, run_id: str) -> Document:
        """One document as ``find`` gives it."""
        self.before_read()
        with self._lock:
            self._catalogue.refresh()
            document = self._catalogue.table.by_id(run_id)
        if document is None:
            raise RunNotFound(f"no run has the id {run_id!r:.60}")
        return dict(document)

    def resolve(self, ref: str) -> str:
        """The run id meant by an id, a unique prefix of one, a name or ``"latest"``."""
        self.before_read()
        with self._lock:
            self._catalogue.refresh()
            rows = self._catalogue.table.rows
        return selection.resolve(ref, rows.extracts(selection.TOLD_BY))

    def changes(self, since: int) -> Changes:
        """Refresh, then say what changed since a revision that this object gave before."""
        self.before_read()
        with self._lock:
            self._refresh()
            ids = self._catalogue.since(since)
            revision = self._catalogue.revision
            if ids is None:
                return Changes(revision, list(self._catalogue.table.ids()), True)
            return Changes(revision, ids, False)

    def points(self, run_id: str, keys: Iterable[str] | None = None) -> dict[str, Points]:
        """The logged points of each metric, live runs included."""
        try:
            return metriclog.read_points(self._place(run_id), keys)
        except OSError as problem:
            why = f"{problem.strerror}"
            raise StoreError(f"the points of run {run_id} cannot be read: {why}") from problem

    def records(self, run_id: str, kind: str) -> list[dict[str, Any]]:
        """The lines of ``cells`` or ``artifacts``; empty where there are none."""
        if kind not in folder.KINDS_OF_LINES:
            raise InvalidValue(f"a run has {' and '.join(folder.KINDS_OF_LINES)}, no {kind!r}")
        return folder.read_lines(self._place(run_id), kind)

    def edits(self, run_id: str) -> list[dict[str, Any]]:
        """The edits of the run in their order."""
        place = self._place(run_id)
        return edits.history(self._unedited(place), edits.records(place))

    def logs(self, run_id: str) -> str:
        """The console text of the run."""
        return folder.read_logs(self._place(run_id))

    def _place(self, run_id: str) -> Path:
        """The folder of an existing run; its own writer in this process has written all it has."""
        if not isinstance(run_id, str) or not is_run_id(run_id):
            raise RunNotFound(f"{run_id!r:.60} is not a run id")
        place = folder.place(self._root, run_id)
        try:
            os_calls.check_folders(place.parent, place)
        except OSError:
            raise RunNotFound(f"the folder of run {run_id!r} is a link, not followed") from None
        if not os.path.lexists(place / folder.RUN):
            raise RunNotFound(f"no run has the id {run_id!r}")
        writer = self._writers.get(run_id)
        if writer is not None:
            writer.flush()
        return place

    def write_back(self) -> None:
        """Leave the catalogue on disk as it is now."""
        if self.id and self.writable and self._lock.acquire(timeout=1):
            try:
                self._catalogue.write_back(now=True)
            finally:
                self._lock.release()


def _nothing() -> None:
    """What is done before a read in a process that logs nothing."""


def _write_back(store: weakref.ref[LocalStore]) -> None:
    alive = store()
    if alive is not None:
        alive.write_back()
