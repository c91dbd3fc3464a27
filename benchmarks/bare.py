"""The shortest NumPy code of each chart and test, with no thought of gaps, ties, phases or empty months.

Arrays are full, of shape (S, T). The library computes the same, and this is what it costs at least.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
Out = tuple[npt.NDArray[np.generic], ...]

TAIL = 0.00135
D2, D3 = 2 / math.sqrt(math.pi), math.sqrt(2 - 4 / math.pi)


def run(y: Array) -> Out:
    return (np.median(y, axis=1, keepdims=True),)


def i(y: Array) -> Out:
    centre = y.mean(1, keepdims=True)
    sigma = np.abs(np.diff(y)).mean(1, keepdims=True) / D2
    return _three_sigma(centre, np.broadcast_to(sigma, y.shape))


def i_screened(y: Array) -> Out:
    centre, ranges = y.mean(1, keepdims=True), np.abs(np.diff(y))
    kept = ranges < 3.2665 * ranges.mean(1, keepdims=True)
    sigma = np.where(kept, ranges, 0).sum(1, keepdims=True) / kept.sum(1, keepdims=True) / D2
    return _three_sigma(centre, np.broadcast_to(sigma, y.shape))


def mr(y: Array) -> Out:
    ranges = np.abs(np.diff(y))
    centre = ranges.mean(1, keepdims=True)
    return ranges, *_three_sigma(centre, np.broadcast_to(D3 / D2 * centre, y.shape), floor=0)


def ip(y: Array, n: Array) -> Out:
    centre = (y * n).sum(1, keepdims=True) / n.sum(1, keepdims=True)
    s = np.sqrt(np.pi / 2) * np.abs(np.diff(y)) / np.sqrt(1 / n[:, 1:] + 1 / n[:, :-1])
    return _three_sigma(centre, s.mean(1, keepdims=True) / np.sqrt(n))


def xbar(y: Array, n: Array, s: Array) -> Out:
    centre = (y * n).sum(1, keepdims=True) / n.sum(1, keepdims=True)
    return _three_sigma(centre, _pooled(s, n) / _c4(n) / np.sqrt(n))


def s(s: Array, n: Array) -> Out:
    centre, c4 = _pooled(s, n), _c4(n)
    return _three_sigma(centre, centre * np.sqrt(1 - c4**2) / c4, floor=0)


def r(r: Array, n: Array, d2: Array, d3: Array) -> Out:
    """Take the constants from tables by size."""
    size = n.astype(int)
    sigma = (r / d2[size]).mean(1, keepdims=True)
    return _three_sigma(d2[size] * sigma, d3[size] * sigma, floor=0)


def p_classical(x: Array, n: Array) -> Out:
    p = x.sum(1, keepdims=True) / n.sum(1, keepdims=True)
    return _three_sigma(p, np.sqrt(p * (1 - p) / n), floor=0, ceiling=1)


def p(x: Array, n: Array) -> Out:
    return *_binomial(p_ := x.sum(1, keepdims=True) / n.sum(1, keepdims=True), n, n), np.sqrt(
        p_ * (1 - p_) / n
    )


def np_classical(x: Array, n: Array) -> Out:
    p = x.sum(1, keepdims=True) / n.sum(1, keepdims=True)
    return _three_sigma(n * p, np.sqrt(n * p * (1 - p)), floor=0, ceiling=n)


def np_(x: Array, n: Array) -> Out:
    p = x.sum(1, keepdims=True) / n.sum(1, keepdims=True)
    return *_binomial(p, n, np.ones_like(n)), np.sqrt(n * p * (1 - p))


def u_classical(x: Array, n: Array) -> Out:
    u = x.sum(1, keepdims=True) / n.sum(1, keepdims=True)
    return _three_sigma(u, np.sqrt(u / n), floor=0)


def u(x: Array, n: Array) -> Out:
    rate = x.sum(1, keepdims=True) / n.sum(1, keepdims=True)
    return *_poisson(rate * n, n), np.sqrt(rate / n)


def c_classical(x: Array) -> Out:
    mean = x.mean(1, keepdims=True)
    return _three_sigma(mean, np.broadcast_to(np.sqrt(mean), x.shape), floor=0)


def c(x: Array) -> Out:
    mean = x.mean(1, keepdims=True)
    return tuple(np.broadcast_to(line, x.shape).copy() for line in _poisson(mean, np.ones_like(mean)))


def pp(x: Array, n: Array) -> Out:
    p = x.sum(1, keepdims=True) / n.sum(1, keepdims=True)
    sigma = np.sqrt(p * (1 - p) / n)
    spread = np.abs(np.diff((x / n - p) / sigma)).mean(1, keepdims=True) / D2
    return _three_sigma(p, sigma * spread, floor=0, ceiling=1)


def up(x: Array, n: Array) -> Out:
    u = x.sum(1, keepdims=True) / n.sum(1, keepdims=True)
    sigma = np.sqrt(u / n)
    spread = np.abs(np.diff((x / n - u) / sigma)).mean(1, keepdims=True) / D2
    return _three_sigma(u, sigma * spread, floor=0)


def g(gaps: Array) -> Out:
    log_q = np.log1p(-1 / gaps.mean(1, keepdims=True))
    lines = np.log(0.5) / log_q, np.log1p(-TAIL) / log_q, np.log(TAIL) / log_q
    return tuple(np.broadcast_to(np.floor(line) + 0.5, gaps.shape).copy() for line in lines)


def t(times: Array) -> Out:
    mean = times.mean(1, keepdims=True)
    factors = (np.log(2), -np.log1p(-TAIL), -np.log(TAIL))
    return tuple(np.broadcast_to(mean * factor, times.shape).copy() for factor in factors)


def ewma(y: Array, centre: Array, sigma: Array, weight: float = 0.2) -> Out:
    z, var = np.empty_like(y), np.empty_like(y)
    before, spread = centre[:, 0], np.zeros(len(y))
    for k in range(y.shape[1]):
        before = weight * y[:, k] + (1 - weight) * before
        spread = weight**2 * sigma[:, k] ** 2 + (1 - weight) ** 2 * spread
        z[:, k], var[:, k] = before, spread
    return z, *_three_sigma(centre, np.sqrt(var))


def cusum(y: Array, h: float = 5.0, k: float = 0.5) -> Out:
    return *_arm(y - k, h), *_arm(-y - k, h)


def count_cusum(x: Array, n: Array, p: Array, h: float = 4.0, ratio: float = 2.0) -> Out:
    rise = x * np.log(ratio) - n * np.log1p((ratio - 1) * p)
    fall = -x * np.log(ratio) - n * np.log1p((1 / ratio - 1) * p)
    return *_arm(rise, h), *_arm(fall, h)


def bernoulli_cusum(gaps: Array, p: Array, h: float = 3.5, ratio: float = 2.0) -> Out:
    """Take gaps one by one, without more than one restart in a gap."""
    gain, down, up = np.log(ratio), np.log1p((ratio - 1) * p)[:, 0], -np.log1p((1 / ratio - 1) * p)[:, 0]
    high, low = np.empty_like(gaps), np.empty_like(gaps)
    above, below = np.zeros(len(gaps)), np.zeros(len(gaps))
    for k in range(gaps.shape[1]):
        others = gaps[:, k] - 1
        above = np.maximum(np.maximum(above - down * others, 0) + gain - down, 0)
        below = below + up * others
        high[:, k], low[:, k] = above, below
        above = np.where(above >= h, 0, above)
        below = np.maximum(np.where(below >= h, 0, below) - gain + up, 0)
    return high, high >= h, low, low >= h


def risk_adjusted_cusum(outcomes: Marks, risks: Array, h: float = 4.5, ratio: float = 2.0) -> Out:
    """Take births one by one."""
    found: list[Array] = []
    for odds in (ratio, 1 / ratio):
        score = outcomes * np.log(odds) - np.log1p((odds - 1) * risks)
        arm, value = np.empty_like(score), np.zeros(len(score))
        for k in range(score.shape[1]):
            value = np.maximum(value + score[:, k], 0)
            arm[:, k] = value
            value = np.where(value >= h, 0, value)
        found += [arm, arm >= h]
    return tuple(found)


def vlad(x: Array, expected: Array) -> Out:
    return (np.cumsum(expected - x, axis=1),)


def _arm(score: Array, h: float) -> Out:
    arm, value = np.empty_like(score), np.zeros(len(score))
    for k in range(score.shape[1]):
        value = np.maximum(value + score[:, k], 0)
        arm[:, k] = value
    return arm, arm > h


def _three_sigma(centre: Array, sigma: Array, floor: float = -np.inf, ceiling: float | Array = np.inf) -> Out:
    lower, upper = centre - 3 * sigma, centre + 3 * sigma
    if floor == 0:
        lower = np.maximum(lower, 0)
    if np.ndim(ceiling) or np.isfinite(ceiling):
        upper = np.minimum(upper, ceiling)
    return sigma, lower, upper


def _binomial(p: Array, n: Array, scale: Array) -> Out:
    """Find the first and last counts by SciPy's inverse tails."""
    p = np.broadcast_to(p, n.shape)
    low, high = np.ceil(special.bdtrik(TAIL, n, p)), np.ceil(special.bdtrik(1 - TAIL, n, p))
    return (np.maximum(low, 0) - 0.5) / scale, (high + 0.5) / scale


def _poisson(mean: Array, scale: Array) -> Out:
    low, high = np.ceil(special.pdtrik(TAIL, mean)), np.ceil(special.pdtrik(1 - TAIL, mean))
    return (np.maximum(low, 0) - 0.5) / scale, (high + 0.5) / scale


def _pooled(s: Array, n: Array) -> Array:
    return np.sqrt(((n - 1) * s**2).sum(1, keepdims=True) / (n - 1).sum(1, keepdims=True))


def _c4(n: Array) -> Array:
    return np.sqrt(2 / (n - 1)) * np.exp(special.gammaln(n / 2) - special.gammaln((n - 1) / 2))


def beyond_limits(y: Array, centre: Array, sigma: Array) -> Out:
    return y < centre - 3 * sigma, y > centre + 3 * sigma


def runs(y: Array, centre: Array, sigma: Array) -> Out:
    """Find the longest run, and count the crossings."""
    above = y > centre
    length = np.ones(len(y), dtype=int)
    longest = length
    for k in range(1, y.shape[1]):
        length = np.where(above[:, k] == above[:, k - 1], length + 1, 1)
        longest = np.maximum(longest, length)
    return longest, (above[:, 1:] != above[:, :-1]).sum(1)


def shift(y: Array, centre: Array, sigma: Array, length: int) -> Out:
    return _in_a_row(y < centre, length), _in_a_row(y > centre, length)


def trend(y: Array, centre: Array, sigma: Array, length: int) -> Out:
    steps = np.diff(y)
    return _in_a_row(steps < 0, length - 1), _in_a_row(steps > 0, length - 1)


def alternating(y: Array, centre: Array, sigma: Array, length: int) -> Out:
    up = np.diff(y) > 0
    return (_in_a_row(up[:, 1:] != up[:, :-1], length - 2),)


def two_in_three(y: Array, centre: Array, sigma: Array) -> Out:
    return tuple(_some_of(beyond, 2, 3) for beyond in (y < centre - 2 * sigma, y > centre + 2 * sigma))


def four_in_five(y: Array, centre: Array, sigma: Array) -> Out:
    return tuple(_some_of(beyond, 4, 5) for beyond in (y < centre - sigma, y > centre + sigma))


def within(y: Array, centre: Array, sigma: Array, length: int) -> Out:
    return (_in_a_row(np.abs(y - centre) <= sigma, length),)


def outside(y: Array, centre: Array, sigma: Array, length: int) -> Out:
    return (_in_a_row(np.abs(y - centre) > sigma, length), _in_a_row(y > centre, length))


def _in_a_row(marks: Marks, length: int) -> Marks:
    """Mark all points of each window in which all are marked."""
    return _some_of(marks, length, length)


def _some_of(marks: Marks, need: int, size: int) -> Marks:
    """Mark the marked points of each window that holds enough of them."""
    last = marks.shape[1] - size + 1
    if last < 1:
        return np.zeros_like(marks)
    count = np.zeros((len(marks), last), dtype=np.int8)
    for k in range(size):
        count += marks[:, k : last + k]
    enough, out = count >= need, np.zeros_like(marks)
    for k in range(size):
        out[:, k : last + k] |= enough
    return out & marks


TESTS: dict[str, Callable[..., Out]] = {
    "beyond_limits": beyond_limits,
    "longest_run": runs,
    "crossings": runs,
    "runs_count": runs,
    "shift": shift,
    "trend": trend,
    "two_in_three": two_in_three,
    "four_in_five": four_in_five,
    "alternating": alternating,
    "within": within,
    "outside": outside,
}
