"""One attribute of many runs, packed: one to eight bytes a number, words once."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from ..jsonable import dumps, loads
from .attributes import MISSING

# What a cell holds. A word or other JSON is the number of its entry in ``others``.
ABSENT, NONE, FALSE, TRUE, INT, FLOAT, WORD, JSON = range(8)
# Longer ones stay in the documents.
LONGEST = 200
_EXACT = 2**53
_NOTHING = {type(None), type(MISSING)}
_FIXED = {ABSENT: MISSING, NONE: None, FALSE: False, TRUE: True}


class TooLong(Exception):
    """A value is too long to be kept besides its document."""


class Column:
    """The values of one attribute, ``MISSING`` where a run has none."""

    __slots__ = ("kind", "kinds", "numbers", "others", "size")

    def __init__(self, values: Sequence[Any]) -> None:
        """Pack the values; raises ``TooLong``."""
        self.size = len(values)
        self.others: list[str | bytes] = []
        self.kinds = b""
        # The kind of all cells, or None where each has its own.
        self.kind: int | None = None
        self.numbers: array[float] | array[int]
        types = set(map(type, values))
        if types == {float}:
            self.kind, self.numbers = FLOAT, array("d", values)
        elif types == {str}:
            self.kind, self.numbers = WORD, self._words(values)
        elif types == {int} and min(values) >= -_EXACT and max(values) <= _EXACT:
            self.kind, self.numbers = INT, array(_code(min(values), max(values)), values)
        elif types <= _NOTHING and len(types) == 1:
            self.kind = NONE if values[0] is None else ABSENT
            self.numbers = array("d")
        else:
            self._mix(values)

    def _words(self, words: Sequence[str]) -> array[int]:
        known = {word: entry for entry, word in enumerate(dict.fromkeys(words))}
        if any(len(word) > LONGEST for word in known):
            raise TooLong
        self.others = list(known)
        return array(_code(0, len(known)), list(map(known.__getitem__, words)))

    def _mix(self, values: Sequence[Any]) -> None:
        known: dict[str | bytes, int] = {}
        cells = [self._cell(value, known) for value in values]
        kinds = bytes(kind for kind, _ in cells)
        if kinds.count(kinds[:1]) == len(values):
            self.kind = kinds[0]
        else:
            self.kinds = kinds
        # What is all the same thing, such as nothing, needs no numbers.
        bare = self.kind is not None and self.kind <= TRUE
        self.numbers = array("d", [] if bare else [number for _, number in cells])

    def _cell(self, value: Any, known: dict[str | bytes, int]) -> tuple[int, float]:
        kind = type(value)
        if kind is float:
            return FLOAT, value
        if kind is str:
            return WORD, self._entry(value, known)
        if value is MISSING:
            return ABSENT, 0.0
        if value is None:
            return NONE, 0.0
        if kind is bool:
            return (TRUE, 0.0) if value else (FALSE, 0.0)
        if kind is int and -_EXACT <= value <= _EXACT:
            return INT, float(value)
        return JSON, self._entry(dumps(value), known)

    def _entry(self, content: str | bytes, known: dict[str | bytes, int]) -> float:
        if len(content) > LONGEST:
            raise TooLong
        entry = known.get(content)
        if entry is None:
            entry = known[content] = len(known)
            self.others.append(content)
        return float(entry)

    def values(self) -> list[Any]:
        """All values."""
        if self.kind is None:
            return list(map(self._value, self.kinds, self.numbers))
        if self.kind in (FLOAT, INT):
            return self.numbers.tolist()
        if self.kind == WORD:
            return list(map(self.others.__getitem__, self.numbers))  # type: ignore[arg-type]
        if self.kind <= TRUE:
            return [_FIXED[self.kind]] * self.size
        return [self._value(self.kind, number) for number in self.numbers]

    def _value(self, kind: int, number: float) -> Any:
        if kind == FLOAT:
            return number
        if kind == INT:
            return int(number)
        if kind == WORD:
            return self.others[int(number)]
        # Decoded each time: what a caller does to a list must not reach this one.
        return loads(self.others[int(number)]) if kind == JSON else _FIXED[kind]


def _code(least: int, most: int) -> str:
    """The smallest type of array that holds whole numbers of this range."""
    for code, limit in (("b", 1 << 7), ("h", 1 << 15), ("i", 1 << 31)):
        if -limit <= least and most < limit:
            return code
    return "q"


class SparseColumn:
    """The values of an attribute that few of the runs have."""

    __slots__ = ("dense", "places", "size")

    def __init__(self, places: Sequence[int], values: Sequence[Any], size: int) -> None:
        self.places = array("I", places)
        self.dense = Column(values)
        self.size = size

    def values(self) -> list[Any]:
        """All values."""
        values: list[Any] = [MISSING] * self.size
        for place, value in zip(self.places, self.dense.values(), strict=True):
            values[place] = value
        return values
