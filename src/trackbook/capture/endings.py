"""How this process ends and what a fork leaves: the session is told in time."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from types import TracebackType

from . import workers

Close = Callable[[BaseException | None], None]


def watch(close_all: Close, forget: Callable[[], None], *, script: bool) -> None:
    """Have ``close_all`` called when the process ends, ``forget`` in each forked child.

    In a script an uncaught exception is handed on, and shown as without us.
    """

    def close() -> None:
        close_all(None)

    atexit.register(close)
    os.register_at_fork(after_in_child=forget)
    if workers.is_worker():
        workers.at_end(close)
    elif script:
        _watch_uncaught(close_all)


def _watch_uncaught(close_all: Close) -> None:
    earlier = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        try:
            close_all(error)
        finally:
            earlier(kind, error, trace)

    sys.excepthook = hook
