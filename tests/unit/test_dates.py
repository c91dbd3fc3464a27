"""Dates and times as people write them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from qi_equity.data import dates

AMBIGUOUS = "can be read two ways; give date_order='day-first' or 'month-first'"


def stamps(values, date_order=None):
    read = dates.read(values, date_order)
    assert not pd.notna(read.problems).any(), read.problems
    return [str(s)[:16] for s in read.stamps]


def problems(values, date_order=None):
    read = dates.read(values, date_order)
    assert np.isnat(read.stamps)[pd.notna(read.problems)].all()
    assert (read.levels == "")[pd.notna(read.problems)].all()
    return read.problems.tolist()


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-06 14:05",
        "2024-03-06T14:05:00",
        "2024-03-06T14:05:00.25",
        "2024/3/6 14:05",
        "2024-03-06T14:05Z",
        "20240306 14:05",
        "6 March 2024 14:05",
        "6-Mar-2024 14:05",
        "06 MAR 2024 14:05",
        "March 6, 2024 14:05",
        "6th Mar. 2024 14:05:30+00:00",
        " 2024-03-06 14:05 ",
    ],
)
def test_one_moment_in_many_writings(text):
    assert stamps([text]) == ["2024-03-06T14:05"]


@pytest.mark.parametrize("separator", ["/", "-", "."])
def test_one_value_with_a_part_above_twelve_decides_for_the_column(separator):
    day_first = [separator.join(p) for p in (("03", "04", "2024"), ("13", "04", "2024"))]
    month_first = [separator.join(p) for p in (("03", "04", "2024"), ("04", "13", "2024"))]
    assert stamps(day_first) == ["2024-04-03T00:00", "2024-04-13T00:00"]
    assert stamps(month_first) == ["2024-03-04T00:00", "2024-04-13T00:00"]


def test_a_column_that_does_not_decide_is_not_guessed_but_can_be_told():
    column = ["03/04/2024", "05/05/2024"]
    assert problems(column) == [AMBIGUOUS, None]
    assert stamps(column, "day-first") == ["2024-04-03T00:00", "2024-05-05T00:00"]
    assert stamps(column, "month-first") == ["2024-03-04T00:00", "2024-05-05T00:00"]


def test_a_column_that_contradicts_itself_or_what_is_told_is_a_problem():
    told = "some of these dates are day-first, some month-first; write all as 2024-03-31"
    assert problems(["13/04/2024", "04/13/2024", "2024-01-01"]) == [told, told, None]
    assert problems(["13/04/2024", "04/03/2024"], "month-first") == ["no such day", None]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "no date"),
        (np.nan, "no date"),
        (pd.NaT, "no date"),
        ("2024-02-30", "no such day"),
        ("30 Feb 2024", "no such day"),
        ("2024-13-01", "no such day"),
        ("2024-03-06 25:00", "no such time of day"),
        ("2024-W60", "no such week"),
        ("01/04/24", "the year has two digits only; write all four"),
        ("Apr-24", "the year has two digits only; write all four"),
        ("0024-04-01", "the year is not in 1900 to 2199"),
        ("9999-12-31", "the year is not in 1900 to 2199"),
        (dt.datetime(1800, 1, 1), "the year is not in 1900 to 2199"),
        ("2023-25", "the second year does not follow the first, and it is no month either"),
        ("2023-2025", "the second year does not follow the first"),
        ("1 Foo 2024", "not a date or period that can be read; write it as 2024-03-31"),
        ("soon", "not a date or period that can be read; write it as 2024-03-31"),
        ("", "not a date or period that can be read; write it as 2024-03-31"),
        (45292, "not a date or period that can be read; write it as 2024-03-31"),
        (1.5, "not a date or period that can be read; write it as 2024-03-31"),
        (np.inf, "not a date or period that can be read; write it as 2024-03-31"),
        (True, "not a date or period that can be read; write it as 2024-03-31"),
    ],
)
def test_what_cannot_be_read_says_why(value, problem):
    assert problems(["6 March 2024", value]) == [None, problem]


def test_iso_columns_are_read_at_once_with_the_same_problems():
    assert problems(["2024-02-30", "2024-03-01", "1850-01-01", None]) == [
        "no such day",
        None,
        "the year is not in 1900 to 2199",
        "no date",
    ]


def test_one_zone_is_dropped_the_wall_clock_stays():
    assert stamps(["2024-07-01T23:30+01:00", "2024-07-02T00:30+0100"]) == [
        "2024-07-01T23:30",
        "2024-07-02T00:30",
    ]
    london = [dt.datetime(2024, 7, 1, 23, 30, tzinfo=ZoneInfo("Europe/London"))]
    assert stamps(london) == ["2024-07-01T23:30"]


def test_mixed_zones_are_a_problem_of_all_times():
    told = "time zones are mixed (+00:00, none); write all times in one zone, or without"
    assert problems(["2024-07-01T10:00Z", "2024-07-01 10:00"]) == [told, told]


def test_levels_say_what_a_text_names():
    values = ["2024-03-06", "Mar-2024", "2024 Q1", "2023-24 Q1", "2024", "2023-2024", "2024-W10"]
    assert dates.read(values).levels.tolist() == [
        "day",
        "month",
        "quarter",
        "quarter",
        "year",
        "financial-year",
        "week",
    ]


def test_the_given_column_is_not_changed():
    column = pd.Series(pd.to_datetime(["1800-01-01", "2024-01-01"]))
    before = column.copy()
    dates.read(column)
    pd.testing.assert_series_equal(column, before)


@pytest.mark.parametrize("turn", [1, -1])
def test_one_moment_in_two_zones_is_two_values(turn):
    moments = [
        dt.datetime(2024, 6, 30, 23, 30, tzinfo=dt.UTC),
        pd.Timestamp("2024-07-01 00:30", tz="Europe/London"),
        None,
    ][::turn]
    told = "time zones are mixed (Europe/London, UTC); write all times in one zone, or without"
    assert problems(moments) == [told, told, "no date"][::turn]


def test_times_of_one_zone_may_be_objects_with_gaps():
    moment = pd.Timestamp("2024-07-01 00:30", tz="Europe/London")
    found = dates.read([None, moment, pd.NaT, moment])
    assert found.problems.tolist() == ["no date", None, "no date", None]
    assert found.stamps[[1, 3]].astype(str).tolist() == ["2024-07-01T00:30:00.000000"] * 2


@pytest.mark.parametrize("dtype", ["numpy", "arrow"])
def test_the_wall_clock_does_not_depend_on_the_type_of_the_column(dtype):
    column = pd.Series(pd.to_datetime(["2024-06-30 23:30", None], utc=True).tz_convert("Europe/London"))
    if dtype == "arrow":
        column = column.convert_dtypes(dtype_backend="pyarrow")
        assert isinstance(column.dtype, pd.ArrowDtype)
    assert dates.read(column).stamps.astype(str).tolist() == ["2024-07-01T00:30:00.000000", "NaT"]


def test_times_of_day_in_a_column_of_several_types_stay():
    found = dates.read([pd.Timestamp("2024-01-01 10:11:12.5"), "2024-01-02"])
    assert found.stamps.astype(str).tolist() == ["2024-01-01T10:11:12.500000", "2024-01-02T00:00:00.000000"]


@pytest.mark.parametrize(
    ("label", "freq", "level", "first"),
    [
        ("2022", "Y", "year", "2022-01-01"),
        ("2022", "Y-MAR", "financial-year", "2021-04-01"),
        ("2022Q2", "Q", "quarter", "2022-04-01"),
        ("2022-05", "M", "month", "2022-05-01"),
        ("2022-05-04", "W", "week", "2022-05-02"),
        ("2022-05-04", "D", "day", "2022-05-04"),
    ],
)
def test_a_period_of_pandas_names_its_level(label, freq, level, first):
    found = dates.read([pd.Period(label, freq)])
    assert (found.levels[0], str(found.stamps[0])[:10]) == (level, first)


@pytest.mark.parametrize(("label", "freq"), [("2022", "Y-JUN"), ("2022Q2", "Q-JAN"), ("2022-05", "2M")])
def test_a_period_of_pandas_of_another_calendar_is_a_problem(label, freq):
    assert f"freq {freq!r}" in dates.read([pd.Period(label, freq)]).problems[0]
