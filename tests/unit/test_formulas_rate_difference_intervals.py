"""Differences of rates: from the limits of each by the formula, and the score interval by its definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import optimize, stats

from qi_equity.errors import OptionError
from qi_equity.formulas.rate_difference_intervals import rate_difference, score_rate_difference
from qi_equity.formulas.rate_intervals import byar_rate_interval, exact_rate_interval, mid_p_rate_interval

PAIRS = [
    (x, e, x0, e0) for x, x0 in itertools.product((0, 1, 6), (0, 1, 9, 40)) for e, e0 in ((28, 294), (1, 1))
]
LIMITS = {"mid-p": mid_p_rate_interval, "exact": exact_rate_interval, "byar": byar_rate_interval}


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("pair", PAIRS)
def test_from_the_limits_of_each(pair, limits):
    x, e, x0, e0 = pair
    one, two = LIMITS[limits](x, e), LIMITS[limits](x0, e0)
    r, r0 = x / e, x0 / e0
    low = r - r0 - np.sqrt((r - one.lower[0]) ** 2 + (two.upper[0] - r0) ** 2)
    high = r - r0 + np.sqrt((one.upper[0] - r) ** 2 + (r0 - two.lower[0]) ** 2)
    found = rate_difference(*pair, limits=limits)
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [low, high], rtol=1e-9)
    assert found.estimate[0] == pytest.approx(r - r0)


def excess(delta, wanted, x, e, x0, e0):
    """How far the squared score test is beyond what is wanted, times the variance."""

    def slope(r):
        return (x / (r + delta) if x else 0) - e + (x0 / r if x0 else 0) - e0

    low, near = max(0, -delta), 1e-13
    if slope(low + near) <= 0:
        r0 = low
    else:
        r0 = optimize.brentq(slope, low + near, low + (x + x0) / (e + e0) * 50 + 1, xtol=1e-16, rtol=1e-14)
    return (x / e - x0 / e0 - delta) ** 2 - wanted * ((r0 + delta) / e + r0 / e0)


@pytest.mark.parametrize("pair", PAIRS)
def test_score_by_its_definition(pair):
    found, z2 = score_rate_difference(*pair), stats.norm.ppf(0.975) ** 2
    observed = pair[0] / pair[1] - pair[2] / pair[3]
    step = 1e-6 * max(found.upper[0] - found.lower[0], 1e-9)
    assert found.lower[0] < observed < found.upper[0]
    for end, outward in ((found.lower[0], -1), (found.upper[0], 1)):
        assert excess(end - outward * step, z2, *pair) < 0 < excess(end + outward * step, z2, *pair)


def test_score_to_many_digits():
    pair, z2 = (6, 28, 9, 294), stats.norm.ppf(0.975) ** 2
    observed = 6 / 28 - 9 / 294
    ends = [
        optimize.brentq(excess, *bracket, args=(z2, *pair), xtol=1e-16, rtol=1e-14)
        for bracket in ((-1, observed), (observed, 2))
    ]
    found = score_rate_difference(*pair)
    np.testing.assert_allclose([found.lower[0], found.upper[0]], ends, rtol=1e-9)


def test_score_without_any_event_is_known_in_closed_form():
    """A rate r of one group only has the squared score r e, so the ends are z squared over the exposure."""
    found, z2 = score_rate_difference(0, [1, 28, 700], 0, [1, 294, 3]), stats.norm.ppf(0.975) ** 2
    np.testing.assert_allclose(found.lower, -z2 / np.array([1, 294, 3]), rtol=1e-12)
    np.testing.assert_allclose(found.upper, z2 / np.array([1, 28, 700]), rtol=1e-12)


@pytest.mark.parametrize("function", [rate_difference, score_rate_difference])
def test_without_exposure(function):
    found = function([1, 0, np.nan], [0, 10, 10], [1, 0, 1], [10, 10, 10])
    np.testing.assert_array_equal(found.estimate, [np.nan, 0, np.nan])
    np.testing.assert_array_equal(np.isnan(found.lower), [True, False, True])
    assert found.lower[1] == -found.upper[1] < 0


def test_refused():
    with pytest.raises(OptionError, match=r"limits='midp' is not allowed.*Did you mean 'mid-p'"):
        rate_difference(1, 10, 1, 10, limits="midp")
    with pytest.raises(OptionError, match=r"reference_exposure holds -1\.0"):
        score_rate_difference(1, 10, 1, -1)
