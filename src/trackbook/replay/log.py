"""The executed cells of a session, as a run's ``cells.jsonl`` tells them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ..errors import StoreError
from ..jsonable import loads
from ..store import Blobs


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
    sampled: bool = False
    """Whether the hash is that of a sample, see ``capture.identity``."""


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


_MOST = 20_000
_MOST_NAMES = 20_000
_LONGEST = 1_000
_NOT_EXTRA = {
    *("order", "cell", "count", "source", "started", "ended", "ok", "error", "bound", "mutated"),
    *("read", "deleted", "untrusted", "ambient", "flags", "rng", "files"),
}


def read(
    document: Mapping[str, Any], lines: Iterable[Mapping[str, Any]], blobs: Blobs
) -> list[Execution]:
    """The executions in the lines of a run's ``cells.jsonl``, in order; damaged ones left out.

    ``document`` is the run's: its own cell stands for the log where there is none.
    """
    found = [
        execution
        for line in _lines(lines, blobs)
        if (execution := _execution(line, blobs)) is not None
    ]
    if not found:
        found = _own_cell(document, blobs)
    unique = {execution.order: execution for execution in found}
    return [unique[order] for order in sorted(unique)]


def _lines(lines: Iterable[Mapping[str, Any]], blobs: Blobs) -> Iterator[Mapping[str, Any]]:
    left = _MOST
    for line in lines:
        segment = line.get("segment") if isinstance(line, Mapping) else None
        for inner in [line] if segment is None else _segment(segment, blobs):
            left -= 1
            if left < 0:
                return
            if isinstance(inner, Mapping):
                yield inner


def _segment(name: object, blobs: Blobs) -> Iterator[Any]:
    for line in (_blob(name, blobs) or b"").splitlines():
        try:
            yield loads(line)
        except ValueError:
            continue


def _blob(name: object, blobs: Blobs) -> bytes | None:
    try:
        return blobs.get(name) if isinstance(name, str) else None
    except StoreError:
        return None


def _execution(line: Mapping[str, Any], blobs: Blobs) -> Execution | None:
    order, source = line.get("order"), _blob(line.get("source"), blobs)
    if type(order) is not int or order < 1 or source is None:
        return None
    error = _text(line.get("error"))
    return Execution(
        order=order,
        cell=_text(line.get("cell")),
        count=line["count"] if type(line.get("count")) is int else None,
        source=source.decode("utf-8", "replace"),
        started=_time(line.get("started")),
        ended=_time(line.get("ended")),
        ok=line.get("ok") is not False and error is None,
        error=error,
        bound=_names(line.get("bound")),
        mutated=_names(line.get("mutated")),
        read=_names(line.get("read")),
        deleted=_names(line.get("deleted")),
        untrusted=_names(line.get("untrusted")),
        ambient=_names(line.get("ambient")),
        flags=_names(line.get("flags")),
        rng=_texts(line.get("rng")),
        files=_files(line.get("files")),
        recorded=isinstance(line.get("bound"), list),
        extra={key: value for key, value in line.items() if key not in _NOT_EXTRA},
    )


def _own_cell(document: Mapping[str, Any], blobs: Blobs) -> list[Execution]:
    cell = document.get("cell")
    if not isinstance(cell, Mapping):
        return []
    line = {"order": 1, "cell": cell.get("id"), "source": cell.get("source")}
    times = {"started": document.get("started"), "ended": document.get("ended")}
    own = _execution({**line, **times}, blobs)
    return [] if own is None else [own]


def _text(value: object) -> str | None:
    return value[:_LONGEST] if isinstance(value, str) else None


def _time(value: object) -> float:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if known and isfinite(value) else 0.0  # type: ignore[arg-type]


def _names(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        return frozenset()
    return frozenset(v for v in value[:_MOST_NAMES] if isinstance(v, str) and len(v) <= _LONGEST)


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {k: v for k, v in value.items() if isinstance(k, str) and isinstance(v, str)}


def _files(value: object) -> tuple[FileSeen, ...]:
    found: list[FileSeen] = []
    for entry in value[:_MOST_NAMES] if isinstance(value, list) else ():
        if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
            continue
        how, size = entry.get("how"), entry.get("size")
        if how not in ("read", "written", "seen by name"):
            continue
        known = type(size) is int and size >= 0
        found.append(
            FileSeen(
                path=entry["path"],
                how=how,
                hash=_text(entry.get("hash")),
                size=size if known else None,
                blob=_text(entry.get("blob")),
                sampled=entry.get("sampled") is True,
            )
        )
    return tuple(found)
