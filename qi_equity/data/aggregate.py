"""Counting records in the caller's own engine, so that only counts come out of it."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data import dates, frames, groups, outcomes
from qi_equity.data.bad_rows import BadRows
from qi_equity.data.dates import DateOrder
from qi_equity.data.frames import Frame
from qi_equity.data.scheme import Scheme

_TEXT = (nw.Categorical, nw.Enum)
_TIMES = (nw.Date, nw.Datetime)


def count_rows(frame: Frame, step: str | None) -> pd.DataFrame:
    """Count the rows that are alike in all columns.

    Parameters
    ----------
    frame : narwhals frame
        Columns ``date``, ``event`` (or ``value``) and keys.
    step : str, optional
        What dates are cut to: ``"1d"``, ``"1mo"``; None for nothing. Dates in text are never cut.

    Returns
    -------
    pandas.DataFrame
        The columns, and ``rows``.
    """
    cut = _cut(frame, step)
    keys = cut.collect_schema().names()
    return frames.to_pandas(cut.group_by(keys, drop_null_keys=False).agg(nw.len().alias("rows")))


def measure_values(frame: Frame, step: str | None, columns: Mapping[str, str]) -> pd.DataFrame:
    """Give number, mean, standard deviation and extremes of the values of each combination of keys.

    Returns
    -------
    pandas.DataFrame
        The keys, ``date``, ``rows``, ``recorded``, ``finite`` (rows whose value is no number are not),
        ``mean``, ``sd`` (NaN of one value), ``lowest``, ``highest``.
    """
    frame = _cut(_with_numbers(frame, "value", columns), step)
    keys = [name for name in frame.collect_schema().names() if name != "value"]
    value = nw.col("value")
    frame = frame.with_columns(value.cast(nw.Float64()).fill_nan(None))
    finite = value.fill_null(0.0).is_finite()
    # An infinite value is refused by its count; its mean would only warn.
    frame = frame.with_columns(
        finite.cast(nw.Int64()).alias("finite"), nw.when(finite).then(value).alias("value")
    )
    return frames.to_pandas(
        frame.group_by(keys, drop_null_keys=False).agg(
            nw.len().alias("rows"),
            nw.col("finite").sum(),
            value.count().alias("recorded"),
            value.mean().alias("mean"),
            value.std(ddof=1).alias("sd"),
            value.min().alias("lowest"),
            value.max().alias("highest"),
        )
    )


def sum_risks(frame: Frame, step: str | None, columns: Mapping[str, str]) -> pd.DataFrame:
    """Count the rows that are alike in all columns but ``expected``, and add that up.

    Returns
    -------
    pandas.DataFrame
        The keys, ``date``, ``rows``, ``given`` (rows that have an expected probability), ``usable`` (those of
        them with one between 0 and 1) and ``risk`` (the sum of those).
    """
    frame = _cut(_with_numbers(frame, "expected", columns), step)
    keys = [name for name in frame.collect_schema().names() if name != "expected"]
    risk = nw.col("expected")
    frame = frame.with_columns(risk.cast(nw.Float64()).fill_nan(None))
    usable = (risk.fill_null(0.0) > 0) & (risk.fill_null(0.0) < 1)
    frame = frame.with_columns(
        usable.cast(nw.Int64()).alias("usable"),
        nw.when(usable).then(risk).otherwise(nw.lit(0.0)).alias("risk"),
    )
    return frames.to_pandas(
        frame.group_by(keys, drop_null_keys=False).agg(
            nw.len().alias("rows"),
            risk.count().alias("given"),
            nw.col("usable").sum(),
            nw.col("risk").sum(),
        )
    )


def one_row_a_woman(
    frame: Frame, columns: Mapping[str, str], scheme: tuple[Scheme, str], date_order: DateOrder | None
) -> Frame:
    """Make one row of the rows that share person and day: an event if any has one, recorded if any is.

    Raises
    ------
    DataError
        If persons are missing, dates or outcomes cannot be read, or rows of a woman differ in group, site or
        expected probability.
    """
    frame = _with_outcomes(frame, columns)
    frame = _cut(_with_dates(frame, columns, date_order), "1d")
    keys = [name for name in frame.collect_schema().names() if name != "event"]
    event = nw.col("event")
    frame = frame.with_columns(event.cast(nw.Float64()).fill_nan(None).fill_null(-1.0))
    women = frame.group_by(keys, drop_null_keys=False).agg(event.max())
    several = women.with_columns(nw.len().over("person", "date").alias("rows")).filter(nw.col("rows") > 1)
    differing = frames.to_pandas(several.select(keys))
    if len(differing):
        _refuse_other_strata(differing, columns, scheme)
        # All that is left are other writings of the same strata, of which any will do.
        women = women.with_columns(event.max().over("person", "date")).unique(["person", "date"], keep="any")
    return women.with_columns(nw.when(event >= 0).then(event).alias("event")).drop("person")


def _refuse_other_strata(table: pd.DataFrame, columns: Mapping[str, str], scheme: tuple[Scheme, str]) -> None:
    """Refuse rows of one person and day whose group, site or other strata are not the same as read."""
    # Labels that cannot be read are told later, with those of all the other rows.
    keys = groups.read_keys(table, columns, *scheme, BadRows(table, columns))
    codes = {columns.get("ethnicity", ""): keys.group.codes, **{c: read.codes for c, read in keys.by.items()}}
    if keys.site is not None:
        codes[columns["site"]] = keys.site.codes
    if "expected" in columns:
        risks = outcomes.read_values(table["expected"], columns["expected"], BadRows(table, columns))
        codes[columns["expected"]] = pd.factorize(risks, use_na_sentinel=False)[0]
    person = [table["person"], table["date"]]
    bad = BadRows(table, columns)
    for name, code in codes.items():
        grouped = pd.Series(code).groupby(person, sort=False, observed=True, dropna=False)
        bad.add((grouped.transform("nunique") > 1).to_numpy(), f"rows of one person and day differ in {name}")
    bad.check("records", "Mend these rows, or leave out person=.")


def _with_outcomes(frame: Frame, columns: Mapping[str, str]) -> Frame:
    """Make outcomes numbers; refuse those that are none and rows without a person before rows are joined."""
    distinct = frames.to_pandas(frame.select("event").unique())["event"]
    read = _read_outcomes(distinct)
    if (read == outcomes.WRONG).any():
        whole = count_rows(frame, None)
        bad = BadRows(whole, columns)
        outcomes.read_outcomes(whole["event"], columns["event"], bad)
        bad.check("records", "Give bool or 0/1, and leave empty what was not recorded.")
    absent = nw.col("person").is_null()
    if isinstance(frame.collect_schema()["person"], nw.String):
        absent |= nw.col("person").str.strip_chars() == ""
    nobody = frames.to_pandas(frame.filter(absent).select("person", "date").unique())
    bad = BadRows(nobody, columns)
    bad.add(np.ones(len(nobody), dtype=bool), f"{columns['person']} is empty")
    bad.check("records", "Mend these rows, or leave out person=.")
    kind = frame.collect_schema()["event"]
    if kind.is_numeric() or isinstance(kind, nw.Boolean):
        return frame
    if frame.implementation.is_pandas():
        native: pd.DataFrame = frame.to_native()
        found = _read_outcomes(native["event"]).astype(np.float64)
        opened: Frame = nw.from_native(native.assign(event=np.where(found < 0, np.nan, found)))
        return opened
    text = nw.col("event").cast(nw.String())
    yes = text.is_in(["1", *distinct[read == outcomes.EVENT]])
    no = text.is_in(["0", *distinct[read == outcomes.NO_EVENT]])
    return frame.with_columns(
        nw.when(yes).then(nw.lit(1.0)).otherwise(nw.when(no).then(nw.lit(0.0))).alias("event")
    )


def _read_outcomes(column: pd.Series) -> NDArray[np.int8]:
    return outcomes.read_outcomes(column, "event", BadRows(column.to_frame(), {}))


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


def _with_numbers(frame: Frame, role: str, columns: Mapping[str, str]) -> Frame:
    """Make a column numbers; text is read out of the engine, and infinite where it is no number."""
    kind = frame.collect_schema()[role]
    # Arrow, of pandas too, makes no floats of whole numbers that these cannot hold exactly.
    arrow = frame.implementation.is_pandas() or frame.implementation.is_pyarrow()
    if kind.is_numeric() and not (kind.is_integer() and arrow):
        return frame
    table = frames.to_pandas(frame)
    read = outcomes.read_values(table[role], columns[role], BadRows(table, columns))
    opened: Frame = nw.from_native(table.assign(**{role: read}))
    return opened


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
