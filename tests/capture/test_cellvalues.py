"""Params and metrics that a cell yields by itself, case by case."""

from __future__ import annotations

import decimal
import textwrap
from typing import Any

import numpy as np
import pytest

from trackbook.capture.cellvalues import (
    CellValues,
    analyse,
    collect,
    literal_binding_names,
    normalised_hash,
)


def run(source: str, earlier: str = "", **options: Any) -> CellValues:
    """Really runs an earlier cell and a cell, then collects."""
    namespace: dict[str, Any] = {"np": np}
    exec(textwrap.dedent(earlier), namespace)
    before = dict(namespace)
    source = textwrap.dedent(source)
    try:
        exec(compile(source, "<cell>", "exec"), namespace)
    except ZeroDivisionError as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != "<cell>":
            trace = trace.tb_next
        assert trace is not None
        options.setdefault("failed_line", trace.tb_lineno)
    return collect(analyse(source), namespace, before, **options)


DATACLASS = """
from dataclasses import dataclass
@dataclass
class C:
    lr: float = 0.1
    n: int = 2
"""
SLOTS = """
from dataclasses import dataclass
@dataclass(slots=True, frozen=True)
class C:
    n: int
"""
NESTED = (
    DATACLASS
    + """
@dataclass
class B:
    c: C
    name: str
"""
)
TUPLE = """
from typing import NamedTuple
class C(NamedTuple):
    lr: float
    n: int = 2
"""
PARSER = """
import argparse
p = argparse.ArgumentParser()
_ = p.add_argument("--lr", default=0.1)
"""

PARAMS = [
    ("n = 300", {"n": 300}),
    ("a, b = 300, 8", {"a": 300, "b": 8}),
    ("(a, b), c = (1, 2.5), 'x'", {"a": 1, "b": 2.5, "c": "x"}),
    ("a = b = 3", {"a": 3, "b": 3}),
    ("lr: float = 0.1", {"lr": 0.1}),
    ("lr = -1e-3", {"lr": -0.001}),
    ("n = 2 ** 10\nside = 28 * 28", {"n": 1024, "side": 784}),
    ("third = 1 / 3", {"third": 1 / 3}),
    ("flag = True\nnothing = None", {"flag": True, "nothing": None}),
    ("limit = float('inf')", {"limit": float("inf")}),
    ("layers = [64, 32]\nshape = (3, 4)", {"layers": [64, 32], "shape": (3, 4)}),
    ("kinds = {'b', 'a'}", {"kinds": ["a", "b"]}),
    ("c = {'opt': {'name': 'adam', 'betas': (0.9, 0.99)}}",
     {"c": {"opt": {"name": "adam", "betas": (0.9, 0.99)}}}),
    ("c = dict(lr=0.1, epochs=3)", {"c": {"lr": 0.1, "epochs": 3}}),
    ("c = {'lr': 0.1}\nc['epochs'] = 3", {"c": {"lr": 0.1, "epochs": 3}}),
    ("lr = 0.1\nc = {'lr': lr, 'n': 3}", {"lr": 0.1, "c": {"lr": 0.1, "n": 3}}),
    ("device = 'cuda' if 1 > 2 else 'cpu'", {"device": "cpu"}),
    ("if 1 > 2:\n    n = 1\nelse:\n    n = 2", {"n": 2}),
    ("with open('/dev/null') as f:\n    n = 1", {"n": 1}),
    ("try:\n    n = 1\nexcept ValueError:\n    pass", {"n": 1}),
    (DATACLASS + "c = C(n=5)", {"c": {"lr": 0.1, "n": 5}}),
    (SLOTS + "c = C(5)", {"c": {"n": 5}}),
    (NESTED + "b = B(C(n=3), 'q')", {"b": {"c": {"lr": 0.1, "n": 3}, "name": "q"}}),
    (TUPLE + "c = C(0.5)", {"c": {"lr": 0.5, "n": 2}}),
    (PARSER + "args = p.parse_args([])", {"args": {"lr": 0.1}}),
    ("from argparse import Namespace\na = Namespace(lr=0.1, n=3)", {"a": {"lr": 0.1, "n": 3}}),
    ("import types\na = types.SimpleNamespace(lr=0.1)", {"a": {"lr": 0.1}}),
    # No params:
    ("n = 1\nn = 2", {}),
    ("losses = []\nfound = {}", {}),
    ("names = ['a']\nnames.append('b' + names[0])", {}),
    ("scores = {'a': 0}\nscores['a'] = sum([1, 2])", {}),
    ("for i in range(3):\n    k = 5", {}),
    ("_hidden = 3", {}),
    ("def f():\n    n = 3\nclass C:\n    n = 3", {}),
    ("import os as n", {}),
    ("data = b'123'\nz = 1j\ne = ...", {}),
    (f"data = {list(range(2000))}", {}),
    ("n = 3\nn += 1", {}),
    ("squares = [i * i for i in [1, 2]]", {}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "params"), PARAMS)
def test_literals_are_params(source: str, params: dict[str, Any]) -> None:
    found = run(source)
    assert found.params == params
    assert {k: type(v) for k, v in found.params.items()} == {k: type(v) for k, v in params.items()}


METRICS = [
    ("acc = sum([1, 2]) / 4", {"acc": 0.75}),
    ("depth = 3\nacc = depth / 10", {"acc": 0.3}),
    ("a, b = divmod(7, 2)", {"a": 3, "b": 1}),
    ("(a, b), c = (sum([1]), sum([2])), 7", {"a": 1, "b": 2}),
    ("acc: float = max([0.5, 0.75])", {"acc": 0.75}),
    ("best = 0\nfor x in [1, 3, 2]:\n    best = max(best, x)", {"best": 3}),
    ("total = 0.0\nfor x in [1, 3, 2]:\n    total += x", {"total": 6}),
    ("correct = 0\nfor x in [1, 3]:\n    correct += int(x > 2)", {"correct": 1}),
    ("with open('/dev/null') as f:\n    size = sum(map(ord, f.read()))", {"size": 0}),
    ("if True:\n    acc = sum([1])", {"acc": 1}),
    ("try:\n    acc = sum([1])\nfinally:\n    loss = sum([2])", {"acc": 1, "loss": 2}),
    ("if (acc := sum([1])) > 0:\n    pass", {"acc": 1}),
    ("acc = 0\nacc = sum([1, 2])", {"acc": 3}),
    ("acc = None\nacc = sum([1, 2])", {"acc": 3}),
    ("lr = 0.1\nlr *= 0.5", {"lr": 0.05}),
    ("acc = np.float32(0.5)\nn = np.int64(3)", {"acc": 0.5, "n": 3}),
    ("acc = np.array(0.5)\nm = np.array([1.0, 3.0]).mean()", {"acc": 0.5, "m": 2}),
    ("loss = sum([]) * float('nan') + np.inf", {"loss": float("nan")}),
    ("from decimal import Decimal\nd = Decimal('0.5') * 2", {"d": 1.0}),
    ("correct = sum([1])\nacc = correct / len([1, 2])", {"correct": 1, "acc": 0.5}),
    ("for epoch in range(3):\n    best_epoch = epoch", {"best_epoch": 2}),
    ("x = np.random.rand(5)\nhigh = (x < 2).mean()", {"high": 1}),
    ("lit = 1\nalias = lit\nacc = sum([2])\nfinal = acc", {"acc": 2, "final": 2}),
    ("match sum([2]):\n    case n:\n        acc = n + 1", {"acc": 3}),
    ("while True:\n    acc = sum([4])\n    break", {"acc": 4}),
    # No metrics:
    ("for i, x in enumerate([1]):\n    pass", {}),
    ("i = 0\nwhile i < 3:\n    i += 1", {}),
    ("i = 0\nfor _ in 'ab':\n    i = i + 1", {}),
    ("_acc = sum([1])", {}),
    ("import time\nt = time.time()\nms = (time.perf_counter() - t) * 1000", {}),
    ("import time as clock\nt0 = clock.monotonic()\nt = round(clock.monotonic() - t0, 2)", {}),
    ("from time import perf_counter as now\nt0 = now()\ntook = now() - t0", {}),
    ("from timeit import default_timer\nt0 = default_timer()", {}),
    ("import random\nr = random.random()\nk = random.randint(1, 3) * 2", {}),
    ("from random import gauss\nr = gauss(0, 1)", {}),
    ("r = np.random.rand()\ns = float(np.random.default_rng(0).normal())", {}),
    ("rng = np.random.default_rng(0)\nr = rng.normal()", {}),
    ("import random\nmine = random.Random(0)\nr = mine.uniform(0, 1)", {}),
    ("n = len([1])\nhalf = n // 2\nk = int(len('abc') * 0.5)\nwho = id(n)", {}),
    ("x = np.zeros((2, 3))\nrows, columns = x.shape\nd = x.shape[1]", {}),
    ("ok = sum([1]) > 0\nflag = np.bool_(True)\nf = np.array(True)", {}),
    ("text = str(3)\nz = complex(1, 2)\nx = np.zeros(3)\ny = np.zeros(1)\nl = sorted([1])", {}),
    ("def f():\n    return 3\nclass C:\n    n = sum([1])", {}),
    ("acc = sum([1])\ndel acc", {}),
    ("n = int\n[m for m in [1]]", {}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "metrics"), METRICS)
def test_computed_numbers_are_metrics(source: str, metrics: dict[str, float]) -> None:
    found = run(source).metrics
    assert found == pytest.approx(metrics, nan_ok=True)
    assert all(type(value) is float for value in found.values())


READS = [
    # as call arguments
    ("n = 3", "x = sum([n])", {"n": 3}),
    ("n = 3", "x = pow(n, 2)", {"n": 3}),
    ("n = 3", "x = dict(a=n)", {"x": {"a": 3}, "n": 3}),
    ("n = 3", "for i in range(n):\n    pass", {"n": 3}),
    ("n = 3", "x = max(n * 2, n + 1)", {"n": 3}),
    ("n = 3", "max(min(n, 2), 1)", {"n": 3}),
    ("n = 3", "n = sum([n])", {"n": 3}),
    ("name, on, no = 'a', True, None", "sorted([name, str(on), str(no)])",
     {"name": "a", "on": True, "no": None}),
    ("cfg = {'lr': 0.1, 'n': 3}", "x = str(cfg['lr'])", {"cfg": {"lr": 0.1, "n": 3}}),
    ("cfg = {'a': 1}", "x = dict(**cfg)", {"x": {"a": 1}, "cfg": {"a": 1}}),
    ("from types import SimpleNamespace\ncfg = SimpleNamespace(lr=0.1)", "x = str(cfg.lr)",
     {"cfg": {"lr": 0.1}}),
    ("cfg = {'lr': 0.1, 'f': print, 'x': np.zeros(3)}", "x = str(cfg)", {"cfg": {"lr": 0.1}}),
    # inside a literal config
    ("lr = 0.1", "c = {'lr': lr, 'n': 2}", {"lr": 0.1, "c": {"lr": 0.1, "n": 2}}),
    ("base = {'lr': 0.1}", "c = {**base, 'n': 2}",
     {"base": {"lr": 0.1}, "c": {"lr": 0.1, "n": 2}}),
    # not read as params
    ("n = 3", "x = [n for n in [1]]", {}),
    ("n = 3", "x = n + 1", {}),
    ("n = 3", "print(n)", {}),
    ("n = 3", "n = 4\nx = pow(n, 2)", {"n": 4}),
    ("_n = 3", "x = pow(_n, 2)", {}),
    ("def f(): pass\nx = np.zeros(3)\nl = [1]", "y = [str(f), str(x), str(l), str(np)]", {}),
    ("n = 3", "def g():\n    return pow(n, 2)", {}),
    ("n = 3", "g = lambda: pow(n, 2)", {}),
    ("text = 'x' * 20_000", "n = len(text)", {}),
]  # fmt: skip


@pytest.mark.parametrize(("earlier", "source", "params"), READS)
def test_values_of_earlier_cells_are_params_where_the_cell_uses_them(
    earlier: str, source: str, params: dict[str, Any]
) -> None:
    assert run(source, earlier).params == params


def test_a_rerun_with_an_equal_value_counts() -> None:
    found = run("n = 3\nacc = sum([n])", earlier="n = 3\nacc = 3")
    assert (found.params, found.metrics) == ({"n": 3}, {"acc": 3.0})


def test_a_branch_not_taken_does_not_show_the_value_of_an_earlier_cell() -> None:
    found = run("if False:\n    acc = sum([0.5])", earlier="acc = sum([0.25])")
    assert found.metrics == {}
    assert "left out, from an earlier cell: acc" in found.notes


def test_after_a_failure_only_statements_before_it_count() -> None:
    found = run(
        """
        n = 3
        acc = sum([n])
        broken = 1 / 0
        late = 4
        loss = sum([5])
        """,
        earlier="late = 7; loss = 0.5; other = 1",
    )
    assert (found.params, found.metrics) == ({"n": 3}, {"acc": 3.0})


def test_a_failure_inside_a_loop_keeps_what_came_before_it() -> None:
    found = run(
        """
        n = 3
        for i in range(n):
            acc = sum([i])
            if i == 2:
                broken = pow(
                    1 / 0, 2)
            loss = sum([5])
        """
    )
    assert found.params == {"n": 3}
    assert found.metrics == {"acc": 2.0}


def test_named_params_and_metrics_override_what_we_would_take() -> None:
    source = "n = 3\nacc = sum([n])\nok = acc > 1\n_private = sum([2])"
    found = run(source, params=["acc"])
    assert (found.params, found.metrics) == ({"acc": 3}, {})
    found = run(source, metrics=["n", "_private", "missing"])
    assert (found.params, found.metrics) == ({}, {"n": 3.0, "_private": 2.0})
    assert "left out, not set: missing" in found.notes
    found = run(source, params=["n"], metrics=["ok"])
    assert (found.params, found.metrics) == ({"n": 3}, {})
    assert "left out, not a number: ok" in found.notes


def test_a_named_value_behind_the_failing_line_is_not_taken_from_an_earlier_cell() -> None:
    found = run("x = 1 / 0\nacc = sum([2])", earlier="acc = 9", metrics=["acc"])
    assert found.metrics == {}


class Hostile:
    """Everything about it raises."""

    def __getattribute__(self, name: str) -> Any:
        raise SystemError(name)

    def __eq__(self, other: object) -> bool:
        raise SystemError

    def __repr__(self) -> str:
        raise SystemError

    def __float__(self) -> float:
        raise SystemError

    def __bool__(self) -> bool:
        raise SystemError

    __hash__ = None  # type: ignore[assignment]


class HostileFloat(float):
    __float__ = __eq__ = __repr__ = Hostile.__bool__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


class HostileDict(dict[str, Any]):
    items = keys = __iter__ = __len__ = __getitem__ = Hostile.__bool__  # type: ignore[assignment]


def test_objects_whose_methods_raise_break_nothing() -> None:
    source = "a = make()\nb = other()\nc = {'x': thing}\nd = f(thing, made, held)\ne = Cfg(1)"
    values = {"a": Hostile(), "b": HostileFloat(2.5), "c": {"x": Hostile()}, "d": Hostile()}
    before = {"thing": Hostile(), "made": HostileDict(n=1), "held": HostileFloat(0.5)}
    found = collect(analyse(source), {**before, **values, "e": Hostile()}, before)
    assert found.metrics == {"b": 2.5}
    assert found.params == {"made": {"n": 1}, "held": 0.5}


def test_numbers_beyond_floats_are_left_out() -> None:
    huge = {"a": 10**400, "b": decimal.Decimal("sNaN")}
    found = collect(analyse("a = f()\nb = g()"), huge, None)
    assert (found.metrics, found.notes) == ({}, ["left out, not a number: a, b"])


def test_torch_scalars_are_metrics() -> None:
    import torch

    namespace = {
        "loss": torch.tensor(0.5, requires_grad=True),
        "half": torch.tensor(0.5, dtype=torch.bfloat16),
        "many": torch.zeros(3),
        "meta": torch.tensor(0.5, device="meta"),
    }
    source = "loss = f()\nhalf = f()\nmany = f()\nmeta = f()"
    assert collect(analyse(source), namespace, None).metrics == {"loss": 0.5, "half": 0.5}


@pytest.mark.parametrize("source", ["x = (", "%magic", "x = '\0'", "-" * 100_000 + "1"])
def test_source_that_does_not_parse_yields_nothing(source: str) -> None:
    assert collect(analyse(source), {"x": 1}, {}) == CellValues()
    assert normalised_hash(source)


def test_a_deep_expression_breaks_nothing() -> None:
    source = "acc = " + "+".join(["a"] * 5000)
    assert collect(analyse(source), {"acc": 1.0, "a": 1}, {}).params == {}


def test_top_level_await_is_fine() -> None:
    facts = analyse("n = 3\nacc = await train(n)")
    found = collect(facts, {"n": 3, "acc": 0.5}, {})
    assert (found.params, found.metrics) == ({"n": 3}, {"acc": 0.5})


def test_notes_say_what_was_taken_and_what_was_not() -> None:
    notes = run("import time\nn = 3\nt = time.time()\nacc = pow(n, k)", earlier="k = 2").notes
    assert notes == [
        "params bound to literals: n",
        "params read from earlier cells: k",
        "metrics computed: acc",
        "left out, a clock, a length, an id or a random number: t",
    ]


def test_the_values_of_a_config_are_copied() -> None:
    namespace: dict[str, Any] = {"c": {"deep": {"n": 1}}}
    found = collect(analyse("c = {'deep': {'n': 1}}"), namespace, None)
    namespace["c"]["deep"]["n"] = 2
    assert found.params == {"c": {"deep": {"n": 1}}}


SAME = [
    ("n = 3\nfit(n)", "n = 4  # more\nfit( n )"),
    ("layers = [1, 2]", "layers = [1, 2, 3]"),
    ("lr = 0.1", "lr = -0.1"),
    ("f(depth=3, name='a')", "f(depth=4, name='b')"),
    ("x = (", " x = ("),
]
OTHER = [
    ("n = 3", "m = 3"),
    ("fit(n)", "fit(m)"),
    ("f(depth=3)", "f(width=3)"),
    ("x = [a, 1]", "x = [b, 1]"),
    ("x = (", "y = ("),
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_the_hash_does_not_see_literals(one: str, two: str) -> None:
    assert normalised_hash(one) == normalised_hash(two)


@pytest.mark.parametrize(("one", "two"), OTHER)
def test_the_hash_sees_code(one: str, two: str) -> None:
    assert normalised_hash(one) != normalised_hash(two)


def test_literal_bindings_are_the_names_bound_once_at_the_top() -> None:
    source = "a, b = 1, 2\nc = f()\nd = 1\nd = 2\nfor i in x:\n    e = 1\nif y:\n    g = 1\n"
    assert literal_binding_names(source) == ("a", "b")
