"""Charts of a review: of each site, and of each group over all sites together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import OptionError
from qi_equity.pdsa.calls.written import Phases
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.control import control_chart
from qi_equity.spc.notes import SHORT_PHASE
from qi_equity.spc.rules import RuleSet

__all__ = ["changes_of", "charts_of_sites", "pooled_charts", "pooled_or_why", "splits", "strata_of"]

_KEYS = ["site", "group"]


def splits(phases: pd.DataFrame, month: str) -> pd.Series:
    """Tell which changes start a phase: those with at least ``SHORT_PHASE`` months of their own by the month.

    With fewer months lines show nothing; compared with the lines from before, what a change shifts can show.

    Parameters
    ----------
    phases : pandas.DataFrame
        Frame ``phases`` of a review.
    month : str
        The month.

    Returns
    -------
    pandas.Series of bool
        One a row.
    """
    start = phases["start"].to_numpy(dtype="datetime64[D]")
    first = start.astype("datetime64[M]")
    # A phase starts with the first whole month.
    first = np.where(first.astype("datetime64[D]") < start, first + 1, first)
    months = (np.datetime64(month, "M") - first).astype(np.int64) + 1
    return pd.Series(months >= SHORT_PHASE, index=phases.index)


def changes_of(phases: pd.DataFrame, month: str, measure: str) -> Phases | None:
    """Give the changes that start phases of a measure, for its chart; None where there are none."""
    own = phases[splits(phases, month) & (phases["measure"] == measure)]
    return Phases(own) if len(own) else None


def charts_of_sites(
    series: Mapping[str, StratifiedSeries],
    month: str,
    sites: Sequence[str],
    phases: pd.DataFrame | None,
    rules: RuleSet,
) -> dict[str, ControlChart]:
    """Make one chart a measure, of all its strata to the month.

    Parameters
    ----------
    series : mapping of str to StratifiedSeries
        By name of the measure.
    month : str
        The last month.
    sites : sequence of str
        The sites that are reviewed.
    phases : pandas.DataFrame, optional
        Frame ``phases``. Default: no phases.
    rules : RuleSet
        Rules of the charts.

    Returns
    -------
    dict of str to ControlChart
        Measures of which the sites have no data are not in it.
    """
    found = {}
    for name, one in series.items():
        kept = [site for site in one.sites if site in sites]
        if kept:
            cut = one.select(site=kept, end=month)
            changes = None if phases is None else changes_of(phases, month, name)
            found[name] = control_chart(cut, phases=changes, rules=rules)
    return found


def pooled_charts(charts: Mapping[str, ControlChart], sites: Sequence[str]) -> dict[str, ControlChart]:
    """Make one chart a measure, of each group over all sites together.

    Changes begin at different times at the sites, so these charts have no phases.

    Parameters
    ----------
    charts : mapping of str to ControlChart
        Charts of the sites, by measure.
    sites : sequence of str
        The sites that are reviewed; one of them has nothing to be pooled.

    Returns
    -------
    dict of str to ControlChart
        Measures that cannot be pooled are not in it.
    """
    if len(sites) < 2:
        return {}
    pooled = {name: pooled_or_why(chart.series) for name, chart in charts.items()}
    return {
        name: control_chart(one, rules=charts[name].rules)
        for name, one in pooled.items()
        if isinstance(one, StratifiedSeries)
    }


def pooled_or_why(series: StratifiedSeries) -> StratifiedSeries | str:
    """Sum a series over its sites, or say why that cannot be done."""
    try:
        return series.pool("site")
    except OptionError as error:
        return str(error)


def strata_of(chart: ControlChart) -> pd.DataFrame:
    """Give site and group of each stratum; the site is missing where all sites are together."""
    strata = chart.strata.astype("str")
    if "site" not in strata:
        strata = strata.assign(site=pd.Series([None] * len(strata), dtype="str"))
    return strata[_KEYS]
