"""A metric over steps, time or another metric: one line a run, smoothed on wish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InvalidValue
from ..model import Document
from .columns import labels
from .sampling import sample, smooth
from .vegalite import Width, colours, dashes, finite, focused, logged, scale, spec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..store.protocol import Points

    Numbers = npt.NDArray[np.float64]

MOST_POINTS = 1000
# The axes that every metric has, with their titles; the name of a metric is an axis too.
AXES = {"step": "step", "relative": "time since the start", "time": "time"}
_DURATION = (
    "datum.value == 0 ? '0' : abs(datum.value) < 120 ? format(datum.value, '~g') + ' s' : "
    "abs(datum.value) < 7200 ? format(datum.value / 60, '.3~g') + ' min' : "
    "format(datum.value / 3600, '.3~g') + ' h'"
)

PointsOf = Mapping[str, Mapping[str, "Points"]]
Range = Sequence[float | None]


def curves(
    runs: Sequence[Document],
    points: PointsOf,
    key: str,
    *,
    x: str = "step",
    smoothing: float = 0.0,
    log: str | None = None,
    within: Range = (None, None),
    most: int = MOST_POINTS,
    legend: bool = True,
    width: Width = "container",
    height: int = 220,
) -> dict[str, Any]:
    """A metric, one line a run; NaN and inf are gaps with a mark where the gap is.

    ``x`` is ``step``, ``relative`` (seconds since the run's start), ``time`` or a metric.
    ``smoothing`` (0 to below 1) draws the exponential moving average over the raw line. ``within``
    shows a part of x alone, and ``most`` is how many points of a run are shown.
    """
    log_x, log_y = logged(log)
    if not 0 <= smoothing < 1:
        raise InvalidValue(f"smoothing={smoothing!r} is not from 0 to below 1")
    rows: list[dict[str, Any]] = []
    missing = 0
    for name, run in zip(labels(runs), runs, strict=True):
        found = points.get(run["id"], {})
        if key in found and (x in AXES or x in found):
            line = _Line(found[key], across(x, run, found, key), smoothing)
            missing += line.restrict(log_x, log_y)
            rows += line.rows(name, within, most)
    note = f"{missing:,} values at or below 0 have no place on a log scale" if missing else ""
    shown = list(dict.fromkeys(row["run"] for row in rows))
    few = len(rows) <= 40 * max(1, len(shown))
    x_axis = _x_axis(x, log_x)
    ticks = {"tickCount": 5} if log_y else {}
    y_axis: dict[str, Any] = {"type": "quantitative", "scale": scale(log_y), "axis": ticks}
    # A page that has its own legend has the name of the metric above the chart too.
    y_axis["title"] = key if legend else None
    layers = list(_layers(smoothing > 0, few, y_axis))
    encoding: dict[str, Any] = {"x": x_axis, "color": colours(runs, shown, legend)}
    if dashed := dashes(runs, shown, legend):
        encoding["strokeDash"] = dashed
    drawn = spec(rows, {"encoding": encoding, "layer": layers}, width, height, note)
    drawn["params"] += [{"name": "x_from", "value": None}, {"name": "x_to", "value": None}]
    return drawn


def across(x: str, run: Document, found: Mapping[str, Points], key: str) -> Numbers:
    """Where each point of a metric stands on x; NaN where it has no place there."""
    import numpy as np

    step, time, _ = found[key]
    if x == "step":
        return step.astype(float)
    if x == "relative":
        return time - float(run["started"])
    if x == "time":
        return time * 1000.0  # as Vega counts
    other = found[x]
    # Of several values at one step the last counts.
    order = np.argsort(other.step, kind="stable")
    steps = other.step[order]
    place = np.searchsorted(steps, step, side="right") - 1
    there = (place >= 0) & (steps[np.maximum(place, 0)] == step) if len(steps) else step != step
    across = np.full(len(step), np.nan)
    across[there] = other.value[order][place[there]]
    return across


class _Line:
    """The points of one run, in the order logged."""

    def __init__(self, points: Points, across: Numbers, smoothing: float) -> None:
        import numpy as np

        self.step, self.time = points.step, points.time
        self.value = points.value
        self.smooth = smooth(points.value, smoothing) if smoothing > 0 else None
        self.x = across
        self._keep(np.isfinite(across))

    def restrict(self, log_x: bool, log_y: bool) -> int:
        """Leave out what a log scale cannot show; how many values that were."""
        import numpy as np

        bad = (np.isfinite(self.value) & (self.value <= 0)) if log_y else None
        if log_x:
            bad = (self.x <= 0) | (False if bad is None else bad)
        if bad is None:
            return 0
        self._keep(~bad)
        return int(bad.sum())

    def rows(self, run: str, within: Range, most: int) -> Iterator[dict[str, Any]]:
        """The rows of the part within a range, with a neighbour on each side."""
        import numpy as np

        start, end = within
        if start is not None or end is not None:
            low = -np.inf if start is None else start
            high = np.inf if end is None else end
            inside = (self.x >= low) & (self.x <= high)
            self._keep(inside | np.append(inside[1:], False) | np.append(False, inside[:-1]))
        kept = sample(self.step, self.time, self.value, most)
        smoothed = None if self.smooth is None else self.smooth[kept].tolist()
        pairs = zip(self.x[kept].tolist(), self.value[kept].tolist(), strict=True)
        for place, (x, value) in enumerate(pairs):
            row = {"run": run, "x": x, "value": finite(value)}
            if row["value"] is None:
                row["odd"] = str(value)
            if smoothed is not None:
                row["smooth"] = finite(smoothed[place])
            yield row

    def _keep(self, mask: npt.NDArray[np.bool_]) -> None:
        if not mask.all():
            self.step, self.time = self.step[mask], self.time[mask]
            self.value, self.x = self.value[mask], self.x[mask]
            self.smooth = None if self.smooth is None else self.smooth[mask]


def _x_axis(x: str, log: bool) -> dict[str, Any]:
    part = {"domainMin": {"expr": "x_from"}, "domainMax": {"expr": "x_to"}}
    # A part that somebody chose is shown exactly.
    own = {**scale(log, **part), "nice": False}
    axis: dict[str, Any] = {"grid": False, "tickCount": 6}
    if x == "relative":
        axis |= {"labelExpr": _DURATION, "tickCount": 5}
    if x == "time":
        own = {"type": "time", "nice": False, **part}
        return {"field": "x", "type": "temporal", "title": None, "axis": axis, "scale": own}
    title = AXES.get(x, x)
    return {"field": "x", "type": "quantitative", "title": title, "axis": axis, "scale": own}


def _layers(smoothed: bool, few: bool, y: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    shown = "smooth" if smoothed else "value"
    line = {"type": "line", "clip": True, "strokeWidth": 1.8}
    if smoothed:
        mark = {**line, "strokeWidth": 1.2}
        yield {
            "mark": mark,
            "encoding": {"y": {"field": "value", **y}, "opacity": focused(0.25, 0.05)},
        }
    dot = {"size": 22, "opacity": 1} if few else False
    yield {
        "mark": {**line, "point": dot},
        "encoding": {"y": {"field": shown, **y}, "opacity": focused()},
    }
    shape = {
        "field": "odd",
        "type": "nominal",
        "scale": {
            "domain": ["nan", "inf", "-inf"],
            "range": ["cross", "triangle-up", "triangle-down"],
        },
        "legend": None,
    }
    # An infinite value leaves by the top; what is no number, or goes down, by the bottom.
    place = {"value": {"expr": "datum.odd == 'inf' ? 6 : height - 6"}}
    tooltip = [{"field": "run"}, {"field": "x"}, {"field": "odd", "title": "value"}]
    yield {
        "transform": [{"filter": "isValid(datum.odd)"}],
        "mark": {"type": "point", "filled": True, "size": 46, "clip": True},
        "encoding": {"y": place, "shape": shape, "opacity": focused(), "tooltip": tooltip},
    }
