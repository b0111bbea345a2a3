"""The one owner of a run's files, in the kernel that started it."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import formats
from ..errors import InvalidValue, StoreError
from ..jsonable import dumps
from ..model import FORMAT, Document
from . import folder, limits, metriclog, os_append, os_calls, ownership, room
from .flusher import FLUSHER
from .metriclog import MetricLog
from .notices import Notices


class LocalWriter:
    """Writes one run; see ``protocol.RunWriter``. A forked child's copy owns nothing."""

    def __init__(self, path: Path, document: Document, notices: Notices) -> None:
        self.id: str = document["id"]
        self.document = document
        self._path = path
        self._notices = notices
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._root = path.parent.parent.parent
        # What a full disk has put off: the document, or the end of the run.
        self._unsaved = self._unfinished = self._left = False
        self._retry_at = 0.0
        self._begun = (path / folder.RUN).exists()
        self._ownership: ownership.Ownership | None = ownership.Ownership(path)
        self._announced = False
        self._asleep = False
        self._saved = (0, 0, 0)
        self._metrics = MetricLog(path, self._wake)
        self._lines = {
            kind: os_append.AppendFile(path / f"{kind}.jsonl", os_append.torn_line)
            for kind in folder.KINDS_OF_LINES
        }
        self._text = os_append.AppendFile(path / folder.LOGS, lambda _: 0)
        self.log = self._metrics.log
        self.row = self._metrics.row
        os_calls.call_in_child(self._in_child)
        FLUSHER.watch(self)

    def _in_child(self) -> None:
        self._lock = threading.RLock()
        self._ownership = None
        for file in (*self._lines.values(), self._text):
            file.pending.clear()

    @property
    def _foreign(self) -> bool:
        return self._pid != os.getpid() or self._left

    def _wake(self) -> None:
        if self._left:
            return
        if self._foreign:
            room.tell(
                f"fork {self.id}",
                f"run {self.id} belongs to the process that started it: a forked "
                "child's points are not kept; start a run in the child",
            )
            return
        self._asleep = False
        FLUSHER.watch(self)

    # -- taking ------------------------------------------------------------------------------------

    def append(self, kind: str, record: Mapping[str, Any]) -> None:
        """Add a line to ``cells`` or ``artifacts``."""
        if kind not in self._lines:
            raise InvalidValue(f"a run has {' and '.join(self._lines)}, no {kind!r}")
        if self._foreign:
            return
        self._lines[kind].pending += dumps(dict(record)) + b"\n"
        self._drain()

    def write_log(self, text: str) -> None:
        """Add console text to ``logs.txt``, within 0.2 s."""
        if not self._foreign and len(self._text.pending) < room.CAP:
            self._text.pending += text.encode("utf-8", "replace")
            self._wake()

    def last_step(self, key: str) -> int | None:
        """The step of the last point of ``key``, also of points written before a resume."""
        return self._metrics.last_step(key)

    def summary(self) -> dict[str, dict[str, float]]:
        """``{key: {last, min, max, count}}`` of all points so far."""
        return self._metrics.summary()

    # -- writing -----------------------------------------------------------------------------------

    @property
    def held(self) -> int:
        """How many bytes wait in memory."""
        files = (*self._lines.values(), self._text)
        return self._metrics.waiting + sum(len(file.pending) for file in files)

    def tick(self) -> None:
        """What the thread does every 0.2 s: write what waits, leave a sign of life."""
        if self._foreign:
            return
        with self._lock:
            self._beat()
        self._drain()
        with self._lock:
            if time.monotonic() >= self._retry_at:
                self._catch_up()
            if self._ownership is None and not self.held and not self._unsaved:
                self._fall_asleep()

    def _beat(self) -> None:
        if self._ownership is None:
            return
        try:
            self._ownership.beat_if_due()
        except OSError:  # after a long sleep, in which somebody believed this process dead
            self._ownership.let_go()
            self._ownership = None
            self._leave()

    def _leave(self) -> None:
        """The run is another process's now: write nothing more of it."""
        self._left = True
        self._metrics.refuse(forget=True)
        FLUSHER.forget(self)
        for file in (*self._lines.values(), self._text):
            file.pending.clear()
        room.tell(f"taken {self.id}", room.taken(self._label))

    def _catch_up(self) -> None:
        """Write the document, or end the run, where the disk did not take it before."""
        with suppress(StoreError):  # another process has gone on with it: it was told so then
            if self._unfinished:
                self._close()
            elif self._unsaved:
                self._put()

    def _fall_asleep(self) -> None:
        """Leave a finished run alone, in two steps: a point may be on its way at the first."""
        if self._asleep:
            FLUSHER.forget(self)
        else:
            self._asleep = True
            self._metrics.sleep()

    def flush(self) -> None:
        """Write what waits in memory; what the disk does not take waits on, with one warning."""
        if not self._foreign:
            self._drain()

    def _drain(self) -> None:
        with self._lock:
            if not self.held:
                return
            try:
                self._announce_late()
                self._write_waiting()
            except OSError as problem:
                if problem.errno == errno.EBUSY:
                    self._leave()
                    return
                self._tell_waiting(problem)
                if FLUSHER.held() >= room.CAP:
                    self._metrics.refuse()
                    room.tell(f"dropping {self._root}", room.dropping(self._root))
                return
            count, since = self._metrics.accept()
            if count:
                self._note(room.dropped(count, since, time.time()))
                self._unsaved = True

    def _write_waiting(self) -> None:
        """Write what waits, each file by itself: only one of them may have reached a limit."""
        problem = None
        for write in (self._metrics.flush, *(f.drain for f in (*self._lines.values(), self._text))):
            try:
                write()
            except OSError as found:
                problem = problem or found
        if problem is not None:
            raise problem

    def _tell_waiting(self, problem: OSError) -> None:
        self._retry_at = time.monotonic() + room.RETRY_S
        self._asleep = False
        FLUSHER.watch(self)
        room.tell(f"disk {self._root}", room.waiting(self._root, problem))

    @property
    def _label(self) -> str:
        return f"run {self.document['name']} #{self.document['number']}"

    def _note(self, reason: str) -> None:
        entry = {"what": "metrics", "state": "dropped", "reason": reason}
        self.document["capture"].append(entry)

    def _announce_late(self) -> None:
        # A finished run that takes points again is pending until it is saved again, so that a
        # reader's summary of it is never old.
        if self._ownership is None and not self._announced and self._metrics.waiting:
            self._check_ours()
            self._notices.begin(self.id)
            self._announced = True

    def _check_ours(self) -> None:
        """Raise ``OSError`` where another process has gone on with a run that this one finished."""
        if self._ownership is not None:
            return
        held = os_calls.lock_held(self._path / ownership.LOCK)
        if held or os_calls.identity(self._path / folder.RUN) != self._saved:
            raise OSError(errno.EBUSY, "another process has resumed it")

    def save(self) -> None:
        """Put ``document`` on disk with its present summary, and notify readers.

        What the disk does not take now follows as soon as it does; of a new run that raises.
        """
        with self._lock:
            if not self._foreign:
                self._drain()
            if self._left:
                raise StoreError(room.taken(self._label))
            if self._foreign:
                raise StoreError(f"run {self.id} belongs to the process that started it")
            self._put()

    def _put(self) -> None:
        try:
            self._replace()
        except OSError as problem:
            if problem.errno == errno.EBUSY or not self._begun:
                why = room.reason(self._root, problem) if not self._begun else problem.strerror
                raise StoreError(f"run {self.id} cannot be saved: {why}") from problem
            self._unsaved = True
            self._tell_waiting(problem)

    def _replace(self, summary: Mapping[str, Any] | None = None) -> None:
        present = self._metrics.summary() if summary is None else summary
        self.document["summary"] = {**self.document["summary"], **present}
        try:
            data = self._encoded()
        except (TypeError, ValueError, RecursionError) as problem:
            raise StoreError(f"{self._label} cannot be saved: {problem}") from problem
        if len(data) > limits.DOCUMENT:
            raise StoreError(
                f"{self._label} cannot be saved: its params, tags and notes are more than "
                f"{formats.size(limits.DOCUMENT)}; keep what is large as an artifact (log_dict)"
            )
        self._check_ours()
        with self._notices.around(self.id):
            os_calls.replace(self._path / folder.RUN, data)
        self._saved = os_calls.identity(self._path / folder.RUN)
        self._begun, self._unsaved = True, False
        if self._announced:
            self._announced = False
            self._notices.done(self.id)
        if self._ownership is not None:
            with suppress(OSError):
                self._ownership.beat()

    def _encoded(self) -> bytes:
        for _ in range(100):
            try:
                return dumps(self.document, pretty=True)
            except RuntimeError:  # its owner adds to it in this moment
                time.sleep(0.001)
        return dumps(self.document, pretty=True)

    def finish(self) -> None:
        """Flush, save durably and give up ownership. Later ``log`` and ``save`` still work.

        Where the disk does not take it all the run ends as soon as it does.
        """
        if self._foreign:
            return
        with self._lock:
            self._drain()
            self._close()

    def _close(self) -> None:
        try:
            self._metrics.close()
            for file in (*self._lines.values(), self._text):
                file.drain()
                file.sync()
                file.close()
            self._replace()
        except OSError as problem:
            if problem.errno == errno.EBUSY:
                raise StoreError(f"run {self.id} cannot be saved: {problem.strerror}") from problem
            self._unfinished = True
            self._tell_waiting(problem)
            return
        os_calls.sync_folder(self._path)
        os_calls.sync_folder(self._path.parent)
        self._give_up()
        self._unfinished = False

    def last(self) -> None:
        """The process ends: write what waits; what cannot be written is told as lost."""
        if self._foreign:
            return
        self._retry_at = 0.0
        self.tick()
        points = -(-self._metrics.waiting // metriclog.SIZE)
        if not (points or self._unsaved or self._unfinished):
            return
        with self._lock, suppress(OSError):
            if points:
                self._note(f"the last {points} points could not be written")
            # The summary is then of what is on disk.
            self._replace(metriclog.tally(self._path)[0])
            if self._unfinished:
                self._give_up()
                self._unfinished = False
        room.tell(f"lost {self.id}", room.lost(self._root, self._label, points, self._unsaved))

    def abandon(self) -> None:
        """Give up a run that never came to be."""
        FLUSHER.forget(self)
        self._give_up()
        with suppress(OSError):
            self._path.rmdir()

    def _give_up(self) -> None:
        if self._ownership is not None:
            self._ownership.give_up()
            self._ownership = None


def check_format(document: Document) -> None:
    """Raise ``StoreError`` where a newer Trackbook wrote the document."""
    if isinstance(document["format"], int) and document["format"] <= FORMAT:
        return
    raise StoreError(
        f"run {document['id']} was written by a newer Trackbook (format {document['format']}); "
        "it can be read, not continued: update Trackbook"
    )
