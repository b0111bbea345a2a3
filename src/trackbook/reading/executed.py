"""The code of runs: their cells, and how the notebooks and patches of two of them differ."""

from __future__ import annotations

from typing import Any

from ..errors import StoreError
from ..views import celldiff
from ..views.comparison import Code
from .run import Run

# A patch beyond this is not laid beside another one.
_MOST_PATCH = 2_000_000


def sources(run: Run) -> Code:
    """The run's own cell, and the other executed code cells of its notebook by id."""
    found = cells(run)
    own = next((cell for cell in found if cell.tracked), None)
    others = {cell.id: cell.source for cell in found if cell is not own and cell.executed}
    return Code(own.source if own else "", others)


def cells(run: Run) -> list[celldiff.Cell]:
    """The code cells of the run's notebook; of a run that kept none, its own cell alone."""
    own = run.cell
    source = (own.source if own else None) or ""
    alone = [celldiff.Cell(own.id or "", source, True)] if own and source else []
    if not (run._document.get("notebook") or {}).get("snapshot"):
        return alone
    found = [
        celldiff.Cell(
            str(entry["id"]),
            # The cell as it was executed, which may be newer than the file.
            source if own and entry["id"] == own.id else run._text(entry["source"]),
            bool(own and entry["id"] == own.id),
            bool(entry.get("executed")),
        )
        for entry in run.kept_cells().get("cells") or []
        if entry.get("type") == "code"
    ]
    return found if any(cell.tracked for cell in found) else [*found, *alone]


def difference(left: Run, right: Run) -> dict[str, Any]:
    """``cells`` and ``patches`` of two runs side by side, and in ``notes`` what is not there."""
    notes = []
    try:
        patches = [run.patch() for run in (left, right)]
        if max(map(len, patches)) > _MOST_PATCH:
            notes.append("a patch is too large to be shown beside the other one")
            patches = [b"", b""]
    except StoreError as problem:
        notes.append(str(problem))
        patches = [b"", b""]
    texts = [patch.decode("utf-8", "replace") for patch in patches]
    commits = [str((run._document.get("git") or {}).get("commit")) for run in (left, right)]
    if commits[0] != commits[1] and any(texts):
        told = " and ".join(commit[:10] for commit in commits)
        notes.append(f"the patches are against different commits, {told}")
    return {
        "cells": celldiff.differences(cells(left), cells(right)),
        "patches": celldiff.patches(*texts),
        "notes": notes,
    }
