"""Opening, nesting, superseding, resuming and ending runs, as a script does it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import trackbook as tb
from trackbook.capture import session as sessions


@pytest.fixture(autouse=True)
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh session, as in a script that runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    sessions.reset()
    yield tmp_path
    sessions.current.close_all()
    sessions.reset()


def run_script(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    script = folder / "train.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(script)], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_with_run_keeps_typed_params_and_metrics() -> None:
    with tb.start_run("forest", params={"depth": 8, "lr": 0.1, "bootstrap": True}) as run:
        tb.log_metric("loss", 1.5)
        tb.log_metric("loss", 0.5)
        tb.log_metrics({"acc": 0.9}, step=7)
    read = tb.get_run(run.id)
    assert read.status == "finished"
    assert read.params == {"depth": 8, "lr": 0.1, "bootstrap": True}
    assert read.metrics["loss"] == 0.5
    assert read.summary["loss"] == {"last": 0.5, "min": 0.5, "max": 1.5, "count": 2}
    assert list(read.history("loss")["step"]) == [0, 1]
    assert list(read.history("acc")["step"]) == [7]


def test_a_with_run_that_raises_is_failed_and_the_exception_passes() -> None:
    with pytest.raises(ZeroDivisionError), tb.start_run("broken") as run:
        _ = 1 / 0
    read = tb.get_run(run.id)
    assert read.status == "failed"
    assert read.error["type"] == "ZeroDivisionError"
    assert "1 / 0" in read.error["traceback"]


def test_keyboard_interrupt_is_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt), tb.start_run("long") as run:
        raise KeyboardInterrupt
    assert tb.get_run(run.id).status == "interrupted"


def test_a_new_bare_run_supersedes_the_open_one(capsys: pytest.CaptureFixture[str]) -> None:
    first = tb.start_run("one")
    second = tb.start_run("two")
    tb.log_param("a", 1)
    assert first.status == "finished"
    assert second.params == {"a": 1}
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "one #1 is finished" in captured.err


def test_entering_a_run_makes_the_open_bare_run_its_parent() -> None:
    bare = tb.start_run("outer")
    with tb.start_run("inner") as inner:
        assert tb.active_run() is inner
    assert bare.open
    assert tb.active_run() is bare
    tb.end_run()
    child = tb.get_run(inner.id)
    assert child.parent is not None
    assert child.parent.id == bare.id
    assert [c.id for c in tb.get_run(bare.id).children] == [inner.id]


def test_start_run_inside_a_with_is_a_child() -> None:
    with tb.start_run("outer") as outer:
        child = tb.start_run("fold")
        tb.log_metric("m", 1)
        assert tb.active_run() is child
    assert not child.open
    assert child.document["parent"] == outer.id
    assert child.metrics == {"m": 1.0}
    assert outer.metrics == {}


def test_nested_decides_at_once() -> None:
    bare = tb.start_run("outer")
    child = tb.start_run("child", nested=True)
    assert bare.open
    assert child.document["parent"] == bare.id
    assert tb.active_run() is child
    child.end()
    other = tb.start_run("other", nested=False)
    assert not bare.open
    assert other.document["parent"] is None


def test_attempts_count_up_by_name() -> None:
    numbers = []
    for _ in range(3):
        with tb.start_run("forest") as run:
            numbers.append(run.number)
    with tb.start_run("boosting") as other:
        assert other.number == 1
    assert numbers == [1, 2, 3]


def test_a_param_is_replaced_with_history_and_equal_again_is_silent() -> None:
    with tb.start_run() as run:
        tb.log_param("lr", 7)
        tb.log_param("lr", 7.0)
        tb.log_param("lr", 8)
    assert run.params == {"lr": 8}
    assert [(h["old"], h["new"]) for h in run.document["param_history"]] == [(7, 8)]


def test_a_run_is_resumed_with_its_points_and_steps() -> None:
    with tb.start_run("long") as run:
        tb.log_metric("loss", 3.0)
        tb.log_metric("loss", 2.0)
    sessions.current.close_all()
    sessions.reset()
    with tb.start_run(run_id=run.id) as again:
        assert again.id == run.id
        tb.log_metric("loss", 1.0)
    read = tb.get_run(run.id)
    assert list(read.history("loss")["step"]) == [0, 1, 2]
    assert read.number == 1


def test_a_finished_run_takes_late_values() -> None:
    with tb.start_run() as run:
        pass
    run.log_metric("test_acc", 0.9)
    sessions.current.close_all()
    read = tb.get_run(run.id)
    assert read.status == "finished"
    assert read.metrics == {"test_acc": 0.9}


def test_a_thread_logs_into_the_open_run() -> None:
    with tb.start_run() as run:
        thread = threading.Thread(target=lambda: tb.log_metric("from_thread", 1.0))
        thread.start()
        thread.join()
    assert len(tb.runs()) == 1
    assert tb.get_run(run.id).metrics == {"from_thread": 1.0}


@pytest.mark.parametrize("bad", ["0.9", None, [1, 2], object()])
def test_a_metric_that_is_no_scalar_is_refused_and_nothing_changes(bad: object) -> None:
    with tb.start_run() as run:
        tb.log_metric("m", 1.0)
        with pytest.raises(tb.InvalidValue, match="metric 'm'"):
            tb.log_metric("m", bad)
        with pytest.raises(tb.InvalidValue):
            tb.log_metrics({"x": 1.0, "m": bad})
    assert tb.get_run(run.id).metrics == {"m": 1.0}


def test_a_param_that_is_no_data_is_refused_whole() -> None:
    with tb.start_run() as run, pytest.raises(tb.InvalidValue, match="param 'b'"):
        tb.log_params({"a": 1, "b": object()})
    assert run.params == {}


def test_secrets_do_not_reach_the_disk() -> None:
    secret = "ghp_" + "a1" * 20
    with tb.start_run(params={"api_key": "hunter2hunter2", "note": secret, "num_tokens": 5}) as run:
        tb.set_note(f"uses {secret}")
    stored = (tb.open_store().path / "runs").rglob("*.json")
    text = "".join(p.read_text() for p in stored)
    assert "hunter2" not in text
    assert secret not in text
    assert tb.get_run(run.id).params["num_tokens"] == 5


def test_disabled_writes_nothing(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKBOOK_DISABLED", "1")
    with tb.start_run() as run:
        tb.log_metric("m", 1)
        run.log_text("x", "x.txt")
    tb.log_param("a", 1)
    assert not (script / ".trackbook").exists()


def test_artifacts_of_each_kind_come_back(script: Path) -> None:
    import matplotlib.pyplot as plt
    import numpy as np

    (script / "data.bin").write_bytes(b"\x00\x01" * 5000)
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    with tb.start_run() as run:
        tb.log_artifact(script / "data.bin")
        tb.log_text("hällo", "notes.md")
        tb.log_dict({"a": [1, float("nan")]}, "conf.json")
        tb.log_table({"x": [1, 2]}, "table")
        tb.log_figure(figure, "curve")
        tb.log_image(np.zeros((4, 4, 3)), "black")
    read = tb.get_run(run.id)
    assert read.artifact("data.bin").read_bytes() == b"\x00\x01" * 5000
    assert read.artifact("notes.md").read_text(encoding="utf-8") == "hällo"
    assert read.artifact("table.csv").read_text() == "x\n1\n2\n"
    assert read.artifact("curve.png").read_bytes().startswith(b"\x89PNG")
    assert read.artifact("black.png").read_bytes().startswith(b"\x89PNG")


def test_a_script_ends_its_bare_run(script: Path) -> None:
    done = run_script(
        script,
        """
        import trackbook as tb
        tb.log_param("lr", 0.1)
        tb.log_metric("loss", 0.5)
        print("done")
        """,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
    (run,) = tb.runs()
    assert (run.status, run.name, run.experiment) == ("finished", "train", "train")


def test_a_script_that_raises_leaves_a_failed_run(script: Path) -> None:
    done = run_script(
        script, "import trackbook as tb\ntb.log_param('lr', 1)\nraise ValueError('no data')\n"
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("ValueError: no data")
    (run,) = tb.runs()
    assert run.status == "failed"
    assert run.error["message"] == "no data"


def test_a_forked_child_leaves_the_parents_run_alone(script: Path) -> None:
    done = run_script(
        script,
        """
        import os, sys
        import trackbook as tb
        run = tb.start_run("parent")
        tb.log_metric("m", 1)
        pid = os.fork()
        if pid == 0:
            sys.exit(0)
        os.waitpid(pid, 0)
        tb.log_metric("m", 2)
        """,
    )
    assert done.returncode == 0, done.stderr
    (run,) = tb.runs()
    assert run.status == "finished"
    assert list(run.history("m")["value"]) == [1.0, 2.0]


def test_git_commit_and_dirty_flag(script: Path) -> None:
    for command in (["init", "-q", "-b", "main"], ["add", "a.txt"], ["commit", "-qm", "first"]):
        (script / "a.txt").write_text("one")
        subprocess.run(["git", *command], cwd=script, check=True)
    with tb.start_run("clean") as clean:
        pass
    sessions.current.close_all()
    (script / "a.txt").write_text("two")
    with tb.start_run("dirty") as dirty:
        pass
    sessions.current.close_all()
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=script, check=True, capture_output=True, text=True
    ).stdout.strip()
    assert tb.get_run(clean.id).git["commit"] == head
    assert tb.get_run(clean.id).git["dirty"] is False
    assert tb.get_run(dirty.id).git["dirty"] is True
    assert tb.get_run(dirty.id).git["branch"] == "main"
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=script, check=True, capture_output=True, text=True
    ).stdout
    assert ".trackbook" not in status


def test_a_loop_of_short_runs_shares_readings_of_the_commit(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=script, check=True)
    calls = tmp_path / "calls"
    real = shutil.which("git")
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "git"
    slow.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nsleep 0.05\nexec {real} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    for _ in range(20):
        with tb.start_run("short"):
            pass
    sessions.current.close_all()
    assert [run.git["branch"] for run in tb.runs()] == ["main"] * 20
    readings = sum("show-toplevel" in line for line in calls.read_text().splitlines())
    assert 1 <= readings < 20


def test_a_store_path_that_is_a_file_is_refused(script: Path) -> None:
    (script / "file").write_text("")
    with pytest.raises(tb.StoreError, match="is a file"):
        tb.set_store(script / "file")


def test_a_process_reads_at_once_what_it_has_logged() -> None:
    with tb.start_run("live"):
        tb.log_metric("loss", 0.5)
        tb.log_param("lr", 0.1)
        (seen,) = tb.runs("metrics.loss == 0.5 and params.lr == 0.1")
        tb.log_metric("loss", 0.25)
        assert tb.get_run(seen.id).metrics["loss"] == 0.25
