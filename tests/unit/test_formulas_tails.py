"""Exact tails against enumeration, and the counts that signal against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from qi_equity.formulas import _tails
from qi_equity.formulas._tails import (
    binomial_at_least,
    binomial_at_most,
    binomial_signals,
    poisson_at_least,
    poisson_at_most,
    poisson_signals,
)

ALPHA = 0.00135
CHANCES = np.concatenate([
    [0, 1e-12, 1e-6, 1e-4, 0.001, 0.999, 0.9999, 1 - 1e-6, 1],
    np.linspace(0.005, 0.995, 100),
    np.random.default_rng(3).uniform(0, 1, 60),
])  # fmt: skip


@pytest.fixture(params=[8, 10**12, 1e-9], ids=["as shipped", "never a table", "always a table"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tails, "_POINTS_PER_ENTRY", request.param)


def grid(sizes: np.ndarray, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n, p = np.meshgrid(sizes, parameters)
    return n.ravel().astype(float), p.ravel()


def enumerated_binomial(n: int, p: float, alpha: float) -> tuple[int, int]:
    """Add up the probabilities of all counts, from the far end of each tail inwards."""
    pmf = stats.binom.pmf(np.arange(n + 1), n, p)
    at_most, at_least = np.cumsum(pmf), np.cumsum(pmf[::-1])[::-1]
    low = max((k for k in range(n + 1) if at_most[k] < alpha), default=-1)
    return low, min((k for k in range(n + 1) if at_least[k] < alpha), default=n + 1)


def test_tails_are_those_of_scipy_stats() -> None:
    n, p = grid(np.array([1, 2, 7, 60, 1000]), np.array([0, 1e-6, 0.03, 0.5, 0.97, 1]))
    for k in range(-2, 70):
        count = np.full(n.shape, float(k))
        np.testing.assert_allclose(
            binomial_at_least(count, n, p), stats.binom.sf(k - 1, n, p), rtol=1e-9, atol=1e-300
        )
        np.testing.assert_allclose(
            binomial_at_most(count, n, p), stats.binom.cdf(k, n, p), rtol=1e-9, atol=1e-300
        )
        np.testing.assert_allclose(
            poisson_at_least(count, n, p), stats.poisson.sf(k - 1, p), rtol=1e-9, atol=1e-300
        )
        np.testing.assert_allclose(
            poisson_at_most(count, n, p), stats.poisson.cdf(k, p), rtol=1e-9, atol=1e-300
        )


@pytest.mark.parametrize("alpha", [ALPHA, 0.02275])
@pytest.mark.usefixtures("path")
def test_binomial_counts_by_enumeration(alpha: float) -> None:
    n, p = grid(np.arange(1, 61), CHANCES)
    expected = np.array([enumerated_binomial(int(a), b, alpha) for a, b in zip(n, p, strict=True)])
    low, high = binomial_signals(n, p, alpha)
    np.testing.assert_array_equal(low, expected[:, 0])
    np.testing.assert_array_equal(high, expected[:, 1])


@pytest.mark.parametrize("alpha", [1e-6, ALPHA, 0.02275, 0.2, 0.49])
@pytest.mark.usefixtures("path")
def test_binomial_counts_hold_their_definition_at_any_size(alpha: float) -> None:
    rng = np.random.default_rng(5)
    n = np.rint(10 ** rng.uniform(0, 4, 2000))
    p = np.where(rng.random(2000) < 0.5, 10 ** rng.uniform(-7, 0, 2000), rng.uniform(0, 1, 2000))
    if _tails._POINTS_PER_ENTRY < 1:
        n = np.minimum(n, 400)
    assert_definition(n, p, alpha)


def assert_definition(n: np.ndarray, p: np.ndarray, alpha: float) -> None:
    low, high = binomial_signals(n, p, alpha)
    assert (stats.binom.sf(high - 1, n, p) < alpha).all()
    assert (stats.binom.sf(high - 2, n, p) >= alpha).all()
    assert (stats.binom.cdf(low, n, p) < alpha).all()
    assert (stats.binom.cdf(low + 1, n, p) >= alpha).all()


def test_binomial_counts_of_very_many_births() -> None:
    n, p = grid(np.array([10**5, 10**6, 10**8]), np.array([1e-8, 1e-6, 1e-5, 0.001, 0.3, 0.5, 0.9, 1 - 1e-6]))
    assert_definition(n, p, ALPHA)


def test_nothing_can_happen_and_everything_must() -> None:
    low, high = binomial_signals(np.array([1.0, 50, 1, 50]), np.array([0.0, 0, 1, 1]), ALPHA)
    assert high.tolist() == [1, 1, 2, 51]
    assert low.tolist() == [-1, -1, 0, 49]


@pytest.mark.parametrize("alpha", [1e-6, ALPHA, 0.02275, 0.2, 0.49])
@pytest.mark.usefixtures("path")
def test_poisson_counts_hold_their_definition(alpha: float) -> None:
    mean = np.concatenate([[0, 1e-12, 1e-6, 0.00135], np.linspace(0.01, 60, 4000), [1e3, 1e4]])
    low, high = poisson_signals(mean, alpha)
    assert (stats.poisson.sf(high - 1, mean) < alpha).all()
    assert (stats.poisson.sf(high - 2, mean) >= alpha).all()
    assert (stats.poisson.cdf(low, mean) < alpha).all()
    assert (stats.poisson.cdf(low + 1, mean) >= alpha).all()


def test_poisson_counts_of_very_many_events() -> None:
    mean = np.array([1e5, 1e6, 1e7])
    low, high = poisson_signals(mean, ALPHA)
    assert (stats.poisson.sf(high - 1, mean) < ALPHA).all()
    assert (stats.poisson.sf(high - 2, mean) >= ALPHA).all()
    assert (stats.poisson.cdf(low, mean) < ALPHA).all()
    assert (stats.poisson.cdf(low + 1, mean) >= ALPHA).all()


def test_no_point_at_all() -> None:
    none = np.empty(0)
    assert [a.size for a in (*binomial_signals(none, none, ALPHA), *poisson_signals(none, ALPHA))] == [0] * 4


@pytest.mark.parametrize("points", [200, 2000], ids=["no table", "table"])
def test_the_walk_arrives_from_anywhere(points: int) -> None:
    """The guess only makes it short."""
    n, p = np.full(points, 30.0), np.full(points, 0.2)
    low, high = enumerated_binomial(30, 0.2, 0.02275)
    start = np.arange(points) % 31.0
    found = _tails._walk(start + 1, 1, n, p, 0.02275, binomial_at_least, _tails._binomial_critical_at_least)
    assert (found == high).all()
    found = _tails._walk(start, -1, n, p, 0.02275, binomial_at_most, _tails._binomial_critical_at_most)
    assert (found == low).all()
    assert start[0] == 0


def test_the_guess_is_close_enough_to_be_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk from the guess is right from anywhere; that it is short is what makes it fast."""
    calls: list[int] = []
    tail = _tails.binomial_at_least
    monkeypatch.setattr(_tails, "binomial_at_least", lambda k, n, p: (calls.append(k.size), tail(k, n, p))[1])
    n, p = grid(np.array([1, 12, 300, 10**4, 10**6]), np.array([1e-6, 1e-3, 0.05, 0.5, 0.95, 0.999]))
    binomial_signals(n, p, ALPHA)
    assert len(calls) <= 6


def test_inputs_are_left_as_they_were() -> None:
    n, p = np.full(50, 40.0), np.linspace(0, 1, 50)
    n.setflags(write=False)
    p.setflags(write=False)
    binomial_signals(n, p, ALPHA)
    poisson_signals(p, ALPHA)
