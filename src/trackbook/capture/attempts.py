"""Which attempt of which series a run is, and what changed since the one before."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from .. import formats
from ..model import Document, flatten
from ..store import Store


def series_of(place: str, *, name: str | None, cell_id: str | None, cell_hash: str | None) -> str:
    """The series of a run: by its name, else by its stored cell, else by the cell's code."""
    if name:
        return f"{place}#{name}"
    if cell_id:
        return f"{place}@{cell_id}"
    return f"{place}~{cell_hash}" if cell_hash else place


def place_of(notebook: Path | None, store: Store) -> str:
    """The notebook or script as its series name it: relative to the folder that holds the store."""
    if notebook is None:
        return ""
    if store.path is not None and notebook.is_relative_to(store.path.parent):
        return notebook.relative_to(store.path.parent).as_posix()
    return str(notebook)


def quoted(series: str) -> str:
    """A series as it stands between quotes in a query."""
    return series.replace("\\", "\\\\").replace('"', '\\"')


def previous(store: Store, document: Document) -> Document | None:
    """The attempt before this one, as it stands in the store."""
    if document["number"] <= 1 or not document["series"]:
        return None
    return store.previous(document["series"], document["number"])


def changes(
    document: Document, before: Document, source: str, earlier: str | None
) -> dict[str, Any]:
    """What differs from the attempt before: ``{params, headline, code, previous}``.

    ``params`` maps a changed key to ``[old, new]`` (None where it was not there); ``code`` counts
    the changed lines of the cell; ``best`` is the best earlier attempt by the headline metric,
    which each attempt hands on to the next.
    """
    new, old = flatten(document["params"]), flatten(before["params"])
    params = {
        key: [old.get(key), new.get(key)]
        for key in (*new, *(k for k in old if k not in new))
        if old.get(key) != new.get(key)
    }
    return {
        "previous": before["id"],
        "params": params,
        "code": 0 if earlier is None else _lines_changed(earlier, source),
        "headline": _headline(document, before),
        "best": _best(document, before),
    }


def _headline(document: Document, before: Document) -> dict[str, Any] | None:
    key = _headline_key(document, before)
    if key is None:
        return None
    value, earlier = document["summary"][key]["last"], before["summary"][key]["last"]
    return {"key": key, "value": value, "previous": earlier, "delta": value - earlier}


def _best(document: Document, before: Document) -> dict[str, Any] | None:
    known = (before.get("changed") or {}).get("best")
    key = document.get("headline") or formats.headline(document["summary"])
    if key is None:  # an attempt that failed early hands on what there was
        key = known["key"] if known is not None else formats.headline(before["summary"])
    sign = formats.direction(key) if key is not None else 0
    if key is None or sign == 0:
        return None
    best = dict(known) if known is not None and known["key"] == key else None
    value = before["summary"].get(key, {}).get("last")
    if before["status"] != "finished" or value is None or value != value:
        return best
    if best is not None and sign * best["value"] >= sign * value:
        return best
    return {"key": key, "value": value, "number": before["number"]}


def _headline_key(document: Document, before: Document) -> str | None:
    key = document.get("headline") or formats.headline(document["summary"])
    return key if key in document["summary"] and key in before["summary"] else None


def _lines_changed(earlier: str, source: str) -> int:
    lines = difflib.unified_diff(earlier.splitlines(), source.splitlines(), n=0, lineterm="")
    return sum(line[:1] == "+" and line[:3] != "+++" for line in lines)
