"""The attributes of a run by name, for ``where`` and for sorting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..errors import QueryError
from ..model import Document


class Missing:
    """The value of what a run does not have; there is one, ``MISSING``."""

    def __bool__(self) -> bool:
        return False


MISSING = Missing()
STATISTICS = ("last", "min", "max", "count")
TREES = ("params", "metrics", "tags")
TIMES = ("started", "ended")
_SWITCHES = ("star", "archived")
_IDENTITY = ("id", "kind", "name", "number", "series", "experiment", "parent")
_PLAIN = (*_IDENTITY, "status", "started", "ended", "user", "host", "note", "replay", "grade")
NAMES = sorted([*TREES, *_SWITCHES, *_PLAIN, "duration", "notebook", "error"])

Getter = Callable[[Any], Any]


def getter(name: str, parts: Sequence[str] = ()) -> Getter:
    """What gives an attribute of a document; raises ``QueryError`` for one that no run has."""
    if name not in NAMES:
        raise QueryError(unknown(name))
    if name in TREES:
        return _tree(name, list(parts))
    if name == "error":
        return _error(parts)
    if name == "notebook" and list(parts) in ([], ["path"]):
        return lambda document: (document["notebook"] or {}).get("path", MISSING)
    if parts:
        raise QueryError(f"{name} has no {parts[0]!r}; params, metrics and tags have keys")
    if name == "duration":
        return duration
    default: Any = False if name in _SWITCHES else MISSING
    return lambda document: _present(document.get(name), default)


def unknown(name: str) -> str:
    """Why a name is none of a run's, with what may have been meant."""
    near = get_close_matches(name, NAMES, 1)
    hint = f"did you mean {near[0]}?" if near else f"did you mean params.{name} or metrics.{name}?"
    return f"a run has no attribute {name!r}; {hint}"


def duration(document: Document) -> Any:
    """Seconds from start to end, or until now while the run is running."""
    ended = document["ended"]
    if ended is None and document["status"] == "running":
        ended = time.time()
    return MISSING if ended is None else ended - document["started"]


def _present(value: Any, default: Any) -> Any:
    return default if value is None else value


def _error(parts: Sequence[str]) -> Getter:
    if not parts:

        def text(document: Document) -> Any:
            error = document["error"]
            return f"{error.get('type')}: {error.get('message')}" if error else MISSING

        return text
    key = ".".join(parts)
    if key not in ("type", "message", "traceback"):
        raise QueryError(f"error has type, message and traceback, no {key!r}")
    return lambda document: (document["error"] or {}).get(key, MISSING)


def _tree(name: str, parts: list[str]) -> Getter:
    if name == "metrics":
        return (lambda document: document["summary"]) if not parts else _metric(parts)
    if not parts:
        return lambda document: document[name]
    return lambda document: look_up(document[name], parts)


def look_up(tree: Any, parts: Sequence[str]) -> Any:
    """The value at a path: a whole key first, then nested ones, at every level."""
    if not isinstance(tree, Mapping):
        return MISSING
    for end in range(len(parts), 0, -1):
        key = ".".join(parts[:end])
        if key in tree:
            value = tree[key] if end == len(parts) else look_up(tree[key], parts[end:])
            if value is not MISSING:
                return value
    return MISSING


def split(parts: Sequence[str]) -> list[str]:
    """A path with dots taken as nesting, also in its keys (whole keys are tried first anyway)."""
    return [piece for part in parts for piece in part.split(".")]


def _metric(parts: list[str]) -> Getter:
    whole = ".".join(parts)
    key, _, statistic = whole.rpartition(".")

    def value(document: Document) -> Any:
        summary = document["summary"]
        if whole in summary:
            return summary[whole].get("last", MISSING)
        if statistic in STATISTICS and key in summary:
            return summary[key].get(statistic, MISSING)
        return MISSING

    return value
