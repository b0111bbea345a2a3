"""Saves what changed, twice a second, so that readers see a run grow while its cell still works."""

from __future__ import annotations

import threading
from typing import Protocol

from ..store import os_calls
from .afterwork import Afterwork

INTERVAL_S = 0.5
# Runs of short fits, say.
_MOST_WAITING = 100


class Saveable(Protocol):
    """What can be saved."""

    def save(self) -> None:
        """Put it on disk."""


class Autosave:
    """One daemon thread, started when first needed, asleep while nothing changes."""

    def __init__(self) -> None:
        self._renew()
        os_calls.call_in_child(self._renew)

    def _renew(self) -> None:
        # Also in a forked child: nothing of the parent's is the child's to save, no thread of the
        # parent's lives there, and one may have held a lock.
        self._dirty: set[Saveable] = set()
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.afterwork = Afterwork()

    def touch(self, item: Saveable) -> None:
        """Have the item saved within half a second."""
        self._dirty.add(item)
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._work, name="trackbook-save", daemon=True)
            self._thread.start()
        self._wake.set()

    @property
    def is_full(self) -> bool:
        """Whether so much waits that nothing more should."""
        return len(self._dirty) >= _MOST_WAITING

    def settle(self, patience: float = 0.5) -> None:
        """Before this process reads: save what waits, and begin what can be done in a moment."""
        self.afterwork.settle(patience)
        self.save_all()

    def save_all(self) -> None:
        """Save what waits, now, in this thread."""
        # Whoever comes second waits until what the first one took is on disk.
        with self._lock:
            while self._dirty:
                self._dirty.pop().save()

    def stop(self) -> None:
        """Save what waits and end the thread."""
        self._stop.set()
        self._wake.set()
        self.save_all()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            if self._stop.wait(INTERVAL_S):
                return
            self.save_all()
