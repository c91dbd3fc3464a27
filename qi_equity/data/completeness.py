"""How many women's ethnic group is known, and what the unknown ones could change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qi_equity import _validate
from qi_equity.data import regroup
from qi_equity.data.cells import (
    MISSING,
    OBSERVED,
    SUPPRESSED,
    Bools,
    Cells,
    Floats,
    Ints,
    sum_strata,
    sum_used,
    value_of,
)
from qi_equity.errors import OptionError

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

PARTS = ("known", "not_stated", "not_known", "missing")

_UNKNOWN_PARTS = {"not stated": "not_stated", "missing": "missing"}


def completeness(
    series: StratifiedSeries, by_period: bool, unknown: str | Sequence[str] | None
) -> pd.DataFrame:
    """Give the share of births with a known group; see the method of the series."""
    labels = _unknown_labels(series, unknown, "completeness()")
    if series.measure.kind == "between" or not np.isfinite(series.cells.denominator).any():
        raise OptionError("completeness() is not possible: the series holds no births (denominator).")
    cells = _births(series.cells)
    part = _part_of(labels, cells.strata["group"])
    keys = regroup.distinct(cells.strata.assign(group=part))
    if by_period:
        return _shares(sum_strata(cells, *keys, "count")[0])
    regroup.refuse_window(series, "completeness(by_period=False)")
    codes, places = regroup.distinct(cells.strata.drop(columns="group"))
    used = _all_told(cells, codes, len(places))
    table = _shares(sum_strata(sum_used(cells, used[codes], "proportion"), *keys, "count")[0])
    no_period = pd.Series(pd.NaT, index=table.index, dtype="datetime64[us]")
    return table.assign(period=no_period, n_periods=table["n_periods"] * used.sum(axis=1))


def unknown_bounds(series: StratifiedSeries, unknown: str | Sequence[str] | None) -> pd.DataFrame:
    """Give the lowest and highest rate of each group; see the method of the series."""
    labels = _unknown_labels(series, unknown, "unknown_bounds()")
    if series.measure.kind != "proportion":
        raise OptionError(
            f"unknown_bounds() is not possible for a measure of kind {series.measure.kind!r}: bounds exist "
            "only for a proportion, where a woman has at most one event."
        )
    regroup.refuse_window(series, "unknown_bounds()")
    cells = series.cells
    is_unknown = np.isin(np.asarray(cells.strata["group"].astype("str")), labels)
    codes, places = regroup.distinct(cells.strata.drop(columns="group"))
    known, others = cells.take(~is_unknown), cells.take(is_unknown)
    place = codes[~is_unknown]
    used = _told(known) & _all_told(others, codes[is_unknown], len(places))[place]
    of_place, _ = sum_strata(others, codes[is_unknown], pd.DataFrame(index=range(len(places))), "proportion")
    of_group, of_unknown = (
        sum_used(known, used, "proportion"),
        sum_used(of_place.take(place), used, "proportion"),
    )
    x, n, x_u, n_u = (
        block[:, 0] for part in (of_group, of_unknown) for block in (part.numerator, part.denominator)
    )
    return known.strata.assign(**_bounds(x, n, x_u, n_u), n_periods=used.sum(axis=1))


def _bounds(x: Floats, n: Floats, x_u: Floats, n_u: Floats) -> dict[str, Floats]:
    all_in = value_of("proportion", x + x_u, n + n_u)
    lowest = value_of("proportion", x, n + n_u - x_u)
    highest = value_of("proportion", x + x_u, n + x_u)
    return {
        "events": x,
        "births": n,
        "unknown_events": x_u,
        "unknown_births": n_u,
        "rate_none": value_of("proportion", x, n),
        "rate_all": all_in,
        # A group without births can only have the rate of the unknown women in it.
        "lowest": np.where(n + n_u - x_u > 0, lowest, all_in),
        "highest": np.where(n + x_u > 0, highest, all_in),
    }


def _unknown_labels(
    series: StratifiedSeries, unknown: str | Sequence[str] | None, what: str
) -> tuple[str, ...]:
    """Give the groups of women whose group is not known: those named, or those of the scheme."""
    regroup.refuse_overlap(series, what)
    if unknown is not None:
        return tuple(
            _validate.one_of("unknown", u, series.groups) for u in _validate.names("unknown", unknown)
        )
    if series.scheme is None or series.grouping is None:
        raise OptionError(
            f"{what} is not possible: the groups of this series belong to no grouping of a scheme, so it is "
            "not said which women's group is unknown; name those groups in unknown=, or the scheme when the "
            f"series is made. The groups are: {', '.join(map(repr, series.groups))}."
        )
    return series.scheme.unknown


def _part_of(unknown: Sequence[str], group: pd.Series) -> pd.Categorical[str]:
    """Give the part of each group: known, or which kind of unknown."""
    kinds = {u: _UNKNOWN_PARTS.get(u.lower(), "not_known") for u in unknown}
    part = np.array([PARTS.index(kinds.get(label, "known")) for label in group.cat.categories])
    return pd.Categorical.from_codes(part[group.cat.codes.to_numpy()], categories=pd.Index(PARTS))


def _shares(cells: Cells) -> pd.DataFrame:
    """Put births by part side by side, one row a place and period."""
    codes, places = regroup.distinct(cells.strata.drop(columns="group"))
    together, _ = sum_strata(cells, codes, places, "count")
    count = np.full((len(PARTS), *together.numerator.shape), np.nan)
    part = np.array([PARTS.index(label) for label in cells.strata["group"]])
    count[part, codes] = cells.numerator
    table = together.frame()[[*places.columns, "period", "numerator"]].rename(columns={"numerator": "births"})
    # Where no unknown group was reported, that all are known would be a guess.
    births_told = np.where(np.isnan(count[1:]).all(axis=0), np.nan, together.numerator)
    for name, births in zip(PARTS, count, strict=True):
        table[name] = value_of("proportion", births, births_told).ravel()
    for name, births in zip(PARTS, count, strict=True):
        table[f"n_{name}"] = births.ravel()
    return table.assign(n_periods=_told(together).ravel().astype(np.int64))


def _births(cells: Cells) -> Cells:
    """Give cells that count births as such, whether or not their outcome is known."""
    births = cells.denominator + np.nan_to_num(cells.unrecorded)
    unknown = np.where(cells.status == SUPPRESSED, SUPPRESSED, MISSING)
    status = np.where(np.isnan(births), unknown, np.where(cells.reported, cells.status, OBSERVED)).astype(
        np.int8
    )
    return replace(cells, numerator=births, status=status)


def _told(cells: Cells) -> Bools:
    """Cells of which something was reported, if only that it is suppressed."""
    told: Bools = cells.status != MISSING
    return told


def _all_told(cells: Cells, codes: Ints, size: int) -> Bools:
    """Periods in which every stratum of a place that ever reports has reported, shape (size, T)."""
    told = _told(cells)
    never = ~told.any(axis=1, keepdims=True)
    all_told = np.ones((size, told.shape[1]), dtype=np.bool_)
    np.logical_and.at(all_told, codes, told | never)
    return all_told
