"""What holds for every synthesis over sites: shift, scale, order, mirror, sites without information."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qi_equity.formulas.meta_analysis import leave_one_out, meta_analysis
from qi_equity.formulas.meta_intervals import tau2_interval
from qi_equity.formulas.mixed_sites import PooledChange, conditional_sites, mixed_sites

METHODS = st.sampled_from(["reml", "dl", "pm", "ml", "eb", "he", "fixed"])
TESTS = st.sampled_from(["z", "t", "knapp-hartung", "knapp-hartung-modified"])
SITES = st.lists(
    st.tuples(st.floats(-2, 2, allow_subnormal=False), st.floats(0.01, 1)), min_size=2, max_size=9
)
MODELS = st.sampled_from([mixed_sites, conditional_sites])
FAMILIES = st.sampled_from(["binomial", "poisson"])


def arrays(sites: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    effects, variances = np.array(sites).T
    return effects, variances


@st.composite
def tables(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Draw events and births of 2 to 6 sites, many of them sparse."""
    k = draw(st.integers(2, 6))
    births = draw(st.lists(st.integers(5, 300), min_size=2 * k, max_size=2 * k))
    n = np.array(births).reshape(k, 2)
    share = draw(st.lists(st.floats(0, 0.5), min_size=2 * k, max_size=2 * k))
    return np.floor(n * np.array(share).reshape(k, 2)), n


def pooled(model: Any, x: np.ndarray, n: np.ndarray, family: str) -> PooledChange:
    found: PooledChange = model(x, n, family=family)
    # Where sites lie far more apart than counts can show, only that is said.
    assume(np.isnan(found.tau) or found.tau < 2)
    return found


@given(SITES, METHODS, TESTS, st.floats(-3, 3), st.sampled_from([-4.0, 0.25, 1.0, 8.0]))
def test_units_and_zero_do_not_matter(
    sites: list[tuple[float, float]], method: Any, test: Any, shift: float, unit: float
) -> None:
    y, v = arrays(sites)
    one = meta_analysis(y, v, tau2=method, test=test)
    other = meta_analysis(shift + unit * y, unit**2 * v, tau2=method, test=test)
    ends = sorted([shift + unit * one.lower, shift + unit * one.upper])
    np.testing.assert_allclose(other.tau2, unit**2 * one.tau2, rtol=1e-6, atol=1e-9 * unit**2)
    np.testing.assert_allclose(other.estimate, shift + unit * one.estimate, atol=1e-7 * abs(unit))
    np.testing.assert_allclose([other.lower, other.upper], ends, rtol=1e-6, atol=1e-6 * abs(unit))
    np.testing.assert_allclose(other.weights, one.weights, atol=1e-7)


@given(SITES, METHODS, TESTS, st.randoms(use_true_random=False))
def test_the_order_of_sites_and_empty_sites_do_not_matter(
    sites: list[tuple[float, float]], method: Any, test: Any, random: Any
) -> None:
    one = meta_analysis(*arrays(sites), tau2=method, test=test)
    mixed = random.sample([*sites, (np.nan, 0.1), (0.3, np.nan)], len(sites) + 2)
    other = meta_analysis(*arrays(mixed), tau2=method, test=test)
    for name in ("estimate", "se", "lower", "upper", "tau2", "q", "i2"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-6, atol=1e-9)
    assert other.k == one.k


@given(SITES, METHODS, TESTS)
def test_what_is_pooled_lies_among_the_sites(
    sites: list[tuple[float, float]], method: Any, test: Any
) -> None:
    y, v = arrays(sites)
    one = meta_analysis(y, v, tau2=method, test=test)
    wide = meta_analysis(y, v, tau2=method, test=test, confidence=0.99)
    assert y.min() - 1e-9 <= one.estimate <= y.max() + 1e-9
    assert one.tau2 >= 0
    assert 0 <= one.i2 < 1
    assert wide.lower <= one.lower <= one.estimate <= one.upper <= wide.upper
    assert one.weights.sum() == pytest.approx(1)
    if method != "fixed":
        assert one.prediction_lower <= one.lower + 1e-12
    without = leave_one_out(y, v, tau2=method, test=test)
    assert (without.k == len(sites) - 1).all()


@given(SITES)
def test_the_interval_of_the_variance_holds_its_estimate(sites: list[tuple[float, float]]) -> None:
    between = tau2_interval(*arrays(sites))
    assert 0 <= between.lower <= between.estimate <= between.upper
    wider = tau2_interval(*arrays(sites), confidence=0.99)
    assert wider.lower <= between.lower
    assert between.upper <= wider.upper


@settings(max_examples=12)
@given(tables(), MODELS, FAMILIES)
def test_sites_without_events_and_the_order_do_not_matter(
    counts: tuple[np.ndarray, np.ndarray], model: Any, family: str
) -> None:
    x, n = counts
    one = pooled(model, x, n, family)
    more = [np.vstack([a[::-1], [b]]) for a, b in ((x, [0, 0]), (n, [12, 40]))]
    other = model(*more, family=family)
    for name in ("estimate", "se", "tau", "log_likelihood"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-5, atol=2e-5)
    assert not other.used[-1]


@settings(max_examples=12)
@given(tables())
def test_events_and_births_without_one_are_mirrors(counts: tuple[np.ndarray, np.ndarray]) -> None:
    x, n = counts
    for model in (mixed_sites, conditional_sites):
        one = pooled(model, x, n, "binomial")
        other = model(n - x, n)
        np.testing.assert_allclose(other.estimate, -one.estimate, rtol=1e-5, atol=2e-5)
        np.testing.assert_allclose(other.tau, one.tau, rtol=1e-4, atol=1e-4)


@settings(max_examples=12)
@given(tables(), FAMILIES)
def test_before_and_after_are_mirrors_in_the_conditional_model(
    counts: tuple[np.ndarray, np.ndarray], family: str
) -> None:
    x, n = counts
    one = pooled(conditional_sites, x, n, family)
    other = conditional_sites(x[:, ::-1], n[:, ::-1], family=family)
    np.testing.assert_allclose(other.estimate, -one.estimate, rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(other.se, one.se, rtol=1e-4)


@settings(max_examples=12)
@given(tables(), MODELS, st.sampled_from([0.01, 12.0, 365.25]))
def test_the_unit_of_exposure_does_not_matter(
    counts: tuple[np.ndarray, np.ndarray], model: Any, unit: float
) -> None:
    x, n = counts
    one = pooled(model, x, n, "poisson")
    other = model(x, n * unit, family="poisson")
    np.testing.assert_allclose(other.estimate, one.estimate, rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(other.tau, one.tau, rtol=1e-4, atol=1e-4)
