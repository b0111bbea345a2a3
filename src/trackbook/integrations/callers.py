"""The code that called a wrapped function, past our own frames."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Container, Iterator
from types import FrameType, ModuleType

_OURS = ("trackbook.", "contextlib", "functools")
# They call what the user gave them.
_DISPATCHERS = {"joblib"}
_INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]")


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


def library() -> str:
    """The installed package whose code called; "" where the user's own did."""
    for frame in frames():
        package = module_of(frame).partition(".")[0]
        if package not in _DISPATCHERS:
            return package if is_library(frame) else ""
    return ""


def is_library(frame: FrameType) -> bool:
    """Whether a frame's code comes from an installed package, or from scikit-learn anywhere."""
    if _is_installed(frame.f_code.co_filename):
        return True
    return module_of(frame).partition(".")[0] == "sklearn"


def is_users(module: ModuleType) -> bool:
    """Whether a module is the notebook, the script, or what the user has written beside them."""
    name = module.__name__
    if name == "__main__":
        return True
    file = getattr(module, "__file__", None)
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names or root == "trackbook" or not isinstance(file, str):
        return False
    return not _is_installed(file)


@functools.cache
def _is_installed(file: str) -> bool:
    return _INSTALLED.search(file) is not None
