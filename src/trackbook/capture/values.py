"""What may be logged: names, real scalars, whole steps, status words; anything else is refused."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidValue
from ..model import STATUSES, flatten


def status_word(status: str) -> str:
    """The status that a word in any case means, of those that a run can end with."""
    word = str(status).lower()
    word = {"killed": "interrupted"}.get(word, word)
    if word not in STATUSES or word in ("running", "lost"):
        raise InvalidValue(f"a run ends as finished, failed or interrupted, not {status!r}")
    return word


def name_of(key: Any, what: str) -> str:
    """The key, which must be a non-empty string."""
    if not isinstance(key, str) or not key:
        raise InvalidValue(f"the name of a {what} is a non-empty string, not {key!r:.60}")
    return key


def real(value: Any, key: str) -> float:
    """Any real scalar as a float: numbers, numpy scalars, 0-d arrays and tensors."""
    if isinstance(value, (str, bytes)) or value is None:
        kind = type(value).__name__
        raise InvalidValue(
            f"metric {key!r} is a {kind}; log a number (a param or text keeps words)"
        )
    if getattr(value, "requires_grad", False):
        value = value.detach()  # torch warns where a loss with its graph becomes a number
    try:
        return float(value)
    except OverflowError:
        raise InvalidValue(f"metric {key!r} is a number too large for a float") from None
    except (TypeError, ValueError, RuntimeError):
        shape = getattr(value, "shape", None)
        what = f"a {type(value).__name__}" + (f" of shape {tuple(shape)}" if shape else "")
        raise InvalidValue(f"metric {key!r} is {what}, not a real scalar") from None


def whole(step: Any, key: str) -> int:
    """A step as an int."""
    try:
        if isinstance(step, float) and step.is_integer():
            return int(step)
        return operator.index(step)
    except TypeError:
        raise InvalidValue(f"the step of {key!r} is a whole number, not {step!r:.40}") from None


def same(old: Any, new: Any) -> bool:
    """Equal and of the same type (7 and 7.0 are equal params; True and 1 are not; NaN is NaN)."""
    if isinstance(old, bool) is not isinstance(new, bool):
        return False
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        left, right = flatten(old), flatten(new)
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    return bool(old == new) or (old != old and new != new)
