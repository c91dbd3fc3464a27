"""Dates set on strata: where phases start and which periods are excluded, each with its reason."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
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

POST_HOC = "post hoc"

_LABELS_SHOWN = 20

Texts = NDArray[np.object_]
Dates = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Points that were marked, in order of stratum and period: M of them.

    Parameters
    ----------
    stratum, position : ndarray of int, shape (M,)
        Where the points are.
    label, reason : ndarray of object, shape (M,)
        What they are called, and why; empty where not said.
    notes : pandas.DataFrame
        What the reader must know about them.
    """

    stratum: Ints
    position: Ints
    label: Texts
    reason: Texts
    notes: pd.DataFrame


def phase_starts(series: StratifiedSeries, given: Any) -> Marks:
    """Find the points with which phases start.

    Raises
    ------
    DataError
        For dates that cannot be read or lie outside the series or in its first period, strata that do not
        exist, and two phases of a stratum that start together.
    """
    table = _table(series, given, "phases", "start", ("label", "reason"))
    starts, row, stratum = _placed(series, table, "phases", "start")
    early = starts <= periods.start(series.cells.ends, _every(series))[0]
    _refuse(
        series, table, _problem(early, "starts no later than the series: nothing lies before it"), "phases"
    )
    order = np.lexsort((starts[row], stratum))
    row, stratum = row[order], stratum[order]
    again = np.flatnonzero((np.diff(stratum) == 0) & (starts[row[1:]] == starts[row[:-1]]))
    together = ~_without(row[np.append(again, again + 1)], len(table))
    problems = _problem(together, "starts together with another phase of the same stratum")
    _refuse(series, table, problems, "phases")
    row, stratum, position, without = _phase_positions(series, starts, row, stratum)
    label, reason = table["label"].to_numpy(object), table["reason"].to_numpy(object)
    bare = np.where(label == "", POST_HOC, label + f" ({POST_HOC})")
    label = np.where(reason == "", bare, np.where(label == "", reason, label))
    text = (
        "No reason is recorded for the phase(s) from {}: post hoc. A boundary chosen after seeing the data "
        "makes a difference between phases look surer than it is."
    )
    notes = [
        without,
        _moved(series, table["start"], starts, "A phase that starts on"),
        _without_reason(series, starts[reason == ""], "phase_post_hoc", text),
    ]
    return Marks(stratum, position, label[row], reason[row], _result.notes(notes))


def excluded_periods(series: StratifiedSeries, given: Any) -> Marks:
    """Find the points that are excluded.

    Raises
    ------
    DataError
        For periods that cannot be read or are not in the series, and strata that do not exist.
    """
    table = _table(series, given, "exclude", "period", ("reason",))
    starts, row, stratum = _placed(series, table, "exclude", "period")
    if series.cells.periods.ndim == 1:
        position = np.searchsorted(series.cells.periods, starts[row])
    else:
        pair, position = np.nonzero(period_starts(series)[stratum] == starts[row, None])
        row, stratum = row[pair], stratum[pair]
    _refuse(series, table, _problem(_without(row, len(table)), "is a day without an event"), "exclude")
    reason = table["reason"].to_numpy(object)
    found = pd.DataFrame({"stratum": stratum, "position": position, "reason": reason[row]})
    found = found.drop_duplicates().sort_values(["stratum", "position", "reason"])
    notes = [
        _moved(series, table["period"], starts, "An exclusion of"),
        _without_reason(
            series,
            starts[reason == ""],
            "exclusion_without_reason",
            "No reason is recorded for leaving out {}.",
        ),
    ]
    return Marks(
        found["stratum"].to_numpy(),
        found["position"].to_numpy(),
        np.full(len(found), "", dtype=object),
        found["reason"].to_numpy(object),
        _result.notes(notes),
    )


def _table(
    series: StratifiedSeries, given: Any, argument: str, when: str, texts: Sequence[str]
) -> pd.DataFrame:
    """Read what was given as one row a mark: columns of the strata (None: all), the date, and texts."""
    strata = list(series.cells.strata.columns)
    with frames._reading(argument):
        opened = nw.from_native(given, pass_through=True)
    if isinstance(opened, nw.DataFrame | nw.LazyFrame):
        with frames._reading(argument):
            present = opened.collect_schema().names()
        allowed = [*strata, when, *texts]
        unknown = [c for c in present if c not in allowed]
        if unknown:
            raise ColumnError(
                f"{argument} has columns {unknown} that mean nothing here; use some of {allowed}."
            )
        columns = frames.collect(given, list(dict.fromkeys([when, *present])), argument)
    else:
        columns = {when: _listed(given, argument)}
    nothing = np.full(len(columns[when]), None, dtype=object)
    table = pd.DataFrame(
        {
            c: pd.Series([_label(v) for v in columns.get(c, nothing)], dtype="object")
            for c in (*strata, *texts)
        }
    )
    table.insert(len(strata), when, pd.Series(columns[when]))
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


def _label(value: Any) -> str | None:
    return None if pd.isna(value) else text_of(value) or None


def _placed(
    series: StratifiedSeries, table: pd.DataFrame, argument: str, when: str
) -> tuple[Dates, Ints, Ints]:
    """Give the period of each row, and the pairs of row and stratum; refuse rows that fit nowhere."""
    every = _every(series)
    strata = series.cells.strata
    starts, problems = periods.read(table[when], every)
    first, last = periods.start(series.cells.ends, every)
    problems[~np.isnat(starts) & ~((starts >= first) & (starts <= last))] = "lies outside the series"
    codes = np.empty((len(table), len(strata.columns)), dtype=np.int64)
    for k, column in enumerate(strata.columns):
        codes[:, k] = strata[column].cat.categories.get_indexer(pd.Index(table[column], dtype="object"))
        unknown = (codes[:, k] < 0) & table[column].notna().to_numpy()
        problems[unknown] = f"names a {column} that the series does not have"
    _refuse(series, table, problems, argument)
    row, stratum = _match(codes, strata)
    _refuse(series, table, _problem(_without(row, len(table)), "names no stratum of the series"), argument)
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


def _phase_positions(
    series: StratifiedSeries, starts: Dates, row: Ints, stratum: Ints
) -> tuple[Ints, Ints, Ints, pd.DataFrame]:
    """Find the first point of each phase; of times between events, drop and note phases without one."""
    if series.cells.periods.ndim == 1:
        return row, stratum, np.searchsorted(series.cells.periods, starts[row]), _result.notes([])
    follows = period_starts(series)[stratum] >= starts[row, None]
    position = follows.argmax(axis=1)
    # The later of two phases between the same events has the next event, the earlier one has none.
    overtaken = np.append((np.diff(stratum) == 0) & (np.diff(position) == 0), [False])[: len(row)]
    inside = follows.any(axis=1) & (position > 0) & ~overtaken
    strata = series.cells.strata.iloc[np.unique(stratum[~inside])]
    text = "A phase that was asked for has no event of its own here, or no event before it; it is left out."
    notes = _result.note("phase_without_events", "caution", [text] * len(strata), strata)
    return row[inside], stratum[inside], position[inside], notes


def period_starts(series: StratifiedSeries) -> Dates:
    """Give the periods, or those that hold the events."""
    return periods.start(series.cells.periods, _every(series))


def _every(series: StratifiedSeries) -> Any:
    return series.every


def _problem(bad: Bools, text: str) -> Texts:
    problems = np.full(len(bad), None, dtype=object)
    problems[bad] = text
    return problems


def _without(row: Ints, size: int) -> Bools:
    """Tell which of the rows are in no pair."""
    return ~np.isin(np.arange(size), row)


def _refuse(series: StratifiedSeries, table: pd.DataFrame, problems: Texts, argument: str) -> None:
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


def _moved(series: StratifiedSeries, given: pd.Series, starts: Dates, what: str) -> pd.DataFrame:
    """Say which dates lie inside a period, and which period that is."""
    every = _every(series)
    exact = dates.read(given, financial_years=every == "financial-year").stamps.astype("datetime64[D]")
    inside = exact != starts.astype("datetime64[D]")
    days, first = np.unique(exact[inside], return_index=True)
    named = periods.labels(starts[inside][first], every)
    said = [
        f"{what} {day} counts from the start of its {every}, {label}."
        for day, label in zip(days, named, strict=True)
    ]
    return _result.notes([_result.note("date_inside_period", "info", text) for text in said])


def _without_reason(series: StratifiedSeries, starts: Dates, code: str, text: str) -> pd.DataFrame:
    if not len(starts):
        return _result.notes([])
    every = _every(series)
    return _result.note(code, "caution", text.format(", ".join(periods.labels(np.unique(starts), every))))
