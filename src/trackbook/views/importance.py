"""Which params go with a metric: rank correlation, with its uncertainty and what chance gives.

For a param of numbers it is Spearman's rank correlation with the metric (its size; the sign is
told), for any other the correlation ratio of the metric's ranks, both from 0 to 1. Few runs say
little, so each comes with the middle 90 % of 400 bootstrap samples of the runs, and with the value
that 95 % of 400 shuffles of the metric stay below: a param that does not pass it may be chance.
Correlation is no cause, and params that were changed together share what they did.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import formats
from ..errors import InvalidValue
from ..model import Document
from .curves import PointsOf
from .manyruns import identity
from .measures import meant, measure, measures, number, title
from .palette import PALETTE
from .vegalite import Width, finite, spec

LEAST_RUNS = 5
_SAMPLES = 400
_MOST_BARS = 20
_MOST_PARAMS = 100

Strength = Callable[[Sequence[Any], Sequence[float]], float]


class Importance(NamedTuple):
    """How strongly one param goes with the metric; ``sign`` is 0 for a param of no order."""

    param: str
    strength: float
    low: float
    high: float
    chance: float
    sign: int
    runs: int


def importance(
    runs: Sequence[Document],
    points: PointsOf,
    key: str,
    *,
    legend: bool = True,
    width: Width = "container",
    height: int | None = None,
) -> dict[str, Any]:
    """How strongly each param that differs goes with a metric, with its uncertainty."""
    found = ranked(runs, key)[:_MOST_BARS]
    name = title(meant(runs, key))
    rows = [
        {
            "param": entry.param + {1: "  ↑", -1: "  ↓"}.get(entry.sign, ""),
            "strength": finite(entry.strength),
            "low": finite(entry.low),
            "high": finite(entry.high),
            "chance": finite(entry.chance),
            "text": formats.number(entry.strength),
            "sure": entry.strength > entry.chance,
        }
        for entry in found
    ]
    axis = {"labelLimit": 200}
    y = {"field": "param", "type": "nominal", "sort": None, "title": None, "axis": axis}
    x: dict[str, Any] = {"type": "quantitative", "title": f"rank correlation with {name}"}
    x |= {"scale": {"domain": [0, 1]}}
    fields = ("param", "strength", "low", "high", "chance")
    sure = {"condition": {"test": "datum.sure", "value": 0.95}, "value": 0.4}
    bars: dict[str, Any] = {"mark": {"type": "bar", "color": PALETTE[0]}}
    bars["encoding"] = {
        "x": {"field": "strength", **x},
        "opacity": sure,
        "tooltip": [{"field": field} for field in fields],
    }
    grey = {"value": "#808080"}
    line: dict[str, Any] = {"mark": {"type": "rule", "strokeWidth": 2}}
    line["encoding"] = {"x": {"field": "low", **x}, "x2": {"field": "high"}, "color": grey}
    tick: dict[str, Any] = {
        "mark": {"type": "tick", "thickness": 2, "size": 16, "color": PALETTE[5]}
    }
    tick["encoding"] = {"x": {"field": "chance", **x}}
    count = max((entry.runs for entry in found), default=0)
    note = [
        f"Spearman's rank correlation (correlation ratio for words), {count} runs. Line: 90 %",
        "bootstrap interval; orange: 95 % of shuffles stay below. ↑ more is higher, ↓ lower.",
    ]
    rest = {"encoding": {"y": y}, "layer": [bars, line, tick]}
    return spec(rows, rest, width, height or 40 + 26 * max(1, len(rows)), note)


def ranked(runs: Sequence[Document], key: str) -> list[Importance]:
    """The params that differ, the strongest first.

    Raises ``InvalidValue`` with fewer than 5 runs that have the metric, or where no param differs.
    """
    whole = meant(runs, key)
    known = [run for run in runs if finite(measure(run, whole)) is not None]
    if len(known) < LEAST_RUNS:
        raise InvalidValue(
            f"importance needs {LEAST_RUNS} runs with a finite {title(whole)}, and there are "
            f"{len(known)}; compare more runs"
        )
    names = [m["name"] for m in measures(known) if m["name"].startswith("params.") and m["varies"]]
    found = [_judge(known, str(name), whole) for name in names[:_MOST_PARAMS]]
    there = [entry for entry in found if entry is not None]
    if not there:
        raise InvalidValue("no param differs in enough of these runs to say which one matters")
    return sorted(there, key=lambda entry: -entry.strength)


def _judge(runs: Sequence[Document], name: str, metric: str) -> Importance | None:
    having = [run for run in runs if measure(run, name) is not None]
    values = [measure(run, name) for run in having]
    outcomes = [float(measure(run, metric)) for run in having]
    numeric = all(number(value) is not None for value in values)
    keys: list[Any] = [number(v) for v in values] if numeric else [identity(v) for v in values]
    # As many words as runs tell nothing: any outcome goes with some of them.
    if (
        len(having) < LEAST_RUNS
        or len(set(keys)) < 2
        or (not numeric and 2 * len(set(keys)) > len(keys))
    ):
        return None
    strength: Strength = _spearman if numeric else _ratio
    measured = strength(keys, outcomes)
    # Equal comparisons give equal answers.
    chance = random.Random(0)
    pairs = list(zip(keys, outcomes, strict=True))
    drawn = [list(zip(*chance.choices(pairs, k=len(pairs)), strict=True)) for _ in range(_SAMPLES)]
    resampled = sorted(abs(strength(some, came)) for some, came in drawn)
    shuffled = sorted(
        abs(strength(keys, chance.sample(outcomes, len(outcomes)))) for _ in range(_SAMPLES)
    )
    sign = (measured > 0) - (measured < 0) if numeric else 0
    low, high = resampled[_SAMPLES // 20], resampled[-_SAMPLES // 20 - 1]
    size = abs(measured)
    limit = shuffled[-_SAMPLES // 20 - 1]
    return Importance(title(name), size, min(low, size), max(high, size), limit, sign, len(having))


def _spearman(values: Sequence[Any], outcomes: Sequence[float]) -> float:
    left, right = _ranks(values), _ranks(outcomes)
    mean = (len(left) + 1) / 2
    across = sum((a - mean) * (b - mean) for a, b in zip(left, right, strict=True))
    spread = sum((a - mean) ** 2 for a in left) * sum((b - mean) ** 2 for b in right)
    return across / math.sqrt(spread) if spread else 0.0


def _ratio(values: Sequence[Any], outcomes: Sequence[float]) -> float:
    ranks = _ranks(outcomes)
    mean = (len(ranks) + 1) / 2
    groups: dict[Any, list[float]] = {}
    for value, rank in zip(values, ranks, strict=True):
        groups.setdefault(value, []).append(rank)
    between = sum(len(group) * (sum(group) / len(group) - mean) ** 2 for group in groups.values())
    whole = sum((rank - mean) ** 2 for rank in ranks)
    return math.sqrt(between / whole) if whole else 0.0


def _ranks(values: Sequence[Any]) -> list[float]:
    """From 1; equal values share the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            ranks[place] = (start + end) / 2 + 1
        start = end + 1
    return ranks
