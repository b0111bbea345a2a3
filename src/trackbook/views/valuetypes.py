"""The one type that the values of a column share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

ValueType = Literal["bool", "int", "float", "str"]
_INT64 = 2**63
# The largest integer up to which a float holds each.
_EXACT = 2**53


def shared(values: Iterable[Any]) -> ValueType | None:
    """The type in which a column of these values loses nothing; None where there is no such one.

    Missing values (None) do not count. Integers among floats are floats where floats hold them.
    """
    there = [value for value in values if value is not None]
    kinds = set(map(type, there))
    if kinds == {bool}:
        return "bool"
    if kinds == {str}:
        return "str"
    if kinds == {int}:
        return "int" if all(-_INT64 <= value < _INT64 for value in there) else None
    if kinds and kinds <= {int, float}:
        whole = (value for value in there if type(value) is int)
        return "float" if all(-_EXACT <= value <= _EXACT for value in whole) else None
    return None
