"""Planning formulas against exact power by enumeration, simulated powers and a test of logarithms.

The simulated powers (quasi-binomial models with the scale floored at 1, t intervals, size 2 to 5 %) and the
powers and smallest ratios for gaps were computed independently of this library. No published table of the
smallest detectable rate ratio was found.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.detectable_change import (
    births_needed,
    births_needed_each_side,
    power_of_change,
    smallest_detectable_ratio,
    smallest_detectable_shift,
)
from qi_equity.formulas.detectable_gap_change import power_of_gap_change, smallest_detectable_gap_change
from qi_equity.formulas.ratio_intervals import mid_p_rate_ratio
from qi_equity.formulas.sparse_change import conditional_p

# Births a month, ratio of the rates (12 % before), months before and after, power.
SIMULATED = [
    (25, 0.5, 12, 12, 0.64), (25, 0.5, 24, 15, 0.85), (75, 0.5, 12, 12, 0.98), (75, 0.75, 12, 12, 0.45),
    (75, 0.75, 24, 15, 0.69), (150, 0.75, 12, 12, 0.77), (150, 0.75, 24, 15, 0.92), (300, 0.75, 12, 12, 0.97),
]  # fmt: skip
# Births a month of group and reference, rate of the group after, power: 12 v 5 %, 12 months on either side.
GAP_POWER = [
    (10, 200, 0.06, 0.34), (25, 200, 0.06, 0.64), (75, 200, 0.06, 0.94), (75, 400, 0.06, 0.97),
    (75, 400, 0.09, 0.43), (150, 400, 0.09, 0.61), (300, 400, 0.09, 0.75),
]  # fmt: skip
# The same: the smallest ratio of odds ratios where every variance is taken at the baseline rates.
GAP_AT_BASELINE = [(10, 200, 0.31), (25, 200, 0.45), (75, 400, 0.62), (150, 400, 0.68), (300, 400, 0.72)]


def exact_power(p0, p1, n0, n1):
    """The mid-P test of two binomials over all tables worth counting, in the direction of the change."""
    least, most = ([int(stats.binom.ppf(q, n, p)) for n, p in ((n1, p1), (n0, p0))] for q in (1e-9, 1 - 1e-9))
    x1, x0 = np.meshgrid(*(np.arange(max(low, 0), high + 1) for low, high in zip(least, most, strict=True)))
    right = (x1 / n1 < x0 / n0) == (p1 < p0)
    shown = (conditional_p(x1, n1, x0, n0) < 0.05) & right
    return (shown * stats.binom.pmf(x1, n1, p1) * stats.binom.pmf(x0, n0, p0)).sum()


@pytest.mark.parametrize(
    ("p0", "ratio", "n0", "n1"),
    [
        (0.12, 0.5, 300, 300), (0.12, 0.75, 900, 900), (0.06, 1.5, 600, 300), (0.3, 0.5, 120, 120),
        (0.3, 2, 60, 60), (0.06, 2, 300, 300), (0.8, 0.75, 60, 60), (0.03, 0.5, 1000, 1000),
    ],
)  # fmt: skip
def test_power_is_nearly_exact_where_either_side_expects_ten(p0, ratio, n0, n1):
    assert power_of_change(p0, ratio, n0, n1)[0] == pytest.approx(
        exact_power(p0, p0 * ratio, n0, n1), abs=0.02
    )


@pytest.mark.parametrize(
    ("p0", "ratio", "n0", "n1"),
    [
        (0.01, 0, 300, 300), (0.03, 0, 60, 60), (0.03, 0, 120, 120), (0.06, 0, 60, 60), (0.12, 0, 60, 60),
        (0.03, 0, 300, 60), (0.06, 0, 300, 60), (0.01, 2, 60, 300), (0.01, 1.5, 60, 300),
    ],
)  # fmt: skip
def test_power_of_few_events_is_the_chance_of_the_count_needed(p0, ratio, n0, n1):
    """The arcsine alone says 0.77 where the exact power of a fall from 3.6 events to none is 0.29."""
    assert power_of_change(p0, ratio, n0, n1)[0] == pytest.approx(
        exact_power(p0, p0 * ratio, n0, n1), abs=0.03
    )


@pytest.mark.parametrize(("p0", "ratio", "n0", "n1"), [(0.06, 0.25, 60, 60), (0.06, 0.25, 300, 60)])
def test_power_is_at_most_so_much_too_high_with_one_event(p0, ratio, n0, n1):
    excess = power_of_change(p0, ratio, n0, n1)[0] - exact_power(p0, p0 * ratio, n0, n1)
    assert 0 < excess < 0.16


@pytest.mark.parametrize(("births", "ratio", "before", "after", "power"), SIMULATED)
def test_simulated_power(births, ratio, before, after, power):
    """A scale floored at 1 is 1 + sqrt(2 / df) / sqrt(2 pi) on average, and t intervals are wider."""
    df = before + after - 2
    wider = (1 + np.sqrt(2 / df) * stats.norm.pdf(0)) * (stats.t.ppf(0.975, df) / stats.norm.ppf(0.975)) ** 2
    found = power_of_change(0.12, ratio, births * before, births * after, inflation=wider)
    assert found[0] == pytest.approx(power, abs=0.035)


def test_smallest_ratio_has_the_power_and_none_larger_has():
    rng = np.random.default_rng(3)
    rate, before, after = rng.uniform(0.02, 0.3, 50), rng.uniform(50, 2000, 50), rng.uniform(50, 2000, 50)
    for kind in ("proportion", "rate"):
        for direction, sign in (("fall", 1), ("rise", -1)):
            options = {"kind": kind, "inflation": 1.7}
            ratio = smallest_detectable_ratio(rate, before, after, direction=direction, **options)
            shown = ~np.isnan(ratio)
            assert shown.sum() > 20
            power = power_of_change(rate, ratio, before, after, **options)[shown]
            less = power_of_change(rate, ratio * (1 + sign * 1e-6), before, after, **options)[shown]
            assert (power >= 0.8 - 1e-9).all()
            assert (less < 0.8 + 1e-9).all()


def test_what_cannot_be_shown_is_not_a_number():
    """A fall to none at 60 and 60 births needs 5 events before: 3.6 are expected, seldom 5 are seen."""
    assert np.isnan(smallest_detectable_ratio(0.06, 60, 60))
    assert np.isnan(smallest_detectable_ratio(0.06, 60, 60, kind="rate"))
    assert np.isnan(smallest_detectable_ratio([0.97, 0.0], 40, 40, direction="rise")).all()
    assert np.isnan(smallest_detectable_ratio(0.9, 3, 3, direction="rise"))
    assert np.isnan(smallest_detectable_ratio(0.1, [0, np.nan], 50)).all()
    assert smallest_detectable_ratio(0.1, np.inf, np.inf)[0] == pytest.approx(1)


def test_no_event_at_all_among_rates_needs_five_before():
    """Of equal exposures: 4 v 0 is not shown by the mid-P interval of a rate ratio, 5 v 0 is."""
    upper = mid_p_rate_ratio(0, 10, [4, 5], 10).upper
    assert upper[0] > 1 > upper[1]
    assert power_of_change(0.3, 0, 10, 10, kind="rate")[0] == pytest.approx(stats.poisson.sf(4, 3))


def test_births_needed_come_back_to_the_power():
    rate, ratio = np.array([0.02, 0.06, 0.12, 0.3])[:, None], np.array([0.3, 0.6, 1.8])
    needed = births_needed(rate, ratio, 3000, inflation=1.4)
    found = power_of_change(rate, ratio, 3000, needed, inflation=1.4)
    np.testing.assert_allclose(found[np.isfinite(needed)], 0.8, atol=0.05)
    assert (found[np.isfinite(needed)] >= 0.8 - 1e-9).all()
    assert np.isfinite(needed).sum() > 8
    each = births_needed_each_side(rate, ratio)
    assert (power_of_change(rate, ratio, each, each) >= 0.8 - 1e-9).all()
    np.testing.assert_allclose(births_needed_each_side(rate, ratio, inflation=3), 3 * each)


def test_births_needed_by_their_formula():
    gap = 2 * np.arcsin(np.sqrt(0.12)) - 2 * np.arcsin(np.sqrt(0.06))
    z = stats.norm.ppf(0.95) + stats.norm.ppf(0.9)
    options = {"confidence": 0.9, "power": 0.9}
    assert births_needed_each_side(0.12, 0.5, **options)[0] == pytest.approx(2 * (z / gap) ** 2)
    assert births_needed(0.12, 0.5, 900, **options)[0] == pytest.approx(1 / ((gap / z) ** 2 - 1 / 900))
    root = 2 * (np.sqrt(0.12) - np.sqrt(0.06))
    assert births_needed_each_side(0.12, 0.5, kind="rate", **options)[0] == pytest.approx(2 * (z / root) ** 2)


def test_births_needed_where_none_are_enough():
    np.testing.assert_array_equal(births_needed(0.12, [0.5, 1.0], [100, 1e6]), np.inf)
    assert births_needed_each_side(0.12, 1)[0] == np.inf
    assert np.isnan(births_needed([0.12, 0.7, 0.1], [np.nan, 2, 0.5], [100, 100, 0])).all()


def test_shift_is_that_of_the_normal_test():
    n = np.array([20, 64, 500])
    shift = smallest_detectable_shift(n, 2 * n, power=0.9, inflation=2)
    power = stats.norm.sf(1.959964 - shift / np.sqrt(2 * (1 / n + 1 / (2 * n))))
    np.testing.assert_allclose(power, 0.9, atol=1e-6)


@pytest.mark.parametrize(("group", "reference", "rate", "power"), GAP_POWER)
def test_gap_power(group, reference, rate, power):
    ratio = np.exp(special.logit(rate) - special.logit(0.12))
    sizes = (12 * group, 12 * group, 0.05, 12 * reference, 12 * reference)
    assert power_of_gap_change(0.12, ratio, *sizes, scale="odds-ratio")[0] == pytest.approx(power, abs=0.02)


@pytest.mark.parametrize(("group", "reference", "ratio"), GAP_AT_BASELINE)
def test_variances_at_the_baseline_promise_too_much(group, reference, ratio):
    """The third calculation: simulated, that ratio has less than the 80 % it is given for; ours has them."""
    births = 12 * np.array([group, group, reference, reference])
    null = np.sqrt(2 / (births[0] * 0.12 * 0.88) + 2 / (births[2] * 0.05 * 0.95))
    assert np.exp(-(stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * null) == pytest.approx(ratio, abs=0.005)
    sizes = (births[0], births[1], 0.05, births[2], births[3])
    smallest = smallest_detectable_gap_change(0.12, *sizes, scale="odds-ratio")[0]
    given, ours = (simulated_gap_power(births, theta) for theta in (ratio, smallest))
    assert smallest < ratio
    assert given < 0.785
    assert ours == pytest.approx(0.8, abs=0.08 if group == 10 else 0.025)


def simulated_gap_power(births, theta):
    """The test of log odds with half an event more in each cell."""
    rng = np.random.default_rng(8)
    rates = [0.12, special.expit(special.logit(0.12) + np.log(theta)), 0.05, 0.05]
    x = rng.binomial(births[:, None], np.array(rates)[:, None], (4, 20_000)) + 0.5
    others = births[:, None] + 1 - x
    log = np.array([-1, 1, 1, -1]) @ np.log(x / others)
    return (log / np.sqrt((1 / x + 1 / others).sum(axis=0)) < -1.959964).mean()


@pytest.mark.parametrize("scale", ["ratio", "odds-ratio"])
@pytest.mark.parametrize("direction", ["fall", "rise"])
def test_gap_comes_back_to_the_power_and_to_the_change_of_one(scale, direction):
    sizes = (500, 700, 0.04, 3000, 4000)
    options = {"scale": scale, "inflation": 1.3, "reference_inflation": 2.0}
    ratio = smallest_detectable_gap_change(0.15, *sizes, direction=direction, power=0.9, **options)
    assert power_of_gap_change(0.15, ratio, *sizes, **options)[0] == pytest.approx(0.9)
    assert (ratio[0] < 1) == (direction == "fall")
    alone = smallest_detectable_gap_change(0.15, 500, 700, 0.04, np.inf, np.inf, direction=direction)
    wanted = smallest_detectable_ratio(0.15, 500, 700, direction=direction)
    np.testing.assert_allclose(alone, wanted, rtol=1e-9)


def test_inflation_takes_births_away_from_its_own_side():
    widened = power_of_gap_change(
        0.15, 0.6, 600, 900, 0.04, 3000, 4000, inflation=1.5, reference_inflation=2.0
    )
    assert widened == pytest.approx(power_of_gap_change(0.15, 0.6, 400, 600, 0.04, 1500, 2000))


def test_gap_of_rates_and_edges():
    rates = smallest_detectable_gap_change(0.01, 9e4, 9e4, 0.004, 4e5, 4e5, kind="rate")
    shares = smallest_detectable_gap_change(0.01, 9e4, 9e4, 0.004, 4e5, 4e5)
    np.testing.assert_allclose(rates, shares, rtol=2e-3)
    assert power_of_gap_change(0.1, 1, 500, 500, 0.1, [500, np.inf], [500, np.inf]) == pytest.approx(0.025)
    impossible = smallest_detectable_gap_change([0.06, 0, 0.1], [60, 60, 0], 60, 0.05, 400, 400)
    assert np.isnan(impossible).all()
    assert np.isnan(smallest_detectable_gap_change(0.9, 50, 50, 0.5, 50, 50, direction="rise"))
    assert np.isnan(power_of_gap_change(0.6, [0, 2], 500, 500, 0.1, 500, 500)).all()


def test_refused():
    with pytest.raises(OptionError, match=r"baseline_rate holds 12\.0; give proportions in \[0, 1\]"):
        power_of_change(12, 0.5, 100, 100)
    with pytest.raises(OptionError, match=r"births_after holds -1\.0; give numbers of 0 or more"):
        smallest_detectable_ratio(0.1, 10, -1)
    with pytest.raises(OptionError, match=r"power=0\.3 is not allowed; give a finite number >= 0.5"):
        births_needed(0.1, 0.5, 100, power=0.3)
    with pytest.raises(OptionError, match="direction='up' is not allowed"):
        smallest_detectable_ratio(0.1, 10, 10, direction="up")
    with pytest.raises(OptionError, match="kind='mean' is not allowed"):
        births_needed_each_side(0.1, 0.5, kind="mean")
    with pytest.raises(OptionError, match="scale='odds-ratio' is not allowed for kind='rate'"):
        power_of_gap_change(0.1, 0.5, 9, 9, 0.1, 9, 9, scale="odds-ratio", kind="rate")
    with pytest.raises(OptionError, match="scale='log' is not allowed"):
        smallest_detectable_gap_change(0.1, 9, 9, 0.1, 9, 9, scale="log")
    with pytest.raises(InputTypeError, match="baseline_rate"):
        births_needed_each_side("many", 0.5)
