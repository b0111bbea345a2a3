"""Curves made small: the extremes stay, NaN and inf are marked, smoothing is what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trackbook.views.sampling import sample, smooth

NAN, INF = math.nan, math.inf

values_of = hnp.arrays(
    np.float64,
    st.integers(0, 3000),
    elements=st.floats(width=64),
    fill=st.floats(-1e3, 1e3),
)


def chosen(values: np.ndarray, width: int) -> list[int]:
    steps = np.arange(len(values))
    return sample(steps, steps.astype(float), values, width).tolist()


@given(values_of, st.integers(16, 500))
@settings(max_examples=200, deadline=None)
def test_ends_and_extremes_are_kept_in_order_and_in_bounds(values: np.ndarray, width: int) -> None:
    kept = chosen(values, width)
    assert kept == sorted(set(kept))
    assert set(kept) <= set(range(len(values)))
    assert len(kept) <= width + width // 8 + 8
    if len(values):
        assert {0, len(values) - 1} <= set(kept)
    finite = values[np.isfinite(values)]
    if len(finite):
        shown = values[kept][np.isfinite(values[kept])]
        assert (shown.min(), shown.max()) == (finite.min(), finite.max())


@given(st.integers(0, 9_999), st.integers(0, 9_999))
@settings(max_examples=50, deadline=None)
def test_one_spike_among_many_points_is_never_lost(up: int, down: int) -> None:
    values = np.sin(np.arange(10_000) / 500)
    values[down] = -9.0
    values[up] = 9.0
    kept = chosen(values, 200)
    assert up in kept
    assert down in kept or up == down


def test_few_points_are_all_kept() -> None:
    assert chosen(np.array([1.0, NAN, 2.0]), 16) == [0, 1, 2]
    assert chosen(np.array([]), 16) == []


def test_a_stretch_that_is_not_finite_keeps_its_ends() -> None:
    values = np.random.default_rng(0).normal(size=20_000)
    values[5000:6000] = NAN
    values[12_345] = INF
    kept = chosen(values, 400)
    assert {5000, 5999, 12_345} <= set(kept)
    assert len([place for place in kept if 5000 <= place < 6000]) == 2


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_nothing_finite_at_all_leaves_some_marks(value: float) -> None:
    kept = chosen(np.full(50_000, value), 400)
    assert {0, 49_999} <= set(kept)
    assert len(kept) < 100


def test_points_that_go_back_in_step_stay_in_the_order_logged() -> None:
    steps = np.concatenate([np.arange(5000), np.arange(2000, 7000)])
    kept = sample(steps, steps.astype(float), np.sin(steps / 100.0), 300)
    assert (np.diff(steps[kept]) < 0).sum() == 1


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="do not match"):
        sample(np.arange(3), np.zeros(3), np.zeros(4), 16)


def plainly(values: np.ndarray, weight: float) -> list[float]:
    """The average by its definition."""
    average, mass, told = 0.0, 0.0, []
    for value in values.tolist():
        if math.isfinite(value):
            average = weight * average + (1 - weight) * value
            mass = weight * mass + (1 - weight)
        told.append(average / mass if mass else NAN)
    return told


@given(
    hnp.arrays(np.float64, st.integers(1, 3000), elements=st.floats(-1e6, 1e6)),
    st.floats(0.01, 0.999),
)
@settings(max_examples=60, deadline=None)
def test_smoothing_is_the_exponential_average_without_bias(
    values: np.ndarray, weight: float
) -> None:
    np.testing.assert_allclose(
        smooth(values, weight), plainly(values, weight), rtol=1e-6, atol=1e-2
    )


def test_smoothing_stands_still_over_what_is_not_finite() -> None:
    values = np.array([NAN, 1.0, NAN, 3.0, INF, 5.0])
    np.testing.assert_allclose(smooth(values, 0.5), plainly(values, 0.5))
    assert smooth(values, 0.0) is values
    assert np.isnan(smooth(np.array([NAN, INF]), 0.9)).any()
