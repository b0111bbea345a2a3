"""Documents that say anything: whoever reads them meets no exception but ours."""

from __future__ import annotations

import copy
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from jupyter_client.manager import start_new_kernel
from runs import write

import trackbook as tb
from trackbook.cli import trackbook as command
from trackbook.jsonable import dumps
from trackbook.reading import OpenStore
from trackbook.server import handlers, shelf, table
from trackbook.store import LocalStore

GONE = object()
JUNK: list[Any] = [
    None, True, 5, -1, 2**70, 10**400, 1e308, float("nan"), float("inf"), "", "x", "\ud800",
    "../../x", "<b>", [], {}, [1], ["x", {}], {"a": 1}, {"a": {"b": []}}, [[[]]], "9" * 5000, GONE,
]  # fmt: skip
MORE = {
    "capture": [{"what": "a", "state": "b", "reason": "c"}],
    "inputs": [{"name": "d", "hash": "e", "sampled": False}],
    "autologged": ["a"],
    "late": [{"key": "acc", "cell": None, "time": 1.0}],
    "param_history": [{"key": "a", "old": 0, "new": 1, "time": 1.0}],
    "changed": {
        "previous": "x",
        "params": {"a": [1, 2]},
        "code": 3,
        "headline": {"key": "acc", "value": 1, "previous": 2, "delta": 1},
    },
    "headline": "acc",
    "git": {"commit": "a" * 40, "branch": "b", "dirty": True, "remote": "r", "patch": None},
    "notebook": {"path": "x.ipynb"},
    "error": {"type": "E", "message": "m", "traceback": "t"},
    "params": {"a": 1, "n": {"m": [1, 2]}},
    "tags": {"t": "x"},
}
WHERE = (
    "metrics.acc > 0 and params.a == 1 and duration > 0 or git.commit != 'x' or error.type == 'E' "
    "or notebook == 'x' or replay or grade or tags.t or started > '-1d' or number > 1"
)
CASES = 100


class Shelf(shelf.Shelf):
    """What the server asks of a store, for one that is not registered."""

    def __init__(self, store: LocalStore) -> None:
        super().__init__(Path())
        self.there = store

    def get(self, store_id: str) -> LocalStore:
        return self.there


def places(tree: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if above:
        yield above
    inner = tree if isinstance(tree, dict) else dict(enumerate(tree if type(tree) is list else ()))
    for key, value in inner.items():
        yield from places(value, (*above, key))


def changed(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    other = copy.deepcopy(document)
    tree = other
    for key in place[:-1]:
        tree = tree[key]
    if value is GONE:
        del tree[place[-1]]
    else:
        tree[place[-1]] = value
    return other


def run_command(*words: str) -> None:
    done = CliRunner().invoke(command, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception


def readers(root: Path, run_id: str, good: str) -> Iterator[Callable[[], object]]:
    """Everything that reads a run, for people and for programs."""
    store = LocalStore(root)
    there, server = OpenStore(store), Shelf(store)
    query = {"where": None, "sort": "-started", "experiment": None, "archived": True}
    yield lambda: there.runs(archived=True).to_pandas()
    yield lambda: there.runs(archived=True).diff()
    yield lambda: there.runs(archived=True)._repr_mimebundle_()
    yield lambda: list(table._pieces(table._runs(server, "s", None, query, None), dumps))
    yield lambda: dumps(handlers._run(server, "s", run_id))
    run = there.get_run(run_id)
    for what in ("summary", "metrics", "artifacts", "inputs", "why", "parent", "children"):
        yield lambda what=what: getattr(run, what)  # type: ignore[misc]
    for what in ("edits", "duration", "git", "notebook", "cell", "_repr_mimebundle_"):
        yield lambda what=what: getattr(run, what)  # type: ignore[misc]
    yield lambda: there.compare(run_id, good).to_pandas()
    yield lambda: there.compare(run_id, good).params()
    yield lambda: there.compare(run_id, good)._repr_mimebundle_()
    yield lambda: store.find(WHERE, sort=["-metrics.acc", "params.a", "name"])
    yield lambda: run_command("show", run_id, "--store", str(root))
    yield lambda: run_command("export", "--store", str(root))


def test_a_document_of_any_shape_is_read_or_damaged_and_hides_no_other(tmp_path: Path) -> None:
    root = tmp_path / "s"
    store = LocalStore(root)
    good = write(store, "good", metrics={"acc": [0.5]}, params={"a": 1}, source="x = 1")
    run_id = write(store, "forest", metrics={"acc": [0.5, 1.0], "loss": [3, 2]}, source="x = 2")
    file = root / "runs" / run_id[:8] / run_id / "run.json"
    document = {**orjson.loads(file.read_bytes()), **MORE}
    every = [(place, junk) for place in places(document) for junk in JUNK]
    for place, junk in random.Random(7).sample(every, CASES):
        file.write_bytes(dumps(changed(document, place, junk)))
        (root / "index" / "catalog.json").unlink(missing_ok=True)
        said = f"{'.'.join(map(str, place))} = {junk!r:.40}"
        for read in readers(root, run_id, good):
            try:
                read()
            except tb.TrackbookError:
                continue
            except Exception as problem:
                raise AssertionError(said) from problem
        listed = {d["id"]: d["status"] for d in LocalStore(root).find(archived=True)}
        if place != ("deleted",):
            assert listed.keys() == {good, run_id}, said
        assert listed[good] == "finished"


def test_a_kernel_that_is_killed_in_a_tracked_cell_leaves_what_it_knew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / "s"))
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        client.execute_interactive("%load_ext trackbook\nimport trackbook as tb, time, os")
        client.execute_interactive("%%track whole\nlr = 0.5\nacc = sum([1, 2]) / 4")
        client.execute(
            "%%track killed\nlr, depth = 0.1, 8\n"
            "for i in range(500):\n    tb.log_metric('loss', i)\n"
            "time.sleep(0.8)\nopen('ready', 'w').close()\ntime.sleep(60)"
        )
        for _ in range(600):
            if (tmp_path / "ready").exists():
                break
            time.sleep(0.05)
        kernel: Any = manager.provisioner
        kernel.process.send_signal(signal.SIGKILL)
        runs = {run.name: run for run in tb.open_store(tmp_path / "s").runs()}
        for _ in range(100):
            if runs["killed"].status == "lost":
                break
            time.sleep(0.05)
            runs = {run.name: run for run in tb.open_store(tmp_path / "s").runs()}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert runs["whole"].status == "finished"
    assert runs["killed"].status == "lost"
    assert runs["killed"].params == {"lr": 0.1, "depth": 8}
    assert runs["killed"].summary["loss"]["count"] == 500
