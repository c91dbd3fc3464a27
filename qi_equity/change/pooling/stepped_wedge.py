"""Stepped wedge: sites that start at different times are compared with those that have not started yet."""

from __future__ import annotations

import numpy as np

from qi_equity.change.level import Family
from qi_equity.change.pooling.layout import Layout, Texts
from qi_equity.change.pooling.one_stage import NO_EVENT, Fit, family_of
from qi_equity.change.pooling.two_stage import NO_BIRTHS
from qi_equity.change.study import REVERSED, Study
from qi_equity.data.cells import Bools, Floats, Ints
from qi_equity.errors import OptionError
from qi_equity.formulas.glm_shared import SharedFit, fit_glm_shared

__all__ = ["check_staggered", "fit_wedge", "period_effects", "sides_by_time", "without_change"]

# Periods are taken together until they hold this many events, and births without one, over all sites.
ENOUGH = 5


def check_staggered(study: Study, layout: Layout) -> None:
    """Check that the starts tell time and change apart.

    Raises
    ------
    OptionError
        If there is more than one change, the measure is a mean, or all sites start at the same time.
    """
    starts = study.schedule.starts
    if starts.shape[1] > 1:
        raise OptionError(
            f"method='stepped-wedge' is for one change that sites start at different times; at= names "
            f"{starts.shape[1]} changes. Evaluate one of them."
        )
    if study.family == "gaussian":
        raise OptionError("method='stepped-wedge' is for counts, not for means; use method='reml'.")
    first = np.nan_to_num(layout.spread(starts)[:, 0], nan=-1.0)
    if all(len(np.unique(row[sites >= 0])) < 2 for row, sites in zip(first, layout.row, strict=True)):
        raise OptionError(
            "method='stepped-wedge' needs sites that start at different times, and all start together: time "
            "and change cannot be told apart. Give at= a frame with site and start, or use method='reml'."
        )


def sides_by_time(
    study: Study, layout: Layout, segment: Ints
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats], Floats]:
    """Lay out events and births of groups and of their references, and who has started: (G, L, T)."""
    used = segment >= 0
    sides = (study.events, study.size, study.other_events, study.other_size)
    laid = [np.moveaxis(layout.spread(np.where(used, a, np.nan)), -1, 1) for a in sides]
    after = np.moveaxis(layout.spread((segment > 0).astype(np.float64)), -1, 1)
    return (laid[0], laid[1]), (laid[2], laid[3]), np.nan_to_num(after)


def fit_wedge(study: Study, events: Floats, births: Floats, after: Floats) -> Fit:
    r"""Fit the step of each group with an effect of each site and of each period.

    .. math:: g(\mu_{st}) = \alpha_s + \gamma_t + \beta A_{st}

    for each group; :math:`A_{st}` is 1 from the start of site s on, the effects of periods are shared by the
    sites of the group. Dispersion is each site's own, floored at 1. t has one degree of freedom fewer than
    sites.

    Parameters
    ----------
    study : Study
        The evaluation.
    events, births, after : ndarray of float, shape (G, L, T)
        Counts of each site and period, and who has started.

    Returns
    -------
    Fit
        Of shape (G, 1); NaN where time and change cannot be told apart from these counts.

    References
    ----------
    .. [1] Hussey, Hughes. Design and analysis of stepped wedge cluster randomized trials. Contemp Clin Trials
       2007;28:182-191.
    """
    family = family_of(study)
    sites = events.shape[1]
    left = np.eye(sites, dtype=np.bool_)[:, None, :, None]
    every = np.concatenate([events[None], np.where(left, np.nan, events[None])])
    step, se, used = _fits(every, births, after, family)
    count = used[0].sum(axis=-1)
    known = ((births > 0) & ~np.isnan(events)).any(axis=-1)
    reason: Texts = np.select([used[0], ~known], ["", NO_BIRTHS], NO_EVENT)
    way = -1.0 if study.way == REVERSED else 1.0
    none = np.full(count.shape, np.nan)
    without = [np.where(used[0], np.moveaxis(a[1:], 0, -1), np.nan) for a in (way * step, se)]
    whole = [a[:, None] for a in (way * step[0], se[0], np.where(count > 1, count - 1.0, np.nan), none)]
    return Fit(
        whole[0],
        whole[1],
        whole[2],
        whole[3],
        whole[3],
        np.where(np.isnan(step[0]), 0, count)[:, None],
        np.full(used[0].shape, np.nan)[:, None],
        reason[:, None],
        without[0][:, None],
        without[1][:, None],
    )


def without_change(events: Floats, births: Floats, block: Ints, family: Family) -> tuple[Floats, Floats]:
    """Fit effects of sites and periods only: rates (G, L, T) and the dispersion of each site (G, L)."""
    mean, dispersion = np.full(events.shape, np.nan), np.full(events.shape[:-1], np.nan)
    own = np.ones((events.shape[-1], 1))
    number = block.max(axis=-1)
    for size in np.unique(number):
        here = number == size
        shared = _dummies(block[here], int(size), events[here].shape)
        first = fit_glm_shared(events[here], births[here], own, shared, family=family)
        dispersion[here] = _dispersion(first)
        weights = 1 / dispersion[here]
        fit = fit_glm_shared(events[here], births[here], own, shared, family=family, weights=weights)
        mean[here] = fit.fitted
    return mean, dispersion


def _fits(events: Floats, births: Floats, after: Floats, family: Family) -> tuple[Floats, Floats, Bools]:
    """Fit sets of shape (R, G, L, T): step and standard error (R, G), sites used (R, G, L).

    Groups with as many period effects as each other are fitted together.
    """
    effects = [period_effects(e, births, family) for e in events]
    blocks = np.stack(effects)
    number = blocks.max(axis=-1)
    step, se = np.full(number.shape, np.nan), np.full(number.shape, np.nan)
    used = np.zeros(events.shape[:-1], dtype=np.bool_)
    for size in np.unique(number):
        here = number == size
        sets = [np.broadcast_to(a, events.shape)[here] for a in (births, after)]
        dummies = _dummies(blocks[here], int(size), sets[1].shape)
        shared = np.concatenate([dummies, sets[1][..., None]], axis=-1)
        step[here], se[here], used[here] = _fit_sets(events[here], sets[0], shared, family)
    return step, se, used


def _fit_sets(events: Floats, births: Floats, shared: Floats, family: Family) -> tuple[Floats, Floats, Bools]:
    """Fit twice: for the dispersion of each site, and with it as weight."""
    own = np.ones((events.shape[-1], 1))
    first = fit_glm_shared(events, births, own, shared, family=family)
    fit = fit_glm_shared(events, births, own, shared, family=family, weights=1 / _dispersion(first))
    return fit.shared_coef[:, -1], np.sqrt(fit.shared_covariance[:, -1, -1]), ~np.isnan(fit.own_coef[..., 0])


def _dummies(block: Ints, size: int, shape: tuple[int, ...]) -> Floats:
    """Give a column for each period effect but the first, (N, L, T, size)."""
    columns = block[:, None, :, None] == np.arange(1, size + 1)
    return np.broadcast_to(columns, (*shape, size)).astype(np.float64)


def _dispersion(fit: SharedFit) -> Floats:
    """Give the dispersion of each site, floored at 1; NaN where it was not fitted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.maximum(1.0, np.where(fit.df > 0, fit.pearson / fit.df, 1.0))
    return np.where(np.isnan(fit.own_coef[..., 0]), np.nan, found)


def period_effects(events: Floats, births: Floats, family: Family) -> Ints:
    """Give the number of the period effect of each period, by group, shape (G, T), from 0.

    A period whose sites hold together fewer than five events (or births without one) has no effect of its
    own: it is taken together with those after it, the last with those before.
    """
    known = ~np.isnan(events) & (births > 0)
    x = np.where(known, events, 0.0).sum(axis=1)
    scarce = np.minimum(x, np.where(known, births, 0.0).sum(axis=1) - x) if family == "binomial" else x
    block = np.zeros(x.shape, dtype=np.int64)
    held, current = np.zeros(len(x)), np.zeros(len(x), dtype=np.int64)
    for t in range(x.shape[1]):
        full = held >= ENOUGH
        current, held = current + full, np.where(full, 0.0, held) + scarce[:, t]
        block[:, t] = current
    last = np.where(held >= ENOUGH, current, np.maximum(current - 1, 0))
    return np.asarray(np.minimum(block, last[:, None]))
