"""Some hundred runs that do not change: their documents packed, their attributes as columns.

Documents as dicts take ten times the memory of their JSON, and the JSON ten times that of what is
kept here. Most questions (a search, an order, a data frame) need only a few columns; a document is
decoded when somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import zstandard

from ..jsonable import loads
from ..model import Document
from .attributes import MISSING, STATISTICS
from .column import Column, SparseColumn, TooLong

PLAIN = (
    *("id", "kind", "name", "number", "series", "experiment", "parent", "status"),
    *("started", "ended", "user", "host", "note", "replay", "grade", "star", "archived", "deleted"),
    "headline",
)
PARTS = {
    "error": ("type", "message"),
    "notebook": ("path",),
    "cell": ("id",),
    "death": ("cause",),
    "git": ("branch", "commit"),
}
# What the headline was in the attempt before.
BEFORE = "changed.headline."
# Documents that are packed together: to decode one costs some microseconds for all.
_TOGETHER = 16
_RARE = 1 / 8
_COMPRESSOR = zstandard.ZstdCompressor(level=1)


class Block:
    """Immutable; a run is known by its place in it."""

    def __init__(self, documents: Sequence[Document], lines: Sequence[bytes]) -> None:
        self.size = len(lines)
        self._frames = [
            _compressed(lines[i : i + _TOGETHER]) for i in range(0, self.size, _TOGETHER)
        ]
        self.columns: dict[str, Column | SparseColumn] = {}
        # Attributes that some of the runs have and that only the documents tell.
        self.elsewhere: set[str] = set()
        self._add_columns(documents)

    # -- documents ---------------------------------------------------------------------------------

    def lines(self) -> Iterator[bytes]:
        """The JSON of every document."""
        unpack = zstandard.ZstdDecompressor().decompress
        for frame in self._frames:
            yield from unpack(frame).split(b"\n")

    def documents(self, places: Iterable[int] | None = None) -> Iterator[Document]:
        """The documents of these places, or all."""
        if places is None:
            yield from map(loads, self.lines())
            return
        last, lines = -1, [b""]
        unpack = zstandard.ZstdDecompressor().decompress
        for place in places:
            frame, row = divmod(place, _TOGETHER)
            if frame != last:
                last, lines = frame, unpack(self._frames[frame]).split(b"\n")
            yield loads(lines[row])

    # -- attributes --------------------------------------------------------------------------------

    def values(self, key: str) -> list[Any]:
        """One attribute of every run, ``MISSING`` where there is none."""
        column = self.columns.get(key)
        if column is not None:
            return column.values()
        if key in self.elsewhere:
            return [pick(document, key) for document in self.documents()]
        return [MISSING] * self.size

    def _add_columns(self, documents: Sequence[Document]) -> None:
        for key in PLAIN:
            self._add(key, [document.get(key, MISSING) for document in documents])
        for key, parts in PARTS.items():
            inner = [document.get(key) or {} for document in documents]
            for part in parts:
                self._add(f"{key}.{part}", [mapping.get(part, MISSING) for mapping in inner])
        for part in ("key", "previous"):
            self._add(BEFORE + part, [_before(document, part) for document in documents])
        self._add_keys("params", [self._leaves(d["params"]) for d in documents])
        self._add_keys("tags", [d["tags"] for d in documents])
        for key, places, entries in _by_key([document["summary"] for document in documents]):
            for statistic in STATISTICS:
                values = [entry.get(statistic, MISSING) for entry in entries]
                self._add(f"summary.{statistic}.{key}", values, places)

    def _leaves(self, params: dict[str, Any]) -> dict[str, Any]:
        """Params in one level; what two of them would be called is left to the document."""
        if dict not in set(map(type, params.values())):
            return params
        flat: dict[str, Any] = {}
        twice = flatten(params, "", flat)
        self.elsewhere.update(f"params.{key}" for key in twice)
        return flat

    def _add_keys(self, root: str, mappings: Sequence[dict[str, Any]]) -> None:
        for key, places, values in _by_key(mappings):
            self._add(f"{root}.{key}", values, places)

    def _add(self, key: str, values: Sequence[Any], places: list[int] | None = None) -> None:
        if key in self.elsewhere:
            return
        try:
            if places is None:
                self.columns[key] = Column(values)
            elif len(places) < self.size * _RARE:
                self.columns[key] = SparseColumn(places, values, self.size)
            else:
                spread: list[Any] = [MISSING] * self.size
                for place, value in zip(places, values, strict=True):
                    spread[place] = value
                self.columns[key] = Column(spread)
        except TooLong:
            self.elsewhere.add(key)


def _by_key(
    mappings: Sequence[dict[str, Any]],
) -> Iterator[tuple[str, list[int] | None, Sequence[Any]]]:
    """Key, places and values of what is in mappings; no places where each has the key."""
    keys = list(mappings[0]) if mappings else []
    if len(keys) > 1 and all(map(dict(mappings[0]).keys().__eq__, map(dict.keys, mappings))):
        columns = zip(*map(itemgetter(*keys), mappings), strict=True)
        yield from ((key, None, values) for key, values in zip(keys, columns, strict=True))
        return
    found: dict[str, tuple[list[int], list[Any]]] = {}
    for place, mapping in enumerate(mappings):
        for key, value in mapping.items():
            of_key = found.get(key)
            if of_key is None:
                of_key = found[key] = ([], [])
            of_key[0].append(place)
            of_key[1].append(value)
    for key, (places, values) in found.items():
        yield key, places if len(places) < len(mappings) else None, values


def _compressed(lines: Sequence[bytes]) -> bytes:
    # Copied, because what the compressor gives holds on to room for the worst case.
    return bytes(memoryview(_COMPRESSOR.compress(b"\n".join(lines))))


def flatten(tree: dict[str, Any], prefix: str, flat: dict[str, Any]) -> list[str]:
    """Add nested values by their keys joined with dots; returns the keys that were there before."""
    twice = []
    for key, value in tree.items():
        if type(value) is dict and value:
            twice += flatten(value, f"{prefix}{key}.", flat)
            continue
        name = prefix + key
        if name in flat:
            twice.append(name)
        flat[name] = value
    return twice


def _before(document: Document, part: str) -> Any:
    changed = document.get("changed")
    headline = changed.get("headline") if isinstance(changed, dict) else None
    return headline.get(part, MISSING) if isinstance(headline, dict) else MISSING


def pick(document: Document, key: str) -> Any:
    """The value of a document that a column of this key has."""
    if key.startswith(BEFORE):
        return _before(document, key.removeprefix(BEFORE))
    root, _, rest = key.partition(".")
    if root == "summary":
        statistic, _, name = rest.partition(".")
        return document["summary"].get(name, {}).get(statistic, MISSING)
    if root == "params":
        flat: dict[str, Any] = {}
        flatten(document["params"], "", flat)
        return flat.get(rest, MISSING)
    if root == "tags":
        return document["tags"].get(rest, MISSING)
    if rest:
        return (document.get(root) or {}).get(rest, MISSING)
    return document.get(root, MISSING)
