"""Runs about a centre line: their lengths, crossings of the line, and the limits of Anhøj."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qi_equity.errors import InputTypeError
from qi_equity.formulas._arrays import IntArray, counts, floats
from qi_equity.formulas._tails import binomial_signals

__all__ = ["anhoej_limits", "crossings", "longest_run", "run_lengths", "useful"]

Sides = NDArray[np.int8]


def useful(values: ArrayLike, centre_line: ArrayLike) -> Sides:
    """On which side of the centre line each point lies; those on it or missing are not useful.

    Parameters
    ----------
    values : array_like, shape (..., T)
        Points in time order; NaN where not observed.
    centre_line : array_like, broadcastable to (..., T)
        Centre line, in the unit of the points.

    Returns
    -------
    numpy.ndarray of int8, shape (..., T)
        1 above, -1 below, 0 where the point lies on the line or either is missing.

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
    >>> useful([3, 5, float("nan"), 4], 4)
    array([-1,  1,  0,  0], dtype=int8)
    """
    y, line = floats({"values": values, "centre_line": centre_line})
    return (y > line).astype(np.int8) - (y < line).astype(np.int8)


def run_lengths(sides: ArrayLike) -> IntArray:
    """Length of the run to which each point belongs.

    Parameters
    ----------
    sides : array_like of int, shape (..., T)
        Side of each point, as :func:`useful` gives it. A 0 is passed over: it neither counts nor breaks a
        run. Any other value makes runs of its own kind.

    Returns
    -------
    numpy.ndarray of int, shape (..., T)
        Points in the run, 0 where ``sides`` is 0.

    Raises
    ------
    InputTypeError
        If ``sides`` does not hold whole numbers.

    References
    ----------
    .. [1] Anhøj, Diagnostic value of run chart analysis. PLoS One 2015;10:e0121349.

    Examples
    --------
    >>> run_lengths([1, 1, 0, 1, -1])
    array([3, 3, 0, 3, 1])
    """
    by_time = _by_time(sides)
    lengths = np.zeros(by_time.shape, dtype=np.int64)
    for t, count in enumerate(_counts(by_time)):
        lengths[t] = count
    following, total = np.zeros_like(by_time[0]), lengths[-1]
    for t in range(len(by_time) - 1, -1, -1):
        side = by_time[t]
        total = np.where((side == 0) | (side == following), total, lengths[t])
        following = np.where(side == 0, following, side)
        lengths[t] = np.where(side == 0, 0, total)
    return np.moveaxis(lengths, 0, -1)


def longest_run(sides: ArrayLike) -> IntArray:
    """Length of the longest run on one side of the centre line.

    Parameters
    ----------
    sides : array_like of int, shape (..., T)
        Side of each point, as :func:`useful` gives it; 0 neither counts nor breaks a run.

    Returns
    -------
    numpy.ndarray of int, shape (...)
        Points in the longest run, 0 where no point is useful.

    Raises
    ------
    InputTypeError
        If ``sides`` does not hold whole numbers.

    References
    ----------
    .. [1] Anhøj, Diagnostic value of run chart analysis. PLoS One 2015;10:e0121349.

    Examples
    --------
    >>> int(longest_run([1, 1, 0, 1, -1]))
    3
    """
    by_time = _by_time(sides)
    longest = np.zeros(by_time.shape[1:], dtype=np.int64)
    for count in _counts(by_time):
        np.maximum(longest, count, out=longest)
    return longest


def crossings(sides: ArrayLike) -> IntArray:
    """How often the line between useful points crosses the centre line.

    Parameters
    ----------
    sides : array_like of int, shape (..., T)
        Side of each point, as :func:`useful` gives it; 0 is passed over.

    Returns
    -------
    numpy.ndarray of int, shape (...)
        Number of crossings, one less than the number of runs.

    Raises
    ------
    InputTypeError
        If ``sides`` does not hold whole numbers.

    References
    ----------
    .. [1] Anhøj, Diagnostic value of run chart analysis. PLoS One 2015;10:e0121349.

    Examples
    --------
    >>> int(crossings([1, -1, 0, -1, 1]))
    2
    """
    by_time = _by_time(sides)
    found = np.zeros(by_time.shape[1:], dtype=np.int64)
    last = np.zeros_like(by_time[0])
    for side in by_time:
        found += (side != last) & (side != 0) & (last != 0)
        last = np.where(side == 0, last, side)
    return found


def anhoej_limits(n_useful: ArrayLike) -> tuple[IntArray, IntArray]:
    r"""Longest run and fewest crossings to be expected of a process that does not change.

    .. math:: \text{longest} \le \mathrm{round}(\log_2 n) + 3, \qquad
       \text{crossings} \ge Q_{0.05}\{\mathrm{Binomial}(n - 1, 1/2)\}

    A chart signals when its longest run is longer or its crossings are fewer.

    Parameters
    ----------
    n_useful : array_like of int, any shape
        Points not on the centre line and not missing, >= 0.

    Returns
    -------
    longest_max, crossings_min : numpy.ndarray of int, shape of ``n_useful``
        0 and 0 where there is no useful point, so that nothing signals.

    Raises
    ------
    InputTypeError
        If ``n_useful`` does not hold whole numbers of 0 or more.

    References
    ----------
    .. [1] Anhøj, Wentzel-Larsen, Sense and sensibility: on the diagnostic value of control chart rules for
       detection of shifts in time series data. BMC Med Res Methodol 2018;18:100.
    .. [2] Anhøj, Diagnostic value of run chart analysis. PLoS One 2015;10:e0121349.

    Examples
    --------
    >>> longest_max, crossings_min = anhoej_limits([10, 24])
    >>> longest_max.tolist(), crossings_min.tolist()
    ([6, 8], [2, 8])
    """
    n = counts("n_useful", n_useful)
    different, back = np.unique(n, return_inverse=True)
    longest = np.where(different > 0, np.rint(np.log2(np.maximum(different, 1))) + 3, 0)
    several = different > 1
    fewest = np.zeros(different.shape)
    steps = different[several].astype(np.float64) - 1
    fewest[several] = binomial_signals(steps, np.full(steps.shape, 0.5), 0.05)[0] + 1
    back = back.reshape(n.shape)
    return longest.astype(np.int64)[back], fewest.astype(np.int64)[back]


def _by_time(sides: ArrayLike) -> NDArray[np.integer[Any]]:
    """Put time first and each period in one piece of memory."""
    array = np.atleast_1d(np.asarray(sides))
    if array.dtype.kind not in "iu":
        raise InputTypeError(
            f"sides holds {array.dtype}; give whole numbers: 1 above, -1 below, 0 not useful."
        )
    return np.ascontiguousarray(np.moveaxis(array, -1, 0))


def _counts(by_time: NDArray[np.integer[Any]]) -> Iterator[IntArray]:
    """Yield for each period how many points of the run have been seen so far."""
    count, last = np.zeros(by_time.shape[1:], dtype=np.int64), np.zeros_like(by_time[0])
    for side in by_time:
        count = np.where(side == 0, count, np.where(side == last, count + 1, 1))
        last = np.where(side == 0, last, side)
        yield count
