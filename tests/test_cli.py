"""The command line over a real store."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from runs import write

from trackbook.cli import trackbook
from trackbook.store import Store


def call(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(trackbook, [*arguments, "--store", str(store.path)])


def failed(result: Result, code: int) -> str:
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def test_runs_are_an_aligned_table(store: Store) -> None:
    write(store, params={"lr": 0.0123456}, metrics={"acc": [0.987654]})
    write(store, "世界", params={"lr": 0.1}, metrics={"acc": [0.5]})
    result = call(store, "runs", "--sort", "-metrics.acc")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert "forest #1" in lines[1]
    assert "0.9877" in lines[1]
    assert "0.01235" in lines[1]
    assert "世界 #1" in lines[2]


def test_runs_are_filtered_and_limited(store: Store) -> None:
    ids = [write(store, params={"a": n}, started=float(n)) for n in range(4)]
    listed = json.loads(call(store, "runs", "params.a > 1", "--limit", "1", "--json").stdout)
    assert [document["id"] for document in listed] == [ids[3]]
    assert call(store, "runs", "params.a > 1", "-n", "1").stdout.endswith("… 1 more\n")
    assert json.loads(call(store, "runs", "--experiment", "other", "--json").stdout) == []


def test_json_keeps_what_json_cannot_say(store: Store) -> None:
    write(store, metrics={"loss": [float("nan")]})
    (document,) = json.loads(call(store, "runs", "--json").stdout)
    assert document["summary"]["loss"]["last"] == {"$float": "nan"}


def test_show_tells_all_of_a_run(store: Store) -> None:
    run_id = write(
        store,
        params={"opt": {"lr": 0.1}},
        metrics={"loss": [2.0, 1.25]},
        tags={"baseline": ""},
        note="a\x1b[2Jb",
        status="failed",
        error={"type": "ValueError", "message": "no\nway", "traceback": ""},
    )
    result = call(store, "show", "latest")
    assert result.exit_code == 0
    for part in (run_id, "opt.lr", "1.25", "baseline", "ValueError: no way", "failed"):
        assert part in result.stdout
    assert "\x1b" not in result.stdout
    assert json.loads(call(store, "show", run_id, "--json").stdout)["id"] == run_id


def test_compare_shows_what_differs_and_the_code(store: Store) -> None:
    for n in (1, 2):
        write(store, f"run{n}", params={"a": n, "b": 0}, source=f"a = {n}")
    result = call(store, "compare", "run1", "run2")
    assert result.exit_code == 0
    assert "run1 #1" in result.stdout
    assert "+a = 2" in result.stdout
    view = json.loads(call(store, "compare", "run1", "run2", "--json").stdout)
    assert view["same"] >= 1


@pytest.mark.parametrize("form", ["csv", "json"])
def test_export_writes_runs(store: Store, tmp_path: Path, form: str) -> None:
    write(store, params={"xs": [1, 2], "word": 'a,"b"\n世'}, metrics={"loss": [0.5]})
    target = tmp_path / "out"
    assert call(store, "export", "--format", form, "-o", str(target)).exit_code == 0
    content = target.read_text(encoding="utf-8")
    reader = csv.DictReader(io.StringIO(content, newline=""))
    (record,) = json.loads(content) if form == "json" else list(reader)
    assert record["params.word"] == 'a,"b"\n世'
    assert float(record["metrics.loss"]) == 0.5
    xs = record["params.xs"]
    assert (json.loads(xs) if form == "csv" else xs) == [1, 2]


def test_export_of_metrics_has_every_point(store: Store) -> None:
    run_id = write(store, metrics={"loss": [float(n) for n in range(3000)], "acc": [0.5]})
    lines = list(csv.reader(io.StringIO(call(store, "export", "--metrics").stdout)))
    assert lines[0] == ["run_id", "key", "step", "time", "value"]
    assert len(lines) == 3002
    assert lines[1][0] == run_id
    assert float(lines[3000][4]) == 2999.0
    assert [line[4] for line in lines if line[1] == "acc"] == ["0.5"]


def test_export_of_nothing_still_has_a_head(store: Store) -> None:
    assert call(store, "export").stdout == (
        "run_id,name,number,experiment,status,started,duration\n"
    )
    assert json.loads(call(store, "export", "--format", "json").stdout) == []


def test_what_fails_is_one_line_and_1(store: Store, tmp_path: Path) -> None:
    write(store)
    message = failed(call(store, "show", "forrest"), 1)
    assert "forest" in message
    assert len(message.splitlines()) == 1
    target = str(tmp_path / "no" / "folder" / "x.csv")
    assert len(failed(call(store, "export", "-o", target), 1).splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs", "metrics.acc >"),
        ("runs", "--sort", "nonsense"),
        ("runs", "--limit", "0"),
        ("show",),
        ("compare", "one"),
        ("export", "--format", "xml"),
        ("nothing",),
    ],
)
def test_wrong_usage_is_2(store: Store, arguments: tuple[str, ...]) -> None:
    failed(call(store, *arguments), 2)


def test_a_store_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(trackbook, ["runs", "--store", str(tmp_path / "none")])
    failed(result, 2)
    assert not (tmp_path / "none").exists()


def test_every_command_has_help() -> None:
    for name, command in trackbook.commands.items():
        assert command.help
        assert CliRunner().invoke(trackbook, [name, "--help"]).exit_code == 0


def test_the_program_starts_light_and_knows_its_version(store: Store) -> None:
    write(store, params={"a": 1}, metrics={"acc": [0.5]})
    code = (
        "import sys\nfrom trackbook.cli import trackbook\n"
        "trackbook.main(sys.argv[1:], standalone_mode=False)\n"
        "heavy = {'pandas', 'altair', 'IPython', 'jupyter_server'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )

    def start(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert start("--version").startswith("trackbook, version ")
    assert "forest #1" in start("runs", "--store", str(store.path))
    assert "acc" in start("export", "--metrics", "--store", str(store.path))
