"""Which tool wrote what lies at a path."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import StoreError
from . import mlflow_database, mlflow_files, sacred_files, sacred_tinydb
from .mlflow_database import MlflowDatabase
from .mlflow_files import MlflowFolder
from .origin import Source
from .sacred_files import SacredFolder
from .sacred_tinydb import SacredTinyDb

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:/|databricks\b")
_KNOWN = (
    "an mlruns folder or mlflow.db of MLflow, or what Sacred's FileStorageObserver or "
    "TinyDbObserver wrote"
)


def source_at(path: str, artifacts: Sequence[Path] = ()) -> Source:
    """The runs at a path; raises ``StoreError``, which says what to name instead."""
    if _ADDRESS.match(path):
        raise StoreError(
            f"{path:.100} is an address; Trackbook opens no connection: copy the server's "
            "mlflow.db or mlruns folder to this machine and name that"
        )
    there = Path(path).expanduser()
    if not there.exists():
        raise StoreError(f"there is no {path}")
    # Links on the way that the user named are theirs; none is followed below.
    there = there.resolve()
    roots = [root.resolve() for root in artifacts]
    kind = _kind(there)
    if kind is not None:
        return kind(there, roots)
    if there.is_dir() and (there / sacred_tinydb.FILE).is_file():
        return SacredTinyDb(there / sacred_tinydb.FILE, roots)
    raise StoreError(_why_not(there))


def _kind(there: Path) -> Callable[[Path, Sequence[Path]], Source] | None:
    if there.is_file():
        with there.open("rb") as file:
            if file.read(len(mlflow_database.HEAD)) == mlflow_database.HEAD:
                return MlflowDatabase
        return SacredTinyDb if sacred_tinydb.holds_runs(there) else None
    if mlflow_files.holds_runs(there):
        return MlflowFolder
    return SacredFolder if sacred_files.holds_runs(there) else None


def _why_not(there: Path) -> str:
    """What to say of a path at which nothing was recognised."""
    if there.is_file():
        return f"{there} is nothing that can be imported; name {_KNOWN}"
    for store in (there, there / ".trackbook"):
        if (store / "store.json").is_file():
            return f"{store} is a store of Trackbook's own: `trackbook merge {store}` takes it in"
    if not any(there.iterdir()):
        return f"{there} is empty; name {_KNOWN}"
    if (there / "meta.yaml").is_file():
        return f"{there} is a part of an mlruns folder; name the whole one"
    if (there / "run.json").is_file():
        return f"{there} is one run of Sacred's; name the folder that holds it"
    for inner in sorted(there.iterdir())[:1000]:
        if not inner.is_symlink() and (inner.is_dir() or inner.suffix == ".db") and _kind(inner):
            return f"{there} holds more than runs; did you mean {inner}?"
    if any(there.glob("*/*/artifacts")):
        return f"{there} holds only artifacts of MLflow; name the mlflow.db beside it"
    return f"nothing in {there} can be imported; name {_KNOWN}"
