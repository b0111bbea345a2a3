"""The executed cells of a session, as a run's ``cells.jsonl`` tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file that a cell read or wrote."""

    path: str
    how: str
    """``read``, ``written``, or ``seen by name``: named by the source, its reading not seen."""
    hash: str | None = None
    """``<algorithm>-<hex>`` of the content when it was read; None where it was not hashed."""
    size: int | None = None
    blob: str | None = None
    """The content, where it was small enough to keep."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of a cell, with what was seen of it."""

    order: int
    """1 is the first of the session."""
    cell: str | None
    count: int | None
    source: str
    started: float
    ended: float
    ok: bool
    error: str | None = None
    bound: frozenset[str] = frozenset()
    mutated: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()
    untrusted: frozenset[str] = frozenset()
    """Names whose objects may have changed unseen."""
    ambient: frozenset[str] = frozenset()
    """State outside the namespace that it changed: ``environ``, ``cwd``, ``rcParams`` ..."""
    flags: frozenset[str] = frozenset()
    """What no record can follow: ``exec``, ``%run``, ``shell``, ``threads`` ..."""
    rng: Mapping[str, str] = field(default_factory=dict)
    """The blobs of the generators' states before it, by generator."""
    files: tuple[FileSeen, ...] = ()
    recorded: bool = True
    """False where only source and outcome are known: written before there was more, or too fast."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What else its line says."""
