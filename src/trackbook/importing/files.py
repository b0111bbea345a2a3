"""The files of a foreign run as blobs, and the lines that name them."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from typing import Any

from .. import redact
from ..store import Blobs
from . import foreign
from .origin import Content, Kept

_CAPTURED_LIMIT = 1 << 23


def keep(blobs: Blobs, content: Content, moment: float) -> Iterator[dict[str, Any]]:
    """Keep each file; yields its line. One that cannot be read becomes a gap of the run."""
    for kept in content.files:
        try:
            blob, size, time = _put(blobs, kept, moment)
        except OSError as problem:
            content.gaps[f"artifact {kept.name}"] = f"it cannot be read: {problem.strerror}"
            continue
        mime = mimetypes.guess_type(kept.name)[0] or "application/octet-stream"
        record = {"name": kept.name, "kind": _kind(mime), "type": mime, "size": size}
        yield {**record, "blob": blob, "time": time, "step": None, "cell": None}


def _put(blobs: Blobs, kept: Kept, moment: float) -> tuple[str, int, float]:
    if kept.path is None:
        data = _hidden(kept.data) if kept.captured else kept.data
        return blobs.put(data), len(data), moment
    time = kept.path.lstat().st_mtime
    if kept.captured and kept.path.lstat().st_size <= _CAPTURED_LIMIT:
        data = _hidden(foreign.read(kept.path, _CAPTURED_LIMIT))
        return blobs.put(data), len(data), time
    blob, size = blobs.put_file(kept.path)
    return blob, size, time


def _hidden(data: bytes) -> bytes:
    """A text without secrets; what is no text stays as it is."""
    try:
        return redact.text(data.decode("utf-8"))[0].encode("utf-8")
    except UnicodeDecodeError:
        return data


def _kind(mime: str) -> str:
    if mime.startswith("image/"):
        return "image"
    if mime == "application/json":
        return "json"
    if mime in ("text/csv", "text/tab-separated-values"):
        return "table"
    return "text" if mime.startswith("text/") else "file"
