"""Gap limits against enumeration of both counts; no published worked example of such limits was found."""

from fractions import Fraction
from math import comb, exp, factorial, inf

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.gap_chances import chance_gap_above, gap_tails, undefined_ratio
from qi_equity.formulas.gap_change import ratio_of_ratios, square_and_add
from qi_equity.formulas.gap_limits import gap_limits, gap_of, mean_gap_limits
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.mean_intervals import mean_interval
from qi_equity.formulas.probability_limits import p_probability_limits, u_probability_limits
from qi_equity.formulas.proportion_intervals import wilson_interval

TAIL = 0.01


def binomial(n, p):
    return {x: comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)}


def poisson(n, p):
    return {x: exp(-n * p) * (n * p) ** x / factorial(x) for x in range(40)}


def enumerated(counts, scale, n, p, m, q):
    """Chance of every gap, and of an undefined ratio."""
    chances, undefined = {}, 0.0
    for x, own in counts(n, p).items():
        for y, other in counts(m, q).items():
            if scale == "difference":
                gap = Fraction(x, n) - Fraction(y, m)
            elif y:
                gap = Fraction(x, n) / Fraction(y, m)
            elif x:
                gap = inf
            else:
                undefined += own * other
                continue
            chances[gap] = chances.get(gap, 0.0) + own * other
    return chances, undefined


@pytest.mark.parametrize("scale", ["difference", "ratio"])
@pytest.mark.parametrize(("kind", "counts"), [("proportion", binomial), ("rate", poisson)])
def test_limits_and_tails_are_those_of_all_pairs_of_counts(scale, kind, counts):
    rng = np.random.default_rng(20)
    for _ in range(12):
        n, m = (int(k) for k in rng.integers(1, 13, 2))
        p, q = rng.uniform(0.03, 0.6, 2)
        chances, undefined = enumerated(counts, scale, n, p, m, q)
        gaps = sorted(chances)[:400]
        low, high = gap_tails([float(g) for g in gaps], p, n, q, m, scale=scale, kind=kind)
        limits = gap_limits(p, n, q, m, scale=scale, kind=kind, tail=TAIL)
        ordered = np.array([chances[g] for g in sorted(chances)])
        at_most, at_least = np.cumsum(ordered), np.cumsum(ordered[::-1])[::-1]
        np.testing.assert_allclose(low, at_most[: len(gaps)], rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(high, at_least[: len(gaps)], rtol=1e-9, atol=1e-13)
        values = np.array([float(g) for g in gaps])
        np.testing.assert_array_equal(values > limits.upper, at_least[: len(gaps)] < TAIL)
        np.testing.assert_array_equal(values < limits.lower, at_most[: len(gaps)] < TAIL)
        if scale == "ratio":
            assert undefined_ratio(p, n, q, m, kind=kind)[0] == pytest.approx(undefined, rel=1e-9)


@pytest.mark.parametrize("scale", ["difference", "ratio"])
def test_chance_above_the_centre_line_is_that_of_all_pairs(scale):
    n, p, m, q = 9, 0.21, 14, 0.1
    chances, _ = enumerated(binomial, scale, n, p, m, q)
    line = p - q if scale == "difference" else p / q
    above = sum(c for g, c in chances.items() if g > line)
    below = sum(c for g, c in chances.items() if g < line)
    assert chance_gap_above(p, n, q, m, scale=scale)[0] == pytest.approx(above / (above + below), rel=1e-10)


def test_a_point_on_its_centre_line_is_on_neither_side():
    # 1/5 of 5 against 1/5 of 10: a difference of exactly 0 has a chance of its own.
    chances, _ = enumerated(binomial, "difference", 5, 0.2, 10, 0.2)
    above = sum(c for g, c in chances.items() if g > 0) / (1 - chances[Fraction(0)])
    assert chance_gap_above(0.2, 5, 0.2, 10, scale="difference")[0] == pytest.approx(above, rel=1e-10)


def test_beside_a_target_only_the_group_varies():
    births = np.array([40, 90, 300])
    limits = gap_limits(0.06, births, 0.04, inf, scale="difference")
    alone = p_probability_limits([0, 0, 0], births, centre_line=0.06)
    for x in range(41):
        gap = x / births - 0.04
        np.testing.assert_array_equal(gap > limits.upper, x / births > alone.upper)
        np.testing.assert_array_equal(gap < limits.lower, x / births < alone.lower)
    np.testing.assert_allclose(limits.sigma, alone.sigma, rtol=1e-12)
    ratio = gap_limits(0.06, births, 0.04, inf, scale="ratio")
    np.testing.assert_array_equal(20 / births / 0.04 > ratio.upper, 20 / births > alone.upper)
    assert (undefined_ratio(0.06, births, 0.04, inf) == 0).all()


def test_beside_a_target_of_rates_only_the_group_varies():
    alone = u_probability_limits([0], [50], centre_line=0.1)
    limits = gap_limits(0.1, 50, 0.08, inf, scale="difference", kind="rate")
    for x in range(25):
        assert (x / 50 - 0.08 > limits.upper[0]) == (x / 50 > alone.upper[0])


def test_a_target_of_zero_leaves_the_group_alone():
    limits = gap_limits(0.06, 90, 0.0, inf, scale="difference")
    alone = p_probability_limits([0], [90], centre_line=0.06)
    assert (np.arange(30) / 90 > limits.upper).sum() == (np.arange(30) / 90 > alone.upper).sum()
    assert np.isnan(gap_limits(0.06, 90, 0.0, inf, scale="ratio").upper[0])


def test_large_counts_come_near_the_normal_limits():
    limits = gap_limits(0.3, 40_000, 0.25, 90_000, scale="difference")
    z = (limits.upper - limits.centre_line) / limits.sigma
    assert z[0] == pytest.approx(3, abs=0.02)
    sigma = np.sqrt(0.3 * 0.7 / 40_000 + 0.25 * 0.75 / 90_000)
    assert limits.sigma[0] == pytest.approx(sigma, rel=1e-12)


def test_portions_of_any_width_give_what_each_gives_alone():
    rng = np.random.default_rng(3)
    n, m = rng.integers(5, 3000, (2, 60))
    together = gap_limits(0.05, n, 0.04, m * 50, scale="ratio")
    alone = [gap_limits(0.05, a, 0.04, b * 50, scale="ratio").upper[0] for a, b in zip(n, m, strict=True)]
    np.testing.assert_array_equal(together.upper, alone)


def test_a_ratio_says_when_it_cannot_signal():
    few = gap_limits(0.04, 30, 0.04, 30, scale="ratio")
    assert few.lower[0] == 0
    assert np.isinf(few.upper[0])
    many = gap_limits(0.04, 3000, 0.04, 3000, scale="ratio")
    assert 0 < many.lower[0] < 1 < many.upper[0] < 2


@pytest.mark.parametrize(
    ("rate", "size", "reference_rate", "reference_size"),
    [(0.0, 30, 0.1, 90), (1.0, 30, 0.1, 90), (0.1, 30, 0.0, 90), (0.1, 30, 1.0, 90), (0.1, 0, 0.1, 90),
     (0.1, np.nan, 0.1, 90), (0.1, 30, 0.1, 0), (np.nan, 30, 0.1, 90)],
)  # fmt: skip
def test_what_leaves_no_chance_has_no_limits(rate, size, reference_rate, reference_size):
    for scale in ("difference", "ratio"):
        limits = gap_limits(rate, size, reference_rate, reference_size, scale=scale)
        assert np.isnan(limits.lower[0])
        assert np.isnan(limits.upper[0])
    assert np.isnan(chance_gap_above(rate, size, reference_rate, reference_size, scale="difference")[0])


def test_gap_of_ratios_says_where_nothing_is_divided():
    np.testing.assert_array_equal(gap_of([0.1, 0.1, 0], [0.2, 0, 0], scale="ratio"), [0.5, inf, np.nan])
    np.testing.assert_allclose(gap_of([0.1], [0.2], scale="difference"), [-0.1])


def test_means_are_welch_and_fieller():
    limits = mean_gap_limits([10.0], [1.0], [8.0], [2.0], scale="difference", tail=0.02)
    z = stats.norm.isf(0.02)
    np.testing.assert_allclose([limits.lower, limits.upper], [[2 - z * 5**0.5], [2 + z * 5**0.5]])
    ratio = mean_gap_limits([10.0], [0.4], [8.0], [0.3], scale="ratio", tail=0.02)
    for end, way in ((ratio.upper[0], 1), (ratio.lower[0], -1)):
        # The chance that the ratio of two normal means lies beyond its limit, from its linear form.
        spread = np.hypot(0.4, end * 0.3)
        assert stats.norm.sf(way * (end * 8.0 - 10.0) / spread) == pytest.approx(0.02, rel=1e-9)
    assert ratio.sigma[0] == pytest.approx(np.hypot(0.4, 1.25 * 0.3) / 8)
    assert np.isnan(mean_gap_limits([10.0], [0.4], [1.0], [0.5], scale="ratio").upper[0])


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"rate": 1.2}, OptionError, "rate holds 1.2; give values from 0 to 1"),
        ({"reference_rate": -0.1}, OptionError, "reference_rate holds -0.1"),
        ({"size": 30.5}, OptionError, "size holds 30.5; exact limits need whole numbers of births"),
        ({"reference_size": -1, "kind": "rate"}, OptionError, "an exposure of 0 or more"),
        ({"scale": "odds"}, OptionError, "scale='odds'"),
        ({"kind": "mean"}, OptionError, "kind='mean'"),
        ({"tail": 0.5}, OptionError, "tail=0.5"),
        ({"rate": "much"}, InputTypeError, "rate"),
    ],
)
def test_errors_name_the_argument(change, error, text):
    given = {"rate": 0.1, "size": 30, "reference_rate": 0.1, "reference_size": 90, "scale": "difference"}
    with pytest.raises(error, match=text):
        gap_limits(**(given | change))


def test_square_and_add_of_wilson_limits_is_newcombes_published_example():
    """56/70 against 48/80, Newcombe 1998 (Stat Med 17:873), table II, method 10: 0.0524 to 0.3339."""
    gap = square_and_add([wilson_interval(56, 70), wilson_interval(48, 80)], [1, -1])
    ends = [gap.estimate[0], gap.lower[0], gap.upper[0]]
    np.testing.assert_allclose(ends, [0.2, 0.0524, 0.3339], atol=5e-5)


def test_a_change_of_a_gap_adds_all_four_distances():
    rates = [Interval(*map(np.array, t)) for t in ((5, 3, 8), (2, 1, 4), (6, 5, 9), (1, 0.5, 3))]
    found = square_and_add(rates, [1, -1, -1, 1])
    assert found.estimate == 5 - 2 - 6 + 1
    assert found.lower == pytest.approx(-2 - np.sqrt(2**2 + 2**2 + 3**2 + 0.5**2))
    assert found.upper == pytest.approx(-2 + np.sqrt(3**2 + 1**2 + 1**2 + 2**2))
    with pytest.raises(OptionError, match="signs"):
        square_and_add(rates, [1, -1])
    with pytest.raises(OptionError, match="signs"):
        square_and_add(rates[:1], [2])


def test_ratio_of_ratios_adds_the_variances_of_the_logarithms():
    x, n = np.array([12, 30, 20, 28]), np.array([200, 900, 210, 880])
    found = ratio_of_ratios(x, n, [1, -1, -1, 1])
    log = sum(s * np.log((a + 0.5) / (b + 0.5)) for s, a, b in zip((1, -1, -1, 1), x, n, strict=True))
    half = stats.norm.isf(0.025) * np.sqrt((1 / (x + 0.5) - 1 / (n + 0.5)).sum())
    assert found.estimate == pytest.approx((12 / 200) / (30 / 900) / ((20 / 210) / (28 / 880)))
    np.testing.assert_allclose([found.lower, found.upper], np.exp([log - half, log + half]))


def test_ratio_of_ratios_of_published_rate_ratios():
    """Knight 2020: black against white women 2.59, then 5.27: 2.03 times as much (the ratio alone)."""
    assert ratio_of_ratios([5.27, 1, 2.59, 1], np.inf, [1, -1, -1, 1]).estimate == pytest.approx(
        2.03, abs=5e-3
    )


def test_ratios_hold_their_estimate_and_say_what_is_not_known():
    none = ratio_of_ratios([0, 4], [50, 60], [1, -1])
    assert none.estimate == none.lower == 0
    assert none.upper > 0
    endless = ratio_of_ratios([4, 0], [50, 60], [1, -1])
    assert np.isinf(endless.estimate)
    assert np.isinf(endless.upper)
    gone = ratio_of_ratios([4, 2], [50, np.nan], [1, -1])
    assert np.isnan([gone.estimate, gone.lower, gone.upper]).all()
    with pytest.raises(OptionError, match="signs"):
        ratio_of_ratios([1, 2], 10, [1])


def test_ratio_of_rates_and_means():
    rates = ratio_of_ratios([8, 20], [5.5, 40.0], [1, -1], kind="rate")
    half = stats.norm.isf(0.025) * np.sqrt(1 / 8.5 + 1 / 20.5)
    assert rates.lower == pytest.approx((8.5 / 5.5) / (20.5 / 40) * np.exp(-half))
    means = ratio_of_ratios([30.0, 20.0], [25, 16], [1, -1], kind="mean", spread=[5.0, 4.0])
    half = stats.norm.isf(0.025) * np.sqrt(25 / (25 * 900) + 16 / (16 * 400))
    assert means.upper == pytest.approx(1.5 * np.exp(half))
    assert np.isfinite(mean_interval(30.0, 5.0, 25).lower)
