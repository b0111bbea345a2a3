"""Where Python source gives a value to a secret name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .names import is_secret_name

# Functions whose first argument names what the second one is.
_NAMED_VALUE = {"setdefault", "setenv", "putenv", "get", "getenv", "set", "setattr", "pop", "put"}

Literal = ast.Constant | ast.JoinedStr


def given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Values with the secret name they are given to."""
    pairs: list[tuple[str, ast.expr | None]] = []
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                pairs += _unpacked(target, value)
        case ast.AnnAssign(target=target, annotation=text, value=None):
            # Pasted YAML, unless it is the name of a type.
            pairs.append((_name(target), None if _text(text).isalpha() else text))
        case ast.AnnAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            pairs.append((_name(target), value))
        case ast.AugAssign(target=target, value=value):
            pairs.append((_name(target), value))
        case ast.keyword(arg=str(arg), value=value):
            pairs.append((arg, value))
        case ast.Dict(keys=keys, values=values):
            pairs += [(_text(key), value) for key, value in zip(keys, values, strict=True)]
        case ast.Compare(left=left, comparators=others):
            pairs += [(_name(left), other) for other in others]
            pairs += [(_name(other), left) for other in others]
        case ast.arguments():
            positional = [*node.posonlyargs, *node.args]
            pairs += [
                (a.arg, d)
                for a, d in zip(reversed(positional), reversed(node.defaults), strict=False)
            ]
            pairs += [(a.arg, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
        case ast.Call():
            pairs += _called(node)
    for key, given in pairs:
        if given is not None and key and is_secret_name(key):
            yield key, given


def _unpacked(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        pairs = zip(target.elts, value.elts, strict=False)
        return [pair for t, v in pairs for pair in _unpacked(t, v)]
    return [(_name(target), value)]


def _called(call: ast.Call) -> list[tuple[str, ast.expr | None]]:
    function = _name(call.func)
    pairs: list[tuple[str, ast.expr | None]] = []
    if call.args and (first := _text(call.args[0])):
        if function in _NAMED_VALUE:
            pairs += [(first, other) for other in call.args[1:2]]
        # add_argument("--token", default="..."), Option("--password", value="...")
        pairs += [(first, k.value) for k in call.keywords if k.arg in ("default", "value")]
    if function == "login":
        pairs += [("login_password", k.value) for k in call.keywords if k.arg == "key"]
    if function.startswith("set_") and is_secret_name(function[4:]):
        pairs += [(function[4:], other) for other in call.args[-1:]]
    return pairs


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=index):
            return _text(index)
    return ""


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def literals(value: ast.expr) -> Iterator[Literal]:
    """The literals that a value consists of; what is called or looked up is none of them."""
    match value:
        case ast.Constant() | ast.JoinedStr():
            yield value
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            for part in parts:
                yield from literals(part)
        case ast.BinOp(left=left, right=right):
            yield from literals(left)
            yield from literals(right)
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from literals(part)
        case ast.IfExp(body=body, orelse=orelse):
            yield from literals(body)
            yield from literals(orelse)
        case ast.Call(func=ast.Name(id="SecretStr" | "str" | "bytes"), args=parts):
            for part in parts:
                yield from literals(part)
        case ast.Call(func=ast.Attribute(value=ast.Constant() as text)):  # "...".encode()
            yield text
