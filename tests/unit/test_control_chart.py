"""Control charts: lines, phases, baselines, exclusions, statuses, options, saving."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import qi_equity as qe
from qi_equity import _result
from qi_equity.data.cells import PROVISIONAL

Make = Callable[..., qe.StratifiedSeries]

# Montgomery, 6th ed., table 7.1: orange juice cans, samples of 50.
JUICE = [
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12,
    7, 13, 9, 6,
]  # fmt: skip
EVENTS = [
    5, 8, 6, 4, 9, 7, 5, 6, 8, 3, 7, 6, 5, 9, 4, 6, 7, 8, 5, 6, 4, 7, 9, 5,
]  # fmt: skip
COLUMNS = [
    "group",
    "period",
    "phase",
    "arm",
    "numerator",
    "denominator",
    "value",
    "status",
    "centre_line",
    "sigma",
    "lower",
    "upper",
    "lower_2s",
    "upper_2s",
    "baseline",
    "excluded",
    "special_cause",
    "improvement",
    "concern",
]


def flagged(chart: qe.ControlChart, rule: str, side: str) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in chart.flags[rule, side]]


def provisional(series: qe.StratifiedSeries, *positions: int) -> qe.StratifiedSeries:
    status = series.cells.status.copy()
    status[:, list(positions)] = PROVISIONAL
    return replace(series, cells=replace(series.cells, status=status))


def test_the_textbook_p_chart(make_series: Make) -> None:
    chart = qe.control_chart(make_series(JUICE, 50), qe.P(limits="classical"), rules="shewhart")
    point = chart.points.iloc[0]
    wanted = (0.231333, 0.0524275, 0.4102391)
    assert tuple(point[["centre_line", "lower", "upper"]]) == pytest.approx(wanted, abs=2e-6)
    assert flagged(chart, "beyond_limits", "high") == [[14, 22]]


def test_the_textbook_p_chart_without_two_samples(make_series: Make) -> None:
    """Samples 15 and 23 are left out of the limits, still compared, and sample 21 signals as well."""
    months = ["2023-03", "2023-11"]
    chart = qe.control_chart(
        make_series(JUICE, 50), qe.P(limits="classical"), rules="shewhart", exclude=months
    )
    point = chart.points.iloc[0]
    wanted = (0.215, 0.0407028, 0.3892972)
    assert tuple(point[["centre_line", "lower", "upper"]]) == pytest.approx(wanted, abs=1e-6)
    assert flagged(chart, "beyond_limits", "high") == [[14, 20, 22]]
    assert np.flatnonzero(chart.points["excluded"]).tolist() == [14, 22]
    assert not chart.points.loc[[14, 22], "baseline"].any()


def test_exact_limits_signal_below_the_tail(make_series: Make) -> None:
    """Every count that is possible is judged by its own binomial tail."""
    births = 40
    for count in range(births + 1):
        series = make_series([*EVENTS, count], [*[40] * 24, births])
        chart = qe.control_chart(series, baseline=24, rules="shewhart")
        rate = sum(EVENTS) / (24 * 40)
        assert chart.centre_line[0, 0] == pytest.approx(rate)
        assert chart.flags["beyond_limits", "high"][0, -1] == (binom.sf(count - 1, births, rate) < 0.00135)
        assert chart.flags["beyond_limits", "low"][0, -1] == (binom.cdf(count, births, rate) < 0.00135)


@pytest.mark.parametrize("kind", ["proportion", "rate", "count", "mean"])
def test_auto_draws_each_kind_of_measure(make_series: Make, kind: str) -> None:
    births = 50 if kind in ("proportion", "rate") else None
    chart = qe.control_chart(make_series(EVENTS, births, kind=kind))
    assert chart.kind == {"proportion": "p", "rate": "u", "count": "c", "mean": "i"}[kind]
    assert list(chart.points.columns) == COLUMNS
    assert len(chart.points) == 24
    assert chart.points["phase"].eq(1).all()
    assert chart.points["value"].tolist() == pytest.approx(
        [x / births for x in EVENTS] if births else [float(x) for x in EVENTS]
    )


def test_individuals_of_proportions_when_asked(make_series: Make) -> None:
    series = make_series(EVENTS, 50)
    chart = qe.control_chart(series, "i")
    values = np.array(EVENTS) / 50
    spread = 3 * np.abs(np.diff(values)).mean() * np.sqrt(np.pi) / 2
    assert chart.centre_line[0, 0] == pytest.approx(values.mean())
    assert chart.upper[0, 0] == pytest.approx(values.mean() + spread)


def test_phases_have_lines_of_their_own(make_series: Make) -> None:
    chart = qe.control_chart(make_series(EVENTS * 2, 50), phases=["2023-01", "2024-01-15"])
    points = chart.points
    assert points.groupby("phase").size().tolist() == [12, 12, 24]
    for phase, rows in points.groupby("phase"):
        alone = qe.control_chart(make_series(rows["numerator"], 50))
        for column in ("centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s"):
            np.testing.assert_array_equal(rows[column], alone.points[column], err_msg=f"{column} {phase}")
    assert "date_inside_period" in set(chart.notes["code"])


@pytest.mark.parametrize("kind", ["i", "p"])
def test_a_baseline_of_k_gives_the_lines_of_the_first_k(make_series: Make, kind: str) -> None:
    frozen = qe.control_chart(make_series(EVENTS, 50), kind, baseline=10)
    alone = qe.control_chart(make_series(EVENTS[:10], 50), kind)
    for line in ("centre_line", "lower", "upper"):
        np.testing.assert_allclose(getattr(frozen, line)[:, :10], getattr(alone, line), rtol=1e-12)
    assert frozen.points["baseline"].sum() == 10


def test_a_baseline_can_end_at_a_date(make_series: Make) -> None:
    series = make_series(EVENTS, 50)
    by_date, by_number = (qe.control_chart(series, baseline=b) for b in ("2022-10-31", 10))
    np.testing.assert_array_equal(by_date.centre_line, by_number.centre_line)


def test_a_missing_value_takes_both_its_moving_ranges(make_series: Make) -> None:
    values = [1.0, 2, None, 9, 10, 11]
    chart = qe.control_chart(make_series(values, kind="mean"))
    assert chart.sigma[0, 0] == pytest.approx(1 * np.sqrt(np.pi) / 2)


def test_an_excluded_value_makes_its_neighbours_consecutive(make_series: Make) -> None:
    values = [1.0, 2, 99, 3, 4, 5]
    chart = qe.control_chart(make_series(values, kind="mean"), exclude="2022-03", rules="shewhart")
    assert chart.sigma[0, 0] == pytest.approx(1 * np.sqrt(np.pi) / 2)
    assert flagged(chart, "beyond_limits", "high") == [[2]]


def test_suppressed_and_missing_points_are_nowhere(make_series: Make) -> None:
    numbers = np.array(EVENTS, dtype=object)
    numbers[3], numbers[7] = "*", None
    chart = qe.control_chart(make_series(numbers, 50))
    known = [x for t, x in enumerate(EVENTS) if t not in (3, 7)]
    assert chart.centre_line[0, 0] == pytest.approx(sum(known) / (22 * 50))
    points = chart.points
    assert points["status"].tolist()[3:8] == ["suppressed", "observed", "observed", "observed", "missing"]
    assert points.loc[[3, 7], ["special_cause", "baseline"]].to_numpy().sum() == 0
    assert points.loc[[3, 7], "value"].isna().all()
    assert points.loc[3, "upper"] == points.loc[4, "upper"]
    assert chart.summary()["n_points"].tolist() == [22]


def test_provisional_points_are_drawn_but_not_judged(make_series: Make) -> None:
    series = provisional(make_series([*EVENTS, 40], 50), 24)
    chart, without = qe.control_chart(series), qe.control_chart(make_series(EVENTS, 50))
    last = chart.points.iloc[-1]
    assert (last["status"], last["value"], last["special_cause"]) == ("provisional", 0.8, False)
    assert last["upper"] < last["value"]
    assert chart.centre_line[0, 0] == without.centre_line[0, 0]
    assert chart.summary()["n_useful"].tolist() == without.summary()["n_useful"].tolist()


def test_months_without_births_have_a_line_and_no_limits(make_series: Make) -> None:
    chart = qe.control_chart(make_series([*EVENTS, 0], [*[50] * 24, 0]))
    last = chart.points.iloc[-1]
    assert last["centre_line"] == pytest.approx(sum(EVENTS) / 1200)
    assert last[["value", "lower", "upper"]].isna().all()
    assert (last["status"], last["special_cause"]) == ("observed", False)


def test_common_limits_pool_the_groups_of_a_site(make_series: Make) -> None:
    numbers = [EVENTS, [2 * x for x in EVENTS], [3 * x for x in EVENTS]]
    births = np.array([[50], [60], [90]]) * np.ones(24, dtype=int)
    series = make_series(numbers, births, groups=["A", "B", "A"], sites=["X", "X", "Y"])
    chart = qe.control_chart(series, limits="common", rules="shewhart")
    events = sum(EVENTS)
    names = map(tuple, chart.strata.astype("str").to_numpy().tolist())
    observed = dict(zip(names, chart.centre_line[:, 0].tolist(), strict=True))
    assert observed["X", "A"] == pytest.approx(3 * events / (24 * 110))
    assert observed["X", "B"] == pytest.approx(3 * events / (24 * 110))
    assert observed["Y", "A"] == pytest.approx(3 * events / (24 * 90))
    widths = chart.upper - chart.centre_line
    assert widths[0, 0] > widths[1, 0]


def test_common_limits_leave_out_what_is_not_known(make_series: Make) -> None:
    numbers = np.array([EVENTS, EVENTS], dtype=object)
    numbers[1, 5] = "*"
    chart = qe.control_chart(make_series(numbers, 50), limits="common")
    assert chart.centre_line[0, 0] == pytest.approx((2 * sum(EVENTS) - EVENTS[5]) / (47 * 50))


def test_common_limits_are_for_events_and_births(make_series: Make) -> None:
    for kind, births in (("count", None), ("mean", None)):
        with pytest.raises(
            qe.OptionError, match=r"limits='common' is not allowed with kind='.'.*Use limits='own'"
        ):
            qe.control_chart(make_series(EVENTS, births, kind=kind), limits="common")
    with pytest.raises(qe.OptionError, match=r"limits='shared' is not allowed; use one of 'own', 'common'"):
        qe.control_chart(make_series(EVENTS, 50), limits="shared")


def test_common_limits_need_common_phases(make_series: Make) -> None:
    phases = pd.DataFrame({"group": ["A"], "start": ["2023-01"]})
    with pytest.raises(qe.OptionError, match=r"limits='common' is not allowed with phases that differ"):
        qe.control_chart(make_series([EVENTS, EVENTS], 50), limits="common", phases=phases)
    chart = qe.control_chart(make_series([EVENTS, EVENTS], 50), limits="common", phases="2023-01")
    assert len(np.unique(chart.centre_line[0])) == 2


def test_common_limits_are_refused_where_a_woman_is_in_several_groups() -> None:
    scheme = qe.Scheme.load("nz-level-1-total")
    frame = pd.DataFrame(
        {"group": scheme.known(scheme.groupings[0])[0], "month": ["2024-01"], "e": 3, "n": 60}
    )
    series = qe.from_counts(frame, qe.Measure("Test", "proportion", "lower"), period="month", numerator="e",
                            denominator="n", group="group", scheme=scheme)  # fmt: skip
    with pytest.raises(qe.OptionError, match=r"scheme 'nz-level-1-total': a woman can be in several groups"):
        qe.control_chart(series, limits="common")


def test_a_baseline_without_events_judges_no_point(make_series: Make) -> None:
    """None in 36 births is compatible with a rate of 8 %: the first event is no signal."""
    chart = qe.control_chart(make_series([*[0] * 12, 1, 0, 1], 3), baseline=12)
    assert not chart.points["special_cause"].any()
    assert chart.summary()["runs_tests"].tolist() == ["no events in the baseline"]
    assert chart.notes["code"].tolist().count("no_events_in_baseline") == 1
    full = qe.control_chart(make_series([*[50] * 12, 49], 50), baseline=12)
    assert not full.points["special_cause"].any()
    assert "nothing but events" in full.notes.set_index("code").loc["no_events_in_baseline", "text"]


def test_the_target_is_checked_and_defaults_to_that_of_the_measure(make_series: Make) -> None:
    measure = qe.Measure("Asked", "proportion", "higher", target=0.9)
    series = make_series(EVENTS, 50, measure=measure)
    assert qe.control_chart(series).target == 0.9
    assert qe.control_chart(series, target=0.8).target == 0.8
    with pytest.raises(
        qe.OptionError, match=r"target=95 is not allowed for a proportion; give a number >= 0 and <= 1"
    ):
        qe.control_chart(series, target=95)


def test_something_else_than_a_series_is_refused() -> None:
    with pytest.raises(
        qe.InputTypeError, match=r"series is of type DataFrame; make a StratifiedSeries with from_"
    ):
        qe.control_chart(pd.DataFrame())


def test_frames_are_copied_out(make_series: Make) -> None:
    chart = qe.control_chart(make_series(EVENTS, 50))
    for name in ("points", "signals", "notes", "strata"):
        frame = getattr(chart, name)
        frame["group"] = "changed"
        assert not getattr(chart, name)["group"].eq("changed").any()
    summary = chart.summary()
    summary["phase"] = 9
    assert chart.summary()["phase"].tolist() == [1]
    with pytest.raises(FrozenInstanceError):
        chart.rules = "nelson"


def test_the_method_says_what_was_done(make_series: Make) -> None:
    chart = qe.control_chart(make_series(EVENTS, 50), phases="2023-01", exclude="2022-03", baseline=10)
    method = chart.method
    (spec,) = method["chart"]
    assert (spec["kind"], spec["spec"], spec["limits"]) == ("p", "P", "exact")
    assert method["kinds"]["kind"].tolist() == ["p"]
    assert method["kinds"]["reason"].str.contains("a fall can show over several points only").all()
    assert method["tail"] == 0.00135
    assert [t["test"] for t in method["rules"]["tests"]] == ["longest_run", "crossings", "beyond_limits"]
    assert method["baseline"] == "10"
    assert method["phases"]["phase"].tolist() == [1, 2]
    assert len(method["exclusions"]) == 1
    assert method["library"].startswith("qi_equity ")
    assert method["runs_tests"]["chance_between"] == [0.4, 0.6]


@pytest.mark.parametrize(
    ("kind", "rules"),
    [("auto", "anhoej+shewhart"), ("i", "making_data_count"), (qe.P("classical"), "shewhart")],
)
def test_a_chart_survives_json(make_series: Make, kind: object, rules: str) -> None:
    numbers = np.array([EVENTS, EVENTS[::-1]], dtype=object)
    numbers[0, 4] = "*"
    chart = qe.control_chart(
        make_series(numbers, 50), kind, rules=rules, phases="2023-01", exclude="2022-02", target=0.1
    )
    again = qe.ControlChart.from_dict(json.loads(json.dumps(chart.to_dict())))
    assert again.equals(chart)
    assert chart.equals(again)
    for frame in ("points", "signals"):
        pd.testing.assert_frame_equal(getattr(again, frame), getattr(chart, frame), check_dtype=False)
    assert (
        again.notes[["code", "text"]].to_numpy().tolist() == chart.notes[["code", "text"]].to_numpy().tolist()
    )
    pd.testing.assert_frame_equal(again.summary(), chart.summary(), check_dtype=False)
    assert again.method["rules"] == chart.method["rules"]


def test_charts_that_differ_are_not_equal(make_series: Make) -> None:
    series = make_series(EVENTS, 50)
    chart = qe.control_chart(series)
    assert chart.equals(qe.control_chart(series))
    assert not chart.equals(qe.control_chart(series, rules="shewhart"))
    assert not chart.equals(qe.control_chart(series, phases="2023-01"))
    assert not chart.equals(qe.control_chart(make_series(EVENTS[::-1], 50)))
    assert not chart.equals("a chart")


def test_another_type_or_format_is_not_read(make_series: Make) -> None:
    series = make_series(EVENTS, 50)
    with pytest.raises(qe.DataError, match=r"'StratifiedSeries' in format 2; wanted is 'ControlChart' in f"):
        qe.ControlChart.from_dict(series.to_dict())
    with pytest.raises(qe.DataError, match=r"'ControlChart' in format 99"):
        qe.ControlChart.from_dict({**qe.control_chart(series).to_dict(), "format": 99})


def test_selecting_keeps_every_number(make_series: Make) -> None:
    numbers = [EVENTS, EVENTS[::-1], [30, *EVENTS[1:]]]
    series = make_series(numbers, 50, groups=["A", "B", "A"], sites=["X", "X", "Y"])
    phases = pd.DataFrame({"site": ["X"], "start": ["2023-01"], "reason": ["training"]})
    chart = qe.control_chart(series, phases=phases)
    part = chart.select(site="X", group="B")
    whole = chart.points
    wanted = whole[(whole["site"] == "X") & (whole["group"] == "B")].reset_index(drop=True)
    pd.testing.assert_frame_equal(part.points, wanted, check_categorical=False)
    assert part.method["phases"]["reason"].tolist() == ["", "training"]
    assert len(chart.select(site="Y").signals) == len(chart.signals[chart.signals["site"] == "Y"])
    with pytest.raises(qe.OptionError, match=r"group='Z' is not allowed; use one of 'A', 'B'"):
        chart.select(group="Z")


def test_strata_alone_are_as_together(make_series: Make) -> None:
    rng = np.random.default_rng(6)
    numbers = rng.binomial(60, [[0.05], [0.2], [0.5]], (3, 24))
    together = qe.control_chart(make_series(numbers, 60), rules="making_data_count", phases="2023-03")
    for s, name in enumerate("ABC"):
        alone = qe.control_chart(
            make_series(numbers[s], 60, groups=[name]), rules="making_data_count", phases="2023-03"
        )
        part = together.points[together.points["group"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, alone.points, check_categorical=False)


def test_the_arrays_of_a_chart_cannot_be_written_to(make_series: Make) -> None:
    chart = qe.control_chart(make_series(EVENTS, 50))
    names = ("centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s", "few_crossings")
    for array in (*(getattr(chart, name) for name in names), *chart.flags.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


@pytest.mark.parametrize(
    "change",
    [
        {"limits": "theirs"},
        {"few_crossings": None},
        {"specs": [{"kind": "z", "spec": "Z"}]},
        {"specs": [{"kind": "p", "spec": "P", "smallest": 1}]},
        {"specs": []},
        {"spec_of": [1]},
        {"spec_of": [-1]},
        {"spec_of": [0, 0]},
        {"why": []},
        {"flags": []},
        {"flags": None},
        {"lines": {}},
        {"rules": {}},
        {"timeline": []},
        {"targets": "high"},
        {"plotted": {}},
        {"method": None},
    ],
)
def test_corrupted_data_are_not_read(make_series: Make, change: dict[str, object]) -> None:
    saved = qe.control_chart(make_series(EVENTS, 50)).to_dict()
    with pytest.raises(qe.DataError, match="These are not the data of a chart"):
        qe.ControlChart.from_dict({**saved, **change})


def test_parts_of_saved_charts_must_fit_together(make_series: Make) -> None:
    saved = qe.control_chart(make_series(EVENTS, 50)).to_dict()
    shorter = qe.control_chart(make_series(EVENTS[1:], 50)).to_dict()
    for part in ("series", "lines", "timeline", "flags"):
        with pytest.raises(qe.DataError, match="is of shape"):
            qe.ControlChart.from_dict({**saved, part: shorter[part]})
    without = {key: part for key, part in saved.items() if key != "runs"}
    with pytest.raises(qe.DataError, match="KeyError: 'runs'"):
        qe.ControlChart.from_dict(without)


def test_runs_tests_with_an_unknown_reason_are_not_read(make_series: Make) -> None:
    data = json.loads(json.dumps(qe.control_chart(make_series(EVENTS, 50), "p").to_dict()))
    chart = qe.control_chart(make_series(EVENTS, 50), "p")
    runs = replace(chart.runs, reason=np.full_like(chart.runs.reason, 99))
    data["runs"]["reason"] = _result.to_json(runs.reason)
    with pytest.raises(qe.DataError, match=r"reason of the runs tests holds numbers that are not in 0 to"):
        qe.ControlChart.from_dict(data)


@pytest.mark.parametrize("kind", ["p", "cusum", "ewma"])
def test_a_set_without_tests_judges_nothing_and_says_so(make_series: Make, kind: str) -> None:
    events = [5, 7, 4, 6] * 5 + [5, 7, 4, 40]
    chart = qe.control_chart(make_series(events, 90), kind, rules=qe.RuleSet("none", "1", "", ()))
    assert chart.signals.empty
    assert not chart.points["special_cause"].any()
    assert chart.summary()["false_signal_probability"].tolist() == [0.0]
    assert chart.icons()["variation_text"].tolist() == ["No rules are applied to this chart."]
    assert chart.alt_text()["text"][0].endswith("No rules applied.")
    assert qe.ControlChart.from_dict(chart.to_dict()).equals(chart)
