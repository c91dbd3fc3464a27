"""Automata that read the zones of points: the exact probability that a stable process makes one signal."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, IntArray, floats

__all__ = [
    "ZONES",
    "Follow",
    "Step",
    "ZoneChain",
    "chain_of",
    "follower",
    "together",
    "zone_false_signal",
    "zone_probabilities",
]

ZONES = (
    "below 3 sigma",
    "2 to 3 sigma below",
    "1 to 2 sigma below",
    "0 to 1 sigma below",
    "on the line",
    "0 to 1 sigma above",
    "1 to 2 sigma above",
    "2 to 3 sigma above",
    "above 3 sigma",
    "missing",
)
"""Where a point can lie. A point on a limit belongs to the zone nearer the centre line."""

Step = Callable[[Any, int | None], Hashable | None]
"""From what a test remembers, and the level of the next point, to what it then remembers; None is a signal.

Levels are -4 to 4 for the zones from below to above 3 sigma, 0 on the line, and None for a missing point.
"""

Follow = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""From the chances of the states, (states, N), and of the zones of the next point, (N, zones), to the chances
of the states after it without a signal, (states, N), and that of a signal at it, (N,)."""

_LEVELS = (-4, -3, -2, -1, 0, 1, 2, 3, 4, None)
# Strata at a time: the states of so many stay in the cache.
_BLOCK = 256


@dataclass(frozen=True, slots=True, eq=False)
class ZoneChain:
    """A test, or several at once, as an automaton that reads the zones of points in time order.

    Parameters
    ----------
    following : numpy.ndarray of int, shape (states, zones)
        The state after a point in each of the zones of ``ZONES``; -1 is a signal. It starts in state 0, and
        no two states are alike.

    Examples
    --------
    >>> from qi_equity.formulas.zone_test_chains import beyond_limits_chain
    >>> beyond_limits_chain().following.tolist()
    [[-1, 0, 0, 0, 0, 0, 0, 0, -1, 0]]
    """

    following: IntArray


def chain_of(start: Hashable, step: Step) -> ZoneChain:
    """Turn a test into the smallest automaton that signals when it does.

    Parameters
    ----------
    start : hashable
        What the test remembers before the first point.
    step : callable
        As :data:`Step`; what it returns must be hashable and of a finite number of kinds.

    Returns
    -------
    ZoneChain
        The smallest automaton that signals when the test does.

    References
    ----------
    .. [1] Moore, Gedanken-experiments on sequential machines. Automata Studies, Princeton 1956:129-153.

    Examples
    --------
    Two points in a row above three sigma:

    >>> len(chain_of(False, lambda seen, level: None if seen and level == 4 else level == 4).following)
    2
    """
    number, rows = {start: 0}, []
    waiting = [start]
    for state in waiting:
        row = []
        for level in _LEVELS:
            after = step(state, level)
            if after is not None and after not in number:
                number[after] = len(waiting)
                waiting.append(after)
            row.append(-1 if after is None else number[after])
        rows.append(row)
    return ZoneChain(_smallest(np.array(rows, dtype=np.int64)))


def together(*chains: ZoneChain) -> ZoneChain:
    """Put tests together: the automaton that signals as soon as one of them does.

    Parameters
    ----------
    *chains : ZoneChain
        At least one.

    Returns
    -------
    ZoneChain
        With the states only that can be reached, those that are alike made one.

    Raises
    ------
    OptionError
        If there is none.

    References
    ----------
    .. [1] Champ, Woodall, Technometrics 1987;29:393-399.

    Examples
    --------
    >>> from qi_equity.formulas.zone_test_chains import beyond_limits_chain, shift_chain
    >>> len(together(beyond_limits_chain(), shift_chain(length=8)).following)
    15
    """
    if not chains:
        raise OptionError("chains=() is not allowed; give at least one.")
    made, *others = chains
    for other in others:
        made = _both(made, other)
    return made


def zone_false_signal(chain: ZoneChain, chances: ArrayLike) -> FloatArray:
    """Probability that a test signals at least once in a series of independent points.

    Parameters
    ----------
    chain : ZoneChain
        The test, or several :func:`together`.
    chances : array_like, shape (..., T, 10)
        Probability of each of ``ZONES`` at each point, as
        :func:`qi_equity.formulas.zone_chances.zone_chances` gives it; they sum to 1.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Probabilities in [0, 1], exact but for rounding. That the lines are themselves estimates is not
        allowed for.

    Raises
    ------
    InputTypeError
        If ``chances`` does not hold numbers.
    OptionError
        If it does not have ten zones, or they do not sum to 1.

    References
    ----------
    .. [1] Champ, Woodall, Exact results for Shewhart control charts with supplementary runs rules.
       Technometrics 1987;29:393-399.

    Examples
    --------
    Seven heads or seven tails in a row in seven tosses:

    >>> from qi_equity.formulas.zone_test_chains import shift_chain
    >>> coin = [[0, 0, 0, 0.5, 0, 0.5, 0, 0, 0, 0]] * 7
    >>> float(zone_false_signal(shift_chain(length=7), coin))
    0.015625
    """
    p = zone_probabilities(chances)
    series = p.reshape(-1, *p.shape[-2:])
    blocks = [_absorbed(chain, series[i : i + _BLOCK]) for i in range(0, len(series), _BLOCK)]
    return np.concatenate([*blocks, np.empty(0)]).reshape(p.shape[:-2])


def zone_probabilities(chances: ArrayLike) -> FloatArray:
    """Check that these are probabilities of zones.

    Parameters
    ----------
    chances : array_like, shape (..., T, 10)
        Probability of each of ``ZONES`` at each point.

    Returns
    -------
    numpy.ndarray of float, shape (..., T, 10)
        The same.

    Raises
    ------
    InputTypeError
        If ``chances`` does not hold numbers.
    OptionError
        If it does not have ten zones, or they do not sum to 1.

    Examples
    --------
    >>> zone_probabilities([[0, 0, 0, 0.5, 0, 0.5, 0, 0, 0, 0]]).shape
    (1, 10)
    """
    (p,) = floats({"chances": chances})
    if p.ndim < 2 or p.shape[-1] != len(ZONES):
        raise OptionError(f"chances has shape {p.shape}; give (..., T, {len(ZONES)}), a column a zone.")
    if not (np.all(p >= 0) and np.all(np.abs(p.sum(axis=-1) - 1) < 1e-9)):
        raise OptionError("chances does not hold probabilities that sum to 1 at every point.")
    return p


def follower(chain: ZoneChain) -> Follow:
    """Make the function that follows the chances of the states of many strata over one point.

    Parameters
    ----------
    chain : ZoneChain
        The test, or several :func:`together`.

    Returns
    -------
    callable
        As :data:`Follow`.

    References
    ----------
    .. [1] Champ, Woodall, Technometrics 1987;29:393-399.

    Examples
    --------
    >>> from qi_equity.formulas.zone_test_chains import beyond_limits_chain
    >>> zones = np.array([[0.01, 0, 0, 0.49, 0, 0.5, 0, 0, 0, 0]])
    >>> left, signal = follower(beyond_limits_chain())(np.array([[1.0]]), zones)
    >>> left.round(9), signal
    (array([[0.99]]), array([0.01]))
    """
    from scipy import sparse

    # Zones that no state tells apart are one.
    columns, zone = np.unique(chain.following, axis=1, return_inverse=True)
    states, symbols = columns.shape
    alike = np.zeros((symbols, len(ZONES)))
    alike[zone.reshape(-1), np.arange(len(ZONES))] = 1
    target = np.where(columns.T < 0, states, columns.T).ravel()
    step = sparse.csr_array(
        (np.ones(target.size), (target, np.arange(target.size))), shape=(states + 1, target.size)
    )

    def follow(now: FloatArray, chances: FloatArray) -> tuple[FloatArray, FloatArray]:
        of = alike @ chances.T
        after = np.asarray(step @ (of[:, np.newaxis] * now).reshape(-1, now.shape[1]))
        return after[:states], after[states]

    return follow


def _absorbed(chain: ZoneChain, chances: FloatArray) -> FloatArray:
    """Follow the probability of each state, and of having signalled, of strata (N, T, zones)."""
    follow = follower(chain)
    now = np.zeros((len(chain.following), len(chances)))
    now[0] = 1
    signalled = np.zeros(len(chances))
    for t in range(chances.shape[1]):
        now, signal = follow(now, chances[:, t])
        signalled += signal
    return np.minimum(signalled, 1)


def _both(one: ZoneChain, other: ZoneChain) -> ZoneChain:
    """Follow the pairs of states that can be reached."""
    a, b = one.following.tolist(), other.following.tolist()
    place = {level: i for i, level in enumerate(_LEVELS)}

    def step(pair: tuple[int, int], level: int | None) -> tuple[int, int] | None:
        after = a[pair[0]][place[level]], b[pair[1]][place[level]]
        return None if -1 in after else after

    return chain_of((0, 0), step)


def _smallest(following: IntArray) -> IntArray:
    """Split the states into classes until all of a class go to the same classes (Moore's algorithm)."""
    kind = np.zeros(len(following), dtype=np.int64)
    while True:
        seen = np.where(following < 0, -1, kind[following])
        _, first, finer = np.unique(
            np.column_stack([kind, seen]), axis=0, return_index=True, return_inverse=True
        )
        finer = finer.reshape(-1)
        if len(first) == kind.max() + 1:
            break
        kind = finer
    order = np.argsort(np.argsort(first))
    return np.where(following < 0, -1, order[finer[following]])[np.sort(first)]
