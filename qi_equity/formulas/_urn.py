"""Exact tails of the hypergeometric distribution: the first counts of a unit that are too few or too many."""

from __future__ import annotations

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray

# Chances this many standard errors away are below 1e-20 even for small counts.
_WIDTH, _EXTRA = 9.0, 60.0
_CELLS_AT_ONCE = 4_000_000


def hypergeometric_signals(
    drawn: FloatArray, marked: FloatArray, size: FloatArray, tail: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give the last low count with P(X <= count) < tail and the first high count with P(X >= count) < tail.

    X is the number of the ``marked`` among ``drawn`` of ``size``. The low count is -1, and the high count
    ``drawn`` + 1, where no count signals; NaN where an argument is.
    """
    arrays = np.broadcast_arrays(drawn, marked, size, tail)
    low, high = np.full(arrays[0].shape, np.nan), np.full(arrays[0].shape, np.nan)
    used = np.flatnonzero(~np.isnan(sum(arrays)))
    n, m, total, alpha = (a.ravel()[used] for a in arrays)
    sd = np.sqrt(n * (m / total) * (1 - m / total) * (total - n) / np.maximum(total - 1, 1))
    reach = np.ceil(_WIDTH * sd + _EXTRA)
    # Narrow distributions first, so that each block of memory is as wide as it needs to be and no wider.
    order = np.argsort(reach, kind="stable")
    start = 0
    while start < order.size:
        stop = start + max(1, int(_CELLS_AT_ONCE / (2 * reach[order[start]] + 1)))
        rows = order[start:stop]
        at = used[rows]
        low.ravel()[at], high.ravel()[at] = _block(n[rows], m[rows], total[rows], alpha[rows], reach[rows])
        start = stop
    return low, high


def _block(
    n: FloatArray, m: FloatArray, size: FloatArray, tail: FloatArray, reach: FloatArray
) -> tuple[FloatArray, FloatArray]:
    least, most = np.maximum(0, n + m - size), np.minimum(n, m)
    centre = np.floor(n * m / size)
    first, last = np.maximum(least, centre - reach), np.minimum(most, centre + reach)
    k = first[:, None] + np.arange(int((last - first).max()) + 1, dtype=np.float64)
    inside = k <= last[:, None]
    k = np.where(inside, k, least[:, None])
    chance = np.where(inside, np.exp(_log_chance(k, n[:, None], m[:, None], size[:, None])), 0)
    up, down = np.cumsum(chance, axis=1), np.cumsum(chance[:, ::-1], axis=1)[:, ::-1]
    few = np.count_nonzero((up < tail[:, None]) & inside, axis=1)
    many = np.count_nonzero((down < tail[:, None]) & inside, axis=1)
    return np.where(few > 0, first + few - 1, -1), np.where(many > 0, last - many + 1, n + 1)


def _log_chance(k: FloatArray, n: FloatArray, m: FloatArray, size: FloatArray) -> FloatArray:
    """Logarithm of the chance of k marked among those drawn."""
    return np.asarray(_log_choose(m, k) + _log_choose(size - m, n - k) - _log_choose(size, n))


def _log_choose(n: FloatArray, k: FloatArray) -> FloatArray:
    """Logarithm of the binomial coefficient, in a form that keeps its digits for large n."""
    return np.asarray(-special.betaln(1 + n - k, 1 + k) - np.log(n + 1))
