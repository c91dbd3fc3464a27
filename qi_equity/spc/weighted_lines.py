"""Points and lines of the charts that carry their past."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from qi_equity.data.cells import PROVISIONAL
from qi_equity.errors import OptionError
from qi_equity.formulas.attributes import c_limits, p_limits, u_limits
from qi_equity.formulas.bernoulli_cusum import bernoulli_cusum_gaps
from qi_equity.formulas.cusum import CusumPath, count_cusum, tabular_cusum
from qi_equity.formulas.cusum_run_length import bernoulli_threshold, count_cusum_threshold
from qi_equity.formulas.ewma import ewma, ewma_limits
from qi_equity.formulas.individuals import i_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.medians import row_median
from qi_equity.formulas.risk_adjusted import poisson_risk_adjusted_cusum, risk_adjusted_cusum_gaps, vlad
from qi_equity.formulas.subgroups import xbar_limits
from qi_equity.spc.kinds_weighted import BernoulliCusum, CountCusum, Cusum, Ewma, RiskAdjustedCusum, Vlad
from qi_equity.spc.lines import Lines, Observations, Width

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Weighted = Ewma | Cusum | CountCusum | BernoulliCusum | RiskAdjustedCusum | Vlad

DAYS_A_MONTH = 365.25 / 12


def weighted_lines(spec: Weighted, seen: Observations, width: Width) -> Lines:
    """Draw a chart whose points add up the past; a CUSUM has its threshold and no line at another width."""
    match spec:
        case Ewma():
            return _ewma(spec, seen, width)
        case Vlad():
            return _vlad(seen)
        case Cusum():
            base = _points(seen)
            # Without spread in the baseline there is nothing to measure a distance by.
            error = np.where(base.sigma > 0, base.sigma, np.nan)
            scores = (seen.only(seen.cells.value) - base.centre_line) / error
            path = tabular_cusum(scores, k=spec.k, h=spec.h, head_start=spec.head_start)
            return _arms(path, (spec.h, spec.h), width)
        case CountCusum():
            return _counts(spec, seen, width)
        case BernoulliCusum():
            return _bernoulli(spec, seen, width)
        case RiskAdjustedCusum():
            return _risk_adjusted(spec, seen, width)


def _points(seen: Observations) -> Limits:
    """Centre line and standard error of the points themselves: those of the p, u, c chart, or of means."""
    cells, baseline = seen.cells, seen.baseline
    match seen.kind:
        case "proportion":
            return p_limits(cells.numerator, cells.denominator, baseline=baseline)
        case "rate":
            return u_limits(cells.numerator, cells.denominator, baseline=baseline)
        case "count":
            return c_limits(cells.numerator, baseline=baseline)
        case _:
            return _means(seen)


def _means(seen: Observations) -> Limits:
    """Take the spread within subgroups where a stratum has it, else that between periods."""
    cells, out = seen.cells, i_limits(seen.cells.value, baseline=seen.stretch)
    several = seen.baseline & (cells.denominator > 1)
    for name in ("range", "sd"):
        spread = getattr(cells, name)
        known = (several & np.isfinite(spread)).any(axis=1, keepdims=True)
        if known.any():
            ranges, sds = (spread, None) if name == "range" else (None, spread)
            found = xbar_limits(
                cells.value, cells.denominator, ranges=ranges, sds=sds, baseline=seen.baseline
            )
            lines = ("centre_line", "sigma", "lower", "upper")
            out = Limits(*(np.where(known, getattr(found, n), getattr(out, n)) for n in lines))
    return out


def _ewma(spec: Ewma, seen: Observations, width: Width) -> Lines:
    base = _points(seen)
    # A mean of one value has no standard error within subgroups: it is left out, or no limit could follow.
    values = np.where(np.isfinite(base.sigma), seen.only(seen.cells.value), np.nan)
    average = ewma(values, base.centre_line, weight=spec.weight)
    nsigma = spec.width * width.nsigma / 3
    limits = ewma_limits(values, base.centre_line, base.sigma, weight=spec.weight, nsigma=nsigma)
    return Lines({"both": average}, limits)


def _vlad(seen: Observations) -> Lines:
    there = _with_open(seen) & (seen.cells.denominator > 0)
    events, expected = (
        np.where(there, block, np.nan) for block in (seen.cells.numerator, seen.cells.expected)
    )
    nothing = np.full(events.shape, np.nan)
    return Lines({"both": vlad(events, expected)}, Limits(np.zeros(events.shape), nothing, nothing, nothing))


def _counts(spec: CountCusum, seen: Observations, width: Width) -> Lines:
    cells, base = seen.cells, _points(seen)
    size = np.ones(cells.numerator.shape) if seen.kind == "count" else cells.denominator
    h = _given(spec.h) if spec.h is not None else _count_threshold(spec, seen, base, size)
    line = base.centre_line
    # No event, or nothing else, is no rate to measure evidence against.
    line = np.where((line > 0) & ((line < 1) | (seen.kind != "proportion")), line, np.nan)
    path = count_cusum(
        seen.only(cells.numerator),
        size,
        line,
        distribution=_distribution(seen),
        ratio=spec.ratio,
        h=h,
        head_start=spec.head_start,
    )
    return _arms(path, h, width)


def _bernoulli(spec: BernoulliCusum, seen: Observations, width: Width) -> Lines:
    cells, births = seen.cells, _births(seen)
    chance = _share(seen, cells.numerator) if spec.chance is None else np.full((len(births), 1), spec.chance)
    h = _given(spec.h) if spec.h is not None else _births_threshold(spec, seen, chance)
    path = bernoulli_cusum_gaps(
        births, cells.numerator == 1, chance=chance, odds_ratio=spec.odds_ratio, h=h, restart=spec.restart
    )
    return _arms(path, h, width)


def _risk_adjusted(spec: RiskAdjustedCusum, seen: Observations, width: Width) -> Lines:
    cells = seen.cells
    h = _given(spec.h) if spec.h is not None else _risk_threshold(spec, seen)
    if seen.kind != "between":
        events, expected = (seen.only(block) for block in (cells.numerator, cells.expected))
        path = poisson_risk_adjusted_cusum(events, expected, ratio=spec.odds_ratio, h=h)
        return _arms(path, h, width)
    births, cases = _births(seen), cells.cases
    if cases is None:
        raise OptionError("kind='risk_adjusted_cusum' needs expected= of between_events.")
    first, number = cases.places(cells.denominator)
    kept = cases.gather(first, np.where(np.isnan(births), 0, number))
    path = risk_adjusted_cusum_gaps(
        kept.risk, births, cells.numerator == 1, odds_ratio=spec.odds_ratio, h=h, restart=spec.restart
    )
    return _arms(path, h, width)


def _risk_threshold(spec: RiskAdjustedCusum, seen: Observations) -> tuple[FloatArray, FloatArray]:
    """Find the thresholds as for cases that are all of the mean risk expected of the baseline."""
    if seen.kind != "between":
        usual = row_median(np.where(seen.baseline, seen.cells.expected, np.nan))
        found = count_cusum_threshold(
            usual,
            1.0,
            distribution="poisson",
            ratio=spec.odds_ratio,
            points_between=spec.false_signal_every,
        )
        return found.low, found.high
    return _births_threshold(spec, seen, _share(seen, seen.cells.expected))


def _share(seen: Observations, events: FloatArray) -> FloatArray:
    """Events (or those expected) among the births of the baseline, shape (S, 1); NaN without births."""
    births = np.where(seen.baseline, seen.cells.denominator, 0).sum(axis=1, keepdims=True)
    found = np.where(seen.baseline, events, 0).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(births > 0, found / births, np.nan)


def _births(seen: Observations) -> FloatArray:
    """Births of every gap, the open one too: births without the event are evidence as they come."""
    return np.where(_with_open(seen), seen.cells.denominator, np.nan)


def _with_open(seen: Observations) -> BoolArray:
    waiting = (seen.cells.status == PROVISIONAL) & seen.inside & (seen.kind == "between")
    return np.asarray(seen.included | waiting)


def _births_threshold(
    spec: BernoulliCusum | RiskAdjustedCusum, seen: Observations, chance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find the thresholds that signal falsely as rarely as asked, at the births a month of the baseline."""
    births = np.where(seen.baseline, seen.cells.denominator, 0)
    dates = (seen.cells.periods - np.datetime64("1970-01-01", "us")) / np.timedelta64(1, "D")
    dates = np.where(seen.baseline, dates, np.nan)
    first, last = (end.reduce(dates, axis=1, keepdims=True) for end in (np.fmin, np.fmax))
    # The date on which the first gap began is not known, so its births are left out.
    later = np.where(dates > first, births, 0).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        a_month = later / (last - first) * DAYS_A_MONTH
    known = np.isfinite(a_month) & (a_month > 0)
    # No arm can signal before the first birth.
    between = np.maximum(spec.false_signal_every * a_month, 1)
    found = bernoulli_threshold(chance, spec.odds_ratio, np.where(known, between, np.nan))
    return found.low, found.high


def _count_threshold(
    spec: CountCusum, seen: Observations, base: Limits, size: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find the thresholds that signal falsely as rarely as asked, at the usual births of the baseline."""
    usual = row_median(np.where(seen.baseline, size, np.nan))
    line = row_median(np.where(seen.baseline, base.centre_line, np.nan))
    found = count_cusum_threshold(
        usual,
        line,
        distribution=_distribution(seen),
        ratio=spec.ratio,
        points_between=spec.false_signal_every,
    )
    return found.low, found.high


def _distribution(seen: Observations) -> Literal["binomial", "poisson"]:
    return "binomial" if seen.kind == "proportion" else "poisson"


def _given(h: float) -> tuple[float, float]:
    return h, h


def _arms(path: CusumPath, h: tuple[object, object], width: Width) -> Lines:
    """Put the arms about 0, the thresholds at three sigma's place."""
    shape = path.low.shape
    nothing = np.full(shape, np.nan)
    low, high = (
        np.broadcast_to(limit, shape) if width.nsigma == 3 else nothing for limit in map(np.asarray, h)
    )
    limits = Limits(np.zeros(shape), nothing, -low, high)
    beyond = {"low": path.low_signal, "high": path.high_signal}
    return Lines({"low": path.low, "high": path.high}, limits, beyond)
