"""Real processes that are killed, forked, interrupted or many."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from trackbook.errors import StoreError
from trackbook.model import Document, new_document
from trackbook.store import LocalStore


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python of its own; the code finds its arguments in ``sys.argv``."""
    head = """
    import os, sys, time
    from trackbook.model import new_document
    from trackbook.store import open_store
    store = open_store(sys.argv[1], create=True)
    """
    source = textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", source, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    return out


def by_id(store: LocalStore) -> dict[str, Document]:
    return {document["id"]: document for document in store.find(archived=True)}


WRITER = """
    n = 0
    while True:
        writer = store.create(new_document(name="w", experiment="e", series="w"))
        print(writer.id, flush=True)
        for i in range(200):
            writer.log("loss", i, time.time(), 1.0 / (i + 1))
            writer.log("acc", i, time.time(), float(i))
            time.sleep(0.0005)
        writer.document["params"]["n"] = n
        writer.save()
        writer.document.update(status="finished", ended=time.time())
        if n % 2:
            writer.finish()
            print("finished", writer.id, flush=True)
        n += 1
"""


@pytest.mark.parametrize("delay", [0.05, 0.31, 0.57, 0.9, 1.3])
def test_a_killed_writer_loses_no_acknowledged_run(tmp_path: Path, delay: float) -> None:
    root = tmp_path / "s"
    process = start(WRITER, root)
    assert process.stdout
    lines = [process.stdout.readline()]
    watching = LocalStore(root)
    end = time.time() + delay
    while time.time() < end:
        watching.find()
    process.send_signal(signal.SIGKILL)
    lines += process.communicate()[0].splitlines()
    words = [line.split() for line in lines]
    acknowledged = {w[0] for w in words if len(w) == 1}
    closed = {w[1] for w in words if len(w) == 2}
    # A warm catalogue, one that starts from its file, and one that has nothing but the folders.
    warm = by_id(watching)
    watching.write_back()
    cold = by_id(LocalStore(root))
    (root / "index" / "catalog.json").unlink()
    rebuilt = by_id(LocalStore(root))
    assert warm == cold == rebuilt
    assert acknowledged <= set(warm)
    for run_id, document in warm.items():
        assert document["error"] is None
        if run_id in closed:
            assert document["status"] == "finished"
            assert document["summary"]["acc"]["count"] == 200
            continue
        assert document["status"] in ("lost", "finished")
        assert document["ended"] is not None
        points = watching.points(run_id).get("loss")
        count = 0 if points is None else len(points.step)
        # A prefix without a hole, missing at most what the last 0.2 s and a bit had.
        if count:
            assert points is not None
            assert points.step.tolist() == list(range(count))
            assert document["summary"]["loss"]["count"] == count


def test_a_lost_run_shows_in_a_store_that_is_already_open_and_can_be_resumed(
    tmp_path: Path,
) -> None:
    process = start(
        """
        writer = store.create(new_document(name="w", experiment="e"))
        writer.log("acc", 0, 123.0, 1.0)
        writer.flush()
        print(writer.id, flush=True)
        time.sleep(60)
        """,
        tmp_path / "s",
    )
    assert process.stdout
    run_id = process.stdout.readline().strip()
    store = LocalStore(tmp_path / "s")
    before = store.changes(-1)
    assert store.document(run_id)["status"] == "running"
    assert list(store.changes(before.revision).ids) == []
    with pytest.raises(StoreError, match="another process"):
        store.resume(run_id)
    process.kill()
    process.wait()
    assert list(store.changes(before.revision).ids) == [run_id]
    document = store.document(run_id)
    assert document["status"] == "lost"
    assert document["started"] <= document["ended"] <= time.time()
    assert document["summary"]["acc"]["count"] == 1
    writer = store.resume(run_id)
    writer.log("acc", 1, 124.0, 2.0)
    writer.document.update(status="finished", ended=time.time())
    writer.finish()
    assert store.document(run_id)["summary"]["acc"]["count"] == 2
    assert store.document(run_id)["status"] == "finished"


def test_eight_processes_write_at_once(tmp_path: Path) -> None:
    code = """
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.005)
    for _ in range(12):
        document = new_document(name="w", experiment="e", series="s")
        document["number"] = store.next_number("s")
        writer = store.create(document)
        writer.log("acc", 0, time.time(), 1.0)
        writer.document.update(status="finished", ended=time.time())
        writer.finish()
        print(writer.id)
    """
    go = tmp_path / "go"
    processes = [start(code, tmp_path / "s", go) for _ in range(8)]
    store = LocalStore(tmp_path / "s")
    store.find()
    go.touch()
    acknowledged = [run_id for process in processes for run_id in finished(process).split()]
    documents = store.find()
    assert len(acknowledged) == len(set(acknowledged)) == 96
    assert {document["id"] for document in documents} == set(acknowledged)
    assert all(document["status"] == "finished" for document in documents)
    # Each attempt has a number of its own, though eight kernels numbered one series.
    assert sorted(document["number"] for document in documents) == list(range(1, 97))
    (store._root / "index" / "catalog.json").unlink()
    assert by_id(LocalStore(tmp_path / "s")) == by_id(store)


def test_a_forked_child_neither_owns_nor_writes_its_parents_run(tmp_path: Path) -> None:
    process = start(
        """
        import warnings
        writer = store.create(new_document(name="w", experiment="e"))
        writer.log("acc", 0, time.time(), 1.0)
        pid = os.fork()
        if pid == 0:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                writer.log("acc", 1, time.time(), 2.0)
                writer.log("acc", 2, time.time(), 2.0)
            writer.append("cells", {"order": 1})
            writer.flush()
            writer.document["status"] = "finished"
            writer.finish()
            try:
                writer.save()
                code = 3
            except Exception as problem:
                code = 0 if "process" in str(problem) and len(caught) == 1 else 4
            # A run of the child's own works.
            own = store.create(new_document(name="child", experiment="e"))
            own.log("acc", 0, time.time(), 5.0)
            time.sleep(0.5)
            own.document["status"] = "finished"
            own.finish()
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        writer.log("acc", 1, time.time(), 3.0)
        writer.document.update(status="finished", ended=time.time())
        writer.finish()
        """,
        tmp_path / "s",
    )
    finished(process)
    store = LocalStore(tmp_path / "s")
    (run,) = store.find('name == "w"')
    assert store.points(run["id"])["acc"].value.tolist() == [1.0, 3.0]
    assert store.records(run["id"], "cells") == []
    (child,) = store.find('name == "child"')
    assert child["summary"]["acc"]["last"] == 5.0


def test_a_child_that_outlives_its_parent_does_not_keep_the_run_open(tmp_path: Path) -> None:
    process = start(
        """
        writer = store.create(new_document(name="w", experiment="e"))
        pid = os.fork()
        if pid == 0:
            print(writer.id, os.getpid(), flush=True)
            time.sleep(30)
            os._exit(0)
        time.sleep(60)
        """,
        tmp_path / "s",
    )
    assert process.stdout
    run_id, child = process.stdout.readline().split()
    store = LocalStore(tmp_path / "s")
    assert store.document(run_id)["status"] == "running"
    process.kill()
    process.wait()
    try:
        os.kill(int(child), 0)
        assert store.document(run_id)["status"] == "lost"
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_points_of_the_last_moment_are_written_at_exit(tmp_path: Path) -> None:
    code = """
    writer = store.create(new_document(name="w", experiment="e"))
    for i in range(1000):
        writer.log("acc", i, time.time(), 1.0)
    writer.write_log("bye")
    print(writer.id)
    """
    run_id = finished(start(code, tmp_path / "s")).strip()
    store = LocalStore(tmp_path / "s")
    assert store.document(run_id)["summary"]["acc"]["count"] == 1000
    assert store.logs(run_id) == "bye"


def test_points_reach_disk_without_any_call_within_a_second(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    writer = store.create(new_document(name="w", experiment="e"))
    file = tmp_path / "s" / "runs" / writer.id[:8] / writer.id / "metrics.bin"
    for ended in (False, True):
        if ended:
            writer.document.update(status="finished", ended=time.time())
            writer.finish()
            time.sleep(0.7)  # until the thread has left the run alone
        before = file.stat().st_size if file.exists() else 0
        writer.log("acc", 0, time.time(), 1.0)
        time.sleep(0.7)
        writer.log("acc", 1, time.time(), 1.0)
        time.sleep(0.7)
        assert file.stat().st_size == before + 56
    # Not saved again yet, and still right.
    assert LocalStore(tmp_path / "s").document(writer.id)["summary"]["acc"]["count"] == 4
    assert store.document(writer.id)["summary"]["acc"]["count"] == 4
    writer.save()


def test_a_run_that_another_process_resumed_is_not_overwritten(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    writer = store.create(new_document(name="w", experiment="e"))
    writer.document.update(status="finished", ended=1.0)
    writer.finish()
    code = """
    again = store.resume(sys.argv[2])
    again.document["note"] = "theirs"
    again.log("b", 0, 0.0, 1.0)
    again.document.update(status="finished")
    again.finish()
    """
    finished(start(code, tmp_path / "s", writer.id))
    with pytest.raises(StoreError, match="resumed"):
        writer.save()
    assert store.document(writer.id)["note"] == "theirs"
