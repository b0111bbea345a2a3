"""Every error a caller of Trackbook can meet.

TrackbookError
├── StoreError       the store cannot be used (not writable, a file, a newer format, disk full)
├── RunNotFound      no run answers to that reference (also a KeyError)
├── QueryError       a ``where`` expression we do not accept (also a ValueError)
├── InvalidValue     a value that cannot be logged (also a TypeError)
└── UntrustedRun     a run of somebody else's, whose code a replay would run

A message says what happened and what to do about it, in one line.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress


class TrackbookError(Exception):
    """Base of all errors raised by Trackbook."""

    def __str__(self) -> str:
        # KeyError would show the repr of the message.
        return str(self.args[0]) if self.args else ""


class StoreError(TrackbookError):
    """The store cannot be opened, read or written."""


class RunNotFound(TrackbookError, KeyError):
    """No run answers to the reference; the message names near misses."""


class QueryError(TrackbookError, ValueError):
    """A ``where`` expression that is not accepted; ``position`` is the column, counted from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class InvalidValue(TrackbookError, TypeError):
    """A param, metric or artifact that cannot be logged; nothing was changed."""


class UntrustedRun(TrackbookError):
    """A replay would run code that was not recorded and signed here; ``code`` shows it."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class TrackbookWarning(UserWarning):
    """Something of Trackbook's own failed; the user's work is not affected."""


def warn(message: str) -> None:
    """Show a ``TrackbookWarning``, without a line of code: it would be one of ours.

    Where the user has made every warning an error, ours is a line on stderr: a fault of the tracker
    ends nobody's work. A filter that names ``TrackbookWarning`` itself holds.
    """
    try:
        warnings.warn_explicit(message, TrackbookWarning, "<trackbook>", 0)
    except TrackbookWarning:
        if any(entry[0] == "error" and entry[2] is TrackbookWarning for entry in warnings.filters):
            raise
        with suppress(OSError, ValueError, AttributeError):  # nobody hears
            print(message, file=sys.stderr)  # noqa: T201 - stdout is the user's
