"""The variance of a step under AR(1): dense matrices, loops and simulation; no published table was found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qi_equity.change.level import level_effects
from qi_equity.change.sensitivity.autocorrelation import level_factor, period_weights, variance_factor
from qi_equity.formulas.sparse_change import conditional_odds_ratio


def by_dense_matrices(x: np.ndarray, c: np.ndarray, w: np.ndarray, rho: float) -> float:
    """One stratum and step: the true variance over what ordinary weighted least squares expects to report."""
    used = w > 0
    x, w, at = x[used], w[used], np.flatnonzero(used)
    r = np.array([[rho ** abs(int(s) - int(t)) for t in at] for s in at])
    root = np.diag(w**0.5)
    covariance = np.linalg.inv(root) @ r @ np.linalg.inv(root)
    bread = np.linalg.inv(x.T @ np.diag(w) @ x)
    hat = x @ bread @ x.T @ np.diag(w)
    true = c @ bread @ x.T @ np.diag(w) @ covariance @ np.diag(w) @ x @ bread @ c
    rest = np.eye(len(w)) - hat
    pearson = np.trace(rest.T @ np.diag(w) @ rest @ covariance)
    reported = pearson / (len(w) - x.shape[1]) * (c @ bread @ c)
    return float(true / reported)


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.2, 0.6])
def test_the_factor_is_that_of_dense_matrices(rho: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(5, 17, 3))
    w = rng.uniform(0.5, 4, size=(5, 17))
    w[1, [3, 9, 16]] = 0.0
    c = rng.normal(size=(5, 2, 3))
    found = variance_factor(x, c, w, rho)
    for s in range(5):
        for k in range(2):
            np.testing.assert_allclose(found[s, k], by_dense_matrices(x[s], c[s, k], w[s], rho), rtol=1e-9)


def test_a_simulation_of_steps_has_that_variance() -> None:
    rng, rho, draws = np.random.default_rng(3), 0.4, 40_000
    errors = rng.normal(size=(draws, 1))
    series = [errors[:, 0]]
    for _ in range(23):
        series.append(rho * series[-1] + np.sqrt(1 - rho**2) * rng.normal(size=draws))
    y = np.stack(series, axis=1)
    step = y[:, 12:].mean(axis=1) - y[:, :12].mean(axis=1)
    rest = np.concatenate(
        [y[:, :12] - y[:, :12].mean(1, keepdims=True), y[:, 12:] - y[:, 12:].mean(1, keepdims=True)], 1
    )
    reported = ((rest**2).sum(axis=1) / 22 * (2 / 12)).mean()
    segment = np.repeat([0, 1], 12)
    factor = level_factor(np.ones(24), segment, 1, rho)[0]
    # The variance of a simulated variance is 2 / draws of its square: four standard errors.
    np.testing.assert_allclose(step.var() / reported, factor, rtol=4 * np.sqrt(2 / draws))


def test_no_correlation_changes_nothing_and_positive_correlation_widens() -> None:
    segment = np.repeat([0, 1, 2], [10, 8, 6])
    weight = np.linspace(1, 3, 24)
    np.testing.assert_allclose(level_factor(weight, segment, 2, 0.0), [1, 1], rtol=1e-12)
    grows = [level_factor(weight, segment, 2, rho) for rho in (0.0, 0.2, 0.4, 0.6)]
    assert (np.diff(np.stack(grows), axis=0) > 0).all()


def test_with_no_period_to_spare_only_the_step_counts() -> None:
    # Two periods, two levels: nothing tells of dispersion, and the variance of b - a is 2 (1 - rho) of 2.
    np.testing.assert_allclose(level_factor(np.ones(2), np.array([0, 1]), 1, 0.6), [0.4])


@settings(deadline=None)
@given(st.floats(-0.9, 0.9), st.integers(3, 12), st.integers(3, 12), st.floats(0.1, 50))
def test_the_factor_does_not_depend_on_the_unit_nor_on_which_side_comes_first(
    rho: float, before: int, after: int, unit: float
) -> None:
    segment = np.repeat([0, 1], [before, after])
    weight = np.linspace(1, 2, before + after)
    one = level_factor(weight, segment, 1, rho)
    np.testing.assert_allclose(level_factor(unit * weight, segment, 1, rho), one, rtol=1e-9)
    mirrored = level_factor(weight[::-1], np.repeat([0, 1], [after, before]), 1, rho)
    np.testing.assert_allclose(mirrored, one, rtol=1e-9)


def test_weights_are_zero_where_a_period_is_not_used() -> None:
    events, size = np.array([[2.0, np.nan, 3.0, 1.0]]), np.array([[10.0, 10.0, 10.0, 0.0]])
    segment = np.array([[0, 0, 1, 1]])
    p = np.array([2.5 / 11, 3.5 / 11])
    found = period_weights(events, size, segment, 1, binomial=True)
    np.testing.assert_allclose(found, [[10 * p[0] * (1 - p[0]), 0, 10 * p[1] * (1 - p[1]), 0]])
    rates = period_weights(events, size, segment, 1, binomial=False)
    np.testing.assert_allclose(rates, [[10 * p[0], 0, 10 * p[1], 0]])
    left_out = period_weights(events, size, np.array([[0, 0, -1, 1]]), 1, binomial=True)
    assert left_out[0, 2] == 0


def test_an_inflated_level_widens_logs_by_its_root_and_exact_intervals_by_their_confidence() -> None:
    events = np.array([[30, 28, 33, 29, 12, 14, 11, 13], [1, 0, 2, 1, 0, 0, 1, 0]], dtype=float)
    size = np.full((2, 8), 100.0)
    segment = np.repeat([[0] * 4 + [1] * 4], 2, axis=0)
    options = {"family": "binomial", "confidence": 0.95}
    plain = level_effects(events, size, segment, 1, **options)
    wide = level_effects(events, size, segment, 1, inflate=np.full((2, 1), 2.25), **options)
    half = [np.log(e.ratio.upper / e.ratio.lower)[0, 0] / 2 for e in (plain, wide)]
    np.testing.assert_allclose(half[1] / half[0], 1.5, rtol=1e-9)
    assert wide.exact[1, 0]
    assert wide.p[1, 0] > plain.p[1, 0]
    assert wide.odds_ratio.lower[1, 0] <= plain.odds_ratio.lower[1, 0]
    # By the exact formula itself: dispersion 1 and 6 degrees of freedom, widened by 1.5 t / z.
    from scipy import special

    z, t = special.ndtri(0.975), special.stdtrit(6, 0.975)
    alone = conditional_odds_ratio(1, 400, 4, 400, confidence=1 - 2 * special.ndtr(-z * 1.5 * t / z))
    np.testing.assert_allclose(wide.odds_ratio.upper[1, 0], alone.upper, rtol=1e-9)
