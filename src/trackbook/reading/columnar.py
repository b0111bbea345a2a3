"""Many runs as numpy arrays, from the store's columns: no document is decoded.

What it makes is what ``frames`` makes of the documents themselves, only faster.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..store.attributes import MISSING
from ..store.block import Block
from ..store.column import ABSENT, JSON, NONE, WORD, Column, SparseColumn, TooLong

if TYPE_CHECKING:
    from ..store.rows import Found, Rows


class Cells(NamedTuple):
    """One attribute of several runs: what each cell holds, as a number or as a word."""

    kinds: np.ndarray[Any, np.dtype[np.uint8]]
    numbers: np.ndarray[Any, np.dtype[np.float64]]
    words: np.ndarray[Any, np.dtype[np.object_]] | None

    def take(self, places: Any) -> Cells:
        """The cells at these places."""
        words = None if self.words is None else self.words[places]
        return Cells(self.kinds[places], self.numbers[places], words)

    @property
    def gaps(self) -> Any:
        """Which cells hold nothing."""
        return self.kinds <= NONE

    def has(self) -> set[int]:
        """The kinds of what there is."""
        return set(np.flatnonzero(np.bincount(self.kinds)).tolist()) - {ABSENT, NONE}

    def floats(self) -> Any:
        """Numbers as floats, NaN where there is none."""
        return np.where(self.gaps, np.nan, self.numbers)


class Table:
    """The columns of what a search found."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._places = np.asarray(found.places, dtype=np.intp)

    def keys(self) -> list[str]:
        """``params.*``, ``metrics.*`` and ``tags.*`` that any of the runs has."""
        rows = self._found.rows
        names = [(f"params.{name}", f"params.{name}") for name in rows.keys("params")]
        names += [(f"metrics.{name}", f"summary.last.{name}") for name in rows.keys("summary.last")]
        names += [(f"tags.{name}", f"tags.{name}") for name in rows.keys("tags")]
        return [name for name, key in names if self._any(key)]

    def _any(self, key: str) -> bool:
        cells = self.cells(key)
        if cells is None:
            return any(value is not MISSING for value in self._found.values(key))
        return bool(cells.kinds.any())

    def values(self, name: str) -> list[Any]:
        """A column as Python's values, None where there is none."""
        return [None if value is MISSING else value for value in self._found.values(_key(name))]

    def cells(self, name: str) -> Cells | None:
        """A column as cells; None where it holds more than numbers and words."""
        cells = _cells(self._found.rows, _key(name))
        return None if cells is None else cells.take(self._places)

    def duration(self) -> Any:
        """Seconds from start to end, or until now while a run is running; NaN for a lost one."""
        started, ended = self.cells("started"), self.cells("ended")
        assert started is not None and ended is not None
        running = [status == "running" for status in self._found.values("status")]
        until = np.where(ended.gaps & np.array(running, dtype=bool), time.time(), ended.floats())
        return np.maximum(0.0, until - started.numbers)


def _key(name: str) -> str:
    root, _, rest = name.partition(".")
    if root == "metrics":
        return f"summary.last.{rest}"
    return "id" if name == "run_id" else name


def _cells(rows: Rows, key: str) -> Cells | None:
    parts = [_of_block(block, key) for block in rows.blocks]
    if rows.recent:
        recent = rows.recent_values(key)
        try:
            parts.append(_of_column(Column(recent)))
        except TooLong:
            return None
    whole = [part for part in parts if part is not None]
    if len(whole) < len(parts):
        return None
    some = any(part.words is not None for part in whole)
    words = [_no_words(part) if part.words is None else part.words for part in whole if some]
    return Cells(
        np.concatenate([part.kinds for part in whole]),
        np.concatenate([part.numbers for part in whole]),
        np.concatenate(words) if some else None,
    )


def _no_words(part: Cells) -> Any:
    return np.empty(len(part.kinds), dtype=object)


def _of_block(block: Block, key: str) -> Cells | None:
    if key in block.elsewhere:
        return None
    column = block.columns.get(key)
    if isinstance(column, Column):
        return _of_column(column)
    kinds, numbers = np.zeros(block.size, dtype=np.uint8), np.zeros(block.size)
    if column is None:
        return Cells(kinds, numbers, None)
    return _spread(column, kinds, numbers)


def _spread(column: SparseColumn, kinds: Any, numbers: Any) -> Cells | None:
    dense = _of_column(column.dense)
    if dense is None:
        return None
    places = np.frombuffer(column.places, dtype=np.uint32)
    kinds[places], numbers[places] = dense.kinds, dense.numbers
    if dense.words is None:
        return Cells(kinds, numbers, None)
    words = np.empty(len(kinds), dtype=object)
    words[places] = dense.words
    return Cells(kinds, numbers, words)


def _of_column(column: Column) -> Cells | None:
    if column.kind is None:
        kinds = np.frombuffer(column.kinds, dtype=np.uint8)
    else:
        kinds = np.full(column.size, column.kind, dtype=np.uint8)
    if JSON in (column.kind, *column.kinds):
        return None
    if len(column.numbers):
        numbers = np.frombuffer(column.numbers, dtype=column.numbers.typecode).astype(np.float64)
    else:
        numbers = np.zeros(column.size)
    if not column.others:
        return Cells(kinds, numbers, None)
    words = np.array([*column.others, None], dtype=object)
    entries = np.where(kinds == WORD, numbers, -1).astype(np.intp)
    return Cells(kinds, numbers, words[entries])
