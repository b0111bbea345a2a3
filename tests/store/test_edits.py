"""The history of edits, and undoing them, in every store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackbook.errors import InvalidValue, RunNotFound, StoreError
from trackbook.jsonable import dumps, loads
from trackbook.model import new_document
from trackbook.store import LocalStore, MemoryStore, Store
from trackbook.store.edits import redoable

STORES = ("local", "memory")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return LocalStore(tmp_path / ".trackbook") if request.param == "local" else MemoryStore()


def made(store: Store, **fields: Any) -> str:
    document = {**new_document(name="forest", experiment="e"), **fields}
    writer = store.create(document)
    writer.document.update(status="finished", ended=document["started"] + 1)
    writer.finish()
    return writer.id


def edited(store: Store, run_id: str) -> dict[str, Any]:
    document = store.document(run_id)
    words = {key: document[key] for key in ("name", "note", "tags")}
    return {**words, **{key: bool(document.get(key)) for key in ("star", "archived", "deleted")}}


# -- the history -----------------------------------------------------------------------------------


def test_the_history_tells_what_each_edit_replaced(store: Store) -> None:
    run_id = made(store, tags={"a": 1})
    assert store.edits(run_id) == []
    store.edit(run_id, {"name": "tree", "star": True})
    store.edit(run_id, {"name": "oak", "tags": {"a": None, "b": "x"}})
    store.edit(run_id, {})
    first, second = store.edits(run_id)
    assert first["change"] == {"name": "tree", "star": True}
    assert first["replaced"] == {"name": "forest", "star": False}
    assert second["change"] == {"name": "oak", "tags": {"a": None, "b": "x"}}
    assert second["replaced"] == {"name": "tree", "tags": {"a": 1, "b": None}}
    assert first["id"] < second["id"]
    assert 0 < first["time"] <= second["time"]
    assert first["user"]
    assert (first["undone"], first["undoes"], first["redoes"]) == (False, None, None)


def test_of_no_run_there_is_no_history(store: Store) -> None:
    for bad in ("20260101-000000-aaaaaaaaaa", "../x"):
        with pytest.raises(RunNotFound):
            store.edits(bad)
        with pytest.raises(RunNotFound):
            store.undo(bad)


# -- undo ------------------------------------------------------------------------------------------


def test_undo_goes_back_edit_by_edit_and_is_an_edit_itself(store: Store) -> None:
    run_id = made(store, tags={"a": 1})
    before = edited(store, run_id)
    store.edit(run_id, {"name": "tree"})
    between = edited(store, run_id)
    store.edit(run_id, {"name": "oak", "note": "good", "star": True, "tags": {"a": None, "b": 2}})
    store.undo(run_id)
    assert edited(store, run_id) == between
    store.undo(run_id)
    assert edited(store, run_id) == before
    with pytest.raises(InvalidValue, match="no edit to undo"):
        store.undo(run_id)
    tree, oak, undone_oak, undone_tree = store.edits(run_id)
    assert (tree["undone"], oak["undone"], undone_oak["undone"]) == (True, True, False)
    assert (undone_oak["undoes"], undone_tree["undoes"]) == (oak["id"], tree["id"])
    assert undone_oak["change"] == oak["replaced"]
    assert undone_oak["replaced"] == oak["change"]


def test_undoing_an_undo_redoes(store: Store) -> None:
    run_id = made(store)
    store.edit(run_id, {"name": "tree"})
    store.undo(run_id)
    undo = store.edits(run_id)[-1]
    store.undo(run_id, undo["id"])
    assert store.document(run_id)["name"] == "tree"
    redo = store.edits(run_id)[-1]
    assert (redo["redoes"], redo["change"]) == (undo["undoes"], {"name": "tree"})
    store.undo(run_id, redo["id"])
    assert store.document(run_id)["name"] == "forest"
    with pytest.raises(InvalidValue, match="undone already"):
        store.undo(run_id, redo["id"])
    with pytest.raises(InvalidValue, match="no edit 'nothing'"):
        store.undo(run_id, "nothing")


def test_undoing_an_older_edit_leaves_every_other_one(store: Store) -> None:
    run_id = made(store)
    store.edit(run_id, {"name": "tree", "note": "first", "tags": {"x": 1, "y": 1}})
    store.edit(run_id, {"name": "oak", "tags": {"x": 2}})
    store.undo(run_id, store.edits(run_id)[0]["id"])
    document = store.document(run_id)
    assert (document["name"], document["note"], document["tags"]) == ("oak", "", {"x": 2})
    store.undo(run_id)
    assert store.document(run_id)["name"] == "forest"
    assert store.document(run_id)["tags"] == {}


def test_a_redo_is_what_was_undone_last_and_gone_after_a_new_edit(store: Store) -> None:
    run_id = made(store)
    store.edit(run_id, {"name": "a"})
    store.edit(run_id, {"name": "b"})
    assert redoable(store.edits(run_id)) is None
    store.undo(run_id)
    store.undo(run_id)
    for name in ("a", "b"):
        store.undo(run_id, redoable(store.edits(run_id)))
        assert store.document(run_id)["name"] == name
    assert redoable(store.edits(run_id)) is None
    store.undo(run_id)
    store.edit(run_id, {"star": True})
    assert redoable(store.edits(run_id)) is None


def test_what_the_kernel_sets_later_shows_after_an_undo(store: Store) -> None:
    writer = store.create(new_document(name="forest", experiment="e"))
    store.edit(writer.id, {"note": "mine", "tags": {"stage": None}})
    writer.document["tags"]["stage"] = "train"
    writer.document["note"] = "the kernel's"
    writer.save()
    assert store.document(writer.id)["tags"] == {}
    store.undo(writer.id)
    writer.document["tags"]["stage"] = "test"
    writer.save()
    document = store.document(writer.id)
    assert (document["note"], document["tags"]) == ("the kernel's", {"stage": "test"})
    writer.finish()


def test_a_deletion_can_be_undone_and_readers_hear_of_it(store: Store) -> None:
    run_id = made(store)
    store.edit(run_id, {"deleted": True})
    revision = store.changes(-1).revision
    store.undo(run_id)
    assert list(store.changes(revision).ids) == [run_id]
    assert store.count() == 1


TAGS = st.dictionaries(st.sampled_from("ab"), st.sampled_from([None, 1, "x"]), max_size=2)
CHANGE = st.fixed_dictionaries(
    {},
    optional={"name": st.sampled_from("mn"), "star": st.booleans(), "tags": TAGS},
).filter(bool)
STEP = st.one_of(CHANGE, st.just("undo"), st.just("redo"), st.integers(0, 9))


@pytest.mark.parametrize("kind", STORES)
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEP, max_size=10))
def test_the_run_is_always_what_the_edits_that_count_make_of_it(
    kind: str, steps: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store: Store = (
        MemoryStore() if kind == "memory" else LocalStore(tmp_path_factory.mktemp("s") / "store")
    )
    run_id = made(store, tags={"a": 0})
    plain: list[list[Any]] = []  # [change, whether it counts]
    aims: list[int] = []  # for each edit in the store: which plain one it is about
    for step in steps:
        if isinstance(step, dict):
            store.edit(run_id, step)
            aims.append(len(plain))
            plain.append([step, True])
            continue
        listed = store.edits(run_id)
        if step == "undo":
            target = max((i for i, (_, counts) in enumerate(plain) if counts), default=None)
            wanted, edit = False, None
        elif step == "redo":
            edit = redoable(listed)
            target = None if edit is None else aims[[e["id"] for e in listed].index(edit)]
            wanted = True
        else:
            at = step if step < len(aims) else None
            target = None if at is None else aims[at]
            edit = "none" if at is None else listed[at]["id"]
            wanted = at is not None and listed[at]["undoes"] is not None
        if step == "redo" and target is None:
            continue
        if target is None or plain[target][1] is wanted:
            with pytest.raises(InvalidValue):
                store.undo(run_id, edit)
            continue
        store.undo(run_id, edit)
        aims.append(target)
        plain[target][1] = wanted
    name, star, tags = "forest", False, {"a": 0}
    for change, counts in plain:
        if counts:
            name, star = change.get("name", name), change.get("star", star)
            tags.update(change.get("tags", {}))
    tags = {key: value for key, value in tags.items() if value is not None}
    found = edited(store, run_id)
    assert (found["name"], found["star"], found["tags"]) == (name, star, tags)
    told = [e["undone"] for e in store.edits(run_id) if not e["undoes"] and not e["redoes"]]
    assert told == [not counts for _, counts in plain]


# -- the store in a folder -------------------------------------------------------------------------


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / ".trackbook")


def edit_folder(store: LocalStore, run_id: str) -> Path:
    assert store.path is not None
    return store.path / "runs" / run_id[:8] / run_id / "edits"


def test_readers_that_know_no_undo_see_the_same_values(local: LocalStore) -> None:
    run_id = made(local, tags={"a": 1})
    local.edit(run_id, {"name": "tree", "tags": {"a": None, "b": 1}})
    local.edit(run_id, {"note": "kept"})
    local.undo(run_id, local.edits(run_id)[0]["id"])
    name, tags = "forest", {"a": 1}
    for path in sorted(edit_folder(local, run_id).iterdir()):
        change = loads(path.read_bytes())["change"]
        name, tags = change.get("name", name), {**tags, **change.get("tags", {})}
    assert name == local.document(run_id)["name"] == "forest"
    assert {k: v for k, v in tags.items() if v is not None} == {"a": 1}


def test_nothing_is_lost_when_several_processes_edit_and_undo(local: LocalStore) -> None:
    run_id = made(local)
    code = (
        "import sys\nfrom pathlib import Path\nfrom trackbook.store import LocalStore\n"
        "store = LocalStore(Path(sys.argv[1])); run, me = sys.argv[2:]\n"
        "for n in range(15):\n"
        "    store.edit(run, {'tags': {f'{me}-{n}': n}})\n"
        "    store.edit(run, {'note': me})\n"
        "    listed = [e for e in store.edits(run) if not e['undoes']]\n"
        "    mine = [e for e in listed if e['change'] == {'note': me}]\n"
        "    store.undo(run, mine[-1]['id'])\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(local.path), run_id, name])
        for name in ("ada", "eve", "joe")
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    document = local.document(run_id)
    assert len(document["tags"]) == 45
    assert document["note"] == ""
    assert len(local.edits(run_id)) == 3 * 15 * 3


def test_a_damaged_run_can_go_away_and_not_be_edited(local: LocalStore) -> None:
    run_id = made(local)
    local.edit(run_id, {"name": "tree"})
    (edit_folder(local, run_id).parent / "run.json").write_bytes(b'{"format": 1, "na')
    for change in ({"name": "x"}, {"tags": {"a": 1}}, {"deleted": True, "note": "x"}):
        with pytest.raises(StoreError, match="damaged") as caught:
            local.edit(run_id, change)
        assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match="damaged"):
        local.undo(run_id)
    assert len(local.edits(run_id)) == 1
    local.edit(run_id, {"deleted": True})
    assert [document["id"] for document in local.trash()] == [run_id]
    local.undo(run_id)
    assert local.trash() == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"change": []}',
        b'{"undoes": "x"}',
        b'{"change": {"name": 3, "tags": 5, "star": "x"}, "time": "x", "user": 7}',
        b'{"change": {}, "undoes": ["x"], "time": 1e999}',
        b'{"change": {"tags": {"a": {"b": 1}}}, "undoes": "none", "redoes": "x", "time": -1}',
        b'{"change": {}, "time": 123456789012345678901234567890}',
        b'{"change": {"note": "\\ud800"}}',
        b"[" * 100_000,
    ],
)
def test_an_edit_file_that_nobody_meant_breaks_nothing(local: LocalStore, content: bytes) -> None:
    run_id = made(local)
    local.edit(run_id, {"name": "tree"})
    (edit_folder(local, run_id) / "9999999999999999-aaaaaaaaaa.json").write_bytes(content)
    assert local.document(run_id)["name"] == "tree"
    lines = local.edits(run_id)
    assert lines[0]["change"] == {"name": "tree"}
    assert dumps(lines)
    local.undo(run_id, lines[0]["id"])
    assert local.document(run_id)["name"] == "forest"
