"""The table of runs as plain data: which columns, which cells."""

from __future__ import annotations

import json
import math
from typing import Any

from runs import write

from trackbook.jsonable import encode
from trackbook.store import Store
from trackbook.views import columns

NAN, INF = math.nan, math.inf


def documents(store: Store) -> list[dict[str, Any]]:
    return store.find(sort="started")


def keys(table: dict[str, Any]) -> list[str]:
    return [column["key"] for column in table["columns"]]


def test_only_what_differs_becomes_a_column(store: Store) -> None:
    write(store, params={"depth": 3, "seed": 0}, metrics={"acc": [0.5], "rows": [100]})
    write(store, params={"depth": 5, "seed": 0.0}, metrics={"acc": [0.75], "rows": [100]})
    table = columns.table(documents(store))
    assert keys(table) == [
        *("name", "status", "headline", "started", "duration"),
        *("metrics.acc", "params.depth"),
    ]
    assert [row["cells"]["params.depth"]["text"] for row in table["rows"]] == ["3", "5"]
    assert table["total"] == 2


def test_the_same_key_is_missing_or_of_another_type_differs(store: Store) -> None:
    write(store, params={"flag": True, "shared": "x"})
    write(store, params={"flag": 1})
    assert [k for k in keys(columns.table(documents(store))) if k.startswith("params")] == [
        "params.flag",
        "params.shared",
    ]


def test_a_single_run_shows_all_it_has(store: Store) -> None:
    write(store, params={"depth": 3}, metrics={"acc": [0.5]})
    assert keys(columns.table(documents(store)))[5:] == ["metrics.acc", "params.depth"]


def test_equal_nans_do_not_differ(store: Store) -> None:
    write(store, metrics={"loss": [NAN]})
    write(store, metrics={"loss": [NAN]})
    table = columns.table(documents(store))
    assert "metrics.loss" not in keys(table)
    assert table["rows"][0]["headline"]["text"] == "nan"


def test_at_most_forty_varying_columns_the_most_frequent_first(store: Store) -> None:
    write(store, params={f"p{i}": i for i in range(60)} | {"often": 1})
    write(store, params={"often": 2})
    varying = [k for k in keys(columns.table(documents(store))) if k.startswith("params.")]
    assert len(varying) == 40
    assert varying[0] == "params.often"


def test_a_row_says_how_the_headline_moved(store: Store) -> None:
    change = {"headline": {"key": "loss", "value": 0.25, "previous": 0.5, "delta": -0.25}}
    write(store, metrics={"loss": [0.25]}, changed=change)
    (row,) = columns.table(documents(store))["rows"]
    assert row["headline"] == {
        "key": "loss",
        "value": 0.25,
        "text": "0.25",
        "delta": -0.25,
        "better": True,
    }


def test_a_row_of_a_run_without_anything(store: Store) -> None:
    write(store, end=False)
    (row,) = columns.table(documents(store))["rows"]
    assert row["headline"] is None
    assert row["cells"]["headline"] == {"text": "", "value": None}
    assert row["cells"]["duration"] == {"text": "", "value": None}
    assert row["ended"] is None


def test_a_table_is_plain_json(store: Store) -> None:
    write(store, params={"nested": {"a": [1, None]}}, metrics={"loss": [INF]}, tags={"x": ""})
    write(store, "héllo 世界")
    assert json.loads(json.dumps(encode(columns.table(documents(store)))))["total"] == 2


def test_every_column_is_one_entry_with_the_agreed_fields() -> None:
    for column in (*columns.COLUMNS, *columns.TRAILING):
        plain = column.plain()
        assert set(plain) == {"key", "title", "kind", "align", "width", "priority"}
    assert [c.key for c in columns.COLUMNS if c.priority == 1] == ["name", "status", "headline"]


def test_runs_of_the_same_label_are_told_apart(store: Store) -> None:
    for experiment in ("a", "b"):
        write(store, experiment=experiment, series=experiment, number=1)
    first, second = columns.labels(documents(store))
    assert first != second
    assert first.startswith("forest #1 (")
