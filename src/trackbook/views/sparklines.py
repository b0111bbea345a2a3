"""A run's curve in the size of a table's cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import formats
from ..model import Document
from .columns import headline

if TYPE_CHECKING:
    from ..store import Points

_BUCKETS = 24


def key_of(document: Document) -> str | None:
    """The metric whose curve is shown: the headline where it has points, else the next best."""
    summary = document.get("summary") or {}
    drawn = [key for key, entry in summary.items() if (entry.get("count") or 0) > 1]
    first = headline(document)
    if first is not None and first["key"] in drawn:
        return str(first["key"])
    return formats.headline(drawn)


def curve(key: str, points: Points) -> dict[str, Any] | None:
    """``{key, values}``: at most 48 finite values that keep the extremes; None for under two."""
    finite = [value for value in points.value.tolist() if value - value == 0]
    if len(finite) < 2:
        return None
    return {"key": key, "values": _thinned(finite)}


def _thinned(values: list[float]) -> list[float]:
    if len(values) <= 2 * _BUCKETS:
        return values
    kept: list[float] = []
    for bucket in range(_BUCKETS):
        start, end = (len(values) * at // _BUCKETS for at in (bucket, bucket + 1))
        part = range(start, end)
        low, high = min(part, key=values.__getitem__), max(part, key=values.__getitem__)
        kept += [values[place] for place in sorted({low, high})]
    return kept
