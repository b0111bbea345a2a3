"""Files, texts, tables and pictures into blobs; each function returns the line that names one."""

from __future__ import annotations

import io
import mimetypes
import time
from pathlib import Path
from typing import Any

from ..errors import InvalidValue
from ..jsonable import dumps, to_plain
from ..store import Blobs

_VEGALITE = "application/vnd.vegalite.v6+json"
_PLOTLY = "application/vnd.plotly.v1+json"


def from_file(blobs: Blobs, path: Any, name: str | None = None) -> dict[str, Any]:
    """A copy of one file."""
    source = Path(path)
    if source.is_dir():
        raise InvalidValue(f"{source} is a folder; log_artifacts keeps a folder's files")
    if not source.is_file():
        raise InvalidValue(f"there is no file {source}")
    blob, size = blobs.put_file(source)
    name = name or source.name
    return _record(name, _kind(name), _type(source.name), size, blob)


def from_folder(blobs: Blobs, folder: Any, name: str | None = None) -> list[dict[str, Any]]:
    """A copy of every regular file below a folder, named by its path in there."""
    root = Path(folder)
    if not root.is_dir():
        raise InvalidValue(f"there is no folder {root}")
    prefix = f"{name}/" if name else f"{root.name}/" if root.name else ""
    files = sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink())
    return [from_file(blobs, p, prefix + p.relative_to(root).as_posix()) for p in files]


def from_text(blobs: Blobs, text: Any, name: str) -> dict[str, Any]:
    """A text, in UTF-8."""
    if not isinstance(text, str):
        raise InvalidValue(f"log_text takes a string, not a {type(text).__name__}")
    return _bytes(
        blobs, text.encode("utf-8", "surrogatepass"), name, "text", _type(name, "text/plain")
    )


def from_dict(blobs: Blobs, obj: Any, name: str) -> dict[str, Any]:
    """Plain data as indented JSON."""
    data = dumps(to_plain(obj, f"{name!r}"), pretty=True)
    return _bytes(blobs, data, name, "json", "application/json")


def from_table(blobs: Blobs, frame: Any, name: str) -> dict[str, Any]:
    """A table as CSV; the index is kept where it says something."""
    import pandas as pd

    try:
        table = frame if isinstance(frame, pd.DataFrame) else pd.DataFrame(frame)
    except (TypeError, ValueError) as problem:
        raise InvalidValue(f"{name!r} is not a table: {problem}") from None
    plain_index = isinstance(table.index, pd.RangeIndex)
    data = table.to_csv(index=not plain_index).encode("utf-8", "surrogatepass")
    return _bytes(blobs, data, _suffixed(name, ".csv"), "table", "text/csv")


def from_figure(blobs: Blobs, figure: Any, name: str) -> dict[str, Any]:
    """A figure of matplotlib (axes and seaborn grids too), Altair or plotly."""
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


def from_image(blobs: Blobs, image: Any, name: str) -> dict[str, Any]:
    """A PIL image or an array, as PNG."""
    buffer = io.BytesIO()
    if callable(getattr(image, "save", None)):
        image.save(buffer, format="PNG")
    else:
        _array_image(image, name).save(buffer, format="PNG")
    return _bytes(blobs, buffer.getvalue(), _suffixed(name, ".png"), "image", "image/png")


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


def _bytes(blobs: Blobs, data: bytes, name: str, kind: str, mime: str) -> dict[str, Any]:
    if not isinstance(name, str) or not name:
        raise InvalidValue(f"the name of an artifact is a non-empty string, not {name!r:.60}")
    return _record(name, kind, mime, len(data), blobs.put(data))


def _record(name: str, kind: str, mime: str, size: int, blob: str) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "type": mime,
        "size": size,
        "blob": blob,
        "time": time.time(),
    }


def _suffixed(name: str, suffix: str) -> str:
    return name if Path(name).suffix else name + suffix


def _type(name: str, default: str = "application/octet-stream") -> str:
    return mimetypes.guess_type(name)[0] or default


def _kind(name: str) -> str:
    mime = _type(name)
    if mime.startswith("image/"):
        return "image"
    if mime == "application/json":
        return "json"
    if mime in ("text/csv", "text/tab-separated-values"):
        return "table"
    return "text" if mime.startswith("text/") else "file"
