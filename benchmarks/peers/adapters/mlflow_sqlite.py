"""MLflow with its default storage, an SQLite file; one synchronous call a metric, as by default.

Off: telemetry; system metrics are off by default. Without a switch: the commit, by GitPython.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_ENABLE_ASYNC_LOGGING"] = "false"

import logging

import mlflow
import pandas as pd
from mlflow.entities import Metric

_folder = Path()


class Run:
    def __init__(self, run_id: str) -> None:
        self.id = run_id

    def metric(self, key: str, value: float, step: int) -> None:
        mlflow.log_metric(key, value, step=step)

    def metrics(self, values: dict[str, float], step: int) -> None:
        mlflow.log_metrics(values, step=step)

    def many(self, key: str, values: list[float]) -> None:
        points = [Metric(key, value, 1_700_000_000_000 + i, i) for i, value in enumerate(values)]
        client = mlflow.MlflowClient()
        for i in range(0, len(points), 1000):
            client.log_batch(self.id, metrics=points[i : i + 1000])


def open_in(folder: Path) -> None:
    global _folder
    _folder = folder
    logging.getLogger("alembic").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")


def record(name: str, params: dict[str, Any], body: Callable[[Run], None]) -> str:
    with mlflow.start_run(run_name=name) as run:
        if params:
            mlflow.log_params(params)
        body(Run(run.info.run_id))
    return str(run.info.run_id)


def read(run_id: str, key: str) -> pd.DataFrame:
    points = mlflow.MlflowClient().get_metric_history(run_id, key)
    return pd.DataFrame([(p.step, p.timestamp, p.value) for p in points])


def listing() -> pd.DataFrame:
    return mlflow.search_runs(search_all_experiments=True)


def status(run_id: str) -> str:
    return str(mlflow.get_run(run_id).info.status)


def multiply(count: int) -> int:
    with sqlite3.connect(_folder / "mlflow.db") as db:
        ids = [row[0] for row in db.execute("select run_uuid from runs")]
        for i in range(count - len(ids)):
            new, old = uuid.uuid4().hex, ids[i % len(ids)]
            for table in ("runs", "params", "metrics", "latest_metrics", "tags"):
                names = [row[1] for row in db.execute(f"pragma table_info({table})")]
                values = ", ".join("?" if name == "run_uuid" else name for name in names)
                db.execute(
                    f"insert into {table} ({', '.join(names)}) "
                    f"select {values} from {table} where run_uuid = ?",
                    (new, old),
                )
    return count
