"""Names that a cell's top level binds to literals: where the literals stand, and others instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import syntax

_MAGIC = re.compile(r"[ \t]*[%!]")
_COMMENT = re.compile(r"[ \t]*(#.*)?$")


@dataclass(frozen=True, slots=True)
class Binding:
    """``name = literal``, alone or as a part of ``a, b = 1, 2``."""

    name: str
    value: Any
    start: tuple[int, int]
    """Of the literal: line from 1 and column in UTF-8 bytes, as ``ast`` counts."""
    end: tuple[int, int]
    statement: tuple[int, int]
    """First and last line of the statement."""
    alone: bool
    """Whether the statement binds nothing else."""


def python(source: str) -> str:
    """The source with IPython's own lines made empty statements, so that it parses."""
    lines = source.split("\n")
    return "\n".join("pass" if _MAGIC.match(line) else line for line in lines)


def parsed(source: str) -> ast.Module | None:
    """The tree of a cell; None where it is no Python."""
    try:
        return syntax.parse(python(source))
    except syntax.UNREADABLE:
        return None


def literals(source: str) -> list[Binding]:
    """The literal bindings of a cell, in their order."""
    tree = parsed(source)
    return [] if tree is None else [found for node in tree.body for found in _of(node)]


def bound(source: str) -> dict[str, int]:
    """How often each name is bound anywhere at the cell's top level, loops included."""
    tree = parsed(source)
    count: dict[str, int] = {}
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            count[node.id] = count.get(node.id, 0) + 1
    return count


def _of(node: ast.stmt) -> Iterator[Binding]:
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        pairs: list[tuple[ast.expr, ast.expr]] = [(node.target, node.value)]
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        pairs = list(_pairs(node.targets[0], node.value))
    else:
        return
    for target, value in pairs:
        if not isinstance(target, ast.Name):
            continue
        try:
            known = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        yield Binding(
            target.id,
            known,
            (value.lineno, value.col_offset),
            (value.end_lineno or value.lineno, value.end_col_offset or 0),
            (node.lineno, node.end_lineno or node.lineno),
            len(pairs) == 1,
        )


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    several = ast.Tuple | ast.List
    if isinstance(target, several) and isinstance(value, several):
        if len(target.elts) == len(value.elts):
            yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def replaced(source: str, changes: Sequence[tuple[Binding, str]]) -> str:
    """The source with other text in the place of these literals."""
    lines = [line.encode("utf-8", "surrogatepass") for line in source.split("\n")]
    for binding, text in sorted(changes, key=lambda change: change[0].start, reverse=True):
        (first, left), (last, right) = binding.start, binding.end
        middle = lines[first - 1][:left] + text.encode() + lines[last - 1][right:]
        lines[first - 1 : last] = [middle]
    return b"\n".join(lines).decode("utf-8", "surrogatepass")


def without(source: str, gone: Sequence[Binding]) -> str:
    """The source without these bindings: a statement that binds nothing else goes with its line."""
    lines = source.split("\n")
    stay = []
    drop: set[int] = set()
    for binding in gone:
        first, last = binding.statement
        rest = lines[last - 1].encode()[binding.end[1] :].decode("utf-8", "replace")
        if binding.alone and lines[first - 1].startswith(binding.name) and _COMMENT.match(rest):
            drop.update(range(first, last + 1))
        else:
            stay.append((binding, binding.name))
    kept = enumerate(replaced(source, stay).split("\n"), start=1)
    return "\n".join(line for number, line in kept if number not in drop)


def literal_text(value: Any) -> str | None:
    """A value as source; None where no literal gives it back."""
    text = repr(value)
    try:
        return text if ast.literal_eval(text) == value else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def params_of(sources: Sequence[str], params: Mapping[str, Any]) -> dict[str, tuple[int, Binding]]:
    """The params that one literal of the cells decides: which cell, and where it stands."""
    found: dict[str, tuple[int, Binding]] = {}
    times: dict[str, int] = {}
    for number, source in enumerate(sources):
        for name, count in bound(source).items():
            times[name] = times.get(name, 0) + count
        for binding in literals(source):
            # What stays must stay on its line, see ``without``.
            if binding.name in params and (binding.alone or binding.start[0] == binding.end[0]):
                found.setdefault(binding.name, (number, binding))
    return {name: place for name, place in found.items() if times.get(name) == 1}
