"""Chains of charts with two arms, and waiting times that are put together from blocks of strata."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas.waiting import Step, Waiting

# Entries of the matrices of a block of strata that are followed together.
_BLOCK = 2**22


def two_arms(low: Step, high: Step) -> Step:
    r"""Follow two arms of which one is at 0 when the other signals, until either does.

    The states are those of the low arm, then as many of the high one, 0 first, each at half its chance. An
    arm is followed by itself; when the other signals, that much of its chance is at 0 and is over:

    .. math:: v_t = v_{t-1} Q - b_t e_0, \qquad w_t = w_{t-1} R - a_t e_0

    where :math:`a_t, b_t` are the chances that the arm of v, or that of w, is the first to signal, at t. Both
    add up to the chance of no signal so far, which keeps the arm that seldom signals from drifting off.
    """

    def step(now: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        half = now.shape[1] // 2
        v, a = low(now[:, :half], t)
        w, b = high(now[:, half:], t)
        v[:, 0] -= b
        w[:, 0] -= a
        apart = v.sum(axis=1) - w.sum(axis=1)
        w[:, 0] += np.where(a >= b, apart, 0)
        v[:, 0] -= np.where(a >= b, 0, apart)
        return np.concatenate([v, w], axis=1), 2 * (a + b)

    return step


def both_starts(low: FloatArray, high: FloatArray) -> FloatArray:
    """Put the starts of two arms together for :func:`two_arms`."""
    return np.concatenate([low, high], axis=1) / 2


def in_blocks(follow_some: Callable[[slice], Waiting], many: int, entries: int) -> Waiting:
    """Follow charts, so many at a time that their matrices, of so many entries each, fit into memory."""
    size = max(1, _BLOCK // max(1, entries))
    parts = [follow_some(slice(first, first + size)) for first in range(0, many, size)]
    most = max(part.survival.shape[-1] for part in parts)
    parts = [_lengthened(part, most) for part in parts]
    return Waiting(
        np.concatenate([part.survival for part in parts]), np.concatenate([part.hazard for part in parts])
    )


def placed(follow_those: Callable[[], Waiting], some: BoolArray, cycle: int = 1) -> Waiting:
    """Give charts their places among all, of the shape of ``some``; NaN where there is no chart."""
    if not some.any():
        return Waiting(np.full((*some.shape, 1), np.nan), np.full((*some.shape, cycle), np.nan))
    found = follow_those()
    survival = np.full((*some.shape, found.survival.shape[-1]), np.nan)
    hazard = np.full((*some.shape, cycle), np.nan)
    survival[some], hazard[some] = found.survival, found.hazard
    return Waiting(survival, hazard)


def _lengthened(found: Waiting, length: int) -> Waiting:
    """Say the same with the chance of no signal in more points written out."""
    more, cycle = length - found.survival.shape[-1], found.hazard.shape[-1]
    coming = found.hazard[:, np.arange(more) % cycle]
    later = found.survival[:, -1:] * np.cumprod(1 - coming, axis=-1)
    # Charts are followed for whole cycles, so that the next point is the first of one.
    return Waiting(np.concatenate([found.survival, later], axis=-1), found.hazard)
