"""Secrets that are given to a secret name: in code, in configuration, in what was printed."""

from __future__ import annotations

import re

from . import names

_GIVEN = re.compile(
    r"(?<![\w\-.])(?P<key>[\w\-.]++)"
    r"(?P<mid>\\?[\"']?\]?[ \t]{0,40}"
    r"(?:=>|:=|[=!]=|[=:])[ \t]{0,40})"
)
_ANNOTATION = re.compile(r"[A-Za-z_][\w.\[\], |]{0,40}=(?!=)[ \t]{0,40}")
_QUOTED = re.compile(
    r"\s{0,80}(?P<prefix>[rRbBuUfF]{0,2})"
    r"(?:(?P<quote>\"\"\"|'''|[\"'])(?P<value>(?:(?!(?P=quote))[^\\\n]|\\.)*+)(?P=quote)"
    r"|(?P<escaped>\\[\"'])(?P<inner>(?:[^\"'\\\n]|\\(?![\"']))*+)(?P=escaped))"
)
# What stands without quotes ends here; an opening bracket after it says that it is code.
_BARE = re.compile(r"(?P<value>[^\s\"'`,;&()\[\]{}<>|\\]++)(?![(\[{])")
_REST_OF_LINE = re.compile(r"(?P<value>[^\s\"'`<$][^\n\r]*)")
_LINE_START = re.compile(r"[ \t+\-]*(?:(?:export|set|ENV|env|declare(?: -x)?)[ \t]+)?\Z")
_FLAG = re.compile(
    r"(?<![\w\-])--(?P<key>[A-Za-z][\w\-]*+)[ \t]++(?P<value>\"[^\"\n]*+\"|'[^'\n]*+'|[^\s\-]\S*+)"
)
_HEADER = re.compile(
    r"(?i)(?<![\w\-])(?P<key>(?:proxy-)?authorization|cookie|set-cookie)"
    r"(?P<mid>[ \t]{0,4}:[ \t]{0,4})(?P<value>[^\s\"'{}<>][^\n\r\"'{}<>]{3,}+)"
)
_SCHEMES = re.compile(r"(?i)\b(?:bearer|basic|token|digest|negotiate|apikey)\b")
_HOLES = re.compile(r"\$?\{[^{}]*\}|%\(\w+\)[sr]|%[sr]|\$[A-Z_][A-Z0-9_]*|<redacted:[a-z0-9_\-]+>")
_NO_SECRETS = (
    "none null nil true false yes no on off undefined unset set empty missing required invalid "
    "incorrect wrong expired failed denied ok valid unknown hidden redacted str string int "
    "bytes bool float any optional list dict object secretstr self args kwargs"
)
_WORDS_OF_NO_SECRET = frozenset(_NO_SECRETS.split())
_LIKE_CODE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")


def hide(text: str, *, bare: bool) -> tuple[str, int]:
    """The text with each value given to a secret name replaced, and how many there were.

    ``bare`` takes values without quotes too (``TOKEN=...``, ``--password ...``), which in code
    would be variables.
    """
    count = 0
    if bare:
        text, count = _hide_flags_and_headers(text)
    parts, last = [], 0
    for match in _GIVEN.finditer(text):
        if match.start() < last or not names.is_secret_name(match["key"]):
            continue
        quoted = _quoted(text, match)
        if quoted is not None:
            span = _literal(quoted, match["key"])
        else:
            span = _unquoted(text, match) if bare else None
        if span is not None:
            parts += [text[last : span[0]], names.marker(match["key"])]
            last = span[1]
    return "".join([*parts, text[last:]]), count + len(parts) // 2


def harmless(value: str) -> bool:
    """Whether a value is no secret whatever its name: empty, a placeholder, a word like "none"."""
    rest = _SCHEMES.sub("", _HOLES.sub("", value)).strip(" \t:;,*.-_/x\r\n")
    return not rest or rest.lower() in _WORDS_OF_NO_SECRET


def _quoted(text: str, match: re.Match[str]) -> re.Match[str] | None:
    annotation = _ANNOTATION.match(text, match.end()) if ":" in match["mid"] else None
    return _QUOTED.match(text, annotation.end() if annotation else match.end())


def _literal(quoted: re.Match[str], key: str) -> tuple[int, int] | None:
    group = "value" if quoted["quote"] else "inner"
    short = len(quoted[group]) < 4 and not names.is_strong_name(key)
    return None if short or harmless(quoted[group]) else quoted.span(group)


def _unquoted(text: str, match: re.Match[str]) -> tuple[int, int] | None:
    key, mid = match["key"], match["mid"]
    if "=" in mid.replace("==", "").replace("!=", "") and ":" not in mid:
        before = text[max(0, match.start() - 80) : match.start()].rpartition("\n")[2]
        if key.lstrip("-").isupper() and mid == "=" and _LINE_START.match(before):
            found = _REST_OF_LINE.match(text, match.end())
            return None if found is None or harmless(found["value"]) else found.span("value")
        query = text[match.start() - 1 : match.start()] in ("?", "&")
        return _bare(text, match, anything=query or key.startswith("--"))
    if mid.strip().lstrip("\\\"'").startswith(":") and "=" not in mid and mid[-1:] == " ":
        span = _bare(text, match, anything=False)
        after = "" if span is None else text[span[1] : span[1] + 1]
        return span if after in ("", "\n", "\r", " ", ",", ";", "'", '"') else None
    return None


def _bare(text: str, match: re.Match[str], *, anything: bool) -> tuple[int, int] | None:
    found = _BARE.match(text, match.end())
    if found is None or harmless(found["value"]):
        return None
    value, span = found["value"], found.span("value")
    if value[0] in "=:" or (_LIKE_CODE.match(value) and names.is_secret_name(value)):
        return None  # a comparison, or password=args.password
    if anything or names.is_strong_name(match["key"]):
        return span
    # A token is also a piece of text: here it has to look like no word.
    return span if len(value) >= 16 or any(c.isdigit() for c in value[1:]) else None


def _hide_flags_and_headers(text: str) -> tuple[str, int]:
    count = 0

    def hidden(match: re.Match[str]) -> str:
        nonlocal count
        if not names.is_secret_name(match["key"]) or harmless(match["value"].strip("\"'")):
            return match[0]
        count += 1
        begin = match.start("value") - match.start()
        return match[0][:begin] + names.marker(match["key"])

    return _HEADER.sub(hidden, _FLAG.sub(hidden, text)), count
