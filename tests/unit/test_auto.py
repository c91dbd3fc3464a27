"""The kind that is chosen for each stratum: by measure, by what the data hold, and by what could show."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import qi_equity as qe

Make = Callable[..., qe.StratifiedSeries]

USUAL = [30, 33, 28, 31, 35, 27] * 4
FEW = [0, 1, 0, 1, 1, 0] * 4


def chosen(chart: qe.ControlChart) -> list[str]:
    return chart.kinds["kind"].tolist()


def reasons(chart: qe.ControlChart) -> list[str]:
    return chart.kinds["reason"].tolist()


def births(chances: dict[str, float], number: int = 600, *, every: str = "6h") -> pd.DataFrame:
    rng = np.random.default_rng(7)
    parts = [
        pd.DataFrame(
            {
                "born": pd.date_range("2023-01-01", periods=number, freq=every),
                "died": (rng.random(number) < chance).astype(int),
                "site": site,
            }
        )
        for site, chance in chances.items()
    ]
    return pd.concat(parts, ignore_index=True)


def gaps(records: pd.DataFrame, unit: str = "births") -> qe.StratifiedSeries:
    measure = qe.Measure("Deaths", "proportion", "lower")
    return qe.between_events(records, measure, date="born", event="died", site="site", unit=unit)


def test_counts_have_a_chart_of_points_where_both_directions_can_show(make_series: Make) -> None:
    chart = qe.control_chart(make_series([USUAL, FEW], [[300], [14]]))
    assert chart.kind == "mixed"
    assert chosen(chart) == ["p", "cusum"]
    assert chart.specs == (qe.P(), qe.CountCusum())
    assert chart.spec_of.tolist() == [0, 1]
    many, few = reasons(chart)
    assert many == "p chart: about 31 expected events a month: a rise and a fall can show."
    start = "CUSUM chart of counts: with about 0.5 expected events a month "
    assert few == start + "a p chart could not show a fall."
    assert chart.why == (many, few)
    kinds = chart.method["kinds"]
    assert kinds[["kind", "reason"]].to_numpy().tolist() == [["p", many], ["cusum", few]]
    assert [made["spec"] for made in chart.method["chart"]] == ["P", "CountCusum"]


@pytest.mark.parametrize(
    ("kind", "exposure", "points"), [("proportion", 14, "p"), ("rate", 14, "u"), ("count", None, "c")]
)
def test_every_kind_of_count(make_series: Make, kind: str, exposure: int | None, points: str) -> None:
    few = qe.control_chart(make_series(FEW, exposure, kind=kind))
    assert few.specs == (qe.CountCusum(),)
    assert reasons(few)[0].endswith(f"a {points} chart could not show a fall.")
    many = qe.control_chart(make_series(USUAL, None if exposure is None else 300, kind=kind))
    assert chosen(many) == [points]


def test_nearly_all_births_with_the_event_are_the_mirror_image(make_series: Make) -> None:
    chart = qe.control_chart(make_series([14 - x for x in FEW], 14))
    assert chosen(chart) == ["cusum"]
    assert reasons(chart)[0].endswith("a p chart could not show a rise.")


def test_what_could_show_is_what_exact_tails_say(make_series: Make) -> None:
    """A fall can show where no event at all is rarer than the tail, or where a point is a fair coin."""
    for births_a_month in (12, 20, 28, 60, 150, 300):
        for events in (1, 2, 4, 8):
            numbers = [events, events, events + 1, events - 1] * 6
            chart = qe.control_chart(make_series(numbers, births_a_month))
            rate = events / births_a_month
            single = binom.pmf(0, births_a_month, rate) < 0.00135
            above = binom.sf(events, births_a_month, rate)
            below = binom.cdf(events - 1, births_a_month, rate)
            fair = 0.4 <= above / (above + below) <= 0.6
            assert chosen(chart) == ["p" if single or fair else "cusum"], (births_a_month, events)


def test_without_runs_tests_among_the_rules_one_point_must_do(make_series: Make) -> None:
    numbers = [2, 1, 2, 3] * 6
    series = make_series(numbers, 28)
    assert chosen(qe.control_chart(series)) == ["p"]
    assert chosen(qe.control_chart(series, rules="making_data_count")) == ["p"]
    alone = qe.control_chart(series, rules="shewhart")
    assert chosen(alone) == ["cusum"]
    assert "a p chart could not show a fall" in reasons(alone)[0]


def test_rules_without_limits_leave_the_chart_of_points(make_series: Make) -> None:
    """The arms of a CUSUM signal by their thresholds and by nothing else."""
    chart = qe.control_chart(make_series(FEW, 14), rules="anhoej")
    assert chosen(chart) == ["p"]
    assert reasons(chart) == ["p chart: the rules compare no point with limits."]


def test_overlapping_periods_are_not_added_up(make_series: Make) -> None:
    chart = qe.control_chart(make_series(FEW, 14, window=3))
    assert chosen(chart) == ["p"]
    assert "periods share births" in reasons(chart)[0]


@pytest.mark.parametrize("events", [0, 14])
def test_no_events_or_nothing_but_events_give_nothing_to_reckon_with(make_series: Make, events: int) -> None:
    chart = qe.control_chart(make_series([events] * 24, 14))
    assert chosen(chart) == ["p"]
    assert "can show" not in reasons(chart)[0]
    assert not chart.points["special_cause"].any()


def test_a_stratum_without_points(make_series: Make) -> None:
    numbers = np.array([USUAL, [None] * 24], dtype=object)
    chart = qe.control_chart(make_series(numbers, 300))
    assert chosen(chart) == ["p", "p"]
    assert reasons(chart)[1] == "p chart: no points yet."


def test_recent_denominators_decide(make_series: Make) -> None:
    grown = qe.control_chart(make_series([*FEW[:12], *USUAL[:12]], [5] * 12 + [300] * 12))
    shrunk = qe.control_chart(make_series([*USUAL[:12], *FEW[:12]], [300] * 12 + [4] * 12))
    assert (chosen(grown), chosen(shrunk)) == (["p"], ["cusum"])


def test_groups_with_a_common_line_have_the_same_kind(make_series: Make) -> None:
    chart = qe.control_chart(make_series([USUAL, FEW], [[300], [14]]), limits="common")
    assert chosen(chart) == ["p", "p"]
    assert reasons(chart)[0] == "p chart: the groups share a centre line."


def test_births_between_events_need_their_order() -> None:
    """Short gaps never signal on a g chart, and where most are of one birth no runs test is given either."""
    chart = qe.control_chart(gaps(births({"common": 0.75, "rare": 0.02})))
    assert chosen(chart) == ["bernoulli_cusum", "g"]
    assert chart.specs == (qe.G(), qe.BernoulliCusum())
    common, rare = reasons(chart)
    assert common.startswith("Bernoulli CUSUM chart: with about ")
    assert common.endswith(" births a gap a g chart could not show a fall.")
    assert rare.startswith("g chart: about ")
    points = chart.points
    arms = {site: set(points.loc[points["site"] == site, "arm"]) for site in points["site"].cat.categories}
    assert arms == {"common": {"low", "high"}, "rare": {"both"}}


def test_whole_days_are_counted_and_times_are_not() -> None:
    records = births({"A": 0.1}, every="8h")
    whole = gaps(records.assign(born=records["born"].dt.normalize()), unit="days")
    chart = qe.control_chart(whole)
    assert (whole.cells.value == 0).any()
    assert chart.specs == (qe.G(smallest=0),)
    assert reasons(chart) == ["g chart: whole days between events, which are counted from 0."]
    by_time = qe.control_chart(gaps(records, unit="days"))
    assert by_time.specs == (qe.T(),)
    assert reasons(by_time) == ["t chart: time between events."]


def measured(columns: dict[str, Any]) -> qe.StratifiedSeries:
    months = pd.date_range("2022-01-01", periods=24, freq="MS").strftime("%Y-%m")
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"month": [*months] * 2, "group": ["A"] * 24 + ["B"] * 24})
    frame["value"] = rng.normal(5, 1, 48)
    frame = frame.assign(**columns)
    return qe.from_counts(
        frame,
        qe.Measure("Mean", "mean", "lower"),
        period="month",
        value="value",
        group="group",
        **{column: column for column in columns if column in ("sd", "range")},
        **({"denominator": "births"} if "births" in columns else {}),
    )


@pytest.mark.parametrize(
    ("columns", "kind", "reason"),
    [
        ({}, "i", "no more is known"),
        ({"sd": 1.0}, "i", "no more is known"),
        ({"births": 9}, "ip", "sizes of the subgroups are known"),
        ({"births": 9, "range": 2.0}, "ip", "sizes of the subgroups are known"),
        ({"births": 9, "sd": 1.0}, "xbar", "the spread within subgroups is known"),
    ],
)
def test_means_go_by_what_is_known_of_the_subgroups(columns: dict[str, Any], kind: str, reason: str) -> None:
    chart = qe.control_chart(measured(columns))
    assert chosen(chart) == [kind, kind]
    assert all(reason in why for why in reasons(chart))


def test_means_are_chosen_for_each_stratum() -> None:
    one_by_one = {"births": [9] * 24 + [1] * 24, "sd": [1.0] * 24 + [np.nan] * 24}
    chart = qe.control_chart(measured(one_by_one))
    assert chosen(chart) == ["xbar", "ip"]
    assert np.isfinite(chart.upper).all()
    empty = {**one_by_one, "value": [4.0, 5.0] * 12 + [np.nan] * 24}
    assert chosen(qe.control_chart(measured(empty))) == ["xbar", "xbar"]


def test_what_was_asked_for_has_no_reason(make_series: Make) -> None:
    chart = qe.control_chart(make_series(USUAL, 300), "p")
    assert reasons(chart) == [""]
    assert chart.why == ("",)


PARTS: dict[str, Any] = {
    "baseline": 12,
    "phases": pd.DataFrame({"group": ["B"], "start": ["2023-01"]}),
    "exclude": pd.DataFrame({"group": ["A", "C"], "period": ["2022-05", "2022-07"]}),
}


@pytest.fixture
def mixed(make_series: Make) -> qe.ControlChart:
    series = make_series([FEW, USUAL, [0, 0, 1] * 4 + [2, 3] * 6], [[14], [300], [14]])
    return qe.control_chart(series, **PARTS)


def test_strata_of_a_mixed_chart_are_as_in_charts_of_one_kind(mixed: qe.ControlChart) -> None:
    assert chosen(mixed) == ["cusum", "p", "cusum"]
    whole = {kind: qe.control_chart(mixed.series, kind, **PARTS) for kind in ("p", "cusum")}
    for row, kind in enumerate(chosen(mixed)):
        for name in ("centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s"):
            np.testing.assert_array_equal(
                getattr(mixed, name)[row], getattr(whole[kind], name)[row], err_msg=name
            )
        for arm in ("both", "low", "high"):
            np.testing.assert_array_equal(mixed.plotted[arm][row], whole[kind].plotted[arm][row])
        for key, mask in mixed.flags.items():
            np.testing.assert_array_equal(mask[row], whole[kind].flags[key][row])
        group = "ABC"[row]
        for name in ("points", "signals"):
            mine, theirs = (getattr(chart, name) for chart in (mixed, whole[kind]))
            pd.testing.assert_frame_equal(
                mine[mine["group"] == group].reset_index(drop=True),
                theirs[theirs["group"] == group].reset_index(drop=True),
            )
        # Expected false signals of all rows are those of this chart.
        mine, theirs = (c.summary().drop(columns="expected_false_signals_all") for c in (mixed, whole[kind]))
        pd.testing.assert_frame_equal(
            mine[mine["group"] == group].reset_index(drop=True),
            theirs[theirs["group"] == group].reset_index(drop=True),
        )
        for frame in ("icons", "alt_text"):
            mine, theirs = (getattr(c, frame)() for c in (mixed, whole[kind]))
            assert mine.loc[row].tolist() == theirs.loc[row].tolist()
    assert (mixed.signals["group"] == "C").any()


@pytest.mark.parametrize("group", ["A", "B"])
def test_kinds_can_have_different_numbers_of_phases(make_series: Make, group: str) -> None:
    series = make_series([FEW, USUAL], [[14], [300]])
    starts = pd.DataFrame({"group": [group, group], "start": ["2022-09", "2023-05"]})
    chart = qe.control_chart(series, phases=starts)
    assert chosen(chart) == ["cusum", "p"]
    wanted = [(name, k) for name in "AB" for k in ((1, 2, 3) if name == group else (1,))]
    summary = chart.summary()
    assert [tuple(row) for row in summary[["group", "phase"]].astype({"group": "str"}).to_numpy()] == wanted
    assert chart.few_crossings.shape == chart.runs.reason.shape == (2, 3)
    assert len(chart.notes) > 0
    assert qe.ControlChart.from_dict(json.loads(json.dumps(chart.to_dict()))).equals(chart)


def test_the_false_signals_of_a_mixed_chart_are_added_up(mixed: qe.ControlChart) -> None:
    summary = mixed.summary()
    assert summary[["group", "phase"]].to_numpy().tolist() == [["A", 1], ["B", 1], ["B", 2], ["C", 1]]
    total = summary["false_signal_probability"].sum()
    assert summary["expected_false_signals_all"].tolist() == pytest.approx([total] * 4)


def test_a_mixed_chart_survives_json(mixed: qe.ControlChart) -> None:
    again = qe.ControlChart.from_dict(json.loads(json.dumps(mixed.to_dict())))
    assert again.equals(mixed)
    assert again.kind == "mixed"
    assert again.why == mixed.why
    pd.testing.assert_frame_equal(again.points, mixed.points, check_dtype=False)
    pd.testing.assert_frame_equal(again.signals, mixed.signals, check_dtype=False)
    pd.testing.assert_frame_equal(again.summary(), mixed.summary(), check_dtype=False)
    pd.testing.assert_frame_equal(again.kinds, mixed.kinds, check_dtype=False)


def test_what_is_selected_of_a_mixed_chart_keeps_its_kinds(mixed: qe.ControlChart) -> None:
    for group, kinds in (("B", ["p"]), (["A", "C"], ["cusum", "cusum"]), (["B", "C"], ["p", "cusum"])):
        part = mixed.select(group=group)
        assert chosen(part) == kinds
        wanted = mixed.points[mixed.points["group"].isin([group] if isinstance(group, str) else group)]
        pd.testing.assert_frame_equal(part.points, wanted.reset_index(drop=True), check_categorical=False)
        assert reasons(part) == [why for why, name in zip(mixed.why, "ABC", strict=True) if name in group]
        again = qe.ControlChart.from_dict(json.loads(json.dumps(part.to_dict())))
        assert again.equals(part)
    assert mixed.select(group="B").kind == "p"
    assert mixed.select(group=["A", "C"]).kind == "cusum"
    assert mixed.select(group=["A", "C"]).specs == (qe.CountCusum(),)


def test_a_mixed_chart_of_gaps_survives_json() -> None:
    chart = qe.control_chart(gaps(births({"common": 0.75, "rare": 0.02})))
    assert qe.ControlChart.from_dict(json.loads(json.dumps(chart.to_dict()))).equals(chart)
    assert chosen(chart.select(site="common")) == ["bernoulli_cusum"]
    assert len(chart.summary()) == 2


def test_two_events_in_one_moment_are_no_time_between_events() -> None:
    """Twins, both with the event: a chart of times cannot take 0, and order is known all the same."""
    records = births({"common": 0.1})
    events = records.index[records["died"] == 1]
    records.loc[events[4], "born"] = records.loc[events[3], "born"]
    series = gaps(records, unit="days")
    assert (series.cells.value == 0).any()
    chart = qe.control_chart(series)
    assert chosen(chart) == ["bernoulli_cusum"]
    assert "share a moment" in reasons(chart)[0]
