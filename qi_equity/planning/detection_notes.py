"""What the reader of a table of detection must be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qi_equity._result import note
from qi_equity.planning.candidates import Candidate
from qi_equity.planning.plan import Plan
from qi_equity.planning.recommend import NONE
from qi_equity.planning.words import chart_words, late_words, months_words
from qi_equity.spc.words import plural

__all__ = ["detection_notes"]

SHORT_BASELINE = 12
FEW_EVENTS = 20
FAR_FROM_WANTED = 2
NO_NOTES = note("none", "info", [], pd.DataFrame({"group": []}))


def detection_notes(
    plan: Plan,
    found: Sequence[Candidate],
    best: np.ndarray,
    frames: Mapping[str, pd.DataFrame],
    options: Mapping[str, Any],
) -> list[pd.DataFrame]:
    """Give the notes, beside those of the series."""
    return [
        _assumed(options),
        _not_visible(plan, frames["table"], options["within"]),
        _uncertain_rate(plan),
        _rules_alarm_more(plan, found, options["false_alarm_months"]),
        _not_drawable(plan, found, best),
        _pooled(frames["pooled"]),
    ]


def _assumed(options: Mapping[str, Any]) -> pd.DataFrame:
    text = (
        "Months to detect are means, and a team may well wait twice as long (qe.run_length gives the "
        "distribution). They hold for a change that comes at once, as a period starts, and stays, with lines "
        "that are known; lines from a short baseline give more false signals (qe.run_length with baseline=). "
        f"Tuned charts signal falsely once in {options['false_alarm_months']:g} months on the side that "
        "looks for the change, and about as often on the other."
    )
    return note("how_to_read", "info", text)


def _not_visible(plan: Plan, table: pd.DataFrame, within: float) -> pd.DataFrame:
    """Say of which groups no signal must not be read as no change."""
    hidden = (~table["visible"]).to_numpy()
    texts = [
        f"Not yet visible: {_when(months, within)} That a chart of this group shows no signal within "
        f"{months_words(within)} does not mean that nothing changed."
        for months in table.loc[hidden, "months_to_detect"].tolist()
    ]
    return note("not_yet_visible", "warning", texts, plan.strata[hidden])


def _when(months: float, within: float) -> str:
    if np.isnan(months):
        return "nothing can be reckoned for it."
    if np.isinf(months):
        return "no chart of these data could show this change."
    return f"the change would show after {late_words(months, within)} on average."


def _uncertain_rate(plan: Plan) -> pd.DataFrame:
    """Say where so few events set the rate that everything here may be far off."""
    events = plan.events * plan.months
    few = plan.seen & ((events < FEW_EVENTS) | (plan.months < SHORT_BASELINE))
    texts = [
        f"The rate comes from {plural(round(n), 'event')} in {months_words(m)}, so that it and everything "
        "reckoned from it may be far off."
        for n, m in zip(events[few].tolist(), plan.months[few].tolist(), strict=True)
    ]
    return note("uncertain_rate", "caution", texts, plan.strata[few])


def _rules_alarm_more(plan: Plan, found: Sequence[Candidate], wanted: float) -> pd.DataFrame:
    """Name sets of rules whose false alarms come far more often than those of the tuned charts."""
    worst: dict[str, float] = {}
    for one in found:
        if one.rules and (plan.seen & np.isfinite(one.false_alarm)).any():
            least = float(np.nanmin(one.false_alarm[plan.seen]))
            worst[one.rules] = min(worst.get(one.rules, np.inf), least)
    early = {name: months for name, months in worst.items() if months * FAR_FROM_WANTED < wanted}
    texts = [
        f"With the rules {name!r} a false signal of the change looked for comes every {months_words(months)} "
        f"for at least one group, not every {wanted:g}: their months to detect must not be compared with "
        "those of tuned charts."
        for name, months in early.items()
    ]
    return pd.concat([note("rules_alarm_more", "caution", text) for text in texts]) if texts else NO_NOTES


def _not_drawable(plan: Plan, found: Sequence[Candidate], best: np.ndarray) -> pd.DataFrame:
    """Say where the recommended chart cannot be drawn with the tail that it would need."""
    bare = np.array(
        [k != NONE and not found[k].drawn[row] for row, k in enumerate(best.tolist())], dtype=bool
    )
    texts = [
        f"A {chart_words(found[k].chart, found[k].every)} cannot be drawn with so many false signals: limits "
        "at a tail of more than 0.02 lie within those at two sigma. Ask for more months between them."
        for k in best[bare].tolist()
    ]
    return note("cannot_be_drawn", "caution", texts, plan.strata[bare])


def _pooled(pooled: pd.DataFrame) -> pd.DataFrame:
    """Say what pooling a group over the sites gains, before groups are merged."""
    gained = pooled["visible"] & (pooled["gain"] > 1) if len(pooled) else pd.Series([], dtype=bool)
    rows = pooled[gained]
    keys = [c for c in pooled.columns[: pooled.columns.get_loc("sites")] if c in pooled]
    texts = [
        f"Pooled over {plural(int(row['sites']), 'site')} the change would show in "
        f"{months_words(row['months_to_detect'])}, at one site in {_one_site(row['one_site_months'])}: pool "
        "the group over sites before merging it with other groups."
        for row in rows.to_dict("records")
    ]
    return note("pooling_gains", "info", texts, rows[keys])


def _one_site(months: float) -> str:
    return "no time that can be reckoned" if np.isnan(months) else months_words(months)
