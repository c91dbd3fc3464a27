"""Targets that change: from a date on, by stratum, in the unit of the measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import qi_equity as qe
from qi_equity.spc.targets import targets_of

Make = Callable[..., qe.StratifiedSeries]

NUMBERS = np.tile([5, 6, 4, 7], (2, 3))


def steps(frame: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(frame)


def test_a_number_holds_at_every_point(make_series: Make) -> None:
    series = make_series(NUMBERS, 50)
    assert (targets_of(series, 0.2)[0] == np.full((2, 12), 0.2)).all()
    assert np.isnan(targets_of(series, None)[0]).all()
    assert qe.run_chart(series, target=0.2).target == 0.2


def test_a_target_holds_from_its_start_on_until_the_next(make_series: Make) -> None:
    frame = steps({"start": ["2022-09", "2022-04"], "target": [0.1, 0.2]})
    for draw in (qe.control_chart, qe.run_chart):
        chart = draw(make_series(NUMBERS, 50), target=frame)
        wanted = [np.nan] * 3 + [0.2] * 5 + [0.1] * 4
        np.testing.assert_array_equal(chart.targets, [wanted] * 2)
        assert chart.target is None
        assert not chart.targets.flags.writeable


def test_before_the_first_start_the_measures_target_holds(make_series: Make) -> None:
    measure = qe.Measure("Test", "proportion", "lower", target=0.3)
    series = make_series(NUMBERS, 50, measure=measure)
    frame = steps({"start": ["2022-03"], "target": [0.1], "group": ["B"]})
    targets, _ = targets_of(series, frame)
    np.testing.assert_array_equal(targets, [[0.3] * 12, [0.3] * 2 + [0.1] * 10])


def test_strata_have_their_own_and_an_empty_cell_means_all(make_series: Make) -> None:
    series = make_series(
        np.tile([5, 6, 4, 7], (4, 1)), 50, groups=["A", "B", "A", "B"], sites=["N", "N", "S", "S"]
    )
    frame = steps(
        {
            "start": ["2022-01", "2022-02", "2022-03", "2022-04"],
            "site": [None, "N", "S", "S"],
            "group": ["", None, "B", "A"],
            "target": ["0.1", " 0.2 ", 0.3, 0.4],
        }
    )
    targets, _ = targets_of(series, frame)
    found = series.cells.strata.astype("str").assign(last=targets[:, -1], first=targets[:, 0])
    assert found.set_index(["site", "group"])["last"].to_dict() == {
        ("N", "A"): 0.2,
        ("N", "B"): 0.2,
        ("S", "A"): 0.4,
        ("S", "B"): 0.3,
    }
    assert (found["first"] == 0.1).all()


def test_a_target_from_before_the_series_holds_from_its_first_point(make_series: Make) -> None:
    frame = steps({"start": ["2015-04", "2019-04"], "target": [0.3, 0.2]})
    assert qe.control_chart(make_series(NUMBERS, 50), target=frame).target == 0.2


def test_a_date_inside_a_period_counts_from_its_start_and_says_so(make_series: Make) -> None:
    chart = qe.control_chart(
        make_series(NUMBERS, 50), target=steps({"start": ["2022-03-15"], "target": [0.2]})
    )
    np.testing.assert_array_equal(np.isnan(chart.targets[0]), [True] * 2 + [False] * 10)
    (said,) = chart.notes.loc[chart.notes["code"] == "date_inside_period", "text"]
    assert said == "A target that starts on 2022-03-15 counts from the start of its month, 2022-03."


def test_frames_of_other_libraries_give_the_same(make_series: Make) -> None:
    series = make_series(NUMBERS, 50)
    frame = steps({"start": ["2022-03", "2022-06"], "target": [0.2, 0.1], "group": ["A", "B"]})
    np.testing.assert_array_equal(
        targets_of(series, frame)[0], targets_of(series, pl.from_pandas(frame).lazy())[0]
    )


def between() -> qe.StratifiedSeries:
    records = pd.DataFrame({"date": pd.date_range("2022-01-01", periods=40, freq="D"), "unit": "N"})
    records["event"] = [day % 4 == 0 for day in range(20)] + [day % 10 == 0 for day in range(20)]
    other = records.assign(unit="S", event=[day % 15 == 0 for day in range(40)])
    return qe.between_events(
        pd.concat([records, other]),
        qe.Measure("Births between", "between", "higher"),
        date="date",
        event="event",
        site="unit",
    )


def test_times_between_events_have_the_target_of_their_day() -> None:
    series = between()
    frame = steps({"start": ["2022-01-10", "2022-02-09"], "target": [8, 9]})
    chart = qe.control_chart(series, "g", target=frame)
    dates = chart.series.cells.periods
    there = ~np.isnat(dates)
    wanted = np.select(
        [dates >= np.datetime64("2022-02-09"), dates >= np.datetime64("2022-01-10")], [9.0, 8.0], np.nan
    )
    np.testing.assert_array_equal(chart.targets[there], wanted[there])


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"start": ["soon"], "target": [0.2]}, "not a date or period that can be read"),
        ({"start": ["2023-01"], "target": [0.2]}, "lies after the series"),
        ({"start": ["2022-02"], "target": [2]}, "target=2.0 is not allowed for a proportion"),
        ({"start": ["2022-02"], "target": ["low"]}, "has no number as its target"),
        ({"start": ["2022-02"], "target": [None]}, "has no number as its target"),
        ({"start": ["2022-02"], "target": [float("inf")]}, "has no number as its target"),
        (
            {"start": ["2022-02"], "target": [0.2], "group": ["C"]},
            "names a group that the series does not have",
        ),
        ({"start": ["2022-02", "2022-02-03"], "target": [0.2, 0.1], "group": ["A", None]}, "starts together"),
    ],
)
def test_targets_that_cannot_be_used_are_refused(
    make_series: Make, frame: dict[str, Any], message: str
) -> None:
    with pytest.raises(qe.DataError, match=message):
        qe.control_chart(make_series(NUMBERS, 50), target=steps(frame))


def test_all_bad_rows_come_at_once(make_series: Make) -> None:
    frame = steps(
        {
            "start": ["2022-02", "2022-99", "2022-03", "2022-04"],
            "target": [0.2, 0.2, -1, 0.1],
            "group": ["A", "A", "A", "Z"],
        }
    )
    with pytest.raises(qe.DataError, match=r"3 bad row\(s\) in target") as caught:
        qe.control_chart(make_series(NUMBERS, 50), target=frame)
    assert caught.value.bad_rows.index.tolist() == [1, 2, 3]


@pytest.mark.parametrize("target", ["3 %", [0.1, 0.2], {"start": "2022-01"}])
def test_what_is_neither_number_nor_frame_is_refused(make_series: Make, target: Any) -> None:
    with pytest.raises(
        qe.InputTypeError, match="give a number, or a frame with columns 'start' and 'target'"
    ):
        qe.control_chart(make_series(NUMBERS, 50), target=target)


@pytest.mark.parametrize("target", [True, float("nan"), 2])
def test_numbers_are_checked_as_those_of_the_measure(make_series: Make, target: Any) -> None:
    with pytest.raises((qe.OptionError, qe.InputTypeError), match="target="):
        qe.control_chart(make_series(NUMBERS, 50), target=target)


def test_a_frame_without_its_columns_is_refused(make_series: Make) -> None:
    series = make_series(NUMBERS, 50)
    with pytest.raises(qe.ColumnError, match="target='target' is not a column"):
        qe.control_chart(series, target=steps({"start": ["2022-02"]}))
    with pytest.raises(qe.ColumnError, match=r"target has columns \['goal'\] that mean nothing here"):
        qe.control_chart(series, target=steps({"start": ["2022-02"], "target": [0.1], "goal": [1]}))


def test_the_callers_frame_is_not_changed(make_series: Make) -> None:
    frame = steps({"start": ["2022-05", "2022-02"], "target": ["0.1", "0.2"]})
    before = frame.copy(deep=True)
    qe.control_chart(make_series(NUMBERS, 50), target=frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_assurance_goes_by_the_latest_target_and_the_last_limits(make_series: Make, better: str) -> None:
    numbers = np.array([[500, 510] * 6 + [100, 99] * 6] * 2)
    series = make_series(numbers, 1000, better=better)
    frame = steps(
        {"start": ["2022-01", "2023-06", "2023-06"], "target": [0.3, 0.1, 0.3], "group": [None, "A", "B"]}
    )
    icons = qe.control_chart(series, "p", phases="2023-01", target=frame).icons()
    other = {"lower": "pass", "higher": "fail"}[better]
    assert icons["assurance"].tolist() == ["inconsistent", other]
    assert icons.loc[0, "assurance_text"].startswith("The latest target 10 % lies within the limits (7")
    assert icons.loc[1, "assurance_text"].endswith("side of the target 30 %.")


def test_a_stratum_without_a_target_has_no_assurance(make_series: Make) -> None:
    frame = steps({"start": ["2022-01"], "target": [0.9], "group": ["A"]})
    icons = qe.control_chart(make_series(NUMBERS, 50), "p", target=frame).icons()
    assert icons["assurance"].astype(object).fillna("none").tolist() == ["pass", "none"]
    assert icons.loc[1, "assurance_text"] == "No target."


def test_targets_compose_with_phases_baseline_and_exclusions_by_stratum_and_date(make_series: Make) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.binomial(200, [[0.1], [0.1], [0.1]], (3, 36))
    series = make_series(numbers, 200)
    phases = steps({"group": ["A", "B"], "start": ["2023-01", "2023-07"], "reason": ["one", "two"]})
    exclude = steps({"group": ["A", "C"], "period": ["2023-02", "2022-02"], "reason": ["x", "y"]})
    target = steps({"group": ["A", None], "start": ["2023-05", "2022-01"], "target": [0.05, 0.2]})
    together = qe.control_chart(series, "p", phases=phases, exclude=exclude, baseline=10, target=target)
    alone = {
        "A": {"phases": "2023-01", "exclude": "2023-02", "target": target[["start", "target"]]},
        "B": {"phases": "2023-07", "target": 0.2},
        "C": {"exclude": "2022-02", "target": 0.2},
    }
    for k, (group, options) in enumerate(alone.items()):
        one = qe.control_chart(series.select(group=group), "p", baseline=10, **options)
        for name in ("centre_line", "lower", "upper", "targets"):
            np.testing.assert_array_equal(getattr(one, name)[0], getattr(together, name)[k])
        np.testing.assert_array_equal(one.timeline.baseline[0], together.timeline.baseline[k])
        for key, flags in one.flags.items():
            np.testing.assert_array_equal(flags[0], together.flags[key][k])
        assert one.icons().iloc[0, 1:].fillna("").tolist() == together.icons().iloc[k, 1:].fillna("").tolist()
    used = np.r_[12, 14:22]
    np.testing.assert_allclose(together.centre_line[0, 12], numbers[0, used].sum() / (200 * 9), rtol=1e-12)
    assert together.targets[0, [15, 16]].tolist() == [0.2, 0.05]


def test_a_chart_of_some_strata_and_a_saved_one_keep_the_targets(make_series: Make) -> None:
    frame = steps({"start": ["2022-02", "2022-05"], "target": [0.2, 0.1], "group": ["A", "B"]})
    chart = qe.control_chart(make_series(NUMBERS, 50), "p", target=frame)
    assert chart.select(group="B").targets[0, -1] == 0.1
    again = qe.ControlChart.from_dict(chart.to_dict())
    np.testing.assert_array_equal(again.targets, chart.targets)
