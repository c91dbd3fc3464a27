"""What holds for every series of gaps and times, and for every average."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.formulas.between import g_limits, g_probability_limits, t_limits, t_probability_limits
from qi_equity.formulas.chances import chance_above_g
from qi_equity.formulas.ewma import ewma, ewma_limits

PARTS = ("centre_line", "sigma", "lower", "upper")
LINES = ("centre_line", "lower", "upper")
FORMULAS = (g_limits, g_probability_limits, t_limits, t_probability_limits)
NAN = math.nan

gaps = st.lists(st.one_of(st.integers(1, 2000), st.just(NAN)), min_size=1, max_size=25).map(
    lambda values: np.array(values, dtype=float)
)
measurements = st.lists(st.one_of(st.integers(-40, 40), st.just(NAN)), min_size=1, max_size=25).map(
    lambda values: np.array(values, dtype=float) / 4
)
weights = st.floats(0.01, 1)


@given(y=gaps)
@pytest.mark.parametrize("formula", FORMULAS)
def test_limits_surround_the_centre_line(formula: Any, y: np.ndarray) -> None:
    limits = formula(y)
    if np.isnan(y).all():
        assert np.isnan(limits.centre_line).all()
        return
    assert np.isfinite(limits.centre_line).all()
    given_limits = ~np.isnan(limits.upper)
    assert (limits.lower[given_limits] >= 0).all()
    assert (limits.lower[given_limits] <= limits.centre_line[given_limits]).all()
    assert (limits.upper[given_limits] >= limits.centre_line[given_limits]).all()
    assert (np.isnan(limits.lower) == np.isnan(limits.upper)).all()


@given(y=gaps, k=st.integers(1, 25))
@pytest.mark.parametrize("formula", FORMULAS)
def test_freezing_the_first_k_is_the_first_k_alone(formula: Any, y: np.ndarray, k: int) -> None:
    frozen, alone = formula(y, baseline=np.arange(len(y)) < k), formula(y[:k])
    for part in PARTS:
        np.testing.assert_allclose(getattr(frozen, part)[:k], getattr(alone, part), rtol=1e-9)


@given(y=gaps, at=st.integers(0, 25))
@pytest.mark.parametrize("formula", FORMULAS)
def test_what_is_left_out_does_not_matter(formula: Any, y: np.ndarray, at: int) -> None:
    at = min(at, len(y))
    more, base = np.insert(y, at, 77.0), np.insert(np.ones(len(y), dtype=bool), at, False)
    with_it, without = formula(more, baseline=base), formula(y)
    for part in PARTS:
        np.testing.assert_allclose(np.delete(getattr(with_it, part), at), getattr(without, part), rtol=1e-9)


@given(rows=st.lists(gaps, min_size=1, max_size=4))
@pytest.mark.parametrize("formula", FORMULAS)
def test_strata_together_are_strata_alone(formula: Any, rows: list[np.ndarray]) -> None:
    width = max(map(len, rows))
    block = np.array([np.append(row, [NAN] * (width - len(row))) for row in rows])
    together = formula(block)
    for i, row in enumerate(block):
        for part in PARTS:
            np.testing.assert_allclose(getattr(together, part)[i], getattr(formula(row), part), rtol=1e-9)


@given(y=gaps, scale=st.sampled_from([1 / 24, 7.0, 1440.0]))
@pytest.mark.parametrize("formula", [t_limits, t_probability_limits])
def test_lines_of_times_follow_the_unit(formula: Any, y: np.ndarray, scale: float) -> None:
    one, other = formula(y), formula(y * scale)
    for part in LINES:
        np.testing.assert_allclose(
            getattr(other, part), getattr(one, part) * scale, rtol=1e-7, atol=1e-10 * scale
        )


@given(y=gaps)
def test_the_order_of_times_does_not_matter_to_their_distribution(y: np.ndarray) -> None:
    for part in PARTS:
        np.testing.assert_allclose(
            getattr(t_probability_limits(y), part), getattr(t_probability_limits(y[::-1]), part), rtol=1e-9
        )


@given(mean=st.floats(1, 1e6), tail=st.floats(1e-5, 0.4))
def test_exact_limits_of_gaps_hold_their_definition(mean: float, tail: float) -> None:
    limits = g_probability_limits([1], mean=mean, tail=tail)
    q = (mean - 1) / mean
    high, low = round(limits.upper[0] + 0.5), math.ceil(limits.lower[0]) - 1
    # Powers of a rounded q agree to about 1e-9.
    assert q ** (high - 1) < tail * (1 + 1e-8)
    assert q ** (high - 2) >= tail * (1 - 1e-8) or high == 2
    assert 1 - q**low < tail * (1 + 1e-8)
    assert 1 - q ** (low + 1) >= tail * (1 - 1e-8)


@given(above=st.floats(0.67, 1e5), smallest=st.sampled_from([0, 1]))
def test_the_line_of_an_exact_chart_is_nearly_a_fair_coin(above: float, smallest: int) -> None:
    mean = smallest + above
    limits = g_probability_limits([2], mean=mean, smallest=smallest)
    assert 0.4 < chance_above_g(limits.centre_line, mean, smallest=smallest)[0] < 0.6


@given(y=measurements, w=weights, k=st.integers(1, 25))
def test_what_comes_later_does_not_change_an_average(y: np.ndarray, w: float, k: int) -> None:
    np.testing.assert_array_equal(ewma(y, 2, weight=w)[:k], ewma(y[:k], 2, weight=w))
    whole, part = ewma_limits(y, 2, 3, weight=w), ewma_limits(y[:k], 2, 3, weight=w)
    np.testing.assert_array_equal(whole.upper[:k], part.upper)


@given(y=measurements, w=weights, scale=st.sampled_from([0.5, 4.0]), shift=st.integers(-5, 5))
def test_averages_follow_the_unit_and_mirror(y: np.ndarray, w: float, scale: float, shift: int) -> None:
    one = ewma(y, 2, weight=w)
    np.testing.assert_allclose(
        ewma(y * scale + shift, 2 * scale + shift, weight=w), one * scale + shift, atol=1e-12
    )
    np.testing.assert_array_equal(ewma(-y, -2, weight=w), -one)
    np.testing.assert_array_equal(
        ewma_limits(-y, -2, 3, weight=w).upper, -ewma_limits(y, 2, 3, weight=w).lower
    )


@given(y=measurements, w=weights)
def test_an_average_varies_less_than_its_points_and_lies_among_them(y: np.ndarray, w: float) -> None:
    z, limits = ewma(y, 2, weight=w), ewma_limits(y, 2, 3, weight=w)
    seen = ~np.isnan(y)
    np.testing.assert_array_equal(np.isnan(z), ~seen)
    assert (limits.sigma[seen] <= 3 + 1e-12).all()
    assert (np.diff(limits.sigma[seen]) >= -1e-12).all()
    if seen.any():
        reach = np.append(y[seen], 2)
        assert reach.min() - 1e-12 <= z[seen].min() <= z[seen].max() <= reach.max() + 1e-12
