"""Intervals for one mean, for the difference of two means and for their ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._interval_parts import tail_of
from qi_equity.formulas.interval import Interval

__all__ = ["mean_difference", "mean_interval", "mean_ratio"]


def mean_interval(mean: ArrayLike, sd: ArrayLike, size: ArrayLike, *, confidence: float = 0.95) -> Interval:
    r"""Student's t interval for a mean.

    .. math:: \bar y \mp t_{1 - \alpha/2}(n - 1) \, s / \sqrt{n}

    Parameters
    ----------
    mean, sd, size : array_like, shape (...)
        Mean, standard deviation (with n - 1) and number of the measurements; NaN where not known.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate, lower, upper``, each of shape (...), in the unit of the measurements. The ends are NaN
        with fewer than two measurements or without a standard deviation.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If ``sd`` or ``size`` is negative, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Student. The probable error of a mean. Biometrika 1908;6:1-25.

    Examples
    --------
    >>> interval = mean_interval([3352.7], [565.7], [29])
    >>> interval.lower.round(1).tolist(), interval.upper.round(1).tolist()
    ([3137.5], [3567.9])
    """
    y, s, n = mean_cells({"mean": mean, "sd": sd, "size": size})
    half = _t(tail_of(confidence), n - 1) * s / np.sqrt(n)
    return Interval(y, y - half, y + half)


def mean_difference(
    mean: ArrayLike,
    sd: ArrayLike,
    size: ArrayLike,
    reference_mean: ArrayLike,
    reference_sd: ArrayLike,
    reference_size: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Welch's t interval for a difference of two means, whose standard deviations may differ.

    .. math:: \bar y_1 - \bar y_0 \mp t_{1 - \alpha/2}(\nu) \sqrt{v_1 + v_0}, \qquad v_i = s_i^2 / n_i, \qquad
              \nu = \frac{(v_1 + v_0)^2}{v_1^2 / (n_1 - 1) + v_0^2 / (n_0 - 1)}

    Parameters
    ----------
    mean, sd, size : array_like, shape (...)
        Mean, standard deviation and number of the measurements of the group; NaN where not known.
    reference_mean, reference_sd, reference_size : array_like, shape (...)
        The same of the reference.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` (group less reference), ``lower, upper``, each of shape (...), in the unit of the
        measurements. The ends are NaN where either has fewer than two measurements.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a standard deviation or size is negative, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Welch. The generalization of Student's problem when several different population variances are
       involved. Biometrika 1947;34:28-35.

    Examples
    --------
    >>> interval = mean_difference([52.0], [8.0], [20], [45.0], [12.0], [60])
    >>> float(interval.estimate[0]), interval.lower.round(2).tolist(), interval.upper.round(2).tolist()
    (7.0, [2.25], [11.75])
    """
    y, s, n = mean_cells({"mean": mean, "sd": sd, "size": size})
    reference = {"reference_mean": reference_mean, "reference_sd": reference_sd}
    y0, s0, n0 = mean_cells({**reference, "reference_size": reference_size})
    v, v0 = _variance(s, n), _variance(s0, n0)
    half = _t(tail_of(confidence), _degrees(v, n, v0, n0)) * np.sqrt(v + v0)
    return Interval(y - y0, y - y0 - half, y - y0 + half)


def mean_ratio(
    mean: ArrayLike,
    sd: ArrayLike,
    size: ArrayLike,
    reference_mean: ArrayLike,
    reference_sd: ArrayLike,
    reference_size: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    r"""Fieller's interval for a ratio of two means, whose standard deviations may differ.

    The ratios :math:`\theta` that the data allow, with :math:`v_i = s_i^2 / n_i`:

    .. math:: (\bar y_1 - \theta \bar y_0)^2 \le t_{1 - \alpha/2}(\nu)^2 (v_1 + \theta^2 v_0)

    The degrees of freedom are Satterthwaite's at the estimated ratio, as for Welch's interval.

    Parameters
    ----------
    mean, sd, size : array_like, shape (...)
        Mean, standard deviation and number of the measurements of the group; NaN where not known.
    reference_mean, reference_sd, reference_size : array_like, shape (...)
        The same of the reference.
    confidence : float
        Level of confidence, in (0, 1).

    Returns
    -------
    Interval
        ``estimate`` (group over reference), ``lower, upper``, each of shape (...). Where the mean of the
        reference may be 0 the data set no bound: the ends are infinite. They are NaN where either has fewer
        than two measurements; all are NaN where the mean of the reference is 0.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a standard deviation or size is negative, or ``confidence`` is not within (0, 1).

    References
    ----------
    .. [1] Fieller. Some problems in interval estimation. Journal of the Royal Statistical Society B
       1954;16:175-85.
    .. [2] Satterthwaite. An approximate distribution of estimates of variance components. Biometrics
       Bulletin 1946;2:110-4.

    Examples
    --------
    >>> interval = mean_ratio([52.0], [8.0], [20], [45.0], [12.0], [60])
    >>> [float(end[0].round(3)) for end in (interval.estimate, interval.lower, interval.upper)]
    [1.156, 1.048, 1.274]
    """
    y, s, n = mean_cells({"mean": mean, "sd": sd, "size": size})
    reference = {"reference_mean": reference_mean, "reference_sd": reference_sd}
    y0, s0, n0 = mean_cells({**reference, "reference_size": reference_size})
    some = np.where(y0 == 0, np.nan, y0)
    ratio, v, v0 = y / some, _variance(s, n), _variance(s0, n0)
    squared_t = _t(tail_of(confidence), _degrees(y0**2 * v, n, y**2 * v0, n0)) ** 2
    lower, upper = _fieller(y, some, squared_t * v, squared_t * v0)
    return Interval(ratio, lower, upper)


def _fieller(y: FloatArray, y0: FloatArray, w: FloatArray, w0: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Roots of (y - r y0)^2 = w + r^2 w0; infinite where the allowed ratios have no ends."""
    leading = y0**2 - w0
    bounded = leading > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.sqrt(np.maximum(y**2 * w0 + y0**2 * w - w * w0, 0))
        lower, upper = ((y * y0 + sign * half) / leading for sign in (-1, 1))
    known = ~np.isnan(w + w0 + y + y0)
    ends = np.where(bounded, lower, -np.inf), np.where(bounded, upper, np.inf)
    return np.where(known, ends[0], np.nan), np.where(known, ends[1], np.nan)


def mean_cells(arguments: dict[str, ArrayLike]) -> tuple[FloatArray, ...]:
    """Check mean, standard deviation and size; nothing is known of a mean without measurements."""
    names = tuple(arguments)
    mean, sd, size = floats(arguments)
    for name, array in zip(names[1:], (sd, size), strict=True):
        wrong = array[(array < 0) | np.isinf(array)]
        if wrong.size:
            raise OptionError(
                f"{name} holds {float(wrong[0])!r}; give finite numbers of 0 or more, NaN where not known."
            )
    return np.where(size > 0, mean, np.nan), sd, np.where(size > 0, size, np.nan)


def _variance(sd: FloatArray, size: FloatArray) -> FloatArray:
    """Variance of a mean; not known of fewer than two measurements."""
    return np.where(size > 1, sd**2 / size, np.nan)


def _degrees(v: FloatArray, n: FloatArray, v0: FloatArray, n0: FloatArray) -> FloatArray:
    """Satterthwaite's degrees of freedom; measurements without any spread count as a normal sample."""
    parts = v**2 / (n - 1) + v0**2 / (n0 - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(parts == 0, n + n0 - 2, (v + v0) ** 2 / parts))


def _t(tail: float, degrees: FloatArray) -> FloatArray:
    """Upper quantile of Student's t; NaN without a degree of freedom."""
    return np.asarray(-special.stdtrit(np.where(degrees > 0, degrees, np.nan), tail), dtype=np.float64)
