"""Signals as rows: flagged points put together, with rule, place, side and meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.spc.rules import TESTS, BeyondLimits, Crossings, LongestRun, Shift, Test, Trend

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

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

    def meaning(self, better: str | None) -> IntArray:
        """Index into ``MEANINGS``: what each signal says of a measure with that direction."""
        if better is None:
            return np.full(self.side.shape, 2)
        good = SIDES.index("low" if better == "lower" else "high")
        return np.where(self.side == NO_SIDE, 2, (self.side != good).astype(np.int64))


def found(chart: ControlChart) -> Found:
    """Put the flagged points of a chart together as signals, in the order of strata, phases and time."""
    parts = [_crossings(chart)] if "crossings" in chart.rules.names else []
    for test in chart.rules.tests:
        for side, name in enumerate(SIDES):
            if (test.name, name) in chart.flags:
                parts.append(_of_flags(chart, test, side))
    table = np.concatenate([*parts, np.zeros((0, 7), dtype=np.int64)])
    order = np.lexsort((table[:, 6], table[:, 2], table[:, 3], table[:, 1], table[:, 0]))
    return Found(*table[order].T)


def signals_frame(chart: ControlChart) -> pd.DataFrame:
    """Give the signals as the frame that :attr:`ControlChart.signals` describes."""
    rows = chart._found()
    periods = np.broadcast_to(chart.series.cells.periods, chart.centre_line.shape)
    frame = chart.strata.take(rows.stratum).reset_index(drop=True)
    return frame.assign(
        phase=rows.phase + 1,
        rule=category(rows.rule, tuple(TESTS)),
        start=periods[rows.stratum, rows.start],
        end=periods[rows.stratum, rows.end],
        n_points=rows.n_points,
        side=category(rows.side, SIDES),
        meaning=category(rows.meaning(chart.series.measure.better), MEANINGS),
    )


def category(codes: npt.NDArray[Any], categories: Sequence[str]) -> pd.Categorical:
    """Make a categorical of codes; -1 is missing."""
    made: pd.Categorical = pd.Categorical.from_codes(codes, categories=list(categories))  # type: ignore[call-overload]
    return made


def _of_flags(chart: ControlChart, test: Test, side: int) -> IntArray:
    """Group the flagged points of one rule and side; one row (of seven numbers) a signal."""
    flags = chart.flags[test.name, SIDES[side]]
    rows = np.flatnonzero(flags.any(axis=1))
    flags, phase = flags[rows], chart.timeline.phase[rows]
    row, time = np.nonzero(flags)
    if not row.size:
        return np.zeros((0, 7), dtype=np.int64)
    same = (row[1:] == row[:-1]) & (phase[row[1:], time[1:]] == phase[row[:-1], time[:-1]])
    same &= _joined(chart, test, side, rows, flags)[row[1:], time[:-1], time[1:]]
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    last = np.append(first[1:], row.size) - 1
    constant = np.ones_like(first)
    return np.column_stack(
        [
            rows[row[first]],
            phase[row[first], time[first]],
            constant * tuple(TESTS).index(test.name),
            time[first],
            time[last],
            last - first + 1,
            constant * side,
        ]
    )


class _Between:
    """Whether two flagged points of a row belong together: no breaking point lies between them."""

    def __init__(self, breaking: BoolArray, near: int, also: BoolArray | None = None) -> None:
        self._count = np.cumsum(breaking, axis=1)
        self._near = near
        self._also = also

    def __getitem__(self, where: tuple[IntArray, IntArray, IntArray]) -> BoolArray:
        row, before, after = where
        together = (self._count[row, before] == self._count[row, after]) & (after - before <= self._near)
        return np.asarray(together if self._also is None else together & self._also[row, after])


def _joined(chart: ControlChart, test: Test, side: int, rows: IntArray, flags: BoolArray) -> _Between:
    """Say what ends a signal of this rule: the same as ends its run of points."""
    length = flags.shape[1]
    if isinstance(test, BeyondLimits):
        return _Between(flags, length)
    values = np.where(chart._tested()[rows], chart.series.cells.value[rows], np.nan)
    gone = np.isnan(values)
    if isinstance(test, LongestRun | Shift):
        tie = values == chart.centre_line[rows]
        skip_ties = isinstance(test, LongestRun) or test.ties == "skip"
        skip_gone = isinstance(test, LongestRun) or test.missing == "skip"
        return _Between(~flags & ~(tie & skip_ties) & ~(gone & skip_gone), length)
    if isinstance(test, Trend):
        step = np.diff(values, axis=1, prepend=np.nan) * (1 if side else -1)
        pause = (step == 0) & (test.ties == "skip")
        return _Between(~flags & ~pause, length, also=step >= 0 if test.ties == "skip" else step > 0)
    centre = chart.centre_line[rows]
    beside = values > centre if side else values < centre
    return _Between(~flags & ~beside, 2)


def _crossings(chart: ControlChart) -> IntArray:
    """Give a row for each stratum and phase with too few crossings: its useful points, no side."""
    stratum, phase = np.nonzero(chart.few_crossings)
    useful = chart._tested()[stratum] & (chart.timeline.phase[stratum] == phase[:, None])
    useful &= chart.series.cells.value[stratum] != chart.centre_line[stratum]
    last = useful.shape[1] - 1 - useful[:, ::-1].argmax(axis=1)
    constant = np.ones_like(stratum)
    return np.column_stack(
        [
            stratum,
            phase,
            constant * tuple(TESTS).index(Crossings.name),
            useful.argmax(axis=1),
            last,
            useful.sum(axis=1),
            constant * NO_SIDE,
        ]
    )
