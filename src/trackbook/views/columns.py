"""The table of runs: which columns there are, and what stands in them."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .. import formats
from ..model import Document, flatten
from ..store.rows import Found
from . import manyruns

Kind = Literal[
    "name",
    "status",
    "number",
    "metric",
    "param",
    "time",
    "duration",
    "tags",
    "text",
    "curve",
    "replay",
    "grade",
]
MOST_VARYING = 40
# Of many runs so many are asked what somebody chose.
_ASKED = 200


@dataclass(frozen=True)
class Column:
    """One column of the table: how it looks, and the value and text of a run in it.

    ``priority`` 1 is shown in the narrow side panel too, a higher one where there is room.
    """

    key: str
    title: str
    kind: Kind
    width: int
    priority: int
    value: Callable[[Document], Any]
    text: Callable[[Any], str] = formats.value
    align: Literal["left", "right"] = "left"

    def plain(self) -> dict[str, Any]:
        """The column as a front end gets it."""
        return {
            "key": self.key,
            "title": self.title,
            "kind": self.kind,
            "align": self.align,
            "width": self.width,
            "priority": self.priority,
        }


def label(document: Document) -> str:
    """``forest #2``."""
    return f"{document['name']} #{document['number']}"


def labels(documents: Sequence[Document]) -> list[str]:
    """A label for each run; runs of the same label get the end of their id besides."""
    plain = [label(document) for document in documents]
    seen = Counter(plain)
    return [
        text if seen[text] == 1 else f"{text} ({document['id'][-4:]})"
        for text, document in zip(plain, documents, strict=True)
    ]


def duration(document: Document) -> float | None:
    """Seconds from start to end, or until now while the run is running; None for a lost one."""
    ended = document.get("ended")
    if ended is None and document["status"] == "running":
        ended = time.time()
    return None if ended is None else max(0.0, ended - document["started"])


def _ended_after(document: Document) -> float | None:
    # What is still growing would stand still in a table.
    return None if document.get("ended") is None else duration(document)


def headline(document: Document) -> dict[str, Any] | None:
    """The metric to show first, with its change since the last attempt; None without metrics."""
    summary = document.get("summary") or {}
    key = document.get("headline")
    if key not in summary:
        key = formats.headline(summary)
    if key is None:
        return None
    value = summary[key].get("last")
    before = ((document.get("changed") or {}).get("headline")) or {}
    previous = before.get("previous") if before.get("key") == key else None
    delta = None if value is None or previous is None else value - previous
    if delta is not None and not math.isfinite(delta):
        delta = None
    leaning = formats.direction(key)
    better = delta * leaning > 0 if delta and leaning else None
    text = "" if value is None else formats.number(value)
    return {"key": key, "value": value, "text": text, "delta": delta, "better": better}


def clock(seconds: float | None) -> str:
    """A moment in local time, ``2026-11-21 14:05``; empty for None."""
    if seconds is None:
        return ""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _damage(document: Document) -> str:
    """Why the run's document cannot be read; empty where it can."""
    error = document.get("error") or {}
    reason = str(error.get("message", "")).removeprefix("run.json cannot be read: ")
    return reason if error.get("type") == "Damaged" else ""


def _tags_text(tags: Any) -> str:
    pairs = tags.items() if isinstance(tags, dict) else ()
    return ", ".join(
        key if value == "" else f"{key}={formats.value(value)}" for key, value in pairs
    )


def _headline_text(found: Any) -> str:
    return "" if found is None else str(found["text"])


# A column is one entry here; the keys that vary among the runs come between the two groups.
COLUMNS: tuple[Column, ...] = (
    Column("name", "Name", "name", 150, 1, lambda d: d["name"]),
    Column("status", "Status", "status", 84, 1, lambda d: d["status"]),
    Column("headline", "Result", "metric", 96, 1, headline, _headline_text, align="right"),
    Column("started", "Started", "time", 130, 2, lambda d: d["started"], clock),
    Column(
        "duration", "Duration", "duration", 84, 2, _ended_after, formats.duration, align="right"
    ),
)
TRAILING: tuple[Column, ...] = (
    Column("damage", "Damaged", "text", 220, 1, _damage),
    Column("replay", "Replay", "replay", 110, 3, lambda d: d.get("replay") or ""),
    Column("grade", "Grade", "grade", 60, 4, lambda d: d.get("grade") or ""),
    Column("tags", "Tags", "tags", 140, 4, lambda d: d.get("tags") or {}, _tags_text),
    Column("experiment", "Experiment", "text", 150, 4, lambda d: d["experiment"]),
)


def measured(document: Document) -> dict[str, Any]:
    """``metrics.<key>`` (the last value) and ``params.<key>`` of a run, flat.

    Without those of the machine, which are not what somebody compares runs by.
    """
    flat: dict[str, Any] = {
        f"metrics.{key}": entry.get("last")
        for key, entry in (document.get("summary") or {}).items()
        if not formats.of_machine(key)
    }
    for key, value in flatten(document.get("params") or {}).items():
        flat[f"params.{key}"] = value
    return flat


def chosen(documents: Sequence[Document]) -> set[str]:
    """The params, flat, that somebody chose in one of the runs: not told by autolog alone."""
    found: set[str] = set()
    for document in documents:
        params, autologged = document.get("params") or {}, document.get("autologged") or ()
        found.update(flatten({k: v for k, v in params.items() if k not in autologged}))
    return found


FIELDS = ("run_id", "name", "number", "experiment", "status", "started", "duration")
POINT_FIELDS = ("run_id", "key", "step", "time", "value")


def flat(document: Document) -> dict[str, Any]:
    """One run as one flat record: what a data frame or a CSV file has of it."""
    record = {
        "run_id": document["id"],
        **{key: document[key] for key in ("name", "number", "experiment", "status", "started")},
        "duration": duration(document),
    }
    both = measured(document)
    record.update((key, value) for key, value in both.items() if key.startswith("params."))
    summary = document.get("summary") or {}
    record.update((f"metrics.{key}", entry.get("last")) for key, entry in summary.items())
    record.update((f"tags.{key}", value) for key, value in (document.get("tags") or {}).items())
    return record


def grouped(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of flat records beyond ``FIELDS``: params, then metrics, then tags."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    return [k for start in ("params.", "metrics.", "tags.") for k in keys if k.startswith(start)]


def varying(records: Sequence[dict[str, Any]]) -> list[str]:
    """The keys that differ among flat records (absent is different), the most frequent first."""
    count: Counter[str] = Counter()
    first: dict[str, Any] = {}
    differs: set[str] = set()
    for record in records:
        for key, value in record.items():
            count[key] += 1
            if key in differs:
                continue
            known = manyruns.identity(value)
            if first.setdefault(key, known) != known:
                differs.add(key)
    total = len(records)
    # most_common keeps the order in which keys were first met among equals.
    return [key for key, n in count.most_common() if n < total or key in differs]


def measured_column(key: str) -> Column:
    """The column of ``metrics.<key>`` or ``params.<key>``."""
    kind, name = key.split(".", 1)
    if kind == "metrics":
        return Column(key, name, "metric", 90, 3, lambda d: None, align="right")
    return Column(key, name, "param", 100, 3, lambda d: None)


def columns(
    documents: Sequence[Document], records: Sequence[dict[str, Any]] | None = None
) -> list[Column]:
    """The columns for these runs: params and metrics that vary; for a single run all."""
    many = _many(documents)
    if many is not None:
        keys, documents = manyruns.varying(many), documents[:_ASKED]
    else:
        records = [measured(d) for d in documents] if records is None else records
        keys = varying(records) if len(records) != 1 else list(records[0])
    # Metrics before params: what came out before what went in.
    metrics = [key for key in keys if not key.startswith("params.")]
    first = {f"params.{key}" for key in chosen(documents)}
    params = sorted((k for k in keys if k.startswith("params.")), key=lambda k: k not in first)
    middle = [measured_column(key) for key in [*metrics, *params][:MOST_VARYING]]
    trailing = [
        column
        for column in TRAILING
        if (
            manyruns.says_something(column.key, many)
            if many
            else _says_something(column, documents)
        )
    ]
    # Whether a number holds stands beside it, not behind all params.
    proof = [column for column in trailing if column.kind in ("replay", "grade")]
    return [*COLUMNS, *proof, *middle, *(column for column in trailing if column not in proof)]


def _many(documents: Sequence[Document]) -> Found | None:
    """So many that it is worth not to decode them."""
    return documents if isinstance(documents, Found) and len(documents) > manyruns.MANY else None


def _says_something(column: Column, documents: Sequence[Document]) -> bool:
    if column.key == "experiment":
        return len({d["experiment"] for d in documents}) > 1
    if column.key == "grade":
        return len({d["grade"] for d in documents if d.get("grade")}) > 1
    return any(column.value(d) for d in documents)


def row(document: Document, record: dict[str, Any] | None = None) -> dict[str, Any]:
    """One run as a front end gets it, with a cell for every key it has.

    Cells do not depend on the other runs: a change of one run never makes another's row stale.
    """
    record = measured(document) if record is None else record
    cells = {
        key: {"text": "" if value is None else formats.value(value), "value": value}
        for key, value in record.items()
    }
    for column in (*COLUMNS, *TRAILING):
        value = column.value(document)
        cells[column.key] = {"text": column.text(value), "value": value}
    first = cells["headline"]["value"]
    cells["headline"]["value"] = first and first["value"]
    error = document.get("error")
    return {
        **{key: document[key] for key in ("id", "name", "number", "status", "experiment")},
        **{key: document.get(key) for key in ("started", "ended")},
        **{key: bool(document.get(key)) for key in ("star", "archived")},
        "notebook": (document.get("notebook") or {}).get("path"),
        "cell": (document.get("cell") or {}).get("id"),
        "headline": first,
        "error": {key: error.get(key, "") for key in ("type", "message")} if error else None,
        "death": (document.get("death") or {}).get("cause"),
        "cells": cells,
    }


def table(
    documents: Sequence[Document],
    *,
    total: int | None = None,
    only: Iterable[str] | None = None,
) -> dict[str, Any]:
    """``{columns, rows, total}`` for these runs; ``only`` names the ids that get a row."""
    if _many(documents) is None:
        documents = list(documents)  # decoded once
    return {
        "columns": [column.plain() for column in columns(documents)],
        "rows": list(rows(documents, only)),
        "total": len(documents) if total is None else total,
    }


def rows(documents: Sequence[Document], only: Iterable[str] | None = None) -> Iterator[Any]:
    """The rows of these runs one by one: all of ten thousand at once take a while to free."""
    wanted = None if only is None else set(only)
    many = _many(documents)
    if wanted is None:
        shown: Iterable[Document] = documents if many is None else many
    elif many is None:
        shown = (document for document in documents if document["id"] in wanted)
    else:
        shown = manyruns.chosen(many, wanted)
    return (row(document) for document in shown)
