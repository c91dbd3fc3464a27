"""Charts of subgroups of measurements: means (x-bar), standard deviations (s) and ranges (r)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats, mask
from qi_equity.formulas._normal_range import range_moments
from qi_equity.formulas._pooling import positive
from qi_equity.formulas._ranges import mean_along
from qi_equity.formulas.limits import Limits

__all__ = ["c4", "d2", "d3", "r_limits", "s_limits", "xbar_limits"]

_LARGEST = 1_000_000
_SERIES_ABOVE = 100


def c4(n: ArrayLike) -> FloatArray:
    r"""Mean of the standard deviation of n standard normal values.

    .. math:: c_4(n) = \sqrt{2 / (n - 1)} \, \Gamma(n / 2) / \Gamma((n - 1) / 2)

    Parameters
    ----------
    n : array_like
        Sizes of subgroups, whole numbers.

    Returns
    -------
    numpy.ndarray of float, shape of n
        In (0, 1); NaN for sizes below 2.

    Raises
    ------
    InputTypeError
        If n does not hold numbers.
    OptionError
        If a size is fractional or above 1,000,000.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., appendix VI.

    Examples
    --------
    >>> c4([2, 5, 25]).round(6)
    array([0.797885, 0.939986, 0.98964 ])
    """
    return _by_size(_c4, "n", n)


def d2(n: ArrayLike) -> FloatArray:
    r"""Mean of the range of n standard normal values.

    .. math:: d_2(n) = \int_{-\infty}^\infty 1 - \Phi(x)^n - (1 - \Phi(x))^n \, dx

    Parameters
    ----------
    n : array_like
        Sizes of subgroups, whole numbers.

    Returns
    -------
    numpy.ndarray of float, shape of n
        Above 0, to 12 digits; NaN for sizes below 2.

    Raises
    ------
    InputTypeError
        If n does not hold numbers.
    OptionError
        If a size is fractional or above 1,000,000.

    References
    ----------
    .. [1] Tippett, On the extreme individuals and the range of samples taken from a normal population.
       Biometrika 1925;17:364-387.

    Examples
    --------
    >>> d2([2, 5, 25]).round(5)
    array([1.12838, 2.32593, 3.93063])
    """
    return _by_size(_d2, "n", n)


def d3(n: ArrayLike) -> FloatArray:
    r"""Return the standard deviation of the range of n standard normal values.

    Parameters
    ----------
    n : array_like
        Sizes of subgroups, whole numbers.

    Returns
    -------
    numpy.ndarray of float, shape of n
        Above 0, to 11 digits; NaN for sizes below 2.

    Raises
    ------
    InputTypeError
        If n does not hold numbers.
    OptionError
        If a size is fractional or above 1,000,000.

    References
    ----------
    .. [1] Tippett, On the extreme individuals and the range of samples taken from a normal population.
       Biometrika 1925;17:364-387.

    Examples
    --------
    >>> d3([2, 5, 25]).round(5)
    array([0.8525 , 0.86408, 0.70844])
    """
    return _by_size(_d3, "n", n)


def xbar_limits(
    means: ArrayLike,
    sizes: ArrayLike,
    *,
    sds: ArrayLike | None = None,
    ranges: ArrayLike | None = None,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of an x-bar chart, for means of subgroups of any sizes.

    .. math::
        \bar{\bar x} = \frac{\sum_{t \in B} n_t \bar x_t}{\sum_{t \in B} n_t}, \qquad
        \bar{\bar x} \pm k \frac{\hat\sigma_t}{\sqrt{n_t}}

    From standard deviations, :math:`\hat\sigma_t = \bar s / c_4(n_t)` with :math:`\bar s` as in
    :func:`s_limits`; from ranges, :math:`\hat\sigma` as in :func:`r_limits`.

    Parameters
    ----------
    means : array_like, shape (..., T)
        Mean of each subgroup; NaN where not observed.
    sizes : array_like, broadcastable to (..., T)
        Values in each subgroup, whole numbers; NaN where not observed.
    sds, ranges : array_like, broadcastable to (..., T)
        Standard deviation (with n - 1) or range of each subgroup, one of the two; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Subgroups that set centre line and sigma. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        Used in place of the weighted mean; sigma still comes from ``baseline``.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), in the unit of the values, not clipped.
        ``sigma`` is the standard error of each mean. From standard deviations, subgroups of one value have no
        limits (NaN); where the size is 0 or missing there are none either.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If not exactly one of ``sds`` and ``ranges`` is given, shapes do not fit together, sizes are
        fractional or ``nsigma`` is not above 0.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., sections 6.2 and 6.3.

    Examples
    --------
    >>> limits = xbar_limits([30.0, 34.0, 32.0], [5, 5, 5], sds=[4.0, 6.0, 5.0])
    >>> float(limits.centre_line[0]), float(limits.upper[0].round(3))
    (32.0, 39.136)
    """
    if sds is not None and ranges is None:
        spread = {"sds": sds}
    elif ranges is not None and sds is None:
        spread = {"ranges": ranges}
    else:
        raise OptionError("Give either sds= or ranges=, the one that is known of the subgroups.")
    y, n, within = floats({"means": means, "sizes": sizes, **spread})
    used, k = mask("baseline", baseline, y.shape), number("nsigma", nsigma, above=0)
    size = positive(n)
    line = mean_along(np.where(used, y, np.nan), size) if centre_line is None else centre_line
    centre = floats({"centre_line": line, "means": y})[0].copy()
    if sds is None:
        one = mean_along(np.where(used, within / _by_size(_d2, "sizes", n), np.nan))
    else:
        one = _typical_sd(within, n, used) / _by_size(_c4, "sizes", n)
    sigma = one / np.sqrt(size)
    return Limits(centre, sigma, centre - k * sigma, centre + k * sigma)


def s_limits(
    sds: ArrayLike,
    sizes: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of an s chart, for standard deviations of subgroups.

    .. math:: \bar s \pm k \bar s \sqrt{1 - c_4(n_t)^2} / c_4(n_t)

    :math:`\bar s` is the mean standard deviation of the baseline when its subgroups are of one size; when
    their sizes vary it is the pooled one, :math:`\sqrt{\sum (n_t - 1) s_t^2 / \sum (n_t - 1)}`.

    Parameters
    ----------
    sds : array_like, shape (..., T)
        Standard deviation (with n - 1) of each subgroup; NaN where not observed.
    sizes : array_like, broadcastable to (..., T)
        Values in each subgroup, whole numbers; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Subgroups that set the centre line. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        A standard deviation to use in place of :math:`\bar s`; ``baseline`` is then not used.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), in the unit of the values, >= 0. The
        lower limit is clipped at 0 (with three standard errors it is 0 for up to five values), ``sigma``, the
        standard error of each standard deviation, is not. Where the size is below 2 or missing the limits are
        NaN.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, sizes are fractional or ``nsigma`` is not above 0.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.3.

    Examples
    --------
    >>> limits = s_limits([4.0, 6.0, 5.0], [5, 5, 5])
    >>> float(limits.centre_line[0]), float(limits.lower[0]), float(limits.upper[0].round(3))
    (5.0, 0.0, 10.445)
    """
    s, n = floats({"sds": sds, "sizes": sizes})
    used, k = mask("baseline", baseline, s.shape), number("nsigma", nsigma, above=0)
    given = _typical_sd(s, n, used) if centre_line is None else centre_line
    centre = floats({"centre_line": given, "sds": s})[0].copy()
    sigma = centre * _by_size(_relative_error_of_sd, "sizes", n)
    return Limits(centre, sigma, np.maximum(centre - k * sigma, 0), centre + k * sigma)


def r_limits(
    ranges: ArrayLike,
    sizes: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of an R chart, for ranges of subgroups.

    A larger subgroup has a longer range, so the centre line follows the size:

    .. math::
        \hat\sigma = \frac{1}{|B|} \sum_{t \in B} \frac{R_t}{d_2(n_t)}, \qquad
        d_2(n_t) \hat\sigma \pm k d_3(n_t) \hat\sigma

    With one size throughout this is :math:`\bar R`, with limits :math:`D_3 \bar R` and :math:`D_4 \bar R`.

    Parameters
    ----------
    ranges : array_like, shape (..., T)
        Largest minus smallest value of each subgroup; NaN where not observed.
    sizes : array_like, broadcastable to (..., T)
        Values in each subgroup, whole numbers; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Subgroups that set sigma. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        Mean ranges to use in place of :math:`d_2(n_t) \hat\sigma`; ``baseline`` is then not used.
    nsigma : float
        Half-width of the limits in standard errors, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), in the unit of the values, >= 0. The
        lower limit is clipped at 0 (with three standard errors it is 0 for up to six values), ``sigma``, the
        standard error of each range, is not. Where the size is below 2 or missing all four are NaN.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together, sizes are fractional or ``nsigma`` is not above 0.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.2.
    .. [2] Burr, Control charts for measurements with varying sample sizes. J Qual Technol 1969;1:163-167
       (varying sizes; the paper itself was not seen).

    Examples
    --------
    >>> limits = r_limits([4.0, 6.0, 5.0], [5, 5, 5])
    >>> float(limits.centre_line[0]), float(limits.lower[0]), float(limits.upper[0].round(3))
    (5.0, 0.0, 10.572)
    """
    r, n = floats({"ranges": ranges, "sizes": sizes})
    used, k = mask("baseline", baseline, r.shape), number("nsigma", nsigma, above=0)
    given = _mean_ranges(r, n, used) if centre_line is None else centre_line
    centre = floats({"centre_line": given, "ranges": r})[0].copy()
    sigma = centre * _by_size(_relative_error_of_range, "sizes", n)
    return Limits(centre, sigma, np.maximum(centre - k * sigma, 0), centre + k * sigma)


def _typical_sd(s: FloatArray, n: FloatArray, used: BoolArray) -> FloatArray:
    """Mean standard deviation of subgroups of one size, else the pooled one, shape (..., 1)."""
    # A single value has no standard deviation, but makes the sizes vary.
    some = used & ((n == 1) | ((n >= 2) & ~np.isnan(s)))
    shortest, longest = np.where(some, n, np.inf).min(-1), np.where(some, n, -np.inf).max(-1)
    kept = np.where(some, s, np.nan)
    pooled = np.sqrt(mean_along(kept**2, n - 1))
    return np.where((longest > shortest)[..., None], pooled, mean_along(kept))


def _mean_ranges(r: FloatArray, n: FloatArray, used: BoolArray) -> FloatArray:
    """Give the mean range to expect of each size; exactly the mean where they are of one size."""
    relative = _by_size(_d2, "sizes", n)
    largest = positive(np.where(used & (n >= 2), relative, 0).max(-1, keepdims=True))
    relative /= largest
    return relative * mean_along(np.where(used, r / relative, np.nan))


def _by_size(constant: Callable[[FloatArray], FloatArray], name: str, n: ArrayLike) -> FloatArray:
    """Compute a constant once for each size there is; NaN for sizes below 2."""
    (size,) = floats({name: n})
    distinct = np.unique(size[~np.isnan(size)])
    wrong = distinct[(distinct != np.floor(distinct)) | (distinct > _LARGEST)]
    if wrong.size:
        raise OptionError(
            f"{name} holds {float(wrong[0])!r}; sizes of subgroups are whole numbers of up to {_LARGEST:,}."
        )
    enough = distinct[distinct >= 2]
    table = np.full(int(enough.max(initial=0)) + 1, np.nan)
    table[enough.astype(np.intp)] = constant(enough)
    return table[np.where(size >= 2, size, 0).astype(np.intp)].reshape(np.shape(n))


def _c4(n: FloatArray) -> FloatArray:
    """Gamma functions lose digits above about 170, where their series is exact to the last."""
    half = (n - 1) / 2
    few = math.sqrt(math.pi) / special.beta(np.minimum(half, _SERIES_ABOVE / 2), 0.5) / np.sqrt(half)
    many = np.exp(-1 / (8 * half) + 1 / (192 * half**3) - 1 / (640 * half**5))
    return np.where(n <= _SERIES_ABOVE, few, many)


def _d2(n: FloatArray) -> FloatArray:
    return np.array([range_moments(int(size))[0] for size in n])


def _d3(n: FloatArray) -> FloatArray:
    return np.array([range_moments(int(size))[1] for size in n])


def _relative_error_of_sd(n: FloatArray) -> FloatArray:
    return np.sqrt(1 - _c4(n) ** 2) / _c4(n)


def _relative_error_of_range(n: FloatArray) -> FloatArray:
    return _d3(n) / _d2(n)
