"""How a run stands among the attempts of its series: its headline, params and metrics, compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import formats
from ..model import Document, flatten
from .charts import ranked_metrics
from .columns import chosen, headline, label
from .manyruns import identity

_LONGEST = 300


@dataclass(frozen=True)
class Rivals:
    """The attempts that a run is held against; None where there is none."""

    previous: Document | None = None
    best: Document | None = None
    """The best by the run's headline metric, which may be the run itself."""
    attempts: int = 1

    def others(self, document: Document) -> dict[str, Document]:
        """Those that are other runs than this one, the best not named twice."""
        found = {"previous": self.previous, "best": self.best}
        return {
            role: rival
            for role, rival in found.items()
            if rival is not None
            and rival["id"] != document["id"]
            and not (role == "best" and self.previous and self.previous["id"] == rival["id"])
        }


def best_of(key: str, found: Iterable[tuple[str, Any]]) -> str | None:
    """The id with the best value of a metric; None where the name does not say what is better."""
    leaning = formats.direction(key)
    known = [
        (leaning * value, run_id)
        for run_id, value in found
        if leaning and isinstance(value, (int, float)) and math.isfinite(value)
    ]
    # The first of equals: who reached it first.
    return max(known, key=_score)[1] if known else None


def _score(pair: tuple[float, str]) -> float:
    return pair[0]


def result(document: Document, rivals: Rivals) -> dict[str, Any] | None:
    """The headline metric with ``against``: each rival's value and the change from it."""
    first = headline(document)
    if first is None:
        return None
    against = []
    for role, rival in rivals.others(document).items():
        there = ((rival.get("summary") or {}).get(first["key"]) or {}).get("last")
        if there is not None:
            against.append({"role": role, **reference(rival), **_change(first, there)})
    is_best = rivals.best is not None and rivals.best["id"] == document["id"]
    return {**first, "against": against, "is_best": is_best and rivals.attempts > 1}


def _change(first: Mapping[str, Any], before: float) -> dict[str, Any]:
    value, leaning = first["value"], formats.direction(first["key"])
    known = value is not None and math.isfinite(value) and math.isfinite(before)
    change = value - before if known else 0.0
    return {
        "text": formats.number(before),
        "delta": formats.delta(value, before) if known else "",
        "better": change * leaning > 0 if change and leaning else None,
    }


def reference(document: Document) -> dict[str, Any]:
    """What a link to a run needs."""
    return {"id": document["id"], "label": label(document), "status": document["status"]}


def params(document: Document, rivals: Rivals) -> list[dict[str, Any]]:
    """``{key, text, chosen, previous, best, differs}`` of each param, what differs first.

    ``previous`` and ``best`` are the rivals' texts, None where that run has no such param.
    """
    own = flatten(document.get("params") or {})
    others = {
        role: flatten(rival.get("params") or {}) for role, rival in rivals.others(document).items()
    }
    by_person = chosen([document, *rivals.others(document).values()])
    keys = dict.fromkeys([*own, *(key for flat in others.values() for key in flat)])
    rows = []
    for key in keys:
        texts = {role: _text(flat, key) for role, flat in others.items()}
        rows.append(
            {
                "key": key,
                "text": _text(own, key),
                "chosen": key in by_person,
                "differs": any(_differs(own, flat, key) for flat in others.values()),
                **texts,
            }
        )
    rows.sort(key=_param_rank)
    return rows


def _param_rank(row: Mapping[str, Any]) -> tuple[bool, bool]:
    return not row["differs"], not row["chosen"]


def _differs(own: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    if key not in own or key not in other:
        return True
    return bool(identity(own[key]) != identity(other[key]))


def _text(flat: Mapping[str, Any], key: str) -> str | None:
    return formats.value(flat[key], _LONGEST) if key in flat else None


def metrics(document: Document) -> list[dict[str, Any]]:
    """The metrics by prefix: ``{prefix, rows}``, in the order of ranking; the machine's last.

    Each row has ``key`` and the texts ``last, min, max``, and ``count``.
    """
    summary = document.get("summary") or {}
    groups: dict[str, list[dict[str, Any]]] = {}
    for key in ranked_metrics([document]):
        entry = summary[key]
        row = {"key": key, "count": entry.get("count", 0), "last": formats.number(entry["last"])}
        for edge in ("min", "max"):
            value = entry.get(edge)
            row[edge] = "" if value is None or value != value else formats.number(value)
        groups.setdefault(prefix_of(key), []).append(row)
    return [{"prefix": prefix, "rows": rows} for prefix, rows in groups.items()]


def prefix_of(key: str) -> str:
    """``train`` of ``train/loss`` and ``train.loss``; empty where the name has one part."""
    for mark in ("/", "."):
        prefix, found, rest = key.partition(mark)
        if found and prefix and rest:
            return prefix
    return ""


def versions_moved(
    now: Mapping[str, Any], before: Mapping[str, Any] | None
) -> Sequence[dict[str, Any]]:
    """The packages whose version is another one than before: ``{name, now, before}``."""
    if before is None:
        return []
    names = sorted(now.keys() | before.keys())
    pairs = [{"name": n, "now": now.get(n), "before": before.get(n)} for n in names]
    return [pair for pair in pairs if pair["now"] != pair["before"]]
