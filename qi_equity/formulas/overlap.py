"""Do successive values share births? A check for rolling windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity.formulas._arrays import FloatArray, floats

__all__ = ["successive_difference_ratio"]


def successive_difference_ratio(events: ArrayLike, births: ArrayLike | None = None) -> tuple[float, float]:
    r"""Mean square of successive differences over what independent periods would give, all strata together.

    With :math:`y_t = x_t / n_t`, variance :math:`s_t^2 = \bar p (1 - \bar p) / n_t` (without births
    :math:`y_t = x_t`, :math:`s_t^2 = \bar x`, Poisson) and :math:`v_t = s_t^2 + s_{t-1}^2`:

    .. math:: R = \frac{1}{m} \sum_t (y_t - y_{t-1})^2 / v_t

    R is near 1 for independent periods, near :math:`1 / w` where each value covers the last w periods;
    overdispersion raises it. The chance of so small a value comes from a scaled chi-square with the mean and
    variance of :math:`m R`, in which neighbouring differences share a point.

    Parameters
    ----------
    events : array_like, shape (..., T)
        Events of each period; NaN where not observed.
    births : array_like, shape (..., T), optional
        Births of each period; NaN where not observed.

    Returns
    -------
    ratio, p : float
        R, >= 0, and the one-sided probability in [0, 1] of a ratio so small or smaller under independence;
        NaN and NaN where there is no difference to judge.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] von Neumann, Distribution of the ratio of the mean square successive difference to the variance.
       Ann Math Stat 1941;12:367-395 (the idea, for normal values of unknown variance).

    Examples
    --------
    >>> monthly = [3, 9, 5, 4, 8, 6, 2, 7, 5, 9, 4, 6, 8, 3, 5, 7]
    >>> rolling = [sum(monthly[t:t + 6]) for t in range(11)]
    >>> ratio, p = successive_difference_ratio(rolling)
    >>> ratio < 0.4, p < 0.05
    (True, True)
    """
    if births is None:
        (x,) = floats({"events": events})
        y, s2, fourth = _poisson(x)
    else:
        x, n = floats({"events": events, "births": births})
        y, s2, fourth = _binomial(x, n)
    v = s2[..., 1:] + s2[..., :-1]
    both = v > 0
    m = int(both.sum())
    if m == 0:
        return np.nan, np.nan
    v = np.where(both, v, np.inf)
    total = float(np.where(both, np.diff(y) ** 2 / v, 0).sum())
    shared = both[..., 1:] & both[..., :-1]
    middle = np.where(shared, s2[..., 1:-1], 0)
    together = np.where(shared, 2 * middle**2 + fourth[..., 1:-1], 0) / (v[..., 1:] * v[..., :-1])
    own = np.where(both, fourth[..., 1:] + fourth[..., :-1], 0) / v**2
    variance = 2 * m + float(own.sum()) + 2 * float(together.sum())
    return total / m, float(special.gammainc(m * m / variance, total * m / variance))


def _poisson(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values, their variances and their fourth cumulants; NaN where there is no value."""
    observed = ~np.isnan(x)
    with np.errstate(invalid="ignore"):
        mean = np.where(observed, x, 0).sum(-1, keepdims=True) / observed.sum(-1, keepdims=True)
    s2 = np.where(observed, mean, np.nan)
    return x, s2, s2


def _binomial(x: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values, their variances and their fourth cumulants; NaN where there is no value."""
    observed = ~np.isnan(x) & (n > 0)
    size = np.where(observed, n, np.nan)
    with np.errstate(invalid="ignore"):
        p = np.where(observed, x, 0).sum(-1, keepdims=True) / np.where(observed, n, 0).sum(-1, keepdims=True)
    one = p * (1 - p)
    return x / size, one / size, one * (1 - 6 * one) / size**3
