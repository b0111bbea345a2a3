"""What a notebook keeps of a display: our own type for a live view, HTML, and text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..jsonable import encode
from ..views import html, text

MIME = "application/vnd.trackbook.v1+json"
_MOST_ROWS = 50


def of_table(
    store: str, table: dict[str, Any], query: dict[str, Any] | None, refs: Sequence[str] | None
) -> dict[str, Any]:
    """The bundle of a table of runs; its first rows are inside."""
    table = {**table, "rows": table["rows"][:_MOST_ROWS]}
    data = _data("runs", store, query=query, refs=refs, table=table)
    return {MIME: data, "text/html": html.table_html(table), "text/plain": text.table_text(table)}


def of_comparison(store: str, comparison: dict[str, Any]) -> dict[str, Any]:
    """The bundle of a comparison; all of it is inside."""
    data = _data("compare", store, refs=comparison["refs"], comparison=comparison)
    return {
        MIME: data,
        "text/html": html.comparison_html(comparison),
        "text/plain": text.comparison_text(comparison),
    }


def _data(kind: str, store: str, **parts: Any) -> Any:
    absent = dict.fromkeys(("query", "refs", "table", "comparison"))
    return encode({"version": 1, "kind": kind, "store": store, **absent, **parts})
