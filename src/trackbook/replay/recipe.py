"""The cells behind a run's result, with what they need besides."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, StoreError
from ..jsonable import loads
from ..store import Blobs
from . import export, slice
from .log import Execution, FileSeen


@dataclass(frozen=True, slots=True)
class RecipeCell:
    """A cell to run, and why."""

    execution: Execution
    reason: str
    """Why it is kept, such as ``writes X_train, which cell 7 reads``."""
    target: bool = False
    """Whether the run was made in it."""

    @property
    def source(self) -> str:
        """The code as it was executed."""
        return self.execution.source


@dataclass(frozen=True, slots=True)
class Recipe:
    """Ordered cells with their generators' states, inputs, packages, code and modules."""

    run: Mapping[str, Any]
    """The document of the run."""
    cells: tuple[RecipeCell, ...]
    dropped: tuple[RecipeCell, ...] = ()
    """The executions that are left out, with the reason of each."""
    full: bool = False
    """Whether it is the whole log up to the run, nothing left out."""
    inputs: tuple[FileSeen, ...] = ()
    """What the kept cells read."""
    packages: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[Mapping[str, Any], ...] = ()
    flags: tuple[str, ...] = ()
    """Why the recipe may hold too little, as sentences."""
    secrets: tuple[str, ...] = ()
    """The names that stand for redacted literals, which a replay asks for."""
    rng: Mapping[str, str] = field(default_factory=dict)

    def explain(self, dropped: bool = False) -> str:
        """Each kept cell with its reason; with ``dropped`` those that are left out too."""
        return export.explained(self, dropped=dropped)

    def save(self, path: str | Path) -> Path:
        """Write it as a notebook (``.ipynb``) or a script (``.py``); returns the path.

        Params stand in a first cell, tagged ``parameters``, which papermill can vary. Raises
        ``InvalidValue`` for another suffix.
        """
        target = Path(path)
        if target.suffix not in (".ipynb", ".py"):
            raise InvalidValue(f"a recipe is saved as .ipynb or .py, not {target.name!r}")
        if target.suffix == ".py":
            target.write_text(export.script(self), encoding="utf-8", errors="replace")
        else:
            target.write_bytes(export.notebook(self))
        return target

    def __str__(self) -> str:
        return self.explain()


_HOLE = re.compile(r"<redacted:([\w-]+)>")
_LOGS = re.compile(
    r"\b(log_\w+|set_tags?|set_note|start_run|end_run|autolog|fit|train)\s*\(|^\s*%track\s+log",
    re.M,
)
_SLACK_S = 0.05
_MOST_MODULES = 2_000
_SAYS = {
    "exec": "runs code that it makes up itself",
    "namespace": "looks at all names there are",
    "%run": "runs another file with %run",
    "shell": "runs shell commands",
    "star import": "imports everything from a module",
    "clock": "asks for the time",
    "entropy": "takes random numbers that no seed gives",
    "unknown seed": "draws from a generator that it imports itself, whose first state is not known",
    "uninitialised": "may read memory that nothing was written to",
    "threads": "starts threads",
    "processes": "starts processes",
    "network": "opens network connections",
    "input": "asks for input",
    "open handle": "uses an open file, connection or iterator whose changes cannot be seen",
    "sampled": "uses data that is too large to be compared whole",
    "interrupted": "was interrupted",
    "history": "reads the history of cells",
    "unseen files": "names files whose reading cannot be seen",
}


def recipe_of(
    document: Mapping[str, Any],
    executions: Sequence[Execution],
    blobs: Blobs,
    *,
    full: bool = False,
    times: Iterable[float] = (),
) -> Recipe:
    """The recipe of a run from its executions; all of them up to the run where ``full``.

    ``times`` are those of its points and artifacts: cells that logged late belong to the run, too.
    """
    targets = targets_of(document, executions, times)
    found = slice.cut(executions, targets)
    by_order = {execution.order: execution for execution in executions}
    last = max(targets, default=0)
    kept = dict(found.kept)
    dropped = dict(found.dropped)
    if full:
        outer = (e for e in executions if e.order <= last and e.extra.get("within") is not True)
        whole = "the whole log is replayed"
        kept = {e.order: found.kept.get(e.order, whole) for e in outer}
        dropped = {order: why for order, why in dropped.items() if order not in kept}
    cells = tuple(RecipeCell(by_order[n], kept[n], n in targets) for n in sorted(kept))
    return Recipe(
        run=document,
        cells=cells,
        dropped=tuple(RecipeCell(by_order[n], dropped[n]) for n in sorted(dropped)),
        full=full,
        inputs=_inputs(cells),
        packages=_packages(document),
        modules=tuple(_modules(document, blobs)),
        flags=tuple(_flags(cells, found)),
        secrets=_secrets(cells),
        rng=dict(cells[0].execution.rng) if cells else {},
    )


def targets_of(
    document: Mapping[str, Any], executions: Sequence[Execution], times: Iterable[float] = ()
) -> frozenset[int]:
    """The order numbers of the executions that a run was made in."""
    outer = [e for e in executions if e.extra.get("within") is not True]
    first = _first(document, outer)
    if first is None:
        return frozenset()
    found = {first.order}
    ended = document.get("ended")
    until = ended if isinstance(ended, (int, float)) else float("inf")
    logged = sorted(times)
    for execution in outer:
        if execution.order <= first.order:
            continue
        open_then = execution.started < until
        at = bisect_left(logged, execution.started)
        has_point = at < len(logged) and logged[at] <= execution.ended
        if has_point or (open_then and _LOGS.search(execution.source)):
            found.add(execution.order)
    return frozenset(found)


def _first(document: Mapping[str, Any], outer: Sequence[Execution]) -> Execution | None:
    cell = document.get("cell")
    own = cell.get("id") if isinstance(cell, Mapping) else None
    started = document.get("started")
    if isinstance(started, (int, float)) and outer:
        # Clocks are read one after the other, and short cells follow each other within the slack.
        away = {e.order: max(e.started - started, started - e.ended, 0.0) for e in outer}
        nearest = min(outer, key=lambda e: (away[e.order], e.cell != own, -e.order))
        if away[nearest.order] <= _SLACK_S:
            return nearest
    same = [execution for execution in outer if own and execution.cell == own]
    return next(reversed(same or list(outer)), None)


def _inputs(cells: Sequence[RecipeCell]) -> tuple[FileSeen, ...]:
    """What the cells read and none of them had written before."""
    found: dict[str, FileSeen] = {}
    written: set[str] = set()
    for cell in cells:
        for file in cell.execution.files:
            if file.how == "written":
                written.add(file.path)
            elif file.path not in written and file.path not in found:
                found[file.path] = file
    return tuple(found.values())


def _packages(document: Mapping[str, Any]) -> dict[str, str]:
    env = document.get("env")
    packages = env.get("packages") if isinstance(env, Mapping) else None
    if not isinstance(packages, Mapping):
        return {}
    return {k: v for k, v in packages.items() if isinstance(k, str) and isinstance(v, str)}


def _modules(document: Mapping[str, Any], blobs: Blobs) -> list[Mapping[str, Any]]:
    name = document.get("modules")
    try:
        listed = loads(blobs.get(name)) if isinstance(name, str) else []
    except (StoreError, ValueError):
        return []
    entries = listed[:_MOST_MODULES] if isinstance(listed, list) else []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _flags(cells: Sequence[RecipeCell], found: slice.Cut) -> list[str]:
    said: list[str] = []
    for cell in cells:
        flags = found.unfollowed.get(cell.execution.order, frozenset())
        shown = [_SAYS[flag] for flag in sorted(flags) if flag in _SAYS]
        if shown:
            said.append(f"{slice.label(cell.execution)} {', '.join(shown)}")
    if missing := [slice.label(c.execution) for c in cells if not c.execution.recorded]:
        listed = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        said.append(f"only the source is known of {listed}")
    return said


def _secrets(cells: Sequence[RecipeCell]) -> tuple[str, ...]:
    holes = (name for cell in cells for name in _HOLE.findall(cell.source))
    return tuple(dict.fromkeys(holes))
