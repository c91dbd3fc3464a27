"""Groups on the last axis: who is there, their shares, and sums over them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.formulas._arrays import FloatArray, floats


class Groups(NamedTuple):
    """Values and shares of the groups that are there, NaN for the others; the mean has a last axis of 1."""

    values: FloatArray
    shares: FloatArray
    mean: FloatArray


def groups(values: ArrayLike, births: ArrayLike) -> Groups:
    """Leave out the groups without a value or without births, and share the births among the others."""
    y, n = floats({"values": values, "births": births})
    there = np.isfinite(y) & (n > 0)
    y, n = np.where(there, y, np.nan), np.where(there, n, np.nan)
    shares = n / over_groups(n)[..., np.newaxis]
    return Groups(y, shares, over_groups(shares * y)[..., np.newaxis])


def over_groups(terms: FloatArray) -> FloatArray:
    """Sum over the groups that are there; NaN for fewer than two, which have no inequality."""
    enough = (~np.isnan(terms)).sum(axis=-1) >= 2
    return np.where(enough, np.nansum(terms, axis=-1), np.nan)


def average(terms: FloatArray) -> FloatArray:
    """Average over the groups that are there, each counting alike."""
    n = np.maximum((~np.isnan(terms)).sum(axis=-1), 1)
    return np.asarray(over_groups(terms) / n)


def defined(condition: FloatArray, value: FloatArray) -> FloatArray:
    """Give the value where a condition (a last axis of 1, or none) is above 0, else NaN."""
    held = condition[..., 0] if condition.ndim > value.ndim else condition
    return np.where(held > 0, value, np.nan)
