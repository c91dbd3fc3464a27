"""Funnel limits on a variance-stabilising scale, where overdispersion is estimated and added.

Exact limits are those of :mod:`qi_equity.formulas.probability_limits`, with units in place of periods: a unit
lies outside when the probability of its count or one further out is below the tail, and the limit is drawn
half-way between the last count inside and the first outside. (Spiegelhalter 2005 interpolates between the
same two counts so that the curve looks smooth; the half-way point leaves no count in doubt.) The normal
limits of Public Health England, that invert the Wilson score, are those of
:mod:`qi_equity.formulas.attributes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number, one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._pooling import positive
from qi_equity.formulas._tails import (
    binomial_at_least,
    binomial_at_most,
    poisson_at_least,
    poisson_at_most,
)
from qi_equity.formulas.limits import Limits

__all__ = ["Scale", "Standardised", "chance_outside", "ratio_of_counts", "scaled_limits", "standardised"]

Scale = Literal["arcsine", "sqrt", "log", "log-counts", "identity"]
SCALES: tuple[Scale, ...] = ("arcsine", "sqrt", "log", "log-counts", "identity")


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """Standardised values with what they were made of, shape (..., U) each.

    Parameters
    ----------
    z : numpy.ndarray of float
        Distance from the centre line in standard errors, on the scale named.
    standard_error : numpy.ndarray of float
        Standard error on that scale.

    Examples
    --------
    >>> found = standardised([10], [100], 0.1, scale="arcsine")
    >>> float(found.z[0]), float(found.standard_error[0])
    (0.0, 0.05)
    """

    z: FloatArray
    standard_error: FloatArray


def standardised(events: ArrayLike, size: ArrayLike, centre_line: ArrayLike, *, scale: Scale) -> Standardised:
    r"""Distance of each unit from the centre line in standard errors, on a variance-stabilising scale.

    With rate :math:`y = x / n`, centre line :math:`\theta` and expected events :math:`E = \theta n`:

    ============  =====================================  =============================
    scale         value                                  standard error
    ============  =====================================  =============================
    arcsine       :math:`\arcsin \sqrt y`                :math:`1 / (2 \sqrt n)`
    sqrt          :math:`\sqrt{x / E}`                   :math:`1 / (2 \sqrt E)`
    log           :math:`\log (x / E)`                   :math:`1 / \sqrt E`
    ============  =====================================  =============================

    Parameters
    ----------
    events, size : array_like, shape (..., U)
        Events, and births or exposure, of each unit; NaN where not known. With the expected events as size
        and a centre line of 1 these are standardised ratios.
    centre_line : array_like, broadcastable to (..., U)
        The rate or proportion compared with.
    scale : {"arcsine", "sqrt", "log"}
        Arcsine for proportions; square root or logarithm for rates and standardised ratios. The logarithm of
        0 events is minus infinity: the square root is the one for small counts.

    Returns
    -------
    Standardised
        ``z`` and ``standard_error``, shape (..., U); NaN where size is 0 or missing.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``scale`` is not allowed.

    References
    ----------
    .. [1] Spiegelhalter. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185-1202.

    Examples
    --------
    >>> standardised([4, 16], [100, 100], 0.09, scale="sqrt").z.round(2).tolist()
    [-2.0, 2.0]
    """
    x, n, centre = floats({"events": events, "size": size, "centre_line": centre_line})
    name: Scale = one_of("scale", scale, SCALES[:3])
    n = positive(n)
    s = _standard_error(n, centre, name)
    with np.errstate(divide="ignore", invalid="ignore"):
        if name == "arcsine":
            away = np.arcsin(np.sqrt(np.minimum(x / n, 1))) - np.arcsin(np.sqrt(centre))
        elif name == "sqrt":
            away = np.sqrt(x / (n * centre)) - 1
        else:
            away = np.log(x / (n * centre))
        return Standardised(away / s, s)


def ratio_of_counts(events: ArrayLike, others: ArrayLike, centre_line: ArrayLike) -> Standardised:
    r"""Distance of a ratio of two counts from the centre line, in standard errors on the log scale.

    Both counts vary, as where readmissions are set against transfers. With half an event added to each:

    .. math::
        z = \frac{\log \frac{x + 1/2}{n + 1/2} - \log \theta}
                 {\sqrt{x / (x + 1/2)^2 + n / (n + 1/2)^2}}

    Parameters
    ----------
    events, others : array_like, shape (..., U)
        The two counts of each unit.
    centre_line : array_like, broadcastable to (..., U)
        The ratio compared with, > 0.

    Returns
    -------
    Standardised
        ``z`` and its standard error, shape (..., U).

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] Spiegelhalter. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185-1202,
       appendix A.3 (ratios of counts).

    Examples
    --------
    >>> float(ratio_of_counts([20], [40], 0.5).z[0].round(2))
    0.05
    """
    x, n, centre = floats({"events": events, "others": others, "centre_line": centre_line})
    with np.errstate(divide="ignore", invalid="ignore"):
        s = np.sqrt(x / (x + 0.5) ** 2 + n / (n + 0.5) ** 2)
        return Standardised((np.log((x + 0.5) / (n + 0.5)) - np.log(centre)) / s, s)


def scaled_limits(
    size: ArrayLike,
    centre_line: ArrayLike,
    *,
    scale: Scale,
    tail: float = 0.025,
    dispersion: ArrayLike = 1.0,
    between_variance: ArrayLike = 0.0,
) -> Limits:
    r"""Funnel limits on a scale, widened for overdispersion and turned back to rates.

    .. math:: g(\theta) \pm z_\alpha \sqrt{\phi\, s^2 + \tau^2}

    with :math:`g` and :math:`s` as in :func:`standardised`; give one of :math:`\phi` and :math:`\tau^2`. For
    ``scale="log-counts"``, a ratio of two counts, :math:`s^2 = 1 / (\theta n) + 1 / n`: both counts vary.

    Parameters
    ----------
    size : array_like, shape (..., U)
        Births, exposure or expected events of each unit; the second count for ``"log-counts"``; 1 over the
        squared standard error for ``"identity"``, the scale of means.
    centre_line : array_like, broadcastable to (..., U)
        The rate, proportion, ratio or mean compared with.
    scale : {"arcsine", "sqrt", "log", "log-counts", "identity"}
        As the standardised values from which the dispersion comes.
    tail : float
        Probability :math:`\alpha` of either tail, in (0, 0.5): 0.025 for 95 %, 0.001 for 99.8 %.
    dispersion : array_like, broadcastable to (..., U)
        Multiplicative :math:`\phi`; below 1 it is taken as 1.
    between_variance : array_like, broadcastable to (..., U)
        Additive :math:`\tau^2` on the scale, >= 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, shape (..., U). ``sigma`` is the widened standard error on the
        scale. Limits of proportions lie within [0, 1]; those of rates are >= 0; NaN where size is 0 or
        missing or the dispersion is not known.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an option is not allowed.

    References
    ----------
    .. [1] Spiegelhalter. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185-1202.

    Examples
    --------
    >>> limits = scaled_limits([100, 400], 0.1, scale="arcsine")
    >>> limits.upper.round(3).tolist()
    [0.166, 0.131]
    """
    given = {"size": size, "centre_line": centre_line}
    n, centre, phi, tau2 = floats(given | {"dispersion": dispersion, "between_variance": between_variance})
    if (tau2 < 0).any():
        raise OptionError(f"between_variance holds {float(np.nanmin(tau2))!r}; give values of 0 or more.")
    name = one_of("scale", scale, SCALES)
    n, z = positive(n), -float(special.ndtri(number("tail", tail, above=0, below=0.5)))
    sigma = np.sqrt(np.maximum(phi, 1) * _standard_error(n, centre, name) ** 2 + tau2)
    # Without any event the scale has no width: there is no upper limit, which needs no warning.
    with np.errstate(invalid="ignore"):
        lower, upper = (_back(centre, side * z * sigma, name) for side in (-1, 1))
    return Limits(np.where(np.isnan(n), np.nan, centre), sigma, lower, upper)


def chance_outside(
    size: ArrayLike,
    centre_line: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    counts: Literal["binomial", "poisson"],
) -> FloatArray:
    """Chance that a unit whose rate is that of the centre line lies outside its limits.

    Parameters
    ----------
    size : array_like, shape (..., U)
        Births or exposure of each unit.
    centre_line, lower, upper : array_like, broadcastable to (..., U)
        The rate and the limits of rates; a unit on a limit is inside.
    counts : {"binomial", "poisson"}
        Distribution of the events of a unit.

    Returns
    -------
    numpy.ndarray of float, shape (..., U)
        In [0, 1]; NaN where an argument is or size is 0.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``counts`` is not allowed.

    References
    ----------
    .. [1] By definition; no table was found that lists it.

    Examples
    --------
    No event among ten births, where 20 % have it:

    >>> float(chance_outside([10], 0.2, 0.05, 0.95, counts="binomial")[0].round(4))
    0.1074
    """
    given = {"size": size, "centre_line": centre_line, "lower": lower, "upper": upper}
    n, centre, low, high = floats(given)
    binomial = one_of("counts", counts, ("binomial", "poisson")) == "binomial"
    there = (n > 0) & ~np.isnan(centre + low + high)
    n, centre, low, high = (a[there] for a in (n, centre, low, high))
    # A limit on a whole number of events: rounding of the product must not move it.
    few, many = np.ceil((low * n).round(9)) - 1, np.floor((high * n).round(9)) + 1
    at_most, at_least = (
        (binomial_at_most, binomial_at_least) if binomial else (poisson_at_most, poisson_at_least)
    )
    parameter = centre if binomial else centre * n
    chance = np.full(there.shape, np.nan)
    chance[there] = at_most(few, n, parameter) + at_least(many, n, parameter)
    return chance


def _standard_error(n: FloatArray, centre: FloatArray, scale: Scale) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        match scale:
            case "arcsine":
                return np.asarray(1 / (2 * np.sqrt(n)))
            case "sqrt":
                return np.asarray(1 / (2 * np.sqrt(n * centre)))
            case "log":
                return np.asarray(1 / np.sqrt(n * centre))
            case "log-counts":
                return np.asarray(np.sqrt(1 / (n * centre) + 1 / n))
            case "identity":
                return np.asarray(1 / np.sqrt(n))


def _back(centre: FloatArray, away: FloatArray, scale: Scale) -> FloatArray:
    """Turn a distance from the centre line on the scale back into a rate."""
    match scale:
        case "arcsine":
            angle = np.clip(np.arcsin(np.sqrt(centre)) + away, 0, np.pi / 2)
            return np.asarray(np.sin(angle) ** 2)
        case "sqrt":
            return np.asarray(centre * np.maximum(1 + away, 0) ** 2)
        case "log" | "log-counts":
            return np.asarray(centre * np.exp(away))
        case "identity":
            return np.asarray(centre + away)
