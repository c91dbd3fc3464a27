"""Births of a point below which a chart cannot see fewer events, or a change is less than its noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, one_of
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._cusum_arms import within
from qi_equity.formulas.cusum import Distribution

__all__ = ["births_for_exact_lower_limit", "births_for_lower_limit", "births_for_shift"]


def births_for_lower_limit(
    chance: ArrayLike, *, distribution: Distribution = "binomial", nsigma: float = 3.0
) -> FloatArray:
    r"""Births of a point up to which the lower limit of a p or u chart is 0, so that no low count signals.

    .. math:: \bar p - k \sqrt{\bar p (1 - \bar p) / n} \le 0 \iff n \le k^2 (1 - \bar p) / \bar p

    and :math:`k^2 / \bar u` for a u chart: a mean count of 9 at three standard errors.

    Parameters
    ----------
    chance : array_like, any shape
        Chance of an event in [0, 1], or rate per unit of exposure >= 0.
    distribution : {"binomial", "poisson"}
        Of the events of a point.
    nsigma : float
        Half-width k of the limits in standard errors, > 0.

    Returns
    -------
    numpy.ndarray of float
        Births, or exposure, not rounded; more are needed. Infinite at a chance of 0.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If an argument is out of bounds.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.2.1 (sample size for a
       positive lower limit).

    Examples
    --------
    >>> births_for_lower_limit([0.12, 0.05, 0.01])
    array([ 66., 171., 891.])
    """
    (p,), of = floats({"chance": chance}), one_of("distribution", distribution, ("binomial", "poisson"))
    within("chance", p, 0, 1 if of == "binomial" else math.inf)
    k = number("nsigma", nsigma, above=0)
    with np.errstate(divide="ignore"):
        return np.asarray(k * k * ((1 - p) if of == "binomial" else 1.0) / p)


def births_for_exact_lower_limit(
    chance: ArrayLike, *, distribution: Distribution = "binomial", tail: float = 0.00135
) -> FloatArray:
    r"""Births of a point from which a count of 0 lies below the exact lower limit: :math:`P(X = 0) < \alpha`.

    Parameters
    ----------
    chance : array_like, any shape
        Chance of an event in [0, 1], or rate per unit of exposure >= 0.
    distribution : {"binomial", "poisson"}
        Of the events of a point.
    tail : float
        Probability :math:`\alpha` of either tail, in (0, 0.5).

    Returns
    -------
    numpy.ndarray of float
        The fewest whole births that are enough (binomial), or the exposure that has to be exceeded (Poisson);
        infinite at a chance of 0.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If an argument is out of bounds.

    References
    ----------
    .. [1] The definition; see :func:`~qi_equity.formulas.probability_limits.p_probability_limits`.

    Examples
    --------
    >>> births_for_exact_lower_limit([0.12, 0.05, 0.01])
    array([ 52., 129., 658.])
    """
    (p,), of = floats({"chance": chance}), one_of("distribution", distribution, ("binomial", "poisson"))
    within("chance", p, 0, 1 if of == "binomial" else math.inf)
    log = math.log(number("tail", tail, above=0, below=0.5))
    with np.errstate(divide="ignore"):
        if of == "poisson":
            return np.asarray(-log / p)
        return np.floor(log / np.log1p(-p)) + 1


def births_for_shift(before: ArrayLike, after: ArrayLike, *, delta: float = 1.0) -> FloatArray:
    r"""Births of a point at which a change of a proportion is a shift of so many standard errors.

    .. math:: \delta = |p_1 - p_0| \sqrt{\frac{n}{p_0 (1 - p_0)}}

    Parameters
    ----------
    before, after : array_like, any shapes that fit together
        Proportion before and after the change, in [0, 1].
    delta : float
        Shift wanted, > 0.

    Returns
    -------
    numpy.ndarray of float
        Births, not rounded; infinite where nothing changes.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an argument is out of bounds.

    References
    ----------
    .. [1] The definition of the standard error of a proportion.

    Examples
    --------
    >>> births_for_shift([0.12, 0.12, 0.05, 0.01], [0.06, 0.09, 0.025, 0.005]).round(0)
    array([ 29., 117.,  76., 396.])
    """
    p, q = floats({"before": before, "after": after})
    within("before", p, 0, 1)
    within("after", q, 0, 1)
    shift = number("delta", delta, above=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p == q, np.inf, shift * shift * p * (1 - p) / (q - p) ** 2)
