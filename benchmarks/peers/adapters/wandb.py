"""W&B offline. It ships no reader of offline runs: the one below reads its log files with its own
protobuf classes.

Off: console, git, code, machine information, system metrics, the pull for a job.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["WANDB_MODE"] = "offline"
os.environ["WANDB_SILENT"] = "true"
os.environ["WANDB_ERROR_REPORTING"] = "false"

import pandas as pd
import wandb
from wandb.proto import wandb_internal_pb2 as protobuf

_folder = Path()
_BLOCK, _HEAD = 32_768, 7


class Run:
    def __init__(self, run: Any) -> None:
        self.id = run.id
        self._run = run

    def metric(self, key: str, value: float, step: int) -> None:
        self._run.log({key: value}, step=step)

    def metrics(self, values: dict[str, float], step: int) -> None:
        self._run.log(values, step=step)


def open_in(folder: Path) -> None:
    global _folder
    _folder = folder


def record(name: str, params: dict[str, Any], body: Callable[[Run], None]) -> str:
    settings = wandb.Settings(
        console="off",
        disable_git=True,
        disable_code=True,
        disable_job_creation=True,
        save_code=False,
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
    )
    run = wandb.init(project="bench", name=name, dir=_folder, config=params, settings=settings)
    body(Run(run))
    run.finish()
    return str(run.id)


def _records(file: Path) -> Iterator[Any]:
    """The records of a file in LevelDB's log format, whose first block begins with 7 bytes more."""
    data, at, parts = file.read_bytes(), _HEAD, b""
    while at + _HEAD <= len(data):
        if _BLOCK - at % _BLOCK < _HEAD:
            at += _BLOCK - at % _BLOCK
            continue
        length = int.from_bytes(data[at + 4 : at + 6], "little")
        kind = data[at + 6]
        if kind == 0 or at + _HEAD + length > len(data):
            return
        parts += data[at + _HEAD : at + _HEAD + length]
        at += _HEAD + length
        if kind in (1, 4):  # whole, or the last part
            record = protobuf.Record()
            record.ParseFromString(parts)
            parts = b""
            yield record


def _name(item: Any) -> str:
    return item.key or ".".join(item.nested_key)


def _file(run_id: str) -> Path:
    return next(_folder.glob(f"wandb/offline-run-*/run-{run_id}.wandb"))


def read(run_id: str, key: str) -> pd.DataFrame:
    rows = []
    for record in _records(_file(run_id)):
        if record.HasField("history"):
            row = {_name(item): json.loads(item.value_json) for item in record.history.item}
            if key in row:
                rows.append((row["_step"], row["_timestamp"], row[key]))
    return pd.DataFrame(rows)


def listing() -> pd.DataFrame:
    rows = []
    for file in _folder.glob("wandb/offline-run-*/run-*.wandb"):
        row = {"run_id": file.stem[4:]}
        for record in _records(file):
            if record.HasField("run"):
                row["name"] = record.run.display_name
                items = record.run.config.update
                row.update({f"params.{_name(i)}": json.loads(i.value_json) for i in items})
            elif record.HasField("summary"):
                items = record.summary.update
                row.update({f"metrics.{_name(i)}": json.loads(i.value_json) for i in items})
        rows.append(row)
    return pd.DataFrame(rows)


def status(run_id: str) -> str:
    ended = any(record.HasField("exit") for record in _records(_file(run_id)))
    return "an exit record" if ended else "none kept (no exit record)"


def multiply(count: int) -> int:
    files = list(_folder.glob("wandb/offline-run-*/run-*.wandb"))
    for i in range(count - len(files)):
        source, new = files[i % len(files)], f"copy{i:07d}"
        target = source.parent.with_name(f"offline-run-20260101_000000-{new}")
        target.mkdir()
        shutil.copy(source, target / f"run-{new}.wandb")
    return count
