"""Simulated run lengths: against exact chains, the library's own flags on growing charts, published values.

Published values are those of simulations; exact ones of trends are from the ranks of the points, below.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

import qi_equity as qe
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas import rule_tests
from qi_equity.formulas.anhoej_waiting import anhoej_waiting
from qi_equity.formulas.distributions import Binomial, Distribution, Normal, Poisson
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.formulas.zone_waiting import zone_waiting
from qi_equity.planning import simulated
from qi_equity.planning.simulated import simulated_waiting
from qi_equity.spc.chance import chain_of_tests
from qi_equity.spc.flags import Phase, flag_phase, runs_signal
from qi_equity.spc.rules import (
    Alternating,
    BeyondLimits,
    Crossings,
    FourInFive,
    LongestRun,
    Outside,
    RunsCount,
    Shift,
    Test,
    Trend,
    TwoInThree,
    Within,
)
from qi_equity.spc.stable import WIDTHS, Stable

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SIDES: tuple[Side, ...] = ("both", "low", "high")
MAKING_DATA_COUNT = qe.rule_sets["making_data_count_2019"].tests


def normal(*means: float) -> Stable:
    """Strata with a sigma of 1 about lines of 0."""
    mean = np.array(means)[:, np.newaxis]
    zero, one = 0 * mean, np.ones(mean.shape)
    return Stable(Normal(mean, one), zero, {k: (zero - k, zero + k) for k in (1, 2, 3)})


def about(points: Distribution, line: Floats, sigma: Floats) -> Stable:
    return Stable(points, line, {k: (line - k * sigma, line + k * sigma) for k in (1, 2, 3)})


def proportions(*, moved: float = 1.0) -> Stable:
    """Three strata of few births, so that points tie and lie on the line; one point is missing."""
    births = np.array([[8.0, 12, 20, 10], [16, 16, 16, 16], [5, 40, 60, 7]])
    line = np.array([[0.25], [0.25], [0.2]]) * np.ones(4)
    sigma = np.sqrt(line * (1 - line) / births)
    process = about(Binomial(moved * line, births, births), line, sigma)
    return process.only(np.array([[True] * 4, [True] * 4, [True, False, True, True]]))


# What the library's own functions say of the same points, chart by chart.


def flagged(process: Stable, test: Test, y: Floats, side: Side) -> Bools:
    """Say which of the charts of these points (N, T) the library flags at the side, or without one."""
    line = np.broadcast_to(process.centre_line, y.shape)
    zones = {
        WIDTHS[k]: (np.broadcast_to(low, y.shape), np.broadcast_to(high, y.shape))
        for k, (low, high) in process.zones.items()
    }
    limits = Limits(line, np.nan * line, *zones[WIDTHS[3]])
    if isinstance(test, Crossings | RunsCount):
        return runs_signal(test, y, line)
    marks: tuple[Bools, ...]
    if isinstance(test, BeyondLimits):
        marks = rule_tests.beyond_limits(y, limits.lower, limits.upper)
    else:
        phase = Phase(y, rates(process.points, y), limits, zones.__getitem__, all_given, True)
        _, flags = flag_phase(phase, qe.RuleSet("these", "1", "test", (test,)))
        marks = flags[test.name]
    counts = [side == "both" or name in (side, "none") for name in test.sides]
    found: Bools = np.logical_or.reduce([m.any(axis=1) & on for m, on in zip(marks, counts, strict=True)])
    return found


def rates(points: Distribution, y: Floats) -> Floats:
    """Turn numbers of events into proportions, as np charts do to compare points."""
    if isinstance(points, Binomial) and (points.unit == 1).all():
        return y / points.births
    return y


def all_given(values: Floats, limits: Limits, rows: npt.NDArray[np.int64]) -> Any:
    return SimpleNamespace(given=np.ones((len(rows), 1), dtype=bool))


def naive(process: Stable, tests: tuple[Test, ...], side: Side, random: Floats) -> npt.NDArray[np.int64]:
    """Let the charts of each stratum grow point by point, and flag all of them anew each time."""
    most, charts = random.shape
    strata, cycle = process.centre_line.shape
    found = np.full((strata, charts), most + 1)
    for s in range(strata):
        one = process.take(np.array([s]))
        for t in range(most, 0, -1):
            grown = one.at(np.arange(t)[np.newaxis] % cycle)
            y = grown.points.quantile(random[:t].T[:, np.newaxis])[:, 0]
            y[:, np.isnan(grown.centre_line[0])] = np.nan
            for test in tests:
                found[s, flagged(grown, test, y, side)] = t
    return found


def uniform(points: int, charts: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).random((points, charts))


@pytest.mark.parametrize("name", list(qe.rule_sets))
def test_charts_signal_when_the_flags_of_the_library_first_do(name: str) -> None:
    # Boxes take long to find, anew for each chart.
    process, random, tests = proportions(), uniform(22 if "box" in name else 36, 10), qe.rule_sets[name].tests
    expected = naive(process, tests, "both", random)
    np.testing.assert_array_equal(simulated._times(process, tests, "both", random), expected)


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize("name", ["making_data_count", "ihi", "anhoej+shewhart"])
def test_charts_signal_when_the_flags_of_a_side_first_do(name: str, side: Side) -> None:
    process, random, tests = proportions(), uniform(36, 20), qe.rule_sets[name].tests
    got = simulated._times(process, tests, side, random)
    np.testing.assert_array_equal(got, naive(process, tests, side, random))
    assert (got != simulated._times(process, tests, "both", random)).any()


@pytest.mark.parametrize("test", [LongestRun("cut_box"), RunsCount(), RunsCount("perla")])
def test_limits_by_crossings_and_of_too_many_runs_are_those_of_the_flags(test: Test) -> None:
    process, random = normal(0), uniform(30, 400)
    got = simulated._times(process, (test,), "both", random)
    np.testing.assert_array_equal(got, naive(process, (test,), "both", random))


TIES = st.sampled_from(["break", "skip"])
METHODS = st.sampled_from(["anhoej", "best_box", "cut_box"])
ONE = st.one_of(
    st.builds(BeyondLimits),
    st.builds(Shift, st.integers(2, 8), TIES, TIES),
    st.builds(Trend, st.integers(3, 7), TIES),
    st.builds(Alternating, st.integers(4, 8)),
    st.builds(TwoInThree, st.booleans(), st.sampled_from(["all", "beyond", "any"])),
    st.builds(FourInFive),
    st.builds(Within, st.integers(5, 15)),
    st.builds(Outside, st.integers(4, 8)),
    st.builds(LongestRun, METHODS),
    st.builds(Crossings, METHODS),
    st.builds(RunsCount, st.sampled_from(["exact", "perla"])),
)


@settings(max_examples=20, deadline=None)
@given(
    tests=st.lists(ONE, min_size=1, max_size=2).map(tuple),
    side=st.sampled_from(SIDES),
    moved=st.sampled_from([1.0, 0.5, 1.5]),
    seed=st.integers(0, 1000),
)
@example(tests=(TwoInThree(beyond_three_counts=False, same_side="any"),), side="low", moved=0.5, seed=41)
def test_any_tests_signal_when_the_flags_do(
    tests: tuple[Test, ...], side: Side, moved: float, seed: int
) -> None:
    process, random = proportions(moved=moved), uniform(18, 8, seed)
    got = simulated._times(process, tests, side, random)
    np.testing.assert_array_equal(got, naive(process, tests, side, random))


@pytest.mark.parametrize(
    "tests", [(Trend(5, "skip"),), (Trend(4), LongestRun()), (Alternating(5), RunsCount()), (Crossings(),)]
)
def test_counts_of_births_are_compared_as_rates(tests: tuple[Test, ...]) -> None:
    births = np.array([[8.0, 12, 20, 30]])
    line = 0.25 * births
    counts = about(Binomial(0.25 + 0 * line, births, np.ones((1, 4))), line, np.sqrt(0.75 * line))
    random = uniform(40, 20)
    got = simulated._times(counts, tests, "both", random)
    np.testing.assert_array_equal(got, naive(counts, tests, "both", random))
    # On its own line the proportion of the same births is the same chart.
    rates = about(Binomial(0.25 + 0 * line, births, births), line / births, np.sqrt(0.75 * line) / births)
    np.testing.assert_array_equal(got, simulated._times(rates, tests, "both", random))


@pytest.mark.parametrize("given_zones", [(), (3,), (1, 2), (1, 2, 3)])
def test_points_lie_in_the_zones_that_have_their_chances(given_zones: tuple[int, ...]) -> None:
    # Limits on a count, without a lower one, none at all, and on the other side of the line.
    line = np.array([[4.0], [4.5], [np.nan], [3.0]])
    low = {1: [3, 2.5, 3, 5.0], 2: [1, np.nan, 2, 1], 3: [0, np.nan, 1, -1]}
    high = {1: [5, 6, 4, 2.0], 2: [7, np.nan, 5, 6], 3: [9, 12, 6, np.nan]}
    zones = {k: (np.array(low[k])[:, np.newaxis], np.array(high[k])[:, np.newaxis]) for k in given_zones}
    process = Stable(Poisson(np.full((4, 1), 4.0), np.ones((4, 1))), line, zones)
    counts = np.where(np.isnan(line), np.nan, np.arange(60.0))
    found = simulated._zones(process, counts)
    chance = stats.poisson.pmf(np.arange(60), 4)
    expected = [[chance[row == zone].sum() for zone in range(10)] for row in found]
    np.testing.assert_allclose(process.zone_chances()[:, 0], expected, rtol=1e-9, atol=1e-12)


# Exact run lengths.


def within_errors(got: Floats, expected: Any, error: Floats, *, errors: float = 5.0) -> None:
    got, expected, error = np.broadcast_arrays(got, expected, error)
    known = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(got), known)
    far = np.abs(got[known] - expected[known]) > errors * error[known]
    assert not far.any(), (got, expected, error)


def share_error(expected: Floats, charts: int = 2000) -> Floats:
    """Binomial standard error, never 0."""
    p = np.clip(expected, 1 / charts, 1 - 1 / charts)
    return np.sqrt(p * (1 - p) / charts)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", ["shewhart", "western_electric", "zones"])
def test_tests_of_zones_run_as_long_as_their_exact_chain(name: str, side: Side) -> None:
    wanted = (BeyondLimits(), Shift(7, "skip"), TwoInThree(), Within(12), Outside(7))
    tests = wanted if name == "zones" else qe.rule_sets[name].tests
    # Of so few births two strata have no lower limit.
    process = proportions(moved=0.7 if side == "low" else 1.3)
    exact = zone_waiting(chain_of_tests(tests, side), process.zone_chances())
    got, error = simulated_waiting(process, tests, side)
    within_errors(got.mean(), exact.mean(), error)
    for points in (6, 12, 40):
        expected = exact.within(points)
        within_errors(got.within(points), expected, share_error(expected))


def test_long_run_lengths_are_carried_on_from_the_last_points() -> None:
    # Half of the charts are still quiet at the last point.
    got, error = simulated_waiting(normal(0, 0.2), (BeyondLimits(),), "high", most=520)
    exact = zone_waiting(chain_of_tests((BeyondLimits(),), "high"), normal(0, 0.2).zone_chances())
    within_errors(got.mean(), exact.mean(), error)
    assert (got.survival[:, -1] > 0.1).all()
    assert (error > 0.01 * exact.mean()).all()
    expected = exact.within(1500)
    within_errors(got.within(1500), expected, 2 * share_error(expected))


def test_error_is_how_far_means_of_other_random_numbers_lie_apart() -> None:
    for tests, most in (((Trend(4),), 2400), ((BeyondLimits(),), 200)):
        runs = [simulated_waiting(normal(0), tests, charts=100, most=most, seed=i) for i in range(80)]
        means, errors = (np.concatenate(a) for a in zip(*((w.mean(), e) for w, e in runs), strict=True))
        assert 0.7 < means.std() / np.median(errors) < 1.4


@pytest.mark.parametrize("limits", [(), (BeyondLimits(),)])
def test_anhoejs_tests_run_as_long_as_their_exact_recursion(limits: tuple[Test, ...]) -> None:
    process, most = normal(0, 0.5, 1), 60
    zones = process.zone_chances()
    if not limits:
        zones[..., [3, 5]] += zones[..., [0, 8]]
        zones[..., [0, 8]] = 0
    low, high = (np.repeat(zones[..., a:b].sum(axis=-1), most, axis=1) for a, b in ((1, 4), (5, 8)))
    exact = anhoej_waiting(low, high)
    got, _ = simulated_waiting(process, (LongestRun(), Crossings(), *limits), most=most)
    within_errors(got.survival, exact.survival, share_error(exact.survival))


def trend_survival(length: int, most: int, ways: tuple[int, ...] = (-1, 1)) -> Floats:
    """Chance of no trend in 0 to so many points of any continuous distribution.

    By the rank of the last point: of m + 1 points it has each with the same chance, whatever the order of
    those before it.
    """
    found = [1.0, 1.0]
    state = {(0, 0): np.ones(1)}
    for m in range(1, most):
        after: dict[tuple[int, int], Floats] = {}
        for (way, steps), of in state.items():
            below = np.concatenate([[0.0], of.cumsum()]) / (m + 1)
            for new, chance in ((1, below), (-1, of.sum() / (m + 1) - below)):
                row = steps + 1 if new == way else 1
                row = min(row, length - 2) if new not in ways else row
                if row < length - 1:
                    after[new, row] = after.get((new, row), np.zeros(m + 1)) + chance
        state = after
        found.append(float(sum(of.sum() for of in state.values())))
    return np.array(found)


def trend_mean(length: int, **options: Any) -> float:
    survival = trend_survival(length, 100, **options)
    return float(survival[:-1].sum() + survival[-1] / (1 - survival[-1] / survival[-2]))


def test_ranks_count_the_orders_without_a_trend() -> None:
    # Of 24 orders of four points 10 go up and down by turns; E(n) orders of n points begin upwards, and
    # the sum of E(n) / n! is sec 1 + tan 1 (Andre 1881).
    assert trend_survival(3, 4)[-1] == pytest.approx(10 / 24)
    assert trend_survival(3, 3, (1,))[-1] == pytest.approx(5 / 6)
    assert trend_mean(3) == pytest.approx(2 * (1 / np.cos(1) + np.tan(1)) - 2, rel=1e-9)


@pytest.mark.parametrize("length", [4, 5, 7])
def test_trends_run_as_long_at_every_shift(length: int) -> None:
    got, error = simulated_waiting(normal(0, 1, 3), (Trend(length),))
    within_errors(got.mean(), trend_mean(length), error)
    # Steps do not depend on the line, and the strata are drawn with the same random numbers.
    assert np.ptp(got.mean()) == 0
    expected = 1 - trend_survival(length, 60)
    within_errors(got.within(np.arange(61)[:, np.newaxis])[:, 0], expected, share_error(expected))
    one, error = simulated_waiting(normal(0), (Trend(length),), "low")
    within_errors(one.mean(), trend_mean(length, ways=(-1,)), error)


# Published (simulated) values: research notes on Making Data Count and on run charts, with known limits.


def test_making_data_count_signals_as_often_as_published() -> None:
    got, error = simulated_waiting(normal(0, 1), MAKING_DATA_COUNT)
    within_errors(got.mean(), [85, 10.6], error)
    for points, expected in ((12, [0.098, 0.71]), (24, [0.224, np.nan])):
        known = ~np.isnan(expected)
        share = np.array(expected)[known]
        within_errors(got.within(points)[known], share, share_error(share))
    # A test more can only make it shorter than its zone part alone: 83.16 and 10.29, exact.
    assert (got.mean() - 5 * error < [83.16, 10.29]).all()


def test_run_charts_signal_as_often_as_published() -> None:
    got, error = simulated_waiting(normal(0), (Trend(5),))
    within_errors(got.mean(), 73, error)
    got, error = simulated_waiting(normal(0), (Shift(6), Trend(5)))
    within_errors(got.mean(), 37, error)
    within_errors(got.within(24), 0.46, share_error(np.array(0.46)))


# How it is done.


def test_no_stratum_depends_on_what_others_are_there() -> None:
    process = proportions()
    for tests in (MAKING_DATA_COUNT, qe.rule_sets["ihi"].tests):
        all_three, error = simulated_waiting(process, tests, charts=300)
        for rows in ([0], [2, 0], [1, 1, 2]):
            some, its = simulated_waiting(process.take(np.array(rows)), tests, charts=300)
            np.testing.assert_array_equal(some.survival, all_three.survival[rows])
            np.testing.assert_array_equal(some.hazard, all_three.hazard[rows])
            np.testing.assert_array_equal(its, error[rows])
    other, _ = simulated_waiting(process, MAKING_DATA_COUNT, charts=300, seed=5)
    again, _ = simulated_waiting(process, MAKING_DATA_COUNT, charts=300, seed=5)
    default, _ = simulated_waiting(process, MAKING_DATA_COUNT, charts=300)
    np.testing.assert_array_equal(other.survival, again.survival)
    assert (other.survival != default.survival).any()


def test_blocks_of_points_and_strata_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    process, tests = proportions(), (*MAKING_DATA_COUNT, Alternating(6), Crossings())
    whole, error = simulated_waiting(process, tests, charts=60, most=120)
    for at_once in (1, 500, 10_000):
        monkeypatch.setattr(simulated, "_AT_ONCE", at_once)
        parts, its = simulated_waiting(process, tests, charts=60, most=120)
        np.testing.assert_array_equal(parts.survival, whole.survival)
        np.testing.assert_array_equal(its, error)


def test_a_missing_point_takes_its_time() -> None:
    process = normal(0.5).at(np.zeros((1, 2), dtype=np.int64))
    half, error = simulated_waiting(process.only(np.array([[True, False]])), (Shift(3, missing="skip"),))
    whole = zone_waiting(chain_of_tests((Shift(3),)), normal(0.5).zone_chances())
    within_errors(half.mean(), 2 * whole.mean() - 1, error)


def test_what_cannot_signal_never_does() -> None:
    nothing = proportions().only(np.zeros((3, 4), dtype=bool))
    for process, tests in (
        (nothing, MAKING_DATA_COUNT),
        (proportions(), ()),
        (Stable(Poisson(np.ones((1, 1)), np.ones((1, 1))), np.ones((1, 1)), {}), (BeyondLimits(),)),
    ):
        got, error = simulated_waiting(process, tests, charts=20, most=50)
        assert np.isinf([got.mean(), error]).all()
        assert (got.within(1000) == 0).all()


def test_charts_that_all_signal_need_no_last_stretch() -> None:
    got, error = simulated_waiting(normal(9), (BeyondLimits(),), charts=50, most=30)
    assert (got.mean().tolist(), error.tolist()) == ([1.0], [0.0])
    assert (got.within(1).tolist(), got.quantile(0.95).tolist()) == ([1.0], [1.0])


def test_no_strata() -> None:
    got, error = simulated_waiting(normal(0).take(np.zeros(0, dtype=np.int64)), MAKING_DATA_COUNT)
    assert got.mean().shape == error.shape == (0,)


def test_limits_that_take_long_to_find_end_the_series() -> None:
    for tests, last in (
        ((LongestRun("best_box"),), 100),
        ((Crossings("best_box"), BeyondLimits()), 100),
        ((RunsCount(),), 200),
        ((RunsCount("perla"), Trend()), 300),
        ((LongestRun(), Trend()), 300),
    ):
        got, _ = simulated_waiting(normal(0), tests, charts=20, most=300)
        assert got.survival.shape == (1, last + 1)


def test_bad_arguments_name_themselves() -> None:
    with pytest.raises(OptionError, match="side='left'"):
        simulated_waiting(normal(0), MAKING_DATA_COUNT, "left")
    with pytest.raises(OptionError, match="charts=1"):
        simulated_waiting(normal(0), MAKING_DATA_COUNT, charts=1)
    with pytest.raises(OptionError, match="most=0"):
        simulated_waiting(normal(0), MAKING_DATA_COUNT, most=0)
    with pytest.raises(InputTypeError, match="most"):
        simulated_waiting(normal(0), MAKING_DATA_COUNT, most=1.5)
