"""Runs as points, bars and counts: how what came out goes with what was chosen."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from .. import formats
from ..errors import InvalidValue
from ..model import Document, flatten
from .columns import labels
from .curves import PointsOf
from .manyruns import identity
from .measures import meant, measure, measures, number, title
from .palette import PALETTE
from .vegalite import Width, colours, finite, focused, logged, scale, spec

_SEEDS = ("seed", "random_state", "random_seed")
# Blue to orange: seen with every kind of colour vision, on white and on black.
_RAMP = {"range": [PALETTE[0], "#9C8B9B", PALETTE[1]]}


def bar(
    runs: Sequence[Document],
    points: PointsOf,
    key: str,
    *,
    by: str | None = None,
    legend: bool = True,
    width: Width = "container",
    height: int | None = None,
) -> dict[str, Any]:
    """The last value of a metric, one bar a run; a value that is not finite is named, not drawn.

    ``by`` makes one bar of the runs that share a param or tag, or, with ``"seed"``, of those that
    differ in nothing but their seed: the mean, a line of one standard deviation to each side, and
    a dot for each run.
    """
    key = meant(runs, key)
    if by is not None:
        return _spread(runs, key, by, width, height)
    rows: list[dict[str, Any]] = []
    for name, run in zip(labels(runs), runs, strict=True):
        last = measure(run, key)
        if number(last) is not None or last != last:
            rows.append({"run": name, "value": finite(last), "text": formats.number(last)})
    y = _names(None)
    x = {"field": "value", "type": "quantitative", "title": title(key), "stack": False}
    shown = [row["run"] for row in rows]
    colour = {**colours(runs, shown), "legend": None}
    own = {"color": colour, "opacity": focused(1.0, 0.25)}
    drawn = {"mark": {"type": "bar", "tooltip": True}, "encoding": own}
    rest = {"encoding": {"y": y, "x": x}, "layer": [drawn, _written()]}
    # The numbers stand to the right of the bars, outside of what Vega reckons with.
    rest["padding"] = {"left": 5, "top": 5, "right": 48, "bottom": 5}
    return spec(rows, rest, width, height or _tall(rows))


def _spread(
    runs: Sequence[Document], key: str, by: str, width: Width, height: int | None
) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for name, members in groups(runs, by).items():
        values = [(run, finite(measure(runs[place], key))) for run, place in members]
        there = [value for _, value in values if value is not None]
        if not there:
            continue
        mean = statistics.fmean(there)
        spread = statistics.stdev(there) if len(there) > 1 else 0.0
        text = formats.number(mean) + (f" ± {spread:.2g}" if len(there) > 1 else "")
        text += f"  (n = {len(there)})"
        whole = {"group": name, "value": finite(mean), "text": text}
        rows.append({**whole, "low": finite(mean - spread), "high": finite(mean + spread)})
        rows += [{"group": name, "run": run, "dot": v} for run, v in values if v is not None]
    y = _names("group")
    x = {"type": "quantitative", "title": title(key)}
    grey = {"value": "#808080"}
    bars = {
        "mark": {"type": "bar", "color": PALETTE[4], "opacity": 0.7},
        "encoding": {"x": {"field": "value", **x, "stack": False}},
    }
    lines: dict[str, Any] = {"mark": {"type": "rule", "strokeWidth": 2}}
    lines["encoding"] = {"x": {"field": "low", **x}, "x2": {"field": "high"}, "color": grey}
    tooltip = [{"field": "run"}, {"field": "dot", "title": title(key), "format": ".4~g"}]
    dots = {
        "mark": {"type": "circle", "size": 44, "color": PALETTE[0], "opacity": 1},
        "encoding": {"x": {"field": "dot", **x}, "tooltip": tooltip},
    }
    written = _written()
    written["encoding"]["x"] = {"field": "high", **x}
    padding = {"left": 5, "top": 5, "right": 104, "bottom": 5}
    rest = {"encoding": {"y": y}, "layer": [bars, lines, dots, written], "padding": padding}
    note = "mean; the line is one standard deviation to each side, a dot is a run"
    return spec(rows, rest, width, height or _tall(groups(runs, by)), note)


def groups(runs: Sequence[Document], by: str) -> dict[str, list[tuple[str, int]]]:
    """Label and place of each run, by what they share."""
    names = labels(runs)
    found: dict[str, list[tuple[str, int]]] = {}
    if by in _SEEDS:
        records = [_seedless(run) for run in runs]
        keys = dict.fromkeys(key for record in records for key in record)
        moving = [k for k in keys if len({identity(r.get(k)) for r in records}) > 1]
        texts = [", ".join(f"{k}={formats.value(r.get(k))}" for k in moving) for r in records]
        texts = [text or str(run.get("name")) for text, run in zip(texts, runs, strict=True)]
    else:
        whole = meant(runs, by)
        values = [measure(run, whole) for run in runs]
        texts = ["none" if value is None else formats.value(value) for value in values]
    for place, text in enumerate(texts):
        found.setdefault(text, []).append((names[place], place))
    return found


def _seedless(run: Document) -> dict[str, Any]:
    flat = flatten(run.get("params") or {})
    return {k: v for k, v in flat.items() if k.rpartition(".")[2].lower() not in _SEEDS}


def _names(field: str | None) -> dict[str, Any]:
    axis = {"labelLimit": 180}
    return {"field": field or "run", "type": "nominal", "sort": None, "title": None, "axis": axis}


def _written() -> dict[str, Any]:
    mark = {"type": "text", "align": "left", "dx": 5, "color": "#808080"}
    return {"mark": mark, "encoding": {"text": {"field": "text"}}}


def _tall(rows: Any) -> int:
    return 40 + 26 * max(1, len(rows))


def scatter(
    runs: Sequence[Document],
    points: PointsOf,
    key: str,
    *,
    x: str | None = None,
    color: str | None = None,
    log: str | None = None,
    legend: bool = True,
    width: Width = "container",
    height: int = 280,
) -> dict[str, Any]:
    """One point a run: a metric against a param or another metric.

    ``x`` is by default the first numeric param that differs. ``color`` is a param or metric, by
    default each run has its own colour.
    """
    y = meant(runs, key)
    across = meant(runs, x) if x else _first_param(runs)
    tint = meant(runs, color) if color else None
    rows: list[dict[str, Any]] = []
    for name, run in zip(labels(runs), runs, strict=True):
        place = finite(measure(run, across)) if _numeric(runs, across) else measure(run, across)
        value = finite(measure(run, y))
        if place is not None and value is not None:
            row = {"run": name, "x": place, "y": value}
            rows.append(row if tint is None else {**row, "color": measure(run, tint)})
    log_x, log_y = logged(log)
    kind = "quantitative" if _numeric(runs, across) else "nominal"
    own: dict[str, Any] = {"scale": scale(log_x), "axis": {"tickCount": 6}}
    if kind == "nominal":
        own = {"axis": {"labelAngle": 0}}
    tooltip = [
        {"field": "run"},
        {"field": "x", "title": title(across)},
        {"field": "y", "title": title(y), "format": ".4~g"},
    ]
    encoding: dict[str, Any] = {
        "x": {"field": "x", "type": kind, "title": title(across), **own},
        "y": {"field": "y", "type": "quantitative", "title": title(y), "scale": scale(log_y)},
        "color": colours(runs, [row["run"] for row in rows], legend and len(runs) <= 12),
        "opacity": focused(0.95),
        "tooltip": tooltip,
    }
    if tint is not None:
        encoding["color"] = _tinted(runs, tint)
        tooltip.append({"field": "color", "title": title(tint)})
    mark = {"type": "circle", "size": 90}
    return spec(rows, {"mark": mark, "encoding": encoding}, width, height)


def _tinted(runs: Sequence[Document], name: str) -> dict[str, Any]:
    if _numeric(runs, name):
        return {"field": "color", "type": "quantitative", "title": title(name), "scale": _RAMP}
    fixed = {"range": list(PALETTE)}
    return {"field": "color", "type": "nominal", "title": title(name), "scale": fixed}


def _numeric(runs: Sequence[Document], name: str) -> bool:
    values = [value for run in runs if (value := measure(run, name)) is not None]
    return all(number(value) is not None or value != value for value in values)


def _first_param(runs: Sequence[Document]) -> str:
    there = [m for m in measures(runs) if m["name"].startswith("params.") and m["varies"]]
    best = [m for m in there if m["numeric"]] or there
    if not best:
        raise InvalidValue("no param differs among these runs; say what to draw against with x=...")
    return str(best[0]["name"])


def histogram(
    runs: Sequence[Document],
    points: PointsOf,
    key: str,
    *,
    bins: int = 12,
    legend: bool = True,
    width: Width = "container",
    height: int = 220,
) -> dict[str, Any]:
    """How the last values of a metric, or the values of a param, are distributed over the runs."""
    if not 1 <= bins <= 200:
        raise InvalidValue(f"bins={bins!r} is not from 1 to 200")
    whole = meant(runs, key)
    values = [
        (name, finite(measure(run, whole))) for name, run in zip(labels(runs), runs, strict=True)
    ]
    rows = [{"run": name, "value": value} for name, value in values if value is not None]
    across = {"field": "value", "type": "quantitative", "title": title(whole)}
    up = {"aggregate": "count", "title": "runs", "axis": {"tickMinStep": 1}}
    encoding = {"x": {**across, "bin": {"maxbins": bins}}, "y": up}
    mark = {"type": "bar", "color": PALETTE[0], "tooltip": True}
    odd = len(values) - len(rows)
    note = f"{odd} of {len(values)} runs have no finite value" if odd else ""
    return spec(rows, {"mark": mark, "encoding": encoding}, width, height, note)


def parallel(
    runs: Sequence[Document],
    points: PointsOf,
    key: str,
    *,
    axes: Sequence[str] | None = None,
    legend: bool = True,
    width: Width = "container",
    height: int = 280,
) -> dict[str, Any]:
    """One line a run across an axis for each param that differs, coloured by the metric.

    ``axes`` names the params and metrics instead. An axis of positive numbers that span a factor
    of 50 or more is logarithmic; one of words has its words in order.
    """
    from .parallelaxes import Axis

    last = meant(runs, key)
    wanted = [meant(runs, name) for name in axes] if axes else _differing(runs)
    lines = [
        Axis(name, [measure(run, name) for run in runs]) for name in dict.fromkeys([*wanted, last])
    ]
    rows = [
        {
            "run": label,
            "axis": axis.title,
            "place": place,
            "text": axis.texts[i],
            "outcome": outcome,
        }
        for i, label in enumerate(labels(runs))
        if (outcome := finite(measure(runs[i], last))) is not None
        for axis in lines
        if (place := axis.places[i]) is not None
    ]
    order = [axis.title for axis in lines]
    x: dict[str, Any] = {"field": "axis", "type": "nominal", "sort": order, "title": None}
    x |= {"axis": {"labelAngle": 0, "domain": False, "ticks": False, "labelPadding": 14}}
    x |= {"scale": {"type": "point", "padding": 0.3}}
    y = {"type": "quantitative", "axis": None, "scale": {"domain": [0, 1]}}
    colour: dict[str, Any] = {"field": "outcome", "type": "quantitative", "title": title(last)}
    colour |= {"scale": _RAMP}
    tooltip = [{"field": "run"}, {"field": "axis"}, {"field": "text", "title": "value"}]
    line: dict[str, Any] = {
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {"y": {"field": "place", **y}, "detail": {"field": "run"}, "color": colour},
    }
    dots = {
        "mark": {"type": "circle", "size": 36},
        "encoding": {**line["encoding"], "tooltip": tooltip},
    }
    for layer in (line, dots):
        layer["encoding"] = {**layer["encoding"], "opacity": focused(0.9, 0.06)}
    ticks = [tick for axis in lines for tick in axis.ticks()]
    rest = {"encoding": {"x": x}, "layer": [*_scaffold(ticks, y), line, dots]}
    drawn = spec(rows, rest, width, height)
    drawn["usermeta"] = {"axes": [axis.plain() for axis in lines]}
    return drawn


def _differing(runs: Sequence[Document]) -> list[str]:
    there = [m for m in measures(runs) if m["name"].startswith("params.") and m["varies"]]
    chosen = there[:8]
    if not chosen:
        raise InvalidValue("no param differs among these runs; name the axes with axes=[...]")
    return [str(m["name"]) for m in chosen]


def _scaffold(ticks: list[dict[str, Any]], y: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = {"values": ticks}
    grey = {"value": "#808080"}
    rule: dict[str, Any] = {
        "data": data,
        "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.5},
    }
    rule["encoding"] = {"y": {"field": "place", **y}, "detail": {"field": "axis"}, "color": grey}
    text: dict[str, Any] = {
        "data": data,
        "mark": {"type": "text", "align": "right", "dx": -7, "fontSize": 10},
    }
    text["encoding"] = {"y": {"field": "place", **y}, "text": {"field": "text"}, "color": grey}
    return [rule, text]
