"""Tests of zones: points beyond or within one or two sigma. Each point is judged by its own limits."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qi_equity._validate import one_of, whole_number
from qi_equity.formulas._arrays import BoolArray, FloatArray, floats

__all__ = ["four_in_five", "outside", "two_in_three", "within"]

SameSide = Literal["all", "beyond", "any"]
Masks = tuple[BoolArray, BoolArray]

_SAME_SIDE = ("all", "beyond", "any")


def two_in_three(
    values: ArrayLike,
    lower_2s: ArrayLike,
    upper_2s: ArrayLike,
    centre_line: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    beyond_three_counts: bool = True,
    same_side: SameSide = "all",
) -> Masks:
    """Two of three points in a row beyond two sigma.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed. Three with a missing one never qualify.
    lower_2s, upper_2s : array_like, broadcastable to (..., T)
        Limits at two sigma.
    centre_line : array_like, broadcastable to (..., T)
        Centre line, in the unit of the points.
    lower, upper : array_like, broadcastable to (..., T)
        Limits at three sigma.
    beyond_three_counts : bool
        True: the wording of Making Data Count since late 2023, by which every point strictly beyond two sigma
        counts, also one beyond three. False: the wording before, and that of NHSRplotthedots 0.2.2: a point
        beyond three sigma does not count.
    same_side : {"all", "beyond", "any"}
        Which points must lie on one side of the centre line: all three (Making Data Count), those beyond
        (Western Electric, Nelson), or none (Westgard, by a transcription of QI Macros).

    Returns
    -------
    low, high : numpy.ndarray of bool, shape (..., T)
        The points beyond two sigma of each qualifying three; the third is marked only if it is itself beyond.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``same_side`` is not one of the three.

    References
    ----------
    .. [1] NHSRplotthedots issue 194 (the change of 2023) and version 0.2.2 (the wording before). The workbook
       of NHS England itself was not seen.
    .. [2] Nelson, The Shewhart control chart: tests for special causes. J Qual Technol 1984;16:237-239, test
       5, as qcc 3.0 states it; the text was not seen.

    Examples
    --------
    >>> low, high = two_in_three([2.5, 0.5, 3.5, -1], -2, 2, 0, -3, 3)
    >>> high.tolist()
    [True, False, True, False]
    >>> low, high = two_in_three([2.5, 0.5, 3.5, -1], -2, 2, 0, -3, 3, beyond_three_counts=False)
    >>> high.any().item()
    False
    """
    names = ("values", "lower_2s", "upper_2s", "centre_line", "lower", "upper")
    given = (values, lower_2s, upper_2s, centre_line, lower, upper)
    y, low_2s, high_2s, line, lowest, highest = floats(dict(zip(names, given, strict=True)))
    below, above = y < low_2s, y > high_2s
    if not beyond_three_counts:
        below, above = below & ~(y < lowest), above & ~(y > highest)
    return _some_beyond(y, line, (below, above), 2, 3, same_side)


def four_in_five(
    values: ArrayLike,
    lower_1s: ArrayLike,
    upper_1s: ArrayLike,
    centre_line: ArrayLike,
    *,
    window: int = 5,
    same_side: SameSide = "beyond",
) -> Masks:
    """Four of five points in a row (or four in a row) beyond one sigma.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed. Five with a missing one never qualify.
    lower_1s, upper_1s : array_like, broadcastable to (..., T)
        Limits at one sigma.
    centre_line : array_like, broadcastable to (..., T)
        Centre line, in the unit of the points.
    window : {5, 4}
        Four of five (Western Electric, Nelson), or four in a row (4_1s of Westgard).
    same_side : {"all", "beyond", "any"}
        As for :func:`two_in_three`.

    Returns
    -------
    low, high : numpy.ndarray of bool, shape (..., T)
        The points beyond one sigma of each qualifying window.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or an option is not one of those given.

    References
    ----------
    .. [1] Nelson, The Shewhart control chart: tests for special causes. J Qual Technol 1984;16:237-239, test
       6, as qcc 3.0 states it; the text was not seen.
    .. [2] Westgard et al., Clin Chem 1981;27:493-501, for four in a row; the text was not seen.

    Examples
    --------
    >>> low, high = four_in_five([1.5, 1.2, -3, 2, 1.1], -1, 1, 0)
    >>> high.tolist()
    [True, True, False, True, True]
    """
    names = ("values", "lower_1s", "upper_1s", "centre_line")
    y, low_1s, high_1s, line = floats(
        dict(zip(names, (values, lower_1s, upper_1s, centre_line), strict=True))
    )
    size = one_of("window", window, (5, 4))
    return _some_beyond(y, line, (y < low_1s, y > high_1s), 4, size, same_side)


def within(values: ArrayLike, lower_1s: ArrayLike, upper_1s: ArrayLike, *, length: int) -> BoolArray:
    """Find ``length`` or more points in a row within one sigma: too little variation for the limits.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed. A missing value ends the pattern.
    lower_1s, upper_1s : array_like, broadcastable to (..., T)
        Limits at one sigma; a point on one of them is within. Where they are one line (a constant series)
        there is no zone, and no point is within.
    length : int
        Points that make the pattern, >= 2 (15 in Nelson's rules).

    Returns
    -------
    numpy.ndarray of bool, shape (..., T)
        All points of the pattern; it has no direction.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``length`` is too small.

    References
    ----------
    .. [1] Nelson, The Shewhart control chart: tests for special causes. J Qual Technol 1984;16:237-239, test
       7, as qcc 3.0 states it; the text was not seen.

    Examples
    --------
    >>> within([0.5, -1, 0, 2], -1, 1, length=3).tolist()
    [True, True, True, False]
    """
    y, low, high = floats({"values": values, "lower_1s": lower_1s, "upper_1s": upper_1s})
    size = whole_number("length", length, at_least=2)
    inside = (y >= low) & (y <= high) & (low < high)
    return _marked(_in_window(inside, size) == size, size, y.shape)


def outside(values: ArrayLike, lower_1s: ArrayLike, upper_1s: ArrayLike, *, length: int) -> BoolArray:
    """Find ``length`` points in a row beyond one sigma, some above and some below: a mixture.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed. A missing value ends the pattern.
    lower_1s, upper_1s : array_like, broadcastable to (..., T)
        Limits at one sigma.
    length : int
        Points that make the pattern, >= 2 (8 in Nelson's rules).

    Returns
    -------
    numpy.ndarray of bool, shape (..., T)
        All points of the pattern; it has no direction.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together or ``length`` is too small.

    References
    ----------
    .. [1] Nelson, The Shewhart control chart: tests for special causes. J Qual Technol 1984;16:237-239, test
       8, as qcc 3.0 states it; the text was not seen.

    Examples
    --------
    >>> outside([2, -2, 3, 0], -1, 1, length=3).tolist()
    [True, True, True, False]
    """
    y, low, high = floats({"values": values, "lower_1s": lower_1s, "upper_1s": upper_1s})
    size = whole_number("length", length, at_least=2)
    below, above = _in_window(y < low, size), _in_window(y > high, size)
    return _marked((below + above == size) & (below > 0) & (above > 0), size, y.shape)


def _some_beyond(
    y: FloatArray, line: FloatArray, beyond: Masks, need: int, size: int, same_side: SameSide
) -> Masks:
    """Mark the points beyond of each window in which enough of them are, and on the sides wanted."""
    below, above = beyond
    match one_of("same_side", same_side, _SAME_SIDE):
        case "all":
            fit_below, fit_above = _in_window(y < line, size) == size, _in_window(y > line, size) == size
        case _:
            fit_below = fit_above = _in_window(~np.isnan(y), size) == size
    if same_side == "any":
        enough_below = enough_above = _in_window(below | above, size) >= need
    else:
        enough_below, enough_above = _in_window(below, size) >= need, _in_window(above, size) >= need
    return (
        below & _marked(fit_below & enough_below, size, y.shape),
        above & _marked(fit_above & enough_above, size, y.shape),
    )


def _in_window(points: BoolArray, size: int) -> NDArray[np.int32]:
    """Count the points in each window of that size; the last axis has a place for each window's start."""
    before = np.zeros((*points.shape[:-1], points.shape[-1] + 1), dtype=np.int32)
    np.cumsum(points, axis=-1, out=before[..., 1:])
    return before[..., size:] - before[..., :-size]


def _marked(windows: BoolArray, size: int, shape: tuple[int, ...]) -> BoolArray:
    """Mark all points of the windows that begin where it is True."""
    marked = np.zeros(shape, dtype=np.bool_)
    for start in range(size):
        marked[..., start : start + windows.shape[-1]] |= windows
    return marked
