"""Work that waits until the user's code pauses, such as writing the model of a fit."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

# No new work for so long is a pause.
QUIET_S = 0.5
_MOST_JOBS = 50
_MOST_BYTES = 64 << 20


class Job(Protocol):
    """What is to be done."""

    size: int
    """How many bytes of memory it holds meanwhile."""

    def run(self) -> None:
        """Do it; it raises nothing."""

    def let_go(self) -> None:
        """It will not be done: too much is waiting."""

    def leads(self) -> bool:
        """Whether it should be the last to be let go."""


class Behind(Protocol):
    """What logs its points a little late."""

    def catch_up(self) -> None:
        """Log now what waits; it raises nothing."""


class Afterwork:
    """One daemon thread, started when first needed; the newest is done first.

    At most 50 jobs or 64 MB wait; beyond that the oldest are let go.
    """

    def __init__(self) -> None:
        self.behind: weakref.WeakSet[Behind] = weakref.WeakSet()
        """Asked to catch up before this process reads."""
        self._jobs: list[Job] = []
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._worker = self._holder = 0
        self._wake = threading.Event()
        self._last = 0.0
        self._thread: threading.Thread | None = None

    def put(self, job: Job) -> None:
        """Have it done soon."""
        with self._lock:
            self._jobs.append(job)
            self._last = time.monotonic()
            too_many = self._too_many()
            if self._thread is None:
                name = "trackbook-afterwork"
                self._thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._thread.start()
        for old in too_many:
            old.let_go()
        self._wake.set()

    def settle(self, patience: float = float("inf")) -> None:
        """Do what waits now, in this thread; begin nothing after so many seconds."""
        if threading.get_ident() in (self._worker, self._holder):
            return  # we read ourselves
        for each in list(self.behind):
            each.catch_up()
        until = time.monotonic() + patience
        while self._jobs and time.monotonic() < until:
            self._do_one()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Meanwhile this thread reads for us, and needs nothing that waits."""
        self._holder = threading.get_ident()
        try:
            yield
        finally:
            self._holder = 0

    def _too_many(self) -> list[Job]:
        found: list[Job] = []
        while len(self._jobs) > _MOST_JOBS or sum(job.size for job in self._jobs) > _MOST_BYTES:
            spare = (job for job in self._jobs[:-1] if not job.leads())
            oldest = next(spare, self._jobs[0])
            self._jobs.remove(oldest)
            found.append(oldest)
        return found

    def _do_one(self) -> None:
        with self._working:
            with self._lock:
                job = self._jobs.pop() if self._jobs else None
            if job is not None:
                self._worker = threading.get_ident()
                try:
                    job.run()
                finally:
                    self._worker = 0

    def _work(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._jobs:
                left = self._last + QUIET_S - time.monotonic()
                if left > 0:
                    time.sleep(left)
                else:
                    self._do_one()
