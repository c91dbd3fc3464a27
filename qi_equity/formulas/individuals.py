"""Individuals chart (XmR): moving ranges and limits."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number, one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats, mask
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.medians import row_median

__all__ = ["i_limits", "moving_ranges"]

Spread = Literal["screened", "mean", "median"]
Constants = Literal["exact", "mdc", "qicharts2"]


class _Preset(NamedTuple):
    """Sigma is the mean or median range over these; ``screen`` times the mean is too long a range."""

    mean: float
    median: float | None
    screen: float


_D2 = 2 / math.sqrt(math.pi)
_D3 = math.sqrt(2 - 4 / math.pi)
_PRESETS: dict[str, _Preset] = {
    "exact": _Preset(_D2, math.sqrt(2) * float(special.ndtri(0.75)), 1 + 3 * _D3 / _D2),
    "mdc": _Preset(3 / 2.66, None, 3.267),
    "qicharts2": _Preset(1.128, None, 3.267),
}


def moving_ranges(values: ArrayLike, *, baseline: ArrayLike | None = None) -> FloatArray:
    r"""Distances :math:`|y_t - y_s|` of neighbours, s being the period before t in the baseline.

    Leaving a period out of the baseline makes its neighbours consecutive; a missing value takes both its
    ranges with it.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods to use. Default: all.

    Returns
    -------
    numpy.ndarray of float, shape (..., T)
        Each range stands at the later of its two periods, in the unit of the points, >= 0; NaN where there is
        none.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.4.

    Examples
    --------
    >>> moving_ranges([3, 5, 9, 4], baseline=[True, True, False, True])
    array([nan,  2., nan,  1.])
    """
    (y,) = floats({"values": values})
    return _ranges(y, mask("baseline", baseline, y.shape))


def i_limits(
    values: ArrayLike,
    *,
    baseline: ArrayLike | None = None,
    centre_line: ArrayLike | None = None,
    spread: Spread = "mean",
    constants: Constants = "exact",
    nsigma: float = 3.0,
) -> Limits:
    r"""Centre line and limits of an individuals chart (XmR) from moving ranges.

    .. math:: \bar y \pm k \hat\sigma, \qquad \hat\sigma = \overline{MR} / d_2, \quad d_2 = 2 / \sqrt\pi

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    baseline : array_like of bool, broadcastable to (..., T), optional
        Periods that set the centre line and the moving ranges. Default: all.
    centre_line : array_like, broadcastable to (..., T), optional
        Used in place of the mean; the moving ranges still come from ``baseline``.
    spread : {"screened", "mean", "median"}
        ``"mean"``: the mean moving range. ``"screened"``: ranges of :math:`D_4 = 3.267` times the mean or
        more are left out, once, and the mean taken again. ``"median"``: the median range / 0.9539.
    constants : {"exact", "mdc", "qicharts2"}
        ``"exact"`` computes them (3/d2 = 2.6587, D4 = 3.2665); ``"mdc"`` rounds as NHS England's Making Data
        Count does (limits at 2.66 mean ranges, screening at 3.267), ``"qicharts2"`` as that package (1.128;
        3.267). The last two have no constant for the median.
    nsigma : float
        Half-width of the limits in sigma, > 0.

    Returns
    -------
    Limits
        ``centre_line, sigma, lower, upper``, each of shape (..., T), in the unit of the points, not clipped.
        Fewer than two neighbouring points give NaN limits. In a constant series the limits lie on the centre
        line. Where screening would leave only zeros (a constant series with one jump) nothing is screened.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``baseline`` not booleans.
    OptionError
        If shapes do not fit together or an option is not one of those above.

    References
    ----------
    .. [1] Nelson, Control charts for individual measurements. J Qual Technol 1982;14:172-173 (screening).
    .. [2] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.4.

    Examples
    --------
    >>> limits = i_limits([5, 7, 6, 8, 6], constants="mdc", spread="mean")
    >>> float(limits.centre_line[0].round(2)), float(limits.upper[0].round(2))
    (6.4, 11.06)
    """
    (y,) = floats({"values": values})
    used = mask("baseline", baseline, y.shape)
    preset, k = _PRESETS[one_of("constants", constants, tuple(_PRESETS))], number("nsigma", nsigma, above=0)
    how = one_of("spread", spread, ("screened", "mean", "median"))
    given = _mean(np.where(used, y, np.nan)) if centre_line is None else centre_line
    centre = floats({"centre_line": given, "values": y})[0].copy()
    sigma = np.broadcast_to(_sigma(_ranges(y, used), how, preset, constants), y.shape).copy()
    return Limits(centre, sigma, centre - k * sigma, centre + k * sigma)


def _ranges(y: FloatArray, used: BoolArray) -> FloatArray:
    time = np.arange(y.shape[-1])
    latest = np.maximum.accumulate(np.where(used, time, -1), axis=-1)
    before = np.concatenate([np.full((*y.shape[:-1], 1), -1), latest[..., :-1]], axis=-1)
    ranges = np.abs(y - np.take_along_axis(y, np.maximum(before, 0), axis=-1))
    return np.where(used & (before >= 0), ranges, np.nan)


def _sigma(ranges: FloatArray, how: str, preset: _Preset, constants: str) -> FloatArray:
    if how == "median":
        if preset.median is None:
            raise OptionError(f"constants={constants!r} has none for spread='median'; use constants='exact'.")
        return row_median(ranges) / preset.median
    mean = _mean(ranges)
    if how == "screened":
        with np.errstate(invalid="ignore"):
            screened = _mean(np.where(ranges < preset.screen * mean, ranges, np.nan))
        mean = np.where(screened > 0, screened, mean)
    return mean / preset.mean


def _mean(y: FloatArray) -> FloatArray:
    """Mean along time of what is not NaN, shape (..., 1); exact where all values are the same."""
    some = ~np.isnan(y)
    origin = np.where(some, y, np.inf).min(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        above = np.where(some, y - origin, 0).sum(-1, keepdims=True) / some.sum(-1, keepdims=True)
        return np.asarray(origin + above)
