"""Attempts of a series are numbered without a lock, also by several kernels at once.

Each claims a number by a line at the end of ``index/series/<hash>.jsonl``. Lines have one order, so
whoever finds another run's claim to the same number before its own takes the next. The files are
derived. One that exists knows the highest number of its series, near its end; where ``complete``
lies beside them, a series without a file has no runs. Otherwise the runs must be asked.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ..jsonable import dumps
from . import limits, os_calls

Claim = tuple[str, int]
_COMPLETE = "complete"
_FEW = 10
# The end of a file that is read: more claims than kernels can make at once.
_END = 1 << 13
_CLAIM = re.compile(rb'^\["(\d{8}-\d{6}-[0-9a-z]{10})",(-?\d{1,18})\]$', re.MULTILINE)
# More files than this are not made at once.
_MOST = 5_000


def last(index: Path, series: str) -> int | None:
    """The highest number claimed in a series; None where only the runs can tell."""
    claims, _ = _end(_file(index, series))
    if claims:
        return max(number for _, number in claims)
    return 0 if _is_complete(index) else None


def before(index: Path, series: str, number: int) -> list[str]:
    """The runs with the next lower numbers, the highest first; some of them may be gone."""
    claims, _ = _end(_file(index, series))
    lower = sorted(((taken, run_id) for run_id, taken in claims if taken < number), reverse=True)
    return [run_id for _, run_id in lower[:_FEW]]


def claim(
    index: Path, series: str, run_id: str, number: int, known: Callable[[], Iterable[Claim]]
) -> int:
    """The number that the run has: the wanted one, or a higher one where that is taken.

    ``known`` gives the runs of the series with their numbers; it is asked where no file tells.
    """
    path = _file(index, series)
    if not path.exists() and not _is_complete(index):
        _make(path, known())
    while True:
        os_calls.append(path, _line(run_id, number))
        claims, whole = _end(path)
        if not whole and number <= claims[len(claims) // 2][1]:
            claims = read(index, series)
        first = next((other for other, taken in claims if taken == number), run_id)
        if first == run_id:
            return number
        number = max(taken for _, taken in claims) + 1


def note(index: Path, series: str, run_id: str, number: int) -> None:
    """Take a run into account that was not numbered here; does nothing where that is not needed."""
    path = _file(index, series)
    claims, _ = _end(path)
    if not claims and not _is_complete(index):
        return
    if all(taken < number for _, taken in claims):
        os_calls.append(path, _line(run_id, number))


def fill(index: Path, known: dict[str, list[Claim]]) -> None:
    """Make the files that are missing, given the runs of all series."""
    if len(known) > _MOST:
        return
    for series, claims in known.items():
        _make(_file(index, series), claims)
    mark_complete(index)


def mark_complete(index: Path) -> None:
    """Say that a series without a file has no runs."""
    os_calls.append(index / "series" / _COMPLETE, b"")


def read(index: Path, series: str) -> list[Claim]:
    """The claims of a series in their order; empty where there is no file."""
    try:
        return _parse(os_calls.read_plain(_file(index, series), limits.CLAIMS))
    except OSError:
        return []


def _is_complete(index: Path) -> bool:
    return (index / "series" / _COMPLETE).exists()


def _make(path: Path, claims: Iterable[Claim]) -> None:
    """A new file, whole, with the highest number last; one that is there stays."""
    lines = [_line(run_id, number) for run_id, number in sorted(claims, key=lambda c: c[1])]
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os_calls.create(path, b"".join(lines), durable=False)


def _end(path: Path) -> tuple[list[Claim], bool]:
    """The last claims of a file, and whether these are all."""
    try:
        with os_calls.open_plain(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _END))
            data = file.read()
    except OSError:
        return [], True
    return _parse(data), size <= _END


def _parse(data: bytes) -> list[Claim]:
    return [(run_id.decode("ascii"), int(number)) for run_id, number in _CLAIM.findall(data)]


def _line(run_id: str, number: int) -> bytes:
    return dumps([run_id, number]) + b"\n"


def _file(index: Path, series: str) -> Path:
    name = hashlib.sha256(series.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return index / "series" / f"{name}.jsonl"
