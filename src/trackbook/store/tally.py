"""Last, min, max and count of every metric, kept up as records pass by."""

from __future__ import annotations

import math
import struct
import sys
from typing import Any

from . import limits

RECORD = struct.Struct("<Iqdd")
DTYPE = [("key", "<u4"), ("step", "<i8"), ("time", "<f8"), ("value", "<f8")]
# Below this many records a plain loop is faster than numpy's set-up.
_FEW = 300


class Tally:
    """The summary of a stream of 28-byte records, by key number. NaN never is a min or max."""

    def __init__(self) -> None:
        # key number -> [last, min, max, count, last step]
        self._rows: dict[int, list[Any]] = {}
        self.last_time = 0.0

    def add(self, data: bytes) -> None:
        """Take whole records in."""
        if not data:
            return
        self.last_time = RECORD.unpack_from(data, len(data) - RECORD.size)[2]
        # numpy is the user's to load: without it a loop does.
        numpy = sys.modules.get("numpy")
        if len(data) < _FEW * RECORD.size or not hasattr(numpy, "lexsort"):
            self._add_each(data)
        else:
            self._add_array(data)

    def _add_each(self, data: bytes) -> None:
        rows = self._rows
        for key, step, _, value in RECORD.iter_unpack(data):
            row = rows.get(key)
            if row is None:
                if key < limits.KEYS:  # of a file that is no log, any number may be one
                    rows[key] = [value, value, value, 1, step]
                continue
            row[0] = value
            # Not (a >= b) is true for a NaN that came first.
            if not value >= row[1] and value == value:
                row[1] = value
            if not value <= row[2] and value == value:
                row[2] = value
            row[3] += 1
            row[4] = step

    def _add_array(self, data: bytes) -> None:
        import numpy as np

        records = np.frombuffer(data, dtype=DTYPE)
        if records["key"].max() >= limits.KEYS:
            records = records[records["key"] < limits.KEYS]
            if not len(records):
                return
        if bool((records["key"] != records["key"][0]).any()):
            records = records[np.argsort(records["key"], kind="stable")]
        keys, values = records["key"], records["value"]
        starts = np.flatnonzero(np.diff(keys, prepend=keys[0] ^ 1))
        ends = np.append(starts[1:], len(keys)) - 1
        columns = (
            keys[starts].tolist(),
            values[ends].tolist(),
            np.fmin.reduceat(values, starts).tolist(),
            np.fmax.reduceat(values, starts).tolist(),
            (ends - starts + 1).tolist(),
            records["step"][ends].tolist(),
        )
        for key, last, low, high, count, step in zip(*columns, strict=True):
            row = self._rows.setdefault(key, [last, low, high, 0, step])
            row[0], row[4] = last, step
            row[1], row[2] = _fmin(row[1], low), _fmax(row[2], high)
            row[3] += count

    def keys(self) -> int:
        """One more than the highest key number met."""
        return max(self._rows, default=-1) + 1

    def numbers(self) -> list[int]:
        """The key numbers met, ascending."""
        return sorted(self._rows)

    def last_step(self, key: int) -> int | None:
        """The step of the key's last record."""
        row = self._rows.get(key)
        return None if row is None else int(row[4])

    def summary(self, names: list[str | None]) -> dict[str, dict[str, float]]:
        """``{name: {last, min, max, count}}``; ``names`` by key number, None for a lost name."""
        return {
            name: {"last": row[0], "min": row[1], "max": row[2], "count": row[3]}
            for number, row in sorted(self._rows.items())
            if number < len(names) and (name := names[number]) is not None
        }


def _fmin(a: float, b: float) -> float:
    return b if math.isnan(a) or b < a else a


def _fmax(a: float, b: float) -> float:
    return b if math.isnan(a) or b > a else a
