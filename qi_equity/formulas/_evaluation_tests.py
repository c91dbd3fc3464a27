"""What an evaluation says of simulated periods: the tests of ``evaluate_change``, of many series at once."""

from __future__ import annotations

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._detectable import Kind
from qi_equity.formulas._evaluation_draws import Months
from qi_equity.formulas._interval_parts import z_of
from qi_equity.formulas.averaged_rate import averaged_rate
from qi_equity.formulas.detectable_gap_change import Scale
from qi_equity.formulas.gap_change import one_less_another
from qi_equity.formulas.glm import fit_glm
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.level_change import (
    TOO_FEW_TO_FIT,
    Cells,
    Family,
    choose,
    exact_intervals,
    few_events,
    inflation,
    level_dispersion,
    quasi_intervals,
    quasi_logs,
    segment_sums,
    t_of,
)
from qi_equity.formulas.sparse_change import conditional_p, conditional_rate_p

FAMILIES: dict[Kind, Family] = {"proportion": "binomial", "rate": "poisson"}


def level_signs(months: Months, kind: Kind, confidence: float) -> FloatArray:
    """Give -1 where the interval of the ratio of two levels lies below 1, 1 where above, else 0."""
    family = FAMILIES[kind]
    cells, dispersion, df = _summed(months, family)
    t = t_of(df, confidence)
    (log, _), (variance, _) = quasi_logs(cells, family)
    with np.errstate(invalid="ignore"):
        shown = np.abs(log) > t * np.sqrt(dispersion * variance)
        few = few_events(cells, family)
        shown[few] = _exactly_shown(cells, inflation(dispersion, df, confidence), few, kind, confidence)
        return np.where(shown, np.sign(cells[0] * cells[3] - cells[2] * cells[1]), 0.0)


def _exactly_shown(
    cells: Cells, wide: FloatArray, few: BoolArray, kind: Kind, confidence: float
) -> BoolArray:
    """Tell whether the exact interval leaves out 1, by the mid-P value, of which it is made."""
    widen = wide[few]
    if kind == "rate":
        counts = (np.broadcast_to(a, few.shape)[few] / widen**2 for a in cells)
        return np.asarray(conditional_rate_p(*counts) < 1 - confidence) if widen.size else few[few]
    x1, n1, x0, n0 = (np.broadcast_to(a, few.shape)[few].astype(np.int64) for a in cells)
    # The same few tables come again and again.
    keys, place = np.unique(np.stack([x1, n1, x0, n0]), axis=1, return_inverse=True)
    if not place.size:
        return few[few]
    z = -special.ndtri(conditional_p(*keys) / 2)[place.ravel()]
    return np.asarray(z > z_of(confidence) * widen)


def _summed(months: Months, family: Family) -> tuple[Cells, FloatArray, FloatArray]:
    """Give the cells of every draw, with its dispersion, and the degrees of freedom, which draws share."""
    events, size, segment, _ = months
    size, segment = np.broadcast_to(size, events.shape), np.broadcast_to(segment, events.shape)
    x, n = segment_sums(events, size, segment, 2)
    dispersion, df = level_dispersion(events, size, segment, x, n, family)
    return (x[..., 1], n[..., 1], x[..., 0], n[..., 0]), dispersion, df[..., :1]


def trend_signs(months: Months, kind: Kind, confidence: float) -> FloatArray:
    """Give the signs of the model with a trend; those of levels where there are next to no events."""
    family = FAMILIES[kind]
    interval = _trend_ratio(months, family, confidence)
    with np.errstate(invalid="ignore"):
        signs = np.select([interval.upper < 1, interval.lower > 1], [-1.0, 1.0], 0.0)
    few = few_events(_summed(months, family)[0], family, TOO_FEW_TO_FIT)
    return np.where(few, level_signs(months, kind, confidence), signs) if few.any() else signs


def _trend_ratio(months: Months, family: Family, confidence: float) -> Interval:
    """Give the interval of the ratio of the fitted rate to that without the step, over births since."""
    events, size, segment, time = months
    step = (time >= 0).astype(np.float64)
    design = np.stack([np.ones(time.size), time, step], axis=-1)
    fit = fit_glm(
        events,
        np.broadcast_to(size, events.shape),
        design,
        family=family,
        included=np.broadcast_to(segment >= 0, events.shape),
    )
    births = np.where(segment == 1, size, 0.0)
    share = births / births.sum(axis=-1, keepdims=True)
    log_ratio, gradient = np.zeros(()), np.zeros(())
    for sign, columns in ((1, design), (-1, design * [1, 1, 0])):
        rate, weight = averaged_rate(fit.coef @ columns.T, share, family)
        log_ratio = log_ratio + sign * np.log(rate)
        gradient = gradient + sign * (weight @ columns) / rate[..., None]
    df = np.where(fit.df > 0, fit.df, np.nan)
    variance = np.einsum("...p,...pr,...r->...", gradient, fit.covariance, gradient)
    half = t_of(df, confidence) * np.sqrt(np.maximum(1, fit.dispersion) * variance)
    return Interval(*(np.exp(log_ratio + sign * half) for sign in (0, -1, 1)))


def gap_part(months: Months, kind: Kind, scale: Scale, confidence: float) -> Interval:
    """Give the change of one side of a gap with its interval: logarithm of the ratio or odds ratio."""
    family = FAMILIES[kind]
    cells, dispersion, df = _summed(months, family)
    x1, n1, x0, n0 = (np.broadcast_to(a, cells[0].shape) for a in cells)
    cells = x1, n1, x0, n0
    few = few_events(cells, family)
    large = quasi_intervals(cells, dispersion, t_of(df, confidence), family)
    small = exact_intervals(cells, inflation(dispersion, df, confidence), few, family, confidence)
    which = 1 if scale == "odds-ratio" else 0
    found = choose(few, small[1 + which], large[which])
    with np.errstate(divide="ignore", invalid="ignore"):
        return Interval(*(np.log(end) for end in (found.estimate, found.lower, found.upper)))


def gap_signs(group: Interval, reference: Interval) -> FloatArray:
    """Give -1 where the interval of the change of a gap, on the log scale, lies below 0, 1 where above."""
    change = one_less_another(group, reference)
    with np.errstate(invalid="ignore"):
        return np.select([change.upper < 0, change.lower > 0], [-1.0, 1.0], 0.0)
