"""Exponentially weighted moving averages against their definition as a weighted sum, and by enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.attributes import p_limits
from qi_equity.formulas.ewma import ewma, ewma_limits
from qi_equity.formulas.individuals import i_limits

NAN = math.nan


def weighted_sum(y: np.ndarray, centre: float, w: float) -> list[float]:
    """Sum of what was seen so far, each with its weight written out."""
    found = []
    for t in range(len(y)):
        seen = [v for v in y[: t + 1] if not math.isnan(v)]
        weights = [w * (1 - w) ** (len(seen) - 1 - i) for i in range(len(seen))]
        total = sum(a * v for a, v in zip(weights, seen, strict=True)) + (1 - w) ** len(seen) * centre
        found.append(NAN if math.isnan(y[t]) else total)
    return found


def summed_variance(sigma: np.ndarray, seen: np.ndarray, w: float) -> list[float]:
    found = []
    for t in range(len(sigma)):
        past = [s for s, there in zip(sigma[: t + 1], seen[: t + 1], strict=True) if there]
        weights = [w * (1 - w) ** (len(past) - 1 - i) for i in range(len(past))]
        total = sum((a * s) ** 2 for a, s in zip(weights, past, strict=True))
        found.append(total if seen[t] else NAN)
    return found


@pytest.fixture(scope="module")
def blocks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    y = rng.normal(20, 5, (200, 15))
    y[rng.random(y.shape) < 0.2] = NAN
    return y, rng.normal(20, 2, (200, 1)), rng.uniform(0, 4, y.shape)


@pytest.mark.parametrize("w", [0.05, 0.2, 0.7, 1.0])
def test_average_by_weighted_sum(blocks: tuple[np.ndarray, np.ndarray, np.ndarray], w: float) -> None:
    y, centre, _ = blocks
    expected = [weighted_sum(row, c, w) for row, (c,) in zip(y, centre, strict=True)]
    np.testing.assert_allclose(ewma(y, centre, weight=w), expected, rtol=1e-12)


@pytest.mark.parametrize("w", [0.05, 0.2, 0.7, 1.0])
def test_limits_by_weighted_sum(blocks: tuple[np.ndarray, np.ndarray, np.ndarray], w: float) -> None:
    y, centre, sigma = blocks
    expected = np.sqrt([summed_variance(s, there, w) for s, there in zip(sigma, ~np.isnan(y), strict=True)])
    limits = ewma_limits(y, centre, sigma, weight=w, nsigma=2.5)
    np.testing.assert_allclose(limits.sigma, expected, rtol=1e-12)
    np.testing.assert_allclose(limits.upper, centre + 2.5 * expected, rtol=1e-12)
    np.testing.assert_allclose(limits.lower, centre - 2.5 * expected, rtol=1e-12)
    np.testing.assert_array_equal(limits.centre_line, centre + 0 * sigma)


def test_variance_of_proportions_by_enumeration() -> None:
    """All outcomes of four months of few births: the standard error is that of the average itself."""
    births, p, w = np.array([3, 1, 4, 2]), 0.3, 0.4
    counts = np.array(list(itertools.product(*(range(n + 1) for n in births))))
    chance = stats.binom.pmf(counts, births, p).prod(axis=1)
    z = ewma(counts / births, p, weight=w)
    mean = chance @ z
    variance = chance @ (z - mean) ** 2
    sigma = p_limits(births, births, centre_line=p).sigma
    limits = ewma_limits(counts[0] / births, p, sigma, weight=w)
    np.testing.assert_allclose(mean, limits.centre_line, rtol=1e-12)
    np.testing.assert_allclose(limits.sigma, np.sqrt(variance), rtol=1e-12)


def test_one_sigma_gives_the_published_closed_form() -> None:
    t, w, sigma = np.arange(1, 25), 0.2, 3.0
    expected = sigma * np.sqrt(w / (2 - w) * (1 - (1 - w) ** (2 * t)))
    np.testing.assert_allclose(ewma_limits(np.zeros(24), 0, sigma).sigma, expected, rtol=1e-12)


def test_a_weight_of_one_gives_the_points_and_their_limits() -> None:
    y = [3.0, 5.0, NAN, 4.0, 9.0]
    points = i_limits(y)
    np.testing.assert_allclose(ewma(y, points.centre_line, weight=1), y, rtol=1e-15)
    limits = ewma_limits(y, points.centre_line, points.sigma, weight=1)
    seen = ~np.isnan(y)
    np.testing.assert_allclose(limits.upper[seen], points.upper[seen], rtol=1e-15)


def test_a_constant_series_never_leaves_its_centre_line() -> None:
    for value in (0.1, 0.7, 1 / 3, 96.4):
        y = np.full(30, value)
        points = i_limits(y)
        limits = ewma_limits(y, points.centre_line, points.sigma)
        for part in (ewma(y, points.centre_line), limits.lower, limits.upper):
            assert part.tolist() == [value] * 30


def test_a_missing_point_changes_nothing_after_it() -> None:
    y, sigma = np.array([12.0, 9, 14, 11, 8]), np.array([1.0, 2, 3, 1, 2])
    at = 2
    gap, wide = np.insert(y, at, NAN), np.insert(sigma, at, NAN)
    np.testing.assert_array_equal(np.delete(ewma(gap, 10), at), ewma(y, 10))
    with_gap, without = ewma_limits(gap, 10, wide), ewma_limits(y, 10, sigma)
    np.testing.assert_array_equal(np.delete(with_gap.upper, at), without.upper)
    assert np.isnan([ewma(gap, 10)[at], with_gap.sigma[at], with_gap.lower[at], with_gap.upper[at]]).all()
    assert with_gap.centre_line[at] == 10


def test_a_centre_line_that_varies_is_followed() -> None:
    """Both shifted alike, points and line keep the same distance."""
    y, line = np.array([12.0, 9, 14, 11]), np.array([0.0, 5, -3, 2])
    np.testing.assert_allclose(ewma(y + line, 10 + line), ewma(y, 10) + line, rtol=1e-14)


def test_unknown_lines_give_no_numbers() -> None:
    assert np.isnan(ewma([1, 2], NAN)).all()
    assert np.isnan(ewma_limits([1, 2], NAN, 1).upper).all()
    found = ewma_limits([1.0, 2, 3], 2, [1, NAN, 1]).sigma
    np.testing.assert_array_equal(np.isnan(found), [False, True, True])


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match=r"weight=0 is not allowed; give a finite number > 0 and <= 1"):
        ewma([1, 2], 1, weight=0)
    with pytest.raises(OptionError, match=r"weight=1.5 is not allowed"):
        ewma_limits([1, 2], 1, 1, weight=1.5)
    with pytest.raises(OptionError, match=r"nsigma=0 is not allowed"):
        ewma_limits([1, 2], 1, 1, nsigma=0)
    with pytest.raises(OptionError, match=r"values \(2,\), centre_line \(3,\)"):
        ewma([1, 2], [1, 2, 3])
    with pytest.raises(InputTypeError, match=r"sigma of type str cannot be read as numbers"):
        ewma_limits([1, 2], 1, "wide")


def test_inputs_are_left_as_they_were() -> None:
    y, line, sigma = np.array([1.0, NAN, 4]), np.full(3, 2.0), np.ones(3)
    for array in (y, line, sigma):
        array.setflags(write=False)
    ewma(y, line)[0] = 3
    ewma_limits(y, line, sigma).centre_line[0] = 3
