"""Where rising functions, each of its own argument, cross 0; they may jump over it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray

_MOST = 200
# A step is taken on a slope between a fifth and five times that of the guess.
_STEEPER = 5.0


def rising_root(
    function: Callable[[FloatArray, BoolArray], FloatArray],
    guess: FloatArray,
    slope: FloatArray,
    *,
    least: float,
    close: float,
    small: float,
) -> FloatArray:
    """Find where functions cross 0 above ``least``, (A,), from a guess and from their slopes about there.

    The function is asked for some of the A only, at the arguments of these. By secants, and by the middle of
    the bracket where they leave it or at every third step. Given is an argument at which the function is
    within ``small`` of 0, else the upper end of a bracket no wider than ``close``; NaN where there is none or
    the function is not known.
    """
    tried, at = guess.copy(), np.full(guess.shape, np.nan)
    low, high, found = np.full(guess.shape, least), np.full(guess.shape, np.inf), np.full(guess.shape, np.nan)
    left, rise = np.ones(guess.shape, dtype=np.bool_), slope.copy()
    now = tried
    for turn in range(_MOST):
        before, last, now = at.copy(), now, tried
        at[left] = function(tried[left], left)
        low, high = np.where(left & (at < 0), tried, low), np.where(left & (at >= 0), tried, high)
        fits, ends = np.abs(at) <= small, (high - low <= close) & (low > least)
        found = np.where(left & fits, tried, np.where(left & ends, high, found))
        left &= ~fits & (high - low > close) & ~np.isnan(at)
        if not left.any():
            break
        if turn:
            with np.errstate(invalid="ignore", divide="ignore"):
                steep = (at - before) / (now - last)
            rise = np.where(np.isfinite(steep), np.clip(steep, slope / _STEEPER, slope * _STEEPER), slope)
        tried = np.where(np.isfinite(at), now - at / rise, np.nan)
        middle = np.where(np.isfinite(high), (low + high) / 2, 2 * now)
        outside = ~((tried > low) & (tried < high))
        tried = np.where(outside | ((turn % 3 == 2) & np.isfinite(high)), middle, tried)
    return found
