"""Which groups a measure of inequality compares: the best one, or the two of a difference and a ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray, floats

__all__ = ["best_group", "compared_groups", "value_of_group"]


def best_group(
    values: ArrayLike, births: ArrayLike, *, higher_is_better: bool, minimum: float = 0
) -> IntArray:
    """Find the group with the best value.

    Parameters
    ----------
    values, births : array_like, shape (..., G)
        Value of each group, and its births; NaN where not known.
    higher_is_better : bool
        Whether the highest value is the best, or the lowest.
    minimum : float
        Fewest births of a group that can be the best.

    Returns
    -------
    numpy.ndarray of int, shape (...)
        Position of the group, of several equally good ones the one with the most births; -1 where no
        group is large enough.

    Examples
    --------
    >>> int(best_group([0.0, 0.03, 0.06], [5, 900, 400], higher_is_better=False, minimum=100))
    1
    """
    y, n = floats({"values": values, "births": births})
    able = np.isfinite(y) & (n > 0) & (n >= minimum)
    cost = np.where(able, -y if higher_is_better else y, np.inf)
    best = able & (cost == cost.min(axis=-1, keepdims=True))
    return np.where(able.any(axis=-1), np.where(best, n, -np.inf).argmax(axis=-1), -1)


def compared_groups(
    values: ArrayLike, *, higher_is_better: bool, reference: ArrayLike | None = None, ordered: bool = False
) -> tuple[IntArray, IntArray]:
    """Find the two groups whose values the difference and the ratio compare.

    With a reference the worst of the other groups is compared with it; else with an order the most
    disadvantaged group (the first) with the most advantaged (the last); else the highest with the lowest. A
    difference above 0 and a ratio above 1 mean that the reference, or the last group, fares better.

    Parameters
    ----------
    values : array_like, shape (..., G)
        Value of each group; NaN where not known.
    higher_is_better : bool
        Whether higher values are better.
    reference : array_like of int, shape (...), optional
        Position of the reference; -1 for none.
    ordered : bool
        Whether the groups run from the most disadvantaged to the most advantaged.

    Returns
    -------
    minuend, subtrahend : numpy.ndarray of int, shape (...)
        Positions of the groups: the difference is the value of the first less that of the second. -1 where
        there are no two groups, or one of the outermost groups or the reference has no value.

    References
    ----------
    .. [1] Schlotheuber, Hosseinpoor. Summary measures of health inequality. Int J Environ Res Public Health
       2022;19:3697.

    Examples
    --------
    >>> [int(g) for g in compared_groups([0.04, 0.07, 0.05], higher_is_better=False)]
    [1, 0]
    """
    (y,) = floats({"values": values})
    there = np.isfinite(y)
    highest, lowest = _extreme(y, there, 1), _extreme(y, there, -1)
    if reference is not None:
        better = np.broadcast_to(np.asarray(reference, dtype=np.int64), highest.shape)
        others = there & (np.arange(y.shape[-1]) != better[..., np.newaxis])
        worse = _extreme(y, others, -1 if higher_is_better else 1)
    elif ordered:
        worse, better = np.zeros_like(highest), np.full_like(highest, y.shape[-1] - 1)
    else:
        worse, better = (lowest, highest) if higher_is_better else (highest, lowest)
    known = (there.sum(axis=-1) >= 2) & (better >= 0) & (worse >= 0)
    known &= np.isfinite(value_of_group(y, worse) + value_of_group(y, better))
    first, second = (better, worse) if higher_is_better else (worse, better)
    return np.where(known, first, -1), np.where(known, second, -1)


def value_of_group(values: ArrayLike, group: ArrayLike) -> FloatArray:
    """Give the value of one group.

    Parameters
    ----------
    values : array_like, shape (..., G)
        Value of each group.
    group : array_like of int, shape (...)
        Position of the group wanted; -1 for none.

    Returns
    -------
    numpy.ndarray, shape (...)
        NaN where there is no such group.

    Examples
    --------
    >>> value_of_group([[0.02, 0.06], [0.03, 0.05]], [1, -1])
    array([0.06,  nan])
    """
    (y,) = floats({"values": values})
    place = np.asarray(group, dtype=np.int64)
    taken = np.take_along_axis(y, np.maximum(place, 0)[..., np.newaxis], axis=-1)[..., 0]
    return np.where(place >= 0, taken, np.nan)


def _extreme(y: FloatArray, able: BoolArray, sign: int) -> IntArray:
    """Find the first of the highest (sign 1) or lowest (-1) values; -1 where no group is able."""
    place = np.where(able, sign * y, -np.inf).argmax(axis=-1)
    return np.where(able.any(axis=-1), place, -1)
