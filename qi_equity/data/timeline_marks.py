"""Dates set on strata: where phases and targets start, which periods are excluded, and recorded changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity import _result
from qi_equity.data import dates, periods
from qi_equity.data.cells import OBSERVED, Floats, Ints
from qi_equity.data.dated_rows import (
    Dates,
    Texts,
    every_of,
    is_frame,
    moved_dates,
    period_starts,
    place,
    problem_where,
    read_table,
    refuse,
    refuse_together,
    unpaired,
)
from qi_equity.data.marks import read_numbers
from qi_equity.data.recorded import as_changes, as_phases
from qi_equity.errors import InputTypeError, OptionError

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

POST_HOC = "post hoc"

EVIDENCE = (
    "end",
    "n_points",
    "side",
    "meaning",
    "centre_before",
    "centre_after",
    "change",
    "change_date",
    "change_periods",
    "change_before",
)
"""Columns of a suggested phase that tell why it is suggested; a frame of phases may hold them."""


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Points that were marked, in order of stratum and period: M of them.

    Parameters
    ----------
    stratum, position : ndarray of int, shape (M,)
        Where the points are.
    label, reason : ndarray of object, shape (M,)
        What they are called, and why; empty where not said.
    notes : pandas.DataFrame
        What the reader must know about them.
    """

    stratum: Ints
    position: Ints
    label: Texts
    reason: Texts
    notes: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Targets of strata, in order of stratum and start: M of them.

    Parameters
    ----------
    stratum, position : ndarray of int, shape (M,)
        The first point for which each holds; T (one past the last) where a stratum has no such point.
    value : ndarray of float64, shape (M,)
        The targets, unscaled.
    notes : pandas.DataFrame
        What the reader must know about them.
    """

    stratum: Ints
    position: Ints
    value: Floats
    notes: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Recorded changes of strata: M pairs of a change and a stratum, in the order given.

    Parameters
    ----------
    stratum : ndarray of int, shape (M,)
        Whose change it is.
    period : ndarray of datetime64[us], shape (M,)
        Start of the period in which it was made.
    date : ndarray of datetime64[us], shape (M,)
        The date as recorded.
    label : ndarray of object, shape (M,)
        What it is called.
    """

    stratum: Ints
    period: Dates
    date: Dates
    label: Texts


def phase_starts(series: StratifiedSeries, given: Any) -> Marks:
    """Find the points with which phases start: dates, a frame, or what holds recorded changes.

    Raises
    ------
    DataError
        For dates that cannot be read or lie outside the series or in its first period, strata that do not
        exist, and two phases of a stratum that start together.
    """
    given, said = as_phases(series, given, "phases")
    table = read_table(series, given, "phases", "start", ("label", "reason"), ignored=EVIDENCE)
    starts, row, stratum = place(series, table, "phases", "start")
    early = starts <= periods.start(series.cells.ends, every_of(series))[0]
    refuse(
        series,
        table,
        problem_where(early, "starts no later than the series: nothing lies before it"),
        "phases",
    )
    order = np.lexsort((starts[row], stratum))
    row, stratum = row[order], stratum[order]
    refuse_together(series, table, "phases", starts, row, stratum)
    row, stratum, position, without = _phase_positions(series, starts, row, stratum)
    label, reason = table["label"].to_numpy(object), table["reason"].to_numpy(object)
    # A reason that says so itself, as that of a suggested phase can, is none from before the data were seen.
    admitted = table["reason"].str.lower().str.startswith(("post hoc", "post-hoc")).to_numpy(bool)
    post_hoc = admitted | (reason == "")
    # Labels of phases that were read before say so already.
    told = table["label"].str.endswith((POST_HOC, f"({POST_HOC})")).to_numpy(bool)
    bare = np.where(told, label, np.where(label == "", POST_HOC, label + f" ({POST_HOC})"))
    label = np.where(post_hoc, bare, np.where(label == "", reason, label))
    text = (
        "No reason is recorded for the phase(s) from {}: post hoc. A boundary chosen after seeing the data "
        "makes a difference between phases look surer than it is."
    )
    notes = [
        said,
        without,
        moved_dates(series, table["start"], starts, "A phase that starts on"),
        _without_reason(series, starts[post_hoc], "phase_post_hoc", text),
    ]
    return Marks(stratum, position, label[row], reason[row], _result.notes(notes))


def excluded_periods(series: StratifiedSeries, given: Any) -> Marks:
    """Find the points that are excluded.

    Raises
    ------
    DataError
        For periods that cannot be read or are not in the series, and strata that do not exist.
    """
    table = read_table(series, given, "exclude", "period", ("reason",))
    starts, row, stratum = place(series, table, "exclude", "period")
    if series.cells.periods.ndim == 1:
        position = np.searchsorted(series.cells.periods, starts[row])
    else:
        pair, position = np.nonzero(period_starts(series)[stratum] == starts[row, None])
        row, stratum = row[pair], stratum[pair]
    refuse(series, table, problem_where(unpaired(row, len(table)), "is a day without an event"), "exclude")
    reason = table["reason"].to_numpy(object)
    found = pd.DataFrame({"stratum": stratum, "position": position, "reason": reason[row]})
    found = found.drop_duplicates().sort_values(["stratum", "position", "reason"])
    notes = [
        moved_dates(series, table["period"], starts, "An exclusion of"),
        _without_reason(
            series,
            starts[reason == ""],
            "exclusion_without_reason",
            "No reason is recorded for leaving out {}.",
        ),
    ]
    return Marks(
        found["stratum"].to_numpy(),
        found["position"].to_numpy(),
        np.full(len(found), "", dtype=object),
        found["reason"].to_numpy(object),
        _result.notes(notes),
    )


def target_levels(series: StratifiedSeries, given: Any) -> Levels:
    """Find the points from which targets hold; one that starts before the series holds from its first point.

    Raises
    ------
    DataError
        For dates that cannot be read or lie after the series, strata that do not exist, targets that the
        measure cannot have, and two targets of a stratum that start together.
    InputTypeError
        If it is no frame.
    """
    if not is_frame(given, "target"):
        raise InputTypeError(
            f"target={given!r} cannot be used; give a number, or a frame with columns 'start' and 'target'."
        )
    table = read_table(series, given, "target", "start", (), "target")
    value, problems = _allowed_targets(series, table["target"])
    starts, row, stratum = place(series, table, "target", "start", problems, earlier=True)
    order = np.lexsort((starts[row], stratum))
    row, stratum = row[order], stratum[order]
    refuse_together(series, table, "target", starts, row, stratum)
    periods_of, size = period_starts(series), series.cells.status.shape[1]
    if periods_of.ndim == 1:
        position = np.searchsorted(periods_of, starts[row])
    else:
        follows = periods_of[stratum] >= starts[row, None]
        position = np.where(follows.any(axis=1), follows.argmax(axis=1), size)
    moved = moved_dates(series, table["start"], starts, "A target that starts on")
    return Levels(stratum, position, value[row], moved)


def recorded_changes(series: StratifiedSeries, given: Any) -> Changes:
    """Read changes that were recorded, whenever they were made: a frame, or what holds them.

    Raises
    ------
    DataError
        For dates that cannot be read, changes without a label, and strata that do not exist.
    InputTypeError
        If it is neither a frame nor holds recorded changes.
    """
    given = as_changes(series, given, "changes")
    if not is_frame(given, "changes"):
        raise InputTypeError(
            f"changes={given!r} cannot be used; give a frame with columns 'date' and 'label', "
            "or what holds recorded changes."
        )
    table = read_table(series, given, "changes", "date", ("label",))
    unnamed = problem_where(table["label"].to_numpy(object) == "", "has no label")
    starts, row, stratum = place(series, table, "changes", "date", unnamed, earlier=True, later=True)
    exact = dates.read(table["date"], financial_years=every_of(series) == "financial-year").stamps
    return Changes(stratum, starts[row], exact[row], table["label"].to_numpy(object)[row])


def _allowed_targets(series: StratifiedSeries, column: pd.Series) -> tuple[Floats, Texts]:
    """Read targets, and say what is wrong with those that the measure cannot have."""
    read = read_numbers(column)
    problems = problem_where(
        (read.status != OBSERVED) | ~np.isfinite(read.values), "has no number as its target"
    )
    for value in np.unique(read.values[pd.isna(problems)]).tolist():
        try:
            replace(series.measure, target=value)
        except OptionError as error:
            problems[read.values == value] = str(error).split(";")[0]
    return read.values, problems


def _phase_positions(
    series: StratifiedSeries, starts: Dates, row: Ints, stratum: Ints
) -> tuple[Ints, Ints, Ints, pd.DataFrame]:
    """Find the first point of each phase; of times between events, drop and note phases without one."""
    if series.cells.periods.ndim == 1:
        return row, stratum, np.searchsorted(series.cells.periods, starts[row]), _result.notes([])
    follows = period_starts(series)[stratum] >= starts[row, None]
    position = follows.argmax(axis=1)
    # The later of two phases between the same events has the next event, the earlier one has none.
    overtaken = np.append((np.diff(stratum) == 0) & (np.diff(position) == 0), [False])[: len(row)]
    inside = follows.any(axis=1) & (position > 0) & ~overtaken
    strata = series.cells.strata.iloc[np.unique(stratum[~inside])]
    text = "A phase that was asked for has no event of its own here, or no event before it; it is left out."
    notes = _result.note("phase_without_events", "caution", [text] * len(strata), strata)
    return row[inside], stratum[inside], position[inside], notes


def _without_reason(series: StratifiedSeries, starts: Dates, code: str, text: str) -> pd.DataFrame:
    if not len(starts):
        return _result.notes([])
    every = every_of(series)
    return _result.note(code, "caution", text.format(", ".join(periods.labels(np.unique(starts), every))))
