"""Importing again, after a crash, beside another import, and after somebody went on here."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow as _installed  # the tests need it; the import never does
import pytest
from takeover import call, contents, imported, runs_of, whole

from trackbook.model import is_run_id
from trackbook.store import LocalStore, Store, open_store

assert _installed


def snapshot(store: Store) -> dict[str, bytes]:
    assert store.path
    files = [path for path in store.path.glob("runs/**/*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


def test_a_second_import_changes_nothing(anything: Path, store: Store) -> None:
    first = imported(store, str(anything))
    before = snapshot(store)
    second = imported(store, str(anything))
    assert second["imported"] == second["updated"] == []
    assert sorted(second["present"]) == sorted(first["imported"])
    assert snapshot(store) == before
    assert all(is_run_id(run_id) for run_id in first["imported"])
    assert whole(store)


def test_two_stores_get_the_same_ids(anything: Path, store: Store, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other", create=True)
    first, second = imported(store, str(anything)), imported(other, str(anything))
    assert first["imported"] == second["imported"]


def test_a_dry_run_tells_and_writes_nothing(anything: Path, store: Store) -> None:
    told = imported(store, str(anything), "--dry-run")
    assert snapshot(store) == {}
    assert told["imported"] == imported(store, str(anything))["imported"]
    assert imported(store, str(anything), "--dry-run")["imported"] == []


def test_a_run_that_has_grown_is_brought_up_to_date(
    written: dict[str, Path], tmp_path: Path, store: Store
) -> None:
    root = shutil.copytree(written["mlflow-files"].parent, tmp_path / "copy") / "mlruns"
    imported(store, str(root))
    before = runs_of(store)
    run = before["running"]
    assert run["status"] == "lost"
    store.edit(run["id"], {"note": "mine", "star": True})
    (folder,) = root.glob(f"*/{run['imported']['id']}")
    with (folder / "metrics" / "loss").open("a") as file:
        file.write("1800000000000 0.25 1\n")
    (folder / "metrics" / "a_new_one").write_text("1800000000000 7 0\n")
    meta = (folder / "meta.yaml").read_text().replace("status: 1", "status: 3")
    (folder / "meta.yaml").write_text(meta.replace("end_time: null", "end_time: 1800000000500"))

    done = imported(store, str(root))
    assert done["updated"] == [run["id"]]
    after = runs_of(store)["running"]
    assert (after["status"], after["ended"]) == ("finished", 1_800_000_000.5)
    assert (after["number"], after["note"], after["star"]) == (run["number"], "mine", True)
    points = store.points(run["id"])
    assert points["loss"].value.tolist() == [1.0, 0.25]
    assert points["a_new_one"].value.tolist() == [7.0]
    assert imported(store, str(root))["updated"] == []
    assert whole(store)


def test_deleting_there_moves_to_the_trash_here_and_back(
    written: dict[str, Path], tmp_path: Path, store: Store
) -> None:
    root = shutil.copytree(written["mlflow-files"].parent, tmp_path / "copy") / "mlruns"
    imported(store, str(root))
    run = runs_of(store)["killed"]
    assert not run.get("deleted")
    (folder,) = root.glob(f"*/{run['imported']['id']}")
    active = (folder / "meta.yaml").read_text()
    for word, there in (("deleted", True), ("active", False)):
        meta = active.replace("lifecycle_stage: active", f"lifecycle_stage: {word}")
        (folder / "meta.yaml").write_text(meta)
        assert imported(store, str(root))["updated"] == [run["id"]]
        assert bool(runs_of(store)["killed"].get("deleted")) is there


def test_what_somebody_did_here_stays(
    written: dict[str, Path], tmp_path: Path, store: Store
) -> None:
    root = shutil.copytree(written["mlflow-files"].parent, tmp_path / "copy") / "mlruns"
    imported(store, str(root))
    run = runs_of(store)["running"]
    writer = store.resume(run["id"])
    writer.log("ours", 0, 1.0, 1.0)
    writer.document["status"] = "finished"
    writer.finish()
    (folder,) = root.glob(f"*/{run['imported']['id']}")
    (folder / "metrics" / "theirs").write_text("1800000000000 7 0\n" * 50)
    assert run["id"] in imported(store, str(root))["present"]
    assert store.points(run["id"]).keys() == {"loss", "ours"}


def test_a_purged_run_comes_back_only_when_imported_again(
    written: dict[str, Path], store: Store
) -> None:
    source = str(written["sacred-files"])
    (first, *_) = imported(store, source)["imported"]
    store.edit(first, {"deleted": True})
    assert first in imported(store, source)["present"]
    assert store.count() == 3


def test_an_experiment_prefix_goes_before_every_experiment(mlflow: Path, store: Store) -> None:
    imported(store, str(mlflow), "--experiment", "old/")
    assert {d["experiment"] for d in store.find()} == {"old/iris/base"}


def many(folder: Path, count: int) -> Path:
    """An mlruns folder as MLflow writes it, of many small runs."""
    for number in range(count):
        run_id = f"{number:032x}"
        run = folder / "mlruns" / "0" / run_id
        (run / "metrics").mkdir(parents=True)
        (run / "artifacts").mkdir()
        (run / "artifacts" / "notes.txt").write_text(f"of run {number}")
        lines = (f"{1_700_000_000_000 + i} {i / 7} {i}\n" for i in range(500))
        (run / "metrics" / "loss").write_text("".join(lines))
        (run / "meta.yaml").write_text(
            f"artifact_uri: /gone/0/{run_id}/artifacts\nend_time: 1700000001000\n"
            f"experiment_id: '0'\nlifecycle_stage: active\nrun_id: {run_id}\n"
            f"run_name: run\nstart_time: {1_700_000_000_000 + number}\nstatus: 3\nuser_id: ada\n"
        )
    (folder / "mlruns" / "0" / "meta.yaml").write_text("experiment_id: '0'\nname: Default\n")
    return folder / "mlruns"


def start(source: Path, store: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "trackbook.cli", "import", str(source), "--store", str(store)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.mark.parametrize("after", [1, 40, 150])
def test_kill_9_leaves_whole_runs_and_the_next_call_goes_on(
    after: int, tmp_path: Path, store: Store
) -> None:
    source = many(tmp_path, 200)
    assert store.path
    process = start(source, store.path)
    while len(list(store.path.glob("runs/*/[0-9]*/run.json"))) < after:
        assert process.poll() is None
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    there = list(store.path.glob("runs/*/[0-9]*"))
    assert len(there) < 200
    assert whole(store)
    done = imported(store, str(source))
    assert len(done["present"]) == len(there)
    assert len(done["imported"]) == 200 - len(there)
    found = store.find()
    assert sorted(d["number"] for d in found) == list(range(1, 201))
    assert all(d["summary"]["loss"]["count"] == 500 for d in found)
    assert len(contents(store, found[0])) == 1
    assert whole(store)


DYING = """
import os, signal, sys
left, replace = int(sys.argv.pop(1)), os.replace
def dying(*args, **kwargs):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(*args, **kwargs)
os.replace = dying
from trackbook.cli import main
main()
"""


@pytest.mark.parametrize("after", range(9))
def test_kill_9_while_a_run_is_replaced_is_made_good(
    after: int, tmp_path: Path, store: Store
) -> None:
    source = many(tmp_path, 1)
    imported(store, str(source))
    (metrics,) = source.glob("0/*/metrics")
    (metrics / "another").write_text("1700000000000 7 0\n")
    command = [sys.executable, "-c", DYING, str(after), "import", str(source)]
    killed = subprocess.run([*command, "--store", str(store.path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (run,) = store.find()
    assert store.points(run["id"])["loss"].value.size == 500
    imported(store, str(source))
    points = store.points(run["id"])
    assert (points["loss"].value.size, points["another"].value.tolist()) == (500, [7.0])
    (run,) = store.find()
    assert (run["summary"]["another"]["count"], run["number"]) == (1, 1)
    assert imported(store, str(source))["present"] == [run["id"]]
    assert whole(store)


def test_two_imports_at_once_give_each_run_once(tmp_path: Path, store: Store) -> None:
    source = many(tmp_path, 60)
    assert store.path
    processes = [start(source, store.path) for _ in range(2)]
    for process in processes:
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()
    assert isinstance(store, LocalStore)
    assert store.count() == 60
    assert whole(store)


def test_one_bad_run_stops_no_other(written: dict[str, Path], tmp_path: Path, store: Store) -> None:
    root = shutil.copytree(written["mlflow-files"].parent, tmp_path / "copy") / "mlruns"
    bad = next(path for path in root.glob("*/*/meta.yaml") if (path.parent / "params").is_dir())
    bad.write_text(bad.read_text()[:40])
    result = call(store, str(root))
    assert result.exit_code == 1
    assert "imported 8 runs from MLflow" in result.stdout
    assert "1 run could not be read" in result.stderr
    assert str(bad) in result.stderr
    assert "Traceback" not in result.output
