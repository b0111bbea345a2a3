"""MLflow with its file store, which it refuses without ``MLFLOW_ALLOW_FILE_STORE``."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import mlflow

from .mlflow_sqlite import Run, listing, read, record, status

__all__ = ["Run", "listing", "multiply", "open_in", "read", "record", "status"]
_folder = Path()


def open_in(folder: Path) -> None:
    global _folder
    _folder = folder / "mlruns"
    mlflow.set_tracking_uri(_folder.as_uri())


def multiply(count: int) -> int:
    runs = [path.parent for path in _folder.glob("*/*/meta.yaml")]
    for i in range(count - len(runs)):
        source = runs[i % len(runs)]
        target = source.with_name(uuid.uuid4().hex)
        shutil.copytree(source, target)
        meta = (source / "meta.yaml").read_text("utf-8").replace(source.name, target.name)
        (target / "meta.yaml").write_text(meta, encoding="utf-8")
    return count
