"""Run lengths of EWMA charts: doubled nodes, dense chains, enumeration, simulation, and widths for a run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas._count_ewma import NODES, CountEwma, count_ewma
from qi_equity.formulas._normal_ewma import NODES_A_UNIT, NormalEwma, normal_ewma
from qi_equity.formulas._roots import rising_root
from qi_equity.formulas.attributes import p_limits
from qi_equity.formulas.cusum_waiting import Side
from qi_equity.formulas.ewma import ewma, ewma_limits
from qi_equity.formulas.ewma_waiting import (
    StartLimits,
    count_ewma_waiting,
    count_ewma_width,
    ewma_waiting,
    ewma_width,
)
from qi_equity.formulas.waiting import follow

NAN = math.nan
SIDES: tuple[Side, ...] = ("low", "high", "both")
STARTS: tuple[StartLimits, ...] = ("exact", "asymptotic")


@pytest.mark.parametrize("limits", STARTS)
@pytest.mark.parametrize("side", ["high", "both"])
@pytest.mark.parametrize(("w", "c"), [(0.1, 2.7), (0.2, 2.962), (0.7, 2.4)])
def test_doubled_nodes_change_nothing(w: float, c: float, side: Side, limits: StartLimits) -> None:
    shift = np.array([0, 0.5, 2, -1])
    found = ewma_waiting(shift, weight=w, width=c, side=side, limits=limits).mean()
    chart = NormalEwma(shift, np.full(4, c), np.zeros(4), w, side == "both", limits == "exact")
    finer = follow(*normal_ewma(chart._replace(fineness=2 * NODES_A_UNIT))).mean()
    # A mean run of a billion points hangs on a chance of 1e-9, and that on the end of a density.
    assert (np.abs(found / finer - 1) < np.where(finer < 1e6, 1e-11, 1e-9)).all()


@pytest.mark.parametrize("side", SIDES)
def test_normal_points_by_simulation(side: Side) -> None:
    rng = np.random.default_rng(11)
    y = rng.normal(0.4, 1, (20000, 50))
    limits = ewma_limits(y[:1], 0, 1, weight=0.15, nsigma=2.2)
    z = ewma(y, 0, weight=0.15)
    below, above = z < limits.lower, z > limits.upper
    signal = {"low": below, "high": above, "both": below | above}[side]
    wait = ewma_waiting(0.4, weight=0.15, width=2.2, side=side)
    for t in (1, 2, 5, 12, 50):
        expected = float(wait.within(t)[0])
        error = math.sqrt(expected * (1 - expected) / len(z))
        assert abs(signal[:, :t].any(axis=1).mean() - expected) < 5 * error


def test_a_weight_of_one_is_a_chart_of_the_points() -> None:
    one = stats.norm.sf(3, 1)
    np.testing.assert_allclose(ewma_waiting(1, weight=1, width=3, side="high").mean(), 1 / one, rtol=1e-10)
    p = np.array([0.1, 0.16])
    wait = count_ewma_waiting([[60], [60]], 0.1, weight=1, width=2.5, actual=p[:, np.newaxis], side="high")
    last = math.floor(60 * (0.1 + 2.5 * math.sqrt(0.1 * 0.9 / 60)))
    np.testing.assert_allclose(wait.mean(), 1 / stats.binom.sf(last, 60, p), rtol=1e-9)


def test_a_shift_that_holds_the_average_away_never_signals() -> None:
    assert ewma_waiting(-200, side="high").mean()[0] == math.inf
    assert ewma_waiting(-3, side="high").mean()[0] > 1e20


@settings(max_examples=15, deadline=None)
@given(st.floats(-1.5, 1.5), st.floats(0.15, 1), st.floats(0.8, 3), st.sampled_from(STARTS))
def test_mirror(shift: float, w: float, c: float, limits: StartLimits) -> None:
    low, high, both = (ewma_waiting(shift, weight=w, width=c, side=side, limits=limits) for side in SIDES)
    mirrored = ewma_waiting(-shift, weight=w, width=c, side="high", limits=limits)
    np.testing.assert_allclose(low.mean(), mirrored.mean(), rtol=1e-9)
    for t in (1, 12, 100):
        a, b, either = low.within(t)[0], high.within(t)[0], both.within(t)[0]
        assert max(a, b) - 1e-10 <= either <= a + b + 1e-10


@pytest.mark.parametrize("limits", STARTS)
def test_a_head_start_is_towards_the_limit_of_its_side(limits: StartLimits) -> None:
    low, high = (
        ewma_waiting(shift, weight=0.2, width=2.4, limits=limits, side=side, head_start=1)
        for shift, side in ((-0.3, "low"), (0.3, "high"))
    )
    np.testing.assert_allclose(low.mean(), high.mean(), rtol=1e-9)
    assert low.within(12) > ewma_waiting(-0.3, weight=0.2, width=2.4, limits=limits, side="low").within(12)


@pytest.mark.parametrize("limits", STARTS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("w", [0.1, 0.2, 1.0])
def test_widths_give_the_run_length_asked_for(w: float, side: Side, limits: StartLimits) -> None:
    wanted = np.array([30, 150, 740])
    width = ewma_width(w, wanted, side=side, limits=limits)
    found = ewma_waiting(0, weight=w, width=width, side=side, limits=limits).mean()
    np.testing.assert_allclose(found, wanted, rtol=1e-8)
    assert np.isnan(ewma_width(w, [NAN], side=side)).all()


def test_a_run_too_short_for_any_width_has_none() -> None:
    # Slow averages stay where they are: even limits of no width are crossed once in about ten points.
    assert np.isnan(ewma_width(0.05, 5, side="low", limits="asymptotic")[0])


def enumerated(sizes: list[int], p: float, c: float, w: float) -> dict[str, np.ndarray]:
    """Chance of a signal within each number of points, over all series of counts."""
    counts = np.array(list(itertools.product(*(range(n + 1) for n in sizes))))
    pmf = [stats.binom.pmf(x, n, p) for x, n in zip(counts.T, sizes, strict=True)]
    limits = ewma_limits(counts, 0.2, p_limits(sizes, sizes, centre_line=0.2).sigma, weight=w, nsigma=c)
    z = ewma(counts / np.array(sizes), 0.2, weight=w)
    below, above = z < limits.lower, z > limits.upper
    signals = {"low": below, "high": above, "both": below | above}
    return {
        side: np.array([np.prod(pmf, axis=0)[found[:, :t].any(axis=1)].sum() for t in range(1, 7)])
        for side, found in signals.items()
    }


def test_counts_over_varying_denominators_by_enumeration() -> None:
    sizes = [3, 5, 2, 4, 6, 3]
    expected = enumerated(sizes, 0.35, 1.2, 0.3)
    for side in SIDES:
        wait = count_ewma_waiting(sizes, 0.2, actual=0.35, width=1.2, weight=0.3, side=side)
        found = np.array([float(wait.within(t)) for t in range(1, 7)])
        # A series of few counts lands on few values, each of which a node blurs a little.
        np.testing.assert_allclose(found, expected[side], rtol=0.02, atol=1e-4)


def dense_mean(chances: np.ndarray, centre: float, c: float, w: float, variance: float, n: int) -> float:
    """Mean run from the centre line, two-sided fixed limits: each of n cells goes where its middle goes."""
    limit = c * math.sqrt(variance * w / (2 - w))
    middle = -limit + (np.arange(n) + 0.5) * (2 * limit / n)
    move = np.zeros((n, n))
    for x, chance in enumerate(chances):
        cell = np.floor(((1 - w) * middle + w * (x - centre) + limit) / (2 * limit / n)).astype(int)
        inside = (cell >= 0) & (cell < n)
        np.add.at(move, (np.flatnonzero(inside), cell[inside]), chance)
    return float(np.linalg.solve(np.eye(n) - move, np.ones(n))[n // 2])


@pytest.mark.parametrize(("size", "p", "now"), [(28, 0.06, 0.06), (150, 0.03, 0.04), (300, 0.2, 0.18)])
def test_counts_by_a_dense_chain(size: int, p: float, now: float) -> None:
    chances = stats.binom.pmf(np.arange(size + 1), size, now)
    expected = dense_mean(chances, size * p, 2.4, 0.2, size * p * (1 - p), 1501)
    found = count_ewma_waiting(size, p, actual=now, width=2.4, limits="asymptotic").mean()
    assert float(found) == pytest.approx(expected, rel=0.01)


def test_halved_distances_of_nodes_change_little() -> None:
    n, p = np.array([[12.0], [28.0], [66.0], [294.0]]), np.array([[0.12], [0.05], [0.02], [0.06]])
    for sign, side in ((-1, "low"), (1, "high"), (0, "both")):
        width = np.full(4, 2.0 if sign else 2.5)
        chart = CountEwma(n, p, p, np.ones(n.shape, dtype=np.bool_), width, 0.2, False, sign, True)
        usual, finer = (follow(*count_ewma(chart, nodes)).mean() for nodes in (NODES, 2 * NODES))
        short = finer < 1e4
        np.testing.assert_allclose(usual[short], finer[short], rtol=5e-3)
        found = count_ewma_waiting(n, p, width=width[:, np.newaxis], side=side)
        np.testing.assert_allclose(found.mean(), usual, rtol=1e-9)


@pytest.mark.parametrize("distribution", ["binomial", "poisson"])
def test_real_denominators_by_simulation(distribution: Any) -> None:
    rng = np.random.default_rng(12)
    sizes, p, now = np.array([40.0, 55, 28, 61, 35]), 0.08, 0.1
    n = np.tile(sizes, 16)
    shape = (20000, len(n))
    x = rng.binomial(n.astype(int), now, shape) if distribution == "binomial" else rng.poisson(n * now, shape)
    sigma = np.sqrt(p * (1 - p if distribution == "binomial" else 1) / n)
    limits = ewma_limits(n[np.newaxis], p, sigma, weight=0.2, nsigma=2.3)
    z = ewma(x / n, p, weight=0.2)
    signal = (z < limits.lower) | (z > limits.upper)
    wait = count_ewma_waiting(sizes, p, actual=now, width=2.3, distribution=distribution)
    for t in (1, 2, 5, 12, 40, 80):
        expected = float(wait.within(t))
        # Five Monte-Carlo errors, and what a node blurs.
        error = 5 * math.sqrt(expected * (1 - expected) / len(z)) + 0.005 * expected
        assert abs(signal[:, :t].any(axis=1).mean() - expected) < error


def test_a_month_without_births_moves_nothing() -> None:
    full = count_ewma_waiting([40, 50], 0.06, width=2.0)
    gaps = count_ewma_waiting([40, 0, 50, NAN], 0.06, width=2.0)
    for t in range(1, 9):
        np.testing.assert_allclose(gaps.within([2 * t - 1, 2 * t]), full.within([t, t]), rtol=1e-9)


def test_limits_that_no_count_reaches_never_signal() -> None:
    # 3 errors of the average are wider than the centre line is high.
    assert count_ewma_waiting(10, 0.05, width=3, side="low").mean() == math.inf
    assert count_ewma_waiting(10, 0.95, width=3, side="high").mean() == math.inf
    just = 0.05 * 1.0001 / (math.sqrt(0.05 * 0.95 / 10) / 3)
    assert count_ewma_waiting(10, 0.05, width=just, side="low").mean() == math.inf
    assert count_ewma_waiting(10, 0.95, width=just, side="high").mean() == math.inf
    both, high = (count_ewma_waiting(10, 0.05, width=3, side=side).mean() for side in ("both", "high"))
    assert both == pytest.approx(float(high), rel=0.01)
    # The points themselves: no event in six months of ten is no news, and nothing lies below none.
    assert np.isnan(count_ewma_width(10, 0.05, weight=1, side="low", points_between=150)[0])
    assert count_ewma_width(10, 0.05, weight=1, side="high", points_between=150)[0] > 0


@pytest.mark.parametrize("side", SIDES)
def test_widths_of_counts_give_the_run_length_asked_for(side: Side) -> None:
    n, p = np.array([12, 28, 66, 294]), np.array([0.12, 0.05, 0.08, 0.06])
    width = count_ewma_width(n, p, side=side, points_between=150)
    here = width[:, np.newaxis]
    found = count_ewma_waiting(n[:, np.newaxis], p[:, np.newaxis], width=here, side=side).mean()
    np.testing.assert_allclose(found, 150, rtol=0.002)


def test_what_has_no_chart_has_no_run_length() -> None:
    wait = count_ewma_waiting([[50], [50], [0], [NAN], [50]], [[0.1], [0], [0.1], [0.1], [1]], width=2.5)
    for found in (wait.mean(), wait.within(12), wait.quantile(0.5)):
        assert np.isfinite(found).tolist() == [True, False, False, False, False]
    assert np.isnan(count_ewma_waiting(50, 0.1, width=NAN).mean())
    assert np.isnan(ewma_waiting([0, NAN], width=2).mean()).tolist() == [False, True]
    assert np.isnan(
        count_ewma_width([50, 0, 50], [0.1, 0.1, 0.1], points_between=[150, 150, NAN])
    ).tolist() == [
        False,
        True,
        True,
    ]
    assert np.isnan(count_ewma_width(NAN, 0.1)).all()


def test_strata_alone_and_together_in_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    n, p = np.array([[12, 20], [40, 44], [90, 70]]), np.array([[0.1], [0.05], [0.02]])
    together = count_ewma_waiting(n, p, width=2.3).mean()
    monkeypatch.setattr("qi_equity.formulas._two_arms._BLOCK", 1)
    np.testing.assert_allclose(count_ewma_waiting(n, p, width=2.3).mean(), together, rtol=1e-9)
    alone = [float(count_ewma_waiting(a, b, width=2.3).mean()) for a, b in zip(n, p[:, 0], strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_roots_of_functions_that_jump_and_of_none() -> None:
    at = np.array([0.3, 2.0, 5.0])

    def jumps(x: np.ndarray, some: np.ndarray) -> np.ndarray:
        return np.where(x < at[some], -1.0, np.inf)

    found = rising_root(jumps, np.ones(3), np.ones(3), least=0.0, close=1e-6, small=0.0)
    np.testing.assert_allclose(found, at, rtol=1e-5)

    def above(x: np.ndarray, some: np.ndarray) -> np.ndarray:
        return np.where(some[some], 1 + x, 0)

    assert np.isnan(rising_root(above, np.ones(2), np.ones(2), least=0.0, close=1e-6, small=0.0)).all()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ewma_waiting(0, weight=0), OptionError, "weight=0 is not allowed"),
        (lambda: ewma_waiting(0, width=-1), OptionError, "width holds -1.0"),
        (lambda: ewma_waiting(0, limits="fix"), OptionError, "limits='fix' is not allowed"),
        (lambda: ewma_waiting(0, side="up"), OptionError, "side='up' is not allowed"),
        (lambda: ewma_waiting("a"), InputTypeError, "shift of type str"),
        (lambda: ewma_width(0.2, 1), OptionError, "points_between holds 1.0"),
        (lambda: count_ewma_waiting(50, 1.5), OptionError, "chance holds 1.5; give values from 0 to 1"),
        (lambda: count_ewma_waiting(-5, 0.1), OptionError, "size holds -5.0"),
        (lambda: count_ewma_waiting(5, 0.1, actual=2), OptionError, "actual holds 2.0"),
        (lambda: count_ewma_waiting(5, 0.1, distribution="normal"), OptionError, "distribution='normal'"),
        (lambda: count_ewma_width(5, 0.1, points_between=0.5), OptionError, "points_between holds 0.5"),
    ],
)
def test_what_is_out_of_bounds_is_refused(call: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()
