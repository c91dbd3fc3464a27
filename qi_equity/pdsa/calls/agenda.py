"""A review as the agenda of a call, in Markdown: the network first, then site by site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from qi_equity.pdsa.calls.agenda_network import network_page
from qi_equity.pdsa.calls.agenda_site import site_page
from qi_equity.pdsa.calls.grid import NO_DATA
from qi_equity.pdsa.calls.looked import TOGETHER
from qi_equity.pdsa.calls.text import SAID, known, rows_of, safe, table
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.pdsa.calls.result import Review

__all__ = ["markdown"]

_MEANING = {
    "improvement": "the month takes part in a signal for the better",
    "concern": "in one for the worse",
    "special cause": "in one that is neither, or has no side",
    "common cause": "no signal, where one could have shown",
    "not yet visible": "too little to show a change, which is not the same as no change",
    "no data": "no final value of the month",
}


def markdown(review: Review) -> str:
    """Write the agenda."""
    parts = [
        f"# {safe(review.network)}: data call on {review.month}",
        *network_page(review),
        *_states(review),
        *_signals(review),
        *(line for site in review.sites for line in site_page(review, site)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _states(review: Review) -> list[str]:
    """Give a table a measure: sites down, groups across, one word a cell."""
    grid = review.grid
    grid = grid[grid["site"].notna()].astype({"state": "str"}).replace({"state": SAID})
    there = grid[grid.groupby(["measure", "group"])["state"].transform(lambda s: (s != NO_DATA).any())]
    said = [f"{state}: {told}" for state, told in _MEANING.items() if state in set(there["state"])]
    parts = ["## What the charts of each site show", "; ".join(said) + "." if said else ""]
    for measure, part in there.groupby("measure", sort=False):
        parts += [f"### {safe(measure)}", _by_site(part)]
    absent = [g for g in dict.fromkeys(grid["group"]) if g not in set(there["group"])]
    if absent:
        parts.append(f"No data of {review.month}: {', '.join(map(safe, absent))}.")
    return parts


def _by_site(part: pd.DataFrame) -> str:
    """Set sites beside groups."""
    wide = part.pivot(index="site", columns="group", values="state")
    wide = wide.reindex(index=list(dict.fromkeys(part["site"])), columns=list(dict.fromkeys(part["group"])))
    rows = [
        [safe(site), *(known(v, none=NO_DATA) for v in row)]
        for site, row in zip(wide.index, wide.to_numpy(dtype=object), strict=True)
    ]
    return table(["Site", *map(safe, wide.columns)], rows)


def _signals(review: Review) -> list[str]:
    """Give the signals since the last call, and how many false ones to expect."""
    parts = ["## Signals since the last call", *_expected(review)]
    found = review.signals
    if len(found):
        rows = [
            [safe(r.measure), known(r.site, none="**All sites together**"), safe(r.group),
             safe(SAID.get(r.meaning, r.meaning)), safe(r.rule.replace("_", " ")),
             f"{r.start:%Y-%m} to {r.end:%Y-%m}"]
            for r in rows_of(found)
        ]  # fmt: skip
        parts.append(table(["Measure", "Site", "Group", "Meaning", "Rule", "Months"], rows))
    return parts


def _expected(review: Review) -> Sequence[str]:
    rows = [
        [safe(r.measure), "all sites together" if r.of == TOGETHER else "of each site",
         f"{r.signals_now}", f"{r.with_signal} of {plural(r.charts, 'chart')}", f"about {r.expected:.1f}"]
        for r in rows_of(review.expected)
    ]  # fmt: skip
    head = [
        "Measure", "Charts", "Signals now", "Signalled since they began",
        "Would have signalled if nothing had changed",
    ]  # fmt: skip
    return [table(head, rows)] if rows else []
