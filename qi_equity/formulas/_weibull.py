"""Maximum likelihood of the Weibull distribution, for all strata at once."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import BoolArray, FloatArray

# Times nearer to each other than this differ by rounding, which says nothing of a shape.
_ALIKE = 1e-9
# Newton's steps square their error: after one this small the next would not change a digit.
_SMALL_STEP = 1e-9
# Shape times the standard deviation of the logarithms, for the whole distribution.
_FIRST_GUESS = math.pi / math.sqrt(6)


def fit_weibull(times: FloatArray, used: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Shape and scale, each (..., 1), that make the used times (> 0) likeliest.

    Of one time, or times all alike, the likelihood grows with the shape without bound: the shape is NaN, the
    scale that time. Without a time both are NaN.
    """
    longest = np.where(used, times, 0).max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        logs = np.where(used, np.log(times) - np.log(longest), 0)
    size = used.sum(axis=-1, keepdims=True)
    scale = np.where(size > 0, longest, np.nan)
    shape = np.full(scale.shape, np.nan)
    some = logs.min(axis=-1) < -_ALIKE
    shape[some], power_mean = _most_likely(logs[some], used[some], size[some])
    scale[some] *= power_mean
    return shape, scale


def weibull_sd(shape: FloatArray, scale: FloatArray) -> FloatArray:
    """Give the standard deviation of the distribution."""
    first, second = special.gammaln(1 + 1 / shape), special.gammaln(1 + 2 / shape)
    with np.errstate(over="ignore"):
        # Of a very large shape nothing but rounding is left, which may be below 0.
        return np.asarray(scale * np.exp(first) * np.sqrt(np.maximum(np.expm1(second - 2 * first), 0)))


def _most_likely(logs: FloatArray, used: BoolArray, size: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shape, and scale over the longest time, each (N, 1); logs (N, T) are <= 0, and 0 where not used."""
    mean = logs.sum(axis=-1, keepdims=True) / size
    sd = np.sqrt(np.where(used, (logs - mean) ** 2, 0).sum(axis=-1, keepdims=True) / size)
    standard = logs / sd
    standard_shape = _root(standard, used, mean / sd)
    power = (np.exp(standard_shape * standard) * used).sum(axis=-1, keepdims=True) / size
    return standard_shape / sd, power ** (sd / standard_shape)


def _root(logs: FloatArray, used: BoolArray, mean: FloatArray) -> FloatArray:
    """Solve the profile likelihood equation for the shape, (N, 1), of logarithms of standard deviation 1.

    It says: shape times the excess of the mean of the logarithms, weighted by time^shape, over their plain
    mean is 1. The logarithm of that product grows at least as fast as x, the logarithm of the shape, and is
    nearly a straight line. So Newton's steps are few, and each value brackets the root for a step that would
    miss it.
    """
    x = np.full(mean.shape, math.log(_FIRST_GUESS))
    low, high = np.full_like(x, -np.inf), np.full_like(x, np.inf)
    rows = np.arange(len(x))
    while rows.size:
        at = x[rows]
        product, slope = _profile(np.exp(at), logs, used, mean)
        low[rows] = np.maximum(low[rows], np.where(product > 0, at - product, at))
        high[rows] = np.minimum(high[rows], np.where(product > 0, at, at - product))
        newton, middle = at - product / slope, (low[rows] + high[rows]) / 2
        inside = (newton >= low[rows]) & (newton <= high[rows])
        x[rows] = np.where(inside, newton, middle)
        going = np.abs(x[rows] - at)[:, 0] > _SMALL_STEP
        if not going.all():
            rows, logs, used, mean = rows[going], logs[going], used[going], mean[going]
    return np.asarray(np.exp(x))


def _profile(
    shape: FloatArray, logs: FloatArray, used: BoolArray, mean: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Logarithm of the product that is 1 at the root, and its slope in log shape."""
    weight = np.exp(shape * logs)
    weight *= used
    total = weight.sum(axis=-1, keepdims=True)
    weight *= logs
    weighted = weight.sum(axis=-1, keepdims=True) / total
    weight *= logs
    variance = weight.sum(axis=-1, keepdims=True) / total - weighted**2
    excess = weighted - mean
    return np.asarray(np.log(shape * excess)), np.asarray(1 + shape * variance / excess)
