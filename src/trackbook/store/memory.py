"""A store that keeps everything in memory: the smallest class that meets the contract tests."""

from __future__ import annotations

import copy
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import grading
from ..errors import InvalidValue, RunNotFound, StoreError
from ..jsonable import dumps, loads
from ..model import Document, is_run_id
from . import edits, os_copies, pointsplit, selection
from .blobs import check_name, name_of
from .folder import KINDS_OF_LINES
from .intake import Watch
from .manifest import Entry, Scan, pack
from .protocol import Blobs, Changes, Points
from .query import compile_where
from .rows import Found
from .runtable import RunTable
from .tally import RECORD, Tally


class MemoryBlobs:
    """Content by its hash, in a dict."""

    def __init__(self) -> None:
        self._content: dict[str, bytes] = {}
        self._files: tempfile.TemporaryDirectory[str] | None = None

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their name."""
        name = name_of(data)
        self._content[name] = bytes(data)
        return name

    def put_file(self, path: Path, watch: Watch | None = None) -> tuple[str, int]:
        """Keep a copy of a file; returns its name and size in bytes."""
        with os_copies.open_regular(path) as file:
            data = file.read()
        if watch is not None:
            watch.copied(len(data))
        return self.put(data), len(data)

    def put_folder(self, found: Scan, watch: Watch | None = None) -> tuple[str, list[Entry]]:
        """Keep a folder's files and their manifest; returns its name, and what it names."""
        kept = {path: self.put_file(found.root / path, watch) for path in found.files}
        entries = [Entry(path, size, blob) for path, (blob, size) in kept.items()]
        return self.put(pack(entries)), entries

    def get(self, name: str) -> bytes:
        """The bytes of a name; raises ``StoreError`` where there are none."""
        check_name(name)
        if name not in self._content:
            raise StoreError(f"the store has no blob {name}")
        return self._content[name]

    def path(self, name: str, limit: int | None = None) -> Path:
        """A readable file with the content; never write to it."""
        data = self.get(name)
        if limit is not None and len(data) > limit:
            raise StoreError(f"blob {name} has more than {limit} bytes")
        if self._files is None:
            self._files = tempfile.TemporaryDirectory(prefix="trackbook-")
        path = Path(self._files.name) / name
        path.write_bytes(data)
        return path


class MemoryWriter:
    """Writes one run; see ``protocol.RunWriter``."""

    def __init__(self, store: MemoryStore, document: Document) -> None:
        self.id: str = document["id"]
        self.document = document
        self._store = store
        self.owned = True
        self.names: list[str | None] = []
        self._numbers: dict[str, int] = {}
        self.packed = bytearray()
        self.lines: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS_OF_LINES}
        self.text = ""

    def log(self, key: str, step: int, time: float, value: float) -> None:
        """Take one metric point."""
        if key not in self._numbers:
            self._numbers[key] = len(self.names)
            self.names.append(key)
        self.packed += RECORD.pack(self._numbers[key], step, time, value)

    def row(self, keys: Sequence[str]) -> Callable[[int, float, Iterable[float]], None]:
        """``put(step, time, values)``, which logs a point of each key."""

        def put(step: int, time: float, values: Iterable[float]) -> None:
            for key, value in zip(keys, list(map(float, values)), strict=True):
                self.log(key, step, time, value)

        return put

    def append(self, kind: str, record: Mapping[str, Any]) -> None:
        """Add a line to ``cells`` or ``artifacts``."""
        if kind not in self.lines:
            raise InvalidValue(f"a run has {' and '.join(self.lines)}, no {kind!r}")
        self.lines[kind].append(loads(dumps(dict(record))))

    def write_log(self, text: str) -> None:
        """Add console text."""
        self.text += text

    def _tally(self) -> Tally:
        tally = Tally()
        tally.add(bytes(self.packed))
        return tally

    def last_step(self, key: str) -> int | None:
        """The step of the last point of ``key``."""
        number = self._numbers.get(key)
        return None if number is None else self._tally().last_step(number)

    def summary(self) -> dict[str, dict[str, float]]:
        """``{key: {last, min, max, count}}`` of all points so far."""
        return self._tally().summary(self.names)

    def flush(self) -> None:
        """Nothing waits in memory that is not already where it stays."""

    def save(self) -> None:
        """Let readers see the document with its present summary."""
        self.document["summary"] = {**self.document["summary"], **self.summary()}
        self._store.accept(loads(dumps(self.document)))

    def finish(self) -> None:
        """Save and give up ownership."""
        self.save()
        self.owned = False


class MemoryStore:
    """See ``protocol.Store``."""

    def __init__(self) -> None:
        self.id = os.urandom(8).hex()
        self.path: Path | None = None
        self.before_read: Callable[[], None] = lambda: None
        self.blobs: Blobs = MemoryBlobs()
        self._table = RunTable()
        self._saved: dict[str, Document] = {}
        self._edits: dict[str, list[dict[str, Any]]] = {}
        self._writers: dict[str, MemoryWriter] = {}
        self._touched: dict[str, int] = {}
        self._revision = 1
        self._lock = threading.RLock()

    def accept(self, document: Document) -> None:
        """Take in a saved document."""
        with self._lock:
            self._saved[document["id"]] = document
            self._lay(document["id"])

    def _lay(self, run_id: str) -> None:
        self._table.put(self._edited(run_id))
        self._revision += 1
        self._touched[run_id] = self._revision

    def _edited(self, run_id: str) -> Document:
        changes = edits.counting(self._edits.get(run_id, []))
        return grading.graded(edits.lay_over(self._saved[run_id], changes))

    def create(self, document: Document) -> MemoryWriter:
        """Begin a run."""
        if not is_run_id(document["id"]):
            raise InvalidValue(f"{document['id']!r:.60} is not a run id")
        with self._lock:
            if document["id"] in self._saved:
                raise StoreError(f"there is a run {document['id']} already")
            taken = [n for _, n in self._of(document["series"])]
            if document["series"] and document["number"] in taken:
                document["number"] = max(taken) + 1
            writer = self._writers[document["id"]] = MemoryWriter(self, document)
            writer.save()
        return writer

    def resume(self, run_id: str) -> MemoryWriter:
        """Own a run again."""
        self.document(run_id)
        writer = self._writers[run_id]
        if writer.owned:
            raise StoreError(f"run {run_id} is still being written; end it first")
        writer.document = copy.deepcopy(self._saved[run_id])
        writer.owned = True
        return writer

    def _of(self, name: str) -> list[tuple[str, int]]:
        rows = self._table.rows
        keys = [rows.values(key) for key in ("series", "id", "number")]
        return [(i, n) for s, i, n in zip(*keys, strict=True) if s == name]

    def next_number(self, series: str) -> int:
        """1 + the number of the last run of the series."""
        with self._lock:
            return max((number for _, number in self._of(series)), default=0) + 1

    def previous(self, series: str, number: int) -> Document | None:
        """The run of a series with the next lower number; None where there is none."""
        self.before_read()
        with self._lock:
            return selection.previous(self._table.rows, series, number)

    def edit(self, run_id: str, change: Mapping[str, Any]) -> None:
        """Lay a person's change over the run."""
        clean = edits.checked(change)
        document = self.document(run_id)
        if clean:
            self._keep_edit(run_id, edits.record(edits.closing(document, clean)))

    def undo(self, run_id: str, edit: str | None = None) -> None:
        """Take an edit back."""
        self.document(run_id)
        with self._lock:
            made = edits.undoing(self._saved[run_id], self._edits.get(run_id, []), edit)
            self._keep_edit(run_id, made)

    def _keep_edit(self, run_id: str, made: dict[str, Any]) -> None:
        with self._lock:
            kept = self._edits.setdefault(run_id, [])
            kept.append({**made, "id": f"{len(kept):016d}"})
            self._lay(run_id)

    def edits(self, run_id: str) -> list[dict[str, Any]]:
        """The edits of the run in their order."""
        self.document(run_id)
        with self._lock:
            return edits.history(self._saved[run_id], list(self._edits.get(run_id, [])))

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
        self.before_read()
        compile_where(where)
        selection.check_sort(sort)
        with self._lock:
            rows = self._table.rows
        return selection.select(
            rows, where, experiment=experiment, sort=sort, limit=limit, archived=archived
        )

    def count(self) -> int:
        """How many runs there are, without the deleted."""
        self.before_read()
        with self._lock:
            return len(self._table.rows.kept)

    def document(self, run_id: str) -> Document:
        """One document as ``find`` gives it."""
        self.before_read()
        with self._lock:
            document = self._table.by_id(run_id)
        if document is None:
            raise RunNotFound(f"no run has the id {run_id!r:.60}")
        return dict(document)

    def resolve(self, ref: str) -> str:
        """The run id meant by an id, a unique prefix of one, a name or ``"latest"``."""
        self.before_read()
        with self._lock:
            rows = self._table.rows
        return selection.resolve(ref, rows.extracts(selection.TOLD_BY))

    def changes(self, since: int) -> Changes:
        """What changed since a revision that this object gave before."""
        self.before_read()
        with self._lock:
            if not 1 <= since <= self._revision:
                return Changes(self._revision, list(self._saved), True)
            ids = [run_id for run_id, revision in self._touched.items() if revision > since]
            return Changes(self._revision, ids, False)

    def points(self, run_id: str, keys: Iterable[str] | None = None) -> dict[str, Points]:
        """The logged points of each metric."""
        self.document(run_id)
        writer = self._writers[run_id]
        return pointsplit.split(bytes(writer.packed), writer.names, keys)

    def records(self, run_id: str, kind: str) -> list[dict[str, Any]]:
        """The lines of ``cells`` or ``artifacts``."""
        self.document(run_id)
        if kind not in KINDS_OF_LINES:
            raise InvalidValue(f"a run has {' and '.join(KINDS_OF_LINES)}, no {kind!r}")
        return list(self._writers[run_id].lines[kind])

    def logs(self, run_id: str) -> str:
        """The console text of the run."""
        self.document(run_id)
        return self._writers[run_id].text
