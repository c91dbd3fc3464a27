"""Pooled centre lines: sum of events over sum of births, never a mean of proportions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats, mask


def pooled_or_given(
    x: FloatArray,
    n: FloatArray,
    baseline: ArrayLike | None,
    given: ArrayLike | None,
    *,
    at_most: float = np.inf,
) -> FloatArray:
    """Take the centre line given, or pool the baseline; it broadcasts to the shape of x."""
    if given is None:
        return _pooled(x, n, mask("baseline", baseline, x.shape))
    (centre, _) = floats({"centre_line": given, "events": x})
    wrong = centre[(centre < 0) | (centre > at_most)]
    if wrong.size:
        raise OptionError(f"centre_line holds {float(wrong[0])!r}; give values from 0 to {at_most:g}.")
    return centre


def _pooled(x: FloatArray, n: FloatArray, baseline: BoolArray) -> FloatArray:
    """Sum of x over sum of n of the baseline periods that have both, shape (..., 1); NaN for none."""
    used = baseline & ~np.isnan(x + n)
    top, bottom = (np.where(used, a, 0).sum(-1, keepdims=True) for a in (x, n))
    with np.errstate(invalid="ignore"):
        return np.asarray(top / bottom)


def positive(size: FloatArray) -> FloatArray:
    """Births or exposure where there were any, else NaN."""
    return np.where(size > 0, size, np.nan)
