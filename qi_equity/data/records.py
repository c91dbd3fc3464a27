"""From records, one row a birth, to a series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result
from qi_equity.data import aggregate, dates, frames, groups, intake, outcomes, periods, strata
from qi_equity.data.bad_rows import BadRows
from qi_equity.data.cells import BLOCKS, OBSERVED, PROVISIONAL, Cells, sum_strata
from qi_equity.data.frames import Frame
from qi_equity.data.measure import Measure
from qi_equity.data.periods import DateOrder, Every
from qi_equity.data.scheme import Scheme
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.strata import Keys
from qi_equity.errors import DataError, OptionError

__all__ = ["from_records"]

_PERIODS_SHOWN = 3
_MOMENTS = ("rows", "finite", "recorded", "mean", "sd", "lowest", "highest")


def from_records(
    records: Any,
    measure: Measure,
    *,
    date: str,
    event: str | None = None,
    value: str | None = None,
    expected: str | None = None,
    ethnicity: str | None = None,
    scheme: str | Scheme = "nhs-2001",
    grouping: str = "broad",
    site: str | None = None,
    by: str | Sequence[str] = (),
    every: Every = "month",
    as_of: str | dt.date | None = None,
    date_order: DateOrder | None = None,
    person: str | None = None,
) -> StratifiedSeries:
    """Make a series from records, one row a birth; they are counted in their own engine.

    Births whose outcome is empty are ``unrecorded``, never "no event"; ``denominator`` holds the births whose
    outcome was recorded. Periods without births are there, with a denominator of 0.

    Parameters
    ----------
    records : frame
        pandas, polars (eager or lazy), pyarrow, DuckDB, PySpark: any that narwhals reads. It is not changed.
    measure : Measure
        What is measured.
    date : str
        Column of the date (or time) of birth. A time zone is dropped, the wall clock stays.
    event : str, optional
        Column of the outcome: bool or 0/1, or these as text, empty where it was not recorded.
    value : str, optional
        Column of a measurement, for a measure of kind "mean", in place of ``event``.
    expected : str, optional
        Column of the probability of the event that was expected of each birth, between 0 and 1, by a model of
        its risk that was made elsewhere; for charts of events against what was expected. It may be empty only
        where the outcome is.
    ethnicity : str, optional
        Column of the codes. Without it there is one group "All".
    scheme : str or Scheme
        Scheme that the codes belong to.
    grouping : str
        Grouping of the scheme.
    site : str, optional
        Column of the site.
    by : str or sequence of str
        Columns of further strata.
    every : {"day", "week", "month", "quarter", "year", "financial-year"}
        Length of a period.
    as_of : str or date, optional
        When the data were drawn: its period is provisional, and a later date is a bad row.
    date_order : {"day-first", "month-first"}, optional
        How text such as ``03/04/2024`` is meant, if the column does not tell.
    person : str, optional
        Column that identifies the woman, for a measure that counts women: rows that share it and the day
        (twins) are one, with an event if any of them has one.

    Returns
    -------
    StratifiedSeries
        Counts by site, group, further strata and period.

    Raises
    ------
    DataError
        If rows cannot be used; all are in ``bad_rows``, those alike together with their number in ``rows``.
    ColumnError, OptionError, InputTypeError
        If a column is not there, an option is not allowed, or the frame is none.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> births = pd.DataFrame({
    ...     "born": pd.to_datetime(["2024-01-03", "2024-01-19", "2024-02-07", "2024-02-08"]),
    ...     "pph": [True, False, None, False],
    ...     "code": ["M", "M", "N1", "N"],
    ... })
    >>> series = qe.from_records(births, qe.measures["pph_1500"], date="born", event="pph", ethnicity="code")
    >>> series.data.loc[series.data["group"] == "Black", ["period", "numerator", "denominator", "unrecorded"]]
          period  numerator  denominator  unrecorded
    2 2024-01-01        1.0          2.0         0.0
    3 2024-02-01        0.0          1.0         1.0
    """
    intake.check_measure(measure)
    _check_outcome(measure, event, value, expected, person)
    periods.check_every(every)
    periods.check_date_order(date_order)
    drawn = intake.read_as_of(as_of, date_order)
    loaded = groups.load_scheme(scheme)
    loaded.groups(grouping)
    places = {
        "date": date,
        "event": event,
        "value": value,
        "expected": expected,
        "ethnicity": ethnicity,
        "site": site,
        "person": person,
    }
    columns = intake.roles(places, by)
    opened = frames.open_frame(records, "records", columns)
    if person is not None:
        opened = aggregate.one_row_a_woman(opened, columns, (loaded, grouping), date_order)
    rows = _count(opened, columns, (loaded, grouping), every, date_order, drawn)
    cells = _to_cells(rows, measure.kind, every, drawn)
    used = None if ethnicity is None else loaded
    named = None if ethnicity is None else grouping
    return StratifiedSeries(
        measure=measure,
        scheme=used,
        grouping=named,
        every=every,
        window=1,
        cells=cells,
        method=intake.method_of("from_records", records, columns, every, used, named, as_of=drawn),
        _notes=_result.notes([*_notes(cells, every, drawn), *_note_women(measure, columns)]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Records counted by raw keys, as read."""

    starts: NDArray[np.datetime64]
    keys: Keys
    blocks: dict[str, NDArray[np.float64]]


def _check_outcome(
    measure: Measure, event: str | None, value: str | None, expected: str | None, person: str | None
) -> None:
    if measure.kind == "between":
        raise OptionError(f"measure {measure.name!r} is of kind 'between'; use between_events for it.")
    wanted, other = ("value", event) if measure.kind == "mean" else ("event", value)
    if other is not None or (value if wanted == "value" else event) is None:
        raise OptionError(
            f"measure {measure.name!r} is of kind {measure.kind!r} and needs {wanted}=, and only that."
        )
    if expected is not None and wanted == "value":
        raise OptionError(f"expected={expected!r} is the probability of an event; leave it out with value=.")
    if person is None:
        return
    if measure.counts != "woman":
        raise OptionError(
            f"person={person!r} takes the births of one woman and day together, but measure {measure.name!r} "
            "counts babies; leave person= out."
        )
    if wanted == "value":
        raise OptionError(f"person={person!r} is for events; with value= give one row a woman.")


def _count(
    frame: Frame,
    columns: dict[str, str],
    scheme: tuple[Scheme, str],
    every: Every,
    date_order: DateOrder | None,
    drawn: pd.Timestamp | None,
) -> _Rows:
    """Count records in their engine, and read what they were counted by."""
    step = "1d" if every in ("day", "week") or drawn is not None else "1mo"
    with suppress(DataError):
        if "value" in columns:
            counted = aggregate.measure_values(frame, step, columns)
        elif "expected" in columns:
            counted = aggregate.sum_risks(frame, step, columns)
        else:
            counted = aggregate.count_rows(frame, step)
        return _read_rows(counted, columns, scheme, every, date_order, drawn)
    # Some are bad: by their own date and value, not by month and mean, they can be found.
    return _read_rows(aggregate.count_rows(frame, None), columns, scheme, every, date_order, drawn)


def _read_rows(
    counted: pd.DataFrame,
    columns: dict[str, str],
    scheme: tuple[Scheme, str],
    every: Every,
    date_order: DateOrder | None,
    drawn: pd.Timestamp | None,
) -> _Rows:
    """Read dates, codes and outcomes, and raise with all the bad rows at once."""
    if not len(counted):
        raise DataError("records has no rows; give one row a birth.")
    kept = [name for name in counted.columns if name in columns or name == "rows"]
    bad = BadRows(counted[kept], columns)
    starts, problems = periods.read(counted["date"], every, date_order)
    bad.add_each(problems, columns["date"])
    intake.refuse_after(dates.read(counted["date"], date_order).stamps, drawn, columns["date"], bad)
    keys = groups.read_keys(counted, columns, *scheme, bad)
    blocks = (
        _read_values(counted, columns, bad) if "value" in columns else _read_events(counted, columns, bad)
    )
    bad.check("records", "Mend or remove these rows; `rows` says how many records are alike.")
    return _Rows(starts, keys, blocks)


def _read_events(
    counted: pd.DataFrame, columns: dict[str, str], bad: BadRows
) -> dict[str, NDArray[np.float64]]:
    outcome = outcomes.read_outcomes(counted["event"], columns["event"], bad)
    rows = counted["rows"].to_numpy(dtype=np.float64)
    unrecorded = outcome == outcomes.UNRECORDED
    blocks = {
        "numerator": np.where(outcome == outcomes.EVENT, rows, 0.0),
        "denominator": np.where(unrecorded, 0.0, rows),
        "unrecorded": np.where(unrecorded, rows, 0.0),
    }
    if "expected" in counted:
        # Counted by expected probability, to show those that are bad.
        outcomes.read_risks(counted["expected"], columns["expected"], outcome, bad)
    elif "expected" in columns:
        risk, given, usable = (frames.as_array(counted[n]) for n in ("risk", "given", "usable"))
        bad.add(usable < np.where(unrecorded, given, rows), f"{columns['expected']} is not between 0 and 1")
        blocks["expected"] = np.where(unrecorded, 0.0, risk)
    return blocks


def _read_values(
    counted: pd.DataFrame, columns: dict[str, str], bad: BadRows
) -> dict[str, NDArray[np.float64]]:
    if "value" in counted:
        # Counted by value, to show those that are bad.
        outcomes.read_values(counted["value"], columns["value"], bad)
        return {}
    numbers = {name: frames.as_array(counted[name]).astype(np.float64) for name in _MOMENTS}
    bad.add(numbers["finite"] < numbers["rows"], f"{columns['value']} is infinite")
    return {
        "denominator": numbers["recorded"],
        "unrecorded": numbers["rows"] - numbers["recorded"],
        "value": numbers["mean"],
        "sd": numbers["sd"],
        "lowest": numbers["lowest"],
        "highest": numbers["highest"],
    }


def _to_cells(rows: _Rows, kind: str, every: Every, drawn: pd.Timestamp | None) -> Cells:
    """Sum what belongs to one stratum and period; the period of ``drawn`` is provisional."""
    frame, stratum = strata.arrange(rows.keys)
    spanned = periods.span(rows.starts, every)
    strata.check_size(len(frame), len(spanned))
    cell, code = np.unique(stratum * len(spanned) + periods.place(rows.starts, spanned), return_inverse=True)
    nothing = np.full((len(code), 1), np.nan)
    blocks: dict[str, Any] = {
        name: rows.blocks[name][:, None] if name in rows.blocks else nothing for name in BLOCKS
    }
    single = Cells(
        pd.DataFrame(index=range(len(code))),
        spanned[:1],
        status=np.zeros((len(code), 1), dtype=np.int8),
        **blocks,
    )
    summed, _ = sum_strata(single, code.ravel(), pd.DataFrame(index=range(len(cell))), kind)
    made = {name: getattr(summed, name)[:, 0] for name in BLOCKS if name in rows.blocks}
    if "lowest" in rows.blocks:
        made["range"] = _range(rows.blocks, code.ravel(), made["denominator"])
    where = np.divmod(cell, len(spanned))
    cells = Cells.dense(frame, spanned, *where, **made, absent="no births", kind=kind)
    if drawn is None:
        return cells
    drawn_in = spanned == periods.start(drawn.to_datetime64(), every)
    status = np.where(drawn_in, PROVISIONAL, OBSERVED).astype(np.int8)
    return replace(cells, status=np.broadcast_to(status, cells.status.shape))


def _range(
    blocks: dict[str, NDArray[np.float64]], code: NDArray[np.intp], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give greatest less smallest value of each cell; as its standard deviation, that of one is not known."""
    lowest, highest = np.full((2, len(size)), np.nan)
    np.fmin.at(lowest, code, blocks["lowest"])
    np.fmax.at(highest, code, blocks["highest"])
    return np.where(size > 1, highest - lowest, np.nan)


def _notes(cells: Cells, every: Every, drawn: pd.Timestamp | None) -> list[pd.DataFrame]:
    """Tell of whole periods without a record: births of nobody, or records that were not sent."""
    births = cells.denominator + cells.unrecorded
    by_site = "site" in cells.strata
    codes = cells.strata["site"].cat.codes.to_numpy(np.int64) if by_site else np.zeros(len(births), np.int64)
    per_site = np.zeros((int(codes.max()) + 1, births.shape[1]))
    np.add.at(per_site, codes, births)
    silent = np.flatnonzero((per_site == 0).any(axis=1))
    found = []
    if silent.size:
        texts = [_silence(periods.labels(cells.periods[per_site[i] == 0], every)) for i in silent]
        sites = pd.DataFrame({"site": cells.strata["site"].cat.categories[silent]}) if by_site else None
        found.append(_result.note("no_records", "caution", texts, sites))
    if drawn is not None:
        now, last = periods.ordinal([drawn.to_datetime64(), cells.periods[-1]], every).tolist()
        if now > last + 1:
            between = periods.labels(periods.from_ordinal(np.arange(last + 1, now), every), every)
            found.append(_result.note("records_end_early", "caution", f"Before as_of: {_silence(between)}"))
    return found


def _note_women(measure: Measure, columns: dict[str, str]) -> list[pd.DataFrame]:
    """Tell that rows are taken as women, where nothing says which rows are of one woman."""
    if measure.counts != "woman" or "person" in columns:
        return []
    mend = "keep one of them" if "value" in columns else "name the column of the woman in person="
    told = f"Each row is taken as one woman. If twins have two rows, {mend}."
    return [_result.note("rows_taken_as_women", "info", told)]


def _silence(labels: list[str]) -> str:
    shown = ", ".join(labels[:_PERIODS_SHOWN])
    more = f" and {len(labels) - _PERIODS_SHOWN} more" if len(labels) > _PERIODS_SHOWN else ""
    return f"No records at all in {shown}{more}: no births, or records not sent?"
