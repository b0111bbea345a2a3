"""Attempts of a series are numbered without a lock, also by several kernels at once.

Each claims a number by a line at the end of ``index/series/<hash>.jsonl``. Lines have one order, so
whoever finds another run's claim to the same number before its own takes the next. The file is
derived: it is made anew from the catalogue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from ..jsonable import dumps, loads
from . import os_calls


def claim(
    index: Path,
    series: str,
    run_id: str,
    number: int,
    known: Callable[[], Iterable[tuple[str, int]]],
) -> int:
    """The number that the run has: the wanted one, or a higher one where that is taken.

    ``known`` gives the runs of the series with their numbers; it is asked where there is no file.
    """
    path = _file(index, series)
    if not path.exists():
        lines = [_line(other, taken) for other, taken in known()]
        os_calls.append(path, b"".join(lines))
    while True:
        os_calls.append(path, _line(run_id, number))
        claims = read(index, series)
        first = next((other for other, taken in claims if taken == number), run_id)
        if first == run_id:
            return number
        number = max(taken for _, taken in claims) + 1


def read(index: Path, series: str) -> list[tuple[str, int]]:
    """The claims of a series in their order; empty where there is no file."""
    claims = []
    try:
        lines = _file(index, series).read_bytes().split(b"\n")
    except OSError:
        return []
    for line in lines:
        try:
            run_id, number = loads(line) if line else (None, None)
        except (ValueError, TypeError):
            continue
        if isinstance(run_id, str) and isinstance(number, int):
            claims.append((run_id, number))
    return claims


def _line(run_id: str, number: int) -> bytes:
    return dumps([run_id, number]) + b"\n"


def _file(index: Path, series: str) -> Path:
    name = hashlib.sha256(series.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return index / "series" / f"{name}.jsonl"
