"""What the source of a cell says by itself: which names it binds, how, and which it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from .. import syntax
from .literals import container_parts, dotted, is_literal, names_in

Place = Literal["top", "branch", "loop"]

LONGEST = 500_000
"""Characters of a cell whose values are read; taking more source apart takes seconds."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_MUTATORS = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "remove", "clear"}
# Reading a value to show, inspect or log it is no use of it as a param.
_ONLY_LOOKING = {"print", "display", "pprint", "repr", "type", "isinstance", "id", "hasattr"}
_ONLY_LOOKING |= {"log_metric", "log_metrics", "log_param", "log_params", "set_tag", "set_tags"}
_ONLY_LOOKING |= {"log_text", "set_note", "debug", "info", "warning", "set_title", "title"}


@dataclass(frozen=True)
class Binding:
    """One place of a cell that binds a name.

    ``how`` is ``assign``, ``add`` (``+= literal``) or ``other`` (loop targets, imports, functions).
    ``place`` is ``top``, ``branch`` (below an if or except) or ``loop``.
    """

    name: str
    line: int
    """The last line of the statement."""
    how: Literal["assign", "add", "other"]
    place: Place
    value: ast.expr | None = None


@dataclass(frozen=True)
class Read:
    """One use of a name as a call argument or inside a literal config, before the cell binds it."""

    name: str
    line: int


@dataclass(frozen=True)
class CellFacts:
    """Everything ``collect`` needs to know about a source; ``changed`` are containers it alters."""

    bindings: tuple[Binding, ...] = ()
    reads: tuple[Read, ...] = ()
    changed: frozenset[str] = frozenset()
    too_long: bool = False


@lru_cache(maxsize=256)
def analyse(source: str) -> CellFacts:
    """The facts about the source of a cell (plain Python, magics transformed); never raises."""
    if len(source) > LONGEST:
        return CellFacts(too_long=True)
    try:
        walk = _Walk()
        walk.body(syntax.parse(source).body, "top")
        return CellFacts(tuple(walk.bindings), tuple(walk.reads), frozenset(walk.changed))
    except syntax.UNREADABLE:
        return CellFacts()


def literal_binding_names(source: str) -> tuple[str, ...]:
    """The names that the source binds once, at the top level, to a literal."""
    bindings = analyse(source).bindings
    places: dict[str, int] = {}
    for binding in bindings:
        places[binding.name] = places.get(binding.name, 0) + 1
    return tuple(
        b.name
        for b in bindings
        if places[b.name] == 1 and b.place == "top" and b.how == "assign" and is_literal(b.value)
    )


class _Walk:
    """Goes through statements in program order and notes what they bind, read and change."""

    def __init__(self) -> None:
        self.bindings: list[Binding] = []
        self.reads: list[Read] = []
        self.changed: set[str] = set()
        self._bound: set[str] = set()

    def body(self, statements: list[ast.stmt], place: Place) -> None:
        for statement in statements:
            self.statement(statement, place)

    def statement(self, node: ast.stmt, place: Place) -> None:
        for expression in _own_expressions(node):
            self.expression(expression, place)
        self.bind(node, place)
        if isinstance(node, _FUNCTIONS):
            return
        inside = _below(node, place)
        for name in ("body", "orelse", "finalbody"):
            always = isinstance(node, (ast.Try, ast.TryStar)) and name != "orelse"
            self.body(getattr(node, name, []), place if always else inside)
        below_case = [*getattr(node, "handlers", []), *getattr(node, "cases", [])]
        for case in below_case:
            self.body(case.body, inside if inside == "loop" else "branch")

    def expression(self, node: ast.expr, place: Place) -> None:
        line = node.end_lineno or 0
        for call in _uses(node):
            for name in sorted(names_in(call) - self._bound):
                self.reads.append(Read(name, line))
        for part in _walk_here(node):
            if isinstance(part, ast.NamedExpr):
                self.add(part.target, part.value, line, place)
            elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
                self._mutation(part, part.func)

    def bind(self, node: ast.stmt, place: Place) -> None:
        line = node.end_lineno or 0
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self.add(target, node.value, line, place)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.add(node.target, node.value, line, place)
        elif isinstance(node, ast.AugAssign):
            self._augment(node, line, place)
        else:
            for name in _other_targets(node):
                self._bind(Binding(name, line, "other", place))

    def add(
        self,
        target: ast.expr,
        value: ast.expr,
        line: int,
        place: Place,
    ) -> None:
        if isinstance(target, ast.Name):
            how: Literal["assign", "add"] = "add" if _counts(target.id, value) else "assign"
            self._bind(Binding(target.id, line, how, place, value))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part, its_value in _pairs(target.elts, value):
                self.add(part, its_value, line, place)
        elif isinstance(target, ast.Starred):
            self.add(target.value, value, line, place)
        elif isinstance(target, (ast.Subscript, ast.Attribute)) and not is_literal(value):
            self.changed.add(_root(target))

    def _bind(self, binding: Binding) -> None:
        self.bindings.append(binding)
        self._bound.add(binding.name)

    def _augment(self, node: ast.AugAssign, line: int, place: Place) -> None:
        if not isinstance(node.target, ast.Name):
            self.changed.add(_root(node.target))
            return
        counts = isinstance(node.op, (ast.Add, ast.Sub)) and is_literal(node.value)
        how: Literal["assign", "add"] = "add" if counts else "assign"
        both = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        self._bind(Binding(node.target.id, line, how, place, both))

    def _mutation(self, call: ast.Call, method: ast.Attribute) -> None:
        literal = all(is_literal(a) for a in (*call.args, *(k.value for k in call.keywords)))
        if method.attr in _MUTATORS and not (literal and method.attr == "update"):
            self.changed.add(_root(method))


def _below(node: ast.stmt, place: Place) -> Place:
    if place == "loop" or isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        return "loop"
    return "branch" if isinstance(node, (ast.If, ast.Try, ast.TryStar, ast.Match)) else place


def _own_expressions(node: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement itself, not of the statements below it."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield from node.decorator_list
        return
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr):
            yield part
        elif isinstance(part, ast.withitem):
            yield part.context_expr


def _walk_here(node: ast.expr) -> Iterator[ast.AST]:
    """Like ``ast.walk``, but not into lambdas, which do not run here."""
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(part))


def _uses(node: ast.expr) -> Iterator[ast.expr]:
    """Call arguments, and the parts of literal displays outside calls."""
    for part in _walk_here(node):
        if isinstance(part, ast.Call):
            function = part.func
            name = function.attr if isinstance(function, ast.Attribute) else dotted(function)
            if name not in _ONLY_LOOKING:
                yield from part.args
                yield from (keyword.value for keyword in part.keywords)
    waiting = [node]
    while waiting:
        display = waiting.pop()
        if isinstance(display, ast.Dict) or (display is not node and isinstance(display, ast.Name)):
            yield display
        elif not isinstance(display, _COMPREHENSIONS):
            waiting.extend(container_parts(display) or [])


def _other_targets(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, _FUNCTIONS):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        yield from _stored(node.target)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            yield from _stored(item.optional_vars)
    elif isinstance(node, (ast.Try, ast.TryStar)):
        yield from (handler.name for handler in node.handlers if handler.name)
    elif isinstance(node, ast.Match):
        for case in node.cases:
            captures = (getattr(part, "name", None) for part in ast.walk(case.pattern))
            yield from (name for name in captures if isinstance(name, str))


def _stored(target: ast.expr | None) -> Iterator[str]:
    for part in ast.walk(target) if target is not None else ():
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def _pairs(targets: list[ast.expr], value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
    starred = any(isinstance(part, ast.Starred) for part in (*targets, *parts))
    if len(parts) == len(targets) and not starred:
        yield from zip(targets, parts, strict=True)
    else:
        yield from ((target, value) for target in targets)


def _counts(name: str, value: ast.expr) -> bool:
    """``n = n + 1``."""
    return (
        isinstance(value, ast.BinOp)
        and isinstance(value.op, (ast.Add, ast.Sub))
        and isinstance(value.left, ast.Name)
        and value.left.id == name
        and is_literal(value.right)
    )


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
