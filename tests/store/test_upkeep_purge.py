"""Purging real runs: of killed processes, under living readers, at every moment of a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from trackbook.errors import RunNotFound, StoreError
from trackbook.model import new_document
from trackbook.store import LocalStore
from trackbook.store.upkeep import purge


def finished_run(store: LocalStore, *, deleted: bool = True) -> str:
    writer = store.create(new_document(name="w", experiment="e", series="w"))
    for step in range(500):
        writer.log("loss", step, time.time(), 1.0)
    writer.append("cells", {"order": 1})
    writer.document.update(status="finished", ended=time.time())
    writer.finish()
    if deleted:
        store.edit(writer.id, {"deleted": True})
    return writer.id


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    made = LocalStore(tmp_path / "s")
    made.prepare()
    return made


def place(store: LocalStore, run_id: str) -> Path:
    assert store.path
    return store.path / "runs" / run_id[:8] / run_id


def test_a_purged_run_is_gone_for_readers_old_and_new(store: LocalStore) -> None:
    run_id, kept = finished_run(store), finished_run(store, deleted=False)
    watching = LocalStore(store.path or Path())
    before = watching.changes(-1)
    size = sum(f.stat().st_size for f in place(store, run_id).rglob("*") if f.is_file())
    assert purge.purge(store, run_id) == size
    assert list(watching.changes(before.revision).ids) == [run_id]
    for reader in (store, watching, LocalStore(store.path or Path())):
        assert reader.trash() == []
        assert [document["id"] for document in reader.find()] == [kept]
        with pytest.raises(RunNotFound):
            reader.document(run_id)
    assert [entry.name for entry in place(store, run_id).parent.iterdir()] == [kept]


def test_a_running_run_in_the_trash_stays_until_its_owner_is_dead(store: LocalStore) -> None:
    code = """
    import sys, time
    from trackbook.model import new_document
    from trackbook.store import open_store
    store = open_store(sys.argv[1])
    writer = store.create(new_document(name="w", experiment="e"))
    print(writer.id, flush=True)
    time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(store.path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    run_id = process.stdout.readline().strip()
    try:
        store.edit(run_id, {"deleted": True})
        with pytest.raises(StoreError, match="still running"):
            purge.purge(store, run_id)
        assert store.document(run_id)["status"] == "running"
    finally:
        process.kill()
        process.wait()
    purge.purge(store, run_id)
    assert not place(store, run_id).exists()


def test_a_run_outside_the_trash_is_left_as_it_was(store: LocalStore) -> None:
    run_id = finished_run(store, deleted=False)
    names = sorted(f.name for f in place(store, run_id).iterdir())
    with pytest.raises(StoreError, match="not in the trash"):
        purge.purge(store, run_id)
    store.edit(run_id, {"deleted": True})
    store.edit(run_id, {"deleted": False})
    with pytest.raises(StoreError, match="not in the trash"):
        purge.purge(store, run_id)
    assert sorted(f.name for f in place(store, run_id).iterdir()) == sorted([*names, "edits"])
    for foreign in ("../../x", "nothing", "20200101-000000-aaaaaaaaaa"):
        with pytest.raises(RunNotFound):
            purge.purge(store, foreign)


def test_a_damaged_run_in_the_trash_can_be_purged(store: LocalStore) -> None:
    run_id = finished_run(store)
    (place(store, run_id) / "run.json").write_bytes(b"{ no")
    purge.purge(store, run_id)
    assert not place(store, run_id).exists()


def test_a_link_to_elsewhere_loses_only_the_link(store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "mine"
    outside.mkdir()
    (outside / "thesis.txt").write_text("years of work")
    run_id = finished_run(store)
    (place(store, run_id) / "linked").symlink_to(outside)
    purge.purge(store, run_id)
    assert (outside / "thesis.txt").read_text() == "years of work"


def test_a_restore_at_the_last_moment_wins(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = finished_run(store)
    rename = os.rename

    def restored_first(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "rename", rename)
        LocalStore(store.path or Path()).edit(run_id, {"deleted": False})
        rename(source, target)

    monkeypatch.setattr(os, "rename", restored_first)
    with pytest.raises(StoreError, match="restored meanwhile"):
        purge.purge(store, run_id)
    assert [document["id"] for document in store.find()] == [run_id]
    assert store.document(run_id)["summary"]["loss"]["count"] == 500
    assert not (place(store, run_id) / "owner.lock").exists()


PURGER = """
    import os, sys
    from trackbook.store import open_store
    from trackbook.store.upkeep import purge
    left = int(sys.argv[3])
    def hook(event, args):
        global left
        if event in {"os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "open"} and (
            sys.argv[2] in str(args) or "changes" in str(args[0])
        ):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), 9)
    store = open_store(sys.argv[1])
    store.trash()
    sys.addaudithook(hook)
    purge.purge(store, sys.argv[2])
"""


def test_a_kill_at_any_call_leaves_the_run_whole_or_nothing(store: LocalStore) -> None:
    outcomes = []
    for calls in range(0, 40, 2):
        run_id = finished_run(store)
        watching = LocalStore(store.path or Path())
        whole = watching.document(run_id)
        arguments = [str(store.path), run_id, str(calls)]
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PURGER), *arguments], check=False
        )
        assert done.returncode in (0, -signal.SIGKILL)
        for reader in (watching, LocalStore(store.path or Path())):
            listed = {document["id"]: document for document in reader.trash()}
            assert listed.get(run_id, whole) == whole
            assert (run_id in listed) == place(store, run_id).exists()
            if run_id in listed:
                assert len(reader.points(run_id)["loss"].step) == 500
        outcomes.append((done.returncode == 0, run_id in listed))
        if run_id in listed:
            purge.purge(store, run_id)
        if done.returncode == 0:
            break
    # Killed before the rename, killed after it, and not killed at all.
    assert set(outcomes) == {(False, True), (False, False), (True, False)}
