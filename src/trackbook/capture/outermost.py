"""Which outermost fits are running in this process, whichever framework makes them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from .fits import Fit

# Where a thread waits for others that work for it.
_WAITS_IN = ("joblib", "concurrent", "multiprocessing", "threading")
_DEEPEST = 1000


@dataclass
class Running:
    """An outermost fit: what is fitted, where its values go, and how many fits it made inside."""

    model: Any
    fit: Fit | None = None
    inner: int = 0
    depth: int = 0
    """How many frames its thread had when it began."""
    threads: frozenset[int | None] = field(default_factory=frozenset)
    """The threads that were there before it."""


_lock = threading.Lock()
_running: dict[int, Running] = {}
_pid = os.getpid()


def claim() -> None:
    """Fits of this process count; those of its forked children are inner ones of its own."""
    global _pid
    _pid = os.getpid()
    _running.clear()


def is_here() -> bool:
    """Whether this is the process whose fits count."""
    return os.getpid() == _pid


def enter(model: Any) -> Running | None:
    """The fit that begins as the outermost; None where one is running, which then counts this one.

    The model's own methods that call each other, such as ``fit`` of a superclass, are one fit.
    Two threads of the user's have an outermost fit each; the threads of a fit work for it.
    """
    if not is_here():
        return None
    with _lock:
        held = running()
        if held is not None:
            held.inner += model is not held.model
            return None
        threads = frozenset(thread.ident for thread in threading.enumerate())
        begun = Running(model, depth=sum(1 for _ in _frames(sys._getframe())), threads=threads)
        _running[threading.get_ident()] = begun
        return begun


def leave() -> None:
    """The outermost fit of this thread is over."""
    _running.pop(threading.get_ident(), None)


@contextmanager
def work_for(fit: Running) -> Iterator[None]:
    """What this thread fits meanwhile is inside a fit that another thread began."""
    mine = threading.get_ident()
    joins = mine not in _running
    _running.setdefault(mine, fit)
    try:
        yield
    finally:
        if joins:
            _running.pop(mine, None)


def running() -> Running | None:
    """The outermost fit that this thread works for now."""
    if not _running:
        return None
    mine = threading.get_ident()
    if mine in _running:
        return _running[mine]
    for ident, other in list(_running.items()):
        if mine not in other.threads and _waits(ident, other.depth):
            return other
    return None


def _waits(ident: int, depth: int) -> bool:
    """Whether a thread, deeper than so many frames, waits for workers."""
    frames = list(_frames(sys._current_frames().get(ident)))
    for frame in frames[: max(len(frames) - depth, 0)]:
        module = str(frame.f_globals.get("__name__", ""))
        # joblib has its frames on the stack also where it does the work in the thread itself.
        alone = frame.f_code.co_name == "_get_sequential_output"
        if module.partition(".")[0] in _WAITS_IN:
            return not alone
    return False


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    for _ in range(_DEEPEST):
        if frame is None:
            return
        yield frame
        frame = frame.f_back
