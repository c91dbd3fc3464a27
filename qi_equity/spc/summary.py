"""One row a stratum and phase: lines, runs, what can signal, and how many signals to expect by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.formulas.runs import run_lengths, useful
from qi_equity.spc.chance import false_signals
from qi_equity.spc.flags import runs_signal
from qi_equity.spc.judge import bottom, top
from qi_equity.spc.plotted import good_side
from qi_equity.spc.rules import (
    Alternating,
    BeyondLimits,
    Crossings,
    FourInFive,
    LongestRun,
    Outside,
    RunsCount,
    Shift,
    Test,
    Trend,
    TwoInThree,
    Within,
)
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
    n_phases = chart.runs.n_useful.shape[1]
    parts = [
        found.assign(_stratum=rows[found["_stratum"].to_numpy()])
        for rows, piece in chart._pieces()
        for found in (_phase(piece, k) for k in range(n_phases))
    ]
    frame = pd.concat(parts).sort_values(["_stratum", "phase"], ignore_index=True)
    return frame.assign(expected_false_signals_all=frame["false_signal_probability"].sum())


def recent_points(chart: ControlChart, phase: int) -> BoolArray:
    """Mark the last 12 observed points of a phase, shape (S, T)."""
    seen = chart._seen() & (chart.timeline.phase == phase)
    return np.asarray(seen & (seen[:, ::-1].cumsum(axis=1)[:, ::-1] <= RECENT))


def limits_can_signal(chart: ControlChart, phase: int) -> tuple[BoolArray, BoolArray]:
    """Whether one point could lie beyond the limits, low and high, at recent denominators, each (S,)."""
    recent = recent_points(chart, phase) & any(isinstance(t, BeyondLimits) for t in chart.rules.tests)
    recent = recent & np.isfinite(chart.lower)
    if chart._spec.is_counted:
        highest = top(chart._spec, chart.series.cells.denominator, chart.series.measure.kind)
        recent = recent & (chart.centre_line > 0) & (chart.centre_line < highest)
    return _beyond_exists(chart, recent, chart.lower, chart.upper)


def how_can_signal(chart: ControlChart, phase: int) -> tuple[IntArray, IntArray]:
    """Say how a change can show, low and high, each (S,): an index into ``CAN_SIGNAL``."""
    low, high = (
        np.select([by_limits, by_patterns], [0, 1], 2)
        for by_limits, by_patterns in zip(
            limits_can_signal(chart, phase), patterns_can_signal(chart, phase), strict=True
        )
    )
    return low, high


def runs_can_signal(chart: ControlChart, phase: int) -> BoolArray:
    """Whether a test of a shift to either side is given and has points enough for a signal, shape (S,)."""
    runs, tests, tested = chart.runs, chart.rules.tests, _tested(chart, phase)
    able = np.zeros(len(tested), dtype=bool)
    if any(isinstance(t, LongestRun) for t in tests):
        able |= runs.longest_max[:, phase] < runs.n_useful[:, phase]
    if any(isinstance(t, Crossings) for t in tests):
        able |= runs.crossings_min[:, phase] > 0
    for test in tests:
        if isinstance(test, Shift):
            able |= (tested.sum(axis=1) if test.missing == "skip" else _stretch(tested)) >= test.length
    return np.asarray(able & runs.given[:, phase])


def patterns_can_signal(chart: ControlChart, phase: int) -> tuple[BoolArray, BoolArray]:
    """Whether several points together could signal by the tests that are given, low and high, each (S,)."""
    low = runs_can_signal(chart, phase)
    high = low.copy()
    for test, enough in _patterns(chart, phase):
        if "low" in test.sides:
            below, above = _room(chart, phase, test)
            low |= enough & below
            high |= enough & above
    return low, high


def sideless_can_signal(chart: ControlChart, phase: int) -> BoolArray:
    """Whether several points together could signal by tests that know neither low nor high, shape (S,)."""
    tested = _tested(chart, phase)
    able = np.zeros(len(tested), dtype=bool)
    for test in chart.rules.tests:
        if isinstance(test, RunsCount):
            # Where not even points in two blocks, as few runs as there can be, would signal, nothing does.
            sides = np.sort(useful(np.where(tested, chart._plain, np.nan), chart.centre_line), axis=1)
            able |= runs_signal(test, sides.astype(np.float64), np.zeros(1)) & chart.runs.given[:, phase]
    for test, enough in _patterns(chart, phase):
        if "none" in test.sides:
            below, above = _room(chart, phase, test)
            able |= enough & below & above
    return able


def _tested(chart: ControlChart, phase: int) -> BoolArray:
    return np.asarray(chart._tested() & (chart.timeline.phase == phase))


def _stretch(tested: BoolArray) -> IntArray:
    """Give the most points in a row, with none between them that is missing or excluded, shape (S,)."""
    return np.asarray(np.where(tested, run_lengths(np.where(tested, 1, 2)), 0).max(axis=1, initial=0))


def _patterns(chart: ControlChart, phase: int) -> list[tuple[Test, BoolArray]]:
    """Give the tests of points in a row, each with the strata that have points enough in a row, (S,)."""
    tests = [(test, _needed(test)) for test in chart.rules.tests if _needed(test)]
    if not (tests and chart._patterns_hold()):
        return []
    stretch = _stretch(_tested(chart, phase))
    return [(test, np.asarray(stretch >= needed)) for test, needed in tests]


def _needed(test: Test) -> int:
    """Give the points in a row that a test of steps or zones looks at; 0 for any other."""
    match test:
        case TwoInThree():
            return 3
        case FourInFive():
            return test.window
        case Trend() | Alternating() | Within() | Outside():
            return test.length
        case _:
            return 0


def _room(chart: ControlChart, phase: int, test: Test) -> tuple[BoolArray, BoolArray]:
    """Whether points can lie where the test looks for them: beyond its zone, low and high, or within."""
    where = recent_points(chart, phase)
    if not test.needs_zones:
        anywhere = np.ones(len(where), dtype=bool)
        return anywhere, anywhere
    lower, upper = chart._two_sigma() if test.needs_zones == (2,) else chart._one_sigma()
    where &= np.isfinite(chart.lower)
    if isinstance(test, Within):
        zone = np.asarray((where & (lower < upper)).any(axis=1))
        return zone, zone
    return _beyond_exists(chart, where, lower, upper)


def _beyond_exists(
    chart: ControlChart, where: BoolArray, lower: FloatArray, upper: FloatArray
) -> tuple[BoolArray, BoolArray]:
    """Whether a value can lie beyond these limits at some of the points."""
    spec = chart._spec
    kind = chart.series.measure.kind
    low = where & (lower > bottom(spec, kind))
    high = where & (upper < top(spec, chart.series.cells.denominator, kind))
    return np.asarray(low.any(axis=1)), np.asarray(high.any(axis=1))


def _phase(chart: ControlChart, phase: int) -> pd.DataFrame:
    cells, runs = chart.series.cells, chart.runs
    inside = chart.timeline.phase == phase
    rows = np.flatnonzero(inside.any(axis=1))
    seen = (chart._seen() & inside)[rows]
    first, end = _first(inside[rows]), _last(inside[rows])
    last = np.where(seen.any(axis=1), _last(seen), end)
    periods = np.broadcast_to(cells.periods, inside.shape)
    able = (category(how[rows], CAN_SIGNAL) for how in how_can_signal(chart, phase))
    counts, false = chart._found(), false_signals(chart, phase)
    signals = np.bincount(counts.stratum[counts.phase == phase], minlength=len(inside))
    return pd.DataFrame(
        {
            "_stratum": rows,
            "phase": np.full(rows.size, phase + 1),
            "kind": pd.Series([chart.kind] * rows.size, dtype="str"),
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
            **_sides(good_side(chart._measure.better), *able),
            "false_signal_probability": false.probability[rows],
            "false_signal_error": false.standard_error[rows],
        }
    )


def _sides(good: int, low: pd.Categorical, high: pd.Categorical) -> dict[str, pd.Categorical]:
    """Name what can signal by side and, where one side is the good one, by meaning."""
    sides, missing = (low, high), category(np.full(len(low), -1), CAN_SIGNAL)
    return {
        "can_signal_low": low,
        "can_signal_high": high,
        "can_signal_improvement": missing if good < 0 else sides[good],
        "can_signal_deterioration": missing if good < 0 else sides[1 - good],
    }


def _first(mask: BoolArray) -> IntArray:
    return np.asarray(mask.argmax(axis=1))


def _last(mask: BoolArray) -> IntArray:
    return np.asarray(mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1))


def _sum(block: FloatArray, mask: BoolArray) -> FloatArray:
    """Sum what is there; NaN where nothing is."""
    known = mask & np.isfinite(block)
    return np.where(known.any(axis=1), np.where(known, block, 0).sum(axis=1), np.nan)
