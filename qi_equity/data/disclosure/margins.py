"""Sums that are published together with a series: totals, pooled sites, coarser groups, longer periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity import _validate
from qi_equity.data import periods, regroup
from qi_equity.data.cells import MISSING, Bools, Cells, Ints, sum_periods, sum_strata
from qi_equity.errors import OptionError

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

TOTAL, ALL_PERIODS = "total", "all"
OWN = ""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which sums a margin holds.

    Parameters
    ----------
    group : str
        The groups: as they are (""), "total", or a grouping of the scheme.
    pooled : tuple of str
        Columns that are summed over, in order.
    every : str
        The periods: as they are (""), longer ones, or "all".
    """

    group: str = OWN
    pooled: tuple[str, ...] = ()
    every: str = OWN

    def text(self) -> str:
        """Name the margin: its sums with " + " between."""
        return " + ".join(x for x in (self.group, *self.pooled, self.every) if x) or "series"


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One margin (or the series itself): its true cells, and the cells of the series that each of them sums.

    ``place`` (shape (S, T)) is the position in the flattened cells of the margin, -1 for what is left out as
    missing.
    """

    key: Key
    cells: Cells
    place: Ints


def usual(series: StratifiedSeries) -> tuple[str, ...]:
    """Name the margins published with such a series: its total, and sums over sites and the like."""
    strata = series.cells.strata
    overlapping = series.scheme is not None and series.scheme.overlapping
    total = [TOTAL] if len(series.groups) > 1 and not overlapping else []
    return (*total, *(c for c in strata.columns if c != "group" and len(strata[c].unique()) > 1))


def keys(series: StratifiedSeries, margins: str | Sequence[str] | None) -> list[Key]:
    """Read the argument ``margins``: all combinations of the sums named, the series itself first.

    Raises
    ------
    OptionError
        Names what is not allowed, and what is.
    """
    named = usual(series) if margins is None else _validate.names("margins", margins)
    columns = [c for c in series.cells.strata.columns if c != "group"]
    groupings = [] if series.scheme is None or series.grouping is None else series.scheme.groupings
    groupings = [g for g in groupings if g != series.grouping]
    source: Any = series.every
    longer = [e for e in periods.EVERY if e != source and periods.nests(source, e)]
    for name in named:
        _validate.one_of("margins", name, [TOTAL, *columns, *groupings, *longer, ALL_PERIODS])
        if name == TOTAL or name in groupings:
            regroup.refuse_overlap(series, f"margins={name!r}")
        if name in groupings and series.scheme is not None and series.grouping is not None:
            series.scheme.roll_up(series.grouping, name)
        if name in longer or name == ALL_PERIODS:
            regroup.refuse_window(series, f"margins={name!r}")
    groups = [OWN, *(n for n in named if n == TOTAL or n in groupings)]
    over = [c for c in columns if c in named]
    pools = chain.from_iterable(combinations(over, n) for n in range(len(over) + 1))
    times = [OWN, *(n for n in named if n in longer or n == ALL_PERIODS)]
    return [Key(g, p, t) for p, g, t in product(pools, groups, times)]


def views(series: StratifiedSeries, wanted: Sequence[Key]) -> list[View]:
    """Sum the series to each margin."""
    return [_view(series, key) for key in wanted]


def _view(series: StratifiedSeries, key: Key) -> View:
    cells, kind = series.cells, series.measure.kind
    codes, strata = regroup.distinct(_keys_of(series, key))
    summed = sum_strata(cells, codes, strata, kind)[0] if key.group or key.pooled else cells
    if not key.every:
        when, starts = np.arange(cells.status.shape[1]), cells.periods
    elif key.every == ALL_PERIODS:
        when, starts = np.zeros(cells.status.shape[1], dtype=np.int64), cells.periods[:1]
    else:
        every: Any = key.every
        whole, when = np.unique(periods.ordinal(cells.periods, every), return_inverse=True)
        starts = periods.from_ordinal(whole, every)
    if key.every:
        summed = sum_periods(summed, when, starts, kind)[0]
    place = codes[:, None] * len(starts) + when
    return View(key, summed, np.where(_used(cells, place, summed), place, -1))


def _keys_of(series: StratifiedSeries, key: Key) -> pd.DataFrame:
    """Give the columns by which the strata of a margin are told apart."""
    frame = series.cells.strata.drop(columns=list(key.pooled))
    if key.group == TOTAL:
        return frame.assign(group=pd.Categorical([regroup.ALL_GROUPS] * len(frame)))
    if not key.group or series.scheme is None or series.grouping is None:
        return frame
    roll_up = series.scheme.roll_up(series.grouping, key.group)
    labels = pd.Index(series.scheme.groups(key.group))
    onto = frame["group"].astype("str").map(roll_up)
    return frame.assign(group=pd.Categorical(onto, categories=labels))


def _used(cells: Cells, place: Ints, summed: Cells) -> Bools:
    """Tell which cells go into their sum: missing ones only if nothing else does."""
    told = cells.status != MISSING
    any_told = np.bincount(place.ravel(), told.ravel(), minlength=summed.status.size)[place] > 0
    used: Bools = told | ~any_told
    return used


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """The margins published with a disclosed series.

    Parameters
    ----------
    cells : Cells
        Those of the series they belong to: of a series with other cells they are not margins.
    key : Key
        What that series is among them.
    margins : tuple of (Key, Cells)
        All that was published together, disclosed.
    """

    cells: Cells
    key: Key
    margins: tuple[tuple[Key, Cells], ...]

    def find(self, key: Key) -> Cells | None:
        """Give the cells of one margin, if it was published."""
        return next((cells for k, cells in self.margins if k == key), None)

    def equals(self, other: object) -> bool:
        """Tell whether the other holds the same margins."""
        return (
            isinstance(other, Published)
            and self.key == other.key
            and [k for k, _ in self.margins] == [k for k, _ in other.margins]
            and all(a.equals(b) for (_, a), (_, b) in zip(self.margins, other.margins, strict=True))
        )

    def frame(self) -> pd.DataFrame:
        """Make one tidy frame of all margins but the series itself, named in a column ``margin``."""
        frames = []
        for key, cells in self.margins:
            if key != self.key:
                frame = cells.frame()
                frame = frame.astype(dict.fromkeys(cells.strata.columns, "str"))
                for name in reversed(self.cells.strata.columns):
                    column = (
                        frame.pop(name) if name in frame else pd.Series("All", index=frame.index, dtype="str")
                    )
                    frame.insert(0, name, column)
                frame.insert(0, "margin", pd.Series(key.text(), index=frame.index, dtype="str"))
                frames.append(frame)
        return pd.concat(frames, ignore_index=True) if frames else self._without()

    def _without(self) -> pd.DataFrame:
        empty = self.cells.take(slice(0)).frame()
        empty = empty.astype(dict.fromkeys(self.cells.strata.columns, "str"))
        empty.insert(0, "margin", pd.Series([], dtype="str"))
        return empty

    def to_dict(self) -> dict[str, Any]:
        """Give the margins as a dictionary that JSON can hold."""
        return {
            "key": _key_to_json(self.key),
            "margins": [[_key_to_json(k), c.to_dict()] for k, c in self.margins],
        }

    @classmethod
    def from_dict(cls, data: Any, cells: Cells) -> Published:
        """Make the margins that :meth:`to_dict` described, of the series with these cells."""
        margins = tuple((_key_from_json(k), Cells.from_dict(c)) for k, c in data["margins"])
        return cls(cells, _key_from_json(data["key"]), margins)


def _key_to_json(key: Key) -> list[Any]:
    return [key.group, list(key.pooled), key.every]


def _key_from_json(data: Sequence[Any]) -> Key:
    group, pooled, every = data
    return Key(str(group), tuple(map(str, pooled)), str(every))


def refuse(series: StratifiedSeries, what: str) -> None:
    """Refuse what cannot be disclosed by withholding counts.

    Raises
    ------
    OptionError
        For times between events, windows that overlap, and series that are disclosed already.
    """
    if series.measure.kind == "between":
        raise OptionError(
            f"{what} is not possible for {series.measure.name!r}: each point is the date of one woman's "
            "event. Make a monthly or quarterly series with from_records and disclose that, or keep the "
            "chart inside (SuppressionRule.load('none'))."
        )
    if "disclosed" in series.method:
        raise OptionError(
            f"{what} is not possible: this series was disclosed already, by "
            f"{series.method['disclosed']['rule']}. Disclose the series it was made from."
        )
    regroup.refuse_window(series, what)
