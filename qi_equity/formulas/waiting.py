"""How long a chart runs before it signals: the distribution of a waiting time that ends geometrically."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats

__all__ = ["Step", "Waiting", "follow"]

Step = Callable[[FloatArray, int], tuple[FloatArray, FloatArray]]
"""From the chances of the states, (A, states), before point t (from 0) to those after it without a signal,
and the chance of a signal at it, (A,)."""

# The chance of a signal at a point may still move by this share of itself from half as many points ago.
_SETTLED = 1e-11
# No quantile is looked for beyond so many points.
_FARTHEST = 2.0**62


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    r"""Number of points up to and including that of the first signal.

    A chart that is followed long enough forgets how it started: from then on its chance of a signal, given
    none so far, is the same at every point (or repeats with the denominators). So a number of points and that
    chance say all.

    Parameters
    ----------
    survival : numpy.ndarray of float, shape (..., N + 1)
        Probability of no signal in the first 0 to N points; the first is 1.
    hazard : numpy.ndarray of float, shape (..., C)
        Chance of a signal at each of the points after N, given none before, which repeat every C points.
    weight : numpy.ndarray of float, shape (..., K) or (K,), optional
        Where the last of the leading axes are K ways the lines could have come out: how likely each is. What
        is asked is then answered for all of them together, with this axis gone.

    References
    ----------
    .. [1] Brook, Evans, An approach to the probability distribution of CUSUM run length. Biometrika
       1972;59:539-549 (the geometric end).

    Examples
    --------
    A chance of 1 in 100 at every point:

    >>> wait = Waiting(np.array([1.0]), np.array([0.01]))
    >>> wait.mean(), wait.quantile(0.5), wait.within([12, 24]).round(3)
    (array(100.), array(69.), array([0.114, 0.214]))
    """

    survival: FloatArray
    hazard: FloatArray
    weight: FloatArray | None = None

    def mean(self) -> FloatArray:
        """Give the mean number of points, of shape (...); infinite where it may never signal.

        Returns
        -------
        numpy.ndarray of float
            At least 1; the average run length.

        Examples
        --------
        >>> Waiting(np.array([1.0, 0.5]), np.array([0.25])).mean()
        array(3.)
        """
        alive = np.cumprod(1 - self.hazard, axis=-1)
        before = np.concatenate([np.ones((*alive.shape[:-1], 1)), alive[..., :-1]], axis=-1)
        # Added up, not taken from 1: a chance of 1e-15 a point is a chance.
        signalled = (before * self.hazard).sum(axis=-1)
        last = self.survival[..., -1]
        with np.errstate(divide="ignore", invalid="ignore"):
            tail = np.where(last == 0, 0.0, last * before.sum(axis=-1) / signalled)
        return self._together(self.survival[..., :-1].sum(axis=-1) + tail)

    def within(self, points: ArrayLike) -> FloatArray:
        """Give the chance of a signal within so many points.

        Parameters
        ----------
        points : array_like, broadcastable to (...)
            Number of points, >= 0; a part of a point counts for nothing.

        Returns
        -------
        numpy.ndarray of float, shape (...)
            Probabilities in [0, 1].

        Raises
        ------
        InputTypeError
            If it is not a number.
        OptionError
            If it is negative or missing.

        Examples
        --------
        >>> Waiting(np.array([1.0]), np.array([0.5])).within([0, 1, 2]).tolist()
        [0.0, 0.5, 0.75]
        """
        (wanted,) = floats({"points": points})
        if not (wanted >= 0).all():
            raise OptionError(f"points={points!r} is not allowed; give numbers of 0 or more.")
        wanted = wanted.reshape(np.shape(points))
        return self._within(wanted if self.weight is None else wanted[..., None])

    def quantile(self, chance: float) -> FloatArray:
        """Give the number of points within which it signals with a chance: 0.5 gives the median.

        Parameters
        ----------
        chance : float
            In (0, 1).

        Returns
        -------
        numpy.ndarray of float, shape (...)
            Whole numbers, the least that are enough; infinite where none is.

        Raises
        ------
        OptionError
            If the chance is out of bounds.

        Examples
        --------
        >>> Waiting(np.array([1.0]), np.array([0.1])).quantile(0.95)
        array(29.)
        """
        if not 0 < chance < 1:
            raise OptionError(f"chance={chance!r} is not allowed; give a number between 0 and 1.")
        shape = self.mean().shape
        high = np.ones(shape)
        while (waiting := (self._at(high) < chance) & (high < _FARTHEST)).any():
            high = np.where(waiting, 2 * high, high)
        low = np.zeros(shape)
        never = self._at(high) < chance
        while (high - low > np.maximum(1, high * 1e-15)).any():
            middle = np.floor((low + high) / 2)
            enough = self._at(middle) >= chance
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.where(np.isnan(self._at(high)), np.nan, np.where(never, np.inf, high))

    def _at(self, points: FloatArray) -> FloatArray:
        return self._within(points if self.weight is None else points[..., None])

    def _within(self, points: FloatArray) -> FloatArray:
        n, cycle = self.survival.shape[-1] - 1, self.hazard.shape[-1]
        whole = np.floor(np.broadcast_to(points, np.broadcast_shapes(points.shape, self.hazard.shape[:-1])))
        early = np.take_along_axis(
            np.broadcast_to(self.survival, (*whole.shape, n + 1)),
            np.minimum(whole, n).astype(np.int64)[..., None],
            axis=-1,
        )[..., 0]
        turns, more = np.divmod(np.maximum(whole - n, 0), cycle)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.concatenate(
                [np.zeros((*self.hazard.shape[:-1], 1)), np.log1p(-self.hazard).cumsum(axis=-1)], axis=-1
            )
            logs = np.broadcast_to(logs, (*whole.shape, cycle + 1))
            part = np.take_along_axis(logs, more.astype(np.int64)[..., None], axis=-1)[..., 0]
            tail = np.where(turns > 0, turns * logs[..., -1], 0.0) + part
            found = 1 - early - early * np.expm1(tail)
        return self._together(np.clip(np.where(whole > n, found, 1 - early), 0, 1))

    def _together(self, found: FloatArray) -> FloatArray:
        if self.weight is None:
            return np.asarray(found)
        # What cannot happen may be infinite.
        return np.asarray((np.where(self.weight > 0, found, 0.0) * self.weight).sum(axis=-1))


def follow(start: FloatArray, step: Step, *, cycle: int = 1, least: int = 64, most: int = 2**20) -> Waiting:
    """Follow charts point by point until their chance of a signal has settled.

    Parameters
    ----------
    start : numpy.ndarray of float, shape (A, states)
        Chance of each state before the first point; each row sums to 1.
    step : callable
        As :data:`Step`; point t is that of number t modulo ``cycle``.
    cycle : int
        After how many points their distributions repeat, >= 1.
    least : int
        Points that are followed at least. The chance of a signal is level, as if it had settled, until the
        first window of a test is full: half as many points must lie beyond that.
    most : int
        Points after which it is given up.

    Returns
    -------
    Waiting
        Of leading shape (A,).

    Raises
    ------
    OptionError
        If the chance of a signal has not settled after ``most`` points.

    References
    ----------
    .. [1] Brook, Evans, Biometrika 1972;59:539-549; Champ, Woodall, Technometrics 1987;29:393-399.

    Examples
    --------
    A signal at the second of two events in a row, each of chance 1/2:

    >>> def two_in_a_row(now, t):
    ...     return np.stack([now.sum(axis=1) / 2, now[:, 0] / 2], axis=1), now[:, 1] / 2
    >>> follow(np.array([[1.0, 0.0]]), two_in_a_row).mean().round(9)
    array([6.])
    """
    now, alive = start, np.ones(len(start))
    survival, hazards = [alive], np.zeros((0, len(start), cycle))
    for t in range(most):
        now, signal = step(now, t)
        left = now.sum(axis=1)
        chance = signal / np.where(left + signal > 0, left + signal, 1.0)
        hazards = _noted(hazards, np.where(left + signal > 0, chance, 1.0), t)
        alive = alive * (1 - hazards[t // cycle, :, t % cycle])
        survival.append(alive)
        # The share that is left is followed as a whole, lest it gets too small for a number.
        now = now / np.where(left > 0, left, 1.0)[:, None]
        turn = (t + 1) // cycle
        enough = (t + 1) % cycle == 0 and turn >= 2 and t + 1 >= least
        if enough and _settled(hazards, turn, alive, now.shape[1]):
            return Waiting(np.stack(survival, axis=-1), hazards[turn - 1])
    raise OptionError(
        f"The chance of a signal has not settled after {most} points; the chart cannot be followed."
    )


def _noted(hazards: FloatArray, chance: FloatArray, t: int) -> FloatArray:
    """Note the chance of a signal at a point; room is doubled when it is full."""
    cycle = hazards.shape[2]
    if t // cycle == len(hazards):
        room = np.full((max(len(hazards), 8), *hazards.shape[1:]), np.nan)
        hazards = np.concatenate([hazards, room])
    hazards[t // cycle, :, t % cycle] = chance
    return hazards


def _settled(hazards: FloatArray, turn: int, alive: FloatArray, states: int) -> bool:
    """Compare with half as many turns ago, which tells even where it settles slowly.

    Where no signal has been possible so far, one still may be as long as there are states not yet tried.
    """
    now, then = hazards[turn - 1], hazards[turn // 2 - 1]
    most = np.maximum(now, then).max(axis=1)
    still = (np.abs(now - then).max(axis=1) <= _SETTLED * most) & ((most > 0) | (turn > states))
    return bool((still | (alive < np.finfo(np.float64).tiny)).all())
