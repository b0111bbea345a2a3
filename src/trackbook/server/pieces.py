"""What the page of one run shows, in pieces that are asked for when they come into view.

A piece is one function ``(store, document, query) -> data``, registered in ``PIECES``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import formats
from ..errors import InvalidValue, QueryError, StoreError
from ..jsonable import dumps, loads
from ..model import Document, flatten
from ..reading import Run, candidates, kept
from ..store import Store
from ..views import columns, comparison, curves, standing
from ..views import edits as edit_lines

Query = Mapping[str, Sequence[str]]

_DIFFERING = 100
_PARAMS = 500
_CHARTS = 24
_DOTS = 40
_LOG = 64 * 1024
_MOST_LOG = 1024 * 1024
_PATCH = 1024 * 1024
_ROWS = 500
_ARTIFACTS = 2000
_VALUE = 120


def overview(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """What stands on top, what there is below, and a ``version`` that changes with the run."""
    rivals = rivals_of(store, document)
    params = standing.params(document, rivals)
    metrics = document.get("summary") or {}
    machine = sum(map(formats.of_machine, metrics))
    has = {
        "params": len(params),
        "differing": sum(row["differs"] for row in params),
        "metrics": len(metrics) - machine,
        "system": machine,
        "logs": len(store.logs(document["id"])),
        "snapshot": bool((document.get("notebook") or {}).get("snapshot")),
        "artifacts": len(kept.by_name(kept.lines(store, document["id"]))),
        "children": len(_children(store, document)),
        "candidates": _has_candidates(store, document),
        "edits": len(store.edits(document["id"])),
        "why": len(document.get("capture") or []),
    }
    state = dumps([document, has, [rival["id"] for rival in rivals.others(document).values()]])
    return {
        "version": hashlib.sha256(state).hexdigest()[:16],
        "run": _facts(store, document),
        "result": standing.result(document, rivals),
        "attempts": rivals.attempts,
        "rivals": {
            role: standing.reference(rival) for role, rival in rivals.others(document).items()
        },
        "params": params[: max(_DIFFERING // 5, min(_DIFFERING, has["differing"]))],
        "has": has,
        "git": document.get("git"),
        "inputs": _inputs(document),
    }


def rivals_of(store: Store, document: Document) -> standing.Rivals:
    """The attempt before, and the best one by this run's headline metric."""
    previous = store.previous(document["series"], document["number"])
    first = columns.headline(document)
    try:
        found = store.find(f"series == {document['series']!r}")
    except QueryError:  # a name longer than a query may be
        return standing.Rivals(previous=previous)
    best = None
    if first is not None:
        values = found.values(f"summary.last.{first['key']}")
        best = standing.best_of(first["key"], zip(found.ids(), values, strict=True))
    return standing.Rivals(
        previous=previous,
        best=None if best is None else store.document(best),
        attempts=len(found),
    )


def _facts(store: Store, document: Document) -> dict[str, Any]:
    same = ("id", "kind", "name", "number", "status", "experiment", "started", "ended")
    parent = document.get("parent")
    error = document.get("error")
    return {
        **{key: document[key] for key in same},
        **{key: document.get(key) or "" for key in ("user", "host", "note")},
        **{key: bool(document.get(key)) for key in ("star", "archived", "deleted")},
        "duration": formats.duration(columns.duration(document)),
        "tags": {key: formats.value(v, _VALUE) for key, v in (document.get("tags") or {}).items()},
        "notebook": (document.get("notebook") or {}).get("path"),
        "cell": (document.get("cell") or {}).get("id"),
        "parent": standing.reference(store.document(parent)) if parent else None,
        "error": error,
        "death": _death(store, document),
    }


def _death(store: Store, document: Document) -> dict[str, Any] | None:
    found = document.get("death")
    if not isinstance(found, Mapping):
        return None
    source = (found.get("last_cell") or {}).get("source")
    told = {key: found.get(key) for key in ("time", "cause", "exit", "last_step", "memory")}
    try:
        text = store.blobs.get(source).decode("utf-8", "replace") if source else ""
    except StoreError:
        text = ""
    return {**told, "last_cell": text}


def _inputs(document: Document) -> list[dict[str, Any]]:
    found = document.get("inputs") or []
    return [
        {
            "name": str(entry.get("name")),
            "kind": str(entry.get("kind") or ""),
            "text": comparison.input_text(entry),
            "hash": str(entry.get("hash") or ""),
            "sampled": bool(entry.get("sampled")),
            "path": entry.get("path"),
            "dtypes": formats.value(entry.get("dtypes") or "", _VALUE),
        }
        for entry in found
        if isinstance(entry, Mapping)
    ]


def params(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """The params from ``start`` on; those whose name has the text of ``find``."""
    rows = standing.params(document, rivals_of(store, document))
    wanted = _one(query, "find").lower()
    rows = [row for row in rows if wanted in row["key"].lower()]
    start = _number(query, "start", 0)
    return {"rows": rows[start : start + _PARAMS], "total": len(rows)}


def metrics(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """The metrics by prefix."""
    return {"groups": standing.metrics(document)}


def drawn(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """The charts of the ``key``s; with ``spec=0`` only their data."""
    there = document.get("summary") or {}
    keys = [key for key in dict.fromkeys(query.get("key", ())) if key in there][:_CHARTS]
    points = {document["id"]: store.points(document["id"], keys)}
    found = {}
    whole = _one(query, "spec") != "0"
    for key in keys:
        spec = _alone(curves.curves([document], points, key, legend=False, height=150))
        # A few points are drawn as dots besides, which data alone cannot change.
        kind = "dots" if len(spec["data"]["values"]) <= _DOTS else "line"
        found[key] = {"kind": kind, **({"spec": spec} if whole else {"data": spec["data"]})}
    return {"charts": found}


def _alone(spec: dict[str, Any]) -> dict[str, Any]:
    """A chart of one run whose metric stands above it: no title of the axis."""
    for layer in spec["layer"]:
        y = layer["encoding"]["y"]
        if "title" in y:
            y["title"] = None
    return spec


def logs(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """Console text by characters: the end of it, or what lies ``before`` or ``after`` a place."""
    text = store.logs(document["id"])
    start, end = max(0, len(text) - _LOG), len(text)
    if _one(query, "after"):
        start = min(_number(query, "after", 0), end)
        end = min(end, start + _MOST_LOG)
    elif _one(query, "before"):
        end = min(_number(query, "before", 0), end)
        start = max(0, end - _LOG)
    if 0 < start < end and not _one(query, "after"):
        # From the beginning of a line on, where one begins.
        line = text.find("\n", start - 1, end)
        start = start if line < 0 else line + 1
    return {"text": text[start:end], "start": start, "end": end, "size": len(text)}


def patch(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """The patch as text, its beginning where it is long."""
    data = Run(store, document).patch()
    shown = data[:_PATCH].decode("utf-8", "replace")
    return {"text": shown, "size": formats.size(len(data)), "cut": len(data) > _PATCH}


def environment(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """The machine, what moved since the previous attempt, and all that was installed."""
    env = document.get("env") or {}
    previous = store.previous(document["series"], document["number"])
    before = None if previous is None else (previous.get("env") or {}).get("packages")
    packages = env.get("packages") or {}
    rest = {k: v for k, v in env.items() if k not in ("packages", "variables", "memory", "cpu")}
    cpu = env.get("cpu") or {}
    if cpu.get("model"):
        rest["cpu"] = f"{cpu['model']} × {cpu.get('usable') or cpu.get('count') or '?'}"
    if isinstance(env.get("memory"), int):
        rest["memory"] = formats.size(env["memory"])
    return {
        "facts": [[key, formats.value(value, 400)] for key, value in rest.items() if value],
        "variables": [[k, str(v)] for k, v in sorted((env.get("variables") or {}).items())],
        "packages": [[name, str(packages[name])] for name in sorted(packages, key=str.lower)],
        "moved": standing.versions_moved(packages, before),
        "installed": _listed(store, document.get("distributions"), ("name", "version")),
        "modules": _listed(store, document.get("modules"), ("name", "path")),
    }


def _listed(store: Store, blob: Any, keys: tuple[str, str]) -> list[list[str]]:
    if not blob:
        return []
    try:
        found = loads(store.blobs.get(blob))
    except (StoreError, ValueError):
        return []
    entries = [e for e in found if isinstance(e, Mapping)] if isinstance(found, list) else []
    return [[str(entry.get(key) or "") for key in keys] for entry in entries]


def artifacts(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """Each artifact as last logged, with the text of its size."""
    found = kept.by_name(kept.lines(store, document["id"]))
    rows = []
    for name, line in list(found.items())[:_ARTIFACTS]:
        size = line.get("size")
        fields = {key: line.get(key) for key in ("kind", "type", "size", "time", "steps", "blob")}
        text = formats.size(size) if isinstance(size, int) else ""
        rows.append({"name": name, **fields, "text": text})
    return {"rows": rows, "total": len(found)}


def children(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """The runs below this one, as a table."""
    found = _children(store, document)
    return columns.table(found[:_ROWS], total=len(found))


def _children(store: Store, document: Document) -> Any:
    return store.find(f"parent == {document['id']!r}", sort="started", archived=True)


def _has_candidates(store: Store, document: Document) -> bool:
    names = {line["name"] for line in kept.lines(store, document["id"])}
    return bool(names & set(candidates.NAMES))


def tried(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """The candidates of a search: ``columns``, and ``rows`` of texts."""
    found = [flatten(row) for row in candidates.rows(store, document)]
    names = list(dict.fromkeys(key for row in found for key in row))
    rows = [
        [formats.value(row[name], _VALUE) if name in row else "" for name in names]
        for row in found[:_ROWS]
    ]
    return {"columns": names, "rows": rows, "total": len(found)}


def edits(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """What people changed, the last first, each as a line."""
    found = store.edits(document["id"])
    same = ("id", "time", "user", "undone", "undoes", "redoes")
    lines = [{**{k: edit[k] for k in same}, "text": edit_lines.line(edit)} for edit in found]
    return {"rows": lines[::-1][:_ROWS], "total": len(found)}


def why(store: Store, document: Document, query: Query) -> dict[str, Any]:
    """What was captured, folded, skipped or redacted, and at what cost."""
    entries = [e for e in document.get("capture") or [] if isinstance(e, Mapping)]
    rows = []
    for entry in entries[:_ROWS]:
        ms, size = entry.get("ms"), entry.get("bytes")
        rows.append(
            {
                **{key: str(entry.get(key) or "") for key in ("what", "state", "reason")},
                "ms": f"{ms:.1f} ms" if isinstance(ms, (int, float)) else "",
                "bytes": formats.size(size) if isinstance(size, int) else "",
            }
        )
    return {"rows": rows, "total": len(entries)}


def _one(query: Query, name: str) -> str:
    return query.get(name, [""])[-1]


def _number(query: Query, name: str, default: int) -> int:
    text = _one(query, name)
    if not text:
        return default
    if not text.isdecimal() or len(text) > 15:
        raise InvalidValue(f"{name} is a whole number")
    return int(text)


PIECES: dict[str, Callable[[Store, Document, Query], dict[str, Any]]] = {
    "overview": overview,
    "params": params,
    "metrics": metrics,
    "charts": drawn,
    "logs": logs,
    "patch": patch,
    "environment": environment,
    "artifacts": artifacts,
    "children": children,
    "candidates": tried,
    "edits": edits,
    "why": why,
}
