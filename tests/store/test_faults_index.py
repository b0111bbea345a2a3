"""An index, a catalogue, links, blobs and an identity that somebody made to harm who opens them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import blake3
import orjson
import pytest
import zstandard
from faults import make_link, make_pipe, make_sparse, python, state
from runs import write

from trackbook.errors import StoreError
from trackbook.jsonable import loads
from trackbook.model import new_document
from trackbook.store import LocalStore, blobs, limits
from trackbook.store.blobs import name_of

DEEP = b"[" * 50_000


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """What no reader may touch or show."""
    folder = tmp_path / "outside"
    (folder / "edits").mkdir(parents=True)
    (folder / "file").write_text('{"name": "SECRET"}')
    (folder / "edits" / "1-a.json").write_text('{"change": {"name": "SECRET"}}')
    return folder


def place(root: Path, run_id: str) -> Path:
    return root / "runs" / run_id[:8] / run_id


INDEX: dict[str, Callable[[Path, Path], None]] = {
    "a pipe for the catalogue": lambda index, _: make_pipe(index / "catalog.json"),
    "a huge catalogue": lambda index, _: make_sparse(index / "catalog.json"),
    "a linked catalogue": lambda index, out: make_link(index / "catalog.json", out / "file"),
    "a deep catalogue": lambda index, _: (index / "catalog.json").write_bytes(DEEP) and None,
    "a pipe for notices": lambda index, _: make_pipe(index / "changes" / "x.log"),
    "huge notices": lambda index, _: make_sparse(index / "changes" / "x.log"),
    "linked notices": lambda index, _: make_link(index / "changes" / "x.log", Path("/dev/zero")),
    "garbage for notices": lambda index, _: (
        (index / "changes" / "x.log").write_bytes(
            b"> ../../../../etc/passwd\n< 20261121-000000-0000000000\n" + os.urandom(5000)
        )
        and None
    ),
    "a pipe for claims": lambda index, _: (
        [make_pipe(path) for path in (index / "series").glob("*.jsonl")] and None
    ),
    "claims of lies": lambda index, _: (
        [
            path.write_bytes(
                b'["x", {"$int": "9' + b"9" * 4000 + b'"}]\n' + DEEP + b'\n["y", true]\n'
            )
            for path in (index / "series").glob("*.jsonl")
        ]
        and None
    ),
}


@pytest.mark.parametrize("fault", INDEX)
def test_a_bad_index_hides_nothing(tmp_path: Path, outside: Path, fault: str) -> None:
    root = tmp_path / "s"
    store = LocalStore(root)
    run_id = write(store, "good", metrics={"acc": [1.0]})
    store.write_back()
    INDEX[fault](root / "index", outside)
    before = state(outside)
    code = """
    import resource, sys
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    import trackbook as tb
    tb.set_store(sys.argv[1])
    print([run.name for run in tb.runs()], tb.get_run("good").metrics)
    try:
        with tb.start_run("good"):
            tb.log_metric("acc", 2.0)
    except tb.StoreError as problem:
        print("refused", problem)
    print(sorted(run.name for run in tb.runs()))
    """
    done = python(code, root, timeout=30)
    lines = done.stdout.splitlines()
    assert lines[0] == "['good'] {'acc': 1.0}", done.stderr
    assert lines[-1] == "['good', 'good']" or "refused" in lines[1]
    assert state(outside) == before
    assert LocalStore(root).document(run_id)["status"] == "finished"


def poisoned(root: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """A catalogue that says what somebody wants, with all that proves it whole."""
    file = root / "index" / "catalog.json"
    told = orjson.loads(file.read_bytes())
    told["_catalog"]["1"]["look"] = []
    change(told)
    (state,) = told["_catalog"].values()
    rows = [b'"%b":%b' % (key.encode(), orjson.dumps(run)) for key, run in told["runs"].items()]
    runs = b"{\n" + b",\n".join(rows) + b"\n}"
    state.update(length=len(runs), digest=blake3.blake3(runs).hexdigest(length=16))
    file.write_bytes(b'{"runs":' + runs + b',"_catalog":' + orjson.dumps(told["_catalog"]) + b"}")


def only(told: dict[str, Any]) -> Any:
    return next(iter(told["runs"].values()))


def deep(depth: int) -> list[Any]:
    tree: list[Any] = []
    for _ in range(depth):
        tree = [tree]
    return tree


POISON: dict[str, Callable[[dict[str, Any]], object]] = {
    "no documents": lambda told: told["runs"].update({"1": 5}),
    "an id with a way out": lambda told: only(told).update(id="../../../../etc"),
    "no id": lambda told: only(told).pop("id"),
    "a mapping for an id": lambda told: only(told).update(id={}),
    "text for a start": lambda told: only(told).update(started="soon"),
    "a missing field": lambda told: only(told).pop("params"),
    "lists for mappings": lambda told: only(told).update(summary=[], tags=[]),
    "a deep value": lambda told: only(told)["params"].update(x=deep(240)),
    "a state of lies": lambda told: told["_catalog"]["1"].update(notices=5),
    "ids to look at that are none": lambda told: told["_catalog"]["1"].update(
        look=["../../x", 7, None]
    ),
    "days that are none": lambda told: told["_catalog"]["1"].update(days={"x": "y"}),
    "watched runs that are none": lambda told: told["_catalog"]["1"].update(
        watched={"../x": [1], "20261121-000000-0000000000": {"a": 1}}
    ),
}


@pytest.mark.parametrize("poison", POISON)
def test_a_catalogue_of_lies_is_not_believed(tmp_path: Path, poison: str) -> None:
    root = tmp_path / "s"
    store = LocalStore(root)
    run_id = write(store, "good", metrics={"acc": [1.0]}, params={"a": 1})
    store.find()
    store.write_back()
    whole = store.document(run_id)
    poisoned(root, lambda told: only(told).update(name="believed"))
    assert LocalStore(root).find()[0]["name"] == "believed"  # as long as it makes sense
    poisoned(root, POISON[poison])
    (found,) = LocalStore(root).find()
    assert {**found, "name": "good"} == whole


@pytest.mark.parametrize("name", ["runs", "blobs", "index", "index/changes", "index/series"])
def test_a_store_of_links_is_neither_read_nor_written(tmp_path: Path, name: str) -> None:
    root, outside = tmp_path / "s", tmp_path / "outside"
    write(LocalStore(root), "good", metrics={"acc": [1.0]})
    (root / "blobs").mkdir(exist_ok=True)
    (root / name).rename(outside)
    (root / name).symlink_to(outside)
    before = state(outside)
    with pytest.raises(StoreError, match="a link, which is not followed"):
        LocalStore(root)
    assert state(outside) == before
    # The whole store may be a link: it is its user's own.
    (root / name).unlink()
    outside.rename(root / name)
    (tmp_path / "link").symlink_to(root)
    here = LocalStore(tmp_path / "link")
    assert [d["name"] for d in here.find()] == ["good"]
    write(here, "more")
    assert here.count() == 2


def test_links_that_appear_below_an_open_store_are_not_written_through(tmp_path: Path) -> None:
    root, outside = tmp_path / "s", tmp_path / "outside"
    outside.mkdir()
    store = LocalStore(root)
    run_id = write(store, "good")
    (place(root, run_id) / "edits").symlink_to(outside)
    with pytest.raises(StoreError, match="link"):
        store.edit(run_id, {"star": True})
    day = place(root, run_id).parent
    day.rename(root / "runs" / "20200101")
    day.symlink_to(outside)
    document = new_document(name="x", experiment="e")
    document["id"] = f"{day.name}-000000-aaaaaaaaaa"
    with pytest.raises(StoreError, match="link"):
        store.create(document)
    pair = root / "blobs" / name_of(b"text" * 100).split("-")[1][:2]
    pair.parent.mkdir(exist_ok=True)
    pair.symlink_to(outside)
    with pytest.raises(StoreError, match="link"):
        store.blobs.put(b"text" * 100)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "pipe", "bomb", "huge"])
def test_a_blob_that_is_none_is_refused(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path / "s")
    name = store.blobs.put(os.urandom(5000))
    path = store.blobs.path(name)
    if kind == "link":
        (tmp_path / "secret").write_text("SECRET")
        make_link(path, tmp_path / "secret")
    elif kind == "pipe":
        make_pipe(path)
    elif kind == "bomb":
        path.unlink()
        packed = zstandard.ZstdCompressor(level=1)
        with (
            (path.parent / f"{path.name}.zst").open("wb") as file,
            packed.stream_writer(file) as out,
        ):
            for _ in range(600):
                out.write(bytes(1 << 20))
        assert (path.parent / f"{path.name}.zst").stat().st_size < 1 << 20
    else:
        make_sparse(path)
    assert blobs.MEMORY_LIMIT <= 600 << 20
    with pytest.raises(StoreError):
        store.blobs.get(name)
    if kind in ("link", "pipe"):
        with pytest.raises(StoreError):
            store.blobs.path(name)


@pytest.mark.parametrize(
    "identity",
    [
        '{"format": 1, "id": "../../../../tmp/x"}',
        '{"format": 1, "id": {"a": 1}}',
        '{"format": {"$float": "inf"}, "id": "a"}',
        '{"format": "1", "id": "a"}',
        "[" * 50_000,
    ],
)
def test_an_identity_of_lies_is_refused(tmp_path: Path, identity: str) -> None:
    root = tmp_path / "s"
    write(LocalStore(root), "good")
    (root / "store.json").write_text(identity)
    with pytest.raises(StoreError, match="is damaged; delete it"):
        LocalStore(root)


def test_deep_json_is_a_value_error() -> None:
    for bomb in (
        DEEP,
        b'{"a":' * 50_000,
        b'{"$float": "nan", "b": ' + b"[" * 990 + b"]" * 990 + b"}",
    ):
        with pytest.raises(ValueError):
            loads(bomb)


def test_notices_without_end_are_read_by_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine's file may grow for years: who is far behind reads the runs instead."""
    monkeypatch.setattr(limits, "NOTICES", 4000)
    root = tmp_path / "s"
    store, watching = LocalStore(root), LocalStore(root)
    first = write(store, "first")
    assert [d["name"] for d in watching.find()] == ["first"]
    for _ in range(120):
        store.edit(first, {"star": True})
    store.edit(first, {"name": "second"})
    open_run = write(store, "open", end=False)
    for reader in (watching, LocalStore(root)):
        assert {d["name"] for d in reader.find()} == {"second", "open"}
    store.edit(open_run, {"name": "third"})
    assert {d["name"] for d in watching.find()} == {"second", "third"}
    for file in (root / "index" / "changes").iterdir():
        with file.open("ab") as sink:
            sink.write(bytes(9000))
    store.edit(open_run, {"name": "fourth"})
    assert {d["name"] for d in watching.find()} == {"second", "fourth"}
