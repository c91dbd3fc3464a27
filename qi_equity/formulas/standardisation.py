"""Rates as they would be with another case-mix: direct and indirect standardisation.

The last axis is the case-mix: the strata (of age, parity, deprivation, ...) that are weighted or summed.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._interval_parts import tail_of
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.rate_intervals import byar_count_ends

__all__ = ["FEWEST", "direct_rate", "expected_events"]

FEWEST = 10
"""Below this many events OHID gives no directly standardised rate, and this library no Dobson interval."""


def direct_rate(
    events: ArrayLike,
    births: ArrayLike,
    weights: ArrayLike,
    *,
    confidence: float = 0.95,
    interval: Literal["dobson", "gamma"] = "dobson",
) -> Interval:
    r"""Directly standardised rate: what the rate would be with the case-mix of a standard.

    With :math:`w_j` the share of stratum :math:`j` in the standard and :math:`x = \sum_j x_j`:

    .. math::
        y = \sum_j w_j \frac{x_j}{n_j}, \qquad v = \sum_j w_j^2 \frac{x_j}{n_j^2}

    ``dobson``: :math:`y + \sqrt{v / x}\,(x_L - x)` and :math:`y + \sqrt{v / x}\,(x_U - x)`, where
    :math:`x_L, x_U` is Byar's interval of the count :math:`x`. ``gamma``: with
    :math:`k = \max_j w_j / n_j` and :math:`G_a(s)` the quantile :math:`a` of a gamma distribution of
    shape :math:`s` and scale 1,

    .. math::
        \frac{v}{y}\, G_{\alpha/2}\!\left(\frac{y^2}{v}\right), \qquad
        \frac{v + k^2}{y + k}\, G_{1-\alpha/2}\!\left(\frac{(y + k)^2}{v + k^2}\right)

    Parameters
    ----------
    events, births : array_like, shape (..., J)
        Events and births of each stratum of the case-mix; NaN where not observed.
    weights : array_like, broadcastable to (..., J)
        Births of the standard, >= 0; only their proportions matter.
    confidence : float
        Level of confidence, in (0, 1).
    interval : {"dobson", "gamma"}
        ``dobson`` is OHID's; it is not given below 10 events, too few for its approximation. ``gamma`` (Fay
        and Feuer) is given for any number of events, and covers at least as often as it says.

    Returns
    -------
    Interval
        Rates of shape (...,), >= 0, in events a birth. NaN where a stratum that the standard has is without
        births or not observed: no other stratum is put in its place.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, a weight is below 0, infinite or missing, all are 0, or an option is
        not allowed.

    Notes
    -----
    Events are taken to be Poisson, as the sources do. For a common outcome of which each birth has at most
    one (a caesarean birth), the intervals are wider than they need be.

    References
    ----------
    .. [1] Dobson, Kuulasmaa, Eberle & Scherer, Confidence intervals for weighted sums of Poisson parameters.
       Stat Med 1991;10:457-462.
    .. [2] Fay & Feuer, Confidence intervals for directly standardized rates: a method based on the gamma
       distribution. Stat Med 1997;16:791-801.
    .. [3] Breslow & Day, Statistical Methods in Cancer Research, vol. II. IARC 1987, chapter 2 (Byar).

    Examples
    --------
    >>> found = direct_rate([4, 30], [100, 300], [1, 1])
    >>> float(found.estimate.round(3)), float(found.lower.round(4)), float(found.upper.round(4))
    (0.07, 0.0457, 0.1014)
    """
    x, n, w = _checked(events, births, weights)
    tail = tail_of(confidence)
    one_of("interval", interval, ("dobson", "gamma"))
    in_standard = w > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        a = np.where(in_standard, w / np.where(n > 0, n, np.nan), 0)
        total = np.where(in_standard, x, 0).sum(-1)
        # A stratum out of the standard counts for nothing, even where it is not observed.
        y, v = (np.where(in_standard, f * x, 0).sum(-1) for f in (a, a**2))
        if interval == "gamma":
            lower, upper = _gamma(y, v, a.max(-1), tail)
        else:
            lower, upper = _dobson(y, v, total, confidence)
    return Interval(np.asarray(y), lower, upper)


def expected_events(births: ArrayLike, rates: ArrayLike) -> FloatArray:
    r"""Events that there would be at the standard's rate in each stratum (indirect standardisation).

    .. math:: E = \sum_j n_j r_j

    The ratio of the events to these, with an interval, is what
    :func:`~qi_equity.formulas.rate_intervals.ohid_rate_interval` gives of events and expected events.

    Parameters
    ----------
    births : array_like, shape (..., J)
        Births of each stratum of the case-mix; NaN where not observed.
    rates : array_like, broadcastable to (..., J)
        Rates of the standard, >= 0, in events a birth; NaN where the standard has none.

    Returns
    -------
    numpy.ndarray of float, shape (...,)
        Expected events, >= 0; NaN where births are not observed, or the standard has no rate for births that
        there are. A stratum without births adds nothing, whatever its rate.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] Breslow & Day, Statistical Methods in Cancer Research, vol. II. IARC 1987, chapter 2.

    Examples
    --------
    >>> expected_events([[100, 300], [200, 0]], [0.02, 0.05])
    array([17.,  4.])
    """
    n, r = floats({"births": births, "rates": rates})
    return np.asarray(np.where(n == 0, 0, n * r).sum(-1))


def _checked(
    events: ArrayLike, births: ArrayLike, weights: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give events, births and shares of the standard, of one shape."""
    x, n, w = floats({"events": events, "births": births, "weights": weights})
    wrong = w[~(np.isfinite(w) & (w >= 0))]
    if wrong.size:
        raise OptionError(f"weights holds {float(wrong[0])!r}; give the births of the standard, 0 or more.")
    size = w.sum(-1, keepdims=True)
    if (size == 0).any():
        raise OptionError("weights are all 0; give births of the standard in at least one stratum.")
    return x, n, w / size


def _dobson(y: FloatArray, v: FloatArray, x: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    scale = np.sqrt(v / np.where(x >= FEWEST, x, np.nan))
    low, high = byar_count_ends(x, confidence)
    return y + scale * (low - x), y + scale * (high - x)


def _gamma(y: FloatArray, v: FloatArray, k: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    low = v / y * special.gammaincinv(y**2 / v, tail)
    high_v, high_y = v + k**2, y + k
    high = high_v / high_y * special.gammaincinv(high_y**2 / high_v, 1 - tail)
    return np.where(y == 0, 0, low), np.asarray(high)
