"""The change of every stratum, each by the way that fits its measure, its model and its counts."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal

import numpy as np

from qi_equity.change.averages import mean_effects
from qi_equity.change.design import Design
from qi_equity.change.estimate import Effects, choose
from qi_equity.change.level import level_effects, segment_sums
from qi_equity.change.regression import regression_effects
from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.level_change import TOO_FEW_TO_FIT

__all__ = ["Family", "change_effects"]

Family = Literal["binomial", "poisson", "gaussian"]


def change_effects(
    events: Floats,
    size: Floats,
    design: Design,
    *,
    family: Family,
    confidence: float,
    counted_once: Bools | None = None,
) -> Effects:
    """Estimate the changes of many strata at once.

    Parameters
    ----------
    events, size : ndarray of float, shape (..., S, T)
        Adverse events, and births or exposure; for means, the mean and the number of values of each period.
        NaN where not known.
    design : Design
        Columns of the regression.
    family : {"binomial", "poisson", "gaussian"}
        Events out of births, events over an exposure, or means.
    confidence : float
        Level of confidence, in (0, 1).
    counted_once : ndarray of bool, shape (S,), optional
        Strata that set a shared trend; the others are there to be compared with.

    Returns
    -------
    Effects
        By the closed form of :func:`~qi_equity.change.level.level_effects` where the model is a level only,
        else by :func:`~qi_equity.change.regression.regression_effects` (for means
        :func:`~qi_equity.change.averages.mean_effects`). A stratum with next to no events on one side is
        compared without trend and season, by the exact interval of the former: ``exact`` says so.
    """
    if family == "gaussian":
        return mean_effects(events, size, design, confidence=confidence)
    changes = design.counted.shape[-2]

    def level() -> Effects:
        return level_effects(events, size, design.segment, changes, family=family, confidence=confidence)

    if design.level_only:
        return level()
    fitted = regression_effects(
        events, size, design, family=family, confidence=confidence, counted_once=counted_once
    )
    few = _too_few(events, size, design, family)
    return _merge(few, level(), fitted) if few.any() else fitted


def _too_few(events: Floats, size: Floats, design: Design, family: str) -> Bools:
    x, n = segment_sums(events, size, design.segment, design.counted.shape[-2] + 1)
    least = np.minimum(x, n - x) if family == "binomial" else x
    return np.asarray(np.minimum(least[..., 1:], least[..., :-1]) < TOO_FEW_TO_FIT)


def _merge(where: Bools, one: Effects, other: Effects) -> Effects:
    parts: dict[str, Any] = {}
    for f in fields(Effects):
        a, b = getattr(one, f.name), getattr(other, f.name)
        parts[f.name] = choose(where, a, b) if isinstance(a, Interval) else np.where(where, a, b)
    return Effects(**parts)
