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
from qi_equity.data.dated_rows import read_table
from qi_equity.data.recorded import RecordedChanges, as_phases, is_recorded
from qi_equity.data.reference import BEST, Against, Reference, compare_with, orientation
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.spans import spans
from qi_equity.data.timeline import Mark, Timeline, timeline
from qi_equity.data.timeline_marks import EVIDENCE
from qi_equity.errors import ColumnError, OptionError, QiEquityError
from qi_equity.formulas.interval import Interval
from qi_equity.spc.words import plural

__all__ = ["At", "Study", "make_study", "read_at", "recorded_at"]

At = Mark | Sequence[Mark] | pd.DataFrame | RecordedChanges

AS_MEASURED, WITHOUT_EVENT, REVERSED = "as measured", "without the event", "reversed"
_FAMILIES: dict[str, Family] = {
    "proportion": "binomial",
    "rate": "poisson",
    "count": "poisson",
    "mean": "gaussian",
}
# Periods in a year, for the season; a week's and a day's from the mean Gregorian year.
_PER_YEAR = {"day": 365.2425, "week": 365.2425 / 7, "month": 12.0, "quarter": 4.0}
# Names of columns of the tables, which further strata cannot have; those of every result are refused before.
_TAKEN = frozenset(
    [
        *("change", "at", "difference", "ratio", "odds_ratio", "p", "family_p", "smallest_detectable"),
        *("verdict", "family_verdict", "beyond_trend", "arrived", "births_needed", "periods_needed"),
        *("exploratory", "dispersion", "df", "estimator", "reference", "scale", "groups", "q", "term"),
        *("gap_before", "gap_after", "gap_change", "rate_before", "rate_after", "segment", "fitted"),
    ]
)
_PROVISIONAL = "{} left out of the evaluation: their counts can still change."
_OTHER_UNKNOWN = (
    "In {} of {} periods the reference is not known (a part of it is suppressed or missing): the change of "
    "the gap is without them."
)
_NEVER_KNOWN = (
    "The reference is known in no period (a part of it is suppressed or missing): there is no gap to give. "
    "Compare with a group, or put groups together by series.pool()."
)
_NOBODY = "There is no other group to compare with: no gap is given."


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


def read_at(series: StratifiedSeries, at: At | None) -> list[str] | pd.DataFrame:
    """Keep the changes in a form of their own, whatever they were given in: dates as text, or a pandas frame.

    Raises
    ------
    InputTypeError
        If they are neither a date, nor dates, nor a frame.
    ColumnError
        If a frame lacks ``start``, or has columns that mean nothing here.
    OptionError
        If no change is named.
    """
    try:
        table = read_table(
            series, [] if at is None else at, "at", "start", ("label", "reason"), ignored=EVIDENCE
        )
    except ColumnError as error:
        text = str(error)
        raise ColumnError(text if text.startswith("at ") else f"at: {text}") from error
    if not len(table):
        raise OptionError(f"at names no change; {_which(series)}.")
    dates = [None if pd.isna(v) else str(v).removesuffix(" 00:00:00") for v in table["start"]]
    told = [date for date in dates if date is not None]
    bare = table.drop(columns="start").replace("", None).isna().all(axis=None)
    if bare and len(told) == len(table):
        return told
    return table.assign(start=pd.Series(dates, index=table.index, dtype="object"))


def recorded_at(series: StratifiedSeries, at: At) -> tuple[At, pd.DataFrame]:
    """Turn recorded changes into a frame, with the notes of that; leave all else as it was given.

    Raises
    ------
    OptionError
        If no change is recorded that the series can show, or the records are of several sites and the series
        has none.
    InputTypeError, ColumnError, DataError
        If the records do not give what they must.
    """
    plain, said = as_phases(series, at, "at")
    if is_recorded(at, "at") and not len(plain):
        raise OptionError(f"at names no change: {' '.join(said['text'])} Or {_which(series)}.")
    return plain, said


def _which(series: StratifiedSeries) -> str:
    """Say which dates a change can have."""
    every: Any = series.every
    first, last = periods.labels(series.cells.ends, every)
    return f"give a date after the first period of the series ({first}) and not after its last ({last})"


def make_study(series: StratifiedSeries, at: At, reference: Reference, phase_in: int) -> Study:
    """Lay out a series for evaluation.

    Raises
    ------
    OptionError
        For times between events, overlapping windows, means of unknown sizes, or further strata named like a
        column of the tables.
    DataError
        If a frame of changes names strata that the series does not have.
    """
    taken = [c for c in series.cells.strata.columns if c in _TAKEN]
    if taken:
        raise OptionError(
            f"by={taken!r} cannot be used: an evaluation has columns of these names already; rename yours "
            "when the series is made."
        )
    for refuse in (regroup.refuse_between, regroup.refuse_window, regroup.refuse_unknown_sizes):
        refuse(series, "evaluate_change()")
    when = _changes(series, at)
    starts = _starts(when)
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
        text = str(error).replace("phases", "at", 1).replace("another phase", "another change")
        error.args = (text,)
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
    provisional = int((study.series.cells.status == PROVISIONAL).any(axis=0).sum())
    parts = [study.series.notes, study.when.notes, study.against.notes]
    if provisional:
        text = _PROVISIONAL.format(plural(provisional, "provisional period is", "provisional periods are"))
        parts.append(_result.note("provisional_left_out", "caution", text))
    parts += _other_unknown(study)
    none = np.flatnonzero(np.isnan(study.schedule.starts).all(axis=1))
    text = "No change is recorded for this stratum: it is not evaluated."
    return parts + of_strata("no_change_recorded", "caution", [text] * len(none), study.strata.iloc[none])


def of_strata(
    code: str, severity: _result.Severity, texts: Sequence[str], strata: pd.DataFrame
) -> list[pd.DataFrame]:
    """Give the notes of some strata, one each; none where there are no strata."""
    return [_result.note(code, severity, texts, strata)] if len(strata) else []


def _other_unknown(study: Study) -> list[pd.DataFrame]:
    """Say where a reference lacks periods that the group has."""
    one_group = bool((study.strata["group"] == study.strata["group"].iloc[0]).all())
    if one_group and not study.against.exact and np.isnan(study.other_events).all():
        return [_result.note("nobody_to_compare_with", "info", _NOBODY)]
    lacks = (np.isfinite(study.events) & ~np.isfinite(study.other_events)).sum(axis=1)
    never = np.asarray(np.isnan(study.other_events).all(axis=1))
    some = np.flatnonzero((lacks > 0) & ~study.against.is_reference & ~np.bool_(study.against.exact))
    total = study.events.shape[1]
    texts = [_NEVER_KNOWN if never[s] else _OTHER_UNKNOWN.format(lacks[s], total) for s in some]
    return of_strata("reference_not_known", "caution", texts, study.strata.iloc[some])
