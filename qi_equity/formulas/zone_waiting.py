"""How long a chart runs before one of its tests of zones signals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas.waiting import Waiting, follow
from qi_equity.formulas.zone_chains import ZoneChain, follower, zone_probabilities

__all__ = ["zone_waiting"]

# Strata at a time: the states of so many stay in the cache.
_BLOCK = 256


def zone_waiting(chain: ZoneChain, chances: ArrayLike, *, start: int = 0) -> Waiting:
    """Follow a chart of independent points with known lines until its tests signal.

    Exact but for rounding. The chart starts anew: no test remembers a point before the first.

    Parameters
    ----------
    chain : ZoneChain
        The test, or several :func:`qi_equity.formulas.zone_chains.together`.
    chances : array_like, shape (..., C, 10)
        Probability of each of :data:`qi_equity.formulas.zone_chains.ZONES`, as
        :func:`qi_equity.formulas.zone_chances.zone_chances` gives it, at each of C points, which repeat:
        point C + 1 is as the first, with its births. C = 1 where all are alike.
    start : int
        State of the chain before the first point: 0, or one that ``chain.following`` leads to. Published run
        lengths of tests of a window often take the window as full of points near the centre line.

    Returns
    -------
    Waiting
        Number of points to the first signal, of leading shape (...). Where no point can ever signal its mean
        is infinite.

    Raises
    ------
    InputTypeError
        If ``chances`` does not hold numbers.
    OptionError
        If it does not have ten zones or they do not sum to 1, or there is no such state.

    References
    ----------
    .. [1] Champ, Woodall, Exact results for Shewhart control charts with supplementary runs rules.
       Technometrics 1987;29:393-399.

    Examples
    --------
    A point beyond three sigma, or eight in a row on one side:

    >>> from qi_equity.formulas.distributions import Normal
    >>> from qi_equity.formulas.zone_chains import together
    >>> from qi_equity.formulas.zone_chances import zone_chances
    >>> from qi_equity.formulas.zone_test_chains import beyond_limits_chain, shift_chain
    >>> tests = together(beyond_limits_chain(), shift_chain(length=8))
    >>> points = Normal(np.array([[0.0], [1.0]]), np.ones((2, 1)))
    >>> wait = zone_waiting(tests, zone_chances(points, [0.0], three_sigma=(-3, 3)))
    >>> wait.mean().round(2), wait.within(12).round(3)
    (array([152.73,  14.58]), array([0.055, 0.545]))
    """
    p = zone_probabilities(chances)
    states = len(chain.following)
    if not 0 <= start < states:
        raise OptionError(f"start={start!r} is not allowed; give a state of the chain, 0 to {states - 1}.")
    strata = p.reshape(-1, *p.shape[-2:])
    able = _can_signal(chain, strata.max(axis=1) > 0, start)
    survival, hazard = _followed(chain, strata[able], start)
    left, ends = np.ones((len(strata), survival.shape[1])), np.zeros(strata.shape[:2])
    left[able], ends[able] = survival, hazard
    shape = p.shape[:-2]
    return Waiting(left.reshape(*shape, survival.shape[1]), ends.reshape(*shape, strata.shape[1]))


def _followed(chain: ZoneChain, strata: FloatArray, start: int) -> tuple[FloatArray, FloatArray]:
    """Follow strata (A, C, zones) that can signal."""
    if not len(strata):
        return np.ones((0, 1)), np.zeros(strata.shape[:2])
    over, cycle = follower(chain), strata.shape[1]
    now = np.zeros((len(strata), len(chain.following)))
    now[:, start] = 1

    def step(states: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        zones = strata[:, t % cycle]
        parts = [over(states[i : i + _BLOCK].T, zones[i : i + _BLOCK]) for i in range(0, len(states), _BLOCK)]
        return np.concatenate([left.T for left, _ in parts]), np.concatenate([signal for _, signal in parts])

    made = follow(now, step, cycle=cycle, least=2 * _points_to_reach(chain, start))
    return made.survival, made.hazard


def _points_to_reach(chain: ZoneChain, start: int) -> int:
    """Count the points after which each state, and each signal, can have been reached."""
    reached, fresh, points = {start}, {start}, 0
    while fresh:
        fresh = {after for state in fresh for after in chain.following[state].tolist()} - reached - {-1}
        reached |= fresh
        points += 1
    return points


def _can_signal(chain: ZoneChain, possible: BoolArray, start: int) -> BoolArray:
    """Tell where a signal can be reached through the zones (A, zones) that are possible at some point."""
    kinds, of = np.unique(possible, axis=0, return_inverse=True)
    states = len(chain.following)
    reached = np.zeros((len(kinds), states + 1), dtype=bool)
    reached[:, start] = True
    before = 0
    while (count := int(np.count_nonzero(reached))) > before:
        before = count
        for zone, following in enumerate(chain.following.T):
            kind, state = np.nonzero(reached[:, :states] & kinds[:, zone, None])
            reached[kind, following[state]] = True
    return np.asarray(reached[of.reshape(-1), states])
