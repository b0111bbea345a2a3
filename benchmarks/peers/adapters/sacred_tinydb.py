"""Sacred with its TinyDbObserver: one JSON file for all runs.

That observer drops ``log_scalar`` without a word, so points go into the run's ``info``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from sacred.observers import TinyDbObserver
from sacred.observers.tinydb_hashfs import TinyDbReader

from .sacred_files import run_with

_folder = Path()


class Run:
    def __init__(self, run: Any) -> None:
        self.id = str(run._id)
        self._info = run.info

    def metric(self, key: str, value: float, step: int) -> None:
        self._info.setdefault(key, []).append([step, value])

    def metrics(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self._info.setdefault(key, []).append([step, value])


def open_in(folder: Path) -> None:
    global _folder
    _folder = folder / "tinydb"


def record(_name: str, params: dict[str, Any], body: Callable[[Run], None]) -> str:
    return run_with(TinyDbObserver(str(_folder)), params, lambda run: body(Run(run)))


def _documents() -> list[dict[str, Any]]:
    return list(TinyDbReader(str(_folder)).runs)


def _document(run_id: str) -> dict[str, Any]:
    return next(document for document in _documents() if document["_id"] == run_id)


def read(run_id: str, key: str) -> pd.DataFrame:
    return pd.DataFrame(_document(run_id)["info"][key])


def listing() -> pd.DataFrame:
    rows = []
    for document in _documents():
        row = {key: value for key, value in document.items() if key not in ("info", "config")}
        row.update(document["config"])
        row.update({key: points[-1][1] for key, points in document["info"].items()})
        rows.append(row)
    return pd.DataFrame(rows)


def status(run_id: str) -> str:
    return str(_document(run_id)["status"])


def multiply(count: int) -> int:
    path = _folder / "metadata.json"
    tables = json.loads(path.read_text("utf-8"))
    runs = tables["runs"]
    documents = list(runs.values())
    for i in range(len(documents), count):
        runs[str(i + 1)] = {**documents[i % len(documents)], "_id": uuid.uuid4().hex}
    path.write_text(json.dumps(tables), encoding="utf-8")
    return count
