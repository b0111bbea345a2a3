"""The one owner of a run's files, in the kernel that started it."""

from __future__ import annotations

import errno
import os
import threading
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, StoreError, TrackbookWarning
from ..jsonable import dumps
from ..model import FORMAT, Document
from . import folder, os_calls, ownership
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
        self._warned: set[str] = set()
        self._ownership: ownership.Ownership | None = ownership.Ownership(path)
        self._announced = False
        self._asleep = False
        self._saved = (0, 0, 0)
        self._metrics = MetricLog(path, self._wake)
        self._lines = {
            kind: os_calls.AppendFile(path / f"{kind}.jsonl", os_calls.torn_line)
            for kind in folder.KINDS_OF_LINES
        }
        self._text = os_calls.AppendFile(path / folder.LOGS, lambda _: 0)
        self.log = self._metrics.log
        os_calls.call_in_child(self._in_child)
        FLUSHER.watch(self)

    def _in_child(self) -> None:
        self._lock = threading.RLock()
        self._ownership = None
        for file in (*self._lines.values(), self._text):
            file.pending.clear()

    @property
    def _foreign(self) -> bool:
        return self._pid != os.getpid()

    def _wake(self) -> None:
        if self._foreign:
            self._warn(
                "fork",
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
        if not self._foreign:
            self._text.pending += text.encode("utf-8", "replace")
            self._wake()

    def last_step(self, key: str) -> int | None:
        """The step of the last point of ``key``, also of points written before a resume."""
        return self._metrics.last_step(key)

    def summary(self) -> dict[str, dict[str, float]]:
        """``{key: {last, min, max, count}}`` of all points so far."""
        return self._metrics.summary()

    # -- writing -----------------------------------------------------------------------------------

    def tick(self) -> None:
        """What the thread does every 0.2 s: write what waits, leave a sign of life."""
        if self._foreign:
            return
        self._drain()
        with self._lock:
            if self._ownership is not None:
                self._ownership.beat_if_due()
            elif not self._waiting():
                self._fall_asleep()

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

    def _waiting(self) -> bool:
        files = (*self._lines.values(), self._text)
        return self._metrics.waiting or any(file.pending for file in files)

    def _drain(self) -> None:
        with self._lock:
            if not self._waiting():
                return
            try:
                self._announce_late()
                self._metrics.flush()
                for file in (*self._lines.values(), self._text):
                    file.drain()
            except OSError as problem:
                self._warn(
                    "disk",
                    f"run {self.id} cannot be written now ({problem.strerror}); "
                    "what it logs waits in memory",
                )

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
        """Put ``document`` on disk with its present summary, and notify readers."""
        if self._foreign:
            raise StoreError(f"run {self.id} belongs to the process that started it")
        with self._lock:
            self._drain()
            self.document["summary"] = {**self.document["summary"], **self._metrics.summary()}
            data = dumps(self.document, pretty=True)
            try:
                self._check_ours()
                with self._notices.around(self.id):
                    os_calls.replace(self._path / folder.RUN, data)
                self._saved = os_calls.identity(self._path / folder.RUN)
                if self._announced:
                    self._announced = False
                    self._notices.done(self.id)
                if self._ownership is not None:
                    self._ownership.beat()
            except OSError as problem:
                raise StoreError(f"run {self.id} cannot be saved: {problem}") from problem

    def finish(self) -> None:
        """Flush, save durably and give up ownership. Later ``log`` and ``save`` still work."""
        if self._foreign:
            return
        with self._lock:
            self._drain()
            with suppress(OSError):  # already warned about; the points wait on
                self._metrics.close()
            for file in (*self._lines.values(), self._text):
                with suppress(OSError):
                    file.sync()
                    file.close()
            self.save()
            os_calls.sync_folder(self._path)
            os_calls.sync_folder(self._path.parent)
            self._give_up()

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

    def _warn(self, about: str, message: str) -> None:
        if about in self._warned:
            return
        self._warned.add(about)
        # Where warnings are errors one must not end the thread that writes, nor a user's log call.
        with suppress(TrackbookWarning):
            warnings.warn(message, TrackbookWarning, stacklevel=4)


def check_format(document: Document) -> None:
    """Raise ``StoreError`` where a newer Trackbook wrote the document."""
    if isinstance(document["format"], int) and document["format"] <= FORMAT:
        return
    raise StoreError(
        f"run {document['id']} was written by a newer Trackbook (format {document['format']}); "
        "it can be read, not continued: update Trackbook"
    )
