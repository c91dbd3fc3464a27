"""Partial pooling of rates by empirical Bayes: beta-binomial and gamma-Poisson, by maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats
from qi_equity.formulas._compound import BETA_BINOMIAL, GAMMA_POISSON, Compound, mean_given

__all__ = ["Shrunken", "beta_binomial_shrinkage", "gamma_poisson_shrinkage"]

# Weight of the prior in a unit of typical size, at which the likelihood is looked at. Beyond the last the
# units differ by less than a hundredth of a standard error: they are taken as one.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_MOST = 0.9999
_GOLDEN = (np.sqrt(5) - 1) / 2
_STEPS = 36

Quantile = Callable[[FloatArray, FloatArray, float], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Shrunken:
    """Rates drawn towards the mean of their own set.

    Parameters
    ----------
    estimate, lower, upper : numpy.ndarray of float, shape (..., U)
        Shrunken rates and their intervals.
    weight : numpy.ndarray of float, shape (..., U)
        Weight of the unit's own rate, in [0, 1]; the rest is that of the mean.
    mean, prior_size : numpy.ndarray of float, shape (...)
        Mean of the rates, and how many births (how much exposure) it counts for; infinite where the rates
        are pooled completely.
    complete : numpy.ndarray of bool, shape (...)
        Whether the likelihood is highest without any variation between units: every estimate is the mean.

    Examples
    --------
    >>> found = beta_binomial_shrinkage([2, 30, 12], [100, 300, 100])
    >>> bool(found.complete), (0.02 < found.estimate[0] < found.mean).tolist()
    (False, True)
    """

    estimate: FloatArray
    lower: FloatArray
    upper: FloatArray
    weight: FloatArray
    mean: FloatArray
    prior_size: FloatArray
    complete: BoolArray


def beta_binomial_shrinkage(events: ArrayLike, births: ArrayLike, *, confidence: float = 0.95) -> Shrunken:
    r"""Shrink proportions towards the mean of their set, as far as chance explains their differences.

    .. math::
        x_i \mid p_i \sim \mathrm{Binomial}(n_i, p_i), \qquad p_i \sim \mathrm{Beta}(\mu M, (1 - \mu) M)

    :math:`\mu` and :math:`M` have the highest marginal likelihood; the estimate is the posterior mean,

    .. math:: \tilde p_i = \frac{n_i}{n_i + M} \frac{x_i}{n_i} + \frac{M}{n_i + M} \mu

    The interval does not take :math:`\mu` and :math:`M` as known, which would be too narrow with few units:
    posterior mean and variance are averaged over what the data leave open. :math:`M` is averaged over its
    marginal likelihood with a uniform distribution of the shrinkage :math:`M / (M + n_0)` of a unit of
    typical size :math:`n_0` (the harmonic mean); :math:`\mu` given :math:`M` by its Laplace approximation.
    The ends are quantiles of the beta distribution of that mean and variance.

    Parameters
    ----------
    events, births : array_like, shape (..., U)
        Events and births of the U units of each set; NaN where not known.
    confidence : float
        Coverage of the intervals on average over units, in (0, 1).

    Returns
    -------
    Shrunken
        NaN where a unit has no births; NaN throughout for a set of fewer than three units, without events or
        without births that lack one.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Griffiths. Maximum likelihood estimation for the beta-binomial distribution. Biometrics
       1973;29:637-648.
    .. [2] Kass, Steffey. Approximate Bayesian inference in conditionally independent hierarchical models
       (parametric empirical Bayes models). J Am Stat Assoc 1989;84:717-726.
    .. [3] Christiansen, Morris. Hierarchical Poisson regression modeling. J Am Stat Assoc 1997;92:618-632
       (the uniform distribution of the shrinkage).

    Examples
    --------
    >>> found = beta_binomial_shrinkage([2, 30, 12, 8], [100, 300, 100, 90])
    >>> found.estimate.round(3).tolist()
    [0.048, 0.097, 0.104, 0.086]
    """
    return _shrink(events, births, BETA_BINOMIAL, _beta_quantile, confidence)


def gamma_poisson_shrinkage(events: ArrayLike, exposure: ArrayLike, *, confidence: float = 0.95) -> Shrunken:
    r"""Shrink rates of events that can happen more than once towards the mean of their set.

    .. math::
        x_i \mid \lambda_i \sim \mathrm{Poisson}(\lambda_i e_i), \qquad
        \lambda_i \sim \mathrm{Gamma}(\text{shape } \mu M, \text{rate } M)

    Estimate and interval as in :func:`beta_binomial_shrinkage`, with a gamma distribution.

    Parameters
    ----------
    events, exposure : array_like, shape (..., U)
        Events and exposure of the U units of each set; NaN where not known.
    confidence : float
        Coverage of the intervals on average over units, in (0, 1).

    Returns
    -------
    Shrunken
        NaN where a unit has no exposure; NaN throughout for a set of fewer than three units or without
        events.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Clayton, Kaldor. Empirical Bayes estimates of age-standardized relative risks for use in disease
       mapping. Biometrics 1987;43:671-681.
    .. [2] Kass, Steffey. J Am Stat Assoc 1989;84:717-726; Christiansen, Morris. J Am Stat Assoc
       1997;92:618-632 (the interval).

    Examples
    --------
    >>> found = gamma_poisson_shrinkage([2, 30, 12, 8], [100, 300, 100, 90])
    >>> (found.lower < found.estimate).all(), (found.estimate < found.upper).all()
    (np.True_, np.True_)
    """
    return _shrink(events, exposure, GAMMA_POISSON, _gamma_quantile, confidence)


def _shrink(
    events: ArrayLike, size: ArrayLike, model: Compound, quantile: Quantile, confidence: float
) -> Shrunken:
    x, n = floats({"events": events, "size": size})
    level = number("confidence", confidence, above=0, below=1)
    there = (n > 0) & ~np.isnan(x)
    units = np.count_nonzero(there, axis=-1)
    x, n = np.where(there, x, 0), np.where(there, n, 0)
    usable = (units > 2) & (x.sum(-1) > 0) & (x.sum(-1) < model.most(n).sum(-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        typical = np.where(usable, units / np.where(there, 1 / n, 0).sum(-1), 1)
    # Sets that cannot be pooled are replaced by one that can, and masked at the end.
    x = np.where(usable[..., None], x, 1.0)
    n = np.where(usable[..., None], n, 2.0)
    mean, prior, complete = _most_likely(x, n, typical, model)
    weight = np.where(complete[..., None], 0, n / (n + prior[..., None]))
    raw = x / np.where(n > 0, n, 1)
    estimate = weight * raw + (1 - weight) * mean[..., None]
    lower, upper = _interval(x, n, typical, model, quantile, level)
    # The interval is about the averaged posterior mean, the most likely one can lie beyond it for tiny units.
    lower, upper = np.minimum(lower, estimate), np.maximum(upper, estimate)
    shown = there & usable[..., None]
    estimate, lower, upper, weight = (
        np.where(shown, part, np.nan) for part in (estimate, lower, upper, weight)
    )
    mean, prior = (np.where(usable, part, np.nan) for part in (mean, np.where(complete, np.inf, prior)))
    return Shrunken(estimate, lower, upper, weight, mean, prior, complete & usable)


def _most_likely(
    x: FloatArray, n: FloatArray, typical: FloatArray, model: Compound
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Find mean and prior size of the highest likelihood, and whether it is that of complete pooling."""
    starts = np.append((_NODES + 1) / 2 * _MOST, _MOST)
    prior = typical[..., None] * starts / (1 - starts)
    likelihood = _profile(x[..., None, :], n[..., None, :], prior, model)[1]
    best = likelihood.argmax(-1)
    edges = np.concatenate([[1e-6], starts, [_MOST]])
    low, high = edges[best], edges[best + 2]
    inner = np.stack([high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)])
    value = _profile(x, n, typical * inner / (1 - inner), model)[1]
    for _ in range(_STEPS):
        # Of the two inner points one stays, and the other is reflected in the shorter interval.
        first = value[0] > value[1]
        low, high = np.where(first, low, inner[0]), np.where(first, inner[1], high)
        kept, its_value = np.where(first, inner[0], inner[1]), np.where(first, value[0], value[1])
        new = np.where(first, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        new_value = _profile(x, n, typical * new / (1 - new), model)[1]
        inner = np.stack([np.where(first, new, kept), np.where(first, kept, new)])
        value = np.stack([np.where(first, new_value, its_value), np.where(first, its_value, new_value)])
    share = (low + high) / 2
    found = typical * share / (1 - share)
    complete = share > _MOST - 1e-6
    pooled = x.sum(-1) / n.sum(-1)
    return np.where(complete, pooled, _profile(x, n, found, model)[0]), found, complete


def _profile(
    x: FloatArray, n: FloatArray, prior: FloatArray, model: Compound
) -> tuple[FloatArray, FloatArray]:
    """Give the most likely mean at a prior size, and its log likelihood."""
    mean = mean_given(x, n, prior, model)
    return mean, model.likelihood(x, n, mean[..., None], prior[..., None])


def _interval(
    x: FloatArray, n: FloatArray, typical: FloatArray, model: Compound, quantile: Quantile, level: float
) -> tuple[FloatArray, FloatArray]:
    """Average posterior mean and variance over prior sizes and means; take quantiles of the same family."""
    share = (_NODES + 1) / 2 * _MOST
    prior = typical[..., None] * share / (1 - share)
    x, n = x[..., None, :], n[..., None, :]
    mean, likelihood = _profile(x, n, prior, model)
    information = model.information(x, n, mean[..., None], prior[..., None])
    log_weight = likelihood - np.log(information) / 2 + np.log(_WEIGHTS)
    weight = special.softmax(log_weight, axis=-1)[..., None]
    m, prior = mean[..., None], prior[..., None]
    posterior = (x + prior * m) / (n + prior)
    within = model.variance(posterior, n + prior) + (prior / (n + prior)) ** 2 / information[..., None]
    average = (weight * posterior).sum(-2)
    variance = (weight * (within + (posterior - average[..., None, :]) ** 2)).sum(-2)
    return quantile(average, variance, (1 - level) / 2), quantile(average, variance, (1 + level) / 2)


def _beta_quantile(mean: FloatArray, variance: FloatArray, share: float) -> FloatArray:
    size = mean * (1 - mean) / variance - 1
    return np.asarray(special.betaincinv(mean * size, (1 - mean) * size, share))


def _gamma_quantile(mean: FloatArray, variance: FloatArray, share: float) -> FloatArray:
    return np.asarray(special.gammaincinv(mean**2 / variance, share) * variance / mean)
