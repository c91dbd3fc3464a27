"""Standardisation: loops over the definition, exact cases, and what must hold whatever the numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.standardisation import direct_rate, expected_events

COUNTS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 5000), st.integers(1, 1000)), min_size=1, max_size=6
)


def columns(rows: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, n, w = (np.array(c, dtype=float) for c in zip(*rows, strict=True))
    return np.minimum(x, n), n, w


def byar(x: float, z: float) -> tuple[float, float]:
    low = x * (1 - 1 / (9 * x) - z / (3 * math.sqrt(x))) ** 3
    return low, (x + 1) * (1 - 1 / (9 * (x + 1)) + z / (3 * math.sqrt(x + 1))) ** 3


def test_direct_rate_is_the_loop_over_its_definition() -> None:
    x, n, w = [12, 31, 44, 7], [120, 900, 1310, 210], [1000, 3000, 2500, 900]
    y = v = 0.0
    for events, births, weight in zip(x, n, w, strict=True):
        y += weight / sum(w) * events / births
        v += (weight / sum(w)) ** 2 * events / births**2
    low, high = byar(sum(x), stats.norm.ppf(0.975))
    found = direct_rate(x, n, w)
    scale = math.sqrt(v / sum(x))
    want = [y, y + scale * (low - sum(x)), y + scale * (high - sum(x))]
    np.testing.assert_allclose([found.estimate, found.lower, found.upper], want, rtol=1e-12)


@pytest.mark.parametrize("x", [0, 1, 3, 9, 10, 40])
def test_of_one_stratum_the_gamma_interval_is_the_exact_poisson_one(x: int) -> None:
    found = direct_rate([x], [500], [7], interval="gamma")
    low = stats.chi2.ppf(0.025, 2 * x) / 2 / 500 if x else 0.0
    np.testing.assert_allclose(
        [found.estimate, found.lower, found.upper],
        [x / 500, low, stats.chi2.ppf(0.975, 2 * x + 2) / 2 / 500],
        rtol=1e-9,
    )


@given(rows=COUNTS)
def test_with_its_own_case_mix_a_rate_stays_as_it_is(rows: list[tuple[int, int, int]]) -> None:
    x, n, _ = columns(rows)
    assert direct_rate(x, n, n).estimate == pytest.approx(x.sum() / n.sum(), rel=1e-12)
    assert expected_events(n, x / n) == pytest.approx(x.sum(), rel=1e-12)


@given(rows=COUNTS, factor=st.floats(0.01, 1000))
def test_only_proportions_of_the_standard_matter_and_the_interval_holds_the_rate(
    rows: list[tuple[int, int, int]], factor: float
) -> None:
    x, n, w = columns(rows)
    one, other = direct_rate(x, n, w, interval="gamma"), direct_rate(x, n, w * factor, interval="gamma")
    for name in ("estimate", "lower", "upper"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9)
    assert one.lower <= one.estimate <= one.upper
    rates = x / n
    assert rates.min() - 1e-12 <= one.estimate <= rates.max() + 1e-12


@given(rows=COUNTS)
def test_alone_and_together_are_the_same(rows: list[tuple[int, int, int]]) -> None:
    x, n, w = columns(rows)
    both = direct_rate(np.stack([x, n - x]), np.stack([n, n]), w)
    for k, events in enumerate((x, n - x)):
        alone = direct_rate(events, n, w)
        np.testing.assert_allclose(both.estimate[k], alone.estimate, rtol=1e-12)
        np.testing.assert_allclose(both.lower[k], alone.lower, rtol=1e-12)


def test_what_is_not_known_is_not_filled() -> None:
    x, n = [[3, 20], [np.nan, 20], [0, 20]], [[50, 300], [50, 300], [0, 300]]
    found = direct_rate(x, n, [1, 1])
    assert np.isfinite(found.estimate).tolist() == [True, False, False]
    assert np.isfinite(found.upper).tolist() == [True, False, False]
    # A stratum that the standard does not have counts for nothing, observed or not.
    found = direct_rate(x, n, [0, 1], interval="gamma")
    assert found.estimate.tolist() == [20 / 300] * 3
    assert np.isfinite(found.upper).all()
    assert np.isnan(expected_events([[50, np.nan], [50, 1], [50, 0]], [0.1, np.nan])).tolist() == [
        True,
        True,
        False,
    ]


def test_no_events_have_an_upper_end_by_the_gamma_interval_only() -> None:
    none = direct_rate([0, 0], [100, 300], [1, 1], interval="gamma")
    assert none.estimate == none.lower == 0 < none.upper
    few = direct_rate([4, 5], [100, 300], [1, 1])
    assert np.isnan(few.lower)
    assert few.estimate == pytest.approx(0.5 * (4 / 100 + 5 / 300))


@pytest.mark.parametrize("weights", [[-1, 2], [np.nan, 1], [np.inf, 1]])
def test_weights_are_births(weights: list[float]) -> None:
    with pytest.raises(OptionError, match=r"weights holds .*; give the births of the standard, 0 or more"):
        direct_rate([1, 2], [10, 20], weights)


def test_refusals_name_the_argument() -> None:
    with pytest.raises(OptionError, match="weights are all 0"):
        direct_rate([1, 2], [10, 20], [0, 0])
    with pytest.raises(OptionError, match="interval='wald' is not allowed; use one of 'dobson', 'gamma'"):
        direct_rate([1], [10], [1], interval="wald")
    with pytest.raises(OptionError, match="confidence=95 is not allowed"):
        direct_rate([1], [10], [1], confidence=95)
    with pytest.raises(InputTypeError, match="births"):
        expected_events(["many"], [1])


def test_ten_events_have_a_dobson_interval_and_nine_have_none() -> None:
    """OHID gives no rate below 10 events in all."""
    found = direct_rate([[4, 6], [4, 5]], [[100, 200]], [1, 1])
    assert np.isfinite(found.lower).tolist() == [True, False]
    assert np.isfinite(found.upper).tolist() == [True, False]
