"""Gaps of a review: every group beside everyone else, over a year and the year before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data import regroup
from qi_equity.data.series import StratifiedSeries
from qi_equity.equity.gaps import GapTable
from qi_equity.equity.gaps import gaps as gaps_of
from qi_equity.errors import OptionError
from qi_equity.spc.chart import ControlChart

__all__ = ["COLUMNS", "MONTHS", "NOT_KNOWN", "gap_frame", "gap_tables", "why_no_gaps"]

MONTHS = 12
"""Months in each of the two spans."""

NOT_KNOWN, NOT_VISIBLE = "not known", "not yet visible"

COLUMNS: Mapping[str, str] = {
    "measure": "str", "site": "str", "group": "str", "span": "str", "start": "datetime64[us]",
    "end": "datetime64[us]", "n_periods": "int64", "events": "float64", "births": "float64",
    "rate": "float64", "reference_events": "float64", "reference_births": "float64",
    "reference_rate": "float64", "orientation": "str", "difference": "float64",
    "difference_lower": "float64", "difference_upper": "float64", "ratio": "float64",
    "ratio_lower": "float64", "ratio_upper": "float64", "gap": "str", "reliable": "bool",
    "reliability": "str", "status": "str",
}  # fmt: skip
"""Columns and their types."""


def gap_tables(charts: Mapping[str, ControlChart], month: str) -> dict[str, GapTable]:
    """Compare each group with everyone else in the year to the month and in the year before, by measure.

    Parameters
    ----------
    charts : mapping of str to ControlChart
        Charts by measure.
    month : str
        The last month of the second span.

    Returns
    -------
    dict of str to GapTable
        Measures without gaps are not in it.
    """
    return {
        name: _table(chart.series, month) for name, chart in charts.items() if not why_no_gaps(chart.series)
    }


def gap_frame(tables: Sequence[GapTable]) -> pd.DataFrame:
    """Put gaps together: ``COLUMNS``, ``site`` missing where all sites are together."""
    parts = [_rows(table) for table in tables]
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
    return pd.concat(parts, ignore_index=True) if parts else empty


def why_no_gaps(series: StratifiedSeries) -> str:
    """Say why groups cannot be compared with everyone else; empty where they can."""
    if len(series.groups) < 2:
        return "The data hold no groups to compare."
    if series.measure.kind == "count":
        return "These are counts without births: a larger group has more events."
    try:
        regroup.refuse_overlap(series, "A gap to everyone else")
        regroup.refuse_unknown_sizes(series, "A gap over several months")
    except OptionError as error:
        return str(error)
    return ""


def _table(series: StratifiedSeries, month: str) -> GapTable:
    last = np.datetime64(month, "M") - (MONTHS - 1)
    first = max(str(last - MONTHS), series.periods[0])
    recent = series.select(start=first, end=month)
    if first >= str(last):
        return gaps_of(recent, reference="rest")
    starts = pd.DataFrame({"start": [str(last)], "reason": [f"the {MONTHS} months to the call"]})
    return gaps_of(recent, reference="rest", over=starts)


def _rows(found: GapTable) -> pd.DataFrame:
    table, measure = found.table, found.spans.series.measure
    if "site" not in table:
        table = table.assign(site=None)
    texts = {
        name: table[name].astype("str").where(table[name].notna(), None)
        for name, kind in COLUMNS.items()
        if kind == "str" and name in table
    }
    name = pd.Series([measure.name] * len(table), dtype="str")
    whole = table.assign(measure=name, gap=_read(table, measure.better is None), **texts)
    return whole[list(COLUMNS)].astype(dict(COLUMNS))


def _read(table: pd.DataFrame, undirected: bool) -> npt.NDArray[np.object_]:
    """Say in a word what the intervals say: both must leave out no gap."""
    worse, better = ("higher", "lower") if undirected else ("worse", "better")
    ends: Sequence[str] = ("difference_lower", "difference_upper", "ratio_lower", "ratio_upper")
    low, high, least, most = (table[name].to_numpy(dtype=float) for name in ends)
    hidden = ((low <= 0) & (high >= 0)) | ((least <= 1) & (most >= 1))
    words: npt.NDArray[np.object_] = np.select(
        [np.isnan(low), hidden, low > 0], [NOT_KNOWN, NOT_VISIBLE, worse], better
    ).astype(object)
    return words
