"""Bernoulli CUSUM on a lattice: mean births to a signal of many arms, for all thresholds one after the other.

One outcome of a birth moves an arm up, towards its threshold, the other moves it down, no further than to 0.
The equations of the mean run for a threshold are the first ones of those for any higher threshold, and so are
their triangular factors: one elimination gives all. Nothing is ever subtracted in it, so it keeps its digits
however long the run. All arrays are of shape (A,), one entry an arm, or (K, A) for K chances it is followed
under.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray

# Rarer than this, births are taken together: of so rare an outcome only the number in the long run matters.
_RAREST = 0.005
_ROUNDING = 1e-9
# Numbers in the window of one elimination, and by how much the bands of its arms may differ.
_BLOCK = 2**15
_ALIKE = 1.25


class Moves(NamedTuple):
    """Points an arm moves ``up`` or ``down``; a part of a point is a chance of one more.

    ``rising``: a birth without the event (or, where ``turned``, one with it) moves the arm up. ``unit`` is
    one point on the scale of log likelihood, ``together`` the births of one step.
    """

    up: FloatArray
    down: FloatArray
    rising: BoolArray
    unit: FloatArray
    together: FloatArray
    turned: BoolArray

    def take(self, some: BoolArray | IntArray) -> Moves:
        """Leave the others out."""
        up, down, rising, unit, together, turned = self
        return Moves(up[some], down[some], rising[some], unit[some], together[some], turned[some])

    def chance_up(self, chance: FloatArray) -> FloatArray:
        """Turn the chance of the event, (K, A), into that of a step up."""
        p = np.where(self.turned, 1 - chance, chance) * self.together
        return np.where(self.rising, 1 - p, p)


class Runs(NamedTuple):
    """Threshold in points, (A,), and mean number of steps to the signal at it and a point below, (K, A)."""

    points: FloatArray
    mean: FloatArray
    below: FloatArray


def likelihood_moves(chance: FloatArray, ratio: FloatArray, largest: FloatArray, *, fineness: int) -> Moves:
    """Give the arms that look for odds times ``ratio``; ``largest`` is the highest chance they will meet.

    The likelier outcome moves an arm by a whole number of points, the rarer one by ``fineness`` or more; of
    the lattices up to twice as fine the one is taken on which that falls nearest to a point.
    """
    turned = chance > 0.5
    p, most = (np.where(turned, 1 - a, a) for a in (chance, largest))
    r = np.where(turned, 1 / ratio, ratio)
    together = np.maximum(1, np.floor(_RAREST / np.maximum(p, most)))
    # Scores of the likelihood of births together are again such scores.
    moved = np.abs(np.log1p((r - 1) * p * together))
    per_other = np.abs(np.log(r)) / moved - 1
    fewest = np.ceil(fineness / per_other)
    several = fewest[:, np.newaxis] + np.floor(fewest[:, np.newaxis] * np.arange(fineness) / fineness)
    off = np.modf(several * per_other[:, np.newaxis])[0]
    best = np.argmin(off * (1 - off) / several**2, axis=1)
    other = several[np.arange(len(best)), best]
    event, rising = per_other * other, r < 1
    event = np.where(np.abs(event - np.rint(event)) < _ROUNDING * event, np.rint(event), event)
    up, down = np.where(rising, other, event), np.where(rising, event, other)
    return Moves(up, down, rising, moved / other, together, turned)


def runs_until(moves: Moves, chance_up: FloatArray, *, steps: FloatArray, points: FloatArray) -> Runs:
    """Raise the threshold until the mean run under the first chance is ``steps``, or it is ``points``."""
    found = Runs(np.zeros(len(steps)), np.zeros(chance_up.shape), np.zeros(chance_up.shape))
    for some in _batches(moves, len(chance_up)):
        elimination, left = _Elimination(moves.take(some), chance_up[:, some]), some
        n = 0
        while left.size:
            n += 1
            before = elimination.total
            elimination.step()
            there = (elimination.total[0] >= steps[left]) | (n >= points[left])
            if there.any():
                done = left[there]
                found.points[done] = n
                found.mean[:, done], found.below[:, done] = elimination.total[:, there], before[:, there]
                left = left[~there]
                elimination.take(~there)
    return found


def step_chances(moves: Moves, chance_up: FloatArray, down: int, up: int) -> FloatArray:
    """P(step = d), d = -down..up points, of shape (down + up + 1, K, A)."""
    found = np.zeros((down + up + 1, *chance_up.shape))
    which, arm = np.ogrid[: len(chance_up), : len(moves.up)]
    for points, chance, sign in ((moves.up, chance_up, 1), (moves.down, 1 - chance_up, -1)):
        whole = np.floor(points)
        part = points - whole
        at = (sign * whole).astype(np.intp) + down
        found[at, which, arm] += chance * (1 - part)
        # Without a part there may be no room for one more point.
        found[np.where(part > 0, at + sign, at), which, arm] += chance * part
    return found


class _Elimination:
    """Triangular factors of I - Q, state after state; ``total`` is the mean run for as many states, (K, A).

    The diagonal is not kept, as what is left of it follows from its row. The mean run from 0 is the sum over
    the states of (row 0 of the inverse of U) times (row sums of the inverse of L).

    References
    ----------
    .. [1] Grassmann, Taksar, Heyman, Regenerative analysis and steady state distributions for Markov chains.
       Oper Res 1985;33:1107-1116 (elimination without subtraction; seen at second hand).
    """

    __slots__ = ("_column", "_left", "_product", "_right", "_row", "_spare", "_window", "total")

    def __init__(self, moves: Moves, chance_up: FloatArray) -> None:
        down, up = (int(np.ceil(a).max()) for a in (moves.down, moves.up))
        chances = step_chances(moves, chance_up, down, up)
        i, j = np.ogrid[: down + 1, : up + 1]
        self._window = -chances[j - i + down]
        # An arm is not moved below 0.
        self._window[:, 0] = -np.cumsum(chances[: down + 1], axis=0)[::-1]
        self._spare, self._product = np.empty_like(self._window), np.empty_like(self._window[1:, 1:])
        self._row, self._column = -chances[: up + 1], -chances[up : up + down + 1][::-1]
        self._left = np.zeros((up + 1, *chance_up.shape))
        self._left[0] = 1
        self._right = np.ones((down + 1, *chance_up.shape))
        self.total = np.zeros(chance_up.shape)

    def step(self) -> None:
        """Add one state."""
        across = self._window[0, 1:]
        # An arm goes somewhere from each state, so each row sums to 0, whatever has been eliminated.
        pivot = -across.sum(axis=0)
        factor = self._window[1:, 0] / pivot
        left, right = self._left[0] / pivot, self._right[0]
        self.total = self.total + left * right
        self._left[:-1] = self._left[1:] - left * across
        self._left[-1] = 0
        self._right[:-1] = self._right[1:] - factor * right
        self._right[-1] = 1
        now, after, product = self._window, self._spare, self._product
        np.multiply(factor[:, np.newaxis], across, out=product)
        np.subtract(now[1:, 1:], product, out=after[:-1, :-1])
        after[-1], after[:, -1] = self._row, self._column
        self._window, self._spare = after, now

    def take(self, some: BoolArray) -> None:
        """Go on with these arms only."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name)[..., some])


def _batches(moves: Moves, chances: int) -> list[IntArray]:
    """Put arms of similar bands together, no more of them than fit into a block."""
    bands = np.stack([np.ceil(moves.down), np.ceil(moves.up)])
    alike = np.rint(np.log(bands) / np.log(_ALIKE))
    order = np.lexsort(alike)
    ends = np.flatnonzero((alike[:, order[1:]] != alike[:, order[:-1]]).any(axis=0)) + 1
    found = []
    for group in np.split(order, ends) if order.size else []:
        window = chances * int(np.prod(bands[:, group].max(axis=1, initial=0) + 1))
        most = max(1, _BLOCK // window)
        found += np.split(group, range(most, len(group), most))
    return found
