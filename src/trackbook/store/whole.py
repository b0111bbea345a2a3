"""Runs that come into a store whole: written aside, then put in place in one step.

A process that dies in between leaves the store as it was. A run that is there already gets the new
content file by file in an order in which every state in between can be read. Nothing is synced run
by run, which would take most of the time; ``settle`` syncs all of them.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .. import formats
from ..errors import StoreError
from ..jsonable import dumps, loads
from ..model import Document, is_run_id
from . import edits, folder, limits, metriclog, os_calls, room
from .notices import Notices
from .ownership import Ownership
from .tally import RECORD, Tally

Point = tuple[str, int, float, float]
"""Key, step, time in seconds, value."""

_CHUNK = 1 << 20
_ARTIFACTS = "artifacts.jsonl"
_LIMITS = {
    metriclog.KEYS: limits.NAMES,
    _ARTIFACTS: limits.LINES,
    folder.LOGS: limits.LOGS,
    folder.RUN: limits.DOCUMENT,
}
# The names of keys before the records that count them, the document that tells of all last.
_ORDER = (metriclog.KEYS, metriclog.BIN, _ARTIFACTS, folder.LOGS, folder.RUN)


class Unwritable(StoreError):
    """The store takes nothing more, whichever run it is."""


def own_document(root: Path, run_id: str) -> Document | None:
    """What the run's owner wrote, without edits; None where there is no readable document."""
    try:
        document = loads((folder.place(root, run_id) / folder.RUN).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def points_kept(root: Path, run_id: str) -> int:
    """How many points a run has on disk; 0 where there is no such run."""
    return metriclog.count_records(folder.place(root, run_id))


def settle() -> None:
    """Make all that was put survive a power cut; takes as long as the disk needs."""
    os.sync()


class Draft:
    """The files of one run, in a folder beside its place until ``put``; a context manager."""

    def __init__(self, root: Path, run_id: str) -> None:
        assert is_run_id(run_id), run_id
        self._root = root
        self._place = folder.place(root, run_id)
        self._notices = Notices(root / "index")
        self._aside = os_calls.temporary_beside(self._place)
        self._tally = Tally()
        # The numbers of keys never change: records may be read between two replaced files.
        self._names: list[str | None] = metriclog.read_names(self._place)

    def __enter__(self) -> Self:
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            self._aside.mkdir()
        except OSError as problem:
            raise Unwritable(room.reason(self._root, problem)) from problem
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._aside.exists():
            os_calls.remove_tree(self._aside)

    def points(self, points: Iterable[Point]) -> int:
        """Write the points in their order; returns how many. A step has at most 64 bits."""
        numbers = {name: i for i, name in enumerate(self._names) if name is not None}
        waiting, count, pack = bytearray(), 0, RECORD.pack
        with os_calls.new_file(self._aside / metriclog.BIN) as file:
            for key, step, moment, value in points:
                number = numbers.get(key)
                if number is None:
                    number = numbers[key] = len(self._names)
                    self._names.append(key)
                try:
                    waiting += pack(number, step, moment, value)
                except struct.error:
                    raise StoreError(f"step {step} of metric {key!r:.80} is too large") from None
                count += 1
                if len(waiting) >= _CHUNK:
                    if count * RECORD.size > limits.RECORDS or len(self._names) > limits.KEYS:
                        raise StoreError("it has more points or metrics than one run can have")
                    self._tally.add(bytes(waiting))
                    file.write(waiting)
                    waiting.clear()
            self._tally.add(bytes(waiting))
            file.write(waiting)
        lines = b"".join(dumps(name) + b"\n" for name in self._names)
        self._write(metriclog.KEYS, lines)
        return count

    def artifacts(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write the lines that name what the run kept."""
        self._write(_ARTIFACTS, b"".join(dumps(dict(record)) + b"\n" for record in records))

    def logs(self, text: str) -> None:
        """Write the console text."""
        self._write(folder.LOGS, text.encode("utf-8", "replace"))

    def _write(self, name: str, data: bytes) -> None:
        if len(data) > _LIMITS[name]:
            raise StoreError(
                f"its {name} would take {formats.size(len(data))}, too much to be read"
            )
        if data or (self._place / name).exists():
            os_calls.replace(self._aside / name, data, durable=False)

    def summary(self) -> dict[str, dict[str, float]]:
        """``{key: {last, min, max, count}}`` of the points."""
        return self._tally.summary(self._names)

    def put(
        self,
        document: Document,
        change: Mapping[str, Any] | None = None,
        meanwhile: Document | None = None,
    ) -> bool:
        """Make this the run, with an edit laid over it; raises ``StoreError`` where it cannot be.

        The document's ``summary`` must be that of the points. Edits that are there stay. Where the
        run is there already, ``meanwhile`` is its document until all its files are the new ones.
        False where another process has put the run in this moment.
        """
        self._write(folder.RUN, dumps(document, pretty=True))
        if not self._names:
            os_calls.remove(self._aside / metriclog.BIN)
        if os.path.lexists(self._place):
            self._replace(change, meanwhile)
            return True
        if change:
            edits.write(self._aside, edits.record(change))
        try:
            with self._notices.around(self._place.name):
                self._aside.rename(self._place)
        except OSError as problem:
            if problem.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise StoreError(f"run {self._place.name} cannot be put: {problem}") from problem
        return True

    def _replace(self, change: Mapping[str, Any] | None, meanwhile: Document | None) -> None:
        try:
            ownership = Ownership(self._place)
        except BlockingIOError:
            raise StoreError(
                f"run {self._place.name} is being written by another process"
            ) from None
        try:
            with self._notices.around(self._place.name):
                if meanwhile is not None:
                    os_calls.replace(self._place / folder.RUN, dumps(meanwhile, pretty=True))
                for name in _ORDER:
                    if (self._aside / name).exists():
                        os.replace(self._aside / name, self._place / name)
                if change:
                    edits.write(self._place, edits.record(change))
        finally:
            ownership.give_up()
