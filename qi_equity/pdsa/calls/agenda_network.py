"""The first page of an agenda: each group over all sites together, and its gap to everyone else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from qi_equity.equity.gap_columns import REVERSED, WITHOUT_EVENT
from qi_equity.equity.gap_notes import gap_amount
from qi_equity.pdsa.calls.gap_frame import NOT_KNOWN, NOT_VISIBLE
from qi_equity.pdsa.calls.text import SAID, months, rows_of, safe, table
from qi_equity.spc.words import amount

if TYPE_CHECKING:
    from qi_equity.data.measure import Measure
    from qi_equity.pdsa.calls.result import Review

__all__ = ["network_page"]

_READ = (
    "Each group over all sites together, where small groups become visible first. Gaps are to everyone else "
    "whose group is known, with 95 % intervals; *worse* and *better* are said of the group, and *not yet "
    "visible* is not the same as no gap. Women whose group is not known are rows, not a group: who is asked "
    "can depend on the outcome."
)
_TURNED = {
    WITHOUT_EVENT: "More is better here, so gaps are reckoned on the women without it.",
    REVERSED: "More is better here, so gaps are everyone else less the group, and everyone else over it.",
}


def network_page(review: Review) -> list[str]:
    """Give a table a measure; nothing where all sites together are not looked at."""
    if not review.network_charts:
        return []
    parts = ["## The network", _READ]
    for measure in review.network_charts:
        parts += _of_measure(review, measure)
    return parts


def _of_measure(review: Review, measure: str) -> list[str]:
    gaps = _together(review.gaps, measure)
    grid = _together(review.grid, measure).set_index("group")["state"].astype("str").replace(SAID)
    wait = _together(review.detection, measure).set_index("group")["months_to_detect"]
    of = review.network_charts[measure].series.measure
    spans = list(dict.fromkeys(gaps["span"]))
    by_group = {
        group: {row.span: row for row in rows_of(part)} for group, part in gaps.groupby("group", sort=False)
    }
    rows = [
        [safe(group), f"{grid[group]} ({months(wait[group])})",
         *(cell for span in spans for cell in _cells(of, by_group.get(group, {}).get(span)))]
        for group in grid.index
    ]  # fmt: skip
    head = ["Group", f"Chart ({_shows(review)})"]
    head += [cell for span in spans for cell in (f"Rate, {span}", "Gap")]
    return [f"### {safe(measure)}, all sites", _turned(gaps), table(head, rows)]


def _together(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    return frame[frame["site"].isna() & (frame["measure"] == measure)]


def _shows(review: Review) -> str:
    return f"a {change_in_words(review.options['change'])} shows after, on average"


def change_in_words(change: float) -> str:
    """Name a change of the adverse rate."""
    plain = {0.5: "halving of", 2.0: "doubling of"}
    return f"{plain.get(change, f'change to {change:g} times')} the adverse rate"


def _turned(gaps: pd.DataFrame) -> str:
    """Say on what gaps are reckoned, where it is not the event itself."""
    return " ".join(_TURNED[way] for way in dict.fromkeys(gaps["orientation"]) if way in _TURNED)


def _cells(of: Measure, row: Any) -> tuple[str, str]:
    """Give the rate of a span and the gap, absolute and relative, with what they say first."""
    if row is None or pd.isna(row.rate):
        return "not known", NOT_KNOWN
    rate = f"{amount(of, row.rate)} of {row.births:,.0f}" if pd.notna(row.births) else amount(of, row.rate)
    if row.gap == NOT_KNOWN:
        return rate, NOT_KNOWN
    ends = ", ".join(
        [_range(of, row), f"{row.ratio:.2f} times ({row.ratio_lower:.2f} to {row.ratio_upper:.2f})"]
    )
    word = NOT_VISIBLE if row.gap == NOT_VISIBLE else f"**{row.gap}**"
    return rate, f"{word}: {ends}" + ("" if row.reliable else "; few births")


def _range(of: Measure, row: Any) -> str:
    """Write a difference with its interval, and the unit once."""
    low, high = (of.multiplier * end for end in (row.difference_lower, row.difference_upper))
    value, *unit = gap_amount(of, row.difference).split(" ", 1)
    return " ".join([value, f"({low:.3g} to {high:.3g})", *unit])
