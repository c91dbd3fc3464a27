"""From records, one row a birth, to births or days between events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result, _validate
from qi_equity.data import aggregate, dates, frames, groups, intake, outcomes, strata
from qi_equity.data.bad_rows import BadRows
from qi_equity.data.cases import Cases
from qi_equity.data.cells import OBSERVED, PROVISIONAL, Cells
from qi_equity.data.measure import Measure
from qi_equity.data.periods import DateOrder, check_date_order
from qi_equity.data.scheme import Scheme
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.strata import Keys
from qi_equity.errors import DataError

__all__ = ["between_events"]

Unit: TypeAlias = Literal["births", "days"]
Ints: TypeAlias = NDArray[np.int64]

_SECONDS_A_DAY = 86_400
UNITS: tuple[Unit, ...] = ("births", "days")
_OPPOSITE: dict[str | None, Literal["lower", "higher"] | None] = {
    "lower": "higher",
    "higher": "lower",
    None: None,
}


def between_events(
    records: Any,
    measure: Measure,
    *,
    date: str,
    event: str,
    expected: str | None = None,
    ethnicity: str | None = None,
    unit: Unit = "births",
    scheme: str | Scheme = "nhs-2001",
    grouping: str = "broad",
    site: str | None = None,
    by: str | Sequence[str] = (),
    as_of: str | dt.date | None = None,
    date_order: DateOrder | None = None,
) -> StratifiedSeries:
    """Make a series of the births, or days, from each event to the next, from records, one row a birth.

    Each point is one event; its value counts the births (that of the event among them) or the days since the
    event before it in the same stratum. Births before the first event are no gap. The gap still open at the
    end is there as provisional, with a numerator of 0.

    Births of one date and time have no order of their own: the k-th of e events among b births is taken to be
    birth number floor(k (b + 1) / (e + 1)), whatever the order of the rows. Among the events of one date and
    time, and among its other births, those with lower expected probability are taken to be earlier.

    Parameters
    ----------
    records : frame
        pandas, polars (eager or lazy), pyarrow, DuckDB, PySpark: any that narwhals reads. It is not changed.
    measure : Measure
        What is measured. A measure of another kind than "between" is turned into one: fewer events are longer
        gaps, so the direction of improvement is turned round.
    date : str
        Column of the date, or better time, of birth.
    event : str
        Column of the outcome: bool or 0/1, or these as text, empty where it was not recorded; such births
        are not in the gaps.
    expected : str, optional
        Column of the probability of the event that was expected of each birth, between 0 and 1, by a model of
        its risk that was made elsewhere; for charts of events against what was expected. It may be empty only
        where the outcome is.
    ethnicity : str, optional
        Column of the codes. Without it there is one group "All".
    unit : {"births", "days"}
        What is counted between events.
    scheme : str or Scheme
        Scheme that the codes belong to.
    grouping : str
        Grouping of the scheme.
    site : str, optional
        Column of the site.
    by : str or sequence of str
        Columns of further strata.
    as_of : str or date, optional
        When the data were drawn: the end of the open gap. Default: the last date.
    date_order : {"day-first", "month-first"}, optional
        How text such as ``03/04/2024`` is meant, if the column does not tell.

    Returns
    -------
    StratifiedSeries
        One row an event: ``period`` its date, ``value`` the gap, ``numerator`` 1, ``denominator`` the births
        (with recorded outcome) in the gap, ``unrecorded`` the others.

    Raises
    ------
    DataError
        If rows cannot be used; all are in ``bad_rows``.
    ColumnError, OptionError, InputTypeError
        If a column is not there, an option is not allowed, or the frame is none.

    References
    ----------
    .. [1] Benneyan, Number-between g-type statistical quality control charts for monitoring adverse events,
       Health Care Management Science 2001; 4: 305-318.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> births = pd.DataFrame({
    ...     "born": pd.date_range("2024-01-01", periods=8), "died": [0, 1, 0, 0, 1, 1, 0, 0],
    ... })
    >>> series = qe.between_events(births, qe.measures["stillbirth"], date="born", event="died")
    >>> series.data[["period", "value", "status"]]
          period  value       status
    0 2024-01-05    3.0     observed
    1 2024-01-06    1.0     observed
    2 2024-01-08    2.0  provisional
    """
    intake.check_measure(measure)
    _validate.one_of("unit", unit, UNITS)
    check_date_order(date_order)
    drawn = intake.read_as_of(as_of, date_order)
    loaded = groups.load_scheme(scheme)
    loaded.groups(grouping)
    places = {"date": date, "event": event, "expected": expected, "ethnicity": ethnicity, "site": site}
    columns = intake.roles(places, by)
    counted = aggregate.count_rows(frames.open_frame(records, "records", columns), None)
    if not len(counted):
        raise DataError("records has no rows; give one row a birth.")
    rows = _read_rows(counted, columns, (loaded, grouping), date_order, drawn)
    frame, stratum = strata.arrange(rows.keys)
    moments = _moments(rows, stratum)
    if not moments["events"].any():
        raise DataError(
            f"event={event!r}: no event among {moments['births'].sum()} births; there is no gap to chart."
        )
    end = moments["stamp"].max() if drawn is None else max(drawn, moments["stamp"].max())
    used, named = (None, None) if ethnicity is None else (loaded, grouping)
    return StratifiedSeries(
        measure=_as_between(measure, unit),
        scheme=used,
        grouping=named,
        every="day",
        window=1,
        cells=_with_cases(_to_cells(frame, _gaps(moments, end), unit), rows, stratum, moments),
        method=intake.method_of(
            "between_events",
            records,
            columns,
            "day",
            used,
            named,
            unit=unit,
            as_of=drawn,
            measure=measure.name,
        ),
        _notes=_result.notes(_notes(frame, moments)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Records counted by raw keys, date, outcome and expected probability, as read."""

    stamps: NDArray[np.datetime64]
    keys: Keys
    outcome: NDArray[np.int8]
    rows: Ints
    risk: NDArray[np.float64] | None


def _as_between(measure: Measure, unit: Unit) -> Measure:
    if measure.kind == "between":
        return measure
    return replace(
        measure,
        name=f"{measure.name}: {unit} between events",
        kind="between",
        better=_OPPOSITE[measure.better],
        unit=unit,
        multiplier=1.0,
        target=None,
    )


def _read_rows(
    counted: pd.DataFrame,
    columns: dict[str, str],
    scheme: tuple[Scheme, str],
    date_order: DateOrder | None,
    drawn: pd.Timestamp | None,
) -> _Rows:
    bad = BadRows(counted, columns)
    read = dates.read(counted["date"], date_order)
    bad.add_each(read.problems, columns["date"])
    bad.add(
        (read.levels != "day") & (read.levels != ""), f"{columns['date']}: the order of births needs days"
    )
    intake.refuse_after(read.stamps, drawn, columns["date"], bad)
    outcome = outcomes.read_outcomes(counted["event"], columns["event"], bad)
    risk = None
    if "expected" in columns:
        risk = outcomes.read_risks(counted["expected"], columns["expected"], outcome, bad)
    keys = groups.read_keys(counted, columns, *scheme, bad)
    bad.check("records", "Mend or remove these rows; `rows` says how many records are alike.")
    return _Rows(read.stamps, keys, outcome, counted["rows"].to_numpy(dtype=np.int64), risk)


def _moments(rows: _Rows, stratum: Ints) -> pd.DataFrame:
    """Give events and births (and births up to then) of each stratum and moment, in order."""
    births = np.where(rows.outcome == outcomes.UNRECORDED, 0, rows.rows)
    counts = pd.DataFrame(
        {
            "stratum": stratum,
            "stamp": rows.stamps,
            "births": births,
            "events": np.where(rows.outcome == outcomes.EVENT, rows.rows, 0),
            "unrecorded": rows.rows - births,
        }
    )
    moments = (
        counts.groupby(["stratum", "stamp"], sort=True, observed=False, dropna=False).sum().reset_index()
    )
    running = moments.groupby("stratum", observed=False, dropna=False)[["births", "unrecorded"]].cumsum()
    return moments.assign(births_by=running["births"], unrecorded_by=running["unrecorded"])


def _events(moments: pd.DataFrame) -> pd.DataFrame:
    """Give the events in order, and which birth of its stratum each is (counted from 1)."""
    at = moments.loc[moments.index.repeat(moments["events"])]
    k = at.groupby(level=0, sort=False).cumcount() + 1
    place = at["births_by"] - at["births"] + k * (at["births"] + 1) // (at["events"] + 1)
    return at[["stratum", "stamp", "unrecorded_by"]].assign(place=place)


def _gaps(moments: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Give the gap before each event but the first of a stratum, and the open gap after the last."""
    events = _events(moments).assign(closed=True)
    last = moments.groupby("stratum", observed=False, dropna=False)[["births_by", "unrecorded_by"]].last()
    last = last.loc[events["stratum"].unique()].reset_index().rename(columns={"births_by": "place"})
    both = pd.concat([events, last.assign(stamp=end, closed=False)], ignore_index=True)
    both = both.sort_values("stratum", kind="stable", ignore_index=True)
    since = both.groupby("stratum", observed=False, dropna=False)[["place", "unrecorded_by", "stamp"]].diff()
    gaps = both[["stratum", "stamp", "closed"]].assign(
        births=since["place"],
        unrecorded=since["unrecorded_by"],
        days=since["stamp"].dt.total_seconds() / _SECONDS_A_DAY,
    )
    return gaps[gaps["births"].notna()].reset_index(drop=True)


def _to_cells(frame: pd.DataFrame, gaps: pd.DataFrame, unit: Unit) -> Cells:
    stratum: Ints = gaps["stratum"].to_numpy(dtype=np.int64)
    number = np.asarray(gaps.groupby("stratum", observed=False, dropna=False).cumcount(), dtype=np.int64)
    width = int(number.max()) + 1
    strata.check_size(len(frame), width)
    stamps = np.full((len(frame), width), np.datetime64("NaT", "us"))
    stamps[stratum, number] = gaps["stamp"].to_numpy(dtype="datetime64[us]")
    closed = gaps["closed"].to_numpy(dtype=bool)
    births = gaps["births"].to_numpy(dtype=np.float64)
    return Cells.dense(
        frame,
        stamps,
        stratum,
        number,
        numerator=closed.astype(np.float64),
        denominator=births,
        unrecorded=gaps["unrecorded"].to_numpy(dtype=np.float64),
        value=births if unit == "births" else gaps["days"].to_numpy(dtype=np.float64),
        status=np.where(closed, OBSERVED, PROVISIONAL).astype(np.int8),
        kind="between",
    )


def _with_cases(cells: Cells, rows: _Rows, stratum: Ints, moments: pd.DataFrame) -> Cells:
    """Add what was expected of each birth since the first event of its stratum, in the order of births."""
    if rows.risk is None:
        return cells
    order = np.lexsort((rows.risk, rows.stamps, stratum))
    order = np.repeat(order, np.where(rows.outcome == outcomes.UNRECORDED, 0, rows.rows)[order])
    of_stratum, has_event = stratum[order], rows.outcome[order] == outcomes.EVENT
    events = _events(moments)
    begin = np.searchsorted(of_stratum, np.arange(len(cells.strata)))
    place = begin[events["stratum"]] + events["place"].to_numpy(dtype=np.int64) - 1
    at_event = np.zeros(len(order), dtype=bool)
    at_event[place] = True
    # Each moment has as many places of events as events, and both are in order of time.
    risk = np.empty(len(order))
    risk[at_event], risk[~at_event] = rows.risk[order[has_event]], rows.risk[order[~has_event]]
    first = np.full(len(cells.strata), len(order))
    np.minimum.at(first, events["stratum"].to_numpy(), place)
    kept = np.arange(len(order)) > first[of_stratum]
    start = np.append(0, np.cumsum(np.bincount(of_stratum[kept], minlength=len(cells.strata))))
    cases = Cases(risk[kept], start)
    return replace(cells, expected=cases.expected(cells.denominator), cases=cases)


def _notes(frame: pd.DataFrame, moments: pd.DataFrame) -> list[pd.DataFrame]:
    """Tell of births that are in no gap: those before the first event, and all where there was none."""
    per_stratum = moments.groupby("stratum", observed=False, dropna=False)[["births", "events"]].sum()
    never = per_stratum[per_stratum["events"] == 0]
    first = moments[moments["events"] > 0].groupby("stratum", observed=False, dropna=False).first()
    place = first["births_by"] - first["births"] + (first["births"] + 1) // (first["events"] + 1)
    early = place[place > 1] - 1
    told: list[tuple[str, _result.Severity, str, pd.Series]] = [
        ("no_events", "caution", "{} births and no event: there is no gap to chart.", never["births"]),
        ("before_first_event", "info", "{} births before the first event are in no gap.", early),
    ]
    return [
        _result.note(code, severity, [text.format(n) for n in births], frame.iloc[births.index])
        for code, severity, text, births in told
        if len(births)
    ]
