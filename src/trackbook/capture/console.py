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
from .patch import UNSEEN, Guard

Stack = tuple[ActiveRun, ...]
Hear = Callable[[str], None]

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
        self._taps: dict[str, Tap] = {}
        os_calls.call_in_child(self._in_child)

    def opened(self, run: ActiveRun) -> None:
        """Listen for an open run."""
        self._safely(self._opened, run)

    def ended(self, run: ActiveRun) -> None:
        """Complete the log of a run that ends."""
        if run.id in self._logs:
            self._safely(self._ended, run)

    def drain(self) -> None:
        """Give what was printed until now to the runs that are active now."""
        if self._waiting:
            self._safely(self._drain)

    def listen(self) -> None:
        """See that the streams are heard: IPython's may have been given other writers meanwhile."""
        if self._logs:
            self._safely(self._listen)

    @property
    def held(self) -> int:
        """Nothing of ours waits for the disk: the runs' own logs hold it."""
        return 0

    def last(self) -> None:
        """The process ends."""
        self.tick()

    def tick(self) -> None:
        """What the store's thread does every 0.2 s."""
        with suppress(TrackbookWarning):  # where warnings are errors one must not end the thread
            self.drain()

    def let_go(self) -> None:
        """Leave the streams as they were."""
        with self._lock:
            FLUSHER.forget(self)
            while self._taps:
                self._taps.popitem()[1].undo()
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
        if not settings.wanted("console"):
            return
        self._drain()
        self._logs[run.id] = run, ConsoleLog(run.writer.write_log)
        self._listen()
        FLUSHER.watch(self)

    def _listen(self) -> None:
        for name in ("stdout", "stderr"):
            stream, known = getattr(sys, name), self._taps.get(name)
            if stream is None or (known is not None and known.holds(stream)):
                continue
            if known is not None:
                known.undo()
            # A stream of a kind that takes no attributes stays unheard.
            with suppress(AttributeError, TypeError):
                self._taps[name] = Tap(stream, self._hearer(name))

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


class Tap:
    """Has ``hear`` called with everything that is written to a stream.

    Raises ``AttributeError`` or ``TypeError`` where the stream takes no attributes.
    """

    def __init__(self, stream: Any, hear: Hear) -> None:
        self._stream = stream
        self._ears = [hear]
        if hasattr(stream, "echo") and hasattr(stream, "pub_thread"):
            self._name, self._earlier = "echo", stream.echo
            self._ours: Any = _Echo(hear if stream.echo is None else self._both(stream.echo.write))
            self._ours.flush = _nothing if stream.echo is None else stream.echo.flush
        else:
            self._name, self._earlier = "write", vars(stream).get("write")
            self._ours = self._both(stream.write)
        setattr(stream, self._name, self._ours)

    def holds(self, stream: Any) -> bool:
        """Whether it is in place at this stream."""
        return stream is self._stream and vars(stream).get(self._name) is self._ours

    def undo(self) -> None:
        """Leave the stream as it was; what somebody else has put there meanwhile stays theirs."""
        self._ears.clear()
        if not self.holds(self._stream):
            return
        if self._name == "write" and self._earlier is None:
            del self._stream.write
        else:
            setattr(self._stream, self._name, self._earlier)

    def _both(self, write: Callable[[str], Any]) -> Callable[[str], Any]:
        ears = self._ears

        def wrapper(text: str) -> Any:
            with UNSEEN:
                written = write(text)
            for hear in ears:
                hear(text)
            return written

        return wrapper


class _Echo:
    """What ipykernel's streams hand everything to that is written to them."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        self.write = write
        self.flush: Callable[[], Any] = _nothing


def _nothing() -> None:
    """There is nothing to flush."""
