"""One stage: the counts of all sites in one model, whose change may vary over sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from qi_equity.change.estimate import t_of
from qi_equity.change.level import Family, level_dispersion, segment_sums
from qi_equity.change.pooling.layout import Layout, Pooled, Texts
from qi_equity.change.study import REVERSED, Study
from qi_equity.data.cells import Floats, Ints
from qi_equity.errors import OptionError
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.mixed_sites import PooledChange, conditional_sites, mixed_sites

__all__ = ["Fit", "Side", "difference_of", "family_of", "fit_sites", "no_change", "pooled_of", "sides_of"]

NO_EVENT = "no event in it (or nothing but events): it says nothing of a change"


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Counts of groups, or of what they are compared with: (G, K, L, 2), before and after each change."""

    events: Floats
    births: Floats
    dispersion: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A pooled change, or difference of two, as a logarithm: (G, K), of sites (G, K, L)."""

    estimate: Floats
    se: Floats
    df: Floats
    tau2: Floats
    p_same: Floats
    sites: Ints
    weight: Floats
    reason: Texts
    without: Floats
    without_se: Floats


def sides_of(study: Study, layout: Layout, segment: Ints) -> tuple[Side, Side]:
    """Sum the counts before and after each change, of groups and of what they are compared with."""
    pairs = ((study.events, study.size), (study.other_events, study.other_size))
    return tuple(_side(study, layout, segment, *pair) for pair in pairs)  # type: ignore[return-value]


def family_of(study: Study) -> Family:
    """Tell the distribution of the counts."""
    return "binomial" if study.family == "binomial" else "poisson"


def _side(study: Study, layout: Layout, segment: Ints, events: Floats, size: Floats) -> Side:
    changes = study.schedule.starts.shape[1]
    x, n = segment_sums(events, size, segment, changes + 1)
    dispersion, _ = level_dispersion(events, size, segment, x, n, family_of(study))
    laid = [layout.spread(a) for a in (x, n)]
    pairs = [np.stack([a[:, :-1], a[:, 1:]], axis=-1) for a in laid]
    phi = layout.spread(np.broadcast_to(dispersion[:, None], (len(x), changes)))
    return Side(pairs[0], pairs[1], phi)


def fit_sites(study: Study, side: Side, barred: Texts, *, exact: bool) -> Fit:
    """Pool one side; ``barred`` says of each site why it must not take part, nothing where it may.

    Counts are divided by the dispersion of their stratum, if it is above 1, except in the exact model, which
    takes counts as they are.
    """
    family = family_of(study)
    inside = barred == ""
    x, n = (np.where(inside[..., None], a, np.nan) for a in (side.events, side.births))
    if exact:
        _check_whole(x)
    else:
        x, n = (a / side.dispersion[..., None] for a in (x, n))
    pool = conditional_sites if exact else mixed_sites
    everyone = pool(x, n, family=family)
    sites = inside.shape[-1]
    stays = ~np.eye(sites, dtype=np.bool_).reshape(sites, 1, 1, sites)
    others = pool(x, n, family=family, included=stays & np.ones(inside.shape, dtype=np.bool_))
    way = -1.0 if study.way == REVERSED else 1.0
    reason = np.where(inside, NO_EVENT, barred)
    return _fit(everyone, others, way, np.where(everyone.used, "", reason))


def _fit(everyone: PooledChange, others: PooledChange, way: float, reason: Texts) -> Fit:
    count = everyone.used.sum(axis=-1)
    left = np.where(everyone.used, np.moveaxis(others.estimate, 0, -1), np.nan)
    rise = np.maximum(everyone.log_likelihood - everyone.log_likelihood_fixed, 0.0)
    return Fit(
        estimate=way * everyone.estimate,
        se=everyone.se,
        df=np.where(count > 1, count - 1.0, np.inf),
        tau2=everyone.tau**2,
        # At the edge of what is possible the ratio is 0 half of the time (Self and Liang).
        p_same=np.where(count > 1, np.where(rise > 1e-9, special.chdtrc(1, 2 * rise) / 2, 1.0), np.nan),
        sites=count,
        weight=np.where(everyone.used, everyone.weights, 0.0),
        reason=reason,
        without=way * left,
        without_se=np.where(everyone.used, np.moveaxis(others.se, 0, -1), np.nan),
    )


def _check_whole(counts: Floats) -> None:
    broken = counts[np.nan_to_num(counts) % 1 != 0]
    if broken.size:
        raise OptionError(
            f"method='exact' needs whole counts, and the series holds {float(broken[0])!r} events; use "
            "method='one-stage'."
        )


def no_change(like: Fit) -> Fit:
    """Give the change of a target, which does not move and has no sampling error."""
    zero, none = np.zeros(like.estimate.shape), np.zeros(like.without.shape)
    return Fit(
        zero, zero, np.full(zero.shape, np.inf), zero, zero, like.sites, like.weight, like.reason, none, none
    )


def difference_of(own: Fit, other: Fit) -> Fit:
    """Give how a gap changed: the difference of two fits of other births, whose variances add up.

    That the changes of a group and of its reference may go together over sites is not used: the variance
    between sites is, if anything, too large.
    """
    return Fit(
        estimate=own.estimate - other.estimate,
        se=np.hypot(own.se, other.se),
        df=np.minimum(own.df, other.df),
        tau2=own.tau2 + other.tau2,
        p_same=np.full(own.estimate.shape, np.nan),
        sites=np.minimum(own.sites, other.sites),
        weight=own.weight,
        reason=own.reason,
        without=own.without - other.without,
        without_se=np.hypot(own.without_se, other.without_se),
    )


def pooled_of(fit: Fit, site: Interval, confidence: float, *, normal: bool) -> Pooled:
    """Make the intervals: t with one degree of freedom fewer than sites, or normal."""
    df = np.full(fit.df.shape, np.inf) if normal else fit.df
    t = t_of(df, confidence)
    # Of sites that are left out, the one that stays has one degree of freedom less.
    fewer = t_of(np.where(np.isfinite(df) & (df > 1), df - 1, np.inf), confidence)[..., None]
    none = np.full(fit.estimate.shape, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = -np.abs(fit.estimate / fit.se)
        reach = np.where(fit.sites > 1, t * np.sqrt(fit.tau2 + fit.se**2), np.nan)
        p = 2 * np.where(np.isinf(df), special.ndtr(statistic), special.stdtr(np.minimum(df, 1e9), statistic))
    return Pooled(
        effect=_around(fit.estimate, t * fit.se),
        prediction=_around(fit.estimate, reach),
        p=p,
        tau2=np.where(fit.sites > 1, fit.tau2, np.nan),
        tau2_lower=none,
        tau2_upper=none,
        i2=none,
        q_p=fit.p_same,
        sites=fit.sites,
        site=site,
        without=_around(fit.without, fewer * fit.without_se),
        weight=fit.weight,
        reason=fit.reason,
    )


def _around(estimate: Floats, half: Floats) -> Interval:
    return Interval(estimate, estimate - half, estimate + half)
