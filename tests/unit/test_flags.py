"""What ends the pattern of each test: ties, missing months, excluded points, phase boundaries."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import qi_equity as qe
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.runs_distribution import perla_limits, runs_count_limits
from qi_equity.spc.flags import Phase, flag_phase, runs_signal
from qi_equity.spc.rules import (
    Alternating,
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

Make = Callable[..., qe.StratifiedSeries]
NAN = float("nan")


def phase(values: Any, *, given: bool = True, patterns: bool = True) -> Phase:
    """Points about a line of 0 with a sigma of 1."""
    y = np.atleast_2d(np.asarray(values, dtype=float))
    full = np.full(y.shape, 1.0)

    def runs(values: np.ndarray, limits: Limits, rows: np.ndarray) -> Any:
        return SimpleNamespace(given=np.full((len(rows), 1), given))

    return Phase(
        y,
        y,
        Limits(0 * full, full, -3 * full, 3 * full),
        lambda width: (-width.nsigma * full, width.nsigma * full),
        runs,
        patterns,
    )


def marked(test: Test, values: Any, **options: bool) -> np.ndarray:
    """Points that a test marks on any side, shape (T,)."""
    _, found = flag_phase(phase(values, **options), qe.RuleSet("these", "1", "test", (test,)))
    return np.logical_or.reduce(found[test.name])[0]


PATTERNS = [
    (Shift(6), [1.0] * 6, 0.0),
    (Trend(6), [-2, -1, -0.5, 1, 2, 2.5], -0.5),
    (TwoInThree(), [2.5, 2.5], 0.0),
    (TwoInThree(same_side="beyond"), [2.5, 2.5], None),
    (TwoInThree(same_side="any"), [2.5, -2.5], None),
    (FourInFive(), [1.5] * 4, None),
    (FourInFive(window=4), [1.5] * 4, 0.0),
    (Alternating(6), [0.1, -0.1] * 3, 0.1),
    (Within(6), [0.5] * 6, None),
    (Outside(6), [1.5, 1.5, 1.5, -1.5, -1.5, -1.5], 0.0),
]
NAMES = [f"{t.name}-{getattr(t, 'same_side', '')}{getattr(t, 'window', '')}" for t, *_ in PATTERNS]


def inserted(pattern: list[float], value: float) -> np.ndarray:
    """Put a point into the middle of a pattern; points before and after belong to no pattern."""
    half = len(pattern) // 2 + len(pattern) % 2
    return np.array([*pattern[:half], value, *pattern[half:]])


@pytest.mark.parametrize(("test", "pattern", "tie"), PATTERNS, ids=NAMES)
def test_a_missing_point_ends_every_pattern(test: Test, pattern: list[float], tie: float | None) -> None:
    # Two of three, and four of five, take one more point than lie beyond.
    window = len(pattern) + (test.name == "two_in_three") + (test == FourInFive())
    alone = np.array([*pattern, *[0.01] * (window - len(pattern))])
    assert marked(test, alone)[: len(pattern)].all()
    assert not marked(test, [*inserted(pattern, NAN), 0.01]).any()


@pytest.mark.parametrize(("test", "pattern", "tie"), PATTERNS, ids=NAMES)
def test_a_tie_ends_the_patterns_that_say_so(test: Test, pattern: list[float], tie: float | None) -> None:
    """On the centre line, or (trends and alternation) equal to the point before."""
    value = 0.0 if tie is None else tie
    found = marked(test, inserted(pattern, value))
    assert found.any() == (tie is None)


def test_shift_and_trend_pass_over_ties_when_told() -> None:
    y = inserted([1.0] * 6, 0.0)
    assert marked(Shift(6, ties="skip"), y).tolist() == [True] * 3 + [False] + [True] * 3
    assert marked(Shift(6, missing="skip"), inserted([1.0] * 6, NAN)).sum() == 6
    assert marked(Trend(6, ties="skip"), inserted([-2, -1, -0.5, 1, 2, 2.5], -0.5)).all()


@pytest.mark.parametrize("test", [LongestRun(), Crossings(), RunsCount(), RunsCount("perla")])
@pytest.mark.parametrize("value", [0.0, NAN])
def test_runs_are_counted_past_ties_and_missing_points(test: Test, value: float) -> None:
    y = [1.0] * 6 + [value] + [1.0] * 6 + [value] + [-1.0] * 12
    kept = [v for v in y if v * v > 0]
    rules = qe.RuleSet("these", "1", "test", (test,))
    odd, found = flag_phase(phase(y), rules)
    alone, found_alone = flag_phase(phase(kept), rules)
    assert odd.tolist() == alone.tolist() == [not test.sides]
    if test.sides:
        high = found[test.name][1][0]
        np.testing.assert_array_equal(high[[v * v > 0 for v in y]], found_alone[test.name][1][0])
        assert high.sum() == 12


def test_too_few_and_too_many_runs_by_both_tables() -> None:
    rng = np.random.default_rng(3)
    y = rng.choice([-1.0, 1.0], (300, 24))
    y[::3] = np.sort(y[::3], axis=1)
    y[1::3] = np.tile([-1.0, 1.0], 12)
    y[rng.random(y.shape) < 0.1] = 0
    exact, table = (runs_signal(RunsCount(t), y, np.zeros((300, 1))) for t in ("exact", "perla"))
    seen = set()
    for i, row in enumerate(y):
        useful = row[row != 0]
        runs = 1 + int((np.diff(useful) != 0).sum())
        few, most = runs_count_limits(int((useful > 0).sum()), int((useful < 0).sum()))
        assert exact[i] == (runs < few or runs > most)
        few, most = perla_limits(len(useful))
        assert table[i] == (runs < few or runs > most)
        seen.add((bool(exact[i]), runs < few, runs > most))
    assert {(True, True, False), (True, False, True), (False, False, False)} <= seen


def test_a_phase_without_useful_points_does_not_signal() -> None:
    y = np.array([[0.0, NAN, 0.0]])
    for test in (LongestRun(), Crossings(), Crossings("cut_box"), RunsCount(), RunsCount("perla")):
        assert not runs_signal(test, y, np.zeros((1, 1))).any()


@pytest.mark.parametrize("method", ["anhoej", "best_box", "cut_box"])
def test_boxes_reach_the_flags(method: Any) -> None:
    """24 points with a run of 8 and many crossings: too long for a box (7), not for Anhøj (8)."""
    y = [1.0] * 8 + [-1.0, 1.0] * 8
    rules = qe.RuleSet("these", "1", "test", (LongestRun(method), Crossings(method)))
    odd, found = flag_phase(phase(y), rules)
    assert found["longest_run"][1].any() == (method != "anhoej")
    assert not odd.any()


def test_withheld_runs_tests_mark_nothing() -> None:
    y = [1.0] * 12 + [-1.0] * 12
    tests = (LongestRun(), Crossings(), Shift(6), RunsCount(), Trend(6))
    rules = qe.RuleSet("these", "1", "test", tests)
    odd, found = flag_phase(phase(y), rules)
    assert odd.all()
    assert all(np.any(found[name]) for name in ("longest_run", "shift"))
    odd, found = flag_phase(phase(y, given=False), rules)
    assert not odd.any()
    assert not any(np.any(marks) for marks in found.values())


@pytest.mark.parametrize(("test", "pattern", "tie"), PATTERNS, ids=NAMES)
def test_patterns_are_not_sought_where_neighbours_are_alike(
    test: Test, pattern: list[float], tie: float | None
) -> None:
    _, found = flag_phase(phase(pattern, patterns=False), qe.RuleSet("these", "1", "test", (test,)))
    assert test.is_runs_test == (test.name in found)


def series_values(seed: int = 4) -> np.ndarray:
    """Events out of 4000 with drifts, jumps and quiet stretches, so that most tests find something."""
    rng = np.random.default_rng(seed)
    y = rng.normal(1200, 29, (12, 48))
    y[:3] += np.repeat(rng.normal(0, 40, (3, 6)), 8, axis=1)
    y[3:5] += np.linspace(-60, 60, 48)
    y[5:7] = 1200 + (y[5:7] - 1200) / 6
    y[7:9] = 1200 + np.where(rng.random((2, 48)) < 0.5, -1, 1) * (45 + np.abs(y[7:9] - 1200))
    y[9:10] += np.where(np.arange(48) % 2, 30, -30)
    return y.round()


def charted(make_series: Make, values: Any, name: str, **options: Any) -> qe.ControlChart:
    series = make_series(values, 4000)
    if name == "ihi":
        return qe.run_chart(series, rules=name, **options)
    return qe.control_chart(series, qe.P(limits="classical"), rules=name, **options)


@pytest.mark.parametrize("name", qe.rule_sets)
def test_no_pattern_crosses_a_phase_boundary(make_series: Make, name: str) -> None:
    """The flags of two phases are those of two charts."""
    y = series_values()
    whole = charted(make_series, y, name, phases="2024-01")
    parts = [charted(make_series, part, name) for part in (y[:, :24], y[:, 24:])]
    for key, mask in whole.flags.items():
        np.testing.assert_array_equal(mask, np.hstack([part.flags[key] for part in parts]))
    np.testing.assert_array_equal(whole.few_crossings, np.hstack([p.few_crossings for p in parts]))


@pytest.mark.parametrize("name", qe.rule_sets)
def test_an_excluded_point_is_like_a_missing_one(make_series: Make, name: str) -> None:
    """But it is still compared with the limits."""
    y = series_values().astype(object)
    y[:, 20] = 4000
    excluded = charted(make_series, y, name, exclude="2023-09")
    y[:, 20] = None
    missing = charted(make_series, y, name)
    for (test, side), mask in excluded.flags.items():
        if test == "beyond_limits":
            np.testing.assert_array_equal(mask[:, 20], side == "high")
        here = np.arange(48) != 20
        np.testing.assert_array_equal(mask[:, here], missing.flags[test, side][:, here])
    np.testing.assert_array_equal(excluded.few_crossings, missing.few_crossings)


@pytest.mark.parametrize("name", qe.rule_sets)
def test_months_without_data_at_the_end_change_no_flag(make_series: Make, name: str) -> None:
    y = series_values().astype(object)
    longer = np.hstack([y, np.full((len(y), 2), None)])
    chart, more = charted(make_series, y, name), charted(make_series, longer, name)
    assert any(mask.any() for mask in chart.flags.values())
    for key, mask in chart.flags.items():
        np.testing.assert_array_equal(more.flags[key][:, :48], mask)
        assert not more.flags[key][:, 48:].any()
    np.testing.assert_array_equal(more.few_crossings, chart.few_crossings)
