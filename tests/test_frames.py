"""The types of the columns of a data frame, whatever was logged."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from runs import write

from trackbook.jsonable import dumps, loads
from trackbook.reading import OpenStore
from trackbook.store import LocalStore, Store

GAP = object()
NAN, INF = math.nan, math.inf


def column(store: Store, values: list[Any], kind: str = "params") -> pd.Series[Any]:
    """The column of a param or tag that a run has with each value, or has not (``GAP``)."""
    for started, value in enumerate(values):
        there = {} if value is GAP else {"x": value}
        write(store, started=1e9 + started, **{kind: there})
    frame = OpenStore(store).runs(sort="started").to_pandas()
    return frame[f"{kind}.x"]


@pytest.mark.parametrize("kind", ["params", "tags"])
@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, -2], "int64", [1, -2]),
        ([1, GAP, 3], "Int64", [1, pd.NA, 3]),
        ([2**53 + 1, GAP], "Int64", [2**53 + 1, pd.NA]),
        ([2**63 - 1, -(2**63)], "int64", [2**63 - 1, -(2**63)]),
        ([2**63, 1], "object", [2**63, 1]),
        ([-(10**40), GAP], "object", [-(10**40), None]),
        ([True, False], "bool", [True, False]),
        ([True, GAP], "boolean", [True, pd.NA]),
        ([0.5, 1.5], "float64", [0.5, 1.5]),
        ([0.5, GAP], "float64", [0.5, NAN]),
        ([NAN, INF, -INF], "float64", [NAN, INF, -INF]),
        ([1, 0.5], "float64", [1.0, 0.5]),
        ([1, NAN, GAP], "float64", [1.0, NAN, NAN]),
        ([2**53 + 1, 0.5], "object", [2**53 + 1, 0.5]),
        ([2**70, NAN], "object", [2**70, NAN]),
        (["rf", "世界"], "str", ["rf", "世界"]),
        (["", GAP], "str", ["", NAN]),
        (["\ud800", "a"], "object", ["\ud800", "a"]),
        (["a\x00b", "a" * 10_000], "str", ["a\x00b", "a" * 10_000]),
        ([1, "auto"], "object", [1, "auto"]),
        ([True, 1], "object", [True, 1]),
        ([False, 0.0, GAP], "object", [False, 0.0, None]),
        ([[1, 2], [3, [4]]], "object", [[1, 2], [3, [4]]]),
        ([[1, 2], [3, 4]], "object", [[1, 2], [3, 4]]),
        ([[], GAP], "object", [[], None]),
        ([["2026-01-01"], 3], "object", [["2026-01-01"], 3]),
        (["2026-01-01", "2026-01-02"], "str", ["2026-01-01", "2026-01-02"]),
        ([1.0, 2.0], "float64", [1.0, 2.0]),
    ],
)
def test_a_column_has_the_type_of_its_values(
    store: Store, kind: str, values: list[Any], dtype: str, expected: list[Any]
) -> None:
    found = column(store, values, kind)
    assert str(found.dtype) == dtype
    for value, wanted in zip(found.tolist(), expected, strict=True):
        if wanted is pd.NA:
            assert value is pd.NA
        elif isinstance(wanted, float) and math.isnan(wanted):
            assert isinstance(value, float)
            assert math.isnan(value)
        else:
            assert (value, type(value)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([None, None], "object"), ([None, 1], "Int64"), ([None, "a"], "str"), ([None, [1]], "object")],
)
def test_a_param_that_is_none_is_missing(store: Store, values: list[Any], dtype: str) -> None:
    found = column(store, values)
    assert str(found.dtype) == dtype
    assert found.isna().tolist()[0]


def test_an_integer_column_with_gaps_computes(store: Store) -> None:
    found = column(store, [1, GAP, 3])
    assert found.sum() == 4
    assert (found > 1).sum() == 1
    assert found.max() == 3


def test_metrics_are_floats_and_times_are_times(store: Store) -> None:
    write(store, metrics={"n": [1], "loss": [NAN], "top": [INF]}, started=1_790_000_000.123456)
    write(store, started=0.0, status="running", end=False)
    frame = OpenStore(store).runs().to_pandas()
    for key in ("metrics.n", "metrics.loss", "metrics.top", "duration"):
        assert str(frame[key].dtype) == "float64"
    assert str(frame["started"].dtype) == "datetime64[us, UTC]"
    assert frame["started"][0] == pd.Timestamp("2026-09-21T14:13:20.123456Z")
    assert frame["duration"][0] == 2.5
    assert frame["metrics.top"].tolist()[0] == INF


def test_weird_names_never_keep_the_others_from_a_frame(store: Store) -> None:
    write(store, "odd \ud800", experiment="\udfff")
    write(store, "fine", params={"k\ud800": 1}, metrics={"m\ud800": [2.0], "loss": [1.0]})
    runs = OpenStore(store).runs(sort="number")
    frame = runs.to_pandas()
    assert set(frame["name"]) == {"odd \ud800", "fine"}
    assert frame["params.k\\ud800"].notna().sum() == 1
    assert list(runs.metrics()["key"]) == ["m\\ud800", "loss"]
    assert list(runs.metrics("m\ud800")["value"]) == [2.0]
    assert "params.k\\ud800" in runs.diff().columns


def test_nested_params_are_columns_and_an_empty_one_is_none(store: Store) -> None:
    write(store, params={"opt": {"lr": 0.1, "deep": {"x": 1}}, "none": {}, "a.b": 1})
    frame = OpenStore(store).runs().to_pandas()
    there = [name for name in frame.columns if name.startswith("params.")]
    assert there == ["params.opt.lr", "params.opt.deep.x", "params.none", "params.a.b"]
    assert str(frame["params.opt.deep.x"].dtype) == "int64"
    assert frame["params.none"][0] == {}


def test_the_types_do_not_depend_on_the_order_or_number_of_runs(store: Store) -> None:
    for n in range(3):
        write(store, params={"lr": n / 2}, tags={"t": ""}, metrics={"acc": [0.5]})
    runs = OpenStore(store).runs()
    whole = runs.to_pandas().dtypes
    for part in (runs[:1], runs[1:], runs[::-1]):
        assert part.to_pandas().dtypes.equals(whole)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("started", 1e300),
        ("started", NAN),
        ("ended", -INF),
        ("started", 10**400),
        ("number", 10**400),
        ("summary", {"loss": {"last": 10**400, "min": 0, "max": 1, "count": 1}}),
    ],
)
def test_a_run_with_an_impossible_number_is_damaged_and_hides_no_other(
    store: Store, field: str, value: Any
) -> None:
    write(store, "fine", metrics={"loss": [0.5]})
    odd = write(store, "odd")
    assert store.path is not None
    path = store.path / "runs" / odd[:8] / odd / "run.json"
    path.write_bytes(dumps({**loads(path.read_bytes()), field: value}))
    again = OpenStore(LocalStore(store.path))
    (store.path / "index" / "catalog.json").unlink(missing_ok=True)
    runs = again.runs(sort="name")
    assert {run.status for run in runs} == {"lost", "finished"}
    error = again.get_run(odd).error
    assert error is not None
    assert error.type == "Damaged"
    assert len(runs.to_pandas()) == 2
    assert "fine" in repr(runs)
