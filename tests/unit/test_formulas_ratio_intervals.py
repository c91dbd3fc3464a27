"""Risk and rate ratios against the tests they invert, one by one, against scipy and against statsmodels."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep, score_test_proportions_2indep

from qi_equity.errors import OptionError
from qi_equity.formulas.ratio_intervals import (
    exact_rate_ratio,
    log_adjusted_risk_ratio,
    mid_p_rate_ratio,
    score_risk_ratio,
)

PAIRS = [
    (x, n, x0, n0)
    for n, n0 in ((5, 7), (12, 28), (28, 294))
    for x, x0 in itertools.product((0, 1, 2, n // 2, n - 1, n), (0, 1, 9, n0 // 3, n0 - 1, n0))
    if x0 <= n0
]
COUNTS = np.array(PAIRS, dtype=float).T


def excess(ratio, wanted, x, n, x0, n0):
    """How far the squared score test is beyond what is wanted, times the variance."""

    def slope(p):
        parts = ((x, p, 1), (n - x, 1 / ratio - p, -1), (x0, p, 1), (n0 - x0, 1 - p, -1))
        return sum(sign * count / chance for count, chance, sign in parts if count)

    most = min(1, 1 / ratio)
    near = most * 1e-13
    if slope(near) <= 0:
        p0 = 0.0
    elif slope(most - near) >= 0:
        p0 = most
    else:
        p0 = optimize.brentq(slope, near, most - near, xtol=1e-16, rtol=1e-14)
    p = ratio * p0
    variance = p * (1 - p) / n + ratio**2 * p0 * (1 - p0) / n0
    return (x / n - ratio * x0 / n0) ** 2 - wanted * (n + n0) / (n + n0 - 1) * variance


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_score_by_its_definition(confidence):
    found = score_risk_ratio(*COUNTS, confidence=confidence)
    wanted = stats.norm.ppf((1 + confidence) / 2) ** 2
    for pair, low, high in zip(PAIRS, found.lower, found.upper, strict=True):
        assert (low == 0) == (pair[0] == 0)
        assert np.isinf(high) == (pair[2] == 0)
        if low:
            assert excess(low * 1.000001, wanted, *pair) < 0 < excess(low * 0.999999, wanted, *pair)
        if np.isfinite(high):
            assert excess(high * 0.999999, wanted, *pair) < 0 < excess(high * 1.000001, wanted, *pair)


INSIDE = [pair for pair in PAIRS if 0 < pair[0] < pair[1] and 0 < pair[2] < pair[3]]


@pytest.mark.parametrize("pair", INSIDE[::2])
def test_score_of_statsmodels(pair):
    """Its search is exact to about 1e-8 only."""
    found = score_risk_ratio(*pair)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = confint_proportions_2indep(*pair, compare="ratio", method="score")
    np.testing.assert_allclose([found.lower[0], found.upper[0]], wanted, rtol=1e-6)


def test_search_of_statsmodels_stops_too_early_where_every_birth_has_the_event():
    """Its own test statistic says that the limit is ours, not the end of its search."""
    pair, z2 = (5, 5, 1, 7), stats.norm.ppf(0.975) ** 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = confint_proportions_2indep(*pair, compare="ratio", method="score")[0]
    ours = score_risk_ratio(*pair).lower[0]
    squared = [
        score_test_proportions_2indep(*pair, value=end, compare="ratio").statistic ** 2
        for end in (ours, theirs)
    ]
    assert squared[0] == pytest.approx(z2, rel=1e-9)
    assert squared[1] < 0.9 * z2


def test_log_adjusted_of_statsmodels():
    found = log_adjusted_risk_ratio(*COUNTS)
    for pair, low, high in zip(PAIRS, found.lower, found.upper, strict=True):
        wanted = confint_proportions_2indep(*pair, compare="ratio", method="log-adjusted")
        if pair[0] == pair[1] and pair[2] == pair[3]:
            assert np.isnan(low)
            assert np.isnan(high)
        else:
            np.testing.assert_allclose([low, high], wanted, rtol=1e-9)


RATES = [
    (x, e, x0, e0) for x, x0 in itertools.product((0, 1, 7, 300), repeat=2) for e, e0 in ((28, 294), (9, 2))
]


def tail(odds, x, size, weight):
    """Chance of more than x events of the group, and a share of that of x itself."""
    p = odds / (1 + odds)
    return stats.binom.sf(x, size, p) + weight * stats.binom.pmf(x, size, p)


@pytest.mark.parametrize(("function", "weight"), [(exact_rate_ratio, 1.0), (mid_p_rate_ratio, 0.5)])
@pytest.mark.parametrize("pair", RATES)
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_conditional_by_its_definition(function, weight, pair, confidence):
    x, e, x0, e0 = pair
    found, size, error = function(*pair, confidence=confidence), x + x0, (1 - confidence) / 2
    assert (found.lower[0] == 0) == (x == 0)
    assert np.isinf(found.upper[0]) == (x0 == 0)
    if x:
        wanted = optimize.brentq(lambda t: tail(np.exp(t), x, size, weight) - error, -40, 40, xtol=1e-14)
        assert found.lower[0] * e / e0 == pytest.approx(np.exp(wanted), rel=1e-9)
    if x0:
        wanted = optimize.brentq(
            lambda t: 1 - tail(np.exp(t), x, size, 1 - weight) - error, -40, 40, xtol=1e-14
        )
        assert found.upper[0] * e / e0 == pytest.approx(np.exp(wanted), rel=1e-9)


def test_mid_p_of_one_group_without_events_is_known_in_closed_form():
    """With no event of x0 in the group: (1 - pi)^x0 = alpha."""
    chance = 1 - 0.05 ** (1 / 45)
    found = mid_p_rate_ratio(0, 2600, 45, 150_000)
    assert found.upper[0] == pytest.approx(chance / (1 - chance) * 150_000 / 2600, rel=1e-12)


@pytest.mark.parametrize(
    "function", [score_risk_ratio, log_adjusted_risk_ratio, exact_rate_ratio, mid_p_rate_ratio]
)
def test_zero_cells(function):
    found = function([0, 0, 3, 0, np.nan], [5, 5, 5, 0, 5], [0, 2, 0, 2, 2], [7, 7, 7, 7, 7])
    np.testing.assert_array_equal(found.estimate, [np.nan, 0, np.inf, np.nan, np.nan])
    assert np.isnan([found.lower[3:], found.upper[3:]]).all()
    if function is log_adjusted_risk_ratio:
        assert np.isfinite([found.lower[:3], found.upper[:3]]).all()
    else:
        np.testing.assert_array_equal(found.lower[:2], [0, 0])
        assert found.lower[2] > 0
        np.testing.assert_array_equal(np.isinf(found.upper[:3]), [True, False, True])


@pytest.mark.parametrize("function", [score_risk_ratio, exact_rate_ratio, mid_p_rate_ratio])
def test_turned_round(function):
    pairs = np.array(RATES if function is not score_risk_ratio else PAIRS, dtype=float).T
    found, turned = function(*pairs), function(*pairs[[2, 3, 0, 1]])
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(found.lower, 1 / turned.upper, rtol=1e-12)


def test_refused():
    with pytest.raises(OptionError, match="a proportion has no more events than births"):
        score_risk_ratio(6, 5, 1, 7)
    with pytest.raises(OptionError, match=r"events holds -6\.0"):
        mid_p_rate_ratio(-6, 5, 1, 7)
