"""False signals of charts whose lines come from their own points: drawn and judged again, lines and all.

Drawn are normal measurements and exponential times, of which no place or scale is needed, as the lines move
with them, and counts at the rate of the baseline, each with its own denominator.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import special

from qi_equity.data.cells import PADDING, PROVISIONAL, Cells, value_of
from qi_equity.spc.judge import Case, judge, runs_analysis
from qi_equity.spc.kinds import Spec
from qi_equity.spc.kinds_between import T
from qi_equity.spc.kinds_counts import P, U
from qi_equity.spc.kinds_measurements import Individuals, IPrime, MovingRange, R, Run, S, Xbar
from qi_equity.spc.kinds_weighted import COUNTS, Cusum, Ewma
from qi_equity.spc.rules import RuleSet, Test

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_SEED = 20_240_229
_MOST_PATTERNS = 24
"""Patterns that are drawn apart; of more, those that are nearly alike are drawn together."""
_FEWEST_CHARTS, _MOST_CHARTS, _POINTS = 200, 10_000, 3_000_000


def has_own_lines(spec: Spec, kind: str) -> bool:
    """Whether a chart of a measure of this kind is drawn again; counts depend on their unknown rate."""
    match spec:
        case P() | U():
            return spec.limits == "laney"
        case Ewma() | Cusum():
            return kind == "mean"
        case _:
            return isinstance(spec, Run | Individuals | IPrime | MovingRange | Xbar | S | R | T)


def drawn_again(chart: ControlChart, phase: int, rows: IntArray, tests: tuple[Test, ...]) -> FloatArray:
    """Give the share of charts that signal, and its standard error, for some strata: shape (2, rows).

    ``chart`` is of one kind. Every chart is drawn with the baseline, the gaps and the denominators of a
    stratum. Where many strata differ in these, those that are nearly alike share what is drawn of them all.
    """
    found = np.zeros((2, rows.size))
    able = np.flatnonzero(_able(chart, phase)[rows])
    if not (able.size and tests):
        return found
    rules = RuleSet("drawn again", "", "", tests)
    groups = _alike(chart, phase, rows[able])
    periods = np.flatnonzero((chart.timeline.phase[rows[able]] == phase).any(axis=0))
    charts = int(np.clip(_POINTS // (len(groups) * periods.size), _FEWEST_CHARTS, _MOST_CHARTS))
    for group in groups:
        case = _case(chart, phase, np.resize(rows[able[group]], charts), periods)
        signals = _signals(case, rules)
        hits, number = int(signals.sum()), max(signals.size, 1)
        # That none of the charts signals does not make the share certain.
        cautious = (hits + 1) / (number + 2)
        found[0, able[group]] = hits / number
        found[1, able[group]] = np.sqrt(cautious * (1 - cautious) / number)
    return found


def _signals(case: Case, rules: RuleSet) -> BoolArray:
    """Say which charts signal, of those that have no more ties than the runs tests stand."""
    judged = judge(case, rules)
    found = judged.few_crossings.any(axis=1)
    for marks in judged.flags.values():
        found |= marks.any(axis=1)
    if any(test.is_runs_test for test in rules.tests):
        lines = judged.lines
        found = np.asarray(found)[runs_analysis(case, lines.plotted["both"], lines.limits).given[:, 0]]
    return np.asarray(found)


def _able(chart: ControlChart, phase: int) -> BoolArray:
    """Strata that have lines, and some spread about them, shape (S,)."""
    seen = chart._seen() & (chart.timeline.phase == phase) & np.isfinite(chart.centre_line)
    if chart._spec.has_memory:
        seen &= np.isfinite(chart.upper)
    return np.asarray(seen.any(axis=1) & ~(seen & (chart.sigma == 0)).any(axis=1))


def _alike(chart: ControlChart, phase: int, rows: IntArray) -> list[IntArray]:
    """Put strata together that have the same pattern; positions in ``rows``."""
    cells, when = chart.series.cells, chart.timeline
    inside = (when.phase == phase)[rows]
    marks = np.where(inside, 1, 0)
    blocks = [when.baseline, when.excluded, np.isfinite(cells.value), cells.status == PROVISIONAL]
    if _by_subgroups(chart):
        blocks += [np.isfinite(cells.sd), np.isfinite(cells.range)]
    for place, block in enumerate(blocks):
        marks += np.where(inside, block[rows], False) * 2 ** (place + 1)
    there = chart._seen()[rows] & inside
    size = np.where(there & _sized(chart), cells.denominator[rows], 0)
    rate = _rates(chart, phase)[rows] if _is_counted(chart) else np.ones((rows.size, 1))
    # In this order neighbours are nearly alike: points, those in the baseline, and how small subgroups are.
    with np.errstate(divide="ignore"):
        small = np.where(size > 0, 1 / (size * rate), 0)
    order = [a.sum(axis=1) for a in (there, when.baseline[rows] & inside, small)]
    pattern = np.concatenate([np.column_stack(order), rate, marks, size], axis=1)
    which = np.unique(pattern, axis=0, return_inverse=True)[1].reshape(-1)
    patterns = int(which.max()) + 1
    which = which * min(patterns, _MOST_PATTERNS) // patterns
    return [np.flatnonzero(which == group) for group in range(int(which.max()) + 1)]


def _case(chart: ControlChart, phase: int, rows: IntArray, periods: IntArray) -> Case:
    """Draw a chart for each of the rows, in the periods of a phase."""
    when = chart.timeline
    cells = replace(chart.series.cells, cases=None).take(rows, periods)
    phases, baseline, excluded = (a[rows][:, periods] for a in (when.phase, when.baseline, when.excluded))
    gone = phases != phase
    blank = gone | np.isnan(cells.value)
    drawn: dict[str, Any] = {
        name: np.where(blank, np.nan, a) for name, a in _draw(chart, phase, cells, rows).items()
    }
    made = replace(cells, status=np.where(gone, np.int8(PADDING), cells.status), **drawn)
    timeline = replace(when, phase=np.zeros_like(phases), baseline=baseline & ~gone, excluded=excluded | gone)
    # As measurements, whatever is measured: the lines are judged by no distribution of counts.
    return Case(made, "mean", timeline, chart._spec, overlapping=False, method=chart.rules.runs_method)


def _draw(chart: ControlChart, phase: int, cells: Cells, rows: IntArray) -> dict[str, FloatArray]:
    """Draw what the lines are made of; the same random numbers every time."""
    rng, kind, n = np.random.default_rng(_SEED), chart.series.measure.kind, cells.denominator
    if _is_counted(chart):
        size = np.ones(n.shape) if kind == "count" else np.where(n > 0, n, 0)
        rate = _rates(chart, phase)[rows]
        events = (
            rng.binomial(size.astype(np.int64), rate) if kind == "proportion" else rng.poisson(size * rate)
        )
        numerator = events.astype(np.float64)
        return {"value": value_of(kind, numerator, n), "numerator": numerator}
    if kind == "between":
        return {"value": rng.standard_exponential(n.shape)}
    z = rng.standard_normal(n.shape)
    if not _sized(chart):
        return {"value": z}
    with np.errstate(invalid="ignore", divide="ignore"):
        value = z / np.sqrt(n)
    return {"value": value, **_spreads(rng, cells)} if _by_subgroups(chart) else {"value": value}


def _rates(chart: ControlChart, phase: int) -> FloatArray:
    """Proportion, rate or events a period in the baseline, (S, 1)."""
    cells = chart.series.cells
    base = chart.timeline.baseline & (chart.timeline.phase == phase)
    births = np.ones(base.shape) if chart.series.measure.kind == "count" else cells.denominator
    events, size = (np.where(base, a, 0).sum(axis=1, keepdims=True) for a in (cells.numerator, births))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(size > 0, events / size, 0.0)


def _spreads(rng: np.random.Generator, cells: Cells) -> dict[str, FloatArray]:
    """Draw standard deviations and ranges of subgroups, each where one is known."""
    n = np.where(cells.denominator >= 2, cells.denominator, 2)
    sd = np.sqrt(rng.standard_gamma((n - 1) / 2) * 2 / (n - 1))
    # The share of values above the largest, and below the smallest among the others.
    beyond = -np.expm1(-rng.standard_exponential(n.shape) / n)
    below = -np.expm1(-rng.standard_exponential(n.shape) / (n - 1)) * (1 - beyond)
    span = -special.ndtri(beyond) - special.ndtri(below)
    return {
        "sd": np.where(np.isnan(cells.sd), np.nan, sd),
        "range": np.where(np.isnan(cells.range), np.nan, span),
    }


def _by_subgroups(chart: ControlChart) -> bool:
    """Whether the spread within subgroups is looked at."""
    if isinstance(chart._spec, Ewma | Cusum):
        return bool(np.isfinite(chart.series.cells.sd).any())
    return isinstance(chart._spec, Xbar | S | R)


def _is_counted(chart: ControlChart) -> bool:
    """Whether events are counted, among births, over an exposure or in a period."""
    return chart.series.measure.kind in COUNTS


def _sized(chart: ControlChart) -> bool:
    """Whether denominators matter."""
    of_counts = _is_counted(chart) and chart.series.measure.kind != "count"
    return of_counts or _by_subgroups(chart) or isinstance(chart._spec, IPrime)
