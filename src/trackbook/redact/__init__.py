"""Secrets out of text, before it reaches disk.

A value is hidden when its key names a secret (``api_key``, ``password``) or when its shape is one
(AWS, GitHub, OpenAI-like keys, JSON web tokens, private keys, URLs with credentials). In its place
stands ``<redacted:kind>``, where the kind is the key's name or that of the shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import assigned
from .names import is_secret_name, is_strong_name, marker
from .plain import code, text
from .python import source

__all__ = ["arguments", "code", "is_secret_name", "source", "text", "tree"]

_LEAST_NUMBER = 1000
_PAIRS = (("name", "value"), ("key", "value"), ("Name", "Value"), ("Key", "Value"))


def arguments(argv: Iterable[str]) -> tuple[list[str], int]:
    """A command line without its secrets (``--token ...`` too), and how many there were."""
    clean: list[str] = []
    count, flag = 0, ""
    for argument in argv:
        if flag and not argument.startswith("-") and not assigned.harmless(argument):
            shown, found = marker(flag), 1
        else:
            shown, found = text(argument)
        clean.append(shown)
        count += found
        named = argument.startswith("-") and "=" not in argument and is_secret_name(argument)
        flag = argument if named else ""
    return clean, count


def tree(value: Any, key: str = "") -> tuple[Any, int]:
    """Plain data with the secrets in its strings hidden, and how many there were."""
    if isinstance(value, str):
        if key and is_secret_name(key) and value and not assigned.harmless(value):
            return marker(key), 1
        return text(value)
    if isinstance(value, Mapping):
        return _mapping(value, key)
    if isinstance(value, list):
        items = [tree(v, key) for v in value]
        return [v for v, _ in items], sum(n for _, n in items)
    if type(value) is int and abs(value) >= _LEAST_NUMBER and key and is_strong_name(key):
        return marker(key), 1
    return value, 0


def _mapping(value: Mapping[Any, Any], key: str) -> tuple[dict[Any, Any], int]:
    clean: dict[Any, Any] = {}
    count = 0
    inherited = key if key and is_strong_name(key) else ""
    for name, item in value.items():
        shown, found = text(name) if isinstance(name, str) else (name, 0)
        own = str(shown)
        kept, hidden = tree(item, own if is_secret_name(own) or not inherited else inherited)
        clean[shown] = kept
        count += found + hidden
    for name, item in _PAIRS:
        told = value.get(name)
        if isinstance(told, str) and is_secret_name(told) and isinstance(value.get(item), str):
            clean[item], found = tree(value[item], told)
            count += found
    return clean, count
