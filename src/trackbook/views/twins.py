"""Runs that are the same but for the seed."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ..store.attributes import MISSING
from ..store.rows import Found
from . import manyruns

_SEED = re.compile(r"(^|[._\- ])(seed|random_state|random_seed|rng)$|seed$", re.IGNORECASE)


def is_seed(key: str) -> bool:
    """Whether a param chooses the random numbers: ``seed``, ``model.random_state``, ``np_seed``."""
    return _SEED.search(key) is not None


def marks(found: Found) -> list[str]:
    """A mark for each run, equal where experiment, name and all params but seeds are equal.

    It does not depend on the other runs, so a run that joins changes no other's mark.
    """
    names = sorted(key for key in found.rows.keys("params") if not is_seed(key))
    known: dict[Any, str] = {}
    made = []
    parts = [found.values("experiment"), found.values("name")]
    parts += [list(map(_plain, found.values(f"params.{name}"))) for name in names]
    for values in zip(*parts, strict=True):
        mark = known.get(values)
        if mark is None:
            mark = known[values] = _mark(["experiment", "name", *names], values)
        made.append(mark)
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, int | float | str):
        # True is 1 and 7 is 7.0 as keys; only the latter mean the same.
        return (value,) if isinstance(value, bool) else value
    return None if value is MISSING else manyruns.identity(value)


def _mark(names: list[str], values: tuple[Any, ...]) -> str:
    there = [
        (name, float(value) if type(value) is int and abs(value) < 2**53 else value)
        for name, value in zip(names, values, strict=True)
        if value is not None
    ]
    return hashlib.blake2b(repr(there).encode(), digest_size=6).hexdigest()
