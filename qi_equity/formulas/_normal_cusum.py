"""CUSUM of independent normal points by Page's integral equation, solved on the nodes of a quadrature."""

from __future__ import annotations

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray, IntArray
from qi_equity.formulas.waiting import Step

# The density of a step has a width of 1, so that many nodes leave errors of about 1e-13.
_NODES_A_UNIT = 10
_FEWEST_NODES = 40


def normal_mean_runs(shift: FloatArray, k: float, h: float, start: float) -> FloatArray:
    """Mean run until the high arm exceeds h, from 0 and from ``start``, shape (2, A), for shifts (A,)."""
    state, move = _moves(shift[:, np.newaxis], k, h, start)
    signal = special.ndtr(state + shift[:, np.newaxis] - k - h)
    ends = np.stack([np.ones(signal.shape), signal], axis=-1)
    inside = np.linalg.solve(np.eye(move.shape[-1]) - move[:, 2:], ends[:, 2:])
    until, top = np.moveaxis(ends[:, :2] + move[:, :2] @ inside, -1, 0)
    zero = until[:, 0] / top[:, 0]
    return np.stack([zero, until[:, 1] + (1 - top[:, 1]) * zero])


def normal_signal(n: IntArray, k: float, h: float, start: float) -> FloatArray:
    """Chance that the high arm exceeds h within n points in control, from ``start``; shape of n."""
    state, move = _moves(np.zeros((1, 1)), k, h, start)
    set_back = special.ndtr(k - state)
    silent = np.ones((int(n.max(initial=0)) + 1, len(state)))
    for t in range(1, len(silent)):
        silent[t] = set_back * silent[t - 1, 0] + move[0] @ silent[t - 1, 2:]
    return np.asarray(np.clip(1 - silent[n, 1], 0, 1))


def _moves(shift: FloatArray, k: float, h: float, start: float) -> tuple[FloatArray, FloatArray]:
    """Give the states (0, the start, the nodes), and the weight of each step from them to the nodes."""
    nodes, weights = np.polynomial.legendre.leggauss(_nodes(h))
    nodes = (nodes + 1) * (h / 2)
    state = np.concatenate([[0.0, start], nodes])
    step = nodes - state[:, np.newaxis] + k - shift[..., np.newaxis]
    return state, np.exp(-step * step / 2) * (weights * (h / 2 / np.sqrt(2 * np.pi)))


def normal_start(many: int, h: float) -> FloatArray:
    """Chances of the states of :func:`normal_step` before the first point, shape (many, states)."""
    found = np.zeros((many, _nodes(h) + 2))
    found[:, 1] = 1
    return found


def normal_step(shift: FloatArray, k: float, h: float, start: float) -> Step:
    """Go one point on with the chances of 0, the start and the nodes, for shifts (A,)."""
    state, move = _moves(shift[:, np.newaxis], k, h, start)
    set_back = special.ndtr(k - state - shift[:, np.newaxis])
    signal = special.ndtr(state + shift[:, np.newaxis] - k - h)

    def step(now: FloatArray, _: int) -> tuple[FloatArray, FloatArray]:
        after = np.zeros(now.shape)
        after[:, 0] = (now * set_back).sum(axis=1)
        after[:, 2:] = np.matmul(now[:, np.newaxis], move)[:, 0]
        return after, (now * signal).sum(axis=1)

    return step


def _nodes(h: float) -> int:
    return max(_FEWEST_NODES, int(_NODES_A_UNIT * h))
