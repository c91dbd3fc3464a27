"""What holds for every change: mirror, one side on all scales, nesting, cells alone, monotone planning."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.formulas.detectable_change import power_of_change, smallest_detectable_ratio
from qi_equity.formulas.holm import holm
from qi_equity.formulas.interim_looks import chance_of_false_signal
from qi_equity.formulas.sparse_change import along_the_margin, conditional_odds_ratio, conditional_p

levels = st.floats(0.5, 0.999)


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    size = draw(st.integers(1, 6))
    n, n0 = (np.array([draw(st.integers(1, 400)) for _ in range(size)]) for _ in range(2))
    x, x0 = (np.array([draw(st.integers(0, int(k))) for k in many]) for many in (n, n0))
    return np.array([x, n, x0, n0], dtype=float)


@given(tables(), levels)
def test_mirror_nesting_and_cells_alone(counts, level):
    found = conditional_odds_ratio(*counts, confidence=level)
    other = conditional_odds_ratio(*counts[[2, 3, 0, 1]], confidence=level)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(found.lower, 1 / other.upper, rtol=1e-12)
    x, n, x0, n0 = counts
    without = conditional_odds_ratio(n - x, n, n0 - x0, n0, confidence=level)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(found.upper, 1 / without.lower, rtol=1e-8)
    wider = conditional_odds_ratio(*counts, confidence=(1 + level) / 2)
    assert (wider.lower <= found.lower).all()
    assert (wider.upper >= found.upper).all()
    known = ~np.isnan(found.estimate)
    assert (found.lower <= found.estimate)[known].all()
    assert (found.estimate <= found.upper)[known].all()
    for k in range(x.size):
        alone = conditional_odds_ratio(*counts[:, k], confidence=level)
        np.testing.assert_allclose(
            [alone.lower[0], alone.upper[0]], [found.lower[k], found.upper[k]], rtol=1e-12
        )


@given(tables(), levels)
def test_all_scales_and_p_agree_about_the_side(counts, level):
    odds = conditional_odds_ratio(*counts, confidence=level)
    ratio, difference = along_the_margin(odds, *counts, confidence=level)
    p = conditional_p(*counts)
    away = np.abs(p - (1 - level)) > 1e-9
    np.testing.assert_array_equal((p < 1 - level)[away], ((odds.upper < 1) | (odds.lower > 1))[away])
    for scale, none in ((ratio, 1.0), (difference, 0.0)):
        np.testing.assert_array_equal((odds.upper < 1)[away], (scale.upper < none)[away])
        np.testing.assert_array_equal((odds.lower > 1)[away], (scale.lower > none)[away])
        assert not np.isnan(scale.lower).any()
        assert not np.isnan(scale.upper).any()
        known = ~np.isnan(scale.estimate)
        room = 1e-9 * (1 + np.abs(scale.estimate))
        assert (scale.lower <= scale.estimate + room)[known].all()
        assert (scale.estimate <= scale.upper + room)[known].all()


@given(st.lists(st.one_of(st.floats(0, 1), st.just(np.nan)), min_size=1, max_size=12), st.randoms())
def test_holm_keeps_order_and_does_not_depend_on_it(p, random):
    found, order = holm(p), list(range(len(p)))
    random.shuffle(order)
    np.testing.assert_array_equal(holm(np.array(p)[order]), found[order])
    known = ~np.isnan(p)
    np.testing.assert_array_equal(np.isnan(found), ~known)
    assert (found[known] >= np.array(p)[known]).all()
    assert (found[known] <= 1).all()
    in_order = found[known][np.argsort(np.array(p)[known], kind="stable")]
    assert (np.diff(in_order) >= 0).all()


@given(st.floats(0.005, 0.5), st.floats(20, 5000), st.floats(20, 5000), st.floats(1, 4))
def test_more_births_show_no_less(rate, before, after, inflation):
    small = smallest_detectable_ratio(rate, before, after, inflation=inflation)[0]
    large = smallest_detectable_ratio(rate, 4 * before, 4 * after, inflation=inflation)[0]
    assert np.isnan(small) or large >= small
    same = smallest_detectable_ratio(rate, before / inflation, after / inflation)[0]
    np.testing.assert_allclose(small, same, rtol=1e-9)
    power = power_of_change(rate, [0.9, 0.6, 0.3, 0.0], before, after, inflation=inflation)
    assert (np.diff(power) >= 0).all()
    assert ((power >= 0) & (power <= 1)).all()


@given(st.lists(st.floats(0.02, 3), min_size=1, max_size=8), st.floats(0.8, 0.99), st.floats(0.1, 10))
def test_every_look_adds_and_the_scale_does_not_matter(steps, level, scale):
    information = np.cumsum(steps)
    each = [chance_of_false_signal(information[: k + 1], confidence=level) for k in range(len(steps))]
    assert abs(each[0] - (1 - level)) < 1e-9
    assert (np.diff(each) > -1e-9).all()
    assert each[-1] <= min(1, len(steps) * (1 - level)) + 1e-9
    scaled = chance_of_false_signal(scale * information, confidence=level)
    np.testing.assert_allclose(scaled, each[-1], atol=1e-9)
    one = chance_of_false_signal(information, confidence=level, sides=1)
    assert each[-1] / 2 - 1e-8 <= one <= each[-1] + 1e-9
