"""Trainings that one integration logs by itself, while the hooks of others keep quiet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Depth(threading.local):
    within = 0


_depth = _Depth()


@contextmanager
def quiet() -> Iterator[None]:
    """Whatever trains in this thread meanwhile belongs to the caller, who logs it.

    For integrations of trainers whose own loop calls another framework, as Lightning's does:
    put it around the trainer's call. The hooks of the plain torch loop see nothing within.
    """
    _depth.within += 1
    try:
        yield
    finally:
        _depth.within -= 1


def is_quiet() -> bool:
    """Whether somebody above in this thread said so."""
    return _depth.within > 0
