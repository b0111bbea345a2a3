"""Faults as people meet them: in Python, at the command line, in the panel's HTTP; real kernels."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from faults import line, may_mount, on_small_disk, python, start
from runs import write

import trackbook as tb
from trackbook import settings
from trackbook.store import LocalStore, Store, open_store

Fetch = Callable[..., Awaitable[Any]]

TRAINING = """
import sys, time
import trackbook as tb
tb.set_store(sys.argv[1])
run = tb.start_run("forest", params={"depth": 8})
print(run.id, flush=True)
for i in range(100_000):
    tb.log_metric("loss", 1 / (i + 1))
    time.sleep(0.001)
"""


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {"ServerApp": {"jpserver_extensions": {"trackbook": True}}}


@pytest.fixture
def served(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    assert store.path is not None
    settings.register(store.id, store.path)
    return store


def command(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trackbook.cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


async def get(fetch: Fetch, *parts: str, **params: str) -> Any:
    return json.loads((await fetch("trackbook", *parts, params=params)).body)


def killed(root: Path, after: float = 1.2) -> str:
    """The id of a run whose training was killed in the midst of it."""
    training = start(TRAINING, root)
    run_id = line(training)
    time.sleep(after)
    training.send_signal(signal.SIGKILL)
    training.communicate()
    return run_id


async def test_a_dead_run_is_lost_everywhere_with_its_last_points(
    served: Store, jp_fetch: Fetch
) -> None:
    root = served.path
    assert root is not None
    training = start(TRAINING, root)
    run_id = line(training)
    await asyncio.sleep(1.2)
    seen = await get(jp_fetch, "stores", served.id, "runs")
    assert [row["status"] for row in seen["table"]["rows"]] == ["running"]
    here = tb.open_store(root)
    assert [run.status for run in here.runs()] == ["running"]
    training.send_signal(signal.SIGKILL)
    training.communicate()

    (run,) = here.runs("status == 'lost'")
    assert run.id == run_id
    assert run.params == {"depth": 8}
    points = run.history("loss")
    assert len(points) > 500
    assert run.summary["loss"]["count"] == len(points)
    assert run.metrics["loss"] == points["value"].iloc[-1]
    assert 1.0 < (run.duration or 0) < 30
    listed = json.loads(command("runs", "status == 'lost'", "--json", "--store", root).stdout)
    assert [document["id"] for document in listed] == [run_id]
    assert "lost" in command("show", "forest", "--store", root).stdout
    delta = await get(jp_fetch, "stores", served.id, "runs", since=seen["revision"])
    assert [row["status"] for row in delta["table"]["rows"]] == ["lost"]
    page = await get(jp_fetch, "stores", served.id, "runs", run_id)
    assert page["run"]["summary"]["loss"]["count"] == len(points)


async def test_a_lost_run_is_closed_from_the_panel_the_terminal_or_python(
    served: Store, jp_fetch: Fetch
) -> None:
    root = served.path
    assert root is not None
    ids = [killed(root, 0.3) for _ in range(3)]
    page = ("trackbook", "stores", served.id, "runs", ids[0])
    await jp_fetch(*page, method="PATCH", body='{"status": "failed"}')
    done = command("end", ids[1], "--store", root)
    assert done.returncode == 0, done.stderr
    assert "'lost' → 'interrupted'" in done.stdout
    tb.open_store(root).get_run(ids[2]).end("finished")
    found = {run.id: run.status for run in tb.open_store(root).runs()}
    assert found == dict(zip(ids, ["failed", "interrupted", "finished"], strict=True))
    assert command("undo", ids[1], "--store", root).returncode == 0
    assert tb.open_store(root).get_run(ids[1]).status == "lost"
    refused = command("end", write(served, "whole"), "--store", root)
    assert refused.returncode == 1
    assert "only a lost run can be closed" in refused.stderr


async def test_a_broken_run_is_listed_with_the_reason_and_hides_no_other(
    served: Store, jp_fetch: Fetch
) -> None:
    assert served.path is not None
    ids = [write(served, name, metrics={"acc": [0.5, 1.0]}) for name in "abc"]
    whole = (served.path / "runs" / ids[1][:8] / ids[1] / "run.json").read_bytes()
    (served.path / "runs" / ids[1][:8] / ids[1] / "run.json").write_bytes(whole[:100])
    for index in served.path.rglob("catalog.json"):
        index.unlink()
    here = tb.open_store(served.path)
    runs = LocalStore(served.path).find()
    broken = next(document for document in runs if document["id"] == ids[1])
    assert (broken["status"], broken["error"]["type"]) == ("lost", "Damaged")
    assert "no whole JSON" in broken["error"]["message"]
    assert sorted(document["name"] for document in runs if document is not broken) == ["a", "c"]
    shown = command("runs", "--store", served.path).stdout
    assert "Damaged" in shown
    assert "it is no whole JSON" in shown
    assert len(shown.splitlines()) == 4
    table = await get(jp_fetch, "stores", served.id, "runs")
    errors = {row["id"]: row["error"] for row in table["table"]["rows"]}
    assert errors[ids[1]]["type"] == "Damaged"
    assert errors[ids[0]] is errors[ids[2]] is None
    assert len(here.runs().to_pandas()) == 3


def test_a_kernel_that_dies_of_a_signal_or_of_memory_leaves_its_run(tmp_path: Path) -> None:
    root = tmp_path / "s"
    code = """
    import ctypes, os, sys, time
    import trackbook as tb
    tb.set_store(sys.argv[1])
    tb.start_run(sys.argv[2], params={"a": 1})
    for i in range(100):
        tb.log_metric("loss", i)
    time.sleep(0.8)
    ends = {"segv": lambda: ctypes.string_at(0), "abrt": os.abort, "exit": lambda: os._exit(3)}
    ends[sys.argv[2]]()
    """
    for how in ("segv", "abrt", "exit"):
        assert python(code, root, how).returncode != 0
    found = {document["name"]: document for document in LocalStore(root).find('status == "lost"')}
    assert set(found) == {"segv", "abrt", "exit"}
    assert all(document["summary"]["loss"]["count"] == 100 for document in found.values())
    assert all(document["params"] == {"a": 1} for document in found.values())


@pytest.mark.skipif(not may_mount(), reason="this user may not mount; full disks are tested anyway")
def test_a_disk_that_becomes_read_only_loses_nothing(tmp_path: Path) -> None:
    """As a disk does after an error, or a share that its host takes back."""
    done = on_small_disk(
        """
        import os, pathlib, subprocess, sys, time
        import trackbook as tb
        root = pathlib.Path(sys.argv[1])
        tb.set_store(root / "s")
        tb.start_run("kept")
        tb.log_metric("loss", 0)
        tb.end_run()
        run = tb.start_run("forest")
        tb.log_metric("loss", 0)
        time.sleep(0.5)
        # A file that is open for writing forbids it: the log is closed, as with a share.
        for file in (run._writer._metrics._records, run._writer._metrics._keys):
            file.close()
        os.close(run._writer._ownership._fd)
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
        print([r.name for r in tb.runs()], len(tb.runs().to_pandas()))
        for i in range(1, 100):
            tb.log_metric("loss", i)
        tb.log_param("a", 1)
        try:
            tb.start_run("another", nested=False)
        except tb.StoreError as problem:
            print(str(problem).split(": ")[0], "Read-only file system" in str(problem))
        subprocess.run(["mount", "-o", "remount,rw", str(root)], check=True)
        time.sleep(2.5)
        run._writer._ownership._fd = None
        found = tb.get_run(run.id)
        print(int(found.summary["loss"]["count"]), found.params)
        """,
        tmp_path / "disk",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['forest', 'kept'] 2",
        "no run can be started True",
        "100 {'a': 1}",
    ]


FORKS = """
import os, signal, sys, threading, time, warnings
import trackbook as tb
tb.set_store(sys.argv[1])
run = tb.start_run("parent")
stop, counts = False, [0] * 3
def work(number):
    while not stop:
        run.log_metric(f"k{number}", counts[number])
        counts[number] += 1
        if counts[number] % 20 == 0:
            run.log_param(f"p{number}", counts[number])
threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for number in range(9):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)  # a child that waits for a lock of its parent's thread dies of it
        warnings.simplefilter("ignore")
        run.log_metric("k0", -1.0)
        run.log_param("child", 1)
        run.set_tag("child")
        with tb.start_run("child"):
            tb.log_metric("c", 2.0)
        assert len(tb.runs("name == 'parent'")) == 1
        if number % 3 == 0:
            os._exit(0)
        if number % 3 == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        sys.exit(0)
    how = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert how == (-9 if number % 3 == 1 else 0), how
stop = True
for thread in threads:
    thread.join()
tb.end_run()
found = tb.get_run(run.id)
kept = [int(found.summary[f"k{number}"]["count"]) == counts[number] for number in range(3)]
print(found.status, kept, found.summary["k0"]["min"], "child" in found.params, dict(found.tags))
print(len(tb.runs("name == 'child' and status == 'finished' and metrics.c == 2")))
"""


def test_children_that_are_forked_in_the_midst_of_logging_do_no_harm(tmp_path: Path) -> None:
    done = python(FORKS, tmp_path / "s")
    assert done.stdout.splitlines() == [
        "finished [True, True, True] 0.0 False {}",
        "9",
    ], done.stderr


def test_a_pool_of_processes_logs_runs_of_its_own(tmp_path: Path) -> None:
    done = python(
        """
        import multiprocessing, sys
        import trackbook as tb
        def train(number):
            with tb.start_run("worker", params={"n": number}):
                tb.log_metric("acc", number)
            return number
        if __name__ == "__main__":
            tb.set_store(sys.argv[1])
            with tb.start_run("parent"):
                tb.log_metric("acc", -1)
                with multiprocessing.get_context("fork").Pool(4) as pool:
                    print(sum(pool.map(train, range(24))))
                tb.log_metric("acc", -2)
            print(sorted(run.params["n"] for run in tb.runs("name == 'worker'")) == list(range(24)))
            print(tb.get_run("parent").history("acc")["value"].tolist())
        """,
        tmp_path / "s",
    )
    assert done.stdout.splitlines() == ["276", "True", "[-1.0, -2.0]"], done.stderr


def test_opening_the_same_store_in_two_ways_is_one_store(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert open_store(tmp_path / "s") is open_store(tmp_path / "link" / "s")
