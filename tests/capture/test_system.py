"""How the machine fares while runs are open, and what readers make of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from runs import write

import trackbook as tb
from trackbook import formats, reading
from trackbook.capture import session as sessions
from trackbook.capture import system
from trackbook.cli import trackbook as command
from trackbook.errors import TrackbookWarning
from trackbook.store import Store
from trackbook.store.cgroup import _V1, _V2, MemoryGroup
from trackbook.views import charts, columns, comparison

KEYS = {
    "system/cpu_percent",
    "system/memory_gb",
    "system/memory_percent",
    "system/disk_free_gb",
}


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Samples every 0.2 s."""
    monkeypatch.setenv("TRACKBOOK_STORE", str(tmp_path / ".trackbook"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(system, "INTERVAL_S", 0.2)
    yield
    sessions.current.close_all()
    sessions.reset()


def wait_for_points(run: tb.ActiveRun, count: int) -> None:
    for _ in range(150):
        found = run.summary().get("system/memory_gb", {"count": 0})
        if found["count"] >= count:
            return
        time.sleep(0.1)
    raise AssertionError("nothing was sampled")


def test_an_open_run_is_sampled_with_seconds_as_steps(quick: None) -> None:
    with tb.start_run("long") as run:
        wait_for_points(run, 3)
    found = tb.get_run("long")
    assert set(found.metrics) >= KEYS
    assert 0 < found.metrics["system/memory_gb"] < 64
    assert 0 <= found.metrics["system/cpu_percent"] <= 100
    assert 0 < found.metrics["system/memory_percent"] <= 100
    history = found.history("system/memory_gb")
    since = history.time.map(lambda t: t.timestamp()) - found.started.timestamp()
    assert ((since - history.step).abs() < 1).all()
    assert "late" not in found._document


def test_memory_is_that_of_the_process(quick: None) -> None:
    with tb.start_run("hungry") as run:
        wait_for_points(run, 2)
        before = run.metrics["system/memory_gb"]
        held = bytearray(os.urandom(1 << 20) * 300)
        wait_for_points(run, run.summary()["system/memory_gb"]["count"] + 3)
        assert run.metrics["system/memory_gb"] - before == pytest.approx(0.31, abs=0.1)
        del held


def test_a_short_run_has_none_and_an_ended_one_gets_no_more(quick: None) -> None:
    with tb.start_run("short"):
        pass
    with tb.start_run("long") as run:
        wait_for_points(run, 1)
    count = run.summary()["system/memory_gb"]["count"]
    time.sleep(0.6)
    assert tb.get_run("short").metrics == {}
    assert tb.get_run("long").summary["system/memory_gb"].count == count


def test_all_runs_share_one_thread_and_runs_of_one_process_are_each_sampled(quick: None) -> None:
    before = set(threading.enumerate())
    with tb.start_run("outer") as outer, tb.start_run("inner") as inner:
        wait_for_points(outer, 2)
        wait_for_points(inner, 2)
        ours = [t for t in set(threading.enumerate()) - before if t.name == "trackbook-system"]
        assert [thread.daemon for thread in ours] == [True]


def test_one_switch_turns_it_off(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKBOOK_SYSTEM", "0")
    with tb.start_run("off") as run:
        time.sleep(0.8)
        assert run.metrics == {}


def test_a_forked_child_is_not_sampled(quick: None) -> None:
    with tb.start_run("parent") as run:
        wait_for_points(run, 1)
        child = os.fork()
        if child == 0:
            time.sleep(0.5)
            os._exit(any(t.name == "trackbook-system" for t in threading.enumerate()))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_it_does_not_keep_a_script_alive(tmp_path: Path) -> None:
    script = "import trackbook as tb, time; tb.start_run('a'); time.sleep(0.1)"
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
    assert time.monotonic() - started < 4.5  # the thread sleeps for five seconds at a time


def test_a_fault_of_ours_is_one_warning_and_the_run_goes_on(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> dict[str, float]:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(system.Machine, "read", broken)
    told: list[Any] = []
    monkeypatch.setattr("warnings.showwarning", lambda message, *_: told.append(message))
    with pytest.MonkeyPatch.context() as shown:
        shown.setattr("warnings.filters", [])
        with tb.start_run("a") as run:
            time.sleep(1.2)
            run.log_metric("loss", 1.0)
    assert [type(message) for message in told] == [TrackbookWarning]
    assert "stopped tracking system metrics" in str(told[0])
    assert tb.get_run("a").metrics == {"loss": 1.0}


def test_cards_are_read_where_there_are_some() -> None:
    """Whatever this machine has, the reader says as much as the driver does."""
    found = dict(system.Gpus().read())
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        assert found == {}
        return
    cards = listed.stdout.count("GPU ")
    try:
        import pynvml  # noqa: F401
    except ImportError:
        cards = 0
    assert len([key for key in found if key.endswith("_memory_gb")]) == cards


# -- control groups --------------------------------------------------------------------------------


def test_the_group_of_this_process_answers() -> None:
    group = MemoryGroup.of()
    if group is None:  # no Linux, or none that has memory groups
        assert not Path("/proc/self/cgroup").exists() or not list(
            Path("/sys/fs/cgroup").rglob("memory.*")
        )
        return
    kills = group.kills()
    assert kills is None or kills >= 0
    assert MemoryGroup.of(2**22 + 1) is None


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (
            _V2,
            {
                "memory.max": "1000\n",
                "memory.current": "900\n",
                "memory.stat": "anon 600\ninactive_file 150\nactive_file 3\n",
                "memory.events": "low 0\nhigh 0\nmax 14\noom 2\noom_kill 2\noom_group_kill 0\n",
            },
        ),
        (
            _V1,
            {
                "memory.limit_in_bytes": "1000\n",
                "memory.usage_in_bytes": "900\n",
                "memory.stat": "cache 1\ninactive_file 7\ntotal_inactive_file 150\n",
                "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
            },
        ),
    ],
)
def test_both_kinds_of_groups_are_read(tmp_path: Path, names: Any, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    group = MemoryGroup(tmp_path, names)
    assert group.percent(10_000) == 75.0
    assert group.percent(1000) is None  # it may use all there is
    assert group.kills() == 2
    (tmp_path / names.limit).write_text("max\n")
    assert group.percent(10_000) is None


# -- readers ---------------------------------------------------------------------------------------


@pytest.fixture
def two(store: Store) -> Store:
    for loss, memory in ((0.5, 1.0), (0.25, 2.0)):
        write(store, metrics={"loss": [loss], "system/memory_gb": [memory, memory * 2]})
    write(store, "bare", metrics={"system/cpu_percent": [99.0]})
    return store


def test_the_machine_is_no_headline_and_no_column(two: Store) -> None:
    assert formats.headline(["system/memory_gb"]) is None
    table = columns.table(two.find())
    assert [c["key"] for c in table["columns"] if "system" in c["key"]] == []
    assert not any("system" in key for row in table["rows"] for key in row["cells"])
    assert columns.headline(two.document(two.resolve("bare"))) is None


def test_the_machine_is_no_part_of_a_comparison(two: Store) -> None:
    documents = two.find("name == 'forest'")
    points = {d["id"]: two.points(d["id"]) for d in documents}
    assert "system" not in json.dumps(comparison.compare(documents, points))
    found = reading.open_store(two.path).runs("name == 'forest'")
    assert [c for c in found.diff().columns if "system" in c] == []


def test_one_runs_charts_and_its_data_have_it(two: Store) -> None:
    run = reading.open_store(two.path).get_run("forest")
    document = two.document(run.id)
    shown = charts.charts_for([document], {run.id: two.points(run.id)})
    assert [c["title"] for c in shown] == ["loss", "system/memory_gb"]
    assert run.metrics["system/memory_gb"] == 4.0
    assert len(run.history("system/memory_gb")) == 2
    frame = reading.open_store(two.path).runs().to_pandas()
    assert "metrics.system/memory_gb" in frame.columns
    text = CliRunner().invoke(command, ["show", "forest", "--store", str(two.path)]).output
    assert text.index("Machine") < text.index("system/memory_gb")
