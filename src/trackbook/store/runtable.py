"""Documents in memory as a TinyDB table, for its query language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tinydb.storages import MemoryStorage
from tinydb.table import Table

from ..errors import StoreError
from ..model import Document


class RunTable(Table):
    """A TinyDB table over documents in memory; it is searched, never written through."""

    # Its results would outlive a refresh.
    default_query_cache_capacity = 0

    def __init__(self) -> None:
        storage = MemoryStorage()  # type: ignore[no-untyped-call]
        super().__init__(storage, "runs", cache_size=0)
        self.rows: dict[str, Document] = {}
        self._row_of: dict[str, str] = {}
        self._last = 0

    def _read_table(self) -> dict[str, Document]:  # type: ignore[override]
        return self.rows

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        raise StoreError("the catalogue is derived from the runs; change a run with edit()")

    def put(self, document: Document) -> None:
        """Take in a document, in place of the one with its id."""
        row = self._row_of.get(document["id"])
        if row is None:
            self._last += 1
            row = self._row_of[document["id"]] = str(self._last)
        self.rows[row] = document

    def drop(self, run_id: str) -> None:
        """Forget a run."""
        row = self._row_of.pop(run_id, None)
        if row is not None:
            del self.rows[row]

    def forget_all(self) -> None:
        """Forget every run."""
        self.rows.clear()
        self._row_of.clear()

    def by_id(self, run_id: str) -> Document | None:
        """The document of a run."""
        row = self._row_of.get(run_id)
        return None if row is None else self.rows[row]

    def ids(self) -> Iterable[str]:
        """The ids of all runs."""
        return self._row_of.keys()
