"""Chances of the zones by summing the counts of each, compared as the points of a chart are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from qi_equity.formulas.distributions import Binomial, Distribution, Geometric, Normal, Poisson
from qi_equity.formulas.zone_chances import zone_chances

NAN = math.nan
LINES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)


def zone_of(y: np.ndarray, lines: tuple[float, ...]) -> np.ndarray:
    """Number of each value's zone, by the comparisons of the tests; lines from the lowest to the highest."""
    l3, l2, l1, centre, h1, h2, h3 = lines
    return np.select(
        [y < l3, y < l2, y < l1, y < centre, y == centre, y <= h1, y <= h2, y <= h3],
        [0, 1, 2, 3, 4, 5, 6, 7],
        8,
    )


def by_listing(values: np.ndarray, pmf: np.ndarray, lines: tuple[float, ...]) -> np.ndarray:
    return np.bincount(zone_of(values, lines), weights=pmf, minlength=10)


def pairs(lines: tuple[float, ...]) -> dict[str, tuple[float, float]]:
    return {
        "one_sigma": (lines[2], lines[4]),
        "two_sigma": (lines[1], lines[5]),
        "three_sigma": (lines[0], lines[6]),
    }


@pytest.mark.parametrize("n", [1, 10, 20, 49, 187])
@pytest.mark.parametrize("p", [0.02, 0.2, 0.6])
def test_proportions(n: int, p: float) -> None:
    """Lines on counts (twentieths) and between them."""
    k, births = np.arange(n + 1), np.array([float(n)])
    expected = by_listing(k / n, stats.binom.pmf(k, n, p), LINES)
    found = zone_chances(Binomial(np.array([p]), births, births), [LINES[3]], **pairs(LINES))
    np.testing.assert_allclose(found[0], expected, rtol=1e-9, atol=1e-14)


def test_counts_of_a_binomial() -> None:
    """An np chart compares the counts themselves."""
    k, lines = np.arange(41), (1.5, 3.0, 5.0, 8.0, 11.0, 13.0, 15.5)
    found = zone_chances(Binomial(np.array([0.2]), np.array([40.0]), np.array([1.0])), 8.0, **pairs(lines))
    np.testing.assert_allclose(found[0], by_listing(k, stats.binom.pmf(k, 40, 0.2), lines), atol=1e-14)


@pytest.mark.parametrize("exposure", [0.5, 3.7, 49.0])
def test_rates(exposure: float) -> None:
    k, lines = np.arange(400), (0.1, 0.4, 1.0, 1.3, 2.0, 2.5, 4.0)
    expected = by_listing(k / exposure, stats.poisson.pmf(k, 1.3 * exposure), lines)
    found = zone_chances(Poisson(np.array([1.3 * exposure]), np.array([exposure])), 1.3, **pairs(lines))
    np.testing.assert_allclose(found[0], expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("smallest", [0, 1])
def test_gaps(smallest: int) -> None:
    k, lines = np.arange(smallest, 3000), (1.0, 2.0, 5.0, 17.0, 40.0, 60.5, 130.5)
    pmf = stats.geom.pmf(k + 1 - smallest, 1 / (25 + 1 - smallest))
    found = zone_chances(Geometric(np.array([25.0]), smallest), 17, **pairs(lines))
    np.testing.assert_allclose(found[0], by_listing(k, pmf, lines), rtol=1e-9, atol=1e-14)


def test_measurements() -> None:
    found = zone_chances(Normal(np.array([5.0]), np.array([2.0])), 5, **pairs((-1, 1, 3, 5, 7, 9, 11)))
    cuts = stats.norm.cdf([-np.inf, -3, -2, -1, 0, 0, 1, 2, 3, np.inf])
    np.testing.assert_allclose(found[0], [*np.diff(cuts), 0], rtol=1e-9)


def test_a_constant_lies_on_the_line() -> None:
    found = zone_chances(Normal(np.array([5.0]), np.array([0.0])), 5, three_sigma=(5, 5))
    assert found[0].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]


def test_limits_that_are_not_given_are_not_passed() -> None:
    points = Normal(np.zeros(3), np.ones(3))
    found = zone_chances(points, [0.0] * 3, two_sigma=([-2, NAN, -2], 2), three_sigma=(-3, [3, 3, NAN]))
    tail2, tail3 = stats.norm.sf([2, 3])
    np.testing.assert_allclose(found[:, 0], tail3)
    np.testing.assert_allclose(found[:, 1], [tail2 - tail3, 0, tail2 - tail3], atol=1e-16)
    np.testing.assert_allclose(found[:, 7], [tail2 - tail3, tail2 - tail3, tail2], atol=1e-16)
    np.testing.assert_allclose(found[:, 8], [tail3, tail3, 0])
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_limit_beyond_the_centre_line_judges_one_side_only() -> None:
    """Nothing above the line lies below the lower limit, whatever the limits."""
    found = zone_chances(Normal(np.zeros(1), np.ones(1)), 0.0, three_sigma=(1, 2))
    np.testing.assert_allclose(found[0, [0, 5]], [0.5, 0.5 - stats.norm.sf(2)])


@pytest.mark.parametrize(
    "points",
    [
        Binomial(np.array([0.1, 0.1, NAN]), np.array([5.0, 0.0, 5.0]), np.array([5.0, 0.0, 5.0])),
        Binomial(np.array([0.1, 0.1, 0.1]), np.array([5.0, NAN, NAN]), np.array([5.0, NAN, NAN])),
        Poisson(np.array([2.0, NAN, 1.0]), np.array([1.0, 1.0, 0.0])),
        Geometric(np.array([9.0, NAN, NAN]), 1),
        Normal(np.array([0.0, NAN, 0.0]), np.array([1.0, 1.0, NAN])),
    ],
    ids=["binomial", "births", "poisson", "geometric", "normal"],
)
def test_what_is_not_known_is_missing(points: Distribution) -> None:
    found = zone_chances(points, [0.1] * 3)
    assert found[:, 9].tolist() == [0, 1, 1]
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert zone_chances(points, [NAN] * 3)[:, 9].tolist() == [1, 1, 1]
    drawn = points.quantile(np.random.default_rng(1).random((50, 3)))
    assert drawn.shape == (50, 3)
    assert np.isnan(drawn[:, 1:]).all()
    assert not np.isnan(drawn[:, 0]).any()
