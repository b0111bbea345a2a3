"""Artifacts as a script logs them: folders, steps, names, caps, faults, and Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faults
import numpy as np
import pandas as pd
import pytest

import trackbook as tb
from trackbook import settings
from trackbook.capture import session as sessions
from trackbook.errors import InvalidValue, StoreError, TrackbookWarning


@pytest.fixture(autouse=True)
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    sessions.reset()
    yield tmp_path
    sessions.current.close_all()
    sessions.reset()


@pytest.fixture
def data(script: Path) -> Path:
    folder = script / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.csv").write_text("x\n1\n")
    (folder / "sub" / "ö.bin").write_bytes(os.urandom(3000))
    (folder / "link").symlink_to("a.csv")
    os.mkfifo(folder / "pipe")
    return folder


def read(run: Any) -> Any:
    return tb.get_run(run.id)


# -- folders -----------------------------------------------------------------------------------


def test_a_folder_is_one_entry_a_file_and_one_line_on_disk(data: Path, script: Path) -> None:
    with tb.start_run() as run:
        tb.log_artifacts(data)
        tb.log_artifacts("data", "again/here")
    there = read(run)
    assert list(there.artifacts) == [
        *("data/a.csv", "data/sub/ö.bin", "again/here/a.csv", "again/here/sub/ö.bin")
    ]
    entry = there.artifacts["data/a.csv"]
    assert (entry.kind, entry.type, entry.size) == ("table", "text/csv", 4)
    assert there.artifact("data/a.csv").read_text() == "x\n1\n"
    (lines,) = (script / ".trackbook" / "runs").glob("*/*/artifacts.jsonl")
    assert len(lines.read_text().splitlines()) == 2
    why = [entry.reason for entry in there.why if entry.what == "artifacts"]
    assert len(why) == 4 and "1 links in" in why[0] and "link" in why[0] and "pipe" in why[1]


def test_a_folder_comes_back_as_a_folder(data: Path) -> None:
    with tb.start_run() as run:
        tb.log_artifacts(data)
    place = read(run).artifact("data")
    files = {
        p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()
    }
    assert files == {n: (data / n).read_bytes() for n in ("a.csv", "sub/ö.bin")}
    (place / "a.csv").write_text("mine now")
    assert read(run).artifact("data/a.csv").read_text() == "x\n1\n"
    assert sorted(p.name for p in read(run).artifact("data/sub").iterdir()) == ["ö.bin"]


def test_an_empty_folder_is_no_artifact_and_a_missing_one_is_an_error(script: Path) -> None:
    (script / "empty").mkdir()
    (script / "file").write_text("x")
    with tb.start_run() as run:
        tb.log_artifacts("empty")
        for wrong, why in (("none", "does not exist"), ("file", "is a file"), (3, "takes a path")):
            with pytest.raises(InvalidValue, match=why):
                tb.log_artifacts(wrong)  # type: ignore[arg-type]
    assert read(run).artifacts == {}


def test_a_damaged_manifest_hides_no_other_artifact(data: Path, script: Path) -> None:
    with tb.start_run() as run:
        tb.log_artifacts(data)
        tb.log_text("x", "x.txt")
    line = read(run)._store.records(run.id, "artifacts")[0]
    (manifest,) = (script / ".trackbook" / "blobs").rglob(line["manifest"] + "*")
    manifest.unlink()
    assert list(read(run).artifacts) == ["data", "x.txt"]
    with pytest.raises(StoreError, match="names no blob"):
        read(run).artifact("data")


# -- names and steps ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../b", "", "a//b", ".", "x\0"])
def test_a_name_that_could_lead_elsewhere_is_refused(data: Path, name: str) -> None:
    calls = [
        lambda: tb.log_artifact(data / "a.csv", name),
        lambda: tb.log_text("x", name),
        lambda: tb.log_dict({}, name),
        lambda: tb.log_table({"a": [1]}, name),
        lambda: tb.log_image(np.zeros((2, 2)), name),
        *([lambda: tb.log_artifacts(data, name)] if name else []),
    ]
    with tb.start_run() as run:
        for call in calls:
            with pytest.raises(InvalidValue, match="an artifact's name is like"):
                call()
    assert read(run).artifacts == {}


def test_the_last_of_a_name_wins_and_every_step_is_kept() -> None:
    with tb.start_run() as run:
        for step in (0, 10, np.int64(5), 10):
            tb.log_image(np.full((2, 2), int(step) / 20), "sample", step=step)
        tb.log_text("old", "ü note.txt")
        tb.log_text("new", "ü note.txt")
        with pytest.raises(InvalidValue, match="step"):
            tb.log_image(np.zeros((2, 2)), "sample", step="one")  # type: ignore[arg-type]
    there = read(run)
    assert list(there.artifacts) == ["sample.png", "ü note.txt"]
    assert there.artifacts["sample.png"].steps == [0, 10, 5]
    assert there.artifacts["sample.png"].step == 10
    images = {step: there.artifact("sample.png", step=step).read_bytes() for step in (0, 5, 10)}
    assert len(set(images.values())) == 3
    assert there.artifact("sample").read_bytes() == images[10]  # the suffix may be left out
    assert there.artifact("ü note.txt").read_text() == "new"
    with pytest.raises(StoreError, match="no step 7; it has 0, 10, 5, 10"):
        there.artifact("sample", step=7)
    with pytest.raises(StoreError, match=r"has no artifact 'b'; it has sample\.png, ü note\.txt"):
        there.artifact("b")


def test_a_large_table_and_parquet_come_back() -> None:
    frame = pd.DataFrame({"n": np.arange(700_000), "x": 0.5, "s": "text", "t": 1})
    with tb.start_run() as run:
        tb.log_table(frame, "large")
        tb.log_table(frame.set_index("n"), "indexed.parquet")
        with pytest.raises(InvalidValue, match="cannot be Parquet"):
            tb.log_table(pd.DataFrame({"mixed": [1, "a", {}]}), "mixed.parquet")
        with pytest.raises(InvalidValue, match="is not a table"):
            tb.log_table(3, "three")
    there = read(run)
    pd.testing.assert_frame_equal(
        pd.read_csv(there.artifact("large.csv")), frame, check_dtype=False
    )
    back = pd.read_parquet(there.artifact("indexed.parquet"))
    pd.testing.assert_frame_equal(back, frame.set_index("n"), check_dtype=False)
    assert list(there.artifacts) == ["large.csv", "indexed.parquet"]


# -- caps --------------------------------------------------------------------------------------


def test_too_large_a_file_is_refused_with_what_to_do(
    script: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (script / "huge").open("wb") as file:
        file.truncate(2_000_000_001)
    with tb.start_run() as run:
        with pytest.raises(InvalidValue, match=r"2\.0 GB.*pass limit='2\.5 GB'.*artifact-limit"):
            tb.log_artifact("huge")
        with pytest.raises(InvalidValue, match="limit is 'lots'"):
            tb.log_artifact(data / "a.csv", limit="lots")
        with pytest.raises(InvalidValue, match=r"ö\.bin has 3\.0 kB"):
            tb.log_artifacts(data, limit="1 kB")
        monkeypatch.setenv("TRACKBOOK_ARTIFACT_LIMIT", "1kB")
        with pytest.raises(InvalidValue, match="may have"):
            tb.log_artifacts(data)
        assert read(run).artifacts == {}
        assert not list((script / ".trackbook").rglob("b3-*"))
        tb.log_artifacts(data, limit="none")
    assert len(read(run).artifacts) == 2


def test_the_limit_is_the_arguments_the_environments_or_the_projects(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.artifact_limit() == 2_000_000_000
    (script / "pyproject.toml").write_text("[tool.trackbook]\nartifact-limit = '1.5 GB'")
    assert settings.artifact_limit() == 1_500_000_000
    monkeypatch.setenv("TRACKBOOK_ARTIFACT_LIMIT", "none")
    assert settings.artifact_limit() is None
    assert settings.artifact_limit("10mb") == 10_000_000
    assert settings.artifact_limit(0) == 0
    for wrong in ("-1", "2 parsecs", "", -1, True):
        with pytest.raises(InvalidValue, match="write a size"):
            settings.artifact_limit(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["pipe", "/dev/null", "/dev/zero", "nothing", "sub", 3, None])
def test_what_is_no_file_is_refused_at_once(data: Path, path: Any) -> None:
    with tb.start_run() as run, pytest.raises(InvalidValue):
        tb.log_artifact(data / path if isinstance(path, str) else path)
    assert read(run).artifacts == {}


def test_while_tracking_is_off_nothing_is_written_or_looked_at(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBOOK_DISABLED", "1")
    with tb.start_run():
        tb.log_artifact("nothing there")
        tb.log_artifacts("nothing there")
        tb.log_model(object())
        tb.log_input("nothing there")
    assert not (script / ".trackbook").exists()


# -- faults ------------------------------------------------------------------------------------

FULL = """
    import os, sys, warnings
    import trackbook as tb
    tb.set_store(os.path.join(sys.argv[1], "s"))
    with open(sys.argv[2], "wb") as file:
        file.write(os.urandom(20 << 20))
    with warnings.catch_warnings(record=True) as told, tb.start_run("r") as run:
        warnings.simplefilter("always")
        for name in ("one", "two"):
            tb.log_artifact(sys.argv[2], "model.bin")
        tb.log_text("small", "small.txt")
        tb.log_metric("m", 1)
    read = tb.get_run(run.id)
    blobs = [f for _, _, files in os.walk(os.path.join(sys.argv[1], "s", "blobs")) for f in files]
    print([str(w.message) for w in told])
    print(read.status, list(read.artifacts), read.metrics, [f for f in blobs if "tmp" in f])
    print([e.reason for e in read.why if e.what == "artifact"])
"""


@pytest.mark.skipif(not faults.may_mount(), reason="this user may not mount")
def test_a_full_disk_is_one_warning_and_the_run_goes_on(tmp_path: Path) -> None:
    done = faults.on_small_disk(FULL, tmp_path / "disk", tmp_path / "file", size="6m")
    assert done.returncode == 0, done.stderr
    told, state, why = done.stdout.splitlines()
    assert told.count("an artifact was not kept") == 1 and "is full" in told
    assert state == "finished ['small.txt'] {'m': 1.0} []"
    assert "is full" in why


INTERRUPTED = """
    import signal, sys, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    import trackbook as tb
    tb.set_store(sys.argv[1])
    try:
        with tb.start_run("r"):
            tb.log_artifact(sys.argv[2], limit="none")
    except KeyboardInterrupt:
        print("passed through")
    run = tb.get_run("r")
    run_again = tb.start_run("again")
    tb.log_text("works", "t.txt")
    run_again.end()
    print(run.status, list(run.artifacts), list(tb.get_run("again").artifacts))
"""


def test_ctrl_c_during_a_long_copy_interrupts_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(30 << 30)
    store = tmp_path / "s"
    code = textwrap.dedent(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, "-c", code, store, tmp_path / "large"], stdout=subprocess.PIPE, text=True
    )
    while not list(store.glob("blobs/*.tmp")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out == "passed through\ninterrupted [] ['t.txt']\n"
    assert [p for p in store.rglob("*") if p.name.endswith(".tmp")] == []
    assert len([p for p in (store / "blobs").rglob("*") if p.is_file()]) >= 1


def test_a_long_copy_tells_how_far_it_is_in_a_terminal_alone(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(4 << 30)
    code = (
        "import sys, trackbook as tb; tb.set_store(sys.argv[1])\n"
        "with tb.start_run(): tb.log_artifact(sys.argv[2], limit='none')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "s"), str(tmp_path / "large")]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 10_000)
        except OSError:  # a terminal that everybody left
            break
        shown += piece
    assert process.stdout and process.stdout.read() == b"" and process.wait() == 0
    lines = shown.decode().replace("\x1b[K", "").split("\r")
    assert any(line.startswith("Trackbook: keeping large, ") and "%)" in line for line in lines)
    assert lines[-2].startswith("Trackbook: kept large, 4.3 GB in ")
    quiet = subprocess.run(command, capture_output=True, check=True)
    assert (quiet.stdout, quiet.stderr) == (b"", b"")


def test_a_file_that_is_being_written_is_kept_with_one_warning(script: Path) -> None:
    path = script / "growing.log"
    path.write_bytes(os.urandom(64 << 20))  # long enough for the other to be scheduled
    code = "import sys\nwith open(sys.argv[1], 'ab', 0) as f:\n while True: f.write(b'line')"
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)])
    try:
        before = path.stat().st_size
        while path.stat().st_size == before:
            time.sleep(0.01)
        with tb.start_run() as run, pytest.warns(TrackbookWarning, match="may be a mixture"):
            tb.log_artifact(path)
    finally:
        writer.kill()
        writer.wait()
    there = read(run)
    assert there.artifact("growing.log").stat().st_size == there.artifacts["growing.log"].size
    assert any("may be a mixture" in entry.reason for entry in there.why if entry.reason)


def test_show_lists_inputs_and_artifacts_and_not_ten_thousand(data: Path) -> None:
    for number in range(60):
        (data / f"{number:02}.txt").write_text("x")
    with tb.start_run("r"):
        tb.log_artifacts(data)
        tb.log_input(pd.DataFrame({"a": [1, 2]}), "train")
    command = [sys.executable, "-m", "trackbook.cli", "show", "r"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "\nInputs\n  train  2 × 1 " in done.stdout
    assert "data/00.txt" in done.stdout and "… and 12 more" in done.stdout
    assert "data/59.txt" not in done.stdout
