"""What the last point of each group says, site by site and measure by measure, in one word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.strata import ALL
from qi_equity.pdsa.calls.charting import strata_of
from qi_equity.pdsa.records.network import Network
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.notes import SHORT_PHASE

if TYPE_CHECKING:
    from qi_equity.pdsa.records.project import Project

__all__ = ["STATES", "grid", "roles"]

STATES = ("improvement", "concern", "neutral", "common cause", "not yet visible", "no data")
"""States of a cell. ``neutral``: a special cause that is neither better nor worse, or has no direction."""

NOT_VISIBLE, NO_DATA = STATES[-2:]
COMMON = STATES[3]
_AND = " and "

COLUMNS = ("site", "measure", "role", "group", "state", "reason", "last")

Texts = npt.NDArray[np.object_]


def grid(
    charts: Mapping[str, ControlChart],
    pooled: Mapping[str, ControlChart],
    found: pd.DataFrame,
    used: Mapping[tuple[str, str], str],
    sites: Sequence[str],
    within: float,
) -> pd.DataFrame:
    """Give one row a measure and group, of all sites together and then of each site: ``COLUMNS``.

    Parameters
    ----------
    charts : mapping of str to ControlChart
        Charts of the sites, by measure.
    pooled : mapping of str to ControlChart
        Charts of all sites together, by measure.
    found : pandas.DataFrame
        Frame ``detection``.
    used : mapping of (str, str) to str
        Role of each site and measure.
    sites : sequence of str
        Sites of the network; those that the data do not hold are rows too.
    within : float
        Months in which a change should show.

    Returns
    -------
    pandas.DataFrame
        ``last`` is the last month with a value; ``site`` is missing where all sites are together.
    """
    together = found["site"].isna()
    parts = [
        _of_chart(chart, found[rows & (found["measure"] == name)], within)
        for rows, some in ((together, pooled), (~together, charts))
        for name, chart in some.items()
    ]
    parts += [_absent(name, chart, sites) for name, chart in charts.items()]
    table = pd.concat(parts, ignore_index=True)
    table["role"] = _role(table, used)
    rank = {site: k for k, site in enumerate(sites)}
    order = table["site"].map(rank).fillna(-1).to_numpy().argsort(kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    table["state"] = pd.Categorical(table["state"], categories=pd.Index(STATES, dtype="str"))
    return table[list(COLUMNS)]


def _role(table: pd.DataFrame, used: Mapping[tuple[str, str], str]) -> pd.Series:
    """Give the role of each row; of all sites together every role that a site gives the measure."""
    of_all: dict[str, dict[str, None]] = {}
    for (_, measure), role in used.items():
        of_all.setdefault(measure, {}).update(dict.fromkeys(role.split(_AND)))
    found = [
        _AND.join(of_all.get(measure, ())) if pd.isna(site) else used.get((site, measure), "")
        for site, measure in zip(table["site"], table["measure"], strict=True)
    ]
    told = pd.Series(found, index=table.index, dtype="str")
    return told.where(told != "", None)


def roles(network: Network) -> dict[tuple[str, str], str]:
    """Give the role of each site and measure, of several projects joined."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for project in network.projects:
        _add_roles(found, project)
    return {key: _AND.join(names) for key, names in found.items()}


def _add_roles(found: dict[tuple[str, str], dict[str, None]], project: Project) -> None:
    for use in project.measures:
        found.setdefault((project.site, use.name), {})[use.role] = None


def _of_chart(chart: ControlChart, found: pd.DataFrame, within: float) -> pd.DataFrame:
    icons = chart.icons()
    variation = icons["variation"].astype("str").to_numpy(dtype=object)
    why = icons["variation_text"].to_numpy(dtype=object)
    last, absent = _last_value(chart)
    hidden = _hidden(found, within)
    unjudged = variation == "none"
    unseen = (variation == COMMON) & (hidden != "")
    state = np.select(
        [absent != "", unjudged | unseen], [NO_DATA, NOT_VISIBLE], variation.astype("str")
    ).astype(object)
    reason = np.where(absent != "", absent, np.where(unseen, hidden, why))
    strata = strata_of(chart)
    return strata.assign(
        measure=pd.Series([chart.series.measure.name] * len(strata), dtype="str"),
        state=pd.Series(state, dtype="str"),
        reason=pd.Series(reason, dtype="str"),
        last=last,
    )


def _last_value(chart: ControlChart) -> tuple[npt.NDArray[np.datetime64], Texts]:
    """Give the last month with a value, and why there is none in the last month of the series."""
    cells = chart.series.cells
    value = cells.frame()["value"].to_numpy(dtype=float).reshape(cells.status.shape)
    status = cells.frame()["status"].astype("str").to_numpy(dtype=object).reshape(cells.status.shape)
    there = np.isfinite(value) & (status == "observed")
    periods = np.asarray(cells.periods).astype("datetime64[us]")
    at = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    some = there.any(axis=1)
    last = np.where(some, periods[at], np.datetime64("NaT", "us"))
    month = str(periods[-1].astype("datetime64[M]"))
    now = status[:, -1]
    why = np.select(
        [there[:, -1], now == "missing", now == "suppressed", now == "provisional"],
        ["", f"Not reported for {month}.", f"Withheld for {month}: a small number.",
         f"Only provisional for {month}."],
        f"No births in {month}.",
    ).astype(object)  # fmt: skip
    months = np.datetime_as_string(last.astype("datetime64[M]"))
    earlier = np.array(
        [f" The last value is of {m}." if s else " There is no earlier value." for m, s in
         zip(months.tolist(), some.tolist(), strict=True)], dtype=object,
    )  # fmt: skip
    return last, np.where(why == "", "", why + earlier)


def _hidden(found: pd.DataFrame, within: float) -> Texts:
    """Say why a chart without a signal does not show that nothing changed; empty where it could have."""
    points = found["points"].to_numpy(dtype=float)
    better = found["can_signal_improvement"].to_numpy(dtype=object) == "no"
    worse = found["can_signal_deterioration"].to_numpy(dtype=object) == "no"
    months = found["months_to_detect"].to_numpy(dtype=float)
    slow = ~(months <= within) & ~np.isnan(months)
    told = [
        f"No signal, but the chart cannot signal {_sides(b, w)}." if b or w else
        f"No signal, but the lines come from {int(n)} months only, fewer than {SHORT_PHASE}."
        if n < SHORT_PHASE else
        f"No signal, but a change of that size would take {_months(m)} to show." if s else ""
        for b, w, n, m, s in zip(
            better.tolist(), worse.tolist(), points.tolist(), months.tolist(), slow.tolist(), strict=True
        )
    ]  # fmt: skip
    return np.array(told, dtype=object)


def _sides(better: bool, worse: bool) -> str:
    if better and worse:
        return "anything"
    return "improvement" if better else "deterioration"


def _months(months: float) -> str:
    return f"about {months:.0f} months" if np.isfinite(months) else "longer than can be reckoned"


def _absent(name: str, chart: ControlChart, sites: Sequence[str]) -> pd.DataFrame:
    """Give rows for sites that the data do not hold."""
    groups = chart.series.groups or (ALL,)
    missing = [site for site in sites if site not in chart.series.sites]
    rows = [(site, group) for site in missing for group in groups]
    table = pd.DataFrame(rows, columns=["site", "group"], dtype="object").astype("str")
    return table.assign(
        measure=pd.Series([name] * len(rows), dtype="str"),
        state=pd.Series([NO_DATA] * len(rows), dtype="str"),
        reason=pd.Series(["The data hold nothing of this site."] * len(rows), dtype="str"),
        last=np.full(len(rows), np.datetime64("NaT", "us")),
    )
