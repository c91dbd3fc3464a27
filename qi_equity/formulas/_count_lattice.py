"""CUSUM of counts on a lattice: the steps of a period, and run lengths for all thresholds at once.

An arm is max(0, S + step) with step = x - k (high arm) or k - x (low arm), in events: k is the reference
value of the arm and ``sign`` +1 or -1. A step between two points of the lattice goes to either in
proportion, which keeps its mean. All arrays are of shape (A,), one entry an arm.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import fft, sparse, special

from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray
from qi_equity.formulas._cusum_arms import log_mixture
from qi_equity.formulas._tails import binomial_at_least, binomial_at_most, poisson_at_least, poisson_at_most

# Points of the lattice an event at least, for a run length within about 1 % of that of the chart itself.
_FINENESS = 32
_CANDIDATES = 64
# A quiet period may move an arm by less than one point of the lattice, lest it needs more points than this.
_MOST_POINTS = 1024
_BLOCK = 2**22
_ROUNDING = 1e-9


class Arms(NamedTuple):
    """Arms of charts of counts: births (0: Poisson), chance or mean count, reference value and direction."""

    size: FloatArray
    parameter: FloatArray
    reference: FloatArray
    sign: FloatArray

    def take(self, some: BoolArray | IntArray) -> Arms:
        """Leave the others out."""
        return Arms(*(a[some] for a in self))


def count_arms(size: FloatArray, chance: FloatArray, distribution: str, ratio: float | FloatArray) -> Arms:
    """Give the arms of charts that look for odds or rates times ``ratio``: the high arm if it is above 1."""
    sign = np.broadcast_to(np.sign(ratio - 1), size.shape)
    if distribution == "binomial":
        return Arms(size, chance, size * log_mixture(chance, ratio) / np.log(ratio), sign)
    mean = size * chance
    return Arms(np.zeros(size.shape), mean, mean * (ratio - 1) / np.log(ratio), sign)


def points_per_event(reference: FloatArray, highest: FloatArray) -> FloatArray:
    """Choose a lattice with the reference value almost on a point; an arm gets to ``highest`` events."""
    quiet = np.minimum(1 / reference, _MOST_POINTS / highest)
    fewest = np.maximum(_FINENESS, np.ceil(quiet))[:, np.newaxis]
    several = np.floor(fewest * (1 + np.arange(_CANDIDATES) / _CANDIDATES))
    off = np.modf(several * reference[:, np.newaxis])[0]
    best = np.argmin(off * (1 - off) / several**2, axis=1)
    return np.asarray(several[np.arange(len(best)), best])


def steps(arms: Arms, per_event: FloatArray, width: int) -> FloatArray:
    """P(step = d), d = -width..width + 1 points, shape (A, 2 width + 2), of which the ends hold the rest."""
    reach = (width + 2) / per_event
    x = np.ceil(arms.reference - reach)[:, np.newaxis] + np.arange(2 * reach.max() + 2)
    chance = _probability(x, arms)
    place = arms.sign[:, np.newaxis] * (x - arms.reference[:, np.newaxis]) * per_event[:, np.newaxis]
    below = np.floor(place)
    part = place - below
    found = np.zeros(len(per_event) * (2 * width + 2))
    row = np.arange(len(per_event))[:, np.newaxis] * (2 * width + 2)
    for at, share in ((below, 1 - part), (below + 1, part)):
        bins = (row + np.clip(at, -width, width + 1) + width).astype(np.intp)
        found += np.bincount(bins.ravel(), (chance * share).ravel(), found.size)
    kernel = found.reshape(len(per_event), -1)
    fewer, more = _further(x[:, 0], x[:, -1], arms)
    kernel[:, 0] += np.where(arms.sign > 0, fewer, more)
    kernel[:, -1] += np.where(arms.sign > 0, more, fewer)
    return kernel


def first_threshold(arms: Arms, points_between: FloatArray) -> FloatArray:
    """Find the least threshold, in events, at which the mean run from 0 is at least so many points."""
    per_event = points_per_event(arms.reference, arms.reference * points_between)
    found = np.zeros(per_event.shape)
    left = np.ones(per_event.shape, dtype=np.bool_)
    width = 128
    while left.any():
        kernel = steps(arms.take(left), per_event[left], width)
        found[left] = _states_needed(kernel.T.copy(), points_between[left])
        left = found == 0
        width *= 2
    return (found - 0.5) / per_event


def mean_runs(arms: Arms, threshold: FloatArray, start: FloatArray) -> FloatArray:
    """Mean run until an arm reaches its threshold, from 0 and from ``start``, in events; shape (2, A)."""
    per_event = points_per_event(arms.reference, threshold)
    states = np.ceil(threshold * per_event - _ROUNDING).astype(np.int64)
    found, left = np.empty((2, len(states))), np.argsort(-states, kind="stable")
    # Arms of about as many states together: each block is as wide as its widest.
    while left.size:
        most = max(int(states[left[0]]), 1)
        some, left = np.split(left, [max(1, _BLOCK // most**2)])
        kernel = steps(arms.take(some), per_event[some], most)
        found[:, some] = _mean_runs(kernel, states[some], start[some] * per_event[some])
    return found


def _mean_runs(kernel: FloatArray, states: IntArray, start: FloatArray) -> FloatArray:
    """Solve Page's formula for arms of different numbers of states, shape (2, A)."""
    most, arm = kernel.shape[1] // 2 - 1, np.arange(len(states))
    state = np.arange(most)
    move = kernel[:, state - state[:, np.newaxis] + most]
    move *= (state < states[:, np.newaxis])[:, np.newaxis]
    over = np.cumsum(kernel[:, ::-1], axis=1)
    signal = over[arm[:, np.newaxis], np.maximum(most + 1 - states[:, np.newaxis] + state, 0)]
    sides = np.stack([np.ones(signal.shape), signal], axis=-1)
    until, top = np.moveaxis(np.linalg.solve(np.eye(most) - move, sides), -1, 0)
    whole = np.minimum(np.floor(start).astype(np.intp), states - 1)
    part = np.minimum(start - whole, 1)
    # A signal may be rarer than the least number there is.
    with np.errstate(divide="ignore", invalid="ignore"):
        zero = until[:, 0] / top[:, 0]
        run = until + (1 - top) * zero[:, np.newaxis]
        later = run[arm, np.minimum(whole + 1, states - 1)]
        begun = (1 - part) * run[arm, whole] + part * later
    return np.stack([zero, np.where(np.isinf(zero), np.inf, begun)])


def silent_before(kernel: FloatArray, silent: FloatArray, states: IntArray) -> FloatArray:
    """Go one point back with the chance of no signal from each state, shape (A, width + 1)."""
    width = kernel.shape[1] // 2 - 1
    below = np.broadcast_to(silent[:, :1], (len(silent), width))
    length = fft.next_fast_len(3 * width + 2, real=True)
    reached = fft.rfft(np.concatenate([below, silent], axis=1), length)
    found = fft.irfft(reached * fft.rfft(kernel, length).conj(), length)[:, : width + 1]
    return np.where(np.arange(width + 1) < states[:, np.newaxis], np.clip(found, 0, 1), 0)


def _states_needed(kernel: FloatArray, points_between: FloatArray) -> FloatArray:
    """Count the states an arm needs to run so long; 0 where the kernel is too short to tell.

    Levinson's recursion inverts I - Q of 1, 2, 3... states, where Q leaves out what is set back to 0. It
    follows the first and the last column of the inverse; its first row is the last column backwards. That
    gives the mean number of points until an arm is set back or signals, and the chance that it signals
    (Page's formula).
    """
    width, arms = len(kernel) // 2 - 1, kernel.shape[1]
    up, down = kernel[width:], kernel[width::-1]
    over = np.cumsum(up[::-1], axis=0)[::-1]
    first, last = np.zeros((2, width, arms))
    first[0] = last[0] = 1 / (1 - up[0])
    found = np.zeros(arms)
    for n in range(1, width):
        until, top = last[:n].sum(axis=0), _dot(last[:n], over[1 : n + 1])
        found[(found == 0) & (until >= points_between * top)] = n
        if found.all():
            break
        ahead, behind = _dot(up[1 : n + 1], last[:n]), _dot(down[n:0:-1], first[:n])
        scale = 1 / (1 - ahead * behind)
        shifted = last[:n].copy()
        last[0], last[1 : n + 1] = 0, shifted * scale
        last[:n] += first[:n] * (ahead * scale)
        first[:n] *= scale
        first[1 : n + 1] += shifted * (behind * scale)
    return found


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ij,ij->j", a, b))


def _probability(x: FloatArray, arms: Arms) -> FloatArray:
    """P(X = x), 0 where there is no such count."""
    n, parameter = arms.size[:, np.newaxis], arms.parameter[:, np.newaxis]
    if arms.size.any():
        k = np.clip(x, 0, n)
        log = special.xlogy(k, parameter) + special.xlog1py(n - k, -parameter)
        log -= special.betaln(k + 1, n - k + 1) + np.log(n + 1)
    else:
        k = np.maximum(x, 0)
        log = special.xlogy(k, parameter) - parameter - special.gammaln(k + 1)
    return np.where(k == x, np.exp(log), 0)


def _further(least: FloatArray, most: FloatArray, arms: Arms) -> tuple[FloatArray, FloatArray]:
    """P(X < least) and P(X > most)."""
    if arms.size.any():
        below = binomial_at_most(least - 1, arms.size, arms.parameter)
        return below, binomial_at_least(most + 1, arms.size, arms.parameter)
    below = poisson_at_most(least - 1, arms.size, arms.parameter)
    return below, poisson_at_least(most + 1, arms.size, arms.parameter)


def lattice_moves(kernel: FloatArray, states: IntArray) -> tuple[sparse.csr_array, FloatArray]:
    """Give the moves of a point between the states of all arms, and the chance of a signal from each.

    The states of an arm follow on those of the one before, as many as the kernel is wide: the matrix takes
    the chances before the point, of shape (A * width,), to those after it. The second is of shape (A, width).
    """
    width = kernel.shape[1] // 2 - 1
    arm, place = np.nonzero(kernel[:, :-1])
    times = states[arm]
    entry = np.repeat(np.arange(len(arm)), times)
    here = np.arange(len(entry)) - np.repeat(np.cumsum(times) - times, times)
    there = np.maximum(here + place[entry] - width, 0)
    some = there < times[entry]
    entry, here, there = entry[some], here[some], there[some]
    first, size = arm[entry] * width, len(kernel) * width
    moves = sparse.csr_array((kernel[arm, place][entry], (first + there, first + here)), shape=(size, size))
    state = np.arange(width)
    over = np.cumsum(kernel[:, ::-1], axis=1)
    last = np.maximum(width + 1 - states[:, np.newaxis] + state, 0)
    signal = np.take_along_axis(over, np.minimum(last, 2 * width + 1), axis=1)
    return moves, np.where(state < states[:, np.newaxis], signal, 0)
