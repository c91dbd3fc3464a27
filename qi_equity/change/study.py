"""A series as arrays: the adverse events of each stratum and of what it is compared with, and the changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _result
from qi_equity.change.design import Design, Schedule, make_design
from qi_equity.change.effects import Family, change_effects
from qi_equity.change.estimate import Effects
from qi_equity.change.model import ChangeModel
from qi_equity.data import periods, regroup
from qi_equity.data.cells import OBSERVED, PROVISIONAL, Bools, Floats
from qi_equity.data.reference import BEST, Against, Reference, compare_with, orientation
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.spans import spans
from qi_equity.data.timeline import Mark, Timeline, timeline
from qi_equity.errors import OptionError, QiEquityError
from qi_equity.formulas.interval import Interval

__all__ = ["At", "Study", "make_study"]

At = Mark | Sequence[Mark] | pd.DataFrame

AS_MEASURED, WITHOUT_EVENT, REVERSED = "as measured", "without the event", "reversed"
_FAMILIES: dict[str, Family] = {
    "proportion": "binomial",
    "rate": "poisson",
    "count": "poisson",
    "mean": "gaussian",
}
# Periods in a year, for the season; a week's and a day's from the mean Gregorian year.
_PER_YEAR = {"day": 365.2425, "week": 365.2425 / 7, "month": 12.0, "quarter": 4.0}
_PROVISIONAL = "{} provisional periods are left out of the evaluation."


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What an evaluation is reckoned from: S strata, T periods, K changes.

    Parameters
    ----------
    series : StratifiedSeries
        The measure by stratum and period.
    when : Timeline
        Phases of every stratum: a change starts each but the first.
    against : Against
        What each stratum is compared with.
    schedule : Schedule
        When the changes were made, as positions.
    family : {"binomial", "poisson", "gaussian"}
        How events arise.
    way : str
        "as measured", "without the event" or "reversed": which way is adverse.
    events, size : ndarray of float, shape (S, T)
        Adverse events (as measured where reversed; means for means) and births, exposure or values; NaN where
        not observed.
    other_events, other_size : ndarray of float, shape (S, T)
        The same of what each stratum is compared with.
    """

    series: StratifiedSeries
    when: Timeline
    against: Against
    schedule: Schedule
    family: Family
    way: str
    events: Floats
    size: Floats
    other_events: Floats
    other_size: Floats

    @property
    def strata(self) -> pd.DataFrame:
        """The strata, one row each."""
        return self.series.cells.strata

    def design(self, model: ChangeModel, harmonics: int) -> Design:
        """Lay out the columns of a model."""
        return make_design(self.schedule, model, harmonics)

    def effects(self, model: ChangeModel, harmonics: int, confidence: float) -> tuple[Effects, Effects]:
        """Estimate the changes of every stratum, and of what it is compared with, on the adverse scale."""
        design = self.design(model, harmonics)
        count = len(self.events)
        events, size = self.events, self.size
        if not self.against.exact:
            events = np.concatenate([events, self.other_events])
            size = np.concatenate([size, self.other_size])
            design = design.twice()
        both = change_effects(
            events,
            size,
            design,
            family=self.family,
            confidence=confidence,
            counted_once=np.arange(len(events)) < count,
        )
        own = both.take(slice(0, count))
        other = self._target(own) if self.against.exact else both.take(slice(count, None))
        return (own.reversed(), other.reversed()) if self.way == REVERSED else (own, other)

    def _target(self, own: Effects) -> Effects:
        """Give the changes of a target, which does not move and has no sampling error."""
        shape = own.p.shape
        value = self.against.value[:, :1]
        value = np.broadcast_to(1 - value if self.way == WITHOUT_EVENT else value, shape)
        still, zero = np.ones(shape), np.zeros(shape)

        def exactly(of: Floats) -> Interval:
            return Interval(of, of, of)

        return Effects(
            before=exactly(value),
            after=exactly(value),
            difference=exactly(zero),
            ratio=exactly(still),
            odds_ratio=exactly(np.where(np.isnan(own.odds_ratio.lower), np.nan, still)),
            p=still,
            dispersion=still,
            df=np.full(shape, np.inf),
            exact=np.ones(shape, dtype=np.bool_),
        )


def make_study(series: StratifiedSeries, at: At, reference: Reference, phase_in: int) -> Study:
    """Lay out a series for evaluation.

    Raises
    ------
    OptionError
        For times between events, overlapping windows, means of unknown sizes, or if no change lies within the
        series.
    DataError
        If a frame of changes names strata that the series does not have.
    """
    for refuse in (regroup.refuse_between, regroup.refuse_window, regroup.refuse_unknown_sizes):
        refuse(series, "evaluate_change()")
    when = _changes(series, at)
    starts = _starts(when)
    if not starts.shape[1]:
        raise OptionError(
            f"at={at!r} names no change within the series; give a date after its first period "
            f"({series.periods[0]}) and not after its last ({series.periods[-1]})."
        )
    way = orientation(series.measure)
    told = spans(series, "period")
    against = compare_with(told, reference, best_of=_before(series, when, reference))
    cells = series.cells
    observed = cells.status == OBSERVED
    events, size = _adverse(series, cells.numerator, cells.denominator, cells.value, observed, way)
    of_other = np.broadcast_to(against.status, observed.shape) == OBSERVED
    others = (against.numerator, against.denominator, against.value)
    other_events, other_size = _adverse(series, *others, of_other, way)
    schedule = Schedule(np.asarray(when.phase), starts, phase_in, _season(series))
    family = _FAMILIES[series.measure.kind]
    return Study(series, when, against, schedule, family, way, events, size, other_events, other_size)


def _changes(series: StratifiedSeries, at: At) -> Timeline:
    """Read the changes; errors name the argument as it is called here."""
    try:
        return timeline(series, phases=at)
    except QiEquityError as error:
        error.args = (str(error).replace("phases", "at", 1),)
        raise


def _starts(when: Timeline) -> Floats:
    """Give the position at which each change of each stratum starts, shape (S, K); NaN where it has none."""
    phase = np.asarray(when.phase)
    changes = int(phase.max(initial=0))
    reached = phase[:, None, :] >= np.arange(1, changes + 1)[:, None]
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1), np.nan)


def _before(series: StratifiedSeries, when: Timeline, reference: Reference) -> Any:
    """Give the counts before the first change, by which the best group is chosen."""
    if reference.name != BEST or BEST in series.groups:
        return None
    ordinary = np.asarray(when.phase).max(axis=0) == 0
    last = series.cells.periods[np.flatnonzero(ordinary)[-1]]
    return spans(series.select(end=pd.Timestamp(last).date()), "period")


def _adverse(
    series: StratifiedSeries, numerator: Floats, denominator: Floats, value: Floats, known: Bools, way: str
) -> tuple[Floats, Floats]:
    """Give events (or means) and sizes of one side, NaN where not observed."""
    kind = series.measure.kind
    if kind == "mean":
        events, size = value, denominator
    elif kind == "count":
        events, size = numerator, np.ones(known.shape)
    else:
        events, size = numerator, denominator
    if way == WITHOUT_EVENT:
        events = size - events
    return np.where(known, events, np.nan), np.where(known, size, np.nan)


def _season(series: StratifiedSeries) -> Floats:
    """Give the place of each period in the year."""
    every: Any = series.every
    number = periods.ordinal(series.cells.periods, every).astype(np.float64)
    return np.asarray((number / _PER_YEAR.get(every, 1.0)) % 1.0)


def seasonal_periods(every: str) -> float:
    """Give the periods in a year; 1 where a period is a year, which has no season."""
    return _PER_YEAR.get(every, 1.0)


def study_notes(study: Study) -> list[pd.DataFrame]:
    """Say what was left out, and which strata have no change."""
    provisional = (study.series.cells.status == PROVISIONAL).any(axis=0).sum()
    parts = [study.series.notes, study.when.notes, study.against.notes]
    if provisional:
        parts.append(_result.note("provisional_left_out", "caution", _PROVISIONAL.format(provisional)))
    none = np.isnan(study.schedule.starts).all(axis=1)
    text = "No change is recorded for this stratum: it is not evaluated."
    parts.append(
        _result.note("no_change_recorded", "caution", [text] * int(none.sum()), study.strata.loc[none])
    )
    return parts
