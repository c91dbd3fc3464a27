"""What each stratum's births could have shown, and what is still needed: never from the change observed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from qi_equity.change.design import Design, make_design
from qi_equity.change.estimate import Effects, inflation
from qi_equity.change.level import segment_sums, used_periods
from qi_equity.change.model import ChangeModel
from qi_equity.change.study import REVERSED, Study, seasonal_periods
from qi_equity.data.cells import Floats
from qi_equity.formulas.detectable_change import births_needed, power_of_change, smallest_detectable_ratio
from qi_equity.formulas.interim_looks import chance_of_false_signal

__all__ = ["POWER", "Power", "chance_if_read_each_period", "further", "power_of"]

Kind = Literal["proportion", "rate"]

POWER = 0.8
# Further periods for which a model with more than levels is tried, as long as a plan can reasonably be.
_AHEAD = (*range(1, 13), 15, 18, 21, 24, 30, 36, 42, 48, 60, 72, 84, 96, 120)


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """What could be seen, arrays of shape (S, K).

    Parameters
    ----------
    smallest : ndarray of float
        Smallest ratio (after over before, adverse, below 1) that could have been shown with 80 % power; NaN
        where none could.
    births : ndarray of float
        Births after the change still needed to show a meaningful one; 0 where there are enough, infinite
        where no number is, because there are too few before it. NaN where another change came since, and
        with a trend or season where it would take more than 120 periods.
    periods : ndarray of float
        The same in periods, at the births a period there have been since the change.
    """

    smallest: Floats
    births: Floats
    periods: Floats


def power_of(
    study: Study,
    design: Design,
    own: Effects,
    meaningful: float,
    confidence: float,
    *,
    ahead: Design | None = None,
) -> Power:
    """Say what the births of every stratum could have shown at its rate before the change.

    The variance is multiplied by the dispersion, by the square of the t quantile over the normal one, and by
    what trend and season cost: the variance of the step in the design over that of a plain before and after,
    at a constant rate. That cost changes with every period that is still to come (a trend costs most where
    both sides are as long), so that ``ahead``, the design with 120 further periods, tells what is needed.
    """
    if study.family == "gaussian":
        return _of_means(own, confidence, turned=study.way == REVERSED)
    events, size = study.events, study.size
    x, n = segment_sums(events, size, design.segment, design.counted.shape[-2] + 1)
    before, after = n[..., :-1], n[..., 1:]
    rate = x[..., :-1] / before
    kind: Kind = "proportion" if study.family == "binomial" else "rate"
    wide = inflation(own.dispersion, own.df, confidence) ** 2 * _design_factor(
        design, events, size, n, _precision(rate[..., 0], own.dispersion[..., 0], kind)
    )
    wide = np.where(np.isfinite(wide), wide, np.nan)
    known = np.isfinite(wide + rate)
    fill = [np.where(known, a, np.nan) for a in (rate, before, after, wide)]
    turned = study.way == REVERSED
    smallest = smallest_detectable_ratio(
        *fill[:3],
        kind=kind,
        direction="rise" if turned else "fall",
        power=POWER,
        confidence=confidence,
        inflation=fill[3],
    )
    wanted = 1 / meaningful if turned else meaningful
    needed = births_needed(
        fill[0], wanted, fill[1], kind=kind, power=POWER, confidence=confidence, inflation=fill[3]
    )
    missing = np.maximum(needed - after, 0)
    used = (used_periods(events, size)[..., None, :] & design.counted).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = after / used
        periods = missing / each
        smallest = 1 / smallest if turned else smallest
    if ahead is not None and not design.level_only:
        periods = _periods_ahead(study, ahead, own, n, fill[0], each, kind, wanted, confidence)
        missing = np.where(periods == 0, 0.0, periods * each)
    closed = design.segment.max(axis=-1)[..., None] > np.arange(1, n.shape[-1])
    missing, periods = (np.where(closed, np.nan, a) for a in (missing, periods))
    return Power(smallest, missing, periods)


def further(study: Study, model: ChangeModel, harmonics: int) -> Design:
    """Lay out the columns with as many further periods as a plan can reach, in which nothing else changes."""
    count, schedule = _AHEAD[-1], study.schedule
    year = seasonal_periods(study.series.every)
    last = schedule.segment[..., -1:]
    longer = replace(
        schedule,
        segment=np.concatenate([schedule.segment, np.repeat(last, count, axis=-1)], axis=-1),
        season=np.append(schedule.season, (schedule.season[-1] + np.arange(1, count + 1) / year) % 1),
    )
    return make_design(longer, model, harmonics)


def _periods_ahead(
    study: Study,
    ahead: Design,
    own: Effects,
    n: Floats,
    rate: Floats,
    each: Floats,
    kind: Kind,
    wanted: float,
    confidence: float,
) -> Floats:
    """Count the further periods, of ``each`` births, after which the meaningful change would be shown.

    Infinite where it would not even be without trend and season; NaN where no number tried is enough.
    """
    none = np.full((*study.events.shape[:-1], _AHEAD[-1]), np.nan)
    place = np.arange(none.shape[-1])
    coming = np.where(np.isfinite(each[..., -1:]), each[..., -1:], 0.0)
    precision = _precision(rate[..., 0], own.dispersion[..., 0], kind)
    before, after = n[..., :-1], n[..., 1:]
    never = births_needed(
        rate, wanted, before, kind=kind, power=POWER, confidence=confidence, inflation=own.dispersion
    )
    found = np.where(np.isinf(never), np.inf, np.nan)
    for count in (0, *_AHEAD):
        size = np.concatenate([study.size, np.where(place < count, coming, none)], axis=-1)
        events = np.concatenate([study.events, np.where(place < count, 0.0, none)], axis=-1)
        later = np.concatenate([n[..., :-1], n[..., -1:] + count * coming], axis=-1)
        wide = inflation(own.dispersion, own.df + count, confidence) ** 2
        wide = wide * _design_factor(ahead, events, size, later, precision)
        sure = np.isfinite(wide + after + rate)
        start, past, yet, phi = (np.where(sure, a, np.nan) for a in (rate, before, later[..., 1:], wide))
        chance = power_of_change(start, wanted, past, yet, kind=kind, confidence=confidence, inflation=phi)
        found = np.where(np.isnan(found) & (chance >= POWER), float(count), found)
    return found


def _of_means(own: Effects, confidence: float, *, turned: bool) -> Power:
    """Take the standard error of the difference, which does not depend on the change.

    Where more is better the rise that could be shown is told as before over after.
    """
    wanted = (special.ndtri((1 + confidence) / 2) + special.ndtri(POWER)) / special.ndtri(
        (1 + confidence) / 2
    )
    half = (own.difference.upper - own.difference.lower) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        # Means that are not above 0 have no ratio.
        share = wanted * half / np.where(own.before.estimate > 0, own.before.estimate, np.nan)
        smallest = 1 / (1 + share) if turned else np.where(share < 1, 1 - share, np.nan)
    nothing = np.full(smallest.shape, np.nan)
    return Power(smallest, nothing, nothing)


def _precision(rate: Floats, dispersion: Floats, kind: Kind) -> Floats:
    """Give the weight of one birth of a stratum in what is shared, at its rate before the change."""
    spread = rate * (1 - rate) if kind == "proportion" else rate
    return np.nan_to_num(spread / dispersion)


def _design_factor(design: Design, events: Floats, size: Floats, n: Floats, precision: Floats) -> Floats:
    """Give what the terms of the model beside the levels cost, in variance."""
    plain = 1 / n[..., :-1] + 1 / n[..., 1:]
    if design.level_only:
        return np.ones(plain.shape)
    used = used_periods(events, size) & (design.segment >= 0)
    births = np.where(used, size, 0.0)
    information = np.einsum("...t,...tp,...tr->...pr", births, design.own, design.own)
    information = information + design.absent(used)[..., None] * np.eye(design.own.shape[-1])
    sound = np.linalg.cond(information) < 1 / np.finfo(np.float64).eps
    safe = np.where(sound[..., None, None], information, np.eye(design.own.shape[-1]))
    share = np.where(design.counted, births[..., None, :], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = share / share.sum(axis=-1, keepdims=True)
    step = np.einsum("...kt,...ktp->...kp", share, design.own[..., None, :, :] - design.without)
    inverse = np.linalg.inv(safe)
    cost = np.einsum("...kp,...pr,...kr->...k", step, inverse, step)
    if design.shared.shape[-1]:
        cost = cost + _cost_of_shared(design, births, inverse, step, np.where(sound, precision, 0.0))
    return np.where(sound[..., None], cost / plain, np.nan)


def _cost_of_shared(
    design: Design, births: Floats, inverse: Floats, step: Floats, precision: Floats
) -> Floats:
    """Give what not knowing the shared trend adds to the cost of each step: the more strata, the less."""
    mixed = np.einsum("...t,...tp,...tq->...pq", births, design.own, design.shared)
    link = inverse @ mixed
    alone = np.einsum("...t,...tq,...tq->...q", births, design.shared, design.shared)
    left = (precision[..., None] * (alone - np.einsum("...pq,...pq->...q", mixed, link))).sum(axis=-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        added = np.einsum("...kp,...pq->...kq", step, link) ** 2 / left[..., None, None, :]
        return np.asarray((precision[..., None, None] * added).sum(axis=-1))


def chance_if_read_each_period(study: Study, design: Design, confidence: float) -> Floats:
    """Give the chance that one of the readings, one a period since each change, says "improved" of no change.

    It is that of all births together: the shares of information by period hardly differ between strata.
    Shape (K,).
    """
    births = np.where(np.isfinite(study.events), np.nan_to_num(study.size), 0.0)
    looks = []
    for k in range(design.counted.shape[-2]):
        since = np.where(design.counted[:, k], births, 0.0).sum(axis=0)
        before = np.where(design.segment == k, births, 0.0).sum()
        after = np.cumsum(since)[since > 0]
        information = 1 / (1 / before + 1 / after) if before > 0 and after.size else np.array([np.nan])
        looks.append(float(chance_of_false_signal(information, confidence=confidence, sides=1)))
    return np.array(looks)
