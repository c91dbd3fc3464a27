"""The fewest sites over which a group has to be pooled for a change of it to show in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity.data.cells import Floats, Ints
from qi_equity.planning.plan import Plan, changed_rate
from qi_equity.planning.tuned import Design, tuned

__all__ = ["PooledSites", "fewest_sites"]


@dataclass(frozen=True, slots=True, eq=False)
class PooledSites:
    """For each of S strata its group over the sites that are pooled.

    Parameters
    ----------
    sites : tuple of str
        Names of the sites, those with most births of the group first; empty where there is one site only.
    number : ndarray of int, shape (S,)
        How many they are; all there are where not even these are enough.
    births, before, after : ndarray of float, shape (S,)
        Births a month of all of them together, and their rate before and after the change.
    months : ndarray of float, shape (S,)
        Mean months until a CUSUM of their counts shows the change.
    """

    sites: tuple[str, ...]
    number: Ints
    births: Floats
    before: Floats
    after: Floats
    months: Floats


def fewest_sites(
    plan: Plan, change: float, false_alarm_months: float, within: float, step: float
) -> PooledSites:
    """Add site after site to each group, largest first, until a CUSUM of the counts shows the change in time.

    ``step`` is the length of a period in months.
    """
    strata = plan.strata
    keys = [c for c in strata.columns if c != "site"]
    code = (
        strata.groupby(keys, observed=True, dropna=False, sort=False).ngroup() if keys else 0 * strata.index
    )
    group = np.asarray(code, dtype=np.int64)
    births = np.nan_to_num(plan.births)
    order = np.lexsort((np.arange(group.size), -births, group))
    rank, n, x = _running(group[order], births[order], np.nan_to_num(plan.events)[order])
    with np.errstate(divide="ignore", invalid="ignore"):
        before = np.where(n > 0, x / n, np.nan)
    after, _ = changed_rate(plan.series, before, change)
    wanted = np.full(n.shape, false_alarm_months)
    found = tuned("cusum", Design(n, before, after, wanted, plan.family, step)).months_to_detect
    last = _chosen(group[order], found <= within)
    names = strata["site"].astype("str").to_numpy()[order] if "site" in strata else np.full(group.size, "")
    # Back from the order of births to that of the strata, each with its group's own choice.
    place = last[group]
    texts = {int(k): " + ".join(names[k - rank[k] : k + 1]) for k in np.unique(last)}
    return PooledSites(
        sites=tuple(texts[int(k)] if rank[k] or len(plan.series.sites) > 1 else "" for k in place),
        number=rank[place] + 1,
        births=n[place],
        before=before[place],
        after=after[place],
        months=found[place],
    )


def _running(group: Ints, births: Floats, events: Floats) -> tuple[Ints, Floats, Floats]:
    """Count the sites of each group from 0, and sum births and events so far."""
    start = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(start, group.size))
    first = np.repeat(start, size)
    sums = [np.cumsum(a) - np.repeat(np.cumsum(a)[start] - a[start], size) for a in (births, events)]
    return np.arange(group.size) - first, sums[0], sums[1]


def _chosen(group: Ints, enough: np.ndarray) -> Ints:
    """Give the place of the first number of sites that is enough, or of all, one a group."""
    start = np.flatnonzero(np.diff(group, prepend=-1))
    end = np.append(start[1:], group.size) - 1
    places = np.where(enough, np.arange(group.size), group.size)
    first = np.minimum.reduceat(places, start)
    return np.where(first < group.size, first, end)
