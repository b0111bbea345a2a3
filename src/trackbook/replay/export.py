"""A recipe as a notebook that papermill can vary, as a script, and in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .. import formats
from . import bindings
from .log import Execution, FileSeen

_OURS = re.compile(
    r"[ \t]*(%%track\b|%track\b|%load_ext[ \t]+trackbook\b|%reload_ext[ \t]+trackbook)"
)
_RUNS_REST = re.compile(r"%%(time|timeit|prun|capture)\b")
_WIDTH = 60


class Kept(Protocol):
    """A cell with the reason why it is kept, or left out."""

    @property
    def execution(self) -> Execution: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> bool: ...  # noqa: D102


class Exportable(Protocol):
    """What is exported."""

    @property
    def run(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def cells(self) -> Sequence[Kept]: ...  # noqa: D102
    @property
    def dropped(self) -> Sequence[Kept]: ...  # noqa: D102
    @property
    def full(self) -> bool: ...  # noqa: D102
    @property
    def inputs(self) -> Sequence[FileSeen]: ...  # noqa: D102
    @property
    def flags(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def packages(self) -> Mapping[str, str]: ...  # noqa: D102


# -- in words --------------------------------------------------------------------------------------


def explained(recipe: Exportable, *, dropped: bool = False) -> str:
    """Each kept cell with its reason; with ``dropped`` those that are left out too."""
    of = len(recipe.cells) + len(recipe.dropped)
    label = f"{recipe.run['name']} #{recipe.run['number']}"
    lines = [f"{label}: {len(recipe.cells)} of {of} cells"]
    lines += [f"{i:>3}  {_line(cell)}" for i, cell in enumerate(recipe.cells, start=1)]
    if recipe.dropped and dropped:
        lines += ["left out:", *(f"  -  {_line(cell)}" for cell in recipe.dropped)]
    elif recipe.dropped:
        lines.append(f"left out: {len(recipe.dropped)}, which explain(dropped=True) lists")
    for seen in recipe.inputs:
        lines.append(f"input: {seen.path} ({_input(seen)})")
    lines += [f"flag: {flag}" for flag in recipe.flags]
    return "\n".join(lines)


def _line(cell: Kept) -> str:
    lines = [x for x in cell.source.split("\n") if x.strip()]
    first = next((x for x in lines if not _OURS.match(x)), "".join(lines[:1]))
    count = f"In[{cell.execution.count}]" if cell.execution.count else ""
    mark = "the run's cell; " if cell.target and "run" not in cell.reason else ""
    return f"{count:<7} {formats.value(first, _WIDTH):<{_WIDTH}}  {mark}{cell.reason}".rstrip()


def _input(seen: FileSeen) -> str:
    parts = [formats.size(seen.size)] if seen.size is not None else []
    kept = "content kept" if seen.blob else "hashed" if seen.hash else "not hashed"
    return ", ".join([*parts, kept, *([] if seen.how == "read" else [seen.how])])


# -- as a notebook and a script --------------------------------------------------------------------


def notebook(recipe: Exportable) -> bytes:
    """A notebook (nbformat 4) whose first code cell has the params, tagged ``parameters``."""
    head, params, sources = _parts(recipe)
    cells: list[dict[str, Any]] = [_cell("markdown", "head", "\n".join(head))]
    if params:
        cells.append(_cell("code", "parameters", params, tags=["parameters"]))
    cells += [_cell("code", f"cell-{i}", s) for i, s in enumerate(sources, start=1) if s.strip()]
    python = {"name": "python", "version": (recipe.run.get("env") or {}).get("python") or "3"}
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": python,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _cell(kind: str, name: str, source: str, tags: Sequence[str] = ()) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": name,
        "metadata": {"tags": list(tags)} if tags else {},
        "source": source.splitlines(keepends=True),
    }
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def script(recipe: Exportable) -> str:
    """A Python script with a ``# %%`` line before each cell; what needs IPython is commented."""
    head, params, sources = _parts(recipe)
    parts = ["\n".join(f"# {line}".rstrip() for line in head if line)]
    if params:
        parts.append(f"# %% parameters\n{params}")
    for number, source in enumerate(sources, start=1):
        if source.strip():
            parts.append(f"# %% cell {number}\n{_plain(source)}")
    return "\n\n".join(parts) + "\n"


def _parts(recipe: Exportable) -> tuple[list[str], str, list[str]]:
    """The head, the cell of params, and the cells without those params."""
    sources = [_without_tracking(cell.source) for cell in recipe.cells]
    params = recipe.run.get("params") or {}
    found = bindings.params_of(sources, params)
    for number in range(len(sources)):
        gone = [binding for place, binding in found.values() if place == number]
        if gone:
            sources[number] = bindings.without(sources[number], gone).strip("\n")
    lines = [f"{name} = {binding.value!r}" for name, (_, binding) in found.items()]
    return _head(recipe), "\n".join(lines), sources


def _head(recipe: Exportable) -> list[str]:
    run = recipe.run
    of = len(recipe.cells) + len(recipe.dropped)
    lines = [f"{run['name']} #{run['number']}: {len(recipe.cells)} of {of} cells of its session"]
    if any(cell.execution.rng for cell in recipe.cells):
        lines += [
            "",
            "The states of the random number generators are not in this file; "
            f"`trackbook replay {run['id']}` puts them back.",
        ]
    for flag in recipe.flags:
        lines += ["", f"Note: {flag}."]
    return lines


def _without_tracking(source: str) -> str:
    lines = source.split("\n")
    return "\n".join(line for line in lines if not _OURS.match(line)).strip("\n")


def _plain(source: str) -> str:
    lines = source.split("\n")
    while lines and _RUNS_REST.match(lines[0].strip()):
        lines = lines[1:]
    if lines and lines[0].startswith("%%"):
        return "\n".join(f"# {line}".rstrip() for line in lines)
    return "\n".join(f"# {x}" if x.lstrip().startswith(("%", "!")) else x for x in lines)
