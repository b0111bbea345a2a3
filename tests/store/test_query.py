"""``where``: what an expression means, and what it is not allowed to be."""

from __future__ import annotations

import time
from typing import Any

import pytest

from trackbook.errors import QueryError
from trackbook.model import new_document
from trackbook.store.query import compile_where


def document(**fields: Any) -> dict[str, Any]:
    made = new_document(name="forest", experiment="notebooks/demo")
    made.update(
        status="finished",
        started=1_790_000_000.0,
        ended=1_790_000_060.0,
        number=3,
        params={
            "lr": 0.1,
            "max depth": None,
            "model": "rf",
            "layers": [64, 32],
            "opt": {"name": "adam", "betas": {"one": 0.9}},
            "a.b": 1,
            "a": {"b": 2, "c": 3},
            "flag": False,
        },
        summary={
            "acc": {"last": 0.95, "min": 0.2, "max": 0.97, "count": 10},
            "val/loss": {"last": 0.3, "min": 0.05, "max": 2.0, "count": 10},
            "dotted.name": {"last": 5.0, "min": 1.0, "max": 6.0, "count": 3},
            "broken": {"last": float("nan"), "min": 1.0, "max": 1.0, "count": 2},
        },
        tags={"baseline": "", "stage": "prod"},
        notebook={"path": "notebooks/demo.ipynb"},
    )
    made.update(fields)
    return made


def matches(where: str, **fields: Any) -> bool:
    query = compile_where(where)
    assert query is not None
    return query(document(**fields))


@pytest.mark.parametrize(
    "where",
    [
        "metrics.acc > 0.9",
        "metrics.acc.min < 0.3",
        'metrics["val/loss"].min < 0.1',
        'metrics["val/loss"] == 0.3',
        "metrics.dotted.name == 5 and metrics.dotted.name.max == 6",
        "metrics.acc.count == 10",
        "0.9 < metrics.acc <= 0.95 < 1",
        "metrics.acc > metrics.acc.min",
        'params.model == "rf"',
        'params.model in ["rf", "xgb"]',
        'params.model not in ("xgb",)',
        "params.opt.betas.one == 0.9",
        'params["opt"]["name"] == "adam"',
        'params["opt.name"] == "adam"',
        'params["a.b"] == 1',
        "params.a.b == 1",
        "params.a.c == 3",
        "64 in params.layers",
        '"lr" in params and "nothing" not in params',
        '"opt.name" in params',
        '"acc" in metrics',
        '"stage" in tags',
        'params["max depth"] is None',
        "params.nothing is None",
        "params.lr is not None",
        "not params.flag",
        "not params.nothing > 1",
        "tags.baseline",
        "tags.baseline and tags.stage == 'prod'",
        "not tags.nothing",
        '"fore" in name',
        'name == "forest" and status == "finished"',
        'status != "failed"',
        'params.lr != "x"',
        "number == 3 and duration == 60",
        'experiment == "notebooks/demo" and "demo" in notebook',
        "error is None and not star and not archived",
        "replay is None and grade is None",
        "star == False",
        'started > "2026-01-01" and started < "2100-01-01T00:00:00+00:00"',
        '"2026-01-01" < started',
        "started > -5",
        "(metrics.acc > 0.99 or params.lr < 1) and not (number > 5)",
        "  metrics.acc\n > 0.9",
        "True",
        'metrics.acc > 0.9 and (params.model == "rf" or tags.baseline)',
        '"😀" != name and metrics.acc > 0.9',
    ],
)
def test_it_is_true(where: str) -> None:
    assert matches(where)


@pytest.mark.parametrize(
    "where",
    [
        "metrics.nothing > 0",
        "metrics.nothing != 0",
        "params.nothing != 1",
        'params.nothing not in ["x"]',
        'params.nothing in ["x"]',
        "params.nothing == None",
        "params.nothing < 1 or params.nothing >= 1",
        "params.nothing",
        "params.model > 3",
        "params.lr > 'x'",
        "params.lr is None",
        "metrics.broken > 0 or metrics.broken < 0 or metrics.broken == 0",
        "tags.nothing",
        "not tags.baseline",
        "error",
        "star or archived",
        "duration > 61",
        "metrics.acc > 0.9 and False",
        "0.9 < metrics.acc < 0.91",
        "1 in params.lr",
        '"x" in number',
        'error.type == "ValueError"',
    ],
)
def test_it_is_false(where: str) -> None:
    assert not matches(where)


def test_an_error_can_be_asked_for_whole_and_by_its_parts() -> None:
    failed = {"type": "MemoryError", "message": "out of memory", "traceback": ""}
    assert matches('error and "memory" in error', error=failed)
    assert matches('error.type == "MemoryError" and "out" in error.message', error=failed)


def test_time_before_now() -> None:
    now = time.time()
    assert matches('started > "-7d"', started=now - 6 * 86_400)
    assert not matches('started > "-7d"', started=now - 8 * 86_400)
    assert matches('started > "-2w" and started < "-90m"', started=now - 86_400)


def test_a_running_run_has_the_duration_until_now() -> None:
    assert matches("duration > 50", status="running", started=time.time() - 60, ended=None)
    assert not matches("ended", status="running", ended=None)


@pytest.mark.parametrize(
    ("where", "position", "says"),
    [
        ("metrics.acc >", 13, "not an expression"),
        ("metrics.acc = 1", 12, "not an expression"),
        ("accuracy > 1", 0, "metrics.accuracy"),
        ("metrics.a > 1 and stats == 'x'", 18, "status"),
        ("metrics.a > 1 and __import__('os')", 18, "called"),
        ("name.upper() == 'X'", 0, "called"),
        ("name.upper == 'X'", 0, "upper"),
        ("(lambda: 1)()", 0, "called"),
        ("params.a & params.b", 0, "and, or"),
        ("params.a + 1 > 2", 0, "arithmetic"),
        ("[x for x in params]", 0, "ListComp"),
        ("params[0] == 1", 7, "string"),
        ("params.a is True", 12, "None only"),
        ("3", 0, "condition"),
        ("'text'", 0, "condition"),
        ("1 is None", 0, "attribute"),
        ("'x' in 5", 7, "in wants"),
        ('metrics["a"].mean > 1', 0, "last, min, max, count"),
        ("name == b'x'", 8, "condition"),
        ("name == -'x'", 8, "sign"),
        ('started > "yesterday"', 10, "2026-11-01"),
        ("éé == 1", 0, "éé"),
        ('"éé" in name and x', 17, "params.x"),
        ("a) or (b", 1, "unmatched"),
        ("name == f'{1}'", 8, "JoinedStr"),
        ("x := 1", 2, "not an expression"),
        ("\0", 0, "not an expression"),
        ("name == 'x' if star else star", 0, "IfExp"),
        ("params.a.__class__ == 1 and (yield)", 29, "Yield"),
        ("**", 0, "not an expression"),
    ],
)
def test_what_is_refused_says_where_and_what_is_allowed(
    where: str, position: int, says: str
) -> None:
    with pytest.raises(QueryError) as caught:
        compile_where(where)
    assert says in str(caught.value)
    assert "allowed are" in str(caught.value)
    assert caught.value.position == position


@pytest.mark.parametrize(
    "where",
    [
        "name == '" + "x" * 4096 + "'",
        " and ".join(["tags.a"] * 120),
        "not " * 40 + "tags.a",
        "(" * 300 + "tags.a" + ")" * 300,
        "not " * 1000 + "star",
        "-" * 4000 + "1",
        "name in [" + "1," * 201 + "]",
        "params" + ".a" * 40 + " == 1",
    ],
)
def test_what_is_too_large_is_refused(where: str) -> None:
    with pytest.raises(QueryError):
        compile_where(where)


def test_nothing_at_all_is_no_condition() -> None:
    assert compile_where(None) is None
    assert compile_where(" \n") is None


def test_a_dunder_is_only_a_key() -> None:
    assert not matches("params.__class__ == 1")
