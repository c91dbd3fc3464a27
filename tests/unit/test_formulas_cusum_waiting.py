"""Run lengths of CUSUM charts against their means, joint chains, enumeration and simulation."""

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
from qi_equity.formulas.cusum import count_cusum, tabular_cusum
from qi_equity.formulas.cusum_run_length import (
    count_cusum_run_length,
    count_cusum_threshold,
    tabular_cusum_run_length,
)
from qi_equity.formulas.cusum_waiting import Side, count_cusum_waiting, tabular_cusum_waiting

NAN = math.nan
SIDES: tuple[Side, ...] = ("low", "high", "both")


@pytest.mark.parametrize(
    ("k", "h", "start"), [(0.5, 4, 0), (0.5, 5, 2.5), (0.25, 8, 4), (0.5, 0.01, 0), (0.5, 1, 0)]
)
def test_means_are_those_of_the_integral_equation(k: float, h: float, start: float) -> None:
    shift = [0, 0.5, 2, 3, -1]
    lengths = tabular_cusum_run_length(shift, k=k, h=h, head_start=start)
    for side, mean in zip(SIDES, lengths, strict=True):
        found = tabular_cusum_waiting(shift, k=k, h=h, head_start=start, side=side).mean()
        np.testing.assert_allclose(found, mean, rtol=1e-10)


@pytest.mark.parametrize("change", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("start", [0.0, 1.0])
def test_means_are_those_of_the_count_chain(change: float, start: float) -> None:
    n, p = np.array([5, 12, 28, 60, 150]), np.array([0.12, 0.05, 0.02, 0.06, 0.03])
    h = tuple(np.maximum(arm, 1.5) for arm in count_cusum_threshold(n, p, points_between=150))
    lengths = count_cusum_run_length(n, p, h=(h[0], h[1]), actual=change * p, head_start=start)
    columns = h[0][:, np.newaxis], h[1][:, np.newaxis]
    for side, mean in zip(SIDES, lengths, strict=True):
        found = count_cusum_waiting(
            n[:, np.newaxis], p[:, np.newaxis], h=columns, actual=change * p[:, np.newaxis],
            side=side, head_start=start,
        )  # fmt: skip
        np.testing.assert_allclose(found.mean(), mean, rtol=1e-10)


def joint(chances: list[np.ndarray], k: tuple[int, int], h: int, points: int) -> list[float]:
    """Chance of a signal of either arm within 1, 2, ... points, by following both arms state by state."""
    here, found = {(0, 0): 1.0}, []
    for t in range(points):
        after: dict[tuple[int, int], float] = {}
        for (low, high), chance in here.items():
            for x, p in enumerate(chances[t % len(chances)]):
                state = max(0, low + k[0] - x), max(0, high + x - k[1])
                if max(state) < h:
                    after[state] = after.get(state, 0) + chance * p
        here = after
        found.append(1 - sum(here.values()))
    return found


def test_both_arms_together_where_the_lattice_holds_every_value() -> None:
    """Poisson counts whose reference values are whole: no lattice stands between the arms and their sum."""
    ratio = 2.0
    step = math.log(ratio)
    rate = 3 * step / (ratio - 1)
    low = rate * (1 - 1 / ratio) / step
    # The low reference value of this rate is 1.5 events: in halves of an event all values are whole.
    assert low == pytest.approx(1.5)
    chances = np.zeros(81)
    chances[::2] = stats.poisson.pmf(np.arange(41), 1.2 * rate)
    expected = joint([chances], (3, 6), 10, 40)
    wait = count_cusum_waiting(
        1, rate, distribution="poisson", ratio=ratio, h=(5 * step - 1e-9), actual=1.2 * rate
    )
    np.testing.assert_allclose([float(wait.within(t)) for t in range(1, 41)], expected, rtol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_varying_denominators_by_enumeration(side: Side) -> None:
    sizes, p, h = [3, 5, 2, 4, 6, 3], 0.3, (0.83, 1.93)
    series = list(itertools.product(*(range(n + 1) for n in sizes)))
    pmf = [stats.binom.pmf(x, n, p) for x, n in zip(np.array(series).T, sizes, strict=True)]
    chance = np.prod(pmf, axis=0)
    path = count_cusum(series, sizes, p, h=h)
    signals = {"low": path.low_signal, "high": path.high_signal, "both": path.low_signal | path.high_signal}
    wait = count_cusum_waiting(sizes, p, h=h, side=side)
    for t in (1, 3, 6):
        expected = float(chance[signals[side][:, :t].any(axis=1)].sum())
        assert float(wait.within(t)) == pytest.approx(expected, rel=0.03)


def first_signals(signal: np.ndarray) -> np.ndarray:
    return np.where(signal.any(axis=1), signal.argmax(axis=1) + 1, signal.shape[1] + 1)


def test_both_arms_by_simulation() -> None:
    rng = np.random.default_rng(6)
    path = tabular_cusum(rng.normal(0.3, 1, (20000, 60)), h=2.5, head_start=1.0)
    first = first_signals(path.low_signal | path.high_signal)
    wait = tabular_cusum_waiting(0.3, h=2.5, head_start=1.0)
    for t in (1, 2, 5, 20, 60):
        expected = float(wait.within(t)[0])
        error = math.sqrt(expected * (1 - expected) / len(first))
        assert abs((first <= t).mean() - expected) < 5 * error


def test_real_denominators_by_simulation() -> None:
    rng = np.random.default_rng(7)
    sizes, p = np.array([40, 55, 28, 61, 35]), 0.08
    n = np.tile(sizes, 16)
    path = count_cusum(rng.binomial(n, 0.11, (20000, 80)), n, p, h=(3.0, 2.6))
    first = first_signals(path.low_signal | path.high_signal)
    wait = count_cusum_waiting(sizes, p, h=(3.0, 2.6), actual=0.11)
    for t in (2, 5, 12, 40):
        expected = float(wait.within(t))
        # Five Monte-Carlo errors, and the 1 % of the lattice.
        assert abs((first <= t).mean() - expected) < 5 * math.sqrt(expected / len(first)) + 0.01 * expected


def test_a_month_without_births_moves_nothing() -> None:
    full = count_cusum_waiting([40, 50], 0.06, h=3.0)
    gaps = count_cusum_waiting([40, 0, 50, NAN], 0.06, h=3.0)
    for t in range(1, 9):
        np.testing.assert_allclose(gaps.within([2 * t - 1, 2 * t]), full.within([t, t]), rtol=1e-9)


def test_what_has_no_chart_has_no_run_length() -> None:
    wait = count_cusum_waiting([[50], [50], [0], [NAN], [50]], [[0.1], [0], [0.1], [0.1], [1]], h=3.0)
    for found in (wait.mean(), wait.within(12), wait.quantile(0.5)):
        assert np.isfinite(found).tolist() == [True, False, False, False, False]
    one = count_cusum_waiting(50, 0.1, h=(NAN, 3.0), side="high").mean()
    assert one == count_cusum_waiting(50, 0.1, h=3.0, side="high").mean()
    assert np.isnan(count_cusum_waiting(50, 0.1, h=(NAN, 3.0)).mean())
    assert np.isnan(tabular_cusum_waiting([0, NAN]).mean()).tolist() == [False, True]
    assert np.isnan(tabular_cusum_waiting(NAN).mean()).all()
    assert count_cusum_waiting(50, 0.1, h=3.0, side="high", actual=0).mean() == math.inf


def test_strata_alone_and_together_in_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    n, p, h = np.array([[12, 20], [40, 44], [90, 70]]), np.array([[0.1], [0.05], [0.02]]), 2.5
    together = count_cusum_waiting(n, p, h=h)
    monkeypatch.setattr("qi_equity.formulas._two_arms._BLOCK", 1)
    blocks = count_cusum_waiting(n, p, h=h)
    for t in (1, 7, 900):
        np.testing.assert_allclose(blocks.within(t), together.within(t), rtol=1e-9)
    np.testing.assert_allclose(blocks.mean(), together.mean(), rtol=1e-9)
    alone = [float(count_cusum_waiting(a, b, h=h).mean()) for a, b in zip(n, p[:, 0], strict=True)]
    np.testing.assert_allclose(together.mean(), alone, rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.floats(-2, 2), st.floats(0.1, 1), st.floats(0.5, 5))
def test_mirror(shift: float, k: float, h: float) -> None:
    low, high, both = (tabular_cusum_waiting(shift, k=k, h=h, side=side) for side in SIDES)
    np.testing.assert_allclose(
        low.mean(), tabular_cusum_waiting(-shift, k=k, h=h, side="high").mean(), rtol=1e-9
    )
    for t in (1, 12, 100):
        a, b, either = low.within(t)[0], high.within(t)[0], both.within(t)[0]
        assert max(a, b) - 1e-12 <= either <= a + b + 1e-12


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tabular_cusum_waiting(0, side="up"), OptionError, "side='up' is not allowed"),
        (lambda: tabular_cusum_waiting(0, h=2, head_start=2), OptionError, "head_start=2 is not allowed"),
        (lambda: tabular_cusum_waiting("a"), InputTypeError, "shift of type str"),
        (lambda: count_cusum_waiting(50, 1.5, h=3), OptionError, "chance holds 1.5; give values from 0 to 1"),
        (lambda: count_cusum_waiting(-5, 0.1, h=3), OptionError, "size holds -5.0"),
        (lambda: count_cusum_waiting(5, 0.1, h=3, actual=2), OptionError, "actual holds 2.0"),
        (lambda: count_cusum_waiting(5, 0.1, h=3, ratio=1), OptionError, "ratio=1 is not allowed"),
        (lambda: count_cusum_waiting(5, 0.1, h=0), OptionError, "h holds 0.0"),
        (lambda: count_cusum_waiting(5, 0.1, h=2, head_start=3), OptionError, "head_start holds 3.0"),
        (lambda: count_cusum_waiting(5, 0.1, h=2, side=1), OptionError, "side=1 is not allowed"),
    ],
)
def test_what_is_out_of_bounds_is_refused(call: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()
