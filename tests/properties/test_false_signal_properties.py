"""What holds of every false-signal probability, whatever the points, the lines and the tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qi_equity.formulas.distributions import Binomial, Geometric, Normal, Poisson
from qi_equity.formulas.false_signals import runs_false_signal
from qi_equity.formulas.probability_limits import c_probability_limits
from qi_equity.formulas.zone_chains import ZoneChain, together, zone_false_signal
from qi_equity.formulas.zone_chances import zone_chances
from qi_equity.formulas.zone_test_chains import (
    beyond_limits_chain,
    outside_chain,
    several_beyond_chain,
    shift_chain,
    within_chain,
)

CHAINS = [
    beyond_limits_chain(),
    shift_chain(length=5),
    shift_chain(length=3, ties="skip", missing="skip"),
    several_beyond_chain(points=2, window=3, sigmas=2, same_side="all", beyond_three_counts=False),
    several_beyond_chain(points=4, window=5, sigmas=1),
    several_beyond_chain(points=2, window=3, sigmas=2, same_side="any"),
    within_chain(length=6),
    outside_chain(length=4),
]
chains = st.sampled_from(CHAINS)
weights = hnp.arrays(
    float, st.tuples(st.integers(1, 3), st.integers(1, 12), st.just(10)), elements=st.floats(0, 1)
)


def chances(weights: np.ndarray) -> np.ndarray:
    filled = weights + 1e-3
    return filled / filled.sum(axis=-1, keepdims=True)


@given(weights, chains, chains)
def test_a_second_test_adds_no_more_than_its_own_false_signals(
    w: np.ndarray, one: ZoneChain, other: ZoneChain
) -> None:
    p = chances(w)
    both, a, b = (zone_false_signal(c, p) for c in (together(one, other), one, other))
    assert np.all(both >= np.maximum(a, b) - 1e-12)
    assert np.all(both <= np.minimum(a + b, 1) + 1e-12)
    np.testing.assert_allclose(zone_false_signal(together(other, one), p), both, atol=1e-14)


@given(weights, chains)
def test_more_points_signal_no_less(w: np.ndarray, chain: ZoneChain) -> None:
    p = chances(w)
    found = [zone_false_signal(chain, p[:, :t]) for t in range(1, p.shape[1] + 1)]
    assert np.all(np.diff(found, axis=0) >= -1e-14)


@given(weights, chains)
def test_below_and_above_are_alike(w: np.ndarray, chain: ZoneChain) -> None:
    p = chances(w)
    mirrored = p[..., [8, 7, 6, 5, 4, 3, 2, 1, 0, 9]]
    np.testing.assert_allclose(zone_false_signal(chain, mirrored), zone_false_signal(chain, p), atol=1e-14)


@given(weights, chains)
def test_missing_points_at_the_ends_change_nothing(w: np.ndarray, chain: ZoneChain) -> None:
    p = chances(w)
    missing = np.zeros((len(p), 2, 10))
    missing[..., 9] = 1
    longer = np.concatenate([missing, p, missing], axis=1)
    np.testing.assert_allclose(zone_false_signal(chain, longer), zone_false_signal(chain, p), atol=1e-14)


@given(weights)
def test_runs_mirror_and_limits_add(w: np.ndarray) -> None:
    p = chances(w)
    low, high = p[..., 1:4].sum(axis=-1), p[..., 5:8].sum(axis=-1)
    found = runs_false_signal(low, high)
    np.testing.assert_allclose(runs_false_signal(high, low), found, atol=1e-13)
    assert np.all(found >= 1 - (low + high).prod(axis=-1) - 1e-12)
    off = low + high
    assert np.all(found >= runs_false_signal(low / off, high / off) * off.prod(axis=-1) - 1e-12)


@given(st.floats(0.01, 0.99), st.integers(1, 400), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_zones_of_counts_make_one(p: float, n: int, a: float, b: float, c: float) -> None:
    low, line, high = sorted((a, b, c))
    births = np.array([float(n)])
    for points, scale in (
        (Binomial(np.array([p]), births, births), 1.0),
        (Poisson(births * p, births), 3.0),
        (Geometric(1 / np.array([p]), 1), 30.0),
    ):
        found = zone_chances(points, [line * scale], three_sigma=(low * scale, high * scale))
        assert np.all(found >= 0)
        assert float(found.sum()) == pytest.approx(1, abs=1e-12)


@given(st.floats(-1e3, 1e3), st.floats(0.01, 1e3), st.floats(0.1, 5))
def test_zones_of_measurements_scale(mean: float, sigma: float, k: float) -> None:
    one = zone_chances(Normal(np.zeros(1), np.ones(1)), 0.0, three_sigma=(-k, k))
    points = Normal(np.array([mean]), np.array([sigma]))
    other = zone_chances(points, mean, three_sigma=(mean - k * sigma, mean + k * sigma))
    np.testing.assert_allclose(other, one, atol=1e-9)


@given(st.floats(0.01, 60), st.integers(1, 40))
def test_exact_limits_signal_no_oftener_than_they_promise(mean: float, n: int) -> None:
    line = np.full(n, mean)
    limits = c_probability_limits(line, centre_line=line)
    found = zone_chances(Poisson(line, np.ones(n)), line, three_sigma=(limits.lower, limits.upper))
    probability = float(zone_false_signal(beyond_limits_chain(), found))
    assert 0 <= probability <= 1 - (1 - 0.0027) ** n


@given(st.floats(0.001, 0.999), st.floats(0.01, 0.99), st.integers(1, 2000))
def test_quantiles_are_the_smallest_points_that_reach_the_chance(q: float, p: float, n: int) -> None:
    births, one = np.array([float(n)]), np.ones(1)
    chance = np.array([q])
    for points in (Binomial(np.array([p]), births, one), Poisson(births * p, one), Geometric(1 / one / p, 1)):
        y = points.quantile(chance)
        assert 1 - points.above(y) >= q - 1e-9
        assert points.below(y) <= q + 1e-9
