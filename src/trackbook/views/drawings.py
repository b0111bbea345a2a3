"""Pictures of what a run kept as data, as Vega-Lite dicts: matrices, importances and curves."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InvalidValue
from ..jsonable import loads
from .charts import PALETTE, SCHEMA

_MOST_CLASSES = 100
_MOST_BARS = 30
_MOST_POINTS = 1000
# Across and up; the thresholds are no axis.
_CURVES = (("fpr", "tpr"), ("recall", "precision"), ("fpr", "fnr"))


def draw(name: str, data: bytes) -> dict[str, Any]:
    """The picture of an artifact; raises ``InvalidValue`` where its content has none."""
    try:
        if name.endswith(".csv"):
            return _importances(name, list(csv.DictReader(io.StringIO(data.decode("utf-8")))))
        found = loads(data)
        if isinstance(found, Mapping) and "matrix" in found:
            return _matrix(name, found["labels"], found["matrix"])
        if isinstance(found, Mapping):
            return _curve(name, found)
    except (ValueError, KeyError, TypeError, IndexError, StopIteration) as problem:
        raise InvalidValue(f"{name!r} cannot be drawn: {problem!r:.100}") from None
    raise InvalidValue(f"{name!r} is no matrix, curve or table of importances")


def _matrix(name: str, labels: Sequence[Any], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """True classes down, predicted ones across, the count in each cell."""
    if len(rows) > _MOST_CLASSES:
        raise InvalidValue(f"{name!r} has {len(rows)} classes; up to {_MOST_CLASSES} are drawn")
    names = [str(label) for label in labels]
    most = max((float(value) for row in rows for value in row), default=0.0)
    values = [
        {"true": true, "predicted": predicted, "count": value, "share": float(value) / (most or 1)}
        for true, row in zip(names, rows, strict=True)
        for predicted, value in zip(names, row, strict=True)
    ]
    axes = {
        "x": {"field": "predicted", "type": "nominal", "sort": names},
        "y": {"field": "true", "type": "nominal", "sort": names},
    }
    colour = {"field": "count", "type": "quantitative", "scale": {"scheme": "blues"}}
    dark = {"condition": {"test": "datum.share > 0.5", "value": "white"}, "value": "black"}
    cells = {"mark": {"type": "rect", "tooltip": True}, "encoding": {**axes, "color": colour}}
    text = {"field": "count", "type": "quantitative"}
    counts = {"mark": "text", "encoding": {**axes, "text": text, "color": dark}}
    size = {"width": {"step": 36}, "height": {"step": 36}}
    return {**_spec(name, values), **size, "layer": [cells, counts]}


def _importances(name: str, rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The features that count most, one bar each, by the table's second column."""
    key = next(column for column in rows[0] if column != "feature")
    pairs = sorted(((float(row[key] or 0), row["feature"]) for row in rows), key=_size)
    most = [{"feature": feature, key: value} for value, feature in pairs[:_MOST_BARS]]
    encoding = {
        "x": {"field": key, "type": "quantitative"},
        "y": {"field": "feature", "type": "nominal", "sort": None, "title": None},
    }
    mark = {"type": "bar", "tooltip": True, "color": PALETTE[0]}
    return {**_spec(name, most), "height": {"step": 18}, "mark": mark, "encoding": encoding}


def _size(pair: tuple[float, str]) -> float:
    return -abs(pair[0])


def _curve(name: str, columns: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    found = [pair for pair in _CURVES if pair[0] in columns and pair[1] in columns]
    if not found:
        raise InvalidValue(f"{name!r} is no matrix, curve or table of importances")
    across, up = found[0]
    points = list(zip(columns[across], columns[up], strict=False))[: 2 * _MOST_POINTS]
    values = [{across: x, up: y, "order": i} for i, (x, y) in enumerate(points)]
    encoding = {
        "x": {"field": across, "type": "quantitative"},
        "y": {"field": up, "type": "quantitative"},
        "order": {"field": "order"},
    }
    mark = {"type": "line", "tooltip": True, "color": PALETTE[0]}
    return {**_spec(name, values), "mark": mark, "encoding": encoding}


def _spec(name: str, values: list[dict[str, Any]]) -> dict[str, Any]:
    title = name.rpartition(".")[0].replace("_", " ")
    return {
        "$schema": SCHEMA,
        "title": title,
        "background": "transparent",
        "data": {"values": values},
    }
