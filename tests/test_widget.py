"""The table as an anywidget."""

from __future__ import annotations

from pathlib import Path

import ipywidgets
from runs import write

from trackbook import reading
from trackbook.store import Store
from trackbook.widget import RunsWidget


def widget(store: Store) -> RunsWidget:
    return reading.OpenStore(store).runs().widget()


def test_the_widget_shows_the_table_of_its_runs(store: Store) -> None:
    run_id = write(store, metrics={"loss": [float("nan")]})
    shown = widget(store)
    assert [row["id"] for row in shown.table["rows"]] == [run_id]
    assert shown.table["rows"][0]["headline"]["value"] == {"$float": "nan"}
    assert shown.get_state()["table"]["total"] == 1


def test_where_filters_and_keeps_only_selected_runs_that_are_there(store: Store) -> None:
    ids = [write(store, params={"a": n}) for n in (1, 2)]
    shown = widget(store)
    shown.selected = ids
    shown.where = "params.a == 2"
    assert [row["id"] for row in shown.table["rows"]] == [ids[1]]
    assert shown.selected == [ids[1]]
    shown.where = ""
    assert len(shown.table["rows"]) == 2


def test_a_bad_where_leaves_the_table_and_says_why(store: Store) -> None:
    write(store)
    shown = widget(store)
    shown.where = "params.a =="
    assert len(shown.table["rows"]) == 1
    assert shown.problem
    shown.where = "params.a is None"
    assert shown.problem == ""


def test_a_slice_filters_among_its_own_runs(store: Store) -> None:
    ids = [write(store, params={"a": n}, started=float(n)) for n in (1, 2, 3)]
    shown = reading.OpenStore(store).runs(sort="started")[:2].widget()
    shown.where = "params.a >= 2"
    assert [row["id"] for row in shown.table["rows"]] == [ids[1]]


def test_traits_link_to_other_widgets(store: Store) -> None:
    write(store)
    shown = widget(store)
    text = ipywidgets.Text()
    ipywidgets.jslink((shown, "where"), (text, "value"))
    seen: list[list[str]] = []
    shown.observe(lambda change: seen.append(change["new"]), names="selected")
    shown.selected = [shown.table["rows"][0]["id"]]
    assert seen == [shown.selected]


def test_the_script_loads_nothing() -> None:
    script = (Path(reading.__file__).parents[1] / "widget.js").read_text(encoding="utf-8")
    assert "http" not in script
    assert "import" not in script
    assert "innerHTML" not in script
