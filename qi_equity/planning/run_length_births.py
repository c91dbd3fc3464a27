"""Run length of a Bernoulli CUSUM: the distribution of the births to its first signal."""

from __future__ import annotations

import numpy as np

from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas._birth_chain import Moves, likelihood_moves
from qi_equity.formulas._two_arms import both_starts, two_arms
from qi_equity.formulas.bernoulli_waiting import bernoulli_cusum_run_length
from qi_equity.formulas.waiting import Step, Waiting
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning.run_length_followed import LATTICE, Run, run_of

__all__ = ["bernoulli_waiting", "of_births"]

_FINE = 64
_ROUNDING = 1e-9
# Followed is until the chance of a signal moves by no more than this share from half as many births ago, or
# so few charts are left. What comes after that is given its mean.
_SETTLED, _LEFT = 1e-4, 1e-8
_EVERY = 64


def of_births(
    chance: Floats, actual: Floats, ratio: float, thresholds: tuple[Floats, Floats], side: Side
) -> Run:
    """Follow Bernoulli CUSUMs; chances (A,) of the chart and the true ones, thresholds of both arms (A,)."""
    return run_of(bernoulli_waiting(chance, actual, ratio, thresholds, side), LATTICE)


def bernoulli_waiting(
    chance: Floats, actual: Floats, ratio: float, thresholds: tuple[Floats, Floats], side: Side
) -> Waiting:
    """Give the births to the first signal of charts that start from 0, shape (A,); NaN without a chart.

    By the chain of the values of the arms on a lattice, birth by birth until the chance of a signal has
    settled; after that it is such that the mean is that of
    :func:`~qi_equity.formulas.bernoulli_waiting.bernoulli_cusum_run_length`, within 0.5 %.
    """
    low, high = thresholds
    mean = bernoulli_cusum_run_length(chance, odds_ratio=ratio, h=(low, high), side=side, actual=actual)
    survival, hazard = np.ones((len(mean), 1)), np.where(np.isnan(mean), np.nan, 0.0)[:, np.newaxis]
    some = np.isfinite(mean)
    if some.any():
        found = _followed(*(a[some] for a in (chance, actual)), ratio, (low[some], high[some]), side)
        survival = np.ones((len(mean), found.shape[1]))
        survival[some] = found
        hazard[some, 0] = _after(found, mean[some])
    survival[np.isnan(mean)] = np.nan
    return Waiting(survival, hazard)


def _after(survival: Floats, mean: Floats) -> Floats:
    """Give the chance of a signal at every later birth with which the mean comes out."""
    left, before = survival[:, -1], survival[:, :-1].sum(axis=1)
    last = 1 - left / survival[:, -2]
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = left / (mean - before)
    # Of few charts that are left the mean says nothing.
    return np.where((left > 0.01) & (wanted > 0), np.minimum(wanted, 1), np.where(left > 0, last, 1.0))


def _followed(
    chance: Floats, actual: Floats, ratio: float, thresholds: tuple[Floats, Floats], side: Side
) -> Floats:
    """Give the chance of no signal within 0, 1, 2, ... births, (A, births + 1)."""
    names = [name for name in ("low", "high") if side in (name, "both")]
    arms = []
    for name, h, r in zip(("low", "high"), thresholds, (1 / ratio, ratio), strict=True):
        if name in names:
            highest = np.maximum(chance, actual)
            arms.append((likelihood_moves(chance, np.full(chance.shape, r), highest, fineness=_FINE), h))
    together = arms[0][0].together
    states = [np.maximum(np.ceil(h / moves.unit - _ROUNDING), 1) for moves, h in arms]
    width = int(max(each.max() for each in states))
    steps = [
        _step(moves, actual, each, width) for (moves, _), each in zip(arms, states, strict=True)
    ]
    start = np.zeros((len(chance), width))
    start[:, 0] = 1
    if len(steps) == 1:
        return _until_settled(start, steps[0], together)
    return _until_settled(both_starts(start, start), two_arms(*steps), together)


def _step(moves: Moves, actual: Floats, states: Floats, width: int) -> Step:
    """Make the step of an arm of each chart, all in one sparse matrix."""
    from scipy.sparse import coo_array

    up = moves.chance_up(actual[np.newaxis])[0]
    state = np.arange(width)
    arm = np.arange(len(states))[:, np.newaxis]
    inside = state < states[:, np.newaxis]
    signal = np.zeros(inside.shape)
    to, of, share = [], [], []
    for points, odds, sign in ((moves.up, up, 1), (moves.down, 1 - up, -1)):
        whole = np.floor(points)
        part = points - whole
        for size, weight in ((whole, odds * (1 - part)), (whole + 1, odds * part)):
            after = np.maximum(state + sign * size[:, np.newaxis], 0).astype(np.intp)
            over = after >= states[:, np.newaxis]
            weights = np.where(inside, weight[:, np.newaxis], 0)
            signal += np.where(over, weights, 0)
            kept = ~over & (weights > 0)
            to.append((arm * width + after)[kept])
            of.append((arm * width + state)[kept])
            share.append(weights[kept])
    size = len(states) * width
    matrix = coo_array(
        (np.concatenate(share), (np.concatenate(to), np.concatenate(of))), shape=(size, size)
    ).tocsr()

    def step(now: Floats, t: int) -> tuple[Floats, Floats]:
        return (matrix @ now.ravel()).reshape(now.shape), (now * signal).sum(axis=1)

    return step


def _until_settled(start: Floats, step: Step, together: Floats) -> Floats:
    now, alive, t = start, np.ones(len(start)), 0
    survival = [alive]
    while not (t and t % _EVERY == 0 and _settled(survival)):
        now, _ = step(now, t)
        alive = now.sum(axis=1)
        survival.append(alive)
        t += 1
    return _by_birth(np.stack(survival, axis=1), together)


def _settled(survival: list[Floats]) -> Bools:
    n = len(survival) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        now, then = (1 - survival[k] / survival[k - 1] for k in (n, n // 2))
    level = (now > 0) & (np.abs(now - then) <= _SETTLED * now)
    return (level | (survival[-1] < _LEFT)).all()


def _by_birth(survival: Floats, together: Floats) -> Floats:
    """Fill in the births that were taken together, in proportion on the scale of logarithms."""
    if (together == 1).all():
        return survival
    births = np.arange(int((survival.shape[1] - 1) * together.min()) + 1)
    place = births / together[:, np.newaxis]
    whole = np.minimum(np.floor(place).astype(np.intp), survival.shape[1] - 2)
    logs = np.log(np.maximum(survival, np.finfo(np.float64).tiny))
    first, second = (np.take_along_axis(logs, whole + k, axis=1) for k in (0, 1))
    return np.exp(first + (place - whole) * (second - first))
