"""The frame that all our Vega-Lite charts share: sizes, colours, and what a page may change.

A front end may set three parameters of any chart: ``focus`` (the runs to bring forward, by label;
empty for all) and, of curves, ``x_from`` and ``x_to`` (the part to show; null for all).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InvalidValue
from ..model import Document
from .columns import labels
from .palette import styles

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.4.1.json"
Width = int | str

_FOCUSED = "!length(focus) || indexof(focus, datum.run) >= 0"
LEGEND: dict[str, Any] = {"title": None, "orient": "bottom", "columns": 3, "symbolType": "stroke"}
LEGEND |= {"symbolOpacity": 1, "symbolStrokeWidth": 2}


def spec(
    values: list[dict[str, Any]],
    rest: Mapping[str, Any],
    width: Width,
    height: int,
    note: str | Sequence[str] = "",
) -> dict[str, Any]:
    """A chart of these rows; ``note`` stands above it, in small print."""
    small = {"fontSize": 11, "fontWeight": "normal", "color": "#808080", "anchor": "start"}
    title = {"text": note, **small} if note else None
    return {
        "$schema": SCHEMA,
        "width": width,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": "transparent",
        "config": {"view": {"stroke": None}},
        **({"title": title} if title else {}),
        "params": [{"name": "focus", "value": []}],
        "data": {"values": values},
        **rest,
    }


def focused(full: float = 1.0, faint: float = 0.12) -> dict[str, Any]:
    """The opacity of a mark whose run may be in focus."""
    return {"condition": {"test": _FOCUSED, "value": full}, "value": faint}


def colours(runs: Sequence[Document], shown: Sequence[str], legend: bool = True) -> dict[str, Any]:
    """The colour channel: a run has its colour in every chart, also where others have no points."""
    own = dict(zip(labels(runs), styles(runs), strict=True))
    scale = {"domain": list(shown), "range": [own[name].colour for name in shown]}
    kind = {"field": "run", "type": "nominal", "scale": scale}
    return {**kind, "legend": LEGEND if legend and shown else None}


def dashes(
    runs: Sequence[Document], shown: Sequence[str], legend: bool = True
) -> dict[str, Any] | None:
    """The channel of dashes; None where colours alone tell the runs apart."""
    own = dict(zip(labels(runs), styles(runs), strict=True))
    patterns = [own[name].dash for name in shown]
    if all(pattern == [1, 0] for pattern in patterns):
        return None
    scale = {"domain": list(shown), "range": patterns}
    kind = {"field": "run", "type": "nominal", "scale": scale}
    return {**kind, "legend": LEGEND if legend else None}


def finite(value: Any) -> float | None:
    """The number, in the seven digits that a drawing shows; None where it is none or not finite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return float(f"{number:.7g}") if math.isfinite(number) else None


def logged(axes: str | None) -> tuple[bool, bool]:
    """Which of x and y have a log scale, of ``"x"``, ``"y"``, ``"xy"`` or None."""
    if axes not in (None, "", "x", "y", "xy"):
        raise InvalidValue(f'log={axes!r} is none of "x", "y" and "xy"')
    return "x" in (axes or ""), "y" in (axes or "")


def scale(log: bool, **rest: Any) -> dict[str, Any]:
    """A scale that is logarithmic or linear, without zero where zero says nothing."""
    return {"type": "log", **rest} if log else {"zero": False, "nice": True, **rest}
