"""The metric log: what is packed comes back, whatever happens to the file's end."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackbook.errors import InvalidValue
from trackbook.store import metriclog
from trackbook.store.metriclog import MetricLog
from trackbook.store.tally import RECORD, Tally

POINTS = st.lists(
    st.tuples(
        st.text(min_size=1, max_size=8),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False),
        st.floats(),
    ),
    max_size=30,
)


def nothing() -> None:
    pass


@given(POINTS, POINTS)
@settings(max_examples=60, deadline=None)
def test_points_and_summary_come_back_also_over_two_owners(
    first: list[tuple[str, int, float, float]], second: list[tuple[str, int, float, float]]
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for points in (first, second):
            log = MetricLog(folder, nothing)
            for point in points:
                log.log(*point)
            summary = log.summary()
            log.close()
        read = metriclog.read_points(folder)
        expected: dict[str, list[tuple[int, float, float]]] = {}
        for key, step, moment, value in first + second:
            expected.setdefault(key, []).append((step, moment, value))
        got = {key: list(zip(*(a.tolist() for a in p), strict=True)) for key, p in read.items()}
        assert repr(got) == repr({key: expected[key] for key in got})
        assert set(got) == set(expected)
        for key, rows in expected.items():
            numbers = [value for *_, value in rows if not math.isnan(value)]
            entry = summary[key]
            assert entry["count"] == len(rows)
            assert repr(entry["last"]) == repr(rows[-1][2])
            if numbers:
                assert (entry["min"], entry["max"]) == (min(numbers), max(numbers))
        assert repr(metriclog.tally(folder)[0]) == repr(summary)


def test_the_two_ways_to_count_agree() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=2000)
    values[rng.integers(0, 2000, 300)] = np.nan
    keys = rng.integers(0, 7, 2000)
    data = b"".join(
        RECORD.pack(k, i, float(i), v)
        for i, (k, v) in enumerate(zip(keys.tolist(), values.tolist(), strict=True))
    )
    names: list[str | None] = [f"k{i}" for i in range(7)]
    slow, fast = Tally(), Tally()
    slow._add_each(data)
    fast._add_array(data)
    assert repr(slow.summary(names)) == repr(fast.summary(names))
    assert [slow.last_step(k) for k in range(8)] == [fast.last_step(k) for k in range(8)]


@pytest.mark.parametrize("torn", [1, 12, 27])
def test_a_torn_record_is_ignored_by_readers_and_cut_before_more_is_added(
    tmp_path: Path, torn: int
) -> None:
    log = MetricLog(tmp_path, nothing)
    log.log("a", 0, 0.0, 1.0)
    log.log("a", 1, 0.0, 2.0)
    log.close()
    file = tmp_path / "metrics.bin"
    file.write_bytes(file.read_bytes()[:-torn])
    assert metriclog.read_points(tmp_path)["a"].value.tolist() == [1.0]
    again = MetricLog(tmp_path, nothing)
    assert again.last_step("a") == 0
    again.log("b", 0, 0.0, 3.0)
    again.close()
    assert file.stat().st_size == 2 * RECORD.size
    points = metriclog.read_points(tmp_path)
    assert (points["a"].value.tolist(), points["b"].value.tolist()) == ([1.0], [3.0])


def test_a_torn_name_is_cut_and_a_record_without_name_gets_no_other(tmp_path: Path) -> None:
    (tmp_path / "metrics.keys").write_bytes(b'"a"\n"b')
    (tmp_path / "metrics.bin").write_bytes(
        RECORD.pack(0, 0, 0.0, 1.0) + RECORD.pack(1, 0, 0.0, 9.0)
    )
    assert list(metriclog.read_points(tmp_path)) == ["a"]
    log = MetricLog(tmp_path, nothing)
    log.log("c", 0, 0.0, 3.0)
    log.close()
    points = metriclog.read_points(tmp_path)
    assert {key: p.value.tolist() for key, p in points.items()} == {"a": [1.0], "c": [3.0]}


def test_names_are_on_disk_before_their_records(tmp_path: Path) -> None:
    log = MetricLog(tmp_path, nothing)
    for i in range(500):
        log.log(f"key {i} é\n", 0, 0.0, float(i))
    log.flush()
    assert len(metriclog.read_points(tmp_path)) == 500


def test_a_step_beyond_64_bits_is_no_point(tmp_path: Path) -> None:
    log = MetricLog(tmp_path, nothing)
    with pytest.raises(InvalidValue):
        log.log("a", 2**63, 0.0, 1.0)
    log.close()
    assert metriclog.read_points(tmp_path) == {}


def test_threads_lose_nothing(tmp_path: Path) -> None:
    log = MetricLog(tmp_path, nothing)

    def work(name: str) -> None:
        for i in range(3000):
            log.log(name, i, 0.0, 1.0)

    threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        log.flush()
    log.close()
    points = metriclog.read_points(tmp_path)
    assert {key: p.step.tolist() == list(range(3000)) for key, p in points.items()} == {
        f"t{i}": True for i in range(4)
    }


def test_a_new_point_after_sleep_wakes_the_owner(tmp_path: Path) -> None:
    woken: list[int] = []
    log = MetricLog(tmp_path, lambda: woken.append(1))
    log.log("a", 0, 0.0, 1.0)
    log.log("a", 1, 0.0, 1.0)
    assert len(woken) == 1
    log.sleep()
    log.log("a", 2, 0.0, 1.0)
    assert len(woken) == 2


def test_ctrl_c_between_write_and_bookkeeping_writes_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = MetricLog(tmp_path, nothing)
    for i in range(10):
        log.log("a", i, 0.0, 1.0)
    real: Callable[[int, bytes], int] = os.write

    def interrupted(fd: int, data: bytes) -> int:
        real(fd, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupted)
    for _ in range(2):  # once in the names, once in the records
        with pytest.raises(KeyboardInterrupt):
            log.flush()
    monkeypatch.undo()
    log.log("a", 10, 0.0, 1.0)
    log.close()
    assert metriclog.read_points(tmp_path)["a"].step.tolist() == list(range(11))
    assert log.summary()["a"]["count"] == 11


FULL = """
import resource, signal, sys, time, warnings
from trackbook.model import new_document
from trackbook.store import open_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(sys.argv[1], create=True)
writer = store.create(new_document(name="x", experiment="e"))
place = store.path / "runs" / writer.id[:8] / writer.id
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # not a whole number of records
    for i in range(100):
        writer.log("a", i, 0.0, float(i))
        writer.append("cells", {"order": i})
    time.sleep(0.7)
    writer.flush()
    print((place / "metrics.bin").stat().st_size, len(caught))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writer.log("a", 100, 0.0, 100.0)
    writer.document["status"] = "finished"
    writer.finish()
points = store.points(writer.id)["a"]
print(points.step.tolist() == list(range(101)), len(store.records(writer.id, "cells")))
print(store.document(writer.id)["summary"]["a"]["count"])
"""


def test_a_full_disk_keeps_points_in_memory_and_warns_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "s")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == ["1000 1", "True 100", "101"]
