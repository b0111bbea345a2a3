"""The notebook of a run as a front end draws it: whole, or around the tracked cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..jsonable import dumps
from ..model import Document
from ..reading import Run
from ..store import Store
from ..views import columns

LARGEST = 2_000_000
_AROUND = 10
_NOTHING_LEFT = "This output is too large to be shown here."


def snapshot(store: Store, document: Document, query: Mapping[str, Any]) -> dict[str, Any]:
    """``notebook`` with the cells from ``start`` to ``end`` of ``total``, and ``tracked``.

    A notebook beyond two million bytes has its tracked cell and the cells around it, as many as
    fit; ``whole=1`` asks for all of it all the same.
    """
    notebook = Run(store, document).snapshot()
    cells = [dict(cell) for cell in notebook["cells"]]
    marked = [i for i, cell in enumerate(cells) if cell["metadata"]["trackbook"]["tracked"]]
    at = marked[0] if marked else 0
    start, end = 0, len(cells)
    if query.get("whole", [""])[-1] != "1":
        start, end = _window([len(dumps(cell)) for cell in cells], at)
        for cell in cells[start:end]:
            _cap(cell)
    return {
        "notebook": {**notebook, "cells": cells[start:end]},
        "start": start,
        "end": end,
        "total": len(cells),
        "tracked": at - start if marked else None,
        "name": columns.label(document),
    }


def _window(sizes: list[int], at: int) -> tuple[int, int]:
    """The cells to show; all where they fit."""
    if sum(sizes) <= LARGEST:
        return 0, len(sizes)
    start = end = at
    left = LARGEST
    # The tracked cell, then its neighbours by distance.
    for distance in range(_AROUND + 1):
        for place in dict.fromkeys((at - distance, at + distance)):
            if not 0 <= place < len(sizes) or (left := left - sizes[place]) < 0 < distance:
                continue
            if place in (start - 1, end) or distance == 0:
                start, end = min(start, place), max(end, place + 1)
    return start, end


def _cap(cell: dict[str, Any]) -> None:
    """Leave out what alone is larger than a page may be."""
    if len(cell["source"]) > LARGEST:
        cell["source"] = cell["source"][: LARGEST // 10] + "\n…"
    if len(dumps(cell.get("outputs", []))) > LARGEST:
        cell["outputs"] = [{"output_type": "stream", "name": "stderr", "text": _NOTHING_LEFT}]
