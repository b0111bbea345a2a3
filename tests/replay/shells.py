"""Notebooks run in fresh processes with a real IPython: once recorded, once only the cells kept."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

PRELOADED = ["IPython.core.interactiveshell", "trackbook.magics", "numpy", "pandas"]


@dataclass(frozen=True)
class Recorded:
    """What a process that ran all cells left."""

    run: str
    store: Path
    values: dict[str, str]
    printed: str


@lru_cache
def pool() -> ProcessPoolExecutor:
    """Fresh processes, forked from one that has imported what most notebooks do."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1)


def record(folder: Path, cells: list[str], ids: list[str] | None = None) -> Recorded:
    """Run the cells, the last one as a run."""
    return pool().submit(_record, str(folder), cells, ids).result(120)


def record_bare(folder: Path, cells: list[str]) -> Recorded:
    """The same in a process that has imported nothing."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as fresh:
        return fresh.submit(_record, str(folder), cells, None).result(120)


def replay(
    folder: Path, cells: list[dict[str, Any]], names: list[str]
) -> tuple[dict[str, str], str]:
    """Run ``{source, count, rng, ok}`` one after the other; values and output after the last."""
    return pool().submit(_replay, str(folder), cells, names).result(120)


def _record(folder: str, cells: list[str], ids: list[str] | None) -> Recorded:
    shell = _shell(folder)
    os.environ["TRACKBOOK_STORE"] = f"{folder}/.trackbook"
    shell.run_line_magic("load_ext", "trackbook")
    for at, source in enumerate(cells):
        printed = _run(shell, source, (ids or [])[at] if ids else f"cell-{at + 1}")
    import trackbook as tb

    run = tb.get_run("latest")
    bound = run_names(Path(f"{folder}/.trackbook"), run.id)
    return Recorded(run.id, Path(f"{folder}/.trackbook"), _values(shell, bound), printed)


def run_names(place: Path, run_id: str) -> list[str]:
    """The names that the last execution of a run bound or changed."""
    last = executions(place, run_id)[-1]
    return sorted(name for name in last.bound | last.mutated if name[:1] != "_")


def executions(place: Path, run_id: str) -> list[Any]:
    """The log of a run."""
    from trackbook.replay import log
    from trackbook.store import open_store

    store = open_store(place)
    return log.read(store.document(run_id), store.records(run_id, "cells"), store.blobs)


def _replay(
    folder: str, cells: list[dict[str, Any]], names: list[str]
) -> tuple[dict[str, str], str]:
    shell = _shell(folder)
    printed = ""
    for cell in cells:
        shell.execution_count = cell["count"]
        _restore(cell["rng"])
        source = cell["source"].replace("%%track", "#%%track")
        printed = _run(shell, source, None, may_fail=not cell["ok"])
    return _values(shell, names), printed


def _shell(folder: str) -> Any:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    os.chdir(folder)
    os.environ.update(HOME=folder, IPYTHONDIR=f"{folder}/.ipython", MPLBACKEND="agg")
    quiet = {"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}}
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config(quiet))
    sys.path.insert(0, "")
    random.seed()
    return shell


def _run(shell: Any, source: str, cell_id: str | None, may_fail: bool = True) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        done = shell.run_cell(source, store_history=True, cell_id=cell_id)
    error = done.error_before_exec or done.error_in_exec
    if error is not None and not may_fail:
        raise AssertionError(f"{source!r} failed: {error!r}")
    return output.getvalue()


def _restore(states: dict[str, bytes]) -> None:
    from trackbook.jsonable import loads

    for name, data in states.items():
        state = loads(data)["state"]
        if name == "python":
            random.setstate((state[0], tuple(state[1]), state[2]))
        elif name == "numpy":
            import numpy as np

            state["state"]["key"] = np.array(state["state"]["key"], dtype="uint32")
            np.random.set_state(state)
        elif name == "torch":
            import torch

            torch.set_rng_state(torch.tensor(list(bytes.fromhex(state)), dtype=torch.uint8))


def _values(shell: Any, names: list[str]) -> dict[str, str]:
    return {name: shown(shell.user_ns.get(name, "<absent>")) for name in names}


def shown(value: Any, depth: int = 4) -> str:
    """A text that tells values apart and is the same in every process."""
    kind = type(value).__name__
    if isinstance(value, (type, ModuleType)):
        return f"{kind} {value.__name__}"
    if isinstance(value, (str, int, float, bool, complex, bytes, type(None))):
        return f"{kind} {value!r}"
    if hasattr(value, "to_csv"):
        return f"{kind} {value.to_csv()}"
    if hasattr(value, "tolist"):
        return f"{kind} {value.tolist()!r}"
    if depth and isinstance(value, dict):
        parts = [f"{shown(k, depth - 1)}: {shown(v, depth - 1)}" for k, v in value.items()]
        return f"{kind} {parts}"
    if depth and isinstance(value, (list, tuple)):
        return f"{kind} {[shown(part, depth - 1) for part in value]}"
    if depth and isinstance(value, (set, frozenset)):
        return f"{kind} {sorted(shown(part, depth - 1) for part in value)}"
    if callable(value):
        return f"callable {getattr(value, '__name__', kind)}"
    if depth and hasattr(value, "__dict__"):
        return f"{kind} {shown(vars(value), depth - 1)}"
    return kind
