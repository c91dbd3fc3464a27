"""The centre line of a run chart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray, floats, mask

__all__ = ["median_line"]


def median_line(values: ArrayLike, *, baseline: ArrayLike | None = None) -> FloatArray:
    """Median of the baseline, the centre line of a run chart.

    With an even number of points it is the mean of the two in the middle.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line. Default: all.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        The same value along time, in the unit of the points; NaN where the baseline holds no point.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] Perla, Provost, Murray, The run chart: a simple analytical tool for learning from variation in
       healthcare processes. BMJ Qual Saf 2011;20:46-51.

    Examples
    --------
    >>> median_line([3, 1, 2, 10])
    array([2.5, 2.5, 2.5, 2.5])
    """
    (y,) = floats({"values": values})
    kept = np.where(mask("baseline", baseline, y.shape), y, np.nan)
    return np.broadcast_to(row_median(kept), y.shape).copy()


def row_median(values: FloatArray) -> FloatArray:
    """Median along time of what is not NaN, shape (..., 1); numpy's own is slow on many short rows."""
    ordered = np.sort(values, axis=-1)
    count = (~np.isnan(values)).sum(axis=-1, keepdims=True)
    lower = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    upper = np.take_along_axis(ordered, count // 2, axis=-1)
    return (lower + upper) / 2
