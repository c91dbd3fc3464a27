"""Exact tail probabilities of the gap between a group and its reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._gap_lattice import CountKind, Pairs, Scale, can_vary, checked
from qi_equity.formulas.gap_limits import gap_of

__all__ = ["chance_gap_above", "gap_tails", "undefined_ratio"]


def gap_tails(
    gap: ArrayLike,
    rate: ArrayLike,
    size: ArrayLike,
    reference_rate: ArrayLike,
    reference_size: ArrayLike,
    *,
    scale: Scale,
    kind: CountKind = "proportion",
) -> tuple[FloatArray, FloatArray]:
    """Exact tail probabilities of a gap, while two rates hold as for gap limits.

    Parameters
    ----------
    gap : array_like, shape (..., T)
        Observed gaps, differences or ratios (which may be infinite); NaN where there is none.
    rate, size, reference_rate, reference_size : array_like, shape (..., T)
        As for ``gap_limits``.
    scale : {"difference", "ratio"}
        Which gap.
    kind : {"proportion", "rate"}
        Binomial or Poisson counts.

    Returns
    -------
    low, high : numpy.ndarray of float, shape (..., T)
        P(gap <= the observed one) and P(gap >= it), in [0, 1]; NaN where not known. For ratios they leave out
        the chance that the ratio is undefined.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        As ``gap_limits``.

    References
    ----------
    .. [1] Agresti, Categorical Data Analysis, 2nd ed., section 3.5.

    Examples
    --------
    Two births each at 50 %: of 16 outcomes one has a difference of 1, and five one of 1/2 or more.

    >>> [tail.tolist() for tail in gap_tails([1, 0.5], 0.5, 2, 0.5, 2, scale="difference")]
    [[1.0, 0.9375], [0.0625, 0.3125]]
    """
    seen, *_ = floats({"gap": gap, "rate": rate, "size": size, "reference_size": reference_size})
    arrays = checked(np.broadcast_to(rate, seen.shape), size, reference_rate, reference_size, scale, kind)
    given = can_vary(arrays, kind) & ~np.isnan(seen)
    if scale == "ratio":
        given &= arrays[2] > 0
    low, high = np.full((2, *seen.shape), np.nan)
    wanted, found = seen[given], np.full((2, np.count_nonzero(given)), np.nan)
    for rows, cells in Pairs(kind, *(a[given] for a in arrays)).portions():
        found[:, rows] = cells.at_most(wanted[rows], scale), cells.at_least(wanted[rows], scale)
    low[given], high[given] = np.minimum(found, 1)
    return low, high


def chance_gap_above(
    rate: ArrayLike,
    size: ArrayLike,
    reference_rate: ArrayLike,
    reference_size: ArrayLike,
    *,
    scale: Scale,
    kind: CountKind = "proportion",
) -> FloatArray:
    r"""Chance that a gap lies above its centre line, given that it does not lie on it.

    .. math:: P(D > d_0 \mid D \ne d_0), \qquad d_0 = p_g - p_r

    and alike for ratios. Runs tests assume 1/2.

    Parameters
    ----------
    rate, size, reference_rate, reference_size : array_like, shape (..., T)
        As for ``gap_limits``.
    scale : {"difference", "ratio"}
        Which gap.
    kind : {"proportion", "rate"}
        Binomial or Poisson counts.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Chances in [0, 1], one a period; NaN where there is no distribution.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        As ``gap_limits``.

    References
    ----------
    .. [1] The definition; tails by :func:`gap_tails`.

    Examples
    --------
    >>> chance_gap_above(0.04, 12, 0.04, 294, scale="difference").round(3)
    array([0.387])
    """
    arrays = checked(rate, size, reference_rate, reference_size, scale, kind)
    p, _, q, _ = arrays
    line = gap_of(p, q, scale=scale)
    low, high = gap_tails(line, *arrays, scale=scale, kind=kind)
    defined = 1 - (undefined_ratio(*arrays, kind=kind) if scale == "ratio" else 0.0)
    above, below = (np.maximum(defined - tail, 0) for tail in (low, high))
    with np.errstate(invalid="ignore"):
        return np.asarray(above / (above + below))


def undefined_ratio(
    rate: ArrayLike,
    size: ArrayLike,
    reference_rate: ArrayLike,
    reference_size: ArrayLike,
    *,
    kind: CountKind = "proportion",
) -> FloatArray:
    r"""Chance that neither has an event, so that their ratio is undefined.

    .. math:: P(X_g = 0)\, P(X_r = 0)

    Parameters
    ----------
    rate, size, reference_rate, reference_size : array_like, shape (..., T)
        As for ``gap_limits``.
    kind : {"proportion", "rate"}
        Binomial or Poisson counts.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Chances in [0, 1]; 0 beside a target above 0; NaN where there is no distribution.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        As ``gap_limits``.

    References
    ----------
    .. [1] The definition.

    Examples
    --------
    >>> undefined_ratio(0.5, 2, 0.5, 2)
    array([0.0625])
    """
    arrays = p, n, q, m = checked(rate, size, reference_rate, reference_size, "ratio", kind)
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "proportion":
            none = special.xlog1py(n, -p) + np.where(np.isinf(m), 0.0, special.xlog1py(m, -q))
        else:
            none = -n * p - np.where(np.isinf(m), 0.0, m * q)
    chance = np.where(np.isinf(m) & (q > 0), 0.0, np.exp(none))
    return np.where(can_vary(arrays, kind), chance, np.nan)
