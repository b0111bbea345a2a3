"""What runs print: stdout and stderr stay what they are, and a copy goes to the run's log.

The streams are not replaced. ipykernel's have a place for an echo; others get an attribute
``write``, which ``print`` looks up anew each time. A line costs the user's code one tuple; who gets
it is decided, by what was active when it was written, before anything changes and in the store's
thread every 0.2 s.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from typing import Any

from .. import settings
from ..errors import TrackbookWarning
from ..store import os_calls
from ..store.flusher import FLUSHER
from .consolelog import ConsoleLog
from .live import ActiveRun
from .patch import Guard

Stack = tuple[ActiveRun, ...]
Hear = Callable[[str], None]
Undo = Callable[[], None]

# So many pieces of text wait at most; a loop that prints without end does their work itself.
_MOST_WAITING = 10_000


class Console:
    """Gives what is printed to the active run of whoever prints it; there are logs of open runs.

    ``stack`` tells under which ``with`` runs the caller is, ``heard_by`` whose text that makes it.
    """

    def __init__(
        self, stack: Callable[[], Stack], heard_by: Callable[[Stack], ActiveRun | None]
    ) -> None:
        self.audience: Callable[[str, str], None] | None = None
        """Called with stream and text of everything printed; used for a tracked cell's outputs."""
        self._stack = stack
        self._heard_by = heard_by
        self._guard = Guard("the console")
        self._lock = threading.RLock()
        self._waiting: deque[tuple[Stack, int, str, str]] = deque()
        self._logs: dict[str, tuple[ActiveRun, ConsoleLog]] = {}
        self._taps: list[tuple[Any, Undo]] = []
        os_calls.call_in_child(self._in_child)

    def opened(self, run: ActiveRun) -> None:
        """Listen for an open run."""
        if settings.wanted("console"):
            self._safely(self._opened, run)

    def ended(self, run: ActiveRun) -> None:
        """Complete the log of a run that ends."""
        if run.id in self._logs:
            self._safely(self._ended, run)

    def drain(self) -> None:
        """Give what was printed until now to the runs that are active now."""
        if self._waiting:
            self._safely(self._drain)

    def tick(self) -> None:
        """What the store's thread does every 0.2 s."""
        with suppress(TrackbookWarning):  # where warnings are errors one must not end the thread
            self.drain()

    def let_go(self) -> None:
        """Leave the streams as they were."""
        with self._lock:
            FLUSHER.forget(self)
            while self._taps:
                self._taps.pop()[1]()
            self._logs.clear()
            self._waiting.clear()

    def _in_child(self) -> None:
        self._lock = threading.RLock()  # another thread of the parent's may have held it
        self.let_go()

    def _safely(self, step: Callable[..., None], *args: Any) -> None:
        self._guard.run(step, *args)
        if self._guard.shut:
            self.let_go()

    def _opened(self, run: ActiveRun) -> None:
        self._drain()
        self._logs[run.id] = run, ConsoleLog(run.writer.write_log)
        known = [stream for stream, _ in self._taps]
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None and not any(stream is other for other in known):
                # A stream of a kind that takes no attributes stays unheard.
                with suppress(AttributeError, TypeError):
                    self._taps.append((stream, tap(stream, self._hearer(name))))
        FLUSHER.watch(self)

    def _ended(self, run: ActiveRun) -> None:
        self._drain()
        _, log = self._logs.pop(run.id)
        log.close()
        if log.size:
            run.note_capture("console", "captured", bytes=log.size)
        if log.hidden:
            text = f"{log.hidden} value(s) that look like secrets"
            run.note_capture("console", "redacted", text)
        if log.full:
            run.note_capture("console", "skipped", "what came after the log was full")
        if not self._logs:
            self.let_go()

    def _hearer(self, name: str) -> Hear:
        take, waiting, stack, thread = self._take, self._waiting, self._stack, threading.get_ident

        def hear(text: str) -> None:
            waiting.append((stack(), thread(), name, text))
            if len(waiting) > _MOST_WAITING:
                take()

        return hear

    def _take(self) -> None:
        # Never waits: whoever holds the lock is about to take these too.
        if self._lock.acquire(blocking=False):
            try:
                self.drain()
            finally:
                self._lock.release()

    def _drain(self) -> None:
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
            for (stack, thread, stream), entries in groupby(taken, lambda entry: entry[:3]):
                text = "".join([entry[3] for entry in entries])
                if self.audience is not None:
                    self.audience(stream, text)
                log = self._log_of(stack, thread)
                if log is not None:
                    log.feed(stream, text)

    def _log_of(self, stack: Stack, thread: int) -> ConsoleLog | None:
        run = self._heard_by(stack)
        if run is not None and run.id in self._logs:
            return self._logs[run.id][1]
        if run is None and thread != threading.main_thread().ident:
            # A thread without a run of its own belongs to the run that is open.
            return next((log for _, log in reversed(list(self._logs.values()))), None)
        return None


class _Echo:
    """What ipykernel's streams hand everything to that is written to them."""

    def __init__(self, hear: Hear, earlier: Any) -> None:
        self.write = hear if earlier is None else _both(earlier.write, hear)
        self.flush = _nothing if earlier is None else earlier.flush


def tap(stream: Any, hear: Hear) -> Undo:
    """Have ``hear`` called with everything that is written; returns how to undo that.

    Raises ``AttributeError`` or ``TypeError`` where the stream takes no attributes.
    """
    if hasattr(stream, "echo") and hasattr(stream, "pub_thread"):
        name, earlier = "echo", stream.echo
        ours: Any = _Echo(hear, earlier)
    else:
        name, earlier = "write", vars(stream).get("write")
        ours = _both(stream.write, hear)
    setattr(stream, name, ours)

    def undo() -> None:
        # What somebody else has put there meanwhile stays theirs.
        if vars(stream).get(name) is not ours:
            return
        if name == "write" and earlier is None:
            del stream.write
        else:
            setattr(stream, name, earlier)

    return undo


def _both(write: Callable[[str], Any], hear: Hear) -> Callable[[str], Any]:
    def wrapper(text: str) -> Any:
        __tracebackhide__ = True
        written = write(text)
        hear(text)
        return written

    return wrapper


def _nothing() -> None:
    """There is nothing to flush."""
