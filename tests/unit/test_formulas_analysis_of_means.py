"""Analysis of means: SAS's published limits, R's multivariate t, and error rates by exact enumeration.

Nelson's tables were not found in a form that can be cited; h comes from SAS/QC's documentation of PROC ANOM
(six labeller positions of ten values), Steve Simon's pages (six groups of two values; 20 proportions), and
pmvt of R's mvtnorm 1.1-3.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas._urn import hypergeometric_signals
from qi_equity.formulas.analysis_of_means import critical_value, mean_limits, proportion_limits, rate_limits


def test_critical_value_is_that_of_sas() -> None:
    # Limits -0.009875609 and 0.029869, mean 0.009996667, mean square 0.000643787 with 54 degrees of freedom.
    h = (0.009996667 + 0.009875609) / math.sqrt(0.000643787 * 5 / 60)
    assert critical_value([10] * 6, degrees=54.0) == pytest.approx(h, abs=2e-6)


def test_limits_of_means_are_those_of_sas() -> None:
    means = 0.009996667 + np.array([-1, 1, -2, 2, 0.5, -0.5]) * 1e-3
    limits = mean_limits(means, [10] * 6, [math.sqrt(0.000643787)] * 6)
    np.testing.assert_allclose(limits.lower, -0.009875609, atol=2e-8)
    np.testing.assert_allclose(limits.upper, 0.029869, atol=1e-6)


@pytest.mark.parametrize(("units", "degrees", "h"), [(6, 6.0, 3.62), (20, np.inf, 3.02)])
def test_critical_value_is_that_of_tables(units: int, degrees: float, h: float) -> None:
    assert critical_value([100] * units, degrees=degrees) == pytest.approx(h, abs=0.0051)


@pytest.mark.parametrize(
    ("n", "degrees", "h"),
    [
        ([10] * 3, np.inf, 2.343701),
        ([10] * 5, np.inf, 2.554782),
        ([10] * 6, 6.0, 3.622255),
        ([700, 100, 50, 100, 50], np.inf, 2.548289),
        ([9000, 30, 500, 6], np.inf, 2.41853),
        ([12, 5, 9, 30], 8.0, 3.058343),
    ],
)
def test_critical_value_is_that_of_mvtnorm(n: list[int], degrees: float, h: float) -> None:
    # pmvt(algorithm = GenzBretz(maxpts = 2e6, abseps = 1e-6)): its own error is about 1e-5 in h.
    assert critical_value(n, degrees=degrees) == pytest.approx(h, abs=2e-5)


def test_three_units_by_quadrature_over_the_plane() -> None:
    # Distances of three equal units from their mean: z3 = -(z1 + z2), correlation -1/2.
    h = float(critical_value([10] * 3, alpha=0.1))
    z = np.linspace(-h, h, 4001)
    spread = math.sqrt(1 - 0.25)
    low = np.maximum(-h, -h - z)
    high = np.minimum(h, h - z)
    inner = stats.norm.cdf((high + z / 2) / spread) - stats.norm.cdf((low + z / 2) / spread)
    assert np.trapezoid(stats.norm.pdf(z) * inner, z) == pytest.approx(0.9, abs=1e-5)


def test_two_units_are_one_comparison_and_one_is_none() -> None:
    assert critical_value([5, 90]) == pytest.approx(1.959963984540054)
    assert critical_value([5, 90], degrees=8.0) == pytest.approx(2.306004135)
    assert np.isnan(critical_value([5]))
    assert np.isnan(critical_value([np.nan, 0]))


def test_many_degrees_of_freedom_are_a_known_spread() -> None:
    assert critical_value([10] * 4, degrees=1e7) == pytest.approx(float(critical_value([10] * 4)), abs=1e-5)


def test_units_that_are_not_there_change_nothing() -> None:
    both = critical_value([[10, 20, 30, np.nan], [10, 20, 30, 0]])
    np.testing.assert_allclose(both, critical_value([10, 20, 30]), rtol=1e-7)


def test_exact_tails_by_a_loop_over_scipys_hypergeometric() -> None:
    rng = np.random.default_rng(3)
    n = rng.integers(1, 60, 200).astype(float)
    size = n + rng.integers(0, 300, 200)
    marked = np.floor(rng.random(200) * (size + 1))
    tail = rng.choice([0.025, 0.001, 0.2], 200)
    low, high = hypergeometric_signals(n, marked, size, tail)
    for k in range(200):
        x = np.arange(n[k] + 1)
        few = stats.hypergeom.cdf(x, size[k], marked[k], n[k]) < tail[k]
        many = stats.hypergeom.sf(x - 1, size[k], marked[k], n[k]) < tail[k]
        possible = stats.hypergeom.pmf(x, size[k], marked[k], n[k]) > 0
        few_possible, many_possible = x[few & possible], x[many & possible]
        assert low[k] == (few_possible.max() if few_possible.size else -1)
        assert high[k] == (many_possible.min() if many_possible.size else n[k] + 1)


def test_exact_tails_of_many_births() -> None:
    low, high = hypergeometric_signals(*(np.array([v]) for v in (40_000.0, 9_000.0, 300_000.0, 0.001)))
    frozen = stats.hypergeom(300_000, 9_000, 40_000)
    assert frozen.cdf(low[0]) < 0.001 <= frozen.cdf(low[0] + 1)
    assert frozen.sf(high[0] - 1) < 0.001 <= frozen.sf(high[0] - 2)


def test_memory_is_taken_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = [
        np.array([30.0, 500.0, 60.0]),
        np.array([20.0, 90.0, 30.0]),
        np.full(3, 2000.0),
        np.full(3, 0.01),
    ]
    whole = hypergeometric_signals(*arrays)
    monkeypatch.setattr("qi_equity.formulas._urn._CELLS_AT_ONCE", 1)
    for found, wanted in zip(hypergeometric_signals(*arrays), whole, strict=True):
        assert found.tolist() == wanted.tolist()


def test_no_more_than_alpha_of_all_tables_has_a_flag() -> None:
    births, alpha = np.array([6, 9, 4]), 0.2
    for total in range(1, births.sum()):
        chance = 0.0
        for x in itertools.product(*(range(n + 1) for n in births)):
            if sum(x) != total:
                continue
            limits = proportion_limits(x, births, tail=alpha / 6)
            rate = np.array(x) / births
            if ((rate < limits.lower) | (rate > limits.upper)).any():
                ways = math.prod(math.comb(n, k) for n, k in zip(births.tolist(), x, strict=True))
                chance += ways / math.comb(int(births.sum()), total)
        assert chance <= alpha + 1e-12


def test_no_more_than_alpha_of_all_divisions_of_rates_has_a_flag() -> None:
    exposure, alpha = np.array([2.5, 1.0, 4.0]), 0.1
    for total in (1, 5, 14):
        chance = 0.0
        for x in itertools.product(range(total + 1), repeat=3):
            if sum(x) == total:
                limits = rate_limits(x, exposure, tail=alpha / 6)
                rate = np.array(x) / exposure
                if ((rate < limits.lower) | (rate > limits.upper)).any():
                    chance += float(stats.multinomial.pmf(x, total, exposure / exposure.sum()))
        assert chance <= alpha + 1e-12


def test_large_units_have_the_limits_of_the_normal_method_but_for_two_births() -> None:
    births = np.array([40_000, 90_000, 30_000])
    limits = proportion_limits([4000, 9000, 3000], births, tail=0.025)
    normal = 0.1 + 1.96 * np.sqrt(0.09 * (1 / births - 1 / births.sum()))
    np.testing.assert_allclose(limits.upper, normal, atol=2 / 30_000)
    np.testing.assert_allclose(limits.sigma * 1.96, normal - 0.1, rtol=1e-4)
    exposed = rate_limits([4000, 9000, 3000], births, tail=0.025)
    wider = 0.1 + 1.96 * np.sqrt(0.1 * (1 / births - 1 / births.sum()))
    np.testing.assert_allclose(exposed.upper, wider, atol=2 / 30_000)


def test_units_not_known_have_no_limits_and_no_part() -> None:
    with_gaps = proportion_limits([3, np.nan, 5, 2], [50, 40, 60, 0], tail=0.01)
    without = proportion_limits([3, 5], [50, 60], tail=0.01)
    np.testing.assert_array_equal(with_gaps.upper[[0, 2]], without.upper)
    assert np.isnan(with_gaps.upper[[1, 3]]).all()
    rates = rate_limits([3, np.nan, 5, 2], [50, 40, 60, 0], tail=0.01)
    np.testing.assert_array_equal(rates.lower[[0, 2]], rate_limits([3, 5], [50, 60], tail=0.01).lower)
    assert np.isnan(rates.lower[[1, 3]]).all()
    means = mean_limits([3, np.nan, 5], [5, 5, 5], [1, 1, 1])
    np.testing.assert_allclose(means.upper[[0, 2]], mean_limits([3, 5], [5, 5], [1, 1]).upper)


def test_no_events_flag_nothing() -> None:
    assert proportion_limits([0, 0, 0], [9, 9, 9], tail=0.01).upper.tolist() == [1, 1, 1]
    assert rate_limits([0, 0, 0], [9, 9, 9], tail=0.01).upper.tolist() == [np.inf] * 3
    assert rate_limits([0, 0, 0], [9, 9, 9], tail=0.01).lower.tolist() == [0, 0, 0]


def test_nothing_but_events_flags_nothing() -> None:
    limits = proportion_limits([9, 9, 9], [9, 9, 9], tail=0.01)
    assert limits.lower.tolist() == [0, 0, 0]
    assert limits.upper.tolist() == [1, 1, 1]


def test_tails_may_differ_between_sets() -> None:
    both = rate_limits([[3, 9], [3, 9]], [[50, 50], [50, 50]], tail=[[0.1], [0.01]])
    for k, tail in enumerate((0.1, 0.01)):
        assert both.upper[k].tolist() == rate_limits([3, 9], [50, 50], tail=tail).upper.tolist()


def test_a_unit_of_one_value_takes_the_spread_of_the_others() -> None:
    limits = mean_limits([1.0, 2.0, 3.0], [1, 10, 10], [np.nan, 1.0, 3.0])
    np.testing.assert_allclose(limits.sigma[0], math.sqrt(5) * math.sqrt(20 / 21))
    assert np.isnan(mean_limits([1.0, 2.0, 3.0], [1, 1, 1], [np.nan] * 3).upper).all()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: proportion_limits([1], [9], tail=0.6), OptionError, "tail holds 0.6"),
        (lambda: proportion_limits([1.5], [9], tail=0.1), OptionError, "events holds 1.5"),
        (lambda: proportion_limits([1], [9.5], tail=0.1), OptionError, "births holds 9.5"),
        (lambda: rate_limits([1.5], [9.5], tail=0.1), OptionError, "events holds 1.5"),
        (lambda: rate_limits(["x"], [9.5], tail=0.1), InputTypeError, "events"),
        (lambda: critical_value([9, 9], alpha=1.0), OptionError, "alpha=1.0"),
        (lambda: mean_limits([1, 2], [3, 3], [1, 1], alpha=0), OptionError, "alpha=0"),
    ],
)
def test_errors_name_the_argument(call: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_fractional_exposure_is_no_error() -> None:
    assert np.isfinite(rate_limits([15, 12], [9.5, 8.2], tail=0.1).upper).all()


def test_limits_do_not_depend_on_how_numbers_lie_in_memory() -> None:
    events, exposure = np.array([[2.0, 4, 30], [4, 6, 2]]), np.array([[6.0, 4, 10], [9, 9, 9]])
    for limits in (proportion_limits, rate_limits):
        x = np.minimum(events, exposure)
        rows, columns = (limits(lie(x), lie(exposure), tail=0.03) for lie in (np.array, np.asfortranarray))
        assert (rows.lower > 0).any()
        assert (rows.upper < np.inf).any()
        np.testing.assert_array_equal(rows.lower, columns.lower)
        np.testing.assert_array_equal(rows.upper, columns.upper)
