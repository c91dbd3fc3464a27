"""Distributions of points: chances against scipy, and quantiles against the chances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from qi_equity.formulas.distributions import (
    Binomial,
    Distribution,
    Geometric,
    Normal,
    Poisson,
)

NAN = math.nan


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


DRAWN = [
    pytest.param(Binomial(one(0.1), one(30), one(30)), 0.1, math.sqrt(0.09 / 30), id="proportion"),
    pytest.param(Binomial(one(0.1), one(30), one(1)), 3, math.sqrt(2.7), id="count of births"),
    pytest.param(Poisson(one(6), one(2)), 3, math.sqrt(6) / 2, id="rate"),
    pytest.param(Geometric(one(8), 1), 8, math.sqrt(56), id="gap from 1"),
    pytest.param(Geometric(one(8), 0), 8, math.sqrt(72), id="gap from 0"),
    pytest.param(Normal(one(5), one(2)), 5, 2, id="normal"),
]


@pytest.mark.parametrize(("points", "mean", "sd"), DRAWN)
def test_draws_follow_the_distribution(points: Distribution, mean: float, sd: float) -> None:
    n = 40_000
    drawn = points.quantile(np.random.default_rng(2).random((n, 1)))
    assert drawn.shape == (n, 1)
    assert drawn.mean() == pytest.approx(mean, abs=5 * sd / math.sqrt(n))
    for z in (-1.5, -0.5, 0.4, 1.3):
        line = one(mean + z * sd)
        below, above = float(points.below(line)[0]), float(points.above(line)[0])
        assert (drawn < line).mean() == pytest.approx(below, abs=5 * math.sqrt(0.25 / n))
        assert (drawn > line).mean() == pytest.approx(above, abs=5 * math.sqrt(0.25 / n))


def test_certain_events_and_lines_out_of_reach() -> None:
    assert Geometric(one(1), 1).above(np.array([0.5, 1.5])).tolist() == [1, 0]
    assert Geometric(one(1), 1).below(np.array([0.5, 1, 1.5])).tolist() == [0, 0, 1]
    ten = Binomial(one(0.5), one(10), one(10))
    assert ten.below(np.array([-np.inf, np.inf])).tolist() == [0, 1]
    assert ten.above(np.array([-np.inf, np.inf])).tolist() == [1, 0]
    five = Poisson(one(5), one(1))
    assert five.below(np.array([-np.inf, np.inf])).tolist() == [0, 1]
    assert five.above(np.array([-np.inf, np.inf])).tolist() == [1, 0]
    np.testing.assert_array_equal(ten.below(one(NAN)), [NAN])


@pytest.mark.parametrize("chance", [0.001, 0.3, 0.5, 0.77, 0.9999])
def test_quantiles_by_scipy(chance: float) -> None:
    births, p, mean = (
        np.array([[1.0, 12, 300], [5000, 40, 7]]),
        np.array([[0.3, 0.02, 0.5], [0.3, 1, 0]]),
        6.5,
    )
    found = Binomial(p, births, np.ones_like(p)).quantile(np.full((2, 1, 3), chance))
    assert found.shape == (2, 2, 3)
    np.testing.assert_array_equal(found[1], stats.binom.ppf(chance, births, p))
    found = Poisson(np.array([mean, 900.0]), np.array([2.0, 1])).quantile(np.array([chance, chance]))
    np.testing.assert_array_equal(found, stats.poisson.ppf(chance, [mean, 900]) / [2, 1])
    gaps = Geometric(np.array([25.0, 1.0]), 1).quantile(np.array([chance, chance]))
    np.testing.assert_array_equal(gaps, [stats.geom.ppf(chance, 1 / 25), 1])
