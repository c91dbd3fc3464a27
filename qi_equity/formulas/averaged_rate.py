"""The rate that a regression fits, averaged over periods, as a change is told from a model with a trend."""

from __future__ import annotations

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas.level_change import Family

__all__ = ["averaged_rate"]

# A trend that leads to a rate of e^300 leads to nothing that could be a rate.
_TOO_STEEP = 300.0


def averaged_rate(eta: FloatArray, share: FloatArray, family: Family) -> tuple[FloatArray, FloatArray]:
    r"""Average fitted rates over shares of births, with what each linear predictor moves the average by.

    .. math:: \bar\mu = \sum_t s_t \mu(\eta_t), \qquad \frac{\partial \bar\mu}{\partial \eta_t} =
              s_t \mu'(\eta_t)

    with :math:`\mu` the inverse of the logit for proportions and the exponential for rates.

    Parameters
    ----------
    eta : ndarray of float, shape (..., T)
        Linear predictor of each period.
    share : ndarray of float, shape (..., T)
        Share of each period, >= 0; NaN where there is nothing to average over.
    family : {"binomial", "poisson"}
        Whether events are out of births, or over an exposure.

    Returns
    -------
    rate : ndarray of float, shape (...)
        Average; NaN without shares, or where a rate of more than e^300 would be in it.
    gradient : ndarray of float, shape (..., T)
        Its slopes.

    References
    ----------
    .. [1] Greenland. Model-based estimation of relative risks and other epidemiologic measures in studies of
       common outcomes and in case-control studies. Am J Epidemiol 2004;160:301-5 (averaging over those seen).

    Examples
    --------
    >>> rate, gradient = averaged_rate(np.log([0.1, 0.2]), np.array([0.25, 0.75]), "poisson")
    >>> float(rate.round(3)), gradient.round(3).tolist()
    (0.175, [0.025, 0.15])
    """
    eta = np.where(share > 0, eta, 0.0)
    known = np.isfinite(share).all(axis=-1) & ~(eta > _TOO_STEEP).any(axis=-1)
    eta = np.minimum(eta, _TOO_STEEP)
    mean = special.expit(eta) if family == "binomial" else np.exp(eta)
    slope = mean * (1 - mean) if family == "binomial" else mean
    gradient = np.where(share > 0, share * slope, 0.0)
    rate = np.where(share > 0, share * mean, 0.0).sum(axis=-1)
    return np.where(known, rate, np.nan), gradient
