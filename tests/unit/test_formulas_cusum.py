"""CUSUM paths against naive loops, birth by birth and period by period."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.bernoulli_cusum import bernoulli_cusum, bernoulli_cusum_gaps
from qi_equity.formulas.cusum import CusumPath, count_cusum, tabular_cusum
from qi_equity.formulas.risk_adjusted import (
    poisson_risk_adjusted_cusum,
    risk_adjusted_cusum,
    risk_adjusted_cusum_gaps,
    vlad,
)

NAN = math.nan


def naive_arm(
    scores: list[float], h: float, *, start: float = 0.0, restart: bool = False, strict: bool = False
) -> tuple[list[float], list[bool]]:
    state, path, signals = start, [], []
    for score in scores:
        if math.isnan(score):
            path.append(NAN)
            signals.append(False)
            continue
        state = max(0.0, state + score)
        path.append(state)
        signals.append(state > h if strict else state >= h)
        if restart and signals[-1]:
            state = 0.0
    return path, signals


def check(path: CusumPath, low: list[float], high: list[float], h: float, **options: Any) -> None:
    for scores, arm, signal in ((low, -path.low, path.low_signal), (high, path.high, path.high_signal)):
        values, signals = naive_arm(scores, h, **options)
        np.testing.assert_allclose(arm, values, rtol=1e-9, atol=1e-12)
        assert signal.tolist() == signals


@pytest.mark.parametrize("head_start", [0.0, 1.5])
def test_tabular_cusum_by_loop(head_start: float) -> None:
    z = np.random.default_rng(1).normal(0.2, 1.2, 200)
    z[[7, 50]] = NAN
    path = tabular_cusum(z, k=0.4, h=3, head_start=head_start)
    check(path, list(-z - 0.4), list(z - 0.4), 3, start=head_start, strict=True)
    assert path.low_signal.any()
    assert path.high_signal.any()


def test_tabular_cusum_signals_beyond_h_only_and_goes_on() -> None:
    path = tabular_cusum([2.5, 0.5, 1, 0], k=0.5, h=2)
    assert path.high.tolist() == [2, 2, 2.5, 2]
    assert path.high_signal.tolist() == [False, False, True, False]
    assert path.low.tolist() == [0, 0, 0, 0]
    below = tabular_cusum([-2.5, -1], k=0.5, h=2)
    assert below.low_signal.tolist() == [False, True]
    assert not np.signbit(path.low).any()


@pytest.mark.parametrize("ratio", [1.5, 3.0])
@pytest.mark.parametrize("distribution", ["binomial", "poisson"])
def test_count_cusum_is_the_log_likelihood_ratio_of_the_distribution(distribution: Any, ratio: float) -> None:
    rng = np.random.default_rng(2)
    n = rng.integers(10, 60, 80).astype(float)
    x = rng.binomial(n.astype(int), 0.12).astype(float)
    p = 0.1
    x[5], n[9] = NAN, NAN

    def score(event: float, births: float, r: float) -> float:
        if distribution == "poisson":
            return event * math.log(r) - births * p * (r - 1)
        other = r * p / (1 - p + r * p)
        return event * math.log(other / p) + (births - event) * math.log((1 - other) / (1 - p))

    path = count_cusum(x, n, p, distribution=distribution, ratio=ratio, h=1.5, head_start=0.5)
    low, high = ([score(a, b, r) for a, b in zip(x, n, strict=True)] for r in (1 / ratio, ratio))
    check(path, low, high, 1.5, start=0.5)
    assert path.high_signal.any()


def test_count_cusum_reaches_its_threshold_and_periods_without_births_count_for_nothing() -> None:
    score = count_cusum([3], [20], 0.1, h=1).high[0]
    path = count_cusum([3, 0, 0], [20, 0, 20], 0.1, h=score)
    assert path.high_signal.tolist() == [True, False, False]
    assert np.isnan(path.high[1])
    assert np.isnan(path.low[1])


def test_threshold_of_each_arm_may_differ_and_be_missing() -> None:
    z = [[3.0, 3, -9, -9]]
    path = tabular_cusum(z, k=0, h=(8.0, 5.0))
    assert path.low_signal.tolist() == [[False, False, True, True]]
    assert path.high_signal.tolist() == [[False, True, False, False]]
    missing = tabular_cusum(z, k=0, h=(np.array([[NAN]]), np.array([[5.0]])))
    assert not missing.low_signal.any()
    assert missing.high_signal.any()


@pytest.mark.parametrize("restart", [True, False])
def test_bernoulli_cusum_by_loop(restart: bool) -> None:
    y = (np.random.default_rng(3).random(600) < 0.1).astype(float)
    y[[20, 21]] = NAN
    path = bernoulli_cusum(y, chance=0.08, odds_ratio=2.5, h=1.2, restart=restart)
    low, high = (
        [v * math.log(r) - math.log(1 - 0.08 + r * 0.08) for v in y.tolist()] for r in (1 / 2.5, 2.5)
    )
    check(path, low, high, 1.2, restart=restart)
    assert path.low_signal.any()
    assert path.high_signal.any()


@pytest.mark.parametrize("restart", [True, False])
def test_risk_adjusted_cusum_by_loop_with_steiners_scores(restart: bool) -> None:
    rng = np.random.default_rng(4)
    r = rng.uniform(0.01, 0.4, 300)
    y = (rng.random(300) < r).astype(float)
    y[3], r[8] = NAN, NAN
    path = risk_adjusted_cusum(y, r, odds_ratio=2, h=1.5, restart=restart)

    def score(outcome: float, risk: float, ratio: float) -> float:
        if math.isnan(outcome):
            return NAN
        below = 1 - risk + ratio * risk
        return math.log(ratio / below) if outcome == 1 else math.log(1 / below)

    low, high = ([score(a, b, ratio) for a, b in zip(y, r, strict=True)] for ratio in (0.5, 2))
    check(path, low, high, 1.5, restart=restart)
    assert path.low_signal.any()


def test_gaps_that_are_missing_or_empty_are_carried_over() -> None:
    whole = bernoulli_cusum_gaps([5, 3, 2], [True, True, False], chance=0.1, h=1)
    gappy = bernoulli_cusum_gaps(
        [5, NAN, 3, 2, 0], [True, False, True, False, False], chance=[0.1, 0.1, 0.1, 0.1, 0.1], h=1
    )
    for name in ("low", "high", "low_signal", "high_signal"):
        kept = getattr(gappy, name)[[0, 2, 3]]
        assert kept.tolist() == getattr(whole, name).tolist()
    assert np.isnan(gappy.high[[1, 4]]).all()
    risky = risk_adjusted_cusum_gaps([0.1] * 10, [5, NAN, 3, 2, 0], [True, False, True, False, False], h=1)
    np.testing.assert_allclose(risky.high, gappy.high, rtol=1e-12)
    assert np.isnan(risky.low[[1, 4]]).all()


def test_an_event_that_cannot_happen_never_lets_the_low_arm_rise() -> None:
    path = bernoulli_cusum_gaps([50, 1, 1, 1], [False, True, True, True], chance=0, odds_ratio=2, h=2)
    assert path.low.tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(path.high, np.arange(4) * math.log(2))
    assert path.high_signal.tolist() == [False, False, False, True]


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize("h", [0.29, 0.7, 1.53])
def test_gaps_with_several_signals_and_events_in_a_row_by_loop(h: float, restart: bool) -> None:
    births = np.array([9.0, 1, 1, 47, 2, 1, 30, 1, 1, 1, 12, 61])
    closed = np.arange(12) < 11
    y = np.zeros(int(births.sum()))
    ends = births.cumsum().astype(int)
    y[ends[closed] - 1] = 1
    options: dict[str, Any] = {"odds_ratio": 2.0, "h": h, "restart": restart}
    each = bernoulli_cusum(y, chance=0.2, **options)
    paths = (
        bernoulli_cusum_gaps(births, closed, chance=0.2, **options),
        risk_adjusted_cusum_gaps(np.full(len(y), 0.2), births, closed, **options),
    )
    if restart:
        assert np.add.reduceat(each.low_signal, ends - births.astype(int)).max() > 1
    for path in paths:
        for i, (a, b) in enumerate(zip(ends - births.astype(int), ends, strict=True)):
            assert path.low[i] == pytest.approx(each.low[a:b].min(), rel=1e-9, abs=1e-12)
            assert path.high[i] == pytest.approx(each.high[a:b].max(), rel=1e-9, abs=1e-12)
            assert path.low_signal[i] == each.low_signal[a:b].any()
            assert path.high_signal[i] == each.high_signal[a:b].any()


def test_gaps_of_strata_without_births() -> None:
    path = risk_adjusted_cusum_gaps([], [[NAN, NAN]], False, h=1)
    assert np.isnan(path.low).all()
    assert not path.high_signal.any()


def test_poisson_risk_adjusted_cusum_by_loop() -> None:
    events, expected = [3, 1, NAN, 6, 0], [2.0, 1.5, 2, 2.5, 0.7]
    path = poisson_risk_adjusted_cusum(events, expected, ratio=1.5, h=0.4)
    low, high = (
        [o * math.log(r) - e * (r - 1) for o, e in zip(events, expected, strict=True)] for r in (1 / 1.5, 1.5)
    )
    check(path, low, high, 0.4)
    assert path.high_signal.any()


def test_vlad_adds_up_expected_less_observed() -> None:
    assert vlad([1, 0, 1], [0.5, 0.25, 0.5]).tolist() == [-0.5, -0.25, -0.75]
    assert vlad([[0, NAN, 0]], [[0.5, 0.5, NAN]])[0, 0] == 0.5
    np.testing.assert_allclose(vlad([0, NAN, 0], 0.25), [0.25, NAN, 0.5])


def test_paths_compare_by_what_they_hold() -> None:
    path = tabular_cusum([1, NAN, 2])
    assert path.equals(tabular_cusum([1, NAN, 2]))
    assert not path.equals(tabular_cusum([1, NAN, 3]))
    assert not path.equals("path")


def test_inputs_are_not_changed() -> None:
    x, n = np.array([2.0, NAN, 1]), np.array([10.0, 20, 30])
    before = x.copy(), n.copy()
    count_cusum(x, n, 0.1, h=1)
    tabular_cusum(x)
    bernoulli_cusum_gaps(n, True, chance=0.1)
    vlad(x, n)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(n, before[1])


GAPS: dict[str, Any] = {"births": [3, 2], "closed": True, "chance": 0.1}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tabular_cusum([1], h=0), "h holds 0.0; give thresholds above 0"),
        (lambda: tabular_cusum([1], h=(1, 2, 3)), r"h=\(1, 2, 3\) is not a pair"),
        (lambda: tabular_cusum([1], k=-1), "k=-1 is not allowed"),
        (lambda: tabular_cusum([1], head_start=-1), "head_start=-1 is not allowed"),
        (lambda: tabular_cusum([1, 2], h=[1, 2, 3]), "shapes do not fit together"),
        (lambda: count_cusum([1], [9], 0.1, ratio=1, h=1), "ratio=1 is not allowed"),
        (lambda: count_cusum([1], [9], 1.1, h=1), "centre_line holds 1.1; give values from 0 to 1"),
        (lambda: count_cusum([1], [-9], 0.1, h=1), "size holds -9.0; give values from 0 to inf"),
        (lambda: count_cusum([1], [9], 0.1, h=1, distribution="normal"), "distribution='normal'"),
        (lambda: bernoulli_cusum([2], chance=0.1), "outcomes hold 2.0; give 1 for an event"),
        (lambda: bernoulli_cusum([1], chance=-0.1), "chance holds -0.1; give values from 0 to 1"),
        (lambda: bernoulli_cusum([1], chance=0.1, odds_ratio=0.5), "odds_ratio=0.5 is not allowed"),
        (lambda: bernoulli_cusum_gaps([2.5], True, chance=0.1), "births hold 2.5; give whole numbers"),
        (lambda: bernoulli_cusum_gaps([-1], False, chance=0.1), "births hold -1.0; give whole numbers"),
        (lambda: bernoulli_cusum_gaps([0], True, chance=0.1), "births hold 0 where closed is True"),
        (
            lambda: risk_adjusted_cusum([1], [1.0], h=1),
            "risks holds 1.0; give values strictly between 0 and 1",
        ),
        (
            lambda: risk_adjusted_cusum_gaps([0.1], [2], True, h=1),
            r"risks has shape \(1,\), births add up to 2",
        ),
        (lambda: vlad([1], [-0.1]), "expected holds -0.1; give values from 0 to inf"),
    ],
)
def test_what_is_out_of_bounds_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        call()


def test_what_holds_no_numbers_is_refused() -> None:
    with pytest.raises(InputTypeError, match="scores of type list cannot be read as numbers"):
        tabular_cusum(["a"])
    with pytest.raises(InputTypeError, match="closed holds int64"):
        bernoulli_cusum_gaps([3], np.array([1]), chance=0.1)
