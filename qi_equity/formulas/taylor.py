"""Taylor's I' chart: individuals whose precision varies with their denominators."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, one_of
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats, mask
from qi_equity.formulas._pooling import positive
from qi_equity.formulas._ranges import at, mean_along, neighbour, preset, typical_range
from qi_equity.formulas.limits import Limits

__all__ = ["ip_limits"]


def ip_limits(
    values: ArrayLike,
    sizes: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    spread: Literal["mean", "screened"] = "mean",
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of Taylor's I' chart (normalised individuals).

    An individuals chart that gives each point the weight of its denominator :math:`n_t`, for proportions,
    rates and means alike. With s the period before t in the baseline,

    .. math::
        \bar y = \frac{\sum_{t \in B} n_t y_t}{\sum_{t \in B} n_t}, \qquad
        s_t = \sqrt{\frac{\pi}{2}} \frac{|y_t - y_s|}{\sqrt{1 / n_t + 1 / n_s}}, \qquad
        \bar y \pm k \frac{\bar s}{\sqrt{n_t}}

    Parameters
    ----------
    values : array_like, shape (..., T)
        Proportions, rates or means in time order; NaN where not observed.
    sizes : array_like, broadcastable to (..., T)
        What each is taken over (births, exposure, subgroup size), > 0; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line and the ranges; leaving one out makes its neighbours consecutive.
        Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        Used in place of the weighted mean; the ranges still come from ``baseline``.
    spread : {"mean", "screened"}
        ``"screened"`` leaves out, once, every :math:`s_t` of :math:`D_4 = 3.2665` times the mean or more.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), in the unit of the points, not clipped
        (a proportion may have limits below 0 or above 1). Where the size is 0 or missing the limits are NaN;
        fewer than two neighbouring points give none. In a constant series the limits lie on the centre
        line.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together or an option is not one of those above.

    References
    ----------
    .. [1] Taylor, Normalized individuals (IN) control chart. Variation.com, 2018 (as computed by qicharts2;
       the text itself was not seen).

    Examples
    --------
    >>> limits = ip_limits([0.10, 0.20, 0.15], [100, 100, 400])
    >>> float(limits.centre_line[0]), float(limits.upper.round(4)[0]), float(limits.upper.round(4)[2])
    (0.15, 0.367, 0.2585)
    """
    y, n = floats({"values": values, "sizes": sizes})
    n, used = positive(n), mask("baseline", baseline, y.shape)
    k, how = number("nsigma", nsigma, above=0), one_of("spread", spread, ("mean", "screened"))
    given = mean_along(np.where(used, y, np.nan), n) if centre_line is None else centre_line
    centre = floats({"centre_line": given, "values": y})[0].copy()
    screen = preset("exact").screen if how == "screened" else math.inf
    sigma = typical_range(_normalised(y, n, used), screen) / np.sqrt(n)
    return Limits(centre, sigma, centre - k * sigma, centre + k * sigma)


def _normalised(y: FloatArray, n: FloatArray, used: BoolArray) -> FloatArray:
    """Estimate the standard deviation of a single birth from each range."""
    place = neighbour(used)
    return math.sqrt(math.pi / 2) * np.abs(y - at(y, place)) / np.sqrt(1 / n + 1 / at(n, place))
