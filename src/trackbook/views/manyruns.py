"""What a table of many runs asks of all of them, answered from the store's columns."""

from __future__ import annotations

from typing import Any

from ..jsonable import dumps
from ..store.attributes import MISSING
from ..store.rows import Found

# Of fewer runs the documents are asked.
MANY = 1000


def varying(found: Found) -> list[str]:
    """``metrics.*`` and ``params.*`` that differ among the runs, the most frequent first."""
    counts: dict[str, int] = {}
    for kind, root in (("metrics", "summary.last"), ("params", "params")):
        for name in found.rows.keys(root):
            values = found.values(f"{root}.{name}")
            there = [value for value in values if value is not MISSING]
            if there and (len(there) < len(values) or differ(there)):
                counts[f"{kind}.{name}"] = len(there)
    return sorted(counts, key=lambda key: -counts[key])


def differ(values: list[Any]) -> bool:
    """Whether values do not all mean the same: 7 and 7.0 do, 1 and True do not."""
    first = values[0]
    alike = {int, float}.issuperset(map(type, values)) or len(set(map(type, values))) == 1
    if alike and first == first:
        return values.count(first) < len(values)
    known = identity(first)
    return any(identity(value) != known for value in values)


def identity(value: Any) -> Any:
    """Something hashable that is equal where values mean the same."""
    if type(value) in (int, float):
        return "nan" if value != value else (value,)
    return dumps(value)


def says_something(key: str, found: Found) -> bool:
    """Whether one of the columns that come last tells anything of these runs."""
    if key == "experiment":
        return len(set(found.values("experiment"))) > 1
    if key == "grade":
        return len({value for value in found.values("grade") if value is not MISSING}) > 1
    if key == "replay":
        return any(value is not MISSING for value in found.values("replay"))
    if key == "damage":
        return "Damaged" in found.values("error.type")
    return any(
        any(value is not MISSING for value in found.values(f"tags.{name}"))
        for name in found.rows.keys("tags")
    )


def chosen(found: Found, ids: set[str]) -> list[Any]:
    """The documents of these runs."""
    places = [p for p, run_id in zip(found.places, found.ids(), strict=True) if run_id in ids]
    return list(found.rows.documents(places))
