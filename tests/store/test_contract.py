"""What every store promises, whatever it is made of."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from trackbook.errors import InvalidValue, QueryError, RunNotFound, StoreError
from trackbook.model import Document, new_document
from trackbook.store import LocalStore, MemoryStore, RunWriter, Store


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return LocalStore(tmp_path / ".trackbook") if request.param == "local" else MemoryStore()


def begin(store: Store, name: str = "forest", **fields: Any) -> RunWriter:
    document = new_document(name=name, experiment=fields.pop("experiment", "notebooks/demo"))
    document.update(fields)
    return store.create(document)


def end(writer: RunWriter, status: str = "finished") -> None:
    writer.document.update(status=status, ended=writer.document["started"] + 5)
    writer.finish()


def ids(documents: list[Document]) -> list[str]:
    return [document["id"] for document in documents]


def test_an_empty_store_reads_as_empty(store: Store) -> None:
    assert store.find() == []
    assert store.count() == 0
    assert store.next_number("s") == 1
    with pytest.raises(RunNotFound):
        store.resolve("latest")


def test_a_run_is_there_as_soon_as_create_returns(store: Store) -> None:
    writer = begin(store, params={"lr": 0.1, "opt": {"name": "adam"}})
    document = store.document(writer.id)
    assert document["params"] == {"lr": 0.1, "opt": {"name": "adam"}}
    assert (document["status"], document["number"]) == ("running", 1)
    assert ids(store.find()) == [writer.id]


def test_an_id_that_is_none_never_becomes_a_path(store: Store) -> None:
    for bad in ("../../../etc/passwd", "20260101-000000-", "", "20260101-000000-ABCDEFGHIJ"):
        with pytest.raises(InvalidValue):
            begin(store, id=bad)
        for read in (store.document, store.points, store.logs, store.resolve, store.resume):
            with pytest.raises(RunNotFound):
                read(bad)
        with pytest.raises(RunNotFound):
            store.edit(bad, {"star": True})


def test_the_same_id_twice_is_refused(store: Store) -> None:
    writer = begin(store)
    with pytest.raises(StoreError, match="already"):
        begin(store, id=writer.id)


def test_saved_changes_reach_readers(store: Store) -> None:
    writer = begin(store)
    writer.document["tags"]["baseline"] = ""
    writer.save()
    assert store.document(writer.id)["tags"] == {"baseline": ""}
    end(writer)
    assert store.document(writer.id)["status"] == "finished"


def test_points_come_back_in_order_with_duplicate_and_falling_steps(store: Store) -> None:
    writer = begin(store)
    logged = [(0, 1.5), (5, math.nan), (5, -math.inf), (-3, 1e-300), (2**62, 2.0)]
    for step, value in logged:
        writer.log("loss", step, 10.0, value)
    writer.log("val/loss", 1, 11.0, 7.0)
    points = store.points(writer.id)
    assert list(points) == ["loss", "val/loss"]
    assert points["loss"].step.tolist() == [step for step, _ in logged]
    assert str(points["loss"].value.tolist()) == str([value for _, value in logged])
    assert list(store.points(writer.id, ["val/loss", "nothing"])) == ["val/loss"]


def test_the_summary_ignores_nan_for_min_and_max(store: Store) -> None:
    writer = begin(store)
    for step, value in enumerate([math.nan, 3.0, 1.0, 2.0, math.nan]):
        writer.log("loss", step, 0.0, value)
    writer.log("never", 0, 0.0, math.nan)
    writer.save()
    summary = store.document(writer.id)["summary"]
    assert summary["loss"]["min"] == 1.0
    assert summary["loss"]["max"] == 3.0
    assert summary["loss"]["count"] == 5
    assert math.isnan(summary["loss"]["last"])
    assert math.isnan(summary["never"]["min"])


def test_the_last_step_is_known_also_after_a_resume(store: Store) -> None:
    writer = begin(store)
    assert writer.last_step("loss") is None
    writer.log("loss", 41, 0.0, 1.0)
    assert writer.last_step("loss") == 41
    end(writer)
    again = store.resume(writer.id)
    assert again.last_step("loss") == 41
    again.log("loss", 42, 1.0, 0.5)
    again.log("new", 0, 1.0, 0.5)
    end(again)
    assert store.points(writer.id)["loss"].step.tolist() == [41, 42]
    assert store.document(writer.id)["summary"]["loss"]["count"] == 2
    assert store.document(writer.id)["summary"]["new"]["count"] == 1


def test_a_run_that_is_owned_cannot_be_resumed(store: Store) -> None:
    writer = begin(store)
    with pytest.raises(StoreError):
        store.resume(writer.id)


def test_a_finished_run_takes_late_values(store: Store) -> None:
    writer = begin(store)
    writer.log("loss", 0, 0.0, 1.0)
    end(writer)
    writer.log("loss", 1, 0.0, 0.5)
    writer.log("acc", 0, 0.0, 0.9)
    writer.save()
    summary = store.document(writer.id)["summary"]
    assert summary["loss"]["last"] == 0.5
    assert summary["acc"]["count"] == 1
    assert store.document(writer.id)["status"] == "finished"


def test_lines_and_console_text(store: Store) -> None:
    writer = begin(store)
    assert store.records(writer.id, "cells") == []
    writer.append("cells", {"order": 0, "ok": True, "took": math.inf})
    writer.append("artifacts", {"name": "plot", "size": 3})
    writer.append("artifacts", {"name": "plot", "size": 4})
    writer.write_log("epoch 1\n")
    writer.write_log("epoch 2 ✓\n")
    assert store.records(writer.id, "cells") == [{"order": 0, "ok": True, "took": math.inf}]
    assert [line["size"] for line in store.records(writer.id, "artifacts")] == [3, 4]
    assert store.logs(writer.id) == "epoch 1\nepoch 2 ✓\n"
    with pytest.raises(InvalidValue):
        store.records(writer.id, "../run.json")
    with pytest.raises(InvalidValue):
        writer.append("other", {})


def test_numbers_of_a_series_are_unique(store: Store) -> None:
    first = begin(store, series="a", number=store.next_number("a"))
    # Another kernel asked at the same time, and was told the same number.
    second = begin(store, series="a", number=1)
    assert (first.document["number"], second.document["number"]) == (1, 2)
    assert store.document(second.id)["number"] == 2
    assert store.next_number("a") == 3
    assert store.next_number("b") == 1


def test_unknown_fields_are_kept(store: Store) -> None:
    writer = begin(store, from_the_future={"x": [1, {"$odd": 2}]})
    end(writer)
    again = store.resume(writer.id)
    again.save()
    assert store.document(writer.id)["from_the_future"] == {"x": [1, {"$odd": 2}]}


# -- find ------------------------------------------------------------------------------------------


def test_find_sorts_newest_first_and_missing_last(store: Store) -> None:
    runs = [begin(store, f"r{i}", started=100.0 + i, params=p) for i, p in enumerate(
        [{"lr": 0.3}, {}, {"lr": 0.1}, {"lr": math.nan}])]  # fmt: skip
    names = lambda found: [document["name"] for document in found]  # noqa: E731
    assert names(store.find()) == ["r3", "r2", "r1", "r0"]
    assert names(store.find(sort="params.lr"))[:2] == ["r2", "r0"]
    assert names(store.find(sort="-params.lr"))[:2] == ["r0", "r2"]
    assert names(store.find(sort=["status", "started"], limit=2)) == ["r0", "r1"]
    assert store.find(limit=0) == []
    assert len(runs) == store.count()
    with pytest.raises(QueryError):
        store.find(sort="no_such_thing")


def test_find_takes_an_expression_a_tinydb_query_and_an_experiment(store: Store) -> None:
    one = begin(store, params={"lr": 0.1})
    other = begin(store, params={"lr": "auto"}, experiment="else")
    one.log("acc", 0, 0.0, 0.95)
    one.save()
    assert ids(store.find("metrics.acc > 0.9")) == [one.id]
    assert ids(store.find(where("params")["lr"] < 1)) == [one.id]
    assert ids(store.find(experiment="else")) == [other.id]
    assert ids(store.find("  ")) == [other.id, one.id]
    with pytest.raises(QueryError):
        store.find(17)


def test_find_changes_nothing(store: Store) -> None:
    writer = begin(store, params={"b": 1})
    before = store.document(writer.id)
    store.find("params.b == 1", sort="-params.b")
    assert store.document(writer.id) == before


# -- edits -----------------------------------------------------------------------------------------


def test_edits_are_laid_over_in_their_order_and_survive_the_owner(store: Store) -> None:
    writer = begin(store, tags={"a": 1, "b": 2})
    store.edit(writer.id, {"name": "first", "tags": {"a": None, "c": "x"}})
    store.edit(writer.id, {"name": "second", "star": True, "note": "# Good"})
    writer.document["name"] = "the kernel's"
    end(writer)
    document = store.document(writer.id)
    assert document["name"] == "second"
    assert document["tags"] == {"b": 2, "c": "x"}
    assert (document["star"], document["note"]) == (True, "# Good")


@pytest.mark.parametrize(
    "change",
    [
        {"status": "finished"},
        {"star": 1},
        {"name": ""},
        {"note": None},
        {"tags": ["a"]},
        {"tags": {"": 1}},
        {"tags": {"a": object()}},
    ],
)
def test_an_edit_that_is_not_allowed_changes_nothing(store: Store, change: dict[str, Any]) -> None:
    writer = begin(store)
    before = store.document(writer.id)
    with pytest.raises(InvalidValue):
        store.edit(writer.id, change)
    assert store.document(writer.id) == before


def test_archived_and_deleted_runs_are_left_out(store: Store) -> None:
    kept, archived, deleted = begin(store), begin(store), begin(store, series="s")
    store.edit(archived.id, {"archived": True})
    store.edit(deleted.id, {"deleted": True})
    assert ids(store.find()) == [kept.id]
    assert set(ids(store.find(archived=True))) == {kept.id, archived.id}
    assert store.count() == 2
    assert store.document(deleted.id)["deleted"] is True
    assert store.next_number("s") == 2
    store.edit(deleted.id, {"deleted": False})
    assert deleted.id in ids(store.find())


def test_secrets_do_not_enter_by_an_edit(store: Store) -> None:
    writer = begin(store)
    store.edit(writer.id, {"note": "key AKIAABCDEFGHIJKLMNOP", "tags": {"api_key": "hunter2"}})
    document = store.document(writer.id)
    assert "AKIAABCDEFGHIJKLMNOP" not in document["note"]
    assert document["tags"]["api_key"] != "hunter2"


# -- references and changes ------------------------------------------------------------------------


def test_a_reference_is_an_id_a_prefix_a_name_an_attempt_or_latest(store: Store) -> None:
    old = begin(store, id="20260101-000000-aaaaaaaaaa", started=1.0, series="s")
    new = begin(store, id="20260102-000000-bbbbbbbbbb", started=2.0, series="s", number=2)
    other = begin(store, "boost", id="20260102-000000-cccccccccc", started=0.5)
    assert store.resolve(old.id) == old.id
    assert store.resolve("20260101") == old.id
    assert store.resolve("forest") == new.id
    assert store.resolve("forest #1") == old.id
    assert store.resolve("latest") == new.id
    with pytest.raises(RunNotFound, match="2 runs"):
        store.resolve("20260102")
    with pytest.raises(RunNotFound, match="'boost'"):
        store.resolve("boots")
    store.edit(other.id, {"deleted": True})
    assert store.resolve("boost") == other.id


def test_changes_name_what_changed_since_a_revision(store: Store) -> None:
    a, b = begin(store), begin(store)
    first = store.changes(-1)
    assert first.full
    assert set(first.ids) == {a.id, b.id}
    assert list(store.changes(first.revision).ids) == []
    store.edit(b.id, {"star": True})
    second = store.changes(first.revision)
    assert (list(second.ids), second.full) == ([b.id], False)
    assert second.revision > first.revision
    assert store.changes(second.revision + 100).full


# -- blobs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"x", b"ab" * 10_000, bytes(range(256)) * 3])
def test_blobs_come_back(store: Store, data: bytes, tmp_path: Path) -> None:
    name = store.blobs.put(data)
    assert store.blobs.put(data) == name
    assert store.blobs.get(name) == data
    assert store.blobs.path(name).read_bytes() == data
    file = tmp_path / "file"
    file.write_bytes(data)
    assert store.blobs.put_file(file) == (name, len(data))


@pytest.mark.parametrize(
    "name", ["", "b3-", "../x", "b3-" + "0" * 63 + "/", "md5-" + "0" * 64, "b3-" + "0" * 64]
)
def test_a_blob_that_is_not_there(store: Store, name: str) -> None:
    with pytest.raises(StoreError):
        store.blobs.get(name)
    with pytest.raises(StoreError):
        store.blobs.path(name)


def test_time_goes_by_the_document(store: Store) -> None:
    writer = begin(store, started=time.time() - 3600)
    assert ids(store.find('started > "-2h" and duration > 3000')) == [writer.id]
    assert store.find('started > "-10m"') == []


def test_the_attempt_before_is_found_also_when_some_are_gone(store: Store) -> None:
    runs = [begin(store, series="s", number=n) for n in (1, 2, 3, 5)]
    begin(store, series="other", number=4)
    for run in runs:
        end(run)
    assert store.previous("s", 1) is None
    assert (store.previous("s", 5) or {})["id"] == runs[2].id
    store.edit(runs[2].id, {"deleted": True})
    assert (store.previous("s", 5) or {})["id"] == runs[1].id
    assert (store.previous("s", 99) or {})["id"] == runs[3].id
    assert store.previous("nothing yet", 7) is None
    if store.path is not None:
        for fresh in (LocalStore(store.path), LocalStore(store.path)):
            assert (fresh.previous("s", 5) or {})["id"] == runs[1].id
            assert fresh.previous("nothing yet", 7) is None
