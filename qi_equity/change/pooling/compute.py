"""What is pooled, scale by scale: the change of each group, and of each gap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from qi_equity.change.estimate import SCALES, Effects
from qi_equity.change.gap_effects import GapEffects, gap_effects
from qi_equity.change.level import segment_sums
from qi_equity.change.model import ChangeModel
from qi_equity.change.pooling.layout import Layout, Pooled, Texts
from qi_equity.change.pooling.one_stage import (
    Fit,
    difference_of,
    fit_sites,
    no_change,
    pooled_of,
    sides_of,
)
from qi_equity.change.pooling.stepped_wedge import check_staggered, fit_wedge, sides_by_time
from qi_equity.change.pooling.two_stage import (
    IS_REFERENCE,
    NO_BIRTHS,
    NO_CHANGE,
    Stage,
    log_of,
    pool_effect,
    pool_stage,
    variance_of,
)
from qi_equity.change.study import REVERSED, Study
from qi_equity.data.cells import Bools, Floats, Ints
from qi_equity.errors import OptionError
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.meta_analysis import MetaTest, Tau2

__all__ = ["METHODS", "Found", "GapFound", "pool_changes"]

TWO_STAGE: tuple[str, ...] = get_args(Tau2)
METHODS = (*TWO_STAGE, "one-stage", "exact", "stepped-wedge")


@dataclass(frozen=True, slots=True, eq=False)
class GapFound:
    """A gap on one scale: pooled before, after and change, and the changes that it is the difference of."""

    before: Interval
    after: Interval
    change: Pooled
    own: Floats
    reference: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Everything pooled, by scale; ``rate_before`` (G, K) is the adverse rate before over all sites."""

    groups: dict[str, Pooled]
    gaps: dict[str, GapFound]
    rate_before: Floats
    dispersion: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Barred:
    """Why a site must not be pooled, (G, K, L), for the change of a group and for that of its gap."""

    change: Texts
    gap: Texts


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """How two stages are pooled."""

    tau2: Tau2
    test: MetaTest
    confidence: float

    def pool(self, effect: Interval, variance: Floats, barred: Texts) -> Pooled:
        """Pool effects of sites."""
        return pool_stage(Stage(effect, variance, barred), self.tau2, self.test, self.confidence)

    def mean(self, effect: Interval, variance: Floats, barred: Texts) -> Interval:
        """Give the pooled effect only."""
        return pool_effect(Stage(effect, variance, barred), self.tau2, self.test, self.confidence)[1]


def pool_changes(study: Study, layout: Layout, options: dict[str, Any], method: str, test: MetaTest) -> Found:
    """Pool the changes of an evaluation with these options."""
    model, harmonics, confidence = ChangeModel(**options["model"]), options["seasonal"], options["confidence"]
    effects = study.effects(model, harmonics, confidence)
    design = study.design(model, harmonics)
    barred = _barred(study, layout, design.segment)
    way = _Way(method if method in TWO_STAGE else "reml", test, confidence)  # type: ignore[arg-type]
    scales = SCALES if study.family == "binomial" else SCALES[:2]
    gaps = gap_effects(*effects, options["meaningful"], reverse=study.way == REVERSED)
    sides = {s: [_laid(s, layout, side, confidence) for side in effects] for s in scales}
    found = Found(
        groups={s: way.pool(*own, barred.change) for s, (own, _) in sides.items()},
        gaps={s: _gap(s, layout, gaps[s], sides[s], barred.gap, way) for s in scales},
        rate_before=_rate_before(study, layout, effects[0], design.segment),
        dispersion=layout.spread(effects[0].dispersion),
    )
    if method in TWO_STAGE:
        return found
    if method == "stepped-wedge":
        check_staggered(study, layout)
        fits = _wedge(study, layout, design.segment, barred)
    else:
        _check_totals(study, method, design.level_only)
        fits = _totals(study, layout, design.segment, barred, exact=method == "exact")
    return _with_fits(study, found, fits, confidence, normal=test == "z")


def _barred(study: Study, layout: Layout, segment: Ints) -> _Barred:
    """Tell of each site whether it has births before and after, a change, and a gap."""
    shape = study.schedule.starts.shape

    def laid(flags: Bools) -> Bools:
        return np.asarray(layout.spread(np.broadcast_to(flags, shape).astype(np.float64)) == 1)

    changed = laid(~np.isnan(study.schedule.starts))
    births = [
        segment_sums(events, size, segment, shape[1] + 1)[1]
        for events, size in ((study.events, study.size), (study.other_events, study.other_size))
    ]
    own, other = (laid(~np.isnan(n[:, :-1] + n[:, 1:])) for n in births)
    both = own if study.against.exact else own & other
    apart = laid(study.against.is_reference[:, None])
    return _Barred(
        np.select([~changed, ~own], [NO_CHANGE, NO_BIRTHS], ""),
        np.select([apart, ~changed, ~both], [IS_REFERENCE, NO_CHANGE, NO_BIRTHS], ""),
    )


def _on(scale: str, interval: Interval) -> Interval:
    return interval if scale == "difference" else log_of(interval)


def _laid(scale: str, layout: Layout, side: Effects, confidence: float) -> tuple[Interval, Floats]:
    """Lay out the effects of the sites, or of what they are compared with, and their variances."""
    value = _on(scale, layout.interval(getattr(side, scale)))
    return value, variance_of(value, layout.spread(side.df), confidence)


def _gap(
    scale: str,
    layout: Layout,
    gap: GapEffects,
    sides: list[tuple[Interval, Floats]],
    barred: Texts,
    way: _Way,
) -> GapFound:
    """Pool the gap of each site before, after, and its change."""
    normal = np.full(barred.shape, np.inf)
    ends = [_on(scale, layout.interval(when)) for when in (gap.before, gap.after)]
    before, after = (way.mean(end, variance_of(end, normal, way.confidence), barred) for end in ends)
    variance = sides[0][1] + sides[1][1]
    change = way.pool(_on(scale, layout.interval(gap.change)), variance, barred)
    moved = [way.mean(*side, barred).estimate for side in sides]
    # A target does not move, and has no variance with which to be pooled.
    return GapFound(before, after, change, moved[0], np.nan_to_num(moved[1]))


def _rate_before(study: Study, layout: Layout, own: Effects, segment: Ints) -> Floats:
    """Give the mean rate before over the sites, each by its births before."""
    births = segment_sums(study.events, study.size, segment, own.p.shape[1] + 1)[1][:, :-1]
    rate, births = (layout.spread(a) for a in (own.before.estimate, births))
    known = np.isfinite(rate) & (births > 0)
    total = np.where(known, births, 0.0).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, rate * births, 0.0).sum(axis=-1) / total)


def _check_totals(study: Study, method: str, level_only: bool) -> None:
    if study.family == "gaussian":
        raise OptionError(f"method={method!r} is for counts, not for means; use method='reml'.")
    if not level_only:
        raise OptionError(
            f"method={method!r} pools the counts before and after, and the evaluation's model has more than "
            "a level (trend, season or ramp); use method='reml', which pools what the model found in each "
            "site."
        )


def _totals(
    study: Study, layout: Layout, segment: Ints, barred: _Barred, *, exact: bool
) -> tuple[Fit, Fit, Fit]:
    """Fit the change of each group; that of group and reference from the sites that have both."""
    own, other = sides_of(study, layout, segment)
    alone = fit_sites(study, own, barred.change, exact=exact)
    if study.against.exact:
        return alone, alone, no_change(alone)
    pair = [fit_sites(study, side, barred.gap, exact=exact) for side in (own, other)]
    return alone, pair[0], pair[1]


def _wedge(study: Study, layout: Layout, segment: Ints, barred: _Barred) -> tuple[Fit, Fit, Fit]:
    own, other, after = sides_by_time(study, layout, segment)
    alone = fit_wedge(study, *own, after)
    if study.against.exact:
        return alone, alone, no_change(alone)
    apart = barred.gap == IS_REFERENCE
    kept = ~np.moveaxis(apart, 1, 2) & ~np.isnan(own[0] + other[0])
    pair = [fit_wedge(study, np.where(kept, x, np.nan), n, after) for x, n in (own, other)]
    pair = [replace(fit, reason=np.where(apart, IS_REFERENCE, fit.reason)) for fit in pair]
    return alone, pair[0], pair[1]


def _with_fits(
    study: Study, found: Found, fits: tuple[Fit, Fit, Fit], confidence: float, *, normal: bool
) -> Found:
    """Put what the models of counts say in the place of the two stages, on the scale of these models."""
    scale = "odds_ratio" if study.family == "binomial" else "ratio"
    site = found.groups[scale].site
    alone = pooled_of(fits[0], site, confidence, normal=normal)
    groups = {scale: alone}
    if scale == "odds_ratio":
        groups = {"ratio": _as_ratio(alone, found), **groups}
    gap = found.gaps[scale]
    change = pooled_of(difference_of(fits[1], fits[2]), gap.change.site, confidence, normal=normal)
    gaps = {scale: GapFound(gap.before, gap.after, change, fits[1].estimate, fits[2].estimate)}
    return replace(found, groups=groups, gaps=gaps)


def _as_ratio(pooled: Pooled, found: Found) -> Pooled:
    """Turn odds ratios into ratios, at the rate before over all sites."""
    rate = found.rate_before

    def turn(interval: Interval, at: Floats) -> Interval:
        ends = (getattr(interval, e) for e in ("estimate", "lower", "upper"))
        with np.errstate(over="ignore"):
            return Interval(*(end - np.log1p(at * np.expm1(end)) for end in ends))

    return replace(
        pooled,
        effect=turn(pooled.effect, rate),
        prediction=turn(pooled.prediction, rate),
        without=turn(pooled.without, rate[..., None]),
        site=found.groups["ratio"].site,
    )
