"""``where`` and ``sort`` over a real store: a table of expressions with the runs that they find."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trackbook.errors import QueryError
from trackbook.model import new_document
from trackbook.store import LocalStore, Store
from trackbook.store.selection import check_sort

NAN, INF = float("nan"), float("inf")
DAY = 86_400.0

# Runs A to G; what a run does not say it does not have. Times are seconds from now.
RUNS: dict[str, dict[str, Any]] = {
    "A": {
        "params": {"lr": 0.1, "model": "rf", "depth": 8, "layers": [64, 32], "flag": True},
        "metrics": {"acc": [0.2, 0.95], "val/loss": [2.0, 0.05, 0.3], "dotted.name": [5.0]},
        "tags": {"baseline": "", "stage": "prod"},
        "started": -10 * DAY,
        "experiment": "notebooks/demo",
        "notebook": {"path": "notebooks/demo.ipynb"},
    },
    "B": {
        "params": {"lr": 0.01, "model": "xgb", "depth": None, "opt": {"name": "adam", "b": [1]}},
        "metrics": {"acc": [0.9], "n": [3, 1, 2]},
        "tags": {"stage": "test", "n": 3},
        "started": -3 * DAY,
        "star": True,
        "note": "the *good* one",
    },
    "C": {
        "params": {"lr": "auto", "model": "rf", "max depth": 3, "a.b": 1, "a": {"b": 2, "c": 3}},
        "status": "failed",
        "error": {"type": "MemoryError", "message": "out of memory", "traceback": ""},
        "started": -2 * DAY,
        "ended": -2 * DAY + 7200,
    },
    "D": {
        "params": {"lr": NAN, "depth": 10**30, "lambda": 2, "a/b": 1, "a-b": 2, 'quo"te': 1},
        "metrics": {"acc": [NAN], "loss": [INF]},
        "started": -90,
        "status": "running",
        "ended": None,
    },
    "E": {
        "params": {"depth": 3.0, "empty": "", "zero": 0, "models": ["rf", "svm"]},
        "metrics": {"acc": [0.0], "min": [7.0]},
        "tags": {"a.b": 1, "a/b": "", "größe": "ß"},
        "started": -60,
        "archived": True,
        "number": 4,
    },
    "F": {"started": 3600.0, "user": "ada", "host": "lab-1", "series": "s", "number": 7},
    "G": {"started": 0.0, "tags": {"baseline": "no"}, "deleted": True},
}


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = LocalStore(tmp_path_factory.mktemp("where") / ".trackbook")
    now = time.time()
    for name, fields in RUNS.items():
        given = dict(fields)
        given.update({k: now + given[k] for k in ("started", "ended") if given.get(k) is not None})
        metrics = given.pop("metrics", {})
        switches = {k: given.pop(k) for k in ("star", "archived", "deleted") if k in given}
        document = new_document(name=name, experiment=given.pop("experiment", "e"))
        document.update({"status": "finished", "ended": given["started"] + 60, **given})
        writer = store.create(document)
        for key, values in metrics.items():
            for step, value in enumerate(values):
                writer.log(key, step, given["started"], value)
        writer.save() if document["status"] == "running" else writer.finish()
        if switches:
            store.edit(document["id"], switches)
        KEPT.append(writer)
    return store


KEPT: list[Any] = []  # an owner that goes away leaves a lost run


def found(store: Store, where: Any, **options: Any) -> str:
    documents = store.find(where, sort="name", archived=True, **options)
    return "".join(document["name"] for document in documents)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        # numbers, words, and what is not there
        ("metrics.acc > 0.9", "A"),
        ("metrics.acc >= 0.9", "AB"),
        ("0.9 <= metrics.acc", "AB"),
        ("metrics.acc != 0.9", "ADE"),
        ("metrics.acc == 0", "E"),
        ("not metrics.acc == 0.9", "ACDEF"),
        ("not metrics.acc > 0.9", "BCDEF"),
        ("metrics.acc", "ABD"),
        ("metrics.nothing > 0 or metrics.nothing <= 0 or metrics.nothing != 0", ""),
        ("metrics.loss == 1e999", "D"),
        ("params.lr < 1", "AB"),
        ('params.lr == "auto"', "C"),
        ('params.lr != "auto"', "ABD"),
        ('params.lr > "a"', "C"),
        ("params.lr != 0.1", "BCD"),
        ("params.depth == 3", "E"),
        ("params.depth >= 8", "AD"),
        (f"params.depth == {10**30}", "D"),
        ("-1 < params.depth < +9", "AE"),
        ("0 < metrics.acc < 0.95", "B"),
        ("metrics.acc > metrics.acc.min", "A"),
        ("1 == 1 == number", "ABCD"),
        # in and not in
        ('params.model in ["rf", "svm"]', "AC"),
        ('params.model not in ("rf",)', "B"),
        ('params.nothing not in ["x"]', ""),
        ('"rf" in params.models', "E"),
        ('"xgb" not in params.models', "E"),
        ("64 in params.layers and 1 not in params.layers", "A"),
        ("params.lr in [0.1, 0.01]", "AB"),
        ('"good" in note', "B"),
        ('"b" not in name', "ABCDEF"),
        ('name in "ABX"', "AB"),
        ("1 in params.lr", ""),
        ("1 not in params.lr", ""),
        ('"lr" in params', "ABCD"),
        ('"opt.name" in params', "B"),
        ('"lr" not in params', "EF"),
        ('"acc" in metrics and "val/loss" not in metrics', "BDE"),
        ('"stage" in tags', "AB"),
        ("params.depth in [None, 8]", "AB"),
        ("params.model in params.models", ""),
        # None is missing or None
        ("params.depth is None", "BCF"),
        ("params.depth is not None", "ADE"),
        ("params.nothing is None", "ABCDEF"),
        ("params.depth == None", "B"),
        ("params.nothing == None", ""),
        ("error is None", "ABDEF"),
        ("ended is None", "D"),
        ("metrics.acc is not None and tags.stage is None", "DE"),
        # statistics
        ("metrics.acc.min < 0.3", "AE"),
        ('metrics["val/loss"].min < 0.1', "A"),
        ('metrics["val/loss"] == 0.3 and metrics["val/loss"].max == 2', "A"),
        ("metrics.n.count == 3 and metrics.n.last == 2 and metrics.n.max == 3", "B"),
        ("metrics.min == 7 and metrics.min.count == 1", "E"),
        ("metrics.acc.last == 0.95", "A"),
        ("metrics.dotted.name == 5 and metrics.dotted.name.max == 5", "A"),
        ('metrics["dotted.name"].count == 1', "A"),
        # tags
        ("tags.baseline", "A"),
        ("not tags.baseline", "BCDEF"),
        ('tags.stage == "prod" or tags.n == 3', "AB"),
        ('tags.baseline == ""', "A"),
        ("tags", "ABE"),
        ('tags["a/b"] and tags["a.b"] == 1 and tags.a.b', "E"),
        ("tags.größe", "E"),
        # keys that are no words
        ('params["max depth"] > 2', "C"),
        ('params["a.b"] == 1', "C"),
        ("params.a.b == 1", "C"),
        ("params.a.c == 3", "C"),
        ('params["a"]["c"] == 3 and params.a["c"] == 3', "C"),
        ('params.opt.name == "adam" and params["opt.name"] == "adam"', "B"),
        ("1 in params.opt.b", "B"),
        ('params["lambda"] == 2 and params["a/b"] == 1 and params["a-b"] == 2', "D"),
        ("params['quo\"te'] == 1", "D"),
        # bare values and switches
        ("params.flag", "A"),
        ("params.zero or params.empty", ""),
        ("star", "B"),
        ("archived", "E"),
        ("star == False and archived == False", "ACDF"),
        # what a run is
        ('status == "failed" and error.type == "MemoryError"', "C"),
        ('"memory" in error and "out" in error.message', "C"),
        ('status in ["running", "lost"]', "D"),
        ('experiment == "notebooks/demo" and "demo.ipynb" in notebook', "A"),
        ('user == "ada" and host == "lab-1" and series == "s" and number > 4', "F"),
        # times
        ('started > "-7d"', "BCDEF"),
        ('"-7d" < started <= "-1d"', "BC"),
        ('started < "-1w"', "A"),
        ('started > "-15m" and started < "-45s"', "DE"),
        ('started > "-100h"', "BCDEF"),
        ('started > "2020-01-01" and started < "2099-12-31T23:59:59+00:00"', "ABCDEF"),
        ("duration > 3600", "C"),
        ("duration == 60", "ABEF"),
        ("duration < 3600 and status == 'running'", "D"),
        ('ended > "-73h"', "BCEF"),
        # joined
        ("metrics.acc > 0.5 and (params.model == 'rf' or tags.stage == 'test')", "AB"),
        ("not (star or archived) and not tags.baseline", "CDF"),
        ("False or True", "ABCDEF"),
        ("True and False", ""),
        ("\n metrics.acc\n >\t0.9 \n", "A"),
        ("", "ABCDEF"),
    ],
)
def test_an_expression_finds_its_runs(there: Store, where: str, expected: str) -> None:
    assert found(there, where) == expected


@pytest.mark.parametrize(
    ("where", "position", "says"),
    [
        ("params.lr * 2 > 1", 0, "arithmetic"),
        ("metrics.val/loss > 1", 0, 'metrics["val/loss"]'),
        ("params.max-depth > 1", 0, 'params["max-depth"]'),
        ("params.lambda > 1", 7, '["lambda"]'),
        ("metrics.acc > 1 and metrics.from < 3", 28, '["from"]'),
        ("params.max depth > 1", 11, 'params["max depth"]'),
        ("params.opt.class == 1", 11, 'params["opt.class"]'),
        ("metrics.acc/metrics.n > 1", 0, "arithmetic is not understood at"),
        ("star or params.a / 2", 8, "arithmetic is not understood at"),
        ("metric.acc > 1", 0, "metrics"),
        ("acc > 0.5", 0, "metrics.acc"),
        ("statuss == 'x'", 0, "status"),
        ("error.typ == 'x'", 0, "type, message and traceback"),
        ('metrics["val/loss"].mean > 1', 0, "last, min, max, count"),
        ('name == "x" && star', 13, "not an expression"),
        ("name = 'x'", 5, "=="),
        ("started > '7 days ago'", 10, "-7d"),
        ("started > '2026-13-01'", 10, "2026-11-01"),
        ("params[lr] > 1", 7, "string"),
        ("x" * 5000, 4096, "4096 bytes"),
        ("params.é" * 600, 4096, "4096 bytes"),
    ],
)
def test_what_is_refused_says_where_and_how_it_is_written(
    there: Store, where: str, position: int, says: str
) -> None:
    with pytest.raises(QueryError) as caught:
        there.find(where)
    assert says in str(caught.value)
    assert caught.value.position == position
    assert "\n" not in str(caught.value)


def test_every_expression_of_the_documents_is_one(there: Store) -> None:
    page = Path(__file__).parents[2] / "docs" / "finding.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    assert len(rows) > 10
    for row in rows:
        there.find(row.split("`")[1])


# -- never another exception -----------------------------------------------------------------------

WORDS = (  # noqa: SIM905
    "params metrics tags name status started star error lr acc and or not in is None True == != < "
    '<= > >= ( ) [ ] { } , . " \' \\ - + * / % @ & | ^ ~ : := = ; # lambda if else for await f" '
    "b' 1 0.5 1e999 9999999999999999999999 1j ... '-7d' \"x\" \n \t \0 \r \f \x1b é 😀 \ud800 µ"
).split(" ")
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=20).map("".join),
    st.binary(max_size=40).map(lambda data: data.decode("latin-1")),
)
ATOMS = st.sampled_from(
    ["params.lr", "metrics.acc.min", 'tags["a/b"]', "name", "started", "error", "params", "1",
     "0.5", "'x'", "'-7d'", "None", "True", "[1, 'x']", "duration", "-3", "params.layers",
     "number", str(10**400)]
)  # fmt: skip
GOOD = st.recursive(
    st.builds(
        "{} {} {}".format,
        ATOMS,
        st.sampled_from(["==", "!=", "<", ">=", "in", "not in", "is", "is not"]),
        ATOMS,
    ),
    lambda inner: st.one_of(
        st.builds("({}) and {}".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("{} or {}".format, inner, ATOMS),
    ),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(where=st.one_of(TEXTS, GOOD))
@example(where="\0")
@example(where="a\0b == 1")
@example(where='name == "\ud800"')
@example(where="(" * 2000)
@example(where="[" * 4000)
@example(where="not " * 900 + "star")
@example(where="-" * 4000 + "1")
@example(where="params" + ".a" * 2000)
@example(where="params" + "['a']" * 600)
@example(where="x" * 5000)
@example(where="1" * 4000 + " == number")
@example(where="0x" + "f" * 4000 + " == number")
@example(where="name == 1and star")
@example(where="star is 1")
@example(where='name == "\\d"')
@example(where="{**params} == 1")
@example(where="started > '0001-01-01'")
@example(where="started > '-" + "9" * 400 + "d'")
@example(where="# only a remark")
@example(where="name == '''a\nb'''")
def test_any_text_is_a_query_or_a_query_error(there: Store, where: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            documents = there.find(where, archived=True)
        except QueryError as problem:
            assert 0 <= problem.position <= len(where)
            assert "\n" not in str(problem)
            str(problem).encode("utf-8", "surrogatepass")
        else:
            assert len(documents) <= 6


@pytest.mark.parametrize("where", [3, 0.5, b"star", ["star"], {"a": 1}, object()])
def test_what_is_no_text_is_a_query_error(there: Store, where: Any) -> None:
    with pytest.raises(QueryError):
        there.find(where)


# -- sort ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", "ABCDEF"),
        ("metrics.acc", "EBA*"),
        ("-metrics.acc", "ABE*"),
        ("params.lr", "BAC*"),
        ("-params.lr", "CAB*"),
        ("-params.depth", "DAE*"),
        ("metrics.acc.min", "EAB*"),
        ("metrics.val/loss", "A*"),
        ("params.max depth", "C*"),
        ("params.a.b", "C*"),
        ("tags.n", "B*"),
        ("duration", "*"),
        (["-number", "name"], "FEABCD"),
        (["-star", "-started"], "BFEDCA"),
        (["status", "-name"], "CFEBAD"),
        (["params.model", "-params.lr"], "CAB*"),
        ("-number,name", "FEABCD"),
        ("status, -name", "CFEBAD"),
    ],
)
def test_runs_are_sorted_by_one_key_or_several_with_the_missing_last(
    there: Store, sort: Any, expected: str
) -> None:
    documents = there.find(sort=sort, archived=True)
    names = "".join(document["name"] for document in documents)
    assert len(names) == 6
    assert names.startswith(expected.rstrip("*"))
    if not expected.endswith("*"):
        assert names == expected


def test_the_missing_come_last_in_the_same_order_up_and_down(there: Store) -> None:
    up = [d["name"] for d in there.find(sort="tags.n", archived=True)]
    down = [d["name"] for d in there.find(sort="-tags.n", archived=True)]
    assert up == down


@pytest.mark.parametrize("sort", ["", "-", "nonsense", "params.lr,nonsense", ["name", 3], 3, [[]]])
def test_a_key_that_no_run_has_is_a_query_error(there: Store, sort: Any) -> None:
    with pytest.raises(QueryError):
        there.find(sort=sort)


@settings(max_examples=200, deadline=None)
@given(sort=st.one_of(TEXTS, st.lists(TEXTS, max_size=3)))
def test_any_sort_is_an_order_or_a_query_error(there: Store, sort: Any) -> None:
    try:
        check_sort(sort)
    except QueryError:
        with pytest.raises(QueryError):
            there.find(sort=sort)
    else:
        assert len(there.find(sort=sort, archived=True)) == 6


def test_a_limit_cuts_what_is_sorted(there: Store) -> None:
    assert found(there, "metrics.acc > 0", limit=1) == "A"
    assert found(there, None, limit=0) == ""
    assert found(there, None, limit=-3) == ""
    assert found(there, None, experiment="notebooks/demo") == "A"
