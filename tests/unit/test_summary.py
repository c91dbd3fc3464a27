"""Summaries: counts, runs, what can signal, and how many signals to expect by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import qi_equity as qe
from qi_equity.formulas.runs_distribution import runs_count_limits
from qi_equity.spc.flags import runs_signal
from qi_equity.spc.kinds_measurements import Individuals
from qi_equity.spc.rules import (
    Alternating,
    BeyondLimits,
    FourInFive,
    Outside,
    RunsCount,
    Shift,
    Test,
    Trend,
    TwoInThree,
    Within,
)
from qi_equity.spc.summary import sideless_can_signal

Make = Callable[..., qe.StratifiedSeries]

STEADY = [5, 6, 4, 7, 5, 6, 4, 7, 5, 6, 4, 7]
COLUMNS = [
    "group",
    "phase",
    "kind",
    "start",
    "end",
    "n_points",
    "n_useful",
    "numerator",
    "denominator",
    "centre_line",
    "lower",
    "upper",
    "longest_run",
    "longest_run_max",
    "crossings",
    "crossings_min",
    "n_signals",
    "runs_tests",
    "can_signal_low",
    "can_signal_high",
    "can_signal_improvement",
    "can_signal_deterioration",
    "false_signal_probability",
    "false_signal_error",
    "expected_false_signals_all",
]

# Probability that one of the runs tests signals if just half of n points lie above the median, all orders
# being alike: counted exactly by another programme (tests/reference/median_split.json).
MEDIAN_SPLIT = {
    10: 0.00793650793650794,
    14: 0.0250582750582751,
    16: 0.00885780885780886,
    20: 0.0212496481846327,
    24: 0.0306069620243802,
}


def test_one_row_a_stratum_and_phase(make_series: Make) -> None:
    phases = pd.DataFrame({"group": ["B"], "start": ["2022-07"], "reason": ["training"]})
    summary = qe.control_chart(make_series([STEADY, STEADY], 50), phases=phases).summary()
    assert list(summary.columns) == COLUMNS
    assert summary[["group", "phase", "n_points"]].to_numpy().tolist() == [
        ["A", 1, 12],
        ["B", 1, 6],
        ["B", 2, 6],
    ]
    assert summary["start"].dt.strftime("%Y-%m").tolist() == ["2022-01", "2022-01", "2022-07"]
    assert summary["end"].dt.strftime("%Y-%m").tolist() == ["2022-12", "2022-06", "2022-12"]
    assert summary["numerator"].tolist() == [66, 33, 33]
    assert summary["denominator"].tolist() == [600, 300, 300]


@pytest.mark.parametrize("kind", ["run", "i", "p", "u", "c"])
@pytest.mark.parametrize("better", ["lower", None])
def test_columns_and_types_do_not_depend_on_the_chart(
    make_series: Make, kind: str, better: str | None
) -> None:
    measure = {"run": "proportion", "i": "mean", "p": "proportion", "u": "rate", "c": "count"}[kind]
    births = 50 if measure in ("proportion", "rate") else None
    series = make_series(STEADY, births, kind=measure, better=better)
    chart = qe.run_chart(series) if kind == "run" else qe.control_chart(series, kind)
    plain = qe.control_chart(make_series(STEADY, 50)).summary()
    pd.testing.assert_series_equal(chart.summary().dtypes, plain.dtypes)


def test_lines_are_those_at_the_last_observed_point(make_series: Make) -> None:
    births = [*[50] * 11, 200, 70]
    numbers = np.array([*STEADY, "*"], dtype=object)
    chart = qe.control_chart(make_series(numbers, births))
    assert chart.summary().loc[0, "upper"] == chart.points.loc[11, "upper"]


def test_a_stratum_without_data_has_a_row(make_series: Make) -> None:
    numbers = np.array([STEADY, [None] * 12], dtype=object)
    row = qe.control_chart(make_series(numbers, 50)).summary().loc[1]
    assert (row["n_points"], row["n_useful"], row["n_signals"]) == (0, 0, 0)
    assert row[["numerator", "denominator", "centre_line", "lower", "upper"]].isna().all()
    assert row["runs_tests"] == "no useful points"
    assert row["false_signal_probability"] == 0


def test_signals_are_counted_by_phase(make_series: Make) -> None:
    values = [*STEADY, 40, 41, *STEADY]
    chart = qe.control_chart(
        make_series(values, 50), "p", rules="shewhart", phases="2023-01", exclude=["2023-01", "2023-02"]
    )
    assert chart.summary()["n_signals"].tolist() == [0, 2]


YES, SEVERAL, NO = "yes", "only over several points", "no"


@pytest.mark.parametrize(
    ("births", "events", "spec", "low", "high"),
    [
        (300, 30, "p", True, True),
        (28, 2, "p", False, True),
        (28, 26, "p", True, False),
        (3, 1, "p", False, False),
        (300, 30, qe.P("classical"), True, True),
        (28, 2, qe.P("classical"), False, True),
    ],
)
def test_whether_any_count_can_signal(
    make_series: Make, births: int, events: int, spec: object, low: bool, high: bool
) -> None:
    numbers = [events, events - 1, events, events + 1] * 6
    chart = qe.control_chart(make_series(numbers, births), spec, rules="shewhart")
    row = chart.summary().loc[0]
    told = tuple(YES if able else NO for able in (low, high))
    assert (row["can_signal_low"], row["can_signal_high"]) == told
    assert (row["can_signal_improvement"], row["can_signal_deterioration"]) == told
    if isinstance(spec, str):
        rate = chart.centre_line[0, 0]
        assert (binom.pmf(0, births, rate) < 0.00135) == low
        assert (binom.pmf(births, births, rate) < 0.00135) == high


def test_where_no_point_can_signal_several_together_may(make_series: Make) -> None:
    numbers = [2, 1, 2, 3] * 6

    def low(rules: str, births: int = 28) -> str:
        return str(
            qe.control_chart(make_series(numbers, births), "p", rules=rules)
            .summary()
            .loc[0, "can_signal_low"]
        )

    assert low("anhoej+shewhart") == low("making_data_count") == SEVERAL
    assert low("shewhart") == NO
    assert low("anhoej") == SEVERAL
    rare = qe.control_chart(make_series([0, 1, 0, 0] * 6, 28), "p").summary().loc[0]
    assert (rare["runs_tests"], rare["can_signal_low"], rare["can_signal_high"]) == ("uneven chance", NO, YES)


def test_two_in_three_can_signal_where_the_two_sigma_limit_is_above_zero(make_series: Make) -> None:
    rules = qe.RuleSet("zones", "1", "ours", (BeyondLimits(), TwoInThree()))
    near = qe.control_chart(make_series([5, 6, 4, 5] * 6, 100), "p", rules=rules)
    assert near.lower.max() == 0 < near.lower_2s.min()
    assert near.summary().loc[0, "can_signal_low"] == SEVERAL
    far = qe.control_chart(make_series([2, 1, 2, 3] * 6, 100), "p", rules=rules)
    assert far.lower_2s.max() == 0
    assert far.summary().loc[0, "can_signal_low"] == NO


def test_overlapping_windows_leave_the_limits_only(make_series: Make) -> None:
    chart = qe.control_chart(make_series([2, 1, 2, 3] * 6, 28, window=3), rules="making_data_count")
    assert chart.summary().loc[0, ["can_signal_low", "can_signal_high"]].tolist() == [NO, YES]


def test_what_can_signal_has_a_meaning_only_with_a_direction(make_series: Make) -> None:
    numbers = [2, 1, 2, 3] * 6
    higher = qe.control_chart(make_series(numbers, 28, better="higher")).summary().loc[0]
    assert (higher["can_signal_improvement"], higher["can_signal_deterioration"]) == (YES, SEVERAL)
    neutral = qe.control_chart(make_series(numbers, 28, better=None)).summary()
    assert neutral[["can_signal_improvement", "can_signal_deterioration"]].isna().all(axis=None)
    assert neutral.loc[0, ["can_signal_low", "can_signal_high"]].tolist() == [SEVERAL, YES]


def test_only_the_last_twelve_observed_points_say_what_can_signal(make_series: Make) -> None:
    numbers, births = [30] * 6 + [2] * 12, [300] * 6 + [20] * 12
    chart = qe.control_chart(make_series(numbers, births), "p", rules="shewhart")
    assert chart.lower[0, 0] > 0
    assert chart.summary().loc[0, "can_signal_low"] == NO
    shorter = qe.control_chart(make_series([*numbers[:-1], "*"], births), "p", rules="shewhart")
    assert shorter.summary().loc[0, "can_signal_low"] == YES


def test_individuals_and_run_charts_can_signal_either_way(make_series: Make) -> None:
    assert qe.control_chart(make_series(STEADY, kind="mean")).summary().loc[0, "can_signal_low"] == YES
    assert qe.control_chart(make_series([5], kind="mean")).summary().loc[0, "can_signal_low"] == NO
    assert qe.run_chart(make_series(STEADY, 50)).summary().loc[0, "can_signal_high"] == SEVERAL
    assert qe.run_chart(make_series([0, 1, 0] * 4, 50)).summary().loc[0, "can_signal_high"] == NO


@pytest.mark.parametrize("n", MEDIAN_SPLIT)
def test_false_signals_of_the_runs_tests(make_series: Make, n: int) -> None:
    rng = np.random.default_rng(n)
    row = qe.run_chart(make_series(rng.standard_normal(n), kind="mean")).summary().loc[0]
    assert row["n_useful"] == n
    assert row["false_signal_probability"] == pytest.approx(MEDIAN_SPLIT[n], rel=1e-12)
    assert row["false_signal_error"] == 0


def test_false_signals_of_lines_from_the_same_points(make_series: Make) -> None:
    """Other draws, each with limits of its own moving ranges."""
    chart = qe.control_chart(
        make_series(np.random.default_rng(2).normal(5, 2, 24), kind="mean"), rules="shewhart"
    )
    row = chart.summary().loc[0]
    y = np.random.default_rng(77).standard_normal((20_000, 24))
    half = 3 * np.abs(np.diff(y)).mean(axis=1) * np.sqrt(np.pi) / 2
    marked = (np.abs(y - y.mean(axis=1, keepdims=True)) > half[:, None]).any(axis=1).mean()
    error = np.hypot(row["false_signal_error"], np.sqrt(marked * (1 - marked) / 20_000))
    assert 0 < row["false_signal_error"] < 0.01
    assert abs(row["false_signal_probability"] - marked) < 4 * error


def test_false_signals_of_exact_limits_are_enumerated(make_series: Make) -> None:
    births = np.array([30, 60, 45, 80] * 6)
    chart = qe.control_chart(make_series([3, 6, 4, 9] * 6, births), rules="shewhart")
    rate, quiet = 22 / 215, 1.0
    for n, lower, upper in zip(births, chart.lower[0], chart.upper[0], strict=True):
        counts = np.arange(n + 1)
        quiet *= binom.pmf(counts, n, rate)[(counts / n >= lower) & (counts / n <= upper)].sum()
    assert chart.summary().loc[0, "false_signal_probability"] == pytest.approx(1 - quiet)


@pytest.mark.parametrize(("kind", "births"), [("rate", 50), ("count", None)])
def test_false_signals_of_counts_stay_below_the_tails(
    make_series: Make, kind: str, births: int | None
) -> None:
    chart = qe.control_chart(make_series(STEADY * 2, births, kind=kind), rules="shewhart")
    assert 0 < chart.summary().loc[0, "false_signal_probability"] < 1 - (1 - 2 * 0.00135) ** 24


def test_limits_and_runs_tests_are_put_together(make_series: Make) -> None:
    series = make_series(np.random.default_rng(8).standard_normal(24), kind="mean")
    runs, limits, both = (
        qe.control_chart(series, rules=r).summary().loc[0, "false_signal_probability"]
        for r in ("anhoej", "shewhart", "anhoej+shewhart")
    )
    assert max(runs, limits) < both < runs + limits


def test_runs_tests_not_given_give_no_false_signals(make_series: Make) -> None:
    series = make_series([0, 1, 0, 0] * 6, 12)
    with_runs, without = (
        qe.control_chart(series, rules=r).summary().loc[0, "false_signal_probability"]
        for r in ("anhoej+shewhart", "shewhart")
    )
    assert with_runs == pytest.approx(without)


def test_the_expected_number_is_the_sum_over_all_rows(make_series: Make) -> None:
    summary = qe.control_chart(make_series([STEADY * 2, STEADY[::-1] * 2], 50), phases="2023-01").summary()
    expected = summary["expected_false_signals_all"]
    assert len(summary) == 4
    assert (expected == expected[0]).all()
    assert expected[0] == pytest.approx(summary["false_signal_probability"].sum())


def naive_marked(y: np.ndarray) -> bool:
    """Whether any point of one chart is marked, in the words of the rules."""
    ranges = np.abs(np.diff(y))
    width = ranges[ranges < 3.267 * ranges.mean()].mean() * 2.66 / 3
    z = (y - y.mean()) / width
    for start in range(len(z)):
        for sign in (-1, 1):
            seven, three = sign * z[start : start + 7], sign * z[start : start + 3]
            if three[0] > 3 or (len(three) == 3 and (three > 0).all() and (three > 2).sum() >= 2):
                return True
            if len(seven) == 7 and ((seven > 0).all() or (np.diff(seven) > 0).all()):
                return True
    return False


@pytest.mark.parametrize("n", [12, 24])
def test_zones_and_trends_against_marks_by_hand(make_series: Make, n: int) -> None:
    """Other draws, marked point by point, give the same share."""
    rng = np.random.default_rng(13)
    marked = np.mean([naive_marked(y) for y in rng.standard_normal((2000, n))])
    chart = qe.control_chart(
        make_series(rng.standard_normal(n), kind="mean"),
        Individuals("screened", "mdc"),
        rules="making_data_count",
    )
    found = chart.summary().loc[0, "false_signal_probability"]
    assert abs(marked - found) < 4 * np.sqrt(marked * (1 - marked) * (1 / 2000 + 1 / 10_000))


def test_a_set_without_its_runs_tests_is_another_set(make_series: Make) -> None:
    series = make_series([0, 1, 0, 0] * 6, 12)
    rare = qe.control_chart(series, "p", rules="making_data_count").summary().loc[0]
    usual = (
        qe.control_chart(make_series([50, 60, 40, 45] * 6, 120), rules="making_data_count").summary().loc[0]
    )
    assert rare["runs_tests"] == "uneven chance"
    assert 0 < rare["false_signal_probability"] < usual["false_signal_probability"]
    rolling = qe.control_chart(make_series([50, 60, 40, 45] * 6, 120, window=3), rules="making_data_count")
    assert 0 < rolling.summary().loc[0, "false_signal_probability"] < usual["false_signal_probability"]


def test_shifts_about_the_median_of_the_same_points(make_series: Make) -> None:
    rules = qe.RuleSet("six", "1", "test", (Shift(6),))
    series = make_series(np.random.default_rng(5).standard_normal(20), kind="mean")
    row = qe.run_chart(series, rules=rules).summary().loc[0]
    y = np.random.default_rng(99).standard_normal((20_000, 20))
    above = y > np.median(y, axis=1, keepdims=True)
    windows = np.lib.stride_tricks.sliding_window_view(above, 6, axis=1).sum(axis=-1)
    share = ((windows == 6) | (windows == 0)).any(axis=1).mean()
    error = np.hypot(row["false_signal_error"], np.sqrt(share * (1 - share) / 20_000))
    assert abs(row["false_signal_probability"] - share) < 4 * error


@pytest.mark.parametrize(("n", "able"), [(4, NO), (12, SEVERAL)])
def test_runs_tests_signal_only_with_points_enough(make_series: Make, n: int, able: str) -> None:
    row = qe.run_chart(make_series(list(range(n)), kind="mean")).summary().loc[0]
    assert (row["runs_tests"], row["n_useful"], row["can_signal_low"]) == ("given", n, able)


@pytest.mark.parametrize(("length", "able"), [(7, NO), (6, SEVERAL)])
def test_a_shift_needs_its_length(make_series: Make, length: int, able: str) -> None:
    rules = qe.RuleSet("shift", "1", "ours", (Shift(length),))
    row = qe.run_chart(make_series(list(range(6)), kind="mean"), rules=rules).summary().loc[0]
    assert row["can_signal_high"] == able


def set_of(*tests: Test) -> qe.RuleSet:
    return qe.RuleSet("ours", "1", "test", tests)


def sides(chart: qe.ControlChart) -> tuple[str, str]:
    low, high = chart.summary().loc[0, ["can_signal_low", "can_signal_high"]]
    return low, high


def test_four_in_five_can_signal_where_the_one_sigma_limit_leaves_room(make_series: Make) -> None:
    rules = set_of(BeyondLimits(), FourInFive())
    near = qe.control_chart(make_series([2, 1, 2, 3] * 6, 100), "p", rules=rules)
    assert near.lower_2s.max() == 0
    assert binom.cdf(0, 100, 0.02) < 0.158655
    assert sides(near) == (SEVERAL, YES)
    far = qe.control_chart(make_series([1, 0, 1, 1, 2, 1] * 4, 100), "p", rules=rules)
    assert binom.cdf(0, 100, 0.01) > 0.158655
    assert sides(far) == (NO, YES)
    assert sides(qe.control_chart(make_series([2, 1, 2, 3] * 6, 100), "p", rules=set_of(FourInFive()))) == (
        SEVERAL,
        SEVERAL,
    )


def test_a_chart_with_a_signal_of_four_in_five_does_not_say_it_cannot(make_series: Make) -> None:
    numbers = [3, 2, 4, 3, 2, 4, 3, 3, 2, 4, 3, 3, 0, 0, 0, 0, 0]
    chart = qe.control_chart(make_series(numbers, 100), rules=set_of(FourInFive()), baseline=12)
    assert set(chart.signals["side"]) == {"low"}
    assert sides(chart)[0] == SEVERAL


@pytest.mark.parametrize("test", [Alternating(), Within(), Outside(), RunsCount()], ids=lambda t: t.name)
def test_tests_without_a_side_signal_no_side(make_series: Make, test: Test) -> None:
    values = np.random.default_rng(5).permutation(np.repeat([8, 9, 10, 11, 12, 13], 4))
    chart = qe.control_chart(make_series(values, kind="mean"), rules=set_of(test))
    assert sides(chart) == (NO, NO)
    assert sideless_can_signal(chart, 0).tolist() == [True]


@pytest.mark.parametrize(
    ("test", "points"),
    [
        (Trend(7), 7),
        (Trend(4), 4),
        (TwoInThree(), 3),
        (FourInFive(), 5),
        (FourInFive(window=4), 4),
        (Shift(6), 6),
        (Alternating(8), 8),
        (Within(9), 9),
        (Outside(5), 5),
    ],
    ids=str,
)
@pytest.mark.parametrize("gap", [False, True])
def test_a_pattern_needs_points_enough_in_a_row(
    make_series: Make, test: Test, points: int, gap: bool
) -> None:
    def able(n: int) -> bool:
        values: list[float | None] = [8.0, 13, 9, 12, 10, 11, 8.5, 12.5, 9.5][:n]
        values = [*values[: n - 1], None, values[-1]] if gap else values
        chart = qe.control_chart(make_series(values, kind="mean"), rules=set_of(test))
        if "none" in test.sides:
            return bool(sideless_can_signal(chart, 0)[0])
        assert len(set(sides(chart))) == 1
        return sides(chart)[0] == SEVERAL

    assert able(points) is not gap
    assert not able(points - 1)


def test_a_shift_that_passes_over_missing_points_needs_none_in_a_row(make_series: Make) -> None:
    series = make_series([8.0, 13, 9, None, 12, 10, 11], kind="mean")
    for missing, able in (("skip", SEVERAL), ("break", NO)):
        rules = set_of(Shift(6, missing=missing))
        assert sides(qe.control_chart(series, rules=rules)) == (able, able)


def test_each_phase_needs_its_own_points(make_series: Make) -> None:
    values = np.random.default_rng(3).normal(10, 1, 12)
    chart = qe.control_chart(make_series(values, kind="mean"), rules=set_of(Trend(7)), phases="2022-09")
    assert chart.summary()["can_signal_low"].tolist() == [SEVERAL, NO]


def test_a_mixture_needs_room_on_both_sides(make_series: Make) -> None:
    rules = set_of(Outside())
    wide, narrow = (
        qe.control_chart(make_series(numbers * 4, 100), "p", rules=rules)
        for numbers in ([5, 6, 4, 5, 7, 3], [1, 0, 1, 1, 2, 1])
    )
    assert sideless_can_signal(wide, 0).tolist() == [True]
    assert sideless_can_signal(narrow, 0).tolist() == [False]


def test_no_point_is_within_a_zone_of_no_width(make_series: Make) -> None:
    chart = qe.control_chart(make_series([5.0] * 24, kind="mean"), rules=set_of(Within()))
    assert sideless_can_signal(chart, 0).tolist() == [False]


def test_a_number_of_runs_signals_only_where_some_order_of_the_points_would() -> None:
    """Two blocks of points are the order that signals first: no chart signals by too many runs only."""
    for above in range(16):
        for below in range(16):
            fewest, most = (int(n) for n in runs_count_limits(above, below))
            least = (above > 0) + (below > 0)
            highest = 2 * min(above, below) + (above != below)
            blocks = np.repeat([-1.0, 1.0], [below, above])[None, :]
            able = fewest > least or most < highest
            if above + below:
                assert bool(runs_signal(RunsCount(), blocks, np.zeros(1))[0]) == able


@pytest.mark.parametrize(("points", "able"), [(8, False), (10, True)])
@pytest.mark.parametrize("table", ["exact", "perla"])
def test_the_number_of_runs_needs_points_enough(
    make_series: Make, points: int, able: bool, table: str
) -> None:
    rules = set_of(RunsCount(table))
    values = [3, 8, 1, 9, 2, 7, 0, 6, 4, 5][:points]
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rules)
    assert sideless_can_signal(chart, 0).tolist() == [able]


def test_overlapping_windows_leave_no_pattern(make_series: Make) -> None:
    rules = set_of(FourInFive(), Alternating(), Within(), Outside(), RunsCount(), Trend())
    chart = qe.control_chart(make_series([5, 6, 4, 5, 7, 3] * 4, 100, window=3), rules=rules)
    assert sides(chart) == (NO, NO)
    assert sideless_can_signal(chart, 0).tolist() == [False]
