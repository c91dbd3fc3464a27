"""Phases, baselines and exclusions, against words and plain loops."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import qi_equity as qe
from qi_equity import _result
from qi_equity.data.cells import STATUSES, Cells
from qi_equity.data.timeline import Timeline, timeline
from qi_equity.data.timeline_marks import EVIDENCE

GROUPS = ["Asian", "Black", "White"]
MEASURE = qe.Measure("Tears", "proportion", "lower")


def months_from(start: str, count: int) -> np.ndarray:
    return (np.datetime64(start, "M") + np.arange(count)).astype("datetime64[us]")


def strata_of(sites: Sequence[str], groups: Sequence[str] = GROUPS) -> pd.DataFrame:
    rows = [(s, g) for s in sites for g in groups]
    return pd.DataFrame(
        {
            "site": pd.Categorical([s for s, _ in rows], categories=list(sites)),
            "group": pd.Categorical([g for _, g in rows], categories=list(groups)),
        }
    )


def series_of(
    *, count: int = 8, every: str = "month", statuses: Sequence[str] = (), strata: pd.DataFrame | None = None
) -> qe.StratifiedSeries:
    """Make a series from January 2024 on."""
    strata = strata_of(["North", "South"]) if strata is None else strata
    shape = (len(strata), count)
    ones = np.ones(shape)
    status = np.zeros(shape, dtype=np.int8)
    if statuses:
        status[:] = [STATUSES.index(s) for s in statuses]
    cells = Cells(
        strata, months_from("2024-01", count), ones, ones * 9, ones * 0, ones / 9, ones * np.nan, status
    )
    return qe.StratifiedSeries(MEASURE, None, None, every, 1, cells, {}, _result.notes([]))


def between() -> qe.StratifiedSeries:
    dates = np.array(
        [
            ["2024-01-05T10:30", "2024-02-10", "2024-02-10T18:00", "2024-05-02"],
            ["2024-02-01", "2024-03-03", "NaT", "NaT"],
        ],
        dtype="datetime64[us]",
    )
    strata = pd.DataFrame({"group": pd.Categorical(["A", "B"])})
    rows, columns = np.nonzero(~np.isnat(dates))
    cells = Cells.dense(strata, dates, rows, columns, value=np.arange(6.0))
    measure = qe.Measure("Births between", "between", "higher")
    return qe.StratifiedSeries(measure, None, None, "day", 1, cells, {}, _result.notes([]))


def phases_of(found: Timeline, stratum: int = 0) -> list[int]:
    return found.phase[stratum].tolist()


def said(found: Timeline, code: str) -> str:
    return "\n".join(found.notes.loc[found.notes["code"] == code, "text"])


def test_without_options_there_is_one_phase() -> None:
    found = timeline(series_of())
    assert (found.phase == 0).all()
    assert found.baseline.all()
    assert not found.excluded.any()
    assert len(found.notes) == 0
    assert found.phases.columns.tolist() == ["site", "group", "phase", "start", "label", "reason"]
    assert found.phases["phase"].tolist() == [1] * 6
    assert found.phases["start"].dt.strftime("%Y-%m").tolist() == ["2024-01"] * 6
    assert found.phases["label"].tolist() == [""] * 6
    assert found.exclusions.columns.tolist() == ["site", "group", "period", "reason"]
    assert len(found.exclusions) == 0


@pytest.mark.parametrize(
    "phases",
    [
        "2024-04",
        "2024-04-01",
        date(2024, 4, 1),
        datetime(2024, 4, 1),
        np.datetime64("2024-04-01"),
        pd.Timestamp("2024-04-01"),
        pd.Period("2024-04", freq="M"),
        ["2024-04"],
        ("April 2024",),
        pd.DatetimeIndex(["2024-04-01"]),
        pd.Series(["2024-04"], index=[7]),
        pd.DataFrame({"start": ["2024-04"]}, index=[7]),
        pl.DataFrame({"start": [date(2024, 4, 1)], "group": [None]}, schema_overrides={"group": pl.String}),
    ],
)
def test_phases_may_be_dates_in_any_form(phases: Any) -> None:
    found = timeline(series_of(), phases=phases)
    assert found.phase.tolist() == [[0, 0, 0, 1, 1, 1, 1, 1]] * 6
    second = found.phases[found.phases["phase"] == 2]
    assert second["start"].dt.strftime("%Y-%m-%d").tolist() == ["2024-04-01"] * 6
    assert second["label"].tolist() == ["post hoc"] * 6
    assert "date_inside_period" not in found.notes["code"].tolist()


def test_order_of_dates_does_not_matter() -> None:
    one = timeline(series_of(), phases=["2024-06", "2024-03"])
    other = timeline(series_of(), phases=["2024-03", "2024-06"])
    assert phases_of(one) == [0, 0, 1, 1, 1, 2, 2, 2]
    pd.testing.assert_frame_equal(one.phases, other.phases)


def test_a_date_inside_a_period_starts_the_phase_there_and_says_so() -> None:
    found = timeline(series_of(), phases=["2024-04-15", "2024-06-01"])
    assert phases_of(found) == [0, 0, 0, 1, 1, 2, 2, 2]
    text = said(found, "date_inside_period")
    assert text == "A phase that starts on 2024-04-15 counts from the start of its month, 2024-04."


def test_a_shorter_period_inside_a_longer_one_is_moved_too() -> None:
    series = series_of(count=7).resample("quarter")
    found = timeline(series, phases="2024-05", exclude="2024 Q1")
    assert phases_of(found) == [0, 1, 1]
    assert "2024-05-01 counts from the start of its quarter, 2024 Q2" in said(found, "date_inside_period")
    assert found.excluded[0].tolist() == [True, False, False]


def test_phases_of_one_site_or_group() -> None:
    frame = pd.DataFrame(
        {
            "site": ["North", None, "South"],
            "group": [None, "Black", "White"],
            "start": ["2024-03", "2024-05", "2024-07"],
            "label": ["Bundle", None, "Training"],
            "reason": ["PDSA 4", "Interpreter line", None],
        }
    )
    found = timeline(series_of(), phases=frame)
    strata = series_of().cells.strata.astype("str").to_numpy().tolist()
    for i, (site, group) in enumerate(strata):
        starts = [f for f, s, g in [(2, "North", None), (4, None, "Black"), (6, "South", "White")]
                  if s in (None, site) and g in (None, group)]  # fmt: skip
        assert phases_of(found, i) == [sum(t >= s for s in starts) for t in range(8)], (site, group)
    table = found.phases.astype({"site": "str", "group": "str"})
    north_black = table[(table["site"] == "North") & (table["group"] == "Black")]
    assert north_black["phase"].tolist() == [1, 2, 3]
    assert north_black["label"].tolist() == ["", "Bundle", "Interpreter line"]
    assert north_black["reason"].tolist() == ["", "PDSA 4", "Interpreter line"]
    south_white = table[(table["site"] == "South") & (table["group"] == "White")]
    assert south_white["label"].tolist() == ["", "Training (post hoc)"]
    assert said(found, "phase_post_hoc").startswith("No reason is recorded for the phase(s) from 2024-07")
    again = timeline(series_of(), phases=frame.iloc[::-1])
    np.testing.assert_array_equal(again.phase, found.phase)
    pd.testing.assert_frame_equal(again.phases, found.phases)


def test_phases_with_reasons_need_no_caution() -> None:
    frame = pd.DataFrame({"start": ["2024-03"], "label": ["Bundle"], "reason": ["PDSA 4"]})
    assert len(timeline(series_of(), phases=frame).notes) == 0


def test_the_callers_frame_is_not_changed() -> None:
    frame = pd.DataFrame({"site": ["North"], "start": ["2024-03-09"], "reason": [None]})
    before = frame.copy()
    timeline(series_of(), phases=frame)
    pd.testing.assert_frame_equal(frame, before)


def test_further_strata_are_matched_by_label() -> None:
    strata = pd.DataFrame(
        {"group": pd.Categorical(["A", "A"]), "imd": pd.Categorical(["1", "2"], categories=["1", "2"])}
    )
    frame = pd.DataFrame({"imd": [2.0, np.nan], "start": ["2024-03", "2024-05"]})
    found = timeline(series_of(strata=strata), phases=frame)
    assert phases_of(found, 0) == [0, 0, 0, 0, 1, 1, 1, 1]
    assert phases_of(found, 1) == [0, 0, 1, 1, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ("2024-01", "phases: starts no later than the series.*The series runs from 2024-01 to 2024-08"),
        ("2024-01-20", "starts no later than the series: nothing lies before it"),
        ("2023-12", "lies outside the series"),
        ("2024-09-01", "lies outside the series.*2024-09-01"),
        ("soon", "not a date or period"),
        ("2024", "names a year, but every='month'"),
        ("03/04/2024", r"1 bad row\(s\) in phases"),
        (["2024-03", "2024-03-20"], r"2 bad row\(s\) in phases: starts together with another phase"),
        (
            pd.DataFrame({"group": ["Blak"], "start": ["2024-03"]}),
            "names a group that .*group 'Asian', 'Black', 'W",
        ),
        (pd.DataFrame({"site": ["East"], "start": ["2024-03"]}), "names a site that .*site 'North', 'South'"),
        (
            pd.DataFrame({"group": ["Black", None], "start": ["2024-03"] * 2}),
            "starts together with another phase",
        ),
    ],
)
def test_phases_that_fit_nowhere_are_refused(phases: Any, message: str) -> None:
    with pytest.raises(qe.DataError, match=f"(?s){message}"):
        timeline(series_of(), phases=phases)


def test_all_bad_rows_come_at_once() -> None:
    frame = pd.DataFrame(
        {"group": ["Black", "Blak", "White"], "start": ["2024-03", "2024-04", "2030-01"]}, index=[5, 6, 7]
    )
    with pytest.raises(qe.DataError) as caught:
        timeline(series_of(), phases=frame)
    assert caught.value.bad_rows is not None
    assert caught.value.bad_rows["start"].tolist() == ["2024-04", "2030-01"]


def test_long_lists_of_labels_are_cut() -> None:
    strata = strata_of([f"Site {i:02d}" for i in range(23)], ["A"])
    with pytest.raises(qe.DataError, match="'Site 19' and 3 more; group 'A'"):
        timeline(series_of(strata=strata), phases="2030")


def test_strata_that_do_not_exist_together_are_refused() -> None:
    strata = strata_of(["North", "South"]).iloc[[0, 1, 2, 3]].reset_index(drop=True)
    frame = pd.DataFrame({"site": ["South"], "group": ["White"], "start": ["2024-03"]})
    with pytest.raises(qe.DataError, match="names no stratum of the series"):
        timeline(series_of(strata=strata), phases=frame)


@pytest.mark.parametrize("argument", ["phases", "exclude"])
def test_frames_with_other_columns_are_refused(argument: str) -> None:
    when = {"phases": "start", "exclude": "period"}[argument]
    frame = pd.DataFrame({"sites": ["North"], when: ["2024-03"]})
    with pytest.raises(
        qe.ColumnError, match=rf"{argument} has columns \['sites'\] that mean nothing here; use some"
    ):
        timeline(series_of(), **{argument: frame})
    with pytest.raises(qe.ColumnError, match="'site'"):
        timeline(series_of(), **{argument: pd.DataFrame({"site": ["North"]})})


@pytest.mark.parametrize("argument", ["phases", "exclude"])
def test_what_is_no_date_is_refused(argument: str) -> None:
    with pytest.raises(
        qe.InputTypeError, match=f"{argument}=3 cannot be used; give a date, a list of dates or a"
    ):
        timeline(series_of(), **{argument: 3})


def test_baseline_of_first_periods_of_each_phase() -> None:
    found = timeline(series_of(), phases="2024-06", baseline=3)
    assert found.baseline[0].tolist() == [True, True, True, False, False, True, True, True]
    assert "short_baseline" not in found.notes["code"].tolist()


def test_baseline_counts_periods_whether_or_not_they_were_observed() -> None:
    states = ["observed", "missing", "suppressed", "observed", *["observed"] * 3, "provisional"]
    found = timeline(series_of(statuses=states), baseline=3)
    assert found.baseline[0].tolist() == [True] + [False] * 7
    assert timeline(series_of(statuses=states)).baseline[0].tolist() == [s == "observed" for s in states]


def test_a_phase_shorter_than_the_baseline_uses_all_and_says_so() -> None:
    frame = pd.DataFrame({"site": ["North"], "group": ["Black"], "start": ["2024-07"], "reason": ["PDSA 4"]})
    found = timeline(series_of(), phases=frame, baseline=4)
    assert found.baseline[1].tolist() == [True] * 4 + [False] * 2 + [True] * 2
    notes = found.notes
    assert notes[["code", "site", "group"]].to_numpy().tolist() == [["short_baseline", "North", "Black"]]
    assert "shorter than the baseline of 4 periods" in notes["text"].item()


@pytest.mark.parametrize(
    "baseline", ["2024-03", "2024-03-31", date(2024, 3, 2), np.datetime64("2024-03"), "2024 Q1"]
)
def test_baseline_up_to_a_date(baseline: Any) -> None:
    found = timeline(series_of(), phases=["2024-03", "2024-06"], baseline=baseline)
    assert found.phase[0].tolist() == [0, 0, 1, 1, 1, 2, 2, 2]
    # The second phase began before the date, the third did not and uses all of its periods.
    assert found.baseline[0].tolist() == [True, True, True, False, False, True, True, True]


@pytest.mark.parametrize(
    ("baseline", "error", "message"),
    [
        (0, qe.OptionError, "baseline=0 is too small; give 1 or more"),
        (True, qe.InputTypeError, "baseline=True cannot be used; give a number of periods or a date"),
        (2.5, qe.InputTypeError, "baseline=2.5 cannot be used"),
        (["2024-03"], qe.InputTypeError, "baseline=.* cannot be used"),
        ("soon", qe.OptionError, "baseline='soon' cannot be used: not a date"),
        (pd.NaT, qe.OptionError, "baseline=NaT cannot be used: no date"),
        (
            "2025-01",
            qe.OptionError,
            "baseline='2025-01' is outside the series, which runs from 2024-01 to 2024-08",
        ),
        ("2023-12", qe.OptionError, "baseline='2023-12' is outside the series"),
    ],
)
def test_baseline_refused(baseline: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        timeline(series_of(), baseline=baseline)


def test_excluded_periods_are_out_of_the_baseline() -> None:
    found = timeline(series_of(), exclude=["2024-02", date(2024, 5, 9)])
    expected = [False, True, False, False, True, False, False, False]
    assert found.excluded.tolist() == [expected] * 6
    assert found.baseline.tolist() == [[not e for e in expected]] * 6
    assert said(found, "date_inside_period").startswith("An exclusion of 2024-05-09 counts from the start")
    assert (
        said(found, "exclusion_without_reason") == "No reason is recorded for leaving out 2024-02, 2024-05."
    )
    assert found.exclusions["period"].dt.strftime("%Y-%m").tolist() == ["2024-02", "2024-05"] * 6


def test_the_first_period_may_be_excluded() -> None:
    assert timeline(series_of(), exclude="2024-01").excluded[:, 0].all()


def test_exclusions_of_strata_with_reasons() -> None:
    frame = pd.DataFrame(
        {
            "site": ["North", None, "North", "North"],
            "group": ["Black", "White", "Black", "Black"],
            "period": ["2024-03", "2024-03", "2024-03", "2024-03"],
            "reason": ["Recording changed", "Strike", "Recording changed", "Flood"],
        }
    )
    found = timeline(series_of(), exclude=frame)
    assert np.argwhere(found.excluded).tolist() == [[1, 2], [2, 2], [5, 2]]
    # Twice the same reason is one row; two reasons are two.
    assert found.exclusions["reason"].tolist() == ["Flood", "Recording changed", "Strike", "Strike"]
    assert len(found.notes) == 0
    again = timeline(series_of(), exclude=frame.iloc[[3, 1, 0, 2]])
    pd.testing.assert_frame_equal(again.exclusions, found.exclusions)


@pytest.mark.parametrize(
    ("exclude", "message"),
    [
        ("2024-12", "1 bad row.* in exclude: lies outside the series"),
        (
            pd.DataFrame({"group": ["Blak"], "period": ["2024-03"]}),
            "names a group that the series does not have",
        ),
    ],
)
def test_exclusions_that_fit_nowhere_are_refused(exclude: Any, message: str) -> None:
    with pytest.raises(qe.DataError, match=message):
        timeline(series_of(), exclude=exclude)


def test_times_between_events_have_phases_from_the_next_event() -> None:
    found = timeline(between(), phases="2024-02-10", baseline=1)
    assert found.phase.tolist() == [[0, 1, 1, 1], [0, 1, -1, -1]]
    assert found.baseline.tolist() == [[True, True, False, False], [True, True, False, False]]
    assert found.phases["start"].dt.strftime("%m-%d").tolist() == ["01-05", "02-10", "02-01", "03-03"]
    late = timeline(between(), phases="2024-04-01")
    assert late.phase.tolist() == [[0, 0, 0, 1], [0, 0, -1, -1]]
    assert len(late.phases) == 3
    early = timeline(between(), phases="2024-01-20")
    assert early.phase.tolist() == [[0, 1, 1, 1], [0, 0, -1, -1]]
    short = timeline(between(), baseline=3)
    assert short.notes["group"].tolist() == ["B"]
    assert len(timeline(between().select(start="2024-02-01"), baseline=2).notes) == 0


def test_a_stratum_without_events_of_a_phase_goes_without_it_and_says_so() -> None:
    found = timeline(between(), phases=["2024-03-01", "2024-03-10", "2024-04-01"])
    assert found.phase.tolist() == [[0, 0, 0, 1], [0, 1, -1, -1]]
    table = found.phases[found.phases["phase"] == 2]
    assert table["group"].tolist() == ["A", "B"]
    assert table["start"].dt.strftime("%m-%d").tolist() == ["05-02", "03-03"]
    notes = found.notes[found.notes["code"] == "phase_without_events"]
    assert notes["group"].tolist() == ["A", "B"]
    assert notes["text"].str.contains("no event of its own here").all()
    assert "phase_without_events" not in timeline(between(), phases="2024-02-10").notes["code"].tolist()


def test_two_phases_on_one_day_are_refused_for_events_too() -> None:
    with pytest.raises(qe.DataError, match=r"2 bad row\(s\) in phases: starts together with another phase"):
        timeline(between(), phases=["2024-02-10", "2024-02-10"])


def test_a_series_without_events_has_one_phase_and_takes_no_dates() -> None:
    full = between()
    cells = full.cells
    empty = replace(
        full,
        cells=Cells.dense(
            cells.strata,
            np.full((2, 1), "NaT", dtype="datetime64[us]"),
            np.zeros(0, dtype=int),
            np.zeros(0, dtype=int),
            value=np.zeros(0),
        ),
    )
    found = timeline(empty, baseline=3)
    assert found.phase.tolist() == [[-1], [-1]]
    assert not found.baseline.any()
    assert found.phases["start"].isna().all()
    with pytest.raises(qe.DataError, match=r"lies outside the series.*The series has no events"):
        timeline(empty, phases="2024-02-10")
    with pytest.raises(qe.OptionError, match="baseline='2024-02' is outside the series, which has no events"):
        timeline(empty, baseline="2024-02")
    with pytest.raises(
        qe.OptionError, match="No period is left with start 2024-02-10; the series has no events"
    ):
        empty.select(start="2024-02-10")
    assert "has no events" in empty._repr_html_()


def test_times_between_events_are_excluded_by_day() -> None:
    found = timeline(between(), exclude="2024-02-10")
    assert found.excluded.tolist() == [[False, True, True, False], [False] * 4]
    assert len(found.exclusions) == 2
    with pytest.raises(qe.DataError, match="is a day without an event"):
        timeline(between(), exclude="2024-02-11")
    until = timeline(between(), baseline="2024-02-10")
    assert until.baseline.tolist() == [[True, True, True, False], [True, False, False, False]]


@pytest.mark.parametrize("phases", ["2024-01-05", "2024-05-03"])
def test_phases_outside_the_events_are_refused(phases: str) -> None:
    with pytest.raises(
        qe.DataError, match=r"1 bad row\(s\) in phases: .*The series runs from 2024-01-05 to 2024-05"
    ):
        timeline(between(), phases=phases)


def test_many_strata_need_no_loop() -> None:
    size = 30_000
    names = [f"s{i:05d}" for i in range(size)]
    series = series_of(strata=strata_of(names, ["A"]))
    rng = np.random.default_rng(0)
    month = rng.integers(2, 9, size)
    frame = pd.DataFrame({"site": names, "start": [f"2024-{m:02d}" for m in month], "reason": "PDSA"})
    begun = time.perf_counter()
    found = timeline(series, phases=frame.sample(frac=1, random_state=1), baseline=2)
    assert time.perf_counter() - begun < 10
    np.testing.assert_array_equal(found.phase, np.arange(1, 9) >= month[:, None])


@pytest.mark.parametrize("argument", ["phases", "exclude"])
@pytest.mark.parametrize("given", [[["2024-03"]], np.array(5), np.array([["2024-03"]]), [{}]])
def test_lists_in_lists_and_arrays_without_dimensions_are_refused(argument: str, given: Any) -> None:
    with pytest.raises(qe.InputTypeError, match=rf"{argument}="):
        timeline(series_of(), **{argument: given})


@pytest.mark.parametrize("argument", ["phases", "exclude"])
def test_columns_of_one_name_are_refused(argument: str) -> None:
    frame = pd.DataFrame([["2024-03", "2024-05"]], columns=["start", "start"])
    with pytest.raises(qe.ColumnError, match=rf"{argument} has columns of one name"):
        timeline(series_of(), **{argument: frame})


@pytest.mark.parametrize(("period", "level"), [("2024", "year"), ("2024Q2", "quarter")])
def test_a_longer_period_of_pandas_is_not_its_first_month(period: str, level: str) -> None:
    for given in (period, pd.Period(period)):
        with pytest.raises(qe.DataError, match=f"names a {level}, but every='month'"):
            timeline(series_of(), exclude=given)
    one, other = (timeline(series_of(), baseline=b) for b in (pd.Period("2024-03"), "2024-03"))
    assert np.array_equal(one.baseline, other.baseline)


def test_the_arrays_of_a_timeline_cannot_be_written_to() -> None:
    found = timeline(series_of())
    for array in (found.phase, found.baseline, found.excluded):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


@pytest.mark.parametrize(("reason", "label"), [("Post hoc: a run", "post hoc"), ("post-hoc", "post hoc")])
def test_a_reason_that_says_post_hoc_is_none(reason: str, label: str) -> None:
    frame = pd.DataFrame({"start": ["2024-04"], "reason": [reason]})
    found = timeline(series_of(), phases=frame)
    assert set(found.phases.loc[found.phases["phase"] == 2, "label"]) == {label}
    assert set(found.phases.loc[found.phases["phase"] == 2, "reason"]) == {reason}
    assert said(found, "phase_post_hoc").startswith("No reason is recorded for the phase(s) from 2024-04")


def test_the_evidence_of_suggested_phases_is_passed_over() -> None:
    plain = pd.DataFrame({"start": ["2024-04"], "group": ["Asian"], "label": ["Training"], "reason": ["x"]})
    rich = plain.assign(**{column: [1] for column in EVIDENCE})
    one, other = (timeline(series_of(), phases=frame) for frame in (plain, rich))
    assert np.array_equal(one.phase, other.phase)
    pd.testing.assert_frame_equal(one.phases, other.phases)
    with pytest.raises(qe.ColumnError, match=r"exclude has columns \['end'\] that mean nothing here"):
        timeline(series_of(), exclude=pd.DataFrame({"period": ["2024-04"], "end": [1]}))
