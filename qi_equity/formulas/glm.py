"""Regression of proportions, rates and means on terms of time, in every stratum at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._glm_input import Family, Regression, regression
from qi_equity.formulas._glm_solver import LINKS, information, inverse, maximise, predictor

__all__ = ["GlmFit", "fit_glm"]


@dataclass(frozen=True, slots=True, eq=False)
class GlmFit:
    """A generalised linear model of each stratum: T periods, P terms.

    Where a stratum could not be fitted, everything but ``used``, ``df`` and ``separated`` is NaN.

    Parameters
    ----------
    coef : numpy.ndarray of float, shape (..., P)
        Coefficients on the scale of the link (log odds, log rate, mean).
    covariance : numpy.ndarray of float, shape (..., P, P)
        Their covariance for a dispersion of 1: multiply it by ``dispersion``, or by another.
    fitted : numpy.ndarray of float, shape (..., T)
        Fitted proportion, rate or mean of each period whose design is known, used or not.
    used : numpy.ndarray of bool, shape (..., T)
        Periods in the fit: included, events known, size known and above 0.
    pearson, deviance : numpy.ndarray of float, shape (...)
        Sum of squared Pearson residuals; deviance.
    log_likelihood : numpy.ndarray of float, shape (...)
        With all constants; for means, at the variance of highest likelihood.
    df : numpy.ndarray of float, shape (...)
        Periods used less the number of terms; not above 0 where nothing is left to judge dispersion by.
    separated : numpy.ndarray of bool, shape (...)
        Whether the likelihood has no maximum, as in a phase without any event or with nothing but events.

    Examples
    --------
    >>> after = [[1, 0], [1, 0], [1, 1], [1, 1]]
    >>> fit = fit_glm([12, 8, 6, 4], 100, after)
    >>> fit.fitted.round(3).tolist()
    [0.1, 0.1, 0.05, 0.05]
    """

    coef: FloatArray
    covariance: FloatArray
    fitted: FloatArray
    used: BoolArray
    pearson: FloatArray
    deviance: FloatArray
    log_likelihood: FloatArray
    df: FloatArray
    separated: BoolArray

    @property
    def dispersion(self) -> FloatArray:
        """Pearson's estimate of the dispersion: squared residuals by degrees of freedom.

        Returns
        -------
        numpy.ndarray of float, shape (...)
            About 1 where the spread is that of chance alone (for means: the variance itself), not floored at
            1; NaN without degrees of freedom.

        Examples
        --------
        >>> fit = fit_glm([12, 8, 6, 4], 100, [[1, 0], [1, 0], [1, 1], [1, 1]])
        >>> round(float(fit.dispersion), 3)
        0.655
        """
        spare = np.where(self.df > 0, self.df, np.nan)
        return np.asarray(self.pearson / spare)

    @property
    def aic(self) -> FloatArray:
        """Akaike's information criterion, to compare models of one kind for the same periods.

        Returns
        -------
        numpy.ndarray of float, shape (...)
            Twice the number of coefficients less twice the log-likelihood; smaller is better. R adds 2 for
            the variance of means, which is the same in all models of them.

        Examples
        --------
        >>> fit = fit_glm([12, 8, 6, 4], 100, [[1, 0], [1, 0], [1, 1], [1, 1]])
        >>> round(float(fit.aic), 2)
        20.2
        """
        return np.asarray(2 * self.coef.shape[-1] - 2 * self.log_likelihood)


def fit_glm(
    events: ArrayLike,
    size: ArrayLike | None,
    design: ArrayLike,
    *,
    family: Family = "binomial",
    included: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> GlmFit:
    r"""Fit a generalised linear model with canonical link to each stratum by maximum likelihood.

    With terms :math:`z_t` of the design, events :math:`x_t` and size :math:`n_t`:

    .. math::
        x_t \sim \mathrm{Binomial}(n_t, \pi_t), \quad \log \frac{\pi_t}{1 - \pi_t} = z_t' \beta; \qquad
        x_t \sim \mathrm{Poisson}(n_t \lambda_t), \quad \log \lambda_t = z_t' \beta; \qquad
        x_t \sim \mathrm{N}(z_t' \beta, \sigma^2 / n_t)

    Newton's method, which for canonical links is iteratively reweighted least squares [1]_, with halved steps
    where the likelihood would fall. Whether the likelihood has a maximum is decided by its directions of
    recession [2]_ [3]_, not by the size of what comes out.

    Parameters
    ----------
    events : array_like, shape (..., T)
        Events of each period; values where the family is gaussian; NaN where not known.
    size : array_like, shape (..., T), or None
        Births or exposure; NaN where not known. None, for means only: every period counts the same.
    design : array_like, shape (T, P) or (..., T, P)
        Terms of each period, the constant among them; a period whose terms are NaN is left out.
    family : {'binomial', 'poisson', 'gaussian'}
        Events out of births (logit), events in an exposure (log), or means (identity).
    included : array_like of bool, shape (..., T), optional
        False where a period shall not be used, such as a phase-in.
    weights : array_like, shape (..., T), optional
        What the likelihood of each period counts for, such as 1/dispersion; above 0, or NaN to leave it out.

    Returns
    -------
    GlmFit
        NaN for a stratum without periods, whose terms cannot be told apart in the periods used, or whose
        likelihood has no maximum.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``included`` no booleans.
    OptionError
        If shapes do not fit together, a count is negative, infinite or above its births, or the family is
        not known.

    References
    ----------
    .. [1] McCullagh, Nelder. Generalized Linear Models. 2nd ed. Chapman and Hall, 1989; chapters 2, 4, 6.
    .. [2] Albert, Anderson. On the existence of maximum likelihood estimates in logistic regression models.
       Biometrika 1984;71:1-10.
    .. [3] Santos Silva, Tenreyro. On the existence of the maximum likelihood estimates in Poisson regression.
       Economics Letters 2010;107:310-312.

    Examples
    --------
    A rate that halves at the third of four months, and a stratum without events after it:

    >>> after = [[1, 0], [1, 0], [1, 1], [1, 1]]
    >>> fit = fit_glm([[12, 8, 6, 4], [3, 2, 0, 0]], [[100], [40]], after, family="poisson")
    >>> np.exp(fit.coef[:, 1]).round(3).tolist(), fit.separated.tolist()
    ([0.5, nan], [False, True])
    """
    data = regression(events, size, design, family, included, weights)
    coef, separated = maximise(data, family)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = LINKS[family].inverse(predictor(data.design, coef))
        spread = LINKS[family].variance(mean)
        known = np.nan_to_num(data.weight * data.size * spread)
        covariance = inverse(information(data.design, known))
    lead, (periods, terms) = data.shape, data.design.shape[-2:]
    return GlmFit(
        coef=coef.reshape(*lead, terms),
        covariance=covariance.reshape(*lead, terms, terms),
        fitted=np.where(data.drawn, mean, np.nan).reshape(*lead, periods),
        used=data.used.reshape(*lead, periods),
        pearson=_pearson(data, mean, spread).reshape(lead),
        deviance=_deviance(data, mean, family).reshape(lead),
        log_likelihood=_log_likelihood(data, mean, family).reshape(lead),
        df=(data.used.sum(axis=-1) - float(terms)).reshape(lead),
        separated=separated.reshape(lead),
    )


def _summed(data: Regression, terms: FloatArray) -> FloatArray:
    """Sum over the periods used; NaN where there is none."""
    total = np.where(data.used, data.weight * terms, 0.0).sum(axis=-1)
    return np.where(data.used.any(axis=-1), total, np.nan)


def _pearson(data: Regression, mean: FloatArray, spread: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return _summed(data, (data.total - data.size * mean) ** 2 / (data.size * spread))


def _deviance(data: Regression, mean: FloatArray, family: Family) -> FloatArray:
    x, n = data.total, data.size
    with np.errstate(divide="ignore", invalid="ignore"):
        if family == "gaussian":
            return _summed(data, n * (x / n - mean) ** 2)
        near = np.asarray(special.xlogy(x, x / (n * mean)), dtype=np.float64)
        if family == "binomial":
            return 2 * _summed(data, near + special.xlogy(n - x, (n - x) / (n * (1 - mean))))
        return 2 * _summed(data, near - (x - n * mean))


def _log_likelihood(data: Regression, mean: FloatArray, family: Family) -> FloatArray:
    x, n = data.total, data.size
    with np.errstate(divide="ignore", invalid="ignore"):
        if family == "gaussian":
            periods = data.used.sum(axis=-1)
            variance = _deviance(data, mean, family) / periods
            precision = np.where(data.used, np.log(data.weight * n), 0.0).sum(axis=-1)
            return np.asarray((precision - periods * (np.log(2 * np.pi * variance) + 1)) / 2)
        if family == "binomial":
            ways = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
            return _summed(data, ways + special.xlogy(x, mean) + special.xlogy(n - x, 1 - mean))
        return _summed(data, special.xlogy(x, n * mean) - n * mean - special.gammaln(x + 1))
