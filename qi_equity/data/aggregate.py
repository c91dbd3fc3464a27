"""Counting records in the caller's own engine, so that only counts come out of it."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from qi_equity.data import dates, frames
from qi_equity.data.bad_rows import BadRows
from qi_equity.data.dates import DateOrder
from qi_equity.data.frames import Frame
from qi_equity.data.outcomes import read_outcomes
from qi_equity.errors import DataError

_TEXT = (nw.Categorical, nw.Enum)
_TIMES = (nw.Date, nw.Datetime)


def count_events(frame: Frame, step: str | None) -> pd.DataFrame:
    """Count the rows of each combination of keys and outcome.

    Parameters
    ----------
    frame : narwhals frame
        Columns ``date``, ``event`` and keys.
    step : str, optional
        What dates are cut to: ``"1d"``, ``"1mo"``; None for nothing. Dates in text are never cut.

    Returns
    -------
    pandas.DataFrame
        The keys, ``date``, ``event`` and ``rows``.
    """
    cut = _cut(frame, step)
    keys = cut.collect_schema().names()
    return frames.to_pandas(cut.group_by(keys, drop_null_keys=False).agg(nw.len().alias("rows")))


def measure_values(frame: Frame, step: str | None, columns: Mapping[str, str]) -> pd.DataFrame:
    """Give number, mean and standard deviation of the values of each combination of keys.

    Returns
    -------
    pandas.DataFrame
        The keys, ``date``, ``rows``, ``recorded``, ``finite`` (rows), ``mean``, ``sd`` (NaN of one value).
    """
    frame = _cut(_with_numbers(frame, columns), step)
    keys = [name for name in frame.collect_schema().names() if name != "value"]
    value = nw.col("value")
    frame = frame.with_columns(value.cast(nw.Float64()).fill_nan(None))
    frame = frame.with_columns(value.fill_null(0.0).is_finite().cast(nw.Int64()).alias("finite"))
    return frames.to_pandas(
        frame.group_by(keys, drop_null_keys=False).agg(
            nw.len().alias("rows"),
            nw.col("finite").sum(),
            value.count().alias("recorded"),
            value.mean().alias("mean"),
            value.std(ddof=1).alias("sd"),
        )
    )


def one_row_a_woman(frame: Frame, columns: Mapping[str, str], date_order: DateOrder | None) -> Frame:
    """Make one row of the rows that share person and day: an event if any has one, recorded if any is.

    Raises
    ------
    DataError
        If persons are missing, dates or outcomes cannot be read, or rows of a woman differ in group or site.
    """
    frame = _cut(_with_dates(frame, columns, date_order), "1d")
    frame = _with_outcomes(frame, columns)
    keys = [name for name in frame.collect_schema().names() if name != "event"]
    event = nw.col("event")
    frame = frame.with_columns(event.cast(nw.Float64()).fill_nan(None).fill_null(-1.0))
    women = frame.group_by(keys, drop_null_keys=False).agg(event.max())
    split = women.group_by("person", "date").agg(nw.len().alias("rows")).filter(nw.col("rows") > 1)
    _refuse(
        frames.to_pandas(split), columns, "rows of one person and day differ in group, site or other strata"
    )
    return women.with_columns(nw.when(event >= 0).then(event).alias("event")).drop("person")


def _with_outcomes(frame: Frame, columns: Mapping[str, str]) -> Frame:
    """Refuse rows without a person or with an outcome that is none, before the engine takes them together."""
    outcomes = frames.to_pandas(frame.select("event").unique())
    bad = BadRows(outcomes, columns)
    read_outcomes(outcomes["event"], columns["event"], bad)
    bad.check("records", "Give bool or 0/1, and leave empty what was not recorded.")
    nobody = frame.filter(nw.col("person").is_null()).select("person", "date").unique()
    _refuse(frames.to_pandas(nobody), columns, f"{columns['person']} is empty")
    kind = frame.collect_schema()["event"]
    if kind.is_numeric() or isinstance(kind, nw.Boolean):
        return frame
    if not frame.implementation.is_pandas():
        # No text or date is an outcome, so all were empty.
        return frame.with_columns(nw.lit(None, dtype=nw.Float64()).alias("event"))
    native: pd.DataFrame = frame.to_native()
    read = read_outcomes(native["event"], columns["event"], BadRows(native, columns)).astype(np.float64)
    opened: Frame = nw.from_native(native.assign(event=np.where(read < 0, np.nan, read)))
    return opened


def _refuse(rows: pd.DataFrame, columns: Mapping[str, str], problem: str) -> None:
    bad = BadRows(rows, columns)
    bad.add(np.ones(len(rows), dtype=bool), problem)
    bad.check("records", "Mend these rows, or leave out person=.")


def _cut(frame: Frame, step: str | None) -> Frame:
    """Cut dates to the step, and make categories text.

    Categories of a pandas frame may be numbers and stay as they are.
    """
    schema = frame.collect_schema()
    if not frame.implementation.is_pandas():
        coded = [name for name, dtype in schema.items() if isinstance(dtype, _TEXT)]
        frame = frame.with_columns(nw.col(name).cast(nw.String()) for name in coded)
    kind = schema["date"]
    if not isinstance(kind, _TIMES):
        return frame
    when = nw.col("date")
    when = when.cast(nw.Datetime("us"))
    return frame.with_columns(when if step is None else when.dt.truncate(step))


def _with_numbers(frame: Frame, columns: Mapping[str, str]) -> Frame:
    """Check that values are numbers; numbers in a pandas column of objects become numbers."""
    if isinstance(frame.collect_schema()["value"], nw.Object) and frame.implementation.is_pandas():
        native: pd.DataFrame = frame.to_native()
        frame = nw.from_native(native.assign(value=native["value"].infer_objects()))
    kind = frame.collect_schema()["value"]
    if not kind.is_numeric():
        raise DataError(f"value={columns['value']!r} holds {kind}; give a column of numbers.")
    return frame


def _with_dates(frame: Frame, columns: Mapping[str, str], date_order: DateOrder | None) -> Frame:
    """Read dates in text; the rows leave the engine, since days must be told before rows are joined."""
    if isinstance(frame.collect_schema()["date"], _TIMES):
        return frame
    table = frames.to_pandas(frame)
    read = dates.read(table["date"], date_order)
    bad = BadRows(table, columns)
    bad.add_each(read.problems, columns["date"])
    bad.check("records", "Mend or remove these rows.")
    opened: Frame = nw.from_native(table.assign(date=read.stamps))
    return opened
