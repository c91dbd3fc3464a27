"""Differences of proportions against the tests they invert, one by one, and against statsmodels.

``confint_proportions_2indep(compare="diff", method="score")`` of statsmodels 0.15 is no reference: the third
test shows that it is wrong (statsmodels issue 10269), by a likelihood maximised without a cubic equation.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep

from qi_equity.errors import OptionError
from qi_equity.formulas.difference_intervals import (
    agresti_caffo_difference,
    miettinen_nurminen_difference,
    newcombe_difference,
)

FUNCTIONS = (newcombe_difference, miettinen_nurminen_difference, agresti_caffo_difference)
PAIRS = [
    (x, n, x0, n0)
    for n, n0 in ((5, 7), (12, 28), (28, 294))
    for x, x0 in itertools.product((0, 1, 2, n // 2, n - 1, n), (0, 1, 9, n0 // 3, n0 - 1, n0))
    if x0 <= n0
]
COUNTS = np.array(PAIRS, dtype=float).T


def likeliest(delta, x, n, x0, n0):
    """Maximise the likelihood over the proportion of the reference, given the difference."""

    def slope(p):
        parts = ((x, p + delta, 1), (n - x, 1 - p - delta, -1), (x0, p, 1), (n0 - x0, 1 - p, -1))
        return sum(sign * count / chance for count, chance, sign in parts if count)

    low, high = max(0, -delta), min(1, 1 - delta)
    near = (high - low) * 1e-13
    if slope(low + near) <= 0:
        return low
    if slope(high - near) >= 0:
        return high
    return optimize.brentq(slope, low + near, high - near, xtol=1e-16, rtol=1e-14)


def excess(delta, wanted, x, n, x0, n0):
    """How far the squared score test is beyond what is wanted, times the variance."""
    p0 = likeliest(delta, x, n, x0, n0)
    p = p0 + delta
    variance = p * (1 - p) / n + p0 * (1 - p0) / n0
    return (x / n - x0 / n0 - delta) ** 2 - wanted * (n + n0) / (n + n0 - 1) * variance


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_miettinen_nurminen_by_its_definition(confidence):
    found = miettinen_nurminen_difference(*COUNTS, confidence=confidence)
    wanted = stats.norm.ppf((1 + confidence) / 2) ** 2
    for pair, low, high in zip(PAIRS, found.lower, found.upper, strict=True):
        observed = pair[0] / pair[1] - pair[2] / pair[3]
        for end, edge in ((low, -1.0), (high, 1.0)):
            inside, outside = (end + side * 1e-7 * np.sign(observed - edge or edge) for side in (1, -1))
            assert -1 <= end <= 1
            if abs(end - edge) > 1e-9:
                assert excess(inside, wanted, *pair) < 0 < excess(outside, wanted, *pair)


def test_miettinen_nurminen_to_many_digits():
    for pair in ((3, 40, 9, 160), (1, 28, 9, 294), (12, 310, 30, 1020)):
        observed, z2 = pair[0] / pair[1] - pair[2] / pair[3], stats.norm.ppf(0.975) ** 2
        ends = [
            optimize.brentq(excess, *bracket, args=(z2, *pair), xtol=1e-15, rtol=1e-14)
            for bracket in ((-0.9, observed), (observed, 0.9))
        ]
        found = miettinen_nurminen_difference(*pair)
        np.testing.assert_allclose([found.lower[0], found.upper[0]], ends, rtol=1e-9)


def test_score_interval_of_statsmodels_is_not_where_the_test_is_at_its_limit():
    pair, z2 = (12, 310, 30, 1020), stats.norm.ppf(0.975) ** 2
    theirs = confint_proportions_2indep(*pair, compare="diff", method="score")
    ours = miettinen_nurminen_difference(*pair)
    scale = z2 / 310
    assert abs(excess(theirs[1], z2, *pair)) > 1e-4 * scale
    assert abs(excess(ours.upper[0], z2, *pair)) < 1e-12 * scale
    with pytest.raises(ValueError, match="different signs"):
        confint_proportions_2indep(1, 28, 9, 294, compare="diff", method="score")


@pytest.mark.parametrize(
    ("function", "method"), [(newcombe_difference, "newcomb"), (agresti_caffo_difference, "agresti-caffo")]
)
def test_statsmodels(function, method):
    found = function(*COUNTS)
    for pair, low, high in zip(PAIRS, found.lower, found.upper, strict=True):
        wanted = confint_proportions_2indep(*pair, compare="diff", method=method)
        np.testing.assert_allclose([low, high], np.clip(wanted, -1, 1), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_zero_cells(function):
    found = function([0, 0, 5, 5, 0, np.nan], [5, 5, 5, 5, 0, 5], [0, 7, 0, 7, 1, 1], [7, 7, 7, 7, 7, 7])
    np.testing.assert_array_equal(found.estimate, [0, -1, 1, 0, np.nan, np.nan])
    assert (found.lower[:4] < found.upper[:4]).all()
    assert found.lower[1] == -1
    assert found.upper[2] == 1
    assert (found.lower[[0, 3]] < 0).all()
    assert (found.upper[[0, 3]] > 0).all()
    assert np.isnan([found.lower[4:], found.upper[4:]]).all()


def test_many_births():
    """The root stays exact for events among very many births."""
    found = miettinen_nurminen_difference(2, 5_000_000, 9, 40_000_000)
    observed, z2 = 2 / 5e6 - 9 / 4e7, stats.norm.ppf(0.975) ** 2
    high = optimize.brentq(excess, observed, 1e-4, args=(z2, 2, 5e6, 9, 4e7), xtol=1e-20, rtol=1e-13)
    assert found.upper[0] == pytest.approx(high, rel=1e-9)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_refused(function):
    with pytest.raises(OptionError, match=r"reference_events holds 8\.0 where reference_births holds 7\.0"):
        function(1, 5, 8, 7)
    with pytest.raises(OptionError, match="confidence=2 is not allowed"):
        function(1, 5, 1, 7, confidence=2)
