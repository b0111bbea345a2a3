"""What a notebook keeps of a display: small, whatever is shown, and readable by itself."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from runs import write

from trackbook import reading
from trackbook.jsonable import dumps
from trackbook.model import Document, new_document
from trackbook.reading import bundle
from trackbook.reading.run import Query, Runs
from trackbook.store import Store
from trackbook.store.rows import Found
from trackbook.store.runtable import RunTable


def size(shown: Any) -> int:
    return len(dumps(shown._repr_mimebundle_()))


def wide(store: Store, **more: Any) -> str:
    chance = random.Random(store.count())
    return write(
        store,
        params={f"param_{i}": chance.random() for i in range(60)},
        metrics={f"metric_{i}": [chance.random() for _ in range(200)] for i in range(20)},
        tags={f"tag_{i}": "x" * 30 for i in range(5)},
        source="\n".join(f"x{i} = {chance.random()}" for i in range(150)),
        **more,
    )


@pytest.fixture
def many(store: Store) -> Runs:
    """10,000 runs as a catalogue holds them."""

    def document(number: int) -> Document:
        made = new_document(name="forest", experiment="e")
        made.update(number=number, params={f"p{i}": number / (i + 1) for i in range(30)})
        return made

    table = RunTable()
    documents = [document(number) for number in range(10_000)]
    table.add_packed(documents, [dumps(one) for one in documents])
    return Runs(Found(table.rows, list(range(len(documents)))), Query(), store)


def test_ten_thousand_runs_stay_small_and_say_how_many_they_are(many: Runs) -> None:
    assert size(many) < bundle.LIMIT
    shown = many._repr_mimebundle_()
    assert shown[bundle.MIME]["table"]["total"] == 10_000
    assert re.search(r"99\d\d more runs", shown["text/html"])
    assert shown["text/html"].count("<tr") > 10


def test_fifty_compared_stay_small_and_show_what_differs(store: Store) -> None:
    ids = [wide(store) for _ in range(50)]
    compared = reading.OpenStore(store).compare(*ids)
    assert size(compared) < bundle.LIMIT
    shown = compared._repr_mimebundle_()
    inside = shown[bundle.MIME]["comparison"]
    assert inside["refs"] == ids
    assert any(section["rows"] for section in inside["sections"])
    assert "param_0" in shown["text/html"]
    assert "param_0" in shown["text/plain"]
    assert "more lines" in shown["text/plain"]


def test_two_compared_are_kept_whole(store: Store) -> None:
    ids = [write(store, params={"a": n}, metrics={"acc": [0.1, n]}) for n in (1, 2)]
    compared = reading.OpenStore(store).compare(*ids)
    inside = compared._repr_mimebundle_()[bundle.MIME]["comparison"]
    assert dumps(inside) == dumps(compared.view)
    assert "<svg" in compared._repr_mimebundle_()["text/html"]


def test_a_run_of_five_thousand_params_stays_small(store: Store) -> None:
    run_id = write(store, params={f"layer.{i}.weight": i for i in range(5000)})
    run = reading.OpenStore(store).get_run(run_id)
    assert size(run) < bundle.LIMIT
    assert run.name in run._repr_mimebundle_()["text/html"]
    other = write(store, params={f"layer.{i}.weight": i + 1 for i in range(5000)})
    assert size(reading.OpenStore(store).compare(run_id, other)) < bundle.LIMIT


def test_a_long_value_does_not_make_a_large_output(store: Store) -> None:
    run_id = write(store, params={"prompt": "word " * 100_000}, note="long " * 100_000)
    assert size(reading.OpenStore(store).get_run(run_id)) < bundle.LIMIT


def test_the_static_forms_need_nothing(store: Store) -> None:
    ids = [wide(store) for _ in range(2)]
    compared = reading.OpenStore(store).compare(*ids)
    for shown in (compared, reading.OpenStore(store).runs()):
        html = shown._repr_mimebundle_()["text/html"]
        assert "<script" not in html
        assert not re.search(r"(src|href)\s*=", html)
        assert "url(" not in html
