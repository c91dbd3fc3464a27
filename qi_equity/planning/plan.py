"""What planning starts from: births and events a month of every stratum, and the rate that is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from qi_equity.data.cells import OBSERVED, Bools, Floats
from qi_equity.data.measure import Measure
from qi_equity.data.reference import orientation
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import OptionError
from qi_equity.spc.plotted import good_side
from qi_equity.spc.signals import SIDES

__all__ = ["MONTHS", "Direction", "Family", "Plan", "adverse_outcome", "changed_rate", "make_plan"]

Family = Literal["binomial", "poisson"]
Direction = Literal["low", "high"]

DAYS_A_MONTH = 365.25 / 12
MONTHS = {
    "day": 1 / DAYS_A_MONTH,
    "week": 7 / DAYS_A_MONTH,
    "month": 1.0,
    "quarter": 3.0,
    "year": 12.0,
    "financial-year": 12.0,
}
"""Months in a period."""

_FAMILIES: dict[str, Family] = {
    "proportion": "binomial",
    "rate": "poisson",
    "count": "poisson",
    "between": "binomial",
}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """S strata and the change that is looked for in each.

    Parameters
    ----------
    series : StratifiedSeries
        Where the numbers come from.
    family : {"binomial", "poisson"}
        Whether a birth has the event or not, or events come at a rate.
    births : ndarray of float, shape (S,)
        Births (exposure; 1 for counts) a month, of the months that are known; NaN where none is.
    events : ndarray of float, shape (S,)
        Events a month, as they are counted.
    rate, changed : ndarray of float, shape (S,)
        Chance of the event, or events per exposure, now and after the change; NaN where there are no births,
        and ``changed`` also where all births would have the event, or none, or more than these.
    side : {"low", "high"}
        To which side the rate moves.
    months : ndarray of float, shape (S,)
        Months of which births and events are known.
    """

    series: StratifiedSeries
    family: Family
    births: Floats
    events: Floats
    rate: Floats
    changed: Floats
    side: Direction
    months: Floats

    @property
    def strata(self) -> pd.DataFrame:
        """One row a stratum."""
        return self.series.cells.strata

    @property
    def good(self) -> int:
        """To which side the rate of the event moves when things get better: 0 low, 1 high, -1 neither."""
        good = good_side(self.series.measure.better)
        # Longer gaps are fewer events.
        return 1 - good if self.series.measure.kind == "between" and good >= 0 else good

    @property
    def meaning(self) -> str:
        """What the change that is looked for would be: an improvement, a deterioration, a fall or a rise."""
        if self.good < 0:
            return "fall" if self.side == "low" else "rise"
        return "improvement" if SIDES[self.good] == self.side else "deterioration"

    @property
    def seen(self) -> Bools:
        """Where there is a rate that can change, shape (S,)."""
        certain = self.rate >= 1 if self.family == "binomial" else np.zeros(self.rate.shape, dtype=np.bool_)
        with np.errstate(invalid="ignore"):
            return np.asarray((self.rate > 0) & ~certain & np.isfinite(self.changed))


def make_plan(series: StratifiedSeries, change: float) -> Plan:
    """Read births and events a month from all periods of a series, and apply the change to the adverse rate.

    Raises
    ------
    OptionError
        If the series holds measurements, or its periods overlap.
    """
    kind = series.measure.kind
    if kind == "mean":
        raise OptionError(
            f"{series.measure.name!r} holds measurements, and planning is for events: proportions, rates, "
            "counts, and births or days between events. For means give the shift in standard errors: "
            "qe.run_length(rules, kind='xbar', shift=...)."
        )
    if series.window > 1:
        raise OptionError(
            f"Each period of this series covers {series.window} (window={series.window}), so that neighbours "
            "share births and nobody can say how many come in one. Give separate periods, or resample to "
            "periods that are exactly one window."
        )
    events, births, months = _between(series) if kind == "between" else _counts(series)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, a_month = events / births, np.where(months > 0, births / months, np.nan)
        per_month = np.where(months > 0, events / months, np.nan)
    changed, side = changed_rate(series, rate, change)
    return Plan(series, _family(series.measure), a_month, per_month, rate, changed, side, months)


def changed_rate(series: StratifiedSeries, rate: Floats, change: float) -> tuple[Floats, Direction]:
    """Multiply the rate of what is adverse, and say to which side the rate as measured moves.

    Where more of a proportion is better, what is adverse is the absence of the event. NaN where no birth, or
    every birth, would have the event.
    """
    way, binomial = adverse_outcome(series.measure), _family(series.measure) == "binomial"
    if way == "without the event":
        changed, falls = 1 - (1 - rate) * change, change > 1
    elif way == "reversed":
        changed, falls = rate / change, change > 1
    else:
        changed, falls = rate * change, change < 1
    possible = (changed > 0) & ((changed < 1) | (not binomial))
    return np.where(possible, changed, np.nan), "low" if falls else "high"


def _family(measure: Measure) -> Family:
    days = measure.kind == "between" and measure.unit == "days"
    return "poisson" if days else _FAMILIES[measure.kind]


def adverse_outcome(measure: Measure) -> str:
    """Say on which outcome the change is reckoned; shorter gaps are more events."""
    if measure.kind != "between":
        return orientation(measure)
    if measure.better != "lower":
        return "as measured"
    return "reversed" if measure.unit == "days" else "without the event"


def _counts(series: StratifiedSeries) -> tuple[Floats, Floats, Floats]:
    """Sum events, births (of counts: months) and months over the periods that are known, each (S,)."""
    cells = series.cells
    known = (cells.status == OBSERVED) & np.isfinite(cells.numerator)
    events = np.where(known, cells.numerator, 0).sum(axis=1)
    months = known.sum(axis=1) * MONTHS[series.every]
    if series.measure.kind == "count":
        return events, months, months
    return events, np.where(known, cells.denominator, 0).sum(axis=1), months


def _between(series: StratifiedSeries) -> tuple[Floats, Floats, Floats]:
    """Sum events and births (of times: months) after the first event of each stratum, and the months."""
    cells = series.cells
    days = (cells.periods - np.datetime64("1970-01-01", "us")) / np.timedelta64(1, "D")
    closed = (cells.status == OBSERVED) & np.isfinite(cells.value)
    dates = np.where(closed, days, np.nan)
    first, last = (end.reduce(dates, axis=1, keepdims=True) for end in (np.fmin, np.fmax))
    # The date on which the first gap began is not known.
    later = closed & (dates > first)
    events, months = later.sum(axis=1).astype(np.float64), ((last - first)[:, 0]) / DAYS_A_MONTH
    months = np.where(np.isfinite(months), months, 0.0)
    if series.measure.unit == "days":
        return events, months, months
    return events, np.where(later, cells.denominator, 0).sum(axis=1), months
