"""Notice files that are put aside and retired: no reader misses a change, none reads all anew."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from test_crashes import finished, start

from trackbook.model import new_document
from trackbook.store import LocalStore, notices
from trackbook.store.catalogue import Catalogue


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / ".trackbook"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "LONGEST", 200)


@pytest.fixture
def rebuilds(monkeypatch: pytest.MonkeyPatch) -> list[Catalogue]:
    """The catalogues that were made from the folders."""
    made: list[Catalogue] = []
    real = Catalogue._rebuild

    def counted(self: Catalogue) -> set[str]:
        made.append(self)
        return real(self)

    monkeypatch.setattr(Catalogue, "_rebuild", counted)
    return made


def begin(store: LocalStore) -> str:
    writer = store.create(new_document(name="forest", experiment="e"))
    writer.document.update(status="finished", ended=time.time())
    writer.finish()
    return writer.id


def logs(root: Path) -> list[Path]:
    return sorted((root / "index" / "changes").glob("*.log"))


def test_a_long_file_is_put_aside_and_no_reader_misses_a_change(
    root: Path, rebuilds: list[Catalogue]
) -> None:
    store, lagging = LocalStore(root), LocalStore(root)
    run_id = begin(store)
    lagging.find()
    reader = LocalStore(root)
    reader.find()
    rebuilds.clear()
    for i in range(12):
        store.edit(run_id, {"note": f"{i}"})
        assert reader.document(run_id)["note"] == f"{i}"
        reader.write_back()
    assert len(logs(root)) > 2
    assert lagging.document(run_id)["note"] == "11"
    assert LocalStore(root).document(run_id)["note"] == "11"
    assert rebuilds == []


def test_an_old_file_is_retired_and_only_who_had_not_read_it_reads_all(
    root: Path, rebuilds: list[Catalogue]
) -> None:
    store, lagging = LocalStore(root), LocalStore(root)
    run_id = begin(store)
    lagging.find()
    for i in range(6):
        store.edit(run_id, {"note": f"{i}"})
    reader = LocalStore(root)
    reader.find()
    reader.write_back()
    store.edit(run_id, {"note": "new"})
    reader.find()
    assert len(logs(root)) == 2
    os.utime(logs(root)[0], (1, 1))
    rebuilds.clear()
    reader.write_back()
    assert len(logs(root)) == 1
    assert reader.document(run_id)["note"] == "new"
    assert LocalStore(root).document(run_id)["note"] == "new"
    assert rebuilds == []
    assert lagging.document(run_id)["note"] == "new"
    assert len(rebuilds) == 1


def test_a_write_to_a_file_that_was_put_aside_meanwhile_is_still_seen(root: Path) -> None:
    store, reader = LocalStore(root), LocalStore(root)
    run_id = begin(store)
    reader.find()
    (log,) = logs(root)
    with log.open("ab") as opened:
        for i in range(6):
            store.edit(run_id, {"note": f"{i}"})
        reader.find()
        reader.write_back()
        store.edit(run_id, {"note": "x"})
        reader.find()
        assert len(logs(root)) == 2
        (root / "runs" / run_id[:8] / run_id / "edits").rename(root / "aside")
        opened.write(f"> {run_id}\n< {run_id}\n".encode())
    assert reader.document(run_id)["note"] == ""


def test_processes_write_and_readers_put_aside_at_once(root: Path) -> None:
    code = """
    from trackbook.store import notices
    notices.LONGEST = 200
    for _ in range(15):
        writer = store.create(new_document(name="w", experiment="e"))
        writer.document.update(status="finished", ended=time.time())
        writer.finish()
        store.find()
        store.write_back()
        print(writer.id)
    """
    processes = [start(code, root) for _ in range(4)]
    reader = LocalStore(root)
    while any(process.poll() is None for process in processes):
        reader.find()
        reader.write_back()
    acknowledged = {run_id for process in processes for run_id in finished(process).split()}
    documents = {document["id"]: document for document in reader.find()}
    assert documents.keys() == acknowledged
    assert {document["status"] for document in documents.values()} == {"finished"}
    assert len(logs(root)) > 5
    assert LocalStore(root).find().ids() == reader.find().ids()
