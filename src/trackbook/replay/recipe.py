"""The cells behind a run's result, with what they need besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidValue
from . import export
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
