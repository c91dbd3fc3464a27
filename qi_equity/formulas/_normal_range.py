"""Mean and standard deviation of the range of n standard normal values."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray

_STEP = 0.1
_LONGEST = 16.0


@cache
def range_moments(n: int) -> tuple[float, float]:
    r"""Give mean and standard deviation, to 12 digits, for n >= 2.

    With the smallest of the values at x the range is at most r when the others lie within (x, x + r):
    :math:`F(r) = n \int \phi(x) [\Phi(x + r) - \Phi(x)]^{n - 1} dx`; the mean is
    :math:`\int 1 - F(r) \, dr` and the mean square :math:`\int 2 r (1 - F(r)) \, dr`.
    """
    length, weight, density, log_within = _grid()
    beyond = 1 - n * (np.exp((n - 1) * log_within) @ density)
    mean = float(weight @ beyond)
    return mean, math.sqrt(float(weight @ (2 * length * beyond)) - mean**2)


@cache
def _grid() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Lay out ranges with their weights (R,), smallest values' density (X,), log chance of within (R, X)."""
    node, weight = np.polynomial.legendre.leggauss(160)
    length = (node + 1) * (_LONGEST / 2)
    # Steps are as good as any rule for what falls off on both sides as a normal density does.
    smallest = np.arange(-120, 76) * _STEP
    density = _STEP * np.exp(-(smallest**2) / 2) / math.sqrt(2 * math.pi)
    outside = special.ndtr(smallest) + special.ndtr(-smallest - length[:, None])
    with np.errstate(divide="ignore"):
        return length, weight * (_LONGEST / 2), density, np.log1p(-outside)
