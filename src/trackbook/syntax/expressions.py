"""What expressions read and targets bind, in the order Python takes them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from . import UNREADABLE, parse
from .calls import (
    called,
    identifiers,
    inner_code,
    is_everything,
    named_item,
    output_of,
    spoken_names,
)

EVERYTHING = "*"
"""Stands for every name there is: ``dir()``, or ``exec`` of what only the run knows."""

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Expressions:
    """Goes through expressions; what was bound for certain before is not read from outside."""

    def __init__(self, within: bool = False) -> None:
        self._within = within  # a function, whose locals() are its own
        self._reads: set[str] = set()
        self._sure: set[str] = set()
        self._binds: set[str] = set()
        self._deletes: set[str] = set()
        self._stores: set[str] = set()
        self._touched: set[str] = set()
        self._spoken: set[str] = set()
        self._imports: set[str] = set()
        self._modules: set[str] = set()
        self._late: dict[str, set[str]] = {}
        self._late_binds: dict[str, set[str]] = {}
        self._sources: dict[str, set[str]] = {}
        self._registers: set[str] = set()
        self._statements: set[tuple[str, str]] = set()
        self._stars = False

    def body(self, statements: Iterable[ast.stmt]) -> None:
        """Statements that run one after the other; below, in ``names``."""
        raise NotImplementedError

    # -- expressions --------------------------------------------------------------------------

    def expression(self, node: ast.expr) -> None:
        """An expression that runs now; the bodies of lambdas in it are taken to run now, too."""
        if isinstance(node, ast.Name):
            self._read(node.id)
        elif (name := named_item(node) or output_of(node)) is not None:
            self._read(name)
        elif isinstance(node, ast.NamedExpr):
            self.expression(node.value)
            self._target(node.target, node.value)
        elif isinstance(node, ast.Lambda):
            for part in now(node):
                self.expression(part)
            for name in sorted(self._free_in(node)[0]):
                self._read(name)
        elif isinstance(node, Comprehension):
            self._comprehension(node)
        else:
            if isinstance(node, ast.Call):
                self._call(node)
            for below in ast.iter_child_nodes(node):
                self._below(below)

    def _below(self, part: ast.AST) -> None:
        if isinstance(part, ast.expr):
            self.expression(part)
        else:
            for inner in ast.iter_child_nodes(part):
                self._below(inner)

    def _read(self, name: str) -> None:
        if name not in self._sure:
            self._reads.add(name)
        for below in closed(name, self._late):
            if below not in self._sure:
                self._reads.add(below)
        for bound in self._late_binds.get(name, ()):
            self._binds.add(bound)

    def _call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and (root := root_of(node.func)):
            self._touched.add(root)
        for part in (*node.args, *(keyword.value for keyword in node.keywords)):
            for inner in ast.walk(part):
                if isinstance(inner, ast.Name):
                    self._touched.add(inner.id)
        self._spoken |= spoken_names(node)
        if is_everything(node, self._within):
            self._read(EVERYTHING)
        if called(node) == "setattr" and node.args and (root := root_of(node.args[0])):
            self._stores.add(root)
        for code in inner_code(node):
            inner_walk = type(self)()
            try:
                inner_walk.body(parse(code).body)
            except UNREADABLE:
                self._spoken |= identifiers(code)
                continue
            self._merge(inner_walk)

    def _merge(self, inner: Expressions) -> None:
        """What a string of code does when it is run here."""
        for name in sorted(inner._reads):
            self._read(name)
        self._binds |= inner._binds
        self._stores |= inner._stores
        self._touched |= inner._touched
        self._late.update(inner._late)

    def _comprehension(self, node: Comprehension) -> None:
        inner = type(self)(self._within)
        inner._late = dict(self._late)
        inner._late_binds = dict(self._late_binds)
        inner._sure = set()
        targets: set[str] = set()
        for generator in node.generators:
            inner.expression(generator.iter)
            targets |= {p.id for p in ast.walk(generator.target) if isinstance(p, ast.Name)}
            inner._sure |= targets
            for condition in generator.ifs:
                inner.expression(condition)
        parts = [getattr(node, name, None) for name in ("key", "value", "elt")]
        for part in parts:
            if part is not None:
                inner.expression(part)
        for name in sorted(inner._reads - targets):
            self._read(name)
        for name in inner._binds - targets:  # by := alone
            self._bind(name, sure=False)
        self._touched |= inner._touched - targets
        self._spoken |= inner._spoken

    # -- targets ----------------------------------------------------------------------

    def _target(self, node: ast.expr, value: ast.expr | None) -> None:
        if isinstance(node, ast.Name):
            self._bind(node.id)
            if value is not None:
                self._take(node.id, value)
        elif isinstance(node, (ast.Tuple, ast.List)):
            for part in node.elts:
                self._target(part, value)
        elif isinstance(node, ast.Starred):
            self._target(node.value, value)
        elif (name := named_item(node)) is not None:
            self._bind(name)
        else:  # an attribute or an item
            self.expression(node)
            if root := root_of(node):
                self._stores.add(root)
                if value is not None:
                    self._take(root, value)

    def _delete(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self._read(node.id)
            self._sure.discard(node.id)
            self._deletes.add(node.id)
        elif isinstance(node, (ast.Tuple, ast.List)):
            for part in node.elts:
                self._delete(part)
        else:
            self.expression(node)
            if root := root_of(node):
                self._stores.add(root)

    def _bind(self, name: str, sure: bool = True) -> None:
        self._binds.add(name)
        self._late.pop(name, None)
        if sure:
            self._sure.add(name)

    def _take(self, name: str, *values: ast.expr) -> None:
        first = values[0] if values else None
        if isinstance(first, ast.Lambda):
            free, binds = self._free_in(first)
            self._late[name] = free
            if binds:
                self._late_binds[name] = binds
        taken = self._sources.setdefault(name, set())
        for value in values:
            taken |= {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}

    def _free_in(self, node: Function) -> tuple[set[str], set[str]]:
        """The names free in a function, those within it included; and the globals it binds."""
        arguments = node.args
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        local = {a.arg for a in (*every, arguments.vararg, arguments.kwarg) if a is not None}
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        walk = type(self)(within=True)
        globals_: set[str] = set()
        nonlocals: set[str] = set()
        for part in _in_scope(body):
            if isinstance(part, ast.Global):
                globals_ |= set(part.names)
            elif isinstance(part, ast.Nonlocal):
                nonlocals |= set(part.names)
        if isinstance(node, ast.Lambda):
            walk.expression(node.body)
        else:
            walk.body(node.body)
        inner = set().union(*walk._late.values()) if walk._late else set()
        local |= (walk._binds | walk._deletes) - globals_ - nonlocals
        read = walk._reads | inner | walk._spoken
        inner_binds = set().union(*walk._late_binds.values()) if walk._late_binds else set()
        return (read | globals_) - local, (walk._binds & globals_) | inner_binds


def closed(name: str, late: Mapping[str, set[str]]) -> Iterator[str]:
    """The names free in a function, and in those that it calls."""
    waiting, seen = [name], {name}
    while waiting:
        for below in late.get(waiting.pop(), ()):
            if below not in seen:
                seen.add(below)
                waiting.append(below)
                yield below


def now(node: Function) -> Iterator[ast.expr]:
    """What of a function is evaluated where it is defined: defaults and annotations."""
    arguments = node.args
    yield from (default for default in (*arguments.defaults, *arguments.kw_defaults) if default)
    if isinstance(node, ast.Lambda):
        return
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    for argument in (*every, arguments.vararg, arguments.kwarg):
        if argument is not None and argument.annotation is not None:
            yield argument.annotation
    if node.returns is not None:
        yield node.returns


def _in_scope(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    waiting = list(body)
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part, Function | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(part))


def root_of(node: ast.expr) -> str:
    """The name that an attribute, item or call begins with; empty where none does."""
    while True:
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return node.id if isinstance(node, ast.Name) else ""


def frozen(found: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    """The same, to keep."""
    return {name: frozenset(below) for name, below in found.items()}
