"""Attempt numbers: right from the series' files alone, and from the runs where there are none."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from trackbook.model import new_document
from trackbook.store import LocalStore, series
from trackbook.store.catalogue import Catalogue
from trackbook.store.upkeep.merge import merge


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / ".trackbook"


def begin(store: LocalStore, name: str = "s", **fields: Any) -> str:
    document = new_document(name="forest", experiment="e", series=name)
    document.update(number=store.next_number(name), **fields)
    writer = store.create(document)
    writer.document.update(status="finished", ended=time.time())
    writer.finish()
    return writer.id


def test_a_process_that_only_writes_opens_no_catalogue(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(LocalStore(root))

    def opened(self: Catalogue) -> None:
        raise AssertionError("the catalogue was opened")

    monkeypatch.setattr(Catalogue, "refresh", opened)
    store = LocalStore(root)
    begin(store)
    assert store.next_number("s") == 3
    assert store.next_number("of no run yet") == 1
    assert (store.previous("s", 3) or {})["number"] == 2
    assert store.previous("of no run yet", 3) is None


def test_without_the_index_the_runs_are_asked_and_their_answer_is_kept(root: Path) -> None:
    for name in ("s", "s", "t"):
        begin(LocalStore(root), name)
    shutil.rmtree(root / "index")
    assert LocalStore(root).next_number("s") == 3
    assert series.last(root / "index", "t") == 1
    assert series.last(root / "index", "new") == 0


def test_runs_copied_in_count_as_soon_as_any_reader_has_seen_them(
    root: Path, tmp_path: Path
) -> None:
    other = LocalStore(tmp_path / "other")
    for _ in range(4):
        begin(other)
    begin(other, "t")
    store = LocalStore(root)
    begin(store)
    for place in (tmp_path / "other" / "runs").glob("*/*"):
        shutil.copytree(place, root / "runs" / place.parent.name / place.name)
    LocalStore(root).find()
    assert store.next_number("s") == 5
    assert LocalStore(root).next_number("t") == 2
    # A store that is open here sees them by itself.
    for place in (tmp_path / "other" / "runs").glob("*/*"):
        shutil.rmtree(root / "runs" / place.parent.name / place.name)
    store.find()
    begin(other)
    (newest,) = other.find(limit=1)
    place = tmp_path / "other" / "runs" / newest["id"][:8] / newest["id"]
    shutil.copytree(place, root / "runs" / newest["id"][:8] / newest["id"])
    begin(other, "u")
    assert store.next_number("s") == 6


def test_merged_runs_count_at_once(root: Path, tmp_path: Path) -> None:
    other, store = LocalStore(tmp_path / "other"), LocalStore(root)
    for _ in range(3):
        begin(other)
    begin(store)
    merge(store, other)
    assert LocalStore(root).next_number("s") == 4


def test_a_store_that_was_put_together_by_hand_is_asked(root: Path, tmp_path: Path) -> None:
    other = LocalStore(tmp_path / "other")
    begin(other)
    shutil.copytree(tmp_path / "other" / "runs", root / "runs")
    assert LocalStore(root).next_number("s") == 2


def test_a_long_series_is_told_from_its_end_and_a_taken_number_is_still_found(
    tmp_path: Path,
) -> None:
    claims = [(f"20260101-000000-{i:010d}", i) for i in range(1, 5001)]
    series.fill(tmp_path, {"s": claims[::-1]})
    assert series.last(tmp_path, "s") == 5000
    assert series.claim(tmp_path, "s", "20260101-000000-zzzzzzzzzz", 5000, list) == 5001
    assert series.claim(tmp_path, "s", "20260101-000000-zzzzzzzzzy", 7, list) == 5002
    series.note(tmp_path, "s", "20260101-000000-zzzzzzzzzx", 12)
    assert series.last(tmp_path, "s") == 5002
