"""A kept notebook, made a notebook again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import nbformat

_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


_OUTPUTS = ("stream", "display_data", "execute_result", "error")


def notebook(
    kept: Mapping[str, Any],
    text_of: Callable[[str], str],
    outputs: Sequence[Mapping[str, Any]] = (),
) -> nbformat.NotebookNode:
    """The snapshot as a valid notebook; ``text_of`` reads a source by the name of its blob.

    The tracked cell gets the ``outputs``.
    """
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
        if marks["tracked"] and cell.cell_type == "code":
            cell.outputs = [made for output in outputs if (made := _output(output)) is not None]
            counts = [o.execution_count for o in cell.outputs if o.output_type == "execute_result"]
            cell.execution_count = counts[-1] if counts else None
        # nbformat takes neither odd ids nor the same one twice; then the fresh one stays.
        if _CELL_ID.fullmatch(str(entry["id"])) and entry["id"] not in used:
            cell["id"] = entry["id"]
        used.add(cell["id"])
        cells.append(cell)
    metadata = {"trackbook": {"path": kept.get("path"), "tracked": kept.get("tracked")}}
    return v4.new_notebook(cells=cells, metadata=metadata)


def _output(output: Mapping[str, Any]) -> nbformat.NotebookNode | None:
    """The output as nbformat makes it; None for what is none."""
    from nbformat import ValidationError, v4, validate

    fields = {key: value for key, value in output.items() if key != "output_type"}
    if output.get("output_type") not in _OUTPUTS:
        return None
    try:
        made = v4.new_output(output["output_type"], **fields)
        validate(v4.new_notebook(cells=[v4.new_code_cell(outputs=[made])]))
    except (ValidationError, TypeError, AttributeError):
        return None  # a store is data from anywhere
    return made
