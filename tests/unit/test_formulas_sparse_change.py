"""Exact intervals of a change: scalar enumeration with a root search, epitools, and exact coverage.

No published worked example of the mid-P interval of an odds ratio was found.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, special, stats

from qi_equity.errors import OptionError
from qi_equity.formulas import _sparse_tail
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.ratio_intervals import mid_p_rate_ratio
from qi_equity.formulas.sparse_change import (
    along_the_margin,
    conditional_odds_ratio,
    conditional_p,
    conditional_rate_p,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "reference" / "sparse_change.json").read_text("utf-8"))
CASES = [pytest.param(c, id=c["id"]) for c in GOLDEN["oddsratio_midp"]]
TABLES = [
    (x, n, x0, n0)
    for n, n0 in ((5, 7), (12, 28), (28, 294), (400, 60))
    for x, x0 in itertools.product((0, 1, n // 2, n - 1, n), (0, 1, n0 // 3, n0 - 1, n0))
]
COUNTS = np.array(TABLES, dtype=float).T


def tails(log_ratio, x, n, x0, n0):
    """The mid-P tails, few and many, one count at a time."""
    total = x + x0
    counts = range(max(0, total - n0), min(n, total) + 1)
    logs = [
        -special.betaln(n - k + 1, k + 1)
        - np.log(n + 1)
        - special.betaln(n0 - total + k + 1, total - k + 1)
        - np.log(n0 + 1)
        + (k - x) * log_ratio
        for k in counts
    ]
    chance = np.exp(np.array(logs) - special.logsumexp(logs))
    half = chance[x - counts.start] / 2
    return chance[: x - counts.start].sum() + half, chance[x - counts.start + 1 :].sum() + half


def end_of(table, which, tail):
    """The logarithm of the odds ratio at which a mid-P tail is as wanted."""
    return optimize.brentq(lambda log: tails(log, *table)[which] - tail, -25, 25, xtol=1e-14, rtol=1e-14)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_ends_by_enumeration(confidence):
    found = conditional_odds_ratio(*COUNTS, confidence=confidence)
    alpha = 1 - confidence
    for table, low, high in zip(TABLES, found.lower, found.upper, strict=True):
        x, n, x0, n0 = table
        assert (low == 0) == (x == 0 or x0 == n0)
        assert np.isinf(high) == (x == n or x0 == 0)
        for end, which in ((low, 1), (high, 0)):
            if 0 < end < np.inf:
                assert end == pytest.approx(np.exp(end_of(table, which, alpha / 2)), rel=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_epitools(case):
    found = conditional_odds_ratio(*case["counts"], confidence=case["confidence"])
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [case["lower"], case["upper"]], rtol=4e-3)
    assert conditional_p(*case["counts"])[0] == pytest.approx(case["p_midp"], rel=1e-9, abs=1e-14)


def test_p_by_enumeration_and_with_the_interval():
    p = conditional_p(*COUNTS)
    for table, value in zip(TABLES, p, strict=True):
        assert value == pytest.approx(min(1, 2 * min(tails(0.0, *table))), rel=1e-9)
    found = conditional_odds_ratio(*COUNTS)
    np.testing.assert_array_equal(p < 0.05, (found.lower > 1) | (found.upper < 1))


def test_p_of_an_extreme_large_table():
    """Two-sided mid-P from the hypergeometric distribution of scipy."""
    x, n, x0, n0 = 300, 5000, 2000, 9000
    law = stats.hypergeom(n + n0, n, x + x0)
    assert conditional_p(x, n, x0, n0)[0] == pytest.approx(2 * law.cdf(x) - law.pmf(x), rel=1e-7)


def test_large_counts_come_to_the_wald_interval():
    x, n, x0, n0 = 20_000, 1_000_000, 21_000, 1_000_000
    found = conditional_odds_ratio(x, n, x0, n0)
    se = np.sqrt(1 / x + 1 / (n - x) + 1 / x0 + 1 / (n0 - x0))
    wanted = found.estimate * np.exp([-1.959964 * se, 1.959964 * se])
    np.testing.assert_allclose([found.lower[0], found.upper[0]], wanted, rtol=2e-5)


def test_zero_cells_and_what_is_not_known():
    found = conditional_odds_ratio(
        [0, 0, 3, 5, 0, 5, np.nan], 5, [0, 2, 0, 2, 0, 7, 1], [7, 7, 7, 7, 0, 7, 7]
    )
    np.testing.assert_array_equal(found.estimate, [np.nan, 0, np.inf, np.inf, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found.lower[[0, 1, 5]], 0)
    np.testing.assert_array_equal(found.upper[[0, 2, 3, 5]], np.inf)
    assert np.isnan(found.lower[[4, 6]]).all()
    assert np.isnan(found.upper[[4, 6]]).all()
    np.testing.assert_array_equal(conditional_p([0, 5, np.nan], 5, [0, 7, 1], 7), [1, 1, np.nan])


def test_tables_in_portions_are_each_alone(monkeypatch):
    together = conditional_odds_ratio(*COUNTS)
    monkeypatch.setattr(_sparse_tail, "_CELLS_AT_ONCE", 10)
    portions = conditional_odds_ratio(*COUNTS)
    np.testing.assert_allclose(portions.lower, together.lower, rtol=1e-12)
    np.testing.assert_allclose(portions.upper, together.upper, rtol=1e-12)
    shaped = conditional_odds_ratio(*(c.reshape(4, 25) for c in COUNTS))
    np.testing.assert_allclose(shaped.lower.ravel(), together.lower, rtol=1e-12)


def test_refused():
    with pytest.raises(OptionError, match=r"events holds 1\.5; an exact interval counts whole events"):
        conditional_odds_ratio(1.5, 5, 1, 7)
    with pytest.raises(OptionError, match=r"events holds 6\.0 where births holds 5\.0"):
        conditional_p(6, 5, 1, 7)
    with pytest.raises(OptionError, match="kind='mean' is not allowed"):
        along_the_margin(Interval(*np.ones((3, 1))), 1, 5, 1, 7, kind="mean")


def likeliest(ratio, x, n, x0, n0):
    """The two proportions of greatest likelihood at an odds ratio, by a search along a logit."""

    def score(base):
        return x + x0 - n * special.expit(base + np.log(ratio)) - n0 * special.expit(base)

    base = optimize.brentq(score, -80, 80, xtol=1e-14)
    return special.expit(base + np.log(ratio)), special.expit(base)


@pytest.mark.parametrize("ratio", [1e-9, 0.2, 1.0, 3.0, 1e9])
@pytest.mark.parametrize("table", [(2, 60, 9, 80), (50, 60, 70, 75), (1, 500, 0, 20)])
def test_the_margin_holds_the_likeliest_proportions(ratio, table):
    at = np.array([ratio])
    found, difference = along_the_margin(Interval(at, at, at), *table)
    p, p0 = likeliest(ratio, *table)
    assert found.estimate[0] == pytest.approx(p / p0, rel=1e-9)
    assert difference.estimate[0] == pytest.approx(p - p0, rel=1e-9, abs=1e-15)


def test_at_the_sample_odds_ratio_stand_the_sample_proportions():
    x, n, x0, n0 = COUNTS[:, (COUNTS[0] > 0) & (COUNTS[2] > 0)]
    ratio, difference = along_the_margin(conditional_odds_ratio(x, n, x0, n0), x, n, x0, n0)
    np.testing.assert_allclose(ratio.estimate, x / n * n0 / x0, rtol=1e-9)
    np.testing.assert_allclose(difference.estimate, x / n - x0 / n0, rtol=1e-9, atol=1e-14)


def test_ends_of_the_odds_ratio_and_corner():
    """By hand: distances squared and added, with the Wilson interval of the total, cut at the corner."""
    table = (2, 120, 14, 130)
    odds = conditional_odds_ratio(*table)
    ratio, difference = along_the_margin(odds, *table)
    wilson = np.array(stats.binomtest(16, 250).proportion_ci(method="wilson")) * 250

    def pair(psi, total):
        share = optimize.brentq(lambda m: m * (130 - total + m) - psi * (120 - m) * (total - m), 0, total)
        return share / 120, (total - share) / 130

    middle, psi = odds.estimate[0], odds.upper[0]
    for found, contrast in (
        (difference.upper[0], lambda p, q: p - q),
        (np.log(ratio.upper[0]), lambda p, q: np.log(p / q)),
    ):
        here = contrast(*pair(middle, 16))
        far = max(contrast(*pair(middle, t)) for t in wilson)
        end = here + np.hypot(contrast(*pair(psi, 16)) - here, far - here)
        corner = max(contrast(*pair(psi, t)) for t in wilson)
        assert found == pytest.approx(min(end, corner), rel=1e-8)


def test_the_margin_without_events_or_without_births_free_of_them():
    counts = ([0, 60, 0, 3], 60, [0, 80, 9, 0], 80)
    ratio, difference = along_the_margin(conditional_odds_ratio(*counts), *counts)
    assert np.isnan(ratio.estimate[0])
    assert ratio.estimate[1] == 1
    np.testing.assert_array_equal(
        [ratio.lower[0], ratio.lower[2], ratio.upper[0], ratio.upper[3]], [0, 0, np.inf, np.inf]
    )
    most = stats.norm.ppf(0.975) ** 2 / (140 + stats.norm.ppf(0.975) ** 2) * 140
    assert (difference.lower[0], difference.upper[0]) == pytest.approx((-most / 80, most / 60))
    assert 0 < ratio.lower[1] < 1 < ratio.upper[1]
    assert difference.lower[1] < 0 < difference.upper[1]


def test_the_corner_keeps_the_side_of_the_odds_ratio():
    """Of 200,000 random tables 3,043 would say "fell" on one scale alone without it; two of them."""
    counts = ([1, 0], [91, 138], [8, 4], [117, 82])
    odds = conditional_odds_ratio(*counts)
    ratio, difference = along_the_margin(odds, *counts)
    assert (odds.upper < 1).all()
    assert (ratio.upper < 1).all()
    assert (difference.upper < 0).all()


def test_rates_along_the_margin():
    counts = (4, 900.5, 15, 800.0)
    given = mid_p_rate_ratio(*counts)
    ratio, difference = along_the_margin(given, *counts, kind="rate")
    assert ratio.equals(given)
    assert difference.estimate[0] == pytest.approx(4 / 900.5 - 15 / 800)
    assert difference.lower[0] < difference.estimate[0] < difference.upper[0] < 0


def test_coverage_of_all_three_scales_by_enumeration():
    """Exact, over all tables: 60 and 120 births at 3 and 6 %."""
    n, n0, p, p0 = 60, 120, 0.03, 0.06
    x, x0 = (a.ravel() for a in np.meshgrid(np.arange(16), np.arange(31)))
    weight = stats.binom.pmf(x, n, p) * stats.binom.pmf(x0, n0, p0)
    odds = conditional_odds_ratio(x, n, x0, n0)
    ratio, difference = along_the_margin(odds, x, n, x0, n0)
    true = (p * (1 - p0) / (p0 * (1 - p)), p / p0, p - p0)
    for found, value in zip((odds, ratio, difference), true, strict=True):
        assert 0.95 < weight[(found.lower <= value) & (value <= found.upper)].sum() < 0.99


def test_p_of_rates_by_enumeration_and_with_the_interval():
    x, x0 = (a.ravel().astype(float) for a in np.meshgrid(np.arange(7), np.arange(9)))
    found = conditional_rate_p(x, 900, x0, 2100)
    for p, own, other in zip(found, x, x0, strict=True):
        total = int(own + other)
        chance = stats.binom.pmf(np.arange(total + 1), total, 0.3)
        few, many = chance[: int(own)].sum(), chance[int(own) + 1 :].sum()
        assert p == pytest.approx(min(1, 2 * min(few, many) + chance[int(own)]), abs=1e-12)
    interval = mid_p_rate_ratio(x, 900, x0, 2100)
    outside = (interval.lower > 1) | (interval.upper < 1)
    assert (outside == (found < 0.05)).all()
    assert outside.any()


def test_p_of_rates_without_exposure_and_of_effective_counts():
    assert np.isnan(conditional_rate_p([1, np.nan], [0, 5], 2, 10)).all()
    between = conditional_rate_p([4, 4.5, 5], 100, 12, 100)
    assert (np.diff(between) > 0).all()
    with pytest.raises(OptionError, match="events holds -1"):
        conditional_rate_p(-1, 5, 1, 5)


def test_each_cell_has_its_own_confidence():
    counts = ([2, 2, 0], [120, 120, 50], [14, 14, 5], [130, 130, 60])
    levels = np.array([0.9, 0.99, 0.95])
    together = conditional_odds_ratio(*counts, confidence=levels)
    ratio, difference = along_the_margin(together, *counts, confidence=levels)
    for k, level in enumerate(levels):
        one = [c[k] for c in counts]
        alone = conditional_odds_ratio(*one, confidence=level)
        margins = along_the_margin(alone, *one, confidence=level)
        for several, single in zip((together, ratio, difference), (alone, *margins), strict=True):
            assert several.lower[k] == single.lower[0]
            assert several.upper[k] == single.upper[0]
    assert together.upper[1] > together.upper[0]
    with pytest.raises(OptionError, match=r"confidence holds 1\.0; give numbers between 0 and 1"):
        conditional_odds_ratio(*counts, confidence=[0.9, 1.0, 0.9])


@pytest.mark.parametrize("widened", [1.0, 1.7, 4.2, 6.5])
def test_a_widened_interval_by_enumeration(widened):
    """Also where its level of confidence would round to 1: as with one period to spare, t is 12.7."""
    table = (3, 70, 14, 80)
    found = conditional_odds_ratio(*table, widened=widened)
    tail = stats.norm.sf(stats.norm.ppf(0.975) * widened)

    def log_tail(log, which):
        counts = np.arange(0, 18)
        logs = counts * log
        for n, k in ((70, counts), (80, 17 - counts)):
            logs = logs + special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
        inside = (counts > 3) if which else (counts < 3)
        weights = logs + np.where(inside, 0.0, np.where(counts == 3, np.log(0.5), -np.inf))
        return special.logsumexp(weights) - special.logsumexp(logs) - np.log(tail)

    for end, which in ((found.lower[0], 1), (found.upper[0], 0)):
        expected = optimize.brentq(log_tail, -150, 150, args=(which,), xtol=1e-13)
        assert np.log(end) == pytest.approx(expected, rel=1e-9)


def test_the_widest_interval_is_finite_and_widening_is_checked():
    many, few = (conditional_odds_ratio(9, 500, 200, 1000, widened=w) for w in (50.0, 10.1))
    assert many.lower < few.lower
    assert np.isfinite(many.upper)
    with pytest.raises(OptionError, match=r"widened holds 0\.0; give numbers above 0"):
        conditional_odds_ratio(1, 10, 2, 10, widened=0)
