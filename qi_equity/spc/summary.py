"""One row a stratum and phase: lines, runs, what can signal, and how many signals to expect by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.spc.chance import false_signal_probability
from qi_equity.spc.judge import observed
from qi_equity.spc.points import good_and_bad_side
from qi_equity.spc.runs_tests import REASONS
from qi_equity.spc.signals import category

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

RECENT = 12
"""Observed points at whose denominators it is judged what can signal."""


def summary_frame(chart: ControlChart) -> pd.DataFrame:
    """Give the frame that :meth:`ControlChart.summary` describes."""
    frame = chart._summary_rows()
    strata = chart.strata.take(frame["_stratum"].to_numpy()).reset_index(drop=True)
    return pd.concat([strata, frame.drop(columns="_stratum")], axis=1)


def summary_rows(chart: ControlChart) -> pd.DataFrame:
    """Give the summary with ``_stratum``, the number of the stratum, in place of its names."""
    parts = [_phase(chart, k) for k in range(chart.runs.n_useful.shape[1])]
    frame = pd.concat(parts).sort_values(["_stratum", "phase"], ignore_index=True)
    return frame.assign(expected_false_signals_all=frame["false_signal_probability"].sum())


def recent_points(chart: ControlChart, phase: int) -> BoolArray:
    """Mark the last 12 observed points of a phase, shape (S, T)."""
    seen = observed(chart.series.cells) & (chart.timeline.phase == phase)
    return np.asarray(seen & (seen[:, ::-1].cumsum(axis=1)[:, ::-1] <= RECENT))


def can_signal(chart: ControlChart, phase: int) -> tuple[BoolArray, BoolArray]:
    """Whether any value could signal on the low and on the high side, at recent denominators, each (S,)."""
    if chart.kind == "run":
        given = chart.runs.given[:, phase]
        return given, given
    recent = recent_points(chart, phase)
    if chart.kind == "i":
        able = np.asarray((recent & np.isfinite(chart.lower)).any(axis=1))
        return able, able
    recent = recent & (chart.centre_line > 0) & (chart.centre_line < chart.spec.ceiling)
    low, high = recent & (chart.lower > 0), recent & (chart.upper < chart.spec.ceiling)
    return np.asarray(low.any(axis=1)), np.asarray(high.any(axis=1))


def _phase(chart: ControlChart, phase: int) -> pd.DataFrame:
    cells, runs = chart.series.cells, chart.runs
    inside = chart.timeline.phase == phase
    rows = np.flatnonzero(inside.any(axis=1))
    seen = (observed(cells) & inside)[rows]
    first, end = _first(inside[rows]), _last(inside[rows])
    last = np.where(seen.any(axis=1), _last(seen), end)
    periods = np.broadcast_to(cells.periods, inside.shape)
    low, high = can_signal(chart, phase)
    counts = chart._found()
    signals = np.bincount(counts.stratum[counts.phase == phase], minlength=len(inside))
    return pd.DataFrame(
        {
            "_stratum": rows,
            "phase": np.full(rows.size, phase + 1),
            "start": periods[rows, first],
            "end": periods[rows, end],
            "n_points": seen.sum(axis=1),
            "n_useful": runs.n_useful[rows, phase].astype(np.int64),
            "numerator": _sum(cells.numerator[rows], seen),
            "denominator": _sum(cells.denominator[rows], seen),
            "centre_line": chart.centre_line[rows, last],
            "lower": chart.lower[rows, last],
            "upper": chart.upper[rows, last],
            "longest_run": runs.longest[rows, phase],
            "longest_run_max": runs.longest_max[rows, phase],
            "crossings": runs.crossings[rows, phase],
            "crossings_min": runs.crossings_min[rows, phase],
            "n_signals": signals[rows],
            "runs_tests": category(runs.reason[rows, phase], REASONS),
            **_sides(chart.series.measure.better, low[rows], high[rows]),
            "false_signal_probability": false_signal_probability(chart, phase)[rows],
        }
    )


def _sides(better: str | None, low: BoolArray, high: BoolArray) -> dict[str, object]:
    """Name what can signal by side and, where one direction is better, by meaning."""
    by_side = {"low": low, "high": high}
    good_bad = good_and_bad_side(better)
    missing = pd.array([None] * low.size, dtype="boolean")
    good, bad = (pd.array(by_side[s], dtype="boolean") for s in good_bad) if good_bad else (missing, missing)
    return {
        "can_signal_low": low,
        "can_signal_high": high,
        "can_signal_improvement": good,
        "can_signal_deterioration": bad,
    }


def _first(mask: BoolArray) -> IntArray:
    return np.asarray(mask.argmax(axis=1))


def _last(mask: BoolArray) -> IntArray:
    return np.asarray(mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1))


def _sum(block: FloatArray, mask: BoolArray) -> FloatArray:
    """Sum what is there; NaN where nothing is."""
    known = mask & np.isfinite(block)
    return np.where(known.any(axis=1), np.where(known, block, 0).sum(axis=1), np.nan)
