"""Changes of means: a regression with correlated neighbours, by restricted maximum likelihood."""

from __future__ import annotations

import numpy as np

from qi_equity.change.design import Design
from qi_equity.change.estimate import Effects, around, t_of, two_sided_p
from qi_equity.data.cells import Floats
from qi_equity.formulas.ar1 import fit_ar1
from qi_equity.formulas.interval import Interval

__all__ = ["mean_effects"]


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
    fit = fit_ar1(values, design.own, included=design.segment >= 0, rho_fixed=rho)
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
        p = two_sided_p(change.estimate / error(of_after - of_before), df[..., None])
    ratio = around(log, log_error, t)
    nothing = np.full(after.shape, np.nan)
    return Effects(
        before=around(before, error(of_before), t),
        after=around(after, error(of_after), t),
        difference=change,
        ratio=Interval(np.exp(ratio.estimate), np.exp(ratio.lower), np.exp(ratio.upper)),
        odds_ratio=Interval(nothing, nothing, nothing),
        p=p,
        dispersion=np.broadcast_to(fit.sigma[..., None], after.shape),
        df=np.broadcast_to(df[..., None], after.shape),
        exact=np.zeros(after.shape, dtype=np.bool_),
    )
