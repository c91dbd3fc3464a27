"""Waiting times against plain loops, and what must hold whatever the chart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.waiting import Waiting, follow

CHANCES = st.floats(0.01, 0.6)


def survival(wait: Waiting, points: int) -> list[float]:
    """Chance of no signal after 0 to so many points of one chart, point by point."""
    left = [float(s) for s in wait.survival]
    for t in range(len(left) - 1, points):
        left.append(left[-1] * (1 - float(wait.hazard[(t - len(wait.survival) + 1) % len(wait.hazard)])))
    return left[: points + 1]


def chart(start: list[float], hazard: list[float]) -> Waiting:
    return Waiting(np.array([1.0, *np.cumprod([1 - h for h in start])]), np.array(hazard))


@given(st.lists(CHANCES, max_size=5), st.lists(CHANCES, min_size=1, max_size=4))
def test_mean_within_and_quantile_are_those_of_the_survival(start: list[float], hazard: list[float]) -> None:
    wait = chart(start, hazard)
    left = survival(wait, 4000)
    assert float(wait.mean()) == pytest.approx(sum(left), rel=1e-9)
    np.testing.assert_allclose(
        [float(wait.within(m)) for m in range(30)], 1 - np.array(left[:30]), atol=1e-13
    )
    for chance in (0.05, 0.5, 0.95):
        n = int(wait.quantile(chance))
        assert float(wait.within(n)) >= chance
        assert float(wait.within(n - 1)) < chance


@given(st.lists(CHANCES, min_size=1, max_size=3), st.lists(CHANCES, min_size=1, max_size=3), st.floats(0, 1))
def test_two_ways_the_lines_came_out_are_their_mixture(one: list[float], two: list[float], w: float) -> None:
    cycle = math.lcm(len(one), len(two))
    hazard = np.array([one * (cycle // len(one)), two * (cycle // len(two))])
    wait = Waiting(np.ones((2, 1)), hazard, np.array([w, 1 - w]))
    a, b = (np.array(survival(Waiting(np.ones(1), h), 4000)) for h in hazard)
    mixed = w * a + (1 - w) * b
    assert float(wait.mean()) == pytest.approx(mixed.sum(), rel=1e-9)
    assert float(wait.within(7)) == pytest.approx(1 - mixed[7], abs=1e-13)
    n = int(wait.quantile(0.5))
    assert 1 - mixed[n] >= 0.5 - 1e-12 > 1 - mixed[n - 1] - 1e-9


def test_each_stratum_can_have_weights_of_its_own() -> None:
    hazard = np.array([[[0.1], [0.5]], [[0.2], [0.4]]])
    weight = np.array([[0.25, 0.75], [1.0, 0.0]])
    wait = Waiting(np.ones((2, 2, 1)), hazard, weight)
    np.testing.assert_allclose(wait.mean(), [0.25 * 10 + 0.75 * 2, 5])
    np.testing.assert_allclose(wait.within([1, 2]), [0.4, 0.36])


def test_what_cannot_happen_does_not_make_the_mean_infinite() -> None:
    hazard = np.array([[0.0], [0.5]])
    assert float(Waiting(np.ones((2, 1)), hazard, np.array([0.0, 1.0])).mean()) == 2
    some = Waiting(np.ones((2, 1)), hazard, np.array([0.25, 0.75]))
    assert float(some.mean()) == math.inf
    assert float(some.quantile(0.7)) == 4
    assert float(some.quantile(0.76)) == math.inf


def test_a_tiny_chance_keeps_its_digits() -> None:
    wait = Waiting(np.ones(1), np.array([1e-15]))
    assert float(wait.mean()) == pytest.approx(1e15, rel=1e-12)
    assert float(wait.within(12)) == pytest.approx(1.2e-14, rel=1e-12)
    assert float(wait.quantile(0.5)) == pytest.approx(math.log(2) * 1e15, rel=1e-9)


def test_a_chart_that_never_signals_and_one_that_always_does() -> None:
    wait = Waiting(np.ones((2, 1)), np.array([[0.0], [1.0]]))
    assert wait.mean().tolist() == [math.inf, 1]
    assert wait.quantile(0.5).tolist() == [math.inf, 1]
    assert wait.within(1000).tolist() == [0, 1]
    assert wait.within([0, 0]).tolist() == [0, 0]
    assert float(Waiting(np.array([1.0, 0.0]), np.array([0.0])).mean()) == 1


def test_a_part_of_a_point_counts_for_nothing() -> None:
    wait = Waiting(np.array([1.0, 0.8]), np.array([0.5, 0.1]))
    found = [float(wait.within(x)) for x in (0.9, 1.9, 2.9, 3.2)]
    np.testing.assert_allclose(found, [0, 0.2, 0.6, 0.64], atol=1e-15)


def test_options_are_checked() -> None:
    wait = Waiting(np.ones(1), np.array([0.5]))
    for wrong in (-1, math.nan):
        with pytest.raises(OptionError, match="points="):
            wait.within(wrong)
    with pytest.raises(InputTypeError, match="points"):
        wait.within("many")
    for chance in (0, 1, -0.5, math.nan):
        with pytest.raises(OptionError, match="chance="):
            wait.quantile(chance)


def in_a_row(length: int, chances: list[float]) -> Any:
    """Signal at the last of so many events in a row; the chance of one repeats."""

    def step(now: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        p = chances[t % len(chances)]
        after = np.zeros_like(now)
        after[:, 0] = now.sum(axis=1) * (1 - p)
        after[:, 1:] = now[:, :-1] * p
        return after, now[:, -1] * p

    start = np.zeros((1, length))
    start[0, 0] = 1
    return start, step


@pytest.mark.parametrize("length", [1, 3, 20])
def test_followed_runs_have_the_mean_of_feller(length: int) -> None:
    """Feller, An Introduction to Probability Theory, 3rd ed., XIII.7: (1 - p^r) / (q p^r)."""
    start, step = in_a_row(length, [0.6])
    expected = (1 - 0.6**length) / (0.4 * 0.6**length)
    assert float(follow(start, step).mean()[0]) == pytest.approx(expected, rel=1e-8)


def test_a_chance_that_is_level_at_first_has_not_settled() -> None:
    """A second signal needs a run of eight, and shows at the eighth point only."""
    start, runs = in_a_row(8, [0.5])

    def step(now: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        after, signal = runs(now, t)
        return after * 0.99, signal * 0.99 + now.sum(axis=1) * 0.01

    dense = np.zeros((8, 8))
    dense[:, 0] = 0.495
    dense[np.arange(7), np.arange(1, 8)] = 0.495
    expected = np.linalg.solve(np.eye(8) - dense, np.ones(8))[0]
    wait = follow(start, step)
    assert float(wait.mean()[0]) == pytest.approx(expected, rel=1e-9)
    assert float(follow(start, step, least=2).mean()[0]) == pytest.approx(100)


def test_denominators_that_repeat() -> None:
    chances = [0.1, 0.3, 0.2]
    wait = follow(*in_a_row(2, chances), cycle=3)
    state, left = np.array([1.0, 0.0]), [1.0]
    for t in range(20_000):
        p = chances[t % 3]
        state = np.array([state.sum() * (1 - p), state[0] * p])
        left.append(state.sum())
    assert wait.hazard.shape == (1, 3)
    assert float(wait.mean()[0]) == pytest.approx(sum(left), rel=1e-9)
    np.testing.assert_allclose(1 - wait.within([500])[0], left[500], rtol=1e-6)


def test_signals_that_come_late_or_never_are_told_apart() -> None:
    late, runs = in_a_row(200, [0.9])
    assert 0 < float(follow(late, runs).within([200])[0]) == pytest.approx(0.9**200, rel=1e-9)
    never = follow(*in_a_row(3, [0.0]))
    assert never.mean().tolist() == [math.inf]


def test_a_chart_that_has_certainly_signalled_settles() -> None:
    wait = follow(*in_a_row(2, [1.0]))
    assert wait.mean().tolist() == [2]
    assert wait.quantile(0.95).tolist() == [2]


def test_a_chart_that_does_not_settle_is_given_up() -> None:
    def step(now: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        chance = 0.1 / (t + 1)
        return now * (1 - chance), now[:, 0] * chance

    with pytest.raises(OptionError, match="not settled after 500 points"):
        follow(np.ones((1, 1)), step, most=500)
