"""The top level of a small YAML file, read as events: nothing is ever constructed from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ..errors import StoreError
from . import foreign

# Both parse without recursion; the composers behind them do not, and C has no recursion limit.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOTHING = ("", "null", "~")


def read(path: Path) -> dict[str, str | None]:
    """The scalars of the mapping at the top, as text (None for null); nested values are left out.

    Raises ``StoreError`` where the file is no whole YAML mapping.
    """
    data = foreign.read(path, foreign.META_LIMIT)
    try:
        return dict(_pairs(yaml.parse(data, Loader=_LOADER), path))
    except (yaml.YAMLError, ValueError) as problem:
        said = str(problem).splitlines()
        raise StoreError(f"{path} is no whole YAML: {said[0] if said else ''}") from problem


def _pairs(events: Iterator[Any], path: Path) -> Iterator[tuple[str, str | None]]:
    depth = 0
    key: str | None = None
    begun = value_next = False
    for event in events:
        scalar = isinstance(event, yaml.ScalarEvent)
        opening = isinstance(event, yaml.CollectionStartEvent)
        node = scalar or opening or isinstance(event, yaml.AliasEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth == 0 and node:
            if begun or not isinstance(event, yaml.MappingStartEvent):
                raise StoreError(f"{path} holds no YAML mapping")
            begun = True
        elif depth == 1 and node:
            if not value_next:
                key = event.value if scalar else None
            elif key is not None and scalar:
                plain = not event.style
                yield key, None if plain and event.value in _NOTHING else event.value
            value_next = not value_next
        depth += opening
    if not begun:
        raise StoreError(f"{path} is empty")
