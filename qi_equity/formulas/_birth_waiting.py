"""Distribution of the births to a signal of a Bernoulli CUSUM on a lattice, by a sparse chain."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._birth_chain import Moves, step_chances
from qi_equity.formulas.waiting import Waiting

# The chance of a signal has settled when it has moved by less than this share of itself since half as many
# steps ago, which are looked at whenever they have grown by a quarter.
_SETTLED = 1e-7
_FIRST, _GROWTH = 64, 1.25
# Nor does it matter once no more than this share of the charts has not signalled.
_OVER = 1e-14


def waiting_births(moves: Moves, chance_up: FloatArray, points: FloatArray) -> Waiting:
    """Follow arms from 0 to their thresholds, in points, step by step; all of shape (A,)."""
    chain, signal = _chain(moves, chance_up, points)
    now = np.zeros((len(points), chain.shape[0] // len(points)))
    now[:, 0] = 1
    hazards: list[FloatArray] = []
    look, alive = _FIRST, np.ones(len(points))
    while True:
        chance = (now * signal).sum(axis=1)
        hazards.append(chance)
        alive = alive * (1 - chance)
        after = (chain @ now.ravel()).reshape(now.shape)
        left = after.sum(axis=1, keepdims=True)
        # Chances given no signal so far.
        now = after / np.where(left > 0, left, 1)
        if len(hazards) >= look:
            look = int(look * _GROWTH)
            then = hazards[len(hazards) // 2]
            still = (np.abs(chance - then) <= _SETTLED * chance) & (len(hazards) > points)
            if (still | (alive < _OVER) | (chance_up == 0)).all():
                break
    return _by_births(np.stack(hazards, axis=-1), moves.together)


def _chain(moves: Moves, chance_up: FloatArray, points: FloatArray) -> tuple[sparse.csr_array, FloatArray]:
    """Give the chances from each state (column) to each (row), arm after arm, and those of a signal."""
    down, up = (int(np.ceil(a).max()) for a in (moves.down, moves.up))
    chances = step_chances(moves, chance_up[np.newaxis], down, up)[:, 0]
    step, arm = np.nonzero(chances)
    share, most = chances[step, arm], int(points.max())
    state = np.arange(most)
    to = np.maximum(state + (step - down)[:, np.newaxis], 0)
    within = (to < points[arm, np.newaxis]) & (state < points[arm, np.newaxis])
    first = (arm * most)[:, np.newaxis]
    value = np.broadcast_to(share[:, np.newaxis], to.shape)[within]
    place = ((first + to)[within], (first + state)[within])
    size = len(points) * most
    chain = sparse.csr_array((value, place), shape=(size, size))
    left = np.asarray(chain.sum(axis=0)).reshape(len(points), most)
    over = np.where(to >= points[arm, np.newaxis], share[:, np.newaxis], 0)
    signal = np.zeros((len(points), most))
    np.add.at(signal, arm, over)
    return chain, np.where(left > 0, signal, 1.0)


def _by_births(hazard: FloatArray, together: FloatArray) -> Waiting:
    """Spread the chance of a signal of each step evenly over its births."""
    turns = together.astype(np.intp)[:, np.newaxis]
    births = np.arange(int((hazard.shape[1] * together).max()))
    step = np.minimum(births // turns, hazard.shape[1] - 1)
    with np.errstate(divide="ignore"):
        log = np.take_along_axis(np.log1p(-hazard), step, axis=1) / turns
    survival = np.exp(np.cumsum(log, axis=1))
    start = np.ones((len(hazard), 1))
    return Waiting(np.concatenate([start, survival], axis=1), -np.expm1(log[:, -1:]))
