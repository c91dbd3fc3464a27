"""Partial pooling: maximum likelihood by R, intervals by numerical integration, closed forms.

The likelihoods were maximised by ``optim`` of R 4.2.2 (BFGS, relative tolerance 1e-15) and, for the
beta-binomial, also by ``vglm(betabinomial)`` of VGAM 1.1-7. The pump failures are those of Gaver and
O'Muircheartaigh, Technometrics 1987;29:1-15; no printed maximum likelihood estimates could be read.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas._compound import _trigamma
from qi_equity.formulas.shrinkage import Shrunken, beta_binomial_shrinkage, gamma_poisson_shrinkage

SITES = ([0, 4, 9, 1, 30], [12, 60, 80, 40, 200])
PUMPS = (
    [5, 1, 5, 14, 3, 19, 1, 1, 4, 22],
    [94.32, 15.72, 62.88, 125.76, 5.24, 31.44, 1.048, 1.048, 2.096, 10.48],
)


def test_beta_binomial_is_that_of_r() -> None:
    found = beta_binomial_shrinkage([2, 30, 12, 8], [100, 300, 100, 90])
    assert found.mean == pytest.approx(0.0836867146041, rel=1e-6)
    assert found.prior_size == pytest.approx(77.466395619805, rel=1e-5)
    sites = beta_binomial_shrinkage(*SITES)
    assert sites.mean == pytest.approx(0.0924496372296, rel=1e-6)
    assert sites.prior_size == pytest.approx(59.4492114821558, rel=1e-5)


def test_beta_binomial_is_that_of_vgam() -> None:
    sites = beta_binomial_shrinkage(*SITES)
    assert sites.mean == pytest.approx(0.0924496204955, rel=1e-6)
    assert 1 / (1 + sites.prior_size) == pytest.approx(0.0165428346497, rel=1e-5)


def test_gamma_poisson_is_that_of_r() -> None:
    sites = gamma_poisson_shrinkage(*SITES)
    assert sites.mean == pytest.approx(0.094459331031, rel=1e-6)
    assert sites.prior_size == pytest.approx(74.336730418, rel=1e-5)
    pumps = gamma_poisson_shrinkage(*PUMPS)
    assert pumps.mean * pumps.prior_size == pytest.approx(0.822268437208, rel=1e-5)
    assert pumps.prior_size == pytest.approx(1.258954152258, rel=1e-5)


@pytest.mark.parametrize("shrink", [beta_binomial_shrinkage, gamma_poisson_shrinkage])
def test_the_estimate_is_the_posterior_mean(shrink: object) -> None:
    x, n = (np.array(v, dtype=float) for v in SITES)
    found: Shrunken = shrink(x, n)
    np.testing.assert_allclose(found.estimate, (x + found.mean * found.prior_size) / (n + found.prior_size))
    np.testing.assert_allclose(found.weight, n / (n + found.prior_size))


@pytest.mark.parametrize("shrink", [beta_binomial_shrinkage, gamma_poisson_shrinkage])
def test_units_that_differ_by_chance_are_pooled_completely(shrink: object) -> None:
    found: Shrunken = shrink([5, 10, 8], [50, 100, 80])
    assert found.complete
    assert np.isinf(found.prior_size)
    np.testing.assert_allclose(found.estimate, 0.1)
    assert (found.weight == 0).all()
    # Complete pooling does not make the rates known.
    assert (found.upper - found.lower > 0.06).all()
    assert not shrink([0, 50, 8], [50, 100, 80]).complete


def brute(x: np.ndarray, n: np.ndarray, beta: bool) -> np.ndarray:
    """Integrate over mean and shrinkage on a fine grid; quantiles of the mixture by interpolation."""
    shrinkage = np.linspace(0.005, 0.995, 60)[:, None, None]
    mean = np.linspace(0.004, 0.4, 100)[None, :, None]
    prior = len(n) / (1 / n).sum() * shrinkage / (1 - shrinkage)
    a = mean * prior
    if beta:
        b = (1 - mean) * prior
        log = (special.betaln(x + a, n - x + b) - special.betaln(a, b)).sum(-1)
    else:
        log = stats.nbinom.logpmf(x, a, prior / (prior + n)).sum(-1)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    at = np.linspace(0, 0.5, 126)
    ends = []
    kept = weight > weight.max() * 1e-4
    a, prior = np.broadcast_to(a, (60, 100, 1))[kept], np.broadcast_to(prior, (60, 100, 1))[kept]
    for k in range(len(n)):
        if beta:
            below = special.betainc(a + x[k], prior - a + n[k] - x[k], at)
        else:
            below = special.gammainc(a + x[k], (prior + n[k]) * at)
        ends.append(
            np.interp([0.025, 0.975], (weight[kept][:, None] * below).sum(0) / weight[kept].sum(), at)
        )
    return np.array(ends).T


@pytest.mark.parametrize("beta", [True, False])
def test_intervals_are_nearly_those_of_numerical_integration(beta: bool) -> None:
    x, n = np.array([1.0, 9.0, 12.0, 4.0]), np.array([30.0, 90.0, 70.0, 60.0])
    found = (beta_binomial_shrinkage if beta else gamma_poisson_shrinkage)(x, n)
    lower, upper = brute(x, n, beta)
    width = upper - lower
    assert (np.abs(found.lower - lower) < 0.1 * width).all()
    assert (np.abs(found.upper - upper) < 0.1 * width).all()


def test_sets_are_reckoned_alone_and_gaps_have_no_part() -> None:
    x, n = (np.array(v, dtype=float) for v in SITES)
    wide = np.stack([np.append(x, [np.nan, 3]), np.append(2 * x, [5, 5])])
    size = np.stack([np.append(n, [50, 0]), np.append(n, [70, 90])])
    both = beta_binomial_shrinkage(wide, size)
    alone = beta_binomial_shrinkage(x, n)
    np.testing.assert_allclose(both.estimate[0, :5], alone.estimate, rtol=1e-7)
    np.testing.assert_allclose(both.lower[0, :5], alone.lower, rtol=1e-7)
    assert np.isnan(both.estimate[0, 5:]).all()


@pytest.mark.parametrize(
    ("x", "n"), [([3, 4], [50, 60]), ([0, 0, 0], [50, 60, 70]), ([3, np.nan, 5], [50, 60, 70])]
)
def test_what_cannot_be_pooled_is_nan(x: list[float], n: list[float]) -> None:
    for shrink in (beta_binomial_shrinkage, gamma_poisson_shrinkage):
        found = shrink(x, n)
        for name in ("estimate", "lower", "upper", "weight", "mean", "prior_size"):
            assert np.isnan(getattr(found, name)).all()
        assert not found.complete


def test_nothing_but_events_is_nan_for_proportions_only() -> None:
    assert np.isnan(beta_binomial_shrinkage([5, 6, 7], [5, 6, 7]).mean)
    assert gamma_poisson_shrinkage([5, 6, 7], [5, 6, 7]).mean == pytest.approx(1)


def test_higher_confidence_is_wider() -> None:
    narrow, wide = (beta_binomial_shrinkage(*SITES, confidence=level) for level in (0.8, 0.99))
    assert (wide.lower < narrow.lower).all()
    assert (wide.upper > narrow.upper).all()


def test_second_derivative_is_scipys() -> None:
    x = np.geomspace(1e-4, 1e8, 300)
    np.testing.assert_allclose(_trigamma(x), special.polygamma(1, x), rtol=1e-12)


def test_errors_name_the_argument() -> None:
    with pytest.raises(OptionError, match="confidence=1"):
        beta_binomial_shrinkage(*SITES, confidence=1)
    with pytest.raises(InputTypeError, match="events"):
        gamma_poisson_shrinkage(["a"], [1])
    with pytest.raises(OptionError, match="do not fit together"):
        beta_binomial_shrinkage([1, 2, 3], [1, 2])


@pytest.mark.parametrize("shrink", [beta_binomial_shrinkage, gamma_poisson_shrinkage])
def test_a_set_is_to_the_last_digit_what_it_is_among_others(shrink: object) -> None:
    """Sets need different numbers of steps; none goes on for the sake of another."""
    x = np.array([[3, 5, 9, 1], [0, 0, 1, 0], [40, 2, 7, 0]], dtype=float)
    n = np.array([[50, 60, 70, 30], [90, 4, 700, 2], [60, 60, 9, 3]], dtype=float)
    together = shrink(x, n)
    for k in range(len(x)):
        alone = shrink(x[k], n[k])
        for part in ("estimate", "lower", "upper", "weight"):
            np.testing.assert_array_equal(getattr(alone, part), getattr(together, part)[k])


@pytest.mark.parametrize(
    ("shrink", "x", "n"),
    [
        (gamma_poisson_shrinkage, [0, 11, 0], [2, 20, 3]),
        (beta_binomial_shrinkage, [0, 10, 0], [7, 34, 1]),
    ],
)
def test_an_estimate_pooled_completely_lies_in_its_interval(
    shrink: object, x: list[float], n: list[float]
) -> None:
    found = shrink(x, n, confidence=0.8)
    assert (found.lower <= found.estimate).all()
    assert (found.estimate <= found.upper).all()
