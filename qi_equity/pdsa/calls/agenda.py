"""A review as the agenda of a call, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.pdsa.calls.grid import NO_DATA
from qi_equity.spc.words import amount, plural

if TYPE_CHECKING:
    from qi_equity.pdsa.calls.result import Review

__all__ = ["markdown"]

_OVERALL = "overall"
_MARKED = "\\`*_{}[]<>#|~"


def markdown(review: Review) -> str:
    """Write the agenda: the network first, then each site."""
    parts = [
        f"# {_safe(review.network)}: data call on {review.month}",
        *_states(review),
        *_signals(review),
        *(line for site in review.sites for line in _site(review, site)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _safe(text: Any) -> str:
    """Write a text so that it is read as one line of plain text."""
    line = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in _MARKED else c for c in line)


def _told(value: Any, *, none: str = "") -> str:
    return none if pd.isna(value) else _safe(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    """Go through the rows, whose values are of any type."""
    yield from table.itertuples(index=False)


def _day(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:%Y-%m-%d}"


def _states(review: Review) -> list[str]:
    """Give a table a measure: sites down, groups across, one word a cell."""
    grid = review.grid
    there = grid[grid.groupby(["measure", "group"])["state"].transform(lambda s: (s != NO_DATA).any())]
    parts = ["## What the charts show"]
    for measure, part in there.groupby("measure", sort=False):
        wide = part.astype({"state": "str"}).pivot(index="site", columns="group", values="state")
        wide = wide.reindex(
            index=list(dict.fromkeys(part["site"])), columns=list(dict.fromkeys(part["group"]))
        )
        rows = [[_safe(site), *(_told(v, none=NO_DATA) for v in row)] for site, row in
                zip(wide.index, wide.to_numpy(dtype=object), strict=True)]  # fmt: skip
        parts += [f"### {_safe(measure)}", _table(["Site", *map(_safe, wide.columns)], rows)]
    absent = [g for g in dict.fromkeys(grid["group"]) if g not in set(there["group"])]
    if absent:
        parts.append(f"No data of {review.month}: {', '.join(map(_safe, absent))}.")
    return parts


def _signals(review: Review) -> list[str]:
    """Give the signals since the last call, and how many false ones to expect."""
    parts = ["## Signals since the last call"]
    for row in _rows(review.expected):
        now, charts = plural(row.signals_now, "signal"), plural(row.charts, "chart")
        parts.append(
            f"{_safe(row.measure)}: {now} now. Of {charts} {row.with_signal} signalled since they began; if "
            f"nothing had changed, about {row.expected:.1f} would have."
        )
    found = review.signals
    if len(found):
        rows = [
            [_safe(r.measure), _safe(r.site), _safe(r.group), _safe(r.meaning),
             _safe(r.rule.replace("_", " ")), f"{r.start:%Y-%m} to {r.end:%Y-%m}"]
            for r in _rows(found)
        ]  # fmt: skip
        parts.append(_table(["Measure", "Site", "Group", "Meaning", "Rule", "Months"], rows))
    return parts


def _site(review: Review, site: str) -> list[str]:
    """Give what there is to say of one site."""
    call = review.calls.set_index("site").loc[site]
    parts = [f"## {_safe(site)}", *_aims(review.aims, site), *_progress(review.progress, site)]
    cycles = _of(review.cycles, site)
    said = f"### Cycles since {_day(call['since'])}" + (
        f" ({_safe(call['call'])})" if pd.notna(call["call"]) else ""
    )
    parts.append(said)
    if not len(cycles):
        parts.append("None is recorded.")
    predictions = _of(review.predictions, site)
    for row in _rows(cycles):
        parts.append(_cycle(row, predictions[predictions["cycle"] == row.cycle]))
    return [*parts, *_data(review, site)]


def _of(table: pd.DataFrame, site: str) -> pd.DataFrame:
    return table[table["site"] == site]


def _aims(aims: pd.DataFrame, site: str) -> list[str]:
    return [
        f"- Aim: {_safe(row.text)}, for {_safe(row.for_whom)}, by {_day(row.by_when)}"
        for row in _rows(_of(aims, site))
    ] or ["- Aim: none is recorded."]


def _progress(progress: pd.DataFrame, site: str) -> list[str]:
    found = []
    for row in _rows(_of(progress, site)):
        by = (
            "by the team itself"
            if row.self_assessed
            else _told(row.assessed_by) and f"by {_safe(row.assessed_by)}"
        )
        why = f": {_safe(row.justification)}" if pd.notna(row.justification) else ""
        scale = f"{row.score:.1f} of 5.0 ({_safe(row.scale_version)})"
        found.append(f"- Progress: {scale}, set {_day(row.date)} {by}".rstrip() + why)
    return found or ["- Progress: no score was set."]


def _cycle(row: Any, predictions: pd.DataFrame) -> str:
    """Give a cycle: what it was, its predictions beside their results, and the decision."""
    state = "under way" if row.under_way else row.status
    decided = f"; decision: {row.decision}" if pd.notna(row.decision) else f"; {state}"
    lines = [f"**{_safe(row.name)}** ({_safe(row.idea)}, {row.purpose}){decided}"]
    lines += [
        f'- {_told(p.group, none=_OVERALL)}: predicted "{_safe(p.prediction)}"; '
        f"{'no result yet' if pd.isna(p.matched) else 'matched: ' + p.matched}"
        + (f". {_safe(p.result)}" if pd.notna(p.result) else "")
        for p in _rows(predictions)
    ]
    further: list[tuple[str, Callable[[Any], Any]]] = [
        ("Learned", lambda r: r.learning),
        ("What follows", lambda r: r.follows),
        ("Not yet visible at the decision", lambda r: r.not_yet_visible),
    ]
    lines += [f"- {name}: {_safe(get(row))}" for name, get in further if pd.notna(get(row))]
    return lines[0] + "\n\n" + "\n".join(lines[1:]) if len(lines) > 1 else lines[0]


def _data(review: Review, site: str) -> list[str]:
    """Give births, completeness and what could be seen, by measure and group."""
    table = _of(review.completeness, site).merge(
        _of(review.detection, site), on=["measure", "site", "group"], how="left"
    )
    table = table[table["months_observed"] > 0]
    if not len(table):
        return ["### Data", "The data hold nothing of this site."]
    rows = [
        [_safe(r.measure), _safe(r.group), _number(r.births_month), _number(r.births_series),
         amount(review.charts[r.measure].series.measure, r.rate) if np.isfinite(r.rate) else "",
         _months(r.months_to_detect)]
        for r in _rows(table)
    ]  # fmt: skip
    known = table.drop_duplicates("measure")[["measure", "known_month", "known_series"]].dropna()
    share = [
        f"{_safe(r.measure)}: ethnic group known of {r.known_month:.1%} of births in {review.month}, "
        f"{r.known_series:.1%} since the data begin."
        for r in _rows(known)
    ]
    size = f"months until a change to {review.options['change']:g} times the adverse rate shows"
    head = ["Measure", "Group", f"Births in {review.month}", "Births, all months", "Rate", f"Mean {size}"]
    return ["### Data", *share, _table(head, rows)]


def _number(value: float) -> str:
    return "not known" if np.isnan(value) else f"{value:,.0f}"


def _months(months: float) -> str:
    if np.isnan(months):
        return "cannot be reckoned"
    return (
        f"{months:.0f}" if np.isfinite(months) and months >= 1 else "never" if np.isinf(months) else "under 1"
    )
