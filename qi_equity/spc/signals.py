"""Signals as rows: flagged points put together, with rule, place, side and meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from qi_equity.data.cells import Cells
from qi_equity.spc.flags import runs_signal
from qi_equity.spc.rules import (
    TESTS,
    Alternating,
    BeyondLimits,
    FourInFive,
    LongestRun,
    Outside,
    Shift,
    Test,
    Trend,
    TwoInThree,
)

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SIDES = ("low", "high")
MEANINGS = ("improvement", "concern", "neutral")
NO_SIDE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Signals as positions: stratum, phase (from 0), rule, first and last point, points, side (-1: none)."""

    stratum: IntArray
    phase: IntArray
    rule: IntArray
    start: IntArray
    end: IntArray
    n_points: IntArray
    side: IntArray

    def meaning(self, good: IntArray) -> IntArray:
        """Index into ``MEANINGS``: what each signal says, given the good side of each stratum (-1: none)."""
        side = good[self.stratum]
        return np.where((self.side == NO_SIDE) | (side < 0), 2, (self.side != side).astype(np.int64))


def found(chart: ControlChart) -> Found:
    """Put the flagged points of a chart together as signals, in the order of strata, phases and time."""
    parts = [np.zeros((0, 7), dtype=np.int64)]
    for test in chart.rules.tests:
        parts += [_of_flags(chart, test, side) for side in test.sides] or _of_phases(chart, test)
    table = np.concatenate(parts)
    order = np.lexsort((table[:, 6], table[:, 2], table[:, 3], table[:, 1], table[:, 0]))
    return Found(*table[order].T)


def signals_frame(chart: ControlChart) -> pd.DataFrame:
    """Give the signals as the frame that :attr:`ControlChart.signals` describes."""
    rows = chart._found()
    return rows_frame(chart.series.cells, rows, rows.meaning(chart._good))


def rows_frame(cells: Cells, rows: Found, meaning: IntArray) -> pd.DataFrame:
    """Write signals as rows; ``meaning`` is an index into ``MEANINGS`` for each."""
    periods = np.broadcast_to(cells.periods, cells.status.shape)
    frame = cells.strata.take(rows.stratum).reset_index(drop=True)
    return frame.assign(
        phase=rows.phase + 1,
        rule=category(rows.rule, tuple(TESTS)),
        start=periods[rows.stratum, rows.start],
        end=periods[rows.stratum, rows.end],
        n_points=rows.n_points,
        side=category(rows.side, SIDES),
        meaning=category(meaning, MEANINGS),
    )


def category(codes: npt.NDArray[Any], categories: Sequence[str]) -> pd.Categorical:
    """Make a categorical of codes; -1 is missing."""
    made: pd.Categorical = pd.Categorical.from_codes(codes, categories=list(categories))  # type: ignore[call-overload]
    return made


def _of_flags(chart: ControlChart, test: Test, side: str) -> IntArray:
    """Group the flagged points of one rule and side; one row (of seven numbers) a signal."""
    rows = np.flatnonzero(chart.flags[test.name, side].any(axis=1))
    if not rows.size:
        return np.zeros((0, 7), dtype=np.int64)
    seen = _Seen(chart, test, side, rows)
    # What alternates is held together by its turns: two patterns share the point at which they meet.
    points, around = (seen.turns, 1) if isinstance(test, Alternating) else (seen.flags, 0)
    row, time = np.nonzero(points)
    part = np.cumsum(_begins(test, seen), axis=1)[row, time]
    first = np.flatnonzero(np.concatenate([[True], (row[1:] != row[:-1]) | (part[1:] != part[:-1])]))
    last = np.append(first[1:], row.size) - 1
    constant = np.ones_like(first)
    return np.column_stack(
        [
            rows[row[first]],
            seen.phase[row[first], time[first]],
            constant * tuple(TESTS).index(test.name),
            time[first] - around,
            time[last] + around,
            last - first + 1 + 2 * around,
            constant * (SIDES.index(side) if side in SIDES else NO_SIDE),
        ]
    )


class _Seen:
    """What tells the signals of a rule on a side apart, in the strata that have some; arrays (S, T)."""

    def __init__(self, chart: ControlChart, test: Test, side: str, rows: IntArray) -> None:
        self.flags = chart.flags[test.name, side][rows]
        self.either = np.logical_or.reduce([chart.flags[test.name, s][rows] for s in test.sides])
        self.values = np.where(chart._tested()[rows], chart._plain[rows], np.nan)
        self.centre = chart.centre_line[rows]
        self.phase = chart.timeline.phase[rows]
        self.sign = -1 if side == "low" else 1
        self._chart, self._rows = chart, rows

    @property
    def step(self) -> FloatArray:
        """Way from the point before; NaN for the first of a phase."""
        within = np.diff(self.phase, axis=1, prepend=-2) == 0
        return np.where(within, np.diff(self.values, axis=1, prepend=np.nan), np.nan)

    @property
    def beside(self) -> BoolArray:
        """Points on this side of the centre line."""
        return (self.values - self.centre) * self.sign > 0

    @property
    def above(self) -> BoolArray:
        """Points above the upper limit at one sigma."""
        return np.asarray(self.values > self._chart._one_sigma()[1][self._rows])

    @property
    def turns(self) -> BoolArray:
        """Points of a pattern that lie between two steps of opposite ways."""
        way = np.sign(self.step)
        turn = np.zeros(way.shape, dtype=bool)
        turn[:, :-1] = (way[:, 1:] * way[:, :-1] == -1) & self.flags[:, :-1]
        return turn


def _begins(test: Test, seen: _Seen) -> BoolArray:
    """Mark what parts signals of this rule: a marked point and what follows is not of the signal before."""
    flags, gone = seen.flags, np.isnan(seen.values)
    match test:
        case BeyondLimits():
            return flags
        case LongestRun() | Shift():
            skip_ties = isinstance(test, LongestRun) or test.ties == "skip"
            skip_gone = isinstance(test, LongestRun) or test.missing == "skip"
            broken = ~flags & ~((seen.values == seen.centre) & skip_ties) & ~(gone & skip_gone)
        case Trend():
            on = seen.step * seen.sign > 0
            broken = ~on & ~((seen.step == 0) & (test.ties == "skip"))
        case TwoInThree() | FourInFive() | Outside():
            return ~_held(*_windows(test, seen))
        case Alternating():
            broken = ~seen.turns
        case _:
            broken = ~flags
    return np.asarray(broken | (np.diff(seen.phase, axis=1, prepend=-2) != 0))


def _windows(test: TwoInThree | FourInFive | Outside, seen: _Seen) -> tuple[BoolArray, int]:
    """Say which windows, by their first point, qualify, and how long they are.

    All points that count in a window that qualifies are flagged, so that the flags tell which do.
    """
    if isinstance(test, Outside):
        size, need, may = test.length, test.length, ~np.isnan(seen.values)
        flags = seen.flags
    else:
        size, need = (3, 2) if isinstance(test, TwoInThree) else (test.window, 4)
        may = seen.beside if test.same_side == "all" else ~np.isnan(seen.values)
        flags = seen.either if test.same_side == "any" else seen.flags
    of = partial(sliding_window_view, window_shape=size, axis=1)
    found = of(may).all(axis=-1) & (of(flags).sum(axis=-1) >= need)
    found &= seen.phase[:, : found.shape[1]] == seen.phase[:, size - 1 :]
    if isinstance(test, Outside):
        above = of(seen.above)
        found &= above.any(axis=-1) & ~above.all(axis=-1)
    return found, size


def _held(windows: BoolArray, size: int) -> BoolArray:
    """Mark points that some window holds together with the point before."""
    held = np.zeros((windows.shape[0], windows.shape[1] + size - 1), dtype=bool)
    for place in range(1, size):
        held[:, place : place + windows.shape[1]] |= windows
    return held


def _of_phases(chart: ControlChart, test: Test) -> list[IntArray]:
    """Give a row for each stratum and phase that signals as a whole: its useful points, no side."""
    stratum, phase = np.nonzero(chart.few_crossings)
    useful = chart._tested()[stratum] & (chart.timeline.phase[stratum] == phase[:, None])
    values, centre = np.where(useful, chart._plain[stratum], np.nan), chart.centre_line[stratum]
    signals = runs_signal(test, values, centre)
    stratum, phase = stratum[signals], phase[signals]
    useful = (useful & (values != centre))[signals]
    last = useful.shape[1] - 1 - useful[:, ::-1].argmax(axis=1)
    constant = np.ones_like(stratum)
    return [
        np.column_stack(
            [
                stratum,
                phase,
                constant * tuple(TESTS).index(test.name),
                useful.argmax(axis=1),
                last,
                useful.sum(axis=1),
                constant * NO_SIDE,
            ]
        )
    ]
