"""Exact limits of the gap between a group and its reference, from the counts of both."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number, one_of
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._gap_lattice import (
    SCALES,
    CountKind,
    Four,
    Pairs,
    Scale,
    boundaries,
    can_vary,
    checked,
)
from qi_equity.formulas.limits import Limits

__all__ = ["gap_limits", "gap_of", "mean_gap_limits"]


def gap_of(value: ArrayLike, reference: ArrayLike, *, scale: Scale) -> FloatArray:
    r"""Gap between two rates: :math:`r_g - r_r` or :math:`r_g / r_r`.

    Parameters
    ----------
    value, reference : array_like, shape (..., T)
        Rates of the group and of the reference, >= 0 for ratios; NaN where not observed.
    scale : {"difference", "ratio"}
        Which gap.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Differences in the unit of the rates, or ratios, >= 0: infinite where the reference alone is 0, NaN
        where both are (a ratio of 0 to 0 says nothing).

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or the scale is not allowed.

    References
    ----------
    .. [1] The definition.

    Examples
    --------
    >>> gap_of([0.04, 0.04, 0], [0.03, 0, 0], scale="ratio").round(3)
    array([1.333,   inf,   nan])
    """
    one, other = floats({"value": value, "reference": reference})
    if one_of("scale", scale, SCALES) == "difference":
        return one - other
    with np.errstate(divide="ignore", invalid="ignore"):
        return one / other


def gap_limits(
    rate: ArrayLike,
    size: ArrayLike,
    reference_rate: ArrayLike,
    reference_size: ArrayLike,
    *,
    scale: Scale,
    kind: CountKind = "proportion",
    tail: float = 0.00135,
) -> Limits:
    r"""Exact probability limits of a gap, while the two rates hold.

    With independent counts :math:`X_g \sim \mathrm{Binomial}(n_g, p_g)` and :math:`X_r \sim
    \mathrm{Binomial}(n_r, p_r)` (Poisson with means :math:`n p` for rates), the gap of a period is :math:`D =
    X_g / n_g - X_r / n_r`, or :math:`R = (X_g / n_g) / (X_r / n_r)`. A gap :math:`d` signals when its tail
    probability is small:

    .. math:: P(D \ge d) = \sum_x P(X_g = x)\, P\{X_r \le n_r (x / n_g - d)\} < \alpha
       \;\text{(high)}, \qquad P(D \le d) < \alpha \;\text{(low)}

    and :math:`R` alike. The sums run over every count; no distribution is taken to be normal, and the noise
    of the reference is in the limits. A limit is drawn just beyond the last gap that does not signal.

    Parameters
    ----------
    rate : array_like, shape (..., T)
        The group's rate that is to hold (of a phase: events over births of its baseline); for proportions in
        [0, 1], for rates >= 0.
    size : array_like, shape (..., T)
        Births (whole numbers) or exposure of each period; NaN where not observed.
    reference_rate, reference_size : array_like, shape (..., T)
        The same of the reference. An infinite size is a reference without sampling error, such as a target.
    scale : {"difference", "ratio"}
        Which gap.
    kind : {"proportion", "rate"}
        Binomial or Poisson counts.
    tail : float
        Probability :math:`\alpha` of either tail, in (0, 0.5). Default: that of three standard errors of a
        normal distribution.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T). The centre line is the gap of the two
        rates; ``sigma`` is the standard error of one gap, for a ratio by the delta method. A ratio has the
        limit 0 where no low one can signal, and an infinite one where no high one can: a ratio is infinite
        without events in the reference. Limits are NaN where a size is 0 or missing, or where a rate leaves
        no chance (0, or 1 of a proportion): such a baseline does not show what could happen.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, births are fractional, a rate is out of range or an option not allowed.

    Notes
    -----
    A ratio of 0 to 0 is undefined and never signals; ``gap_chances.undefined_ratio`` gives its chance. Gaps
    closer together than 1e-7 events are taken as one.

    References
    ----------
    .. [1] Woodall, Control charts based on attribute data: bibliography and review. J Qual Technol
       1997;29:172-183 (probability limits).
    .. [2] Agresti, Categorical Data Analysis, 2nd ed., section 3.5 (two independent binomials).

    Examples
    --------
    A group of 84 births at 3.9 % beside a reference of 881 at 2.9 %:

    >>> limits = gap_limits(0.039, 84, 0.029, 881, scale="difference")
    >>> limits.centre_line.round(4), limits.lower.round(4), limits.upper.round(4)
    (array([0.01]), array([-0.0397]), array([0.0878]))
    """
    arrays = checked(rate, size, reference_rate, reference_size, scale, kind)
    alpha = number("tail", tail, above=0, below=0.5)
    p, n, q, m = arrays
    sigma = _sigma(arrays, scale, kind)
    lower, upper = np.full((2, *p.shape), np.nan)
    given = can_vary(arrays, kind)
    if scale == "ratio":
        given &= q > 0
    found = np.full((2, np.count_nonzero(given)), np.nan)
    for rows, cells in Pairs(kind, *(a[given] for a in arrays)).portions():
        found[:, rows] = boundaries(cells, alpha, scale)
    lower[given], upper[given] = found
    centre = gap_of(np.where(n > 0, p, np.nan), np.where(m > 0, q, np.nan), scale=scale)
    return Limits(centre, sigma, lower, upper)


def mean_gap_limits(
    mean: ArrayLike,
    standard_error: ArrayLike,
    reference_mean: ArrayLike,
    reference_error: ArrayLike,
    *,
    scale: Scale,
    tail: float = 0.00135,
) -> Limits:
    r"""Limits of the gap between two means, which are normal with standard errors of their own.

    Difference (Welch's standard error): :math:`\mu_g - \mu_r \pm z \sqrt{s_g^2 + s_r^2}`. A ratio :math:`r`
    lies within its limits while :math:`|M_g - r M_r|` is within that of its own standard error (Fieller):

    .. math:: (\mu_g - r \mu_r)^2 \le z^2 (s_g^2 + r^2 s_r^2)

    Parameters
    ----------
    mean : array_like, shape (..., T)
        The group's mean that is to hold.
    standard_error : array_like, shape (..., T)
        Standard error of one point, >= 0; NaN where not known.
    reference_mean, reference_error : array_like, shape (..., T)
        The same of the reference: a mean > 0 for ratios; an error of 0 for a target.
    scale : {"difference", "ratio"}
        Which gap.
    tail : float
        Probability of either tail, in (0, 0.5).

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T). ``sigma`` of a ratio is by the delta
        method. Ratio limits are NaN where the reference's mean is within z standard errors of 0.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an option is not allowed.

    References
    ----------
    .. [1] Welch, The generalization of "Student's" problem when several different population variances are
       involved. Biometrika 1947;34:28-35.
    .. [2] Fieller, Some problems in interval estimation. J R Stat Soc B 1954;16:175-185.

    Examples
    --------
    >>> limits = mean_gap_limits(3200, 60, 3300, 20, scale="difference")
    >>> limits.lower.round(1), limits.upper.round(1)
    (array([-289.7]), array([89.7]))
    """
    a, s, b, r = floats(
        {
            "mean": mean,
            "standard_error": standard_error,
            "reference_mean": reference_mean,
            "reference_error": reference_error,
        }
    )
    z = -float(special.ndtri(number("tail", tail, above=0, below=0.5)))
    centre = gap_of(a, b, scale=scale)
    if scale == "difference":
        sigma = np.hypot(s, r)
        return Limits(centre, sigma, centre - z * sigma, centre + z * sigma)
    with np.errstate(divide="ignore", invalid="ignore"):
        sigma = np.hypot(s, centre * r) / b
        squared = b**2 - (z * r) ** 2
        half = z * np.sqrt((a * r) ** 2 + s**2 * squared)
        ends = (a * b - half) / squared, (a * b + half) / squared
    lower, upper = (np.where((squared > 0) & (b > 0), end, np.nan) for end in ends)
    return Limits(centre, sigma, lower, upper)


def _sigma(arrays: Four, scale: Scale, kind: CountKind) -> FloatArray:
    """Give the standard error of one gap; of a ratio by the delta method."""
    p, n, q, m = arrays
    one, other = (p * (1 - p), q * (1 - q)) if kind == "proportion" else (p, q)
    with np.errstate(divide="ignore", invalid="ignore"):
        own, others = np.where(n > 0, one / n, np.nan), np.where(m > 0, other / m, np.nan)
        squared = own + others if scale == "difference" else (own + (p / q) ** 2 * others) / q**2
        return np.asarray(np.sqrt(squared))
