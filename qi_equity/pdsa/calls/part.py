"""Parts of a review: one site of it, and what may leave the sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.pdsa.calls import looked
from qi_equity.pdsa.calls.charting import changes_of, pooled_charts
from qi_equity.pdsa.calls.review import from_charts
from qi_equity.pdsa.calls.review_notes import false_signals, review_notes
from qi_equity.pdsa.calls.written import COLUMNS
from qi_equity.spc.control import control_chart
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.data.disclosure.rule import SuppressionRule
    from qi_equity.pdsa.calls.result import Review

__all__ = ["disclosed", "part_of_site"]

# Counts that people wrote into records: no rule of disclosure has looked at them.
_COUNTS = ("people", "events", "denominator")
# A missing site means any site there, and all sites together elsewhere.
_FOR_ANY = ("notes", "marks", "phases")
_UNNAMED = "change that is not shared"


def part_of_site(review: Review, name: str) -> Review:
    """Keep one site; see :meth:`Review.site`."""
    site = _validate.one_of("name", name, review.sites)
    charts = {m: c.select(site=site) for m, c in review.charts.items() if site in c.series.sites}
    frames = {name: _of_site(name, table, site) for name, table in review._frames.items()}
    frames["expected"] = looked.expected(charts, {}, frames["signals"])
    options = {**review.options, "sites": (site,)}
    anew = false_signals(frames["expected"])
    kept = _of_site("notes", review._notes, site)
    kept = kept[~kept["code"].isin(anew["code"])]
    return replace(
        review,
        charts=charts,
        network_charts={},
        options=options,
        _frames=frames,
        _notes=_result.notes([anew, kept]),
    )


def _of_site(name: str, table: pd.DataFrame, site: str) -> pd.DataFrame:
    """Keep the rows of a site; of notes and changes also those for any site, but no count of all together."""
    if "site" not in table:
        return table
    rows = table["site"].astype("str") == site
    if name in _FOR_ANY:
        rows |= table["site"].isna()
    return table[rows].reset_index(drop=True)


def disclosed(
    review: Review, rule: SuppressionRule | str, margins: str | Sequence[str] | None, protect: int | None
) -> Review:
    """Make the review anew from what may leave; see :meth:`Review.disclose`."""
    frames = {name: _shared(name, review._frames[name]) for name in COLUMNS}
    frames["phases"] = _unnamed(review._frames["phases"])
    options, month = review.options, review.month
    changes = frames["phases"] if options["phases"] else frames["phases"].iloc[:0]
    charts = {
        name: control_chart(
            chart.series, phases=changes_of(changes, month, name), rules=chart.rules
        ).disclose(rule, margins=margins, protect=protect)
        for name, chart in review.charts.items()
    }
    pooled = pooled_charts(charts, review.sites)
    frames["calls"] = review.calls.assign(call=pd.Series([None] * len(review.calls), dtype="object"))
    frames |= from_charts(charts, pooled, _roles(review), frames["calls"], month, options)
    notes = [*_withheld(review), review_notes(charts, frames, month, options)]
    method = {**review.method, "disclosed": "counts by the rule; records that are shared"}
    return replace(
        review,
        charts=charts,
        network_charts=pooled,
        method=method,
        _frames=frames,
        _notes=_result.notes(notes),
    )


def _shared(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Keep what is shared, without the counts that people wrote."""
    kept = table[table["shared"]].reset_index(drop=True)
    counts = [c for c in _COUNTS if c in COLUMNS[name]]
    return kept.assign(**dict.fromkeys(counts, np.nan)) if counts else kept


def _unnamed(phases: pd.DataFrame) -> pd.DataFrame:
    """Keep when phases start, without the names of changes that are not shared."""
    shared = phases["shared"]
    return phases.assign(
        label=phases["label"].where(shared, _UNNAMED), reason=phases["reason"].where(shared, None)
    )


def _roles(review: Review) -> Mapping[tuple[str, str], str]:
    known = review._frames["grid"].dropna(subset=["site", "role"])
    return {(site, measure): role for site, measure, role in known[["site", "measure", "role"]].values}


def _withheld(review: Review) -> list[pd.DataFrame]:
    """Say how much each site does not share."""
    cycles = review._frames["cycles"]
    hidden = cycles.loc[~cycles["shared"], "site"].value_counts(sort=False)
    texts = [f"{plural(int(n), 'cycle')} of the site not shown: not shared." for n in hidden]
    sites = pd.DataFrame({"site": pd.Series(hidden.index, dtype="str")})
    counts = _result.note(
        "counts_in_records_withheld", "info", "Counts that people wrote into the records are withheld."
    )
    return [counts, _result.note("cycles_not_shared", "info", texts, sites)]
