"""Sums of weighted counts over time on a grid: their distribution period by period, and who has left it.

Arrays have the shape (N, G): N strata, G places of a grid of equal steps that wraps around; place 0 is in the
middle. Steps are the weight of an event in the first period, halved so many times: while sizes do not vary,
sums lie on the grid exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft, special

from qi_equity.formulas._arrays import BoolArray, FloatArray
from qi_equity.formulas._gap_lattice import CountKind

# Sums may be off the grid by an eighth of an event in all, or by a fiftieth of their standard deviation.
_OFF_GRID, _OFF_SPREAD = 0.125, 0.02
# The grid covers so many standard deviations and events to either side; what is beyond has a chance < 1e-15.
_FAR, _FEW = 9, 20
# Sums that differ by less differ by rounding only.
_TIE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Events of the group in one period, given what is known: counts and chances, each (N, K).

    ``weight`` is what one event more adds to observed minus expected, ``mean`` and ``sd`` are those of the
    count, each (N,). A period that takes no part has no spread and a count of 0.
    """

    count: FloatArray
    mass: FloatArray
    weight: FloatArray
    mean: FloatArray
    sd: FloatArray


def given_totals(
    events: FloatArray, size: FloatArray, total: FloatArray, other: FloatArray, kind: CountKind
) -> Draws:
    """Give the group's events, given those of group and reference together, if both have the same rate.

    Hypergeometric for proportions, binomial for rates; arrays (N,), ``total`` the events of both and
    ``other`` the size of the reference.
    """
    share = size / (size + other)
    mean = total * share
    variance = mean * (1 - share)
    least, most = np.zeros_like(total), total
    if kind == "proportion":
        births = size + other
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.where(births > 1, variance * (births - total) / (births - 1), 0.0)
        least, most = np.maximum(total - other, 0), np.minimum(size, total)
    count, there = _counts(mean, np.sqrt(variance), least, most)
    n, m, k, of = size[:, None], other[:, None], count, total[:, None]
    if kind == "proportion":
        log = _choose(n, k) + _choose(m, of - k) - _choose(n + m, of)
    else:
        log = _choose(of, k) + special.xlogy(k, share[:, None]) + special.xlog1py(of - k, -share[:, None])
    return Draws(count, _normed(log, there), (size + other) / other, mean, np.sqrt(variance))


def given_rate(size: FloatArray, rate: FloatArray, kind: CountKind) -> Draws:
    """Give the group's events at a rate without sampling error; arrays (N,)."""
    mean = size * rate
    variance = mean * (1 - rate) if kind == "proportion" else mean
    sd = np.sqrt(variance)
    most = size if kind == "proportion" else np.full_like(size, np.inf)
    count, there = _counts(mean, sd, np.zeros_like(mean), most)
    n, p, k = size[:, None], rate[:, None], count
    if kind == "proportion":
        log = _choose(n, k) + special.xlogy(k, p) + special.xlog1py(n - k, -p)
    else:
        log = special.xlogy(k, n * p) - n * p - special.gammaln(k + 1)
    return Draws(count, _normed(log, there), np.ones_like(mean), mean, sd)


class Walk:
    """The distribution of the sum as periods are added, all strata at once."""

    def __init__(
        self, spread: FloatArray, unit: FloatArray, heaviest: FloatArray, periods: FloatArray
    ) -> None:
        """Lay the grid for sums of this spread, first and heaviest weight and number of periods, (N,)."""
        off = np.maximum(_OFF_GRID, _OFF_SPREAD * spread)
        self.step = unit * np.exp2(np.floor(np.log2(2 * off / (unit * np.maximum(periods, 1)))))
        reach = (_FAR * spread + _FEW * heaviest) / self.step
        self.places = fft.next_fast_len(2 * int(np.ceil(reach.max(initial=1))), real=True)
        start = np.zeros((len(spread), self.places))
        start[:, 0] = 1
        self._sum = fft.rfft(start, axis=1)
        self._inside = start
        self._shift, self._off = np.zeros(len(spread)), np.zeros(len(spread))

    def add(self, draws: Draws, part: BoolArray, tail: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Add a period; give the lower and upper limit of the sum and the chance to have left them, (N,).

        Where ``part`` is False the period takes no part, and nothing leaves.
        """
        turned = fft.rfft(self._placed(draws), axis=1)
        self._sum = self._sum * turned
        chances = np.roll(fft.irfft(self._sum, n=self.places, axis=1), self.places // 2, axis=1)
        middle = self.places // 2
        above = np.cumsum(chances[:, ::-1], axis=1)[:, ::-1]
        highest = (above >= tail).sum(axis=1) - 1 - middle
        lowest = self.places - (np.cumsum(chances, axis=1) >= tail).sum(axis=1) - middle
        inside = fft.irfft(fft.rfft(self._inside, axis=1) * turned, n=self.places, axis=1)
        place = np.arange(self.places)
        place = np.where(place < self.places - middle, place, place - self.places)
        room = (self._off / self.step)[:, None]
        left = (place < lowest[:, None] - room) | (place > highest[:, None] + room)
        self._inside = np.where(left & part[:, None], 0.0, inside)
        off = self._off + _TIE
        lower = lowest * self.step + self._shift - off
        return lower, highest * self.step + self._shift + off, 1 - self._inside.sum(axis=1)

    def _placed(self, draws: Draws) -> FloatArray:
        """Put the chances of a period on the grid, about their mean."""
        step, weight = self.step[:, None], draws.weight[:, None]
        exact = weight * draws.count
        place = np.rint(exact / step)
        centre = np.rint(weight * draws.mean[:, None] / step)
        self._shift = self._shift + (centre * step)[:, 0] - draws.weight * draws.mean
        self._off = self._off + np.where(draws.mass > 0, np.abs(exact - place * step), 0).max(axis=1)
        out = np.zeros((len(draws.count), self.places))
        row = np.broadcast_to(np.arange(len(out))[:, None], place.shape)
        np.add.at(out, (row, (place - centre).astype(np.intp) % self.places), draws.mass)
        return out


def _counts(
    mean: FloatArray, sd: FloatArray, least: FloatArray, most: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Give the counts that happen, (N, K), and where a row is not over."""
    first = np.maximum(np.floor(mean - _FAR * sd) - _FEW, least)
    last = np.minimum(np.ceil(mean + _FAR * sd) + _FEW, most)
    count = first[:, None] + np.arange(int((last - first).max(initial=0)) + 1)
    there = count <= last[:, None]
    return np.where(there, count, last[:, None]), there


def _normed(log: FloatArray, there: BoolArray) -> FloatArray:
    mass = np.where(there, np.exp(log), 0.0)
    return np.asarray(mass / mass.sum(axis=1, keepdims=True))


def _choose(n: FloatArray, k: FloatArray) -> FloatArray:
    """Give the logarithm of n over k."""
    return np.asarray(-special.betaln(k + 1, n - k + 1) - np.log(n + 1))
