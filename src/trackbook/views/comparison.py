"""Runs side by side: what differs first, then charts and the difference of their code."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import formats
from ..model import Document, flatten
from .charts import PointsOf, charted, charts_for, kind_for, ranked_metrics
from .columns import chosen, labels, row
from .manyruns import identity
from .measures import measures
from .palette import styles

# So many attributes can be chosen from, metrics and what differs first.
_MOST_MEASURES = 500


@dataclass(frozen=True)
class Code:
    """What a run executed: its own cell, and the other cells of its notebook by id."""

    source: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)


def compare(
    documents: Sequence[Document],
    points: PointsOf,
    code: Mapping[str, Code] | None = None,
) -> dict[str, Any]:
    """The comparison of these runs as plain data; ``code`` holds the sources by run id."""
    code = code or {}
    return {
        **outline(documents, code),
        "charts": charts_for(documents, points),
        "diff": differences(documents, code),
    }


def outline(
    documents: Sequence[Document], code: Mapping[str, Code] | None = None
) -> dict[str, Any]:
    """The comparison without charts: what differs, and what there is to be charted."""
    names = labels(documents)
    sections = [
        _params(documents),
        _metrics(documents),
        _section("Inputs", [_inputs(d) for d in documents]),
        _section("Tags", [d.get("tags") or {} for d in documents]),
        _section("Code", [_code((code or {}).get(d["id"])) for d in documents]),
        _section("Environment", _environments(documents)),
    ]
    sections = [section for section in sections if section["rows"]]
    return {
        "refs": [d["id"] for d in documents],
        "title": " · ".join(names),
        "labels": names,
        "styles": [style._asdict() for style in styles(documents)],
        "runs": [row(d) for d in documents],
        "sections": sections,
        "same": sum(not line["differs"] for section in sections for line in section["rows"]),
        "metrics": [{"key": k, "kind": kind_for(documents, k)} for k in charted(documents)],
        "measures": measures(documents)[:_MOST_MEASURES],
    }


def differences(documents: Sequence[Document], code: Mapping[str, Code]) -> str:
    """The unified diff of each run's cells against the first run's; "" where nothing differs."""
    if not documents:
        return ""
    names = labels(documents)
    first = code.get(documents[0]["id"], Code())
    parts: list[str] = []
    for document, name in zip(documents[1:], names[1:], strict=True):
        other = code.get(document["id"], Code())
        parts += _unified(first.source, other.source, names[0], name)
        for cell in first.cells.keys() & other.cells.keys():
            where = f" [cell {cell}]"
            parts += _unified(first.cells[cell], other.cells[cell], names[0] + where, name + where)
    return "\n".join(parts)


def _unified(left: str, right: str, left_name: str, right_name: str) -> list[str]:
    lines = difflib.unified_diff(
        left.splitlines(), right.splitlines(), left_name, right_name, lineterm=""
    )
    return list(lines)


def _inputs(document: Document) -> dict[str, str]:
    """Each input by name: its size as people say it, and the beginning of its hash."""
    told: dict[str, list[str]] = {}
    for entry in document.get("inputs") or []:
        if isinstance(entry, Mapping):
            told.setdefault(str(entry.get("name")), []).append(input_text(entry))
    return {name: "; ".join(texts) for name, texts in told.items()}


def input_text(entry: Mapping[str, Any]) -> str:
    """An input in a few words: ``150 × 5 3fa9c1d2``."""
    shape, size = entry.get("shape"), entry.get("bytes")
    if isinstance(shape, list):
        extent = " × ".join(map(str, shape)) or "one value"
    else:
        extent = formats.size(size) if isinstance(size, int) else str(entry.get("kind") or "")
    digest = str(entry.get("hash") or "").rpartition("-")[2][:8]
    return f"{extent} {digest}" + (" (sampled)" if entry.get("sampled") else "")


def _code(code: Code | None) -> dict[str, Any]:
    if code is None or not code.source:
        return {}
    return {"cell": code.source}


def _environments(documents: Sequence[Document]) -> list[dict[str, Any]]:
    """Commit, notebook, Python and, of the packages, only those whose version differs."""
    packages = [(d.get("env") or {}).get("packages") or {} for d in documents]
    names = sorted({name for versions in packages for name in versions})
    moved = [n for n in names if len({versions.get(n) for versions in packages}) > 1]
    records = []
    for document, versions in zip(documents, packages, strict=True):
        env, git = document.get("env") or {}, document.get("git") or {}
        record = {
            "notebook": (document.get("notebook") or {}).get("path"),
            "host": document.get("host"),
            **{key: env.get(key) for key in ("python", "platform")},
            **{key: git.get(key) for key in ("commit", "branch", "dirty")},
            **{name: versions.get(name) for name in moved},
        }
        records.append({key: value for key, value in record.items() if value not in (None, "")})
    return records


def _section(
    title: str,
    records: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str] | None = None,
    best: Callable[[str, Sequence[Any]], int | None] = lambda key, values: None,
) -> dict[str, Any]:
    keys = list(dict.fromkeys(k for r in records for k in r)) if keys is None else keys
    lines = []
    for key in keys:
        values = [record.get(key) for record in records]
        there = [key in record for record in records]
        known = {identity(v) if has else None for v, has in zip(values, there, strict=True)}
        cells = [
            # A bare tag is there, though its text is empty.
            {"text": (formats.value(v) or "✓") if has else "", "value": v}
            for v, has in zip(values, there, strict=True)
        ]
        line = {"key": key, "cells": cells, "differs": len(known) > 1, "best": best(key, values)}
        lines.append(line)
    lines.sort(key=lambda line: not line["differs"])
    return {"title": title, "rows": lines}


def _params(documents: Sequence[Document]) -> dict[str, Any]:
    records = [flatten(d.get("params") or {}) for d in documents]
    first = chosen(documents)
    keys = sorted(dict.fromkeys(k for r in records for k in r), key=lambda key: key not in first)
    section = _section("Params", records, keys=keys)
    for line in section["rows"]:
        # A param that somebody chose is never folded, also where other runs have no such param.
        line["chosen"] = line["key"] in first
    return section


def _metrics(documents: Sequence[Document]) -> dict[str, Any]:
    records = [
        {key: entry.get("last") for key, entry in (d.get("summary") or {}).items()}
        for d in documents
    ]
    keys = [key for key in ranked_metrics(documents) if not formats.of_machine(key)]
    return _section("Metrics", records, keys=keys, best=_best)


def _best(key: str, values: Sequence[Any]) -> int | None:
    """Where the best value stands; None where the name does not say what is better, or all tie."""
    leaning = formats.direction(key)
    known = [v * leaning for v in values if v is not None and v == v]
    if not leaning or len(known) < 2 or max(known) == min(known):
        return None
    return next(i for i, v in enumerate(values) if v is not None and v * leaning == max(known))
