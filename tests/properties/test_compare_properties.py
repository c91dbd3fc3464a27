"""What holds for every comparison: mirror, scale, units alone and together, and limits that nest."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qi_equity.formulas.analysis_of_means import critical_value, proportion_limits, rate_limits
from qi_equity.formulas.funnel import scaled_limits, standardised
from qi_equity.formulas.overdispersion import between_variance, dispersion, truncated, winsorised
from qi_equity.formulas.shrinkage import beta_binomial_shrinkage, gamma_poisson_shrinkage

Tables = tuple[np.ndarray, np.ndarray]


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    units = draw(st.integers(3, 7))
    births = np.array(draw(st.lists(st.integers(1, 400), min_size=units, max_size=units)), dtype=float)
    share = draw(st.lists(st.floats(0, 1), min_size=units, max_size=units))
    return np.floor(births * np.array(share) + 0.5), births


@given(tables(), st.sampled_from([0.025, 0.001, 0.1]))
def test_without_the_event_is_the_mirror_of_with_it(table: Tables, tail: float) -> None:
    x, n = table
    one, other = proportion_limits(x, n, tail=tail), proportion_limits(n - x, n, tail=tail)
    np.testing.assert_allclose(one.lower, 1 - other.upper, atol=1e-9)
    np.testing.assert_allclose(one.upper, 1 - other.lower, atol=1e-9)


@given(tables())
def test_a_smaller_tail_has_wider_limits_about_the_line(table: Tables) -> None:
    x, n = table
    for limits_of in (proportion_limits, rate_limits):
        inner, outer = (limits_of(x, n, tail=tail) for tail in (0.05, 0.005))
        assert (outer.lower <= inner.lower).all()
        assert (inner.upper <= outer.upper).all()
        assert (inner.lower <= inner.centre_line + 1e-12).all()
        assert (inner.centre_line <= inner.upper + 1e-12).all()


@settings(max_examples=20)
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_units_changes_nothing(table: Tables, random: object) -> None:
    x, n = table
    order = np.arange(len(n))
    random.shuffle(order)
    limits, moved = proportion_limits(x, n, tail=0.01), proportion_limits(x[order], n[order], tail=0.01)
    np.testing.assert_array_equal(limits.upper[order], moved.upper)
    np.testing.assert_allclose(critical_value(n), critical_value(n[order]), rtol=1e-9)


@settings(max_examples=20)
@given(st.lists(st.floats(0.5, 500), min_size=3, max_size=8), st.sampled_from([0.05, 0.002]))
def test_the_critical_value_lies_between_one_comparison_and_bonferroni(n: list[float], alpha: float) -> None:
    single, h, cautious = critical_value(n[:2], alpha=alpha), critical_value(n, alpha=alpha), len(n)
    bonferroni = critical_value(n[:2], alpha=alpha / cautious)
    assert single - 1e-6 <= h <= bonferroni + 1e-6


@given(tables(), st.floats(0.5, 20))
def test_exposure_in_another_unit_scales_the_limits(table: Tables, factor: float) -> None:
    x, e = table
    one, other = rate_limits(x, e, tail=0.01), rate_limits(x, e * factor, tail=0.01)
    np.testing.assert_allclose(one.lower, other.lower * factor, rtol=1e-9)
    z, same = (standardised(x, e * f, 0.3 / f, scale="sqrt").z for f in (1, factor))
    np.testing.assert_allclose(z, same, rtol=1e-9, atol=1e-12)


@given(st.lists(st.floats(-9, 9), min_size=2, max_size=30), st.sampled_from([0.05, 0.1, 0.2]))
def test_trimming_never_adds_variation(z: list[float], share: float) -> None:
    kept = winsorised(z, share=share)
    assert np.var(kept) <= np.var(z) + 1e-9
    assert np.abs(kept).max() <= np.abs(z).max()
    assert dispersion(kept) >= 0
    left = truncated(z, share=share)
    assert np.isnan(left).sum() <= 2 * np.ceil(share * len(z) + 1)
    assert between_variance(kept, np.full(len(z), 0.1)) >= 0


@given(st.floats(0.01, 0.99), st.lists(st.integers(1, 5000), min_size=2, max_size=9))
def test_limits_narrow_with_size(centre: float, sizes: list[int]) -> None:
    n = np.sort(np.array(sizes, dtype=float))
    for scale in ("arcsine", "sqrt", "log"):
        limits = scaled_limits(n, centre, scale=scale)
        assert (np.diff(limits.upper) <= 1e-12).all()
        assert (np.diff(limits.lower) >= -1e-12).all()


@settings(max_examples=20)
@given(tables())
def test_shrunken_rates_lie_between_the_raw_rate_and_the_mean(table: Tables) -> None:
    x, n = table
    for shrink in (beta_binomial_shrinkage, gamma_poisson_shrinkage):
        found = shrink(x, n)
        if np.isnan(found.mean):
            continue
        low, high = np.minimum(x / n, found.mean), np.maximum(x / n, found.mean)
        assert (low - 1e-9 <= found.estimate).all()
        assert (found.estimate <= high + 1e-9).all()
        assert (found.lower <= found.upper).all()


@settings(max_examples=20)
@given(tables())
def test_shrinking_the_mirror_is_the_mirror_of_shrinking(table: Tables) -> None:
    x, n = table
    one, other = beta_binomial_shrinkage(x, n), beta_binomial_shrinkage(n - x, n)
    if not np.isnan(one.mean):
        np.testing.assert_allclose(one.estimate, 1 - other.estimate, atol=1e-4)
        np.testing.assert_allclose(one.lower, 1 - other.upper, atol=1e-4)
