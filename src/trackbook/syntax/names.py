"""Which names the source of a cell reads, binds and may change, in the order it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from . import UNREADABLE, parse
from .calls import called, flags_of, paths_of
from .expressions import EVERYTHING, Expressions, frozen, now, root_of

_LONGEST = 500_000
_MAIN = "__main__"
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Names:
    """What a source says of names; a function's body counts where the function is used."""

    reads: frozenset[str] = _NONE
    """Read before the source itself has bound them for certain."""
    binds: frozenset[str] = _NONE
    sure: frozenset[str] = _NONE
    """Bound on every way to the end."""
    deletes: frozenset[str] = _NONE
    stores: frozenset[str] = _NONE
    """Names whose attribute or item is assigned or deleted."""
    touched: frozenset[str] = _NONE
    """Names with a method called, or passed to a call: they may change."""
    spoken: frozenset[str] = _NONE
    """Identifiers within strings that are passed to calls."""
    imports: frozenset[str] = _NONE
    stars: bool = False
    """Whether it has ``from x import *``."""
    modules: frozenset[str] = _NONE
    """The top names of the modules it imports."""
    late: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By function or class: the names free in its bodies."""
    late_binds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By function or class: the globals it may bind."""
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By name: the names in the values it is assigned."""
    registers: frozenset[str] = _NONE
    """The roots of decorators."""
    statements: frozenset[tuple[str, str]] = frozenset()
    """``(root, last name)`` of calls whose result nobody takes, such as ``sns.set_theme()``."""
    paths: tuple[str, ...] = ()
    """Strings that may name files."""
    flags: frozenset[str] = _NONE
    readable: bool = True


@lru_cache(maxsize=1024)
def names(source: str) -> Names:
    """The names of a source (plain Python, magics transformed); never raises."""
    if len(source) > _LONGEST:
        return Names(reads=frozenset({EVERYTHING}), readable=False)
    try:
        tree = parse(source)
    except UNREADABLE:
        return Names(reads=frozenset({EVERYTHING}), readable=False)
    try:
        walk = _Walk()
        walk.body(tree.body)
    except RecursionError:
        return _flat(tree)
    return walk.found(flags_of(tree), paths_of(tree))


def _flat(tree: ast.Module) -> Names:
    """Of what is nested too deeply: every name it holds, without their order."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = frozenset(node.id for node in nodes if isinstance(node.ctx, ast.Load))
    bound = frozenset(node.id for node in nodes if isinstance(node.ctx, ast.Store))
    return Names(reads=read | bound, binds=bound, touched=read, flags=flags_of(tree))


class _Walk(Expressions):
    """Goes through a cell as Python does: what it binds early is not read from outside."""

    def found(self, flags: frozenset[str], paths: tuple[str, ...]) -> Names:
        """What the walk has found."""
        return Names(
            reads=frozenset(self._reads),
            binds=frozenset(self._binds),
            sure=frozenset(self._sure),
            deletes=frozenset(self._deletes),
            stores=frozenset(self._stores),
            touched=frozenset(self._touched),
            spoken=frozenset(self._spoken),
            imports=frozenset(self._imports),
            stars=self._stars,
            modules=frozenset(self._modules),
            late=frozen(self._late),
            late_binds=frozen(self._late_binds),
            sources=frozen(self._sources),
            registers=frozenset(self._registers),
            statements=frozenset(self._statements),
            paths=paths,
            flags=flags,
        )

    # -- statements ---------------------------------------------------------------------------

    def body(self, statements: Iterable[ast.stmt]) -> None:
        """Statements that run one after the other."""
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """One statement, with what is below it."""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._function(node)
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            self._assign(node)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._delete(target)
        elif isinstance(node, (ast.If, ast.While, ast.For, ast.AsyncFor)):
            self._branch(node)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self._try(node)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self.expression(item.context_expr)
                if item.optional_vars is not None:
                    self._target(item.optional_vars, item.context_expr)
            self.body(node.body)
        elif isinstance(node, ast.Match):
            self._match(node)
        else:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                name = called(node.value)
                self._statements.add((name.partition(".")[0], name.rpartition(".")[2]))
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.expr):
                    self.expression(part)

    def _maybe(self, *blocks: Iterable[ast.stmt]) -> None:
        """Blocks of which one runs, or none: what all of them bind is bound for certain."""
        before = set(self._sure)
        ends: list[set[str]] = []
        for block in blocks:
            self._sure = set(before)
            self.body(block)
            ends.append(self._sure)
        self._sure = set.intersection(*ends) if ends else before

    def _branch(self, node: ast.If | ast.While | ast.For | ast.AsyncFor) -> None:
        if isinstance(node, (ast.If, ast.While)):
            self.expression(node.test)
            self._maybe(node.body, node.orelse)
            return
        self.expression(node.iter)
        before = set(self._sure)
        self._target(node.target, node.iter)
        self.body(node.body)
        self._sure = before  # it may run for nothing
        self.body(node.orelse)

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        before = set(self._sure)
        self.body([*node.body, *node.orelse])
        ends = [self._sure]
        for handler in node.handlers:
            self._sure = set(before)
            if handler.type is not None:
                self.expression(handler.type)
            if handler.name:
                self._bind(handler.name)
            self.body(handler.body)
            self._sure.discard(handler.name or "")
            ends.append(self._sure)
        self._sure = set.intersection(*ends)
        self.body(node.finalbody)

    def _match(self, node: ast.Match) -> None:
        self.expression(node.subject)
        for case in node.cases:
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.expr):
                    self.expression(part)
                for name in (getattr(part, "name", None), getattr(part, "rest", None)):
                    if isinstance(name, str):
                        self._bind(name, sure=False)
                        self._take(name, node.subject)
            if case.guard is not None:
                self.expression(case.guard)
        self._maybe(*(case.body for case in node.cases), [])

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._decorators(node)
        for part in now(node):
            self.expression(part)
        free, binds = self._free_in(node)
        self._bind(node.name)
        self._late[node.name] = free
        if binds:
            self._late_binds[node.name] = binds

    def _class(self, node: ast.ClassDef) -> None:
        self._decorators(node)
        for part in (*node.bases, *(keyword.value for keyword in node.keywords)):
            self.expression(part)
        inner = _Walk()
        inner._sure = set(self._sure)
        inner.body(node.body)
        self._reads |= inner._reads
        self._touched |= inner._touched
        self._stores |= inner._stores
        self._spoken |= inner._spoken
        late = set().union(*inner._late.values(), *inner._late_binds.values())
        self._bind(node.name)
        self._late[node.name] = late - {node.name}
        binds = set().union(*inner._late_binds.values())
        if binds:
            self._late_binds[node.name] = binds
        self._take(node.name, *node.bases)

    def _decorators(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.expression(decorator)
            root = root_of(decorator.func if isinstance(decorator, ast.Call) else decorator)
            if root:
                self._registers.add(root)
                self._touched.add(root)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self._stars = True
                continue
            name = alias.asname or alias.name.partition(".")[0]
            self._bind(name)
            self._imports.add(name)
        if any(alias.name == _MAIN for alias in node.names):
            self._read(EVERYTHING)
        if isinstance(node, ast.Import):
            self._modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif node.module and not node.level:
            self._modules.add(node.module.partition(".")[0])

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        if isinstance(node, ast.AugAssign):
            self._augment(node)
            return
        if isinstance(node, ast.AnnAssign):
            self.expression(node.annotation)
            if node.value is None:
                return
        if isinstance(node.value, ast.Lambda):
            for part in now(node.value):
                self.expression(part)
        elif node.value is not None:
            self.expression(node.value)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            self._target(target, node.value)

    def _augment(self, node: ast.AugAssign) -> None:
        self.expression(node.value)
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
            self._stores.add(node.target.id)  # an array or list changes in place
            self._bind(node.target.id)
            self._take(node.target.id, node.value)
        else:
            self._target(node.target, node.value)
