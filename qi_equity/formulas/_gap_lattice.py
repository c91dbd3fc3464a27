"""Two independent counts side by side: their chances, and exact tails of the gap between their rates.

Arrays have the shape (N, K): N cells, K counts of the group that can happen. Counts whose chance is below
about 1e-15 are left out; the rest is made to sum to 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray, floats

Scale = Literal["difference", "ratio"]
CountKind = Literal["proportion", "rate"]
Four = tuple[FloatArray, FloatArray, FloatArray, FloatArray]

SCALES: tuple[Scale, ...] = ("difference", "ratio")
KINDS: tuple[CountKind, ...] = ("proportion", "rate")

# Gaps closer together than so many events of the reference are one gap: they differ by rounding only.
TIE = 1e-7

# Counts further from the mean than so many standard deviations and counts have a chance below 1e-15.
_FAR, _FEW = 9, 30
_ROOM = 2_000_000
_HALVINGS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Rates and sizes of N pairs of group and reference, each of shape (N,).

    An infinite size of the reference is a rate without sampling error, such as a target.
    """

    kind: CountKind
    rate: FloatArray
    size: FloatArray
    reference_rate: FloatArray
    reference_size: FloatArray

    def take(self, rows: IntArray) -> Pairs:
        """Keep some pairs."""
        blocks = (self.rate, self.size, self.reference_rate, self.reference_size)
        return Pairs(self.kind, *(block[rows] for block in blocks))

    def portions(self) -> Iterator[tuple[IntArray, Lattice]]:
        """Give the pairs in portions of like width, so that none takes much room."""
        width = _width(self.rate, self.size, self.kind) + _width(
            self.reference_rate, self.reference_size, self.kind
        )
        order = np.argsort(width, kind="stable")
        start = 0
        while start < order.size:
            # Widths ascend: as many pairs as have room if all were as wide as the last of them.
            reach = np.arange(1, order.size - start + 1) * width[order[start:]]
            count = max(int(np.searchsorted(reach, _ROOM)), 1)
            rows = order[start : start + count]
            yield rows, lattice(self.take(rows))
            start += count


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Every count of the group with its rate and chance, and the chances of the reference in a table."""

    rate: FloatArray
    mass: FloatArray
    none: BoolArray
    first: FloatArray
    reference_size: FloatArray
    table: FloatArray

    def at_least(self, gap: FloatArray, scale: Scale) -> FloatArray:
        """Give P(gap >= g) of each pair, shape (N,); an undefined ratio (0 / 0) is no gap."""
        most = self._reference_rate(gap, scale)
        if scale == "ratio":
            # No event in the group is a ratio of 0, which is at least 0 and no more.
            most = np.where(self.none & (gap[:, None] <= 0), np.inf, most)
        highest = np.floor(most * self.reference_size + TIE)
        below = self._at_most(highest)
        if scale == "ratio":
            below = np.where(self.none, below - self._at_most(np.zeros_like(highest)), below)
        return np.asarray((self.mass * np.maximum(below, 0)).sum(axis=1))

    def at_most(self, gap: FloatArray, scale: Scale) -> FloatArray:
        """Give P(gap <= g) of each pair, shape (N,); an undefined ratio (0 / 0) is no gap."""
        lowest = np.ceil(self._reference_rate(gap, scale) * self.reference_size - TIE)
        if scale == "ratio":
            lowest = np.where(self.none, np.maximum(lowest, 1), lowest)
        return np.asarray((self.mass * (1 - self._at_most(lowest - 1))).sum(axis=1))

    def undefined(self) -> FloatArray:
        """Give the chance that neither has an event, so that the ratio is undefined, shape (N,)."""
        return np.asarray((self.mass * self.none * self._at_most(np.zeros_like(self.mass))).sum(axis=1))

    def bounds(self, scale: Scale) -> tuple[FloatArray, FloatArray]:
        """Give gaps below and above all finite ones, each (N,)."""
        lowest = self.first[:, 0] / self.reference_size[:, 0]
        highest = (self.first[:, 0] + self.table.shape[1]) / self.reference_size[:, 0]
        if scale == "difference":
            return self.rate[:, 0] - highest - 1, self.rate[:, -1] - lowest + 1
        return np.zeros_like(lowest), (self.rate.max(axis=1) + 1) * self.reference_size[:, 0] + 1

    def _reference_rate(self, gap: FloatArray, scale: Scale) -> FloatArray:
        """Give the rate of the reference that makes the gap of each count this one; 0 for a ratio of 0."""
        if scale == "difference":
            return self.rate - gap[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.none, 0.0, self.rate / gap[:, None])

    def _at_most(self, count: FloatArray) -> FloatArray:
        """Look up P(reference <= count)."""
        place = np.clip(count - self.first, -1, self.table.shape[1] - 1).astype(np.intp)
        found = np.take_along_axis(self.table, np.maximum(place, 0), axis=1)
        return np.where(place < 0, 0.0, found)


def lattice(pairs: Pairs) -> Lattice:
    """Tabulate the chances of all counts of some pairs."""
    count, mass = _chances(pairs.rate, pairs.size, pairs.kind)
    fixed = np.isinf(pairs.reference_size)
    # A rate without sampling error is a count that is always 1 among 1 / rate (0 among 1 for a rate of 0).
    always = np.where(pairs.reference_rate > 0, 1.0, 0.0)
    with np.errstate(divide="ignore"):
        among = np.where(pairs.reference_rate > 0, 1 / pairs.reference_rate, 1.0)
    size = np.where(fixed, among, pairs.reference_size)
    other, chance = _chances(pairs.reference_rate, np.where(fixed, 1.0, size), pairs.kind)
    first = np.where(fixed, always, other[:, 0])
    table = np.where(fixed[:, None], 1.0, np.minimum(np.cumsum(chance, axis=1), 1))
    return Lattice(
        rate=count / pairs.size[:, None],
        mass=mass,
        none=count == 0,
        first=first[:, None],
        reference_size=size[:, None],
        table=table,
    )


def boundaries(cells: Lattice, tail: float, scale: Scale) -> tuple[FloatArray, FloatArray]:
    """Halve down to the gaps beyond which a point has a tail below ``tail``, low and high, each (N,).

    They lie just beyond the last gap that does not signal. A ratio that cannot signal low has the limit 0,
    one that cannot signal high an infinite one.
    """
    bottom, top = cells.bounds(scale)
    above = (bottom.copy(), top.copy())
    below = (bottom.copy(), top.copy())
    for _ in range(_HALVINGS):
        middle = (above[0] + above[1]) / 2
        signals = cells.at_least(middle, scale) < tail
        above = (np.where(signals, above[0], middle), np.where(signals, middle, above[1]))
        middle = (below[0] + below[1]) / 2
        signals = cells.at_most(middle, scale) < tail
        below = (np.where(signals, middle, below[0]), np.where(signals, below[1], middle))
    upper, lower = above[1], below[0]
    if scale == "ratio":
        endless = cells.at_least(np.full_like(upper, np.inf), scale) >= tail
        upper = np.where(endless, np.inf, upper)
        lower = np.where(cells.at_most(np.zeros_like(lower), scale) >= tail, 0.0, lower)
    return lower, upper


def checked(
    rate: ArrayLike, size: ArrayLike, reference_rate: ArrayLike, reference_size: ArrayLike, *options: str
) -> Four:
    """Bring the arrays to one shape and check what the counts can be."""
    scale, kind = options
    one_of("scale", scale, SCALES)
    one_of("kind", kind, KINDS)
    p, n, q, m = floats(
        {"rate": rate, "size": size, "reference_rate": reference_rate, "reference_size": reference_size}
    )
    most = 1.0 if kind == "proportion" else np.inf
    for name, values in (("rate", p), ("reference_rate", q)):
        wrong = values[(values < 0) | (values > most)]
        if wrong.size:
            raise OptionError(f"{name} holds {float(wrong[0])!r}; give values from 0 to {most:g}.")
    for name, values in (("size", n), ("reference_size", m)):
        finite = values[np.isfinite(values)]
        broken = finite[(finite < 0) | ((finite != np.floor(finite)) & (kind == "proportion"))]
        if broken.size:
            whole = "whole numbers of births" if kind == "proportion" else "an exposure of 0 or more"
            raise OptionError(f"{name} holds {float(broken[0])!r}; exact limits need {whole}.")
    return p, n, q, m


def can_vary(arrays: Four, kind: CountKind) -> BoolArray:
    """Tell where both counts can turn out in more than one way (a target in one)."""
    p, n, q, m = arrays
    most = 1.0 if kind == "proportion" else np.inf
    both = (n > 0) & np.isfinite(n) & (m > 0) & (p > 0) & (p < most)
    return np.asarray(both & np.where(np.isinf(m), q >= 0, (q > 0) & (q < most)))


def _spread(rate: FloatArray, size: FloatArray, kind: CountKind) -> tuple[FloatArray, FloatArray]:
    mean = rate * size
    variance = mean * (1 - rate) if kind == "proportion" else mean
    return mean, np.sqrt(np.maximum(variance, 0))


def _window(rate: FloatArray, size: FloatArray, kind: CountKind) -> tuple[FloatArray, FloatArray]:
    """Give the first and the last count that happen, each (N,)."""
    mean, sd = _spread(rate, size, kind)
    first = np.maximum(np.floor(mean - _FAR * sd) - _FEW, 0)
    last = np.ceil(mean + _FAR * sd) + _FEW
    return first, np.minimum(last, size) if kind == "proportion" else last


def _width(rate: FloatArray, size: FloatArray, kind: CountKind) -> FloatArray:
    first, last = _window(rate, np.where(np.isinf(size), 1.0, size), kind)
    return last - first + 1


def _chances(rate: FloatArray, size: FloatArray, kind: CountKind) -> tuple[FloatArray, FloatArray]:
    """Give the counts of each cell, and their chances (0 after the last), each (N, K)."""
    first, last = _window(rate, size, kind)
    steps = np.arange(int((last - first).max(initial=0)) + 1)
    count = first[:, None] + steps
    there = count <= last[:, None]
    count = np.where(there, count, last[:, None])
    p, n = rate[:, None], size[:, None]
    if kind == "proportion":
        log = -special.betaln(count + 1, n - count + 1) - np.log(n + 1)
        log += special.xlogy(count, p) + special.xlog1py(n - count, -p)
    else:
        log = special.xlogy(count, p * n) - p * n - special.gammaln(count + 1)
    mass = np.where(there, np.exp(log), 0.0)
    return count, mass / mass.sum(axis=1, keepdims=True)
