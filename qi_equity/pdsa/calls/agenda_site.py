"""The page of one site in an agenda: aims and scores, cycles since the last call, and the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.pdsa.calls.agenda_network import change_in_words
from qi_equity.pdsa.calls.text import bullets, day, known, months, number, of_site, rows_of, safe, table
from qi_equity.spc.words import amount

if TYPE_CHECKING:
    from qi_equity.pdsa.calls.result import Review

__all__ = ["site_page"]

_OVERALL = "overall"


def site_page(review: Review, site: str) -> list[str]:
    """Give what there is to say of one site."""
    call = review.calls.set_index("site").loc[site]
    since = f"### Cycles since {day(call['since'])}"
    since += f" ({safe(call['call'])})" if pd.notna(call["call"]) else ""
    frames = {
        name: of_site(getattr(review, name), site) for name in ("cycles", "predictions", "reached", "harm")
    }
    cycles = [_cycle(row, frames) for row in rows_of(frames["cycles"])]
    parts = [f"## {safe(site)}", *_projects(review, site), since, *(cycles or ["None is recorded."])]
    return [*parts, *_data(review, site)]


def _projects(review: Review, site: str) -> list[str]:
    """Give aims and latest scores, project by project."""
    aims, scores = of_site(review.aims, site), of_site(review.progress, site)
    names = list(dict.fromkeys([*aims["project"], *scores["project"]]))
    if not names:
        return [bullets(["Aim: none is recorded.", "Progress: no score was set."])]
    parts = []
    for name in names:
        lines = [_aim(row) for row in rows_of(aims[aims["project"] == name])] or ["Aim: none is recorded."]
        lines += [_score(row) for row in rows_of(scores[scores["project"] == name])] or [
            "Progress: no score was set."
        ]
        parts.append(f"**{safe(name)}**\n\n{bullets(lines)}")
    return parts


def _aim(row: Any) -> str:
    return f"Aim: {safe(row.text)}, for {safe(row.for_whom)}, by {day(row.by_when)}"


def _score(row: Any) -> str:
    by = " by the team itself" if row.self_assessed else f" by {known(row.assessed_by, none='others')}"
    why = f": {safe(row.justification)}" if pd.notna(row.justification) else ""
    return f"Progress: {row.score:.1f} of 5.0 ({safe(row.scale_version)}), set {day(row.date)}{by}{why}"


def _cycle(row: Any, frames: dict[str, pd.DataFrame]) -> str:
    """Give a cycle: what it was, its predictions beside their results, and the decision."""
    own = {name: frame[frame["cycle"] == row.cycle] for name, frame in frames.items()}
    state = "under way" if row.under_way else row.status
    decided = f"decision: {row.decision}" if pd.notna(row.decision) else state
    what = "a test" if row.purpose == "test" else "implementation"
    when = f", from {day(row.start)}" if pd.notna(row.start) else ""
    told = [
        ("Reached", _by_group(own["reached"], "people")),
        ("Not part of the plan", known(row.unplanned)),
        ("Harm check", _by_group(own["harm"], "found")),
        ("Learned", known(row.learning)),
        ("What follows", known(row.follows)),
        ("Not yet visible at the decision", known(row.not_yet_visible)),
    ]
    lines = [f"{name}: {text}" for name, text in told if text]
    parts = [f"**{safe(row.name)}** ({safe(row.idea)}, {what}{when}): {decided}"]
    return "\n\n".join(part for part in (*parts, _predictions(own["predictions"]), bullets(lines)) if part)


def _predictions(frame: pd.DataFrame) -> str:
    """Set what was predicted beside what was found; in one line each where nothing was found yet."""
    if not len(frame):
        return ""
    measures = frame["measure"].unique()
    one = len(measures) == 1
    about = f" ({safe(measures[0])})" if one and pd.notna(measures[0]) else ""
    if frame["matched"].isna().all():
        lines = [f"{_for_whom(r, one)}: {_quoted(r)}" for r in rows_of(frame)]
        return f"Predicted{about}; no result yet: " + "; ".join(lines)
    rows = [
        [_for_whom(r, one), _quoted(r), _found(r), known(r.matched, none="no result yet")]
        for r in rows_of(frame)
    ]
    return table(["For", f"Predicted{about}", "Found", "As predicted?"], rows)


def _for_whom(row: Any, one: bool) -> str:
    """Name the group, and the measure where the predictions are of several."""
    group = known(row.group, none=_OVERALL)
    return group if one or pd.isna(row.measure) else f"{group}, {safe(row.measure)}"


def _quoted(row: Any) -> str:
    return f'"{safe(row.prediction)}"'


def _found(row: Any) -> str:
    """Give what people wrote, or else the counts."""
    if pd.notna(row.result) or pd.isna(row.events):
        return known(row.result)
    of = f" of {row.denominator:,.0f}" if pd.notna(row.denominator) else ""
    return f"{row.events:,.0f}{of}"


def _by_group(frame: pd.DataFrame, column: str) -> str:
    """Give a value of each group, in one line."""
    rows = frame.dropna(subset=column)
    return ", ".join(
        f"{known(group, none=_OVERALL)} {value if isinstance(value, str) else format(value, ',.0f')}"
        for group, value in zip(rows["group"], rows[column], strict=True)
    )


def _data(review: Review, site: str) -> list[str]:
    """Give rate, births and what could be seen: a row a group, a column a measure."""
    frame = of_site(review.completeness, site).merge(
        of_site(review.detection, site), on=["measure", "site", "group"], how="left"
    )
    frame = frame[frame["months_observed"] > 0]
    if not len(frame):
        return ["### Data", "The data hold nothing of this site."]
    share = [
        f"{safe(r.measure)}: ethnic group known of {r.known_month:.1%} of births in {review.month}, "
        f"{r.known_series:.1%} since the data begin."
        for r in rows_of(frame.drop_duplicates("measure").dropna(subset=["known_month", "known_series"]))
    ]
    cells = {(r.group, r.measure): _datum(review, r) for r in rows_of(frame)}
    measures = list(dict.fromkeys(frame["measure"]))
    rows = [
        [safe(group), *(cells.get((group, measure), "") for measure in measures)]
        for group in dict.fromkeys(frame["group"])
    ]
    said = (
        f"Rate since the data begin; births in {review.month}, and in all months; after how many months, on "
        f"average, the chart shows a {change_in_words(review.options['change'])}."
    )
    return ["### Data", bullets(share), said, table(["Group", *map(safe, measures)], rows)]


def _datum(review: Review, row: Any) -> str:
    of = review.charts[row.measure].series.measure
    rate = f"{amount(of, row.rate)}; " if np.isfinite(row.rate) else ""
    return f"{rate}{number(row.births_month)} of {number(row.births_series)}; {months(row.months_to_detect)}"
