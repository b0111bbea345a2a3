"""DVCLive: a folder a run. Many runs are many git commits in DVC's own way; here, many folders.

Off: saving to DVC and git, the report, dvc.yaml, system metrics. Points have no time by default.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["DVC_NO_ANALYTICS"] = "true"
os.environ["DVC_SITE_CACHE_DIR"] = str(Path.home() / "dvc")  # not a folder of the whole machine

import pandas as pd
from dvclive import Live
from dvclive.serialize import load_yaml

_folder = Path()


class Run:
    def __init__(self, live: Live, run_id: str) -> None:
        self.id = run_id
        self._live = live

    def metric(self, key: str, value: float, step: int) -> None:
        self._live.step = step
        self._live.log_metric(key, value)

    def metrics(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self._live.log_metric(key, value)
        self._live.next_step()


def open_in(folder: Path) -> None:
    global _folder
    _folder = folder / "runs"


def record(name: str, params: dict[str, Any], body: Callable[[Run], None]) -> str:
    run_id = f"{name}-{uuid.uuid4().hex[:12]}".replace(" ", "-")
    path = str(_folder / run_id)
    with Live(path, report=None, save_dvc_exp=False, dvcyaml=None, monitor_system=False) as live:
        if params:
            live.log_params(params)
        body(Run(live, run_id))
    return run_id


def read(run_id: str, key: str) -> pd.DataFrame:
    return pd.read_csv(_folder / run_id / "plots" / "metrics" / f"{key}.tsv", sep="\t")


def listing() -> pd.DataFrame:
    rows = []
    for path in _folder.iterdir():
        row: dict[str, Any] = {"run_id": path.name}
        if (path / "params.yaml").exists():
            row.update(load_yaml(str(path / "params.yaml")))
        if (path / "metrics.json").exists():
            row.update(json.loads((path / "metrics.json").read_text("utf-8")))
        rows.append(row)
    return pd.DataFrame(rows)


def status(_run_id: str) -> str:
    return "none kept"


def multiply(count: int) -> int:
    runs = list(_folder.iterdir())
    for i in range(count - len(runs)):
        shutil.copytree(runs[i % len(runs)], _folder / f"copy-{i}")
    return count
