"""Periods: days, weeks, months, quarters, years and financial years as whole numbers, dates and labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from qi_equity import _validate
from qi_equity.data import dates as _dates

Every: TypeAlias = Literal["day", "week", "month", "quarter", "year", "financial-year"]
DateOrder: TypeAlias = Literal["day-first", "month-first"]
Dates: TypeAlias = NDArray[np.datetime64]

EVERY: tuple[Every, ...] = ("day", "week", "month", "quarter", "year", "financial-year")
DATE_ORDERS: tuple[DateOrder, ...] = ("day-first", "month-first")

# Months in a period, and months from January 1970 to the start of period 0.
_MONTHS: dict[str, tuple[int, int]] = {
    "month": (1, 0),
    "quarter": (3, 0),
    "year": (12, 0),
    "financial-year": (12, 3),
}
# Days in a period, and days from 1 January 1970 (a Thursday) to the start of period 0.
_DAYS: dict[str, tuple[int, int]] = {"day": (1, 0), "week": (7, -3)}
_NESTS: dict[str, tuple[str, ...]] = {
    "day": EVERY,
    "week": ("week",),
    "month": ("month", "quarter", "year", "financial-year"),
    "quarter": ("quarter", "year", "financial-year"),
    "year": ("year",),
    "financial-year": ("financial-year",),
}
_NO_PERIOD = np.iinfo(np.int64).min


def check_every(value: object, argument: str = "every") -> Every:
    """Return ``value`` if it is one of ``EVERY``, else raise an OptionError."""
    return _validate.one_of(argument, value, EVERY)


def check_date_order(value: object) -> DateOrder | None:
    """Return ``value`` if it is None or one of ``DATE_ORDERS``, else raise an OptionError."""
    return None if value is None else _validate.one_of("date_order", value, DATE_ORDERS)


def ordinal(dates: ArrayLike, every: Every) -> NDArray[np.int64]:
    """Give the number of the period that holds each date; neighbouring periods differ by 1.

    Parameters
    ----------
    dates : array_like of datetime64
        Any dates inside the periods; NaT gives the smallest int64.
    every : str
        One of ``EVERY``. Weeks start on Monday, financial years on 1 April.

    Returns
    -------
    numpy.ndarray of int64
        Of the shape of ``dates``.
    """
    stamps = np.asarray(dates, dtype="datetime64[us]")
    if every in _DAYS:
        length, first = _DAYS[every]
        number = (stamps.astype("datetime64[D]").astype(np.int64) - first) // length
    else:
        length, first = _MONTHS[every]
        number = (stamps.astype("datetime64[M]").astype(np.int64) - first) // length
    return np.where(np.isnat(stamps), _NO_PERIOD, number)


def from_ordinal(numbers: ArrayLike, every: Every) -> Dates:
    """Give the first day of the periods of these numbers: the inverse of :func:`ordinal`, datetime64[us]."""
    given = np.asarray(numbers, dtype=np.int64)
    number = np.where(given == _NO_PERIOD, 0, given)
    if every in _DAYS:
        length, first = _DAYS[every]
        starts = (number * length + first).astype("datetime64[D]").astype("datetime64[us]")
    else:
        length, first = _MONTHS[every]
        starts = (number * length + first).astype("datetime64[M]").astype("datetime64[us]")
    return np.where(given == _NO_PERIOD, np.datetime64("NaT", "us"), starts)


def start(dates: ArrayLike, every: Every) -> Dates:
    """Give the first day of the period that holds each date, datetime64[us]; NaT stays NaT."""
    return from_ordinal(ordinal(dates, every), every)


def end(dates: ArrayLike, every: Every) -> Dates:
    """Give the last day (at midnight, its start) of the period that holds each date, datetime64[us]."""
    numbers = ordinal(dates, every)
    following = from_ordinal(np.where(numbers == _NO_PERIOD, numbers, numbers + 1), every)
    return following - np.timedelta64(1, "D")


def span(dates: ArrayLike, every: Every) -> Dates:
    """Give the starts of all periods from the first to the last of the dates, without gaps."""
    stamps: Dates = np.asarray(dates, dtype="datetime64[us]")
    stamps = stamps[~np.isnat(stamps)]
    if not stamps.size:
        return stamps
    first, last = ordinal([stamps.min(), stamps.max()], every)
    return from_ordinal(np.arange(first, last + 1), every)


def place(starts: Dates, spanned: Dates) -> NDArray[np.int64]:
    """Give the place of each start of a period among all the periods (of :func:`span`)."""
    codes, distinct = pd.factorize(starts)
    among: NDArray[np.int64] = np.searchsorted(spanned, np.asarray(distinct))[codes]
    return among


def labels(dates: ArrayLike, every: Every) -> list[str]:
    """Write ``2024-03``, ``2024-03-04`` (week, day), ``2024 Q1``, ``2024``, ``2024-25``; NaT ``""``."""
    stamps: list[datetime | None] = start(dates, every).ravel().astype(object).tolist()
    return [_label(stamp, every) for stamp in stamps]


def nests(every: Every, within: Every) -> bool:
    """Tell whether each period of ``every`` lies inside one period of ``within``."""
    return within in _NESTS[every]


def read(
    values: Sequence[Any] | NDArray[Any] | pd.Series, every: Every, date_order: DateOrder | None = None
) -> tuple[Dates, NDArray[np.object_]]:
    """Read dates or labels of periods.

    Dates (of any type, or text in ISO, day-first or month-first form, or with the month's name) lie inside
    their period. Labels name a period that must be one of ``every`` or lie inside one: ``2024-03``,
    ``Mar-2024``, ``2024 Q1``, ``2023-24 Q4``, ``2024``, ``2023-24``, ``2024-W10``.

    Parameters
    ----------
    values : sequence, array or Series
        The dates or labels.
    every : str
        One of ``EVERY``.
    date_order : {"day-first", "month-first"}, optional
        How text such as ``03/04/2024`` is meant. Default: as the column decides.

    Returns
    -------
    starts : numpy.ndarray of datetime64[us]
        First day of each period; NaT where there is a problem.
    problems : numpy.ndarray of object
        What is wrong with each value; None where it was read.
    """
    found = _dates.read(values, date_order, financial_years=every == "financial-year")
    problems = found.problems
    for level in EVERY:
        if not nests(level, every):
            problems[found.levels == level] = f"names a {level}, but every={every!r}"
    unread = np.asarray(pd.notna(problems))
    return start(np.where(unread, np.datetime64("NaT", "us"), found.stamps), every), problems


def _label(stamp: datetime | None, every: Every) -> str:
    if stamp is None:
        return ""
    match every:
        case "month":
            return f"{stamp:%Y-%m}"
        case "quarter":
            return f"{stamp.year} Q{(stamp.month + 2) // 3}"
        case "year":
            return f"{stamp.year}"
        case "financial-year":
            return f"{stamp.year}-{(stamp.year + 1) % 100:02d}"
    return f"{stamp:%Y-%m-%d}"
