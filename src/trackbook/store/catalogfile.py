"""``index/catalog.json``: the catalogue between two starts, as a file that plain TinyDB opens."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import blake3
import orjson

from .. import jsonable
from ..model import FORMAT, Document, is_run_id
from . import folder, limits, os_calls
from .runtable import RunTable

_OPENING = b'{"runs":'
# Writing takes at most this part of the time.
_SHARE = 1 / 30


class CatalogFile:
    """Reads and writes the file. It is written whole, by whoever finds it worth the time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changes = 0
        self._not_before = 0.0
        # Documents with what JSON cannot say (NaN); only these need the slow encoder.
        self._special: set[str] = set()

    def changed(self, count: int) -> None:
        """Note how many documents differ from the file."""
        self._changes += count

    def mark(self, run_id: str, document: Document) -> None:
        """Note a new document."""
        if jsonable.encode(document) == document:
            self._special.discard(run_id)
        else:
            self._special.add(run_id)

    def due(self, total: int, *, now: bool) -> bool:
        """Whether enough changed to write the file anew."""
        if not self._changes and self._path.exists():
            return False
        return now or time.monotonic() >= self._not_before

    def load(self, table: RunTable) -> dict[str, Any] | None:
        """Fill the table from the file; None where there is no whole file of ours."""
        try:
            with _without_collections():
                data = os_calls.read_plain(self._path, limits.CATALOGUE)
                return self._load(data, table)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            table.forget_all()
            return None

    def _load(self, data: bytes, table: RunTable) -> dict[str, Any] | None:
        content = _literally(data)
        (state,) = content["_catalog"].values()
        end = len(_OPENING) + state["length"]
        if state["format"] != FORMAT or state["digest"] != _digest(data[len(_OPENING) : end]):
            return None
        self._special = set(state["special"])
        # Raises where something is nested too deep for those who walk it by recursion.
        orjson.dumps(content["runs"], option=orjson.OPT_PASSTHROUGH_SUBCLASS)
        for written in content["runs"].values():
            document = jsonable.decode(written) if written["id"] in self._special else written
            if not is_run_id(document["id"]) or not folder.is_sound(document):
                raise ValueError(document["id"])
            table.put(document)
        return dict(state)

    def save(self, table: RunTable, state: dict[str, Any]) -> None:
        """Write the file where the store can be written; otherwise try again much later."""
        began = time.monotonic()
        runs = self._encode(table)
        note = {
            **state,
            "format": FORMAT,
            "length": len(runs),
            "digest": _digest(runs),
            "special": sorted(self._special & set(table.ids())),
        }
        data = _OPENING + runs + b',"_catalog":{"1":' + orjson.dumps(note) + b"}}"
        try:
            # In a folder that other parts made: a reader alone makes none where it is not wanted.
            self._path.parent.mkdir(exist_ok=True)
            os_calls.replace(self._path, data, durable=False)
        except OSError:
            self._not_before = began + 60.0
            return
        self._changes = 0
        self._not_before = time.monotonic() + (time.monotonic() - began) / _SHARE

    def _encode(self, table: RunTable) -> bytes:
        special = self._special
        rows = {
            row: jsonable.encode(document) if document["id"] in special else document
            for row, document in table.rows.items()
        }
        try:
            return orjson.dumps(rows)
        except TypeError:  # lone surrogates
            return jsonable.dumps(table.rows)


def _literally(data: bytes) -> Any:
    """JSON as it stands, without the ``$`` forms undone."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        import json

        return json.loads(data)


def _digest(data: bytes) -> str:
    return str(blake3.blake3(data).hexdigest(length=16))


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """A third of the time to load many documents goes to a collector that finds nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
