"""Two stages: the effect of each site from the evaluation, then their weighted mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from scipy import special

from qi_equity.change.estimate import t_of
from qi_equity.change.pooling.layout import Pooled, Texts
from qi_equity.data.cells import Floats
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.meta_analysis import MetaAnalysis, MetaTest, Tau2, leave_one_out, meta_analysis
from qi_equity.formulas.meta_intervals import tau2_interval

__all__ = ["TESTS", "Stage", "log_of", "pool_effect", "pool_stage", "variance_of"]

TESTS: tuple[MetaTest, ...] = get_args(MetaTest)

IS_REFERENCE = "it is the reference itself"
NO_BIRTHS = "no births before or after, or not known"
NO_CHANGE = "no change recorded for it"
NO_RATIO = "no event before or after (or nothing but events): no finite ratio"
NO_VARIANCE = "its interval has no finite width"


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Effects of sites on one scale, shape (G, K, L), ratios as logarithms.

    ``barred`` says of each site why it must not be pooled, nothing where it may.
    """

    effect: Interval
    variance: Floats
    barred: Texts

    @property
    def reason(self) -> Texts:
        """Say why a site cannot be pooled; empty where it can."""
        y, v = self.effect.estimate, self.variance
        return np.select(
            [self.barred != "", ~np.isfinite(y), ~(np.isfinite(v) & (v > 0))],
            [self.barred, NO_RATIO, NO_VARIANCE],
            "",
        )


def log_of(interval: Interval) -> Interval:
    """Take logarithms; of 0 and infinity too."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return Interval(*(np.log(getattr(interval, e)) for e in ("estimate", "lower", "upper")))


def variance_of(interval: Interval, df: Floats, confidence: float) -> Floats:
    """Give the sampling variance that the width of an interval implies, by the quantile it was made with."""
    with np.errstate(invalid="ignore"):
        return np.asarray(((interval.upper - interval.lower) / (2 * t_of(df, confidence))) ** 2)


def pool_stage(stage: Stage, tau2: Tau2, test: MetaTest, confidence: float) -> Pooled:
    """Pool the effects of the sites; one site alone is itself, with its own interval."""
    reason = stage.reason
    used = reason == ""
    y, v = (np.where(used, a, np.nan) for a in (stage.effect.estimate, stage.variance))
    found, effect = pool_effect(stage, tau2, test, confidence)
    others = leave_one_out(y, v, tau2=tau2, test=test, confidence=confidence)
    between = tau2_interval(y, v, confidence=confidence)
    p = 2 * special.ndtr(-np.abs(found.estimate) / found.se)
    return Pooled(
        effect=effect,
        prediction=Interval(found.estimate, found.prediction_lower, found.prediction_upper),
        p=np.where(found.k == 1, p, found.p),
        tau2=found.tau2,
        tau2_lower=between.lower,
        tau2_upper=between.upper,
        i2=found.i2,
        q_p=found.q_p,
        sites=found.k,
        site=stage.effect,
        without=Interval(others.estimate, others.lower, others.upper),
        weight=np.where(used, found.weights, 0.0),
        reason=reason,
    )


def pool_effect(stage: Stage, tau2: Tau2, test: MetaTest, confidence: float) -> tuple[MetaAnalysis, Interval]:
    """Give the weighted mean and its interval; of one site its own."""
    used = stage.reason == ""
    y, v = (np.where(used, a, np.nan) for a in (stage.effect.estimate, stage.variance))
    found = meta_analysis(y, v, tau2=tau2, test=test, confidence=confidence)
    lower, upper = (
        np.where(found.k == 1, np.where(used, own, 0.0).sum(axis=-1), pooled)
        for own, pooled in ((stage.effect.lower, found.lower), (stage.effect.upper, found.upper))
    )
    return found, Interval(found.estimate, lower, upper)
