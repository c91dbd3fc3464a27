"""Exponentially weighted moving averages, and their limits with exact starting variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas.limits import Limits

__all__ = ["ewma", "ewma_limits"]


def ewma(values: ArrayLike, centre_line: ArrayLike, *, weight: float = 0.2) -> FloatArray:
    r"""Exponentially weighted moving average of the points, which starts from the centre line.

    .. math:: z_t = w y_t + (1 - w) z_{t-1}, \qquad z_0 = \text{centre line}

    It is reckoned as the average of the distances from the centre line, so that a centre line that varies
    along time is followed. A missing point leaves the average as it was; the weight of the next point is no
    larger for the gap.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    centre_line : array_like, broadcastable to (..., T)
        Where the points are expected to lie, in their unit.
    weight : float
        Weight :math:`w` of the newest point, in (0, 1]. Smaller weights find smaller shifts; 1 gives the
        points themselves.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        The average, in the unit of the points; NaN where a point or its centre line is missing.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``weight`` is not within (0, 1].

    References
    ----------
    .. [1] Roberts, Control chart tests based on geometric moving averages. Technometrics 1959;1:239-250.
    .. [2] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 9.2.

    Examples
    --------
    >>> ewma([10, 12, float("nan"), 12], 10, weight=0.5)
    array([10. , 11. ,  nan, 11.5])
    """
    y, centre = floats({"values": values, "centre_line": centre_line})
    w = number("weight", weight, above=0, at_most=1)
    away = y - centre
    moved = np.zeros(y.shape[:-1])
    for t in range(y.shape[-1]):
        now = away[..., t]
        seen = ~np.isnan(now)
        np.add(moved, w * (now - moved), out=moved, where=seen)
        np.add(centre[..., t], moved, out=now, where=seen)
    return away


def ewma_limits(
    values: ArrayLike,
    centre_line: ArrayLike,
    sigma: ArrayLike,
    *,
    weight: float = 0.2,
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of an exponentially weighted moving average, exact from the first point on.

    Every point brings its own standard error, so proportions and counts over varying denominators have exact
    limits too:

    .. math::
        \mathrm{Var}(z_t) = w^2 \sigma_t^2 + (1 - w)^2 \mathrm{Var}(z_{t-1}), \qquad \mathrm{Var}(z_0) = 0

    With one :math:`\sigma` for all points this is
    :math:`\sigma^2 \frac{w}{2 - w} \left( 1 - (1 - w)^{2t} \right)`.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed. Only which of them are missing matters.
    centre_line : array_like, broadcastable to (..., T)
        Centre line of the chart of the points (:func:`~qi_equity.formulas.individuals.i_limits`,
        :func:`~qi_equity.formulas.attributes.p_limits` and so on), in their unit.
    sigma : array_like, broadcastable to (..., T)
        Standard error of each point, from the same chart, >= 0.
    weight : float
        Weight :math:`w` of the newest point, in (0, 1].
    nsigma : float
        Half-width of the limits in standard errors of the average, > 0.

    Returns
    -------
    Limits
        ``centre_line`` as given, ``sigma`` the standard error of the average, ``lower`` and ``upper``, each
        of shape (..., T), in the unit of the points, not clipped. All but the centre line are NaN where a
        point is missing, and the variance is carried on past it; from a point of unknown ``sigma`` on they
        stay NaN.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, ``weight`` is not within (0, 1] or ``nsigma`` not above 0.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 9.2.1; the recursion is
       its derivation without the assumption of one variance.

    Examples
    --------
    >>> limits = ewma_limits([10, 12, 11], 10, 1, weight=0.1, nsigma=2.7)
    >>> limits.upper.round(4)
    array([10.27  , 10.3632, 10.424 ])
    """
    y, centre, one = floats({"values": values, "centre_line": centre_line, "sigma": sigma})
    w, k = number("weight", weight, above=0, at_most=1), number("nsigma", nsigma, above=0)
    seen = ~np.isnan(y)
    error = np.where(seen, w * one, np.nan)
    variance = np.zeros(y.shape[:-1])
    for t in range(y.shape[-1]):
        now = error[..., t]
        np.add(now * now, (1 - w) ** 2 * variance, out=variance, where=seen[..., t])
        np.sqrt(variance, out=now, where=seen[..., t])
    return Limits(centre.copy(), error, centre - k * error, centre + k * error)
