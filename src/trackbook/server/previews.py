"""The beginning of an artifact as data that a front end can draw: no code of it is ever run."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from .. import formats
from ..errors import InvalidValue, StoreError
from ..jsonable import loads
from ..store.os_calls import open_plain
from ..views import drawings

_ROWS = 200
_COLUMNS = 100
_CELL = 200
_TEXT = 200_000
_BEGINNING = 4_000_000
_DRAWN = 4_000_000
_PARQUET = 256_000_000
_PICTURES = ("png", "jpg", "jpeg", "gif", "webp", "bmp", "avif", "svg")
_TEXTS = ("txt", "md", "py", "log", "yaml", "yml", "toml", "ini", "cfg", "xml", "jsonl", "sh", "r")

Preview = dict[str, Any]


def preview(path: Path, line: dict[str, Any]) -> Preview:
    """``kind`` and what there is to show: image, html, chart, table, json, text or nothing."""
    name, mime = str(line["name"]), str(line.get("type") or "")
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    if suffix in _PICTURES or mime.startswith("image/"):
        return {"kind": "image"}
    if suffix in ("html", "htm") or mime == "text/html":
        return {"kind": "html"}
    if suffix == "parquet":
        return _parquet(path)
    if suffix in ("csv", "tsv"):
        return _picture(name, path) or _table(path, "\t" if suffix == "tsv" else ",")
    if suffix == "json" or mime.endswith("json"):
        return _json(path, name, mime)
    if suffix in _TEXTS or mime.startswith("text/"):
        return _text(path)
    return {"kind": "nothing"}


def beginning(path: Path, most: int) -> bytes:
    """The first bytes of a file, one more than wanted where there are more."""
    try:
        with open_plain(path) as file:
            return file.read(most + 1)
    except OSError as problem:
        raise StoreError(f"the artifact cannot be read: {problem.strerror}") from problem


def _text(path: Path) -> Preview:
    data = beginning(path, _TEXT)
    if b"\0" in data[:4096]:
        return {"kind": "nothing"}
    text = data[:_TEXT].decode("utf-8", "replace")
    return {"kind": "text", "text": text, "more": len(data) > _TEXT}


def _json(path: Path, name: str, mime: str) -> Preview:
    data = beginning(path, _DRAWN)
    if len(data) > _DRAWN:
        return _text(path)
    if "vegalite" in mime:
        try:
            spec = loads(data)
        except ValueError:
            return _text(path)
        return {"kind": "chart", "spec": spec} if isinstance(spec, dict) else _text(path)
    drawn = _picture(name, path)
    return drawn or {**_text(path), "kind": "json", "more": len(data) > _TEXT}


def _picture(name: str, path: Path) -> Preview | None:
    """A confusion matrix, a curve or importances, where the content is one of them."""
    data = beginning(path, _TEXT)
    if len(data) > _TEXT:
        return None
    try:
        return {"kind": "chart", "spec": drawings.draw(name, data)}
    except (InvalidValue, csv.Error, AttributeError):
        return None


def _table(path: Path, mark: str) -> Preview:
    data = beginning(path, _BEGINNING)
    lines = io.StringIO(data[:_BEGINNING].decode("utf-8-sig", "replace"), newline="")
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=mark):
            rows.append(row)
            if len(rows) > _ROWS + 1:
                break
    except csv.Error:
        return _text(path)
    if not rows:
        return {"kind": "text", "text": "", "more": False}
    more = len(rows) > _ROWS + 1 or len(data) > _BEGINNING
    return _shown(rows[0], rows[1 : _ROWS + 1], more)


def _shown(names: list[str], rows: list[list[str]], more: bool) -> Preview:
    cut = [[_short(cell) for cell in row[:_COLUMNS]] for row in rows]
    numeric = [
        bool(cut) and all(_is_number(row[i]) for row in cut if i < len(row))
        for i in range(min(len(names), _COLUMNS))
    ]
    hidden = max(0, len(names) - _COLUMNS)
    columns = [_short(name) for name in names[:_COLUMNS]]
    return {
        "kind": "table",
        "columns": columns,
        "numeric": numeric,
        "rows": cut,
        "more": more,
        "hidden": hidden,
    }


def _short(text: str) -> str:
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def _is_number(text: str) -> bool:
    try:
        float(text or 0)
    except ValueError:
        return False
    return True


def _parquet(path: Path) -> Preview:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        return {"kind": "nothing", "reason": "pip install pyarrow on the server shows this table"}
    if path.stat().st_size > _PARQUET:
        return {"kind": "nothing"}
    try:
        with ParquetFile(path) as file:
            names, total = list(file.schema_arrow.names), file.metadata.num_rows
            batches = file.iter_batches(_ROWS, columns=names[:_COLUMNS])
            first = next(batches, None)
            columns = [] if first is None else [_texts(column) for column in first.columns]
    except (ArrowException, OSError, ValueError):
        raise StoreError("the artifact cannot be read: it is no Parquet file") from None
    rows = [list(row) for row in zip(*columns, strict=True)]
    return {**_shown(names, rows, total > len(rows)), "total": total}


def _texts(column: Any) -> list[str]:
    import pyarrow as pa

    # As text already in Arrow: Python's values of moments would bring pandas with them.
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())
    return ["" if v is None else formats.value(v, _CELL) for v in column.to_pylist()]
