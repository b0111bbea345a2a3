"""What a notebook keeps of a display: our own type for a live view, HTML, and text.

All three together stay below ``LIMIT``, whatever is shown: a notebook is saved whole, each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from ..jsonable import dumps, encode
from ..views import html, text

T = TypeVar("T")

MIME = "application/vnd.trackbook.v1+json"
LIMIT = 200_000
"""Bytes of one output."""

_SHARES = {MIME: 100_000, "text/html": 78_000, "text/plain": 20_000}
_MOST_ROWS = 50
_MOST_COLUMNS = 40
_MOST_CHARTS = 50_000
_MOST_DIFF = 10_000
_LARGEST_ROW = 8_000
_MOST_IN_SECTION = (30, 20, 12, 8)


def of_table(
    store: str, table: dict[str, Any], query: dict[str, Any] | None, refs: Sequence[str] | None
) -> dict[str, Any]:
    """The bundle of a table of runs; its first rows are inside."""

    def data(shown: dict[str, Any]) -> Any:
        return _data("runs", store, query=query, refs=refs, table=shown)

    fewer = list(_smaller_tables(table))
    return {
        MIME: _first_that_fits(MIME, fewer, data),
        "text/html": _first_that_fits("text/html", fewer, html.table_html),
        "text/plain": _cut(text.table_text(fewer[0])),
    }


def of_comparison(store: str, comparison: dict[str, Any]) -> dict[str, Any]:
    """The bundle of a comparison; of a large one what differs, and the first charts."""

    def data(shown: dict[str, Any]) -> Any:
        return _data("compare", store, refs=comparison["refs"], comparison=shown)

    lighter = list(_lighter_comparisons(comparison))
    return {
        MIME: _first_that_fits(MIME, lighter, data),
        "text/html": _first_that_fits("text/html", lighter, html.comparison_html),
        "text/plain": _cut(text.comparison_text(comparison)),
    }


def _data(kind: str, store: str, **parts: Any) -> Any:
    absent = dict.fromkeys(("query", "refs", "table", "comparison"))
    return encode({"version": 1, "kind": kind, "store": store, **absent, **parts})


def _first_that_fits(kind: str, forms: Iterable[dict[str, Any]], made: Callable[[Any], T]) -> T:
    for form in forms:
        result = _savable(made(form))
        if _size(result) <= _SHARES[kind]:
            break
    return result


def _size(value: Any) -> int:
    return len(value.encode("utf-8")) if isinstance(value, str) else len(dumps(value))


def _savable(value: T) -> T:
    """The value with lone surrogates escaped: Jupyter can neither send nor save them."""
    return cast(T, _escaped(value))


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_escaped(key): _escaped(one) for key, one in value.items()}
    return [_escaped(one) for one in value] if isinstance(value, list) else value


def _cut(shown: str) -> str:
    """The lines of a text that fit, and how many do not."""
    shown = _savable(shown)
    lines, left = shown.split("\n"), _SHARES["text/plain"]
    for place, line in enumerate(lines):
        left -= _size(line) + 1
        if left < 0:
            return "\n".join([*lines[:place], f"… {len(lines) - place} more lines"])
    return shown


def _smaller_tables(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The table with ever fewer rows; the live view asks for the rest."""
    columns = table["columns"][:_MOST_COLUMNS]
    keys = [column["key"] for column in columns]
    few = {**table, "columns": columns} if len(columns) < len(table["columns"]) else table
    for most in (_MOST_ROWS, 25, 12, 6, 3, 1, 0):
        rows = [_with_cells(row, keys) for row in table["rows"][:most]]
        yield {**few, "rows": rows}


def _with_cells(row: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    cells = row["cells"]
    return {**row, "cells": {key: cells[key] for key in keys if key in cells}}


def _lighter_comparisons(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The comparison without what costs most, the dispensable first."""
    yield whole
    light = {**whole, "runs": [_with_cells(row, ()) for row in whole["runs"]]}
    light["charts"] = list(_within(whole["charts"], _MOST_CHARTS))
    yield light
    diff = _savable(whole["diff"]).splitlines(keepends=True)
    light = {**light, "diff": "".join(_within(diff, _MOST_DIFF))}
    yield light
    for most in _MOST_IN_SECTION:
        light = {**light, "sections": [_differing(part, most) for part in whole["sections"]]}
        yield light
    yield (light := {**light, "charts": light["charts"][:1], "diff": ""})
    yield (light := {**light, "charts": []})
    yield {**light, "sections": []}


def _within(parts: Iterable[T], budget: int) -> Iterator[T]:
    for part in parts:
        budget -= _size(part)
        if budget < 0:
            return
        yield part


def _differing(section: dict[str, Any], most: int) -> dict[str, Any]:
    rows = [row for row in section["rows"] if row["differs"] and _size(row) <= _LARGEST_ROW]
    return {**section, "rows": rows[:most]}
