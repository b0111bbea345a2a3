"""Long work of ours beside the main thread, which stays open to Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

_TICK_S = 0.1
# A read that hangs (a dead network folder) is not waited for longer after Ctrl-C.
_GRACE_S = 5.0


class Stopped(Exception):
    """Raised by ``check`` in the thread whose caller no longer wants the result."""


class Stop:
    """How a caller stops the work, and the work notices."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        """Have the next ``check`` raise."""
        self._asked.set()

    def check(self) -> None:
        """Raise ``Stopped`` where the caller has asked for it."""
        if self._asked.is_set():
            raise Stopped


def run(work: Callable[[Stop], Result], tick: Callable[[], None] = lambda: None) -> Result:
    """What ``work(stop)`` returns or raises, done in a thread; ``tick`` is called meanwhile.

    Ctrl-C stops the work, waits until it has cleaned up, and passes through.
    """
    from concurrent import futures

    stop = Stop()
    executor = futures.ThreadPoolExecutor(1, thread_name_prefix="trackbook-copy")
    try:
        try:
            job = executor.submit(work, stop)
        except RuntimeError:
            return work(stop)  # no new threads at the end of the process
        try:
            while not futures.wait([job], _TICK_S).done:
                tick()
        finally:
            stop.ask()
            futures.wait([job], _GRACE_S)
        return job.result()
    finally:
        executor.shutdown(wait=False)
