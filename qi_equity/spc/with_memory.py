"""False signals of charts of counts whose points carry their past: by Markov chains, or on simulated points.

The chains take the arms of a CUSUM as independent, which is a little too low.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from qi_equity.data.cells import PROVISIONAL
from qi_equity.formulas.cusum import CusumPath, tabular_cusum
from qi_equity.formulas.cusum_false_signals import (
    bernoulli_cusum_false_signal,
    count_cusum_false_signal,
)
from qi_equity.formulas.distributions import Binomial, Distribution, Poisson
from qi_equity.formulas.ewma import ewma
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.risk_adjusted import poisson_risk_adjusted_cusum, risk_adjusted_cusum
from qi_equity.spc.kinds import Spec
from qi_equity.spc.kinds_weighted import BernoulliCusum, CountCusum, Cusum, Ewma, RiskAdjustedCusum, Vlad
from qi_equity.spc.rules import BeyondLimits
from qi_equity.spc.simulated import share_of_charts
from qi_equity.spc.stable import cut

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Signals = Callable[[slice, FloatArray], BoolArray]

_TOGETHER = 0.03
"""Error of the chain over births, as a share of the probability: it takes births a few at a time."""


def is_followed(spec: Spec) -> bool:
    """Whether false signals are followed from point to point, and not simulated."""
    return isinstance(spec, CountCusum | BernoulliCusum | Vlad)


def memory_false_signal(chart: ControlChart, phase: int) -> tuple[FloatArray, FloatArray]:
    """Give probability and error of each stratum of a chart of counts; 0 where nothing signals."""
    inside = chart.timeline.phase == phase
    strata, periods = inside.shape
    spec = chart._spec
    if BeyondLimits() not in chart.rules.tests:
        return np.zeros(strata), np.zeros(strata)
    included = chart._tested() & inside
    match spec:
        case Ewma():
            return share_of_charts(strata, periods, _averages(chart, spec, included))
        case Cusum():
            return share_of_charts(strata, periods, _scores(chart, spec, included))
        case CountCusum():
            return _with_arms(_counts(chart, spec, included))
        case BernoulliCusum():
            return _with_arms(_births(chart, spec, inside), _TOGETHER)
        case RiskAdjustedCusum() if chart.series.measure.kind == "between":
            return _cases(chart, spec, inside)
        case RiskAdjustedCusum():
            return share_of_charts(strata, periods, _expected(chart, spec, included))
        case _:
            return np.zeros(strata), np.zeros(strata)


def _with_arms(probability: FloatArray, relative: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Add the largest error of taking the arms as independent: that no chart signals with both."""
    return probability, (1 - np.sqrt(1 - probability)) ** 2 + relative * probability


def _averages(chart: ControlChart, spec: Ewma, included: BoolArray) -> Signals:
    base, points = _base(chart)

    def signals(rows: slice, random: FloatArray) -> BoolArray:
        values = np.where(included[rows], cut(points, rows).quantile(random), np.nan)
        found = ewma(values, base.centre_line[rows], weight=spec.weight)
        return np.asarray(((found < chart.lower[rows]) | (found > chart.upper[rows])).any(axis=-1))

    return signals


def _scores(chart: ControlChart, spec: Cusum, included: BoolArray) -> Signals:
    base, points = _base(chart)

    def signals(rows: slice, random: FloatArray) -> BoolArray:
        values = np.where(included[rows], cut(points, rows).quantile(random), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            scores = (values - base.centre_line[rows]) / base.sigma[rows]
        return _signalled(tabular_cusum(scores, k=spec.k, h=spec.h, head_start=spec.head_start))

    return signals


def _counts(chart: ControlChart, spec: CountCusum, included: BoolArray) -> FloatArray:
    base, _ = _base(chart)
    kind, births = chart.series.measure.kind, chart.series.cells.denominator
    size = np.ones(births.shape) if kind == "count" else births
    return count_cusum_false_signal(
        np.where(included, size, np.nan),
        base.centre_line,
        distribution="binomial" if kind == "proportion" else "poisson",
        ratio=spec.ratio,
        h=_thresholds(chart, included),
        head_start=spec.head_start,
    )


def _expected(chart: ControlChart, spec: RiskAdjustedCusum, included: BoolArray) -> Signals:
    """Events of periods about the sum of the expected probabilities."""
    expected = np.where(included, chart.series.cells.expected, np.nan)
    points = Poisson(expected, np.ones(expected.shape))
    low, high = _thresholds(chart, included)

    def signals(rows: slice, random: FloatArray) -> BoolArray:
        events = cut(points, rows).quantile(random)
        path = poisson_risk_adjusted_cusum(
            events, expected[rows], ratio=spec.odds_ratio, h=(low[rows], high[rows])
        )
        return _signalled(path)

    return signals


def _births(chart: ControlChart, spec: BernoulliCusum, inside: BoolArray) -> FloatArray:
    """Follow as many births as there were in the phase."""
    cells = chart.series.cells
    base, there = chart.timeline.baseline & inside, _with_open(chart, inside)
    births, events = (np.where(base, block, 0).sum(axis=1) for block in (cells.denominator, cells.numerator))
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.where(births > 0, events / births, np.nan)
    chance = own if spec.chance is None else np.full(own.shape, spec.chance)
    total = np.where(there, cells.denominator, 0).sum(axis=1)
    low, high = (h[:, 0] for h in _thresholds(chart, there))
    return bernoulli_cusum_false_signal(total, chance, odds_ratio=spec.odds_ratio, h=(low, high))


def _thresholds(chart: ControlChart, where: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Thresholds of both arms in a phase, each (S, 1)."""
    first = np.argmax(where, axis=1)[:, np.newaxis]
    low, high = (np.take_along_axis(line, first, axis=1) for line in (-chart.lower, chart.upper))
    return low, high


def _cases(chart: ControlChart, spec: RiskAdjustedCusum, inside: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Draw the outcome of every birth from its expected probability."""
    cells, strata = chart.series.cells, len(inside)
    if cells.cases is None:
        return np.zeros(strata), np.zeros(strata)
    first, births = cells.cases.places(cells.denominator)
    kept = cells.cases.gather(first, np.where(_with_open(chart, inside), births, 0))
    number = np.diff(kept.start)
    risks = np.full((strata, max(int(number.max(initial=0)), 1)), np.nan)
    risks[np.arange(risks.shape[1]) < number[:, np.newaxis]] = kept.risk
    low, high = _thresholds(chart, _with_open(chart, inside))

    def signals(rows: slice, random: FloatArray) -> BoolArray:
        outcomes = np.where(np.isnan(risks[rows]), np.nan, random < risks[rows])
        path = risk_adjusted_cusum(
            outcomes,
            risks[rows],
            odds_ratio=spec.odds_ratio,
            h=(low[rows], high[rows]),
            restart=spec.restart,
        )
        return _signalled(path)

    return share_of_charts(strata, risks.shape[1], signals)


def _base(chart: ControlChart) -> tuple[Limits, Distribution]:
    """Centre line, standard error and distribution of the points that are added up."""
    # An average of which the newest point has all the weight is that point.
    case = replace(chart._case(), spec=Ewma(weight=1.0))
    limits = case.lines().limits
    line, births = limits.centre_line, chart.series.cells.denominator
    match chart.series.measure.kind:
        case "proportion":
            return limits, Binomial(line, births, births)
        case "rate":
            return limits, Poisson(line * births, births)
        case _:
            return limits, Poisson(line, np.ones(line.shape))


def _with_open(chart: ControlChart, inside: BoolArray) -> BoolArray:
    """Gaps of the phase, the open one too."""
    waiting = (chart.series.cells.status == PROVISIONAL) & ~chart.timeline.excluded
    return np.asarray((chart._tested() | waiting) & inside)


def _signalled(path: CusumPath) -> BoolArray:
    return np.asarray((path.low_signal | path.high_signal).any(axis=-1))
