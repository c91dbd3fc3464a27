"""Wilson, Jeffreys and Clopper-Pearson against scipy and statsmodels, and against the test they invert."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.proportion_intervals import (
    clopper_pearson_interval,
    jeffreys_interval,
    wilson_interval,
)

FUNCTIONS = (wilson_interval, jeffreys_interval, clopper_pearson_interval)
EVERY = [(x, n) for n in (1, 2, 12, 28, 294) for x in range(n + 1)]
X, N = np.array(EVERY, dtype=float).T


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.998])
def test_wilson_is_where_the_score_test_is_at_its_limit(confidence):
    found, z = wilson_interval(X, N, confidence=confidence), stats.norm.ppf((1 + confidence) / 2)
    for x, n, low, high in zip(X, N, found.lower, found.upper, strict=True):
        for end in (low, high):
            assert (x - n * end) ** 2 == pytest.approx(z**2 * n * end * (1 - end), rel=1e-9, abs=1e-12)


def test_wilson_of_statsmodels():
    found = wilson_interval(X, N)
    low, high = proportion_confint(X, N, method="wilson")
    np.testing.assert_allclose(found.lower, low, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found.upper, high, rtol=1e-9)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.998])
def test_jeffreys_is_the_posterior_with_mended_ends(confidence):
    found, tail = jeffreys_interval(X, N, confidence=confidence), (1 - confidence) / 2
    posterior = stats.beta(X + 0.5, N - X + 0.5)
    np.testing.assert_allclose(found.lower, np.where(X == 0, 0, posterior.ppf(tail)), rtol=1e-9)
    np.testing.assert_allclose(found.upper, np.where(X == N, 1, posterior.isf(tail)), rtol=1e-9)


@pytest.mark.parametrize(("x", "n"), [(0, 12), (1, 12), (11, 12), (12, 12), (9, 294), (3, 28)])
def test_clopper_pearson_of_scipy(x, n):
    found = clopper_pearson_interval(x, n, confidence=0.9)
    wanted = stats.binomtest(x, n).proportion_ci(0.9, method="exact")
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [wanted.low, wanted.high], rtol=1e-9)


def test_clopper_pearson_by_its_definition():
    """At either end the count has half the error in its tail."""
    low = optimize.brentq(lambda p: stats.binom.sf(8, 294, p) - 0.025, 1e-9, 0.5, xtol=1e-15)
    high = optimize.brentq(lambda p: stats.binom.cdf(9, 294, p) - 0.025, 1e-9, 0.5, xtol=1e-15)
    found = clopper_pearson_interval(9, 294)
    np.testing.assert_allclose([found.lower[0], found.upper[0]], [low, high], rtol=1e-9)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_zero_cells(function):
    found = function([0, 12, 0, np.nan, 3], [12, 12, 0, 12, np.nan])
    np.testing.assert_array_equal(found.estimate, [0, 1, np.nan, np.nan, np.nan])
    assert found.lower[0] == 0 < found.upper[0] < 1
    assert 0 < found.lower[1] < found.upper[1] == 1
    assert np.isnan([found.lower[2:], found.upper[2:]]).all()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_any_shape(function):
    x, n = np.arange(24).reshape(2, 3, 4), 30
    found = function(x, n)
    assert found.lower.shape == (2, 3, 4)
    np.testing.assert_array_equal(found.lower[1, 2], function(x[1, 2], n).lower)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("x", "n", "options", "text"),
    [
        ([-1], [5], {}, "events holds -1.0; give finite numbers of 0 or more"),
        ([1], [np.inf], {}, "births holds inf"),
        (
            [6],
            [5],
            {},
            "events holds 6.0 where births holds 5.0; a proportion has no more events than births",
        ),
        ([1, 2], [5, 5, 5], {}, "shapes do not fit"),
        ([1], [5], {"confidence": 1}, "confidence=1 is not allowed; give a finite number > 0 and < 1"),
    ],
)
def test_refused(function, x, n, options, text):
    with pytest.raises(OptionError, match=text):
        function(x, n, **options)


def test_text_is_no_count():
    with pytest.raises(InputTypeError, match="events of type list cannot be read as numbers"):
        wilson_interval(["few"], [5])
