"""Our own charts as small SVG text, in the colour of the text around, for where no Vega runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from .. import formats

_WIDTH, _HEIGHT = 460, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 10, 26
_FONT = 'font-family="system-ui, sans-serif" font-size="11" fill="currentColor"'

Pair = tuple[float, float | None]


def draw(chart: dict[str, Any], most: int = 200) -> str:
    """The chart as ``<svg>`` with about ``most`` points a curve; "" for a kind we do not draw."""
    drawing = _KINDS.get(chart["kind"])
    values = chart["spec"]["data"]["values"]
    if drawing is None or not values:
        return ""
    return drawing(values, chart["title"], most, _colours(chart["spec"]))


def _colours(spec: dict[str, Any]) -> dict[str, str]:
    """The colour of each run, as the chart's own scale has it."""
    drawn = spec if "color" in spec["encoding"] else spec["layer"][0]
    scale = drawn["encoding"]["color"]["scale"]
    return dict(zip(scale["domain"], scale["range"], strict=True))


def _curves(
    values: Sequence[dict[str, Any]], title: str, most: int, colours: Mapping[str, str]
) -> str:
    series: dict[str, list[Pair]] = {}
    for value in values:
        series.setdefault(value["run"], []).append((value["x"], value["value"]))
    finite = [y for pairs in series.values() for _, y in pairs if y is not None]
    xs = [x for pairs in series.values() for x, _ in pairs]
    x_ticks = ticks(min(xs), max(xs))
    y_ticks = ticks(min(finite, default=0.0), max(finite, default=1.0))
    x_at = _scale(x_ticks, _LEFT, _WIDTH - _RIGHT)
    y_at = _scale(y_ticks, _HEIGHT - _BOTTOM, _TOP)
    parts = [*_y_axis(y_ticks, y_at), *_x_axis(x_ticks, x_at)]
    for name, pairs in series.items():
        parts += _line(_thin(pairs, most), x_at, y_at, colours[name])
    return _svg(_WIDTH, _HEIGHT, title, parts) + _legend(series, colours)


def _bars(
    values: Sequence[dict[str, Any]], title: str, most: int, colours: Mapping[str, str]
) -> str:
    height, left = 8 + 24 * len(values), 150
    finite = [value["value"] for value in values if value["value"] is not None]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    at = _scale([low, high if high > low else low + 1], left, _WIDTH - 70)
    parts = []
    for index, value in enumerate(values):
        y = 4 + 24 * index
        number = value["value"] or 0.0
        start, end = sorted((at(0.0), at(number)))
        parts += [
            f'<text x="{left - 8}" y="{y + 14}" text-anchor="end" {_FONT}>'
            f"{_short(value['run'])}</text>",
            f'<rect x="{start:.1f}" y="{y + 2}" width="{max(end - start, 1):.1f}" height="16" '
            f'fill="{colours[value["run"]]}"/>',
            f'<text x="{end + 5:.1f}" y="{y + 14}" {_FONT}>{escape(value["text"])}</text>',
        ]
    return _svg(_WIDTH, height, title, parts)


_Drawing = Callable[[Sequence[dict[str, Any]], str, int, Mapping[str, str]], str]

_KINDS: dict[str, _Drawing] = {
    "curves": _curves,
    "bar": _bars,
}


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers that enclose the range: multiples of 1, 2 or 5 times a power of ten."""
    if not high - low > 1e-300:
        spread = abs(low) * 0.1 or 1.0
        low, high = low - spread, high + spread
    raw = high / about - low / about  # their difference alone could overflow
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 1e-300 else raw
    step = next((power * m for m in (1, 2, 5) if power * m >= raw), power * 10)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * n for n in range(first, min(last, first + 12) + 1)]


def _scale(domain: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    low, high = domain[0], domain[-1]
    half = (high / 2 - low / 2) or 1.0
    return lambda value: start + (end - start) * ((value / 2 - low / 2) / half)


def _y_axis(marks: Iterable[float], at: Callable[[float], float]) -> list[str]:
    return [
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at(m):.1f}" y2="{at(m):.1f}" '
        f'stroke="currentColor" stroke-opacity="0.15"/>'
        f'<text x="{_LEFT - 6}" y="{at(m) + 4:.1f}" text-anchor="end" {_FONT}>{_tick(m)}</text>'
        for m in marks
    ]


def _x_axis(marks: Iterable[float], at: Callable[[float], float]) -> list[str]:
    return [
        f'<text x="{at(m):.1f}" y="{_HEIGHT - 8}" text-anchor="middle" {_FONT}>{_tick(m)}</text>'
        for m in marks
        if m == int(m)  # steps are whole
    ]


def _tick(mark: float) -> str:
    return formats.number(round(mark, 12)).replace("-", "\N{MINUS SIGN}", 1)


def _line(
    pairs: Sequence[Pair],
    x_at: Callable[[float], float],
    y_at: Callable[[float], float],
    stroke: str,
) -> list[str]:
    parts: list[str] = []
    piece: list[str] = []
    for x, y in [*pairs, (0.0, None)]:
        if y is not None:
            piece.append(f"{x_at(x):.0f},{y_at(y):.1f}")
            continue
        if len(piece) == 1:
            cx, cy = piece[0].split(",")
            parts.append(f'<circle cx="{cx}" cy="{cy}" r="3" fill="{stroke}"/>')
        elif piece:
            path = "M" + "L".join(piece)
            parts.append(f'<path d="{path}" fill="none" stroke="{stroke}" stroke-width="1.8"/>')
        piece = []
    return parts


def _thin(pairs: list[Pair], most: int) -> list[Pair]:
    """Extremes of each bucket, so that a spike is still seen."""
    size = math.ceil(2 * len(pairs) / most)
    if size < 3:
        return pairs
    kept: list[Pair] = []
    for start in range(0, len(pairs), size):
        bucket = pairs[start : start + size]
        finite = [i for i, (_, y) in enumerate(bucket) if y is not None]
        if not finite:
            kept.append(bucket[0])
            continue
        ends = {min(finite, key=lambda i: bucket[i][1] or 0.0)}
        ends.add(max(finite, key=lambda i: bucket[i][1] or 0.0))
        kept += [bucket[i] for i in sorted(ends)]
    return kept if kept[-1] == pairs[-1] else [*kept, pairs[-1]]


def _legend(names: Iterable[str], colours: Mapping[str, str]) -> str:
    items = [
        f'<span style="margin-right:14px;white-space:nowrap">'
        f'<span style="color:{colours[name]}">━</span> '
        f"{_short(name, 40)}</span>"
        for name in names
    ]
    return f'<div style="font-size:11px;max-width:{_WIDTH}px">{"".join(items)}</div>'


def _short(text: str, limit: int = 22) -> str:
    return escape(text if len(text) <= limit else text[: limit - 1] + "…")


def _svg(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'style="max-width:100%;background:transparent">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
