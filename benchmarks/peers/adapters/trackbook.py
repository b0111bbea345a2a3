"""Trackbook itself, as a plain script uses it, with everything that is on by default.

On are the commit of the repository (in a thread), Python, platform, argv and imported packages.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

import trackbook as tb

_root = Path()


class Run:
    def __init__(self, run_id: str) -> None:
        self.id = run_id
        self.metric = tb.log_metric
        self.metrics = tb.log_metrics


def open_in(folder: Path) -> None:
    global _root
    _root = folder / ".trackbook"
    tb.set_store(_root)


def record(name: str, params: dict[str, Any], body: Callable[[Run], None]) -> str:
    with tb.start_run(name) as run:
        if params:
            tb.log_params(params)
        body(Run(run.id))
    return run.id


def read(run_id: str, key: str) -> pd.DataFrame:
    return tb.get_run(run_id).history(key)


def listing() -> pd.DataFrame:
    return tb.runs().to_pandas()


def status(run_id: str) -> str:
    return tb.get_run(run_id).status


def multiply(count: int) -> int:
    folders = [path for path in _root.glob("runs/*/*") if (path / "run.json").exists()]
    for i in range(count - len(folders)):
        source = folders[i % len(folders)]
        tail = base64.b32encode(os.urandom(7))[:10].decode().lower()
        target = source.with_name(source.name[:-10] + tail)
        shutil.copytree(source, target)
        document = (source / "run.json").read_text("utf-8").replace(source.name, target.name)
        (target / "run.json").write_text(document, encoding="utf-8")
    return count
