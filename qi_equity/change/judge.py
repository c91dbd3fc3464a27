"""From estimates to verdicts: the same rules for the strata of a series and for simulated networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity.change.estimate import Effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.verdicts import BEYOND, NOT_VISIBLE, Words, beyond_trend, change_verdict, family_verdict
from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.interval import Interval

__all__ = ["Judgement", "judge", "trend_model"]

# Years before the change from which on a season is part of what "beyond the trend" is set against.
_YEARS_FOR_SEASON = 2


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What is said of the changes of many strata; arrays of shape (..., S, K).

    Parameters
    ----------
    verdict : ndarray of str
        Of each change by itself.
    family_verdict : ndarray of str
        Of the declared strata together.
    family_p : ndarray of float
        Holm's p-values; NaN for strata that are not declared.
    beyond_trend : ndarray of str
        Whether each change stands apart from the earlier trend and season; of a change that is not yet
        visible no one can tell.
    """

    verdict: Words
    family_verdict: Words
    family_p: Floats
    beyond_trend: Words


def trend_model(
    model: ChangeModel, harmonics: int, before: float, per_year: float
) -> tuple[ChangeModel, int]:
    """Name what "beyond the trend" is set against: a trend, and a season where two years show it.

    Parameters
    ----------
    model : ChangeModel
        The model of the evaluation.
    harmonics : int
        Its harmonics of the season.
    before : float
        Periods before the earliest change.
    per_year : float
        Periods in a year; 1 where a period is a year.

    Returns
    -------
    tuple of ChangeModel and int
        Model and harmonics.
    """
    season = per_year > 1 and before >= _YEARS_FOR_SEASON * per_year
    trend = ChangeModel(trend="shared" if model.trend == "shared" else "own", phase_in=model.phase_in)
    return trend, max(harmonics, int(season))


def judge(
    own: Effects,
    step: Effects,
    declared: Bools,
    meaningful: float,
    confidence: float,
    *,
    directed: bool = True,
) -> Judgement:
    """Give the verdicts of many strata at once, from the ratio; from the difference where there is no ratio.

    Parameters
    ----------
    own : Effects
        The changes, shape (..., S, K): the S strata and their K changes are one family.
    step : Effects
        The same by :func:`trend_model`; a step found without the trend tells nothing of it.
    declared : ndarray of bool, stretching to (..., S, K)
        Strata that the aim declares.
    meaningful : float
        Ratio that would matter, in (0, 1).
    confidence : float
        Level of confidence, in (0, 1).
    directed : bool
        Whether less is better.

    Returns
    -------
    Judgement
        Verdicts.
    """
    shape = own.p.shape
    flat = (*shape[:-2], shape[-2] * shape[-1])
    verdict = np.where(
        own.without_ratio(),
        change_verdict(_side_of(own.difference), meaningful, directed=directed),
        change_verdict(own.ratio, meaningful, directed=directed),
    )
    ratio = Interval(*(getattr(own.ratio, e).reshape(flat) for e in ("estimate", "lower", "upper")))
    family, adjusted = family_verdict(
        verdict.reshape(flat),
        ratio,
        own.p.reshape(flat),
        np.broadcast_to(declared, shape).reshape(flat),
        meaningful,
        1 - confidence,
    )
    beyond = beyond_trend(own.ratio, step.ratio, meaningful)
    return Judgement(
        verdict=verdict,
        family_verdict=family.reshape(shape),
        family_p=adjusted.reshape(shape),
        beyond_trend=np.where(step.exact | (verdict == NOT_VISIBLE), BEYOND[2], beyond),
    )


def _side_of(difference: Interval) -> Interval:
    """Tell on which side of no change a difference lies, as a ratio that is 0, 1 or 2."""
    return Interval(*(1 + np.sign(getattr(difference, e)) for e in ("estimate", "lower", "upper")))
