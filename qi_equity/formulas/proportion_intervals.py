"""Intervals for one proportion: Wilson, Jeffreys, Clopper-Pearson."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._interval_parts import binomial_cells, tail_of, z_of
from qi_equity.formulas.interval import Interval

__all__ = ["clopper_pearson_interval", "jeffreys_interval", "wilson_interval"]


def wilson_interval(events: ArrayLike, births: ArrayLike, *, confidence: float = 0.95) -> Interval:
    r"""Wilson score interval for a proportion, without continuity correction.

    .. math:: \frac{2x + z^2 \mp z \sqrt{z^2 + 4x(1 - x/n)}}{2(n + z^2)}

    Parameters
    ----------
    events, births : array_like, shape (...)
        Events and births; NaN where not known.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate, lower, upper``, each of shape (...), proportions in [0, 1]; never empty, and 0 or 1 at one
        end only where no birth or every birth has the event. NaN without births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Wilson. Probable inference, the law of succession, and statistical inference. JASA 1927;22:209-12.
    .. [2] Newcombe. Two-sided confidence intervals for the single proportion: comparison of seven methods.
       Statistics in Medicine 1998;17:857-72.

    Examples
    --------
    >>> interval = wilson_interval([82], [20664])
    >>> [float((1000 * end[0]).round(3)) for end in (interval.estimate, interval.lower, interval.upper)]
    [3.968, 3.198, 4.923]
    """
    x, n = binomial_cells({"events": events, "births": births})
    lower, upper = wilson_ends(x, n, z_of(confidence))
    return Interval(x / n, lower, upper)


def jeffreys_interval(events: ArrayLike, births: ArrayLike, *, confidence: float = 0.95) -> Interval:
    r"""Jeffreys interval for a proportion: equal tails of the posterior from the prior Beta(1/2, 1/2).

    .. math:: B_{\alpha/2}\left(x + \tfrac12, n - x + \tfrac12\right), \qquad
              B_{1 - \alpha/2}\left(x + \tfrac12, n - x + \tfrac12\right)

    with the lower end 0 where no birth has the event and the upper end 1 where every birth has, as Brown, Cai
    and DasGupta advise: otherwise the interval does not cover proportions near 0 and 1.

    Parameters
    ----------
    events, births : array_like, shape (...)
        Events and births; NaN where not known.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` (events / births), ``lower, upper``, each of shape (...), proportions in [0, 1]. NaN
        without births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Brown, Cai, DasGupta. Interval estimation for a binomial proportion. Statistical Science
       2001;16:101-33, section 4.1.1.

    Examples
    --------
    >>> interval = jeffreys_interval([0, 2], [10, 10])
    >>> interval.lower.round(4).tolist(), interval.upper.round(4).tolist()
    ([0.0, 0.0441], [0.2172, 0.5028])
    """
    x, n = binomial_cells({"events": events, "births": births})
    tail = tail_of(confidence)
    lower = np.where(x == 0, 0.0, special.betaincinv(x + 0.5, n - x + 0.5, tail))
    upper = np.where(x == n, 1.0, special.betainccinv(x + 0.5, n - x + 0.5, tail))
    return Interval(x / n, lower, upper)


def clopper_pearson_interval(events: ArrayLike, births: ArrayLike, *, confidence: float = 0.95) -> Interval:
    r"""Clopper-Pearson ("exact") interval for a proportion: at most half the error in either tail.

    .. math:: B_{\alpha/2}(x, n - x + 1), \qquad B_{1 - \alpha/2}(x + 1, n - x)

    It covers at least as often as it says, and usually more often. With an effective sample size in place of
    births, and events in proportion, it is the interval of Korn and Graubard, so neither need be whole.

    Parameters
    ----------
    events, births : array_like, shape (...)
        Events and births; NaN where not known.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate, lower, upper``, each of shape (...), proportions in [0, 1]. NaN without births.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, events outnumber births, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Clopper, Pearson. The use of confidence or fiducial limits illustrated in the case of the binomial.
       Biometrika 1934;26:404-13.

    Examples
    --------
    >>> interval = clopper_pearson_interval([0, 2], [10, 10])
    >>> interval.lower.round(4).tolist(), interval.upper.round(4).tolist()
    ([0.0, 0.0252], [0.3085, 0.5561])
    """
    x, n = binomial_cells({"events": events, "births": births})
    return Interval(x / n, *exact_ends(x, n, tail_of(confidence)))


def wilson_ends(x: FloatArray, n: FloatArray, z: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the ends of the Wilson interval, the lower without differences of nearly equal numbers."""
    half = z * np.sqrt(z * z + 4 * x * (n - x) / n)
    lower = 2 * x * x / (n * (2 * x + z * z + half))
    upper = np.where(x == n, 1.0, (2 * x + z * z + half) / (2 * (n + z * z)))
    return lower, upper


def exact_ends(x: FloatArray, n: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Give the ends of the Clopper-Pearson interval."""
    inside = np.where(x == 0, 1.0, x), np.where(x == n, 1.0, n - x)
    lower = np.where(x == 0, 0.0, special.betaincinv(inside[0], n - x + 1, tail))
    upper = np.where(x == n, 1.0, special.betainccinv(x + 1, inside[1], tail))
    unknown = np.isnan(x)
    return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)
