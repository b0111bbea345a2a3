"""Values of a notebook as numbers and plain configs, without calling code of the user's classes."""

from __future__ import annotations

import dataclasses
import decimal
import fractions
from collections.abc import Iterable
from typing import Any

MISSING = object()
_SCALARS = (str, bool, int, float)
_ARRAYS = {"numpy", "torch", "jax", "jaxlib", "tensorflow", "cupy", "mlx", "paddle"}
_ODD_NUMBER = (TypeError, ValueError, ArithmeticError, RuntimeError)
_MOST_LEAVES = 1000
_LONGEST = 10_000
_DEEPEST = 8


def number(value: Any) -> float | None:
    """The value as a float: numbers, numpy scalars and 0-d arrays or tensors; no booleans."""
    kind = type(value)
    try:
        if issubclass(kind, float):
            return float.__float__(value)
        if issubclass(kind, int):
            return None if kind is bool else int.__float__(value)
        if kind in (decimal.Decimal, fractions.Fraction):
            return float(value)
        scalar = _array_scalar(value)
        return None if scalar is None or isinstance(scalar, bool) else float(scalar)
    except _ODD_NUMBER:
        return None


def _array_scalar(value: Any) -> bool | int | float | None:
    if not is_array(value) or tuple(getattr(value, "shape", (0,))) != ():
        return None
    item = getattr(value, "item", None) or getattr(value, "numpy", None)
    found = item() if callable(item) else None
    return found if isinstance(found, (bool, int, float)) else None


def is_array(value: Any) -> bool:
    """Whether the value comes from one of the array libraries (scalars of theirs too)."""
    return module_of(type(value)).partition(".")[0] in _ARRAYS


def module_of(kind: type) -> str:
    """The name of the module of a class, past a metaclass of the user's."""
    module = type.__getattribute__(kind, "__module__")
    return module if isinstance(module, str) else ""


def plain(value: Any) -> Any:
    """A copy of a scalar or config as Python's own types, or MISSING for anything else.

    Configs are dicts, lists, tuples, sets, dataclasses, named tuples and namespaces. What is in
    them and is no plain value is left out; a config without any plain value is MISSING.
    """
    budget = [_MOST_LEAVES]
    copy = _plain(value, budget, 0)
    return MISSING if budget[0] < 0 else copy


def is_config(value: Any) -> bool:
    """Whether the value is a dict, dataclass, named tuple or namespace."""
    return issubclass(type(value), dict) or _fields(value) is not None


def _plain(value: Any, budget: list[int], depth: int) -> Any:
    if value is None:
        budget[0] -= 1
        return None
    kind = type(value)
    if issubclass(kind, _SCALARS):
        budget[0] -= 1
        return _bare(value)
    if depth > _DEEPEST or budget[0] < 0:
        return MISSING
    if issubclass(kind, dict):
        return _plain_mapping(dict.items(value), budget, depth)
    if (fields := _fields(value)) is not None:
        return _plain_mapping(fields, budget, depth)
    if issubclass(kind, (list, tuple, set, frozenset)):
        return _plain_sequence(value, budget, depth)
    budget[0] -= 1
    try:
        scalar = _array_scalar(value)
    except _ODD_NUMBER:
        return MISSING
    return MISSING if scalar is None else scalar


def _bare(value: Any) -> Any:
    """The scalar without its subclass, whose methods are the user's."""
    kind = type(value)
    if issubclass(kind, str):
        text = str.__str__(value)
        return text if len(text) <= _LONGEST else MISSING
    if kind is bool:
        return value
    return int.__int__(value) if issubclass(kind, int) else float.__float__(value)


def _plain_mapping(items: Iterable[tuple[Any, Any]], budget: list[int], depth: int) -> Any:
    copies = {}
    for key, inner in items:
        copy = _plain(inner, budget, depth + 1)
        if copy is not MISSING and type(key) in (str, int, float, bool, type(None)):
            copies[str(key)] = copy
        if budget[0] < 0:
            return MISSING
    return copies or MISSING


def _plain_sequence(value: Any, budget: list[int], depth: int) -> Any:
    kind = next(base for base in (list, tuple, set, frozenset) if issubclass(type(value), base))
    copies = []
    for inner in kind.__iter__(value):
        copy = _plain(inner, budget, depth + 1)
        if copy is MISSING or budget[0] < 0:
            return MISSING  # a sequence with holes would be another one
        copies.append(copy)
    if kind in (set, frozenset):
        return sorted(copies, key=repr)
    return tuple(copies) if kind is tuple else copies


def _fields(value: Any) -> list[tuple[str, Any]] | None:
    """Names and values of a dataclass, named tuple or namespace; None for anything else."""
    kind = type(value)
    if issubclass(kind, type):
        return None
    if dataclasses.is_dataclass(kind):
        names = [f.name for f in dataclasses.fields(kind)]
        return [(name, found) for name in names if (found := _held(value, name)) is not MISSING]
    if issubclass(kind, tuple) and isinstance(kind.__dict__.get("_fields"), tuple):
        return list(zip(kind.__dict__["_fields"], tuple.__iter__(value), strict=False))
    if any(base.__name__ in ("Namespace", "SimpleNamespace") for base in kind.__mro__):
        held = _held(value, "__dict__")
        return list(held.items()) if isinstance(held, dict) else None
    return None


def _held(value: Any, name: str) -> Any:
    try:
        return object.__getattribute__(value, name)  # past a __getattribute__ of the user's
    except AttributeError:
        return MISSING
