"""Values that break others: huge, deep, many, not numbers, not text; by the public API only."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults import python

import trackbook as tb
from trackbook.store import LocalStore

HEAD = """
import math, os, sys
import trackbook as tb
tb.set_store(sys.argv[1])
"""
ODD = "\ud800x\udfff é 日本 \u202e 🙂 \x07\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "s"


def ran(code: str, root: Path) -> list[str]:
    done = python(HEAD + code, root)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_many_and_large_params_and_metrics_come_back(here: Path) -> None:
    code = """
with tb.start_run("large"):
    tb.log_params({f"p{i}": i / 3 for i in range(5000)})
    tb.log_param("text", "x" * 10_000)
    tb.set_tag("text", "y" * 10_000)
    tb.set_note("z" * 10_000)
    for step in range(3):
        tb.log_metrics({f"m{i}": float(i * step) for i in range(1000)}, step=step)
    for i in range(3000):
        tb.log_param("again", i)
"""
    ran(code, here)
    run = tb.open_store(here).get_run("large")
    assert len(run.params) == 5002
    assert run.params["p4999"] == 4999 / 3
    assert run.params["text"] == "x" * 10_000
    assert (run.tags["text"], run.note) == ("y" * 10_000, "z" * 10_000)
    assert len(run.metrics) == 1000
    assert run.history("m999")["value"].tolist() == [0.0, 999.0, 1998.0]
    assert tb.open_store(here).runs().to_pandas().shape == (1, 7 + 5002 + 1000 + 1)
    # What a loop replaced is not kept without end.
    assert run.params["again"] == 2999
    history = LocalStore(here).document(run.id)["param_history"]
    assert len(history) == 1000
    assert (history[0]["new"], history[-1]["new"]) == (1, 2999)
    assert any(entry["what"] == "param_history" for entry in run.why)


EDGES = """
run = tb.start_run("edges")
for step in [2**53, 2**53 + 1, 2**63 - 1, -(2**63), 5, 3, 3, -7]:
    tb.log_metric("falling", float(step), step=step)
for value in [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, sys.float_info.max]:
    tb.log_metric("odd", value)
tb.log_params({"big": 10**3999, "small": -(2**70), "nan": math.nan, "inf": -math.inf})
def refused(work):
    try:
        work()
        print("taken")
    except tb.InvalidValue as problem:
        print(problem)
tb.log_metric("next", 0.0)
refused(lambda: tb.log_metric("next", 1.0, step=2**63))
refused(lambda: tb.log_metric("next", 1.0, step=1.5))
refused(lambda: tb.log_metrics({"next": 1.0, "other": 1.0}, step=-(2**63) - 1))
refused(lambda: tb.log_metric("next", 10**400))
refused(lambda: tb.log_metrics({"next": 1.0, "other": "x"}))
refused(lambda: tb.log_params({"fine": 1, "digits": [10**5000]}))
refused(lambda: tb.set_tag("digits", 10**5000))
tb.log_metric("next", 2.0)
tb.end_run()
"""


def test_numbers_at_every_edge_come_back_or_are_refused_with_nothing_changed(here: Path) -> None:
    lines = ran(EDGES, here)
    assert lines[0].endswith("is beyond 64 bits")
    assert lines[1].endswith("is a whole number, not 1.5")
    assert "too large for a float" in lines[3]
    assert len(lines) == 7
    assert "taken" not in lines
    run = tb.open_store(here).get_run("edges")
    steps = [2**53, 2**53 + 1, 2**63 - 1, -(2**63), 5, 3, 3, -7]
    assert run.history("falling")["step"].tolist() == steps
    odd = run.history("odd")["value"].tolist()
    assert math.isnan(odd[0])
    assert odd[1:] == [math.inf, -math.inf, 0.0, -0.0, 5e-324, sys.float_info.max]
    assert math.copysign(1, odd[4]) == -1
    assert (run.summary["odd"]["min"], run.summary["odd"]["max"]) == (-math.inf, math.inf)
    assert (run.params["big"], run.params["small"]) == (10**3999, -(2**70))
    assert math.isnan(run.params["nan"])
    assert run.history("next")["step"].tolist() == [0, 1]
    assert "other" not in run.metrics
    assert "fine" not in run.params
    assert "digits" not in run.tags
    assert len(tb.open_store(here).runs("params.small < 0 and metrics.odd.max > 1")) == 1


def test_text_that_is_no_text_goes_through_every_door(here: Path, tmp_path: Path) -> None:
    named = os.fsdecode(b"\xff\xfe-\xe9.txt")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / named).write_text("kept")
    code = f"""
odd = {ODD!r}
params = {{odd: odd, "in": {{odd: [odd]}}}}
run = tb.start_run(odd, experiment=odd, params=params, tags={{odd: odd}}, note=odd)
tb.log_metric(odd, 1.0)
tb.log_text(odd, "text " + odd + ".txt")
tb.log_dict({{odd: odd}}, "data.json")
tb.log_artifacts({str(tmp_path / "files")!r})
run.fail(ValueError(odd))
tb.get_run(run.id).set_tag("edited" + odd, odd)
tb.get_run(run.id).set_note(odd + "!")
with tb.start_run("other"):
    tb.log_metric("acc", 1)
"""
    ran(code, here)
    there = tb.open_store(here)
    (run,) = there.runs("status == 'failed'")
    assert run.name == run.params[ODD] == run.tags[ODD] == ODD
    assert run.experiment == ODD.strip() or run.experiment == ODD
    assert run.params["in"] == {ODD: [ODD]}
    assert (run.note, run.tags["edited" + ODD]) == (ODD + "!", ODD)
    assert run.metrics == {ODD: 1.0}
    assert run.history(ODD)["value"].tolist() == [1.0]
    assert run.error is not None
    assert run.error["message"] == ODD
    assert len(there.runs(f"name == {ODD!r}")) == 1
    for name in run.artifacts:
        assert run.artifact(name).exists()
    (file,) = [name for name in run.artifacts if "\udcff" in name]
    assert run.artifact(file).read_text() == "kept"
    both = there.runs()
    assert len(both.to_pandas()) == len(both.metrics()) == 2
    comparison = there.compare(run.id, "other")
    for shown in (both, run, comparison):
        # A kernel that sends it and a notebook that keeps it write it like this.
        assert json.dumps(shown._repr_mimebundle_(), ensure_ascii=False).encode("utf-8")
    assert len(comparison.params()) == 2
    assert len(comparison.to_pandas()) == 2


SHOWN = """
runs; show latest; show ID; compare ID latest; diff ID latest; tag ID a=b; rm ID; restore ID;
doctor; gc --dry-run
"""
# What a program reads has every character as it is.
DATA = "export; export --metrics"
COMMANDS = """
import sys
from trackbook.cli import trackbook
for words in sys.argv[2].split(";"):
    try:
        trackbook.main([*words.split(), "--store", sys.argv[1]], prog_name="trackbook")
    except SystemExit as end:
        assert end.code == 0, (words, end.code)
"""


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_command_prints_any_text_in_any_encoding(here: Path, encoding: str) -> None:
    code = f"""
odd = {ODD!r}
with tb.start_run(odd, params={{odd: odd}}, tags={{odd: ""}}, note=odd) as run:
    tb.log_metric(odd, 1)
    tb.log_text("x", "artifact " + odd + ".txt")
print(run.id)
with tb.start_run("other"):
    tb.log_metric("acc", 1)
"""
    (run_id,) = ran(code, here)
    for words in (SHOWN, DATA, "runs --json; show ID --json; export --format json"):
        done = subprocess.run(
            [sys.executable, "-c", COMMANDS, str(here), words.replace("ID", run_id)],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
        assert (b"\x07" in done.stdout) is (words is DATA)
