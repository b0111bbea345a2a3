"""What a caller wrote for the arguments of a call: from its source, else from its variables.

The source is read by tokens: on Python 3.11 two threads that build syntax trees disturb each other,
and the user's cell must not be the one that fails.
"""

from __future__ import annotations

import ast
import io
import keyword
import linecache
import token
import tokenize
from collections.abc import Iterable
from itertools import islice
from types import FrameType
from typing import Any

# A call that takes more lines is not read.
_MOST_LINES = 50
_OPEN, _CLOSE = set("([{"), set(")]}")
_NO_TOKENS = {token.NL, token.NEWLINE, token.INDENT, token.DEDENT, tokenize.COMMENT}

Argument = tuple[str | None, list[tokenize.TokenInfo]]


def call_of(frame: FrameType) -> list[Argument]:
    """The arguments of the call that a frame is executing: the keyword and the tokens of each.

    Empty where its source is not known.
    """
    text = _source_of(frame)
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    tokens = [each for each in tokens if each.type not in _NO_TOKENS][:-1]
    start = _opening(tokens)
    return [] if start is None else _split(tokens[start + 1 : -1])


def _source_of(frame: FrameType) -> str:
    place = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    if place is None:
        return ""
    first, last, start, end = place
    if first is None or last is None or start is None or end is None or last - first > _MOST_LINES:
        return ""
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)[first - 1 : last]
    if not lines:
        return ""
    encoded = [line.encode() for line in lines]  # columns count bytes
    encoded[-1] = encoded[-1][:end]
    encoded[0] = encoded[0][start:]
    return f"({b''.join(encoded).decode('utf-8', 'replace')}\n)"


def _opening(tokens: list[tokenize.TokenInfo]) -> int | None:
    """Where the parenthesis opens that the last one closes, which is the call's."""
    del tokens[-1:], tokens[:1]  # those that were put around it
    depth = 0
    for place in range(len(tokens) - 1, -1, -1):
        depth += (tokens[place].string in _CLOSE) - (tokens[place].string in _OPEN)
        if depth == 0:
            return place if tokens[place].string == "(" and place > 0 else None
    return None


def _split(tokens: list[tokenize.TokenInfo]) -> list[Argument]:
    found: list[Argument] = []
    depth, part = 0, list[tokenize.TokenInfo]()
    for each in [*tokens, None]:
        if each is None or (depth == 0 and each.string == ","):
            if part:
                named = len(part) > 2 and part[0].type == token.NAME and part[1].string == "="
                found.append((part[0].string, part[2:]) if named else (None, part))
            part = []
            continue
        depth += (each.string in _OPEN) - (each.string in _CLOSE)
        part.append(each)
    return found


def expression_of(frame: FrameType) -> ast.expr | None:
    """What a frame is executing, as it was written: a call, or what a ``for`` goes over."""
    text = _source_of(frame)
    try:
        return ast.parse(text, mode="eval").body if text else None
    except (SyntaxError, ValueError, SystemError):
        return None


def argument(call: list[Argument], place: int, name: str) -> list[tokenize.TokenInfo]:
    """The tokens of one argument; empty where it cannot be told."""
    for key, tokens in call:
        if key == name:
            return tokens
    given = [tokens for key, tokens in call if key is None][: place + 1]
    if len(given) <= place or any(tokens[0].string.startswith("*") for tokens in given):
        return []
    return given[place]


def names_in(tokens: list[tokenize.TokenInfo]) -> list[str]:
    """Variables, attributes and column names in an expression."""
    found = []
    for before, each, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if each.type == token.NAME and not keyword.iskeyword(each.string):
            found.append(each.string)
        elif each.type == token.STRING and before and after and before.string == "[":
            found += [each.string.strip("\"'")] if after.string == "]" else []
    return found


def names_of(arguments: Iterable[Any], frame: FrameType) -> list[str]:
    """The names of the caller's variables that hold these very objects."""
    wanted = {id(argument) for argument in arguments if argument is not None}
    places = (frame.f_locals, frame.f_globals)
    return [name for place in places for name, value in list(place.items()) if id(value) in wanted]
