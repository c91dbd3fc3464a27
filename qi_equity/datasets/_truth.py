"""The table of what is true, worked out from the plan alone and never from the records."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qi_equity.datasets import _calibration as calibration
from qi_equity.datasets._calibration import ALL, GROUPS, KNOWN, Floats
from qi_equity.datasets._draw import STILLBORN_DAYS, TERM_DAYS
from qi_equity.datasets._plan import CAUSED, EVENTS, FIELD, FOLLOWS, Plan, Settings


def truth(plan: Plan, settings: Settings) -> pd.DataFrame:
    """Lay out each measure's rate before and after the date of the change, by group and all together."""
    births = settings.n * (plan.days / plan.days.sum())[:, None] * plan.shares
    applies = births * np.stack([_applies(plan.rates, e) for e in EVENTS])
    true = np.stack([_rate(plan.rates, e) for e in EVENTS])
    noted = np.stack([_rate(plan.recorded, e) for e in EVENTS])
    unrecorded = np.stack([plan.unrecorded.get(FIELD.get(e, e), np.zeros(len(plan.days))) for e in EVENTS])
    recorded = applies * (1 - unrecorded[:, :, None])
    columns = {"measure": np.repeat(EVENTS, len(GROUPS) + 1), "group": [*GROUPS, ALL] * len(EVENTS)}
    for when, span in (("before", ~plan.after), ("after", plan.after)):
        columns[f"expected_births_{when}"] = _sums(applies, span)
        columns[f"rate_{when}"] = _tidy(_sums(applies * true, span) / _sums(applies, span))
        columns[f"recorded_rate_{when}"] = _tidy(_sums(recorded * noted, span) / _sums(recorded, span))
    frame = pd.DataFrame(columns)
    # Whether ethnicity is known makes the groups: it has a rate over all of them only.
    by_group = (frame["measure"] == "ethnicity_known") & (frame["group"] != ALL)
    frame = frame[~by_group].reset_index(drop=True)
    frame["relative_change"] = _tidy(frame["rate_after"].to_numpy() / frame["rate_before"].to_numpy() - 1)
    frame["caused_change"] = frame["relative_change"] if settings.change in CAUSED else 0.0
    frame["planted"] = frame["measure"].map({e: _planted(e, settings) for e in EVENTS})
    frame["change_date"] = pd.Series([settings.change_date] * len(frame)).astype("datetime64[us]")
    return frame[_COLUMNS]


_COLUMNS = [
    "group", "measure", "planted", "change_date", "rate_before", "rate_after", "relative_change",
    "caused_change", "recorded_rate_before", "recorded_rate_after", "expected_births_before",
    "expected_births_after",
]  # fmt: skip


def _sums(values: Floats, span: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """Sum (measures, blocks, groups) over a span of blocks; all groups together come last; flat."""
    by_group = values[:, span].sum(axis=1)
    return np.concatenate([by_group, by_group.sum(axis=1, keepdims=True)], axis=1).ravel()


def _tidy(values: Floats) -> Floats:
    """Take away what summing over the blocks leaves behind, so that no change is exactly 0 (and never -0)."""
    return np.round(values, 12) + 0.0


def _rate(rates: dict[str, Floats], event: str) -> Floats:
    if event != "ethnicity_known":
        return rates[event]
    known = np.arange(len(GROUPS)) < KNOWN
    return np.broadcast_to(known.astype(np.float64), rates["stillbirth"].shape)


def _applies(rates: dict[str, Floats], event: str) -> Floats:
    """Give the share of births that an event is about, whether recorded or not."""
    twins = calibration.scalar("twins")
    single = (1 - twins) / (1 + twins)
    live = 1 - rates["stillbirth"]
    term_live = live * (1 - rates["preterm_birth"])
    first, last = STILLBORN_DAYS
    term_stillborn = rates["stillbirth"] * (last + 1 - TERM_DAYS) / (last + 1 - first)
    positive = rates["depression_asked"] * rates["depression_positive"]
    match event:
        case "preterm_birth":
            return single * live
        case "neonatal_death" | "first_feed_breast_milk":
            return live
        case "apgar_below_7":
            return single * term_live
        case "tear_3_4":
            return single * calibration.scalar("vaginal") * (term_live + term_stillborn)
        case "gdm_screened":
            return rates["gdm_at_risk"]
        case "depression_referred":
            return positive
        case "depression_seen":
            return positive * rates["depression_referred"]
    return np.ones_like(live)


def _planted(event: str, settings: Settings) -> str:
    if settings.change is None:
        return "nothing"
    if event == settings.measure or settings.change == "case-mix":
        return settings.change
    return f"follows {settings.measure}" if FOLLOWS.get(settings.measure) == event else "nothing"
