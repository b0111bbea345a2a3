"""Why a part of a ``where`` expression is not accepted, and how it is written instead."""

from __future__ import annotations

import ast
import keyword
import re

_TREE = r"(params|metrics|tags)\."
_BEFORE = re.compile(rf"\b{_TREE}([\w.]*?)\.?(\s*)$")
_WORD = re.compile(r"\w+")
# A key such as val/loss, of which Python makes a division.
_KEY = re.compile(rf"{_TREE}((?:(?!\b{_TREE})[^\s\"'()\[\]])+)")


def of_node(node: ast.expr, source: str) -> str:
    """What is wrong with a node; ``source`` is its text."""
    match node:
        case ast.Call():
            return "functions and methods cannot be called here"
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            return "& and | are not understood: write and, or"
        case ast.BinOp():
            key = _KEY.fullmatch(source)
            return "arithmetic is not understood" + (_quoted(key[1], key[2]) if key else "")
        case ast.Constant():
            return f"{node.value!r:.40} is no condition"
        case _:
            return f"{type(node).__name__} is not understood"


def of_syntax(line: str, column: int) -> str:
    """How a key is written that is two words, or a word of Python's own; empty where it is none."""
    before, word = _BEFORE.search(line[:column]), _WORD.match(line[column:])
    if before is None or word is None:
        return ""
    if keyword.iskeyword(word[0]):
        inner = [before[2], word[0]] if before[2] else [word[0]]
        return "" if before[3] else _quoted(before[1], ".".join(inner))
    return _quoted(before[1], f"{before[2]} {word[0]}") if before[2] and before[3] else ""


def _quoted(tree: str, key: str) -> str:
    return f'; if that is a key, write {tree}["{key:.60}"]'
