"""PDSA cycles in words: each for the description of a figure, and those that no panel can mark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._record_words import PURPOSES, brief, day, one_line, span
from qi_equity.spc.words import and_list, plural

Bools = NDArray[np.bool_]

MEANING = (
    "Bars under the data are PDSA cycles, each as long as it took and named where there is room; those of "
    "all groups or sites stand in each panel. They say what was tried and when, not what caused a change."
)
NO_ROOM = (
    "Counted under the bars: cycles that overlap with more than two others; the figure's description names "
    "them."
)
_MOST_NAMED = 3
_MOST_DECIDED = 6
_UNDECIDED = "ended, no decision yet"


def sign_of(cycle: Any) -> str:
    """Give what stands at the end of a cycle: its decision, or that there is none, or no end."""
    return style.UNDER_WAY if pd.isna(cycle.end) else cycle.decision or style.UNDECIDED


def cycle_text(cycle: Any) -> str:
    """Name a cycle with purpose, dates and decision."""
    if pd.isna(cycle.end):
        when, how = f"from {day(cycle.start)}", "under way"
        if cycle.decision:
            how = f"decided: {cycle.decision}; no end recorded"
    else:
        when, how = span(cycle.start, cycle.end), cycle.decision or _UNDECIDED
    return f"{one_line(cycle.label)} ({PURPOSES[cycle.purpose]}, {when}): {how}"


def cycles_text(cycles: pd.DataFrame) -> str:
    """Describe the cycles under a panel."""
    told = [cycle_text(cycle) for cycle in cycles.itertuples()]
    return f"PDSA cycles: {'; '.join(told)}." if told else "PDSA cycles: none."


def not_marked(cycles: pd.DataFrame, strata: pd.DataFrame, outside: Bools) -> list[str]:
    """Say why cycles that no panel marks are not there; each cycle counts once, by the first reason.

    ``cycles`` are those left over, a row a cycle; ``outside`` tells which lie outside the figure's dates.
    """
    undated = cycles["start"].isna().to_numpy(bool)
    sites = cycles["site"].notna().to_numpy(bool)
    elsewhere = "of sites that are not in the figure"
    if "site" in strata:
        sites = sites & ~cycles["site"].isin(strata["site"].astype("str")).to_numpy(bool)
    else:
        # Those of the only site that is named are of the figure.
        sites = sites & (len(set(cycles["site"].dropna())) > 1)
        elsewhere = "of several sites, which the figure does not tell apart"
    absent = ~cycles["group"].isin(strata["group"].astype("str")).to_numpy(bool)
    groups = absent & cycles["group"].notna().to_numpy(bool)
    parts, left = [], np.ones(len(cycles), dtype=np.bool_)
    for mask, told, named in (
        (undated, "without a start date", "label"),
        (sites, elsewhere, "site"),
        (groups, "of groups that are not in the figure", "group"),
        (outside, "outside its dates", "label"),
        (left, "of a site and group without a panel", "label"),
    ):
        some = cycles[mask & left]
        left = left & ~mask
        if len(some):
            parts.append(f"{len(some)} {told} ({_few(some[named])})")
    return parts


def _few(names: pd.Series) -> str:
    distinct = list(dict.fromkeys(map(brief, names)))
    more = len(distinct) - _MOST_NAMED
    return and_list([*distinct[:_MOST_NAMED], *([f"{more} more"] if more > 0 else [])])


def ended_later(cycles: pd.DataFrame) -> list[str]:
    """Tell the decisions of cycles that ended after the last period, and so have no place for them."""
    if not len(cycles):
        return []
    told = [
        f"{brief(label)}: {decision or _UNDECIDED}"
        for label, decision in zip(cycles["label"], cycles["decision"], strict=True)
    ]
    more = len(told) - _MOST_DECIDED
    told = [*told[:_MOST_DECIDED], *([f"and {more} more"] if more > 0 else [])]
    return [f"Ended after the last period: {'; '.join(told)}"]


def hidden_text(hidden: int) -> str:
    """Count the cycles for which a panel has no row left."""
    return f"+{plural(hidden, 'cycle')}"
