"""What a review is asked for: the month, the series, the sites; all that is wrong with them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _validate
from qi_equity.data.periods import read
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.records.network import Network

__all__ = ["last_day", "read_month", "read_series", "read_sites", "since_last_call"]

Given = StratifiedSeries | Sequence[StratifiedSeries] | Mapping[str, StratifiedSeries]


def read_series(series: object) -> dict[str, StratifiedSeries]:
    """Read one series or several, by the name of their measure.

    Raises
    ------
    InputTypeError
        If something else is given.
    OptionError
        If none is given, two are of one measure, or one cannot be reviewed, all that is wrong at once.
    """
    given = list(series.values()) if isinstance(series, Mapping) else _validate.several("series", series)
    wrong = [one for one in given if not isinstance(one, StratifiedSeries)]
    if wrong:
        kinds = ", ".join(dict.fromkeys(type(one).__name__ for one in wrong))
        raise InputTypeError(f"series holds {kinds}; give a StratifiedSeries, or a list or mapping of these.")
    found: list[StratifiedSeries] = [one for one in given if isinstance(one, StratifiedSeries)]
    if not found:
        raise OptionError("series holds nothing; give at least one StratifiedSeries.")
    names = [one.measure.name for one in found]
    problems = [f"{name!r} is there twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    problems += [f"{one.measure.name!r} {told}" for one in found for told in _problems(one)]
    if problems:
        raise OptionError(f"series cannot be reviewed: {'; '.join(problems)}.")
    return dict(zip(names, found, strict=True))


def _problems(series: StratifiedSeries) -> list[str]:
    """Tell why a series cannot be reviewed."""
    told = []
    strata = series.cells.strata
    if "site" not in strata:
        told.append("has no sites (name the column with site= when it is made)")
    further = [c for c in strata.columns if c not in ("site", "group")]
    if further:
        told.append(f"has further strata {further} (sum them with pool({further!r}))")
    if series.measure.kind == "between":
        told.append("holds births or days between events (count events by month from the same records)")
    elif series.every != "month":
        told.append(f"has a point every {series.every} (make it with every='month')")
    if series.window > 1:
        told.append(f"has windows of {series.window} months that overlap (give separate months)")
    return told


def read_month(month: object, series: Mapping[str, StratifiedSeries]) -> str:
    """Read the month, which all series must hold.

    Raises
    ------
    InputTypeError
        If it is no text.
    OptionError
        If it cannot be read, or a series does not hold it.
    """
    if not isinstance(month, str):
        raise InputTypeError(
            f"month={month!r} is of type {type(month).__name__}; give text such as '2024-05'."
        )
    starts, problems = read([month], "month")
    if problems[0] is not None:
        raise OptionError(f"month={month!r} cannot be used: {problems[0]}; give a month such as '2024-05'.")
    label = str(starts.astype("datetime64[M]")[0])
    without = [
        f"{name!r} ({one.periods[0]} to {one.periods[-1]})" if one.periods else f"{name!r} (no month)"
        for name, one in series.items()
        if label not in one.periods
    ]
    if without:
        raise OptionError(f"month={month!r} is not in the series {', '.join(without)}; give one that is.")
    return label


def read_sites(
    network: object, series: Mapping[str, StratifiedSeries], site: object
) -> tuple[Network, tuple[str, ...]]:
    """Check that the network knows every site of the series; give the sites that are reviewed.

    Raises
    ------
    InputTypeError
        If it is no network.
    OptionError
        If it does not know a site.
    """
    if not isinstance(network, Network):
        raise InputTypeError(f"network={network!r:.80} is of type {type(network).__name__}; give a Network.")
    known = [one.name for one in network.sites]
    strange = dict.fromkeys(s for one in series.values() for s in one.sites if s not in known)
    if strange:
        raise OptionError(
            f"series holds sites that the network {network.name!r} does not know: "
            f"{', '.join(map(repr, strange))}. It knows {', '.join(map(repr, known)) or 'none'}; "
            "give sites the same name in both, or put a Site into the network."
        )
    if site is None:
        return network, tuple(known)
    return network, tuple(_validate.one_of("site", s, known) for s in _validate.names("site", site))


def last_day(month: str) -> date:
    """Give the last day of a month such as 2024-05."""
    following = (np.datetime64(month, "M") + 1).astype("datetime64[D]").astype(object)
    day: date = following - timedelta(days=1)
    return day


def since_last_call(network: Network, sites: Sequence[str], month: str) -> pd.DataFrame:
    """Give from when each site's cycles are told: its last data call before the month, or the month before.

    Returns
    -------
    pandas.DataFrame
        ``site, since, call`` (title of the call; missing where there was none).
    """
    first = pd.Timestamp(month).date()
    previous: Any = (np.datetime64(month, "M") - 1).astype("datetime64[D]").astype(object)
    rows = []
    for site in sites:
        calls = [
            meeting
            for meeting in network.meetings
            if meeting.kind == "data call"
            and meeting.date < first
            and (not meeting.sites or site in meeting.sites)
        ]
        last = max(calls, key=lambda meeting: meeting.date, default=None)
        rows.append((site, last.date if last else previous, last.title if last else None))
    table = pd.DataFrame(rows, columns=["site", "since", "call"], dtype="object")
    call = table["call"]
    return table.assign(
        site=table["site"].astype("str"),
        since=table["since"].astype("datetime64[us]"),
        call=call.astype("str").where(call.notna(), None),
    )
