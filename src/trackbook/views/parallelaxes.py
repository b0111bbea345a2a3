"""An axis of parallel coordinates: where each run's value stands between 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import formats
from .measures import number, title

_LOG_SPAN = 50.0
_MOST_WORDS = 30


class Axis:
    """One param or metric of all runs."""

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        self.title = title(name)
        there = [value for value in values if value is not None]
        numbers = [number(value) for value in there]
        self.numeric = all(n is not None and math.isfinite(n) for n in numbers) and not all(
            isinstance(value, bool) for value in there
        )
        self.texts = ["" if value is None else formats.value(value, 24) for value in values]
        if self.numeric:
            self._measure([None if v is None else number(v) for v in values])
        else:
            self._order(values)

    def _measure(self, values: Sequence[float | None]) -> None:
        there = [value for value in values if value is not None]
        self.low, self.high = min(there, default=0.0), max(there, default=1.0)
        self.log = self.low > 0 and self.high / self.low >= _LOG_SPAN
        self.places = [None if value is None else self.place(value) for value in values]

    def _order(self, values: Sequence[Any]) -> None:
        words = list(dict.fromkeys(sorted(text for text in self.texts if text)))
        self.words = words[:_MOST_WORDS]
        gaps = max(1, len(words) - 1)
        at = {word: place / gaps if len(words) > 1 else 0.5 for place, word in enumerate(words)}
        self.places = [at.get(text) for text in self.texts]

    def place(self, value: float) -> float:
        """Where a number stands, 0 the least of the runs and 1 the greatest."""
        low, high = self.low, self.high
        if low == high:
            return 0.5
        if self.log:
            return math.log(value / low) / math.log(high / low)
        return (value / 2 - low / 2) / (high / 2 - low / 2)

    def ticks(self) -> list[dict[str, Any]]:
        """What is written along the axis."""
        if not self.numeric:
            pairs = [(self.places[self.texts.index(word)], word) for word in self.words]
        elif self.low == self.high:
            pairs = [(0.0, ""), (0.5, formats.number(self.low)), (1.0, "")]
        else:
            middle = math.sqrt(self.low * self.high) if self.log else self.low / 2 + self.high / 2
            pairs = [(self.place(v), formats.number(v)) for v in (self.low, middle, self.high)]
        return [{"axis": self.title, "place": place, "text": text} for place, text in pairs]

    def plain(self) -> dict[str, Any]:
        """The axis as a front end gets it, which brushes along it."""
        return {"title": self.title, "numeric": self.numeric}
