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


def test_sort_orders_in_the_kernel_and_a_slice_keeps_its_own_order(store: Store) -> None:
    accs = (0.5, 0.9, 0.7)
    ids = [write(store, metrics={"acc": [acc]}, started=float(n)) for n, acc in enumerate(accs)]
    shown = widget(store)

    def order() -> list[int]:
        return [ids.index(row["id"]) for row in shown.table["rows"]]

    assert order() == [2, 1, 0]
    shown.sort = "-metrics.acc"
    assert order() == [1, 2, 0]
    shown.sort = "__class__"
    assert shown.problem
    assert order() == [1, 2, 0]
    shown = reading.OpenStore(store).runs(sort="metrics.acc")[:2].widget()
    assert order() == [0, 2]
    shown.sort = "-metrics.acc"
    assert order() == [2, 0]


def test_a_page_of_rows_at_a_time_and_what_is_ticked_below_stays(store: Store) -> None:
    ids = [write(store, started=float(n)) for n in range(130)]
    shown = widget(store)
    assert (len(shown.table["rows"]), shown.table["total"]) == (100, 130)
    shown.selected = [ids[0]]  # the oldest is not among the rows
    shown._handle_custom_msg({"kind": "more"}, [])
    assert len(shown.table["rows"]) == 130
    assert shown.selected == [ids[0]]
    for nonsense in ("more", None, {"kind": ["more"]}, {"kind": "eval"}):
        shown._handle_custom_msg(nonsense, [])
    write(store)
    assert shown.table["total"] == 130
    shown._handle_custom_msg({"kind": "refresh"}, [])
    assert shown.table["total"] == 131


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
    assert "fetch" not in script
    assert "innerHTML" not in script
