"""The table of many runs is that of their documents, without decoding them."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from trackbook.jsonable import dumps
from trackbook.model import Document, new_document
from trackbook.store.rows import Found
from trackbook.store.runtable import RunTable
from trackbook.views import columns, manyruns

VALUES = st.sampled_from([1, 1.0, True, 0, False, "1", "", None, math.nan, [1], {"x": 1}, 2**70])
PARAMS = st.dictionaries(st.sampled_from(["a", "b", "c.d", "e"]), VALUES, max_size=3)
METRICS = st.dictionaries(st.sampled_from(["loss", "acc"]), st.sampled_from([0.5, 1, math.nan]))


def found_of(documents: list[Document]) -> Found:
    table = RunTable()
    table.add_packed(documents, [dumps(document) for document in documents])
    return Found(table.rows, list(range(len(documents))))


def document(params: dict[str, Any], metrics: dict[str, Any], **fields: Any) -> Document:
    made = new_document(name="a", experiment="e")
    summary = {key: {"last": v, "min": v, "max": v, "count": 1} for key, v in metrics.items()}
    made.update(params=params, summary=summary, **fields)
    return made


@settings(deadline=None)
@given(st.lists(st.tuples(PARAMS, METRICS), min_size=2, max_size=6))
def test_the_same_keys_vary(given_: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    documents = [document(params, metrics) for params, metrics in given_]
    records = [columns.measured(d) for d in documents]
    assert sorted(manyruns.varying(found_of(documents))) == sorted(columns.varying(records))


@pytest.mark.parametrize("only", [None, [3, 5], []])
def test_the_table_is_that_of_the_documents(
    monkeypatch: pytest.MonkeyPatch, only: list[int] | None
) -> None:
    monkeypatch.setattr(manyruns, "MANY", 5)
    documents = [
        document({"lr": i / 10, "same": 1}, {"acc": i}, tags={"t": ""} if i == 2 else {})
        for i in range(9)
    ]
    ids = None if only is None else [documents[place]["id"] for place in only]
    assert columns.table(found_of(documents), only=ids) == columns.table(documents, only=ids)
    documents[4]["error"] = {"type": "Damaged", "message": "m", "traceback": ""}
    documents[5]["experiment"] = "other"
    table = columns.table(found_of(documents), only=ids)
    assert table == columns.table(documents, only=ids)
    assert {"damage", "tags", "experiment"} <= {column["key"] for column in table["columns"]}
