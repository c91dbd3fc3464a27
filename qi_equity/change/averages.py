"""Changes of means: a regression with correlated neighbours, by restricted maximum likelihood."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from qi_equity.change.design import Design
from qi_equity.change.estimate import Effects, around, exponential, t_of, two_sided_p
from qi_equity.data.cells import Floats
from qi_equity.formulas.ar1 import Ar1Fit, fit_ar1
from qi_equity.formulas.interval import Interval

__all__ = ["fit_means", "mean_effects"]


def fit_means(values: Floats, design: Design, *, rho: float | None = None) -> Ar1Fit:
    """Fit the regression of every stratum; the coefficients of changes that it does not have are 0.

    Strata with the same changes are fitted together, one set of changes at a time.
    """
    included = design.segment >= 0
    whole = fit_ar1(values, design.own, included=included, rho_fixed=rho)
    absent = design.absent(included & np.isfinite(values))
    if not absent.any():
        return whole
    blocks = {f.name: getattr(whole, f.name).copy() for f in fields(Ar1Fit)}
    for pattern in np.unique(absent[absent.any(axis=-1)], axis=0):
        there, kept = (absent == pattern).all(axis=-1), ~pattern
        part = fit_ar1(values[there], design.own[there][..., kept], included=included[there], rho_fixed=rho)
        back = np.eye(pattern.size)[:, kept]
        found = {f.name: getattr(part, f.name) for f in fields(Ar1Fit)}
        found |= {"coef": part.coef @ back.T, "covariance": back @ part.covariance @ back.T}
        for name, block in blocks.items():
            block[there] = found[name]
    return Ar1Fit(**blocks)


def mean_effects(
    values: Floats, size: Floats, design: Design, *, confidence: float, rho: float | None = None
) -> Effects:
    r"""Compare the fitted means after each change with those that there would have been without it.

    A linear model with errors of neighbouring periods correlated as :math:`\rho^d` (AR(1)), by restricted
    maximum likelihood, t quantiles with periods less columns; the ratio by the delta method on the log scale.

    Parameters
    ----------
    values, size : ndarray of float, shape (..., T)
        Mean of each period and number of values; NaN where not known.
    design : Design
        Columns of the regression; a shared trend is not for means.
    confidence : float
        Level of confidence, in (0, 1).
    rho : float, optional
        Correlation to be taken as given, within (-1, 1). Default: as the values show it.

    Returns
    -------
    Effects
        ``dispersion`` is the standard deviation of a period. The ratio is NaN where a mean is not above 0.

    References
    ----------
    .. [1] Turner, Forbes, Karahalios, Taljaard, McKenzie. Evaluation of statistical methods used in the
       analysis of interrupted time series studies: a simulation study. BMC Med Res Methodol 2021;21:181.
    """
    fit = fit_means(values, design, rho=rho)
    weight = np.where(
        design.counted & np.isfinite(values)[..., None, :], np.nan_to_num(size)[..., None, :], 0.0
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = weight / weight.sum(axis=-1, keepdims=True)
    of_after, of_before = (
        np.einsum("...kt,...ktp->...kp", share, np.broadcast_to(own, (*share.shape, own.shape[-1])))
        for own in (design.own[..., None, :, :], design.without)
    )
    after, before = (np.einsum("...kp,...p->...k", g, fit.coef) for g in (of_after, of_before))
    df = np.where(fit.df > 0, fit.df, np.nan)
    t = t_of(df, confidence)[..., None]

    def error(gradient: Floats) -> Floats:
        variance = np.einsum("...kp,...pr,...kr->...k", gradient, fit.covariance, gradient)
        return np.asarray(np.sqrt(variance))

    change = around(after - before, error(of_after - of_before), t)
    with np.errstate(divide="ignore", invalid="ignore"):
        positive = (after > 0) & (before > 0)
        log = np.where(positive, np.log(after / before), np.nan)
        log_error = error(of_after / after[..., None] - of_before / before[..., None])
        apart = np.where(positive, log / log_error, change.estimate / error(of_after - of_before))
    nothing = np.full(after.shape, np.nan)
    return Effects(
        before=around(before, error(of_before), t),
        after=around(after, error(of_after), t),
        difference=change,
        ratio=exponential(around(log, log_error, t)),
        odds_ratio=Interval(nothing, nothing, nothing),
        p=two_sided_p(apart, df[..., None]),
        dispersion=np.broadcast_to(fit.sigma[..., None], after.shape),
        df=np.broadcast_to(df[..., None], after.shape),
        exact=np.zeros(after.shape, dtype=np.bool_),
    )
