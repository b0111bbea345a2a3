"""Merging real stores: whole runs or none, nothing overwritten, nothing believed unchecked."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from trackbook.errors import StoreError
from trackbook.jsonable import dumps, loads
from trackbook.model import Document, new_document
from trackbook.store import LocalStore
from trackbook.store.upkeep.merge import Merged, merge

OUTSIDE = "years of work"


def made(path: Path) -> LocalStore:
    store = LocalStore(path)
    store.prepare()
    return store


@pytest.fixture
def here(tmp_path: Path) -> LocalStore:
    return made(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> LocalStore:
    return made(tmp_path / "there")


def root(store: LocalStore) -> Path:
    assert store.path
    return store.path


def place(store: LocalStore, run_id: str) -> Path:
    return root(store) / "runs" / run_id[:8] / run_id


def blob_file(store: LocalStore, name: str) -> Path:
    return next((root(store) / "blobs").rglob(f"{name}*"))


def run(store: LocalStore, text: str = "x") -> str:
    """A run with points, a note laid over, a segment and a large artifact."""
    put = store.blobs.put
    inner = put(f"inner {text}".encode())
    document = new_document(name=text, experiment="e", series="s")
    document["cell"] = {"id": "0", "source": put(f"source {text}".encode())}
    writer = store.create(document)
    writer.append("cells", {"segment": put(dumps({"order": 0, "source": inner})), "count": 1})
    model = os.urandom(1 << 16) * 40 + text.encode()
    writer.append("artifacts", {"name": "m", "blob": put(model), "size": len(model)})
    for step in range(100):
        writer.log("loss", step, time.time(), float(step))
    writer.document.update(status="finished", ended=time.time())
    writer.finish()
    store.edit(writer.id, {"note": f"note {text}", "star": True})
    return writer.id


def everything(store: LocalStore) -> dict[str, Document]:
    return {document["id"]: document for document in LocalStore(root(store)).find(archived=True)}


def blob_names(store: LocalStore) -> set[str]:
    files = (root(store) / "blobs").rglob("[bs]*-*")
    return {path.name.removesuffix(".zst") for path in files if path.is_file()}


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_runs_come_over_whole_and_a_second_time_nothing_happens(
    here: LocalStore, there: LocalStore
) -> None:
    own, foreign = run(here, "own"), {run(there, "a"), run(there, "b")}
    watching = LocalStore(root(here))
    before = watching.changes(-1)
    source = tree(root(there))
    done = merge(here, there)
    assert set(done.copied) == foreign
    assert (done.present, done.running, done.problems) == ([], [], [])
    assert done.blobs == len(blob_names(there))
    assert set(watching.changes(before.revision).ids) == foreign
    assert everything(here) == everything(there) | {own: everything(here)[own]}
    for run_id in foreign:
        assert tree(place(here, run_id)) == tree(place(there, run_id))
        assert here.points(run_id)["loss"].value.tolist() == list(map(float, range(100)))
        assert here.document(run_id)["note"].startswith("note")
    for name in blob_names(there):
        assert here.blobs.get(name) == there.blobs.get(name)
    # Of the other store nothing was written, its index not either.
    assert {k: v for k, v in tree(root(there)).items() if k in source} == source
    present = tree(root(here) / "runs"), tree(root(here) / "blobs")
    again = merge(here, there)
    assert again == Merged(present=sorted(foreign))
    assert (tree(root(here) / "runs"), tree(root(here) / "blobs")) == present


def test_what_is_here_is_never_overwritten(here: LocalStore, there: LocalStore) -> None:
    run_id = run(there)
    merge(here, there)
    here.edit(run_id, {"note": "mine", "deleted": True})
    there.edit(run_id, {"note": "theirs"})
    assert merge(here, there).present == [run_id]
    assert here.document(run_id)["note"] == "mine"
    assert here.document(run_id)["deleted"]


def test_blobs_of_a_run_folder_that_was_copied_by_hand_come_after(
    here: LocalStore, there: LocalStore
) -> None:
    run_id = run(there)
    shutil.copytree(place(there, run_id), place(here, run_id))
    done = merge(here, there)
    assert (done.present, done.copied) == ([run_id], [])
    assert blob_names(here) == blob_names(there)


def test_a_store_is_not_merged_into_itself(here: LocalStore, tmp_path: Path) -> None:
    run(here)
    (tmp_path / "link").symlink_to(root(here))
    for same in (here, LocalStore(root(here)), LocalStore(tmp_path / "link")):
        with pytest.raises(StoreError, match="the store itself"):
            merge(here, same)
    # A copy with the same id is another store.
    run_id = run(here)
    shutil.copytree(root(here), tmp_path / "copy")
    shutil.rmtree(place(here, run_id))
    assert merge(here, LocalStore(tmp_path / "copy")).copied == [run_id]


def test_a_running_run_is_left_out_until_it_ended(here: LocalStore, there: LocalStore) -> None:
    code = """
    import sys, time
    from trackbook.model import new_document
    from trackbook.store import open_store
    writer = open_store(sys.argv[1]).create(new_document(name="w", experiment="e"))
    writer.log("loss", 0, time.time(), 1.0)
    writer.flush()
    print(writer.id, flush=True)
    time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(there.path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    run_id = process.stdout.readline().strip()
    try:
        done = merge(here, there)
        assert (done.running, done.copied, done.problems) == ([run_id], [], [])
        assert here.find() == []
        assert list((root(here) / "runs").rglob("*.tmp")) == []
    finally:
        process.kill()
        process.wait()
    assert merge(here, there).copied == [run_id]
    assert everything(here) == everything(there)
    assert here.document(run_id)["status"] == "lost"


def test_a_store_that_is_not_there_yet_is_made(there: LocalStore, tmp_path: Path) -> None:
    run_id = run(there)
    with pytest.raises(StoreError, match="no store"):
        merge(LocalStore(tmp_path / "new"), LocalStore(tmp_path))
    assert not (tmp_path / "new").exists()
    new = LocalStore(tmp_path / "new")
    assert merge(new, there).copied == [run_id]
    assert new.id not in ("", there.id)


# -- what is not believed --------------------------------------------------------------------------


def foreign_content(here: LocalStore, there: LocalStore, run_id: str, fault: str) -> None:
    """Put something into the other store that must not come over."""
    mine = root(there).parent / "thesis.txt"
    mine.write_text(OUTSIDE)
    there_now = place(there, run_id)
    document = there_now / "run.json"
    source = there.document(run_id)["cell"]["source"]
    if fault == "linked file":
        (there_now / "logs.txt").symlink_to(mine)
    elif fault == "linked edits":
        shutil.move(there_now / "edits", root(there).parent / "edits")
        (there_now / "edits").symlink_to(root(there).parent / "edits")
    elif fault == "linked run":
        there_now.rename(root(there).parent / "run")
        there_now.symlink_to(root(there).parent / "run")
    elif fault == "linked blob":
        blob_file(there, source).unlink()
        (root(there) / "blobs" / source[3:5] / source).symlink_to(mine)
    elif fault == "pipe":
        os.mkfifo(there_now / "logs.txt")
    elif fault == "linked document":
        document.rename(root(there).parent / "run.json")
        document.symlink_to(root(there).parent / "run.json")
    elif fault == "endless document":
        document.unlink()
        os.mkfifo(document)
    elif fault == "folder":
        (there_now / "more").mkdir()
    elif fault == "name":
        (there_now / "a\nb").write_text("x")
    elif fault == "other id":
        content = loads(document.read_bytes())
        document.write_bytes(dumps({**content, "id": "20200101-000000-aaaaaaaaaa"}))
    elif fault == "damaged":
        document.write_bytes(b"{")
    elif fault == "no document":
        document.unlink()
    elif fault == "newer":
        document.write_bytes(dumps({**loads(document.read_bytes()), "format": 2}))
    elif fault == "other content":
        file = blob_file(there, source)
        file.unlink()
        file.with_name(source).write_bytes(b"not what the name says")
    elif fault == "damaged blob":
        file = blob_file(there, source)
        file.unlink()
        file.with_name(source + ".zst").write_bytes(b"\x28\xb5\x2f\xfd no")
    elif fault == "missing blob":
        blob_file(there, source).unlink()


@pytest.mark.parametrize(
    "fault",
    [
        *("linked file", "linked edits", "linked run", "linked blob", "pipe", "folder", "name"),
        *("linked document", "endless document"),
        *("other id", "damaged", "no document", "newer"),
        *("other content", "damaged blob", "missing blob"),
    ],
)
def test_a_run_that_is_not_sound_stays_out_and_the_others_come(
    here: LocalStore, there: LocalStore, fault: str
) -> None:
    bad, good = run(there, "bad"), run(there, "good")
    foreign_content(here, there, bad, fault)
    done = merge(here, there)
    assert done.copied == [good]
    assert len(done.problems) == 1
    assert done.problems[0].count("\n") == 0
    assert bad in done.problems[0]
    assert ".tmp" not in done.problems[0]
    assert set(everything(here)) == {good}
    assert all(OUTSIDE.encode() not in data for data in tree(root(here)).values())
    assert not os.path.lexists(place(here, bad))
    assert list(root(here).rglob("*.tmp")) == []
    for name in blob_names(here):
        assert here.blobs.get(name) is not None


@pytest.mark.parametrize("below", ["runs", "blobs", "pair"])
def test_a_store_of_links_is_refused(
    here: LocalStore, there: LocalStore, tmp_path: Path, below: str
) -> None:
    run(there)
    linked = root(there) / below
    if below == "pair":
        linked = next((root(there) / "blobs").iterdir())
    linked.rename(tmp_path / "moved")
    linked.symlink_to(tmp_path / "moved")
    with pytest.raises(StoreError, match="link"):
        merge(here, there)
    assert everything(here) == {}


def test_a_newer_store_is_refused(here: LocalStore, there: LocalStore) -> None:
    run(there)
    file = root(there) / "store.json"
    file.write_bytes(dumps({**loads(file.read_bytes()), "format": 2}))
    with pytest.raises(StoreError, match="newer"):
        merge(here, LocalStore(root(there)))


MERGER = """
    import os, sys
    from trackbook.store import open_store
    from trackbook.store.upkeep import merge
    left = int(sys.argv[3])
    def hook(event, args):
        global left
        if event in {"os.rename", "os.remove", "os.mkdir", "open"} and sys.argv[1] in str(args):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), 9)
    here, there = open_store(sys.argv[1]), open_store(sys.argv[2])
    sys.addaudithook(hook)
    merge.merge(here, there)
"""


def test_a_kill_at_any_call_leaves_whole_runs_only(here: LocalStore, there: LocalStore) -> None:
    ids = {run(there, "a"), run(there, "b")}
    whole = everything(there)
    seen = set()
    code = 0
    for calls in range(0, 400, 7):
        arguments = [str(here.path), str(there.path), str(calls)]
        code = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(MERGER), *arguments], check=False
        ).returncode
        assert code in (0, -signal.SIGKILL)
        listed = everything(here)
        seen.add(len(listed))
        for run_id, document in listed.items():
            assert document == whole[run_id]
            assert tree(place(here, run_id)) == tree(place(there, run_id))
        if len(listed) == 2:
            break
        for run_id in listed:
            shutil.rmtree(place(here, run_id))
    assert seen >= {0, 2}
    assert merge(here, there).present == sorted(ids)
    assert blob_names(here) == blob_names(there)
