"""One row a stratum and phase of a gap chart: lines, runs, what can signal, and what chance gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.equity.gap_chart.lines import phases_of
from qi_equity.spc.rules import BeyondLimits, Shift
from qi_equity.spc.runs_tests import REASONS
from qi_equity.spc.signals import category
from qi_equity.spc.summary import CAN_SIGNAL, RECENT

if TYPE_CHECKING:
    from qi_equity.equity.gap_chart.state import GapState

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def summary_frame(chart: GapState) -> pd.DataFrame:
    """Give the frame that :meth:`GapChart.summary` describes."""
    masks = phases_of(chart.timeline)
    row, phase = np.nonzero(np.stack([mask.any(axis=1) for mask in masks], axis=1))
    own = chart._shown_mask[row]
    row, phase = row[own], phase[own]
    inside = np.stack(masks, axis=1)[row, phase]
    seen = inside & chart._sides.seen[row]
    last = np.where(seen.any(axis=1), _last(seen), _last(inside))
    lines = {name: chart.lines[name][row, last] for name in ("centre_line", "lower", "upper", "sigma")}
    periods = chart.series.cells.periods
    runs = chart.runs
    chance, error = chart._false_signals()
    able = {side: can_signal(chart, side)[row, phase] for side in ("low", "high")}
    frame = (
        chart.series.cells.strata.take(row)
        .reset_index(drop=True)
        .assign(
            compared_with=np.asarray(chart.against.names, dtype=object)[row],
            phase=phase + 1,
            start=periods[inside.argmax(axis=1)],
            end=periods[_last(inside)],
            n_points=seen.sum(axis=1),
            n_useful=runs.n_useful[row, phase].astype(np.int64),
            **lines,
            expected=chart.lines["expected"][row, last],
            chance_above=runs.chance[row, phase],
            longest_run=runs.longest[row, phase],
            longest_run_max=runs.longest_max[row, phase],
            crossings=runs.crossings[row, phase],
            crossings_min=runs.crossings_min[row, phase],
            n_signals=_signals(chart)[row, phase],
            runs_tests=category(runs.reason[row, phase], REASONS),
            can_signal_low=category(able["low"], CAN_SIGNAL),
            can_signal_high=category(able["high"], CAN_SIGNAL),
            false_signal_probability=chance[row, phase],
            false_signal_error=error[row, phase],
        )
    )
    frame = frame.astype({"compared_with": "str"})
    return frame.assign(expected_false_signals_all=frame["false_signal_probability"].sum())


def _signals(chart: GapState) -> IntArray:
    """Count the signals of each stratum and phase, shape (S, K)."""
    found, count = chart._found(), np.zeros(chart.few_crossings.shape, dtype=np.int64)
    np.add.at(count, (found.stratum, found.phase), 1)
    return count


def can_signal(chart: GapState, side: str) -> IntArray:
    """Index into ``CAN_SIGNAL``: how the group alone could make the gap signal on a side, shape (S, K).

    Judged at the last 12 points of a phase, with the reference at its expected rate.
    """
    beyond = (
        chart.lines["lowest"] < chart.lines["lower"]
        if side == "low"
        else chart.lines["highest"] > chart.lines["upper"]
    )
    by_limits = any(isinstance(test, BeyondLimits) for test in chart.rules.tests) and chart.judged
    parts = []
    for mask in phases_of(chart.timeline):
        seen = chart._sides.seen & mask
        recent = seen & (seen[:, ::-1].cumsum(axis=1)[:, ::-1] <= RECENT)
        parts.append((recent & beyond).any(axis=1) & by_limits)
    runs = runs_can_signal(chart)
    return np.select([np.stack(parts, axis=1), runs], [0, 1], 2)


def runs_can_signal(chart: GapState) -> BoolArray:
    """Whether a test of a shift is given and has points enough for a signal, shape (S, K)."""
    runs = chart.runs
    able = np.zeros(runs.reason.shape, dtype=bool)
    if not chart.judged:
        return able
    names = chart.rules.names
    if "longest_run" in names:
        able |= runs.longest_max < runs.n_useful
    if "crossings" in names:
        able |= runs.crossings_min > 0
    for test in chart.rules.tests:
        if isinstance(test, Shift):
            able |= runs.n_useful >= test.length
    return np.asarray(able & runs.given)


def _last(mask: BoolArray) -> IntArray:
    return np.asarray(mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1))
