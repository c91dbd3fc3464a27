"""What one date or label of a period says on its own, before the rest of its column is seen."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

_TIME = (
    r"(?:(?:T|\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?"
)
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_NTH = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_NEXT = r"[-/–](?P<next>\d{2}|\d{4})"

# "numeric" and "hyphenated" texts can mean two things: the column decides (see dates.py).
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (level, re.compile(pattern))
    for level, pattern in (
        ("day", r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _TIME),
        ("day", r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})" + _TIME),
        ("numeric", r"(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[-/.](?P<year>\d{4})" + _TIME),
        ("day", _NTH + r"[-/ ]?" + _NAME + r"[-/ ,]*(?P<year>\d{4})" + _TIME),
        ("day", _NAME + r"[-/ ]" + _NTH + r"[-/ ,]+(?P<year>\d{4})" + _TIME),
        ("hyphenated", r"(?P<year>\d{4})[-/]?(?P<month>\d{2})"),
        ("financial-year", r"(?P<year>\d{4})" + _NEXT),
        ("month", r"(?P<year>\d{4})\s*M(?P<month>\d{2})"),
        ("month", _NAME + r"[-/ ]*(?P<year>\d{4})"),
        ("month", r"(?P<year>\d{4})[-/ ]*" + _NAME),
        ("quarter", r"(?P<year>\d{4})[-/ ]*[Qq](?P<quarter>[1-4])"),
        ("quarter", r"[Qq](?P<quarter>[1-4])[-/ ]*(?P<year>\d{4})"),
        ("financial-quarter", r"(?P<year>\d{4})" + _NEXT + r"[-/ ]*[Qq](?P<quarter>[1-4])"),
        ("financial-quarter", r"[Qq](?P<quarter>[1-4])[-/ ]*(?P<year>\d{4})" + _NEXT),
        ("week", r"(?P<year>\d{4})-?W(?P<week>\d{2})"),
        ("year", r"(?P<year>\d{4})"),
    )
)
_TWO_DIGIT_YEAR = re.compile(r"(\d{1,2}[-/. ])?(\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2}")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)

UNREADABLE = "not a date or period that can be read; write it as 2024-03-31"


class Read(NamedTuple):
    """What one value says: a level, its parts, or a problem.

    ``level`` is ``day``, a period, or one of ``numeric`` (``month`` and ``day`` in the order written) and
    ``hyphenated`` (``month`` may be the second year of a financial year).
    """

    level: str = ""
    year: int = 0
    month: int = 1
    day: int = 1
    clock: timedelta = timedelta()
    zone: str | None = None
    problem: str | None = None

    def stamp(self) -> datetime | None:
        """Give the date and time, or None where there is no such day."""
        try:
            return datetime(self.year, self.month, self.day) + self.clock
        except ValueError:
            return None


def read_one(value: Any) -> Read:
    """Read one value of any type."""
    if isinstance(value, pd.Period):
        return _from_period(value)
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, date):
        return _from_date(value)
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | np.integer):
        return Read(problem=UNREADABLE)
    return _from_text(str(value).strip())


def _from_date(value: date) -> Read:
    if not isinstance(value, datetime):
        return Read("day", value.year, value.month, value.day)
    zone = None if value.tzinfo is None else str(value.tzinfo)
    clock = timedelta(0, value.second, value.microsecond, 0, value.minute, value.hour)
    return Read("day", value.year, value.month, value.day, clock, zone)


def _from_period(value: pd.Period) -> Read:
    """Read a period of pandas as the label of that period; a day or a shorter one is a date."""
    first: Any = value.start_time
    unit = value.freqstr.lstrip("0123456789").split("-")[0]
    level = {"A": "year", "Y": "year", "YE": "year", "Q": "quarter", "QE": "quarter"}.get(unit)
    level = level or {"M": "month", "ME": "month", "W": "week"}.get(unit)
    if level is None:
        return _from_date(first)
    if level == "year" and first.month == 4:
        level = "financial-year"
    even = {"year": first.month == 1, "quarter": first.month % 3 == 1, "week": first.weekday() == 0}
    if not even.get(level, True) or value.freqstr[0].isdigit():
        return Read(problem=f"a period of pandas with freq {value.freqstr!r}, which is no {level} used here")
    return Read(level, first.year, first.month, first.day)


def _from_text(text: str) -> Read:
    for level, form in _FORMS:
        match = form.fullmatch(text)
        if match is not None:
            return _from_parts(level, {k: v for k, v in match.groupdict().items() if v is not None})
    if _TWO_DIGIT_YEAR.fullmatch(text):
        return Read(problem="the year has two digits only; write all four")
    return Read(problem=UNREADABLE)


def _from_parts(level: str, parts: dict[str, str]) -> Read:
    year, month, day = int(parts["year"]), int(parts.get("month", 1)), int(parts.get("day", 1))
    if "next" in parts and int(parts["next"]) not in (year + 1, (year + 1) % 100):
        return Read(problem="the second year does not follow the first")
    if "name" in parts:
        name = parts["name"].lower()
        month = next((i for i, m in enumerate(_MONTHS, 1) if m.startswith(name) or name == m[:3] + "t"), 0)
        if month == 0:
            return Read(problem=UNREADABLE)
    match level:
        case "day" | "numeric":
            return _with_time(Read(level, year, month, day), parts)
        case "financial-year":
            return Read(level, year, 4)
        case "quarter":
            return Read(level, year, 3 * int(parts["quarter"]) - 2)
        case "financial-quarter":
            month = 3 * int(parts["quarter"]) + 1
            return Read("quarter", year + month // 12, (month - 1) % 12 + 1)
        case "week":
            return _from_week(year, int(parts["week"]))
    return Read(level, year, month)


def _with_time(read: Read, parts: dict[str, str]) -> Read:
    hour, minute, second = (
        int(parts.get("hour", 0)),
        int(parts.get("minute", 0)),
        float(parts.get("second", 0)),
    )
    if hour > 23 or minute > 59 or second >= 60:
        return Read(problem="no such time of day")
    zone = parts.get("zone")
    if zone is not None:
        zone = "+00:00" if zone in ("Z", "UTC") else f"{zone[:3]}:{zone[-2:]}"
    clock = timedelta(hours=hour, minutes=minute, microseconds=round(second * 1e6))
    return read._replace(clock=clock, zone=zone)


def _from_week(year: int, week: int) -> Read:
    try:
        monday = date.fromisocalendar(year, week, 1)
    except ValueError:
        return Read(problem="no such week")
    return Read("week", monday.year, monday.month, monday.day)
