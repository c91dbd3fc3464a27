"""Odds ratios against the score test, one by one, and against statsmodels."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep

from qi_equity.errors import OptionError
from qi_equity.formulas.odds_ratio_intervals import log_adjusted_odds_ratio, score_odds_ratio

PAIRS = [
    (x, n, x0, n0)
    for n, n0 in ((5, 7), (12, 28), (28, 294))
    for x, x0 in itertools.product((0, 1, n // 2, n - 1, n), (0, 1, n0 // 3, n0 - 1, n0))
]
COUNTS = np.array(PAIRS, dtype=float).T
INSIDE = [pair for pair in PAIRS if 0 < pair[0] < pair[1] and 0 < pair[2] < pair[3]]


def excess(log_ratio, wanted, x, n, x0, n0):
    """How far the squared score test is beyond what is wanted; its likelihood is maximised for one logit."""

    def fitted(base):
        return stats.logistic.cdf(base + log_ratio), stats.logistic.cdf(base)

    def slope(base):
        p, p0 = fitted(base)
        return x + x0 - n * p - n0 * p0

    p, p0 = fitted(optimize.brentq(slope, -60, 60, xtol=1e-14, rtol=1e-14))
    variance = (n + n0) / (n + n0 - 1) / (1 / (n * p * (1 - p)) + 1 / (n0 * p0 * (1 - p0)))
    return (x - n * p) ** 2 / variance - wanted


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_score_by_its_definition(confidence):
    found = score_odds_ratio(*COUNTS, confidence=confidence)
    wanted = stats.norm.ppf((1 + confidence) / 2) ** 2
    for pair, low, high in zip(PAIRS, found.lower, found.upper, strict=True):
        assert (low == 0) == (pair[0] == 0 or pair[2] == pair[3])
        assert np.isinf(high) == (pair[0] == pair[1] or pair[2] == 0)
        for end in (low, high):
            if 0 < end < np.inf:
                assert excess(np.log(end), wanted, *pair) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("pair", INSIDE)
def test_score_of_statsmodels(pair):
    """Its search is exact to about 1e-8 only."""
    found = score_odds_ratio(*pair)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = confint_proportions_2indep(*pair, compare="odds-ratio", method="score")
    np.testing.assert_allclose([found.lower[0], found.upper[0]], wanted, rtol=1e-6)
    assert found.estimate[0] == pytest.approx(
        stats.contingency.odds_ratio(
            [[pair[0], pair[1] - pair[0]], [pair[2], pair[3] - pair[2]]], kind="sample"
        ).statistic
    )


def test_log_adjusted_by_its_formula():
    found = log_adjusted_odds_ratio(*COUNTS, confidence=0.9)
    x, n, x0, n0 = COUNTS
    log = np.log((x + 0.5) * (n0 - x0 + 0.5) / ((n - x + 0.5) * (x0 + 0.5)))
    se = np.sqrt(1 / (x + 0.5) + 1 / (n - x + 0.5) + 1 / (x0 + 0.5) + 1 / (n0 - x0 + 0.5))
    wanted = stats.norm.interval(0.9, log, se)
    np.testing.assert_allclose([found.lower, found.upper], np.exp(wanted), rtol=1e-9)


@pytest.mark.parametrize("function", [score_odds_ratio, log_adjusted_odds_ratio])
def test_zero_cells(function):
    found = function([0, 0, 3, 5, 0, 5], [5, 5, 5, 5, 0, 5], [0, 2, 0, 2, 2, 7], [7, 7, 7, 7, 7, 7])
    np.testing.assert_array_equal(found.estimate, [np.nan, 0, np.inf, np.inf, np.nan, np.nan])
    assert np.isnan([found.lower[4], found.upper[4]]).all()
    if function is score_odds_ratio:
        np.testing.assert_array_equal(found.lower[[0, 1, 5]], 0)
        np.testing.assert_array_equal(found.upper[[0, 2, 3, 5]], np.inf)
        assert (found.lower[2:4] > 0).all()


def test_refused():
    for function in (score_odds_ratio, log_adjusted_odds_ratio):
        with pytest.raises(OptionError, match=r"events holds 6\.0 where births holds 5\.0"):
            function(6, 5, 1, 7)
