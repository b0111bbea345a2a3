"""Which outermost fit is running in this process, whichever framework makes it."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any

from .fits import Fit


@dataclass
class Running:
    """An outermost fit: what is fitted, where its values go, and how many fits it made inside."""

    model: Any
    fit: Fit | None = None
    inner: int = 0


_lock = threading.Lock()
_running: Running | None = None
_pid = os.getpid()


def claim() -> None:
    """Fits of this process count; those of its forked children are inner ones of its own."""
    global _pid
    _pid = os.getpid()


def is_here() -> bool:
    """Whether this is the process whose fits count."""
    return os.getpid() == _pid


def enter(model: Any) -> Running | None:
    """The fit that begins as the outermost; None where one is running, which then counts this one.

    The model's own methods that call each other, such as ``fit`` of a superclass, are one fit.
    """
    global _running
    if not is_here():
        return None
    with _lock:
        if _running is None:
            _running = Running(model)
            return _running
        _running.inner += model is not _running.model
        return None


def leave() -> None:
    """The outermost fit is over."""
    global _running
    _running = None


def running() -> Running | None:
    """The outermost fit that runs now, in any thread."""
    return _running
