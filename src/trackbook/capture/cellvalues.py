"""What a tracked cell yields by itself: params and metrics, from its source and its namespace."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .cellfacts import LONGEST, Binding, CellFacts, analyse, literal_binding_names
from .literals import dotted, is_construction, is_literal, normalised_hash
from .noise import Noise
from .plainvalues import MISSING, is_config, number, plain

__all__ = [
    "CellValues",
    "analyse",
    "collect",
    "foresee",
    "literal_binding_names",
    "normalised_hash",
]

MOST = 1_000
"""So many params, and so many metrics, are taken from one cell."""
_MOST_NAMED = 50
_CONFIG_MAKERS = {"Namespace", "SimpleNamespace", "parse_args"}
_SCALARS = (str, bool, int, float, type(None))


@dataclass
class CellValues:
    """The values found; ``notes`` say in short lines what was taken, what was left out and why."""

    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def collect(
    facts: CellFacts,
    namespace: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    *,
    params: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    failed_line: int | None = None,
) -> CellValues:
    """The params and metrics of a cell that ran.

    ``before`` is the namespace as it was before the cell, ``failed_line`` where it failed: only
    statements before that line count. ``params`` and ``metrics`` name what to take instead.
    """
    if facts.too_long:
        return CellValues(
            notes=[f"no values are read from a cell longer than {LONGEST:,} characters"]
        )
    try:
        search = _Search(facts, namespace, before or {}, failed_line)
        return search.result(params, metrics)
    except RecursionError:
        return CellValues(notes=["the cell is nested too deeply to read values from it"])


def foresee(
    source: str, before: Mapping[str, Any], *, params: Sequence[str] | None = None
) -> dict[str, Any]:
    """The params that a cell will have if it runs through: what is known before it runs.

    So a run whose kernel dies has them too. Literals that take computing (``2**10``) are not known.
    """
    facts, names = analyse(source), literal_binding_names(source)
    literals: dict[str, Any] = {}
    for binding in facts.bindings:
        if binding.name in names and binding.value is not None:
            with contextlib.suppress(ValueError, TypeError, SyntaxError, MemoryError):
                literals[binding.name] = ast.literal_eval(binding.value)
    return collect(facts, {**before, **literals}, before, params=params).params


class _Search:
    def __init__(
        self,
        facts: CellFacts,
        namespace: Mapping[str, Any],
        before: Mapping[str, Any],
        failed_line: int | None,
    ) -> None:
        self.namespace = namespace
        self.before = before
        self.changed = facts.changed
        last = float("inf") if failed_line is None else failed_line
        self.reads = [read for read in facts.reads if read.line < last]
        self.bindings: dict[str, list[Binding]] = {}
        for binding in facts.bindings:
            if binding.line < last:
                self.bindings.setdefault(binding.name, []).append(binding)
        self.not_reached = {b.name for b in facts.bindings} - self.bindings.keys()
        self.left_out: dict[str, list[str]] = {}
        self.noise = Noise(namespace)

    def result(self, params: Sequence[str] | None, metrics: Sequence[str] | None) -> CellValues:
        found = CellValues()
        asked = {*(params or ()), *(metrics or ())}
        read = {} if params is not None else self.read_params(asked)
        bound: dict[str, Any] = {}
        for name, bindings in self.bindings.items():
            self.noise.learn(bindings)
            if name.startswith("_") or name in asked:
                continue
            if params is None and self.is_param(bindings):
                self.take_param(name, bound)
            elif metrics is None and self.is_metric(name, bindings):
                self.take_metric(name, found.metrics)
        found.params = {**read, **bound}
        for name in params or ():
            self.take_param(name, found.params)
        for name in metrics or ():
            self.take_metric(name, found.metrics)
        found.notes = self.notes(found, read)
        return found

    # -- params -------------------------------------------------------------------------------

    def is_param(self, bindings: list[Binding]) -> bool:
        """Whether the name is bound once to a literal; branches of one ``if`` count as one."""
        if any(b.how != "assign" or b.place == "loop" for b in bindings):
            return False
        alternatives = [b for b in bindings if b.place == "branch"]
        if len(bindings) > 1 and len(alternatives) < len(bindings):
            return False
        return all(self.is_config_source(b.value) for b in bindings)

    def is_config_source(self, value: ast.expr | None) -> bool:
        known = _KnownNames(self)
        if is_literal(value, known):
            return True
        if not isinstance(value, ast.Call) or not is_construction(value, known):
            return False
        made = dotted(value.func).rpartition(".")[2]
        return made in _CONFIG_MAKERS or made in self.config_classes

    @cached_property
    def config_classes(self) -> set[str]:
        """The class names of the configs that the cell binds."""
        values = (self.namespace.get(name) for name in self.bindings)
        return {type(value).__name__ for value in values if is_config(value)}

    def is_known(self, name: str) -> bool:
        """Whether the name stands for a literal of this cell or a value from an earlier one."""
        if name not in self.bindings:
            return plain(self.before.get(name, MISSING)) is not MISSING
        return all(b.how == "assign" and is_literal(b.value) for b in self.bindings[name])

    def take_param(self, name: str, params: dict[str, Any]) -> None:
        value = self.namespace.get(name, MISSING)
        if name in self.not_reached or value is MISSING:
            self.skip(name, "not set")
        elif name in self.changed:
            self.skip(name, "filled by the cell")
        elif isinstance(value, (list, dict, set)) and not value:
            self.skip(name, "an empty container")
        elif (copy := plain(value)) is MISSING:
            self.skip(name, "too large or no plain value")
        else:
            self.put(name, copy, params)

    def put(self, name: str, value: Any, found: dict[str, Any]) -> None:
        if len(found) < MOST or name in found:
            found[name] = value
        else:
            self.skip(name, f"more than {MOST:,} of them")

    def read_params(self, asked: set[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in (read.name for read in self.reads):
            if name in found or name in asked or name.startswith("_") or name not in self.before:
                continue
            value = self.before[name]
            if (issubclass(type(value), _SCALARS) or is_config(value)) and (
                (copy := plain(value)) is not MISSING
            ):
                self.put(name, copy, found)
        return found

    # -- metrics ------------------------------------------------------------------------------

    def is_metric(self, name: str, bindings: list[Binding]) -> bool:
        if any(b.how == "other" for b in bindings):
            return False
        computed = [b for b in bindings if b.how == "assign" and not self.is_constant(b.value)]
        if not computed:
            if any(b.how == "add" for b in bindings):
                self.skip(name, "a counter")
            elif len(bindings) > 1:
                self.skip(name, "bound more than once")
            return False
        if all(self.noise.is_noise(b.value) for b in computed):
            self.skip(name, "a clock, a length, an id or a random number")
            return False
        return not self.is_stale(name, bindings)

    def is_constant(self, value: ast.expr | None) -> bool:
        """Whether a binding computes nothing: a literal, or another name for one."""
        alias = isinstance(value, ast.Name) and value.id in self.bindings
        return is_literal(value) or (alias and self.is_known(getattr(value, "id", "")))

    def is_stale(self, name: str, bindings: list[Binding]) -> bool:
        """Whether only a branch binds the name, and its value is still that of an earlier cell."""
        if any(b.place != "branch" for b in bindings) or name not in self.before:
            return False
        value = self.namespace.get(name)
        # Small integers are one object wherever they come from.
        stale = value is self.before[name] and not isinstance(value, int)
        if stale:
            self.skip(name, "from an earlier cell")
        return stale

    def take_metric(self, name: str, metrics: dict[str, float]) -> None:
        value = self.namespace.get(name, MISSING)
        amount = number(value)
        if name in self.not_reached or value is MISSING:
            self.skip(name, "not set")
        elif amount is None:
            self.skip(name, "not a number")
        else:
            self.put(name, amount, metrics)

    # -- why ----------------------------------------------------------------------------------

    def skip(self, name: str, reason: str) -> None:
        self.left_out.setdefault(reason, []).append(name)

    def notes(self, found: CellValues, read: Mapping[str, Any]) -> list[str]:
        bound = [name for name in found.params if name not in read or name in self.bindings]
        told = [
            ("params bound to literals", bound),
            ("params read from earlier cells", [name for name in read if name not in bound]),
            ("metrics computed", list(found.metrics)),
            *((f"left out, {reason}", names) for reason, names in self.left_out.items()),
        ]
        return [f"{what}: {_listed(names)}" for what, names in told if names]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


class _KnownNames(Container[str]):
    """The names that may stand in a config, asked one by one."""

    def __init__(self, search: _Search) -> None:
        self._search = search

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._search.is_known(name)
