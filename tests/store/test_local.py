"""A store in a folder: how it begins, who may write it, what it leaves alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trackbook import settings
from trackbook.errors import StoreError
from trackbook.jsonable import dumps, loads
from trackbook.model import new_document
from trackbook.store import LocalStore, folder, open_store, os_machine, ownership

SOURCE = Path(__file__).parents[2] / "src"


def finish(store: LocalStore) -> str:
    writer = store.create(new_document(name="forest", experiment="e"))
    writer.log("acc", 0, 0.0, 1.0)
    writer.document.update(status="finished", ended=writer.document["started"])
    writer.finish()
    return writer.id


def test_opening_writes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s")
    assert store.find() == []
    assert store.changes(-1).full
    assert list(tmp_path.iterdir()) == []


def test_a_new_store_ignores_itself_in_git_and_is_written_once(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s", create=True)
    assert (tmp_path / "s" / ".gitignore").read_text() == "*\n"
    content = loads((tmp_path / "s" / "store.json").read_bytes())
    assert (content["format"], content["id"], content["hash"]) == (1, store.id, "b3")
    before = (tmp_path / "s" / "store.json").read_bytes()
    assert LocalStore(tmp_path / "s").id == store.id
    open_store(tmp_path / "s", create=True)
    assert (tmp_path / "s" / "store.json").read_bytes() == before


def test_a_folder_of_the_users_keeps_its_files(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine")
    open_store(tmp_path, create=True)
    assert (tmp_path / ".gitignore").read_text() == "mine"


def test_the_same_folder_gives_the_same_object_until_it_is_another_store(tmp_path: Path) -> None:
    first = open_store(tmp_path / "s", create=True)
    (tmp_path / "link").symlink_to(tmp_path / "s")
    assert open_store(tmp_path / "link") is first
    shutil.rmtree(tmp_path / "s")
    second = open_store(tmp_path / "s", create=True)
    assert second.id != first.id
    assert second.find() == []


def test_a_store_that_is_made_later_by_another_process_is_seen(tmp_path: Path) -> None:
    early = LocalStore(tmp_path / "s")
    assert (early.id, early.find()) == ("", [])
    run_id = finish(LocalStore(tmp_path / "s"))
    assert [document["id"] for document in early.find()] == [run_id]
    assert early.id


def test_a_damaged_store_file_says_what_to_do(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    run_id = finish(store)
    (tmp_path / "s" / "store.json").write_bytes(b"{")
    with pytest.raises(StoreError, match="delete it"):
        LocalStore(tmp_path / "s")
    (tmp_path / "s" / "store.json").unlink()
    again = LocalStore(tmp_path / "s")
    again.prepare()
    assert again.document(run_id)["status"] == "finished"


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="file"):
        open_store(tmp_path / "file", create=True)
    with pytest.raises(StoreError):
        open_store(tmp_path / "file" / "below", create=True)


def test_without_a_path_an_unwritable_project_gives_the_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(settings, "_chosen", tmp_path / "file" / ".trackbook")
    store = open_store(create=True)
    assert store.path == settings.fallback_store()
    assert (tmp_path / "data" / "trackbook" / "store" / "store.json").is_file()


def test_a_finished_run_has_no_lock_and_no_leftovers(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    place = folder.place(tmp_path / "s", finish(store))
    assert sorted(path.name for path in place.iterdir()) == [
        "metrics.bin",
        "metrics.keys",
        "run.json",
    ]


def test_the_lock_tells_who_owns_a_run_and_its_heart_beats(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    writer = store.create(new_document(name="forest", experiment="e"))
    lock = folder.place(tmp_path / "s", writer.id) / "owner.lock"
    sign = loads(lock.read_bytes())
    assert (sign["pid"], sign["boot"]) == (os.getpid(), os_machine.boot_id())
    assert abs(float(sign["heartbeat"]) - time.time()) < 30
    assert writer._ownership is not None
    writer._ownership._beat -= ownership.HEARTBEAT_S
    before = sign["heartbeat"]
    for _ in range(30):
        time.sleep(0.1)
        if loads(lock.read_bytes())["heartbeat"] != before:
            break
    assert loads(lock.read_bytes())["heartbeat"] > before
    writer.finish()


def test_an_owner_elsewhere_is_believed_while_its_heart_beats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No clock of two machines is compared: all that counts is whether the heartbeat advances."""
    store = LocalStore(tmp_path / "s")
    run_id = finish(store)
    place = folder.place(tmp_path / "s", run_id)
    document = loads((place / "run.json").read_bytes())
    document.update(status="running", started=time.time() - 7200)
    (place / "run.json").write_bytes(dumps(document))

    def beat(ahead: float) -> None:
        moment = time.time() + ahead
        sign = f'{{"boot": "elsewhere", "host": "other", "heartbeat": "{moment:.3f}"}}'
        (place / "owner.lock").write_text(sign)
        os.utime(place / "owner.lock", (moment, moment))

    def wait(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    passed, steady = 0.0, os_machine.steady_time
    monkeypatch.setattr(os_machine, "steady_time", lambda: steady() + passed)
    beat(-7200)  # a clock that is two hours behind
    store._notices.begin(run_id)
    store._notices.done(run_id)
    revision = store.changes(-1).revision
    assert store.document(run_id)["status"] == "running"
    with pytest.raises(StoreError, match="still being written"):
        store.resume(run_id)
    wait(590)
    assert store.changes(revision).ids == []
    beat(-6610)
    assert store.document(run_id)["status"] == "running"
    wait(590)
    assert store.document(run_id)["status"] == "running"
    wait(20)  # no notice: only the owner's silence tells
    assert store.changes(revision).ids == [run_id]
    lost = store.document(run_id)
    assert lost["status"] == "lost"
    assert abs(lost["ended"] - (time.time() - 6610)) < 5
    # A reader that starts now goes on with what this one saw.
    store.write_back()
    ownership._watched.clear()
    assert LocalStore(tmp_path / "s").document(run_id)["status"] == "lost"
    beat(-6000)  # a laptop that slept
    assert store.document(run_id)["status"] == "running"


READ_ONLY = """
import encodings.ascii, getpass, os, sys, numpy
from trackbook.errors import StoreError
from trackbook.model import new_document
from trackbook.store import open_store
# What Python needs is loaded; from here on this is a user who may read the store and write nothing.
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
store = open_store(sys.argv[1])
(run,) = store.find("metrics.acc == 1")
print(run["status"], store.points(run["id"])["acc"].value.tolist(), store.blobs.get(sys.argv[2]))
print(store.blobs.path(sys.argv[2]).read_bytes(), store.records(run["id"], "cells"))
for write in (
    lambda: store.create(new_document(name="x", experiment="e")),
    lambda: store.edit(run["id"], {"star": True}),
    lambda: store.resume(run["id"]),
    lambda: store.blobs.put(b"new"),
):
    try:
        write()
        print("written!")
    except StoreError:
        print("refused")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_everything_reads_on_a_read_only_store(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    finish(store)
    blob = store.blobs.put(b"text " * 100)
    store.find()
    for path in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(0o755)
    before = sorted((p, p.stat().st_mtime_ns) for p in (tmp_path / "s").rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(tmp_path / "s"), blob],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "HOME": "/nonexistent"},
    )
    assert done.returncode == 0, done.stderr
    text = b"text " * 100
    lines = done.stdout.splitlines()
    assert lines[0] == f"finished [1.0] {text}"
    assert lines[1] == f"{text} []"
    assert lines[2:] == ["refused"] * 4
    assert sorted((p, p.stat().st_mtime_ns) for p in (tmp_path / "s").rglob("*")) == before


def test_a_start_that_fails_leaves_no_run_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path / "s")
    store.prepare()
    real = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).name == "run.json":
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    document = new_document(name="x", experiment="e")
    with pytest.raises(StoreError, match="is full"):
        store.create(document)
    monkeypatch.undo()
    assert store.find() == []
    assert list((tmp_path / "s" / "runs").rglob("*" + document["id"])) == []
    assert store.create(document).id == document["id"]


def test_threads_may_share_a_store(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    problems: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                run_id = finish(store)
                assert store.document(run_id)["summary"]["acc"]["count"] == 1
                store.find("metrics.acc > 0")
                store.changes(1)
        except BaseException as problem:  # noqa: BLE001
            problems.append(problem)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert store.count() == 20


def test_edits_of_several_clocks_keep_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    run_id = finish(store)
    place = folder.place(tmp_path / "s", run_id)
    (place / "edits").mkdir()
    future = (place / "edits") / f"{int((time.time() + 3600) * 1e6)}-abc.json"
    future.write_text('{"change": {"name": "by a clock that is an hour ahead"}}')
    store.edit(run_id, {"name": "after it"})
    (place / "edits" / "1-torn.json").write_text('{"change": {"na')
    (place / "edits" / "notes.txt").write_text("hello")
    assert store.document(run_id)["name"] == "after it"
    assert len(list((place / "edits").iterdir())) == 4


def test_a_file_system_without_links_and_locks_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def unsupported(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", unsupported)
    monkeypatch.setattr(fcntl, "flock", unsupported)
    store = LocalStore(tmp_path / "s")
    writer = store.create(new_document(name="forest", experiment="e"))
    assert store.document(writer.id)["status"] == "running"
    store.edit(writer.id, {"star": True})
    writer.document["status"] = "finished"
    writer.finish()
    document = LocalStore(tmp_path / "s").document(writer.id)
    assert (document["status"], document["star"]) == ("finished", True)
