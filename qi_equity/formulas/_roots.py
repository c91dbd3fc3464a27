"""Where rising functions, each of its own argument, cross 0; they may jump over it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qi_equity.formulas._arrays import FloatArray

_MOST = 300


def rising_root(
    function: Callable[[FloatArray], FloatArray],
    low: FloatArray,
    high: FloatArray,
    *,
    close: float,
    small: float = 0.0,
) -> FloatArray:
    """Give the upper end of a bracket, at most ``close`` wide, of where a rising function crosses 0.

    By regula falsi, where an end that stays counts half (Illinois), and by the middle at every third step,
    which holds for functions that jump. An argument at which the function is within ``small`` of 0 will do.
    NaN where the function is above 0 at ``low`` already, below it at ``high``, or not known.
    """
    below, above = function(low), function(high)
    none = ~((below < 0) & (above >= 0))
    last = np.zeros(low.shape)
    for turn in range(_MOST):
        if (none | (high - low <= close)).all():
            break
        with np.errstate(invalid="ignore", divide="ignore"):
            tried = (low + high) / 2 if turn % 3 == 2 else low - below * (high - low) / (above - below)
        tried = np.where(none, low, tried)
        error = function(tried)
        fits = np.abs(error) <= small
        side = np.where(error < 0, -1, 1)
        # An end that stays for a second time counts half, so that it does not stay for ever.
        stays = np.where(side == last, 0.5, 1.0)
        below, above = np.where(side < 0, error, below * stays), np.where(side < 0, above * stays, error)
        low = np.where((side < 0) | fits, tried, low)
        high = np.where((side > 0) | fits, tried, high)
        last = side
    return np.where(none, np.nan, high)
