"""Comparisons in Python: every kind of chart, what it is drawn of, and the line that makes it."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import altair as alt
import pytest
import vl_convert
from runs import write

from trackbook import reading
from trackbook.errors import InvalidValue
from trackbook.store import Store
from trackbook.views import charts, measures, palette, relations
from trackbook.views.curves import curves
from trackbook.views.importance import ranked

NAN, INF = math.nan, math.inf


@pytest.fixture
def tb(store: Store) -> reading.OpenStore:
    return reading.OpenStore(store)


@pytest.fixture
def study(store: Store) -> list[str]:
    """Twelve runs in which the rate decides, the model hardly, the seed not at all."""
    chance = random.Random(3)
    return [
        write(
            store,
            name="net",
            params={"rate": 0.001 * 2**i, "model": "ab"[i % 2], "seed": i % 3, "fixed": 1},
            metrics={
                "loss": [2.0 / (step + 1) + 0.01 * i for step in range(30)],
                "test_acc": [0.5 + 0.03 * i + chance.gauss(0, 0.01)],
            },
            tags={"group": "x" if i < 6 else "y"},
        )
        for i in range(12)
    ]


def documents(store: Store) -> list[dict[str, Any]]:
    return list(store.find(sort="started"))


def drawn(chart: alt.Chart) -> str:
    spec = chart.to_dict()
    json.dumps(spec, allow_nan=False)
    return str(vl_convert.vegalite_to_svg(spec, vl_version="6.4", allowed_base_urls=[]))


# -- every kind ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "marks"),
    [
        ("curves", {"y": "loss", "smoothing": 0.8, "log": "xy", "x": "relative"}, "mark-line"),
        ("curves", {"y": "loss", "x": "time"}, "mark-line"),
        ("curves", {"y": "metrics.loss", "within": [5, 9]}, "mark-line"),
        ("bar", {"y": "test_acc"}, "mark-rect"),
        ("bar", {"y": "test_acc", "by": "model"}, "mark-rule"),
        ("scatter", {"x": "params.rate", "y": "metrics.test_acc", "log": "x"}, "mark-symbol"),
        ("scatter", {"x": "model", "y": "test_acc", "color": "rate"}, "mark-symbol"),
        ("parallel", {"y": "test_acc"}, "mark-line"),
        ("histogram", {"y": "test_acc", "bins": 5}, "mark-rect"),
        ("importance", {"y": "test_acc"}, "mark-tick"),
    ],
)
def test_every_kind_is_an_altair_chart_that_draws(
    study: list[str], tb: reading.OpenStore, kind: str, options: dict[str, Any], marks: str
) -> None:
    picture = drawn(tb.compare(*study).chart(kind=kind, **options))
    assert marks.replace("mark-tick", "mark-rect") in picture


def test_there_is_a_test_for_every_kind() -> None:
    assert set(charts.CHARTS) == {
        *("curves", "bar", "scatter", "parallel", "histogram", "importance")
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "pie"}, "there is no chart 'pie'"),
        ({"kind": "curves", "y": "nothing"}, "loss"),
        ({"kind": "curves", "y": "loss", "by": "seed"}, "no option 'by'; it has x, smoothing"),
        ({"kind": "curves", "y": "loss", "smoothing": 1}, "below 1"),
        ({"kind": "curves", "y": "loss", "log": "z"}, "none of"),
        ({"kind": "scatter", "x": "params.nope"}, "params.rate"),
        ({"kind": "histogram", "bins": 0}, "from 1 to 200"),
    ],
)
def test_a_wrong_request_says_what_there_is(
    study: list[str], tb: reading.OpenStore, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidValue, match=told) as problem:
        tb.compare(*study).chart(**options)
    assert "\n" not in str(problem.value)


def test_the_line_of_python_makes_the_same_chart(study: list[str], tb: reading.OpenStore) -> None:
    compared = tb.compare(*study[:3])
    options = {"x": "relative", "smoothing": 0.5, "within": [1, None]}
    line = compared.line("curves", "loss", options)
    assert line.startswith('tb.compare("') and line.endswith("within=[1, None])")
    assert eval(line, {"tb": tb}).to_dict() == compared.chart("curves", "loss", **options).to_dict()


# -- curves ----------------------------------------------------------------------------------------


def rows(store: Store, key: str, **options: Any) -> list[dict[str, Any]]:
    found = documents(store)
    points = {d["id"]: store.points(d["id"]) for d in found}
    values: list[dict[str, Any]] = curves(found, points, key, **options)["data"]["values"]
    return values


def test_what_is_not_finite_is_named_and_a_gap(store: Store) -> None:
    write(store, metrics={"loss": [1.0, NAN, INF, -INF, 0.5]})
    assert [row["value"] for row in rows(store, "loss")] == [1.0, None, None, None, 0.5]
    assert [row.get("odd") for row in rows(store, "loss")] == [None, "nan", "inf", "-inf", None]


def test_a_log_scale_says_what_has_no_place_on_it(store: Store) -> None:
    write(store, metrics={"loss": [1.0, 0.0, -1.0, 0.5]})
    found = documents(store)
    points = {d["id"]: store.points(d["id"]) for d in found}
    spec = curves(found, points, "loss", log="y")
    assert [row["value"] for row in spec["data"]["values"]] == [1.0, 0.5]
    assert spec["title"]["text"].startswith("2 values at or below 0")


def test_another_metric_as_x_meets_at_equal_steps(store: Store) -> None:
    run = write(store, metrics={"loss": [3.0, 2.0, 1.0], "seen": [10.0, 20.0]})
    assert [(row["x"], row["value"]) for row in rows(store, "loss", x="seen")] == [
        (10.0, 3.0),
        (20.0, 2.0),
    ]
    write(store, metrics={"loss": [9.0]})
    assert {row["run"] for row in rows(store, "loss", x="seen")} == {"forest #1"}
    assert rows(store, "loss", x="nothing") == []
    assert run


def test_times_are_counted_from_the_start_or_by_the_clock(store: Store) -> None:
    write(store, metrics={"loss": [3.0, 2.0]})
    (document,) = documents(store)
    assert [row["x"] for row in rows(store, "loss", x="relative")] == pytest.approx([0, 1])
    by_clock = [row["x"] / 1000 for row in rows(store, "loss", x="time")]
    assert by_clock == pytest.approx([document["started"], document["started"] + 1])


def test_a_part_comes_in_full_with_a_neighbour_on_each_side(store: Store) -> None:
    values = [math.sin(n / 50) for n in range(20_000)]
    write(store, metrics={"wave": values})
    assert len(rows(store, "wave", most=500)) <= 520
    part = rows(store, "wave", most=500, within=(1000, 1100))
    assert [row["x"] for row in part] == list(range(999, 1102))


def test_a_smoothed_part_is_smoothed_over_all_that_came_before(store: Store) -> None:
    write(store, metrics={"loss": [10.0] * 50 + [0.0] * 50})
    whole = {row["x"]: row["smooth"] for row in rows(store, "loss", smoothing=0.9)}
    part = rows(store, "loss", smoothing=0.9, within=(52, 60))
    assert part[0]["smooth"] > 5
    assert [row["smooth"] for row in part] == [whole[row["x"]] for row in part]


# -- what charts are drawn of ----------------------------------------------------------------------


def test_measures_are_what_differs_first(store: Store, study: list[str]) -> None:
    found = measures.measures(documents(store))
    names = [entry["name"] for entry in found if entry["name"].startswith("params.")]
    assert names == ["params.rate", "params.model", "params.seed", "params.fixed"]
    assert found[0]["name"].startswith("metrics.")
    numeric = {entry["name"]: entry["numeric"] for entry in found}
    assert (numeric["params.rate"], numeric["params.model"]) == (True, False)


def test_runs_that_differ_only_in_their_seed_are_one_bar(store: Store) -> None:
    for depth in (2, 4):
        for seed in range(3):
            write(store, params={"depth": depth, "seed": seed}, metrics={"acc": [depth + seed]})
    runs = documents(store)
    assert {name: len(members) for name, members in relations.groups(runs, "seed").items()} == {
        "depth=2": 3,
        "depth=4": 3,
    }
    spec = relations.bar(runs, {}, "acc", by="seed")
    (first, *_) = [row for row in spec["data"]["values"] if "low" in row]
    assert (first["value"], first["low"], first["high"]) == (3.0, 2.0, 4.0)
    assert "n = 3" in first["text"]


def test_importance_finds_what_decides_and_says_how_sure_it_is(
    store: Store, study: list[str]
) -> None:
    first, *others = ranked(documents(store), "test_acc")
    assert (first.param, first.sign) == ("rate", 1)
    assert first.strength > 0.95 > first.chance
    assert first.low > 0.8
    assert {entry.param for entry in others} == {"model", "seed"}
    assert all(entry.strength < entry.chance for entry in others)
    assert all(entry.low <= entry.strength <= entry.high for entry in [first, *others])
    assert ranked(documents(store), "test_acc") == [first, *others]


def test_importance_needs_runs_and_something_that_differs(store: Store) -> None:
    for _ in range(4):
        write(store, metrics={"acc": [0.5]})
    with pytest.raises(InvalidValue, match=r"needs 5 runs .* there are 4"):
        ranked(documents(store), "acc")
    write(store, metrics={"acc": [NAN]})
    with pytest.raises(InvalidValue, match="there are 4"):
        ranked(documents(store), "acc")
    write(store, metrics={"acc": [0.25]})
    with pytest.raises(InvalidValue, match="no param differs"):
        ranked(documents(store), "acc")


def test_hostile_and_huge_values_draw_too(store: Store, tb: reading.OpenStore) -> None:
    odd = ["a.b[0]", '"quotes"', "<script>", 10**400, True, None, [1, 2], 1e308]
    ids = [
        write(store, params={"odd": value, "x": n}, metrics={"m": [(-1.0) ** n * 1e308]})
        for n, value in enumerate(odd)
    ]
    compared = tb.compare(*ids)
    for kind in charts.CHARTS:
        assert compared.chart(kind, "m").to_dict()


# -- colours ---------------------------------------------------------------------------------------


def test_a_run_keeps_its_colour_when_others_come_and_go(store: Store, study: list[str]) -> None:
    runs = documents(store)
    whole = palette.styles(runs[:5])
    assert len(set(map(str, whole))) == 5
    assert palette.styles(runs[1:4]) == whole[1:4]
    assert palette.styles(runs[4::-1]) == whole[::-1]
