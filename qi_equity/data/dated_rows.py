"""Rows that set something on strata from a date on: dates, lists or frames, with all bad rows at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result, _validate
from qi_equity.data import dates, frames, periods
from qi_equity.data.cells import Bools, Ints
from qi_equity.data.show import extent
from qi_equity.data.strata import text_of
from qi_equity.errors import ColumnError, InputTypeError

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

_LABELS_SHOWN = 20

Texts = NDArray[np.object_]
Dates = NDArray[np.datetime64]


def is_frame(given: Any, argument: str) -> bool:
    """Tell whether something is a frame of any library."""
    with frames._reading(argument):
        return isinstance(nw.from_native(given, pass_through=True), nw.DataFrame | nw.LazyFrame)


def read_table(
    series: StratifiedSeries,
    given: Any,
    argument: str,
    when: str,
    texts: Sequence[str],
    number: str | None = None,
    ignored: Sequence[str] = (),
) -> pd.DataFrame:
    """Read what was given as one row a mark: columns of the strata (None: all), the date, and the rest."""
    strata = list(series.cells.strata.columns)
    wanted = [when] if number is None else [when, number]
    if is_frame(given, argument):
        with frames._reading(argument):
            present = nw.from_native(given).collect_schema().names()
        allowed = [*strata, *wanted, *texts]
        unknown = [c for c in present if c not in (*allowed, *ignored)]
        if unknown:
            raise ColumnError(
                f"{argument} has columns {unknown} that mean nothing here; use some of {allowed}."
            )
        used = [c for c in present if c in allowed]
        columns = frames.collect(given, list(dict.fromkeys([*wanted, *used])), argument)
    else:
        columns = {when: _listed(given, argument)}
    nothing = np.full(len(columns[when]), None, dtype=object)
    table = pd.DataFrame(
        {
            c: pd.Series([text_or_none(v) for v in columns.get(c, nothing)], dtype="object")
            for c in (*strata, *texts)
        }
    )
    for at, column in enumerate(wanted, len(strata)):
        table.insert(at, column, pd.Series(columns[column]))
    return table.assign(**{text: table[text].fillna("") for text in texts})


def _listed(given: Any, argument: str) -> NDArray[np.object_]:
    if isinstance(given, str | date | np.datetime64 | pd.Period):
        given = [given]
    told = f"{argument}={given!r} cannot be used; give a date, a list of dates or a frame."
    if not isinstance(given, Sequence | np.ndarray | pd.Index | pd.Series):
        raise InputTypeError(told)
    listed = _validate.several(argument, given)
    if not all(isinstance(v, Hashable) for v in listed):
        raise InputTypeError(told)
    values = np.empty(len(listed), dtype=object)
    for i, value in enumerate(listed):
        values[i] = value
    return values


def text_or_none(value: Any) -> str | None:
    """Write a value as a label; None where there is none, or it is blank."""
    return None if pd.isna(value) else text_of(value) or None


def place(
    series: StratifiedSeries,
    table: pd.DataFrame,
    argument: str,
    when: str,
    wrong: Texts | None = None,
    *,
    earlier: bool = False,
    later: bool = False,
) -> tuple[Dates, Ints, Ints]:
    """Give the period of each row, and the pairs of row and stratum; refuse rows that fit nowhere.

    ``wrong`` is what is wrong with rows already; ``earlier`` and ``later`` allow dates outside the series.
    """
    every = every_of(series)
    strata = series.cells.strata
    starts, problems = periods.read(table[when], every)
    # There is no date_order to give here.
    problems[problems == dates.AMBIGUOUS] = "can be read two ways; write it as 2024-03-31"
    first, last = periods.start(series.cells.ends, every)
    inside = ((starts >= first) | earlier) & ((starts <= last) | later)
    problems[~np.isnat(starts) & ~inside] = f"lies {'after' if earlier else 'outside'} the series"
    if wrong is not None:
        problems = np.where(pd.isna(problems), wrong, problems)
    codes = np.empty((len(table), len(strata.columns)), dtype=np.int64)
    for k, column in enumerate(strata.columns):
        codes[:, k] = strata[column].cat.categories.get_indexer(pd.Index(table[column], dtype="object"))
        unknown = (codes[:, k] < 0) & table[column].notna().to_numpy()
        problems[unknown] = f"names a {column} that the series does not have"
    refuse(series, table, problems, argument)
    row, stratum = _match(codes, strata)
    refuse(
        series, table, problem_where(unpaired(row, len(table)), "names no stratum of the series"), argument
    )
    return starts, row, stratum


def _match(codes: Ints, strata: pd.DataFrame) -> tuple[Ints, Ints]:
    """Pair every row with the strata that have its codes; a code of -1 fits all."""
    have = np.column_stack([strata[c].cat.codes.to_numpy(dtype=np.int64) for c in strata.columns])
    pairs = [np.zeros((2, 0), dtype=np.int64)]
    for pattern in np.unique(codes >= 0, axis=0):
        own = np.flatnonzero(((codes >= 0) == pattern).all(axis=1))
        both = np.concatenate([codes[own], have]) * pattern
        key = np.unique(both, axis=0, return_inverse=True)[1].ravel()
        asked, present = key[: len(own)], key[len(own) :]
        order = np.argsort(present, kind="stable")
        low = np.searchsorted(present[order], asked, side="left")
        count = np.searchsorted(present[order], asked, side="right") - low
        nth = np.arange(count.sum()) - np.repeat(count.cumsum() - count, count)
        pairs.append(np.stack([np.repeat(own, count), order[np.repeat(low, count) + nth]]))
    row, stratum = np.concatenate(pairs, axis=1)
    return row, stratum


def period_starts(series: StratifiedSeries) -> Dates:
    """Give the periods, or those that hold the events."""
    return periods.start(series.cells.periods, every_of(series))


def every_of(series: StratifiedSeries) -> Any:
    """Give the frequency of a series."""
    return series.every


def problem_where(bad: Bools, text: str) -> Texts:
    """Say the same of all bad rows, None of the others."""
    problems = np.full(len(bad), None, dtype=object)
    problems[bad] = text
    return problems


def unpaired(row: Ints, size: int) -> Bools:
    """Tell which of the rows are in no pair."""
    return ~np.isin(np.arange(size), row)


def refuse_together(
    series: StratifiedSeries, table: pd.DataFrame, argument: str, starts: Dates, row: Ints, stratum: Ints
) -> None:
    """Refuse rows, in order of stratum and start, of which two start together in a stratum."""
    again = np.flatnonzero((np.diff(stratum) == 0) & (starts[row[1:]] == starts[row[:-1]]))
    together = ~unpaired(row[np.append(again, again + 1)], len(table))
    one = "phase" if argument == "phases" else argument
    refuse(
        series,
        table,
        problem_where(together, f"starts together with another {one} of the same stratum"),
        argument,
    )


def refuse(series: StratifiedSeries, table: pd.DataFrame, problems: Texts, argument: str) -> None:
    """Raise a DataError with all rows that have a problem, if any has."""
    bad = pd.notna(problems)
    if not bad.any():
        return
    has = []
    for column in series.cells.strata.columns:
        known = series.cells.strata[column].cat.categories.tolist()
        more = f" and {len(known) - _LABELS_SHOWN} more" if len(known) > _LABELS_SHOWN else ""
        has.append(f"{column} {', '.join(map(repr, known[:_LABELS_SHOWN]))}{more}")
    fix = f"The series {extent(series)} and has {'; '.join(has)}."
    _validate.rows(table[bad].assign(problem=problems[bad]), argument, fix)


def moved_dates(series: StratifiedSeries, given: pd.Series, starts: Dates, what: str) -> pd.DataFrame:
    """Say which dates lie inside a period, and which period that is."""
    every = every_of(series)
    exact = dates.read(given, financial_years=every == "financial-year").stamps.astype("datetime64[D]")
    inside = exact != starts.astype("datetime64[D]")
    days, first = np.unique(exact[inside], return_index=True)
    named = periods.labels(starts[inside][first], every)
    said = [
        f"{what} {day} counts from the start of its {every}, {label}."
        for day, label in zip(days, named, strict=True)
    ]
    return _result.notes([_result.note("date_inside_period", "info", text) for text in said])
