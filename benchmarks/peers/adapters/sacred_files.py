"""Sacred with its FileStorageObserver. A run is one call of a function; params are its config.

Off: capture of output, git, search for sources and dependencies.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from sacred import SETTINGS, Experiment
from sacred.observers import FileStorageObserver, RunObserver

_folder = Path()

SETTINGS.CAPTURE_MODE = "no"
SETTINGS.DISCOVER_SOURCES = "none"
SETTINGS.DISCOVER_DEPENDENCIES = "none"


class Run:
    def __init__(self, run: Any) -> None:
        self.id = str(run._id)
        self._run = run

    def metric(self, key: str, value: float, step: int) -> None:
        self._run.log_scalar(key, value, step)

    def metrics(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self._run.log_scalar(key, value, step)


def open_in(folder: Path) -> None:
    global _folder
    _folder = folder / "runs"


def run_with(observer: RunObserver, params: dict[str, Any], body: Callable[[Any], None]) -> str:
    """One run that this observer keeps."""
    experiment = Experiment("bench", save_git_info=False, interactive=True)
    experiment.observers.append(observer)
    if params:
        experiment.add_config(params)

    @experiment.main
    def main(_run: Any) -> None:
        body(_run)

    return str(experiment.run()._id)


def record(_name: str, params: dict[str, Any], body: Callable[[Run], None]) -> str:
    return run_with(FileStorageObserver(_folder), params, lambda run: body(Run(run)))


def read(run_id: str, key: str) -> pd.DataFrame:
    points = json.loads((_folder / run_id / "metrics.json").read_text("utf-8"))[key]
    return pd.DataFrame(points)


def listing() -> pd.DataFrame:
    rows = []
    for path in _folder.iterdir():
        if not (path / "run.json").exists():
            continue  # _sources
        row = {"run_id": path.name, **json.loads((path / "run.json").read_text("utf-8"))}
        row.update(json.loads((path / "config.json").read_text("utf-8")))
        if (path / "metrics.json").exists():
            metrics = json.loads((path / "metrics.json").read_text("utf-8"))
            row.update({key: points["values"][-1] for key, points in metrics.items()})
        rows.append(row)
    return pd.DataFrame(rows)


def status(run_id: str) -> str:
    return str(json.loads((_folder / run_id / "run.json").read_text("utf-8"))["status"])


def multiply(count: int) -> int:
    runs = [path for path in _folder.iterdir() if path.name.isdigit()]
    for i in range(len(runs), count):
        shutil.copytree(runs[i % len(runs)], _folder / str(i + 1), dirs_exist_ok=True)
    return count
