"""The change of every stratum by other models than the one that was named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qi_equity.change.averages import mean_effects
from qi_equity.change.design import Design, Schedule, make_design
from qi_equity.change.effects import change_effects
from qi_equity.change.estimate import Effects, choose, t_of, two_sided_p
from qi_equity.change.level import level_effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.sensitivity.autocorrelation import level_factor, period_weights, variance_factor
from qi_equity.change.study import REVERSED, Study, seasonal_periods
from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.interval import Interval

__all__ = [
    "AS_EVALUATED",
    "LAST",
    "RHOS",
    "Analysis",
    "analyses",
    "change_of",
    "has_season",
    "lacks_interval",
]

AS_EVALUATED = "as evaluated"
# Correlations of neighbouring periods.
RHOS = (0.0, 0.2, 0.4, 0.6)
# Periods before the change that may have been the worst, and so the reason for it.
LAST = 3

_NO_NUMBER = "too few periods or births"
_FEW_EVENTS = "too few events to tell a trend or season from the change"
_NO_SEASON = "a {} has no season"
_NOT_FOR_MEANS = "a shared trend is not for means"
_NONE_LEFT = "no period is left on one side"


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The changes of S strata by one way of reckoning.

    Parameters
    ----------
    name : str
        What was done.
    ratio : Interval
        After against before, adverse; arrays of shape (S, K).
    p : ndarray of float, shape (S, K)
        Two-sided p-value.
    reason : ndarray of str, shape (S, K)
        Why there is no number; empty where there is one.
    """

    name: str
    ratio: Interval
    p: Floats
    reason: Any


def analyses(
    study: Study, model: ChangeModel, harmonics: int, confidence: float, leave_out: int
) -> list[Analysis]:
    """Reckon the changes anew by other models, with correlated periods, and without some periods.

    Parameters
    ----------
    study : Study
        What the evaluation is reckoned from.
    model : ChangeModel
        The model that was named.
    harmonics : int
        Its harmonics.
    confidence : float
        Level of confidence, in (0, 1).
    leave_out : int
        Periods after each change to leave out; 0 for none.

    Returns
    -------
    list of Analysis
        In the order of the table.
    """
    parts = _other_models(study, model, harmonics, confidence)
    parts += [_correlated(study, model, harmonics, confidence, rho) for rho in RHOS]
    schedule = study.schedule
    if leave_out:
        later = replace(schedule, phase_in=schedule.phase_in + leave_out)
        found = change_of(study, later, replace(model, phase_in="drop"), harmonics, confidence)
        parts.append(_told(f"without the first {leave_out}", found, _NONE_LEFT))
    found = change_of(study, _without_last(schedule), model, harmonics, confidence)
    return [*parts, _told(f"without the {LAST} before", found, _NONE_LEFT)]


def change_of(
    study: Study, schedule: Schedule, model: ChangeModel, harmonics: int, confidence: float
) -> Effects:
    """Estimate the changes of the strata (not of what they are compared with), adverse.

    ``schedule`` may have more leading axes than the study, (..., S, T).
    """
    design = make_design(schedule, model, harmonics)
    events, size = (np.broadcast_to(a, design.segment.shape) for a in (study.events, study.size))
    found = change_effects(events, size, design, family=study.family, confidence=confidence)
    return found.reversed() if study.way == REVERSED else found


def has_season(study: Study) -> bool:
    """Tell whether a season can show within the periods."""
    return seasonal_periods(study.series.every) > 1


def _other_models(study: Study, model: ChangeModel, harmonics: int, confidence: float) -> list[Analysis]:
    ramp, waves = model.phase_in, max(1, harmonics)
    named = (
        ("level", ChangeModel(phase_in=ramp), 0),
        ("level+trend", ChangeModel(trend="own", phase_in=ramp), 0),
        ("level+shared trend", ChangeModel(trend="shared", phase_in=ramp), 0),
        ("level+season", ChangeModel(phase_in=ramp), waves),
        ("level+trend+season", ChangeModel(trend="own", phase_in=ramp), waves),
    )
    parts = []
    for name, other, number in named:
        if number and not has_season(study):
            parts.append(_nothing(study, name, _NO_SEASON.format(study.series.every)))
        elif study.family == "gaussian" and other.trend == "shared":
            parts.append(_nothing(study, name, _NOT_FOR_MEANS))
        else:
            found = change_of(study, study.schedule, other, number, confidence)
            parts.append(_without_fallback(name, found) if name != "level" else _told(name, found))
    return parts


def _told(name: str, found: Effects, reason: str = _NO_NUMBER) -> Analysis:
    lacking = np.isnan(found.ratio.estimate) & np.isnan(found.ratio.upper)
    return Analysis(name, found.ratio, found.p, np.where(lacking, reason, ""))


def _without_fallback(name: str, found: Effects) -> Analysis:
    """Blank the strata that were compared without trend and season for want of events."""
    told = _told(name, found)
    ratio = choose(found.exact, _blank(found.p.shape), found.ratio)
    p = np.where(found.exact, np.nan, found.p)
    return Analysis(name, ratio, p, np.where(found.exact, _FEW_EVENTS, told.reason))


def _nothing(study: Study, name: str, reason: str) -> Analysis:
    shape = study.schedule.starts.shape
    return Analysis(name, _blank(shape), np.full(shape, np.nan), np.full(shape, reason))


def _blank(shape: tuple[int, ...]) -> Interval:
    nothing = np.full(shape, np.nan)
    return Interval(nothing, nothing, nothing)


def _without_last(schedule: Schedule) -> Schedule:
    """Leave out the last periods before the first change of each stratum."""
    since = np.arange(schedule.segment.shape[-1]) - schedule.starts[:, :1]
    last = (since < 0) & (since >= -LAST)
    return replace(schedule, segment=np.where(last, -1, schedule.segment))


def _correlated(study: Study, model: ChangeModel, harmonics: int, confidence: float, rho: float) -> Analysis:
    """Reckon the changes by the model that was named, with a correlation of neighbours taken as given."""
    name, design = f"rho {rho}", study.design(model, harmonics)
    if study.family == "gaussian":
        found = mean_effects(study.events, study.size, design, confidence=confidence, rho=rho)
        return _told(name, found.reversed() if study.way == REVERSED else found)
    changes = study.schedule.starts.shape[-1]
    binomial = study.family == "binomial"
    weight = period_weights(study.events, study.size, design.segment, changes, binomial=binomial)
    level = level_effects(
        study.events,
        study.size,
        design.segment,
        changes,
        family="binomial" if binomial else "poisson",
        confidence=confidence,
        inflate=level_factor(weight, design.segment, changes, rho),
    )
    level = level.reversed() if study.way == REVERSED else level
    if design.level_only:
        return _told(name, level)
    plain = change_of(study, study.schedule, model, harmonics, confidence)
    ratio, p = _widened(plain, _factor(design, weight, rho), confidence)
    ratio, p = choose(plain.exact, level.ratio, ratio), np.where(plain.exact, level.p, p)
    return _told(name, replace(plain, ratio=ratio, p=p))


def _factor(design: Design, weight: Floats, rho: float) -> Floats:
    """Give the factor of the average step; a shared trend is taken as each stratum's own."""
    columns = np.concatenate([design.own, design.shared], axis=-1)
    births = np.where(design.counted, weight[:, None, :], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(births / births.sum(axis=-1, keepdims=True))
    steps = np.einsum("skt,sktp->skp", share, design.own[:, None] - design.without)
    still = np.zeros((*steps.shape[:-1], design.shared.shape[-1]))
    return variance_factor(columns, np.concatenate([steps, still], axis=-1), weight, rho)


def _widened(found: Effects, factor: Floats, confidence: float) -> tuple[Interval, Floats]:
    """Widen intervals that are symmetric on the log scale, for a variance ``factor`` times as large."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log, half = np.log(found.ratio.estimate), np.log(found.ratio.upper / found.ratio.lower) / 2
        half = half * np.sqrt(factor)
        p = two_sided_p(log * t_of(found.df, confidence) / half, found.df)
        return Interval(found.ratio.estimate, np.exp(log - half), np.exp(log + half)), p


def lacks_interval(analysis: Analysis) -> Bools:
    """Tell where an analysis has no interval."""
    return np.isnan(analysis.ratio.lower) | np.isnan(analysis.ratio.upper)
