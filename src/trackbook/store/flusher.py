"""One thread a process that writes what the runs of this process hold back."""

from __future__ import annotations

import atexit
import threading
import time
from typing import Protocol

from . import os_calls

INTERVAL = 0.2


class Flushed(Protocol):
    """What the thread looks after."""

    @property
    def held(self) -> int:
        """How many bytes wait in memory."""

    def tick(self) -> None:
        """Write what waits; never raises."""

    def last(self) -> None:
        """The process ends: write what waits, or say that it is lost; never raises."""


class Flusher:
    """Ticks what it watches every 0.2 s; sleeps without waking while there is nothing."""

    def __init__(self) -> None:
        self._renew()
        os_calls.call_in_child(self._renew)
        atexit.register(self.end)

    def _renew(self) -> None:
        # Also in a forked child: no thread of the parent's lives there, and no run is ours.
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._watched: dict[int, Flushed] = {}
        self._thread: threading.Thread | None = None

    def watch(self, item: Flushed) -> None:
        """Tick an item from now on."""
        with self._lock:
            self._watched[id(item)] = item
            self._some.set()
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._loop, name="trackbook-flush", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return  # the interpreter is ending: ``end`` at exit does the rest
            self._thread = thread

    def forget(self, item: Flushed) -> None:
        """Tick an item no more."""
        with self._lock:
            self._watched.pop(id(item), None)
            if not self._watched:
                self._some.clear()

    def held(self) -> int:
        """How many bytes wait in memory in all."""
        return sum(item.held for item in self._items())

    def flush(self) -> None:
        """Tick everything once, now."""
        for item in self._items():
            item.tick()

    def end(self) -> None:
        """Let everything write for the last time."""
        for item in self._items():
            item.last()

    def _items(self) -> list[Flushed]:
        with self._lock:
            return list(self._watched.values())

    def _loop(self) -> None:
        while True:
            self._some.wait()
            time.sleep(INTERVAL)
            self.flush()


FLUSHER = Flusher()
