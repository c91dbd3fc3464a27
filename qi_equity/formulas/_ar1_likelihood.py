"""Profile likelihood of the autocorrelation of a linear model's errors, in all strata at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray

# Autocorrelations at which the likelihood is looked at before the best is refined, denser towards the ends.
# From high to low and mirrored, so that the positive one is taken where the sign cannot be told.
_HIGH = np.tanh(np.linspace(7, 0, 36))
_LOOKS = np.concatenate([_HIGH, -_HIGH[-2::-1]])
_BISECTIONS = 45


class Moments(NamedTuple):
    """Sums of products of G variables in K strata, by the gap to the period used before.

    Parameters
    ----------
    first : ndarray of float, shape (K, G, G)
        Of the first period used.
    gaps : ndarray of int, shape (J,)
        Different gaps.
    here, across, before : ndarray of float, shape (J, K, G, G)
        Of periods with that gap, of these with their predecessors (both ways round), of the predecessors.
    pairs : ndarray of float, shape (J, K)
        Number of such periods.
    """

    first: FloatArray
    gaps: IntArray
    here: FloatArray
    across: FloatArray
    before: FloatArray
    pairs: FloatArray


def moments(variables: FloatArray, used: BoolArray) -> Moments:
    """Sum products of the variables, shape (K, T, G), over the periods used, shape (K, T)."""
    at = np.arange(used.shape[-1])
    last = np.maximum.accumulate(np.where(used, at, -1), axis=-1)
    earlier = np.concatenate([np.full((len(used), 1), -1), last[:, :-1]], axis=-1)
    gap = np.where(used & (earlier >= 0), at - earlier, 0)
    past = np.take_along_axis(variables, np.maximum(earlier, 0)[..., np.newaxis], axis=-2)
    gaps = np.unique(gap[gap > 0])
    start = np.where((used & (earlier < 0))[..., np.newaxis], variables, 0.0)
    first = _products(start, start)
    here, across, before = (np.zeros((len(gaps), *first.shape)) for _ in range(3))
    for j, length in enumerate(gaps):
        now = gap == length
        a, b = (np.where(now[..., np.newaxis], v, 0.0) for v in (variables, past))
        here[j], before[j], mixed = _products(a, a), _products(b, b), _products(a, b)
        across[j] = mixed + np.swapaxes(mixed, -1, -2)
    pairs = (gap == gaps[:, np.newaxis, np.newaxis]).sum(axis=-1).astype(np.float64)
    return Moments(first, gaps, here, across, before, pairs)


def _products(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.swapaxes(a, -1, -2) @ b)


def whitened(sums: Moments, rho: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    r"""Give sums of products once the correlation :math:`\rho^{gap}` is taken out, and their slopes.

    Parameters
    ----------
    sums : Moments
        K strata.
    rho : ndarray of float, shape (K,)
        Autocorrelation.

    Returns
    -------
    products, slopes : ndarray of float, shape (K, G, G)
        Products weighted by the inverse of the correlation matrix; their derivative by ``rho``.
    log_determinant, log_slope : ndarray of float, shape (K,)
        Of the correlation matrix, and its derivative.
    """
    products, slopes = sums.first.copy(), np.zeros_like(sums.first)
    log, log_slope = np.zeros(len(rho)), np.zeros(len(rho))
    for gap, here, across, before, pairs in zip(*sums[1:], strict=True):
        power, slope = rho**gap, gap * rho ** (gap - 1)
        rest = (1 - power) * (1 + power)
        r, left, rise = (a[:, np.newaxis, np.newaxis] for a in (power, rest, slope))
        term = (here - r * across + r**2 * before) / left
        products += term
        slopes += rise * (2 * r * (term + before) - across) / left
        log += pairs * np.log(rest)
        log_slope -= pairs * 2 * power * slope / rest
    return products, slopes, log, log_slope


def profile(sums: Moments, rho: FloatArray, spare: FloatArray, *, restricted: bool) -> FloatArray:
    """Give log-likelihood (no constants) and its slope, shape (2, K); the last variable is the outcome."""
    products, slopes, log, log_slope = whitened(sums, rho)
    terms, cross = products[:, :-1, :-1], products[:, :-1, -1:]
    shift = np.linalg.solve(terms, cross)
    line = np.concatenate([-shift, np.ones((len(rho), 1, 1))], axis=-2)
    rest = products[:, -1, -1] - (cross * shift).sum(axis=(-1, -2))
    fall = (np.swapaxes(line, -1, -2) @ slopes @ line)[:, 0, 0]
    level, slope = -spare / 2 * np.log(rest) - log / 2, -spare / 2 * fall / rest - log_slope / 2
    if restricted:
        level -= np.linalg.slogdet(terms)[1] / 2
        slope -= np.trace(np.linalg.solve(terms, slopes[:, :-1, :-1]), axis1=-2, axis2=-1) / 2
    return np.stack([level, slope])


def best_rho(sums: Moments, spare: FloatArray, *, restricted: bool) -> FloatArray:
    """Give the autocorrelation of the highest likelihood, shape (K,)."""
    looks = np.stack([profile(sums, np.full(len(spare), r), spare, restricted=restricted)[0] for r in _LOOKS])
    best = np.argmax(looks, axis=0)
    low, high = _LOOKS[np.minimum(best + 1, len(_LOOKS) - 1)], _LOOKS[np.maximum(best - 1, 0)]
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        rises = profile(sums, middle, spare, restricted=restricted)[1] > 0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return np.asarray((low + high) / 2)
