r"""Which change could be shown, with which power, from how many births: planning, never from the effect seen.

All are approximations on the scale on which the spread does not depend on the rate: the arcsine of the root
for proportions, the root for rates, so that a fall to no event at all has its place. Rates are those of the
adverse event.

No change is shown by fewer events than it takes to differ from none at all: a fall has no more power than the
chance of :math:`c = \lceil \log \alpha / \log \frac{n_0}{n_0 + n_1} \rceil` events before it, and a rise than
that of as many (with the sides swapped) after it. Against the exact power of the mid-P test the formulas are
up to 0.02 too high where either side expects 10 events or more, and 0.15 where one expects about 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._detectable import (
    Direction,
    Kind,
    chance_of_count,
    count_needed,
    distance_needed,
    least_births,
    least_power,
    planned,
    power_at,
    rate_at,
    rate_for_count,
    sign_of,
    stable,
)

__all__ = [
    "births_needed",
    "births_needed_each_side",
    "power_of_change",
    "smallest_detectable_ratio",
    "smallest_detectable_shift",
]


def smallest_detectable_ratio(
    baseline_rate: ArrayLike,
    births_before: ArrayLike,
    births_after: ArrayLike,
    *,
    kind: Kind = "proportion",
    direction: Direction = "fall",
    power: float = 0.8,
    confidence: float = 0.95,
    inflation: ArrayLike = 1.0,
) -> FloatArray:
    r"""Smallest change of a rate that a two-sided test would show with the power wanted.

    With :math:`g(p) = 2 \arcsin \sqrt p` for proportions and :math:`2 \sqrt p` for rates:

    .. math:: g(p_1) = g(p_0) \mp (z_{1 - \alpha/2} + z_{\text{power}})
              \sqrt{\phi \left(\frac1{n_0} + \frac1{n_1}\right)}

    It depends on the baseline and on births only, never on the change seen.

    Parameters
    ----------
    baseline_rate : array_like, shape (...)
        Rate of adverse events before the change, in [0, 1] for proportions.
    births_before, births_after : array_like, broadcastable to (...)
        Births (exposure, for rates) before and after; may be infinite.
    kind : {"proportion", "rate"}
        Binomial or Poisson events.
    direction : {"fall", "rise"}
        Which change.
    power : float
        Chance of showing it, in [0.5, 1).
    confidence : float
        Level of confidence of the two-sided test, in (0, 1).
    inflation : array_like, broadcastable to (...)
        What the variance of the change is multiplied by: dispersion, and what trend or season cost.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Rate after over rate before: in [0, 1] for a fall, above 1 for a rise. NaN where none can be shown,
        not even a fall to no event at all or a rise to an event at every birth; and where there are no
        births, or no events in the baseline.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, a proportion is above 1, or an option is not allowed.

    References
    ----------
    .. [1] Cohen. Statistical power analysis for the behavioral sciences, 2nd ed., 1988, chapter 6 (arcsine).
    .. [2] Anscombe. The transformation of Poisson, binomial and negative-binomial data. Biometrika
       1948;35:246-54.

    Examples
    --------
    12 % of 300, 900 or 30 births before, and as many after: with 30 not even a fall to none could be shown.

    >>> smallest_detectable_ratio(0.12, [300, 900, 30], [300, 900, 30]).round(2).tolist()
    [0.47, 0.67, nan]
    """
    p, before, after, phi = planned(
        kind,
        rates={"baseline_rate": baseline_rate},
        sizes={"births_before": births_before, "births_after": births_after},
        others={"inflation": inflation},
    )
    step = sign_of(direction) * distance_needed(confidence, power)
    rate = rate_at(stable(p, kind) + step * np.sqrt(phi * (1 / before + 1 / after)), kind)
    before, after = before / phi, after / phi
    if direction == "fall":
        enough = chance_of_count(count_needed(before, after, confidence), p, before, kind) >= power
        rate = np.where(enough, rate, np.nan)
    else:
        rate = np.maximum(rate, rate_for_count(count_needed(after, before, confidence), power, after, kind))
    return np.asarray(rate / np.where(p > 0, p, np.nan))


def power_of_change(
    baseline_rate: ArrayLike,
    ratio: ArrayLike,
    births_before: ArrayLike,
    births_after: ArrayLike,
    *,
    kind: Kind = "proportion",
    confidence: float = 0.95,
    inflation: ArrayLike = 1.0,
) -> FloatArray:
    r"""Chance that a two-sided test shows a change, in its direction.

    .. math:: \Phi\left(\frac{|g(\theta p_0) - g(p_0)|}{\sqrt{\phi (1/n_0 + 1/n_1)}} - z_{1 - \alpha/2}\right)

    with :math:`g` as for :func:`smallest_detectable_ratio`.

    Parameters
    ----------
    baseline_rate : array_like, shape (...)
        Rate of adverse events before the change, in [0, 1] for proportions.
    ratio : array_like, broadcastable to (...)
        Rate after over rate before that is planned for, >= 0; not the one observed.
    births_before, births_after : array_like, broadcastable to (...)
        Births (exposure, for rates) before and after; may be infinite.
    kind : {"proportion", "rate"}
        Binomial or Poisson events.
    confidence : float
        Level of confidence of the two-sided test, in (0, 1).
    inflation : array_like, broadcastable to (...)
        What the variance of the change is multiplied by.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Chances; half the level of the test at a ratio of 1. NaN where the rate after would be above 1, where
        there are no births, or where anything is not known.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, a proportion is above 1, or an option is not allowed.

    References
    ----------
    .. [1] Cohen. Statistical power analysis for the behavioral sciences, 2nd ed., 1988, chapter 6.

    Examples
    --------
    From 12 to 6 % with 120, 300 or 900 births on each side:

    >>> power_of_change(0.12, 0.5, [120, 300, 900], [120, 300, 900]).round(2).tolist()
    [0.38, 0.74, 0.99]
    """
    p, before, after, theta, phi = planned(
        kind,
        rates={"baseline_rate": baseline_rate},
        sizes={"births_before": births_before, "births_after": births_after},
        others={"ratio": ratio, "inflation": inflation},
    )
    return power_at(p, p * theta, before / phi, after / phi, kind, confidence)


def births_needed(
    baseline_rate: ArrayLike,
    ratio: ArrayLike,
    births_before: ArrayLike,
    *,
    kind: Kind = "proportion",
    power: float = 0.8,
    confidence: float = 0.95,
    inflation: ArrayLike = 1.0,
) -> FloatArray:
    r"""Births after a change that show it with the power wanted, given the baseline there is.

    Where neither side has few events they are

    .. math:: \frac1{n_1} = \frac1\phi \left(\frac{g(\theta p_0) - g(p_0)}
              {z_{1 - \alpha/2} + z_{\text{power}}}\right)^2 - \frac1{n_0}

    with :math:`g` as for :func:`smallest_detectable_ratio`.

    Parameters
    ----------
    baseline_rate : array_like, shape (...)
        Rate of adverse events before the change, in [0, 1] for proportions.
    ratio : array_like, broadcastable to (...)
        Rate after over rate before that is planned for, >= 0; not the one observed.
    births_before : array_like, broadcastable to (...)
        Births (exposure, for rates) before; may be infinite.
    kind : {"proportion", "rate"}
        Binomial or Poisson events.
    power : float
        Chance of showing it, in [0.5, 1).
    confidence : float
        Level of confidence of the two-sided test, in (0, 1).
    inflation : array_like, broadcastable to (...)
        What the variance of the change is multiplied by.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Births, not rounded. Infinite where no number is enough: the baseline is too small (see
        :func:`births_needed_each_side`), or the ratio is 1. NaN where the rate after would be above 1, or
        anything is not known.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, a proportion is above 1, or an option is not allowed.

    References
    ----------
    .. [1] Cohen. Statistical power analysis for the behavioral sciences, 2nd ed., 1988, chapter 6.

    Examples
    --------
    To show a fall from 12 to 6 % after 100, 300 or 900 births of baseline:

    >>> births_needed(0.12, 0.5, [100, 300, 900]).round().tolist()
    [inf, 413.0, 215.0]
    """
    p, before, theta, phi = planned(
        kind,
        rates={"baseline_rate": baseline_rate},
        sizes={"births_before": births_before},
        others={"ratio": ratio, "inflation": inflation},
    )
    wanted = least_power(power)
    return phi * least_births(
        stable(p * theta, kind) + before,
        lambda n: power_at(p, p * theta, before / phi, n, kind, confidence) - wanted,
    )


def births_needed_each_side(
    baseline_rate: ArrayLike,
    ratio: ArrayLike,
    *,
    kind: Kind = "proportion",
    power: float = 0.8,
    confidence: float = 0.95,
    inflation: ArrayLike = 1.0,
) -> FloatArray:
    r"""Births before a change, and as many after it, that show it with the power wanted.

    Where neither side has few events they are

    .. math:: n = 2 \phi \left(\frac{z_{1 - \alpha/2} + z_{\text{power}}}{g(\theta p_0) - g(p_0)}\right)^2

    Parameters
    ----------
    baseline_rate : array_like, shape (...)
        Rate of adverse events before the change, in [0, 1] for proportions.
    ratio : array_like, broadcastable to (...)
        Rate after over rate before that is planned for, >= 0; not the one observed.
    kind : {"proportion", "rate"}
        Binomial or Poisson events.
    power : float
        Chance of showing it, in [0.5, 1).
    confidence : float
        Level of confidence of the two-sided test, in (0, 1).
    inflation : array_like, broadcastable to (...)
        What the variance of the change is multiplied by.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Births of either side, not rounded; infinite for a ratio of 1, NaN where the rate after would be above
        1 or anything is not known.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative, a proportion is above 1, or an option is not allowed.

    References
    ----------
    .. [1] Cohen. Statistical power analysis for the behavioral sciences, 2nd ed., 1988, chapter 6.

    Examples
    --------
    >>> births_needed_each_side(0.12, [0.5, 0.75]).round().tolist()
    [347.0, 1631.0]
    """
    p, theta, phi = planned(
        kind,
        rates={"baseline_rate": baseline_rate},
        sizes={},
        others={"ratio": ratio, "inflation": inflation},
    )
    wanted = least_power(power)
    return phi * least_births(
        stable(p * theta, kind), lambda n: power_at(p, p * theta, n, n, kind, confidence) - wanted
    )


def smallest_detectable_shift(
    size_before: ArrayLike,
    size_after: ArrayLike,
    *,
    power: float = 0.8,
    confidence: float = 0.95,
    inflation: ArrayLike = 1.0,
) -> FloatArray:
    r"""Smallest change of a mean that a two-sided test would show, in standard deviations.

    .. math:: (z_{1 - \alpha/2} + z_{\text{power}}) \sqrt{\phi \left(\frac1{n_0} + \frac1{n_1}\right)}

    Parameters
    ----------
    size_before, size_after : array_like, shape (...)
        Measurements before and after.
    power : float
        Chance of showing it, in [0.5, 1).
    confidence : float
        Level of confidence of the two-sided test, in (0, 1).
    inflation : array_like, broadcastable to (...)
        What the variance of the change is multiplied by: for autocorrelation, trend or season.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Change in either direction, in standard deviations of one measurement, > 0; NaN without measurements.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or an option is not allowed.

    References
    ----------
    .. [1] Cohen. Statistical power analysis for the behavioral sciences, 2nd ed., 1988, chapter 2.

    Examples
    --------
    64 measurements on either side show half a standard deviation:

    >>> smallest_detectable_shift(64, 64).round(2)
    array([0.5])
    """
    before, after, phi = planned(
        "rate",
        rates={},
        sizes={"size_before": size_before, "size_after": size_after},
        others={"inflation": inflation},
    )
    return np.asarray(distance_needed(confidence, power) * np.sqrt(phi * (1 / before + 1 / after)))
