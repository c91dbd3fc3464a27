"""How changes are read, and what counts as an event: dates, frames, statuses, orientation and references."""

import datetime as dt
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import qi_equity as qe
from qi_equity.change.study import make_study, read_at, seasonal_periods, study_notes
from qi_equity.data.cells import PROVISIONAL
from qi_equity.data.reference import Reference
from qi_equity.errors import ColumnError, DataError, InputTypeError, OptionError

EAST, WEST = [4, 6] * 12, [10] * 24


@pytest.fixture
def series(make_series):
    return make_series([EAST, WEST], [[100] * 24, [200] * 24], groups=["East", "West"])


@pytest.fixture
def sites(make_series):
    numbers = [EAST, WEST, EAST, WEST]
    names = {"groups": ["East", "West"] * 2, "sites": ["North", "North", "South", "South"]}
    return make_series(numbers, [100] * 24, **names)


def study_of(series, at="2023-01", reference="West", phase_in=0):
    return make_study(series, read_at(series, at), Reference(reference), phase_in)


@pytest.mark.parametrize(
    "at",
    [
        "2023-01",
        "2023-01-01",
        dt.date(2023, 1, 1),
        dt.datetime(2023, 1, 1),
        pd.Timestamp("2023-01-01"),
        np.datetime64("2023-01"),
        pd.Period("2023-01", "M"),
        ["2023-01"],
        ("2023-01",),
        np.array(["2023-01"]),
        pd.to_datetime(["2023-01-01"]),
        pd.DataFrame({"start": ["2023-01"]}),
        pl.DataFrame({"start": [dt.date(2023, 1, 1)]}),
        pd.DataFrame({"group": ["East", "West"], "start": ["2023-01", "2023-01"]}),
    ],
    ids=lambda at: type(at).__name__,
)
def test_a_change_can_be_given_in_many_forms(series, at):
    study = study_of(series, at)
    assert study.schedule.starts.tolist() == [[12.0], [12.0]]
    assert study.schedule.segment.tolist() == [[0] * 12 + [1] * 12] * 2


def test_several_changes_make_segments_in_order_of_time(series):
    study = study_of(series, ["2023-07", "2022-10"])
    assert study.schedule.starts.tolist() == [[9.0, 18.0]] * 2
    assert study.schedule.segment[0].tolist() == [0] * 9 + [1] * 9 + [2] * 6


def test_sites_start_at_their_own_dates_and_some_do_not(sites):
    at = pd.DataFrame({"site": ["North"], "start": ["2023-01"], "label": ["bundle"], "reason": ["PDSA 3"]})
    study = study_of(sites, at)
    np.testing.assert_array_equal(study.schedule.starts[:, 0], [12, 12, np.nan, np.nan])
    notes = pd.concat(study_notes(study))
    without = notes[notes["code"] == "no_change_recorded"]
    assert without[["site", "group"]].to_numpy().tolist() == [["South", "East"], ["South", "West"]]
    assert "not evaluated" in without["text"].iloc[0]
    assert "phase_post_hoc" not in notes["code"].tolist()
    staggered = study_of(sites, pd.DataFrame({"site": ["South", "North"], "start": ["2023-06", "2022-06"]}))
    assert staggered.schedule.starts[:, 0].tolist() == [5, 5, 17, 17]


def test_a_change_without_a_reason_is_post_hoc(series):
    notes = pd.concat(study_notes(study_of(series)))
    assert "post hoc" in notes.set_index("code").loc["phase_post_hoc", "text"]


def test_a_date_inside_a_period_counts_the_whole_of_it(series):
    study = study_of(series, dt.date(2023, 1, 20))
    assert study.schedule.starts[0, 0] == 12
    (text,) = [t for t in pd.concat(study_notes(study))["text"] if "2023-01-20" in t]
    assert "2023-01" in text


@pytest.mark.parametrize(
    ("at", "error", "told"),
    [
        ("2022-01", DataError, "starts no later than the series.*runs from 2022-01 to 2023-12"),
        ("2030-05", DataError, "2030-05.*lies outside the series|lies outside the series.*2030-05"),
        ("soon", DataError, "soon.*not a date|not a date.*soon"),
        ("2023", DataError, "names a year"),
        ([], OptionError, "after the first period of the series .2022-01. and not after its last .2023-12."),
        (None, OptionError, "names no change"),
        (pd.DataFrame({"start": []}), OptionError, "names no change"),
        (5, InputTypeError, "at=5 cannot be used"),
        (["2023-01", None], DataError, "no date"),
        ([["2023-01"]], InputTypeError, "cannot be used"),
        (pd.DataFrame({"group": ["North"], "start": ["2023-01"]}), DataError, "names a group"),
        (pd.DataFrame({"begin": ["2023-01"]}), ColumnError, "'begin'"),
        (pd.DataFrame({"group": ["East"]}), ColumnError, "start"),
        (["2023-01", "2023-01-20"], DataError, "starts together with another change"),
    ],
)
def test_a_date_that_cannot_be_used_is_named_as_the_argument_that_it_is(series, at, error, told):
    with pytest.raises(error, match=f"(?s){told}") as caught:
        qe.evaluate_change(series, at, reference="West")
    assert "phase" not in str(caught.value)
    assert re.match(r"at\b|\d bad row\(s\) in at:", str(caught.value))


def test_changes_are_kept_apart_from_what_was_given(series):
    frame = pd.DataFrame({"group": ["East"], "start": [pd.Timestamp("2023-01-01")], "reason": ["plan"]})
    before = frame.copy()
    kept = read_at(series, frame)
    pd.testing.assert_frame_equal(frame, before)
    frame.loc[0, "start"] = pd.Timestamp("2022-06-01")
    assert kept["start"].tolist() == ["2023-01-01"]
    assert kept["label"].tolist() == [""]
    listed = ["2023-01"]
    told = read_at(series, listed)
    listed[0] = "2022-06"
    assert told == ["2023-01"]


@pytest.mark.parametrize(
    ("kind", "better", "way", "events", "size"),
    [
        ("proportion", "lower", "as measured", 4, 100),
        ("proportion", None, "as measured", 4, 100),
        ("proportion", "higher", "without the event", 96, 100),
        ("rate", "lower", "as measured", 4, 100),
        ("rate", "higher", "reversed", 4, 100),
        ("count", "lower", "as measured", 4, 1),
        ("mean", "lower", "as measured", 4, 100),
        ("mean", "higher", "reversed", 4, 100),
    ],
)
def test_events_are_adverse(make_series, kind, better, way, events, size):
    births = None if kind == "count" else [100] * 24
    made = make_series([EAST, WEST], births, kind=kind, better=better, groups=["East", "West"])
    study = study_of(made)
    assert study.way == way
    assert (study.events[0, 0], study.size[0, 0]) == (events, size)
    assert (study.other_events[0, 0], study.other_size[0, 0]) == (
        90 if way == "without the event" else 10,
        size,
    )


def test_what_is_not_observed_is_left_out_of_both_sides(make_series):
    east = EAST.copy()
    east[0] = None
    east[1] = "*"
    made = make_series([east, EAST, WEST], [100] * 24, groups=["East", "Middle", "West"])
    study = study_of(made, reference="rest")
    assert np.isnan(study.events[0, :2]).all()
    assert np.isnan(study.size[0, :2]).all()
    assert study.events[0, 2] == 4
    # A reference with a withheld part is not known; one with a missing part is what was reported.
    assert study.other_events[1, 0] == 10
    assert np.isnan(study.other_events[1, 1])
    notes = pd.concat(study_notes(study))
    unknown = notes[notes["code"] == "reference_not_known"]
    assert unknown["group"].tolist() == ["Middle", "West"]
    assert "In 1 of 24 periods" in unknown["text"].iloc[0]


def test_provisional_periods_are_left_out_and_said(series):
    status = series.cells.status.copy()
    status[1, -1] = PROVISIONAL
    study = study_of(replace(series, cells=replace(series.cells, status=status)))
    assert np.isnan(study.events[1, -1])
    assert np.isnan(study.other_events[0, -1])
    assert np.isfinite(study.events).sum() == 47
    notes = pd.concat(study_notes(study)).set_index("code")
    assert "1 provisional period is left out" in notes.loc["provisional_left_out", "text"]
    assert "In 1 of 24 periods" in notes.loc["reference_not_known", "text"]


def test_the_reference_is_the_sum_of_the_others(make_series):
    made = make_series([EAST, WEST, EAST], [[100] * 24, [200] * 24, [50] * 24], groups=["A", "B", "C"])
    study = study_of(made, reference="rest")
    np.testing.assert_array_equal(study.other_events[0], np.add(WEST, EAST))
    assert study.other_size[0, 0] == 250


def test_the_best_group_is_that_before_the_change(make_series):
    before, after = [2] * 12, [20] * 12
    made = make_series([before + after, [5] * 24], [100] * 24, groups=["A", "B"])
    study = study_of(made, reference="best")
    assert study.against.names == ("A", "A")
    by_the_whole = study_of(made, at="2023-12", reference="best")
    assert by_the_whole.against.names == ("B", "B")


def test_a_target_does_not_move(make_series):
    made = make_series([EAST], [100] * 24, better="higher")
    own, other = study_of(made, reference=0.9).effects(qe.ChangeModel(), 0, 0.95)
    assert other.before.estimate[0, 0] == pytest.approx(0.1)
    assert (other.difference.lower[0, 0], other.difference.upper[0, 0]) == (0, 0)
    assert (other.ratio.lower[0, 0], other.odds_ratio.upper[0, 0]) == (1, 1)
    assert np.isfinite(own.ratio.estimate).all()


def test_reversed_measures_turn_their_changes_round(make_series):
    made = make_series([[4] * 12 + [8] * 12], [100] * 24, kind="rate", better="higher")
    own, _ = study_of(made, reference=0.05).effects(qe.ChangeModel(), 0, 0.95)
    assert own.ratio.estimate[0, 0] == pytest.approx(0.5)
    assert own.difference.estimate[0, 0] == pytest.approx(-0.04)
    assert own.before.estimate[0, 0] == pytest.approx(0.04)


def test_measures_that_cannot_be_summed_are_refused(make_series):
    rows = pd.DataFrame({"d": pd.date_range("2022-01-01", periods=300), "x": [True, *[False] * 9] * 30})
    gaps = qe.Measure("Test", "between", "higher")
    times = qe.between_events(rows, gaps, date="d", event="x", unit="births")
    with pytest.raises(OptionError, match=r"evaluate_change\(\) is not possible for 'Test': times between"):
        qe.evaluate_change(times, "2023-01", reference=5)
    rolling = make_series([EAST], [100] * 24, window=3)
    with pytest.raises(OptionError, match="window=3: neighbouring periods share births"):
        qe.evaluate_change(rolling, "2023-01", reference=0.1)
    means = make_series([EAST], kind="mean")
    with pytest.raises(OptionError, match="without the number of values"):
        qe.evaluate_change(means, "2023-01", reference=5)


def test_strata_named_like_a_column_are_refused():
    rows = pd.DataFrame({"m": ["2022-01", "2022-02"], "g": "A", "change": "x", "x": 1, "n": 9})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    made = qe.from_counts(rows, qe.Measure("Harm", "proportion", "lower"), by="change", **columns)
    with pytest.raises(OptionError, match=r"by=\['change'\] cannot be used.*rename yours"):
        qe.evaluate_change(made, "2022-02", reference=0.1)


def test_the_season_is_the_place_in_the_year(series):
    season = study_of(series).schedule.season
    np.testing.assert_allclose(season[:13], [*np.arange(12) / 12, 0])
    assert [seasonal_periods(e) for e in ("month", "quarter", "year")] == [12, 4, 1]
    quarters = series.resample("quarter")
    np.testing.assert_allclose(study_of(quarters, "2023-Q1").schedule.season[:5], [0, 0.25, 0.5, 0.75, 0])


def test_women_of_unknown_ethnicity_stay_a_row_and_are_not_in_the_rest():
    codes = ["A", "N", "Z", "99"]
    days = pd.date_range("2022-01-03", periods=24, freq="MS").repeat(80)
    rows = pd.DataFrame({"d": days, "code": codes * 480, "x": ([True] + [False] * 9) * 192})
    made = qe.from_records(rows, qe.measures["pph_1500"], date="d", event="x", ethnicity="code")
    evaluation = qe.evaluate_change(made, "2023-01", reference="rest")
    groups = evaluation.groups.set_index("group")
    unknown = [g for g in groups.index if g.startswith("Not")]
    assert groups.index.tolist() == list(made.groups)
    assert len(unknown) >= 2
    assert (groups.loc[unknown, "births_before"] > 0).sum() >= 1
    white = make_study(made, ["2023-01"], Reference("rest"), 0).other_size[
        list(made.groups).index("White"), 0
    ]
    assert white == 20
    assert "rest_is_of_known_group" in evaluation.notes["code"].tolist()


def test_groups_that_overlap_have_no_rest_and_their_gaps_are_not_exact():
    months = pd.period_range("2022-01", periods=24, freq="M").astype(str)
    scheme = qe.Scheme.load("nz-level-1-total")
    names = scheme.groups("broad")[:2]
    rows = pd.DataFrame({"m": [*months] * 2, "g": [names[0]] * 24 + [names[1]] * 24, "x": 5, "n": 90})
    columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "g"}
    made = qe.from_counts(rows, qe.Measure("Harm", "proportion", "lower"), scheme=scheme, **columns)
    with pytest.raises(OptionError, match="reference='rest' is not possible for groups of scheme"):
        qe.evaluate_change(made, "2023-01", reference="rest")
    notes = qe.evaluate_change(made, "2023-01", reference=names[0]).notes
    assert "groups_overlap" in notes["code"].tolist()
