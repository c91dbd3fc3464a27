"""Sustained runs on one side of the centre line, one after another: each sets the line that follows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from qi_equity.formulas.runs import useful
from qi_equity.spc.judge import Case, top
from qi_equity.spc.notes import SHORT_PHASE, why_not_given
from qi_equity.spc.runs_tests import TIED, UNEVEN, RunsTests

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SustainedRuns:
    """Runs as positions: stratum, first and last point, side (0 low, 1 high).

    ``before`` and ``after`` are the centre line at the last point: that about which the run lies, and that of
    the points of the run alone. ``caution`` says where a run is weak evidence; else it is empty.
    """

    stratum: IntArray
    start: IntArray
    end: IntArray
    side: IntArray
    before: FloatArray
    after: FloatArray
    caution: npt.NDArray[np.object_]


def sustained_runs(chart: ControlChart, length: int, sides: Sequence[int]) -> SustainedRuns:
    """Find the runs of a chart of one kind, in each round one of every stratum that still has one."""
    case = chart._case()
    values = np.where(case.tested, chart._plain, np.nan)
    baseline = _first_baselines(case, np.isfinite(values))
    rows = np.arange(len(values))
    found = []
    while rows.size:
        runs, follows = _next_runs(case, values, baseline, rows, length, sides)
        # The points of the run set the line of what is left of its phase.
        baseline[runs.stratum] = follows
        found.append(runs)
        rows = runs.stratum
    return SustainedRuns(
        *(np.concatenate([getattr(runs, f.name) for runs in found]) for f in fields(SustainedRuns))
    )


def _next_runs(
    case: Case,
    values: FloatArray,
    baseline: BoolArray,
    rows: IntArray,
    length: int,
    sides: Sequence[int],
) -> tuple[SustainedRuns, BoolArray]:
    """Find the first run of some strata about the lines of their baselines; give those that follow too."""
    drawn = _redrawn(case, rows, baseline[rows])
    limits, phase = drawn.lines().limits, drawn.timeline.phase
    watched = _can_judge(drawn, limits.centre_line) & _after_baseline(drawn)
    of = np.where(watched, useful(values[rows], limits.centre_line), 0)
    start, end, on = _first_runs(of, phase, length, sides)
    hit = np.flatnonzero(end >= 0)
    start, end, on = start[hit], end[hit], on[hit]
    here = phase[hit] == phase[hit, end][:, None]
    time = np.arange(of.shape[1])
    run = (of[hit] != 0) & (time >= start[:, None]) & (time <= end[:, None])
    follows = np.where(here, run, baseline[rows[hit]])
    each, seen = np.arange(hit.size), np.full(of.shape, np.nan)
    seen[hit] = np.where(here, values[rows[hit]], np.nan)
    after = _redrawn(drawn, hit, follows).lines().limits.centre_line[each, end]
    before = limits.centre_line[hit, end]
    caution = _cautions(drawn.runs(seen, limits, hit))
    return SustainedRuns(rows[hit], start, end, (on > 0).astype(np.int64), before, after, caution), follows


def _redrawn(case: Case, rows: IntArray, baseline: BoolArray) -> Case:
    """Take some strata, with other baselines."""
    when = case.timeline
    cut = replace(when, phase=when.phase[rows], excluded=when.excluded[rows], baseline=baseline)
    return replace(case, cells=case.cells.take(rows), timeline=cut)


def _first_baselines(case: Case, useful_ones: BoolArray) -> BoolArray:
    """Take the baseline of each phase; where it leaves no point to judge, the first points of the phase."""
    baseline, behind = case.timeline.baseline.copy(), _after_baseline(case)
    for mask in case.phases:
        inside = useful_ones if mask is None else useful_ones & mask
        whole = ~(inside & behind).any(axis=1)
        first = inside & (inside.cumsum(axis=1) <= SHORT_PHASE)
        baseline[whole] = np.where(True if mask is None else mask[whole], first[whole], baseline[whole])
    return baseline


def _after_baseline(case: Case) -> BoolArray:
    """Mark the points of each phase that come after its baseline, shape (S, T)."""
    phase, baseline = case.timeline.phase, case.timeline.baseline
    behind = np.zeros(phase.shape, dtype=bool)
    none_ahead = np.ones(len(phase), dtype=bool)
    for t in range(phase.shape[1] - 1, -1, -1):
        ends = t + 1 == phase.shape[1] or phase[:, t] != phase[:, t + 1]
        none_ahead = (none_ahead | ends) & ~baseline[:, t]
        behind[:, t] = none_ahead
    return behind


def _can_judge(case: Case, centre_line: FloatArray) -> BoolArray:
    """Mark the points whose line is not that of no event, or of nothing but events."""
    ends = (centre_line == 0) | (centre_line == top(case.spec, case.cells.denominator))
    return np.asarray(~(ends & case.spec.is_counted))


def _first_runs(
    of: npt.NDArray[np.int8], phase: IntArray, length: int, sides: Sequence[int]
) -> tuple[IntArray, IntArray, IntArray]:
    """Give first point, last point (-1: none) and side of the first run of each stratum, each (S,)."""
    first, last, on, count = (np.zeros(len(of), dtype=np.int64) for _ in range(4))
    last -= 1
    for t in range(of.shape[1]):
        if t:
            count[phase[:, t] != phase[:, t - 1]] = 0
        now, open_ = of[:, t], last < 0
        begins = open_ & (now != 0) & ((now != on) | (count == 0))
        on[begins], first[begins], count[begins] = now[begins], t, 0
        count += open_ & (now != 0)
        last[open_ & (now != 0) & (count == length) & np.isin(on, sides)] = t
    return first, last, on


def _cautions(runs: RunsTests) -> npt.NDArray[np.object_]:
    """Say where a run is no strong evidence, since a point is not on either side alike; else empty."""
    numbers = zip(
        runs.reason[:, 0].tolist(), runs.chance[:, 0].tolist(), runs.atom[:, 0].tolist(), strict=True
    )
    said = [
        f" Runs tests are not given here: {why_not_given(*of)}" if of[0] in (UNEVEN, TIED) else ""
        for of in numbers
    ]
    return np.array(said, dtype=object)
