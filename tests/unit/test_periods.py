"""Periods: numbers, starts, ends, labels, and what is read as one."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from qi_equity.data import periods
from qi_equity.errors import OptionError

DAYS = np.arange("1965-01-01", "1976-01-01", dtype="datetime64[D]").astype("datetime64[us]")
PANDAS_CODE = {
    "day": "D",
    "week": "W-SUN",
    "month": "M",
    "quarter": "Q",
    "year": "Y",
    "financial-year": "Y-MAR",
}


@pytest.mark.parametrize("every", periods.EVERY)
def test_starts_and_ends_are_those_of_pandas_periods(every):
    expected = pd.DatetimeIndex(DAYS).to_period(PANDAS_CODE[every])
    np.testing.assert_array_equal(periods.start(DAYS, every), expected.start_time.to_numpy("datetime64[us]"))
    np.testing.assert_array_equal(
        periods.end(DAYS, every), expected.end_time.normalize().to_numpy("datetime64[us]")
    )


@pytest.mark.parametrize("every", periods.EVERY)
def test_neighbouring_periods_differ_by_one_and_numbers_go_back_to_starts(every):
    starts = np.unique(periods.start(DAYS, every))
    numbers = periods.ordinal(starts, every)
    assert numbers.dtype == np.int64
    assert (np.diff(numbers) == 1).all()
    np.testing.assert_array_equal(periods.from_ordinal(numbers, every), starts)
    assert periods.start(DAYS, every).dtype == np.dtype("datetime64[us]")


@pytest.mark.parametrize("every", periods.EVERY)
def test_no_date_stays_no_date_and_shape_is_kept(every):
    given = np.array([["NaT", "2024-05-17"]], dtype="datetime64[ns]")
    for function in (periods.start, periods.end):
        out = function(given, every)
        assert out.shape == (1, 2)
        assert np.isnat(out).tolist() == [[True, False]]
    assert periods.labels(given, every)[0] == ""


def test_labels():
    day = ["2024-03-06"]
    assert {e: periods.labels(day, e)[0] for e in periods.EVERY} == {
        "day": "2024-03-06",
        "week": "2024-03-04",
        "month": "2024-03",
        "quarter": "2024 Q1",
        "year": "2024",
        "financial-year": "2023-24",
    }
    assert periods.labels(["1999-04-01"], "financial-year") == ["1999-00"]


@pytest.mark.parametrize("every", periods.EVERY)
def test_labels_are_read_back(every):
    starts = periods.span(DAYS[[0, -1]], every)[:400]
    read, problems = periods.read(periods.labels(starts, every), every)
    assert not pd.notna(problems).any()
    np.testing.assert_array_equal(read, starts)


def test_span_has_no_gaps_and_place_finds_each_start():
    dates = np.array(["2024-05-17", "NaT", "2024-01-02"], dtype="datetime64[us]")
    spanned = periods.span(dates, "month")
    assert periods.labels(spanned, "month") == ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]
    assert periods.place(periods.start(dates[[0, 2]], "month"), spanned).tolist() == [4, 0]
    assert periods.span(np.array(["NaT"], dtype="datetime64[us]"), "month").size == 0


@pytest.mark.parametrize(
    ("every", "within"), [(e, w) for e in periods.EVERY for w in periods.EVERY], ids=lambda v: v
)
def test_nests_as_the_calendar_says(every, within):
    first, last = periods.start(DAYS, every), periods.end(DAYS, every)
    inside = bool((periods.start(first, within) == periods.start(last, within)).all())
    assert periods.nests(every, within) == inside


@pytest.mark.parametrize(
    ("text", "every", "label"),
    [
        ("2021-22", "financial-year", "2021-22"),
        ("2021/22", "financial-year", "2021-22"),
        ("2021-2022", "month", None),
        ("2011-12", "month", "2011-12"),
        ("2011-12", "financial-year", "2011-12"),
        ("1999-00", "financial-year", "1999-00"),
        ("2024-03", "quarter", "2024 Q1"),
        ("2024 Q1", "quarter", "2024 Q1"),
        ("Q4 2024", "year", "2024"),
        ("2024-Q1", "financial-year", "2023-24"),
        ("2023-24 Q4", "quarter", "2024 Q1"),
        ("Q1 2023/24", "quarter", "2023 Q2"),
        ("Apr-2024", "month", "2024-04"),
        ("april 2024", "month", "2024-04"),
        ("2024 Sept", "month", "2024-09"),
        ("2024M03", "month", "2024-03"),
        ("202403", "month", "2024-03"),
        ("2024-W10", "week", "2024-03-04"),
        ("2024-03-06", "week", "2024-03-04"),
        (2024, "year", "2024"),
        (2024.0, "year", "2024"),
        (20240306, "month", "2024-03"),
        (np.datetime64("2024-03-06"), "month", "2024-03"),
        (pd.Period("2024Q2"), "quarter", "2024 Q2"),
        (dt.date(2024, 3, 6), "quarter", "2024 Q1"),
    ],
)
def test_reads_labels_and_dates(text, every, label):
    starts, problems = periods.read([text], every)
    if label is None:
        assert problems[0] == "names a financial-year, but every='month'"
        assert np.isnat(starts[0])
    else:
        assert problems.tolist() == [None]
        assert periods.labels(starts, every) == [label]


def test_a_column_of_months_by_financial_year_is_not_taken_for_financial_years():
    starts, problems = periods.read(["2011-10", "2011-11", "2011-12", "2012-04"], "financial-year")
    assert not pd.notna(problems).any()
    assert periods.labels(starts, "financial-year") == ["2011-12", "2011-12", "2011-12", "2012-13"]


def test_text_that_may_be_months_or_financial_years_is_not_guessed():
    starts, problems = periods.read(["2003-04", "2004-05"], "month")
    assert np.isnat(starts).all()
    assert set(problems) == {"a month or a financial year? write Apr-2003 or 2003-2004"}


def test_period_longer_than_every_is_a_problem():
    _, problems = periods.read(["2024", "2024-01", "2023-24"], "month")
    assert problems.tolist() == [
        "names a year, but every='month'",
        None,
        "names a financial-year, but every='month'",
    ]


def test_columns_of_datetimes_are_read_with_their_gaps():
    for column in (
        pd.Series(pd.to_datetime(["2024-05-17", None])),
        pd.Series(pd.to_datetime(["2024-05-17 23:30", None])).dt.tz_localize("America/New_York"),
        np.array(["2024-05-17", "NaT"], dtype="datetime64[s]"),
    ):
        starts, problems = periods.read(column, "month")
        assert periods.labels(starts, "month") == ["2024-05", ""]
        assert problems.tolist() == [None, "no date"]


def test_empty_columns_are_read_as_nothing():
    starts, problems = periods.read([], "month")
    assert starts.size == problems.size == 0


def test_options_are_checked():
    with pytest.raises(OptionError, match=r"every='months' is not allowed; use one of 'day', .*'month'\?"):
        periods.check_every("months")
    with pytest.raises(OptionError, match=r"date_order='dayfirst' is not allowed; use one of 'day-first'"):
        periods.check_date_order("dayfirst")
    assert periods.check_date_order(None) is None
    assert periods.check_date_order("month-first") == "month-first"


@pytest.mark.parametrize("turn", [1, -1])
def test_one_moment_in_two_zones_is_a_problem_whatever_the_order(turn):
    moments = [
        pd.Timestamp("2024-06-30 23:30", tz="UTC"),
        pd.Timestamp("2024-07-01 00:30", tz="Europe/London"),
    ]
    starts, problems = periods.read(moments[::turn], "month")
    assert np.isnat(starts).all()
    assert all("time zones are mixed (Europe/London, UTC)" in p for p in problems)
