"""Columns of dates and labels of periods; a text that could mean two things is a problem, never a guess."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data.date_text import Read, read_one

DateOrder = Literal["day-first", "month-first"]

FIRST_YEAR, LAST_YEAR = 1900, 2199

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?")
_NO_SUCH_DAY = "no such day"
_OUT_OF_RANGE = f"the year is not in {FIRST_YEAR} to {LAST_YEAR}"
_NOT_A_TIME = np.datetime64("NaT", "us")
AMBIGUOUS = "can be read two ways; give date_order='day-first' or 'month-first'"


@dataclass(frozen=True, slots=True, eq=False)
class ReadDates:
    """What was read, one entry a value.

    Attributes
    ----------
    stamps : numpy.ndarray of datetime64[us]
        Wall-clock date and time; the first day of a period that is named; NaT where there is a problem.
    levels : numpy.ndarray of str
        ``day``, or the period that the text names; empty where there is a problem.
    problems : numpy.ndarray of object
        What is wrong, or None.
    """

    stamps: NDArray[np.datetime64]
    levels: NDArray[np.str_]
    problems: NDArray[np.object_]


def read(
    values: Sequence[Any] | NDArray[Any] | pd.Series,
    date_order: DateOrder | None = None,
    *,
    financial_years: bool = False,
) -> ReadDates:
    """Read dates, times and labels of periods, each distinct value once.

    Parameters
    ----------
    values : sequence, array or Series
        Dates of any type, text, or numbers such as 2024 and 20240331.
    date_order : {"day-first", "month-first"}, optional
        How ``03/04/2024`` is meant. Default: decided by the values that can be read in one way only.
    financial_years : bool
        Whether text such as ``2011-12`` names a financial year; else it is December 2011.

    Returns
    -------
    ReadDates
        Of the length of ``values``. A time zone is dropped (the wall clock stays); several are a problem.
    """
    series = as_series(values)
    if series.dtype.kind == "M":
        return _from_stamps(series)
    codes, distinct = _distinct(series)
    found = _read_distinct(distinct, date_order, financial_years)
    return ReadDates(
        np.append(found.stamps, _NOT_A_TIME)[codes],
        np.append(found.levels, "")[codes],
        np.append(found.problems, "no date")[codes],
    )


def as_series(values: Sequence[Any] | NDArray[Any] | pd.Series) -> pd.Series:
    """Put values into a Series without changing what they are."""
    if isinstance(values, pd.Series):
        return values
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return pd.Series(values.astype("datetime64[us]"))
    return pd.Series(list(values), dtype="object")


def without_zone(column: pd.Series) -> pd.Series:
    """Drop the zone of a column of times, if it has one; the wall clock stays."""
    if column.dtype.kind != "M" or column.dt.tz is None:
        return column
    # By way of the index, since some versions of pandas give the clock of UTC for times of Arrow.
    return pd.Series(pd.DatetimeIndex(column).tz_localize(None), index=column.index)


def zone_of(value: object) -> str | None:
    """Name the zone of a time; None for a time without, and for what is no time."""
    zone = getattr(value, "tzinfo", None)
    return None if zone is None else str(zone)


def _distinct(series: pd.Series) -> tuple[NDArray[np.int64], list[Any]]:
    """Give each value the number of a distinct one, -1 where missing; and these."""
    codes, distinct = pd.factorize(series, use_na_sentinel=True)
    if all(zone_of(value) is None for value in distinct):
        return codes, list(distinct)
    # The same moment in two zones is one value to pandas, but has two wall clocks.
    given = series.notna().to_numpy(dtype=bool)
    return np.where(given, np.cumsum(given) - 1, -1), list(series[given])


def _from_stamps(series: pd.Series) -> ReadDates:
    stamps = without_zone(series).to_numpy(dtype="datetime64[us]", na_value=_NOT_A_TIME)
    years = stamps.astype("datetime64[Y]").astype(np.int64) + 1970
    missing = np.isnat(stamps)
    far = ~missing & ((years < FIRST_YEAR) | (years > LAST_YEAR))
    problems = np.full(len(stamps), None, dtype=object)
    problems[missing] = "no date"
    problems[far] = _OUT_OF_RANGE
    return ReadDates(np.where(far, _NOT_A_TIME, stamps), np.where(missing | far, "", "day"), problems)


def _read_distinct(distinct: list[Any], date_order: DateOrder | None, financial_years: bool) -> ReadDates:
    if distinct and all(isinstance(v, str) and _ISO_DAY.fullmatch(v) for v in distinct):
        return _read_iso(distinct)
    reads = [read_one(v) for v in distinct]
    reads = _settle_hyphenated(reads, financial_years)
    reads = _settle_numeric(reads, date_order)
    reads = [_checked(r) for r in _settle_zones(reads)]
    return ReadDates(
        np.array([None if r.problem else r.stamp() for r in reads], dtype="datetime64[us]"),
        np.array(["" if r.problem else r.level for r in reads], dtype=str),
        np.array([*(r.problem for r in reads), None], dtype=object)[:-1],
    )


def _read_iso(distinct: list[str]) -> ReadDates:
    """Read a column all of ISO text at once: millions of times of birth may differ from each other."""
    stamps = pd.to_datetime(pd.Series(distinct, dtype="object"), format="ISO8601", errors="coerce")
    found = _from_stamps(stamps)
    found.problems[stamps.isna().to_numpy()] = _NO_SUCH_DAY
    return found


def _settle_hyphenated(reads: list[Read], financial_years: bool) -> list[Read]:
    """Tell months (2024-03) from financial years (2023-24)."""
    parts = {(r.year, r.month) for r in reads if r.level == "hyphenated"}
    all_follow = all(month == (year + 1) % 100 for year, month in parts)
    settled = []
    for r in reads:
        if r.level != "hyphenated":
            settled.append(r)
        elif financial_years and all_follow:
            settled.append(Read("financial-year", r.year, 4))
        elif not 1 <= r.month <= 12:
            follows = r.month == (r.year + 1) % 100
            wrong = "the second year does not follow the first, and it is no month either"
            settled.append(Read("financial-year", r.year, 4) if follows else Read(problem=wrong))
        elif all_follow and len(parts) > 1:
            settled.append(Read(problem="a month or a financial year? write Apr-2003 or 2003-2004"))
        else:
            settled.append(r._replace(level="month"))
    return settled


def _settle_numeric(reads: list[Read], date_order: DateOrder | None) -> list[Read]:
    """Tell day-first from month-first: one value with a part above 12 decides for the whole column."""
    numeric = [r for r in reads if r.level == "numeric"]
    day_first = date_order == "day-first" or any(r.month > 12 for r in numeric)
    month_first = date_order == "month-first" or any(r.day > 12 for r in numeric)
    if date_order is None and day_first and month_first:
        told = "some of these dates are day-first, some month-first; write all as 2024-03-31"
        return [Read(problem=told) if r.level == "numeric" else r for r in reads]
    settled = []
    for r in reads:
        if r.level != "numeric":
            settled.append(r)
        elif not (day_first or month_first) and r.month != r.day:
            settled.append(Read(problem=AMBIGUOUS))
        elif day_first if date_order is None else date_order == "day-first":
            settled.append(r._replace(level="day", month=r.day, day=r.month))
        else:
            settled.append(r._replace(level="day"))
    return settled


def _settle_zones(reads: list[Read]) -> list[Read]:
    zones = {r.zone for r in reads if r.level == "day"}
    if len(zones) < 2:
        return reads
    shown = ", ".join(sorted("none" if z is None else z for z in zones))
    told = f"time zones are mixed ({shown}); write all times in one zone, or without"
    return [Read(problem=told) if r.level == "day" else r for r in reads]


def _checked(read: Read) -> Read:
    if read.problem:
        return read
    if not FIRST_YEAR <= read.year <= LAST_YEAR:
        return Read(problem=_OUT_OF_RANGE)
    return read if read.stamp() is not None else Read(problem=_NO_SUCH_DAY)
