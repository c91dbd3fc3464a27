"""How long a growing chart runs before Anhøj's runs tests, read after every point, signal."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import whole_number
from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray
from qi_equity.formulas.false_signals import side_chances
from qi_equity.formulas.runs import anhoej_limits
from qi_equity.formulas.waiting import Waiting

__all__ = ["anhoej_waiting"]

# Strata at a time: the states of so many stay in the cache.
_BLOCK = 256


def anhoej_waiting(
    low: ArrayLike, high: ArrayLike, *, first: int = 1, longest: bool = True, crossings: bool = True
) -> Waiting:
    r"""Follow a run chart that is read after every point until it signals.

    The tests look at the whole series so far, and their limits grow with it. Exact, by a recursion over
    points, runs and crossings: since the longest run that is allowed only grows, it is exceeded in the
    current run or never. A chart read once, when it is complete, signals less often:
    :func:`qi_equity.formulas.false_signals.anhoej_false_signal`.

    Parameters
    ----------
    low, high : array_like, shape (..., T)
        Chance of each useful point to lie below, or above, the centre line and within the limits; what they
        leave to 1 is the chance of a point beyond the limits, which signals at once. NaN where a point is
        missing or on the line: it takes its time but neither counts nor breaks a run. They are taken as
        given: a chance is that of a point known not to lie on the line.
    first : int
        Useful points at which the tests are first read, >= 1. From 1, as on the charts of this library, they
        can signal from the sixth point; Anhøj asks for 10 at least. A run that was too long before then is
        seen then.
    longest, crossings : bool
        Which of the two tests are read; neither leaves the limits.

    Returns
    -------
    Waiting
        Number of points, useful or not, to the first signal, of leading shape (...). It is exact for T
        points. Of how a chart goes on after them nothing is given: it is taken to signal at the mean rate of
        the second half of the T points. While nothing changes the true rate falls as the limits grow,
        about as 1 / points, so that its mean and late quantiles come out too low: let T be as long as the
        chart will be kept before it starts anew, and read ``within``.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers, or ``first`` is not a whole number.
    OptionError
        If shapes do not fit together, chances are negative or add up to more than 1, or ``first`` is less
        than 1.

    References
    ----------
    .. [1] Anhøj, Vigeland, Joint distribution for number of crossings and longest run in independent
       Bernoulli observations (R package crossrun). PLoS One 2019;14:e0223233 (the recursion).
    .. [2] Anhøj, Wentzel-Larsen, BMC Med Res Methodol 2018;18:100 (series of 10 points or more).

    Examples
    --------
    A fair coin of 24 points, read after each of them and at the end only:

    >>> from qi_equity.formulas.false_signals import runs_false_signal
    >>> coin = np.full(24, 0.5)
    >>> float(anhoej_waiting(coin, coin, first=10).within(24).round(4))
    0.1349
    >>> float(runs_false_signal(coin, coin).round(4))
    0.0662
    """
    since = whole_number("first", first, at_least=1)
    below, above, useful = side_chances(low, high)
    shape = useful.shape
    below, above = (a.reshape(-1, shape[-1]) for a in (below, above))
    useful = useful.reshape(-1, shape[-1])
    number = useful.cumsum(axis=1)
    read = number >= since
    most, fewest = _limits(number, since, longest, crossings)
    hazard = np.empty(useful.shape)
    for i in range(0, len(hazard), _BLOCK):
        part = np.s_[i : i + _BLOCK]
        sides = np.stack([below[part], above[part]]).transpose(2, 0, 1)
        hazard[part] = _hazards(sides, useful[part].T, read[part].T, most[part].T, fewest[part].T).T
    return _going_on(hazard.reshape(shape))


def _limits(number: IntArray, first: int, longest: bool, crossings: bool) -> tuple[IntArray, IntArray]:
    """Longest run that is allowed, and fewest crossings, after each number of useful points (A, T)."""
    most, fewest = anhoej_limits(np.maximum(number, first))
    # One place is enough for a run that nobody measures.
    most = most if longest else np.zeros_like(number)
    return most, np.where((number >= first) & crossings, fewest, 0)


def _hazards(
    sides: FloatArray, useful: BoolArray, read: BoolArray, most: IntArray, fewest: IntArray
) -> FloatArray:
    """Chance of a signal at each point given none before, (T, A), of chances (T, 2, A)."""
    strata = sides.shape[2]
    length = np.arange(1, most.max(initial=0) + 2)[:, None]
    crossed = np.arange(fewest.max(initial=0) + 1)[:, None, None]
    state = np.zeros((2, len(crossed), len(length), strata))
    # Before the first point; and with a run that is too long already, but not yet read.
    fresh, late = np.ones(strata), np.zeros(strata)
    found = np.empty(useful.shape)
    for t, side in enumerate(sides):
        on = side.sum(axis=0)
        after = _moved(state, side)
        after[:, 0, 0] += fresh * side
        broken = (crossed < fewest[t]) | ((length > most[t]) & (most[t] > 0))
        seen = late * on + np.where(broken, after, 0).sum(axis=(0, 1, 2))
        after = np.where(broken, 0, after)
        signal = np.where(read[t], seen, 0) + np.maximum(1 - on, 0)
        left = after.sum(axis=(0, 1, 2)) + np.where(read[t], 0, seen)
        chance = signal / np.where(left + signal > 0, left + signal, 1)
        found[t] = np.where(useful[t], np.where(left + signal > 0, chance, 1), 0)
        # The share that is left is followed as a whole.
        whole = np.where(left > 0, left, 1)
        state = np.where(useful[t], after / whole, state)
        late = np.where(useful[t], np.where(read[t], 0, seen / whole), late)
        fresh = np.where(useful[t], 0, fresh)
    return found


def _moved(state: FloatArray, side: FloatArray) -> FloatArray:
    """Follow chances (sides, crossings, points in the run, A) over a point; the last places keep the rest."""
    after = np.zeros_like(state)
    same = state * side[:, None, None]
    after[:, :, 1:] += same[:, :, :-1]
    after[:, :, -1] += same[:, :, -1]
    turned = state.sum(axis=2)[::-1] * side[:, None]
    after[:, 1:, 0] += turned[:, :-1]
    after[:, -1, 0] += turned[:, -1]
    return after


def _going_on(hazard: FloatArray) -> Waiting:
    """Let the chart go on at the mean rate of the second half of its points."""
    with np.errstate(divide="ignore"):
        rate = -np.expm1(np.log1p(-hazard[..., hazard.shape[-1] // 2 :]).mean(axis=-1, keepdims=True))
    first = np.ones((*hazard.shape[:-1], 1))
    return Waiting(np.concatenate([first, np.cumprod(1 - hazard, axis=-1)], axis=-1), rate)
