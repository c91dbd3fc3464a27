"""Charts of which one limit or threshold is tuned to a false-alarm time, and how soon they see a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.bernoulli_waiting import bernoulli_detection
from qi_equity.formulas.between_waiting import g_run_length, t_run_length
from qi_equity.formulas.count_cusum_detection import count_cusum_detection
from qi_equity.formulas.ewma_waiting import count_ewma_waiting, count_ewma_width
from qi_equity.formulas.tuned_limits import (
    points_to_detect,
    tuned_count_limits,
    tuned_gap_limits,
    tuned_time_limits,
)
from qi_equity.planning.plan import Direction, Family

__all__ = ["CHARTS", "EWMA_WEIGHT", "Chart", "Design", "Tuned", "can_show", "tuned"]

Chart = Literal["p", "u", "c", "g", "t", "ewma", "cusum", "bernoulli_cusum"]

CHARTS: dict[Family, tuple[Chart, ...]] = {
    "binomial": ("p", "cusum", "ewma", "g", "t", "bernoulli_cusum"),
    "poisson": ("u", "c", "cusum", "ewma", "t"),
}
EWMA_WEIGHT = 0.2
_SIDES: tuple[Direction, Direction] = ("low", "high")
LARGEST_TAIL = 0.02
"""Of limits that lie outside those at two standard errors."""
_NEVER = 1e12
"""Months beyond which a signal of a sum over a lattice is rounding, not a chance."""


class Design(NamedTuple):
    """What a chart is tuned for: births a month, rates before and after a change, all of shape (S,).

    ``false_alarm`` is the mean number of months wanted between false signals of the side that looks for the
    change, ``months`` those from point to point.
    """

    births: Floats
    before: Floats
    after: Floats
    false_alarm: Floats
    family: Family
    months: float

    @property
    def size(self) -> Floats:
        """Births, or exposure, of a point; whole ones of a proportion, NaN where there is none."""
        size = np.rint(self.births * self.months) if self.family == "binomial" else self.births * self.months
        return np.where(size > 0, size, np.nan)

    @property
    def summed(self) -> tuple[Floats, Floats, Floats]:
        """Size of a point of a sum, the months in which so many come, and points wanted between signals.

        A sum and an average run over births, of which a part of one can come in a period: whole ones are
        taken, at least one, and as much time as these need.
        """
        size, months = self.births * self.months, np.full(self.births.shape, self.months)
        if self.family == "binomial":
            size = np.maximum(np.rint(size), 1.0)
            months = size / self.births
        return size, months, np.maximum(self.false_alarm / months, 1.0)

    @property
    def points(self) -> Floats:
        """Points wanted between false signals."""
        return np.maximum(self.false_alarm / self.months, 1.0)

    @property
    def known(self) -> Bools:
        """Where there are births, a rate, and a change of it to one that is possible."""
        before, after = self.before, self.after
        known = np.isfinite(self.births + before + after + self.false_alarm)
        known &= (self.births > 0) & (before > 0) & (after > 0) & (before != after)
        return known & (before < 1) & (after < 1) if self.family == "binomial" else known

    def take(self, some: Bools) -> Design:
        """Keep some strata."""
        births, before, after, false_alarm = (a[some] for a in self[:4])
        return Design(births, before, after, false_alarm, self.family, self.months)


class Tuned(NamedTuple):
    """Charts tuned to a false-alarm time, each of shape (S,).

    Parameters
    ----------
    setting : ndarray of float
        Threshold, width or tail probability; NaN where the chart cannot show a change to this side.
    false_alarm_months, months_to_detect : ndarray of float
        Mean months between false signals of the side that looks for the change, and to the signal after it.
        Infinite where it never signals; NaN where nothing can be reckoned.
    """

    setting: Floats
    false_alarm_months: Floats
    months_to_detect: Floats


def tuned(chart: Chart, design: Design) -> Tuned:
    """Tune a chart to each stratum; of a fall in the rate it is the low side, of a rise the high one."""
    known = design.known
    found = np.full((3, known.size), np.nan)
    for side, way in (("low", design.after < design.before), ("high", design.after > design.before)):
        some = known & way
        if some.any():
            found[:, some] = _TUNED[chart](design.take(some), side)  # type: ignore[arg-type]
    blind = known & np.isnan(found[0])
    found[1:, blind] = np.inf
    return Tuned(*found)


def can_show(chart: Chart, design: Design) -> Bools:
    """Tell where a chart can show a change to that side at all; sums always can."""
    if chart in ("cusum", "bernoulli_cusum"):
        return design.known
    return np.isfinite(tuned(chart, design).setting)


def _points(design: Design, side: Direction) -> tuple[Floats, Floats, Floats]:
    """Exact limits of a p, u or c chart."""
    limits = tuned_count_limits(
        design.size,
        design.before,
        distribution=design.family,
        points_between=design.points,
        side=side,
    )
    runs = points_to_detect(limits.limit, design.size, design.after, distribution=design.family, side=side)
    blind = np.isnan(limits.limit)
    tail = np.where(blind, np.nan, 1 / design.points)
    return tail, limits.points_between * design.months, np.where(blind, np.inf, runs) * design.months


def _ewma(design: Design, side: Direction) -> tuple[Floats, Floats, Floats]:
    """EWMA of the counts, whose one width has to do for both sides: neither signals falsely more often."""
    (size, months, points), weight, of = design.summed, EWMA_WEIGHT, design.family
    low, high = (
        count_ewma_width(size, design.before, weight=weight, distribution=of, side=one, points_between=points)
        for one in _SIDES
    )
    width = np.where(np.isnan(low if side == "low" else high), np.nan, np.fmax(low, high))
    found = np.full((2, width.size), np.inf)
    some = np.isfinite(width)
    if some.any():
        for row, actual in enumerate((design.before, design.after)):
            wait = count_ewma_waiting(
                size[some, None],
                design.before[some, None],
                weight=weight,
                width=width[some, None],
                distribution=of,
                side=side,
                actual=actual[some, None],
            )
            found[row, some] = wait.mean() * months[some]
    found[found > _NEVER] = np.inf
    return np.where(np.isinf(found[1]), np.nan, width), found[0], found[1]


def _cusum(design: Design, side: Direction) -> tuple[Floats, Floats, Floats]:
    """CUSUM of the counts."""
    size, months, points = design.summed
    found = count_cusum_detection(
        size, design.before, design.after, distribution=design.family, points_between=points
    )
    return found.h, found.points_between * months, found.points_to_detect * months


def _bernoulli(design: Design, side: Direction) -> tuple[Floats, Floats, Floats]:
    """Bernoulli CUSUM, birth by birth."""
    wanted = np.maximum(design.false_alarm * design.births, 1.0)
    found = bernoulli_detection(design.before, design.after, wanted)
    return found.h, found.births_between / design.births, found.births_to_detect / design.births


def _gaps(design: Design, side: Direction) -> tuple[Floats, Floats, Floats]:
    """Births between events: fewer events are long gaps."""
    wanted = np.maximum(design.false_alarm * design.births, 1.0)
    limits = tuned_gap_limits(design.before, wanted, side="high" if side == "low" else "low")
    lower, upper = _ends(limits.limit, side)
    waited = g_run_length(design.after, lower=lower, upper=upper).waited
    gap, none = np.floor(limits.limit), np.log1p(-design.before)
    own, between = (_gap_tail(gap + part, none, side) for part in (0.0, -0.5 if side == "low" else 0.5))
    # Half-way to the next gap, lest rounding what is written makes it that of another.
    tail = np.where(own <= LARGEST_TAIL, np.minimum(between, LARGEST_TAIL), own)
    return tail, limits.between / design.births, waited / design.births


def _gap_tail(births: Floats, none: Floats, side: Direction) -> Floats:
    """Give the chance of a longer gap (of a fall) or of none longer, from the logarithm of no event."""
    return np.asarray(np.exp(births * none) if side == "low" else -np.expm1(births * none))


def _ends(limit: Floats, side: Direction) -> tuple[Floats, Floats]:
    """Put the limit of a gap on its side: fewer events are long gaps."""
    none = np.full(limit.shape, np.nan)
    return (none, limit) if side == "low" else (limit, none)


def _times(design: Design, side: Direction) -> tuple[Floats, Floats, Floats]:
    """Months between events, taken as exponential."""
    before, after = design.before * design.births, design.after * design.births
    limits = tuned_time_limits(before, design.false_alarm, side="high" if side == "low" else "low")
    lower, upper = _ends(limits.limit, side)
    waited = t_run_length(after, lower=lower, upper=upper).waited
    tail = np.exp(-before * limits.limit) if side == "low" else -np.expm1(-before * limits.limit)
    return tail, limits.between, waited


_TUNED: dict[Chart, Callable[[Design, Direction], tuple[Floats, Floats, Floats]]] = {
    "p": _points,
    "u": _points,
    "c": _points,
    "ewma": _ewma,
    "cusum": _cusum,
    "bernoulli_cusum": _bernoulli,
    "g": _gaps,
    "t": _times,
}
