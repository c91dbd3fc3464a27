"""Run lengths of zone tests against all short series, linear systems and the probability of a signal."""

from __future__ import annotations

import itertools
import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.errors import OptionError
from qi_equity.formulas import zone_waiting as module
from qi_equity.formulas.distributions import Binomial
from qi_equity.formulas.zone_chains import ZoneChain, together, zone_false_signal
from qi_equity.formulas.zone_chances import zone_chances
from qi_equity.formulas.zone_test_chains import (
    beyond_limits_chain,
    outside_chain,
    several_beyond_chain,
    shift_chain,
    within_chain,
)
from qi_equity.formulas.zone_waiting import zone_waiting

WESTERN = together(
    beyond_limits_chain(),
    several_beyond_chain(points=2, window=3, sigmas=2),
    several_beyond_chain(points=4, window=5, sigmas=1),
    shift_chain(length=8),
)
MDC = together(
    beyond_limits_chain(),
    several_beyond_chain(points=2, window=3, sigmas=2, same_side="all", beyond_three_counts=False),
    shift_chain(length=7),
)
CHAINS = [
    pytest.param(chain, id=name)
    for name, chain in {
        "limits": beyond_limits_chain(),
        "western": WESTERN,
        "mdc": MDC,
        "skip": shift_chain(length=4, ties="skip", missing="skip"),
        "within": within_chain(length=15),
        "outside": outside_chain(length=5),
        "low": together(beyond_limits_chain(side="low"), shift_chain(length=6, side="low")),
    }.items()
]
LEVELS = np.array([-4, -3, -2, -1, 0, 1, 2, 3, 4, math.nan])


def points(seed: int, *shape: int) -> np.ndarray:
    concentration = np.array([0.4, 1, 3, 6, 1, 6, 3, 1, 0.4, 0.5])
    return np.random.default_rng(seed).dirichlet(concentration, shape)


def dense_mean(chain: ZoneChain, cycle: np.ndarray) -> float:
    """Solve for the mean of the chain of states and place in the cycle (C, 10) as one system."""
    states, length = len(chain.following), len(cycle)
    stays = np.zeros((states * length, states * length))
    for t, zones in enumerate(cycle):
        for state, zone in itertools.product(range(states), range(10)):
            after = chain.following[state, zone]
            if after >= 0:
                stays[t * states + state, (t + 1) % length * states + after] += zones[zone]
    return float(np.linalg.solve(np.eye(len(stays)) - stays, np.ones(len(stays)))[0])


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("cycle", [1, 3])
def test_mean_by_a_system_of_equations(chain: ZoneChain, cycle: int) -> None:
    chances = points(cycle, 2, cycle)
    expected = [dense_mean(chain, one) for one in chances]
    np.testing.assert_allclose(zone_waiting(chain, chances).mean(), expected, rtol=1e-8)


@pytest.mark.parametrize("chain", CHAINS)
def test_within_is_the_probability_of_a_signal(chain: ZoneChain) -> None:
    """For every number of points, before and after the chance of a signal has settled."""
    chances = points(5, 3, 2, 4)
    wait = zone_waiting(chain, chances)
    assert wait.hazard.shape == (3, 2, 4)
    for n in (1, 5, 8, 20, 150, 700):
        series = np.take(chances, np.arange(n) % 4, axis=-2)
        np.testing.assert_allclose(wait.within(n), zone_false_signal(chain, series), rtol=1e-8, atol=1e-13)


def first_signals(series: np.ndarray) -> list[int]:
    """The definition: the first point beyond three sigma, or third in a row on one side; 5 where none is."""
    found = []
    for levels in LEVELS[series]:
        for n in range(1, 5):
            three = levels[max(n - 3, 0) : n]
            if abs(levels[n - 1]) == 4 or (n >= 3 and ((three > 0).all() or (three < 0).all())):
                break
        else:
            n = 5
        found.append(n)
    return found


EVERY_FOUR = np.array(list(itertools.product(range(10), repeat=4)))
SIGNALS = np.array(first_signals(EVERY_FOUR))


@given(st.integers(0, 10**6), st.integers(1, 5))
def test_all_series_of_four_points(seed: int, cycle: int) -> None:
    chances = points(seed, cycle)
    likely = chances[np.arange(4) % cycle, EVERY_FOUR].prod(axis=1)
    expected = [likely[n < SIGNALS].sum() for n in range(5)]
    chain = together(beyond_limits_chain(), shift_chain(length=3))
    found = [1 - float(zone_waiting(chain, chances).within(n)) for n in range(5)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_it_can_start_in_another_state() -> None:
    """After seven points above the line the eighth signals."""
    chain = shift_chain(length=8)
    state = 0
    for _ in range(7):
        state = int(chain.following[state, 5])
    coin = [[0, 0, 0, 0.5, 0, 0.5, 0, 0, 0, 0]]
    assert float(zone_waiting(chain, coin, start=state).within(1)) == 0.5
    for wrong in (-1, len(chain.following)):
        with pytest.raises(OptionError, match=f"start={wrong} is not allowed; give a state"):
            zone_waiting(chain, coin, start=wrong)


def test_strata_that_can_never_signal() -> None:
    """Months without births, no limits, or a side that no point reaches; the others are as if alone."""
    chances = np.zeros((4, 2, 10))
    chances[0, :, 9] = 1
    chances[1, :, 4] = 1
    chances[2, :, 7] = 1
    chances[3, :] = points(3, 2)
    chain = together(beyond_limits_chain(side="low"), shift_chain(length=7, side="low"))
    wait = zone_waiting(chain, chances)
    assert wait.mean()[:3].tolist() == [math.inf] * 3
    assert wait.within(1000)[:3].tolist() == [0, 0, 0]
    assert float(wait.mean()[3]) == pytest.approx(float(zone_waiting(chain, chances[3]).mean()), rel=1e-9)
    assert zone_waiting(chain, chances[:2]).quantile(0.5).tolist() == [math.inf] * 2


def test_a_signal_of_one_in_a_trillion_is_not_never() -> None:
    chances = np.zeros((1, 10))
    chances[:, 5], chances[:, 4], chances[:, 8] = 0.25, 0.75 - 1e-12, 1e-12
    assert float(zone_waiting(beyond_limits_chain(), chances).mean()) == pytest.approx(1e12, rel=1e-9)


def test_blocks_of_strata_are_strata_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    chances = points(6, 9, 2)
    whole = zone_waiting(MDC, chances)
    monkeypatch.setattr(module, "_BLOCK", 4)
    np.testing.assert_allclose(zone_waiting(MDC, chances).mean(), whole.mean(), rtol=1e-12)
    assert zone_waiting(MDC, np.empty((0, 2, 10))).mean().shape == (0,)


def test_chances_are_checked() -> None:
    with pytest.raises(OptionError, match="chances has shape"):
        zone_waiting(MDC, np.full((2, 9), 1 / 9))
    with pytest.raises(OptionError, match="sum to 1"):
        zone_waiting(MDC, np.full((2, 10), 0.2))


@pytest.mark.parametrize(("side", "found"), [("low", (1, 0)), ("high", (0, 1)), ("both", (1, 1))])
def test_which_side_is_which(side: Any, found: tuple[int, int]) -> None:
    """Three points below the lower limit, and three above the upper."""
    chances = np.zeros((2, 1, 10))
    chances[0, :, 0], chances[1, :, 8] = 1, 1
    for chain in (
        beyond_limits_chain(side=side),
        shift_chain(length=3, side=side),
        several_beyond_chain(points=2, window=3, sigmas=2, side=side),
    ):
        assert tuple(zone_waiting(chain, chances).within(3)) == found


def mirrored(chances: np.ndarray) -> np.ndarray:
    return np.concatenate([chances[..., 8::-1], chances[..., 9:]], axis=-1)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (beyond_limits_chain, {}),
        (shift_chain, {"length": 4}),
        (shift_chain, {"length": 4, "ties": "skip", "missing": "skip"}),
        *(
            (several_beyond_chain, {"points": 2, "window": 3, "sigmas": 2, "same_side": of})
            for of in ("all", "beyond", "any")
        ),
    ],
)
def test_one_side_signals_where_that_side_does(make: Any, options: dict[str, Any]) -> None:
    """Low and high are mirror images, and both together are at least as quick as either."""
    chances = points(8, 40, 3)
    low, high, both = (zone_waiting(make(**options, side=s), chances).mean() for s in ("low", "high", "both"))
    opposite = zone_waiting(make(**options, side="low"), mirrored(chances)).mean()
    np.testing.assert_allclose(opposite, high, rtol=1e-9)
    assert (both < np.minimum(low, high)).all()
    assert not np.allclose(low, high)
    if options.get("same_side") != "any":
        either = together(make(**options, side="low"), make(**options, side="high"))
        np.testing.assert_allclose(zone_waiting(either, chances).mean(), both, rtol=1e-9)
    with pytest.raises(OptionError, match="side='up' is not allowed"):
        make(**options, side="up")


def test_a_year_of_54_strata_is_fast() -> None:
    rng = np.random.default_rng(9)
    n, p = rng.integers(10, 300, (54, 36)).astype(float), rng.uniform(0.01, 0.2, (54, 1))
    sd = np.sqrt(p * (1 - p) / n)
    one, two, three = ((p - m * sd, p + m * sd) for m in (1, 2, 3))
    line = np.broadcast_to(p, n.shape)
    chances = zone_chances(Binomial(line, n, n), line, one_sigma=one, two_sigma=two, three_sigma=three)
    began = time.perf_counter()
    zone_waiting(WESTERN, chances)
    assert time.perf_counter() - began < 1
