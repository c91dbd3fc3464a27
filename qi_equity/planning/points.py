"""Charts of points (p, u, c) as they would be if nothing changed, and after a change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np

from qi_equity.data.cells import Bools, Floats, Ints
from qi_equity.data.series import StratifiedSeries
from qi_equity.formulas.distributions import Binomial, Distribution, Geometric, Poisson
from qi_equity.spc.chance import sigmas_of
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.control import control_chart
from qi_equity.spc.rules import RuleSet, Test
from qi_equity.spc.stable import Stable, stable
from qi_equity.spc.summary import how_can_signal, recent_points

__all__ = ["KINDS", "Points", "points_of_chart", "points_of_series"]

KINDS: dict[str, Literal["p", "u", "c"]] = {"proportion": "p", "rate": "u", "count": "c"}
"""The chart of points of each kind of measure."""
_MOST_TURNS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of S strata about known lines, at the denominators of late, which repeat.

    Parameters
    ----------
    process : Stable
        Their distribution and the lines, (S, C).
    tests : tuple of tests
        Those of the rules.
    given : ndarray of bool, shape (S,)
        Where runs tests are given.
    low, high : ndarray of int, shape (S,)
        How a fall and a rise of what is plotted can show: index into ``CAN_SIGNAL``.
    """

    process: Stable
    tests: tuple[Test, ...]
    given: Bools
    low: Ints
    high: Ints

    def moved_to(self, rate: Floats) -> Points:
        """Give the points at another rate (S,), the lines staying where they are."""
        return replace(self, process=replace(self.process, points=_moved(self.process.points, rate)))


def points_of_series(series: StratifiedSeries, rules: str | RuleSet) -> Points:
    """Draw the chart of points of a series and describe it."""
    return points_of_chart(control_chart(series, kind=KINDS[series.measure.kind], rules=rules))


def points_of_chart(chart: ControlChart) -> Points:
    """Describe a chart of one kind, whose points are counts or gaps, as in its last phase."""
    rows = np.arange(len(chart.strata))
    last = chart.runs.n_useful.shape[1] - 1
    recent = recent_points(chart, last)
    process = stable(chart, rows, recent, sigmas_of(chart.rules.tests))
    low, high = how_can_signal(chart, last)
    return Points(process.at(_repeated(recent)), chart.rules.tests, chart.runs.given[:, last], low, high)


def _repeated(recent: Bools) -> Ints:
    """Give the places of the recent points, over and over: each as often, unless that takes too many."""
    order = np.argsort(~recent, axis=1, kind="stable")
    count = np.maximum(recent.sum(axis=1), 1)
    evenly = int(np.lcm.reduce(np.unique(count)))
    turns = np.arange(evenly if evenly <= _MOST_TURNS else count.max())
    return np.take_along_axis(order, turns % count[:, None], axis=1)


def _moved(points: Distribution, rate: Floats) -> Distribution:
    chance = rate[:, None]
    if isinstance(points, Binomial):
        return replace(points, chance=np.broadcast_to(chance, points.births.shape))
    if isinstance(points, Poisson):
        # Counts of equal opportunity are divided by 1, so that the rate is their mean.
        return replace(points, mean=chance * points.unit)
    gaps = cast("Geometric", points)
    return replace(gaps, mean=np.broadcast_to(1 / chance - 1 + gaps.smallest, gaps.mean.shape))
