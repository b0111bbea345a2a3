"""A model as an artifact: written in its format to a file on its way, kept, and told about."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from .. import modelfiles, signing
from ..store import Blobs
from .artifacts import Kept, checked, line
from .progress import Progress


def from_model(blobs: Blobs, model: Any, name: str, form: str | None = None) -> Kept:
    """The model under ``name`` with the suffix of its format."""
    checked(name)
    found = modelfiles.format_of(model, form)
    full = name if name.endswith(found.SUFFIX) else name + found.SUFFIX
    with tempfile.TemporaryDirectory(prefix="trackbook-") as folder:
        path = Path(folder) / "model"
        found.write(model, path)
        with Progress(full, path.stat().st_size) as progress:
            blob, size = blobs.put_file(path, progress)
    record = line(full, "model", "application/octet-stream", size, blob)
    signature = signing.sign(modelfiles.signed(found.NAME, blob))
    return Kept([{**record, **modelfiles.described(model, found), "signature": signature}])
