"""One row a stratum and phase: lines, runs, what can signal, and how many signals to expect by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.spc.chance import false_signal_probability
from qi_equity.spc.judge import observed
from qi_equity.spc.points import good_and_bad_side
from qi_equity.spc.rules import BeyondLimits, Crossings, LongestRun, Shift, Trend, TwoInThree
from qi_equity.spc.runs_tests import REASONS
from qi_equity.spc.signals import category

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

CAN_SIGNAL = ("yes", "only over several points", "no")
"""How a change to one side can show: by one point beyond a limit, by a pattern of several, or not at all."""

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


def limits_can_signal(chart: ControlChart, phase: int) -> tuple[BoolArray, BoolArray]:
    """Whether one point could lie beyond the limits, low and high, at recent denominators, each (S,)."""
    recent = recent_points(chart, phase) & any(isinstance(t, BeyondLimits) for t in chart.rules.tests)
    recent = recent & np.isfinite(chart.lower)
    if chart.kind in ("p", "u", "c"):
        recent = recent & (chart.centre_line > 0) & (chart.centre_line < chart.spec.ceiling)
    return _beyond_exists(chart, recent, chart.lower, chart.upper)


def runs_can_signal(chart: ControlChart, phase: int) -> BoolArray:
    """Whether a runs test is given and has points enough for a signal, shape (S,)."""
    runs, tests = chart.runs, chart.rules.tests
    n_points = (chart._tested() & (chart.timeline.phase == phase)).sum(axis=1)
    able = np.zeros(n_points.shape, dtype=bool)
    if any(isinstance(t, LongestRun) for t in tests):
        able |= runs.longest_max[:, phase] < runs.n_useful[:, phase]
    if any(isinstance(t, Crossings) for t in tests):
        able |= runs.crossings_min[:, phase] > 0
    for test in tests:
        if isinstance(test, Shift):
            able |= n_points >= test.length
    return np.asarray(able & runs.given[:, phase])


def patterns_can_signal(chart: ControlChart, phase: int) -> tuple[BoolArray, BoolArray]:
    """Whether several points together could signal by the tests that are given, low and high, each (S,)."""
    tests, seen = chart.rules.tests, recent_points(chart, phase)
    either = runs_can_signal(chart, phase)
    if chart.method["overlap"]["found"]:
        return either, either
    either = either | (seen.any(axis=1) & any(isinstance(t, Trend) for t in tests))
    if not any(isinstance(t, TwoInThree) for t in tests):
        return either, either
    low, high = _beyond_exists(chart, seen & np.isfinite(chart.lower), chart.lower_2s, chart.upper_2s)
    return either | low, either | high


def _beyond_exists(
    chart: ControlChart, where: BoolArray, lower: FloatArray, upper: FloatArray
) -> tuple[BoolArray, BoolArray]:
    """Whether a value can lie beyond these limits at some of the points; measurements always can."""
    counted = chart.kind in ("p", "u", "c")
    low, high = (where & (lower > 0), where & (upper < chart.spec.ceiling)) if counted else (where, where)
    return np.asarray(low.any(axis=1)), np.asarray(high.any(axis=1))


def _phase(chart: ControlChart, phase: int) -> pd.DataFrame:
    cells, runs = chart.series.cells, chart.runs
    inside = chart.timeline.phase == phase
    rows = np.flatnonzero(inside.any(axis=1))
    seen = (observed(cells) & inside)[rows]
    first, end = _first(inside[rows]), _last(inside[rows])
    last = np.where(seen.any(axis=1), _last(seen), end)
    periods = np.broadcast_to(cells.periods, inside.shape)
    able = (
        _how(*both, rows)
        for both in zip(limits_can_signal(chart, phase), patterns_can_signal(chart, phase), strict=True)
    )
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
            **_sides(chart.series.measure.better, *able),
            "false_signal_probability": false_signal_probability(chart, phase)[rows],
        }
    )


def _how(limits: BoolArray, patterns: BoolArray, rows: IntArray) -> pd.Categorical:
    """Name how a change to one side can show."""
    return category(np.select([limits[rows], patterns[rows]], [0, 1], 2), CAN_SIGNAL)


def _sides(better: str | None, low: pd.Categorical, high: pd.Categorical) -> dict[str, pd.Categorical]:
    """Name what can signal by side and, where one direction is better, by meaning."""
    by_side = {"low": low, "high": high}
    good_bad = good_and_bad_side(better)
    missing = category(np.full(len(low), -1), CAN_SIGNAL)
    good, bad = (by_side[s] for s in good_bad) if good_bad else (missing, missing)
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
