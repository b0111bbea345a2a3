"""The only encoder: what goes in comes out, and what cannot be kept says so."""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import datetime
import enum
import json
import math
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackbook.errors import InvalidValue
from trackbook.jsonable import decode, dumps, encode, loads, to_plain

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
KEYS = st.text() | st.sampled_from(["$float", "$int", "$dict", "$", "$x"])
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)


@given(TREES)
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    assert repr(loads(dumps(value))) == repr(value)
    assert repr(loads(dumps(value, pretty=True))) == repr(value)
    assert repr(loads(dumps(value).decode("utf-8", "surrogatepass"))) == repr(value)


@given(TREES)
def test_what_is_written_is_strict_json(value: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    json.loads(dumps(value), parse_constant=refuse)
    assert repr(decode(encode(value))) == repr(value)


@given(st.text(alphabet=st.characters(categories=["Cs", "L"])))
def test_lone_surrogates_survive(text: str) -> None:
    assert loads(dumps({text: [text, math.nan]})).keys() == {text}


@dataclasses.dataclass
class Config:
    lr: float
    path: Path


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(3.0), 3.0),
        (np.arange(3), [0, 1, 2]),
        (np.array([[1.5], [2.5]]), [[1.5], [2.5]]),
        ((1, (2,)), [1, [2]]),
        ({3, 1, 2}, [1, 2, 3]),
        (range(3), [0, 1, 2]),
        (Config(0.1, Path("a/b")), {"lr": 0.1, "path": "a/b"}),
        (argparse.Namespace(a=1), {"a": 1}),
        (types.SimpleNamespace(a=types.SimpleNamespace(b=2)), {"a": {"b": 2}}),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Point(1, 2), [1, 2]),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (collections.OrderedDict(a=np.float64(1)), {"a": 1.0}),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
    ],
)
def test_values_become_plain_with_their_types(value: Any, plain: Any) -> None:
    got = to_plain(value)
    assert got == plain
    assert type(got) is type(plain)
    dumps(got)


@pytest.mark.parametrize(
    "value", [object(), print, int, np.float64, np.zeros(2000), b"bytes", 1j, np.array([object()])]
)
def test_what_cannot_be_kept_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidValue, match="param 'x'"):
        to_plain(value, "param 'x'")
    with pytest.raises(InvalidValue):
        to_plain({"a": [value]}, "param 'x'")


def test_what_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidValue, match="itself"):
        to_plain(loop)


def test_a_torch_tensor_of_one_number_is_that_number() -> None:
    import torch

    assert to_plain(torch.tensor(0.5)) == 0.5
    assert to_plain(torch.tensor([1, 2])) == [1, 2]


@pytest.mark.parametrize("data", [b"", b"{", b"nul", b'{"a": 1} x', b"\xff"])
def test_what_is_no_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        loads(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"$float": "x"}',
        b'{"$int": "1.5"}',
        b'{"$dict": [1]}',
        b'{"$dict": [[[], 1]]}',
        b'{"$dict": [["a"]]}',
    ],
)
def test_a_forged_form_is_a_value_error_at_worst(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        loads(data)
