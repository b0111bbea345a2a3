"""Folders as manifests: what is kept, what is not read again, and what is not believed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trackbook.errors import StoreError
from trackbook.jsonable import dumps, loads
from trackbook.model import new_document
from trackbook.store import LocalStore, MemoryStore, Store, manifest
from trackbook.store.upkeep import marks, sweep


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders whose files are old enough to be remembered, one for each test."""
    places = [tmp_path_factory.mktemp("old") / "data" for _ in range(20)]
    for place in places:
        _fill(place)
    time.sleep(2.1)
    return iter(places)


def _fill(place: Path) -> None:
    (place / "sub").mkdir(parents=True)
    (place / "a.csv").write_text("x\n1\n")
    (place / "sub" / "b.bin").write_bytes(os.urandom(5000))
    (place / "sub" / "hä\u2028.txt").write_text("unicode")
    (place / "link.csv").symlink_to("a.csv")
    (place / "out").symlink_to("/etc")
    os.mkfifo(place / "pipe")


@pytest.fixture
def folder(folders: Iterator[Path]) -> Path:
    return next(folders)


@pytest.fixture(params=["local", "memory"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "s") if request.param == "local" else MemoryStore()


def test_a_scan_has_regular_files_in_order_and_tells_of_the_rest(folder: Path) -> None:
    found = manifest.scan(folder)
    assert list(found.files) == ["a.csv", "sub/b.bin", "sub/hä\u2028.txt"]
    assert sorted(found.links) == ["link.csv", "out"]
    assert found.special == ["pipe"]


def test_a_folder_is_one_manifest_in_every_store(any_store: Store, folder: Path) -> None:
    name, entries = any_store.blobs.put_folder(manifest.scan(folder))
    assert [entry.path for entry in entries] == list(manifest.scan(folder).files)
    assert manifest.unpack(any_store.blobs.get(name)) == entries
    assert any_store.blobs.get(entries[0].blob) == b"x\n1\n"
    # Equal content at another time and place is the same manifest.
    copy = folder.parent / "copy"
    folder.rename(copy)
    (copy / "a.csv").touch()
    assert any_store.blobs.put_folder(manifest.scan(copy))[0] == name


def test_the_second_time_costs_no_reading(tmp_path: Path, folder: Path) -> None:
    store = LocalStore(tmp_path / "s")
    found = manifest.scan(folder)
    first = store.blobs.put_folder(found)
    # The same scan again, while the files are pipes: reading one would be refused.
    for path in found.files:
        (folder / path).unlink()
        os.mkfifo(folder / path)
    assert LocalStore(tmp_path / "s").blobs.put_folder(found) == first
    (index,) = (tmp_path / "s" / "index").glob("folder-*.json")
    index.unlink()
    with pytest.raises(OSError, match="named pipe"):
        store.blobs.put_folder(found)


@pytest.mark.parametrize("change", ["content", "same size and time", "touched just now"])
def test_a_changed_file_is_read_again(tmp_path: Path, folder: Path, change: str) -> None:
    store = LocalStore(tmp_path / "s")
    file = folder / "a.csv"
    if change == "touched just now":
        file.write_text("x\n0\n")  # within the clock's tick of what comes next
    before = store.blobs.put_folder(manifest.scan(folder))[1]
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_text("x\n2\n")
    if change != "content":
        os.utime(file, ns=times)
    after = store.blobs.put_folder(manifest.scan(folder))[1]
    assert before[0].blob != after[0].blob
    assert store.blobs.get(after[0].blob) == b"x\n2\n"
    assert before[1:] == after[1:]


def test_what_is_remembered_of_a_blob_that_is_gone_is_not_believed(
    tmp_path: Path, folder: Path
) -> None:
    store = LocalStore(tmp_path / "s")
    _, entries = store.blobs.put_folder(manifest.scan(folder))
    for file in (tmp_path / "s" / "blobs").rglob("b3-*"):
        file.unlink()
    assert store.blobs.put_folder(manifest.scan(folder))[1] == entries
    assert store.blobs.get(entries[0].blob) == b"x\n1\n"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"files": 3}', b'{"files": {"a.csv": [1]}}']
)
def test_a_damaged_memory_is_no_memory(tmp_path: Path, folder: Path, content: bytes) -> None:
    store = LocalStore(tmp_path / "s")
    first = store.blobs.put_folder(manifest.scan(folder))
    (index,) = (tmp_path / "s" / "index").glob("folder-*.json")
    index.write_bytes(content)
    assert store.blobs.put_folder(manifest.scan(folder)) == first


def test_a_memory_that_names_no_blob_is_not_believed(tmp_path: Path, folder: Path) -> None:
    store = LocalStore(tmp_path / "s")
    first = store.blobs.put_folder(manifest.scan(folder))
    (index,) = (tmp_path / "s" / "index").glob("folder-*.json")
    files = loads(index.read_bytes())["files"]
    index.write_bytes(
        dumps({"files": {p: [*s[:-1], "../../../etc/passwd"] for p, s in files.items()}})
    )
    assert store.blobs.put_folder(manifest.scan(folder)) == first


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", "x\0y", "a" * 5000, None, 7],
)
def test_names_that_could_lead_elsewhere_have_a_fault(name: object) -> None:
    assert manifest.fault(name)
    if isinstance(name, str):
        data = dumps({"files": [{"path": name, "size": 1, "blob": "b3-" + "0" * 64}]})
        with pytest.raises(StoreError, match="manifest"):
            manifest.unpack(data)


@pytest.mark.parametrize("name", ["a", "ä/ö.png", "..a/b..", "a b", "\udcff.bin", "a\nb", "C:\\x"])
def test_odd_names_are_fine(name: str) -> None:
    assert manifest.fault(name) is None


def test_gc_keeps_what_a_manifest_names_and_counts_it(tmp_path: Path, folder: Path) -> None:
    store = LocalStore(tmp_path / "s")
    # A path that looks like a blob's name is the user's, and nothing is missing for it.
    (folder / ("b3-" + "a" * 64)).write_text("mine")
    writer = store.create(new_document(name="r", experiment="e"))
    name, entries = store.blobs.put_folder(manifest.scan(folder))
    writer.append("artifacts", {"name": "b3-" + "c" * 64, "kind": "folder", "manifest": name})
    writer.document.update(status="finished", ended=time.time())
    writer.finish()
    named = marks.of_run(next((tmp_path / "s" / "runs").glob("*/*")))
    reach = marks.Reach(store._blobs)
    assert {entry.blob for entry in entries} | {name} == reach.told(named) == reach.artifacts(named)
    assert reach.missing(named) == set()
    old = time.time() - 3 * 86_400
    for file in (tmp_path / "s" / "blobs").rglob("*"):
        os.utime(file, (old, old))
    found = sweep.survey(store)
    assert found.problems == [] and sweep.sweep(store, found) == 0
    assert all(store.blobs.get(entry.blob) is not None for entry in entries)


def test_a_large_file_that_rests_is_read_once_in_a_process(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    path = tmp_path / "large"
    path.write_bytes(os.urandom(9 << 20))
    time.sleep(2.1)
    kept = store.blobs.put_file(path)
    incoming = tmp_path / "s" / "blobs"
    (blob,) = (p for p in incoming.rglob("*") if p.is_file())
    seen = incoming.stat().st_mtime_ns
    assert store.blobs.put_file(path) == kept
    assert incoming.stat().st_mtime_ns == seen  # no temporary file was made there
    blob.unlink()
    assert store.blobs.put_file(path) == kept and blob.exists()
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    with path.open("r+b") as file:
        file.write(b"other")
    os.utime(path, ns=times)
    assert store.blobs.put_file(path) != kept
