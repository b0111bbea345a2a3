"""The line of ``%%track``: what it may say, parsed once."""

from __future__ import annotations

import argparse
import ast
import shlex
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

from ..errors import InvalidValue

USAGE = (
    "%%track [NAME] [-e EXPERIMENT] [-p K=V]... [-t TAG[=V]]... [-n NOTE] "
    "[--params a,b] [--metrics a,b] [--no-auto] [--quiet]"
)


@dataclass(frozen=True)
class Options:
    """What a ``%%track`` line asks for."""

    name: str | None = None
    experiment: str | None = None
    given: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    note: str | None = None
    params: tuple[str, ...] | None = None
    metrics: tuple[str, ...] | None = None
    auto: bool = True
    quiet: bool = False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidValue(f"%%track: {message}; usage: {USAGE}")


@lru_cache(maxsize=64)
def parse(line: str) -> Options:
    """The options of a ``%%track`` line after its first word; ``InvalidValue`` where bad."""
    parser = _Parser(prog="%%track", add_help=False, allow_abbrev=False)
    parser.add_argument("name", nargs="?")
    parser.add_argument("-e", "--experiment")
    parser.add_argument("-p", "--param", action="append", default=[])
    parser.add_argument("-t", "--tag", action="append", default=[])
    parser.add_argument("-n", "--note")
    parser.add_argument("--params")
    parser.add_argument("--metrics")
    parser.add_argument("--no-auto", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    try:
        words = shlex.split(line)
    except ValueError as problem:
        raise InvalidValue(f"%%track: {problem}; usage: {USAGE}") from None
    given = parser.parse_args(words)
    return Options(
        name=given.name,
        experiment=given.experiment,
        given=dict(_assignment(text) for text in given.param),
        tags=dict(_tag(text) for text in given.tag),
        note=given.note,
        params=_names(given.params),
        metrics=_names(given.metrics),
        auto=not given.no_auto,
        quiet=given.quiet,
    )


def literal(text: str) -> Any:
    """A Python literal as its value, any other word as text: ``8`` is 8, ``rbf`` is "rbf"."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _assignment(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise InvalidValue(f"%%track: -p takes K=V, not {text!r}; usage: {USAGE}")
    return key, literal(value)


def _tag(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    if not key:
        raise InvalidValue(f"%%track: -t takes TAG or TAG=VALUE, not {text!r}; usage: {USAGE}")
    return key, value


def _names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(name.strip() for name in text.split(",") if name.strip())
