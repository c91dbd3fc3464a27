"""Overdispersion of standardised values: winsorising, truncating, and both published estimates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number
from qi_equity.formulas._arrays import FloatArray, floats

__all__ = ["between_variance", "dispersion", "truncated", "winsorised"]


def winsorised(z: ArrayLike, *, share: float = 0.1) -> FloatArray:
    r"""Pull the outermost standardised values in to the quantiles.

    Values below the quantile :math:`q` of the set, or above :math:`1 - q`, are replaced by that quantile, so
    that a few units far out do not set the dispersion by which they are judged. Quantiles are interpolated
    linearly between order statistics (type 7 of Hyndman and Fan).

    Parameters
    ----------
    z : array_like, shape (..., U)
        Standardised values of the U units of each set; NaN where there is none.
    share : float
        The share :math:`q` at either end, in [0, 0.5).

    Returns
    -------
    numpy.ndarray of float, shape (..., U)
        The values pulled in; NaN stays NaN.

    Raises
    ------
    InputTypeError
        If ``z`` or ``share`` does not hold numbers.
    OptionError
        If ``share`` is not within [0, 0.5).

    References
    ----------
    .. [1] Spiegelhalter. Handling over-dispersion of performance indicators. Qual Saf Health Care
       2005;14:347-351.

    Examples
    --------
    >>> winsorised([-9, -1, 0, 1, 2], share=0.25).tolist()
    [-1.0, -1.0, 0.0, 1.0, 1.0]
    """
    (z,) = floats({"z": z})
    q = number("share", share, at_least=0, below=0.5)
    return np.clip(z, _quantile(z, q), _quantile(z, 1 - q))


def truncated(z: ArrayLike, *, share: float = 0.1) -> FloatArray:
    r"""Leave out the outermost standardised values.

    The units of each set are ranked (ties share the mean rank) and dealt into :math:`K = 1 / q` classes, the
    class of rank r of N being :math:`\lfloor r K / (N + 1) \rfloor`; the first and the last class are left
    out. This is the rule of NHS England's SHMI.

    Parameters
    ----------
    z : array_like, shape (..., U)
        Standardised values of the U units of each set; NaN where there is none.
    share : float
        The share :math:`q` at either end, in (0, 0.5).

    Returns
    -------
    numpy.ndarray of float, shape (..., U)
        The values kept; NaN in place of those left out.

    Raises
    ------
    InputTypeError
        If ``z`` or ``share`` does not hold numbers.
    OptionError
        If ``share`` is not within (0, 0.5).

    References
    ----------
    .. [1] NHS England. Summary Hospital-level Mortality Indicator: methodology, section on overdispersion.

    Examples
    --------
    >>> truncated([-9, -1, 0, 1, 2], share=0.25).tolist()
    [nan, -1.0, 0.0, 1.0, nan]
    """
    (z,) = floats({"z": z})
    q = number("share", share, above=0, below=0.5)
    classes = np.floor(_mean_rank(z) * (1 / q) / (_count(z) + 1))
    return np.where((classes > 0) & (classes < 1 / q - 1), z, np.nan)


def dispersion(z: ArrayLike) -> FloatArray:
    r"""Multiplicative overdispersion: the mean square of the standardised values.

    .. math:: \hat\phi = \frac{1}{N} \sum_i z_i^2

    About 1 when nothing but chance is at work; winsorised or truncated values give less.

    Parameters
    ----------
    z : array_like, shape (..., U)
        Standardised values, as a rule winsorised; NaN where there is none.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        :math:`\hat\phi`, >= 0; NaN for a set without values, and where a value is infinite.

    Raises
    ------
    InputTypeError
        If ``z`` does not hold numbers.

    References
    ----------
    .. [1] Spiegelhalter. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185-1202.

    Examples
    --------
    >>> float(dispersion([1.0, -2.0, 1.0]))
    2.0
    """
    (z,) = floats({"z": z})
    z = np.where(np.isfinite(z) | np.isnan(z), z, np.inf)
    with np.errstate(invalid="ignore"):
        phi = np.nansum(z * z, axis=-1) / _count(z)[..., 0]
    return np.where(np.isfinite(phi), phi, np.nan)


def between_variance(z: ArrayLike, standard_error: ArrayLike) -> FloatArray:
    r"""Additive overdispersion: the variance between units, by the method of moments.

    .. math::
        \hat\tau^2 = \max\left(0, \frac{N \hat\phi - (N - 1)}{\sum_i w_i - \sum_i w_i^2 / \sum_i w_i}\right),
        \qquad w_i = 1 / s_i^2

    Parameters
    ----------
    z : array_like, shape (..., U)
        Standardised values, as a rule winsorised; NaN where there is none or it was left out.
    standard_error : array_like, shape (..., U)
        The standard error :math:`s_i` by which each was divided, > 0, on the scale of the values.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        :math:`\hat\tau^2`, >= 0, the square of the unit of ``standard_error``; NaN with fewer than two values
        and where one is infinite.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If the shapes do not fit together.

    References
    ----------
    .. [1] DerSimonian, Laird. Meta-analysis in clinical trials. Control Clin Trials 1986;7:177-188.
    .. [2] Spiegelhalter. Handling over-dispersion of performance indicators. Qual Saf Health Care
       2005;14:347-351.

    Examples
    --------
    >>> float(between_variance([3.0, -3.0, 3.0, -3.0], [0.1, 0.1, 0.1, 0.1]).round(4))
    0.11
    """
    z, s = floats({"z": z, "standard_error": standard_error})
    used = ~np.isnan(z)
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.where(used, 1 / s**2, 0)
        n = np.count_nonzero(used, axis=-1)
        spread = w.sum(-1) - (w**2).sum(-1) / w.sum(-1)
        tau2 = np.maximum((n * dispersion(z) - (n - 1)) / spread, 0)
    return np.where(n > 1, tau2, np.nan)


def _count(z: FloatArray) -> FloatArray:
    """Values that are there, shape (..., 1)."""
    return np.count_nonzero(~np.isnan(z), axis=-1, keepdims=True).astype(np.float64)


def _quantile(z: FloatArray, q: float) -> FloatArray:
    """Quantile of each set by linear interpolation (type 7), shape (..., 1); NaN for an empty set."""
    ordered = np.sort(z, axis=-1)
    place = np.maximum(_count(z) - 1, 0) * q
    below = np.floor(place).astype(np.intp)
    above = np.ceil(place).astype(np.intp)
    low, high = (np.take_along_axis(ordered, at, axis=-1) for at in (below, above))
    with np.errstate(invalid="ignore"):
        return np.where(low == high, low, low + (place - below) * (high - low))


def _mean_rank(z: FloatArray) -> FloatArray:
    """Rank of each value in its set, from 1; ties share the mean of their ranks, NaN comes last."""
    order = np.argsort(z, axis=-1)
    ordered = np.take_along_axis(z, order, axis=-1)
    places = np.broadcast_to(np.arange(z.shape[-1]), z.shape)
    starts = np.concatenate(
        [np.ones((*z.shape[:-1], 1), dtype=np.bool_), ordered[..., 1:] != ordered[..., :-1]], axis=-1
    )
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=-1)
    ends = np.concatenate([starts[..., 1:], np.ones((*z.shape[:-1], 1), dtype=np.bool_)], axis=-1)
    last = np.minimum.accumulate(np.where(ends, places, z.shape[-1])[..., ::-1], axis=-1)[..., ::-1]
    rank = np.empty(z.shape)
    np.put_along_axis(rank, order, (first + last) / 2 + 1, axis=-1)
    return rank
