"""What the reader of a review must be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from qi_equity import _result
from qi_equity.pdsa.calls.charting import splits
from qi_equity.pdsa.calls.grid import NOT_VISIBLE
from qi_equity.pdsa.calls.looked import TOGETHER
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.notes import SHORT_PHASE
from qi_equity.spc.words import plural

__all__ = ["false_signals", "review_notes"]

_PHASES = (
    "Points are compared with the lines of their own phase: what a change shifted is the step between "
    "phases, and no signal. Evaluate it with evaluate_change(), or review with phases=False."
)
_NO_PHASE = (
    f"Changes with fewer than {SHORT_PHASE} months of their own start no phase yet: their months have a part "
    "in the lines they are compared with, and what a change shifts shows as a signal, if it shows."
)


def review_notes(
    charts: Mapping[str, ControlChart],
    frames: Mapping[str, pd.DataFrame],
    month: str,
    options: Mapping[str, Any],
) -> pd.DataFrame:
    """Give the notes of a review, then those of its charts, each with the name of its measure."""
    parts = [*_phases(frames, month, options), _not_visible(frames), false_signals(frames["expected"])]
    parts += _records(frames)
    for name, chart in charts.items():
        notes = chart.notes
        parts.append(notes.assign(text=f"{name}: " + notes["text"]))
    return _result.notes(parts)


def _phases(frames: Mapping[str, pd.DataFrame], month: str, options: Mapping[str, Any]) -> list[pd.DataFrame]:
    own = splits(frames["phases"], month)
    parts = []
    if options["phases"] and own.any():
        parts.append(_result.note("compared_within_phases", "caution", _PHASES))
    if options["phases"] and not own.all():
        parts.append(_result.note("changes_without_phase", "caution", _NO_PHASE))
    return parts


def _not_visible(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Say, group by group, that what cannot be seen is not the same as nothing."""
    table = frames["grid"]
    hidden = table[table["site"].notna() & (table["state"] == NOT_VISIBLE)]
    return _result.note(
        "not_yet_visible",
        "caution",
        [f"{m}: not yet visible. {why}" for m, why in zip(hidden["measure"], hidden["reason"], strict=True)],
        hidden[["site", "group"]],
    )


def false_signals(table: pd.DataFrame) -> pd.DataFrame:
    """Set the charts that signalled beside those that would if nothing had changed."""
    signalled, of = int(table["with_signal"].sum()), int(table["charts"].sum())
    together = ", all sites together" if (table["of"] == TOGETHER).any() else ""
    text = (
        f"{plural(signalled, 'chart')} of {of} (groups, sites{together} and phases) signalled since they "
        f"began; if nothing had changed, about {table['expected'].sum():.1f} would have."
    )
    return _result.note("expected_false_signals_of_review", "info", text)


def _records(frames: Mapping[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """Say which sites have no aim, no score, no use of a measure, or no data."""
    sites = frames["calls"]["site"]
    parts = []
    for name, code, text in (
        ("aims", "no_aim", "No aim is recorded."),
        ("progress", "no_progress_score", "No score of progress was set up to this month."),
    ):
        without = sites[~sites.isin(frames[name]["site"])].to_frame()
        parts.append(_result.note(code, "info", [text] * len(without), without))
    table = frames["grid"]
    unused = table.loc[table["site"].notna() & table["role"].isna(), ["site", "measure"]].drop_duplicates()
    texts = [f"{measure}: no project of the site uses this measure." for measure in unused["measure"]]
    parts.append(_result.note("measure_not_used", "info", texts, unused[["site"]]))
    return parts
