"""A kept notebook, made a notebook again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import nbformat

_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def notebook(kept: Mapping[str, Any], text_of: Callable[[str], str]) -> nbformat.NotebookNode:
    """The snapshot as a valid notebook; ``text_of`` reads a source by the name of its blob."""
    from nbformat import v4

    make = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}
    cells = []
    used: set[str] = set()
    for entry in kept.get("cells") or []:
        cell = make.get(entry.get("type"), v4.new_raw_cell)(text_of(entry["source"]))
        marks = {
            "executed": bool(entry.get("executed")),
            "tracked": entry["id"] == kept.get("tracked"),
        }
        cell.metadata["trackbook"] = marks
        # nbformat takes neither odd ids nor the same one twice; then the fresh one stays.
        if _CELL_ID.fullmatch(str(entry["id"])) and entry["id"] not in used:
            cell["id"] = entry["id"]
        used.add(cell["id"])
        cells.append(cell)
    metadata = {"trackbook": {"path": kept.get("path"), "tracked": kept.get("tracked")}}
    return v4.new_notebook(cells=cells, metadata=metadata)
