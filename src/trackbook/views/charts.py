"""Charts of runs as Vega-Lite dicts with their data inside: no altair, nothing to load.

A chart is one function ``(runs, points, key, *, width, height, ...) -> spec``, registered in
``CHARTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import formats
from ..model import Document
from .curves import PointsOf, curves
from .importance import importance
from .palette import PALETTE
from .relations import bar, histogram, parallel, scatter
from .vegalite import SCHEMA

__all__ = ["CHARTS", "PALETTE", "SCHEMA", "PointsOf", "charts_for", "kind_for", "ranked_metrics"]

MOST_CHARTS = 12
# So many points are kept in all the charts of a notebook's output together.
_MOST_KEPT = 2000

# The names that ``Comparison.chart(kind=...)`` takes.
CHARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "curves": curves,
    "bar": bar,
    "scatter": scatter,
    "parallel": parallel,
    "histogram": histogram,
    "importance": importance,
}


def kind_for(runs: Sequence[Document], key: str) -> str:
    """``bar`` for a metric with one point in every run that has it, else ``curves``."""
    counts = [run["summary"][key]["count"] for run in runs if key in (run.get("summary") or {})]
    return "bar" if all(count <= 1 for count in counts) else "curves"


def charts_for(runs: Sequence[Document], points: PointsOf) -> list[dict[str, Any]]:
    """A chart ``{id, title, kind, spec}`` for each metric of these runs, the most telling first.

    How the machine fared is shown of one run alone. There are at most 2,000 points in all.
    """
    keys = charted(runs)[:MOST_CHARTS]
    lines = sum(
        len([run for run in runs if key in (run.get("summary") or {})])
        for key in keys
        if kind_for(runs, key) == "curves"
    )
    most = max(24, _MOST_KEPT // max(1, lines))
    found = []
    for key in keys:
        kind = kind_for(runs, key)
        size = {"most": min(most, 500)} if kind == "curves" else {}
        spec = CHARTS[kind](runs, points, key, **size)
        found.append({"id": f"metrics.{key}", "title": key, "kind": kind, "spec": spec})
    return found


def charted(runs: Sequence[Document]) -> list[str]:
    """The metrics that have a chart of their own, the most telling first."""
    ranked = ranked_metrics(runs)
    return [key for key in ranked if len(runs) == 1 or not formats.of_machine(key)]


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
