"""What holds for every test of patterns and zones, and for the limits of runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity.formulas import rule_tests, zone_tests
from qi_equity.formulas.boxes import find_box
from qi_equity.formulas.runs_distribution import joint_distribution, runs_count_limits
from qi_equity.spc.rules import Alternating, FourInFive, Outside, Test, Trend, TwoInThree, Within

values = st.lists(
    st.one_of(st.just(math.nan), st.integers(-14, 14).map(lambda k: k / 4)), min_size=1, max_size=30
).map(np.array)


def marks(y: np.ndarray, rule: str, unit: float = 1.0, by: Any = 0.0) -> np.ndarray:
    """Low and high, or twice the marks of a test without sides; zones in a unit, about a line."""
    one = y, by - unit, by + unit
    two = y, by - 2 * unit, by + 2 * unit, by, by - 3 * unit, by + 3 * unit
    match rule:
        case "two_in_three":
            found = zone_tests.two_in_three(*two)
        case "two_in_three beyond":
            found = zone_tests.two_in_three(*two, same_side="beyond", beyond_three_counts=False)
        case "two_in_three any":
            found = zone_tests.two_in_three(*two, same_side="any")
        case "four_in_five":
            found = zone_tests.four_in_five(*one, by)
        case "alternating":
            found = (rule_tests.alternating(y, length=5),) * 2
        case "within":
            found = (zone_tests.within(*one, length=4),) * 2
        case _:
            found = (zone_tests.outside(*one, length=3),) * 2
    return np.stack(found)


RULES = (
    "two_in_three",
    "two_in_three beyond",
    "two_in_three any",
    "four_in_five",
    "alternating",
    "within",
    "outside",
)
every_rule = pytest.mark.parametrize("rule", RULES)


@given(y=values)
@every_rule
def test_upside_down_swaps_low_and_high(y: np.ndarray, rule: str) -> None:
    np.testing.assert_array_equal(marks(-y, rule), marks(y, rule)[::-1])


@given(y=values, unit=st.sampled_from([0.25, 8.0]), by=st.integers(-5, 5))
@every_rule
def test_another_unit_and_origin_change_nothing(y: np.ndarray, unit: float, by: int, rule: str) -> None:
    np.testing.assert_array_equal(marks(y * unit + by, rule, unit, float(by)), marks(y, rule))


@given(y=values, n=st.integers(1, 3))
@every_rule
def test_months_without_data_at_either_end_change_no_flag(y: np.ndarray, n: int, rule: str) -> None:
    gap = np.full(n, math.nan)
    for longer, here in ((np.r_[y, gap], slice(0, len(y))), (np.r_[gap, y], slice(n, None))):
        found = marks(longer, rule)
        np.testing.assert_array_equal(found[:, here], marks(y, rule))
        assert not found[:, np.isnan(longer)].any()


@given(one=values, other=values)
@every_rule
def test_no_pattern_crosses_a_missing_month(one: np.ndarray, other: np.ndarray, rule: str) -> None:
    found = marks(np.r_[one, math.nan, other], rule)
    apart = np.hstack([marks(one, rule), np.zeros((2, 1), dtype=bool), marks(other, rule)])
    np.testing.assert_array_equal(found, apart)


@given(data=st.lists(values, min_size=2, max_size=4))
@every_rule
def test_strata_together_equal_strata_alone(data: list[np.ndarray], rule: str) -> None:
    length = max(map(len, data))
    table = np.stack([np.r_[y, np.full(length - len(y), math.nan)] for y in data])
    together = marks(table, rule, by=np.zeros((len(data), 1)))
    for i, y in enumerate(table):
        np.testing.assert_array_equal(together[:, i], marks(y, rule))


@given(y=values)
@every_rule
def test_reversed_in_time_the_same_points_are_marked(y: np.ndarray, rule: str) -> None:
    np.testing.assert_array_equal(marks(y[::-1], rule), marks(y, rule)[:, ::-1])


@given(n=st.integers(1, 60), chance=st.floats(0, 1))
def test_the_joint_distribution_is_one_and_mirrors(n: int, chance: float) -> None:
    found = joint_distribution(n, range(n + 1), chance)
    np.testing.assert_allclose(found[:, -1].sum(), 1, rtol=1e-12)
    np.testing.assert_allclose(found, joint_distribution(n, range(n + 1), 1 - chance), rtol=1e-6, atol=1e-14)
    assert (np.diff(found, axis=1) >= -1e-14).all()


@given(n=st.integers(10, 120))
def test_boxes_hold_their_specificity_and_cutting_uses_it_up(n: int) -> None:
    box, cut = find_box(n), find_box(n, cut=True)
    assert (box.longest_max, box.crossings_min) == (cut.longest_max, cut.crossings_min)
    lengths = [cut.longest_max, cut.longest_max - 1, cut.longest_at_corner]
    inside = joint_distribution(n, lengths)
    whole = inside[box.crossings_min :, 0].sum()
    assert whole >= 0.925
    if cut == box:
        return
    kept = (
        inside[cut.crossings_at_corner :, 0].sum()
        + inside[cut.crossings_min + 1 : cut.crossings_at_corner, 1].sum()
        + inside[cut.crossings_min, 2]
    )
    assert 0.925 <= kept < whole


@given(above=st.integers(0, 30), below=st.integers(0, 30), tail=st.sampled_from([0.01, 0.025, 0.05]))
def test_limits_of_runs_do_not_depend_on_which_side_is_which(above: int, below: int, tail: float) -> None:
    fewest, most = runs_count_limits(above, below, tail=tail)
    assert (fewest, most) == runs_count_limits(below, above, tail=tail)
    assert 0 <= fewest <= most <= above + below


Points = dict[int, tuple[float, ...]]
"""Points of a phase that are tested: value, centre line, and limits at one, two and three sigma, by place."""

# About a line of 0 with a sigma of 1.77: beyond one, two and three sigma.
STEADY = [-1.0, 1.0] * 6
LEVELS = st.sampled_from([-6.0, -4, -4, -2, -1, 0, 1, 2, 4, 4, 6, math.nan])
LOW, NONE, HIGH = -1, 0, 1


def chained(patterns: list[tuple[range, dict[int, int]]]) -> Iterator[tuple[int, int, int, int]]:
    """First and last point, number and side of each chain of windows that share points."""
    chains: list[tuple[set[int], dict[int, int]]] = []
    for places, sides in patterns:
        together = (set(places), dict(sides))
        for chain in [c for c in chains if c[0] & together[0]]:
            chains.remove(chain)
            together = (together[0] | chain[0], together[1] | chain[1])
        chains.append(together)
    for _, sides in chains:
        for side in set(sides.values()):
            own = [i for i in sides if sides[i] == side]
            yield min(own), max(own), len(own), side


def windows(test: Test, points: Points, *wanted: int) -> list[tuple[range, dict[int, int]]]:
    """Windows that qualify on a side wanted, with the points that count in each and their sides."""
    size = 3 if isinstance(test, TwoInThree) else test.window if isinstance(test, FourInFive) else test.length
    found = []
    for start in points:
        places = range(start, start + size)
        if not all(i in points for i in places):
            continue
        side = {i: np.sign(points[i][0] - points[i][1]) for i in places}
        near = 3 if isinstance(test, TwoInThree) else 2
        beyond = {i: LOW if points[i][0] < points[i][near] else HIGH for i in places}
        beyond = {i: s for i, s in beyond.items() if s == LOW or points[i][0] > points[i][near + 2]}
        if isinstance(test, Outside):
            if len(beyond) == size and len(set(beyond.values())) == 2:
                found.append((places, dict.fromkeys(places, NONE)))
            continue
        need = 2 if isinstance(test, TwoInThree) else 4
        if test.same_side == "any":
            found += [(places, beyond)] if len(beyond) >= need else []
            continue
        for one in wanted:
            own = {i: s for i, s in beyond.items() if s == one}
            fits = test.same_side == "beyond" or set(side.values()) == {one}
            found += [(places, own)] if len(own) >= need and fits else []
    return found


def stretches(test: Test, points: Points) -> Iterator[tuple[int, int, int, int]]:
    """Longest stretches of points that rise, fall, alternate or stay within, if long enough."""
    last = max(points, default=-1)

    def good(first: int, end: int, way: int) -> bool:
        span = range(first, end + 1)
        y = [points[i][0] if i in points else math.nan for i in span]
        steps = np.sign(np.diff(y))
        if isinstance(test, Within):
            inside = (low <= v <= high and low < high for v, _, low, _, high, _ in map(points.get, span))
            return all(i in points for i in span) and all(inside)
        if isinstance(test, Alternating):
            return bool((np.abs(steps) == 1).all() and (steps[1:] == -steps[:-1]).all())
        return bool((steps == way).all())

    for way in (LOW, HIGH) if isinstance(test, Trend) else (NONE,):
        fine = [(a, b) for a in points for b in range(a + test.length - 1, last + 1) if good(a, b, way)]
        for a, b in fine:
            if (a - 1, b) not in fine and (a, b + 1) not in fine:
                yield a, b, b - a + 1, way


@pytest.mark.parametrize(
    "test",
    [
        *(TwoInThree(same_side=side) for side in ("all", "beyond", "any")),
        *(FourInFive(window, side) for window in (4, 5) for side in ("all", "beyond", "any")),
        *(Outside(length) for length in (2, 3, 4)),
        Within(3),
        Trend(3),
        Alternating(4),
    ],
    ids=repr,
)
@settings(max_examples=60)
@given(data=st.data())
def test_signals_are_the_patterns_that_a_search_by_hand_finds(test: Test, data: st.DataObject) -> None:
    first, second = (data.draw(st.lists(LEVELS, max_size=14)) for _ in range(2))
    y = [*STEADY, *first, *STEADY, *second]
    months = pd.date_range("2022-01-01", periods=len(y), freq="MS")
    cut = months[len(STEADY) + len(first)].strftime("%Y-%m")
    frame = pd.DataFrame({"month": months, "y": y})
    series = qe.from_counts(frame, qe.Measure("Test", "mean", None), period="month", value="y")
    rules = qe.RuleSet("one", "1", "test", (test,))
    chart = qe.control_chart(series, "i", rules=rules, phases=cut, baseline=len(STEADY))

    line, sigma = chart.centre_line[0], chart.sigma[0]
    table = np.stack(
        [frame["y"], line, line - sigma, chart.lower_2s[0], line + sigma, chart.upper_2s[0]], axis=1
    )
    wanted = []
    for phase in set(chart.timeline.phase[0]):
        places = np.flatnonzero((chart.timeline.phase[0] == phase) & frame["y"].notna())
        points = {int(i): tuple(table[i]) for i in places}
        if isinstance(test, Outside | TwoInThree | FourInFive):
            apart = not isinstance(test, Outside) and test.same_side != "any"
            for sides in ((LOW,), (HIGH,)) if apart else ((),):
                wanted += [(phase + 1, *row) for row in chained(windows(test, points, *sides))]
        else:
            wanted += [(phase + 1, *row) for row in stretches(test, points)]
    found = chart.signals
    side = found["side"].map({"low": LOW, "high": HIGH}).astype(float).fillna(NONE).astype(int)
    start, end = (months.get_indexer(found[name]) for name in ("start", "end"))
    assert sorted(zip(found["phase"], start, end, found["n_points"], side, strict=True)) == sorted(wanted)
