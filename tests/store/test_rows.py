"""Packed runs give the same answers as their documents."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tinydb import where

from trackbook.errors import QueryError
from trackbook.jsonable import dumps, encode, loads
from trackbook.model import Document, new_document
from trackbook.store import LocalStore, attributes, catalogfile, runtable, shape
from trackbook.store.column import LONGEST
from trackbook.store.query import compile_where
from trackbook.store.runtable import RunTable

KEYS = st.sampled_from(["a", "b", "a.b", "a.b.c", "loss", "val/loss", "x y", "last", "loss.min"])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["", "rf", "ü", "\ud800", "w" * (LONGEST + 1)]),
    st.lists(st.integers(0, 3), max_size=3),
)
TREES = st.dictionaries(
    KEYS, st.recursive(VALUES, lambda inner: st.dictionaries(KEYS, inner, max_size=2)), max_size=4
)
ENTRY = st.fixed_dictionaries(
    {k: st.floats() for k in ("last", "min", "max")} | {"count": st.just(3)}
)
TIMES = st.floats(0, 2e9)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    document = new_document(name=draw(st.sampled_from("ab")), experiment="e", series="s")
    document.update(
        number=draw(st.integers(1, 9)),
        status=draw(st.sampled_from(["finished", "lost"])),
        started=draw(TIMES),
        ended=draw(st.none() | TIMES),
        params=draw(TREES),
        tags=draw(TREES),
        summary=draw(st.dictionaries(KEYS, ENTRY, max_size=3)),
        note=draw(st.sampled_from(["", "n" * 1000])),
        notebook=draw(st.sampled_from([None, {"path": "a.ipynb"}])),
        error=draw(st.sampled_from([None, {"type": "E", "message": "m" * 300, "traceback": ""}])),
    )
    for switch in ("star", "archived"):
        if (value := draw(st.sampled_from([None, True, False]))) is not None:
            document[switch] = value
    # As every document comes: from JSON.
    return dict(loads(dumps(document)))


PATHS = [
    *((name, ()) for name in attributes.NAMES),
    *(
        ("params", tuple(path.split(".")))
        for path in ("a", "a.b", "a.b.c", "a.b.c.a", "loss", "zz")
    ),
    *(("tags", tuple(path.split("."))) for path in ("a", "a.b", "a.b.c")),
    *(
        ("metrics", tuple(p.split(".")))
        for p in ("loss", "loss.min", "loss.min.max", "a.b", "last")
    ),
    *(("error", (part,)) for part in ("type", "message", "traceback")),
    ("notebook", ("path",)),
]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every few runs are packed, so that small tests meet what large stores do."""
    monkeypatch.setattr(runtable, "RECENT", 3)
    monkeypatch.setattr(runtable, "PACKED", 4)
    monkeypatch.setattr(catalogfile, "PACKED", 4)
    yield


def table_of(found: list[Document]) -> RunTable:
    table = RunTable()
    packed = found[: len(found) * 2 // 3]
    if packed:
        table.add_packed(packed, [dumps(document) for document in packed])
    for document in found[len(packed) :]:
        table.put(document)
    return table


@settings(deadline=None)
@given(st.lists(documents(), max_size=9))
def test_an_attribute_from_columns_is_that_of_the_documents(found: list[Document]) -> None:
    rows = table_of(found).rows
    for name, parts in PATHS:
        of_row, of_document = rows.getter(name, parts), attributes.getter(name, parts)
        got = [of_row(place) for place in rows.places]
        assert repr(got) == repr([of_document(document) for document in found]), (name, parts)


@settings(deadline=None)
@given(st.lists(documents(), max_size=9), st.data())
def test_a_table_equals_a_dict_of_documents(found: list[Document], data: st.DataObject) -> None:
    before = runtable.RECENT, runtable.PACKED
    runtable.RECENT, runtable.PACKED = 2, 3
    try:
        table, plain = RunTable(), dict[str, Document]()
        for document in found:
            table.put(document)
            plain[document["id"]] = document
            chosen = data.draw(st.sampled_from([None, *plain]))
            if chosen and data.draw(st.booleans()):
                table.drop(chosen)
                del plain[chosen]
            elif chosen:
                plain[chosen] = {**plain[chosen], "note": "changed"}
                table.put(plain[chosen])
        told = {d["id"]: encode(d) for d in table.rows.documents()}
        assert told == {run_id: encode(d) for run_id, d in plain.items()}
        assert set(table.ids()) == plain.keys()
        assert len(table) == len(plain) == len(table.all())
        assert all(encode(table.by_id(i)) == encode(d) for i, d in plain.items())
    finally:
        runtable.RECENT, runtable.PACKED = before


def write(store: LocalStore, count: int) -> list[str]:
    ids = []
    for i in range(count):
        document = new_document(name="forest", experiment="e", series="s", number=i + 1)
        document["params"] = {"lr": i / 10, "bad": math.nan, "odd": "\ud800", "inner": {"i": i}}
        writer = store.create(document)
        writer.document.update(status="finished", ended=document["started"] + i)
        writer.finish()
        ids.append(writer.id)
    return ids


@pytest.mark.usefixtures("small_blocks")
def test_a_store_of_several_blocks_reads_as_one(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    ids = write(store, 11)
    store.find()
    store.write_back()
    for fresh in (store, LocalStore(tmp_path / "s")):
        assert fresh.find(sort="params.lr").ids() == ids
        assert [d["id"] for d in fresh.find(sort="-duration")] == ids[::-1]
        assert (
            fresh.find('params.inner.i in [3, 4] or params.odd == "x"', sort="started").ids()
            == ids[3:5]
        )
        # TinyDB's own queries see documents.
        assert fresh.find(where("params")["inner"]["i"] == 7).ids() == [ids[7]]
        fresh.edit(ids[2], {"archived": True})
        fresh.edit(ids[9], {"deleted": True})
        assert fresh.count() == 10
        assert len(fresh.find()) == 9
        assert fresh.find(archived=True, sort="started").ids() == [*ids[:9], ids[10]]
        assert fresh.resolve("latest") == ids[10]
        assert [d["id"] for d in fresh.trash()] == [ids[9]]
        for change in ({"archived": False}, {"deleted": False}):
            fresh.edit(ids[2], change)
            fresh.edit(ids[9], change)
        assert fresh.count() == 11


@pytest.mark.usefixtures("small_blocks")
def test_what_was_found_stays_as_it_was_found(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    ids = write(store, 7)
    found = store.find(sort="started")
    for run_id in ids:
        store.edit(run_id, {"note": "later"})
    write(store, 7)
    assert len(store.find("note")) == 7
    assert [document["note"] for document in found] == [""] * 7
    assert [d["id"] for d in found[2:4]] == ids[2:4]
    assert found[-1]["id"] == ids[-1]
    assert found[:0] == []


def test_a_list_in_a_table_is_nobodys_but_the_callers() -> None:
    document = new_document(name="a", experiment="e")
    document["params"] = {"layers": [1, 2]}
    rows = table_of([document, document, document]).rows
    rows.getter("params", ["layers"])(0).append(3)
    assert rows.getter("params", ["layers"])(0) == [1, 2]


def test_a_run_with_thousands_of_params_costs_the_others_nothing() -> None:
    many = [new_document(name="a", experiment="e") for _ in range(300)]
    many[7]["params"] = {f"p{i}": float(i) for i in range(5000)}
    rows = table_of(many).rows
    (block,) = rows.blocks
    assert sum(c.__sizeof__() for c in block.columns.values()) < 1_000_000
    assert rows.getter("params", ["p4999"])(7) == 4999.0
    assert rows.getter("params", ["p4999"])(8) is attributes.MISSING


def test_where_is_compiled_for_rows_and_for_documents_alike() -> None:
    found = [new_document(name=f"n{i}", experiment="e") for i in range(6)]
    for i, document in enumerate(found):
        document["params"] = {"i": i}
    rows = table_of(found).rows
    text = '1 < params.i <= 4 and name != "n3"'
    of_row, of_document = compile_where(text, rows.getter), compile_where(text)
    assert of_row and of_document
    assert [bool(of_row(p)) for p in rows.places] == [bool(of_document(d)) for d in found]  # type: ignore[arg-type]
    with pytest.raises(QueryError):
        compile_where("nothing > 1", rows.getter)


JUNK = st.sampled_from([None, 1, 0.5, "x", [], {}, True, [1], {"x": 1}, float("nan"), 2**70, [{}]])
FIELDS = [*new_document(name="a", experiment="e"), "changed", "late", "autologged", "headline"]


@settings(deadline=None)
@given(st.lists(documents(), min_size=1, max_size=5), st.data())
def test_many_documents_are_sound_if_each_is(found: list[Document], data: st.DataObject) -> None:
    for document in found:
        if data.draw(st.booleans()):
            document[data.draw(st.sampled_from(FIELDS))] = data.draw(JUNK)
    assert shape.all_sound(found) == all(map(shape.is_sound, found))
