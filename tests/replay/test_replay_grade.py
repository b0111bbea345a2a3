"""The grade of a run, before any replay."""

from __future__ import annotations

from typing import Any

import pytest
from runs import write

from trackbook import grading
from trackbook.capture import tidiness
from trackbook.reading import OpenStore
from trackbook.store import Store

CLEAN = {"commit": "a" * 40, "branch": "main", "dirty": False, "remote": None, "patch": None}


def cell(order: int, name: str, source: str, **fields: Any) -> dict[str, Any]:
    return {"order": order, "cell": name, "source": source, **fields}


def live(*cells: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"id": name, "type": "code", "source": source} for name, source in cells]


def test_a_session_from_top_to_bottom_is_tidy() -> None:
    ran = [cell(1, "a", "x = 1"), cell(2, "b", "y = 2"), cell(3, "b", "y = 2")]
    told = tidiness.facts(ran, live(("a", "x = 1"), ("b", "y = 2"), ("c", "z")), "b")
    assert told["disorder"] is False and told["edited"] == told["deleted"] == 0


def test_order_edits_and_deletions_are_seen() -> None:
    ran = [cell(1, "b", "y = 2"), cell(2, "a", "x = 1"), cell(3, "gone", "z"), cell(4, "c", "w")]
    told = tidiness.facts(ran, live(("a", "x = 9"), ("b", "y = 2"), ("c", "w")), "c")
    assert (told["disorder"], told["edited"], told["deleted"]) == (True, 1, 1)


def test_draws_without_a_seed_are_seen() -> None:
    one, other = object(), object()
    ran = [cell(1, "a", "x = rand()", rng={"numpy": one}), cell(2, "b", "y", rng={"numpy": other})]
    assert tidiness.facts(ran, [], None)["unseeded"] is True
    ran[0]["source"] = "np.random.seed(0)\nx = rand()"
    assert tidiness.facts(ran, [], None)["unseeded"] is False
    same = [cell(1, "a", "x", rng={"numpy": one}), cell(2, "b", "y", rng={"numpy": one})]
    assert tidiness.facts(same, [], None)["unseeded"] is False


@pytest.mark.parametrize(
    ("session", "git", "letter"),
    [
        ({}, CLEAN, "A"),
        ({}, None, "B"),
        ({"disorder": True}, CLEAN, "B"),
        ({"disorder": True, "edited": 2}, CLEAN, "C"),
        ({"edited": 1, "deleted": 1, "unseeded": True}, CLEAN, "D"),
        ({"edited": 1, "deleted": 1, "unseeded": True}, {**CLEAN, "dirty": True}, "E"),
        ({"disorder": True, "edited": 1, "deleted": 1, "unseeded": True, "flags": ["exec"]}, None,
         "F"),
    ],
)  # fmt: skip
def test_each_reason_costs_a_letter(
    store: Store, session: dict[str, Any], git: dict[str, Any] | None, letter: str
) -> None:
    run_id = write(store, session={"executions": 3, **session}, git=git)
    document = store.document(run_id)
    assert document["grade"] == letter
    found = OpenStore(store).get_run(run_id).grade
    assert found is not None and found.letter == letter
    assert all(reason.text and reason.cure for reason in found.reasons)
    assert len(found.explain().splitlines()) == 1 + len(found.reasons)


def test_runs_are_found_and_sorted_by_grade(store: Store) -> None:
    for name, session in (("c", {"disorder": True, "edited": 1}), ("a", {}), ("none", None)):
        fields = {} if session is None else {"session": session}
        write(store, name, git=CLEAN, **fields)
    found = store.find('grade <= "B"')
    assert [document["name"] for document in found] == ["a"]
    assert [d["name"] for d in store.find(sort="grade")] == ["a", "c", "none"]


def test_a_running_run_and_a_script_have_no_grade(store: Store) -> None:
    running = store.document(write(store, end=False, session={"executions": 1}))
    assert grading.grade(running) is None
    assert "grade" not in store.document(write(store))
