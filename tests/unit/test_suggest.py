"""Suggested phases: the run, the recorded change nearest to it, and that nothing is applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe

Make = Callable[..., qe.StratifiedSeries]

LOW = [14, 9, 12, 8, 15, 10, 13, 9, 12, 8, 14, 10]
HIGH = [24, 19, 22, 18, 23, 20, 25, 19, 22]
COLUMNS = [
    "group", "start", "end", "n_points", "side", "meaning", "centre_before", "centre_after",
    "change", "change_date", "change_periods", "change_before", "label", "reason",
]  # fmt: skip


def changes(*dates: str, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"date": dates, "label": [f"Change {k}" for k in range(len(dates))], **columns})


def shifted(make_series: Make, **options: Any) -> qe.StratifiedSeries:
    return make_series(LOW + HIGH, kind="count", **options)


def test_a_sustained_run_is_suggested_with_its_evidence(make_series: Make) -> None:
    chart = qe.run_chart(shifted(make_series), baseline=12)
    found = qe.suggest_phases(chart, changes=changes("2022-12-04"))
    assert list(found.columns) == COLUMNS
    (row,) = found.to_dict("records")
    assert (row["start"], row["end"]) == (pd.Timestamp("2023-01-01"), pd.Timestamp("2023-09-01"))
    assert (row["n_points"], row["side"], row["meaning"]) == (9, "high", "concern")
    assert (row["centre_before"], row["centre_after"]) == (11.0, 22.0)
    assert (row["change"], row["change_periods"], row["change_before"]) == ("Change 0", 1, True)
    assert row["label"] == "Change 0"
    assert row["reason"] == (
        "Change 0 (2022-12-04), 1 month before the run. 9 points in a row above the centre line of 11, "
        "2023-01 to 2023-09; theirs is 22."
    )


def test_columns_and_types_are_the_same_without_suggestions(make_series: Make) -> None:
    some = qe.suggest_phases(qe.run_chart(shifted(make_series), baseline=12), changes=changes("2022-12-04"))
    for given in (None, changes("2022-12-04")):
        none = qe.suggest_phases(qe.run_chart(make_series(LOW, kind="count")), changes=given)
        assert len(none) == 0
        assert none.dtypes.astype(str).to_dict() == some.dtypes.astype(str).to_dict()
    without = qe.suggest_phases(qe.run_chart(shifted(make_series), baseline=12))
    assert without.dtypes.astype(str).to_dict() == some.dtypes.astype(str).to_dict()


def test_nothing_is_applied(make_series: Make) -> None:
    chart = qe.run_chart(shifted(make_series), baseline=12)
    before = chart.to_dict()
    qe.suggest_phases(chart)
    assert chart.to_dict() == before


def test_a_suggestion_can_be_given_as_phases(make_series: Make) -> None:
    numbers = np.array([LOW + HIGH, LOW + LOW[:9]])
    series = make_series(numbers, kind="count")
    found = qe.suggest_phases(qe.run_chart(series, baseline=12), changes=changes("2022-12-04"))
    chart = qe.run_chart(series, phases=found)
    assert chart.timeline.phase[:, [11, 12]].tolist() == [[0, 1], [0, 0]]
    assert chart.timeline.phases["label"].tolist() == ["", "Change 0", ""]
    assert "phase_post_hoc" not in set(chart.notes["code"])


def test_without_a_recorded_change_the_phase_stays_post_hoc(make_series: Make) -> None:
    series = shifted(make_series)
    found = qe.suggest_phases(qe.run_chart(series, baseline=12))
    assert found.loc[0, "reason"].startswith("Post hoc: no recorded changes were given to compare with. 9 ")
    assert found.loc[0, "label"] == ""
    chart = qe.run_chart(series, phases=found)
    assert chart.timeline.phases["label"].tolist() == ["", "post hoc"]
    assert "phase_post_hoc" in set(chart.notes["code"])


@pytest.mark.parametrize(
    ("date", "label", "said"),
    [
        ("2023-01-20", "Change 0", "Change 0 (2023-01-20), in the month in which the run starts."),
        ("2022-10-01", "Change 0", "Change 0 (2022-10-01), 3 months before the run."),
        (
            "2022-09-30",
            "",
            "Post hoc: the nearest recorded change, Change 0 (2022-09-30), is 4 months before the run, "
            "more than 3.",
        ),
        (
            "2023-02-01",
            "",
            "Post hoc: the nearest recorded change, Change 0 (2023-02-01), came 1 month after the run had "
            "started; if it is the cause, the phase starts with it.",
        ),
        (
            "2023-09-01",
            "",
            "Post hoc: the nearest recorded change, Change 0 (2023-09-01), came 8 months after the run had "
            "started.",
        ),
    ],
)
def test_only_a_change_that_is_near_and_came_first_explains_a_run(
    make_series: Make, date: str, label: str, said: str
) -> None:
    found = qe.suggest_phases(qe.run_chart(shifted(make_series), baseline=12), changes=changes(date))
    assert found.loc[0, "label"] == label
    assert found.loc[0, "reason"].startswith(said + " 9 points")


def test_how_near_is_an_option(make_series: Make) -> None:
    chart = qe.run_chart(shifted(make_series), baseline=12)
    given = changes("2022-06-30")
    assert qe.suggest_phases(chart, changes=given, near=6).loc[0, "label"] == ""
    assert qe.suggest_phases(chart, changes=given, near=7).loc[0, "label"] == "Change 0"


def test_the_nearest_change_counts_and_of_two_the_earlier_one(make_series: Make) -> None:
    chart = qe.run_chart(shifted(make_series), baseline=12)
    found = qe.suggest_phases(chart, changes=changes("2022-05-02", "2023-03-01", "2022-11-30", "2019-01-01"))
    assert found.loc[0, "change"] == "Change 2"
    assert found.loc[0, "change_periods"] == 2


def test_changes_of_other_strata_explain_nothing(make_series: Make) -> None:
    series = make_series(np.array([LOW + HIGH] * 2), kind="count")
    chart = qe.run_chart(series, baseline=12)
    found = qe.suggest_phases(chart, changes=changes("2022-12-04", group=["A"]))
    assert found["label"].tolist() == ["Change 0", ""]
    assert found["change"].isna().tolist() == [False, True]
    assert found.loc[1, "reason"].startswith("Post hoc: no change is recorded for this stratum.")


def test_where_the_whole_phase_is_baseline_its_first_points_are(make_series: Make) -> None:
    series = shifted(make_series)
    whole, first = (qe.suggest_phases(qe.run_chart(series, baseline=b)) for b in (None, 12))
    pd.testing.assert_frame_equal(whole, first)


def test_first_points_are_those_that_take_part(make_series: Make) -> None:
    numbers = [LOW[0], None, *LOW[1:6], 99, *LOW[6:], *HIGH]
    chart = qe.run_chart(make_series(numbers, kind="count"), exclude="2022-08")
    found = qe.suggest_phases(chart)
    assert found["start"].tolist() == [pd.Timestamp("2023-03-01")]
    assert found["centre_before"].tolist() == [11.0]


def test_points_on_the_line_missing_and_excluded_ones_are_passed_over(make_series: Make) -> None:
    numbers = [*LOW, 24, 11, 19, None, 22, 3, 18, 23, 20, 25, 19, 22]
    chart = qe.run_chart(make_series(numbers, kind="count"), baseline=12, exclude="2023-06")
    (row,) = qe.suggest_phases(chart).to_dict("records")
    assert (row["start"], row["end"]) == (pd.Timestamp("2023-01-01"), pd.Timestamp("2023-12-01"))
    assert row["centre_after"] == 22.0
    assert len(qe.suggest_phases(qe.run_chart(make_series(numbers, kind="count"), baseline=12))) == 0


def test_runs_stay_within_a_phase_and_phases_have_their_own_lines(make_series: Make) -> None:
    numbers = [*LOW, *HIGH[:6], *LOW, *HIGH]
    series = make_series(numbers, kind="count")
    broken = qe.run_chart(series, phases="2023-07", baseline=12)
    found = qe.suggest_phases(broken)
    assert found["start"].tolist() == [pd.Timestamp("2024-07-01")]
    assert len(qe.suggest_phases(qe.run_chart(make_series(LOW + HIGH, kind="count"), phases="2023-05"))) == 0


def test_a_phase_in_the_chart_is_not_searched_with_the_line_of_another(make_series: Make) -> None:
    numbers = [*LOW, *HIGH, *HIGH, *HIGH]
    chart = qe.run_chart(make_series(numbers, kind="count"), phases="2023-01")
    assert len(qe.suggest_phases(chart)) == 0


def test_the_line_of_a_control_chart_is_redrawn_from_the_points_of_the_run(make_series: Make) -> None:
    births = np.array([400, 500, 300, 450] * 6)[:21]
    events = np.round(births * np.array([0.1, 0.12, 0.08] * 4 + [0.16, 0.15, 0.17] * 3)).astype(int)
    chart = qe.control_chart(make_series(events, births), "p", baseline=12)
    (row,) = qe.suggest_phases(chart).to_dict("records")
    np.testing.assert_allclose(row["centre_before"], events[:12].sum() / births[:12].sum(), rtol=1e-12)
    np.testing.assert_allclose(row["centre_after"], events[12:].sum() / births[12:].sum(), rtol=1e-12)
    assert "above the centre line of 10" in row["reason"]


def test_sides_and_meanings(make_series: Make) -> None:
    down = make_series(HIGH + LOW[:3] + HIGH[:2] + [4, 5, 6] * 4, kind="count", better="lower")
    chart = qe.run_chart(down, baseline=14)
    (row,) = qe.suggest_phases(chart, side="low").to_dict("records")
    assert (row["side"], row["meaning"]) == ("low", "improvement")
    assert "below the centre line" in row["reason"]
    assert len(qe.suggest_phases(chart, side="high")) == 0
    for better, meaning in (("higher", "improvement"), (None, "neutral")):
        found = qe.suggest_phases(qe.run_chart(shifted(make_series, better=better), baseline=12))
        assert found["meaning"].tolist() == [meaning]


def test_strata_together_are_the_strata_alone(make_series: Make) -> None:
    rng = np.random.default_rng(5)
    numbers = rng.poisson(np.repeat(rng.uniform(5, 40, (6, 6)), 9, axis=1))
    series = make_series(numbers, kind="count")
    chart = qe.control_chart(series, "c", baseline=9)
    together = qe.suggest_phases(chart, length=6)
    assert together["group"].nunique() > 2
    assert together["group"].duplicated().any()
    alone = [qe.suggest_phases(chart.select(group=g), length=6) for g in series.groups]
    one = pd.concat([f.assign(group=f["group"].astype("str")) for f in alone], ignore_index=True)
    pd.testing.assert_frame_equal(together.assign(group=together["group"].astype("str")), one)


def test_a_line_of_no_event_judges_nothing(make_series: Make) -> None:
    series = make_series([0] * 12 + [3] * 12, 50)
    assert len(qe.suggest_phases(qe.control_chart(series, "p", baseline=12))) == 0


def test_a_run_where_the_coin_is_not_fair_says_so(make_series: Make) -> None:
    numbers = [0, 1, 0, 0] * 3 + [0] * 9
    found = qe.suggest_phases(qe.control_chart(make_series(numbers, 12), "p", baseline=12))
    assert found["side"].tolist() == ["low"]
    assert (
        "Runs tests are not given here: a point lies above the centre line with a chance of 0."
        in (found.loc[0, "reason"])
    )


def test_times_between_events_count_changes_in_events() -> None:
    gaps = [4, 6, 5, 3, 7, 5, 4, 6, 3, 7, 5, 4, 20, 25, 22, 21, 24, 26, 23, 28, 27]
    events = np.cumsum(gaps)
    records = pd.DataFrame({"date": pd.date_range("2022-01-01", periods=int(events[-1]) + 1, freq="D")})
    records["event"] = np.isin(np.arange(len(records)), [0, *events])
    series = qe.between_events(
        records, qe.Measure("Births between", "between", "higher"), date="date", event="event"
    )
    day = records["date"][int(events[10])]
    found = qe.suggest_phases(qe.run_chart(series, baseline=12), changes=changes(f"{day:%Y-%m-%d}"))
    (row,) = found.to_dict("records")
    assert (row["meaning"], row["change_periods"], row["label"]) == ("improvement", 2, "Change 0")
    assert "2 events before the run." in row["reason"]
    again = qe.run_chart(series, phases=found)
    assert again.timeline.phase[0, [11, 12]].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("ewma", {}, "EWMA chart carry their past"),
        ("mr", {}, "carry their past"),
        (qe.CountCusum(), {}, "carry their past"),
        ("p", {"limits": "common"}, "a run may be a lasting gap"),
    ],
)
def test_charts_whose_runs_are_no_evidence_are_refused(
    make_series: Make, kind: Any, options: dict[str, Any], text: str
) -> None:
    chart = qe.control_chart(make_series(np.tile(LOW, (2, 2)), 200), kind, **options)
    with pytest.raises(qe.OptionError, match=text):
        qe.suggest_phases(chart)


def test_overlapping_windows_are_refused(make_series: Make) -> None:
    with pytest.raises(qe.OptionError, match="neighbouring windows of this series share births"):
        qe.suggest_phases(qe.run_chart(make_series(LOW * 2, 200, window=3)))


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"length": 1}, qe.OptionError, "length=1 is too small"),
        ({"length": 2.5}, qe.InputTypeError, "length=2.5 is not a whole number"),
        ({"near": -1}, qe.OptionError, "near=-1 is too small"),
        ({"side": "above"}, qe.OptionError, "side='above' is not allowed"),
        ({"changes": ["2022-01"]}, qe.InputTypeError, "give a frame with columns 'date' and 'label'"),
        ({"changes": changes("soon")}, qe.DataError, "not a date or period that can be read"),
        (
            {"changes": changes("2022-01", group=["Z"])},
            qe.DataError,
            "names a group that the series does not",
        ),
        ({"changes": changes("2022-01").assign(label="")}, qe.DataError, "has no label"),
        ({"changes": changes("2022-01").assign(who="x")}, qe.ColumnError, "mean nothing here"),
    ],
)
def test_options_are_checked(
    make_series: Make, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        qe.suggest_phases(qe.run_chart(shifted(make_series)), **options)


def test_something_else_is_refused(make_series: Make) -> None:
    with pytest.raises(qe.InputTypeError, match="chart is of type StratifiedSeries"):
        qe.suggest_phases(shifted(make_series))


def test_whether_the_coin_is_fair_is_asked_of_the_phase_of_the_run(make_series: Make) -> None:
    numbers = [60, 66, 57, 63] * 15 + [0, 1, 0, 0] * 3 + [0] * 9
    births = [600] * 60 + [12] * 21
    chart = qe.control_chart(make_series(numbers, births), "p", phases="2027-01", baseline=12)
    found = qe.suggest_phases(chart)
    assert found["start"].tolist()[-1] == pd.Timestamp("2028-01-01")
    assert "Runs tests are not given here" in found["reason"].tolist()[-1]
