"""The table of runs column by column, as front ends get it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import orjson
import pytest
from runs import write

from trackbook import formats
from trackbook.jsonable import decode
from trackbook.store import Store
from trackbook.views import columns, packed, sparklines, twins

RULES = Path(__file__).parent.parent / "labextension" / "test" / "formats.json"


def unpacked(column: Any, count: int) -> list[Any]:
    """What a front end makes of a packed column."""
    if column is None:
        return [None] * count
    if isinstance(column, list):
        return [decode(value) for value in column]
    if "words" in column:
        return [column["words"][place] for place in column["of"]]
    values: list[Any] = [None] * count
    for place, value in zip(column["at"], column["values"], strict=True):
        values[place] = decode(value)
    return values


def keys(table: dict[str, Any]) -> list[str]:
    return [column["key"] for column in table["columns"]]


def test_the_cells_are_those_of_the_rows(store: Store) -> None:
    for n in range(30):
        write(
            store,
            params={"depth": n % 3, "wide": 2e6 * n, "deep": {"a": [n]}, "flag": n > 3},
            metrics={"acc": [n / 7], "loss": [math.inf]},
            tags={"odd": ""} if n == 5 else {},
            note="kept" if n == 2 else "",
        )
    found = store.find(sort="started")
    table = orjson.loads(orjson.dumps(packed.table(found)))
    for key, column in table["packed"]["cells"].items():
        rows = columns.table(found)["rows"]
        expected = [row["cells"][key]["value"] for row in rows]
        assert unpacked(column, 30) == expected, key
    fields = table["packed"]["fields"]
    assert unpacked(fields["note"], 30)[2] == "kept"
    assert table["packed"]["ids"] == found.ids()
    assert table["total"] == 30


def test_words_and_rare_values_are_told_once() -> None:
    assert packed.column(["a", "b", "a", "a", "b"]) == {"words": ["a", "b"], "of": [0, 1, 0, 0, 1]}
    assert packed.column([None] * 20 + [1.5]) == {"at": [20], "values": [1.5]}
    assert packed.column([None, None]) is None
    assert packed.column([math.nan, 2e6]) == [{"$float": "nan"}, {"$float": "2000000.0"}]
    assert packed.column([2_000_000, 10**30]) == [2_000_000, {"$int": str(10**30)}]


def test_the_headline_comes_with_what_it_was_before(store: Store) -> None:
    change = {"headline": {"key": "loss", "value": 0.25, "previous": 0.5, "delta": -0.25}}
    write(store, metrics={"loss": [0.25], "other": [1.0]}, changed=change)
    write(store, metrics={"other": [1.0]}, headline="other", changed=change)
    headline = packed.table(store.find(sort="started"))["packed"]["headline"]
    assert unpacked(headline["key"], 2) == ["loss", "other"]
    assert unpacked(headline["value"], 2) == [0.25, 1.0]
    assert unpacked(headline["previous"], 2) == [0.5, None]
    assert headline["leaning"] == {"loss": -1, "other": 0}


def test_what_is_the_same_in_all_runs_can_be_chosen(store: Store) -> None:
    for depth in (1, 2):
        write(store, params={"depth": depth, "seed": 0}, tags={"x": ""})
    table = packed.table(store.find())
    assert "params.depth" in keys(table)
    assert "params.seed" not in keys(table)
    others = {column["key"]: column["differs"] for column in table["others"]}
    assert others["params.seed"] is False
    assert "tags.x" in others
    chosen = packed.table(store.find(), wanted=["params.seed"])
    assert unpacked(chosen["packed"]["cells"]["params.seed"], 2) == [0, 0]


def test_known_columns_are_not_told_again(store: Store) -> None:
    write(store, params={"depth": 1})
    first = packed.table(store.find())
    again = packed.table(store.find(), layout=first["layout"])
    assert again["columns"] is None
    assert again["others"] is None
    write(store, params={"depth": 2})
    assert packed.table(store.find(), layout=first["layout"])["columns"] is not None


def test_only_the_runs_that_changed_are_packed(store: Store) -> None:
    write(store)
    second = write(store)
    table = packed.table(store.find(), only={second})
    assert table["packed"]["ids"] == [second]
    assert table["total"] == 2


def test_five_thousand_params_leave_the_answer_small(store: Store) -> None:
    for n in (1, 2):
        write(store, params={f"p{i}": i * n for i in range(5000)})
    table = packed.table(store.find())
    assert len(table["columns"]) < 60
    assert len(table["others"]) > 4900
    assert len(table["packed"]["cells"]) <= packed.MOST_PACKED + 60


# -- twins -----------------------------------------------------------------------------------------


def test_twins_are_the_same_but_for_the_seed(store: Store) -> None:
    for seed, depth in ((0, 2), (1, 2), (0, 3), (2, 2.0)):
        write(store, params={"random_state": seed, "depth": depth, "nested": {"seed": seed}})
    write(store, "other", params={"random_state": 0, "depth": 2})
    first, second, third, fourth, fifth = twins.marks(store.find(sort="started"))
    assert first == second == fourth
    assert len({first, third, fifth}) == 3


def test_true_is_not_the_twin_of_one(store: Store) -> None:
    write(store, params={"flag": True})
    write(store, params={"flag": 1})
    assert len(set(twins.marks(store.find()))) == 2


@pytest.mark.parametrize("key", ["seed", "random_state", "model.random_state", "np_seed", "rng"])
def test_params_that_choose_random_numbers_are_seeds(key: str) -> None:
    assert twins.is_seed(key)
    assert not twins.is_seed(f"{key}_depth")


# -- curves ----------------------------------------------------------------------------------------


def test_a_curve_keeps_its_extremes(store: Store) -> None:
    values = [math.sin(step / 50) for step in range(1000)]
    values[777] = 9.0
    values[5] = math.nan
    run_id = write(store, metrics={"loss": values, "system/cpu": [1.0, 2.0]})
    document = store.document(run_id)
    assert sparklines.key_of(document) == "loss"
    curve = sparklines.curve("loss", store.points(run_id)["loss"])
    assert curve is not None
    assert max(curve["values"]) == 9.0
    assert len(curve["values"]) <= 48


def test_a_single_point_is_no_curve(store: Store) -> None:
    write(store, metrics={"acc": [1.0]})
    found = store.find()
    assert sparklines.key_of(found[0]) is None
    assert "curve" not in keys(packed.table(found))
    write(store, metrics={"acc": [1.0], "loss": [1.0, 0.5]})
    assert "curve" in keys(packed.table(store.find()))


# -- the rules of numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["number", "value", "duration"])
def test_the_front_end_is_held_to_the_texts_of_formats(rule: str) -> None:
    """The other half of the test is labextension/test/formats.spec.ts."""
    for told, text in json.loads(RULES.read_text(encoding="utf-8"))[rule]:
        assert getattr(formats, rule)(decode(told)) == text
