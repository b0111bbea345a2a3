"""One attribute of many runs, packed: eight bytes a number, one a kind, words once."""

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
_FIXED = {ABSENT: MISSING, NONE: None, FALSE: False, TRUE: True}


class TooLong(Exception):
    """A value is too long to be kept besides its document."""


class Column:
    """The values of one attribute, ``MISSING`` where a run has none."""

    __slots__ = ("kind", "kinds", "numbers", "others")

    def __init__(self, values: Sequence[Any]) -> None:
        """Pack the values; raises ``TooLong``."""
        self.others: list[str | bytes] = []
        self.kinds = b""
        # The kind of all cells, or None where each has its own.
        self.kind: int | None
        self.numbers: array[float]
        types = set(map(type, values))
        if types == {float}:
            self.kind, self.numbers = FLOAT, array("d", values)
        elif types == {str}:
            self.kind, self.numbers = WORD, self._words(values)
        elif types == {int} and min(values) >= -_EXACT and max(values) <= _EXACT:
            self.kind, self.numbers = INT, array("d", values)
        else:
            known: dict[str | bytes, int] = {}
            cells = [self._cell(value, known) for value in values]
            self.kinds, self.kind = bytes(kind for kind, _ in cells), None
            self.numbers = array("d", [number for _, number in cells])
            if self.kinds.count(self.kinds[:1]) == len(values):
                self.kind, self.kinds = self.kinds[0], b""

    def _words(self, words: Sequence[str]) -> array[float]:
        known = {word: entry for entry, word in enumerate(dict.fromkeys(words))}
        if any(len(word) > LONGEST for word in known):
            raise TooLong
        self.others = list(known)
        return array("d", map(known.__getitem__, words))

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
        numbers, others = self.numbers, self.others
        if self.kind is None:
            return list(map(self._value, self.kinds, numbers))
        if self.kind == FLOAT:
            return numbers.tolist()
        if self.kind == INT:
            return list(map(int, numbers))
        if self.kind == WORD:
            return [others[int(entry)] for entry in numbers]
        return [self._value(self.kind, number) for number in numbers]

    def _value(self, kind: int, number: float) -> Any:
        if kind == FLOAT:
            return number
        if kind == INT:
            return int(number)
        if kind == WORD:
            return self.others[int(number)]
        # Decoded each time: what a caller does to a list must not reach this one.
        return loads(self.others[int(number)]) if kind == JSON else _FIXED[kind]


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
