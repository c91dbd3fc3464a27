"""Ranges of neighbouring points, and what they say of the spread of one."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray
from qi_equity.formulas.medians import row_median

Spread = Literal["screened", "mean", "median"]
Constants = Literal["exact", "mdc", "qicharts2"]


class Preset(NamedTuple):
    """Sigma is the mean or median range over these; ``screen`` times the mean is too long a range."""

    mean: float
    median: float | None
    screen: float


_D2 = 2 / math.sqrt(math.pi)
_D3 = math.sqrt(2 - 4 / math.pi)
PRESETS: dict[str, Preset] = {
    "exact": Preset(_D2, math.sqrt(2) * float(special.ndtri(0.75)), 1 + 3 * _D3 / _D2),
    "mdc": Preset(3 / 2.66, None, 3.267),
    "qicharts2": Preset(1.128, None, 3.267),
}


def preset(constants: str) -> Preset:
    """Look the constants up by name.

    Raises
    ------
    OptionError
        If there are none of that name.
    """
    return PRESETS[one_of("constants", constants, tuple(PRESETS))]


def neighbour(used: BoolArray) -> IntArray:
    """Position of the used period before each period; -1 where the period is not used or has none before."""
    time = np.arange(used.shape[-1])
    latest = np.maximum.accumulate(np.where(used, time, -1), axis=-1)
    before = np.concatenate([np.full((*used.shape[:-1], 1), -1), latest[..., :-1]], axis=-1)
    return np.where(used, before, -1)


def at(y: FloatArray, place: IntArray) -> FloatArray:
    """Values at the places of :func:`neighbour`; NaN at -1."""
    return np.where(place < 0, np.nan, np.take_along_axis(y, np.maximum(place, 0), axis=-1))


def distances(y: FloatArray, used: BoolArray) -> FloatArray:
    """Distance of each period from its neighbour; NaN where there is none."""
    return np.abs(y - at(y, neighbour(used)))


def sigma_of_ranges(found: FloatArray, how: str, preset: Preset, constants: str) -> FloatArray:
    """Estimate the standard deviation of one point, shape (..., 1)."""
    if how != "median":
        return typical_range(found, preset.screen if how == "screened" else math.inf) / preset.mean
    if preset.median is None:
        raise OptionError(f"constants={constants!r} has none for spread='median'; use constants='exact'.")
    return row_median(found) / preset.median


def typical_range(found: FloatArray, screen: float = math.inf) -> FloatArray:
    """Mean of the ranges below ``screen`` times the mean of all, unless that leaves only zeros."""
    mean = mean_along(found)
    if screen == math.inf:
        return mean
    with np.errstate(invalid="ignore"):
        screened = mean_along(np.where(found < screen * mean, found, np.nan))
    return np.where(screened > 0, screened, mean)


def mean_along(y: FloatArray, weight: FloatArray | None = None) -> FloatArray:
    """Weighted mean along time of what is not NaN, shape (..., 1); exact where all values are the same."""
    some = ~np.isnan(y) if weight is None else ~np.isnan(y + weight)
    size = some if weight is None else np.where(some, weight, 0)
    origin = np.where(some, y, np.inf).min(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        above = np.where(some, (y - origin) * size, 0).sum(-1, keepdims=True) / size.sum(-1, keepdims=True)
        return np.asarray(origin + above)
