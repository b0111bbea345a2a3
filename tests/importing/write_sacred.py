"""Run as a program: write runs with Sacred itself, through both of its local observers."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sacred import Experiment
from sacred.observers import FileStorageObserver, TinyDbObserver
from sacred.utils import SacredInterrupt

experiment = Experiment("iris_rbf")


class Impatient(SacredInterrupt):
    STATUS = "IMPATIENT"


@experiment.config
def config() -> None:
    C = 1.0  # noqa: N806, F841
    layers = [1, 2]  # noqa: F841
    optimiser = {"lr": 0.1, "name": "adam"}  # noqa: F841
    nothing = None  # noqa: F841
    grid = np.arange(3)  # noqa: F841
    big = 2**70  # noqa: F841
    api_key = "0123456789"  # noqa: F841
    how = "well"  # noqa: F841


@experiment.main
def train(C: float, how: str, _run: Any) -> Any:  # noqa: N803
    print("hello from the run")
    for step in range(5):
        _run.log_scalar("loss", np.float32(1 / (step + 1)), step)
        _run.log_scalar("odd", float("nan"), 2 * step)
    Path("model.txt").write_text("weights")
    experiment.add_artifact("model.txt", name="model.txt")
    experiment.add_resource("data.csv")
    _run.info["rows"] = [1, 2, 3]
    if how == "badly":
        password = "hunter22"
        raise ValueError(f"C is bad, {password=}")
    if how == "impatiently":
        raise Impatient
    if how == "not at all":
        _run._emit_heartbeat()
        os._exit(0)
    return {"acc": 0.9, "words": "fine"}


if __name__ == "__main__":
    Path("data.csv").write_text("a,b\n1,2\n")
    experiment.observers.append(FileStorageObserver("files"))
    experiment.observers.append(TinyDbObserver("tiny"))
    how = sys.argv[1]
    options = {"--comment": "a note"} if how == "well" else {}
    with contextlib.suppress(ValueError, Impatient):
        experiment.run(config_updates={"how": how}, options=options)
