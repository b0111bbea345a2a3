"""``index/catalog.json``: the catalogue between two starts, as a file that plain TinyDB opens.

One line a run, so that it is read and written a part at a time.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import blake3
import orjson

from ..jsonable import decode, dumps, loads
from ..model import FORMAT, Document, is_run_id
from . import limits, os_calls, shape
from .runtable import PACKED, RunTable

_OPENING = b'{"runs":'
_FIRST = _OPENING + b"{\n"
_CLOSING = b"\n}"
_STATE = b',"_catalog":{"1":'
# So few brackets cannot be nested too deep.
_FLAT = 100
# Writing takes at most this part of the time.
_SHARE = 1 / 30


class CatalogFile:
    """Reads and writes the file. It is written whole, by whoever finds it worth the time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changes = 0
        self._not_before = 0.0

    def changed(self, count: int) -> None:
        """Note how many documents differ from the file."""
        self._changes += count

    def due(self, *, now: bool) -> bool:
        """Whether enough changed to write the file anew."""
        if not self._changes and self._path.exists():
            return False
        return now or time.monotonic() >= self._not_before

    def load(self, table: RunTable) -> dict[str, Any] | None:
        """Fill the table from the file; None where there is no whole file of ours."""
        try:
            with _without_collections(), os_calls.open_plain(self._path) as file:
                if file.seek(0, os.SEEK_END) > limits.CATALOGUE:
                    return None
                file.seek(0)
                return _read(file, table)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            table.forget_all()
            return None

    def save(self, table: RunTable, state: dict[str, Any]) -> None:
        """Write the file where the store can be written; otherwise try again much later."""
        began = time.monotonic()
        try:
            # In a folder that other parts made: a reader alone makes none where it is not wanted.
            self._path.parent.mkdir(exist_ok=True)
            os_calls.replace_in_parts(self._path, _content(table, state))
        except OSError:
            self._not_before = began + 60.0
            return
        self._changes = 0
        self._not_before = time.monotonic() + (time.monotonic() - began) / _SHARE


def _content(table: RunTable, state: dict[str, Any]) -> Iterator[bytes]:
    """The file in parts of some hundred lines."""
    rows = table.rows
    lines = chain(rows.lines(), map(dumps, rows.recent))
    numbered = (b'"%d":%b' % (number, line) for number, line in enumerate(lines, 1))
    digest, length = blake3.blake3(), 0
    yield _OPENING
    start = b"{\n"
    while part := b",\n".join(islice(numbered, PACKED)):
        digest.update(start + part)
        length += len(start) + len(part)
        yield start + part
        start = b",\n"
    end = _CLOSING if length else b"{\n}"
    digest.update(end)
    note = {
        **state,
        "format": FORMAT,
        "length": length + len(end),
        "digest": str(digest.hexdigest(length=16)),
    }
    yield end + _STATE + orjson.dumps(note) + b"}}"


def _read(file: IO[bytes], table: RunTable) -> dict[str, Any] | None:
    if file.read(len(_FIRST)) != _FIRST:
        return None
    digest = blake3.blake3(b"{\n")
    last = b""
    while lines := list(islice(file, PACKED)):
        if lines[-1].startswith(b"}"):
            last = lines.pop()
        text = b"".join(lines)
        digest.update(text)
        _add(lines, table)
    digest.update(b"}")
    (state,) = orjson.loads(b'{"' + last.partition(b',"')[2])["_catalog"].values()
    if state["format"] != FORMAT or state["digest"] != digest.hexdigest(length=16):
        table.forget_all()
        return None
    return dict(state)


def _add(lines: list[bytes], table: RunTable) -> None:
    if not lines:
        return
    kept = [line[line.index(b":") + 1 :].rstrip(b",\n") for line in lines]
    documents = _parse(kept)
    for document, line in zip(documents, kept, strict=True):
        if line.count(b"{") + line.count(b"[") > _FLAT:
            shape.check_depth(document)
    if not all(is_run_id(d["id"]) for d in documents) or not shape.all_sound(documents):
        raise ValueError("a run of the catalogue is none")
    table.add_packed(documents, kept)


def _parse(lines: list[bytes]) -> list[Document]:
    try:
        documents = orjson.loads(b"[" + b",".join(lines) + b"]")
    except orjson.JSONDecodeError:  # lone surrogates
        return [loads(line) for line in lines]
    for place, line in enumerate(lines):
        if b'"$' in line:
            documents[place] = decode(documents[place])
    return list(documents)


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
