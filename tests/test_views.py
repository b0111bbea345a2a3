"""The table, charts and comparison as plain data, and their static forms."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import altair as alt
import numpy as np
import pytest
import vl_convert
from runs import HOSTILE, write

from trackbook.jsonable import encode
from trackbook.store import Points, Store
from trackbook.views import charts, columns, comparison, html, svg, text

NAN, INF = math.nan, math.inf


def documents(store: Store) -> list[dict[str, Any]]:
    return store.find(sort="started")


def points(store: Store) -> dict[str, Any]:
    return {d["id"]: store.points(d["id"]) for d in documents(store)}


# -- charts ----------------------------------------------------------------------------------------


def strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key != "$schema":
                yield from strings(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from strings(value)
    elif isinstance(tree, str):
        yield tree


@pytest.fixture
def two_curves(store: Store) -> Store:
    write(store, metrics={"loss": [1.0, NAN, 0.5, INF, 0.25], "acc": [0.5]})
    write(store, metrics={"loss": [2.0, 1.0], "acc": [0.75]})
    return store


@pytest.mark.parametrize("kind", ["bar", "curves"])
def test_a_chart_is_valid_loads_nothing_and_draws_marks(two_curves: Store, kind: str) -> None:
    runs = documents(two_curves)
    key = "loss" if kind == "curves" else "acc"
    spec = charts.CHARTS[kind](runs, points(two_curves), key, width=300)
    assert alt.Chart.from_dict(spec).to_dict()
    assert not [s for s in strings(spec) if "://" in s]
    assert spec["$schema"] == alt.SCHEMA_URL
    drawn = vl_convert.vegalite_to_svg(spec, vl_version="6.4", allowed_base_urls=[])
    mark = "mark-line" if kind == "curves" else "mark-rect"
    assert mark in drawn
    assert "forest #1" in drawn
    assert "forest #2" in drawn


def test_curves_leave_gaps_where_values_are_not_finite(two_curves: Store) -> None:
    spec = charts.CHARTS["curves"](documents(two_curves), points(two_curves), "loss")
    first = [v["value"] for v in spec["data"]["values"] if v["run"] == "forest #1"]
    assert first == [1.0, None, 0.5, None, 0.25]
    json.dumps(spec, allow_nan=False)


def test_a_metric_with_one_point_a_run_becomes_bars(two_curves: Store) -> None:
    found = charts.charts_for(documents(two_curves), points(two_curves))
    assert [(c["title"], c["kind"]) for c in found] == [("acc", "bar"), ("loss", "curves")]


def test_runs_without_metrics_have_no_charts(store: Store) -> None:
    write(store)
    assert charts.charts_for(documents(store), points(store)) == []


def test_many_runs_are_told_apart_by_dashes(store: Store) -> None:
    for _ in range(50):
        write(store, metrics={"loss": [2.0, 1.0]})
    spec = charts.CHARTS["curves"](documents(store), points(store), "loss", width=300)
    colour, dash = (spec["encoding"][name]["scale"]["range"] for name in ("color", "strokeDash"))
    assert len({(c, tuple(d)) for c, d in zip(colour, dash, strict=True)}) == 50
    assert alt.Chart.from_dict(spec).to_dict()


# -- svg -------------------------------------------------------------------------------------------


def svgs(markup: str) -> list[ET.Element]:
    return list(ET.fromstring(f"<div>{markup}</div>").iter("svg"))


def test_svg_of_curves_breaks_the_line_at_gaps(two_curves: Store) -> None:
    (chart,) = [
        c
        for c in charts.charts_for(documents(two_curves), points(two_curves))
        if c["kind"] == "curves"
    ]
    (drawing,) = svgs(svg.draw(chart))
    assert len(list(drawing.iter("circle"))) == 3  # points alone between gaps
    assert len(list(drawing.iter("path"))) == 1


def test_svg_of_bars_has_a_rect_a_run(two_curves: Store) -> None:
    chart = charts.charts_for(documents(two_curves), points(two_curves))[0]
    (drawing,) = svgs(svg.draw(chart))
    assert len(list(drawing.iter("rect"))) == 2


@pytest.mark.parametrize("values", [[NAN, NAN], [0.0, 0.0], [1e308, -1e308], [5e-324, 0.0], [3]])
def test_svg_of_odd_values_is_still_well_formed(store: Store, values: list[float]) -> None:
    write(store, metrics={"m": values})
    (chart,) = charts.charts_for(documents(store), points(store))
    drawn = svg.draw(chart)
    assert len(svgs(drawn)) == 1
    assert "nan" not in drawn.replace(">nan<", "")
    assert "inf" not in drawn


def test_ticks_are_round_and_enclose() -> None:
    assert svg.ticks(0.0, 1.0) == [0.0, 0.5, 1.0]
    assert svg.ticks(3.0, 3.0)[0] <= 3.0 <= svg.ticks(3.0, 3.0)[-1]


# -- comparison ------------------------------------------------------------------------------------


def compared(store: Store) -> dict[str, Any]:
    return comparison.compare(documents(store), points(store))


def test_differing_rows_come_first_and_the_same_are_counted(store: Store) -> None:
    write(store, params={"a": 1, "b": 1, "c": {"d": 2}}, metrics={"acc": [0.5], "loss": [0.5]})
    write(store, params={"a": 1, "b": 2, "c": {"d": 2}}, metrics={"acc": [0.75], "loss": [0.25]})
    view = compared(store)
    params = next(s for s in view["sections"] if s["title"] == "Params")
    assert [(r["key"], r["differs"]) for r in params["rows"]] == [
        ("b", True),
        ("a", False),
        ("c.d", False),
    ]
    metrics = next(s for s in view["sections"] if s["title"] == "Metrics")
    assert [(r["key"], r["best"]) for r in metrics["rows"]] == [("acc", 1), ("loss", 1)]
    assert view["same"] == sum(not r["differs"] for s in view["sections"] for r in s["rows"])
    assert view["title"] == "forest #1 · forest #2"
    json.dumps(encode(view), allow_nan=False)


@pytest.mark.parametrize("values", [(0.5, 0.5), (NAN, 0.5)])
def test_no_best_where_all_tie_or_one_alone_is_a_number(
    store: Store, values: tuple[float, float]
) -> None:
    for value in values:
        write(store, metrics={"acc": [value]})
    metrics = next(s for s in compared(store)["sections"] if s["title"] == "Metrics")
    assert metrics["rows"][0]["best"] is None


def test_one_run_alone_and_none_compare(store: Store) -> None:
    assert comparison.compare([], {})["sections"] == []
    write(store, params={"a": 1})
    view = compared(store)
    assert not any(r["differs"] for s in view["sections"] for r in s["rows"])
    assert "one run only" in text.comparison_text(view)


def test_a_bare_tag_is_told_from_none(store: Store) -> None:
    write(store, tags={"baseline": ""})
    write(store)
    tags = next(s for s in compared(store)["sections"] if s["title"] == "Tags")
    assert [cell["text"] for cell in tags["rows"][0]["cells"]] == ["✓", ""]


def test_packages_appear_only_where_their_version_differs(store: Store) -> None:
    write(store, env={"python": "3.11", "packages": {"numpy": "2.0", "pandas": "3"}})
    write(store, env={"python": "3.11", "packages": {"numpy": "2.1", "pandas": "3"}})
    env = next(s for s in compared(store)["sections"] if s["title"] == "Environment")
    assert [r["key"] for r in env["rows"]] == ["numpy", "python"]


# -- html and text ---------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


def hostile(store: Store) -> None:
    for value in (1, 2):
        write(
            store,
            HOSTILE,
            params={HOSTILE: f"{HOSTILE}{value}"},
            metrics={HOSTILE: [float(value), 1.0]},
            tags={HOSTILE: f'"{value}'},
            experiment=f"{HOSTILE}{value}",
            error={"type": HOSTILE, "message": '" onclick="x', "traceback": ""},
        )


def test_nothing_from_a_run_becomes_markup(store: Store) -> None:
    hostile(store)
    table = html.table_html(columns.table(documents(store)))
    view = comparison.compare(
        documents(store),
        points(store),
        {d["id"]: comparison.Code(f"{HOSTILE}{i}") for i, d in enumerate(documents(store))},
    )
    for markup in (table, html.comparison_html(view)):
        assert "script" not in Tags(markup).tags
        assert "&lt;script&gt;" in markup


def test_html_fits_light_and_dark_and_loads_nothing(two_curves: Store) -> None:
    for markup in (
        html.table_html(columns.table(documents(two_curves))),
        html.comparison_html(compared(two_curves)),
    ):
        assert "url(" not in markup
        assert "http" not in markup
        assert "background:transparent" in markup
        assert "color:inherit" in markup
    assert "<svg" in html.comparison_html(compared(two_curves))


def test_html_of_a_large_comparison_stays_small(store: Store) -> None:
    ids = [
        write(store, params={f"p{i}": n for i in range(50)}, metrics={"m": [0.0]})
        for n in range(20)
    ]
    rng = np.random.default_rng(0)
    many = {
        run_id: {
            f"m{k}": Points(np.arange(5000), np.zeros(5000), rng.normal(size=5000))
            for k in range(8)
        }
        for run_id in ids
    }
    docs = [
        {**d, "summary": {f"m{k}": {"last": n, "count": 5000} for k in range(8)}}
        for n, d in enumerate(documents(store))
    ]
    assert len(html.comparison_html(comparison.compare(docs, many))) < 200_000


def test_a_table_of_none_says_so() -> None:
    empty = columns.table([])
    assert "No runs" in html.table_html(empty)
    assert text.table_text(empty) == "No runs."


def test_text_columns_line_up_with_wide_characters(store: Store) -> None:
    write(store, "世界", params={"a": 1})
    write(store, "plain", params={"a": 2})
    lines = text.table_text(columns.table(documents(store))).splitlines()
    starts = [text.width(line[: line.index(word)]) for line, word in zip(
        lines, ("Status", "finished", "finished"), strict=True
    )]  # fmt: skip
    assert len(set(starts)) == 1


def test_text_has_no_control_characters(store: Store) -> None:
    write(store, "a\x1b[31mb\nc")
    shown = text.table_text(columns.table(documents(store)))
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2


def test_text_says_how_many_more_there_are(store: Store) -> None:
    write(store)
    assert text.table_text(columns.table(documents(store), total=9)).endswith("… 8 more")


def test_a_run_has_one_colour_in_every_chart(store: Store) -> None:
    write(store, "a", metrics={"acc": [0.1, 0.2, 0.3]})
    write(store, "b", metrics={"acc": [0.1, 0.2, 0.3], "val_loss": [3.0, 2.0, 1.0]})
    docs = store.find(sort="name")
    made = comparison.compare(docs, {d["id"]: store.points(d["id"]) for d in docs})["charts"]
    scales = [c["spec"]["encoding"]["color"]["scale"] for c in made]
    colours = [dict(zip(s["domain"], s["range"], strict=True)) for s in scales]
    assert colours[0]["b #1"] == colours[1]["b #1"] != colours[0]["a #1"]


def test_params_that_somebody_chose_come_first_and_say_so(store: Store) -> None:
    write(store, "a", params={"verbose": 0, "C": 1.0}, autologged=["verbose"])
    write(store, "b", params={"verbose": 1, "depth": 3}, autologged=["verbose"])
    rows = comparison.compare(documents(store), points(store))["sections"][0]["rows"]
    assert [(row["key"], row["chosen"]) for row in rows] == [
        ("C", True),
        ("depth", True),
        ("verbose", False),
    ]
