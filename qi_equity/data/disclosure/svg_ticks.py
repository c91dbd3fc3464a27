"""Labels of ticks as dates and numbers, and the scale that they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from qi_equity.data.disclosure.readings import Dates, Floats

__all__ = ["date_ticks", "number_ticks"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EVEN = 1e-3


def date_ticks(ticks: Sequence[tuple[float, str]]) -> Callable[[Floats], Dates] | None:
    """Make the function from places to dates that the labels of an axis tell.

    Parameters
    ----------
    ticks : sequence of (float, str)
        Place and label: "Jan 2024" or "Q1 2024" for the first of a year, then "Mar" or "Q2"; "5 Jan 2024";
        "2024"; "2024-25".

    Returns
    -------
    callable or None
        None where fewer than two labels are dates.

    Examples
    --------
    >>> when = date_ticks([(0.0, "Jan 2024"), (1.0, "Feb")])
    >>> str(when(np.array(1.0)).astype("datetime64[D]"))
    '2024-02-01'
    """
    places, days, year = [], [], None
    for place, label in ticks:
        words = label.split()
        told = next((w for w in words if re.fullmatch(r"\d{4}(-\d{2})?", w)), None)
        year = int(told[:4]) if told else year
        month = next((m for w in words for m in [_month(w)] if m), None)
        if year is None or (month is None and told is None):
            continue
        first = month or (4 if told and "-" in told else 1)
        day = next((int(w) for w in words if re.fullmatch(r"\d{1,2}", w)), 1)
        places.append(place)
        days.append(
            float((np.datetime64(f"{year}-{first:02d}", "D") - np.datetime64("1970-01-01")).astype(int))
            + day
            - 1
        )
    if len(places) < 2:
        return None
    slope, base = np.polyfit(places, days, 1)

    def when(at: Floats) -> Dates:
        whole = np.rint(slope * np.asarray(at) + base).astype(np.int64)
        stamps: Dates = whole.astype("datetime64[D]").astype("datetime64[us]")
        return stamps

    return when


def _month(word: str) -> int | None:
    if re.fullmatch(r"Q[1-4]", word):
        return 3 * int(word[1]) - 2
    return _MONTHS.index(word[:3].lower()) + 1 if word[:3].lower() in _MONTHS else None


def number_ticks(ticks: Sequence[tuple[float, str]]) -> Callable[[Floats], Floats] | None:
    """Make the function from places to numbers that the labels of an axis tell.

    Parameters
    ----------
    ticks : sequence of (float, str)
        Place and label.

    Returns
    -------
    callable or None
        None where fewer than two labels are numbers, or they do not lie evenly.

    Examples
    --------
    >>> level = number_ticks([(0.0, "0"), (0.5, "1,000")])
    >>> level(np.array(0.25)).item()
    500.0
    """
    found = [(place, _number(label)) for place, label in ticks]
    known = np.array([(place, value) for place, value in found if value is not None])
    if len(known) < 2:
        return None
    (x0, y0), (x1, y1) = known[0], known[-1]
    slope = (y1 - y0) / (x1 - x0) if x1 != x0 else 0.0

    def level(at: Floats) -> Floats:
        return np.asarray(y0 + slope * (np.asarray(at) - x0))

    even = np.abs(level(known[:, 0]) - known[:, 1]).max() <= _EVEN * abs(y1 - y0)
    return level if slope and even else None


def _number(label: str) -> float | None:
    plain = label.replace("\N{MINUS SIGN}", "-").replace(",", "").strip().rstrip("%").strip()
    return float(plain) if re.fullmatch(r"-?\d+(\.\d+)?", plain) else None
