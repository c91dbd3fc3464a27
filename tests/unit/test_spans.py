"""Sums over spans of time, against plain sums by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.data.spans import Spans, spans

Make = Callable[..., qe.StratifiedSeries]
EVENTS = [[1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1]]
BIRTHS = [[10, 20, 30, 40, 50, 60], [5, 5, 5, 5, 5, 5]]


def test_all_periods_are_one_span(make_series: Make) -> None:
    found = spans(make_series(EVENTS, BIRTHS), "all")
    frame = found.frame({"events": found.cells.numerator, "births": found.cells.denominator})
    assert frame["span"].tolist() == ["2022-01 to 2022-06"] * 2
    assert frame[["events", "births", "n_periods"]].values.tolist() == [[21, 210, 6], [3, 30, 6]]
    assert frame["start"].tolist() == [pd.Timestamp("2022-01-01")] * 2
    assert frame["end"].tolist() == [pd.Timestamp("2022-06-30")] * 2


def test_each_period_is_a_span(make_series: Make) -> None:
    series = make_series(EVENTS, BIRTHS)
    found = spans(series, "period")
    assert found.labels == series.periods
    assert np.array_equal(found.cells.numerator, np.array(EVENTS, dtype=float))
    assert found.frame({})["n_periods"].tolist() == [1] * 12


@pytest.mark.parametrize("over", ["2022-03", ["2022-03-15"], pd.DataFrame({"start": ["2022-03"]})])
def test_dates_start_new_spans(make_series: Make, over: Any) -> None:
    found = spans(make_series(EVENTS, BIRTHS), over)
    assert found.labels == ("2022-01 to 2022-02", "2022-03 to 2022-06")
    assert found.cells.numerator.tolist() == [[3, 18], [1, 2]]
    assert found.cells.denominator.tolist() == [[30, 180], [10, 20]]


def test_strata_with_spans_of_their_own_name_them_by_number(make_series: Make) -> None:
    over = pd.DataFrame({"start": ["2022-03"], "group": ["B"]})
    found = spans(make_series(EVENTS, BIRTHS), over)
    assert found.labels == ("phase 1", "phase 2")
    assert found.cells.numerator[1].tolist() == [1, 2]
    assert found.cells.numerator[0, 0] == 21
    assert np.isnan(found.cells.numerator[0, 1])
    assert np.isnat(found.start[0, 1])
    assert found.n_periods.tolist() == [[6, 0], [2, 4]]


def test_missing_periods_are_left_out_and_said(make_series: Make) -> None:
    found = spans(make_series([[1, None, 3], [1, 1, 1]], [[10, None, 30], [5, 5, 5]]), "all")
    assert found.cells.numerator.tolist() == [[4], [3]]
    assert found.n_periods.tolist() == [[2], [3]]
    said = found.notes[found.notes["code"] == "partly_missing"]
    assert said["group"].tolist() == ["A"]


def test_a_suppressed_part_withholds_the_sum(make_series: Make) -> None:
    found = spans(make_series([[1, "*", 3], [1, 1, 1]], [[10, 20, 30], [5, 5, 5]]), "all")
    frame = found.frame({"events": found.cells.numerator})
    assert np.isnan(frame["events"][0])
    assert found.cells.status.tolist() == [[2], [0]]
    assert found.n_periods[0, 0] == 3
    assert "suppressed_in_sum" in found.notes["code"].tolist()


def test_only_the_sums_are_kept(make_series: Make) -> None:
    assert spans(make_series(EVENTS, BIRTHS), "all").series.cells.status.shape == (2, 1)


def test_means_are_combined_exactly() -> None:
    rng = np.random.default_rng(4)
    groups = [rng.normal(5, 2, size) for size in (7, 4, 9)]
    rows = pd.DataFrame(
        {
            "month": ["2024-01", "2024-02", "2024-03"],
            "mean": [g.mean() for g in groups],
            "sd": [g.std(ddof=1) for g in groups],
            "n": [len(g) for g in groups],
        }
    )
    measure = qe.Measure("Loss", "mean", "lower")
    series = qe.from_counts(rows, measure, period="month", value="mean", sd="sd", denominator="n")
    found, together = spans(series, "all").cells, np.concatenate(groups)
    assert found.value[0, 0] == pytest.approx(together.mean(), rel=1e-12)
    assert found.sd[0, 0] == pytest.approx(together.std(ddof=1), rel=1e-12)


def test_a_window_starts_before_the_period_that_names_it(make_series: Make) -> None:
    found = spans(make_series([[3, 4]], [[90, 90]], window=3), "period")
    assert found.start[0].astype("datetime64[D]").astype(str).tolist() == ["2021-11-01", "2021-12-01"]
    assert found.end[0, 0] == np.datetime64("2022-01-31")


def test_windows_are_not_summed(make_series: Make) -> None:
    with pytest.raises(qe.OptionError, match=r"over='all' is not possible with window=3"):
        spans(make_series([[3, 4]], [[90, 90]], window=3), "all")


def test_means_of_unknown_size_are_not_summed() -> None:
    rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "mean": [3.0, 4.0]})
    series = qe.from_counts(rows, qe.Measure("Loss", "mean", "lower"), period="month", value="mean")
    with pytest.raises(qe.OptionError, match=r"over='all' is not possible for means"):
        spans(series, "all")


@pytest.mark.parametrize("over", ["all", "period", ["2022-02-01"]])
def test_times_between_events_are_refused(over: Any) -> None:
    births = pd.DataFrame({"date": pd.date_range("2022-01-01", periods=8), "event": [0, 1] * 4, "eth": "A"})
    series = qe.between_events(
        births, qe.measures["pph_1500"], date="date", event="event", ethnicity="eth", scheme="nhs-2001"
    )
    with pytest.raises(qe.OptionError, match=r"over=.* is not possible for .*times between events"):
        spans(series, over)


def test_unknown_dates_are_refused(make_series: Make) -> None:
    with pytest.raises(qe.DataError, match=r"bad row.*in over"):
        spans(make_series(EVENTS, BIRTHS), "2030-01")


def test_spans_survive_json(make_series: Make) -> None:
    found = spans(make_series(EVENTS, BIRTHS), "2022-03")
    again = Spans.from_dict(found.to_dict())
    assert again.series.equals(found.series)
    assert again.frame({}).equals(found.frame({}))


def test_groups_of_a_place_that_report_different_periods_are_named(make_series: Make) -> None:
    """A lacks February; C never reports; the month that no group of West reports is no difference."""
    numbers = [[1, None, 3], [1, 1, 1], [None, None, None], [2, None, 2], [4, None, 4]]
    series = make_series(
        numbers,
        [[10, 10, 10]] * 5,
        groups=["A", "B", "C", "A", "B"],
        sites=["East", "East", "East", "West", "West"],
    )
    said = spans(series, "all").notes
    differ = said[said["code"] == "periods_differ"]
    assert differ[["site", "group"]].to_numpy().tolist() == [["East", "A"]]
    assert differ["text"].tolist() == [
        "In 1 of 1 spans it lacks periods that other groups of its place report: a difference between them "
        "can be one of time."
    ]
    assert said.loc[said["code"] == "partly_missing", "site"].tolist() == ["East", "West", "West"]
    phased = spans(series, ["2022-03-01"]).notes
    assert phased.loc[phased["code"] == "periods_differ", "text"].str.startswith("In 1 of 2 spans").all()
    assert "periods_differ" not in spans(series, "period").notes["code"].tolist()


@pytest.mark.parametrize(
    ("over", "error", "text"),
    [
        (None, qe.OptionError, r"over=None names no span; give 'all', 'period', or dates"),
        ([], qe.OptionError, r"over=\[\] names no span"),
        ("al", qe.DataError, r"bad row\(s\) in over: not a date.*Use 'all', 'period', or dates"),
        (5, qe.InputTypeError, r"^over=5 cannot be used; give a date"),
        (["2030-01"], qe.DataError, r"in over: lies outside the series"),
        (pd.DataFrame({"stat": ["2022-02"]}), qe.ColumnError, r"^over has columns \['stat'\]"),
    ],
)
def test_spans_that_cannot_be_read_are_named_as_they_were_given(
    make_series: Make, over: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=f"(?s){text}"):
        spans(make_series([[1, 2, 3]], [[10, 10, 10]]), over)


def test_rows_that_are_no_spans_are_kept_in_the_error(make_series: Make) -> None:
    with pytest.raises(qe.DataError) as found:
        spans(make_series([[1, 2, 3]], [[10, 10, 10]]), ["2022-02", "x", "2030-01"])
    assert found.value.bad_rows is not None
    assert len(found.value.bad_rows) == 2


def test_a_suppressed_mean_of_no_measurements_withholds_the_sum() -> None:
    """As a suppressed count does: a row that is called suppressed shows no number."""
    rows = pd.DataFrame(
        {"m": ["2022-01", "2022-02"], "y": ["30", "*"], "sd": [4.0, None], "n": [12, 0], "g": ["A", "A"]}
    )
    columns = {"period": "m", "value": "y", "sd": "sd", "denominator": "n", "group": "g"}
    found = spans(qe.from_counts(rows, qe.Measure("Minutes", "mean", "lower"), **columns), "all")
    assert found.cells.status.tolist() == [[2]]
    assert np.isnan([found.cells.value, found.cells.sd]).all()
