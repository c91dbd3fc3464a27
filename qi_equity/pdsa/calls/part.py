"""Parts of a review: one site of it, and what may leave the sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity.pdsa.calls import looked
from qi_equity.pdsa.calls.review import from_charts
from qi_equity.pdsa.calls.review_notes import review_notes
from qi_equity.pdsa.calls.written import COLUMNS, Phases
from qi_equity.spc.control import control_chart
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.data.disclosure.rule import SuppressionRule
    from qi_equity.pdsa.calls.result import Review

__all__ = ["disclosed", "part_of_site"]

# Counts that people wrote into records: no rule of disclosure has looked at them.
_COUNTS = ("people", "events", "denominator")
_UNNAMED = "change that is not shared"


def part_of_site(review: Review, name: str) -> Review:
    """Keep one site; see :meth:`Review.site`."""
    site = _validate.one_of("name", name, review.sites)
    charts = {m: c.select(site=site) for m, c in review.charts.items() if site in c.series.sites}
    frames = {name: _of_site(table, site) for name, table in review._frames.items()}
    frames["expected"] = looked.expected(charts, frames["signals"])
    options = {**review.options, "sites": (site,)}
    kept = _of_site(review._notes, site)
    kept = kept[kept["code"] != "expected_false_signals_of_review"]
    anew = review_notes({}, frames, options)
    anew = anew[anew["code"] == "expected_false_signals_of_review"]
    return replace(review, charts=charts, options=options, _frames=frames, _notes=_result.notes([anew, kept]))


def _of_site(table: pd.DataFrame, site: str) -> pd.DataFrame:
    """Keep the rows of a site, and those of all sites; a frame without sites stays whole."""
    if "site" not in table:
        return table
    rows = table["site"].isna() | (table["site"].astype("str") == site)
    return table[rows].reset_index(drop=True)


def disclosed(
    review: Review, rule: SuppressionRule | str, margins: str | Sequence[str] | None, protect: int | None
) -> Review:
    """Make the review anew from what may leave; see :meth:`Review.disclose`."""
    frames = {name: _shared(name, review._frames[name]) for name in COLUMNS}
    frames["phases"] = _unnamed(review._frames["phases"])
    phases = Phases(frames["phases"]) if review.options["phases"] else None
    charts = {
        name: control_chart(chart.series, phases=phases, rules=chart.rules).disclose(
            rule, margins=margins, protect=protect
        )
        for name, chart in review.charts.items()
    }
    frames["calls"] = review.calls.assign(call=pd.Series([None] * len(review.calls), dtype="object"))
    frames |= from_charts(charts, _roles(review), frames["calls"], review.options)
    notes = [*_withheld(review), review_notes(charts, frames, review.options)]
    method = {**review.method, "disclosed": "counts by the rule; records that are shared"}
    return replace(review, charts=charts, method=method, _frames=frames, _notes=_result.notes(notes))


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
    known = review._frames["grid"].dropna(subset="role")
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
