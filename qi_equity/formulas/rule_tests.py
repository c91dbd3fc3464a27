"""Tests of runs, steps and single points: each marks the points that take part."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of, whole_number
from qi_equity.formulas._arrays import BoolArray, IntArray, floats
from qi_equity.formulas.boxes import RunsMethod, runs_limits
from qi_equity.formulas.runs import Sides, crossings, run_lengths, useful

__all__ = ["alternating", "beyond_limits", "longest_run_mask", "shift", "trend"]

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


def alternating(values: ArrayLike, *, length: int) -> BoolArray:
    """Find ``length`` or more points in a row that go down and up by turns.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed. A missing value, or a point equal to the one before,
        ends the pattern.
    length : int
        Points that make the pattern, >= 4: one more than the steps between them (14 in Nelson's rules).

    Returns
    -------
    numpy.ndarray of bool, shape (..., T)
        All points of the pattern; it has no direction.

    Raises
    ------
    InputTypeError
        If ``values`` does not hold numbers.
    OptionError
        If ``length`` is too small.

    References
    ----------
    .. [1] Nelson, The Shewhart control chart: tests for special causes. J Qual Technol 1984;16:237-239, test
       4, as qcc 3.0 states it; the text was not seen.

    Examples
    --------
    >>> alternating([3, 1, 2, 1, 2, 3], length=4).tolist()
    [True, True, True, True, True, False]
    """
    (y,) = floats({"values": values})
    points = whole_number("length", length, at_least=4)
    if y.shape[-1] < points:
        return np.zeros(y.shape, dtype=np.bool_)
    steps = useful(y[..., 1:], y[..., :-1])
    turns = np.where(steps[..., 1:] * steps[..., :-1] == -1, np.int8(1), _BREAK)
    return _ends(_ends((turns == 1) & (run_lengths(turns) >= points - 2)))


def longest_run_mask(values: ArrayLike, centre_line: ArrayLike, *, method: RunsMethod = "anhoej") -> Masks:
    """Points of every run about the centre line that is longer than Anhøj's limit, or that of a box.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    centre_line : array_like, broadcastable to (..., T)
        Centre line, in the unit of the points.
    method : {"anhoej", "best_box", "cut_box"}
        Whose limit (see :func:`qi_equity.formulas.boxes.runs_limits`).

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
        If shapes do not fit together or ``method`` is not one of the three.

    References
    ----------
    .. [1] Anhøj, Diagnostic value of run chart analysis. PLoS One 2015;10:e0121349.
    .. [2] Anhøj, Wentzel-Larsen, PLoS One 2020;15:e0233920, for the boxes.

    Examples
    --------
    >>> low, high = longest_run_mask([1, 1, 1, 1, 1, 1, 1, -1, 1, -1], 0)
    >>> int(high.sum()), int(low.sum())
    (7, 0)
    """
    sides = useful(values, centre_line)
    crossed = crossings(sides) if method == "cut_box" else 0
    longest_max, _ = runs_limits(np.count_nonzero(sides, axis=-1), crossed, method=method)
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
