"""Chance in measures of inequality: what the groups' counts could have been, and limits from such draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas.distributions import Binomial, Normal, Poisson

__all__ = ["draw_means", "draw_proportions", "draw_rates", "percentile_limits", "sampling_chance", "uniforms"]


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


def percentile_limits(
    draws: FloatArray, *, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray, FloatArray]:
    r"""Give the percentile limits of draws, and how far chance in drawing may have moved them.

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
    lower, upper : numpy.ndarray, shape (...)
        Quantiles at (1 - confidence) / 2 and (1 + confidence) / 2; NaN where a draw is not defined.
    error : numpy.ndarray, shape (...)
        Monte Carlo standard error of the less certain of the two.

    References
    ----------
    .. [1] Efron, Tibshirani. An introduction to the bootstrap, chapter 13.

    Examples
    --------
    >>> lower, upper, error = percentile_limits(np.arange(1001.0))
    >>> float(lower.round(1)), float(upper.round(1)), float(error.round(1))
    (25.0, 975.0, 4.9)
    """
    tail = (1 - number("confidence", confidence, above=0, below=1)) / 2
    spread = np.sqrt(tail * (1 - tail) / len(draws))
    near = np.clip([tail - spread, tail, tail + spread], 0, 1)
    low, high = np.quantile(draws, near, axis=0), np.quantile(draws, 1 - near, axis=0)
    return low[1], high[1], np.maximum(low[2] - low[0], high[0] - high[2]) / 2
