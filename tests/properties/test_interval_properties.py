"""What holds for every interval: mirror, scale, nesting by confidence, cells alone and together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.formulas.difference_intervals import (
    agresti_caffo_difference,
    miettinen_nurminen_difference,
    newcombe_difference,
)
from qi_equity.formulas.mean_intervals import mean_difference, mean_interval, mean_ratio
from qi_equity.formulas.odds_ratio_intervals import log_adjusted_odds_ratio, score_odds_ratio
from qi_equity.formulas.proportion_intervals import (
    clopper_pearson_interval,
    jeffreys_interval,
    wilson_interval,
)
from qi_equity.formulas.rate_difference_intervals import rate_difference, score_rate_difference
from qi_equity.formulas.rate_intervals import (
    byar_rate_interval,
    exact_rate_interval,
    mid_p_rate_interval,
    ohid_rate_interval,
)
from qi_equity.formulas.ratio_intervals import (
    exact_rate_ratio,
    log_adjusted_risk_ratio,
    mid_p_rate_ratio,
    score_risk_ratio,
)

PROPORTIONS = [wilson_interval, jeffreys_interval, clopper_pearson_interval]
RATES = [exact_rate_interval, mid_p_rate_interval, byar_rate_interval, ohid_rate_interval]
DIFFERENCES = [newcombe_difference, miettinen_nurminen_difference, agresti_caffo_difference]
RATE_DIFFERENCES = [rate_difference, score_rate_difference]
ODDS = [score_odds_ratio, log_adjusted_odds_ratio]
RATIOS = [score_risk_ratio, log_adjusted_risk_ratio, exact_rate_ratio, mid_p_rate_ratio, *ODDS]
ONE, TWO = PROPORTIONS + RATES, DIFFERENCES + RATE_DIFFERENCES + RATIOS
ADJUSTED = (log_adjusted_risk_ratio, log_adjusted_odds_ratio)
levels = st.floats(0.5, 0.999)


@st.composite
def groups(draw: st.DrawFn, pairs: int) -> np.ndarray:
    """Events and births of some groups, and of their references, shape (2 pairs, K); some are not known."""
    size = draw(st.integers(1, 8))
    rows = []
    for _ in range(pairs):
        n = [draw(st.integers(0, 500)) for _ in range(size)]
        rows += [[draw(st.integers(0, k)) for k in n], n]
    counts = np.array(rows, dtype=float)
    unknown = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    counts[0, np.array(unknown)] = np.nan
    return counts


def parts(interval: Any) -> np.ndarray:
    return np.array([interval.lower, interval.estimate, interval.upper])


@pytest.mark.parametrize("function", ONE)
@given(counts=groups(1), confidence=levels)
def test_one_sample_is_in_order(function: Any, counts: np.ndarray, confidence: float) -> None:
    low, estimate, high = parts(function(*counts, confidence=confidence))
    known = ~np.isnan(estimate)
    np.testing.assert_array_equal(known, ~np.isnan(low) & ~np.isnan(high))
    np.testing.assert_array_equal(known, ~np.isnan(counts[0]) & (counts[1] > 0))
    slack = 1e-12
    assert (low[known] <= estimate[known] + slack).all()
    assert (estimate[known] <= high[known] + slack).all()
    assert (low[known] >= 0).all()
    assert (low[known] < high[known]).all()


@pytest.mark.parametrize("function", TWO)
@given(counts=groups(2), confidence=levels)
def test_two_samples_are_in_order(function: Any, counts: np.ndarray, confidence: float) -> None:
    low, estimate, high = parts(function(*counts, confidence=confidence))
    given_ = ~np.isnan(low)
    np.testing.assert_array_equal(given_, ~np.isnan(high))
    assert (low[given_] <= high[given_]).all()
    read = given_ & ~np.isnan(estimate)
    if function not in (*ADJUSTED, agresti_caffo_difference):
        room = 1e-9 * (1 + np.abs(np.where(np.isfinite(estimate), estimate, 0)))
        assert (low[read] <= (estimate + room)[read]).all()
        assert (high[read] >= (estimate - room)[read]).all()


@pytest.mark.parametrize("function", ONE + TWO)
@given(data=st.data())
def test_more_confidence_is_wider(function: Any, data: st.DataObject) -> None:
    counts = data.draw(groups(1 if function in ONE else 2))
    less, more = sorted((data.draw(levels), data.draw(levels)))
    inner, outer = (function(*counts, confidence=c) for c in (less, more))
    room = 1e-9
    known = np.isfinite(inner.lower) & np.isfinite(inner.upper)
    assert (outer.lower[known] <= inner.lower[known] * (1 + np.sign(inner.lower[known]) * room) + 1e-12).all()
    assert (outer.upper[known] >= inner.upper[known] * (1 - np.sign(inner.upper[known]) * room) - 1e-12).all()


@pytest.mark.parametrize("function", ONE + TWO)
@given(data=st.data())
def test_cells_alone_and_together(function: Any, data: st.DataObject) -> None:
    counts = data.draw(groups(1 if function in ONE else 2))
    together = parts(function(*counts))
    for k in range(counts.shape[1]):
        np.testing.assert_allclose(parts(function(*counts[:, k]))[:, 0], together[:, k], rtol=1e-13)


@pytest.mark.parametrize("function", PROPORTIONS)
@given(counts=groups(1), confidence=levels)
def test_births_without_the_event_mirror_proportions(
    function: Any, counts: np.ndarray, confidence: float
) -> None:
    x, n = counts
    found, mirrored = (parts(function(k, n, confidence=confidence)) for k in (x, n - x))
    np.testing.assert_allclose(mirrored[::-1], 1 - found, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("function", DIFFERENCES)
@given(counts=groups(2), confidence=levels)
def test_births_without_the_event_mirror_differences(
    function: Any, counts: np.ndarray, confidence: float
) -> None:
    x, n, x0, n0 = counts
    found = parts(function(x, n, x0, n0, confidence=confidence))
    mirrored = parts(function(n - x, n, n0 - x0, n0, confidence=confidence))
    np.testing.assert_allclose(mirrored[::-1], -found, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("function", DIFFERENCES + RATE_DIFFERENCES)
@given(counts=groups(2), confidence=levels)
def test_differences_turned_round(function: Any, counts: np.ndarray, confidence: float) -> None:
    found = parts(function(*counts, confidence=confidence))
    turned = parts(function(*counts[[2, 3, 0, 1]], confidence=confidence))
    np.testing.assert_allclose(turned[::-1], -found, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("function", RATIOS)
@given(counts=groups(2), confidence=levels)
def test_ratios_turned_round(function: Any, counts: np.ndarray, confidence: float) -> None:
    found = parts(function(*counts, confidence=confidence))
    turned = parts(function(*counts[[2, 3, 0, 1]], confidence=confidence))
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(turned[::-1], 1 / found, rtol=1e-9)


@pytest.mark.parametrize("function", RATES + RATE_DIFFERENCES)
@given(data=st.data(), factor=st.floats(1e-3, 1e3))
def test_unit_of_exposure_only_scales(function: Any, data: st.DataObject, factor: float) -> None:
    counts = data.draw(groups(1 if function in RATES else 2))
    scaled = counts.copy()
    scaled[1::2] *= factor
    np.testing.assert_allclose(
        parts(function(*scaled)) * factor, parts(function(*counts)), rtol=1e-9, atol=1e-13
    )


samples = st.tuples(st.floats(-50, 50), st.floats(0.5, 20), st.integers(2, 200))


@given(one=samples, two=samples, shift=st.floats(-100, 100))
def test_means_shift(one: Any, two: Any, shift: float) -> None:
    found = parts(mean_difference(*one, *two))
    moved = parts(mean_difference(one[0] + shift, *one[1:], two[0] + shift, *two[1:]))
    np.testing.assert_allclose(moved, found, rtol=1e-9, atol=1e-9)
    alone = parts(mean_interval(*one))
    np.testing.assert_allclose(parts(mean_interval(one[0] + shift, *one[1:])), alone + shift, atol=1e-9)


@given(one=samples, two=samples, factor=st.floats(0.01, 100))
def test_ratio_of_means_has_no_unit(one: Any, two: Any, factor: float) -> None:
    found = parts(mean_ratio(*one, *two))
    scaled = [(factor * mean, factor * sd, size) for mean, sd, size in (one, two)]
    bounded = np.isfinite(found[0]) & (np.abs(found[0]) < 1e6)
    again = parts(mean_ratio(*scaled[0], *scaled[1]))
    np.testing.assert_allclose(again[:, bounded], found[:, bounded], rtol=1e-6, atol=1e-9)
