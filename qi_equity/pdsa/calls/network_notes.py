"""What the reader must know of the page on all sites together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from qi_equity import _result
from qi_equity.equity.gaps import GapTable
from qi_equity.pdsa.calls.charting import pooled_or_why
from qi_equity.pdsa.calls.gap_frame import NOT_KNOWN, why_no_gaps
from qi_equity.pdsa.calls.grid import NOT_VISIBLE
from qi_equity.spc.chart import ControlChart

__all__ = ["ALL_SITES", "network_notes"]

ALL_SITES = "All sites"

_NO_PHASES = (
    "Charts of all sites together have no phases: changes begin at different times at the sites, and a step "
    "at one of them is no step of all. Their lines come from all months, and marks of cycles stand under the "
    "charts of the sites. That a rate of all sites moves can also come from a site with more or fewer births."
)
# Notes of a table of gaps that are about it as a whole or about a gap, not about the series.
_OF_GAPS = (
    "orientation", "group_not_known", "rest_is_of_known_group", "rest_in_part", "zero_events",
    "ratio_without_bound", "not_yet_visible", "scales_disagree", "narrowed_by_reference",
)  # fmt: skip


def network_notes(
    charts: Mapping[str, ControlChart],
    pooled: Mapping[str, ControlChart],
    tables: Mapping[str, GapTable],
    frames: Mapping[str, pd.DataFrame],
    sites: Sequence[str],
) -> pd.DataFrame:
    """Give the notes on all sites together, each with a text that says so.

    Parameters
    ----------
    charts, pooled : mapping of str to ControlChart
        Charts of the sites, and of all sites together.
    tables : mapping of str to GapTable
        Gaps of all sites together.
    frames : mapping of str to pandas.DataFrame
        Frames ``grid`` and ``gaps``.
    sites : sequence of str
        The sites that are reviewed.

    Returns
    -------
    pandas.DataFrame
        As every ``notes``; none for a review of one site.
    """
    if len(sites) < 2:
        return _result.notes([])
    parts = [_result.note("all_sites_without_phases", "info", _NO_PHASES)] if pooled else []
    parts += [_hidden(frames["grid"]), *_refused(charts, pooled), _chance(frames["gaps"])]
    for name, chart in pooled.items():
        parts.append(_told(name, chart.notes))
        if name in tables:
            notes = tables[name].notes
            parts.append(_told(f"gaps in {name}", notes[notes["code"].isin(_OF_GAPS)]))
    return _result.notes(parts)


def _told(what: str, notes: pd.DataFrame) -> pd.DataFrame:
    return notes.assign(text=f"{ALL_SITES}, {what}: " + notes["text"])


def _hidden(grid: pd.DataFrame) -> pd.DataFrame:
    rows = grid[grid["site"].isna() & (grid["state"] == NOT_VISIBLE)]
    texts = [f"{m}: not yet visible. {why}" for m, why in zip(rows["measure"], rows["reason"], strict=True)]
    return _result.note(
        "not_yet_visible", "caution", [f"{ALL_SITES}, {text}" for text in texts], rows[["group"]]
    )


def _refused(charts: Mapping[str, ControlChart], pooled: Mapping[str, ControlChart]) -> list[pd.DataFrame]:
    """Say of which measures there is no chart of all sites, or no gap."""
    parts = []
    for name, chart in charts.items():
        why = {} if name in pooled else {"not_pooled": pooled_or_why(chart.series)}
        why["no_gaps"] = why_no_gaps(chart.series)
        parts += [
            _result.note(code, "info", f"{ALL_SITES}, {name}: {text}") for code, text in why.items() if text
        ]
    return parts


def _chance(gaps: pd.DataFrame) -> pd.DataFrame:
    """Say how many gaps would be read as worse or better if there were none."""
    known = gaps[gaps["site"].isna() & (gaps["gap"] != NOT_KNOWN)]
    if not len(known):
        return _result.notes([])
    text = (
        f"{ALL_SITES}: of {len(known)} gaps with intervals of 95 % confidence about {0.05 * len(known):.1f} "
        "would be read as worse or better if there were none."
    )
    return _result.note("gaps_by_chance", "info", text)
