"""How values read to people."""

from __future__ import annotations

import math
from typing import Any

import pytest

from trackbook import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.95312, "0.9531"),
        (12, "12"),
        (12.0, "12"),
        (0, "0"),
        (-0.5, "-0.5"),
        (1234567, "1234567"),
        (1.5e9, "1.5e+09"),
        (1.2e-5, "1.2e-05"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (True, "True"),
        (10**30, "1e+30"),
        (10**400, "1.000e+400"),
    ],
)
def test_numbers_have_four_digits(value: Any, text: str) -> None:
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.001, "<0.01 s"),
        (0.42, "0.42 s"),
        (9.96, "10 s"),
        (12.3, "12 s"),
        (59.7, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.6, "1 h 00 min"),
        (7800, "2 h 10 min"),
        (math.nan, ""),
    ],
)
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "before", "text"),
    [(0.953, 0.941, "+0.012"), (0.5, 0.5, "±0"), (1, 3, "−2"), (1.0, 1.0 + 1e-5, "−1e−05")],
)
def test_a_change_has_its_sign(value: float, before: float, text: str) -> None:
    assert formats.delta(value, before) == text


@pytest.mark.parametrize(
    ("metrics", "first"),
    [
        (["loss", "acc"], "acc"),
        (["train_acc", "val_loss"], "val_loss"),
        (["train/acc", "test_acc", "acc"], "test_acc"),
        (["valAccuracy", "lr"], "valAccuracy"),
        (["x", "lr", "epoch_loss"], "epoch_loss"),
        (["system/cpu"], None),
        ([], None),
    ],
)
def test_the_headline_is_held_out_and_known(metrics: list[str], first: str | None) -> None:
    assert formats.headline(metrics) == first


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("val_loss", -1),
        ("accuracy", 1),
        ("rmse", -1),
        ("glossary", 0),
        ("roc_auc", 1),
        ("errors", 0),
    ],
)
def test_the_name_says_which_way_is_better(metric: str, direction: int) -> None:
    assert formats.direction(metric) == direction


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (None, "None"),
        ("two\n lines", "two lines"),
        ({"a": 0.123456, "b": [1, "x"]}, "{a: 0.1235, b: [1, x]}"),
        ("x" * 80, "x" * 59 + "…"),
    ],
)
def test_any_value_is_one_short_line(item: Any, text: str) -> None:
    assert formats.value(item) == text
