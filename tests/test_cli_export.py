"""The command ``export`` over real stores, read back by the tools that people read with."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet
from runs import write

from trackbook.cli import trackbook
from trackbook.reading import OpenStore
from trackbook.store import Store

PROGRAM = [sys.executable, "-m", "trackbook.cli"]


def call(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(trackbook, ["export", *arguments, "--store", str(store.path)])


def failed(result: Result, code: int) -> str:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.stderr


def mixed(store: Store) -> list[str]:
    first = write(
        store,
        params={
            "xs": [1, 2],
            "word": 'a,"b"\n世\r\x00',
            "n": 2**70,
            "lr": 0.1,
            "opt": {"name": "x"},
        },
        metrics={"loss": [0.5, float("nan"), float("-inf")], "val/acc": [1.0]},
        tags={"t": "", "odd\ud800": "\ud800"},
        started=1_790_000_000.25,
    )
    second = write(store, params={"lr": 1, "flag": True}, started=1_790_000_001.0)
    return [first, second]


# -- runs ------------------------------------------------------------------------------------------


def test_csv_has_a_row_a_run_that_csv_and_pandas_read(store: Store, tmp_path: Path) -> None:
    ids = mixed(store)
    target = tmp_path / "runs.csv"
    assert call(store, "-o", str(target)).exit_code == 0
    content = target.read_bytes().decode("utf-8")
    one, two = csv.DictReader(io.StringIO(content, newline=""))
    assert [one["run_id"], two["run_id"]] == ids
    assert one["params.word"] == 'a,"b"\n世\r\x00'
    assert json.loads(one["params.xs"]) == [1, 2]
    assert (one["params.n"], two["params.n"], two["params.flag"]) == (str(2**70), "", "True")
    assert one["metrics.loss"] == "-inf"
    assert one["tags.odd\\ud800"] == "\\ud800"
    frame = pd.read_csv(target)
    assert frame["params.lr"].tolist() == [0.1, 1.0]
    assert frame["started"].tolist() == [1_790_000_000.25, 1_790_000_001.0]


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_keeps_types_and_what_json_cannot_say(store: Store, form: str) -> None:
    mixed(store)
    content = call(store, "--format", form).stdout
    lines = content.splitlines()
    one, two = json.loads(content) if form == "json" else map(json.loads, lines)
    assert one["params.xs"] == [1, 2]
    assert one["params.n"] == {"$int": str(2**70)}
    assert one["metrics.loss"] == {"$float": "-inf"}
    assert two["params.flag"] is True
    assert "params.n" not in two
    assert len(lines) == (2 if form == "jsonl" else 4)


def test_parquet_is_typed_as_the_data_frame_is(store: Store, tmp_path: Path) -> None:
    mixed(store)
    target = tmp_path / "runs.parquet"
    assert call(store, "-o", str(target)).exit_code == 0
    types = {field.name: str(field.type) for field in parquet.read_schema(target)}
    assert types["started"] == "timestamp[us, tz=UTC]"
    assert types["number"] == "int64"
    assert types["duration"] == types["metrics.loss"] == types["params.lr"] == "double"
    assert types["params.flag"] == "bool"
    assert types["params.n"] == types["params.xs"] == types["name"] == "string"
    rows = parquet.read_table(target).to_pylist()
    assert rows[0]["params.xs"] == "[1,2]"
    assert json.loads(rows[0]["params.n"]) == {"$int": str(2**70)}
    assert (rows[0]["params.flag"], rows[1]["params.flag"]) == (None, True)
    frame = OpenStore(store).runs(sort="started").to_pandas()
    back = pd.read_parquet(target)
    assert list(back["started"]) == list(frame["started"])
    assert list(back.columns) == list(frame.columns)


def test_what_nothing_is_exported_of_has_its_head(store: Store, tmp_path: Path) -> None:
    assert call(store, "--format", "json").stdout == "[]\n"
    assert call(store, "--format", "jsonl").stdout == ""
    for options in ((), ("--metrics",)):
        target = tmp_path / "none.parquet"
        assert call(store, *options, "-o", str(target)).exit_code == 0
        assert parquet.read_table(target).num_rows == 0
        assert parquet.read_table(target).num_columns in (5, 7)


# -- points ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_points_come_whole_and_exact(store: Store, tmp_path: Path, form: str) -> None:
    values = [float(v) for v in np.random.default_rng(0).normal(size=25_000)]
    write(store, metrics={"loss": [*values, float("nan"), float("inf")], "val/acc": [0.5]})
    write(store, "other", metrics={"loss": [1.0]})
    target = tmp_path / f"points.{form}"
    assert call(store, "--metrics", "-o", str(target)).exit_code == 0
    expected = OpenStore(store).runs(sort="started").metrics()
    if form == "parquet":
        found = pd.read_parquet(target)
    elif form == "csv":
        found = pd.read_csv(target)
    else:
        text = target.read_text()
        rows = json.loads(text) if form == "json" else [json.loads(x) for x in text.splitlines()]
        unwrap = lambda v: float(v["$float"]) if isinstance(v, dict) else v  # noqa: E731
        found = pd.DataFrame([{**row, "value": unwrap(row["value"])} for row in rows])
    assert found["run_id"].tolist() == expected["run_id"].tolist()
    assert found["key"].tolist() == expected["key"].tolist()
    np.testing.assert_array_equal(found["step"], expected["step"])
    np.testing.assert_array_equal(found["value"], expected["value"])
    times = (
        found["time"] if form == "parquet" else pd.to_datetime(found["time"], unit="s", utc=True)
    )
    assert (times - expected["time"]).abs().max() < pd.Timedelta("2us")


MEASURED = """
import resource, sys
from trackbook.cli import trackbook
form, target, store = sys.argv[1:]
import numpy, orjson
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
trackbook.main(["export", "--metrics", "--format", form, "-o", target, "--store", store],
               standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_many_points_never_become_one_list(store: Store, tmp_path: Path, form: str) -> None:
    for name in "abcd":
        write(store, name, metrics={"loss": [0.25] * 100_000})
    target = tmp_path / "points"
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, form, str(target), str(store.path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert target.read_bytes().count(b"\n") == 400_000 + (form == "csv")
    # As lists and dicts the points take more than 100 MB.
    assert int(done.stdout) < 60_000


# -- the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.CSV", "csv"), ("a.ndjson", "jsonl"), ("a.b.json", "json"), ("a", "csv"), ("a.pq", "pq")],
)
def test_the_suffix_tells_the_format(store: Store, tmp_path: Path, name: str, form: str) -> None:
    write(store)
    target = tmp_path / name
    assert call(store, "-o", str(target)).exit_code == 0
    begin = {"csv": b"run_id,", "jsonl": b'{"run', "json": b"[\n{", "pq": b"PAR1"}[form]
    assert target.read_bytes().startswith(begin)


def test_an_unknown_suffix_or_parquet_on_stdout_is_wrong_usage(
    store: Store, tmp_path: Path
) -> None:
    target = tmp_path / "runs.xlsx"
    assert "say --format" in failed(call(store, "-o", str(target)), 2)
    assert "with -o" in failed(call(store, "--format", "parquet"), 2)
    assert call(store, "--format", "csv", "-o", str(target)).exit_code == 0
    assert target.exists()


def test_an_old_file_is_replaced_with_its_permissions_also_through_a_link(
    store: Store, tmp_path: Path
) -> None:
    write(store)
    target, link = tmp_path / "runs.csv", tmp_path / "link.csv"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert call(store, "-o", str(link)).exit_code == 0
    assert target.read_text().startswith("run_id,")
    assert target.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


def test_a_missing_folder_is_one_line(store: Store, tmp_path: Path) -> None:
    write(store)
    message = failed(call(store, "-o", str(tmp_path / "no" / "runs.csv")), 1)
    assert message == f"Error: there is no folder {tmp_path / 'no'}; make it first\n"
    assert not (tmp_path / "no").exists()


def limit_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_a_file_that_cannot_be_written_whole_stays_as_it_was(
    store: Store, tmp_path: Path, form: str
) -> None:
    values = [float(v) for v in np.random.default_rng(0).normal(size=20_000)]
    write(store, metrics={"loss": values})
    store.count()
    target = tmp_path / "out" / "points"
    target.parent.mkdir()
    target.write_text("old")
    arguments = ["--metrics", "--format", form, "-o", str(target), "--store", str(store.path)]
    done = subprocess.run(
        [*PROGRAM, "export", *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_files,
    )
    assert done.returncode == 1, done
    assert done.stderr == f"Error: {target} cannot be written: File too large; it is as it was\n"
    assert [path.name for path in target.parent.iterdir()] == ["points"]
    assert target.read_text() == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_a_device_or_stdout_is_one_line(store: Store) -> None:
    write(store, metrics={"loss": [0.5] * 20_000})
    message = failed(call(store, "--metrics", "-o", "/dev/full"), 1)
    assert "No space left" in message
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "export", "--metrics", "--store", str(store.path)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode().strip().splitlines() == [
        "Error: [Errno 28] No space left on device"
    ]


def test_a_reader_that_goes_away_ends_it_quietly(store: Store) -> None:
    write(store, metrics={"loss": [0.5] * 50_000})
    command = [*PROGRAM, "export", "--metrics", "--store", str(store.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_without_pyarrow_it_says_what_to_install(store: Store, tmp_path: Path) -> None:
    write(store)
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "pyarrow.py").write_text("raise ModuleNotFoundError('pyarrow')\n")
    target = tmp_path / "runs.parquet"
    done = subprocess.run(
        [*PROGRAM, "export", "-o", str(target), "--store", str(store.path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "hidden")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        'Error: Parquet is written by pyarrow: pip install "trackbook[parquet]"'
    ]
    assert not target.exists()


# -- progress --------------------------------------------------------------------------------------

SLOW = """
import sys, time
from trackbook.cli.terminal import Progress
with Progress(4, "Exporting", after_s=float(sys.argv[1])) as progress:
    for _ in range(4):
        progress.add(1)
        time.sleep(0.05)
print("done")
"""


def on_a_terminal(out: Path, *arguments: str) -> str:
    """What a program wrote to stderr, a real terminal; its stdout goes to a file."""
    above, below = pty.openpty()
    with out.open("wb") as file:
        process = subprocess.Popen([sys.executable, *arguments], stdout=file, stderr=below)
    os.close(below)
    seen = b""
    while True:
        try:
            seen += os.read(above, 10_000)
        except OSError:  # how a terminal says that nobody writes any more
            break
    os.close(above)
    assert process.wait(60) == 0
    return seen.decode()


def test_a_bar_shows_on_a_terminal_once_it_takes_long(tmp_path: Path) -> None:
    seen = on_a_terminal(tmp_path / "out", "-c", SLOW, "0.1")
    assert (tmp_path / "out").read_text() == "done\n"
    assert "Exporting" in seen
    assert "100%" in seen
    assert on_a_terminal(tmp_path / "out", "-c", SLOW, "60") == ""


def test_no_bar_where_stderr_is_no_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW, "0"], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_a_long_export_shows_its_bar_and_writes_the_same(store: Store, tmp_path: Path) -> None:
    write(store, metrics={"loss": [0.1] * 400_000})
    arguments = ("-m", "trackbook.cli", "export", "--metrics", "--store", str(store.path))
    begun = time.monotonic()
    seen = on_a_terminal(tmp_path / "out", *arguments, "--format", "jsonl")
    assert (tmp_path / "out").read_bytes().count(b"\n") == 400_000
    # A machine that is through in a second shows none.
    assert "Exporting" in seen or time.monotonic() - begun < 2.0
