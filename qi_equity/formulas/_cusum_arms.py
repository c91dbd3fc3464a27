"""The recursion behind every CUSUM, and the scores of one birth; arms are >= 0 here, both growing upward."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats

Threshold = ArrayLike | tuple[ArrayLike, ArrayLike]
"""One threshold for both arms, or a pair of them (low, high)."""


def floats_and_thresholds(arguments: Mapping[str, ArrayLike], h: Threshold) -> tuple[FloatArray, ...]:
    """Return the arguments, then the thresholds of the low and of the high arm, as arrays of one shape.

    Raises
    ------
    InputTypeError
        If one does not hold numbers.
    OptionError
        If a tuple is not a pair, a threshold is not above 0 (NaN is allowed: that arm cannot signal), or the
        shapes do not fit together.
    """
    if isinstance(h, tuple) and len(h) != 2:
        raise OptionError(f"h={h!r} is not a pair; give one threshold for both arms or a pair (low, high).")
    low, high = h if isinstance(h, tuple) else (h, h)
    arrays = floats({**arguments, "h of the low arm": low, "h of the high arm": high})
    for limit in arrays[-2:]:
        if (limit <= 0).any():
            raise OptionError(f"h holds {float(limit[limit <= 0][0])!r}; give thresholds above 0.")
    return arrays


def within(name: str, value: FloatArray, least: float, most: float, *, ends: bool = True) -> None:
    """Check that the values lie within bounds; NaN does.

    Raises
    ------
    OptionError
        Names the argument, the first value outside and the bounds.
    """
    outside = (value < least) | (value > most) if ends else (value <= least) | (value >= most)
    if outside.any():
        allowed = f"from {least:g} to {most:g}" if ends else f"strictly between {least:g} and {most:g}"
        raise OptionError(f"{name} holds {float(value[outside][0])!r}; give values {allowed}.")


def follow(
    score: FloatArray, h: FloatArray, *, start: float = 0.0, restart: bool = False, strict: bool = False
) -> tuple[FloatArray, BoolArray]:
    """Follow S = max(0, S + score) along time and say where it reaches h (or, strictly, exceeds it)."""
    path = np.moveaxis(score, -1, 0).copy()
    limit = np.moveaxis(np.broadcast_to(h, score.shape), -1, 0)
    signal = np.zeros(path.shape, dtype=np.bool_)
    state = np.full(path.shape[1:], start)
    reaches = np.greater if strict else np.greater_equal
    for t in range(len(path)):
        now, fired = path[t, ...], signal[t, ...]
        seen = ~np.isnan(now)
        np.maximum(np.add(state, now, out=now), 0, out=now)
        reaches(now, limit[t, ...], out=fired)
        np.copyto(state, now, where=seen)
        if restart:
            state[fired] = 0
    return np.moveaxis(path, 0, -1), np.moveaxis(signal, 0, -1)


def log_mixture(chance: FloatArray, odds_ratio: float | FloatArray) -> FloatArray:
    """Give log(1 - p + R p): what a birth without the event takes from the score of odds times R."""
    return np.log1p((odds_ratio - 1) * chance)
