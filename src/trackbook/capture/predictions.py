"""Which model a metric is of: the one whose predictions it was computed from.

Predictions are never wrapped or kept alive: their number of rows is noted, with a weak reference.
"""

from __future__ import annotations

import weakref
from collections import deque
from dataclasses import dataclass
from typing import Any

from . import fits
from . import session as sessions
from .fits import Fit

_MOST = 64
_DEEPEST_VIEW = 8


@dataclass(frozen=True)
class _Prediction:
    fit: Fit | None
    """None where the model's fit was not seen: its metrics are nobody's."""
    array: weakref.ref[Any] | None
    rows: int | None
    cell: weakref.ref[Any] | None
    session: weakref.ref[Any]


@dataclass(frozen=True)
class Source:
    """What a metric was computed from."""

    fit: Fit | None
    guessed: bool = False
    swapped: bool = False
    """Whether the predictions stand where the truth belongs."""


_recent: deque[_Prediction] = deque(maxlen=_MOST)


def made(model: Any, predicted: Any) -> None:
    """A model has predicted."""
    where = (_weak_cell(), weakref.ref(sessions.current))
    _recent.append(_Prediction(fits.fit_of(model), _weak(predicted), _rows(predicted), *where))


def source_of(truth: Any, predicted: Any) -> Source:
    """The model: by the very array or a view of it, else by the number of rows, else the latest.

    Of several with as many rows, one that predicted in this cell, then the latest.
    """
    views = {id(view): False for view in _views(predicted)}
    views |= {id(view): True for view in _views(truth) if id(view) not in views}
    recent = [p for p in reversed(_recent) if p.session() is sessions.current]
    for prediction in recent:
        array = prediction.array() if prediction.array is not None else None
        if array is not None and id(array) in views:
            return Source(prediction.fit, swapped=views[id(array)])
    rows = _rows(truth)
    as_many = [p for p in recent if rows is not None and p.rows == rows]
    if as_many:
        cell = sessions.current.cell
        here = [p for p in as_many if (p.cell() if p.cell is not None else None) is cell]
        return Source((here or as_many)[0].fit)
    return Source(_latest(), guessed=True)


def _latest() -> Fit | None:
    """The last fit, or the open run where that began later."""
    fit, run = fits.latest(), sessions.current.active()
    if run is not None and (fit is None or run.document["started"] > fit.started):
        return Fit(run.name, run, ends_run=False)
    return fit


def _views(array: Any) -> list[Any]:
    """The array and those that it is a view of."""
    found = [array]
    while len(found) < _DEEPEST_VIEW and getattr(found[-1], "base", None) is not None:
        found.append(found[-1].base)
    return found


def _rows(array: Any) -> int | None:
    shape = getattr(array, "shape", None)
    try:
        return int(shape[0]) if shape else len(array)
    except (TypeError, IndexError, ValueError):
        return None


def _weak(array: Any) -> weakref.ref[Any] | None:
    try:
        return weakref.ref(array)
    except TypeError:  # a list, for example
        return None


def _weak_cell() -> weakref.ref[Any] | None:
    cell = sessions.current.cell
    return None if cell is None else weakref.ref(cell)
