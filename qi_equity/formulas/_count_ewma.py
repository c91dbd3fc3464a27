"""EWMA of counts over denominators that repeat: the true counts move it between the nodes of a lattice.

The average is followed as its distance from the centre line. A count that takes it between two nodes takes it
to either in proportion, which keeps its mean; whether it signals is judged where it lands.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse, special

from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray
from qi_equity.formulas.waiting import Step

NODES = 240
# Counts so many standard deviations, and as many counts, from their mean do not happen.
_FAR = 7.0
_FLOOR = 6.0
_FORGOTTEN = 1e-13
# A weight of 1 leaves nothing of what a node stands for; a limit is then as sharp as this share of itself.
_SHARP = 1e-12


class CountEwma(NamedTuple):
    """Charts: each point, (A, C); half-width in standard errors, (A,); ``sign`` 0 if both limits signal.

    ``unit``: births of a point at most, 1 for proportions and infinite for rates.
    """

    births: FloatArray
    chance: FloatArray
    actual: FloatArray
    moves: BoolArray
    width: FloatArray
    weight: float
    poisson: bool
    sign: int
    exact: bool

    def take(self, some: BoolArray | slice) -> CountEwma:
        """Leave the other charts out."""
        return self._replace(**{name: getattr(self, name)[some] for name in self._fields[:5]})

    def variance(self, chance: FloatArray) -> FloatArray:
        """Give the variance of the points at such a chance; 0 where nothing moves."""
        one = chance if self.poisson else chance * (1 - chance)
        return np.divide(one, self.births, out=np.zeros(one.shape), where=self.moves)


def errors(chart: CountEwma, chance: FloatArray) -> tuple[FloatArray, int]:
    """Give the standard error of the average after each point, (A, T), and the first of the C that repeat.

    These are the last C.
    """
    variance, cycle = chart.variance(chance), chart.births.shape[1]
    w, now = chart.weight, np.zeros(len(variance))
    found: list[FloatArray] = []
    while len(found) < 2 * cycle or len(found) % cycle or (_moved(found, cycle) > _FORGOTTEN):
        c = len(found) % cycle
        now = np.where(chart.moves[:, c], w * w * variance[:, c] + (1 - w) ** 2 * now, now)
        found.append(now)
    return np.sqrt(np.stack(found, axis=1)), len(found) - cycle


def _moved(found: list[FloatArray], cycle: int) -> float:
    return max(
        float(np.max(np.abs(1 - before / now)))
        for before, now in zip(found[-2 * cycle : -cycle], found[-cycle:], strict=True)
    )


class _Lattice(NamedTuple):
    """Least node and distance between two, (A,), and their number; 0 is a node of each chart."""

    first: FloatArray
    apart: FloatArray
    nodes: int


def _lattice(chart: CountEwma, largest: FloatArray, nodes: int) -> _Lattice:
    """Lay nodes as far as no limit signals, or as the average gets."""
    ahead = np.where(chart.moves, chart.actual - chart.chance, 0)
    spread = _FLOOR * errors(chart, np.maximum(chart.chance, chart.actual))[0].max(axis=1)
    limit = chart.width * largest
    low = -limit if chart.sign <= 0 else np.minimum(ahead.min(axis=1), 0) - spread
    high = limit if chart.sign >= 0 else np.maximum(ahead.max(axis=1), 0) + spread
    centre = np.where(chart.moves, chart.chance, 0)
    low = np.maximum(low, -centre.max(axis=1))
    apart = (high - low) / (nodes - 2)
    return _Lattice(-apart * np.ceil(-low / apart), apart, nodes)


class _Moves:
    """Moves at one point of the cycle: each count from each node, to the two nodes beside where it lands.

    A node stands for what is nearest to it: a move counts by the share of that which lands within the limit.
    """

    __slots__ = ("arm", "away", "ends", "into", "matrix", "near", "shape", "share")

    def __init__(self, chart: CountEwma, lattice: _Lattice, c: int, limit: FloatArray, least: float) -> None:
        x, chance, times = _counts(chart, c)
        n = lattice.nodes
        self.shape = (len(times), n)
        # Moves are in order of the chart, the node and the count.
        many = np.repeat(times, n)
        self.ends = np.concatenate([[0], np.cumsum(many)])
        node = np.repeat(np.arange(len(many)), many)
        self.arm = node // n
        count = np.arange(len(node)) - (self.ends[:-1] - np.repeat(np.cumsum(times) - times, n))[node]
        landing = _landing(chart, c, lattice, node, x[count])
        place = np.clip((landing - lattice.first[self.arm]) / lattice.apart[self.arm], 0, n - 1)
        whole = np.minimum(np.floor(place), n - 2).astype(np.int64)
        part, there = place - whole, self.arm * n + whole
        self.into = np.stack([1 - part, part], axis=1) * chance[count, np.newaxis]
        # The limit and what a node stands for are the units, the same for all charts.
        self.share = limit / np.maximum((1 - chart.weight) * lattice.apart, _SHARP * limit)
        away = _away(chart, self.arm, landing) / limit[self.arm]
        self.away = np.where(chart.moves[self.arm, c], away, -np.inf)
        self.near = np.flatnonzero(np.abs(self.away - (1 + least) / 2) < (1 - least) / 2 + self.rim)
        self.near = self.near[np.argsort(self.away[self.near])]
        self.matrix = sparse.csc_array(
            (np.zeros(self.into.size), np.stack([there, there + 1], axis=1).ravel(), 2 * self.ends),
            shape=(len(many),) * 2,
        )

    @property
    def rim(self) -> float:
        """Say how far from a limit what a node stands for reaches, at most."""
        return float(0.5 / self.share.min())

    def limit(self, ratio: FloatArray, before: FloatArray | None) -> None:
        """Move the limits to such shares of the last ones, from where they were ``before``; shape (A,)."""
        some = np.arange(len(self.arm))
        if before is not None:
            reach = before.min() - self.rim, ratio.max() + self.rim
            first, last = np.searchsorted(self.away[self.near], reach)
            some = self.near[first:last]
        arm = self.arm[some]
        inside = np.clip((ratio[arm] - self.away[some]) * self.share[arm] + 0.5, 0, 1)
        self.matrix.data.reshape(-1, 2)[some] = self.into[some] * inside[:, np.newaxis]

    def signal(self) -> FloatArray:
        """Chance of a signal from each node."""
        beyond = self.into.sum(axis=1) - self.matrix.data.reshape(-1, 2).sum(axis=1)
        return np.asarray(np.add.reduceat(beyond, self.ends[:-1]).reshape(self.shape))

    def go(self, now: FloatArray) -> FloatArray:
        """Give the chances of the nodes after the point."""
        return np.asarray(self.matrix @ now.ravel()).reshape(self.shape)


def _landing(chart: CountEwma, c: int, lattice: _Lattice, node: IntArray, count: FloatArray) -> FloatArray:
    """Say where a count at a node takes the average."""
    arm = node // lattice.nodes
    here = lattice.first[arm] + lattice.apart[arm] * (node % lattice.nodes)
    gain = count / np.where(chart.moves[:, c], chart.births[:, c], 1)[arm] - chart.chance[arm, c]
    return np.where(chart.moves[arm, c], (1 - chart.weight) * here + chart.weight * gain, here)


def _away(chart: CountEwma, arm: IntArray, landing: FloatArray) -> FloatArray:
    """Say how far the average lands from the centre line towards a limit that it can ever reach."""
    low, high = (np.where(able, 0.0, -np.inf)[arm] for able in reached(chart))
    return np.maximum(low - landing, high + landing)


def reached(chart: CountEwma) -> tuple[BoolArray, BoolArray]:
    """Say whether no event at all ever reaches the low limit, and nothing but events the high one."""
    error, repeats = errors(chart, chart.chance)
    cycle, w = chart.births.shape[1], chart.weight
    least, most = np.zeros((2, len(error)))
    low, high = np.zeros((2, len(error)), dtype=np.bool_)
    for t in range(2 * repeats + 2 * cycle):
        c = t % cycle
        at = t if chart.exact and t < repeats else repeats + (t - repeats) % cycle
        some, p, limit = chart.moves[:, c], chart.chance[:, c], chart.width * error[:, at]
        least = np.where(some, (1 - w) * least - w * p, least)
        most = np.where(some, (1 - w) * most + w * (1 - p), most)
        low |= some & (least < -limit) & (chart.poisson | (chart.actual[:, c] < 1))
        high |= some & ((most > limit) | chart.poisson)
    return low & (chart.sign <= 0), high & (chart.sign >= 0)


def _counts(chart: CountEwma, c: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Give the counts that happen at a point, chart by chart, their chances, and how many each chart has."""
    there = chart.moves[:, c]
    n, p = np.where(there, chart.births[:, c], 0), np.where(there, chart.actual[:, c], 0)
    mean = n * p
    spread = _FAR * np.sqrt(mean if chart.poisson else mean * (1 - p)) + _FAR
    least = np.maximum(np.ceil(mean - spread), 0)
    most = np.floor(mean + spread) if chart.poisson else np.minimum(np.floor(mean + spread), n)
    most = np.where(mean > 0, most, 0)
    times = (most - least).astype(np.int64) + 1
    arm = np.repeat(np.arange(len(n)), times)
    x = least[arm] + np.arange(len(arm)) - np.repeat(np.cumsum(times) - times, times)
    size, rate = n[arm], p[arm]
    if chart.poisson:
        log = special.xlogy(x, mean[arm]) - mean[arm] - special.gammaln(x + 1)
    else:
        log = special.xlogy(x, rate) + special.xlog1py(size - x, -rate)
        log -= special.betaln(x + 1, size - x + 1) + np.log(size + 1)
    return x, np.exp(log), times


def count_ewma(chart: CountEwma, nodes: int = NODES) -> tuple[FloatArray, Step]:
    """Give the chances of the nodes before the first point, (A, nodes), and the step of a point."""
    error, repeats = errors(chart, chart.chance)
    if not chart.exact:
        error, repeats = error[:, repeats:], 0
    cycle = chart.births.shape[1]
    lattice = _lattice(chart, error.max(axis=1), nodes)
    last = error[:, repeats:]
    least = float((error[:, :cycle] / last).min())
    points = [_Moves(chart, lattice, c, chart.width * last[:, c], least) for c in range(cycle)]
    begin = np.zeros((len(error), nodes))
    zero = np.rint(-lattice.first / lattice.apart).astype(np.intp)
    begin[np.arange(len(error)), zero] = 1
    signals: dict[int, FloatArray] = {}

    def step(now: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        c = t % cycle
        if c not in signals:
            shares = error[:, c : t + 1 : cycle] / last[:, c, np.newaxis]
            points[c].limit(shares[:, -1], shares[:, -2] if t >= cycle else None)
            if t >= repeats:
                signals[c] = points[c].signal()
        after = points[c].go(now)
        if c in signals:
            return after, (now * signals[c]).sum(axis=1)
        return after, np.maximum(now.sum(axis=1) - after.sum(axis=1), 0)

    return begin, step
