"""The documents of a store in memory as a TinyDB table, for its query language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from tinydb.storages import MemoryStorage
from tinydb.table import Table

from ..errors import StoreError
from ..jsonable import dumps
from ..model import Document
from .block import Block
from .rows import Rows

# So many runs that changed of late are kept as they are; then they are packed.
RECENT = 512
# So many are packed at a time where there are more.
PACKED = 1024


class RunTable(Table):
    """A TinyDB table over packed documents; it is searched, never written through."""

    # Its results would outlive a refresh.
    default_query_cache_capacity = 0

    def __init__(self) -> None:
        storage = MemoryStorage()  # type: ignore[no-untyped-call]
        super().__init__(storage, "runs", cache_size=0)
        self.forget_all()

    def forget_all(self) -> None:
        """Forget every run."""
        self._blocks: list[Block] = []
        # A one for each packed run that is as it was when it was packed.
        self._valid = bytearray()
        self._recent: dict[str, Document] = {}
        # Day -> run id -> place among the packed ones; -1 for a recent one.
        self._places: dict[str, dict[str, int]] = {}
        self._rows: Rows | None = None

    # -- changing ----------------------------------------------------------------------------------

    def put(self, document: Document) -> None:
        """Take in a document, in place of the one with its id."""
        run_id = document["id"]
        self._unpack(run_id)
        self._places.setdefault(run_id[:8], {})[run_id] = -1
        self._recent[run_id] = document
        if len(self._recent) >= RECENT:
            self._pack()

    def add_packed(self, documents: Sequence[Document], lines: Sequence[bytes]) -> None:
        """Take in runs that are not here yet, with the JSON of their documents."""
        start = len(self._valid)
        self._blocks.append(Block(documents, lines))
        self._valid += b"\1" * len(documents)
        for place, document in enumerate(documents, start):
            self._places.setdefault(document["id"][:8], {})[document["id"]] = place
        self._rows = None

    def drop(self, run_id: str) -> None:
        """Forget a run."""
        self._unpack(run_id)
        self._recent.pop(run_id, None)
        of_day = self._places.get(run_id[:8], {})
        of_day.pop(run_id, None)
        if not of_day:
            self._places.pop(run_id[:8], None)

    def _unpack(self, run_id: str) -> None:
        self._rows = None
        place = self._places.get(run_id[:8], {}).get(run_id, -1)
        if place >= 0:
            self._valid[place] = 0

    def _pack(self) -> None:
        recent = list(self._recent.values())
        self._recent = {}
        self.add_packed(recent, [dumps(document) for document in recent])
        if self._valid.count(0) > len(self._valid) // 2:
            self._pack_anew()

    def _pack_anew(self) -> None:
        rows = self.rows
        both = zip(rows.documents(), rows.lines(), strict=True)
        self.forget_all()
        while batch := list(islice(both, PACKED)):
            documents, lines = zip(*batch, strict=True)
            self.add_packed(documents, lines)

    # -- reading -----------------------------------------------------------------------------------

    @property
    def rows(self) -> Rows:
        """The runs as they are now; it stays as it is when the table changes."""
        if self._rows is None:
            recent = list(self._recent.values())
            valid = bytes(self._valid)
            self._rows = Rows(self._blocks, recent, lambda: _alive(valid, len(recent)))
        return self._rows

    def by_id(self, run_id: str) -> Document | None:
        """The document of a run."""
        place = self._places.get(run_id[:8], {}).get(run_id)
        if place is None:
            return None
        return self._recent[run_id] if place < 0 else self.rows.document(place)

    def has(self, run_id: str) -> bool:
        """Whether there is such a run, deleted or not."""
        return run_id in self._places.get(run_id[:8], {})

    def ids(self) -> Iterable[str]:
        """The ids of all runs."""
        return [run_id for of_day in self._places.values() for run_id in of_day]

    def of_day(self, day: str) -> Iterable[str]:
        """The ids of a day's runs."""
        return self._places.get(day, {}).keys()

    def __len__(self) -> int:
        return sum(map(len, self._places.values()))

    # -- as TinyDB wants it ------------------------------------------------------------------------

    def _read_table(self) -> Mapping[str, Document]:  # type: ignore[override]
        return _ByNumber(self.rows)

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        raise StoreError("the catalogue is derived from the runs; change a run with edit()")


class _ByNumber(Mapping[str, Document]):
    """Documents by TinyDB's number of them, from 1."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows.places)

    def __iter__(self) -> Iterator[str]:
        return map(str, range(1, len(self) + 1))

    def __getitem__(self, number: str) -> Document:
        try:
            place = self._rows.places[int(number) - 1]
        except (IndexError, ValueError):
            raise KeyError(number) from None
        return self._rows.document(place)


def _alive(valid: bytes, recent: int) -> list[int]:
    packed = [place for place, one in enumerate(valid) if one]
    return [*packed, *range(len(valid), len(valid) + recent)]
