"""The table of runs column by column: ten thousand runs without decoding one document.

A front end makes the text of a cell from its value and the kind of its column, by the rules of
``formats``; ``labextension/test/formats.json`` holds both sides to the same text.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from .. import formats
from ..jsonable import encode, written
from ..store.attributes import MISSING
from ..store.rows import Found
from . import columns, manyruns, twins
from .columns import Column

# Of more keys that differ, only those get cells that somebody chose to see.
MOST_PACKED = 120
_RARE = 1 / 8
_WHOLE = 1e6
_NOTHING = {type(None), type(MISSING)}

_FIELDS = (
    *("name", "number", "status", "experiment", "started", "ended", "star", "archived", "deleted"),
    *("note", "notebook.path", "cell.id", "error.type", "error.message", "death.cause"),
)
CURVE = Column("curve", "Curve", "curve", 84, 3, lambda d: None)
TWIN = "twin"
# Columns that nobody needs at first sight.
_MORE = (
    Column("note", "Note", "text", 200, 5, lambda d: d.get("note")),
    Column("user", "User", "text", 90, 5, lambda d: d.get("user")),
    Column("host", "Host", "text", 110, 5, lambda d: d.get("host")),
    Column("notebook.path", "Notebook", "text", 180, 5, lambda d: None),
    Column("git.branch", "Git branch", "text", 110, 5, lambda d: None),
    Column("git.commit", "Git commit", "text", 90, 5, lambda d: None),
)


def table(
    found: Found,
    *,
    total: int | None = None,
    only: Collection[str] | None = None,
    wanted: Iterable[str] = (),
    layout: str | None = None,
) -> dict[str, Any]:
    """``{columns, others, layout, total, packed}`` as ``jsonable.encode`` would have made it.

    ``only`` names the runs to pack, ``wanted`` keys that are packed besides those shown at first.
    ``others`` are columns to choose from. Who has that ``layout`` gets no columns anew.
    """
    shown = columns.columns(found)
    if _has_curves(found):
        shown[3:3] = [CURVE]
    names = {column.key for column in shown}
    differing = set(manyruns.varying(found))
    others = [c for c in (*_measured(found, differing), *_MORE) if c.key not in names]
    known = {"columns": [_plain(c, differing) for c in shown]}
    known["others"] = [_plain(c, differing) for c in others if c not in _MORE or _told(found, c)]
    mark = hashlib.blake2b(written(encode(known)), digest_size=8).hexdigest()
    keys = dict.fromkeys([*(c.key for c in shown), *wanted])
    keys.update(dict.fromkeys([c.key for c in others if c.key in differing][:MOST_PACKED]))
    return {
        **(dict.fromkeys(known) if layout == mark else known),
        "layout": mark,
        "total": len(found) if total is None else total,
        "packed": pack(found, keys, only),
    }


def _plain(column: Column, differing: set[str]) -> dict[str, Any]:
    measured = column.key.startswith(("params.", "metrics.", "tags."))
    return {**column.plain(), "differs": not measured or column.key in differing}


def _measured(found: Found, differing: set[str]) -> list[Column]:
    """A column for every metric, param and tag that a run has, those that differ first."""
    made = []
    for kind, root in (("metrics", "summary.last"), ("params", "params"), ("tags", "tags")):
        for name in sorted(found.rows.keys(root)):
            key = f"{kind}.{name}"
            if kind == "tags":
                made.append(Column(key, name, "param", 100, 5, lambda d: None))
            else:
                made.append(columns.measured_column(key))
    return sorted(made, key=lambda column: column.key not in differing)


def _told(found: Found, column: Column) -> bool:
    return any(value is not MISSING and value for value in found.values(column.key))


def _has_curves(found: Found) -> bool:
    return any(
        type(count) is int and count > 1
        for name in found.rows.keys("summary.count")
        if not formats.of_machine(name)
        for count in found.values(f"summary.count.{name}")
    )


# -- cells -----------------------------------------------------------------------------------------


def pack(found: Found, keys: Iterable[str], only: Collection[str] | None = None) -> dict[str, Any]:
    """The runs as columns of values: ``ids, fields, headline, tags, cells``."""
    if only is not None:
        pairs = zip(found.places, found.ids(), strict=True)
        some = Found(found.rows, [place for place, run_id in pairs if run_id in only])
    else:
        some = found
    fields = {key: column(some.values(key)) for key in _FIELDS}
    tags = {name: column(some.values(f"tags.{name}")) for name in found.rows.keys("tags")}
    cells = {key: column(_cell_values(found, some, key)) for key in keys if _own(key)}
    return {
        "ids": some.ids(),
        "fields": _there(fields),
        "headline": _headlines(some),
        "tags": _there(tags),
        "cells": _there(cells),
    }


def _own(key: str) -> bool:
    """Whether the cells of a column are not told by the fields already."""
    told = {*_FIELDS, "headline", "duration", "tags", "damage", CURVE.key}
    return key not in told and not key.startswith("tags.")


def _cell_values(found: Found, some: Found, key: str) -> list[Any]:
    kind, _, name = key.partition(".")
    if kind == "metrics":
        return some.values(f"summary.last.{name}")
    if key == TWIN:
        marks = dict(zip(found.places, twins.marks(found), strict=True))
        return [marks[place] for place in some.places]
    fixed = {c.key: c for c in (*columns.COLUMNS, *columns.TRAILING)}
    values = some.values(key)
    if key in fixed and all(value is MISSING for value in values):
        return [fixed[key].value(document) for document in some]
    return values


def _there(packed: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in packed.items() if value is not None}


def _headlines(found: Found) -> dict[str, Any]:
    """Key, value and previous value of each run's headline, and which way each key is better."""
    metrics = sorted(found.rows.keys("summary.last"), key=formats.rank)
    last = {name: found.values(f"summary.last.{name}") for name in metrics}
    given = found.values("headline")
    keys: list[str | None] = []
    for place, key in enumerate(given):
        if not (isinstance(key, str) and key in last and last[key][place] is not MISSING):
            key = next(
                (n for n in metrics if last[n][place] is not MISSING and not formats.of_machine(n)),
                None,
            )
        keys.append(key)
    values = [None if key is None else last[key][place] for place, key in enumerate(keys)]
    before = zip(*(found.values(f"changed.headline.{p}") for p in ("key", "previous")), strict=True)
    previous = [
        MISSING if key is None or key != of_key else value
        for key, (of_key, value) in zip(keys, before, strict=True)
    ]
    leaning = {key: formats.direction(key) for key in dict.fromkeys(keys) if key is not None}
    parts = {"key": column(keys), "value": column(values), "previous": column(previous)}
    return {**_there(parts), "leaning": leaning}


def column(values: Sequence[Any]) -> Any:
    """One attribute of many runs: a list, words with their places, or only where it is there.

    None where no run has it.
    """
    kinds = set(map(type, values))
    if kinds <= _NOTHING:
        return None
    if kinds & _NOTHING:
        at = [place for place, value in enumerate(values) if type(value) not in _NOTHING]
        if len(at) < len(values) * _RARE:
            return {"at": at, "values": _exact([values[place] for place in at])}
        values = [None if value is MISSING else value for value in values]
    if kinds - _NOTHING == {str}:
        words = {word: place for place, word in enumerate(dict.fromkeys(values))}
        if len(words) < len(values) / 2:
            return {"words": list(words), "of": [words[value] for value in values]}
        return list(values)
    return _exact(values)


def _exact(values: Sequence[Any]) -> list[Any]:
    """The values as JSON can say them, without a look at each where their type says enough."""
    kinds = set(map(type, values))
    if kinds <= {bool, str} or (kinds == {int} and -_WHOLE < min(values) <= max(values) < _WHOLE):
        return list(values)
    small = kinds == {float} and all(map(math.isfinite, values))
    if small and -_WHOLE < min(values) <= max(values) < _WHOLE:
        return list(values)
    return [_told_float(value) for value in values]


def _told_float(value: Any) -> Any:
    # JavaScript cannot tell 2000000.0 from 2000000, which read differently.
    if type(value) is float and abs(value) >= _WHOLE and value.is_integer():
        return {"$float": str(value)}
    return encode(value)
