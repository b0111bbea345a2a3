"""How values read to people: four significant digits, short durations, the headline metric."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

# Higher is better for the first, lower for the second; the order is the order of preference.
_HIGHER = re.compile(
    r"(^|[^a-z])(acc|accuracy|f1|auc|roc_auc|r2|ap|map|precision|recall|score|bleu|iou|dice)($|[^a-z])"
)
_LOWER = re.compile(
    r"(^|[^a-z])(loss|error|err|rmse|mse|mae|mape|log_loss|perplexity|ppl|nll|wer|cer)($|[^a-z])"
)
_HELD_OUT = re.compile(r"(^|[^a-z])(test|val|valid|validation|eval|cv|holdout)($|[^a-z])")
_TRAINING = re.compile(r"(^|[^a-z])(train|training)($|[^a-z])")


def direction(metric: str) -> int:
    """1 where a higher value is better, -1 where a lower one is, 0 where the name does not say."""
    name = metric.lower()
    if _LOWER.search(name):
        return -1
    return 1 if _HIGHER.search(name) else 0


def of_machine(metric: str) -> bool:
    """Whether a metric tells of the machine, not of the work (``system/memory_gb``)."""
    return metric.startswith("system/")


def headline(metrics: Iterable[str]) -> str | None:
    """The metric to show first: held-out before training, a known name before an unknown one."""
    keys = [key for key in metrics if not of_machine(key)]
    return min(keys, key=rank, default=None)


def rank(metric: str) -> tuple[int, int]:
    """How early a metric is shown; the lowest first."""
    name = metric.lower()
    known = {1: 0, -1: 2, 0: 4}[direction(name)]
    side = 0 if _HELD_OUT.search(name) else 2 if _TRAINING.search(name) else 1
    return (known + side, side)


def number(value: float) -> str:
    """Four significant digits, integers whole: ``0.9531``, ``12``, ``1.2e-05``, ``nan``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        if abs(value) < 10**15:
            return str(value)
        # An integer may be too large for a float.
        return f"{value:.4g}" if abs(value) < 10**300 else f"{Decimal(value):.4g}"
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}"


def delta(value: float, before: float) -> str:
    """The signed change, ``+0.012``; an exact repeat is ``±0``."""
    change = value - before
    if change == 0:
        return "±0"
    return f"{change:+.2g}".replace("-", "\N{MINUS SIGN}")


def duration(seconds: float | None) -> str:
    """``0.42 s``, ``12 s``, ``3 min 05 s``, ``2 h 10 min``; empty for None."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.01 else "<0.01 s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count: int) -> str:
    """Bytes as people say them: ``812 B``, ``1.2 kB``, ``35 MB``."""
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 999.5 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    digits = 0 if count < 1000 or amount >= 9.95 else 1
    return f"{amount:.{digits}f} {units[0]}"


def value(item: Any, limit: int = 60) -> str:
    """Any plain value as one short line."""
    if isinstance(item, bool) or item is None:
        return str(item)
    if isinstance(item, (int, float)):
        return number(item)
    text = item if isinstance(item, str) else _compact(item)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _compact(item: Any) -> str:
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{k}: {value(v)}" for k, v in item.items()) + "}"
    if isinstance(item, (list, tuple)):
        return "[" + ", ".join(value(v) for v in item) + "]"
    return str(item)
