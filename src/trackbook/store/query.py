"""``where``: a Python-like expression over a run's attributes, as a TinyDB query.

Nothing is executed: the text is parsed with ``ast`` against a white list. A comparison with a
missing value is false, also ``!=`` and ``not in``; ``x is None`` is true for a missing value.
"""

from __future__ import annotations

import ast
import datetime
import operator
import re
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NoReturn

from tinydb.queries import QueryInstance, QueryLike

from ..errors import QueryError
from . import complaints
from .attributes import (
    MISSING,
    NAMES,
    STATISTICS,
    TIMES,
    TREES,
    Getter,
    getter,
    look_up,
    split,
    unknown,
)

MAX_BYTES, MAX_NODES, MAX_DEPTH = 4096, 200, 30
ALLOWED = (
    "allowed are comparisons (== != < <= > >= in, not in, is None) of run attributes such as "
    "params.lr, metrics.acc, tags.x, name, status, started with numbers, strings and lists, "
    "joined by and, or, not"
)
_AGO = re.compile(r"-\s*(\d+(?:\.\d+)?)\s*([smhdw])")
# What Python's parser may warn of: an unknown escape, a number that runs into a word.
_WARNED_OF = re.compile(r"\\|\d[A-Za-z_]")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def compile_where(
    where: Any, getter: Callable[[str, Sequence[str]], Getter] = getter
) -> QueryLike | None:
    """The query of an expression or a TinyDB query; None for no condition at all.

    The query of an expression takes what the getters of attributes take, by default a document.
    Raises ``QueryError`` with the position and what is allowed.
    """
    if where is None or (isinstance(where, str) and not where.strip()):
        return None
    if isinstance(where, str):
        return _Compiler(where, getter).compile()
    if callable(where):
        return _forgiving(where)
    raise QueryError(f"where is an expression or a TinyDB query, not a {type(where).__name__}")


def _forgiving(query: Callable[[Any], Any]) -> QueryInstance:
    """A TinyDB query for which a run with a value of another type does not match."""

    def test(document: Any) -> bool:
        try:
            return bool(query(document))
        except TypeError:
            return False

    return QueryInstance(test, None)


# CPython counts the depth of trees for all threads together: two that parse at once may both fail.
_parsing = threading.Lock()


def _tree(line: str) -> ast.expr:
    with _parsing:
        return ast.parse(line, mode="eval").body


class _Compiler:
    """Turns one expression into a query."""

    def __init__(self, text: str, getter: Callable[[str, Sequence[str]], Getter]) -> None:
        self._text = text
        self._getter = getter
        self._indent = len(text) - len(text.lstrip())
        # One line without blanks before it, so that a column is a position.
        self._line = re.sub(r"[\r\n\f]", " ", text).strip()

    def compile(self) -> QueryInstance:
        if len(self._text.encode("utf-8", "replace")) > MAX_BYTES:
            self._refuse(f"the expression is longer than {MAX_BYTES} bytes", MAX_BYTES)
        tree = self._parse()
        self._check_size(tree)
        return self._condition(tree)

    def _parse(self) -> ast.expr:
        line = self._line
        try:
            if _WARNED_OF.search(line):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return _tree(line)
            return _tree(line)
        except SyntaxError as problem:
            # 0 stands for the end.
            column = len(line) if problem.offset == 0 else (problem.offset or 1) - 1
            position = min(self._indent + column, len(self._text))
            hint = complaints.of_syntax(line, column)
            self._refuse(f"this is not an expression ({problem.msg}){hint}", position)
        except (ValueError, MemoryError, RecursionError) as problem:
            self._refuse(f"this is not an expression ({problem or 'nested too deep'})", 0)

    def _check_size(self, tree: ast.expr) -> None:
        nodes, level = 0, [tree]
        depth = 0
        while level:
            depth += 1
            if depth > MAX_DEPTH:
                self._refuse(f"the expression is nested deeper than {MAX_DEPTH} levels", level[0])
            nodes += len(level)
            if nodes > MAX_NODES:
                self._refuse(f"the expression has more than {MAX_NODES} parts", level[-1])
            children = [child for node in level for child in ast.iter_child_nodes(node)]
            # An operator or a load context is no part that anyone wrote by itself.
            level = [child for child in children if isinstance(child, ast.expr | ast.keyword)]  # type: ignore[misc]

    def _refuse(self, problem: str, where: ast.AST | int) -> NoReturn:
        position = where if isinstance(where, int) else self._position(where)
        near = self._text[position : position + 20].strip()
        at = f" at column {position}" + (f" ({near!r})" if near else "")
        raise QueryError(f"{problem}{at}; {ALLOWED}", position)

    def _complaint(self, node: ast.expr) -> str:
        return complaints.of_node(node, ast.get_source_segment(self._line, node) or "")

    def _position(self, node: ast.AST) -> int:
        # ast counts bytes.
        data = self._text[self._indent :].encode("utf-8", "replace")
        before = data[: getattr(node, "col_offset", 0)].decode("utf-8", "ignore")
        return self._indent + len(before)

    # -- conditions --------------------------------------------------------------------------------

    def _condition(self, node: ast.expr) -> QueryInstance:
        if isinstance(node, ast.BoolOp):
            join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
            return reduce(join, [self._condition(value) for value in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self._condition(node.operand)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            answer = node.value
            return QueryInstance(lambda _: answer, None)
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            self._refuse(self._complaint(node), node)
        root, parts = self._path(node)
        value = self._value(node)
        if root == "tags" and parts:
            return QueryInstance(lambda document: _is_there(value(document)), None)
        return QueryInstance(lambda document: bool(value(document)), None)

    def _comparison(self, node: ast.Compare) -> QueryInstance:
        operands = [node.left, *node.comparators]
        timed = any(self._is_time(operand) for operand in operands)
        values = [self._value(operand, timed=timed) for operand in operands]
        tests = []
        for index, kind in enumerate(node.ops):
            left, right = values[index], values[index + 1]
            if isinstance(kind, ast.Is | ast.IsNot):
                tests.append(
                    self._none_test(kind, operands[index], operands[index + 1], values[index])
                )
            elif isinstance(kind, ast.In | ast.NotIn):
                container = self._container(operands[index + 1], right)
                tests.append(_membership(left, container, negated=isinstance(kind, ast.NotIn)))
            else:
                tests.append(_ordering(_COMPARE[type(kind)], left, right))
        return QueryInstance(lambda document: all(test(document) for test in tests), None)

    def _none_test(
        self, kind: ast.cmpop, left: ast.expr, right: ast.expr, value: Getter
    ) -> Callable[[Any], bool]:
        if not (isinstance(right, ast.Constant) and right.value is None):
            self._refuse("is and is not are for None only (use == and !=)", right)
        if isinstance(left, ast.Constant):
            self._refuse("is None asks about an attribute", left)
        wanted = isinstance(kind, ast.Is)
        return lambda document: (_or_none(value(document)) is None) is wanted

    def _container(self, node: ast.expr, value: Getter) -> Getter:
        if isinstance(node, ast.Constant) and not isinstance(node.value, str):
            self._refuse("in wants a list, a string or an attribute on its right", node)
        return value

    # -- values ------------------------------------------------------------------------------------

    def _value(self, node: ast.expr, *, timed: bool = False) -> Getter:
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return self._attribute(node)
        constant = self._constant(node, timed)
        return lambda _: constant

    def _constant(self, node: ast.expr, timed: bool) -> Any:
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return [self._constant(element, timed) for element in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            number = self._constant(node.operand, False)
            if isinstance(number, bool) or not isinstance(number, int | float):
                self._refuse("a sign stands before a number only", node)
            return -number if isinstance(node.op, ast.USub) else number
        if not isinstance(node, ast.Constant) or not isinstance(
            node.value, bool | int | float | str | None
        ):
            self._refuse(self._complaint(node), node)
        if timed and isinstance(node.value, str):
            return self._moment(node.value, node)
        return node.value

    def _moment(self, text: str, node: ast.expr) -> float:
        if ago := _AGO.fullmatch(text.strip()):
            return time.time() - float(ago[1]) * _SECONDS[ago[2]]
        try:
            # Without a zone it is the reader's own, as calendars on the wall are.
            return datetime.datetime.fromisoformat(text.strip()).timestamp()
        except (ValueError, OverflowError, OSError):
            self._refuse(
                f'{text!r} is no time; write "2026-11-01", "2026-11-01 14:30" or "-7d"', node
            )

    def _is_time(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in TIMES

    def _attribute(self, node: ast.expr) -> Getter:
        root, parts = self._path(node)
        if root not in NAMES:
            self._refuse(unknown(root), node)
        if root in TREES and parts:
            self._check_statistic(node, root)
            parts = split(parts)
        try:
            return self._getter(root, parts)
        except QueryError as problem:
            self._refuse(str(problem), node)

    def _check_statistic(self, node: ast.expr, root: str) -> None:
        """``metrics["val/loss"].mean``: after a quoted name only a statistic makes sense."""
        quoted = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Subscript)
        if root == "metrics" and quoted:
            assert isinstance(node, ast.Attribute)
            if node.attr not in STATISTICS:
                self._refuse(f"a metric has {', '.join(STATISTICS)}, no {node.attr!r}", node)

    def _path(self, node: ast.expr) -> tuple[str, list[str]]:
        """``metrics["val/loss"].min`` as ``("metrics", ["val/loss", "min"])``."""
        parts: list[str] = []
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Subscript):
                key = node.slice
                if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                    self._refuse('a key in [] is a string, as in params["max depth"]', key)
                parts.append(key.value)
                node = node.value
            else:
                self._refuse(self._complaint(node), node)
        return node.id, parts[::-1]


def _is_there(value: Any) -> bool:
    return value is not MISSING


def _or_none(value: Any) -> Any:
    return None if value is MISSING else value


def _ordering(compare: Callable[[Any, Any], Any], left: Getter, right: Getter) -> Getter:
    def test(document: Any) -> bool:
        a, b = left(document), right(document)
        if a is MISSING or b is MISSING:
            return False
        try:
            return bool(compare(a, b))
        except TypeError:  # a word against a number
            return False

    return test


def _membership(left: Getter, right: Getter, *, negated: bool) -> Getter:
    def test(document: Any) -> bool:
        item, container = left(document), right(document)
        if item is MISSING or container is MISSING:
            return False
        if isinstance(container, dict) and isinstance(item, str):
            inside = item in container or look_up(container, item.split(".")) is not MISSING
            return inside is not negated
        try:
            return (item in container) is not negated
        except TypeError:
            return False

    return test
