"""Signals as rows: what belongs to one signal, where it starts and ends, and what it means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.spc.rules import (
    Alternating,
    BeyondLimits,
    Crossings,
    FourInFive,
    LongestRun,
    Outside,
    RunsCount,
    Shift,
    Trend,
    TwoInThree,
    Within,
)

Make = Callable[..., qe.StratifiedSeries]

STEADY = [5, 6, 4, 7, 5, 6, 4, 7, 5, 6, 4, 7]


def rule_set(*tests: object) -> qe.RuleSet:
    return qe.RuleSet("these", "1", "test", tests)


def rows(chart: qe.ControlChart, *columns: str) -> list[tuple]:
    """Signals in short: first and last month as numbers from 0."""
    frame = chart.signals.copy()
    for column in ("start", "end"):
        frame[column] = (frame[column].dt.year - 2022) * 12 + frame[column].dt.month - 1
    wanted = list(columns or ("rule", "start", "end", "n_points", "side"))
    return [tuple(None if pd.isna(v) else v for v in row) for row in frame[wanted].to_numpy().tolist()]


def test_columns_and_types_do_not_depend_on_what_is_found(make_series: Make) -> None:
    none = qe.control_chart(make_series(STEADY, 50), rules="shewhart").signals
    some = qe.control_chart(make_series([*STEADY, 45], 50), rules="shewhart").signals
    assert list(none.columns) == ["group", "phase", "rule", "start", "end", "n_points", "side", "meaning"]
    assert (len(none), len(some)) == (0, 1)
    pd.testing.assert_series_equal(none.dtypes, some.dtypes)


def test_every_point_beyond_the_limits_is_a_signal(make_series: Make) -> None:
    chart = qe.control_chart(make_series([*STEADY, 40, 41, 5], 50), "p", baseline=12, rules="shewhart")
    assert rows(chart) == [("beyond_limits", 12, 12, 1, "high"), ("beyond_limits", 13, 13, 1, "high")]


def test_a_long_run_joins_over_points_on_the_line_and_gaps(make_series: Make) -> None:
    values = [1, 9, 1, 9, 1, 9, 6, 6, 5, 6, None, 6, 6, 6, 6, 6, 6, 1, 9, 1]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(LongestRun()), baseline=6)
    assert chart.centre_line[0, 0] == 5
    assert rows(chart) == [("longest_run", 5, 16, 10, "high")]
    note = chart.notes.set_index("code").loc["run_across_gap", "text"]
    assert note == "The run from 2022-06 to 2023-05 joins across 1 period without a known value."


def test_two_long_runs_are_two_signals(make_series: Make) -> None:
    values = [9, 1] * 3 + [9] * 10 + [1] + [9] * 10 + [1] * 9
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(LongestRun()), baseline=6)
    assert rows(chart) == [
        ("longest_run", 6, 15, 10, "high"),
        ("longest_run", 17, 26, 10, "high"),
        ("longest_run", 27, 35, 9, "low"),
    ]


def test_too_few_crossings_have_neither_place_nor_side(make_series: Make) -> None:
    values = [*[1, 2, 1, 2, 1, 3], *[9, 8, 9, 8, 9, 7]] * 2
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(Crossings()), baseline=12)
    assert rows(chart, "rule", "start", "end", "n_points", "side", "meaning") == [
        ("crossings", 0, 23, 24, None, "neutral")
    ]
    assert not any(mask.any() for mask in chart.flags.values())
    assert not chart.points["special_cause"].any()


def test_the_span_of_crossings_is_that_of_the_useful_points(make_series: Make) -> None:
    values = [5, *[1, 2] * 6, *[9, 8] * 6, 5, None]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(Crossings()))
    assert rows(chart) == [("crossings", 1, 24, 24, None)]


def test_what_breaks_a_shift_separates_signals(make_series: Make) -> None:
    values = [9, 1] * 2 + [9] * 4 + [5] + [9] * 4 + [None] + [9] * 3 + [1]
    series = make_series(values, kind="mean")
    breaking = qe.run_chart(series, rules=rule_set(Shift(4)), baseline=4)
    assert breaking.centre_line[0, 0] == 5
    assert rows(breaking) == [("shift", 4, 7, 4, "high"), ("shift", 9, 12, 4, "high")]
    skipping = qe.run_chart(series, rules=rule_set(Shift(4, ties="skip", missing="skip")), baseline=4)
    assert rows(skipping) == [("shift", 4, 16, 11, "high")]
    ties_only = qe.run_chart(series, rules=rule_set(Shift(4, ties="skip")), baseline=4)
    assert rows(ties_only) == [("shift", 4, 12, 8, "high")]


def test_a_shift_is_not_joined_over_an_excluded_point(make_series: Make) -> None:
    values = [9, 1] * 2 + [9] * 9
    chart = qe.run_chart(
        make_series(values, kind="mean"), rules=rule_set(Shift(4)), baseline=4, exclude="2022-09"
    )
    assert rows(chart) == [("shift", 4, 7, 4, "high"), ("shift", 9, 12, 4, "high")]


def test_trends_that_touch_are_signals_of_their_own(make_series: Make) -> None:
    values = [1.0, 2, 3, 4, 2, 3, 4, 5, 4, 3, 2]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(Trend(4)))
    assert rows(chart) == [("trend", 0, 3, 4, "high"), ("trend", 4, 7, 4, "high"), ("trend", 7, 10, 4, "low")]


def test_a_trend_passes_over_an_equal_neighbour_when_told(make_series: Make) -> None:
    values = [1.0, 2, 2, 2, 3, 4, 9, 1, 1.5]
    series = make_series(values, kind="mean")
    assert rows(qe.run_chart(series, rules=rule_set(Trend(4)))) == [("trend", 3, 6, 4, "high")]
    ((rule, start, end, _, side),) = rows(qe.run_chart(series, rules=rule_set(Trend(4, ties="skip"))))
    assert (rule, start, end, side) == ("trend", 0, 6, "high")


def test_two_in_three_is_one_signal_with_the_point_between(make_series: Make) -> None:
    values = [5.0, 6, 4] * 5 + [7.6, 5.5, 7.6, 5, 4, 5, 6, 4, 2.8, 4.9]
    chart = qe.control_chart(
        make_series(values, kind="mean"), rules=rule_set(TwoInThree(), BeyondLimits()), baseline=15
    )
    found = [row for row in rows(chart) if row[0] == "two_in_three"]
    assert found == [("two_in_three", 15, 17, 2, "high")]


def test_no_signal_crosses_a_phase(make_series: Make) -> None:
    values = [9, 1, 9, 1, 9, 9, 9, 9, 9, 9, 1, 9, 1, 9]
    rules = rule_set(Shift(4), Trend(3))
    whole = qe.run_chart(make_series(values, kind="mean"), rules=rules, baseline=4)
    assert rows(whole) == [("shift", 4, 9, 6, "high")]
    parted = qe.run_chart(make_series(values, kind="mean"), rules=rules, phases="2022-08")
    assert rows(parted) == []


def test_a_signal_on_each_side_of_a_boundary_is_two_signals(make_series: Make) -> None:
    values = [1, 2, 1, 2, 9, 9, 9, 9, 8, 8, 8, 8, 1, 2, 1, 2]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(Shift(4)), phases="2022-09")
    assert rows(chart, "phase", "start", "end", "side") == [
        (1, 0, 3, "low"),
        (1, 4, 7, "high"),
        (2, 8, 11, "high"),
        (2, 12, 15, "low"),
    ]


@pytest.mark.parametrize(
    ("better", "low", "high"),
    [("lower", "improvement", "concern"), ("higher", "concern", "improvement"), (None, "neutral", "neutral")],
)
def test_the_meaning_follows_the_measure(make_series: Make, better: str, low: str, high: str) -> None:
    values = [*STEADY, 40, 5, 0]
    chart = qe.control_chart(make_series(values, 100, better=better), qe.Individuals(), baseline=12)
    beyond = chart.signals[chart.signals["rule"] == "beyond_limits"]
    assert dict(zip(beyond["side"], beyond["meaning"], strict=True)) == {"high": high, "low": low}
    points = chart.points
    assert points["special_cause"].tolist()[12:] == [True, False, True]
    assert points["improvement"].tolist()[12:] == [high == "improvement", False, low == "improvement"]
    assert points["concern"].tolist()[12:] == [high == "concern", False, low == "concern"]


def test_a_falling_trend_above_the_line_is_on_the_low_side(make_series: Make) -> None:
    values = [1.0, 2, 1, 2, 1, 2, 1, 2, 30, 28, 26, 24, 22, 20, 18]
    chart = qe.control_chart(make_series(values, kind="mean"), rules="making_data_count", baseline=8)
    points = chart.points.iloc[-7:]
    assert chart.flags["trend", "low"][0, -7:].all()
    assert (points["improvement"] & points["concern"]).all()


def test_signals_are_ordered_by_stratum_phase_and_time(make_series: Make) -> None:
    numbers = np.array([[*STEADY, 40, 5, 41], [*STEADY, 5, 44, 5]])
    chart = qe.control_chart(make_series(numbers, 50), "p", rules="shewhart", baseline=12)
    assert rows(chart, "group", "start") == [("A", 12), ("A", 14), ("B", 13)]


def test_signals_of_further_strata_and_sites(make_series: Make) -> None:
    series = make_series([STEADY, [*STEADY[:-1], 45]], 50, groups=["A", "A"], sites=["X", "Y"])
    signals = qe.control_chart(series, "p", rules="shewhart").signals
    assert signals[["site", "group", "rule"]].to_numpy().tolist() == [["Y", "A", "beyond_limits"]]


def test_two_in_three_ends_at_what_breaks_the_window(make_series: Make) -> None:
    before = [0, 0.1, -0.1, 0.2, 0, -0.2, 0.1, 0, -0.1, 0.1, 0, 0.05, -0.05, 0.1, -0.1, 0, 0.05]
    for between in (None, -0.1):
        values = [*before, 1.0, 1.0, between, 1.0, 1.0, 0.1, -0.1, 0.0, 0.1, -0.1]
        series = make_series(values, kind="mean")
        chart = qe.control_chart(series, rules=rule_set(TwoInThree()), baseline=16)
        assert rows(chart) == [("two_in_three", 17, 18, 2, "high"), ("two_in_three", 20, 21, 2, "high")]
        assert "run_across_gap" not in set(chart.notes["code"])


# An individuals chart of these has a line of 5 and a sigma of 1.77.
BASE = [4.0, 6.0] * 6 + [6.0]


def individuals(make_series: Make, values: list[float | None], *tests: object) -> qe.ControlChart:
    series = make_series([*BASE, *values], kind="mean")
    chart = qe.control_chart(series, "i", rules=rule_set(*tests), baseline=12)
    assert (chart.centre_line[0, 0], round(chart.sigma[0, 0], 2)) == (5, 1.77)
    return chart


def test_four_in_five_is_one_signal_with_the_point_between(make_series: Make) -> None:
    values = [7.0, 7.0, 5.0, 7.0, 7.0, 5.0, 5.0, 3.0, 3.0, 3.0, 3.0]
    chart = individuals(make_series, values, FourInFive())
    assert rows(chart) == [("four_in_five", 13, 17, 4, "high"), ("four_in_five", 20, 23, 4, "low")]


def test_two_on_either_side_are_a_signal_of_each_side(make_series: Make) -> None:
    chart = individuals(make_series, [9.0, 5.0, 1.0, 5.0], TwoInThree(same_side="any"))
    assert rows(chart) == [("two_in_three", 13, 13, 1, "high"), ("two_in_three", 15, 15, 1, "low")]


def test_hugging_and_mixture_have_no_side_and_no_meaning(make_series: Make) -> None:
    values = [*[5.1] * 6, 9.0, *[1.0, 9.0] * 4, 5.0]
    chart = individuals(make_series, values, Within(15), Outside(8))
    assert rows(chart, "rule", "start", "end", "n_points", "side", "meaning") == [
        ("within", 0, 18, 19, None, "neutral"),
        ("outside", 19, 27, 9, None, "neutral"),
    ]
    points = chart.points
    assert points["special_cause"].tolist() == [*[True] * 28, False]
    assert not points[["improvement", "concern"]].to_numpy().any()


def test_alternating_patterns_that_share_a_point_both_hold_it(make_series: Make) -> None:
    """Each row is a whole pattern: it holds as many points as the rule asks for."""
    values = [0.0, 1, 0, 1, 2, 1, 2, 1]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(Alternating(4)))
    assert rows(chart) == [("alternating", 0, 3, 4, None), ("alternating", 3, 7, 5, None)]
    values = [0.0, 1, 0, 1, 2, 1, 2]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(Alternating(4)))
    assert rows(chart) == [("alternating", 0, 3, 4, None), ("alternating", 3, 6, 4, None)]
    values = [0.0, 1, 0, 1, 2, 3, 2, 3, 2]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(Alternating(4)))
    assert rows(chart) == [("alternating", 0, 3, 4, None), ("alternating", 4, 8, 5, None)]
    values = [0.0, 1, 0, 1, 1, 0, 1, 0, 1]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(Alternating(4)))
    assert rows(chart) == [("alternating", 0, 3, 4, None), ("alternating", 4, 8, 5, None)]


def test_alternating_patterns_end_with_their_phase(make_series: Make) -> None:
    values = [0.0, 1, 0, 1, 0, 1, 0, 1]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(Alternating(4)), phases="2022-05")
    assert rows(chart, "phase", "start", "end", "n_points") == [(1, 0, 3, 4), (2, 4, 7, 4)]


def test_windows_that_share_no_point_are_signals_of_their_own(make_series: Make) -> None:
    values = [2.0, 2, 2, 2, 0, 0, 2, 2, 2, 2, -1, -2, -2, -1, -1, -2, -2, -1, -1, -2, -2, -1]
    chart = qe.control_chart(make_series(values, kind="mean"), "i", rules=rule_set(FourInFive(window=4)))
    high = [row for row in rows(chart) if row[-1] == "high"]
    assert high == [("four_in_five", 0, 3, 4, "high"), ("four_in_five", 6, 9, 4, "high")]


def test_windows_of_five_join_over_one_point_inside_but_not_over_two(make_series: Make) -> None:
    chart = individuals(make_series, [*[8.0] * 4, 5.0, *[8.0] * 4], FourInFive())
    assert rows(chart) == [("four_in_five", 13, 21, 8, "high")]
    chart = individuals(make_series, [*[8.0] * 4, 5.0, 5.0, *[8.0] * 4], FourInFive())
    assert rows(chart) == [("four_in_five", 13, 16, 4, "high"), ("four_in_five", 19, 22, 4, "high")]


def test_two_in_three_joins_over_one_point_only_if_it_may_lie_there(make_series: Make) -> None:
    parted = [("two_in_three", 13, 14, 2, "high"), ("two_in_three", 16, 17, 2, "high")]
    values = [9.0, 9.0, 4.0, 9.0, 9.0, 6.0]
    assert rows(individuals(make_series, values, TwoInThree())) == parted
    one = [("two_in_three", 13, 17, 4, "high")]
    assert rows(individuals(make_series, values, TwoInThree(same_side="beyond"))) == one
    assert rows(individuals(make_series, [9.0, 9.0, 6.0, 9.0, 9.0, 6.0], TwoInThree())) == one


def test_two_in_three_does_not_join_over_two_points(make_series: Make) -> None:
    chart = individuals(make_series, [9.0, 9.0, 6.0, 6.0, 9.0, 9.0], TwoInThree(same_side="beyond"))
    assert rows(chart) == [("two_in_three", 13, 14, 2, "high"), ("two_in_three", 17, 18, 2, "high")]


@pytest.mark.parametrize(
    ("test", "ends"),
    [(TwoInThree(same_side="beyond"), [8.0] * 4), (FourInFive(), [8.0] * 4), (Outside(4), [8, -8, 8, -8])],
)
def test_no_window_crosses_a_phase(
    make_series: Make, test: TwoInThree | FourInFive | Outside, ends: list[float]
) -> None:
    values = [*[0.0, 0.2] * 9, *ends, *ends, *[0.2, 0.0] * 9]
    chart = qe.control_chart(make_series(values, kind="mean"), "i", rules=rule_set(test), phases="2023-11")
    found = rows(chart, "phase", "start", "end", "n_points", "side")
    assert [row[:4] for row in found if row[4] != "low"] == [(1, 18, 21, 4), (2, 22, 25, 4)]


def test_a_pattern_of_both_sides_is_one_signal_of_each(make_series: Make) -> None:
    chart = individuals(make_series, [9.0, 5.0, 1.0, 5.0, 9.0], TwoInThree(same_side="any"))
    assert rows(chart) == [("two_in_three", 13, 17, 2, "high"), ("two_in_three", 15, 15, 1, "low")]


def test_mixtures_with_one_side_only_between_are_two(make_series: Make) -> None:
    high, low = 9.0, 1.0
    values = [high, low, high, high, high, high, low, 5.0]
    chart = individuals(make_series, values, Outside(3))
    assert rows(chart) == [("outside", 13, 16, 4, None), ("outside", 17, 19, 3, None)]
    chart = individuals(make_series, [high, low, high, high, high, low, 5.0], Outside(3))
    assert rows(chart) == [("outside", 13, 18, 6, None)]


def test_the_number_of_runs_is_a_signal_of_the_phase(make_series: Make) -> None:
    few, many = [1, 2] * 6 + [9, 8] * 6, [1, 9] * 12
    for values in (few, many):
        chart = qe.run_chart(make_series(values, kind="mean"), rules=rule_set(RunsCount()), baseline=None)
        assert rows(chart, "rule", "start", "end", "n_points", "side", "meaning") == [
            ("runs_count", 0, 23, 24, None, "neutral")
        ]
        assert not chart.points["special_cause"].any()


def test_crossings_and_runs_are_told_apart(make_series: Make) -> None:
    """Too many runs are none too few crossings."""
    series = make_series([[1, 9] * 12, [1, 2] * 6 + [9, 8] * 6], kind="mean")
    chart = qe.run_chart(series, rules=rule_set(Crossings(), RunsCount()))
    assert rows(chart, "group", "rule") == [("A", "runs_count"), ("B", "crossings"), ("B", "runs_count")]
