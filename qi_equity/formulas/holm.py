"""Holm's step-down adjustment of p-values for a family of comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats, mask

__all__ = ["holm"]


def holm(p: ArrayLike, *, counted: ArrayLike | None = None, axis: int = -1) -> FloatArray:
    r"""P-values adjusted so that the chance of any false claim in the family is at most the level.

    With the :math:`m` p-values of the family in order, :math:`p_{(1)} \le \dots \le p_{(m)}`:

    .. math:: \tilde p_{(i)} = \min\bigl\{1, \max_{j \le i} (m - j + 1) \, p_{(j)}\bigr\}

    It needs no assumption of how the comparisons hang together.

    Parameters
    ----------
    p : array_like, shape (..., m)
        P-values in [0, 1]; NaN where there is none. Every other axis holds families of its own.
    counted : array_like of bool, broadcastable to p, optional
        Which belong to the family. Default: all.
    axis : int
        Axis of the family.

    Returns
    -------
    numpy.ndarray of float, shape (..., m)
        Adjusted p-values in [0, 1], none below the one it comes from; NaN for those outside the family, which
        do not count towards :math:`m`.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``counted`` not booleans.
    OptionError
        If a p-value is outside [0, 1], or shapes or axis do not fit.

    References
    ----------
    .. [1] Holm. A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics
       1979;6:65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, float("nan"), 0.03]).round(2).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    (values,) = floats({"p": p})
    wrong = values[(values < 0) | (values > 1)]
    if wrong.size:
        raise OptionError(f"p holds {float(wrong[0])!r}; give p-values in [0, 1], NaN where there is none.")
    last = _last(values, axis)
    family = _last(mask("counted", counted, values.shape), axis) & ~np.isnan(last)
    order = np.argsort(np.where(family, last, np.inf), axis=-1, kind="stable")
    members = family.sum(axis=-1, keepdims=True)
    steps = (members - np.arange(last.shape[-1])) * np.take_along_axis(last, order, axis=-1)
    # Those outside the family come last in order, so that nothing of them is handed on.
    adjusted = np.minimum(np.maximum.accumulate(steps, axis=-1), 1)
    found = np.full(last.shape, np.nan)
    np.put_along_axis(found, order, adjusted, axis=-1)
    return np.moveaxis(np.where(family, found, np.nan), -1, axis)


def _last(array: FloatArray | BoolArray, axis: int) -> NDArray[Any]:
    if not isinstance(axis, int) or isinstance(axis, bool):
        raise InputTypeError(f"axis={axis!r} is of type {type(axis).__name__}; give a whole number.")
    if not -array.ndim <= axis < array.ndim:
        raise OptionError(f"axis={axis!r} is not an axis of p of shape {array.shape}.")
    return np.moveaxis(array, axis, -1)
