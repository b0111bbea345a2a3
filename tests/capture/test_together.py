"""Metrics logged together are packed together, and nobody can tell."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from trackbook.capture.live import ActiveRun
from trackbook.capture.nothing import _NoOwner
from trackbook.errors import InvalidValue
from trackbook.model import new_document
from trackbook.store import LocalStore, MemoryStore, Store

KEYS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True)


def begin(store: Store) -> ActiveRun:
    writer = store.create(new_document(name="x", experiment="e"))
    return ActiveRun(writer, store.blobs, _NoOwner())


def steps(store: Store, run: ActiveRun) -> dict[str, list[int]]:
    run._writer.flush()
    return {key: points.step.tolist() for key, points in sorted(store.points(run.id).items())}


@settings(deadline=None)
@given(st.lists(st.tuples(KEYS, st.none() | st.integers(-5, 5)), max_size=30))
def test_steps_are_as_if_each_was_logged_alone(calls: list[tuple[list[str], int | None]]) -> None:
    store = MemoryStore()
    run = begin(store)
    expected: dict[str, list[int]] = {}
    for keys, step in calls:
        if len(keys) == 1:
            run.log_metric(keys[0], 0.5, step)
        else:
            run.log_metrics(dict.fromkeys(keys, 0.5), step)
        for key in keys:
            told = expected.setdefault(key, [])
            told.append((told[-1] + 1 if told else 0) if step is None else step)
    assert steps(store, run) == dict(sorted(expected.items()))


@pytest.mark.parametrize("bad", ["x", None, b"x", 1j, [1.0], np.zeros(2), 10**400])
def test_all_or_none_also_when_packed(tmp_path: Path, bad: Any) -> None:
    store = LocalStore(tmp_path / "s")
    run = begin(store)
    for _ in range(3):
        run.log_metrics({"a": 1.0, "b": np.float32(2), "c": True})
    with pytest.raises(InvalidValue, match="metric 'b'"):
        run.log_metrics({"a": 1.0, "b": bad, "c": 3.0})
    with pytest.raises(InvalidValue, match="64 bits"):
        run.log_metrics({"a": 1.0, "b": 2.0, "c": 3.0}, step=2**63)
    run.log_metrics({"a": 1, "b": 2, "c": 3})
    assert steps(store, run) == {key: [0, 1, 2, 3] for key in "abc"}
    assert store.points(run.id)["b"].value.tolist() == [2.0] * 4
    run.end()


def test_late_points_of_a_group_reach_disk_too(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    run = begin(store)
    for _ in range(3):
        run.log_metrics({"a": 1.0, "b": 2.0})
    run.end()
    time.sleep(0.7)  # until the thread has left the run alone
    run.log_metrics({"a": 1.0, "b": 2.0})
    time.sleep(0.7)
    assert store.points(run.id)["b"].step.tolist() == [0, 1, 2, 3]
