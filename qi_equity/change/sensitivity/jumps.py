"""Whether a share, or a number, jumped at the date of a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qi_equity.change.design import Schedule, make_design
from qi_equity.change.effects import change_effects
from qi_equity.change.estimate import two_sided_p
from qi_equity.change.level import Family
from qi_equity.change.model import ChangeModel
from qi_equity.change.regression import fit_design
from qi_equity.change.sensitivity.places import Dates
from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.holm import holm

__all__ = ["CANNOT_TELL", "DRIFTED", "NO", "YES", "Jumps", "find_jumps"]

YES, DRIFTED, NO, CANNOT_TELL = "yes", "drifted", "no", "cannot tell"


@dataclass(frozen=True, slots=True, eq=False)
class Jumps:
    """What is known of R shares (or numbers a period) about each of K changes; arrays of shape (R, K).

    Parameters
    ----------
    before, after, ratio : ndarray of float
        Share on each side, and after over before.
    p : ndarray of float
        Two-sided p-value of no difference, adjusted for the number of rows (Holm).
    jumped : ndarray of str
        "yes", "drifted", "no" or "cannot tell".
    """

    before: Floats
    after: Floats
    ratio: Floats
    p: Floats
    jumped: Any


def find_jumps(
    events: Floats, size: Floats, dates: Dates, season: Floats, *, family: Family, confidence: float
) -> Jumps:
    """Compare shares before and after each change, and set the step against an earlier trend.

    With the level model of :func:`~qi_equity.change.level.level_effects` (dispersion of each row's own, Holm
    over the rows): "no" where the shares are not told apart; "drifted" where they are, but a trend through
    the whole time is told apart from none and a step beside it, to the side of the change, is not; else
    "yes". That nothing is told apart is no proof that nothing moved.

    Parameters
    ----------
    events, size : ndarray of float, shape (R, T)
        Part and whole; NaN where not known.
    dates : Dates
        When the changes were made.
    season : ndarray of float, shape (T,)
        Place of each period in the year.
    family : {"binomial", "poisson"}
        Shares of a whole, or numbers a period.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Jumps
        "cannot tell" where one side is not known, or the strata of a row changed at different dates.
    """
    schedule = Schedule(np.where(dates.mixed[:, None], -1, dates.segment), dates.starts, 0, season)
    level = make_design(schedule, ChangeModel(), 0)
    found = change_effects(events, size, level, family=family, confidence=confidence)
    adjusted, alpha = holm(found.p, axis=0), 1 - confidence
    apart = adjusted < alpha
    drifted = apart
    if apart.any():
        rose = found.ratio.estimate > 1
        drifted = _drifted(events, size, schedule, rose, family, confidence)
    jumped = np.select([np.isnan(found.p), ~apart, drifted], [CANNOT_TELL, NO, DRIFTED], YES)
    return Jumps(found.before.estimate, found.after.estimate, found.ratio.estimate, adjusted, jumped)


def _drifted(
    events: Floats, size: Floats, schedule: Schedule, rose: Bools, family: Family, confidence: float
) -> Bools:
    """Tell where a trend is told apart from none, and no step beside it to the side of the change is."""
    design = make_design(schedule, ChangeModel(trend="own"), 0)
    fit = fit_design(events, size, design, family=family)
    at = design.terms.index("trend")
    with np.errstate(divide="ignore", invalid="ignore"):
        p = two_sided_p(fit.coef[..., at] / np.sqrt(fit.covariance[..., at, at]), fit.df)
    step = change_effects(events, size, design, family=family, confidence=confidence)
    stepped = np.where(rose, step.ratio.lower > 1, step.ratio.upper < 1)
    return np.asarray((p < 1 - confidence)[..., None] & ~step.exact & ~stepped)
