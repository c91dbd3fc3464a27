"""Bernoulli CUSUM on a lattice: the threshold of either arm for a run length in births.

One point of the lattice is what a birth without the event moves an arm by, so that way no point is skipped.
The event moves it the other way by ``jump`` points; between two points it goes to either in proportion,
which keeps the mean. All arrays are of shape (A,), one entry an arm.
"""

from __future__ import annotations

import numpy as np

from qi_equity.formulas._arrays import FloatArray

_BLOCK = 256


def points_needed(
    chance: FloatArray, jump: FloatArray, births_between: FloatArray, *, rising: bool
) -> FloatArray:
    """Find the least threshold at which an arm runs so many births on average, from 0.

    ``rising`` is the low arm, which rises by 1 without the event; the high arm falls by 1 without it. Both
    recursions give the run length of one threshold after the other, and look back as far as the event jumps.
    """
    step = _rise if rising else _fall
    found = np.zeros(chance.shape)
    left = np.arange(len(chance))
    before = int(jump.max(initial=0)) + 2
    table = np.zeros((2, before, len(chance)))
    table[0, -1] = not rising
    while left.size:
        p, whole, part = chance[left], np.floor(jump[left]).astype(np.intp), np.modf(jump[left])[0]
        arm, here = np.arange(left.size), np.zeros(left.size)
        last = table.shape[1] - 1
        table = np.concatenate([table, np.zeros((2, _BLOCK, left.size))], axis=1)
        for n in range(last, last + _BLOCK):
            back = (1 - part) * table[:, n - whole, arm] + part * table[:, n - whole - 1, arm]
            table[:, n + 1], run = step(table[:, n], back, p)
            here[(here == 0) & (run >= births_between[left])] = n + 2 - before
        found[left] = here
        table, left = table[:, :, here == 0], left[here == 0]
    return found


def _rise(now: FloatArray, back: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Follow the mean run C(n) to point n: C(n + 1) = C(n) + (1 + p (C(n) - C(n - jump))) / (1 - p)."""
    after = now + (1 + p * (now - back)) / (1 - p)
    return after, after[0]


def _fall(now: FloatArray, back: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Follow the mean run L = alpha A - B from points ever further below the threshold.

    L(j) = 1 + (1 - p) L(j + 1) + p L(j - jump) at distance j, and L(j + 1) = L(j) where the arm is at 0.
    """
    alpha = (1 + p * (now[1] - back[1])) / (p * (now[0] - back[0]))
    after = (now - p * back + np.array([[0.0], [1.0]])) / (1 - p)
    return after, alpha * now[0] - now[1]
