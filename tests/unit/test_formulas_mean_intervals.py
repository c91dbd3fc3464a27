"""t intervals of means, Welch's of differences and Fieller's of ratios, against scipy and by definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.mean_intervals import mean_difference, mean_interval, mean_ratio

RNG = np.random.default_rng(2)
ONE, TWO = RNG.normal(52, 9, 17), RNG.normal(45, 13, 60)


def told(values):
    return values.mean(), values.std(ddof=1), values.size


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_mean_of_scipy(confidence):
    found = mean_interval(*told(ONE), confidence=confidence)
    wanted = stats.ttest_1samp(ONE, 0).confidence_interval(confidence)
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [wanted.low, wanted.high], rtol=1e-9)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_difference_of_scipy(confidence):
    found = mean_difference(*told(ONE), *told(TWO), confidence=confidence)
    wanted = stats.ttest_ind(ONE, TWO, equal_var=False).confidence_interval(confidence)
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [wanted.low, wanted.high], rtol=1e-9)


def test_ratio_by_its_definition():
    """The ends are the ratios at which the statistic reaches the quantile."""
    (y, s, n), (y0, s0, n0) = told(ONE), told(TWO)
    v, v0, ratio = s**2 / n, s0**2 / n0, y / y0
    degrees = (v + ratio**2 * v0) ** 2 / (v**2 / (n - 1) + (ratio**2 * v0) ** 2 / (n0 - 1))
    t = stats.t.isf(0.025, degrees)

    def statistic(theta):
        return abs(y - theta * y0) / np.sqrt(v + theta**2 * v0) - t

    ends = [optimize.brentq(statistic, *bracket, xtol=1e-14) for bracket in ((0.1, ratio), (ratio, 5))]
    found = mean_ratio(y, s, n, y0, s0, n0)
    np.testing.assert_allclose([found.lower[0], found.upper[0]], ends, rtol=1e-9)
    assert found.estimate[0] == pytest.approx(ratio)


def test_ratio_to_a_mean_that_may_be_0_has_no_bounds():
    found = mean_ratio([5, 5], [1, 1], [10, 10], [0.1, 0.0], [3, 3], [10, 10])
    np.testing.assert_array_equal(found.estimate, [50, np.nan])
    np.testing.assert_array_equal(found.lower, [-np.inf, np.nan])
    np.testing.assert_array_equal(found.upper, [np.inf, np.nan])


def test_ratio_of_negative_means():
    found, mirrored = mean_ratio(*[-4, 1, 9], *[8, 1, 9]), mean_ratio(*[4, 1, 9], *[8, 1, 9])
    assert found.lower[0] == -mirrored.upper[0]
    assert found.upper[0] == -mirrored.lower[0]


def test_no_spread_is_an_interval_of_no_width():
    for function in (mean_difference, mean_ratio):
        found = function([6], [0], [5], [3], [0], [5])
        assert found.lower[0] == found.upper[0] == found.estimate[0]


def test_small_and_missing():
    mean, sd, size = [5, 5, 5, 5], [1, np.nan, np.nan, 1], [1, 10, 0, np.nan]
    found = mean_interval(mean, sd, size)
    np.testing.assert_array_equal(found.estimate, [5, 5, np.nan, np.nan])
    assert np.isnan([found.lower, found.upper]).all()
    for function in (mean_difference, mean_ratio):
        found = function(mean, sd, size, 4, 1, 20)
        assert np.isnan([found.lower, found.upper]).all()


def test_refused():
    with pytest.raises(OptionError, match=r"sd holds -1\.0; give finite numbers of 0 or more"):
        mean_interval([5], [-1], [10])
    with pytest.raises(OptionError, match=r"reference_size holds -3\.0"):
        mean_difference([5], [1], [10], [5], [1], [-3])
    with pytest.raises(InputTypeError, match="mean of type str"):
        mean_interval("five", [1], [10])
