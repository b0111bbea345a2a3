"""A disk that takes nothing now: how much may wait in memory, and what people are told."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from pathlib import Path

from .. import formats
from ..errors import TrackbookWarning, warn

CAP = 64_000_000
"""Bytes that the runs of a process hold back in all; what is logged beyond them is dropped."""
RETRY_S = 1.0
"""How long a document that could not be written waits for the next attempt."""
_AGAIN_S = 600.0

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


def reason(store: Path, problem: OSError) -> str:
    """Why nothing can be written to a store, and what helps, without a full stop."""
    if problem.errno in _FULL:
        return (
            f"the disk of {store} is full ({_free(store)} free): remove what you do not need "
            "(`trackbook gc --dry-run` shows what the store holds)"
        )
    if problem.errno == errno.EFBIG:
        return f"a file in {store} is as large as this process may write: raise `ulimit -f`"
    if problem.errno in _CLOSED:
        return f"{store} cannot be written ({problem.strerror}): make it writable or use another"
    return f"{store} cannot be written now ({problem.strerror})"


def _free(folder: Path) -> str:
    try:
        status = os.statvfs(folder)
    except OSError:
        return "nothing"
    return formats.size(status.f_bavail * status.f_frsize)


_told: dict[str, float] = {}


def tell(about: str, message: str) -> None:
    """Warn in one line, at most once in ten minutes about the same; never an exception."""
    now = time.monotonic()
    if now - _told.get(about, -_AGAIN_S) < _AGAIN_S:
        return
    _told[about] = now
    # Where warnings are errors one must not end the thread that writes, nor a user's log call.
    with suppress(TrackbookWarning):
        warn(message)


def waiting(store: Path, problem: OSError) -> str:
    """The line for runs that go on in memory."""
    return (
        f"{reason(store, problem)}; runs go on, and what they log waits in memory, up to "
        f"{formats.size(CAP)} in all, until there is room"
    )


def taken(label: str) -> str:
    """The line for a run that another process has gone on with."""
    return f"another process has resumed {label}; what this one logs to it is not kept"


def dropping(store: Path) -> str:
    """The line for when points are no longer taken."""
    return (
        f"{formats.size(CAP)} wait in memory for room on the disk of {store}, which is the most: "
        "what is logged from now on is dropped until there is room"
    )


def dropped(points: int, since: float, until: float) -> str:
    """What ``%track why`` says of points that were not taken."""
    clock = [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(t)) for t in (since, until)]
    return (
        f"{points} points were dropped from {clock[0]} to {clock[1]} UTC: the disk took nothing "
        f"and {formats.size(CAP)} waited in memory"
    )


def lost(store: Path, label: str, points: int, open_: bool) -> str:
    """The line at the end of a process that could not write everything."""
    told = f"{points} points" if points else "its last changes"
    ending = "; it will read as lost, with the points that were written" if open_ else ""
    return f"{told} of {label} could not be written to {store} and are gone{ending}"
