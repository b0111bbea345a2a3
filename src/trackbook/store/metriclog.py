"""The metric log: 28-byte records, packed by the caller, written by one thread a process.

``metrics.bin`` holds little-endian ``<u4 key, i8 step, f8 time, f8 value>`` and only grows; line
``n`` of ``metrics.keys`` is the JSON name of key ``n`` and is on disk before the key's first
record. A torn last record is ignored by readers and cut before more is added.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..errors import InvalidValue
from ..jsonable import dumps, loads
from . import limits, os_append, os_calls, pointsplit
from .protocol import Points
from .tally import RECORD, Tally

SIZE = RECORD.size
BIN, KEYS = "metrics.bin", "metrics.keys"
Names = list[str | None]
# So many bytes of records are counted at a time.
_PART = (1 << 13) * SIZE


class MetricLog:
    """The log of one run, owned by this process. ``log(key, step, time, value)`` is the hot path.

    ``wake`` is called when the log gets something to write after it had nothing to expect.
    """

    def __init__(self, folder: Path, wake: Callable[[], None]) -> None:
        self._keys = os_append.AppendFile(folder / KEYS, os_append.torn_line)
        self._records = os_append.AppendFile(folder / BIN, _torn_record)
        self._names: Names = read_names(folder)
        self._numbers = {name: i for i, name in enumerate(self._names) if name is not None}
        self._ids: dict[str, int] = {}
        self._tally = Tally()
        self._counted = 0
        self._wake = wake
        self._refused: list[float] | None = None
        self._pid = os.getpid()
        self._lock = threading.RLock()
        os_calls.call_in_child(self._in_child)
        self._tally.add(read_records(folder))
        # Records without a name (a power cut can do that) must not get the next key's.
        while len(self._names) < self._tally.keys():
            self._names.append(None)
            self._keys.pending += b"null\n"
        self.log = _make_log(self._records.pending, self._ids, self._admit)

    def _admit(self, key: str) -> bool:
        """Make a key known to the hot path; False where this process does not own the run."""
        if self._pid != os.getpid():
            self._wake()
            return False
        with self._lock:
            if self._refused is not None:
                self._refused[0] += 1
                return False
            number = self._numbers.get(key)
            if number is None:
                if len(self._names) >= limits.KEYS:
                    raise InvalidValue(f"a run has at most {limits.KEYS} metrics, {key!r:.60} not")
                line = dumps(key) + b"\n"
                number = self._numbers[key] = len(self._names)
                self._names.append(key)
                self._keys.pending += line
            self._ids[key] = number
        self._wake()
        return True

    def row(self, keys: Sequence[str]) -> Callable[[int, float, Iterable[float]], None]:
        """``put(step, time, values)``, which logs a point of each key; all of them or none."""
        if not all(key in self._ids or self._admit(key) for key in keys):
            return _make_loop(keys, self.log)
        numbers = [self._ids[key] for key in keys]
        return _make_row(self._records.pending, self._ids, numbers, _make_loop(keys, self.log))

    @property
    def waiting(self) -> int:
        """How many bytes of points are not on disk."""
        return len(self._records.pending)

    def refuse(self, *, forget: bool = False) -> None:
        """Take no more points, because memory is full too; ``forget`` drops those that wait."""
        with self._lock:
            if forget:
                self._records.pending.clear()
                self._counted = 0
            if self._refused is None:
                self._refused = [0, time.time()]
                self._ids.clear()  # every point of every key asks, and is counted

    def accept(self) -> tuple[int, float]:
        """Take points again: how many were not taken, and since when."""
        with self._lock:
            count, since = self._refused or (0, 0.0)
            self._refused = None
            return int(count), since

    def flush(self) -> None:
        """Write what waits; raises ``OSError`` and keeps it where the disk does not take it."""
        with self._lock:
            self._count()
            # What is packed by now has the line of its key in the other buffer already.
            limit = self._counted
            self._keys.drain()
            # Others go on packing meanwhile, so what was written is told by the file alone.
            before = self._records.drained
            try:
                self._records.drain(limit)
            finally:
                self._counted -= self._records.drained - before

    def _count(self) -> None:
        # In parts: the thread that logs must not wait for the count of all.
        end = len(self._records.pending)
        while self._counted < end:
            part = min(end, self._counted + _PART)
            data = bytes(self._records.pending[self._counted : part])
            self._tally.add(data)
            self._counted = part

    def summary(self) -> dict[str, dict[str, float]]:
        """``{key: {last, min, max, count}}`` of everything logged."""
        with self._lock:
            self._count()
            return self._tally.summary(self._names)

    def last_step(self, key: str) -> int | None:
        """The step of the key's last point, if there is one."""
        with self._lock:
            self._count()
            number = self._numbers.get(key)
            return None if number is None else self._tally.last_step(number)

    def sleep(self) -> None:
        """Let the next point of every key call ``wake``: it misses its key in the hot path."""
        self._ids.clear()

    def close(self) -> None:
        """Write everything durably and let go of the files; a later point opens them again."""
        with self._lock:
            self.sleep()
            self.flush()
            for file in (self._keys, self._records):
                file.sync()
                file.close()

    def _in_child(self) -> None:
        # The points are the parent's to write, and a thread we lack may hold its lock.
        self._lock = threading.RLock()
        self._records.pending.clear()
        self._counted = 0
        self._ids.clear()


def _make_log(
    pending: bytearray, ids: dict[str, int], admit: Callable[[str], bool]
) -> Callable[[str, int, float, float], None]:
    """The hot path over local names; whatever is unusual comes through ``except``."""
    pack = RECORD.pack
    extend = pending.extend

    def log(key: str, step: int, time: float, value: float) -> None:
        try:
            extend(pack(ids[key], step, time, value))
        except KeyError:
            if admit(key):
                log(key, step, time, value)
        except struct.error:
            raise InvalidValue(f"step {step} of metric {key!r} is beyond 64 bits") from None

    return log


def _make_loop(
    keys: Sequence[str], log: Callable[[str, int, float, float], None]
) -> Callable[[int, float, Iterable[float]], None]:
    def put(step: int, time: float, values: Iterable[float]) -> None:
        for key, value in zip(keys, list(map(float, values)), strict=True):
            log(key, step, time, value)

    return put


def _make_row(
    pending: bytearray,
    ids: dict[str, int],
    numbers: list[int],
    loop: Callable[[int, float, Iterable[float]], None],
) -> Callable[[int, float, Iterable[float]], None]:
    """The hot path for several keys at once: one record each, packed together."""
    count = len(numbers)
    # Step and time, which are the same for all, go in as bytes.
    pack = struct.Struct("<" + "I16sd" * count).pack
    moment = struct.Struct("<qd").pack
    template = [part for number in numbers for part in (number, b"", 0.0)]
    extend = pending.extend

    def put(step: int, time: float, values: Iterable[float]) -> None:
        # Without ids every point is to ask first: the log sleeps, or memory is full.
        if not ids:
            loop(step, time, values)
            return
        row = template.copy()
        row[1::3] = [moment(step, time)] * count
        row[2::3] = values
        extend(pack(*row))

    return put


def _torn_record(path: Path) -> int:
    return path.stat().st_size % SIZE


def read_records(folder: Path) -> bytes:
    """The whole records of a run; empty where there are none."""
    try:
        data = os_calls.read_plain(folder / BIN, limits.RECORDS)
    except FileNotFoundError:
        return b""
    torn = len(data) % SIZE
    return data[:-torn] if torn else data


def count_records(folder: Path) -> int:
    """How many whole records a run has on disk."""
    try:
        return os_calls.size_of(folder / BIN) // SIZE
    except OSError:
        return 0


def read_names(folder: Path) -> Names:
    """The names of a run's keys by number; None for a line that cannot be read."""
    try:
        lines = os_calls.read_plain(folder / KEYS, limits.NAMES).split(b"\n", limits.KEYS)[:-1]
    except FileNotFoundError:
        return []
    return [_name(line) for line in lines]


def _name(line: bytes) -> str | None:
    try:
        name = loads(line)
    except ValueError:
        return None
    return name if isinstance(name, str) else None


def tally(folder: Path) -> tuple[dict[str, dict[str, float]], float]:
    """The summary of the records on disk, and the time of the last one (0 without any)."""
    counted = Tally()
    # The records first: each key met is then sure to have its name on disk.
    if count_records(folder) * SIZE <= limits.TALLIED:
        counted.add(read_records(folder))
    return counted.summary(read_names(folder)), counted.last_time


def read_points(folder: Path, keys: Iterable[str] | None = None) -> dict[str, Points]:
    """The points of each metric in the order they were logged, of a live run too."""
    try:
        with os_calls.open_plain(folder / BIN) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            one = pointsplit.of_one(file, size // SIZE) if size <= limits.RECORDS else None
    except FileNotFoundError:
        return {}
    if one is None:
        data = read_records(folder)
        return pointsplit.split(data, read_names(folder), keys)
    names = read_names(folder)
    name = names[one[0]] if one[0] < len(names) else None
    wanted = name is not None and (keys is None or name in set(keys))
    return {name: one[1]} if wanted and name is not None else {}
