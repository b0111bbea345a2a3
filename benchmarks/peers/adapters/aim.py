"""Aim. ``settle`` puts new runs into its index, as its UI's server does; never within a time.

Off: system metrics, system parameters, terminal logs. Its runs are not copied: a run is two RocksDB
folders and rows of two indexes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aim
import pandas as pd
from aim.sdk.index_manager import RepoIndexManager
from aim.sdk.repo import Repo
from aim.storage.context import Context

_folder = Path()


class Run:
    def __init__(self, run: aim.Run) -> None:
        self.id = run.hash
        self._run = run

    def metric(self, key: str, value: float, step: int) -> None:
        self._run.track(value, name=key, step=step)

    def metrics(self, values: dict[str, float], step: int) -> None:
        self._run.track(values, step=step)


def open_in(folder: Path) -> None:
    global _folder
    _folder = folder
    if not (folder / ".aim").exists():
        # Four writers that start in an empty folder would make it four times.
        with contextlib.suppress(FileExistsError):
            Repo.from_path(str(folder), init=True)


def record(name: str, params: dict[str, Any], body: Callable[[Run], None]) -> str:
    run = aim.Run(
        repo=str(_folder),
        experiment="bench",
        system_tracking_interval=None,
        log_system_params=False,
        capture_terminal_logs=False,
    )
    run.name = name
    if params:
        run["hparams"] = params
    body(Run(run))
    run.close()
    return str(run.hash)


def settle() -> None:
    indexed = _folder / "indexed.txt"
    done = set(indexed.read_text("utf-8").split()) if indexed.exists() else set()
    repo = Repo.from_path(str(_folder))
    index = RepoIndexManager.get_index_manager(repo)
    for run_id in set(repo._all_run_hashes()) - done:
        index.index(run_id)
        done.add(run_id)
    indexed.write_text(" ".join(done), encoding="utf-8")


def read(run_id: str, key: str) -> pd.DataFrame:
    run = Repo.from_path(str(_folder)).get_run(run_id)
    return run.get_metric(key, Context({})).dataframe()


def listing() -> pd.DataFrame:
    # Its frame of a run has no metrics: their last values are asked for one by one.
    rows = []
    for run in Repo.from_path(str(_folder)).iter_runs():
        frame = run.dataframe()
        for metric in run.collect_sequence_info("metric")["metric"]:
            frame[f"metrics.{metric['name']}"] = metric["values"]["last"]
        rows.append(frame)
    return pd.concat(rows, ignore_index=True)


def status(run_id: str) -> str:
    return "active" if Repo.from_path(str(_folder)).get_run(run_id).active else "not active"
