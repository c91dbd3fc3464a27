"""Run lengths and thresholds against dense Markov chains, made state by state, and against enumeration."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from qi_equity.errors import OptionError
from qi_equity.formulas._birth_lattice import points_needed
from qi_equity.formulas.cusum_run_length import (
    bernoulli_threshold,
    count_cusum_run_length,
    count_cusum_threshold,
    tabular_cusum_run_length,
)

NAN = math.nan


def dense_run(chances: np.ndarray, reference: float, sign: int, h: float, per_event: float) -> float:
    """Mean run from 0 to S >= h (in events), by a chain of all states; steps between two states are split."""
    n = math.ceil(h * per_event - 1e-9)
    move = np.zeros((n, n))
    for x, chance in enumerate(chances):
        step = sign * (x - reference) * per_event
        step = round(step) if abs(step - round(step)) < 1e-6 else step
        whole = math.floor(step)
        for i in range(n):
            for j, share in ((i + whole, whole + 1 - step), (i + whole + 1, step - whole)):
                if j < n and share > 0:
                    move[i, max(j, 0)] += chance * share
    return float(np.linalg.solve(np.eye(n) - move, np.ones(n))[0])


def reference_value(size: float, p: float, ratio: float, distribution: str = "binomial") -> float:
    score = math.log(1 - p + ratio * p) if distribution == "binomial" else p * (ratio - 1)
    return size * score / math.log(ratio)


def probable(size: int, p: float) -> np.ndarray:
    """Chances of the counts that matter."""
    last = int(stats.binom.isf(1e-13, size, p)) + 1
    return np.asarray(stats.binom.pmf(np.arange(min(last, size) + 1), size, p))


@pytest.mark.parametrize(
    ("side", "k", "ratio"), [("high", 3, 2.0), ("high", 1, 1.5), ("low", 2, 2.0), ("low", 4, 3.0)]
)
def test_thresholds_are_exact_where_the_statistic_takes_whole_values(side: str, k: int, ratio: float) -> None:
    sign, r = (1, ratio) if side == "high" else (-1, 1 / ratio)
    mean = k * math.log(r) / (r - 1)
    chances = stats.poisson.pmf(np.arange(60), mean)
    runs = [dense_run(chances, k, sign, h, 1) for h in range(1, 40)]
    wanted = 1 + next(i for i, run in enumerate(runs) if run >= 740)
    found = count_cusum_threshold(1, mean, distribution="poisson", ratio=ratio)
    h = float(getattr(found, side)[0]) / math.log(ratio)
    assert wanted - 1 < h <= wanted
    lengths = count_cusum_run_length(1, mean, distribution="poisson", ratio=ratio, h=found)
    np.testing.assert_allclose(getattr(lengths, side), runs[wanted - 1], rtol=1e-9)


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize(
    ("size", "p"), [(12, 0.002), (12, 0.12), (28, 0.02), (75, 0.005), (150, 0.03), (300, 0.002), (300, 0.06)]
)
def test_thresholds_give_the_run_length_asked_for(size: int, p: float, side: str) -> None:
    sign = 1 if side == "high" else -1
    k = reference_value(size, p, 2.0**sign)
    h = float(getattr(count_cusum_threshold(size, p), side)[0]) / math.log(2)
    chances = probable(size, p)
    fine = max(60, 3 / k)
    # Counts are whole, so that the run length jumps: it is long enough at h, and not just below.
    assert dense_run(chances, k, sign, h, fine) > 0.98 * 740
    assert dense_run(chances, k, sign, h - 3 / 32, fine) < 1.01 * 740


def test_a_large_denominator_signals_at_the_first_point_beyond_the_reference_value() -> None:
    size, p = 5000, 0.02
    k = reference_value(size, p, 2.0)
    assert 1 / stats.binom.sf(math.floor(k), size, p) > 740
    threshold = count_cusum_threshold(size, p)
    assert 0 < threshold.high[0] < math.log(2) / 32
    found = count_cusum_run_length(size, p, h=threshold).high
    np.testing.assert_allclose(found, 1 / stats.binom.sf(math.floor(k), size, p), rtol=1e-6)


@pytest.mark.parametrize(("side", "steps"), [("low", 40), ("high", 30), ("low", 5), ("high", 4)])
def test_bernoulli_thresholds_are_exact_where_the_statistic_takes_whole_values(side: str, steps: int) -> None:
    sign = 1 if side == "high" else -1
    p = optimize.brentq(lambda p: reference_value(1, p, 2.0**sign) - 1 / steps, 1e-4, 0.9)
    births = 20000.0 if steps > 10 else 3000.0
    found = float(getattr(bernoulli_threshold(p, 2.0, births), side)[0]) / math.log(2) * steps
    runs = {
        n: dense_run(np.array([1 - p, p]), 1 / steps, sign, n / steps, steps)
        for n in (math.ceil(found) - 1, math.ceil(found))
    }
    below, at = runs.values()
    assert below < births <= at


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize(("p", "births"), [(0.03, 3000), (0.07, 2000), (0.3, 2000), (0.5, 9000)])
def test_bernoulli_thresholds_give_the_run_length_asked_for(p: float, births: float, side: str) -> None:
    sign = 1 if side == "high" else -1
    k = reference_value(1, p, 2.0**sign)
    h = float(getattr(bernoulli_threshold(p, 2.0, births), side)[0]) / math.log(2)
    chances = np.array([1 - p, p])
    assert dense_run(chances, k, sign, h, 5 / k if p < 0.1 else 60) > 0.98 * births
    assert dense_run(chances, k, sign, h - max(k, 3 / 32), 5 / k if p < 0.1 else 60) < 1.01 * births


def test_the_two_lattices_of_births_agree() -> None:
    below = bernoulli_threshold(0.05, 2.0, 30000)
    above = bernoulli_threshold(0.0500001, 2.0, 30000)
    np.testing.assert_allclose(below.low, above.low, rtol=0.01)
    np.testing.assert_allclose(below.high, above.high, rtol=0.01)


def test_rarest_events_depend_on_expected_events_only() -> None:
    few = bernoulli_threshold(1e-5, 2.0, 1e6)
    more = bernoulli_threshold(1e-3, 2.0, 1e4)
    np.testing.assert_allclose(few.low, more.low, rtol=0.005)
    np.testing.assert_allclose(few.high, more.high, rtol=0.005)


def test_the_absence_of_a_common_event_is_the_rare_event() -> None:
    for p in (0.02, 0.3):
        rare, common = bernoulli_threshold(p, 2.0, 5000), bernoulli_threshold(1 - p, 2.0, 5000)
        np.testing.assert_allclose(rare, common[::-1], rtol=1e-9)


@pytest.mark.parametrize("rising", [True, False])
def test_points_needed_by_a_chain_of_births(rising: bool) -> None:
    p, jump, births = 0.1, 7.0, 500.0

    def run(n: int) -> float:
        move = np.zeros((n, n))
        for i in range(n):
            other, event = (i + 1, i - 7) if rising else (i - 1, i + 7)
            for j, chance in ((other, 1 - p), (event, p)):
                if j < n:
                    move[i, max(j, 0)] += chance
        return float(np.linalg.solve(np.eye(n) - move, np.ones(n))[0])

    wanted = next(n for n in range(1, 200) if run(n) >= births)
    found = points_needed(np.full(2, p), np.full(2, jump), np.array([births, 1.0]), rising=rising)
    assert found.tolist() == [wanted, 1]


@pytest.mark.parametrize("distribution", ["binomial", "poisson"])
def test_run_length_after_a_change_by_chain(distribution: Any) -> None:
    size, p, now = 20, 0.1, 0.15
    h = 2.9
    counts = np.arange(size + 1 if distribution == "binomial" else 40)
    of = stats.binom(size, now) if distribution == "binomial" else stats.poisson(size * now)
    found = count_cusum_run_length(size, p, distribution=distribution, h=h, actual=now)
    for sign, run in ((-1, found.low), (1, found.high)):
        k = reference_value(size, p, 2.0**sign, distribution)
        assert run[0] == pytest.approx(dense_run(of.pmf(counts), k, sign, h / math.log(2), 120), rel=0.02)


@pytest.mark.parametrize(("p", "per_event"), [(0.01, 210), (0.1, 73)])
def test_the_usual_threshold_of_a_bernoulli_cusum_gives_no_one_run_length(p: float, per_event: int) -> None:
    h = 3.5
    chances = np.array([1 - p, p])
    expected = [
        dense_run(chances, reference_value(1, p, 2.0**s), s, h / math.log(2), per_event) for s in (-1, 1)
    ]
    found = count_cusum_run_length(1, p, h=h)
    np.testing.assert_allclose([found.low[0], found.high[0]], expected, rtol=0.015)
    assert round(expected[1] / 1e3, 1) == {0.01: 12.3, 0.1: 1.5}[p]


def test_a_head_start_shortens_the_run_and_arms_are_put_together() -> None:
    plain = count_cusum_run_length(50, 0.06, h=4, actual=[0.06, 0.12])
    ahead = count_cusum_run_length(50, 0.06, h=4, head_start=2, actual=[0.06, 0.12])
    assert (ahead.high < plain.high).all()
    np.testing.assert_allclose(plain.either, 1 / (1 / plain.low + 1 / plain.high))
    assert (ahead.either < np.minimum(ahead.low, ahead.high)).all()


def test_what_has_no_chart_has_no_run_length() -> None:
    size, chance = [50, 50, 50, 0, NAN, 50], [0.1, 0, 1, 0.1, 0.1, NAN]
    given = np.array([True, False, False, False, False, False])
    for arm in count_cusum_threshold(size, chance):
        np.testing.assert_array_equal(np.isfinite(arm), given)
    for arm in count_cusum_run_length(size, chance, h=3):
        np.testing.assert_array_equal(np.isfinite(arm), given)
    for arm in bernoulli_threshold([0.1, 0, 1, NAN, 0.1], 2.0, [100, 100, 100, 100, NAN]):
        assert np.isfinite(arm).tolist() == [True, False, False, False, False]
    low, high = count_cusum_run_length(50, 0.1, h=(NAN, 3.0))[:2]
    assert np.isnan(low[0])
    assert high[0] > 1


def test_run_length_of_normal_points_solves_the_integral_equation() -> None:
    """A chart with h near 0 signals at the first point beyond k; with two points the integral is one-fold."""
    one = tabular_cusum_run_length(0.3, k=1, h=1e-9).high
    np.testing.assert_allclose(one, 1 / stats.norm.sf(1, 0.3), rtol=1e-7)

    k, h, s = 0.5, 3.0, 1.0
    zero, start = (tabular_cusum_run_length(0.2, k=k, h=h, head_start=v).high[0] for v in (0, s))

    def run(x: float) -> float:
        return float(tabular_cusum_run_length(0.2, k=k, h=h, head_start=x).high[0])

    inside = integrate.quad(lambda x: run(x) * stats.norm.pdf(x + k - s, 0.2), 0, h - 1e-12)[0]
    assert start == pytest.approx(1 + stats.norm.cdf(k - s, 0.2) * zero + inside, rel=1e-8)


def test_the_arm_that_a_shift_holds_down_runs_for_ever_and_does_no_harm() -> None:
    found = tabular_cusum_run_length([4.0, -4.0], h=8)
    assert found.low[0] > 1e20
    np.testing.assert_allclose(found.either, [found.high[0], found.low[1]], rtol=1e-12)
    np.testing.assert_allclose(found.low[1], found.high[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: count_cusum_threshold(50, 1.5), "chance holds 1.5; give values from 0 to 1"),
        (lambda: count_cusum_threshold(-5, 0.1), "size holds -5.0"),
        (lambda: count_cusum_threshold(5, 0.1, points_between=0.5), "points_between holds 0.5"),
        (lambda: count_cusum_threshold(5, 0.1, ratio=1), "ratio=1 is not allowed"),
        (lambda: bernoulli_threshold(1.5, 2.0, 100), "chance holds 1.5"),
        (lambda: bernoulli_threshold(0.5, 0.5, 100), "odds_ratio=0.5 is not allowed"),
        (lambda: bernoulli_threshold(0.5, 2.0, 0), "births_between holds 0.0"),
        (
            lambda: count_cusum_run_length(5, 0.1, h=2, head_start=3),
            "head_start holds 3.0; give values from 0",
        ),
        (lambda: count_cusum_run_length(5, 0.1, h=2, actual=2), "chance holds 2.0"),
        (lambda: tabular_cusum_run_length(h=2, head_start=2), "head_start=2 is not allowed"),
    ],
)
def test_what_is_out_of_bounds_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        call()
