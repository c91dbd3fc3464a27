"""Ends of mid-P intervals, of all cells at once, by Newton's method.

The logarithm of a mid-P tail is concave in the logarithm of the mean, or of the odds. Started at the end of
the exact interval, which lies beyond the root, Newton's steps therefore never pass it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity.formulas._arrays import FloatArray

Tail = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

# Newton's steps square their error: after one this small the next would not change a digit.
_SMALL_STEP = 1e-9


def mid_p_mean_ends(x: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Give both ends of the mid-P interval for the mean of a Poisson count x, NaN where x is."""
    some, none = np.where(x > 0, x, 1.0), x == 0

    def at_least(log_mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        mean = np.exp(log_mean)
        value = (special.gammainc(some, mean) + special.gammainc(some + 1, mean)) / 2
        return value, (_density(some, log_mean) + _density(some + 1, log_mean)) / 2

    def at_most(log_mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        mean = np.exp(log_mean)
        fewer = np.where(none, 0.0, special.gammaincc(some, mean))
        slope = np.where(none, 0.0, _density(some, log_mean)) + _density(x + 1, log_mean)
        return np.asarray((special.gammaincc(x + 1, mean) + fewer) / 2), -slope / 2

    low = np.exp(_newton(at_least, np.log(special.gammaincinv(some, tail)), tail))
    high = np.exp(_newton(at_most, np.log(special.gammainccinv(x + 1, tail)), tail))
    return np.where(np.isnan(x), np.nan, np.where(none, 0.0, low)), high


def mid_p_lower_odds(x: FloatArray, others: FloatArray, tail: float) -> FloatArray:
    """Give the lower end of the mid-P interval for the odds of x events to the others, NaN where x is."""
    some, none = np.where(x > 0, x, 1.0), others == 0
    rest = np.where(none, 1.0, others)

    def at_least(log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        more = np.where(none, 0.0, _beta_tail(some + 1, rest, log_odds))
        more_slope = np.where(none, 0.0, _beta_density(some + 1, rest, log_odds))
        value = (_beta_tail(some, others + 1, log_odds) + more) / 2
        return value, (_beta_density(some, others + 1, log_odds) + more_slope) / 2

    start = special.logit(special.betaincinv(some, others + 1, tail))
    odds = np.exp(_newton(at_least, start, tail))
    return np.where(np.isnan(x), np.nan, np.where(x == 0, 0.0, odds))


def _newton(function: Tail, start: ArrayLike, tail: float) -> FloatArray:
    """Find where the function, given with its slope, is the tail."""
    at = np.asarray(start, dtype=np.float64)
    moving = np.isfinite(at)
    while moving.any():
        value, slope = function(at)
        step = np.where(moving, (np.log(value) - np.log(tail)) * value / slope, 0.0)
        at = at - step
        # Each cell stops by itself, so that its result does not depend on the others.
        moving &= np.abs(step) > _SMALL_STEP * np.maximum(1, np.abs(at))
    return at


def _density(a: FloatArray, log_mean: FloatArray) -> FloatArray:
    """Give the slope of gammainc(a, mean) in the logarithm of the mean."""
    return np.asarray(np.exp(a * log_mean - np.exp(log_mean) - special.gammaln(a)), dtype=np.float64)


def _beta_tail(a: FloatArray, b: FloatArray, log_odds: FloatArray) -> FloatArray:
    """Give betainc(a, b, chance) from the smaller of the chance and its complement, which alone is exact."""
    small = log_odds <= 0
    chance = special.expit(-np.abs(log_odds))
    tail = special.betainc(np.where(small, a, b), np.where(small, b, a), chance)
    return np.where(small, tail, 1 - tail)


def _beta_density(a: FloatArray, b: FloatArray, log_odds: FloatArray) -> FloatArray:
    """Give the slope of betainc(a, b, chance) in the logarithm of the odds."""
    power = a * special.log_expit(log_odds) + b * special.log_expit(-log_odds)
    return np.asarray(np.exp(power - special.betaln(a, b)), dtype=np.float64)
