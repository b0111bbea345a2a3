"""``%track why`` tells what was kept and left out, and what it cost; ``%track`` what is missing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from kernels import kernel

import trackbook as tb
from trackbook.capture import session as sessions


def test_every_decision_is_there_with_its_cost(
    ip: InteractiveShell, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "new.txt").write_text("new")
    tb.autolog(only="sklearn")
    try:
        ip.run_cell(
            "%%track all -p api_key=hunter2hunter2\nfrom sklearn.linear_model import Ridge\n"
            "from sklearn.pipeline import make_pipeline\ndepth = 3\nprint('x')\nn = 0\nn += 1\n"
            "import time\nt = time.time()\nacc = depth / 10\n"
            "m = make_pipeline(Ridge()).fit([[1], [2]], [1, 2])",
            cell_id="c",
        )
    finally:
        tb.autolog(False)
    sessions.current.close_all()
    why = tb.get_run("all").why
    told = {(entry["state"], entry["what"]): entry for entry in why}
    for what in ("params and metrics", "notebook", "git", "environment"):
        assert told["captured", what]["ms"] >= 0
    assert told["captured", "console"]["bytes"] == 2
    assert told["captured", "notebook"]["bytes"] > 100
    assert ("redacted", "params") in told
    reasons = " | ".join(entry.get("reason", "") for entry in why)
    for reason in (
        "params bound to literals: depth",
        "metrics computed: acc",
        "left out, a counter: n",
        "left out, a clock, a length, an id or a random number: t",
        "folded into Pipeline",
    ):
        assert reason in reasons
    capfd.readouterr()
    ip.run_line_magic("track", "why all")
    lines = capfd.readouterr().err
    assert re.search(r"captured  git  beside the run  \d+\.\d ms\n", lines)
    assert re.search(r"captured  notebook  .*  \d+\.\d ms  \d+ B\n", lines)


def test_the_same_told_again_takes_its_place(ip: InteractiveShell) -> None:
    run = tb.start_run("r")
    for size in (1, 2, 3):
        run.note_capture("thing", "captured", "again", bytes=size)
    run.note_capture("thing", "left out", "again")
    run.end()
    told = [entry for entry in tb.get_run("r").why if entry["what"] == "thing"]
    assert [(entry["state"], entry.get("bytes")) for entry in told] == [
        ("captured", 3),
        ("left out", None),
    ]


def test_a_missing_panel_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    ask = "%track"
    for server in (True, False):
        if server:
            monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "book.ipynb"))
        else:
            monkeypatch.delenv("JPY_SESSION_NAME")
        with kernel(tmp_path) as user:
            user.run("%load_ext trackbook\nimport time")
            at_once = str(user.run(ask))
            user.run("time.sleep(3.1)")
            later = [one["data"]["text/plain"] for one in user.run(ask)]
        assert "pip install" not in at_once
        missing = [text for text in later if "pip install trackbook" in text]
        assert len(missing) == server
        assert all("\n" not in text for text in missing)
