"""Secrets out of text of any kind."""

from __future__ import annotations

from collections.abc import Callable

from . import assigned, shapes

_MOST = 8


def text(plain: str) -> tuple[str, int]:
    """Any text (output, log, note, command line) without its secrets, and how many there were."""
    return settled(lambda rest: _hide(rest, bare=True), plain)


def code(fragment: str) -> tuple[str, int]:
    """Code in any language, or a piece of it, without its secrets, and how many there were.

    Only literals count: ``password=pw`` passes a variable on. Lines stay lines. ``source`` knows
    Python better.
    """
    return settled(lambda rest: _hide(rest, bare=False), fragment)


def settled(hide: Callable[[str], tuple[str, int]], plain: str) -> tuple[str, int]:
    """What is left when nothing more is found: a secret may hide where another one began."""
    clean, count = hide(plain)
    found = count
    for _ in range(_MOST):
        if not found:
            break
        clean, found = hide(clean)
        count += found
    return clean, count


def _hide(plain: str, *, bare: bool) -> tuple[str, int]:
    clean, count = shapes.hide(plain)
    clean, found = assigned.hide(clean, bare=bare)
    return clean, count + found
