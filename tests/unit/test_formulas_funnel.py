"""Funnel limits: naive formulas, back-transformation at the edges, chances by enumeration.

No published worked example with numbers to six digits was found; FunnelPlotR and PHEindicatormethods are in
tests/reference/test_funnel_golden.py.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.funnel import chance_outside, ratio_of_counts, scaled_limits, standardised
from qi_equity.formulas.probability_limits import p_probability_limits, u_probability_limits


def test_each_scale_is_its_definition() -> None:
    x, n, centre = 7.0, 90.0, 0.06
    y, e = x / n, centre * n
    wanted = {
        "arcsine": (math.asin(math.sqrt(y)) - math.asin(math.sqrt(centre))) * 2 * math.sqrt(n),
        "sqrt": (math.sqrt(x / e) - 1) * 2 * math.sqrt(e),
        "log": math.log(x / e) * math.sqrt(e),
    }
    for scale, z in wanted.items():
        assert standardised([x], [n], centre, scale=scale).z[0] == pytest.approx(z, rel=1e-12)


def test_standardised_is_nan_without_size_and_infinite_for_the_log_of_no_event() -> None:
    found = standardised([0, 3, 4, np.nan], [10, 0, np.nan, 10], 0.2, scale="log")
    assert found.z[0] == -np.inf
    assert np.isnan(found.z[1:]).all()
    assert np.isfinite(standardised([0], [10], 0.2, scale="sqrt").z).all()


def test_ratio_of_counts_by_hand() -> None:
    z = (math.log(12.5 / 30.5) - math.log(0.5)) / math.sqrt(12 / 12.5**2 + 30 / 30.5**2)
    assert ratio_of_counts([12], [30], 0.5).z[0] == pytest.approx(z, rel=1e-12)


def test_limits_without_overdispersion_are_where_z_is_the_quantile() -> None:
    for scale in ("arcsine", "sqrt", "log"):
        limits = scaled_limits([80.0, 500.0], 0.2, scale=scale)
        for bound, sign in ((limits.lower, -1), (limits.upper, 1)):
            z = standardised(bound * [80, 500], [80, 500], 0.2, scale=scale).z
            np.testing.assert_allclose(z, sign * 1.959963984540054, rtol=1e-9)


def test_limits_of_means_are_normal() -> None:
    limits = scaled_limits([25 / 4.0], 10.0, scale="identity")
    np.testing.assert_allclose(limits.upper, 10 + 1.959963984540054 * 2 / 5, rtol=1e-12)
    np.testing.assert_allclose(limits.sigma, 0.4, rtol=1e-12)


def test_both_kinds_of_overdispersion_widen_the_limits() -> None:
    plain = scaled_limits([100.0], 0.1, scale="arcsine")
    times = scaled_limits([100.0], 0.1, scale="arcsine", dispersion=4.0)
    plus = scaled_limits([100.0], 0.1, scale="arcsine", between_variance=0.0075)
    np.testing.assert_allclose(times.sigma, 2 * plain.sigma)
    np.testing.assert_allclose(plus.sigma, 2 * plain.sigma)
    assert times.upper[0] > plain.upper[0]
    assert times.lower[0] < plain.lower[0]


def test_dispersion_below_one_narrows_nothing() -> None:
    plain = scaled_limits([100.0], 0.1, scale="sqrt")
    assert scaled_limits([100.0], 0.1, scale="sqrt", dispersion=0.3).equals(plain)


def test_limits_do_not_turn_back_at_small_sizes() -> None:
    # The sine of an angle beyond 0 or a right angle would rise again: lower limits stay at 0, upper at 1.
    arc = scaled_limits([1.0, 2.0, 5.0], 0.1, scale="arcsine", tail=0.001)
    assert arc.lower.tolist() == [0, 0, 0]
    assert arc.upper[0] == 1
    assert (np.diff(arc.upper) <= 0).all()
    assert scaled_limits([1.0], 0.1, scale="sqrt", tail=0.001).lower.tolist() == [0]


def test_limits_are_nan_without_size() -> None:
    limits = scaled_limits([0.0, np.nan], 0.1, scale="arcsine")
    assert np.isnan([limits.centre_line, limits.lower, limits.upper]).all()


def test_chance_outside_by_enumeration() -> None:
    n, p = 40, 0.15
    limits = p_probability_limits([0], [n], centre_line=p, tail=0.025)
    counts = np.arange(n + 1)
    out = (counts / n < limits.lower) | (counts / n > limits.upper)
    wanted = stats.binom.pmf(counts, n, p)[out].sum()
    found = chance_outside([n], p, limits.lower, limits.upper, counts="binomial")
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
    assert 0 < found[0] < 0.05


def test_chance_outside_of_rates_by_enumeration() -> None:
    limits = u_probability_limits([0], [2.5], centre_line=3.0, tail=0.025)
    counts = np.arange(200)
    out = (counts / 2.5 < limits.lower) | (counts / 2.5 > limits.upper)
    found = chance_outside([2.5], 3.0, limits.lower, limits.upper, counts="poisson")
    np.testing.assert_allclose(found, stats.poisson.pmf(counts, 7.5)[out].sum(), rtol=1e-10)


def test_a_count_on_a_limit_is_inside() -> None:
    # 0.07 * 100 is 7.000000000000001 in floating point.
    found = chance_outside([100], 0.07, 0.0, 0.07, counts="binomial")
    np.testing.assert_allclose(found, stats.binom.sf(7, 100, 0.07), rtol=1e-10)


def test_chance_outside_is_nan_where_something_is_missing() -> None:
    found = chance_outside([10, 0, np.nan], [0.2, 0.2, np.nan], 0.1, 0.3, counts="binomial")
    assert np.isnan(found).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: standardised([1], [2], 0.1, scale="logit"), OptionError, "scale='logit'"),
        (lambda: standardised(["a"], [2], 0.1, scale="log"), InputTypeError, "events"),
        (lambda: scaled_limits([10], 0.1, scale="log", tail=0.7), OptionError, "tail=0.7"),
        (lambda: scaled_limits([10], 0.1, scale="log", between_variance=-1), OptionError, "between_variance"),
        (lambda: scaled_limits([10, 2, 3], [0.1, 2], scale="log"), OptionError, "do not fit together"),
        (lambda: chance_outside([1], 0.1, 0, 1, counts="normal"), OptionError, "counts='normal'"),
    ],
)
def test_errors_name_the_argument(call: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_no_event_at_all_sets_no_upper_limit_and_gives_no_warning() -> None:
    limits = scaled_limits([10, 20], [0.0, 0.0], scale="sqrt")
    assert np.isnan(limits.upper).all()
