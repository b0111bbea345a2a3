"""tensorboardX writes, tensorboard's EventAccumulator reads. Params go in as one text."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from tensorboardX import SummaryWriter

_folder = Path()


class Run:
    def __init__(self, writer: SummaryWriter, run_id: str) -> None:
        self.id = run_id
        self._writer = writer

    def metric(self, key: str, value: float, step: int) -> None:
        self._writer.add_scalar(key, value, step)

    def metrics(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self._writer.add_scalar(key, value, step)


def open_in(folder: Path) -> None:
    global _folder
    _folder = folder / "runs"


def record(name: str, params: dict[str, Any], body: Callable[[Run], None]) -> str:
    run_id = f"{name}-{uuid.uuid4().hex[:12]}".replace(" ", "-")
    with SummaryWriter(logdir=str(_folder / run_id)) as writer:
        if params:
            writer.add_text("params", json.dumps(params))
        body(Run(writer, run_id))
    return run_id


def _events(run_id: str) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(_folder / run_id), size_guidance={"scalars": 0, "tensors": 0})
    return events.Reload()


def read(run_id: str, key: str) -> pd.DataFrame:
    return pd.DataFrame(_events(run_id).Scalars(key))


def listing() -> pd.DataFrame:
    rows = []
    for path in _folder.iterdir():
        events = _events(path.name)
        row: dict[str, Any] = {"run_id": path.name}
        tags = events.Tags()
        for key in tags["tensors"]:
            (text,) = events.Tensors(key)[-1].tensor_proto.string_val
            row.update(json.loads(text))
        row.update({key: events.Scalars(key)[-1].value for key in tags["scalars"]})
        rows.append(row)
    return pd.DataFrame(rows)


def status(_run_id: str) -> str:
    return "none kept"


def multiply(count: int) -> int:
    runs = list(_folder.iterdir())
    for i in range(count - len(runs)):
        shutil.copytree(runs[i % len(runs)], _folder / f"copy-{i}")
    return count
