"""Exact, mid-P, Byar's and OHID's intervals for rates, against scipy and roots found one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from qi_equity.errors import OptionError
from qi_equity.formulas.rate_intervals import (
    byar_rate_interval,
    exact_rate_interval,
    mid_p_rate_interval,
    ohid_rate_interval,
)

FUNCTIONS = (exact_rate_interval, mid_p_rate_interval, byar_rate_interval, ohid_rate_interval)
COUNTS = np.array([0, 1, 2, 3, 9, 10, 57, 1000, 250_000], dtype=float)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.998])
def test_exact_by_chi_square(confidence):
    found, tail = exact_rate_interval(COUNTS, 2.5, confidence=confidence), (1 - confidence) / 2
    low = np.where(COUNTS == 0, 0, stats.chi2.ppf(tail, 2 * np.maximum(COUNTS, 0.5)) / 2)
    np.testing.assert_allclose(found.lower, low / 2.5, rtol=1e-9)
    np.testing.assert_allclose(found.upper, stats.chi2.isf(tail, 2 * COUNTS + 2) / 2 / 2.5, rtol=1e-9)
    np.testing.assert_allclose(found.estimate, COUNTS / 2.5)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.998])
@pytest.mark.parametrize("x", COUNTS[:-1])
def test_mid_p_by_its_definition(x, confidence):
    tail = (1 - confidence) / 2

    def above(mean):
        return stats.poisson.sf(x, mean) + stats.poisson.pmf(x, mean) / 2 - tail

    def below(mean):
        return stats.poisson.cdf(x, mean) - stats.poisson.pmf(x, mean) / 2 - tail

    most = 2 * x + 50
    low = 0.0 if x == 0 else optimize.brentq(above, 1e-12, most, xtol=1e-13, rtol=1e-14)
    high = optimize.brentq(below, 1e-12, most, xtol=1e-13, rtol=1e-14)
    found = mid_p_rate_interval(x, 1, confidence=confidence)
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [low, high], rtol=1e-9)


def test_mid_p_of_no_event_is_known_in_closed_form():
    assert mid_p_rate_interval(0, 1).upper[0] == pytest.approx(-np.log(0.05), rel=1e-12)


def test_mid_p_lies_within_exact():
    exact, mid_p = exact_rate_interval(COUNTS, 1), mid_p_rate_interval(COUNTS, 1)
    assert (exact.lower <= mid_p.lower).all()
    assert (mid_p.upper < exact.upper).all()


def test_ohid_changes_at_ten_events():
    exact, byar = (function([9, 10], 100) for function in (exact_rate_interval, byar_rate_interval))
    found = ohid_rate_interval([9, 10], 100)
    np.testing.assert_array_equal(found.upper, [exact.upper[0], byar.upper[1]])
    np.testing.assert_array_equal(found.lower, [exact.lower[0], byar.lower[1]])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_zero_cells(function):
    found = function([0, 3, np.nan, 3], [100, 0, 100, np.nan])
    assert found.estimate[0] == found.lower[0] == 0 < found.upper[0]
    for part in (found.estimate, found.lower, found.upper):
        assert np.isnan(part[1:]).all()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_more_events_than_exposure_are_no_mistake(function):
    assert function([7], [2]).estimate[0] == 3.5


@pytest.mark.parametrize("function", FUNCTIONS)
def test_refused(function):
    with pytest.raises(OptionError, match=r"exposure holds -2\.0"):
        function([7], [-2])
    with pytest.raises(OptionError, match="confidence=0 is not allowed"):
        function([7], [2], confidence=0)
