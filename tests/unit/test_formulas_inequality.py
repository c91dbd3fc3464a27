"""Measures of inequality of groups without order: published numbers, naive loops, derivatives, edges.

Published worked examples: the vectors in the tests of healthequal 1.0.1 (WHO). They are
printed to about seven digits. The variances have no worked example that could be read; they are compared with
that package (tests/reference), numeric derivatives and draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qi_equity.errors import OptionError
from qi_equity.formulas import inequality as of
from qi_equity.formulas import inequality_variances as errors_of
from qi_equity.formulas.inequality_compared import best_group, compared_groups, value_of_group
from qi_equity.formulas.inequality_draws import (
    draw_means,
    draw_proportions,
    draw_rates,
    inverted_limit,
    sampling_chance,
    tail_quantiles,
    uniforms,
)

# 25 regions of the package's own tests; the reference is the 14th.
BIRTHS = np.array(
    [
        *(832, 931, 1468, 1021, 1039, 1515, 1138, 620, 794, 866, 1367, 1108, 1120),
        *(1033, 833, 1536, 1149, 410, 1210, 858, 680, 935, 692, 781, 812),
    ]
)
VALUES = np.array(
    [61, 74, 58, 59, 72, 75, 74, 68, 75, 67, 73, 63, 66, 62, 60, 66, 71, 73, 71, 61, 74, 84, 55, 69, 60.0]
)
ERRORS = np.array([5, 3, 3, 3, 4, 9, 2, 2, 2, 5, 5, 7, 5, 6, 4, 5, 6, 6, 9, 4, 3, 4, 1, 3, 7.0])

# Birmingham: births and stillbirths of White, Asian, Black and Mixed mothers, October 2020 to March 2023.
B_BIRTHS, B_EVENTS = np.array([20664, 13005, 3879, 1380]), np.array([82, 53, 29, 7])
B_RATES = B_EVENTS / B_BIRTHS


def test_vectors_of_the_who_package() -> None:
    y, n = VALUES, BIRTHS
    ref = y[13]
    assert of.mean_of_groups(y, n) == pytest.approx(67.70684, rel=3e-7)
    assert of.between_group_variance(y, n) == pytest.approx(46.198326, rel=2e-7)
    assert errors_of.between_group_variance_error(y, n, ERRORS) == pytest.approx(17.134647, rel=2e-7)
    assert 100 * of.coefficient_of_variation(y, n) == pytest.approx(10.03877, rel=3e-7)
    assert of.mean_difference_from(y, n, weighted=False) == pytest.approx(5.891726, rel=2e-7)
    assert of.mean_difference_from(y, n, weighted=True) == pytest.approx(5.8348689, rel=2e-7)
    assert of.mean_difference_from(y, n, against=84, weighted=False) == pytest.approx(16.36)
    assert of.mean_difference_from(y, n, against=84, weighted=True) == pytest.approx(16.293156, rel=3e-7)
    assert of.mean_difference_from(y, n, against=ref, weighted=False) == pytest.approx(7.24)
    assert of.mean_difference_from(y, n, against=ref, weighted=True) == pytest.approx(7.2228465, rel=2e-7)
    assert 100 * of.index_of_disparity(y, n, weighted=False) == pytest.approx(8.7018175, rel=2e-7)
    assert 100 * of.index_of_disparity(y, n, weighted=True) == pytest.approx(8.6178417, rel=2e-7)
    assert of.population_attributable_risk(y, n, 84) == pytest.approx(16.293156, rel=3e-7)
    assert 100 * of.population_attributable_fraction(y, n, 84) == pytest.approx(24.06427, abs=1e-5)


def test_error_of_the_theil_index_is_on_the_scale_of_the_index() -> None:
    # Times 1000 the index is 5.036 with an error of 1.42; the package prints 5.036 (5.033 to 5.039).
    assert 1000 * of.theil_index(VALUES, BIRTHS) == pytest.approx(5.03598, abs=1e-5)
    assert 1000 * errors_of.theil_index_error(VALUES, BIRTHS, ERRORS) == pytest.approx(1.42, abs=0.005)
    assert 1000 * of.mean_log_deviation(VALUES, BIRTHS) == pytest.approx(5.05236, abs=1e-5)
    assert 1000 * errors_of.mean_log_deviation_error(VALUES, BIRTHS, ERRORS) > 1


def test_error_of_the_attributable_fraction_is_on_the_scale_of_the_fraction() -> None:
    # The package prints 24.06 (24.03 to 24.10) %; the best group alone has an error of 4 points of 84.
    best = 21
    error = 100 * errors_of.population_attributable_fraction_error(VALUES, BIRTHS, ERRORS, best)
    assert 5 < error < 7


def test_birmingham() -> None:
    y, n = B_RATES, B_BIRTHS
    s = np.sqrt(y * (1 - y) / n)
    assert 1000 * of.mean_of_groups(y, n) == pytest.approx(4.39273, abs=5e-6)
    assert 1e6 * of.between_group_variance(y, n) == pytest.approx(1.09305, abs=5e-6)
    assert 1000 * of.theil_index(y, n) == pytest.approx(24.0979, abs=5e-5)
    assert 1000 * errors_of.theil_index_error(y, n, s) == pytest.approx(17.860, abs=5e-4)
    assert 1000 * of.mean_log_deviation(y, n) == pytest.approx(20.9088, abs=5e-5)
    assert 1000 * errors_of.mean_log_deviation_error(y, n, s) == pytest.approx(14.650, abs=5e-4)


def naive(y: np.ndarray, n: np.ndarray) -> dict[str, float]:
    """Reckon the measures in a loop, straight from their definitions."""
    mu = sum(a * b for a, b in zip(y, n, strict=True)) / sum(n)
    shares = [b / sum(n) for b in n]
    theil = sum(p * a / mu * math.log(a / mu) for a, p in zip(y, shares, strict=True))
    return {
        "mean": mu,
        "bgv": sum(p * (a - mu) ** 2 for a, p in zip(y, shares, strict=True)),
        "mdmu": sum(abs(a - mu) for a in y) / len(y),
        "mdmw": sum(p * abs(a - mu) for a, p in zip(y, shares, strict=True)),
        "ti": theil,
        "mld": -sum(p * math.log(a / mu) for a, p in zip(y, shares, strict=True)),
    }


def test_against_a_loop_with_groups_left_out() -> None:
    rng = np.random.default_rng(7)
    y, n = rng.uniform(0.01, 0.2, (6, 7)), rng.integers(20, 900, (6, 7)).astype(float)
    y[1, 2], n[2, 0], n[3, 1] = np.nan, 0, np.nan
    for row in range(6):
        there = ~np.isnan(y[row]) & (n[row] > 0)
        wanted = naive(y[row][there], n[row][there])
        found = {
            "mean": of.mean_of_groups(y, n),
            "bgv": of.between_group_variance(y, n),
            "mdmu": of.mean_difference_from(y, n, weighted=False),
            "mdmw": of.mean_difference_from(y, n, weighted=True),
            "ti": of.theil_index(y, n),
            "mld": of.mean_log_deviation(y, n),
        }
        assert {k: v[row] for k, v in found.items()} == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("measure", "error"),
    [
        (of.theil_index, errors_of.theil_index_error),
        (of.mean_log_deviation, errors_of.mean_log_deviation_error),
        (
            lambda y, n: of.population_attributable_risk(y, n, y[2]),
            lambda y, n, s: errors_of.population_attributable_risk_error(y, n, s, 2),
        ),
        (
            lambda y, n: of.population_attributable_fraction(y, n, y[2]),
            lambda y, n, s: errors_of.population_attributable_fraction_error(y, n, s, 2),
        ),
    ],
)
def test_errors_are_those_of_the_derivative(measure: Callable[..., Any], error: Callable[..., Any]) -> None:
    y, n = np.array([0.04, 0.07, 0.02, 0.05]), np.array([700, 200, 90, 400])
    s = np.sqrt(y * (1 - y) / n)
    step = 1e-6
    moves = [(measure(y + e, n) - measure(y - e, n)) / (2 * step) for e in np.eye(4) * step]
    assert error(y, n, s) == pytest.approx(np.sqrt(((np.array(moves) * s) ** 2).sum()), rel=1e-6)


def test_error_of_the_variance_against_draws() -> None:
    # Exact for normal values and shares that are fixed, also where all groups are alike.
    rng = np.random.default_rng(3)
    n, s = np.array([700, 200, 90, 400]), np.array([0.004, 0.01, 0.02, 0.006])
    for y in (np.array([0.04, 0.09, 0.02, 0.05]), np.full(4, 0.05)):
        drawn = of.between_group_variance(rng.normal(y, s, (200_000, 4)), n)
        assert errors_of.between_group_variance_error(y, n, s) == pytest.approx(drawn.std(), rel=0.02)


def test_attributable_risk_has_the_error_of_a_linear_measure() -> None:
    # Multiplying the error of the fraction by the mean, as the package does, takes the mean as known: 0.6587.
    y = np.array([6.3301282051282, 13.3854845719252, 8.5924713584288, 6.38629283489097, 7.8125]) / 100
    n = np.array([1248, 4602, 2444, 642, 64])
    s = np.sqrt(y * (1 - y) / n)
    own = errors_of.population_attributable_risk_error(y, n, s, 0)
    assert 100 * own == pytest.approx(0.66885, abs=1e-5)
    drawn = np.random.default_rng(1).binomial(n, y, (400_000, 5)) / n
    assert (drawn[:, 0] - of.mean_of_groups(drawn, n)).std() == pytest.approx(own, rel=0.004)


def test_no_number_without_two_groups_or_with_an_undefined_logarithm() -> None:
    one = np.array([0.05, np.nan, np.nan]), np.array([100, 50, 0])
    for measure in (
        of.mean_of_groups,
        of.between_group_variance,
        of.coefficient_of_variation,
        of.theil_index,
    ):
        assert np.isnan(measure(*one))
    assert np.isnan(of.theil_index([0, 0.1], [50, 60]))
    assert np.isnan(of.mean_log_deviation([0, 0.1], [5, 60]))
    assert np.isnan(errors_of.theil_index_error([0, 0.1], [50, 60], [0.01, 0.01]))
    assert np.isnan(errors_of.mean_log_deviation_error([0, 0.1], [50, 60], [0.01, 0.01]))
    assert np.isnan(of.coefficient_of_variation([0, 0], [50, 60]))
    assert np.isnan(of.population_attributable_fraction([0, 0], [50, 60], 0))
    assert of.between_group_variance([0, 0], [50, 60]) == 0


def test_an_unknown_error_of_one_group_leaves_no_error() -> None:
    y, n, s = [0.04, 0.07, 0.02], [70, 20, 90], [0.01, np.nan, 0.01]
    for error in (errors_of.between_group_variance_error, errors_of.theil_index_error):
        assert np.isnan(error(y, n, s))
    assert np.isnan(errors_of.population_attributable_risk_error(y, n, s, 0))
    assert np.isnan(errors_of.population_attributable_risk_error(y, n, [0.01] * 3, -1))
    assert np.isnan(errors_of.ratio_log_error(0.0, 0.01, 0.1, 0.01))


@pytest.mark.parametrize(
    ("higher", "reference", "ordered", "wanted"),
    [
        (False, None, False, (1, 2)),
        (True, None, False, (1, 2)),
        (False, 0, False, (1, 0)),
        (True, 0, False, (0, 2)),
        (False, None, True, (0, 3)),
        (True, None, True, (3, 0)),
        (False, 1, True, (3, 1)),
        (False, -1, False, (-1, -1)),
    ],
)
def test_which_groups_are_compared(
    higher: bool, reference: Any, ordered: bool, wanted: tuple[int, int]
) -> None:
    y = [0.04, 0.09, 0.02, 0.05]
    found = compared_groups(y, higher_is_better=higher, reference=reference, ordered=ordered)
    assert tuple(int(g) for g in found) == wanted


def test_ties_take_the_first_and_absent_outermost_groups_are_not_replaced() -> None:
    assert [int(g) for g in compared_groups([6, 9, 9, 5, 5], higher_is_better=False)] == [1, 3]
    found = compared_groups([np.nan, 0.09, 0.02], higher_is_better=False, ordered=True)
    assert [int(g) for g in found] == [-1, -1]
    assert [int(g) for g in compared_groups([np.nan, 0.09], higher_is_better=False)] == [-1, -1]
    assert np.isnan(value_of_group([0.1, 0.2], -1))


def test_the_best_group_must_be_large_enough() -> None:
    y, n = [0.0, 0.03, 0.06], [5, 900, 400]
    assert best_group(y, n, higher_is_better=False) == 0
    assert best_group(y, n, higher_is_better=False, minimum=100) == 1
    assert best_group(y, n, higher_is_better=True, minimum=100) == 2
    assert best_group(y, n, higher_is_better=True, minimum=1000) == -1


def test_of_equally_good_groups_the_largest_is_the_best() -> None:
    """As the reference "best" of gaps, whatever the order of the groups."""
    assert best_group([0.1, 0.1, 0.2, 0.1], [300, 500, 900, 400], higher_is_better=False) == 1
    assert best_group([0.2, 0.1, 0.2], [50, 500, 900], higher_is_better=True, minimum=100) == 2


def test_chance_for_sampling_errors() -> None:
    assert sampling_chance([0, 4, 1], [4, 4, 4]) == pytest.approx([0.1, 0.9, 0.25])
    assert sampling_chance([0, 4], [4, 4], repeatable=True) == pytest.approx([0.125, 1.0])
    assert np.isnan(sampling_chance(0, 0)).all()


def test_draws_follow_their_distributions() -> None:
    u = uniforms(40_000, 1, seed=4)
    chance, births = np.array([[0.1]]), np.array([[20.0]])
    p = draw_proportions(chance, births, u)
    assert (p.mean(), p.var()) == pytest.approx((0.1, 0.1 * 0.9 / 20), rel=0.03)
    r = draw_rates(np.array([[0.3]]), np.array([[20.0]]), u)
    assert (r.mean(), r.var()) == pytest.approx((0.3, 0.3 / 20), rel=0.03)
    m = draw_means(np.array([[5.0]]), np.array([[2.0]]), u)
    assert (m.mean(), m.std()) == pytest.approx((5, 2), rel=0.03)
    assert np.array_equal(u, uniforms(40_000, 1, seed=4))


def test_quantiles_and_their_monte_carlo_error() -> None:
    rng = np.random.default_rng(9)
    low, high, low_error, high_error = tail_quantiles(rng.normal(size=(1000, 400)))
    assert low.mean() == pytest.approx(-1.96, abs=0.02)
    # The stated error is how far the quantiles of different sets of draws lie apart.
    assert low_error.mean() == pytest.approx(low.std(), rel=0.15)
    assert high_error.mean() == pytest.approx(high.std(), rel=0.15)
    with pytest.raises(OptionError, match=r"confidence=1\.0 is not allowed"):
        tail_quantiles(np.zeros((5, 1)), confidence=1.0)


def test_inverted_limit() -> None:
    truth, quantile = np.array([0.0, 1.0, 2.0])[:, None], np.array([0.5, 1.0, 2.0])[:, None]
    observed = np.array([0.2, 0.75, 1.5, 3.0, np.nan])
    wanted = [0.0, 0.5, 1.5, np.inf, np.nan]
    found = inverted_limit(np.repeat(truth, 5, 1), np.repeat(quantile, 5, 1), observed)
    assert found == pytest.approx(wanted, nan_ok=True)
