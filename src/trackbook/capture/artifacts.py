"""Files, texts, tables and pictures into blobs; each function returns the lines that name them."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import formats, settings
from ..errors import InvalidValue
from ..jsonable import dumps, to_plain
from ..store import Blobs, manifest
from ..store.os_copies import kind_of
from .progress import Progress

_VEGALITE = "application/vnd.vegalite.v6+json"
_PLOTLY = "application/vnd.plotly.v1+json"
_PARQUET = "application/vnd.apache.parquet"
# A table of more cells goes to a file on its way: as text it is several times its size in memory.
_MANY_CELLS = 2_000_000


@dataclass
class Kept:
    """The lines of what was kept, and what there is to say about it besides."""

    lines: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    """What was left out of a folder."""
    unsteady: Sequence[Path] = ()
    """Files that were written to while they were copied."""


def from_file(
    blobs: Blobs, path: Any, name: str | None = None, limit: int | str | None = None
) -> Kept:
    """A copy of one file."""
    source = _as_path(path, "log_artifact")
    try:
        status = source.stat()
    except FileNotFoundError:
        raise InvalidValue(f"there is no file {source}") from None
    kind = kind_of(status.st_mode)
    if kind == "a folder":
        raise InvalidValue(f"{source} is a folder; log_artifacts keeps a folder's files")
    if kind is not None:
        raise InvalidValue(f"{source} is {kind}; log_artifact keeps regular files")
    _check_size(source, status.st_size, settings.artifact_limit(limit))
    name = checked(source.name if name is None else name)
    with Progress(name, status.st_size) as progress:
        blob, size = blobs.put_file(source, progress)
    kind, mime = manifest.kind_by_name(name), manifest.type_by_name(source.name)
    return Kept([line(name, kind, mime, size, blob)], unsteady=progress.unsteady)


def from_folder(
    blobs: Blobs, folder: Any, name: str | None = None, limit: int | str | None = None
) -> Kept:
    """A copy of every regular file below a folder; readers see one artifact a file."""
    root = _as_path(folder, "log_artifacts")
    if not root.is_dir():
        what = "is a file; log_artifact keeps one" if root.exists() else "does not exist"
        raise InvalidValue(f"there is no folder {root}: it {what}")
    prefix = checked(name.rstrip("/")) if name else root.name
    found = manifest.scan(root)
    most = settings.artifact_limit(limit)
    for path, state in found.files.items():
        checked(f"{prefix}/{path}" if prefix else path)
        _check_size(root / path, state.size, most)
    with Progress(f"{len(found.files)} files of {root.name or root}", found.size) as progress:
        blob, entries = blobs.put_folder(found, progress)
    size = sum(entry.size for entry in entries)
    record = {"name": prefix, "kind": "folder", "files": len(entries), "size": size}
    kept = Kept([{**record, "manifest": blob, "time": time.time()}] if entries else [])
    kept.unsteady = progress.unsteady
    for paths, what in ((found.links, "links"), (found.special, "pipes, sockets or devices")):
        if paths:
            some = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
            kept.notes.append(f"{len(paths)} {what} in {root} were not followed or read: {some}")
    return kept


def from_text(blobs: Blobs, text: Any, name: str) -> Kept:
    """A text, in UTF-8."""
    if not isinstance(text, str):
        raise InvalidValue(f"log_text takes a string, not a {type(text).__name__}")
    mime = manifest.type_by_name(checked(name), "text/plain")
    return _bytes(blobs, text.encode("utf-8", "surrogatepass"), name, "text", mime)


def from_dict(blobs: Blobs, obj: Any, name: str) -> Kept:
    """Plain data as indented JSON."""
    data = dumps(to_plain(obj, f"{name!r}"), pretty=True)
    return _bytes(blobs, data, name, "json", "application/json")


def from_table(blobs: Blobs, frame: Any, name: str) -> Kept:
    """A table as CSV, or as Parquet where the name ends so; the index where it says something."""
    import pandas as pd

    checked(name)
    try:
        table = frame if isinstance(frame, pd.DataFrame) else pd.DataFrame(frame)
    except (TypeError, ValueError) as problem:
        raise InvalidValue(f"{name!r} is not a table: {problem}") from None
    index = not isinstance(table.index, pd.RangeIndex) or table.index.name is not None
    if name.lower().endswith(".parquet"):
        return _through_file(blobs, table, name, index)
    name = _suffixed(name, ".csv")
    if table.size > _MANY_CELLS:
        return _through_file(blobs, table, name, index)
    data = table.to_csv(index=index).encode("utf-8", "surrogatepass")
    return _bytes(blobs, data, name, "table", "text/csv")


def _through_file(blobs: Blobs, table: Any, name: str, index: bool) -> Kept:
    parquet = name.lower().endswith(".parquet")
    with tempfile.TemporaryDirectory(prefix="trackbook-") as folder:
        path = Path(folder) / "table"
        if parquet:
            _write_parquet(table, path, name, index)
        else:
            table.to_csv(path, index=index, encoding="utf-8", errors="surrogatepass")
        blob, size = blobs.put_file(path)
    return Kept([line(name, "table", _PARQUET if parquet else "text/csv", size, blob)])


def _write_parquet(table: Any, path: Path, name: str, index: bool) -> None:
    try:
        table.to_parquet(path, index=index, engine="pyarrow")
    except ImportError:
        raise InvalidValue(
            f"{name!r} needs pyarrow: pip install 'trackbook[parquet]', or name it .csv"
        ) from None
    except (ValueError, TypeError, NotImplementedError) as problem:
        raise InvalidValue(f"{name!r} cannot be Parquet: {problem}; name it .csv") from None


def from_figure(blobs: Blobs, figure: Any, name: str) -> Kept:
    """A figure of matplotlib (axes and seaborn grids too), Altair or plotly."""
    checked(name)
    figure = getattr(figure, "figure", figure)
    if callable(getattr(figure, "savefig", None)):
        buffer = io.BytesIO()
        vector = name.lower().endswith(".svg")
        figure.savefig(buffer, format="svg" if vector else "png", bbox_inches="tight")
        mime = "image/svg+xml" if vector else "image/png"
        name = name if vector else _suffixed(name, ".png")
        return _bytes(blobs, buffer.getvalue(), name, "figure", mime)
    if callable(getattr(figure, "to_plotly_json", None)):
        return _bytes(blobs, figure.to_json().encode(), _suffixed(name, ".json"), "figure", _PLOTLY)
    if callable(getattr(figure, "to_json", None)) and hasattr(figure, "to_dict"):
        data = figure.to_json(indent=None).encode()
        return _bytes(blobs, data, _suffixed(name, ".json"), "figure", _VEGALITE)
    raise InvalidValue(
        f"{name!r} is a {type(figure).__name__}; "
        "log_figure takes a figure of matplotlib, Altair or plotly"
    )


def from_image(blobs: Blobs, image: Any, name: str, step: int | None = None) -> Kept:
    """A PIL image or an array, as PNG."""
    checked(name)
    buffer = io.BytesIO()
    if callable(getattr(image, "save", None)):
        image.save(buffer, format="PNG")
    else:
        _array_image(image, name).save(buffer, format="PNG")
    kept = _bytes(blobs, buffer.getvalue(), _suffixed(name, ".png"), "image", "image/png")
    if step is not None:
        kept.lines[0]["step"] = step
    return kept


def _array_image(image: Any, name: str) -> Any:
    import numpy as np

    try:
        from PIL import Image
    except ImportError:
        raise InvalidValue("log_image needs Pillow: pip install pillow") from None
    array = np.asarray(image)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InvalidValue(
            f"{name!r} has shape {array.shape}; an image is (H, W), (H, W, 3) or (H, W, 4)"
        )
    if array.dtype != np.uint8:
        scale = 255.0 if np.issubdtype(array.dtype, np.floating) else 1.0
        array = np.clip(np.nan_to_num(array) * scale, 0, 255).astype(np.uint8)
    return Image.fromarray(array.squeeze())


def checked(name: Any) -> str:
    """The name of an artifact; raises ``InvalidValue`` where it could not be a path in a folder."""
    if problem := manifest.fault(name):
        raise InvalidValue(f"{name!r:.80} {problem}; an artifact's name is like 'plots/roc.png'")
    return str(name)


def line(name: str, kind: str, mime: str, size: int, blob: str) -> dict[str, Any]:
    """The line that names what was kept."""
    return {
        "name": name,
        "kind": kind,
        "type": mime,
        "size": size,
        "blob": blob,
        "time": time.time(),
    }


def _bytes(blobs: Blobs, data: bytes, name: str, kind: str, mime: str) -> Kept:
    checked(name)
    return Kept([line(name, kind, mime, len(data), blobs.put(data))])


def _as_path(path: Any, what: str) -> Path:
    try:
        return Path(path)
    except TypeError:
        raise InvalidValue(f"{what} takes a path, not a {type(path).__name__}") from None


def _check_size(path: Path, size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise InvalidValue(
            f"{path} has {formats.size(size)}, and one artifact may have {formats.size(limit)}; "
            f"pass limit='{formats.size(size * 5 // 4)}' (or 'none'), or set artifact-limit in "
            "[tool.trackbook] of pyproject.toml or TRACKBOOK_ARTIFACT_LIMIT"
        )


def _suffixed(name: str, suffix: str) -> str:
    return name if Path(name).suffix else name + suffix
