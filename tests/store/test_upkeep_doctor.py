"""Every fault that the doctor knows, put into a real store; and stores that have none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import orjson
import pytest

from trackbook.jsonable import dumps, loads
from trackbook.model import new_document
from trackbook.store import LocalStore
from trackbook.store.upkeep import doctor


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    made = LocalStore(tmp_path / "s")
    made.prepare()
    return made


def root(store: LocalStore) -> Path:
    assert store.path
    return store.path


def place(store: LocalStore, run_id: str) -> Path:
    return root(store) / "runs" / run_id[:8] / run_id


def run(store: LocalStore) -> str:
    put = store.blobs.put
    document = new_document(name="w", experiment="e", series="s")
    document["cell"] = {"id": "0", "source": put(b"a = 1" * 100)}
    inner = put(b"b = 2")
    document["notebook"] = {"path": "a", "snapshot": put(dumps({"cells": [{"source": inner}]}))}
    writer = store.create(document)
    for step, value in enumerate([1.0, float("nan"), 0.5, float("inf")]):
        writer.log("loss", step, time.time(), value)
        writer.log("acc", step, time.time(), -value)
    writer.append("cells", {"order": 0, "source": inner})
    writer.append("artifacts", {"name": "m", "blob": put(b"model"), "size": 5})
    writer.document.update(status="finished", ended=time.time())
    writer.finish()
    store.edit(writer.id, {"star": True})
    return writer.id


def found(store: LocalStore, *, deep: bool = False) -> list[str]:
    before = {p: p.read_bytes() for p in root(store).rglob("*") if p.is_file()}
    problems = doctor.examine(LocalStore(root(store)), deep=deep)
    assert {p: p.read_bytes() for p in root(store).rglob("*") if p.is_file()} == before
    assert all(problem.cure for problem in problems)
    return [f"{problem.where}: {problem.what}" for problem in problems]


def test_a_whole_store_has_no_problems(store: LocalStore) -> None:
    assert found(store, deep=True) == []
    ids = [run(store) for _ in range(3)]
    store.edit(ids[0], {"deleted": True})
    assert found(store, deep=True) == []
    store.find()
    store.write_back()
    assert found(store, deep=True) == []
    # Late points, after the end.
    writer = store.resume(ids[1])
    writer.log("late", 0, time.time(), 1.0)
    writer.document.update(status="finished")
    writer.finish()
    writer.log("late", 1, time.time(), 2.0)
    writer.flush()
    assert found(store, deep=True) == []


def test_a_running_and_a_killed_run_are_no_problem(store: LocalStore) -> None:
    code = """
    import sys, time
    from trackbook.model import new_document
    from trackbook.store import open_store
    store = open_store(sys.argv[1])
    writer = store.create(new_document(name="w", experiment="e"))
    store.find()
    store.write_back()
    print(writer.id, flush=True)
    while True:
        writer.log("loss", 0, time.time(), 1.0)
        time.sleep(0.0001)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(store.path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    process.stdout.readline()
    try:
        time.sleep(0.3)
        for _ in range(3):
            assert found_live(store) == []
    finally:
        process.kill()
        process.wait()
    assert found(store, deep=True) == []


def found_live(store: LocalStore) -> list[doctor.Problem]:
    return doctor.examine(LocalStore(root(store)), deep=True)


def fault_in_run(store: LocalStore, run_id: str, fault: str) -> None:
    here = place(store, run_id)
    document = loads((here / "run.json").read_bytes())
    if fault == "document":
        (here / "run.json").write_bytes(b'{"id": ')
    elif fault == "no document":
        (here / "run.json").unlink()
    elif fault == "id":
        document["id"] = "20200101-000000-aaaaaaaaaa"
        (here / "run.json").write_bytes(dumps(document))
    elif fault == "summary":
        document["summary"]["loss"]["min"] = 0.25
        (here / "run.json").write_bytes(dumps(document))
    elif fault == "points":
        data = (here / "metrics.bin").read_bytes()
        (here / "metrics.bin").write_bytes(data[:-28])
    elif fault == "torn record":
        with (here / "metrics.bin").open("ab") as file:
            file.write(b"half")
    elif fault == "keys":
        lines = (here / "metrics.keys").read_bytes().splitlines(keepends=True)
        (here / "metrics.keys").write_bytes(lines[0])
        del document["summary"][orjson.loads(lines[1])]
        (here / "run.json").write_bytes(dumps(document))
    elif fault == "line":
        with (here / "cells.jsonl").open("ab") as file:
            file.write(b"{no}\n")
    elif fault == "torn line":
        with (here / "artifacts.jsonl").open("ab") as file:
            file.write(b'{"name": "m')
    elif fault == "edit":
        (here / "edits" / "0000000000000001-aaaaaaaa.json").write_bytes(b"{")
    elif fault == "edit name":
        (here / "edits" / "mine.json").write_bytes(b'{"change": {}}')


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("document", "run.json cannot be read"),
        ("no document", "no run.json"),
        ("id", "has the id '20200101-000000-aaaaaaaaaa'"),
        ("summary", "summary of 'loss' is not what metrics.bin has"),
        ("points", "is not what metrics.bin has"),
        ("torn record", "torn record"),
        ("keys", "no name for key 1"),
        ("line", "line 2 of cells.jsonl is damaged"),
        ("torn line", "artifacts.jsonl ends in a torn line"),
        ("edit", "no readable edit"),
        ("edit name", "no readable edit"),
    ],
)
def test_a_fault_in_a_run_is_found(store: LocalStore, fault: str, words: str) -> None:
    run(store)
    run_id = run(store)
    fault_in_run(store, run_id, fault)
    (problem,) = found(store)
    assert problem.startswith(run_id)
    assert words in problem


@pytest.mark.parametrize("which", ["cell", "artifact", "inner", "snapshot"])
def test_a_missing_blob_is_found_by_way_of_others_too(store: LocalStore, which: str) -> None:
    run_id = run(store)
    document = store.document(run_id)
    name = {
        "cell": document["cell"]["source"],
        "artifact": store.records(run_id, "artifacts")[0]["blob"],
        "inner": store.records(run_id, "cells")[0]["source"],
        "snapshot": document["notebook"]["snapshot"],
    }[which]
    next((root(store) / "blobs").rglob(f"{name}*")).unlink()
    (problem,) = found(store)
    assert problem == f"{run_id}: it needs blob {name}, which is missing"


@pytest.mark.parametrize("packed", [True, False])
def test_a_damaged_blob_is_found_by_looking_deep(store: LocalStore, packed: bool) -> None:
    run_id = run(store)
    name = store.document(run_id)["cell"]["source"]
    if not packed:
        name = store.records(run_id, "artifacts")[0]["blob"]
    file = next((root(store) / "blobs").rglob(f"{name}*"))
    assert (file.suffix == ".zst") == packed
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    assert found(store) == []
    (problem,) = found(store, deep=True)
    assert name in problem


def test_what_is_no_part_of_a_store_is_found(store: LocalStore, tmp_path: Path) -> None:
    run_id = run(store)
    (root(store) / "runs" / "mine").mkdir()
    (place(store, run_id).parent / "copy of a run").mkdir()
    (next((root(store) / "blobs").iterdir()) / "b3-short").write_text("x")
    (root(store) / "runs" / ".DS_Store").write_text("x")
    assert len(found(store)) == 3
    shutil.move(place(store, run_id), tmp_path / "moved")
    place(store, run_id).symlink_to(tmp_path / "moved")
    assert sum("a link" in problem for problem in found(store)) == 1


def rewrite_catalogue(store: LocalStore, run_id: str) -> None:
    """A catalogue that is whole and wrong: as if a reader had missed a change."""
    here = place(store, run_id)
    data, times = (here / "run.json").read_bytes(), here.parent.stat()
    (here / "run.json").write_bytes(data.replace(b'"name": "w"', b'"name": "x"'))
    os.utime(here.parent, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert data != (here / "run.json").read_bytes()


def test_a_wrong_catalogue_is_found_and_rebuilt_for_open_readers_too(store: LocalStore) -> None:
    ids = [run(store), run(store)]
    watching = LocalStore(root(store))
    assert {document["name"] for document in watching.find()} == {"w"}
    time.sleep(3.1)  # until new folders are trusted to stay as they are
    watching.find()
    (root(store) / "index" / "catalog.json").unlink()
    watching.write_back()
    rewrite_catalogue(store, ids[0])
    (problem,) = found(store)
    assert "catalog.json" in problem
    assert ids[0] in problem
    assert watching.document(ids[0])["name"] == "w"
    before = {p: p.read_bytes() for p in (root(store) / "runs").rglob("*") if p.is_file()}
    doctor.repair(LocalStore(root(store)))
    assert found(store) == []
    assert (root(store) / "index" / "catalog.json").is_file()
    assert watching.document(ids[0])["name"] == "x"
    assert LocalStore(root(store)).document(ids[0])["name"] == "x"
    assert {p: p.read_bytes() for p in (root(store) / "runs").rglob("*") if p.is_file()} == before
    assert store.next_number("s") == 3


def test_a_damaged_catalogue_is_found_and_rebuilt(store: LocalStore) -> None:
    run(store)
    store.find()
    store.write_back()
    file = root(store) / "index" / "catalog.json"
    file.write_bytes(file.read_bytes()[:-10])
    (problem,) = found(store)
    assert "cannot be used" in problem
    doctor.repair(store)
    assert found(store) == []
    shutil.rmtree(root(store) / "index")
    assert found(store) == []
