"""Mid-P tails of the noncentral hypergeometric distribution, of all tables at once.

Given all events of a group and its reference, those of the group are x with a chance in proportion to
C(n, x) C(n0, t - x) psi^x. The logarithm of the mid-P tail is concave in the logarithm of the odds ratio psi,
so Newton's steps never pass the root again once they are below it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray, IntArray

# Counts this many standard errors beyond the end of an interval have a chance below 1e-18; the extra ones are
# for small counts, whose spread grows on the way to the end.
_WIDTH, _EXTRA = 9.0, 60.0
_CELLS_AT_ONCE = 500_000
# Newton's steps square their error: after one this small the next would not change a digit.
_SMALL_STEP = 1e-9
_LONG_STEP = 4.0
# Logarithm of a chance below which steps on the way to it may pass what a number can hold.
_TINY = -50.0


Table = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def lower_odds_ratio(table: Table, tail: FloatArray) -> FloatArray:
    """Give the odds ratio at which P(X > x) + P(X = x) / 2 is its tail, for flat tables; NaN where x is.

    It is 0 where the group could not have had fewer events.
    """
    x, _, x0, n0 = table
    lower = np.where(np.isnan(x), np.nan, 0.0)
    used = np.flatnonzero((x > 0) & (x0 < n0))
    some, tail = _rows(table, used), tail[used]
    z = -special.ndtri(tail)
    for rows, beyond, weight in _blocks(some, z):
        here = _rows(some, rows)
        start = _log_adjusted(*here) - z[rows] / _spread(*here)
        lower[used[rows]] = np.exp(_newton(beyond, weight, start, np.log(tail[rows])))
    return lower


def mid_p_tails(table: Table) -> tuple[FloatArray, FloatArray]:
    """Give the mid-P chances of as few and as many events, at an odds ratio of 1; NaN where x is."""
    few, many = np.full((2, *table[0].shape), np.nan)
    used = np.flatnonzero(~np.isnan(table[0]))
    some = x, n, x0, n0 = _rows(table, used)
    # What is summed reaches from x to the bulk of the distribution, however far apart they are.
    far = np.abs(x - n * (x + x0) / (n + n0)) / _spread(*some)
    for rows, beyond, weight in _blocks(some, far):
        log_chance = weight - special.logsumexp(weight, axis=1, keepdims=True)
        chance = np.exp(log_chance)
        half = chance[beyond == 0] / 2
        few[used[rows]] = (chance * (beyond < 0)).sum(axis=1) + half
        many[used[rows]] = (chance * (beyond > 0)).sum(axis=1) + half
    return few, many


def _blocks(table: Table, away: FloatArray) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Go through the tables, narrow ones first: rows, counts less x, and logarithms of their weights.

    ``away`` is how many standard errors x may be from the bulk of the distribution.
    """
    x, n, x0, n0 = table
    reach = np.ceil((away + _WIDTH) * _spread(x, n, x0, n0) + _EXTRA)
    below, above = np.minimum(reach, np.minimum(x, n0 - x0)), np.minimum(reach, np.minimum(n - x, x0))
    order = np.argsort(below + above, kind="stable")
    start = 0
    while start < order.size:
        rows = order[start:]
        cells = (below + above + 1)[rows] * np.arange(1, rows.size + 1)
        rows = rows[: max(1, int(np.searchsorted(cells, _CELLS_AT_ONCE)))]
        start += rows.size
        yield rows, *_weights(*(a[rows, None] for a in (x, n, x0, n0, below, above)))


def _weights(
    x: FloatArray, n: FloatArray, x0: FloatArray, n0: FloatArray, below: FloatArray, above: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give the counts less x, and log C(n, count) C(n0, t - count) less the same at x; -inf out of range."""
    beyond = np.arange(-below.max(), above.max() + 1)[None, :]
    into = beyond - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.log((n - x - into) * (x0 - into)) - np.log((x + into + 1) * (n0 - x0 + into + 1))
    step = np.where((beyond > -below) & (beyond <= above), step, 0.0)
    weight = np.cumsum(step, axis=1)
    weight = weight - weight[:, int(below.max()), None]
    inside = (beyond >= -below) & (beyond <= above)
    return np.broadcast_to(beyond, weight.shape), np.where(inside, weight, -np.inf)


def _newton(beyond: FloatArray, weight: FloatArray, start: FloatArray, wanted: FloatArray) -> FloatArray:
    """Find the log odds ratio at which the logarithm of the mid-P chance of as many events is as wanted."""
    at, moving = start.copy(), np.arange(start.size)
    share = np.where(beyond > 0, 1.0, np.where(beyond == 0, 0.5, 0.0))
    while moving.size:
        power = weight[moving] + at[moving, None] * beyond[moving]
        top = power.max(axis=1, keepdims=True)
        chance = np.exp(power - top)
        many, lift = chance * share[moving], np.zeros(moving.size)
        far = np.flatnonzero(wanted[moving] < _TINY)
        if far.size:
            # Counts so far out that their chances would be lost are weighed among themselves.
            highest = np.where(share[moving[far]] > 0, power[far], -np.inf).max(axis=1, keepdims=True)
            many[far] = np.exp(np.minimum(power[far] - highest, 0)) * share[moving[far]]
            lift[far] = (top[far] - highest)[:, 0]
        total, tail = chance.sum(axis=1), many.sum(axis=1)
        slope = (many * beyond[moving]).sum(axis=1) / tail - (chance * beyond[moving]).sum(axis=1) / total
        step = np.clip((np.log(tail / total) - lift - wanted[moving]) / slope, -_LONG_STEP, _LONG_STEP)
        at[moving] -= step
        # Each table stops by itself, so that its result does not depend on the others.
        moving = moving[np.abs(step) > _SMALL_STEP * np.maximum(1, np.abs(at[moving]))]
    return at


def _rows(table: Table, rows: IntArray) -> Table:
    x, n, x0, n0 = table
    return x[rows], n[rows], x0[rows], n0[rows]


def _log_adjusted(x: FloatArray, n: FloatArray, x0: FloatArray, n0: FloatArray) -> FloatArray:
    return np.asarray(np.log((x + 0.5) * (n0 - x0 + 0.5)) - np.log((n - x + 0.5) * (x0 + 0.5)))


def _spread(x: FloatArray, n: FloatArray, x0: FloatArray, n0: FloatArray) -> FloatArray:
    """Give about the standard deviation of the events of the group, given all events."""
    return np.asarray(sum(1 / (cell + 0.5) for cell in (x, n - x, x0, n0 - x0)) ** -0.5)
