"""Run as a program: write a store with MLflow itself, and what MLflow's client says is in it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.entities import Metric


def write() -> None:
    client = mlflow.MlflowClient()
    mlflow.set_experiment("iris/base")
    tags = {"team": "green", "bare": "", "mlflow.source.git.commit": "ab" * 20}
    remote = {"mlflow.source.git.repoURL": "https://ada:s3cret@example.org/x.git"}
    with mlflow.start_run(run_name="parent", description="a **note**", tags=tags | remote) as run:
        mlflow.log_params({"lr": 0.1, "n": 300, "flag": True, "none": None, "name": "rf"})
        mlflow.log_params({"small": 1e-05, "zeros": "007", "sci": "1e5", "long": 2**70})
        mlflow.log_params({"opt": {"a": 1}, "deep/x": 1, "api_key": "0123456789", "tol": np.inf})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metric("loss", 0.75, step=2)
        mlflow.log_metric("loss", 0.8, step=-3)
        for value in (float("nan"), float("inf"), float("-inf")):
            mlflow.log_metric("val/acc", value)
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_dict({"a": 1}, "d.json")
        mlflow.log_input(mlflow.data.from_numpy(np.arange(4), name="four"), context="training")
        with mlflow.start_run(run_name="child", nested=True):
            mlflow.log_metric("m", 1.5)
    many(client, run.info.experiment_id)
    ends(client)
    model()


def many(client: mlflow.MlflowClient, experiment: str) -> None:
    """Points of our own times, not in their order."""
    run = client.create_run(experiment, start_time=1_600_000_000_123, run_name="many")
    points = [Metric("x", i * 0.5, 1_600_000_000_000 + (i * 7919) % 1000, i) for i in range(1000)]
    client.log_batch(run.info.run_id, metrics=points)
    client.set_terminated(run.info.run_id, end_time=1_600_000_100_000)


def ends(client: mlflow.MlflowClient) -> None:
    """A run for each way in which one ends."""
    try:
        with mlflow.start_run(run_name="failed"):
            raise ValueError
    except ValueError:
        pass
    mlflow.start_run(run_name="killed")
    mlflow.end_run("KILLED")
    with mlflow.start_run(run_name="deleted") as run:
        pass
    client.delete_run(run.info.run_id)
    gone = mlflow.create_experiment("gone")
    client.set_terminated(client.create_run(gone, run_name="gone").info.run_id)
    client.delete_experiment(gone)


def model() -> None:
    """A logged model, which MLflow 3 keeps beside the runs, and a run whose process dies."""
    with mlflow.start_run(run_name="modelled") as run:
        logged = mlflow.initialize_logged_model(name="forest", source_run_id=run.info.run_id)
        Path("model.bin").write_bytes(bytes(3000))
        mlflow.MlflowClient().log_model_artifact(logged.model_id, "model.bin")
        mlflow.finalize_logged_model(logged.model_id, "READY")
    mlflow.start_run(run_name="running")
    mlflow.log_metric("loss", 1.0)


def truth() -> list[dict[str, Any]]:
    """Every run as MLflow's own client reads it."""
    client = mlflow.MlflowClient()
    found = []
    for experiment in client.search_experiments(view_type=3):
        for run in client.search_runs([experiment.experiment_id], run_view_type=3):
            history = {
                key: [[p.step, p.timestamp, str(p.value)] for p in history_of(client, run, key)]
                for key in run.data.metrics
            }
            found.append(
                {
                    "id": run.info.run_id,
                    "name": run.info.run_name,
                    "experiment": experiment.name,
                    "status": run.info.status,
                    "started": run.info.start_time,
                    "ended": run.info.end_time,
                    "params": run.data.params,
                    "metrics": history,
                    "stage": run.info.lifecycle_stage,
                }
            )
    return found


def history_of(client: mlflow.MlflowClient, run: Any, key: str) -> list[Metric]:
    return list(client.get_metric_history(run.info.run_id, key))


if __name__ == "__main__":
    mlflow.set_tracking_uri(sys.argv[1])
    write()
    Path(sys.argv[2]).write_text(json.dumps(truth()))
    # The run that is open stays so: its process is dead.
    sys.stdout.flush()
    os._exit(0)
