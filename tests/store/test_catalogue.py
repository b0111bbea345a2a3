"""The catalogue: derived, disposable, and never older than the folders."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tinydb import TinyDB, where

from trackbook.errors import RunNotFound, StoreError
from trackbook.jsonable import dumps, encode, loads
from trackbook.model import Document, new_document
from trackbook.store import LocalStore, RunWriter, catalogfile, runtable


def begin(store: LocalStore, **fields: Any) -> RunWriter:
    document = new_document(name="forest", experiment="e")
    document.update(fields)
    return store.create(document)


def finish(writer: RunWriter) -> None:
    writer.document.update(status="finished", ended=time.time())
    writer.finish()


def everything(store: LocalStore) -> dict[str, Document]:
    store.find()
    return {d["id"]: encode(d) for d in store._catalogue.table.rows.documents()}


def rebuilt(root: Path) -> dict[str, Document]:
    """What a reader finds that has nothing but the folders."""
    from trackbook.store import folder

    found = {}
    for path in root.glob("runs/*/*"):
        document, _ = folder.read_document(path)
        if document is not None:
            found[path.name] = encode(document)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / ".trackbook"


def place(root: Path, run_id: str) -> Path:
    return root / "runs" / run_id[:8] / run_id


def test_the_file_opens_in_plain_tinydb(root: Path) -> None:
    store = LocalStore(root)
    ids = {begin(store, params={"lr": i / 10}).id for i in range(3)}
    store.find()
    with TinyDB(root / "index" / "catalog.json") as db:
        table = db.table("runs")
        assert {document["id"] for document in table.all()} == ids
        assert all(isinstance(document.doc_id, int) for document in table.all())
        (found,) = table.search(where("params")["lr"] == 0.1)
        assert table.get(doc_id=found.doc_id) == found
    # TinyDB wrote the file anew when it was closed, or not: either way we read the folders' truth.
    assert everything(LocalStore(root)) == rebuilt(root)


def test_nobody_writes_through_the_catalogue(root: Path) -> None:
    store = LocalStore(root)
    begin(store)
    store.find()
    with pytest.raises(StoreError):
        store._catalogue.table.insert({"id": "x"})
    with TinyDB(root / "index" / "catalog.json") as db:
        db.table("runs").insert({"id": "20260101-000000-zzzzzzzzzz", "name": "forged"})
    assert [d["name"] for d in LocalStore(root).find()] == ["forest"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"runs": {}, "_catalog": {}}', None]
)
def test_a_damaged_catalogue_file_is_made_anew(root: Path, content: bytes | None) -> None:
    store = LocalStore(root)
    for value in (1.0, float("nan")):
        begin(store, params={"x": value})
    store.find()
    file = root / "index" / "catalog.json"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert everything(LocalStore(root)) == rebuilt(root)
    assert json.loads(file.read_bytes())["runs"]


def test_it_starts_from_its_file_and_reads_only_what_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trackbook.store import folder

    store = LocalStore(root)
    writers = [begin(store) for _ in range(5)]
    for writer in writers:
        finish(writer)
    time.sleep(2.1)  # a day folder is only trusted when it has been quiet for a while
    store.find()
    store.edit(writers[0].id, {"star": True})
    read: list[str] = []
    real = folder.read_document

    def counted(path: Path) -> Any:
        read.append(path.name)
        return real(path)

    store.write_back()
    time.sleep(3.1)
    store.find()
    store.write_back()
    store.edit(writers[1].id, {"star": True})
    monkeypatch.setattr(folder, "read_document", counted)
    fresh = LocalStore(root)
    assert len(fresh.find()) == 5
    assert set(read) == {writers[1].id}
    read.clear()
    fresh.find()
    assert read == []


def test_folders_copied_in_or_removed_are_seen(root: Path, tmp_path: Path) -> None:
    store, other = LocalStore(root), LocalStore(tmp_path / "other")
    old = begin(other, id="20240229-120000-aaaaaaaaaa")
    finish(old)
    mine = begin(store)
    finish(mine)
    assert len(store.find()) == 1
    shutil.copytree(place(tmp_path / "other", old.id), place(root, old.id))
    assert {d["id"] for d in store.find()} == {mine.id, old.id}
    same_day = begin(other)
    finish(same_day)
    shutil.copytree(place(tmp_path / "other", same_day.id), place(root, same_day.id))
    assert {d["id"] for d in store.find()} == {mine.id, old.id, same_day.id}
    revision = store.changes(-1).revision
    shutil.rmtree(root / "runs" / "20240229")
    assert list(store.changes(revision).ids) == [old.id]
    shutil.rmtree(place(root, mine.id))
    assert {d["id"] for d in store.find()} == {same_day.id}
    with pytest.raises(RunNotFound):
        store.document(mine.id)


def test_a_folder_that_is_still_being_copied_is_seen_when_it_is_whole(
    root: Path, tmp_path: Path
) -> None:
    other = LocalStore(tmp_path / "other")
    writer = begin(other, id="20240229-120000-aaaaaaaaaa")
    finish(writer)
    data = (place(tmp_path / "other", writer.id) / "run.json").read_bytes()
    store = LocalStore(root)
    store.prepare()
    target = place(root, writer.id)
    target.mkdir(parents=True)
    assert store.find() == []
    (target / "run.json").write_bytes(data[:50])
    assert [d["error"]["type"] for d in store.find()] == ["Damaged"]
    os.utime(target.parent, (1, 1))  # not even the folder's time tells
    store.find()
    (target / "run.json").write_bytes(data)
    assert [d["status"] for d in store.find()] == ["finished"]


def test_the_index_may_be_deleted_at_any_time(root: Path) -> None:
    store = LocalStore(root)
    writer = begin(store, series="s")
    finish(begin(store, series="s"))
    assert len(store.find()) == 2
    shutil.rmtree(root / "index")
    writer.document["note"] = "after"
    writer.save()
    assert store.document(writer.id)["note"] == "after"
    shutil.rmtree(root / "index")
    store.edit(writer.id, {"name": "edited"})
    third = begin(store, series="s", number=2)
    assert third.document["number"] == 3
    shutil.rmtree(root / "index")
    assert everything(store) == rebuilt(root)
    assert len(everything(store)) == 3


def test_a_notice_file_that_was_made_anew_is_noticed_though_it_grew(root: Path) -> None:
    store = LocalStore(root)
    writer = begin(store)
    store.find()
    (log,) = (root / "index" / "changes").iterdir()
    log.unlink()
    for i in range(5):
        other = LocalStore(root)
        other.edit(writer.id, {"note": f"{i}"})
    assert store.document(writer.id)["note"] == "4"


def test_a_change_without_its_closing_notice_is_looked_at_every_time(root: Path) -> None:
    store = LocalStore(root)
    writer = begin(store)
    finish(writer)
    store.find()
    store._notices.begin(writer.id)
    store.find()
    # The writer died right after the replacement.
    file = place(root, writer.id) / "run.json"
    document = loads(file.read_bytes())
    file.write_bytes(dumps({**document, "note": "changed"}))
    assert store.document(writer.id)["note"] == "changed"


def test_a_mangled_notice_hides_no_other(root: Path) -> None:
    store = LocalStore(root)
    writer = begin(store)
    store.find()
    (log,) = (root / "index" / "changes").iterdir()
    with log.open("ab") as file:
        file.write(b"> 2026")  # a disk that was full for a moment
    store.edit(writer.id, {"note": "seen"})
    assert store.document(writer.id)["note"] == "seen"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"params": []}',
        b'{"started": "now"}',
        b'{"summary": {"acc": {"last": "x"}}}',
        b'{"notebook": "a.ipynb"}',
        b'{"params":' + b'{"a":' * 500 + b"1" + b"}" * 501,
        b"[" * 100_000,
    ],
)
def test_one_broken_run_is_listed_and_hides_no_other(root: Path, content: bytes) -> None:
    store = LocalStore(root)
    good, bad = begin(store), begin(store)
    finish(good)
    finish(bad)
    (place(root, bad.id) / "run.json").write_bytes(content)
    fresh = LocalStore(root)
    shutil.rmtree(root / "index")
    assert {d["id"] for d in fresh.find()} == {good.id, bad.id}
    damaged = fresh.document(bad.id)
    assert (damaged["status"], damaged["error"]["type"]) == ("lost", "Damaged")
    assert fresh.find('error.type == "Damaged"', sort="-params.x")[0]["id"] == bad.id
    with pytest.raises(StoreError):
        fresh.resume(bad.id)
    fresh.edit(bad.id, {"deleted": True})
    assert [d["id"] for d in fresh.find()] == [good.id]


def test_unreadable_parts_of_a_run_hide_nothing(root: Path) -> None:
    store = LocalStore(root)
    writer = begin(store)
    finish(writer)
    folder = place(root, writer.id)
    (folder / "metrics.bin").mkdir()
    (folder / "edits").write_text("not a folder")
    document = loads((folder / "run.json").read_bytes())
    (folder / "run.json").write_bytes(dumps({**document, "status": "running"}))
    assert [d["status"] for d in LocalStore(root).find()] == ["lost"]


def test_a_newer_format_is_read_and_never_rewritten(root: Path) -> None:
    store = LocalStore(root)
    writer = begin(store)
    finish(writer)
    file = place(root, writer.id) / "run.json"
    document = loads(file.read_bytes())
    file.write_bytes(dumps({**document, "format": 2, "shape": "new"}))
    fresh = LocalStore(root)
    (root / "index" / "catalog.json").unlink(missing_ok=True)
    assert fresh.find()[0]["shape"] == "new"
    with pytest.raises(StoreError, match="newer"):
        fresh.resume(writer.id)
    state = loads((root / "store.json").read_bytes())
    (root / "store.json").write_bytes(dumps({**state, "format": 2}))
    newer = LocalStore(root)
    assert newer.count() == 1
    for write in (lambda: begin(newer), lambda: newer.edit(writer.id, {"star": True})):
        with pytest.raises(StoreError, match="newer"):
            write()
    with pytest.raises(StoreError, match="newer"):
        newer.blobs.put(b"x")


def test_not_a_number_does_not_count_as_a_change(root: Path) -> None:
    store = LocalStore(root)
    writer = begin(store, params={"x": float("nan")})
    revision = store.changes(-1).revision
    store._notices.begin(writer.id)
    assert store.changes(revision) == (revision, [], False)


class Life(RuleBasedStateMachine):
    """Whatever happens to a store, a refreshed catalogue equals the folders."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        # Packed after every few runs, as large stores are.
        runtable.RECENT = catalogfile.PACKED = 3

        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name) / "s"
        self.writing = LocalStore(self.root)
        self.reading = LocalStore(self.root)
        self.writers: list[RunWriter] = []

    def teardown(self) -> None:
        runtable.RECENT, catalogfile.PACKED = 512, runtable.PACKED
        for writer in self.writers:
            writer.finish()
        self.folder.cleanup()

    def pick(self, n: int) -> RunWriter:
        return self.writers[n % len(self.writers)]

    @rule()
    def create(self) -> None:
        self.writers.append(begin(self.writing))

    @precondition(lambda self: self.writers)
    @rule(n=st.integers(0, 9), value=st.floats())
    def log_and_save(self, n: int, value: float) -> None:
        self.pick(n).log("loss", 0, 0.0, value)
        self.pick(n).save()

    @precondition(lambda self: self.writers)
    @rule(n=st.integers(0, 9))
    def end(self, n: int) -> None:
        finish(self.pick(n))

    @precondition(lambda self: self.writers)
    @rule(
        n=st.integers(0, 9),
        change=st.sampled_from([{"star": True}, {"deleted": True}, {"tags": {"a": 1}}]),
    )
    def edit(self, n: int, change: dict[str, Any]) -> None:
        self.writing.edit(self.pick(n).id, change)

    @precondition(lambda self: self.writers)
    @rule(n=st.integers(0, 9))
    def remove(self, n: int) -> None:
        writer = self.pick(n)
        finish(writer)
        self.writers.remove(writer)
        shutil.rmtree(place(self.root, writer.id))

    @precondition(lambda self: self.writers)
    @rule(n=st.integers(0, 9), day=st.sampled_from(["20200101", "20200102"]))
    def copy(self, n: int, day: str) -> None:
        source = place(self.root, self.pick(n).id)
        target = place(self.root, day + source.name[8:])
        shutil.copytree(source, target, dirs_exist_ok=False) if not target.exists() else None

    @rule()
    def delete_index(self) -> None:
        shutil.rmtree(self.root / "index", ignore_errors=True)

    @rule()
    def start_again(self) -> None:
        self.reading.write_back()
        self.reading = LocalStore(self.root)

    @rule()
    def refresh(self) -> None:
        self.reading.find()

    @invariant()
    def refreshed_equals_rebuilt(self) -> None:
        assert everything(self.reading) == rebuilt(self.root)


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
