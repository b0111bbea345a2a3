"""The runs of a catalogue at one moment: their attributes as columns, their documents on demand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, SupportsIndex, overload

from ..model import Document
from . import attributes
from .attributes import MISSING, STATISTICS, Getter
from .block import PLAIN, Block, flatten, pick

_FULL_DURATION = ("ended", "started", "status")


class Rows:
    """Immutable; a run is known by its place. Those that have gone since keep theirs."""

    def __init__(
        self, blocks: Sequence[Block], recent: Sequence[Document], alive: Callable[[], list[int]]
    ) -> None:
        self.blocks = tuple(blocks)
        self.recent = tuple(recent)
        self._starts = list(accumulate((block.size for block in blocks), initial=0))
        self._alive = alive

    @cached_property
    def places(self) -> list[int]:
        """The places of all runs."""
        return self._alive()

    @cached_property
    def kept(self) -> list[int]:
        """The places of the runs that are not deleted."""
        deleted = self.values("deleted")
        return [place for place in self.places if not deleted[place]]

    @cached_property
    def shown(self) -> list[int]:
        """The places of the runs that are neither deleted nor archived, nor parts of others."""
        archived, kind = self.values("archived"), self.values("kind")
        return [p for p in self.kept if not archived[p] and kind[p] != "worker"]

    # -- documents ---------------------------------------------------------------------------------

    def document(self, place: int) -> Document:
        """One document."""
        return next(self.documents([place]))

    def documents(self, places: Iterable[int] | None = None) -> Iterator[Document]:
        """The documents of these places in their order, or those of all runs."""
        end = self._starts[-1]
        at, wanted = -1, list[int]()
        for place in self.places if places is None else places:
            block = bisect_right(self._starts, place) - 1 if place < end else -1
            if block != at and wanted:
                yield from self.blocks[at].documents(wanted)
                wanted = []
            at = block
            if block < 0:
                yield self.recent[place - end]
            else:
                wanted.append(place - self._starts[block])
        if wanted:
            yield from self.blocks[at].documents(wanted)

    def extracts(self, keys: Sequence[str]) -> Iterator[Document]:
        """So much of every run's document, without decoding it."""
        values = [self.values(key) for key in keys]
        for place in self.places:
            yield {key: of_each[place] for key, of_each in zip(keys, values, strict=True)}

    def lines(self) -> Iterator[bytes]:
        """The JSON of each packed run's document; the recent ones have none yet."""
        kept, end = iter(self.places), self._starts[-1]
        wanted = next(kept, end)
        for start, block in zip(self._starts, self.blocks, strict=False):
            for place, line in enumerate(block.lines(), start):
                if place == wanted:
                    yield line
                    wanted = next(kept, end)

    # -- attributes --------------------------------------------------------------------------------

    def keys(self, root: str) -> list[str]:
        """The names that any run has below ``params``, ``tags`` or ``summary.last``."""
        start = len(root) + 1
        found: dict[str, None] = {}
        for block in self.blocks:
            found.update((k, None) for k in block.columns if k.startswith(f"{root}."))
            found.update((k, None) for k in block.elsewhere if k.startswith(f"{root}."))
        names = dict.fromkeys(key[start:] for key in found)
        for document in self.recent:
            names.update(dict.fromkeys(_names(document, root)))
        return list(names)

    def values(self, key: str) -> list[Any]:
        """One attribute of the runs at all places."""
        values: list[Any] = []
        for block in self.blocks:
            values += block.values(key)
        return values + self.recent_values(key)

    def recent_values(self, key: str) -> list[Any]:
        """One attribute of the runs that are not packed, which come after the others."""
        return [pick(document, key) for document in self.recent]

    def getter(self, name: str, parts: Sequence[str] = ()) -> Getter:
        """What gives an attribute of the run at a place, as ``attributes.getter`` of its document.

        Raises ``QueryError`` for an attribute that no run has.
        """
        of_document = attributes.getter(name, parts)
        values = self._attribute(name, list(parts))
        if values is None:
            values = self._ask_documents(of_document)
        return values.__getitem__

    def _ask_documents(self, of_document: Getter) -> list[Any]:
        values = [MISSING] * (self._starts[-1] + len(self.recent))
        for place, document in zip(self.places, self.documents(), strict=True):
            values[place] = of_document(document)
        return values

    def _attribute(self, name: str, parts: list[str]) -> list[Any] | None:
        """An attribute from columns; None where only the documents tell."""
        if name in attributes.TREES:
            return self._metric(parts) if name == "metrics" else self._leaf(name, parts)
        if name == "notebook" and parts:
            return self.values("notebook.path")
        if name == "duration":
            ended, started, status = (self.values(key) for key in _FULL_DURATION)
            return [
                attributes.duration({"ended": e, "started": s, "status": t})
                for e, s, t in zip(ended, started, status, strict=True)
            ]
        if name not in PLAIN:
            return None
        default: Any = False if name in ("star", "archived") else MISSING
        return [default if v is None or v is MISSING else v for v in self.values(name)]

    def _leaf(self, root: str, parts: list[str]) -> list[Any] | None:
        path = ".".join(parts)
        if not parts or any(f"{root}.{path}" in block.elsewhere for block in self.blocks):
            return None
        above = {".".join(parts[:end]) for end in range(1, len(parts))}
        # A mapping, or something in one: which of several paths is meant depends on the run.
        if any(key.startswith(f"{path}.") or key in above for key in self.keys(root)):
            return None
        values = self.values(f"{root}.{path}")
        recent = len(values) - len(self.recent)
        getter = attributes.getter(root, parts)
        values[recent:] = [getter(document) for document in self.recent]
        return values

    def _metric(self, parts: list[str]) -> list[Any] | None:
        if not parts:
            return None
        whole = ".".join(parts)
        last = self.values(f"summary.last.{whole}")
        key, _, statistic = whole.rpartition(".")
        if statistic not in STATISTICS or not key:
            return last
        of_key = self.values(f"summary.{statistic}.{key}")
        return [b if a is MISSING else a for a, b in zip(last, of_key, strict=True)]


def _names(document: Document, root: str) -> list[str]:
    if root == "params":
        flat: dict[str, Any] = {}
        flatten(document["params"], "", flat)
        return list(flat)
    return list(document["tags"] if root == "tags" else document["summary"])


class Found(Sequence[Document]):
    """The documents that a search found, in order; each is decoded when it is looked at."""

    def __init__(self, rows: Rows, places: list[int]) -> None:
        self.rows = rows
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Found: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Document | Found:
        if isinstance(index, slice):
            return Found(self.rows, self.places[index])
        return self.rows.document(self.places[index])

    def __iter__(self) -> Iterator[Document]:
        return self.rows.documents(self.places)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} documents>"

    def ids(self) -> list[str]:
        """The run ids, without decoding a document."""
        return self.values("id")

    def values(self, key: str) -> list[Any]:
        """One attribute of each document by its column's key, ``MISSING`` where there is none."""
        values = self.rows.values(key)
        return [values[place] for place in self.places]
