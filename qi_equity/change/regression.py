"""Models with a trend, a season or a ramp: regressions averaged over the births after a change."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from qi_equity.change.design import Design
from qi_equity.change.estimate import Effects, around, exponential, t_of, two_sided_p
from qi_equity.change.level import Family, used_periods
from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.averaged_rate import averaged_rate
from qi_equity.formulas.glm import fit_glm
from qi_equity.formulas.glm_shared import fit_glm_shared
from qi_equity.formulas.interval import Interval

__all__ = ["Fitted", "fit_design", "regression_effects"]

# Weight in a shared trend of strata that are there to be compared with: those counted already in another.
_NEXT_TO_NONE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Coefficients of every stratum, with what the variance of any function of them needs.

    Parameters
    ----------
    coef : ndarray of float, shape (..., p)
        Own coefficients.
    covariance : ndarray of float, shape (..., p, p)
        Their covariance given the shared ones, dispersion included.
    shared : ndarray of float, shape (..., q)
        Shared coefficients; the axis of the strata has length 1.
    shared_covariance : ndarray of float, shape (..., q, q)
        Their covariance.
    link : ndarray of float, shape (..., p, q)
        How far the own coefficients move against the shared ones.
    dispersion, df : ndarray of float, shape (...)
        Dispersion, floored at 1, and degrees of freedom.
    """

    coef: Floats
    covariance: Floats
    shared: Floats
    shared_covariance: Floats
    link: Floats
    dispersion: Floats
    df: Floats

    def predictor(self, own: Floats, shared: Floats) -> Floats:
        """Give the linear predictor of periods with columns (..., [K,] T, p) and (..., T, q)."""
        extra = own.ndim - self.coef.ndim - 1
        coef = self.coef.reshape(*self.coef.shape[:-1], *([1] * extra), -1, 1)
        common = (shared @ self.shared[..., None])[..., 0]
        common = common.reshape(*common.shape[:-1], *([1] * extra), common.shape[-1])
        return np.asarray((own @ coef)[..., 0] + common)

    def variance(self, own: Floats, shared: Floats) -> Floats:
        """Give the variances of K linear functions with gradients (..., K, p) and (..., K, q)."""
        inner = np.einsum("...kp,...pr,...kr->...k", own, self.covariance, own)
        loading = shared - np.einsum("...kp,...pq->...kq", own, self.link)
        return np.asarray(
            inner + np.einsum("...kq,...qr,...kr->...k", loading, self.shared_covariance, loading)
        )


def fit_design(
    events: Floats, size: Floats, design: Design, *, family: Family, counted_once: Bools | None = None
) -> Fitted:
    """Fit the regression of every stratum; the strata are the axis before time.

    ``counted_once`` marks the strata that set the shared trend: the others take it as it is found.
    """
    events, size, design, included = _with_absent(events, size, design, family)
    plain = fit_glm(events, size, _with_shared(design), family=family, included=included)
    dispersion, df = np.maximum(1, plain.dispersion), np.where(plain.df > 0, plain.df, np.nan)
    if not design.shared.shape[-1]:
        nothing = design.own.shape[-1]
        lead = plain.coef.shape[:-1]
        return Fitted(
            plain.coef,
            plain.covariance * dispersion[..., None, None],
            np.zeros((*lead, 0)),
            np.zeros((*lead, 0, 0)),
            np.zeros((*lead, nothing, 0)),
            dispersion,
            df,
        )
    weight = 1 / np.nan_to_num(dispersion, nan=1.0)
    scale = 1.0 if counted_once is None else np.where(counted_once, 1.0, _NEXT_TO_NONE)
    fit = fit_glm_shared(
        events, size, design.own, design.shared, family=family, included=included, weights=weight * scale
    )
    own = fit.own_covariance * np.broadcast_to(scale, weight.shape)[..., None, None]
    of_strata = fit.shared_coef[..., None, :], fit.shared_covariance[..., None, :, :]
    return Fitted(fit.own_coef, own, *of_strata, fit.link, dispersion, df)


def _with_absent(
    events: Floats, size: Floats, design: Design, family: Family
) -> tuple[Floats, Floats, Design, Bools]:
    """Add a row for each column of a change that a stratum does not have, which holds its coefficient at 0.

    The row is fitted without error and is one period for one column: dispersion and degrees of freedom are
    those of the model without the column. Gives events, size, design and which rows are in the fit.
    """
    included = design.segment >= 0
    absent = design.absent(used_periods(events, size) & included)
    if not absent.any():
        return events, size, design, included
    none = np.zeros(absent.shape)
    alone = np.broadcast_to(np.eye(absent.shape[-1]), (*absent.shape, absent.shape[-1]))
    longer = replace(
        design,
        own=np.concatenate([design.own, alone], axis=-2),
        shared=np.concatenate([design.shared, np.zeros((*absent.shape, design.shared.shape[-1]))], axis=-2),
    )
    half = 0.5 if family == "binomial" else 1.0
    return (
        np.concatenate([events, none + half], axis=-1),
        np.concatenate([size, none + 1], axis=-1),
        longer,
        np.concatenate([included, absent], axis=-1),
    )


def _with_shared(design: Design) -> Floats:
    """Give all columns as each stratum's own: the dispersion is that about its own trend."""
    return np.concatenate([design.own, design.shared], axis=-1)


def regression_effects(
    events: Floats,
    size: Floats,
    design: Design,
    *,
    family: Family,
    confidence: float,
    counted_once: Bools | None = None,
) -> Effects:
    r"""Compare the fitted rates after each change with those that there would have been without it.

    Both are averaged over the births after the change:

    .. math:: p_1 = \frac{\sum_t n_t \hat\mu_t}{\sum_t n_t}, \qquad
              p_0 = \frac{\sum_t n_t \hat\mu_t^{(-k)}}{\sum_t n_t}

    with :math:`\hat\mu^{(-k)}` the fit without the step (and bend) of the k-th change; the intervals are by
    the delta method, with dispersion floored at 1 and t quantiles. The odds ratio is the average step on the
    log-odds scale.

    Parameters
    ----------
    events, size : ndarray of float, shape (..., S, T)
        Adverse events, and births or exposure; NaN where not known.
    design : Design
        Columns of the regression.
    family : {"binomial", "poisson"}
        Whether events are out of births, or over an exposure.
    confidence : float
        Level of confidence, in (0, 1).
    counted_once : ndarray of bool, shape (S,), optional
        Strata that set a shared trend.

    Returns
    -------
    Effects
        NaN where the regression of a stratum has no solution.

    References
    ----------
    .. [1] Wagner, Soumerai, Zhang, Ross-Degnan. Segmented regression analysis of interrupted time series
       studies in medication use research. J Clin Pharm Ther 2002;27:299-309.
    .. [2] Greenland. Model-based estimation of relative risks and other epidemiologic measures in studies of
       common outcomes and in case-control studies. Am J Epidemiol 2004;160:301-5 (averaging over those seen).
    """
    fit = fit_design(events, size, design, family=family, counted_once=counted_once)
    births = np.where(design.counted & np.isfinite(events + size)[..., None, :], size[..., None, :], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = births / births.sum(axis=-1, keepdims=True)
    own, shared = design.own[..., None, :, :], design.shared
    after, d_after = _average(fit, own, shared, share, family)
    before, d_before = _average(fit, design.without, shared, share, family)
    t = t_of(fit.df, confidence)[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = tuple(
            a / after[..., None] - b / before[..., None] for a, b in zip(d_after, d_before, strict=True)
        )
        log_ratio, error = np.log(after / before), np.sqrt(fit.variance(*logs))
    change = tuple(a - b for a, b in zip(d_after, d_before, strict=True))
    dispersion, df = (np.broadcast_to(a[..., None], after.shape) for a in (fit.dispersion, fit.df))
    return Effects(
        before=_rate(before, np.sqrt(fit.variance(*d_before)), t, family),
        after=_rate(after, np.sqrt(fit.variance(*d_after)), t, family),
        difference=around(after - before, np.sqrt(fit.variance(*change)), t),
        ratio=exponential(around(log_ratio, error, t)),
        odds_ratio=_odds_ratio(fit, design, share, t, family),
        p=two_sided_p(log_ratio / error, df),
        dispersion=dispersion,
        df=df,
        exact=np.zeros(after.shape, dtype=np.bool_),
    )


def _average(
    fit: Fitted, own: Floats, shared: Floats, share: Floats, family: Family
) -> tuple[Floats, tuple[Floats, Floats]]:
    """Give the average rate over shares (..., K, T) and its gradients in own and shared coefficients."""
    rate, weight = averaged_rate(fit.predictor(own, shared), share, family)
    columns = np.broadcast_to(own, (*weight.shape, own.shape[-1]))
    gradient = np.einsum("...kt,...ktp->...kp", weight, columns)
    of_shared = np.einsum("...kt,...tq->...kq", weight, shared)
    return rate, (gradient, of_shared)


def _rate(rate: Floats, error: Floats, t: Floats, family: Family) -> Interval:
    """Give the interval of a rate, made on the scale of the link."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if family == "poisson":
            return exponential(around(np.log(rate), error / rate, t))
        logit = around(special.logit(rate), error / (rate * (1 - rate)), t)
    return Interval(rate, special.expit(logit.lower), special.expit(logit.upper))


def _odds_ratio(fit: Fitted, design: Design, share: Floats, t: Floats, family: Family) -> Interval:
    step = np.einsum(
        "...kt,...ktp->...kp", np.nan_to_num(share), design.own[..., None, :, :] - design.without
    )
    log = np.einsum("...kp,...p->...k", step, fit.coef)
    error = np.sqrt(fit.variance(step, np.zeros((*step.shape[:-1], design.shared.shape[-1]))))
    known = np.isfinite(share).all(axis=-1) & (family == "binomial")
    return exponential(around(np.where(known, log, np.nan), error, t))
