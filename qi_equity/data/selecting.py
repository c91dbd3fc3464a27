"""Parts of a series: some groups, sites, further strata or periods."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity.data import dates, periods
from qi_equity.data.cells import BLOCKS, PADDING, Bools, Cells
from qi_equity.data.show import extent
from qi_equity.data.strata import text_of
from qi_equity.errors import InputTypeError, OptionError

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

Labels = str | Sequence[str]
Dates = NDArray[np.datetime64]

_OWN = ("site", "group")


def select(
    series: StratifiedSeries,
    group: Labels | None,
    site: Labels | None,
    start: str | date | None,
    end: str | date | None,
    where: Mapping[str, Labels] | None,
) -> StratifiedSeries:
    """Keep the strata and periods that were asked for."""
    kept = stratum_mask(series.cells.strata, group=group, site=site, where=where)
    cells = series.cells.take(kept)
    if start is not None or end is not None:
        first = None if start is None else bound(series, "start", start, last=False)
        last = None if end is None else bound(series, "end", end, last=True)
        cells = _within(replace(series, cells=cells), first, last)
    asked: dict[str, Any] = {n: _labels(n, v) for n, v in (("group", group), ("site", site)) if v is not None}
    asked |= {n: str(v) for n, v in (("start", start), ("end", end)) if v is not None}
    asked |= {"where": {n: _labels(f"where[{n!r}]", v) for n, v in where.items()}} if where else {}
    method = {**series.method, "steps": [*series.method.get("steps", []), {"step": "select", **asked}]}
    return replace(series, cells=cells, method=method)


def stratum_mask(
    strata: pd.DataFrame, *, group: Labels | None, site: Labels | None, where: Mapping[str, Labels] | None
) -> Bools:
    """Tell which strata have the labels wanted, shape (S,).

    Raises
    ------
    OptionError
        Names a column or label that does not exist, and the nearest; or says that no stratum has them all.
    InputTypeError
        If ``where`` is not a mapping.
    """
    asked = {n: _labels(n, v) for n, v in (("group", group), ("site", site)) if v is not None}
    asked |= _further(strata, where)
    mask = np.ones(len(strata), dtype=bool)
    for column, labels in asked.items():
        if column not in strata:
            raise OptionError(f"{column}={labels!r} cannot be used: the series has no {column} column.")
        known = strata[column].cat.categories.tolist()
        argument = column if column in _OWN else f"where[{column!r}]"
        found = [_validate.one_of(argument, label, known) for label in labels]
        mask &= strata[column].isin(found).to_numpy()
    if not mask.any():
        raise OptionError(f"No stratum of the series has all of {asked}; leave one out.")
    return mask


def _further(strata: pd.DataFrame, where: Mapping[str, Labels] | None) -> dict[str, list[str]]:
    if where is None:
        return {}
    if not isinstance(where, Mapping):
        raise InputTypeError(f"where={where!r} is not a mapping; give {{'column': label or labels}}.")
    further = [c for c in strata.columns if c not in _OWN]
    if where and not further:
        raise OptionError(f"where={dict(where)!r} cannot be used: the series has no further strata (by=).")
    return {_validate.one_of("where", c, further): _labels(f"where[{c!r}]", v) for c, v in where.items()}


def _labels(argument: str, value: Any) -> list[str]:
    """Give one label or several as a list of text."""
    labels = [value] if isinstance(value, Mapping) else _validate.several(argument, value)
    return [text_of(label) for label in labels]


def bound(series: StratifiedSeries, argument: str, value: str | date | np.datetime64, *, last: bool) -> Dates:
    """Read one date, or a label that may name a longer period, as its first or last period, shape (1,).

    Raises
    ------
    InputTypeError
        If it is no single value.
    OptionError
        If it cannot be read.
    """
    every: Any = series.every
    if not isinstance(value, Hashable):
        raise InputTypeError(f"{argument}={value!r} cannot be used; give a date such as '2024-03-31'.")
    read = dates.read([value], financial_years=every == "financial-year")
    problem = read.problems[0]
    if problem is not None:
        problem = "can be read two ways" if problem == dates.AMBIGUOUS else problem
        raise OptionError(
            f"{argument}={value!r} cannot be used: {problem}; give a date such as '2024-03-31'."
        )
    level: Any = str(read.levels[0])
    return periods.start(periods.end(read.stamps, level) if last else read.stamps, every)


def _within(series: StratifiedSeries, start: Dates | None, end: Dates | None) -> Cells:
    """Keep the periods (or events) from one period to another."""
    cells = series.cells
    every: Any = series.every
    starts = periods.start(cells.periods, every)
    inside = ~np.isnat(starts)
    if start is not None:
        inside &= starts >= start
    if end is not None:
        inside &= starts <= end
    if not inside.any():
        asked = {"start": start, "end": end}
        shown = ", ".join(f"{k} {periods.labels(v, every)[0]}" for k, v in asked.items() if v is not None)
        raise OptionError(f"No period is left with {shown}; the series {extent(series)}.")
    if cells.periods.ndim == 1:
        return cells.take(np.arange(len(cells.strata)), inside)
    return _compact(cells, inside)


def _compact(cells: Cells, inside: Bools) -> Cells:
    """Move the events kept to the front of each stratum."""
    width = int(inside.sum(axis=1).max())
    order = np.argsort(~inside, axis=1, kind="stable")[:, :width]
    kept = np.take_along_axis(inside, order, axis=1)
    blocks = {n: np.where(kept, np.take_along_axis(getattr(cells, n), order, axis=1), np.nan) for n in BLOCKS}
    status = np.where(kept, np.take_along_axis(cells.status, order, axis=1), PADDING).astype(np.int8)
    dates = np.where(kept, np.take_along_axis(cells.periods, order, axis=1), np.datetime64("NaT", "us"))
    cases = cells.cases
    if cases is not None:
        moved = (np.take_along_axis(part, order, axis=1) for part in cases.places(cells.denominator))
        first, births = (np.where(kept, part, 0) for part in moved)
        cases = cases.gather(first, births)
    return Cells(cells.strata, dates, status=status, **blocks, cases=cases)
