"""Tables as files: CSV, JSON, JSON lines and Parquet, each written chunk by chunk."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click

from ..jsonable import dumps
from ..views import valuetypes

if TYPE_CHECKING:
    import pyarrow as pa

Rows = list[dict[str, Any]]
_MOMENTS = ("started", "time")


@dataclass(frozen=True)
class Table:
    """Records with the names of all their fields; the chunks can be read once."""

    fields: Sequence[str]
    chunks: Iterator[Rows]


def write_csv(sink: IO[bytes], table: Table) -> None:
    """A head and one line a record; what is missing is empty, lists and mappings are JSON."""
    # A lone surrogate has no bytes in UTF-8, and other programs must be able to read the file.
    text = io.TextIOWrapper(sink, "utf-8", errors="backslashreplace", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.fields)
    for rows in table.chunks:
        writer.writerows([_field(row.get(key)) for key in table.fields] for row in rows)
    text.detach()


def _field(value: Any) -> Any:
    if isinstance(value, list | dict):
        return dumps(value).decode("utf-8")
    return "" if value is None else value


def write_json(sink: IO[bytes], table: Table) -> None:
    """A list with one object a record, each on a line of its own."""
    sink.write(b"[")
    separator = b"\n"
    for rows in table.chunks:
        for row in rows:
            sink.write(separator + dumps(row))
            separator = b",\n"
    sink.write(b"]\n" if separator == b"\n" else b"\n]\n")


def write_jsonl(sink: IO[bytes], table: Table) -> None:
    """One object a line."""
    for rows in table.chunks:
        sink.write(b"".join(dumps(row) + b"\n" for row in rows))


def write_parquet(sink: IO[bytes], table: Table) -> None:
    """Typed columns: times are in UTC, what shares no type is JSON text."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise click.ClickException(
            'Parquet is written by pyarrow: pip install "trackbook[parquet]"'
        ) from None
    if "key" in table.fields:  # points: one type a field, so chunk by chunk
        chunks, kinds = _gathered(table.chunks), dict(zip(table.fields, _POINT, strict=True))
    else:
        rows = list(itertools.chain.from_iterable(table.chunks))
        chunks = iter([rows])
        kinds = {key: _kind(key, rows) for key in table.fields}
    schema = pa.schema([(_text(key), _arrow(pa, kind)) for key, kind in kinds.items()])
    with parquet.ParquetWriter(sink, schema) as writer:
        for rows in chunks:
            arrays = [_array(pa, [row.get(key) for row in rows], kinds[key]) for key in kinds]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


_POINT = ("str", "str", "int", "moment", "float")
_ROW_GROUP = 100_000


def _gathered(chunks: Iterator[Rows]) -> Iterator[Rows]:
    """Chunks of a good size for Parquet, which pays for each."""
    waiting: Rows = []
    for rows in chunks:
        waiting += rows
        if len(waiting) >= _ROW_GROUP:
            yield waiting
            waiting = []
    yield waiting


def _kind(key: str, rows: Rows) -> str:
    if key in _MOMENTS:
        return "moment"
    if key == "duration" or key.startswith("metrics."):
        return "float"
    return valuetypes.shared([row.get(key) for row in rows]) or "json"


def _arrow(pa: Any, kind: str) -> pa.DataType:
    made = {"bool": pa.bool_, "int": pa.int64, "float": pa.float64}
    if kind == "moment":
        return pa.timestamp("us", tz="UTC")
    return made.get(kind, pa.string)()


def _array(pa: Any, values: list[Any], kind: str) -> pa.Array:
    if kind == "moment":
        values = [round(value * 1e6) for value in values]
    elif kind == "float":
        values = [None if value is None else float(value) for value in values]
    elif kind in ("str", "json"):
        values = [None if value is None else _text(value) for value in values]
    return pa.array(values, type=_arrow(pa, kind))


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else dumps(value).decode("utf-8")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


WRITERS: dict[str, Callable[[IO[bytes], Table], None]] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
}
"""Format to what writes it."""
