"""Run charts, and where runs tests are given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, poisson

import qi_equity as qe
from qi_equity.spc.rules import Shift, Trend

Make = Callable[..., qe.StratifiedSeries]

# Mohammed 2008, systolic blood pressure: median 174, 22 useful points, longest run 4, 9 crossings.
PRESSURE = [
    169, 172, 175, 174, 161, 142, 174, 171, 168, 174, 180, 194, 161, 181, 175, 176, 186, 166, 157,
    183, 177, 171, 185, 176, 181, 174,
]  # fmt: skip
# C. difficile infections a month (qicharts2's example): median 17, 32 useful, longest run 14, 6 crossings.
CDI = [
    17, 12, 27, 20, 20, 18, 22, 19, 19, 24, 17, 16, 24, 19, 19, 22, 25, 19, 17, 6, 25, 17, 11, 14,
    9, 11, 7, 13, 5, 5, 3, 5, 9, 4, 5, 9,
]  # fmt: skip


def runs_of(chart: qe.ControlChart) -> list[float]:
    return chart.summary().loc[0, ["n_useful", "longest_run", "crossings"]].tolist()


def test_a_published_run_chart(make_series: Make) -> None:
    chart = qe.run_chart(make_series(PRESSURE, kind="mean"))
    assert chart.kind == "run"
    assert chart.centre_line[0, 0] == 174
    assert runs_of(chart) == [22, 4, 9]
    assert len(chart.signals) == 0
    assert chart.points[["sigma", "lower", "upper", "lower_2s", "upper_2s"]].isna().all(axis=None)


def test_a_published_run_chart_with_a_shift(make_series: Make) -> None:
    chart = qe.run_chart(make_series(CDI, kind="count"))
    assert chart.centre_line[0, 0] == 17
    assert runs_of(chart) == [32, 14, 6]
    assert chart.summary().loc[0, ["longest_run_max", "crossings_min"]].tolist() == [8, 11]
    signals = chart.signals.set_index("rule")
    assert sorted(signals.index) == ["crossings", "longest_run"]
    assert signals.loc["longest_run", ["n_points", "side", "meaning"]].tolist() == [14, "low", "improvement"]


def test_points_on_the_line_missing_and_excluded_break_nothing(make_series: Make) -> None:
    values = [9.0, 9, 5, 9, None, 9, 20, 9, 1, 1, 1, 1, 1, 1, 5]
    chart = qe.run_chart(make_series(values, kind="mean"), exclude="2022-07")
    assert chart.centre_line[0, 0] == 5
    assert runs_of(chart) == [11, 6, 1]


def test_a_median_shared_by_a_quarter_of_the_points_has_no_runs_test(make_series: Make) -> None:
    """3 in 12 points on the median are a quarter and allowed, 4 in 12 are too many."""
    few = [5, 5, 5, 1, 2, 3, 4, 9, 8, 7, 6, 5.5]
    many = [5, 5, 5, 5, 1, 2, 3, 9, 8, 7, 6, 4]
    assert qe.run_chart(make_series(few, kind="mean")).centre_line[0, 0] == 5
    assert qe.run_chart(make_series(few, kind="mean")).summary()["runs_tests"].tolist() == ["given"]
    chart = qe.run_chart(make_series(many, kind="mean"))
    assert chart.summary()["runs_tests"].tolist() == ["tied points"]
    assert chart.summary()[["longest_run_max", "crossings_min"]].isna().all(axis=None)
    text = chart.notes.set_index("code").loc["runs_tests_not_given", "text"]
    assert text.startswith("Runs tests are not given: 33 % of the baseline's points lie on the centre line")


def test_rare_events_do_not_signal_by_their_many_zeros(make_series: Make) -> None:
    """All useful points lie above a median of 0: without the condition this would be a run of 10."""
    events = [0, 1] * 10 + [0, 0, 0, 0]
    chart = qe.run_chart(make_series(events, 12))
    assert runs_of(chart) == [10, 10, 0]
    assert len(chart.signals) == 0


@pytest.mark.parametrize(("births", "given"), [(12, False), (28, True)])
def test_the_chance_of_a_point_above_the_line_decides(make_series: Make, births: int, given: bool) -> None:
    """Rate 1/28: a point lies above the line (if not on it) with 0.35 at 12 births, with 0.42 at 28."""
    total = births
    events = np.array([2] * (total // 2) + [0] * (28 - total // 2))
    chart = qe.control_chart(make_series(events, births), "p")
    line = chart.centre_line[0, 0]
    counts = np.arange(births + 1)
    chances = binom.pmf(counts, births, line)
    above, below = chances[counts / births > line].sum(), chances[counts / births < line].sum()
    assert chart.runs.chance[0, 0] == pytest.approx(above / (above + below))
    assert (0.4 <= chart.runs.chance[0, 0] <= 0.6) == given
    assert (chart.summary().loc[0, "runs_tests"] == "given") == given


def test_the_chance_is_averaged_over_the_useful_points(make_series: Make) -> None:
    exposure = np.array([40, 120, 300, 80, 150, 220] * 4)
    events = np.array([1, 2, 4, 1, 3, 2] * 4)
    chart = qe.control_chart(make_series(events, exposure, kind="rate"), "u")
    line = events.sum() / exposure.sum()
    counts = np.arange(60)[:, None]
    pmf = poisson.pmf(counts, line * exposure)
    above = (pmf * (counts / exposure > line)).sum(axis=0)
    below = (pmf * (counts / exposure < line)).sum(axis=0)
    assert chart.runs.chance[0, 0] == pytest.approx((above / (above + below)).mean())


def test_measurements_are_judged_by_ties_only(make_series: Make) -> None:
    skewed = [1.0] * 20 + [50, 60, 70, 80]
    chart = qe.control_chart(make_series(skewed, kind="mean"))
    assert np.isnan(chart.runs.chance[0, 0])
    assert chart.summary()["runs_tests"].tolist() == ["given"]


def test_individuals_of_rare_proportions_are_judged_by_their_chance(make_series: Make) -> None:
    chart = qe.control_chart(make_series([0, 0, 0, 1] * 6, 12), "i")
    assert chart.summary()["runs_tests"].tolist() == ["uneven chance"]


def test_a_shift_is_withheld_with_the_runs_tests(make_series: Make) -> None:
    """Seven zeros in a row are no shift where four points in five are zero."""
    rare, usual = [0, 0, 0, 0, 0, 0, 0, 1] * 3, [5, 5, 5, 5, 5, 5, 5, 9] * 3
    assert not qe.control_chart(make_series(rare, 12), rules="making_data_count").flags["shift", "low"].any()
    assert qe.control_chart(make_series(usual, 60), rules="making_data_count").flags["shift", "low"].any()


def test_told_windows_withhold_all_runs(make_series: Make) -> None:
    series = make_series(CDI, 400, window=12)
    for rules, names in (("anhoej", ()), ("making_data_count", ("beyond_limits",))):
        chart = qe.control_chart(series, rules=rules)
        assert set(chart.signals["rule"]) <= set(names)
        assert chart.summary()["runs_tests"].tolist() == ["overlapping windows"]
        note = chart.notes.set_index("code").loc["overlapping_windows"]
        assert note["severity"] == "warning"
        assert "Each point covers 12 periods" in note["text"]


def test_rolling_windows_are_seen(make_series: Make) -> None:
    rng = np.random.default_rng(3)
    monthly = rng.binomial(80, 0.08, (4, 71))
    rolling = np.lib.stride_tricks.sliding_window_view(monthly, 12, axis=1).sum(axis=-1)
    chart = qe.run_chart(make_series(rolling, 960))
    assert chart.summary()["runs_tests"].eq("overlapping windows").all()
    assert chart.method["overlap"]["window"] == 1
    assert chart.method["overlap"]["ratio"] == pytest.approx(1 / 12, abs=0.04)
    assert "look like rolling windows" in chart.notes.set_index("code").loc["overlapping_windows", "text"]
    apart = qe.run_chart(make_series(monthly, 80))
    assert "overlapping_windows" not in set(apart.notes["code"])


def test_a_few_equal_points_are_no_windows(make_series: Make) -> None:
    chart = qe.run_chart(make_series([3, 3, 3], 40))
    assert not chart.method["overlap"]["found"]
    smooth = qe.run_chart(make_series([[30] * 12, [30] * 12], 400))
    assert smooth.method["overlap"]["found"]


def test_a_run_chart_takes_shifts_and_trends_of_ones_own_length(make_series: Make) -> None:
    values = [5, 1, 6, 2, 7, 3, 11, 12, 13, 14, 15, 4]
    rules = qe.RuleSet("ours", "1", "here", (Shift(5), Trend(6)))
    chart = qe.run_chart(make_series(values, kind="mean"), rules=rules)
    assert np.flatnonzero(chart.flags["shift", "high"][0]).tolist() == [6, 7, 8, 9, 10]
    assert np.flatnonzero(chart.flags["trend", "high"][0]).tolist() == [5, 6, 7, 8, 9, 10]
    assert not chart.flags["shift", "low"].any()


def test_limits_have_no_place_on_a_run_chart(make_series: Make) -> None:
    with pytest.raises(qe.OptionError, match=r"rules='shewhart' needs limits \(beyond_limits\)"):
        qe.run_chart(make_series(CDI, kind="count"), rules="shewhart")


def test_times_between_events_with_strata_of_different_length() -> None:
    days = pd.date_range("2022-01-01", periods=400, freq="D")
    births = pd.DataFrame({"date": [*days, *days[:300]], "site": ["X"] * 400 + ["Y"] * 300})
    births["event"] = [k % 16 == 0 for k in range(400)] + [k % 40 == 0 for k in range(300)]
    series = qe.between_events(
        births, qe.Measure("Between", "between", "higher"), date="date", event="event", site="site"
    )
    chart = qe.run_chart(series)
    points = chart.points
    assert points["period"].notna().all()
    assert (points["site"] == "X").sum() > (points["site"] == "Y").sum() > 0
    assert len(chart.summary()) == 2
    assert len(chart.icons()) == 2
    assert chart.alt_text()["text"].str.contains("run chart of Between").all()
    assert qe.ControlChart.from_dict(chart.to_dict()).equals(chart)
