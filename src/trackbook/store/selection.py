"""Which documents, in which order: the part of reading that every kind of store shares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from ..errors import QueryError, RunNotFound
from ..model import Document, is_run_id
from . import attributes
from .attributes import MISSING
from .query import compile_where
from .rows import Found, Rows

_ATTEMPT = re.compile(r"(.+?)\s*#(\d{1,9})")
_PREFIX = re.compile(r"[0-9a-z-]{3,26}")
TOLD_BY = ("id", "name", "number", "started", "deleted")


def select(
    rows: Rows,
    where: Any,
    *,
    experiment: str | None,
    sort: str | Sequence[str],
    limit: int | None,
    archived: bool,
) -> Found:
    """The runs that match and are to be shown, sorted and cut."""
    places = rows.kept if archived else rows.shown
    if experiment is not None:
        of_each = rows.values("experiment")
        places = [place for place in places if of_each[place] == experiment]
    ordered = _sorted(rows, _matching(rows, where, places), sort)
    return Found(rows, ordered if limit is None else ordered[: max(limit, 0)])


def _matching(rows: Rows, where: Any, places: list[int]) -> list[int]:
    query = compile_where(where, rows.getter)
    if query is None:
        return list(places)
    if isinstance(where, str):
        return [place for place in places if query(place)]  # type: ignore[arg-type]
    both = zip(places, rows.documents(places), strict=True)
    return [place for place, document in both if query(document)]


def _sorted(rows: Rows, places: list[int], sort: str | Sequence[str]) -> list[int]:
    # Equal ones in an order that does not depend on how the runs were found.
    places.sort(key=rows.values("id").__getitem__, reverse=True)
    for key in reversed(_keys(sort)):
        descending = key.startswith("-")
        name, *parts = key.lstrip("-").split(".")
        value = rows.getter(name, parts)
        ranks = {place: _rank(value(place)) for place in places}
        missing = [place for place in places if ranks[place] is None]
        there = [place for place in places if ranks[place] is not None] if missing else places
        there.sort(key=ranks.__getitem__, reverse=descending)  # type: ignore[arg-type]
        places = there + missing
    return places


def _keys(sort: str | Sequence[str]) -> list[str]:
    """The keys of ``"status, -metrics.acc"``, or of a list, whose keys may hold a comma."""
    if isinstance(sort, str):
        return [key.strip() for key in sort.split(",")]
    if not isinstance(sort, Sequence):
        raise QueryError(f"sort is the name of an attribute or several, not {sort!r:.40}")
    return list(sort)


def _rank(value: Any) -> tuple[int, Any] | None:
    """Numbers before texts before the rest; None for what comes last in either direction."""
    if value is MISSING or value is None or value != value:
        return None
    if isinstance(value, int | float):
        return (0, value)
    return (1, value) if isinstance(value, str) else (2, str(value))


def check_sort(sort: str | Sequence[str]) -> None:
    """Raise ``QueryError`` where a sort key is no attribute of a run."""
    for key in _keys(sort):
        if not isinstance(key, str):
            raise QueryError(f"a sort key is the name of an attribute, not {key!r:.40}")
        name, *parts = key.lstrip("-").split(".")
        attributes.getter(name, parts)


def previous(rows: Rows, series: str, number: int) -> Document | None:
    """The run of a series with the next lower number, the deleted left out."""
    of_each, numbers = rows.values("series"), rows.values("number")
    lower = [p for p in rows.kept if of_each[p] == series and numbers[p] < number]
    return rows.document(max(lower, key=numbers.__getitem__)) if lower else None


def resolve(ref: str, documents: Iterable[Document]) -> str:
    """The run id meant by an id, a unique prefix, a name (its newest), ``name#n`` or ``latest``.

    Of the documents ``TOLD_BY`` will do.
    """
    ref = ref.strip() if isinstance(ref, str) else ""
    everything = sorted(documents, key=lambda d: (d["started"], d["id"]), reverse=True)
    if is_run_id(ref) and any(document["id"] == ref for document in everything):
        return ref
    live = [document for document in everything if not document.get("deleted")]
    if ref == "latest" and live:
        return str(live[0]["id"])
    # A deleted run is found where no other answers, so that it can be restored.
    for candidates in (live, everything):
        if found := _by_prefix(ref, candidates) or _by_name(ref, candidates):
            return found
    raise RunNotFound(_why_not(ref, live))


def _by_prefix(ref: str, documents: list[Document]) -> str | None:
    if not _PREFIX.fullmatch(ref):
        return None
    found = [document["id"] for document in documents if document["id"].startswith(ref)]
    return found[0] if len(found) == 1 else None


def _by_name(ref: str, documents: list[Document]) -> str | None:
    tests: list[Callable[[Document], bool]] = [lambda document: document["name"] == ref]
    if attempt := _ATTEMPT.fullmatch(ref):
        name, number = attempt[1], int(attempt[2])
        tests.append(lambda document: document["name"] == name and document["number"] == number)
    for test in tests:
        for document in documents:
            if test(document):
                return str(document["id"])
    return None


def _why_not(ref: str, documents: list[Document]) -> str:
    if not documents:
        return f"no run answers to {ref!r}: the store has none yet"
    several = [d["id"] for d in documents if ref and d["id"].startswith(ref)]
    if len(several) > 1:
        return (
            f"{len(several)} runs have an id that begins with {ref!r}: {', '.join(several[:3])} …"
        )
    names = list(dict.fromkeys(document["name"] for document in documents))
    near = get_close_matches(ref, names, 3, 0.5)
    hint = (
        f"did you mean {' or '.join(map(repr, near))}?" if near else f"the newest is {names[0]!r}"
    )
    return f"no run answers to {ref!r}; {hint}"
