"""p, np, u and c limits against formulas written out point by point, and what all of them share."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.attributes import c_limits, np_limits, p_limits, u_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.probability_limits import (
    np_probability_limits,
    p_probability_limits,
    u_probability_limits,
)

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


def test_np_limits_point_by_point() -> None:
    p = 18 / 276
    expected = [
        [n * p for n in N],
        [math.sqrt(n * p * (1 - p)) for n in N],
        [max(0, n * p - math.sqrt(n * p * (1 - p))) for n in N],
        [min(n, n * p + math.sqrt(n * p * (1 - p))) for n in N],
    ]
    np.testing.assert_allclose(series(np_limits(X, N, nsigma=1)), expected, rtol=1e-14)


def test_np_limits_are_clipped_to_the_births_and_sigma_is_not() -> None:
    limits = np_limits([1, 3], [2, 4])
    assert limits.lower.tolist() == [0, 0]
    assert limits.upper.tolist() == [2, 4]
    np.testing.assert_allclose(limits.sigma, [math.sqrt(2 * 2 / 9), math.sqrt(4 * 2 / 9)])


@pytest.mark.parametrize("formula", [np_limits, np_probability_limits])
class TestOfCountsOfEvents:
    """What only charts of counts have: a centre line of each period."""

    def test_baseline_and_supplied_line_are_proportions(self, formula: Callable[..., Limits]) -> None:
        base = [True, False, True, False, False, False]
        np.testing.assert_allclose(formula(X, N, baseline=base).centre_line, 8 / 130 * N, rtol=1e-14)
        np.testing.assert_allclose(formula(X, N, centre_line=0.1).centre_line, 0.1 * N, rtol=1e-14)

    def test_no_births_no_line(self, formula: Callable[..., Limits]) -> None:
        limits = formula([3, 0, NAN, 2, NAN], [50, 0, NAN, NAN, 40])
        for part in PARTS:
            assert np.isnan(getattr(limits, part)).tolist() == [False, True, True, True, False]

    def test_nothing_in_the_baseline_is_nan_without_a_warning(self, formula: Callable[..., Limits]) -> None:
        limits = formula([0, 1, 2], [0, 40, 30], baseline=[True, False, False])
        assert np.isnan([getattr(limits, part) for part in PARTS]).all()

    def test_inputs_are_left_as_they_were(self, formula: Callable[..., Limits]) -> None:
        x, n, base = X.copy(), N.copy(), np.ones(6, dtype=bool)
        for array in (x, n, base):
            array.setflags(write=False)
        formula(x, n, baseline=base).centre_line[0] = 9

    def test_strata_together_are_strata_alone(self, formula: Callable[..., Limits]) -> None:
        x, n = np.stack([X, X[::-1]]), np.stack([N, N])
        together = formula(x, n)
        for i in range(2):
            for part in PARTS:
                np.testing.assert_array_equal(getattr(together, part)[i], getattr(formula(x[i], n[i]), part))


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


@pytest.mark.parametrize("formula", [p_limits, np_limits, p_probability_limits, np_probability_limits])
def test_a_proportion_above_one_is_refused(formula: Callable[..., Limits]) -> None:
    with pytest.raises(OptionError, match=r"centre_line holds 4\.0; give values from 0 to 1\."):
        formula(X, N, centre_line=4)


@pytest.mark.parametrize("formula", [p_limits, np_limits, u_limits])
def test_nsigma_must_be_above_zero(formula: Callable[..., Limits]) -> None:
    with pytest.raises(OptionError, match=r"nsigma=0 is not allowed; give a finite number > 0"):
        formula(X, N, nsigma=0)
