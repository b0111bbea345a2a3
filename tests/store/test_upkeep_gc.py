"""Garbage collection of real stores: what runs need stays, whatever else happens."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trackbook.capture.celllog import CellLog, Kept
from trackbook.capture.filecontents import Contents
from trackbook.capture.notebook import Sources
from trackbook.capture.randomness import Randomness
from trackbook.errors import StoreError
from trackbook.jsonable import dumps, loads
from trackbook.model import new_document
from trackbook.store import LocalStore
from trackbook.store.upkeep import purge, sweep

DAY = 86_400


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    made = LocalStore(tmp_path / "s")
    made.prepare()
    return made


def root(store: LocalStore) -> Path:
    assert store.path
    return store.path


def age(store: LocalStore, days: float = 2.0) -> None:
    """Make every blob and leaving look old."""
    moment = time.time() - days * DAY
    for path in root(store).rglob("*"):
        os.utime(path, (moment, moment))


def whole_run(store: LocalStore) -> tuple[str, set[str]]:
    """A run that names blobs in every way there is; returns its id and all their names."""
    put = store.blobs.put
    source, patch = put(b"x = 1"), put(b"--- a patch")
    inner = [put(f"cell {n}".encode()) for n in range(3)]
    cells = [{"id": str(n), "type": "code", "source": name} for n, name in enumerate(inner)]
    snapshot = put(dumps({"cells": cells, "path": "a.ipynb", "tracked": "0"}))
    early = [put(f"early {n}".encode()) for n in range(2)]
    segment = put(b"\n".join(dumps({"order": n, "source": s}) for n, s in enumerate(early)))
    late, model = put(b"late"), put(os.urandom(5000))
    document = new_document(name="w", experiment="e", series="w")
    document["cell"] = {"id": "0", "source": source}
    document["notebook"] = {"path": "a.ipynb", "snapshot": snapshot}
    document["git"] = {"commit": None, "patch": patch}
    # Some later part of Trackbook: a manifest under a key that nobody here knows.
    unknown = put(b"something")
    document["manifest"] = put(dumps({"some": unknown}))
    module = put(b"def f(): ...")
    document["modules"] = put(dumps([{"name": "mine", "path": "mine.py", "blob": module}]))
    writer = store.create(document)
    writer.append("cells", {"segment": segment, "count": 2})
    writer.append("cells", {"order": 2, "source": late})
    writer.append("artifacts", {"name": "m", "blob": model, "size": 5000})
    writer.log("loss", 0, 1.0, 1.0)
    writer.document.update(status="finished", ended=time.time())
    writer.finish()
    names = {source, patch, snapshot, segment, late, model, module, unknown}
    names |= {document["modules"], document["manifest"]}
    return writer.id, names | set(inner) | set(early)


def kept(store: LocalStore) -> set[str]:
    files = (root(store) / "blobs").rglob("[bs]*-*")
    return {path.name.removesuffix(".zst") for path in files if path.is_file()}


def collect(store: LocalStore) -> sweep.Survey:
    found = sweep.survey(store)
    sweep.sweep(store, found)
    return found


def test_what_a_run_names_in_any_way_stays_and_the_rest_goes(store: LocalStore) -> None:
    run_id, names = whole_run(store)
    stray = store.blobs.put(b"nobody names me")
    assert kept(store) == names | {stray}
    age(store)
    found = sweep.survey(store)
    assert found.problems == []
    assert [entry.path.name for entry in found.removable()] == [stray]
    assert kept(store) == names | {stray}  # a survey changes nothing
    assert sweep.sweep(store, found) == len(b"nobody names me")
    assert kept(store) == names
    assert all(store.blobs.get(name) is not None for name in names)
    # In the trash a run still needs its blobs; purged it does not.
    store.edit(run_id, {"deleted": True})
    collect(store)
    assert kept(store) == names
    purge.purge(store, run_id)
    collect(store)
    assert kept(store) == set()


def test_nothing_younger_than_a_day_goes(store: LocalStore) -> None:
    stray = store.blobs.put(b"on its way into a run")
    temporary = root(store) / "blobs" / ".incoming.1-aaaaaaaa.tmp"
    temporary.write_bytes(b"half")
    age(store, 0.9)
    collect(store)
    assert kept(store) == {stray}
    assert temporary.exists()
    age(store, 1.1)
    collect(store)
    assert kept(store) == set()
    assert not temporary.exists()


def test_what_killed_processes_left_goes(store: LocalStore, tmp_path: Path) -> None:
    run_id, names = whole_run(store)
    day = root(store) / "runs" / run_id[:8]
    half = day / f".{run_id}.1-aaaaaaaa.tmp"
    half.mkdir()
    (half / "run.json").write_text("{}")
    for place in (day / run_id, root(store) / "index", root(store)):
        (place / ".run.json.1-aaaaaaaa.tmp").write_bytes(b"12345")
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    (root(store) / "linked.tmp").symlink_to(mine)
    (root(store) / "notes.txt").write_text("a user's own")
    age(store)
    found = collect(store)
    assert sum(entry.kind == "leaving" for entry in found.unneeded) == 4
    assert not half.exists()
    assert {p.name for p in root(store).glob("*.t*")} == {"linked.tmp", "notes.txt"}
    assert mine.read_text() == "mine"
    assert kept(store) == names
    assert [document["id"] for document in store.find()] == [run_id]


@pytest.mark.parametrize(
    "fault", ["document", "line", "newer", "no document", "segment", "missing", "folder", "link"]
)
def test_no_blob_goes_while_something_cannot_be_read(store: LocalStore, fault: str) -> None:
    run_id, _ = whole_run(store)
    store.blobs.put(b"nobody names me")
    place = root(store) / "runs" / run_id[:8] / run_id
    age(store)
    if fault == "document":
        (place / "run.json").write_bytes((place / "run.json").read_bytes()[:-20])
    elif fault == "line":
        data = (place / "cells.jsonl").read_bytes()
        (place / "cells.jsonl").write_bytes(data[5:])
    elif fault == "newer":
        document = loads((place / "run.json").read_bytes())
        (place / "run.json").write_bytes(dumps({**document, "format": 2}))
    elif fault == "no document":
        (place / "run.json").unlink()
    elif fault in ("segment", "missing"):
        name = store.records(run_id, "cells")[0]["segment"]
        path = next((root(store) / "blobs").rglob(f"{name}*"))
        path.unlink()
        if fault == "segment":
            path.with_name(name + ".zst").write_bytes(b"\x28\xb5\x2f\xfd damaged")
    elif fault == "folder":
        if os.geteuid() == 0:
            (place / "cells.jsonl").unlink()
            (place / "cells.jsonl").mkdir()
        else:
            place.chmod(0)
    elif fault == "link":
        place.rename(root(store) / "elsewhere")
        place.symlink_to(root(store) / "elsewhere")
    before = kept(store)
    found = collect(store)
    assert len(found.problems) == 1, found.problems
    assert found.removable() == []
    assert kept(store) == before
    if fault == "folder":
        place.chmod(0o755)


def test_a_torn_last_line_names_nothing_yet(store: LocalStore) -> None:
    run_id, names = whole_run(store)
    place = root(store) / "runs" / run_id[:8] / run_id
    with (place / "artifacts.jsonl").open("ab") as file:
        file.write(b'{"name": "torn", "blo')
    stray = store.blobs.put(b"nobody names me")
    age(store)
    assert collect(store).problems == []
    assert kept(store) == names
    assert stray not in names


def test_a_users_own_text_that_looks_like_a_blob_stops_nothing(store: LocalStore) -> None:
    document = new_document(name="w", experiment="e")
    document["params"] = {"checkpoint": "b3-" + "0" * 64}
    document["inputs"] = [{"name": "data", "hash": "b3-" + "1" * 64, "sampled": False}]
    store.create(document).finish()
    store.blobs.put(b"nobody names me")
    age(store)
    assert collect(store).problems == []
    assert kept(store) == set()


def test_a_blob_that_is_kept_again_during_a_sweep_stays(store: LocalStore) -> None:
    name = store.blobs.put(b"used again")
    age(store)
    found = sweep.survey(store)
    assert store.blobs.put(b"used again") == name
    assert sweep.sweep(store, found) == 0
    assert store.blobs.get(name) == b"used again"
    collect(store)
    assert store.blobs.get(name) == b"used again"


def test_keepers_and_sweepers_at_once_lose_no_kept_blob(store: LocalStore) -> None:
    contents = [f"content {n}".encode() * 10 for n in range(40)]
    names = {store.blobs.put(content) for content in contents}
    for _ in range(5):
        age(store)
        threads = [threading.Thread(target=collect, args=(store,)) for _ in range(2)]
        found = sweep.survey(store)
        for thread in threads:
            thread.start()
        assert {store.blobs.put(content) for content in contents} == names
        sweep.sweep(store, found)
        for thread in threads:
            thread.join()
        assert [store.blobs.get(name) for name in names]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that can be set ahead."""
    ahead, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + ahead[0])
    yield ahead


def test_a_kernel_that_lives_for_days_never_names_a_swept_blob(
    store: LocalStore, later: list[float]
) -> None:
    sources, log, contents = Sources(store.blobs), CellLog(), Contents()
    keeping = Kept(store.blobs, Randomness(store.blobs), contents)
    contents.hold("data.csv", "h", b"read by the first cell")
    for n in range(60):
        log.add({"order": n, "source": f"cell {n}"})
    log.executions[0]["files"] = [{"path": "data.csv", "hash": "h"}]
    log.executions[55]["rng"] = {"python": random.Random(7).getstate()}
    first = list(log.records(sources, keeping))
    assert len(kept(store)) == 63
    later[0] = 2.0 * DAY
    collect(store)
    assert kept(store) == set()
    assert list(log.records(sources, keeping)) == first
    for line in first:
        store.blobs.get(str(line.get("segment") or line.get("source")))
    store.blobs.get(first[6]["rng"]["python"])
    assert len(kept(store)) == 63


def test_bytes_by_kind_add_up(store: LocalStore) -> None:
    run_id, _ = whole_run(store)
    store.blobs.put(b"nobody names me")
    store.find()
    store.write_back()
    found = sweep.survey(store)
    identity = sum((root(store) / name).stat().st_size for name in ("store.json", ".gitignore"))
    everything = sum(path.stat().st_size for path in root(store).rglob("*") if path.is_file())
    assert sum(found.kinds.values()) == everything - identity
    assert found.kinds["metrics"] == 28 + len(b'"loss"\n')
    assert found.kinds["artifacts"] > 5000
    assert found.kinds["unneeded"] == len(b"nobody names me")
    assert all(found.kinds.values())
    (largest,) = sweep.largest(store, found)
    assert (largest["id"], largest["name"]) == (run_id, "w")
    assert largest["bytes"] > largest["own"]


def test_a_store_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        sweep.survey(LocalStore(tmp_path))
    assert list(tmp_path.iterdir()) == []
