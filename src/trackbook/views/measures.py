"""What runs are charted by: ``params.lr``, ``metrics.acc``, ``tags.group``, ``duration``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import formats
from ..errors import InvalidValue
from ..model import Document, flatten
from .columns import duration
from .manyruns import identity

_OWN = ("number", "started", "duration")
_PARTS = ("last", "min", "max", "count")


def measure(document: Document, name: str) -> Any:
    """The value of one run; None where it has none.

    Of a metric it is the last value; ``metrics.loss.min`` (``max``, ``count``) is another one.
    """
    root, _, rest = name.partition(".")
    if root == "metrics":
        return _metric(document.get("summary") or {}, rest)
    if root == "params":
        return flatten(document.get("params") or {}).get(rest)
    if root == "tags":
        return (document.get("tags") or {}).get(rest)
    return duration(document) if name == "duration" else document.get(name)


def _metric(summary: Mapping[str, Any], name: str) -> Any:
    if name in summary:
        return summary[name].get("last")
    key, _, part = name.rpartition(".")
    return summary.get(key, {}).get(part) if part in _PARTS else None


def measures(documents: Sequence[Document]) -> list[dict[str, Any]]:
    """All that these runs can be charted by: ``name``, ``title``, ``numeric``, ``varies``.

    Metrics first, then params that differ, then the rest; those of the machine are left out.
    """
    names = [
        *(
            f"metrics.{key}"
            for d in documents
            for key in d.get("summary") or {}
            if not formats.of_machine(key)
        ),
        *(f"params.{key}" for d in documents for key in flatten(d.get("params") or {})),
        *(f"tags.{key}" for d in documents for key in d.get("tags") or {}),
        *_OWN,
    ]
    found = []
    for name in dict.fromkeys(names):
        values = [measure(document, name) for document in documents]
        there = [value for value in values if value is not None]
        varies = len({identity(value) for value in values}) > 1
        numeric = bool(there) and all(number(value) is not None for value in there)
        entry = {"name": name, "title": title(name), "numeric": numeric, "varies": varies}
        found.append((not name.startswith("metrics."), not varies, entry))
    return [entry for _, _, entry in sorted(found, key=lambda item: item[:2])]


def meant(documents: Sequence[Document], name: str) -> str:
    """The whole name of a measure that may be given without ``metrics.`` or ``params.``.

    Raises ``InvalidValue``, which names what there is.
    """
    for whole in (name, f"metrics.{name}", f"params.{name}", f"tags.{name}"):
        if any(measure(document, whole) is not None for document in documents):
            return whole
    there = ", ".join(entry["name"] for entry in measures(documents)[:12])
    raise InvalidValue(f"no run has {name!r}; there is {there}")


def title(name: str) -> str:
    """``lr`` for ``params.lr``."""
    root, dot, rest = name.partition(".")
    return rest if dot and root in ("metrics", "params", "tags") else name


def number(value: Any) -> float | None:
    """The value as a finite or infinite float, True as 1; None for what is no number, and NaN."""
    if not isinstance(value, (bool, int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return None if math.isnan(found) else found
