"""Some hundred runs that do not change: their documents packed, their attributes as columns.

Documents as dicts take ten times the memory of their JSON, and the JSON ten times that of what is
kept here. Most questions (a search, an order, a data frame) need only a few columns; a document is
decoded when somebody looks at it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import zstandard

from ..jsonable import loads
from ..model import Document
from .attributes import MISSING, STATISTICS
from .column import Column, SparseColumn, TooLong

PLAIN = (
    *("id", "kind", "name", "number", "series", "experiment", "parent", "status"),
    *("started", "ended", "user", "host", "note", "replay", "grade", "star", "archived", "deleted"),
)
PARTS = {"error": ("type", "message"), "notebook": ("path",)}
# Documents that are packed together: to decode one costs some microseconds for all.
_TOGETHER = 16
_RARE = 1 / 8
_COMPRESS = zstandard.ZstdCompressor(level=1).compress


class Block:
    """Immutable; a run is known by its place in it."""

    def __init__(self, documents: Sequence[Document], lines: Sequence[bytes]) -> None:
        self.size = len(lines)
        self._frames = [
            _COMPRESS(b"\n".join(lines[i : i + _TOGETHER])) for i in range(0, self.size, _TOGETHER)
        ]
        self.columns: dict[str, Column | SparseColumn] = {}
        # Attributes that some of the runs have and that only the documents tell.
        self.elsewhere: set[str] = set()
        self._add_columns(documents)

    # -- documents ---------------------------------------------------------------------------------

    def line(self, place: int) -> bytes:
        """The JSON of one document."""
        return self._lines(place // _TOGETHER)[place % _TOGETHER]

    def lines(self) -> Iterator[bytes]:
        """The JSON of every document."""
        return chain.from_iterable(map(self._lines, range(len(self._frames))))

    def documents(self, places: Iterable[int] | None = None) -> Iterator[Document]:
        """The documents of these places, or all."""
        if places is None:
            yield from map(loads, self.lines())
            return
        last, lines = -1, [b""]
        for place in places:
            frame, row = divmod(place, _TOGETHER)
            if frame != last:
                last, lines = frame, self._lines(frame)
            yield loads(lines[row])

    def _lines(self, frame: int) -> list[bytes]:
        return zstandard.ZstdDecompressor().decompress(self._frames[frame]).split(b"\n")

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
        self._add_keys("params", [self._leaves(d["params"]) for d in documents])
        self._add_keys("tags", [d["tags"] for d in documents])
        summaries = [document["summary"] for document in documents]
        for statistic in STATISTICS:
            of_each = [{k: e[statistic] for k, e in s.items() if statistic in e} for s in summaries]
            self._add_keys(f"summary.{statistic}", of_each)

    def _leaves(self, params: dict[str, Any]) -> dict[str, Any]:
        """Params in one level; what two of them would be called is left to the document."""
        if dict not in set(map(type, params.values())):
            return params
        flat: dict[str, Any] = {}
        for key, value in leaves(params):
            if key in flat:
                self.elsewhere.add(f"params.{key}")
            flat[key] = value
        return flat

    def _add_keys(self, root: str, mappings: Sequence[Mapping[str, Any]]) -> None:
        counts = Counter(chain.from_iterable(mappings))
        few = self.size * _RARE
        rare: dict[str, tuple[list[int], list[Any]]] = {}
        for key, count in counts.items():
            if count >= few:
                self._add(f"{root}.{key}", [mapping.get(key, MISSING) for mapping in mappings])
            else:
                rare[key] = ([], [])
        for place, mapping in enumerate(mappings) if rare else ():
            for key in mapping:
                if key in rare:
                    rare[key][0].append(place)
                    rare[key][1].append(mapping[key])
        for key, (places, values) in rare.items():
            self._add(f"{root}.{key}", values, places)

    def _add(self, key: str, values: list[Any], places: list[int] | None = None) -> None:
        if key in self.elsewhere:
            return
        try:
            if places is None:
                self.columns[key] = Column(values)
            else:
                self.columns[key] = SparseColumn(places, values, self.size)
        except TooLong:
            self.elsewhere.add(key)


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested mappings by their keys joined with dots, as in ``model.flatten``."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def pick(document: Document, key: str) -> Any:
    """The value of a document that a column of this key has."""
    root, _, rest = key.partition(".")
    if root == "summary":
        statistic, _, name = rest.partition(".")
        return document["summary"].get(name, {}).get(statistic, MISSING)
    if root == "params":
        return dict(leaves(document["params"])).get(rest, MISSING)
    if root == "tags":
        return document["tags"].get(rest, MISSING)
    if rest:
        return (document.get(root) or {}).get(rest, MISSING)
    return document.get(root, MISSING)
