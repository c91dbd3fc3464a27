"""p, u and c limits against formulas written out point by point, and exact ones against enumeration."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.attributes import (
    c_limits,
    c_probability_limits,
    p_limits,
    p_probability_limits,
    u_limits,
    u_probability_limits,
)
from qi_equity.formulas.limits import Limits

NAN = math.nan
PARTS = ("centre_line", "sigma", "lower", "upper")
X = np.array([3.0, 0, 5, 2, 7, 1])
N = np.array([50.0, 12, 80, 66, 40, 28])


def series(limits: Limits) -> list[list[float]]:
    return [getattr(limits, part).tolist() for part in PARTS]


def test_p_limits_point_by_point() -> None:
    p = 18 / 276
    expected = [
        [p] * 6,
        [math.sqrt(p * (1 - p) / n) for n in N],
        [max(0, p - 3 * math.sqrt(p * (1 - p) / n)) for n in N],
        [min(1, p + 3 * math.sqrt(p * (1 - p) / n)) for n in N],
    ]
    np.testing.assert_allclose(series(p_limits(X, N)), expected, rtol=1e-14)


def test_p_limits_are_clipped_and_sigma_is_not() -> None:
    limits = p_limits([1, 3], [2, 4])
    assert limits.lower.tolist() == [0, 0]
    assert limits.upper.tolist() == [1, 1]
    np.testing.assert_allclose(limits.sigma, [math.sqrt(2 / 9 / 2), math.sqrt(2 / 9 / 4)])


def test_u_limits_point_by_point() -> None:
    u = 18 / 276
    expected = [
        [u] * 6,
        [math.sqrt(u / n) for n in N],
        [max(0, u - 2 * math.sqrt(u / n)) for n in N],
        [u + 2 * math.sqrt(u / n) for n in N],
    ]
    np.testing.assert_allclose(series(u_limits(X, N, nsigma=2)), expected, rtol=1e-14)


def test_c_limits_do_not_depend_on_the_own_count() -> None:
    limits = c_limits([4, NAN, 5])
    np.testing.assert_allclose(
        series(limits), [[4.5] * 3, [math.sqrt(4.5)] * 3, [0] * 3, [4.5 + 3 * math.sqrt(4.5)] * 3]
    )


@pytest.mark.parametrize("formula", [p_limits, u_limits, p_probability_limits, u_probability_limits])
class TestOfPeriodsWithBirths:
    """What all charts with a denominator share."""

    def test_baseline_sets_the_centre_line_alone(self, formula: Callable[..., Limits]) -> None:
        base = [True, False, True, False, False, False]
        assert formula(X, N, baseline=base).centre_line.tolist() == [8 / 130] * 6

    def test_a_supplied_centre_line_is_used_as_it_is(self, formula: Callable[..., Limits]) -> None:
        line = [0.1] * 3 + [0.2] * 3
        limits = formula(X, N, centre_line=line, baseline=np.zeros(6, dtype=bool))
        assert limits.centre_line.tolist() == line
        ones = [formula(X[[i]], N[[i]], centre_line=line[i]) for i in range(6)]
        for part in PARTS:
            np.testing.assert_array_equal(getattr(limits, part), [getattr(one, part)[0] for one in ones])

    def test_no_births_no_limits_yet_a_centre_line(self, formula: Callable[..., Limits]) -> None:
        limits = formula([3, 0, NAN, 2, 1], [50, 0, NAN, NAN, 40])
        assert limits.centre_line.tolist() == [4 / 90] * 5
        for part in ("sigma", "lower", "upper"):
            assert np.isnan(getattr(limits, part)).tolist() == [False, True, True, True, False]

    def test_births_without_a_count_have_limits_but_no_say(self, formula: Callable[..., Limits]) -> None:
        limits = formula([3, NAN, 2], [50, 500, 40])
        assert limits.centre_line.tolist() == [5 / 90] * 3
        assert np.isfinite(limits.upper).all()

    @pytest.mark.parametrize("base", [[False] * 3, [True, False, False]])
    def test_nothing_in_the_baseline_is_nan_without_a_warning(
        self, formula: Callable[..., Limits], base: list[bool]
    ) -> None:
        limits = formula([0, 1, 2], [0, 40, 30], baseline=base)
        for part in PARTS:
            assert np.isnan(getattr(limits, part)).all()

    def test_strata_together_are_strata_alone(self, formula: Callable[..., Limits]) -> None:
        rng = np.random.default_rng(1)
        n = rng.integers(0, 90, (2, 3, 24)).astype(float)
        x = rng.binomial(n.astype(int), 0.1).astype(float)
        x[0, 1, 5], n[1, 0, 7] = NAN, NAN
        together = formula(x, n)
        for i, j in np.ndindex(2, 3):
            alone = formula(x[i, j], n[i, j])
            for part in PARTS:
                np.testing.assert_array_equal(getattr(together, part)[i, j], getattr(alone, part))

    def test_inputs_are_left_as_they_were(self, formula: Callable[..., Limits]) -> None:
        x, n, base, line = X.copy(), N.copy(), np.ones(6, dtype=bool), np.full(6, 0.1)
        for array in (x, n, base, line):
            array.setflags(write=False)
        limits = formula(x, n, baseline=base, centre_line=line)
        limits.centre_line[0] = 9
        assert line[0] == 0.1

    def test_a_negative_centre_line_is_refused(self, formula: Callable[..., Limits]) -> None:
        with pytest.raises(OptionError, match=r"centre_line holds -0\.1; give values from 0 to (1|inf)\."):
            formula(X, N, centre_line=-0.1)

    def test_shapes_must_fit(self, formula: Callable[..., Limits]) -> None:
        with pytest.raises(OptionError, match=r"events \(6,\), (births|exposure) \(5,\)"):
            formula(X, N[:5])

    def test_a_mask_must_be_boolean(self, formula: Callable[..., Limits]) -> None:
        with pytest.raises(InputTypeError, match="baseline holds int64"):
            formula(X, N, baseline=[0, 1])


@pytest.mark.parametrize("formula", [p_limits, p_probability_limits])
def test_a_proportion_above_one_is_refused(formula: Callable[..., Limits]) -> None:
    with pytest.raises(OptionError, match=r"centre_line holds 4\.0; give values from 0 to 1\."):
        formula(X, N, centre_line=4)


@pytest.mark.parametrize("formula", [p_limits, u_limits])
def test_nsigma_must_be_above_zero(formula: Callable[..., Limits]) -> None:
    with pytest.raises(OptionError, match=r"nsigma=0 is not allowed; give a finite number > 0"):
        formula(X, N, nsigma=0)


@pytest.mark.parametrize("formula", [p_probability_limits, u_probability_limits])
@pytest.mark.parametrize("tail", [0, 0.5, 1])
def test_tail_must_be_a_tail(formula: Callable[..., Limits], tail: float) -> None:
    with pytest.raises(OptionError, match=r"tail=.* is not allowed; give a finite number > 0 and < 0\.5"):
        formula(X, N, tail=tail)


def test_exact_p_limits_need_whole_births() -> None:
    with pytest.raises(OptionError, match=r"births holds 12\.5; exact limits need whole numbers of births"):
        p_probability_limits([1, 1], [12, 12.5])


def signals(tails: np.ndarray) -> np.ndarray:
    return tails < 0.00135


@pytest.mark.parametrize("p", [0, 1e-6, 0.02, 0.08, 0.5, 0.93, 1])
@pytest.mark.parametrize("n", [1, 2, 12, 66, 294])
def test_exact_p_limits_split_the_counts_that_signal_from_those_that_do_not(p: float, n: int) -> None:
    k = np.arange(n + 1)
    limits = p_probability_limits(k, np.full(n + 1, n), centre_line=p)
    np.testing.assert_array_equal(k / n > limits.upper, signals(stats.binom.sf(k - 1, n, p)))
    np.testing.assert_array_equal(k / n < limits.lower, signals(stats.binom.cdf(k, n, p)))


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


def test_exact_sigma_is_the_classical_one() -> None:
    np.testing.assert_array_equal(p_probability_limits(X, N).sigma, p_limits(X, N).sigma)
    np.testing.assert_array_equal(u_probability_limits(X, N).sigma, u_limits(X, N).sigma)


def test_exact_c_limits_are_those_of_u_over_one() -> None:
    assert c_probability_limits(X).equals(u_probability_limits(X, np.ones(6)))
    assert c_limits(X).equals(u_limits(X, np.ones(6)))


def test_exact_limits_approach_the_classical_with_many_events() -> None:
    exact = p_probability_limits([0], [10**8], centre_line=0.3)
    classical = p_limits([0], [10**8], centre_line=0.3)
    np.testing.assert_allclose(exact.lower, classical.lower, rtol=1e-6)
    np.testing.assert_allclose(exact.upper, classical.upper, rtol=1e-6)
