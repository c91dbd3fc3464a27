"""Intervals for one rate, of events that can happen more than once: exact, mid-P, Byar."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._interval_parts import rate_cells, tail_of, z_of
from qi_equity.formulas._mid_p import mid_p_mean_ends
from qi_equity.formulas.interval import Interval

__all__ = ["byar_rate_interval", "exact_rate_interval", "mid_p_rate_interval", "ohid_rate_interval"]

Ends = Callable[[FloatArray, float], tuple[FloatArray, FloatArray]]

# From this count on OHID uses Byar's approximation, below it exact limits.
_OHID_FROM = 10


def exact_rate_interval(events: ArrayLike, exposure: ArrayLike, *, confidence: float = 0.95) -> Interval:
    r"""Exact interval for a rate: at most half the error in either tail of the Poisson distribution.

    .. math:: \frac{1}{2e} \chi^2_{\alpha/2}(2x), \qquad \frac{1}{2e} \chi^2_{1 - \alpha/2}(2x + 2)

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events, and what they are counted over (births, woman-days; 1 for a count); NaN where not known.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate, lower, upper``, each of shape (...), events per unit of exposure, >= 0. NaN without
        exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Garwood. Fiducial limits for the Poisson distribution. Biometrika 1936;28:437-42.

    Examples
    --------
    >>> interval = exact_rate_interval([217], [2235159])
    >>> [float((1e5 * end[0]).round(2)) for end in (interval.estimate, interval.lower, interval.upper)]
    [9.71, 8.46, 11.09]
    """
    return _interval(events, exposure, confidence, exact_count_ends)


def mid_p_rate_interval(events: ArrayLike, exposure: ArrayLike, *, confidence: float = 0.95) -> Interval:
    r"""Mid-P interval for a rate: half the probability of the count itself belongs to its tail.

    The ends are :math:`\mu / e` with

    .. math:: P_\mu(X > x) + \tfrac12 P_\mu(X = x) = \alpha/2, \qquad
              P_\mu(X < x) + \tfrac12 P_\mu(X = x) = \alpha/2

    It covers about as often as it says, where the exact interval covers more often.

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events, and what they are counted over (births, woman-days; 1 for a count); NaN where not known.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate, lower, upper``, each of shape (...), events per unit of exposure, >= 0. NaN without
        exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Cohen, Yang. Mid-P confidence intervals for the Poisson expectation. Statistics in Medicine
       1994;13:2189-203.

    Examples
    --------
    >>> interval = mid_p_rate_interval([0, 5], 100)
    >>> interval.lower.round(5).tolist(), interval.upper.round(5).tolist()
    ([0.0, 0.01832], [0.02996, 0.11082])
    """
    return _interval(events, exposure, confidence, mid_p_count_ends)


def byar_rate_interval(events: ArrayLike, exposure: ArrayLike, *, confidence: float = 0.95) -> Interval:
    r"""Byar's approximation of the exact interval for a rate.

    .. math:: \frac{x}{e} \left(1 - \frac{1}{9x} - \frac{z}{3\sqrt{x}}\right)^3, \qquad
              \frac{x + 1}{e} \left(1 - \frac{1}{9(x + 1)} + \frac{z}{3\sqrt{x + 1}}\right)^3

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events, and what they are counted over (births, woman-days; 1 for a count); NaN where not known.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate, lower, upper``, each of shape (...), events per unit of exposure, >= 0. The lower end is 0
        where there is no event, or where the formula falls below 0. NaN without exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Breslow, Day. Statistical Methods in Cancer Research, volume II. IARC 1987, page 69.

    Examples
    --------
    >>> interval = byar_rate_interval([65], 1)
    >>> float(interval.lower[0].round(6)), float(interval.upper[0].round(6))
    (50.163188, 82.849139)
    """
    return _interval(events, exposure, confidence, byar_count_ends)


def ohid_rate_interval(events: ArrayLike, exposure: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Interval for a rate as England's public health profiles give it: exact below 10 events, then Byar.

    The ends are those of :func:`exact_rate_interval` for fewer than 10 events and of
    :func:`byar_rate_interval` for 10 or more.

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events, and what they are counted over (births, woman-days; 1 for a count); NaN where not known.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate, lower, upper``, each of shape (...), events per unit of exposure, >= 0. NaN without
        exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Office for Health Improvement and Disparities. Fingertips technical guidance: public health
       methods.

    Examples
    --------
    >>> interval = ohid_rate_interval([5, 20], 100)
    >>> interval.lower.round(6).tolist(), interval.upper.round(6).tolist()
    ([0.016235, 0.122114], [0.116683, 0.308899])
    """
    return _interval(events, exposure, confidence, _ohid_count_ends)


def exact_count_ends(x: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Give the ends of the exact interval for an expected count."""
    tail = tail_of(confidence)
    lower = np.where(x == 0, 0.0, special.gammaincinv(np.where(x == 0, 1.0, x), tail))
    return lower, np.asarray(special.gammainccinv(x + 1, tail), dtype=np.float64)


def mid_p_count_ends(x: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Give the ends of the mid-P interval for an expected count."""
    return mid_p_mean_ends(x, tail_of(confidence))


def byar_count_ends(x: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Give the ends of Byar's interval for an expected count."""
    z = z_of(confidence)
    some = np.where(x == 0, 1.0, x)
    cube = np.maximum(1 - 1 / (9 * some) - z / (3 * np.sqrt(some)), 0) ** 3
    above = x + 1
    return x * cube, above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3


def _ohid_count_ends(x: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    few = x < _OHID_FROM
    exact, byar = exact_count_ends(x, confidence), byar_count_ends(x, confidence)
    return np.where(few, exact[0], byar[0]), np.where(few, exact[1], byar[1])


def _interval(events: ArrayLike, exposure: ArrayLike, confidence: float, ends: Ends) -> Interval:
    x, e = rate_cells({"events": events, "exposure": exposure})
    lower, upper = ends(x, confidence)
    return Interval(x / e, lower / e, upper / e)
