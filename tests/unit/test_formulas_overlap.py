"""The ratio by hand, its distribution by listing all outcomes and by simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import OptionError
from qi_equity.formulas.overlap import successive_difference_ratio

NAN = math.nan


def test_ratio_of_counts_by_hand() -> None:
    ratio, _ = successive_difference_ratio([2, 6, 4])
    assert ratio == pytest.approx((16 / 8 + 4 / 8) / 2)


def test_ratio_of_proportions_by_hand() -> None:
    one = 0.1 * 0.9
    ratio, _ = successive_difference_ratio([2, 1, 3], [20, 20, 20])
    assert ratio == pytest.approx((0.05**2 + 0.1**2) / (2 * one / 20) / 2)


def test_strata_are_put_together_and_have_their_own_rates() -> None:
    one, _ = successive_difference_ratio([[2, 6, 4]])
    other, _ = successive_difference_ratio([[20, 60, 40]])
    both, _ = successive_difference_ratio([[2, 6, 4], [20, 60, 40]])
    assert both == pytest.approx((one + other) / 2)


def test_a_missing_value_takes_both_differences() -> None:
    with_gap, _ = successive_difference_ratio([2, 6, NAN, 4, 4])
    assert with_gap == pytest.approx((16 / 8 + 0) / 2)


@pytest.mark.parametrize("events", [[3], [NAN, 4, NAN], [0, 0, 0]])
def test_nothing_to_judge_is_nan_without_a_warning(events: list[float]) -> None:
    assert all(math.isnan(v) for v in successive_difference_ratio(events))
    assert all(math.isnan(v) for v in successive_difference_ratio(events, [0] * len(events)))


def variance_of_sum(births: np.ndarray, p: float) -> float:
    """Variance of the sum of the two scaled squares of three binomial periods, from their cumulants."""
    one = p * (1 - p)
    s2, fourth = one / births, one * (1 - 6 * one) / births**3
    v = s2[1:] + s2[:-1]
    own = 2 + (fourth[1:] + fourth[:-1]) / v**2
    shared = (2 * s2[1] ** 2 + fourth[1]) / (v[0] * v[1])
    return float(own.sum() + 2 * shared)


def test_mean_and_variance_of_the_sum_by_listing_all_outcomes() -> None:
    births, p = np.array([2.0, 3, 4]), 0.3
    s2 = p * (1 - p) / births
    first = second = 0.0
    for x in itertools.product(range(3), range(4), range(5)):
        weight = float(np.prod(stats.binom.pmf(x, births, p)))
        total = float((np.diff(x / births) ** 2 / (s2[1:] + s2[:-1])).sum())
        first, second = first + weight * total, second + weight * total**2
    assert first == pytest.approx(2)
    assert variance_of_sum(births, p) == pytest.approx(second - first**2)


def test_p_is_that_of_a_chi_square_with_this_mean_and_variance() -> None:
    births = np.array([20.0, 30, 40])
    ratio, p = successive_difference_ratio([7, 9, 11], births)
    mean, variance = 2, variance_of_sum(births, 0.3)
    scale, df = variance / (2 * mean), 2 * mean**2 / variance
    assert p == pytest.approx(stats.chi2.cdf(mean * ratio / scale, df))


@pytest.mark.parametrize(("mean", "births"), [(0.3, None), (8.0, None), (3.0, 60)])
def test_independent_periods_are_seldom_suspected(mean: float, births: int | None) -> None:
    rng = np.random.default_rng(14)
    found = []
    for _ in range(400):
        if births is None:
            found.append(successive_difference_ratio(rng.poisson(mean, (3, 24)).astype(float))[1])
        else:
            n = rng.integers(births // 2, births * 2, (3, 24))
            found.append(successive_difference_ratio(rng.binomial(n, mean / births), n)[1])
    assert np.mean(np.array(found) < 0.05) < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400)
    assert np.mean(np.array(found) > 0.5) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("window", [3, 12])
def test_rolling_windows_are_seen(window: int) -> None:
    rng = np.random.default_rng(15)
    n = rng.integers(50, 90, (6, 36 + window - 1))
    x = rng.binomial(n, 0.08)
    rolling_x, rolling_n = (
        np.lib.stride_tricks.sliding_window_view(a, window, axis=1).sum(-1) for a in (x, n)
    )
    ratio, p = successive_difference_ratio(rolling_x, rolling_n)
    assert ratio == pytest.approx(1 / window, rel=0.35)
    assert p < 1e-6
    assert successive_difference_ratio(rolling_x)[1] < 1e-6


def test_shapes_must_fit_and_inputs_are_left_as_they_were() -> None:
    with pytest.raises(OptionError, match=r"events \(3,\), births \(2,\)"):
        successive_difference_ratio([1, 2, 3], [4, 5])
    x = np.array([3.0, NAN, 4])
    x.setflags(write=False)
    successive_difference_ratio(x, x)
