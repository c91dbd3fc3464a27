"""Phases, baselines and exclusions of every stratum, from dates or frames with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.data import periods, selecting
from qi_equity.data.cells import OBSERVED, PADDING, Bools, Cells, Ints
from qi_equity.data.dated_rows import period_starts
from qi_equity.data.recorded import RecordedChanges
from qi_equity.data.show import extent
from qi_equity.data.timeline_marks import Marks, excluded_periods, phase_starts
from qi_equity.errors import InputTypeError, OptionError

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

__all__ = ["Timeline", "timeline"]

Mark = str | date | np.datetime64


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Phases, baseline and exclusions of S strata in T periods.

    Parameters
    ----------
    phase : ndarray of int, shape (S, T)
        Phase of each point, from 0; -1 after the last event of a stratum.
    baseline : ndarray of bool, shape (S, T)
        Points that set the limits of their phase: observed, not excluded, not provisional.
    excluded : ndarray of bool, shape (S, T)
        Points out of limits and runs tests; they are still drawn and compared with the limits.
    phases : pandas.DataFrame
        Columns of the strata, ``phase`` (from 1), ``start``, ``label``, ``reason`` (empty for the first
        phase, and where none was given).
    exclusions : pandas.DataFrame
        Columns of the strata, ``period``, ``reason``.
    notes : pandas.DataFrame
        What the reader must know about them.
    """

    phase: Ints
    baseline: Bools
    excluded: Bools
    phases: pd.DataFrame
    exclusions: pd.DataFrame
    notes: pd.DataFrame

    def __post_init__(self) -> None:
        for name in ("phase", "baseline", "excluded"):
            view = getattr(self, name).view()
            view.setflags(write=False)
            object.__setattr__(self, name, view)


def timeline(
    series: StratifiedSeries,
    *,
    phases: Mark | Sequence[Mark] | pd.DataFrame | RecordedChanges | None = None,
    baseline: int | Mark | None = None,
    exclude: Mark | Sequence[Mark] | pd.DataFrame | None = None,
) -> Timeline:
    """Work out the phase of every point, and which points set the limits.

    Parameters
    ----------
    series : StratifiedSeries
        The series, S strata in T periods.
    phases : date, list of dates, frame or recorded changes, optional
        Where a new phase starts: for all strata, or a frame with ``start`` and, as far as wanted, ``site``,
        ``group``, further strata (empty: all), ``label`` and ``reason``; or what holds recorded changes
        (:class:`RecordedChanges`). A date inside a period starts the phase with the whole of that period.
    baseline : int or date, optional
        The first k periods of each phase, or those up to the one that holds the date (phases that start later
        use all of theirs). Default: all periods.
    exclude : period, list of periods or frame, optional
        Periods to leave out of limits and runs tests: for all strata, or a frame with ``period`` and, as far
        as wanted, ``site``, ``group``, further strata and ``reason``.

    Returns
    -------
    Timeline

    Raises
    ------
    OptionError
        If the baseline is not within the series.
    DataError
        If a phase or exclusion names a stratum or period that the series does not have; all of them at once.
    InputTypeError
        If an argument is of a kind that cannot be used.
    """
    cells = series.cells
    starts = None if phases is None else phase_starts(series, phases)
    marks = None if exclude is None else excluded_periods(series, exclude)
    begins = np.zeros(cells.status.shape, dtype=bool)
    excluded = begins.copy()
    if starts is not None:
        begins[starts.stratum, starts.position] = True
    if marks is not None:
        excluded[marks.stratum, marks.position] = True
    phase = np.where(cells.status == PADDING, PADDING, begins.cumsum(axis=1))
    within, notes = _baseline(series, phase, baseline)
    return Timeline(
        phase=phase,
        baseline=within & ~excluded & (cells.status == OBSERVED),
        excluded=excluded,
        phases=_phase_table(cells, phase, starts),
        exclusions=_exclusion_table(cells, marks),
        notes=_result.notes([*(m.notes for m in (starts, marks) if m is not None), notes]),
    )


def _baseline(
    series: StratifiedSeries, phase: Ints, baseline: int | Mark | None
) -> tuple[Bools, pd.DataFrame]:
    """Tell which points the baseline option allows, whatever their status."""
    if baseline is None:
        return np.ones(phase.shape, dtype=bool), _result.notes([])
    if isinstance(baseline, bool) or not isinstance(baseline, int | np.integer | Mark | pd.Period):
        raise InputTypeError(f"baseline={baseline!r} cannot be used; give a number of periods or a date.")
    if isinstance(baseline, int | np.integer):
        return _first_periods(series.cells, phase, _validate.whole_number("baseline", baseline, at_least=1))
    upto = np.broadcast_to(period_starts(series) <= _baseline_end(series, baseline), phase.shape)
    first = np.maximum.accumulate(np.where(_starts(phase), np.arange(phase.shape[1]), 0), axis=1)
    began = np.take_along_axis(upto, first, axis=1)
    return upto | ~began, _result.notes([])


def _first_periods(cells: Cells, phase: Ints, count: int) -> tuple[Bools, pd.DataFrame]:
    """Tell which points are among the first of their phase; note phases that are shorter."""
    index = np.arange(phase.shape[1])
    since = index - np.maximum.accumulate(np.where(_starts(phase), index, 0), axis=1)
    ends = np.append(_starts(phase)[:, 1:], np.ones((len(phase), 1), dtype=bool), axis=1) & (phase >= 0)
    short = (ends & (since + 1 < count)).any(axis=1)
    text = f"A phase is shorter than the baseline of {count} periods; all of its periods set its limits."
    return since < count, _result.note(
        "short_baseline", "caution", [text] * int(short.sum()), cells.strata.iloc[np.flatnonzero(short)]
    )


def _starts(phase: Ints) -> Bools:
    """Tell where a phase, or the padding after the last event, starts."""
    starts: Bools = np.diff(phase, axis=1, prepend=-2) != 0
    return starts


def _baseline_end(series: StratifiedSeries, baseline: Mark) -> np.datetime64:
    every: Any = series.every
    end: np.datetime64 = selecting.bound(series, "baseline", baseline, last=True)[0]
    first, last = periods.start(series.cells.ends, every)
    if not first <= end <= last:
        raise OptionError(f"baseline={baseline!r} is outside the series, which {extent(series)}.")
    return end


def _phase_table(cells: Cells, phase: Ints, marks: Marks | None) -> pd.DataFrame:
    """List the phases of every stratum: the one from the first period on, and those that were asked for."""
    size = len(cells.strata)
    first = cells.periods[0] if cells.periods.ndim == 1 else cells.periods[:, 0]
    stratum, start = np.arange(size), np.broadcast_to(first, size)
    number = np.ones(size, dtype=np.int64)
    label = reason = np.full(size, "", dtype=object)
    if marks is not None:
        at = (marks.stratum, marks.position)
        dates = np.broadcast_to(cells.periods, phase.shape)[at]
        stratum, start = np.append(stratum, marks.stratum), np.append(start, dates)
        number = np.append(number, phase[at] + 1)
        label, reason = np.append(label, marks.label), np.append(reason, marks.reason)
    order = np.lexsort((number, stratum))
    table = cells.strata.iloc[stratum[order]].reset_index(drop=True)
    table["phase"], table["start"] = number[order], start[order]
    table["label"] = pd.Series(label[order], index=table.index, dtype="str")
    table["reason"] = pd.Series(reason[order], index=table.index, dtype="str")
    return table


def _exclusion_table(cells: Cells, marks: Marks | None) -> pd.DataFrame:
    nothing = np.zeros(0, dtype=np.int64)
    stratum, position = (nothing, nothing) if marks is None else (marks.stratum, marks.position)
    table = cells.strata.iloc[stratum].reset_index(drop=True)
    table["period"] = np.broadcast_to(cells.periods, cells.status.shape)[stratum, position]
    table["reason"] = pd.Series([] if marks is None else marks.reason, index=table.index, dtype="str")
    return table
