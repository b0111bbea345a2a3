"""What a caller wrote for the arguments of a call: from its source, else from its variables."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable
from itertools import islice
from types import FrameType
from typing import Any

# A call that takes more lines is not parsed.
_MOST_LINES = 50


def call_of(frame: FrameType) -> ast.Call | None:
    """The call that a frame is executing, as it was written."""
    found = expression_of(frame)
    return found if isinstance(found, ast.Call) else None


def expression_of(frame: FrameType) -> ast.expr | None:
    """What a frame is executing, as it was written: a call, or what a ``for`` goes over."""
    place = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    if place is None:
        return None
    first, last, start, end = place
    if first is None or last is None or start is None or end is None or last - first > _MOST_LINES:
        return None
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)[first - 1 : last]
    if not lines:
        return None
    encoded = [line.encode() for line in lines]  # columns count bytes
    encoded[-1] = encoded[-1][:end]
    encoded[0] = encoded[0][start:]
    try:
        return ast.parse(b"(" + b"".join(encoded) + b"\n)", mode="eval").body
    except (SyntaxError, ValueError):
        return None


def argument(call: ast.Call | None, place: int, name: str) -> ast.expr | None:
    """The expression of one argument; None where it cannot be told."""
    if call is None:
        return None
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    given = call.args[: place + 1]
    if len(given) <= place or any(isinstance(item, ast.Starred) for item in given):
        return None
    return given[place]


def names_in(node: ast.expr | None) -> list[str]:
    """Variables, attributes and column names in an expression."""
    found = []
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Name):
            found.append(part.id)
        elif isinstance(part, ast.Attribute):
            found.append(part.attr)
        elif isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
            found.append(str(part.slice.value))
    return found


def names_of(arguments: Iterable[Any], frame: FrameType) -> list[str]:
    """The names of the caller's variables that hold these very objects."""
    wanted = {id(argument) for argument in arguments if argument is not None}
    places = (frame.f_locals, frame.f_globals)
    return [name for place in places for name, value in list(place.items()) if id(value) in wanted]
