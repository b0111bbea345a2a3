"""Many runs in one cell are one thing to look at, and each a whole run."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import trackbook as tb
from trackbook.store import open_store
from trackbook.views import group

LOOP = """
import trackbook as tb
for depth in (2, 5, 3):
    with tb.start_run("tree", params={"depth": depth, "seed": 0}):
        tb.log_metric("acc", depth / 10)
"""


def run(ip: InteractiveShell, source: str, cell_id: str | None = None) -> Any:
    return ip.run_cell(source, store_history=True, cell_id=cell_id)


def test_a_loop_of_runs_shows_one_line(
    ip: InteractiveShell, capfd: pytest.CaptureFixture[str]
) -> None:
    run(ip, LOOP)
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("3 tree runs · best acc 0.5 (depth=5) · last 0.3 · ")


def test_each_run_of_a_loop_has_its_notebook_cells_and_number(ip: InteractiveShell) -> None:
    run(ip, "x = 1", "a")
    run(ip, LOOP, "b")
    found = tb.runs(sort="number")
    assert [r.number for r in found] == [1, 2, 3]
    for each in found:
        assert [c.source for c in each.snapshot().cells] == ["x = 1", LOOP]
        lines = open_store().records(each.id, "cells")
        assert [line["cell"] for line in lines] == ["a", "b"]


def test_children_of_a_tracked_cell_are_one_line_above_its_own(
    ip: InteractiveShell, capfd: pytest.CaptureFixture[str]
) -> None:
    run(ip, "%%track sweep" + LOOP + "best = max([0.2, 0.5, 0.3])")
    lines = capfd.readouterr().err.strip().splitlines()
    assert [line.split(" · ")[0] for line in lines] == ["3 tree runs", "sweep #1"]
    assert len(tb.get_run("sweep").children) == 3


def test_a_single_run_in_a_cell_has_the_line_of_a_tracked_one(
    ip: InteractiveShell, capfd: pytest.CaptureFixture[str]
) -> None:
    run(ip, "import trackbook as tb\nwith tb.start_run('one'):\n    tb.log_metric('acc', 0.5)")
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert line.startswith("one #1 · ")
    assert "acc 0.5" in line


def test_bare_runs_in_a_loop_say_once_that_they_replace_each_other(
    ip: InteractiveShell, capfd: pytest.CaptureFixture[str]
) -> None:
    run(ip, "import trackbook as tb\nfor i in range(5):\n    tb.start_run('bare')")
    lines = capfd.readouterr().err.strip().splitlines()
    assert sum("a new run has begun" in line for line in lines) == 1
    assert lines[-1].startswith("4 bare runs")


def test_an_open_run_has_every_cell_that_ran_in_it_once(ip: InteractiveShell) -> None:
    run(ip, "import trackbook as tb", "a")
    run(ip, "tb.log_param('lr', 1)", "b")
    for i in range(3):
        run(ip, f"tb.log_metric('m', {i})", "c")
    run(ip, "tb.end_run()", "d")
    lines = open_store().records(tb.get_run("latest").id, "cells")
    assert [line["cell"] for line in lines] == ["a", "b", "c", "c", "c", "d"]


def test_the_line_of_a_loop_tells_failures_and_what_differs() -> None:
    documents = [
        {
            "name": "tree",
            "status": "failed" if depth == 9 else "finished",
            "started": 10.0 + depth,
            "ended": 11.0 + depth,
            "params": {"depth": depth, "same": 1},
            "summary": {} if depth == 9 else {"loss": {"last": 1 / depth}},
        }
        for depth in (1, 4, 9)
    ]
    assert group.group_text(documents, over=True) == (
        "3 tree runs · best loss 0.25 (depth=4) · last 0.25 · 1 failed · 9 s"
    )
    assert group.group_text(documents, over=False).startswith("3 tree runs so far")
