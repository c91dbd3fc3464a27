"""Exact tails of the binomial and Poisson distributions, and the first counts whose tail is small enough.

All arrays are of shape (N,). ``size`` is the number of births of a binomial and 0 for Poisson; ``parameter``
is the chance of an event or the mean count.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray

Tail = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
Critical = Callable[[FloatArray, FloatArray, float], FloatArray]

# A critical parameter costs about six tails, so a table of them pays when each entry serves many points.
_POINTS_PER_ENTRY = 8


def binomial_at_least(k: FloatArray, size: FloatArray, chance: FloatArray) -> FloatArray:
    """P(X >= k) of Binomial(size, chance), for any whole k and size >= 1."""
    inside = np.clip(k, 1, size)
    tail = special.betainc(inside, size - inside + 1, chance)
    return np.where(k < 1, 1.0, np.where(k > size, 0.0, tail))


def binomial_at_most(k: FloatArray, size: FloatArray, chance: FloatArray) -> FloatArray:
    """P(X <= k) of Binomial(size, chance), for any whole k and size >= 1."""
    inside = np.clip(k, 0, size - 1)
    # As births without the event: scipy's complement betaincc takes ten times as long.
    tail = special.betainc(size - inside, inside + 1, 1 - chance)
    return np.where(k < 0, 0.0, np.where(k >= size, 1.0, tail))


def poisson_at_least(k: FloatArray, size: FloatArray, mean: FloatArray) -> FloatArray:
    """P(X >= k) of Poisson(mean), for any whole k and mean >= 0."""
    return np.where(k < 1, 1.0, special.gammainc(np.maximum(k, 1), mean))


def poisson_at_most(k: FloatArray, size: FloatArray, mean: FloatArray) -> FloatArray:
    """P(X <= k) of Poisson(mean), for any whole k and mean >= 0."""
    return np.where(k < 0, 0.0, special.gammaincc(np.maximum(k, 0) + 1, mean))


def binomial_signals(size: FloatArray, chance: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Give the last low count with P(X <= count) < tail and the first high count with P(X >= count) < tail.

    The low count is -1 and the high count is size + 1 where no count signals.
    """
    one = chance * (1 - chance)
    low, high = _cornish_fisher(size * chance, size * one, 1 - 2 * chance, one, tail)
    high = np.clip(high, 1, size + 1)
    low = np.clip(low, 0, size - 1)
    high = _walk(high, 1, size, chance, tail, binomial_at_least, _binomial_critical_at_least)
    with np.errstate(divide="ignore"):
        some = np.flatnonzero(size * np.log1p(-chance) < np.log(tail))
    return _low(some, low, size, chance, tail, binomial_at_most, _binomial_critical_at_most), high


def poisson_signals(mean: FloatArray, tail: float) -> tuple[FloatArray, FloatArray]:
    """Give the same for counts of Poisson(mean); the high count always exists."""
    size = np.zeros_like(mean)
    low, high = _cornish_fisher(mean, mean, np.ones_like(mean), size, tail)
    high = np.maximum(high, 1)
    low = np.maximum(low, 0)
    high = _walk(high, 1, size, mean, tail, poisson_at_least, _poisson_critical_at_least)
    some = np.flatnonzero(-mean < np.log(tail))
    return _low(some, low, size, mean, tail, poisson_at_most, _poisson_critical_at_most), high


def _cornish_fisher(
    mean: FloatArray, variance: FloatArray, asymmetry: FloatArray, one: FloatArray, tail: float
) -> tuple[FloatArray, FloatArray]:
    """Guess both counts to third order; ``one`` is the variance of one birth, 0 for Poisson."""
    z = -float(special.ndtri(tail))
    kurtosis, skewness = (z**3 - 3 * z) / 24, (2 * z**3 - 5 * z) / 36
    sd = np.sqrt(np.maximum(variance, 1))
    centre = mean + asymmetry * ((z * z - 1) / 6)
    spread = z * sd + ((kurtosis - skewness) - (6 * kurtosis - 4 * skewness) * one) / sd
    return np.floor(centre - spread - 0.5), np.ceil(centre + spread + 0.5)


def _walk(
    k: FloatArray,
    outward: int,
    size: FloatArray,
    parameter: FloatArray,
    alpha: float,
    tail: Tail,
    critical: Critical,
) -> FloatArray:
    """Step from a guess to the innermost count that signals: its inner neighbour does not."""
    thresholds = _thresholds(k, outward, size, alpha, critical)
    if thresholds is None:
        signals = tail(k, size, parameter) < alpha
        inner = tail(k - outward, size, parameter) < alpha
    else:
        signals, inner = (outward * parameter < outward * t for t in thresholds)
    k = k.copy()
    rows = np.flatnonzero(~signals)
    while rows.size:
        k[rows] += outward
        rows = rows[tail(k[rows], size[rows], parameter[rows]) >= alpha]
    rows = np.flatnonzero(inner)
    while rows.size:
        k[rows] -= outward
        rows = rows[tail(k[rows] - outward, size[rows], parameter[rows]) < alpha]
    return k


def _low(
    some: np.ndarray,
    low: FloatArray,
    size: FloatArray,
    parameter: FloatArray,
    alpha: float,
    tail: Tail,
    critical: Critical,
) -> FloatArray:
    """Walk where at least a count of 0 signals."""
    found = np.full(low.shape, -1.0)
    found[some] = _walk(low[some], -1, size[some], parameter[some], alpha, tail, critical)
    return found


def _thresholds(
    k: FloatArray, outward: int, size: FloatArray, alpha: float, critical: Critical
) -> tuple[FloatArray, FloatArray] | None:
    """Look up the parameters from which k and its inner neighbour signal; None if a table does not pay."""
    if not k.size:
        return None
    first = k.min() - 1
    width = int(k.max() - first) + 2
    entries = (int(size.max()) + 1) * width
    if entries * _POINTS_PER_ENTRY > k.size:
        return None
    place = (size * width + (k - first)).astype(np.intp)
    wanted = np.zeros(entries, dtype=np.bool_)
    wanted[place] = True
    wanted[place - outward] = True
    entry = np.flatnonzero(wanted)
    table = np.empty(entries)
    table[entry] = critical(entry % width + first, (entry // width).astype(np.float64), alpha)
    return table[place], table[place - outward]


def _binomial_critical_at_least(k: FloatArray, size: FloatArray, alpha: float) -> FloatArray:
    inside = np.clip(k, 1, size)
    chance = special.betaincinv(inside, size - inside + 1, alpha)
    return np.where(k < 1, -np.inf, np.where(k > size, np.inf, chance))


def _binomial_critical_at_most(k: FloatArray, size: FloatArray, alpha: float) -> FloatArray:
    inside = np.clip(k, 0, size - 1)
    chance = special.betainccinv(inside + 1, size - inside, alpha)
    return np.where(k < 0, -np.inf, np.where(k >= size, np.inf, chance))


def _poisson_critical_at_least(k: FloatArray, size: FloatArray, alpha: float) -> FloatArray:
    return np.where(k < 1, -np.inf, special.gammaincinv(np.maximum(k, 1), alpha))


def _poisson_critical_at_most(k: FloatArray, size: FloatArray, alpha: float) -> FloatArray:
    return np.where(k < 0, -np.inf, special.gammainccinv(np.maximum(k, 0) + 1, alpha))
