"""The attempt strip of a cell: each attempt as a dot, with what the dot's card says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import formats
from ..model import Document
from . import attempt, columns


def strip(documents: Sequence[Document]) -> dict[str, Any]:
    """``{key, best, attempts}`` of the attempts of one series, in their order.

    ``key`` is the metric that the newest attempt with metrics is judged by (None without any) and
    ``best`` the id of the run that is best by it. Each attempt has a ``shade`` from 0 (worst) to 1
    (best; for a metric without a known direction the highest), None where it has no such value.
    """
    heads = [columns.headline(document) for document in documents]
    key = next((head["key"] for head in reversed(heads) if head), None)
    values = [_value(document, key) for document in documents]
    shades = _shades(values, formats.direction(key) if key else 0)
    pairs = zip(documents, heads, shades, strict=True)
    attempts = [_attempt(document, head, shade) for document, head, shade in pairs]
    directed = key is not None and formats.direction(key) != 0
    best = max(range(len(shades)), key=lambda i: -1.0 if (s := shades[i]) is None else s, default=0)
    found = directed and shades[best] is not None
    return {"key": key, "best": attempts[best]["id"] if found else None, "attempts": attempts}


def _attempt(
    document: Document, head: dict[str, Any] | None, shade: float | None
) -> dict[str, Any]:
    error = document.get("error") or {}
    shown = None
    if head is not None:
        change = "" if head["delta"] is None else formats.delta(head["delta"], 0.0)
        shown = {key: head[key] for key in ("key", "text", "better")} | {"delta": change}
    seconds = columns.duration(document)
    return {
        **{key: document[key] for key in ("id", "name", "number", "status")},
        "started": document["started"],
        "duration": "" if seconds is None else formats.duration(seconds),
        "headline": shown,
        "shade": shade,
        "changed": attempt.changed(document),
        "error": formats.value(f"{error['type']}: {error.get('message')}", 160) if error else None,
        "star": bool(document.get("star")),
        "source": bool((document.get("cell") or {}).get("source")),
    }


def _value(document: Document, key: str | None) -> float | None:
    value = ((document.get("summary") or {}).get(key) or {}).get("last")
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _shades(values: Sequence[float | None], leaning: int) -> list[float | None]:
    known = [value for value in values if value is not None]
    if not known:
        return [None] * len(values)
    low, high = min(known), max(known)
    spread = high - low

    def shade(value: float | None) -> float | None:
        if value is None:
            return None
        if not spread or not math.isfinite(spread):
            return 1.0
        share = (value - low) / spread
        return round(1 - share if leaning < 0 else share, 3)

    return [shade(value) for value in values]
