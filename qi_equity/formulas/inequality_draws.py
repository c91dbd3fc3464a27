"""Chance in measures of inequality: what the groups' counts could have been, and limits from such draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas.distributions import Binomial, Normal, Poisson

__all__ = [
    "draw_means",
    "draw_proportions",
    "draw_rates",
    "inverted_limit",
    "sampling_chance",
    "tail_quantiles",
    "uniforms",
]

_ROUNDING = 1e-9


def sampling_chance(events: ArrayLike, births: ArrayLike, *, repeatable: bool = False) -> FloatArray:
    """Give the chance of an event that sampling errors and draws are reckoned with.

    It is the observed one, but where no birth or every birth had the event, which would leave no error at
    all: there it is (events + 1/2) / (births + 1), or for events that can happen more than once 1/2 event.

    Parameters
    ----------
    events, births : array_like, shape (...)
        Events and births (or exposure); NaN where not known.
    repeatable : bool
        Whether a birth can have the event more than once.

    Returns
    -------
    numpy.ndarray, shape (...)
        In (0, 1) for proportions, above 0 for rates; NaN where births are 0 or not known.

    References
    ----------
    .. [1] Cox, Snell. Analysis of binary data, 2nd ed., section 2.1 (the correction of 1/2).

    Examples
    --------
    >>> sampling_chance([0, 3, 9], [9, 9, 9]).round(4).tolist()
    [0.05, 0.3333, 0.95]
    """
    x, n = floats({"events": events, "births": births})
    n = np.where(n > 0, n, np.nan)
    if repeatable:
        return np.maximum(x, 0.5) / n
    return np.where((x <= 0) | (x >= n), (np.clip(x, 0, n) + 0.5) / (n + 1), x / n)


def uniforms(draws: int, groups: int, seed: int) -> FloatArray:
    """Draw the random numbers of a table: the same for all its strata, so that each is alone what it is here.

    Parameters
    ----------
    draws, groups : int
        How many draws of how many groups.
    seed : int
        Seed; the same seed gives the same numbers.

    Returns
    -------
    numpy.ndarray, shape (draws, 1, groups)
        In (0, 1).

    Examples
    --------
    >>> uniforms(2, 3, seed=1).shape
    (2, 1, 3)
    """
    u = np.random.default_rng(seed).random((draws, 1, groups))
    return np.clip(u, np.finfo(np.float64).tiny, None)


def draw_proportions(chance: FloatArray, births: FloatArray, u: FloatArray) -> FloatArray:
    """Draw proportions of binomial counts.

    Parameters
    ----------
    chance, births : numpy.ndarray, shape (R, G)
        Chance of the event and births of each group; NaN or 0 births where there is none.
    u : numpy.ndarray, shape (draws, 1, G)
        Random numbers.

    Returns
    -------
    numpy.ndarray, shape (draws, R, G)
        In [0, 1]; NaN for groups that are not there.

    Examples
    --------
    >>> draw_proportions(np.array([[0.5]]), np.array([[4.0]]), np.array([[[0.5]], [[0.99]]])).ravel()
    array([0.5, 1. ])
    """
    return Binomial(chance, births, births).quantile(u)


def draw_rates(rate: FloatArray, exposure: FloatArray, u: FloatArray) -> FloatArray:
    """Draw rates of Poisson counts.

    Parameters
    ----------
    rate, exposure : numpy.ndarray, shape (R, G)
        Rate and exposure of each group; NaN or 0 exposure where there is none.
    u : numpy.ndarray, shape (draws, 1, G)
        Random numbers.

    Returns
    -------
    numpy.ndarray, shape (draws, R, G)
        Of 0 or more; NaN for groups that are not there.

    Examples
    --------
    >>> draw_rates(np.array([[0.5]]), np.array([[4.0]]), np.array([[[0.5]], [[0.9]]])).ravel()
    array([0.5, 1. ])
    """
    return Poisson(rate * exposure, exposure).quantile(u)


def draw_means(mean: FloatArray, error: FloatArray, u: FloatArray) -> FloatArray:
    """Draw means of measurements.

    Parameters
    ----------
    mean, error : numpy.ndarray, shape (R, G)
        Mean of each group and its standard error; NaN where not known.
    u : numpy.ndarray, shape (draws, 1, G)
        Random numbers.

    Returns
    -------
    numpy.ndarray, shape (draws, R, G)
        In the unit of the measurements.

    Examples
    --------
    >>> draw_means(np.array([[500.0]]), np.array([[20.0]]), np.array([[[0.5]]])).ravel()
    array([500.])
    """
    return Normal(mean, error).quantile(u)


def tail_quantiles(
    draws: FloatArray, *, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    r"""Give the quantiles of draws at both tails, and how far chance in drawing may have moved them.

    The standard error of the quantile at :math:`q` of :math:`B` draws is half the distance between the draws
    at ranks :math:`Bq \pm \sqrt{B q (1 - q)}`.

    Parameters
    ----------
    draws : numpy.ndarray, shape (B, ...)
        The measure in each draw; NaN where it is not defined.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    low, high : numpy.ndarray, shape (...)
        Quantiles at (1 - confidence) / 2 and (1 + confidence) / 2; NaN where a draw is not defined.
    low_error, high_error : numpy.ndarray, shape (...)
        Their Monte Carlo standard errors.

    References
    ----------
    .. [1] Conover. Practical nonparametric statistics, 3rd ed., section 3.2 (quantiles by order statistics).

    Examples
    --------
    >>> [float(part.round(1)) for part in tail_quantiles(np.arange(1001.0))]
    [25.0, 975.0, 4.9, 4.9]
    """
    tail = (1 - number("confidence", confidence, above=0, below=1)) / 2
    spread = np.sqrt(tail * (1 - tail) / len(draws))
    near = np.clip([tail - spread, tail, tail + spread], 0, 1)
    low, high = np.quantile(draws, near, axis=0), np.quantile(draws, 1 - near, axis=0)
    return low[1], high[1], (low[2] - low[0]) / 2, (high[0] - high[2]) / 2


def inverted_limit(truth: FloatArray, quantile: FloatArray, observed: FloatArray) -> FloatArray:
    """Find the true measure at which a quantile of its estimate is what was observed.

    The lower limit of an interval is the truth at which so large an estimate is as rare as the upper tail,
    the upper limit that at which so small a one is as rare as the lower tail. Unlike percentiles of draws
    such limits hold for measures that chance lifts, as all do that cannot fall below 0.

    Parameters
    ----------
    truth : numpy.ndarray, shape (K, ...)
        The true measure in K worlds of growing inequality, from none.
    quantile : numpy.ndarray, shape (K, ...)
        Quantile of the estimates in each of them.
    observed : numpy.ndarray, shape (...)
        The estimate.

    Returns
    -------
    numpy.ndarray, shape (...)
        Between the worlds on a straight line; that of the first where its quantile is already above the
        estimate, infinite where that of the last is still below. NaN where anything is.

    References
    ----------
    .. [1] Carpenter, Bithell. Bootstrap confidence intervals: when, which, what? Statistics in Medicine
       2000;19:1141-1164 (test inversion).

    Examples
    --------
    >>> worlds = np.array([0.0, 1.0, 2.0])
    >>> float(inverted_limit(worlds, np.array([0.5, 1.0, 2.0]), np.array(1.5)))
    1.5
    """
    unknown = np.isnan(truth).any(axis=0) | np.isnan(quantile).any(axis=0) | np.isnan(observed)
    rising = np.maximum.accumulate(np.where(unknown, 0, quantile), axis=0)
    # Draws that tie with the estimate must not fall below it by rounding.
    passed = (rising < observed - _ROUNDING * np.abs(observed)).sum(axis=0)
    after = np.clip(passed, 1, len(truth) - 1)[np.newaxis]
    (q0, q1), (t0, t1) = (
        [np.take_along_axis(a, after - back, axis=0)[0] for back in (1, 0)] for a in (rising, truth)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        between = t0 + (observed - q0) / (q1 - q0) * (t1 - t0)
    found = np.where(passed == 0, truth[0], np.where(passed == len(truth), np.inf, between))
    return np.where(unknown, np.nan, found)
