"""The fewest sites over which a group has to be pooled for a change of it to show in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        Names of the sites: the stratum's own first where it is not among the largest, then those with most
        births of the group; empty without sites.
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

    Each stratum's own site is among them: alone where it is enough, on top of the others where it is not one
    of the largest. ``step`` is the
    length of a period in months.
    """
    group, names = _groups(plan)
    births, events = np.nan_to_num(plan.births), np.nan_to_num(plan.events)
    order = np.lexsort((np.arange(group.size), -births, group))
    rank, n, x = _running(group[order], births[order], events[order])
    wait = _months(plan, change, false_alarm_months, step)
    last = _chosen(group[order], wait(n, x)[2] <= within)[group]
    # Back from the order of births to that of the strata, each with its group's choice and its own site.
    place = np.empty(group.size, dtype=np.int64)
    place[order] = np.arange(group.size)
    alone = wait(births, events)[2] <= within
    own = alone | (place > last)
    size = np.where(alone, 0, n[last]) + np.where(own, births, 0)
    before, after, months = wait(size, np.where(alone, 0, x[last]) + np.where(own, events, 0))
    largest = {int(k): names[order][k - rank[k] : k + 1].tolist() for k in np.unique(last)}
    named = [
        [*([name] if first else []), *([] if enough else largest[int(k)])]
        for name, first, enough, k in zip(names, own, alone, last, strict=True)
    ]
    return PooledSites(
        sites=tuple(" + ".join(map(str, one)) for one in named),
        number=np.where(alone, 0, rank[last] + 1) + own,
        births=size,
        before=before,
        after=after,
        months=months,
    )


def _groups(plan: Plan) -> tuple[Ints, NDArray[np.object_]]:
    """Give the number of each group (with further strata), and the site of each stratum; empty without."""
    strata = plan.strata
    keys = [c for c in strata.columns if c != "site"]
    if keys:
        code = strata.groupby(keys, observed=True, dropna=False, sort=False).ngroup().to_numpy()
    else:
        code = np.zeros(len(strata), dtype=np.int64)
    names = (
        strata["site"].astype("str").to_numpy(dtype=object) if "site" in strata else np.full(len(strata), "")
    )
    return code.astype(np.int64), names


def _months(
    plan: Plan, change: float, false_alarm_months: float, step: float
) -> Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]:
    """Give the function of births and events a month that reckons both rates and the wait of a CUSUM."""

    def wait(births: Floats, events: Floats) -> tuple[Floats, Floats, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            before = np.where(births > 0, events / births, np.nan)
        after, _ = changed_rate(plan.series, before, change)
        wanted = np.full(births.shape, false_alarm_months)
        found = tuned("cusum", Design(births, before, after, wanted, plan.family, step))
        return before, after, found.months_to_detect

    return wait


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
