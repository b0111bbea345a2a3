"""What of a run differs from the run that a replay made: metrics first, then text, then images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from .. import formats
from ..model import flatten
from . import visible
from .trial import Shown

if TYPE_CHECKING:
    from ..store import Points

TOLERANCE = 1e-9
TEXT = "the text"
_MOST_NAMED = 5


@dataclass
class Difference:
    """What differs, the first thing first, and what was compared."""

    differs: list[str] = field(default_factory=list)
    """``acc 0.9532 -> 0.9512``."""
    data: list[str] = field(default_factory=list)
    """Logged data of another content."""
    compared: list[str] = field(default_factory=list)
    varying: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.differs)


def compare(then: Shown, now: Shown, tolerance: float = TOLERANCE) -> Difference:
    """What of ``then`` is otherwise ``now``; ``tolerance`` is relative, for metrics alone."""
    found = Difference()
    _compare_metrics(then, now, tolerance, found)
    _compare_params(then.document, now.document, found)
    _compare_error(then.document, now.document, found)
    _compare_outputs(then.outputs, now.outputs, found)
    _compare_data(then.document, now.document, found)
    return found


# -- metrics ---------------------------------------------------------------------------------------


def metric_keys(shown: Shown) -> list[str]:
    """The metrics that are compared: not those of the machine, nor what later cells added."""
    late = {entry.get("key") for entry in shown.document.get("late") or ()}
    return [key for key in shown.points if not formats.of_machine(key) and key not in late]


def _compare_metrics(then: Shown, now: Shown, tolerance: float, found: Difference) -> None:
    timed = _left_out_for_time(then.document) + _left_out_for_time(now.document)
    keys = [key for key in metric_keys(then) if not _is_said(key, timed)]
    # The headline first: it is what the verdict's sentence is about.
    first = then.document.get("headline") or formats.headline(keys)
    keys.sort(key=lambda key: key != first)
    largest = 0.0
    for key in keys:
        if key not in now.points:
            found.differs.append(f"{key} was not logged again")
            continue
        told, gap = _of_metric(key, then.points[key], now.points[key], tolerance)
        largest = max(largest, gap)
        if told:
            found.differs.append(told)
    there = set(then.points)
    for key in metric_keys(now):
        if key not in there and not _is_said(key, timed):
            found.differs.append(f"{key} is new")
    if keys:
        found.compared.append(_told(then, keys, bool(found.differs), largest, tolerance))


def _left_out_for_time(document: Mapping[str, Any]) -> str:
    """What autolog left out since it would have taken too long: a faster machine has it."""
    said = [
        str(entry.get("reason") or "")
        for entry in document.get("capture") or ()
        if entry.get("what") == "autolog" and entry.get("state") == "skipped"
    ]
    return "; ".join(said)


def _is_said(key: str, said: str) -> bool:
    return key.rpartition(".")[2].replace("_", " ") in said


def _told(then: Shown, keys: Sequence[str], differ: bool, largest: float, tolerance: float) -> str:
    """``acc 0.9532 and 2 more metrics, 40 points: exact``."""
    values = then.points[keys[0]].value
    words = f"{keys[0]} {formats.number(float(values[-1]))}" if len(values) else keys[0]
    if len(keys) > 1:
        words += f" and {len(keys) - 1} more metric{'s' if len(keys) > 2 else ''}"
    count = sum(len(then.points[key].value) for key in keys)
    if count > len(keys):
        words += f", {count} points"
    if differ:
        return words
    return f"{words}: " + (
        "exact" if largest == 0 else f"within {tolerance:g} (at most {largest:.1e} off)"
    )


def _of_metric(key: str, then: Points, now: Points, tolerance: float) -> tuple[str, float]:
    """What differs, and the largest relative difference."""
    import numpy as np

    before, after = np.asarray(then.value), np.asarray(now.value)
    if len(before) and len(after):
        last = (float(before[-1]), float(after[-1]))
        if _gap(*last) > tolerance:
            return f"{key} {_both(*last)}", 0.0
    if len(before) != len(after):
        return f"{key} has {len(after)} points instead of {len(before)}", 0.0
    if not np.array_equal(then.step, now.step):
        return f"{key} has other steps", 0.0
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    largest = 0.0
    for i in np.flatnonzero(~same):
        gap = _gap(float(before[i]), float(after[i]))
        if gap > tolerance:
            pair = _both(float(before[i]), float(after[i]))
            return f"{key} at step {int(then.step[i])}: {pair}", 0.0
        largest = max(largest, gap)
    return "", largest


def _gap(before: float, after: float) -> float:
    if before == after or (math.isnan(before) and math.isnan(after)):
        return 0.0
    if not (math.isfinite(before) and math.isfinite(after)):
        return math.inf
    return abs(after - before) / max(abs(before), abs(after))


def _both(before: float, after: float) -> str:
    """``0.9532 -> 0.9512``, with as many digits as it takes to see a difference."""
    texts = formats.number(before), formats.number(after)
    if texts[0] == texts[1]:
        texts = repr(before), repr(after)
    return f"{texts[0]} -> {texts[1]}"


# -- params, error, data ---------------------------------------------------------------------------


def _compare_params(then: Mapping[str, Any], now: Mapping[str, Any], found: Difference) -> None:
    before, after = flatten(then.get("params") or {}), flatten(now.get("params") or {})
    told = {*(then.get("autologged") or ()), *(now.get("autologged") or ())}
    for key in dict.fromkeys([*before, *after]):
        word = _param(key, before, after)
        if word:
            # What only autolog told is a cause, which decides nothing by itself.
            alone = key in told or key.partition(".")[0] in told
            (found.data if alone else found.differs).append(word)
    if before:
        found.compared.append(f"{len(before)} param{'s' if len(before) > 1 else ''}")


def _param(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if key not in after:
        return f"param {key} is missing"
    if key not in before:
        return f"param {key} is new"
    if _plain(before[key]) == _plain(after[key]):
        return ""
    return f"param {key} {formats.value(before[key])} -> {formats.value(after[key])}"


def _plain(value: Any) -> str:
    """What tells two values apart: types count, addresses do not, NaN equals itself."""
    return visible.normal(f"{type(value).__name__} {value!r}")


def _compare_error(then: Mapping[str, Any], now: Mapping[str, Any], found: Difference) -> None:
    told = [_error(document.get("error")) for document in (then, now)]
    if told[0] != told[1]:
        found.differs.append(f"ends with {told[1] or 'no error'} instead of {told[0] or 'none'}")
    elif told[0]:
        found.compared.append("the error")


def _error(error: Mapping[str, Any] | None) -> str:
    return visible.normal(f"{error.get('type')}: {error.get('message')}") if error else ""


def _compare_data(then: Mapping[str, Any], now: Mapping[str, Any], found: Difference) -> None:
    """Data in memory that was logged, by its content; a cause, and a difference of its own."""
    known = {entry.get("name"): entry for entry in now.get("inputs") or () if entry.get("hash")}
    compared = 0
    for entry in then.get("inputs") or ():
        name, digest = entry.get("name"), entry.get("hash")
        if digest is None:
            continue
        compared += 1
        if name not in known:
            found.differs.append(f"data {name} was not logged again")
        elif known[name]["hash"] != digest:
            found.data.append(f"data differs: {name}")
            found.differs.append(f"data {name} has another content")
    if compared:
        found.compared.append(f"{compared} data set{'s' if compared > 1 else ''} by hash")


# -- outputs ---------------------------------------------------------------------------------------


def _compare_outputs(
    then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], found: Difference
) -> None:
    before, after = visible.texts(then), visible.texts(now)
    if before:
        lines = "1 line" if len(before) == 1 else f"{len(before)} lines"
        found.compared.append(f"{lines} of text, without addresses and timings")
    if before != after:
        found.differs.append(f"{TEXT}: {_first_line(before, after)}")
    pictures = visible.images(then), visible.images(now)
    if pictures[0]:
        count = "1 image" if len(pictures[0]) == 1 else f"{len(pictures[0])} images"
        found.compared.append(f"{count}, byte by byte")
    if len(pictures[0]) != len(pictures[1]):
        found.differs.append(f"{len(pictures[1])} images instead of {len(pictures[0])}")
    elif pictures[0] != pictures[1]:
        places = [i for i, (a, b) in enumerate(zip(*pictures, strict=True), start=1) if a != b]
        found.differs.append(f"image {places[0]} looks otherwise")


def _first_line(before: Sequence[str], after: Sequence[str]) -> str:
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            left = formats.value(before[a]) if a < b else "nothing"
            right = formats.value(after[c]) if c < d else "nothing"
            return f"{left} -> {right}"
    return "another order"


def versions(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The packages, and Python, that are of another version now: ``numpy 2.1 -> 2.4``."""
    before, after = then.get("env") or {}, now.get("env") or {}
    found = []
    if before.get("python") != after.get("python"):
        found.append(f"Python {before.get('python')} -> {after.get('python')}")
    old, new = before.get("packages") or {}, after.get("packages") or {}
    for name in sorted(set(old) & set(new)):
        if old[name] != new[name]:
            found.append(f"{name} {old[name]} -> {new[name]}")
    return found
