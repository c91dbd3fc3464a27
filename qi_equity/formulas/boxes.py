"""Best box and cut box: limits of longest run and crossings of one specificity for any number of points."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import number, one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, IntArray, counts
from qi_equity.formulas.runs import anhoej_limits
from qi_equity.formulas.runs_distribution import joint_distribution

__all__ = ["Box", "best_box", "cut_box", "find_box", "runs_limits"]

RunsMethod = Literal["anhoej", "best_box", "cut_box"]

_SPECIFICITY = 0.925
_SHIFT = 0.8
_FEWEST_POINTS = 10
# A run this much longer than log2(n) has less than the rounding error of a probability.
_LONGER = 52


class Box(NamedTuple):
    """Region of no signal: C >= crossings_min and L <= longest_max, less the cells cut from its corner.

    With exactly ``crossings_min`` crossings only runs up to ``longest_at_corner`` do not signal, and with
    fewer than ``crossings_at_corner`` only runs shorter than ``longest_max``. An uncut box has
    ``longest_max`` and ``crossings_min`` there.
    """

    longest_max: int
    crossings_min: int
    longest_at_corner: int
    crossings_at_corner: int


def find_box(
    n_useful: int, *, cut: bool = False, specificity: float = _SPECIFICITY, shift: float = _SHIFT
) -> Box:
    r"""Find the box of greatest power among those of at least some specificity, and cut its corner.

    .. math:: \min_{c, l} P_\delta(C \ge c, L \le l) \quad\text{where}\quad P_0(C \ge c, L \le l) \ge \gamma

    Cells are then cut from the two borders that meet in the corner, one by one and from the corner on: each
    time the one of the two next to go that is more probable under the shift, or else the other, as long as
    the specificity holds.

    Parameters
    ----------
    n_useful : int
        Points not on the centre line and not missing, >= 1.
    cut : bool
        Whether to cut.
    specificity : float
        Least probability of no signal if nothing has changed, in (0, 1).
    shift : float
        Shift of the mean for which the power is greatest, in standard deviations of a point, > 0.

    Returns
    -------
    Box
        Limits as whole numbers.

    Raises
    ------
    InputTypeError
        If an argument is not a number.
    OptionError
        If one is out of range.

    References
    ----------
    .. [1] Anhøj, Wentzel-Larsen, Smooth operator: modifying the Anhøj rules to improve runs analysis in
       statistical process control. PLoS One 2020;15:e0233920. That a cell which cannot be cut leaves the turn
       to the other border follows from its Table 1.

    Examples
    --------
    >>> find_box(24)
    Box(longest_max=7, crossings_min=6, longest_at_corner=7, crossings_at_corner=6)
    >>> find_box(24, cut=True)
    Box(longest_max=7, crossings_min=6, longest_at_corner=6, crossings_at_corner=7)
    """
    target = number("specificity", specificity, above=0, below=1)
    chance = float(special.ndtr(number("shift", shift, above=0)))
    lengths = np.arange(1, min(n_useful, math.ceil(math.log2(max(n_useful, 1))) + _LONGER) + 1)
    fair, shifted = (joint_distribution(n_useful, lengths, p) for p in (0.5, chance))
    kept, missed = (p[::-1].cumsum(axis=0)[::-1] for p in (fair, shifted))
    able = _possible(n_useful, lengths) & (kept >= target)
    crossings, place = np.unravel_index(np.where(able, missed, np.inf).argmin(), able.shape)
    c, i = int(crossings), int(place)
    down, left = _cut(fair, shifted, c, i, float(kept[c, i]) - target) if cut else (0, 0)
    longest = int(lengths[i])
    return Box(longest, c, longest - left, c + down)


def best_box(n_useful: ArrayLike) -> tuple[IntArray, IntArray]:
    """Longest run and fewest crossings by the best box of specificity 0.925 at a shift of 0.8 SD.

    Parameters
    ----------
    n_useful : array_like of int, any shape
        Points not on the centre line and not missing, >= 0. Below 10, where the authors start, Anhøj's limits
        serve.

    Returns
    -------
    longest_max, crossings_min : numpy.ndarray of int, shape of ``n_useful``
        A chart signals when its longest run is longer or its crossings are fewer.

    Raises
    ------
    InputTypeError
        If ``n_useful`` does not hold whole numbers of 0 or more.

    References
    ----------
    .. [1] Anhøj, Wentzel-Larsen, PLoS One 2020;15:e0233920.

    Examples
    --------
    >>> longest_max, crossings_min = best_box([12, 24, 36])
    >>> longest_max.tolist(), crossings_min.tolist()
    ([6, 7, 9], [3, 6, 13])
    """
    longest, fewest, _, _ = _boxes(counts("n_useful", n_useful), cut=False)
    return longest, fewest


def cut_box(n_useful: ArrayLike, crossings: ArrayLike) -> tuple[IntArray, IntArray]:
    """Longest run and fewest crossings by the cut box of specificity 0.925 at a shift of 0.8 SD.

    Parameters
    ----------
    n_useful : array_like of int, any shape
        Points not on the centre line and not missing, >= 0. Below 10 Anhøj's limits serve.
    crossings : array_like of int, broadcastable to ``n_useful``
        Crossings of each chart, >= 0: the limit of the longest run depends on them.

    Returns
    -------
    longest_max, crossings_min : numpy.ndarray of int
        A chart signals when its longest run is longer or its crossings are fewer.

    Raises
    ------
    InputTypeError
        If an argument does not hold whole numbers of 0 or more.
    OptionError
        If the shapes do not fit together.

    References
    ----------
    .. [1] Anhøj, Wentzel-Larsen, PLoS One 2020;15:e0233920.

    Examples
    --------
    >>> longest_max, _ = cut_box(36, [13, 14, 15])
    >>> longest_max.tolist()
    [8, 8, 9]
    """
    n, crossed = counts("n_useful", n_useful), counts("crossings", crossings)
    try:
        n, crossed = np.broadcast_arrays(n, crossed)
    except ValueError as error:
        raise OptionError(
            f"n_useful has shape {n.shape} and crossings {crossed.shape}, which do not fit together; give "
            "arrays of one shape."
        ) from error
    longest, fewest, at_corner, until = _boxes(n, cut=True)
    limit = longest - (crossed < until)
    return np.where(crossed <= fewest, at_corner, limit), fewest


def runs_limits(
    n_useful: ArrayLike, crossings: ArrayLike, *, method: RunsMethod = "anhoej"
) -> tuple[IntArray, IntArray]:
    """Longest run and fewest crossings to be expected, by one of the three methods.

    Parameters
    ----------
    n_useful : array_like of int, any shape
        Points not on the centre line and not missing, >= 0.
    crossings : array_like of int, broadcastable to ``n_useful``
        Crossings of each chart, >= 0; only the cut box depends on them.
    method : {"anhoej", "best_box", "cut_box"}
        :func:`qi_equity.formulas.runs.anhoej_limits`, :func:`best_box` or :func:`cut_box`.

    Returns
    -------
    longest_max, crossings_min : numpy.ndarray of int
        A chart signals when its longest run is longer or its crossings are fewer.

    Raises
    ------
    InputTypeError
        If an argument does not hold whole numbers of 0 or more.
    OptionError
        If the shapes do not fit together or ``method`` is not one of the three.

    References
    ----------
    .. [1] Anhøj, Wentzel-Larsen, PLoS One 2020;15:e0233920.

    Examples
    --------
    >>> [int(limit) for limit in runs_limits(24, 9, method="cut_box")]
    [7, 6]
    """
    match one_of("method", method, ("anhoej", "best_box", "cut_box")):
        case "best_box":
            return best_box(n_useful)
        case "cut_box":
            return cut_box(n_useful, crossings)
        case _:
            return anhoej_limits(n_useful)


def _boxes(n: IntArray, *, cut: bool) -> tuple[IntArray, ...]:
    """Give the four limits of a box for each number of points."""
    different, back = np.unique(n, return_inverse=True)
    longest, fewest = anhoej_limits(different)
    table = np.stack([longest, fewest, longest, fewest])
    for i in np.flatnonzero(different >= _FEWEST_POINTS):
        table[:, i] = find_box(int(different[i]), cut=cut)
    return tuple(table[:, back.reshape(n.shape)])


def _possible(n: int, lengths: IntArray) -> np.ndarray:
    """Say which pairs of crossings and longest run n points can have."""
    runs = np.arange(1, n + 1)[:, np.newaxis]
    return (lengths <= n - runs + 1) & (lengths * runs >= n)


def _cut(fair: FloatArray, shifted: FloatArray, c: int, i: int, spare: float) -> tuple[int, int]:
    """Count the cells to cut from the corner on: down (more crossings) and to the left (shorter runs)."""
    lost, gained = (np.diff(p, axis=1, prepend=0) for p in (fair, shifted))
    if lost[c, i] > spare:
        return 0, 0
    spare -= lost[c, i]
    down = left = 1
    while True:
        cells = [(c + down, i), (c, i - left)]
        cells = [cell for cell in cells if cell[0] < len(fair) and cell[1] >= 0 and 0 < lost[cell] <= spare]
        if not cells:
            return down, left
        cell = max(cells, key=lambda cell: gained[cell])
        spare -= lost[cell]
        down, left = down + (cell[1] == i), left + (cell[0] == c)
