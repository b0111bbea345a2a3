"""Expressions of Python source: which are literals, and a hash that does not see them."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Container

from .. import syntax

_CONSTANTS = (str, bool, int, float, type(None))


def normalised_hash(source: str) -> str:
    """A hash of the code that stays the same when only literals, comments or layout change."""
    try:
        text = ast.dump(_Blank().visit(syntax.parse(source)))
    except syntax.UNREADABLE:
        text = source.strip()
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


class _Blank(ast.NodeTransformer):
    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and is_literal(node):
            return ast.Constant(None)
        return super().generic_visit(node)


def is_literal(node: ast.expr | None, names: Container[str] = ()) -> bool:
    """Whether an expression is made of constants alone, apart from ``names`` inside containers."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, _CONSTANTS)
    if isinstance(node, ast.UnaryOp):
        return is_literal(node.operand)
    if isinstance(node, ast.BinOp):
        return is_literal(node.left) and is_literal(node.right)
    if isinstance(node, ast.IfExp):
        return is_literal(node.body) and is_literal(node.orelse)
    if isinstance(node, ast.Call):
        return _is_literal_call(node, names)
    parts = container_parts(node)
    return parts is not None and all(is_literal(p, names) or _is_name(p, names) for p in parts)


def container_parts(node: ast.expr | None) -> list[ast.expr] | None:
    """What stands in a list, tuple, set or dict display, ``*`` and ``**`` opened; else None."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [e.value if isinstance(e, ast.Starred) else e for e in node.elts]
    if isinstance(node, ast.Dict):
        return [*(key for key in node.keys if key is not None), *node.values]
    return None


def _is_literal_call(node: ast.Call, names: Container[str]) -> bool:
    function = dotted(node.func)
    if function == "dict" and not node.args:
        parts = [keyword.value for keyword in node.keywords]
        return all(is_literal(p, names) or _is_name(p, names) for p in parts)
    # The only ways to write these numbers.
    word = node.args[0] if function == "float" and len(node.args) == 1 else None
    return isinstance(word, ast.Constant) and isinstance(word.value, str)


def is_construction(node: ast.expr | None, names: Container[str] = ()) -> bool:
    """Whether an expression calls something with constants and ``names`` as its only arguments."""
    if not isinstance(node, ast.Call) or not dotted(node.func):
        return False
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    return all(
        is_literal(a, names) or _is_name(a, names) or is_construction(a, names) for a in arguments
    )


def _is_name(node: ast.expr, names: Container[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of a name or a chain of attributes; empty for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def names_in(node: ast.expr) -> set[str]:
    """The free names that an expression reads itself: not those of lambdas and comprehensions."""
    inner: set[str] = set()
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            (found if isinstance(part.ctx, ast.Load) else inner).add(part.id)
        elif isinstance(part, ast.arg):
            inner.add(part.arg)
    return found - inner
