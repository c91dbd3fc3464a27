"""Exact limits of counts against enumeration."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import OptionError
from qi_equity.formulas.attributes import c_limits, np_limits, p_limits, u_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.probability_limits import (
    c_probability_limits,
    np_probability_limits,
    p_probability_limits,
    u_probability_limits,
)

X = np.array([3.0, 0, 5, 2, 7, 1])
N = np.array([50.0, 12, 80, 66, 40, 28])


@pytest.mark.parametrize("formula", [p_probability_limits, np_probability_limits, u_probability_limits])
@pytest.mark.parametrize("tail", [0, 0.5, 1])
def test_tail_must_be_a_tail(formula: Callable[..., Limits], tail: float) -> None:
    with pytest.raises(OptionError, match=r"tail=.* is not allowed; give a finite number > 0 and < 0\.5"):
        formula(X, N, tail=tail)


@pytest.mark.parametrize("formula", [p_probability_limits, np_probability_limits])
def test_exact_limits_need_whole_births(formula: Callable[..., Limits]) -> None:
    with pytest.raises(OptionError, match=r"births holds 12\.5; exact limits need whole numbers of births"):
        formula([1, 1], [12, 12.5])


def signals(tails: np.ndarray) -> np.ndarray:
    return tails < 0.00135


@pytest.mark.parametrize("p", [0, 1e-6, 0.02, 0.08, 0.5, 0.93, 1])
@pytest.mark.parametrize("n", [1, 2, 12, 66, 294])
def test_exact_p_limits_split_the_counts_that_signal_from_those_that_do_not(p: float, n: int) -> None:
    k = np.arange(n + 1)
    limits = p_probability_limits(k, np.full(n + 1, n), centre_line=p)
    np.testing.assert_array_equal(k / n > limits.upper, signals(stats.binom.sf(k - 1, n, p)))
    np.testing.assert_array_equal(k / n < limits.lower, signals(stats.binom.cdf(k, n, p)))


@pytest.mark.parametrize("p", [0, 1e-6, 0.02, 0.08, 0.5, 0.93, 1])
@pytest.mark.parametrize("n", [1, 2, 12, 66, 294])
def test_exact_np_limits_split_the_same_counts_half_way_between_two(p: float, n: int) -> None:
    k = np.arange(n + 1)
    limits = np_probability_limits(k, np.full(n + 1, n), centre_line=p)
    np.testing.assert_array_equal(k > limits.upper, signals(stats.binom.sf(k - 1, n, p)))
    np.testing.assert_array_equal(k < limits.lower, signals(stats.binom.cdf(k, n, p)))
    assert limits.lower[0] == 0 or limits.lower[0] % 1 == 0.5
    assert limits.upper[0] == n or limits.upper[0] % 1 == 0.5
    np.testing.assert_array_equal(limits.centre_line, np.full(n + 1, n * p))


@pytest.mark.parametrize("mean", [0, 0.001, 0.7, 6.6, 6.7, 30, 294])
def test_exact_u_limits_split_the_counts_that_signal_from_those_that_do_not(mean: float) -> None:
    k = np.arange(500)
    limits = u_probability_limits(k, np.full(500, 12.5), centre_line=mean / 12.5)
    np.testing.assert_array_equal(k / 12.5 > limits.upper, signals(stats.poisson.sf(k - 1, mean)))
    np.testing.assert_array_equal(k / 12.5 < limits.lower, signals(stats.poisson.cdf(k, mean)))
    assert np.isfinite(limits.upper).all()


def test_exact_limits_lie_half_way_between_two_counts() -> None:
    limits = p_probability_limits([0], [294], centre_line=0.12)
    for limit in (limits.lower, limits.upper):
        assert float(limit[0] * 294) % 1 == pytest.approx(0.5, abs=1e-9)


def test_exact_limits_where_no_count_can_signal() -> None:
    limits = p_probability_limits([1, 1], [2, 2], centre_line=0.5)
    assert limits.lower.tolist() == [0, 0]
    assert limits.upper.tolist() == [1, 1]
    limits = np_probability_limits([1, 1], [2, 3], centre_line=0.5)
    assert limits.lower.tolist() == [0, 0]
    assert limits.upper.tolist() == [2, 3]


def test_exact_sigma_is_the_classical_one() -> None:
    np.testing.assert_array_equal(p_probability_limits(X, N).sigma, p_limits(X, N).sigma)
    np.testing.assert_array_equal(np_probability_limits(X, N).sigma, np_limits(X, N).sigma)
    np.testing.assert_array_equal(u_probability_limits(X, N).sigma, u_limits(X, N).sigma)


def test_exact_c_limits_are_those_of_u_over_one() -> None:
    assert c_probability_limits(X).equals(u_probability_limits(X, np.ones(6)))
    assert c_limits(X).equals(u_limits(X, np.ones(6)))


def test_exact_np_limits_are_those_of_p_times_births() -> None:
    counts, shares = np_probability_limits(X, N, tail=0.02), p_probability_limits(X, N, tail=0.02)
    for part in ("centre_line", "sigma", "lower", "upper"):
        np.testing.assert_allclose(getattr(counts, part), getattr(shares, part) * N, rtol=1e-14)


def test_exact_limits_approach_the_classical_with_many_events() -> None:
    exact = p_probability_limits([0], [10**8], centre_line=0.3)
    classical = p_limits([0], [10**8], centre_line=0.3)
    np.testing.assert_allclose(exact.lower, classical.lower, rtol=1e-6)
    np.testing.assert_allclose(exact.upper, classical.upper, rtol=1e-6)
