"""Any frame of counts and rates, the library's own or another's, as an outsider reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data import dates as read_dates
from qi_equity.data import periods
from qi_equity.data.disclosure.places import EVERYONE_BUT
from qi_equity.data.disclosure.readings import (
    LINES,
    Bools,
    Dates,
    Meaning,
    Printed,
    Range,
    exactly,
    from_text,
)
from qi_equity.errors import ColumnError

__all__ = ["EVERYONE_ELSE", "read_frame", "read_references", "spans_of", "unread"]

EVERYONE_ELSE = "everyone else"
"""How tables of gaps name the reference of all other groups."""

_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "numerator": ("numerator", "events", "n_events", "observed", "cases"),
    "denominator": ("denominator", "births", "n_births", "deliveries", "babies"),
    "unrecorded": ("unrecorded",),
    "value": (
        "value",
        "rate",
        "proportion",
        "percentage",
        "percent",
        "prevalence",
        "incidence",
        "share",
        "raw",
    ),
    "centre_line": ("centre_line",),
    "sigma": ("sigma",),
    "lower": ("lower", "lower_ci", "ci_lower", "lower_limit"),
    "upper": ("upper", "upper_ci", "ci_upper", "upper_limit"),
    "lower_2s": ("lower_2s",),
    "upper_2s": ("upper_2s",),
}
_TIMES = ("period", "month", "quarter", "year", "date", "span")
# Columns of words that name no stratum.
_WORDS = frozenset((
    "status", "arm", "kind", "reason", "rule", "side", "meaning", "method", "reliable", "reliability",
    "text", "label", "unit", "interval", "measure", "start", "end", "phase", "note", "notes", "variation",
    "assurance", "baseline", "excluded", "scheme", "grouping", "scale", "reference", "name", "orientation",
    "movement", "message", "margin", "compared", "compared_with",
))  # fmt: skip
_OTHER_LINES = frozenset(("gap", "lower_outer", "estimate"))
# What a name says of the unit: "(%)", "per 1,000 births".
_UNITS = re.compile(
    r"[ _(]*(?:(?:per|/)[ _]*[\d,]+(?:[ _]+(?:births|deliveries|babies|women|maternities))?|%|pct)[ )]*"
)
# Columns of numbers that no count of women is behind, and those read with the references.
_NO_COUNTS = frozenset(("n_periods", "phase", "target", "baseline", "excluded", "draws"))
_OF_REFERENCE = "reference_"
# Gaps of measures of which more is better.
_TURNED = ("without the event", "reversed")
# Sums and products of floats.
_GIVE = 1e-12
_DAY = np.timedelta64(1, "D")

Ints = NDArray[np.int64]


def read_frame(
    frame: pd.DataFrame,
    source: str,
    meaning: Meaning,
    *,
    every: str = "",
    likely: str = "",
    in_full: bool = True,
) -> Printed | None:
    """Read a frame.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns of strata, of time and of numbers by their usual names ("numerator" or "events", "denominator"
        or "births", "rate per 1,000", ...); other columns are passed over.
    source : str
        What it is, in words.
    meaning : Meaning
        How its numbers were reckoned.
    every, likely : str
        Length of the periods, where it is known, and what it is where the dates do not tell.
    in_full : bool
        Whether floats stand for themselves; else for half a unit of the last decimal of their column, as
        numbers that someone has rounded do.

    Returns
    -------
    Printed or None
        None where there is no number that counts tell or are told by.
    """
    frame = frame.reset_index(drop=True)
    _refuse_twice(frame, source)
    columns = _columns(frame)
    if not len(frame) or not set(columns) & {"numerator", "denominator", "value"}:
        return None
    if _OTHER_LINES & set(frame.columns):
        # Lines about a gap, or of a funnel: not those of a chart of the counts beside them.
        columns = {name: found for name, found in columns.items() if name not in LINES}
    numbers = {name: _read(frame[c], name, in_full, times) for name, (c, times) in columns.items()}
    start, stop, used = spans_of(frame, every, likely)
    strata = _strata(frame, {c for c, _ in columns.values()} | used)
    if "value" in numbers:
        numbers["value"] = _or(numbers["value"], _by_reference(frame))
        if "raw" in frame:
            numbers["value"] = _or(numbers["value"], exactly(frame["raw"]))
    missing, hidden = _shown_as(frame, columns, numbers, meaning.kind)
    if "centre_line" in numbers:
        meaning = replace(meaning, lines="limits")
    # A value without a count to it says nothing; of an arm of a CUSUM it is no rate.
    plain = _mask(frame, "arm", "both") if "arm" in frame else np.ones(len(frame), dtype=bool)
    status = frame["status"].astype("str") if "status" in frame else pd.Series([""] * len(frame))
    return Printed(
        source=source,
        strata=strata,
        start=start,
        stop=stop,
        numbers={n: r.only(plain & ~missing) if n != "numerator" else r for n, r in numbers.items()},
        hidden=hidden,
        missing=missing,
        provisional=np.asarray(status == "provisional"),
        part=_parts(strata, frame),
        baseline=frame["baseline"].to_numpy(dtype=bool) if "baseline" in frame else None,
        meaning=meaning,
    )


def _columns(frame: pd.DataFrame) -> dict[str, tuple[Any, float]]:
    """Find the column of each quantity, and the multiplier that its name tells."""
    found: dict[str, tuple[Any, float]] = {}
    for column in frame.columns:
        words = str(column).strip().lower()
        per = re.search(r"(?:per|/)[ _]*([\d,]+)", words)
        percent = re.search(r"%|per ?cent|pct", words)
        times = float(per[1].replace(",", "")) if per else 100.0 if percent else 1.0
        plain = _UNITS.sub("", words).strip(" _").replace(" ", "_")
        plain = plain or ("value" if per or percent else "")
        for name, known in _NUMBERS.items():
            if plain in known and name not in found:
                found[name] = (column, times)
    return found


def _read(column: pd.Series, name: str, in_full: bool, times: float) -> Range:
    """Read a column of numbers; counts as they stand, what was reckoned to its digits."""
    if column.dtype.kind in "fiub":
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        if in_full or name in ("numerator", "denominator", "unrecorded"):
            return exactly(values).scaled(times)
        # Where all are whole numbers they may have been rounded to such; a plain fraction never is.
        whole = ".0" if times > 1 else ""
        return from_text(
            [repr(v).removesuffix(whole) if np.isfinite(v) else "" for v in values.tolist()]
        ).scaled(times)
    if name in ("numerator", "denominator", "unrecorded"):
        plain = column.astype("str").str.replace(",", "", regex=False)
        values = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)
        return exactly(np.where(values >= 0, values, np.nan))
    text = column.astype("str").str.strip()
    if times == 1 and text.str.endswith("%").any():
        times = 100.0
    return from_text(text.str.removesuffix("%").tolist()).scaled(times)


def _refuse_twice(frame: pd.DataFrame, source: str) -> None:
    """Refuse columns of one name.

    Raises
    ------
    ColumnError
        Names them.
    """
    twice = frame.columns[frame.columns.duplicated()].tolist()
    if twice:
        raise ColumnError(f"published: {source} has more than one column named {twice}; rename them.")


def unread(frame: pd.DataFrame, found: Printed) -> list[str]:
    """Name the columns with numbers beside withheld counts that are not turned back into counts.

    Parameters
    ----------
    frame : pandas.DataFrame
        What was read.
    found : Printed
        What :func:`read_frame` read of it.

    Returns
    -------
    list of str
    """
    columns = {c for name, (c, _) in _columns(frame).items() if name in found.numbers}
    read = columns | spans_of(frame)[2] | _NO_COUNTS | set(found.strata.columns)
    left = []
    for column in frame.columns:
        if column in read or str(column).startswith(_OF_REFERENCE) or frame[column].dtype.kind not in "fiu":
            continue
        numbers = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isfinite(numbers[found.hidden]).any():
            left.append(str(column))
    return left


def _shown_as(
    frame: pd.DataFrame, columns: Mapping[str, tuple[Any, float]], numbers: Mapping[str, Range], kind: str
) -> tuple[Bools, Bools]:
    """Tell which rows are shown as missing, and which as withheld."""
    nothing = np.zeros(len(frame), dtype=bool)
    if "status" in frame:
        missing, hidden = _mask(frame, "status", "missing"), _mask(frame, "status", "suppressed")
        # Blanked by hand, whatever the status says; where no row has a count, the item shows none.
        if "numerator" in columns and kind != "mean" and numbers["numerator"].there.any():
            hidden = hidden | ~missing & ~numbers["numerator"].there
        return missing, hidden
    if "numerator" not in columns:
        return nothing, nothing
    return nothing, ~numbers["numerator"].there


def _by_reference(frame: pd.DataFrame) -> Range:
    """Give the rate that a difference or a ratio to a known reference rate tells."""
    nothing = np.full(len(frame), np.nan)
    if not {"reference_rate", "difference", "ratio"} <= set(frame.columns):
        return Range(nothing, nothing)
    rate, difference, ratio = (
        frame[c].to_numpy(dtype=np.float64, na_value=np.nan)
        for c in ("reference_rate", "difference", "ratio")
    )
    turned = (
        [_mask(frame, "orientation", o) for o in _TURNED] if "orientation" in frame else [nothing > 0] * 2
    )
    added = np.where(turned[0] | turned[1], rate - difference, rate + difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.select(turned, [1 - ratio * (1 - rate), rate / ratio], rate * ratio)
    both = np.where(np.isfinite(added), added, times)
    return Range(both - _GIVE, both + _GIVE)


def _or(first: Range, second: Range) -> Range:
    there = first.there
    return Range(np.where(there, first.low, second.low), np.where(there, first.high, second.high))


def read_references(frame: pd.DataFrame, found: Printed) -> Printed | None:
    """Read the counts of the reference that stand beside each group of a table of gaps.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``reference`` or ``compared_with`` ("everyone else" or the name of a group), and its counts.
    found : Printed
        What :func:`read_frame` read of it.

    Returns
    -------
    Printed or None
        None where there are no such columns.
    """
    by = "compared_with" if "compared_with" in frame else "reference"
    pairs = {
        "numerator": next((c for c in ("reference_events", "reference_numerator") if c in frame), ""),
        "denominator": next((c for c in ("reference_births", "reference_denominator") if c in frame), ""),
    }
    if by not in frame or not all(pairs.values()):
        return None
    frame = frame.reset_index(drop=True)
    group, reference = found.strata["group"], frame[by].astype("object")
    named = reference.where(reference.isin(set(group.dropna())), None)
    others = np.asarray(reference == EVERYONE_ELSE)
    strata = found.strata.assign(group=named.mask(others, EVERYONE_BUT + group.fillna("")))
    kept = np.asarray(strata["group"].notna()) & ~np.asarray(frame.get("is_reference", False), dtype=bool)
    at = np.flatnonzero(kept)
    nothing = np.zeros(len(at), dtype=bool)
    return Printed(
        source=f"the references of {found.source}",
        strata=strata.iloc[at].reset_index(drop=True),
        start=found.start[at],
        stop=found.stop[at],
        numbers={q: exactly(frame[c].iloc[at]) for q, c in pairs.items()},
        hidden=nothing,
        missing=nothing,
        provisional=nothing,
        part=found.part[at],
        meaning=found.meaning,
    )


def _mask(frame: pd.DataFrame, column: str, value: str) -> Bools:
    return np.asarray(frame[column].astype("str") == value, dtype=bool)


def _strata(frame: pd.DataFrame, used: set[Any]) -> pd.DataFrame:
    """Take the columns of words that are neither numbers nor time."""
    chosen = {}
    for column in frame.columns:
        words = frame[column].dtype.kind in "OUT" or isinstance(frame[column].dtype, pd.CategoricalDtype)
        words |= pd.api.types.is_string_dtype(frame[column].dtype)
        named = str(column) in ("site", "group")
        if column not in used and (named or (words and str(column).lower() not in _WORDS)):
            text = frame[column].astype("object")
            chosen[str(column)] = text.where(text.notna(), None).map(lambda v: None if v is None else str(v))
    return pd.DataFrame(chosen, index=frame.index, dtype="object")


def _parts(strata: pd.DataFrame, frame: pd.DataFrame) -> Ints:
    """Give each stratum and phase a number."""
    keys = strata.fillna("").assign(_phase=frame.get("phase", 0))
    return np.asarray(keys.groupby(list(keys.columns), sort=False).ngroup(), dtype=np.int64)


def spans_of(frame: pd.DataFrame, every: str = "", likely: str = "") -> tuple[Dates, Dates, set[Any]]:
    """Read the time of each row: its first day, the day after its last, and the columns that tell.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``start`` and ``end`` (days), or a column of periods: their first days or their labels.
    every, likely : str
        Length of the periods, where it is known, and what it is where the dates do not tell.

    Returns
    -------
    start, stop : numpy.ndarray of datetime64[us]
        NaT where the frame names no time.
    columns : set
        Columns that tell of time.
    """
    names = {str(c).lower(): c for c in frame.columns}
    used = {names[n] for n in ("start", "end", *_TIMES) if n in names}
    if {"start", "end"} <= set(names):
        start = pd.to_datetime(frame[names["start"]], errors="coerce").to_numpy(dtype="datetime64[us]")
        end = pd.to_datetime(frame[names["end"]], errors="coerce").to_numpy(dtype="datetime64[us]")
        return start, end + _DAY, used
    name = next((n for n in _TIMES if n in names), None)
    nowhere = np.full(len(frame), np.datetime64("NaT", "us"))
    if name is None:
        return nowhere, nowhere.copy(), used
    column = frame[names[name]]
    found = read_dates.read(column.astype("object") if column.dtype == "category" else column, None)
    length = every or _length(found, likely or "month")
    if length not in periods.EVERY:
        return nowhere, nowhere.copy(), used
    step: Any = length
    number = periods.ordinal(found.stamps, step)
    there = ~np.isnat(found.stamps)
    stop = periods.from_ordinal(np.where(there, number + 1, number), step)
    return periods.from_ordinal(number, step), stop, used


def _length(found: read_dates.ReadDates, likely: str) -> str:
    """Tell the length of periods from their labels, or from how far their first days lie apart."""
    levels = {str(level) for level in found.levels} - {"", "day"}
    if levels:
        return max((e for e in periods.EVERY if e in levels), key=periods.EVERY.index, default="")
    days = np.unique(found.stamps[~np.isnat(found.stamps)])
    if not len(days) or (periods.start(days, "month") != days).any():
        return "day" if len(days) else ""
    if len(days) == 1:
        return likely
    apart = np.diff(periods.ordinal(days, "month")).min()
    return "month" if apart < 3 else "quarter" if apart < 12 else "year"
