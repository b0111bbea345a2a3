"""The processes that a run's own process starts: each gets one run of kind ``worker`` below it.

Forked children, ``multiprocessing`` and joblib workers are meant: they log with ``tb.log_*`` or
with a run object that came along by the fork. A program of its own that happens to be started from
a notebook is no worker.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..model import Document
from ..store import RunWriter, Store
from . import environment

_LOOK_S = 1.0
_forked = False


def came_by_fork() -> None:
    """This process is a forked child of one that tracks."""
    global _forked
    _forked = True


def is_worker() -> bool:
    """Whether this process is a part of the work of another."""
    module = sys.modules.get("multiprocessing.process")
    return _forked or (module is not None and module.current_process().name != "MainProcess")


def run_above(store: Store) -> Document | None:
    """The newest open run of a process above this one; None where there is none."""
    above, host = _ancestors(), environment.user_and_host()["host"]
    for document in store.find("status == 'running'", archived=True):
        ours = document["env"].get("pid") in above and document["host"] == host
        if ours and document["kind"] != "worker":
            return document
    return None


def _ancestors() -> set[int]:
    import psutil

    return {process.pid for process in psutil.Process().parents()}


class Family:
    """Where this process stands: which run above it a worker's run is a part of."""

    def __init__(self) -> None:
        self._joined: tuple[Store, str] | None = None
        self._next = 0.0

    def above(self, store: Store) -> Document | None:
        """The run that this process works for; None where it is no worker or none is open."""
        return run_above(store) if is_worker() else None

    def join(self, store: Store, run_id: str) -> None:
        """Remember the run that this worker's is a part of."""
        self._joined, self._next = (store, run_id), time.monotonic() + _LOOK_S

    def is_over(self) -> bool:
        """Whether that run has ended, so that what comes now belongs to another.

        It looks at most once a second.
        """
        if self._joined is None or time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + _LOOK_S
        store, run_id = self._joined
        if store.document(run_id)["status"] == "running":
            return False
        self._joined = None
        return True


def at_end(close: Callable[[], None]) -> None:
    """Have ``close`` called where a worker ends: those of multiprocessing run no ``atexit``.

    A pool ends its workers by SIGTERM as soon as it has their results. That is left as it is: a
    handler in Python may come too late for a process that waits, and then never comes. So a worker
    writes everything at once, and readers take one whose process is gone as finished.
    """
    if "multiprocessing.util" in sys.modules:
        sys.modules["multiprocessing.util"].Finalize(None, close, exitpriority=100)


class AtOnce:
    """A worker's writer: each point is on its way to the disk when its logging returns."""

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer
        self.log = _flushing(writer.log, writer.flush)

    def row(self, keys: Sequence[str]) -> Callable[..., None]:
        """What logs a point of each key."""
        return _flushing(self._writer.row(keys), self._writer.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


def _flushing(log: Callable[..., None], flush: Callable[[], None]) -> Callable[..., None]:
    def logged(*point: Any) -> None:
        log(*point)
        flush()

    return logged


class InheritedWriter:
    """What a forked child has of its parent's run: it writes to the child's own worker run.

    That run is made when there is something to write.
    """

    def __init__(self, document: Document, begin: Callable[[], RunWriter]) -> None:
        self.id: str = document["id"]
        self.document = document
        self._before = {key: dict(document[key]) for key in ("params", "tags")}
        self._begin = begin
        self._writer: RunWriter | None = None
        self.log: Callable[[str, int, float, float], None] = self._point

    def _own(self) -> RunWriter:
        if self._writer is None:
            self._writer = self._begin()
        return self._writer

    def _point(self, key: str, step: int, moment: float, value: float) -> None:
        self._own().log(key, step, moment, value)

    def row(self, keys: Sequence[str]) -> Callable[[int, float, Iterable[float]], None]:
        """A point of each key."""
        return self._own().row(keys)

    def append(self, kind: str, record: Mapping[str, Any]) -> None:
        """A line of ``artifacts``; the cells are the parent's."""
        if kind == "artifacts":
            self._own().append(kind, record)

    def write_log(self, text: str) -> None:
        """Console text."""
        self._own().write_log(text)

    def last_step(self, key: str) -> int | None:
        """The last step of this process, which counts by itself."""
        return self._writer.last_step(key) if self._writer else None

    def summary(self) -> dict[str, dict[str, float]]:
        """The points of this process."""
        return self._writer.summary() if self._writer else {}

    def flush(self) -> None:
        """Write what waits."""
        if self._writer:
            self._writer.flush()

    def save(self) -> None:
        """Params and tags that the child has set."""
        for key, before in self._before.items():
            new = {k: v for k, v in self.document[key].items() if k not in before or before[k] != v}
            if new:
                self._own().document[key].update(new)
        if self._writer:
            self._writer.save()

    def finish(self) -> None:
        """The child is done with it; the parent's run goes on."""
        self.save()
