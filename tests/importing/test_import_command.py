"""What ``trackbook import`` says, and what it refuses."""

from __future__ import annotations

import json
import os
import pty
import resource
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from takeover import call, runs_of, whole
from test_arrival import many

from trackbook.store import Store


def refused(store: Store, path: Path | str) -> str:
    result = call(store, str(path))
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.output
    assert store.find() == []
    return result.stderr


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:5000", "https://x.example", "databricks", "sqlite:///mlflow.db", "s3://b/x"],
)
def test_an_address_is_refused(address: str, store: Store) -> None:
    assert "opens no connection" in refused(store, address)


def test_what_is_not_there_or_empty_or_unknown_is_refused(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "some"
    assert "there is no" in refused(store, folder)
    folder.mkdir()
    assert "is empty" in refused(store, folder)
    (folder / "notes.txt").write_text("x")
    assert "nothing in" in refused(store, folder)
    assert "nothing that can be imported" in refused(store, folder / "notes.txt")
    sqlite3.connect(folder / "other.db").execute("CREATE TABLE runs (a)").connection.close()
    assert "of MLflow" in refused(store, folder / "other.db")


def test_a_store_of_ours_is_for_merge(tmp_path: Path, store: Store) -> None:
    assert store.path
    assert "trackbook merge" in refused(store, store.path)
    assert "trackbook merge" in refused(store, store.path.parent)


def test_a_folder_beside_the_right_one_is_told_which(
    written: dict[str, Path], tmp_path: Path, store: Store
) -> None:
    files, database = written["mlflow-files"], written["mlflow-database"]
    assert f"did you mean {files}?" in refused(store, files.parent)
    assert "part of an mlruns folder" in refused(store, next(files.glob("[1-9]*")))
    assert "one run of Sacred's" in refused(store, written["sacred-files"] / "1")
    assert "name the mlflow.db beside it" in refused(store, database.parent / "mlruns")


def test_the_summary_counts(tmp_path: Path, store: Store) -> None:
    source = many(tmp_path, 3)
    assert "would import 3 runs from MLflow" in call(store, str(source), "--dry-run").stdout
    assert call(store, str(source)).stdout == "imported 3 runs from MLflow\n"
    shutil.rmtree(source / "0" / f"{1:032x}")
    shutil.copytree(source / "0" / f"{2:032x}", source / "0" / f"{9:032x}")
    meta = source / "0" / f"{9:032x}" / "meta.yaml"
    meta.write_text(meta.read_text().replace(f"{2:032x}", f"{9:032x}"))
    result = call(store, str(source))
    assert result.stdout == "imported 1 run from MLflow, 2 were there already\n"


def test_artifacts_of_a_database_among_the_files_are_no_runs(tmp_path: Path, store: Store) -> None:
    source = many(tmp_path, 1)
    (source / "0" / ("b" * 32) / "artifacts").mkdir(parents=True)
    assert call(store, str(source)).stdout == "imported 1 run from MLflow\n"


def test_gaps_are_counted_and_told(tmp_path: Path, store: Store) -> None:
    source = many(tmp_path, 1)
    (run,) = (source / "0").glob("0*")
    (run / "artifacts" / "link").symlink_to(run / "meta.yaml")
    assert "1 thing did not come over" in call(store, str(source)).stdout
    assert runs_of(store)["run"]["capture"][0]["what"] == "artifact link"


def test_without_a_store_one_is_made_where_it_is_told(tmp_path: Path) -> None:
    source = many(tmp_path, 2)
    (tmp_path / "new").mkdir()
    command = [sys.executable, "-m", "trackbook.cli", "import", str(source)]
    command += ["--store", str(tmp_path / "new"), "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert len(told["imported"]) == 2
    assert (tmp_path / "new" / "store.json").is_file()


def test_a_store_that_cannot_be_written_stops_it_with_one_line(
    tmp_path: Path, store: Store
) -> None:
    source = many(tmp_path, 30)
    assert store.path

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))

    command = [sys.executable, "-m", "trackbook.cli", "import", str(source)]
    result = subprocess.run(
        [*command, "--store", str(store.path)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files,
    )
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert "goes on from there" in result.stderr
    assert whole(store)
    assert len(json.loads(call(store, str(source), "--json").stdout)["imported"]) == 30


def test_a_long_import_shows_a_bar_on_a_terminal(tmp_path: Path, store: Store) -> None:
    source = many(tmp_path, 1500)
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "trackbook.cli", "import", str(source)]
    process = subprocess.Popen(
        [*command, "--store", str(store.path)], stdout=subprocess.PIPE, stderr=end
    )
    os.close(end)
    shown = b""
    try:
        while data := os.read(terminal, 4096):
            shown += data
    except OSError:
        pass  # the other side was closed
    os.close(terminal)
    assert process.stdout
    assert b"imported 1500 runs" in process.stdout.read()
    assert process.wait() == 0
    assert b"importing" in shown
    assert b"100%" in shown
