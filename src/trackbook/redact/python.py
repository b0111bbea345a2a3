"""Secrets out of Python source, which stays valid Python: a literal becomes a marker."""

from __future__ import annotations

import ast
import io
import re
import threading
import tokenize
from collections.abc import Iterator

from .. import syntax
from . import assigned, shapes
from .given import Literal, literals
from .given import given as names_given
from .names import is_strong_name, marker
from .plain import code, settled, text

_HINT = re.compile(
    r"(?i)secret|token|pass|pwd|key|auth|cred|cookie|jwt|bearer|basic|conn|AKIA|ASIA|://"
)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_MAGIC = re.compile(r"[ \t]*(?:%|!|\?\w)")
_LEAST_NUMBER = 1000


def source(plain: str) -> tuple[str, int]:
    """The source of a cell or module without its secrets, and how many there were.

    What was valid Python stays valid; lines of magics and cells in other languages are read too.
    """
    if not _HINT.search(plain) and not shapes.hide(plain)[1]:
        return plain, 0
    return settled(_once, plain)


def _once(plain: str) -> tuple[str, int]:
    if (parsed := _parse(plain)) is not None:
        return _hide(plain, parsed)
    start = len(plain) - len(plain.lstrip())
    if plain.startswith("%%", start):
        end = start + len(_LINE.match(plain, start)[0])  # type: ignore[index]
        head, first = text(plain[:end])
        body, more = _with_magics(plain[end:]) or text(plain[end:])
        return head + body, first + more
    return _with_magics(plain) or _unparsed(plain)


def _with_magics(plain: str) -> tuple[str, int] | None:
    """Python among lines of magics and shell commands; None where the rest is no Python either."""
    lines = _LINE.findall(plain)
    held = {f"pass  # <trackbook {i}>": line for i, line in enumerate(lines) if _MAGIC.match(line)}
    names = iter(held)
    python = "".join(_in_place(line, next(names)) if _MAGIC.match(line) else line for line in lines)
    parsed = _parse(python)
    if parsed is None:
        return None
    clean, count = _hide(python, parsed)
    for name, line in held.items():
        shown, found = text(line)
        clean = clean.replace(name, shown.strip(" \t\r\n"), 1)
        count += found
    return clean, count


def _unparsed(plain: str) -> tuple[str, int]:
    clean, count = code(plain)
    lines = _LINE.findall(clean)
    for i, line in enumerate(lines):
        if _MAGIC.match(line):
            lines[i], found = text(line)
            count += found
    return "".join(lines), count


def _in_place(line: str, name: str) -> str:
    inner = line.strip(" \t\r\n")
    return line.replace(inner, name, 1)


def _parse(plain: str) -> ast.Module | None:
    # CPython counts the depth of trees for all threads together: a tree made here could make
    # IPython's own parse of the next cell fail.
    if threading.current_thread() is not threading.main_thread():
        return None
    try:
        return syntax.parse(plain)
    except syntax.UNREADABLE:
        return None


# -- finding ---------------------------------------------------------------------------------------


def _hide(plain: str, parsed: ast.Module) -> tuple[str, int]:
    places = _Places(plain)
    changes: dict[tuple[int, int], tuple[str, int]] = {}
    given: dict[int, str] = {}
    for node in ast.walk(parsed):
        for key, value in names_given(node):
            for literal in literals(value):
                given.setdefault(id(literal), key)
    after_id = False
    for literal in _in_order(parsed):
        span = places.span(literal)
        segment = plain[span[0] : span[1]]
        change = _named(literal, segment, given.get(id(literal)))
        change = change or _shaped(literal, segment, after_id)
        after_id = after_id or "AKIA" in segment or "ASIA" in segment
        if change is not None:
            changes[span] = change
    for span, comment in _comments(plain, places):
        clean, found = text(comment)
        if found:
            changes[span] = (clean, found)
    clean = _apply(plain, changes)
    if changes and _parse(clean) is None:
        return code(plain)
    count = sum(found for _, found in changes.values())
    # A key that was pasted as it is. A name that merely looks like one stays a name.
    bare, found = shapes.hide(clean, quoted=True)
    return (bare, count + found) if found and _parse(bare) is not None else (clean, count)


def _in_order(parsed: ast.Module) -> Iterator[Literal]:
    """Every literal, f-strings whole: what is inside them has no reliable place."""
    waiting: list[ast.AST] = [parsed]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes | int)
        ):
            yield node
        else:
            waiting += reversed(list(ast.iter_child_nodes(node)))


# -- replacing -------------------------------------------------------------------------------------


def _named(literal: Literal, segment: str, key: str | None) -> tuple[str, int] | None:
    if key is None:
        return None
    prefix = ""
    if isinstance(literal, ast.Constant):
        value = literal.value
        if isinstance(value, bytes):
            prefix, value = "b", value.decode("latin-1")
        if type(value) is int and is_strong_name(key) and value >= _LEAST_NUMBER:
            return f'"{marker(key)}"', 1
        if not isinstance(value, str):
            return None
    else:
        value = re.sub(r"\A\w{0,2}[\"']{1,3}|[\"']{1,3}\Z", "", segment)
    short = len(value) < 4 and not is_strong_name(key)
    quote = "'" if segment[-1:] == "'" else '"'
    hidden = None if short or assigned.harmless(value) else f"{prefix}{quote}{marker(key)}{quote}"
    return None if hidden is None else (hidden, 1)


def _shaped(literal: Literal, segment: str, after_id: bool) -> tuple[str, int] | None:
    """A literal with secrets inside; in its own words where they mean the same, else anew."""
    if isinstance(literal, ast.JoinedStr):
        clean, found = code(segment)
        if not found:
            return None
        return (clean, found) if _parse(clean) is not None else ('"<redacted:text>"', found)
    value = literal.value
    plain = value.decode("latin-1") if isinstance(value, bytes) else value
    if not isinstance(plain, str):
        return None
    if after_id and shapes.is_aws_secret(plain):
        return '"<redacted:aws-secret>"', 1
    clean, found = text(plain)
    if not found:
        return None
    whole = clean.encode("latin-1") if isinstance(value, bytes) else clean
    tried = text(segment)[0]
    return (tried if _means(tried, whole) else repr(whole)), found


def _means(segment: str, value: str | bytes) -> bool:
    parsed = _parse(f"({segment})")
    body = parsed.body[0] if parsed is not None and len(parsed.body) == 1 else None
    literal = body.value if isinstance(body, ast.Expr) else None
    return isinstance(literal, ast.Constant) and literal.value == value


def _apply(text: str, changes: dict[tuple[int, int], tuple[str, int]]) -> str:
    parts, last = [], 0
    for (start, end), (new, _) in sorted(changes.items()):
        if start >= last:
            parts += [text[last:start], new]
            last = end
    return "".join([*parts, text[last:]])


# -- places ----------------------------------------------------------------------------------------


class _Places:
    """From the lines and byte columns of ``ast`` to places in the text."""

    def __init__(self, text: str) -> None:
        self._lines = _LINE.findall(text)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: Literal) -> tuple[int, int]:
        end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
        return self._at(node.lineno, node.col_offset), self._at(*end)

    def at(self, row: int, column: int) -> int:
        return self._starts[row - 1] + column

    def _at(self, row: int, column: int) -> int:
        line = self._lines[row - 1]
        shown = line if line.isascii() else line.encode("utf-8")[:column].decode("utf-8")
        return self._starts[row - 1] + min(len(shown), column)


def _comments(text: str, places: _Places) -> Iterator[tuple[tuple[int, int], str]]:
    if "#" not in text:
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            if token.type == tokenize.COMMENT:
                yield (places.at(*token.start), places.at(*token.end)), token.string
    except (tokenize.TokenError, *syntax.UNREADABLE):
        return
