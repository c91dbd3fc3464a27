"""Intervals for a difference of two rates, of events that can happen more than once."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._interval_parts import edge, rate_cells, z_of
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.rate_intervals import byar_count_ends, exact_count_ends, mid_p_count_ends

__all__ = ["rate_difference", "score_rate_difference"]

_LIMITS = {"mid-p": mid_p_count_ends, "exact": exact_count_ends, "byar": byar_count_ends}


def rate_difference(
    events: ArrayLike,
    exposure: ArrayLike,
    reference_events: ArrayLike,
    reference_exposure: ArrayLike,
    *,
    limits: Literal["mid-p", "exact", "byar"] = "mid-p",
    confidence: float = 0.95,
) -> Interval:
    r"""Interval for a difference of two rates from the limits of each, as Newcombe's for proportions.

    The method of variance estimates recovery (MOVER); with the limits :math:`l_i, u_i` of each rate
    :math:`r_i`:

    .. math:: r_1 - r_0 - \sqrt{(r_1 - l_1)^2 + (u_0 - r_0)^2}, \qquad
              r_1 - r_0 + \sqrt{(u_1 - r_1)^2 + (r_0 - l_0)^2}

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events of the group, and what they are counted over; NaN where not known.
    reference_events, reference_exposure : array_like, shape (...)
        The same of the reference.
    limits : {"mid-p", "exact", "byar"}
        Which limits of each rate.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` (group less reference), ``lower, upper``, each of shape (...), events per unit of
        exposure. NaN where either has no exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite, or ``limits`` or ``confidence`` is not allowed.

    References
    ----------
    .. [1] Zou, Donner. Construction of confidence limits about effect measures: a general approach.
       Statistics in Medicine 2008;27:1693-702.

    Examples
    --------
    >>> interval = rate_difference([0, 6], 1000, 40, 5000)
    >>> interval.lower.round(4).tolist(), interval.upper.round(4).tolist()
    ([-0.0108, -0.0065], [-0.0043, 0.0048])
    """
    x, e, x0, e0 = _cells(events, exposure, reference_events, reference_exposure)
    ends = _LIMITS[one_of("limits", limits, tuple(_LIMITS))]
    lower, upper = (end / e for end in ends(x, confidence))
    lower0, upper0 = (end / e0 for end in ends(x0, confidence))
    r, r0 = x / e, x0 / e0
    below, above = np.hypot(r - lower, upper0 - r0), np.hypot(upper - r, r0 - lower0)
    return Interval(r - r0, r - r0 - below, r - r0 + above)


def score_rate_difference(
    events: ArrayLike,
    exposure: ArrayLike,
    reference_events: ArrayLike,
    reference_exposure: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Miettinen-Nurminen score interval for a difference of two rates.

    The differences :math:`\delta` that the score test does not reject, with :math:`\tilde r_i` the rates that
    make the counts likeliest among those with :math:`\tilde r_1 - \tilde r_0 = \delta`:

    .. math:: (\hat r_1 - \hat r_0 - \delta)^2 \le z^2 (\tilde r_1 / e_1 + \tilde r_0 / e_0)

    Parameters
    ----------
    events, exposure : array_like, shape (...)
        Events of the group, and what they are counted over; NaN where not known.
    reference_events, reference_exposure : array_like, shape (...)
        The same of the reference.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` (group less reference), ``lower, upper``, each of shape (...), events per unit of
        exposure. NaN where either has no exposure.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is negative or infinite, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Miettinen, Nurminen. Comparative analysis of two rates. Statistics in Medicine 1985;4:213-26.

    Examples
    --------
    >>> interval = score_rate_difference([0, 6], 1000, 40, 5000)
    >>> interval.lower.round(4).tolist(), interval.upper.round(4).tolist()
    ([-0.0109, -0.0064], [-0.0042, 0.0053])
    """
    x, e, x0, e0 = _cells(events, exposure, reference_events, reference_exposure)
    wanted = z_of(confidence) ** 2
    lower, upper = _score_end(x, e, x0, e0, wanted), -_score_end(x0, e0, x, e, wanted)
    return Interval(x / e - x0 / e0, lower, upper)


def _cells(*counts: ArrayLike) -> tuple[FloatArray, ...]:
    names = ("events", "exposure", "reference_events", "reference_exposure")
    return rate_cells(dict(zip(names, counts, strict=True)))


def _score_end(x: FloatArray, e: FloatArray, x0: FloatArray, e0: FloatArray, wanted: float) -> FloatArray:
    """Give the lower end of the score interval, from the multiplier of the constraint.

    The likelihood equations are x - e r = k r for the group and x0 - e0 r0 = -k r0 for the reference, with
    one k in (0, e0) for the lower end; the squared score is k^2 times the variance. A reference without an
    event keeps the rate 0 until k has reached e0 and its rate is free.
    """

    def beyond(pull: FloatArray) -> FloatArray:
        variance = x / (e * (e + pull)) + x0 / (e0 * (e0 - pull))
        return np.asarray(pull**2 * variance - wanted)

    pull = edge(np.zeros(x.shape), e0, beyond)
    free = np.maximum(wanted / e0 - e0 * x / (e * (e + e0)), 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate0 = np.where(x0 > 0, x0 / (e0 - pull), np.where(pull == e0, free, 0.0))
    return np.asarray(x / (e + pull) - rate0)
