"""Charts of runs as Vega-Lite dicts with their data inside: no altair, nothing to load.

A chart is one function ``(runs, points, key, *, width, height) -> spec``, registered in ``CHARTS``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import formats
from ..model import Document
from .columns import labels

if TYPE_CHECKING:
    from ..store.protocol import Points

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.4.1.json"
MOST_POINTS = 1000
MOST_CHARTS = 12

# Okabe and Ito: told apart with every kind of colour vision, on white and on black. Their yellow
# and black are left out, since each of them vanishes on one of the two backgrounds.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
_DASHES = ([1, 0], [6, 3], [2, 2])

Width = int | str
PointsOf = Mapping[str, Mapping[str, "Points"]]


def curves(
    runs: Sequence[Document],
    points: PointsOf,
    key: str,
    *,
    width: Width = "container",
    height: int = 220,
) -> dict[str, Any]:
    """A metric against its steps, one line a run; NaN and inf are gaps."""
    names = labels(runs)
    values = [
        {"run": name, "step": step, "value": value}
        for name, run in zip(names, runs, strict=True)
        if key in points.get(run["id"], {})
        for step, value in sample(points[run["id"]][key])
    ]
    shown = [name for name in names if any(v["run"] == name for v in values)]
    few = len(values) <= 40 * max(1, len(shown))
    mark = {"type": "line", "tooltip": True, "point": {"size": 22} if few else False}
    legend = {"title": None, "orient": "bottom", "columns": 3, "symbolType": "stroke"}
    scale = _colours(names, shown)
    encoding: dict[str, Any] = {
        "x": {"field": "step", "type": "quantitative", "title": "step", "axis": {"grid": False}},
        "y": {"field": "value", "type": "quantitative", "title": key, "scale": {"zero": False}},
        "color": {
            "field": "run",
            "type": "nominal",
            "scale": scale,
            "legend": legend,
        },
    }
    if len(shown) > len(PALETTE):
        dashes = [_DASHES[i // len(PALETTE) % len(_DASHES)] for i in range(len(shown))]
        encoding["strokeDash"] = {
            "field": "run",
            "type": "nominal",
            "scale": {"domain": shown, "range": dashes},
            "legend": legend,
        }
    return _spec(values, {"mark": mark, "encoding": encoding}, width, height)


def bars(
    runs: Sequence[Document],
    points: PointsOf,
    key: str,
    *,
    width: Width = "container",
    height: int | None = None,
) -> dict[str, Any]:
    """The last value of a metric, one bar a run; a value that is not finite is named, not drawn."""
    names = labels(runs)
    values: list[dict[str, Any]] = []
    for name, run in zip(names, runs, strict=True):
        last = (run.get("summary") or {}).get(key, {}).get("last")
        if last is not None:
            values.append({"run": name, "value": _finite(last), "text": formats.number(last)})
    shown = [value["run"] for value in values]
    y = {
        "field": "run",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 140},
    }
    x = {"field": "value", "type": "quantitative", "title": key}
    colour = {"field": "run", "type": "nominal", "scale": _colours(names, shown), "legend": None}
    written = {
        "mark": {"type": "text", "align": "left", "dx": 4, "color": "#808080"},
        "encoding": {"y": y, "x": {**x, "stack": False}, "text": {"field": "text"}},
    }
    drawn = {
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {"y": y, "x": {**x, "stack": False}, "color": colour},
    }
    # The numbers stand to the right of the bars, outside of what Vega reckons with.
    padding = {"left": 5, "top": 5, "right": 48, "bottom": 5}
    rest = {"layer": [drawn, written], "padding": padding}
    return _spec(values, rest, width, height or 40 + 26 * max(1, len(shown)))


# The names that ``Comparison.chart(kind=...)`` takes.
CHARTS: dict[str, Callable[..., dict[str, Any]]] = {"curves": curves, "bars": bars}


def kind_for(runs: Sequence[Document], key: str) -> str:
    """``bars`` for a metric with one point in every run that has it, else ``curves``."""
    counts = [run["summary"][key]["count"] for run in runs if key in (run.get("summary") or {})]
    return "bars" if all(count <= 1 for count in counts) else "curves"


def charts_for(runs: Sequence[Document], points: PointsOf) -> list[dict[str, Any]]:
    """A chart ``{id, title, kind, spec}`` for each metric of these runs, the most telling first.

    How the machine fared is shown of one run alone.
    """
    keys = [key for key in ranked_metrics(runs) if len(runs) == 1 or not formats.of_machine(key)]
    charts = []
    for key in keys[:MOST_CHARTS]:
        kind = kind_for(runs, key)
        spec = CHARTS[kind](runs, points, key)
        charts.append({"id": f"metrics.{key}", "title": key, "kind": kind, "spec": spec})
    return charts


def ranked_metrics(runs: Sequence[Document]) -> list[str]:
    """The metrics of these runs: headline first, then by preference, those of the machine last."""
    left = list(dict.fromkeys(key for run in runs for key in run.get("summary") or {}))
    named = [run["headline"] for run in runs if run.get("headline") in left]
    ranked = list(dict.fromkeys(named))
    left = [key for key in left if key not in ranked]
    while (best := formats.headline(left)) is not None:
        ranked.append(best)
        left.remove(best)
    return ranked + left


def sample(points: Points, most: int = MOST_POINTS) -> list[tuple[int, float | None]]:
    """At most ``most`` (step, value) pairs that keep first, last, and each bucket's extremes."""
    import numpy as np

    value = np.asarray(points.value, dtype=float)
    value = np.where(np.isfinite(value), value, np.nan)
    kept = np.arange(len(value))
    if len(value) > most:
        edges = np.linspace(1, len(value) - 1, (most - 2) // 2 + 1).astype(int)
        inner = [_extremes(value, a, b) for a, b in itertools.pairwise(edges)]
        kept = np.unique(np.concatenate([[0], *inner, [len(value) - 1]]).astype(int))
    return [
        (int(step), None if math.isnan(number) else float(number))
        for step, number in zip(points.step[kept], value[kept], strict=True)
    ]


def _extremes(value: Any, start: int, end: int) -> list[int]:
    import numpy as np

    bucket = value[start:end]
    if np.isnan(bucket).all():
        return [start]
    return [start + int(np.nanargmin(bucket)), start + int(np.nanargmax(bucket))]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _colours(names: Sequence[str], shown: Sequence[str]) -> dict[str, Any]:
    """A run has its colour in every chart of a comparison, also where others have no points."""
    return {"domain": list(shown), "range": [colour(names.index(name)) for name in shown]}


def colour(index: int) -> str:
    """The colour of the n-th run."""
    return PALETTE[index % len(PALETTE)]


def _spec(
    values: list[dict[str, Any]], rest: Mapping[str, Any], width: Width, height: int
) -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "width": width,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": "transparent",
        "config": {"view": {"stroke": None}},
        "data": {"values": values},
        **rest,
    }
