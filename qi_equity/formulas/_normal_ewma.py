"""EWMA of independent normal points, on nodes of a quadrature that widen with its limits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas.waiting import Step

# The density of a step has a width of 1 in units of the weight, so that many nodes leave errors below 1e-11.
NODES_A_UNIT = 6
_FEWEST_NODES = 40
# Where nothing signals below, no average is followed further from its mean than so many standard errors, and
# no mean further from the centre line than so many, from where a signal has no chance that is a number.
_FAR = 9.0
_FARTHEST = 40.0
# The starting variance is forgotten when it changes a limit by less than this share.
_FORGOTTEN = 1e-13


class NormalEwma(NamedTuple):
    """Charts, (A,): shift in standard errors of a point, half-width and start in those of the average.

    ``lowest``: whether the lower limit signals too; the upper one does. ``exact``: whether the limits have
    the exact starting variance. ``fineness``: nodes a unit.
    """

    shift: FloatArray
    width: FloatArray
    start: FloatArray
    weight: float
    lowest: bool
    exact: bool
    fineness: int = NODES_A_UNIT

    def error(self, t: int) -> float:
        """Give the standard error of the average after t points."""
        past = 0.0 if t > self.settled else float((1 - self.weight) ** (2 * t))
        return float(np.sqrt(self.weight / (2 - self.weight) * (1 - past)))

    @property
    def settled(self) -> int:
        """Points after which the starting variance is forgotten."""
        if self.weight == 1:
            return 1
        return max(1, int(np.ceil(np.log(_FORGOTTEN) / (2 * np.log1p(-self.weight)))))

    def ends(self, t: int) -> tuple[FloatArray, FloatArray]:
        """Give the least and the largest average after t points without a signal, (A,)."""
        upper = self.width * self.error(t if self.exact else self.settled + 1)
        if self.lowest:
            return -upper, upper
        forever = self.error(self.settled + 1)
        begin, end = self.start * forever, self.shift
        if not self.exact:
            return np.minimum(np.minimum(begin, end), 0) - _FAR * forever, upper
        kept = (1 - self.weight) ** t if t <= self.settled else 0.0
        mean = end * (1 - kept) + begin * kept
        return np.minimum(mean, 0) - _FAR * self.error(t), upper

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        low, high = self.ends(self.settled + 1)
        return max(_FEWEST_NODES, int(self.fineness * float((high - low).max()) / self.weight))


def normal_ewma(chart: NormalEwma) -> tuple[FloatArray, Step]:
    """Give the chances of the nodes before the first point, (A, nodes), and the step of a point."""
    if not chart.lowest:
        farthest = -_FARTHEST * chart.error(chart.settled + 1)
        chart = chart._replace(shift=np.maximum(chart.shift, farthest))
    nodes, weights = np.polynomial.legendre.leggauss(chart.nodes)
    begin = np.zeros((len(chart.shift), len(nodes)))
    begin[:, 0] = 1
    last: list[tuple[FloatArray, FloatArray]] = []

    def moves(t: int) -> tuple[FloatArray, FloatArray]:
        low, high = chart.ends(t + 1)
        half = (high - low) / 2
        there = low[:, np.newaxis] + half[:, np.newaxis] * (nodes + 1)
        if t == 0:
            here = np.repeat(
                (chart.start * chart.error(chart.settled + 1))[:, np.newaxis], len(nodes), axis=1
            )
        else:
            low_now, high_now = chart.ends(t)
            here = low_now[:, np.newaxis] + ((high_now - low_now) / 2)[:, np.newaxis] * (nodes + 1)
        kept = (1 - chart.weight) * here + chart.weight * chart.shift[:, np.newaxis]
        far = (there[:, np.newaxis] - kept[:, :, np.newaxis]) / chart.weight
        density = np.exp(-far * far / 2) / np.sqrt(2 * np.pi)
        move = density * (half[:, np.newaxis] / chart.weight * weights)[:, np.newaxis]
        signal = special.ndtr((kept - high[:, np.newaxis]) / chart.weight)
        if chart.lowest:
            signal += special.ndtr((low[:, np.newaxis] - kept) / chart.weight)
        return move, signal

    def step(now: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        if t <= (chart.settled + 1 if chart.exact else 1):
            last[:] = [moves(t)]
        move, signal = last[0]
        return np.matmul(now[:, np.newaxis], move)[:, 0], (now * signal).sum(axis=1)

    return begin, step
