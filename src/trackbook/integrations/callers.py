"""The code that called a wrapped function, past our own frames."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator
from types import FrameType

_OURS = ("trackbook.", "contextlib", "functools")


def frames() -> Iterator[FrameType]:
    """The frames of the code above us, the caller of the wrapped function first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and module_of(frame).startswith(_OURS):
        frame = frame.f_back
    while frame is not None:
        yield frame
        frame = frame.f_back


def caller() -> str:
    """The name of the module that called."""
    return module_of(next(frames(), None))


def is_below(packages: Container[str]) -> bool:
    """Whether one of these packages is at work somewhere above."""
    return any(module_of(frame).partition(".")[0] in packages for frame in frames())


def module_of(frame: FrameType | None) -> str:
    """The name of the module of a frame's code; "" without one."""
    return str(frame.f_globals.get("__name__", "")) if frame is not None else ""
