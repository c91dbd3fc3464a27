"""Automata of zone tests: against plain definitions, all short series, and the tests that mark points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas import rule_tests, zone_chains, zone_tests
from qi_equity.formulas.zone_chains import ZONES, ZoneChain, chain_of, together, zone_false_signal
from qi_equity.formulas.zone_test_chains import (
    beyond_limits_chain,
    outside_chain,
    several_beyond_chain,
    shift_chain,
    within_chain,
)

NAN = math.nan
# A value in each zone of lines at -3 ... 3.
VALUES = np.array([-3.5, -2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 3.5, NAN])
EVERY_FIVE = np.array(list(itertools.product(range(10), repeat=5)))

Naive = Callable[[Sequence[float]], bool]


def signals(chain: ZoneChain, zones: np.ndarray) -> np.ndarray:
    """Whether the automaton signals somewhere in each series of zones (N, T)."""
    state, found = np.zeros(len(zones), dtype=int), np.zeros(len(zones), dtype=bool)
    for zone in zones.T:
        state = np.where(found, 0, chain.following[state, zone])
        found |= state < 0
        state = np.maximum(state, 0)
    return found


def windows(y: Sequence[float], size: int) -> list[Sequence[float]]:
    return [y[i : i + size] for i in range(len(y) - size + 1)]


def several(points: int, size: int, sigmas: float, same_side: str, most: float = math.inf) -> Naive:
    def one(part: Sequence[float]) -> bool:
        if any(math.isnan(y) for y in part):
            return False
        high, low = sum(sigmas < y <= most for y in part), sum(sigmas < -y <= most for y in part)
        if same_side == "any":
            return high + low >= points
        if same_side == "beyond":
            return max(high, low) >= points
        return (min(part) > 0 and high >= points) or (max(part) < 0 and low >= points)

    return lambda y: any(map(one, windows(y, size)))


def within(size: int) -> Naive:
    return lambda y: any(all(abs(v) <= 1 for v in part) for part in windows(y, size))


def outside(size: int, both: bool) -> Naive:
    def one(part: Sequence[float]) -> bool:
        return all(abs(v) > 1 for v in part) and (not both or min(part) < 0 < max(part))

    return lambda y: any(map(one, windows(y, size)))


def one_side(length: int, ties: str, missing: str) -> Naive:
    def all_series(y: Sequence[float]) -> bool:
        kept = [v for v in y if not (v == 0 and ties == "skip") and not (math.isnan(v) and missing == "skip")]
        return any(min(p) > 0 or max(p) < 0 for p in windows(kept, length) if not any(map(math.isnan, p)))

    return all_series


CHAINS = [
    ("beyond", beyond_limits_chain(), lambda y: any(abs(v) > 3 for v in y)),
    *(
        (
            f"shift-{ties}-{missing}",
            shift_chain(length=4, ties=ties, missing=missing),
            one_side(4, ties, missing),
        )
        for ties in ("break", "skip")
        for missing in ("break", "skip")
    ),
    *(
        (
            f"two-in-three-{side}-{counts}",
            several_beyond_chain(points=2, window=3, sigmas=2, same_side=side, beyond_three_counts=counts),
            several(2, 3, 2, side, math.inf if counts else 3),
        )
        for side in ("all", "beyond", "any")
        for counts in (True, False)
    ),
    *(
        (
            f"four-in-{window}-{side}",
            several_beyond_chain(points=4, window=window, sigmas=1, same_side=side),
            several(4, window, 1, side),
        )
        for side in ("all", "beyond", "any")
        for window in (4, 5)
    ),
    ("within", within_chain(length=4), within(4)),
    ("outside", outside_chain(length=4), outside(4, True)),
    ("outside-one-side", outside_chain(length=4, both_sides=False), outside(4, False)),
]
PARAMETERS = [pytest.param(chain, naive, id=name) for name, chain, naive in CHAINS]


@pytest.mark.parametrize(("chain", "naive"), PARAMETERS)
def test_each_test_on_every_series_of_five_points(chain: ZoneChain, naive: Naive) -> None:
    rng = np.random.default_rng(3)
    some = EVERY_FIVE[rng.permutation(len(EVERY_FIVE))[:20_000]]
    np.testing.assert_array_equal(signals(chain, some), [naive(y) for y in VALUES[some].tolist()])


@pytest.mark.parametrize(("chain", "naive"), PARAMETERS)
def test_each_test_on_longer_series(chain: ZoneChain, naive: Naive) -> None:
    zones = np.random.default_rng(4).choice(
        10, (4000, 12), p=[0.02, 0.03, 0.1, 0.3, 0.05, 0.3, 0.1, 0.04, 0.02, 0.04]
    )
    expected = [naive(y) for y in VALUES[zones].tolist()]
    np.testing.assert_array_equal(signals(chain, zones), expected)
    assert any(expected)
    assert not all(expected)


@pytest.mark.parametrize("ties", ["break", "skip"])
@pytest.mark.parametrize("missing", ["break", "skip"])
def test_shift_signals_where_the_rule_marks_points(ties: str, missing: str) -> None:
    zones = np.random.default_rng(5).choice(10, (5000, 30), p=[0, 0, 0, 0.44, 0.06, 0.44, 0, 0, 0, 0.06])
    low, high = rule_tests.shift(VALUES[zones], 0, length=7, ties=ties, missing=missing)
    chain = shift_chain(length=7, ties=ties, missing=missing)
    np.testing.assert_array_equal(signals(chain, zones), (low | high).any(axis=1))


@pytest.mark.parametrize("counts", [True, False])
def test_two_in_three_signals_where_the_rule_marks_points(counts: bool) -> None:
    low, high = zone_tests.two_in_three(VALUES[EVERY_FIVE], -2, 2, 0, -3, 3, beyond_three_counts=counts)
    chain = several_beyond_chain(points=2, window=3, sigmas=2, same_side="all", beyond_three_counts=counts)
    np.testing.assert_array_equal(signals(chain, EVERY_FIVE), (low | high).any(axis=1))


def test_together_signals_when_one_does() -> None:
    zones = np.random.default_rng(6).choice(10, (20_000, 25))
    parts = [
        shift_chain(length=5),
        several_beyond_chain(points=4, window=5, sigmas=1),
        outside_chain(length=4),
        within_chain(length=3),
    ]
    expected = np.any([signals(part, zones) for part in parts], axis=0)
    np.testing.assert_array_equal(signals(together(*parts), zones), expected)
    assert together(parts[0]).following is parts[0].following


def test_states_that_are_alike_are_one() -> None:
    """A test that is in another adds nothing; a run needs its length on either side, and the start."""
    assert len(together(shift_chain(length=6), shift_chain(length=9)).following) == 11
    assert len(chain_of(0, lambda n, level: (n + 1) % 6).following) == 1
    assert together(beyond_limits_chain(), beyond_limits_chain()).following.tolist() == [
        [-1, 0, 0, 0, 0, 0, 0, 0, -1, 0]
    ]


@pytest.mark.parametrize(("chain", "naive"), PARAMETERS)
def test_probability_by_listing_all_series(chain: ZoneChain, naive: Naive) -> None:
    """Four or five points, each with chances of its own; two strata at once."""
    rng = np.random.default_rng(7)
    chances = rng.dirichlet(np.full(10, 0.7), (2, 5))
    series = chances[:, np.arange(5), EVERY_FIVE].prod(axis=-1)
    expected = series[:, signals(chain, EVERY_FIVE)].sum(axis=1)
    np.testing.assert_allclose(zone_false_signal(chain, chances), expected, rtol=1e-10, atol=1e-15)


def test_a_tiny_probability_keeps_its_digits() -> None:
    chances = np.zeros((3, 10))
    chances[:, 4], chances[:, 8] = 1 - 1e-20, 1e-20
    assert float(zone_false_signal(beyond_limits_chain(), chances)) == pytest.approx(3e-20, rel=1e-12)


def test_strata_together_are_strata_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_chains, "_BLOCK", 4)
    chain = together(beyond_limits_chain(), shift_chain(length=3))
    chances = np.random.default_rng(8).dirichlet(np.ones(10), (3, 5, 9))
    found = zone_false_signal(chain, chances)
    for i, j in np.ndindex(3, 5):
        np.testing.assert_allclose(found[i, j], zone_false_signal(chain, chances[i, j]), rtol=1e-13)
    assert zone_false_signal(chain, np.empty((0, 9, 10))).shape == (0,)


def test_missing_points_never_signal() -> None:
    chances = np.zeros((40, 10))
    chances[:, ZONES.index("missing")] = 1
    chain = together(*(chain for _, chain, _ in CHAINS))
    assert zone_false_signal(chain, chances) == 0


def test_chances_are_checked() -> None:
    chain = beyond_limits_chain()
    with pytest.raises(OptionError, match=r"chances has shape \(2, 9\); give \(\.\.\., T, 10\)"):
        zone_false_signal(chain, np.full((2, 9), 1 / 9))
    with pytest.raises(OptionError, match=r"chances has shape \(10,\)"):
        zone_false_signal(chain, np.full(10, 0.1))
    for wrong in (np.full((2, 10), 0.2), np.full((2, 10), NAN), np.full((1, 10), [1.1, -0.1, *[0] * 8])):
        with pytest.raises(OptionError, match="does not hold probabilities that sum to 1"):
            zone_false_signal(chain, wrong)


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match=r"chains=\(\) is not allowed"):
        together()
    with pytest.raises(OptionError, match="length=1 is too small; give 2 or more"):
        shift_chain(length=1)
    with pytest.raises(InputTypeError, match="length"):
        within_chain(length=2.5)
    with pytest.raises(OptionError, match="ties='stop' is not allowed"):
        shift_chain(length=7, ties="stop")
    with pytest.raises(OptionError, match="missing='stop' is not allowed"):
        shift_chain(length=7, missing="stop")
    with pytest.raises(OptionError, match="sigmas=3 is not allowed"):
        several_beyond_chain(points=2, window=3, sigmas=3)
    with pytest.raises(OptionError, match="same_side='low' is not allowed"):
        several_beyond_chain(points=2, window=3, sigmas=2, same_side="low")
    with pytest.raises(OptionError, match="window=1 is too small; give 2 or more"):
        several_beyond_chain(points=2, window=1, sigmas=2)
    with pytest.raises(OptionError, match="length=0 is too small"):
        outside_chain(length=0)
