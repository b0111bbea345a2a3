"""What the tests of every framework ask of the store."""

from __future__ import annotations

from typing import Any

import trackbook as tb
from trackbook.capture import session as sessions
from trackbook.store.flusher import FLUSHER


def runs() -> list[Any]:
    """The runs so far, the first one first, with all that follows them a moment later."""
    sessions.current.afterwork.settle()
    FLUSHER.flush()
    return list(tb.runs(sort="started"))


def told(run: Any) -> str:
    """What ``%track why`` says about the run, line by line."""
    return "\n".join(f"{e['state']} {e['what']} {e.get('reason', '')}" for e in run.why)
