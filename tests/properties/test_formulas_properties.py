"""What holds for every series: limits, runs and rules under changes that must not matter, or only mirror."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from qi_equity.formulas import rule_tests, zone_tests
from qi_equity.formulas.attributes import c_limits, p_limits, u_limits
from qi_equity.formulas.chances import chance_above_p
from qi_equity.formulas.false_signals import anhoej_false_signal, beyond_limits_false_signal
from qi_equity.formulas.individuals import i_limits
from qi_equity.formulas.medians import median_line
from qi_equity.formulas.probability_limits import (
    c_probability_limits,
    p_probability_limits,
    u_probability_limits,
)
from qi_equity.formulas.runs import crossings, longest_run, run_lengths, useful

PARTS = ("centre_line", "sigma", "lower", "upper")


@st.composite
def births(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Events and births of some periods, some of them without births, some not observed."""
    n = draw(st.lists(st.one_of(st.integers(0, 400), st.none()), min_size=1, max_size=30))
    x = [None if k is None else draw(st.one_of(st.none(), st.integers(0, k))) for k in n]
    return np.array(x, dtype=float), np.array(n, dtype=float)


measurements = st.lists(
    st.one_of(st.just(math.nan), st.integers(-8, 8).map(lambda k: k / 4)), min_size=1, max_size=30
).map(np.array)


@given(data=births())
@pytest.mark.parametrize("formula", [p_limits, u_limits, p_probability_limits, u_probability_limits])
def test_limits_surround_the_centre_line_and_are_given_where_there_are_births(
    formula: Any, data: tuple[np.ndarray, np.ndarray]
) -> None:
    x, n = data
    limits = formula(x, n)
    pooled = np.nansum(np.where(np.isnan(n), np.nan, x)), np.nansum(np.where(np.isnan(x), np.nan, n))
    if pooled[1] == 0:
        assert np.isnan(limits.centre_line).all()
        return
    np.testing.assert_allclose(limits.centre_line, pooled[0] / pooled[1], rtol=1e-14)
    np.testing.assert_array_equal(np.isnan(limits.upper), ~(n > 0))
    np.testing.assert_array_equal(np.isnan(limits.lower), ~(n > 0))
    some = n > 0
    assert (limits.lower[some] >= 0).all()
    assert (limits.lower[some] <= limits.centre_line[some]).all()
    assert (limits.upper[some] >= limits.centre_line[some]).all()
    assert np.isfinite(limits.upper[some]).all()
    if formula in (p_limits, p_probability_limits):
        assert (limits.upper[some] <= 1).all()


@given(p=st.floats(0, 1), n=st.integers(1, 5000), tail=st.floats(1e-5, 0.4))
def test_exact_limits_of_events_mirror_those_of_births_without_the_event(
    p: float, n: int, tail: float
) -> None:
    assume(1 - (1 - p) == p)
    of = p_probability_limits([0], [n], centre_line=p, tail=tail)
    without = p_probability_limits([0], [n], centre_line=1 - p, tail=tail)
    assert of.upper[0] == pytest.approx(1 - without.lower[0], abs=1e-12)
    assert of.lower[0] == pytest.approx(1 - without.upper[0], abs=1e-12)


@given(p=st.floats(0, 1), n=st.integers(1, 100_000), tail=st.floats(1e-5, 0.4))
def test_exact_limits_hold_their_definition(p: float, n: int, tail: float) -> None:
    limits = p_probability_limits([0], [n], centre_line=p, tail=tail)
    high = n + 1 if limits.upper[0] == 1 else round(limits.upper[0] * n + 0.5)
    low = -1 if limits.lower[0] == 0 else round(limits.lower[0] * n - 0.5)
    # Two libraries agree on a tail to about 1e-10.
    assert stats.binom.sf(high - 1, n, p) < tail * (1 + 1e-9)
    assert stats.binom.sf(high - 2, n, p) >= tail * (1 - 1e-9)
    assert stats.binom.cdf(low, n, p) < tail * (1 + 1e-9)
    assert stats.binom.cdf(low + 1, n, p) >= tail * (1 - 1e-9)


@given(mean=st.floats(0, 50_000), tail=st.floats(1e-5, 0.4))
def test_exact_limits_of_counts_hold_their_definition(mean: float, tail: float) -> None:
    limits = c_probability_limits([0], centre_line=mean, tail=tail)
    high, low = round(limits.upper[0] + 0.5), -1 if limits.lower[0] == 0 else round(limits.lower[0] - 0.5)
    assert stats.poisson.sf(high - 1, mean) < tail * (1 + 1e-9)
    assert stats.poisson.sf(high - 2, mean) >= tail * (1 - 1e-9)
    assert stats.poisson.cdf(low, mean) < tail * (1 + 1e-9)
    assert stats.poisson.cdf(low + 1, mean) >= tail * (1 - 1e-9)


@given(data=births(), k=st.integers(1, 30))
@pytest.mark.parametrize("formula", [p_limits, u_limits, p_probability_limits, u_probability_limits])
def test_freezing_the_first_k_is_the_first_k_alone(
    formula: Any, data: tuple[np.ndarray, np.ndarray], k: int
) -> None:
    x, n = data
    frozen, alone = formula(x, n, baseline=np.arange(len(x)) < k), formula(x[:k], n[:k])
    for part in PARTS:
        np.testing.assert_array_equal(getattr(frozen, part)[:k], getattr(alone, part))


@given(y=measurements, k=st.integers(1, 30))
@pytest.mark.parametrize("formula", [i_limits, c_limits, c_probability_limits])
def test_freezing_the_first_k_values_is_the_first_k_alone(formula: Any, y: np.ndarray, k: int) -> None:
    y = y if formula is i_limits else np.abs(y) * 4
    frozen, alone = formula(y, baseline=np.arange(len(y)) < k), formula(y[:k])
    for part in PARTS:
        np.testing.assert_allclose(getattr(frozen, part)[:k], getattr(alone, part), rtol=1e-12, atol=1e-12)


@given(y=measurements, scale=st.sampled_from([0.5, 4.0, 1024.0]), shift=st.integers(-5, 5))
@pytest.mark.parametrize("spread", ["screened", "mean", "median"])
def test_individuals_follow_the_unit(y: np.ndarray, scale: float, shift: int, spread: str) -> None:
    one, other = i_limits(y, spread=spread), i_limits(y * scale + shift, spread=spread)
    for part in ("centre_line", "lower", "upper"):
        np.testing.assert_allclose(
            getattr(other, part), getattr(one, part) * scale + shift, atol=1e-9 * scale
        )
    np.testing.assert_allclose(other.sigma, one.sigma * scale, atol=1e-9 * scale)


@given(y=measurements)
@pytest.mark.parametrize("spread", ["screened", "mean", "median"])
def test_individuals_upside_down(y: np.ndarray, spread: str) -> None:
    one, other = i_limits(y, spread=spread), i_limits(-y, spread=spread)
    np.testing.assert_allclose(other.upper, -one.lower, atol=1e-12)
    np.testing.assert_allclose(other.centre_line, -one.centre_line, atol=1e-12)


@given(value=st.floats(-1e6, 1e6), n=st.integers(2, 40), decimals=st.integers(0, 12))
def test_a_constant_series_never_signals(value: float, n: int, decimals: int) -> None:
    y = np.full(n, round(value, decimals))
    limits = i_limits(y)
    low, high = rule_tests.beyond_limits(y, limits.lower, limits.upper)
    assert not low.any()
    assert not high.any()
    assert not useful(y, limits.centre_line).any()
    assert not useful(y, median_line(y)).any()


def marks(y: np.ndarray, rule: str) -> np.ndarray:
    match rule:
        case "shift":
            return np.stack(rule_tests.shift(y, 0, length=4))
        case "trend":
            return np.stack(rule_tests.trend(y, length=4))
        case "two_in_three":
            return np.stack(zone_tests.two_in_three(y, -1, 1, 0, -1.5, 1.5))
        case "beyond":
            return np.stack(rule_tests.beyond_limits(y, -1.5, 1.5))
    return np.stack(rule_tests.longest_run_mask(y, 0))


RULES = ("shift", "trend", "two_in_three", "beyond", "longest run")


@given(y=measurements)
@pytest.mark.parametrize("rule", RULES)
def test_upside_down_swaps_low_and_high(y: np.ndarray, rule: str) -> None:
    np.testing.assert_array_equal(marks(-y, rule), marks(y, rule)[::-1])


@given(y=measurements)
@pytest.mark.parametrize("rule", RULES)
def test_backwards_marks_the_same_points(y: np.ndarray, rule: str) -> None:
    found = marks(y[::-1], rule)[:, ::-1]
    np.testing.assert_array_equal(found[::-1] if rule == "trend" else found, marks(y, rule))


@given(y=measurements, missing=st.integers(1, 4))
@pytest.mark.parametrize("rule", RULES)
def test_missing_periods_at_the_end_change_no_other_mark(y: np.ndarray, missing: int, rule: str) -> None:
    longer = np.append(y, np.full(missing, np.nan))
    np.testing.assert_array_equal(marks(longer, rule)[:, : len(y)], marks(y, rule))
    assert not marks(longer, rule)[:, len(y) :].any()


@given(y=measurements)
@pytest.mark.parametrize("rule", RULES)
def test_a_missing_point_is_never_marked(y: np.ndarray, rule: str) -> None:
    assert not marks(y, rule)[:, np.isnan(y)].any()


@given(y=measurements)
def test_runs_of_useful_points_alone_are_the_runs(y: np.ndarray) -> None:
    sides = useful(y, 0)
    kept = sides[sides != 0]
    if kept.size:
        assert longest_run(sides) == longest_run(kept) == run_lengths(sides).max()
        assert crossings(sides) == crossings(kept) == np.count_nonzero(np.diff(kept))
    else:
        assert longest_run(sides) == crossings(sides) == 0


@given(n=st.integers(0, 60), chance=st.floats(0, 1))
def test_false_signals_are_probabilities_that_a_fair_coin_keeps_lowest(n: int, chance: float) -> None:
    found = float(anhoej_false_signal(n, chance))
    assert 0 <= found <= 1
    assert found >= float(anhoej_false_signal(n, 0.5)) - 1e-12
    assert found == pytest.approx(float(anhoej_false_signal(n, 1 - chance)), abs=1e-10)


@given(p=st.floats(0, 1), n=st.lists(st.integers(1, 300), min_size=1, max_size=12))
def test_exact_limits_signal_no_oftener_than_they_promise(p: float, n: list[int]) -> None:
    limits = p_probability_limits(np.zeros(len(n)), n, centre_line=p)
    found = float(beyond_limits_false_signal(p, limits.lower, limits.upper, distribution="binomial", size=n))
    assert 0 <= found <= 1 - (1 - 0.0027) ** len(n)


@given(p=st.floats(0.001, 0.999), n=st.integers(1, 3000))
def test_chances_above_and_below_make_one(p: float, n: int) -> None:
    assume(1 - (1 - p) == p)
    assume(abs(p * n - round(p * n)) > 1e-9)
    above, below = float(chance_above_p(p, n)[0]), float(chance_above_p(1 - p, n)[0])
    assert above + below == pytest.approx(1, abs=1e-9)
