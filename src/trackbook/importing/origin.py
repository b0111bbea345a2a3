"""What every source of foreign runs gives: first a list, then one run at a time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..errors import StoreError
from ..jsonable import dumps
from ..store.whole import Point

_LAST_MOMENT = 253_402_300_800.0  # the year 10000, whose dates are no run ids any more


@dataclass(frozen=True)
class Listed:
    """A run as the first look tells it: the tool's id, and when it started (seconds, UTC)."""

    id: str
    started: float


@dataclass(frozen=True)
class Kept:
    """A file of a run: a regular file whose way was checked, or its bytes."""

    name: str
    path: Path | None = None
    data: bytes = b""
    captured: bool = False
    """Taken by the tool itself, such as a source file; so secrets in it are hidden here."""


@dataclass
class Content:
    """All that a source knows of a run, in our words; nothing of it is redacted yet."""

    name: str
    experiment: str
    status: str
    started: float
    ended: float | None = None
    series: str = ""
    """What tells the attempts of one name apart besides the name and the experiment."""
    parent: str | None = None
    """The tool's id of the parent."""
    deleted: bool = False
    user: str = ""
    host: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    notebook: str = ""
    git: dict[str, Any] | None = None
    patch: str = ""
    env: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] | None = None
    inputs: list[dict[str, Any]] = field(default_factory=list)
    points: Iterable[Point] = ()
    """Read once, as they come; may raise ``StoreError`` and add to ``gaps`` on the way."""
    files: list[Kept] = field(default_factory=list)
    logs: str = ""
    gaps: dict[str, str] = field(default_factory=dict)
    """What does not come over, and why."""


class Source(Protocol):
    """The runs of one tool in one place. Whatever cannot be read is a ``StoreError``."""

    tool: str
    """Part of every run id that comes of it."""
    title: str
    """The tool as people write it."""
    path: Path

    def look(self) -> tuple[list[Listed], list[str]]:
        """The runs, and what is wrong with those that cannot even be listed."""

    def state(self, run: Listed) -> str:
        """Something that differs once the run has changed; costs less than reading it."""

    def read(self, run: Listed) -> Content:
        """The whole run."""


def moment(seconds: Any, what: str) -> float:
    """A time as seconds since 1970, UTC; raises ``StoreError`` for what is no time of this era."""
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        value = float(seconds) if abs(seconds) < _LAST_MOMENT else math.inf
        if 0 <= value < _LAST_MOMENT:
            return value
    raise StoreError(f"{what} is {seconds!r:.40}, which is no time")


def moment_or_none(seconds: Any) -> float | None:
    """A time, or None for what is none."""
    try:
        return moment(seconds, "")
    except StoreError:
        return None


def digest(facts: Any) -> str:
    """Something short that is the same only for the same plain data."""
    return hashlib.sha256(dumps(facts)).hexdigest()[:32]
