"""The records of a metric log taken apart into the points of each metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

from .protocol import Points
from .tally import DTYPE, RECORD

# So many records at a time stay in the processor's cache.
_PART = 1 << 15
# For so few metrics each is looked for; for more the records are sorted.
_FEW = 4


def of_one(file: IO[bytes], count: int) -> tuple[int, Points] | None:
    """Key number and points of the next records; None where they are not all of one metric.

    What is taken apart while it is read is never in memory twice.
    """
    import numpy as np

    buffer = bytearray(min(count, _PART) * RECORD.size)
    records = np.frombuffer(buffer, dtype=DTYPE)
    step, time, value = (np.empty(count, dtype) for dtype in ("i8", "f8", "f8"))
    first = None
    for start in range(0, count, _PART):
        part = records[: count - start]
        stop = start + len(part)
        if file.readinto(memoryview(buffer)[: len(part) * RECORD.size]) < len(part) * RECORD.size:  # type: ignore[attr-defined]
            return None
        first = part["key"][0] if first is None else first
        if (part["key"] != first).any():
            return None
        step[start:stop] = part["step"]
        time[start:stop] = part["time"]
        value[start:stop] = part["value"]
    return None if first is None else (int(first), Points(step, time, value))


def split(data: bytes, names: list[str | None], keys: Iterable[str] | None) -> dict[str, Points]:
    """Whole records as points by metric name, in the order of their key numbers."""
    import numpy as np

    records = np.frombuffer(data, dtype=DTYPE)
    wanted = None if keys is None else set(keys)
    found: dict[str, Points] = {}
    for number, places in _places(records["key"], names, wanted):
        name = names[number] if number < len(names) else None
        if name is not None and len(places) and (wanted is None or name in wanted):
            found[name] = Points(*(records[field][places] for field in Points._fields))
    return found


def _places(
    numbers: Any, names: list[str | None], wanted: set[str] | None
) -> Iterable[tuple[int, Any]]:
    """Where the records of each key number are."""
    import numpy as np

    if wanted is not None and len(wanted) <= _FEW:
        for number, name in enumerate(names):
            if name in wanted:
                yield number, np.flatnonzero(numbers == number)
        return
    # Short numbers are sorted by their digits, in a fraction of the time.
    few = len(numbers) and int(numbers.max()) < 1 << 16
    short = numbers.astype(np.uint16) if few else numbers
    order = np.argsort(short, kind="stable")
    there, starts = np.unique(short[order], return_index=True)
    yield from zip(there.tolist(), np.split(order, starts[1:]), strict=False)
