"""Maximum likelihood of the Weibull distribution: likelihood equations, closed cases, scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from qi_equity.formulas._weibull import fit_weibull, weibull_sd

NAN = math.nan


def fitted(times: object) -> tuple[float, float]:
    y = np.asarray(times, dtype=np.float64)
    shape, scale = fit_weibull(y, ~np.isnan(y))
    return float(shape[0]), float(scale[0])


def by_bisection(y: np.ndarray) -> tuple[float, float]:
    """Solve the likelihood equation of one sample as textbooks print it."""
    y = y[~np.isnan(y)]
    ref = y / y.max()

    def score(c: float) -> float:
        return float((ref**c * np.log(ref)).sum() / (ref**c).sum() - 1 / c - np.log(ref).mean())

    c = optimize.brentq(score, 1e-3, 1e4, xtol=1e-14, rtol=1e-14)
    return c, float(y.max() * (ref**c).mean() ** (1 / c))


def test_likelihood_equations_by_bisection() -> None:
    rng = np.random.default_rng(3)
    y = rng.weibull(rng.uniform(0.4, 3, (300, 1)), (300, 14)) * rng.uniform(0.1, 500, (300, 1))
    y[rng.random(y.shape) < 0.3] = NAN
    y = y[(~np.isnan(y)).sum(axis=1) >= 2]
    shape, scale = fit_weibull(y, ~np.isnan(y))
    expected = np.array([by_bisection(row) for row in y])
    np.testing.assert_allclose(shape[:, 0], expected[:, 0], rtol=1e-9)
    np.testing.assert_allclose(scale[:, 0], expected[:, 1], rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_scipy_finds_no_likelier_parameters(seed: int) -> None:
    """Its search stops at about 1e-5; the likelihood at our answer must not be lower."""
    y = np.random.default_rng(seed).weibull(0.7 + 0.3 * seed, 25) * 12
    shape, scale = fitted(y)
    other, _, other_scale = stats.weibull_min.fit(y, floc=0)
    assert shape == pytest.approx(other, rel=1e-4)
    assert scale == pytest.approx(other_scale, rel=1e-4)
    ours, theirs = (
        stats.weibull_min.logpdf(y, c, scale=b).sum() for c, b in ((shape, scale), (other, other_scale))
    )
    assert ours >= theirs - 1e-10


def test_two_times_in_closed_form() -> None:
    """Of exp(-d) and exp(d) the shape is x / d with x tanh x = 1; the scale follows from its mean power."""
    x = 1.1996786402577338
    for d in (1e-6, 0.01, 1.0, 20.0, 200.0):
        shape, scale = fitted([math.exp(-d), math.exp(d)])
        assert shape == pytest.approx(x / d, rel=1e-9)
        assert math.log(scale) == pytest.approx(math.log(math.cosh(x)) * d / x, rel=1e-9)


def test_published_ball_bearings() -> None:
    """Lieblein and Zelen 1956, as fitted by Lawless 1982: 2.10 and 81.9 million revolutions."""
    revolutions = [17.88, 28.92, 33.0, 41.52, 42.12, 45.6, 48.4, 51.84, 51.96, 54.12, 55.56, 67.8]
    revolutions += [68.64, 68.64, 68.88, 84.12, 93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.4]
    shape, scale = fitted(revolutions)
    assert shape == pytest.approx(2.10, abs=5e-3)
    assert scale == pytest.approx(81.9, abs=5e-2)


@pytest.mark.parametrize("n", [2, 3, 10, 100, 3000])
def test_far_outliers_and_ties_are_solved_too(n: int) -> None:
    rng = np.random.default_rng(n)
    logs = rng.normal(0, 1e-7, (4, n))
    logs[0, 0], logs[1, 0], logs[2] = 40, -40, logs[2] * 1e9
    logs[3] = np.arange(n) % 2
    y = np.exp(logs)
    shape, scale = fit_weibull(y, np.ones(y.shape, dtype=bool))
    weight = (y / y.max(axis=1, keepdims=True)) ** shape
    excess = (weight * logs).sum(axis=1) / weight.sum(axis=1) - logs.mean(axis=1)
    np.testing.assert_allclose(shape[:, 0] * excess, 1, rtol=1e-6)
    np.testing.assert_allclose(((y / scale) ** shape).mean(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("times", [[4.0], [4.0, NAN, NAN], [4.0, 4.0, 4.0], [4.0, 4.0 * (1 + 1e-12)]])
def test_times_all_alike_have_no_shape(times: list[float]) -> None:
    shape, scale = fitted(times)
    assert math.isnan(shape)
    assert scale == pytest.approx(4, rel=1e-11)


def test_no_times_have_neither() -> None:
    assert np.isnan(fitted([NAN, NAN])).all()


def test_alone_and_among_others_are_the_same() -> None:
    y = np.random.default_rng(2).weibull(1.0, (5, 3, 12))
    y[1, 1] = 2.0
    shape, scale = fit_weibull(y, np.ones(y.shape, dtype=bool))
    assert shape.shape == (5, 3, 1)
    alone = np.array([[fitted(row) for row in rows] for rows in y])
    np.testing.assert_allclose(shape[..., 0], alone[..., 0], rtol=1e-13)
    np.testing.assert_allclose(scale[..., 0], alone[..., 1], rtol=1e-13)


@pytest.mark.parametrize("shape", [0.3, 0.8, 1.0, 2.0, 12.0])
def test_standard_deviation_by_integration(shape: float) -> None:
    def moment(k: int) -> float:
        return float(integrate.quad(lambda u: (-math.log(u)) ** (k / shape), 0, 1, limit=400)[0])

    expected = 5 * math.sqrt(moment(2) - moment(1) ** 2)
    found = weibull_sd(np.array([[shape]]), np.array([[5.0]]))
    assert float(found[0, 0]) == pytest.approx(expected, rel=1e-5)
    assert float(found[0, 0]) == pytest.approx(stats.weibull_min.std(shape, scale=5), rel=1e-9)


def test_standard_deviation_at_the_edges() -> None:
    found = weibull_sd(np.array([1e-3, NAN]), np.ones(2))
    assert found[0] == math.inf
    assert math.isnan(found[1])
    large = np.logspace(7, 14, 200)
    assert (weibull_sd(large, np.ones(200)) < 1e-6).all()
