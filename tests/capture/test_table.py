"""Every way to open a run against everything that may come: what runs there are then.

The tables are written by hand from DESIGN.md, section 2, "Running".
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import trackbook as tb

LOG = "tb.log_metric('m', 1)"
OPEN = {
    "none": "x = 1{}",
    "bare": f"tb.start_run('r')\n{LOG}{{}}",
    "implicit": f"{LOG}{{}}",
    "with": f"with tb.start_run('r'):\n    {LOG}{{within}}",
    "track": f"%%track r\n{LOG}{{}}",
    "fit": "LinearRegression().fit([[1], [2]], [1, 2]){}",
}
EVENT = {
    "interrupt": "raise KeyboardInterrupt",
    "exception": "raise ValueError('no')",
    "nested with": "with tb.start_run('in'):\n    tb.log_metric('k', 2)",
    "nested bare": "tb.start_run('in')\ntb.log_metric('k', 2)",
    "end": "tb.end_run()",
}
Row = tuple[str, int, str, str | None, str | None]


def row(
    name: str, number: int, status: str, parent: str | None = None, error: str | None = None
) -> Row:
    return name, number, status, parent, error


# Names by default: "run" without a notebook, the class of the one fit.
R, RUN, FIT = ("r", 1), ("run", 1), ("LinearRegression", 1)
IN = row("in", 1, "finished")
IN_OPEN = row("in", 1, "running")
OF_R = row("in", 1, "finished", "r")
OF_RUN = row("in", 1, "finished", "run")
DONE = {"with": row(*R, "finished"), "track": row(*R, "finished"), "fit": row(*FIT, "finished")}

# What happens in the very cell that opens the run.
SAME: dict[tuple[str, str], list[Row]] = {
    ("none", "interrupt"): [],
    ("none", "exception"): [],
    ("none", "nested with"): [IN],
    ("none", "nested bare"): [IN_OPEN],
    ("none", "end"): [],
    # A failing cell ends only what it owns: bare and implicit runs stay open and note the error.
    ("bare", "interrupt"): [row(*R, "running", None, "KeyboardInterrupt")],
    ("bare", "exception"): [row(*R, "running", None, "ValueError")],
    # A following with makes the open bare run its parent.
    ("bare", "nested with"): [row(*R, "running"), OF_R],
    # A new bare run supersedes the bare one.
    ("bare", "nested bare"): [row(*R, "finished"), IN_OPEN],
    ("bare", "end"): [row(*R, "finished")],
    ("implicit", "interrupt"): [row(*RUN, "running", None, "KeyboardInterrupt")],
    ("implicit", "exception"): [row(*RUN, "running", None, "ValueError")],
    ("implicit", "nested with"): [row(*RUN, "running"), OF_RUN],
    ("implicit", "nested bare"): [row(*RUN, "finished"), IN_OPEN],
    ("implicit", "end"): [row(*RUN, "finished")],
    ("with", "interrupt"): [row(*R, "interrupted", None, "KeyboardInterrupt")],
    ("with", "exception"): [row(*R, "failed", None, "ValueError")],
    # Inside a with or a %%track body start_run makes a child, which ends with it.
    ("with", "nested with"): [row(*R, "finished"), OF_R],
    ("with", "nested bare"): [row(*R, "finished"), OF_R],
    ("with", "end"): [row(*R, "finished")],
    ("track", "interrupt"): [row(*R, "interrupted", None, "KeyboardInterrupt")],
    ("track", "exception"): [row(*R, "failed", None, "ValueError")],
    ("track", "nested with"): [row(*R, "finished"), OF_R],
    ("track", "nested bare"): [row(*R, "finished"), OF_R],
    ("track", "end"): [row(*R, "finished")],
    # The cell owns the run of a fit; it is neither a with nor a bare run.
    ("fit", "interrupt"): [row(*FIT, "interrupted", None, "KeyboardInterrupt")],
    ("fit", "exception"): [row(*FIT, "failed", None, "ValueError")],
    ("fit", "nested with"): [row(*FIT, "finished"), IN],
    ("fit", "nested bare"): [row(*FIT, "finished"), IN_OPEN],
    ("fit", "end"): [row(*FIT, "finished")],
}

# What happens in the next cell: what a cell owned is over, bare and implicit runs are open.
NEXT = {
    **{(how, event): SAME["none", event] for how in ("none",) for event in EVENT},
    **{(how, event): SAME[how, event] for how in ("bare", "implicit") for event in EVENT},
    **{(how, event): [done, *SAME["none", event]] for how, done in DONE.items() for event in EVENT},
}

# The cell runs again, in this kernel and after a restart, where what is open has ended.
AGAIN: dict[str, list[Row]] = {
    "none": [],
    "bare": [row("r", 1, "finished"), row("r", 2, "running")],
    "implicit": [row("run", 1, "finished"), row("run", 2, "running")],
    "with": [row("r", 1, "finished"), row("r", 2, "finished")],
    "track": [row("r", 1, "finished"), row("r", 2, "finished")],
    "fit": [row("LinearRegression", n, "finished") for n in (1, 2)],
}

# Another cell logs, and runs again: with a run open it adds to it, else it has one of its own.
ITS_OWN = [row("run", 1, "finished"), row("run", 2, "running")]
OTHER: dict[str, list[Row]] = {
    "none": ITS_OWN,
    "bare": [row("r", 1, "running")],
    "implicit": [row("run", 1, "running")],
    **{how: [done, *ITS_OWN] for how, done in DONE.items()},
}


def told(runs: Any) -> list[Row]:
    return [
        (r.name, r.number, r.status, r.parent and r.parent.name, r.error and r.error["type"])
        for r in runs
    ]


@pytest.fixture
def user(ip: InteractiveShell) -> Any:
    ip.run_cell(
        "import trackbook as tb\nfrom sklearn.linear_model import LinearRegression\n"
        "tb.autolog(only='sklearn')",
        cell_id="setup",
    )
    yield ip
    tb.autolog(False)


def opening(how: str, event: str = "") -> str:
    after = f"\n{event}" if event else ""
    return OPEN[how].format(after, within=textwrap.indent(after, "    ") if event else "")


@pytest.mark.parametrize(("how", "event"), SAME)
def test_in_the_cell_that_opens_it(user: InteractiveShell, how: str, event: str) -> None:
    user.run_cell(opening(how, EVENT[event]), cell_id="a")
    assert told(tb.runs(sort="started")) == SAME[how, event]


@pytest.mark.parametrize(("how", "event"), NEXT)
def test_in_the_next_cell(user: InteractiveShell, how: str, event: str) -> None:
    user.run_cell(opening(how), cell_id="a")
    user.run_cell(EVENT[event], cell_id="b")
    assert told(tb.runs(sort="started")) == NEXT[how, event]


@pytest.mark.parametrize("how", AGAIN)
def test_the_cell_runs_again(user: InteractiveShell, how: str) -> None:
    for _ in range(2):
        user.run_cell(opening(how), cell_id="a")
    assert told(tb.runs(sort="started")) == AGAIN[how]


@pytest.mark.parametrize("how", OTHER)
def test_another_cell_runs_again(user: InteractiveShell, how: str) -> None:
    user.run_cell(opening(how), cell_id="a")
    for _ in range(2):
        user.run_cell("tb.log_metric('other', 2)", cell_id="b")
    assert told(tb.runs(sort="started")) == OTHER[how]


@pytest.mark.parametrize("event", ["interrupt", "exception"])
@pytest.mark.parametrize("how", AGAIN)
def test_a_cell_that_failed_runs_again(user: InteractiveShell, how: str, event: str) -> None:
    user.run_cell(opening(how, EVENT[event]), cell_id="a")
    user.run_cell(opening(how), cell_id="a")
    before = SAME[how, event]
    closed = [(*r[:2], "finished", *r[3:]) if r[2] == "running" else r for r in before]
    assert told(tb.runs(sort="started")) == [*closed, *AGAIN[how][1:]]


KERNEL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
shell.run_cell("%load_ext trackbook\\nimport trackbook as tb\\n"
               "from sklearn.linear_model import LinearRegression\\ntb.autolog(only='sklearn')")
shell.run_cell(sys.argv[1], cell_id="a")
"""


@pytest.mark.parametrize("how", AGAIN)
def test_the_cell_runs_again_in_another_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    for _ in range(2):
        command = [sys.executable, "-c", KERNEL, opening(how)]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=os.environ)
    # At exit open runs end as finished.
    expected = [(*r[:2], "finished", *r[3:]) for r in AGAIN[how]]
    assert told(tb.open_store(tmp_path / ".trackbook").runs(sort="started")) == expected
