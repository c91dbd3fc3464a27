"""Tests for special causes: each marks the points that take part, low (falling) and high (rising)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of, whole_number
from qi_equity.formulas._arrays import BoolArray, IntArray, floats
from qi_equity.formulas.runs import Sides, anhoej_limits, run_lengths, useful

__all__ = ["beyond_limits", "longest_run_mask", "shift", "trend", "two_in_three"]

Policy = Literal["break", "skip"]
Masks = tuple[BoolArray, BoolArray]

# A side of its own: runs of it are of no interest, but they end the run before.
_BREAK = np.int8(2)


def beyond_limits(values: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Masks:
    """Points strictly beyond a limit (an astronomical point, Shewhart's rule 1).

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    lower, upper : array_like, broadcastable to (..., T)
        Limits, in the unit of the points; NaN where there is none.

    Returns
    -------
    low, high : numpy.ndarray of bool, shape (..., T)
        Points below the lower and above the upper limit. A point on a limit does not signal.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] Shewhart, Economic Control of Quality of Manufactured Product, 1931.

    Examples
    --------
    >>> low, high = beyond_limits([1, 5, 9], 1, 8)
    >>> low.any().item(), high.tolist()
    (False, [False, False, True])
    """
    y, lowest, highest = floats({"values": values, "lower": lower, "upper": upper})
    return y < lowest, y > highest


def shift(
    values: ArrayLike,
    centre_line: ArrayLike,
    *,
    length: int,
    ties: Policy = "break",
    missing: Policy = "break",
) -> Masks:
    """Find runs of ``length`` or more points on one side of the centre line.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    centre_line : array_like, broadcastable to (..., T)
        Centre line, in the unit of the points.
    length : int
        Points that make a shift, >= 2 (7 in Making Data Count).
    ties, missing : {"break", "skip"}
        Whether a point on the centre line, or a missing one, ends a run or is passed over.

    Returns
    -------
    low, high : numpy.ndarray of bool, shape (..., T)
        All points of the runs below and above the line.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together, ``length`` is too small or a policy is not one of the two.

    References
    ----------
    .. [1] NHS England, Making Data Count: strengthening your decisions, 2019 (length 7, ties break).
    .. [2] NHSRplotthedots 0.2.2, whose definition with 7 points this is.

    Examples
    --------
    >>> low, high = shift([2, 3, 4, 1, 2], 1, length=3)
    >>> high.tolist()
    [True, True, True, False, False]
    """
    y, line = floats({"values": values, "centre_line": centre_line})
    sides = useful(y, line)
    absent = np.isnan(y) | np.isnan(line)
    if one_of("ties", ties, ("break", "skip")) == "break":
        sides[(sides == 0) & ~absent] = _BREAK
    if one_of("missing", missing, ("break", "skip")) == "break":
        sides[absent] = _BREAK
    return _long(sides, whole_number("length", length, at_least=2))


def trend(values: ArrayLike, *, length: int, ties: Policy = "break") -> Masks:
    """Find runs of ``length`` or more points that go strictly down or strictly up.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed. A missing value ends a trend.
    length : int
        Points that make a trend, >= 3: one more than the steps between them (7 in Making Data Count).
    ties : {"break", "skip"}
        Whether a point equal to the one before ends a trend or is not counted; then both of the pair are
        marked.

    Returns
    -------
    low, high : numpy.ndarray of bool, shape (..., T)
        All points of falling and of rising trends. A peak can belong to both.

    Raises
    ------
    InputTypeError
        If ``values`` does not hold numbers.
    OptionError
        If ``length`` is too small or ``ties`` is not one of the two.

    References
    ----------
    .. [1] NHS England, Making Data Count: strengthening your decisions, 2019 (length 7).
    .. [2] NHSRplotthedots 0.2.2, whose definition with 7 points this is.

    Examples
    --------
    >>> low, high = trend([1, 2, 3, 3], length=3)
    >>> high.tolist()
    [True, True, True, False]
    """
    (y,) = floats({"values": values})
    points = whole_number("length", length, at_least=3)
    if y.shape[-1] < points:
        return np.zeros(y.shape, dtype=np.bool_), np.zeros(y.shape, dtype=np.bool_)
    before, after = y[..., :-1], y[..., 1:]
    steps = useful(after, before)
    broken = np.isnan(before) | np.isnan(after)
    if one_of("ties", ties, ("break", "skip")) == "break":
        broken |= steps == 0
    steps[broken] = _BREAK
    falling, rising = _long(steps, points - 1)
    return _ends(falling), _ends(rising)


def two_in_three(
    values: ArrayLike,
    lower_2s: ArrayLike,
    upper_2s: ArrayLike,
    centre_line: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    beyond_three_counts: bool = True,
) -> Masks:
    """Two of three points in a row beyond two sigma, all three on the same side of the centre line.

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

    Returns
    -------
    low, high : numpy.ndarray of bool, shape (..., T)
        The points beyond two sigma of each qualifying three; the third is marked only if it is itself beyond.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] NHSRplotthedots issue 194 (the change of 2023) and version 0.2.2 (the wording before). The workbook
       of NHS England itself was not seen.

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
    return _two_of_three(below, y < line), _two_of_three(above, y > line)


def longest_run_mask(values: ArrayLike, centre_line: ArrayLike) -> Masks:
    """Points of every run about the centre line that is longer than Anhøj's limit.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    centre_line : array_like, broadcastable to (..., T)
        Centre line, in the unit of the points.

    Returns
    -------
    low, high : numpy.ndarray of bool, shape (..., T)
        Points of the runs below and above the line. Points on the line or missing neither count nor break a
        run, and are not marked.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If shapes do not fit together.

    References
    ----------
    .. [1] Anhøj, Diagnostic value of run chart analysis. PLoS One 2015;10:e0121349.

    Examples
    --------
    >>> low, high = longest_run_mask([1, 1, 1, 1, 1, 1, 1, -1, 1, -1], 0)
    >>> int(high.sum()), int(low.sum())
    (7, 0)
    """
    sides = useful(values, centre_line)
    longest_max, _ = anhoej_limits(np.count_nonzero(sides, axis=-1))
    return _long(sides, longest_max[..., np.newaxis] + 1)


def _long(sides: Sides, length: int | IntArray) -> Masks:
    long = run_lengths(sides) >= length
    return long & (sides == -1), long & (sides == 1)


def _ends(steps: BoolArray) -> BoolArray:
    """Mark both ends of each step."""
    points = np.zeros((*steps.shape[:-1], steps.shape[-1] + 1), dtype=np.bool_)
    points[..., :-1] |= steps
    points[..., 1:] |= steps
    return points


def _two_of_three(beyond: BoolArray, same_side: BoolArray) -> BoolArray:
    marked = np.zeros_like(beyond)
    last = beyond.shape[-1] - 2
    windows = [np.s_[..., start : last + start] for start in range(3)]
    count = sum(beyond[w].astype(np.int8) for w in windows)
    qualifies = (count >= 2) & same_side[windows[0]] & same_side[windows[1]] & same_side[windows[2]]
    for w in windows:
        marked[w] |= qualifies & beyond[w]
    return marked
