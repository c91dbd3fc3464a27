"""Advice in words, from the numbers of its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qi_equity._result import note
from qi_equity.planning.plan import Plan
from qi_equity.planning.recommend import A_MONTH
from qi_equity.planning.words import a_chart, change_words, late_words, months_words, rate_words
from qi_equity.spc.words import plural

__all__ = ["advice_texts", "design_notes"]

ENOUGH = 0.8


def advice_texts(plan: Plan, table: pd.DataFrame, options: Mapping[str, Any]) -> list[str]:
    """Say for each stratum what to do."""
    return [_advice(plan, row, options) for row in table.to_dict("records")]


def design_notes(plan: Plan, table: pd.DataFrame, options: Mapping[str, Any]) -> list[pd.DataFrame]:
    """Say how to read the advice, and what stays invisible."""
    text = (
        "Months are means, for a change that comes at once and stays; power is the chance that "
        f"evaluate_change shows it after {months_words(options['within'])}. Pool a group over sites before "
        "merging groups: groups that are merged can hide each other's changes."
    )
    hidden = table["invisible"].to_numpy()
    change, within = change_words(plan.series.measure, options["aim"]), months_words(options["within"])
    told = (
        f"Not yet visible, whatever chart is drawn: {change} would not show within {within}, at one "
        "site or over all. Look at a more frequent outcome or a process measure, wait longer, or aim at a "
        "larger change: that there is no signal does not mean that nothing changed."
    )
    return [
        note("how_to_read", "info", text),
        note("stays_invisible", "warning", [told] * int(hidden.sum()), plan.strata[hidden]),
    ]


def _advice(plan: Plan, row: Mapping[Any, Any], options: Mapping[str, Any]) -> str:
    within = options["within"]
    if np.isnan(row["rate"]) or np.isnan(row["months_to_detect"]):
        alone = "Not yet visible: without births, events and an aim that is possible nothing can be planned."
        return f"{alone} {_pooled(row, within, len(plan.series.sites))}".strip()
    parts = [_chart(row, within)]
    if not row["visible"]:
        parts.append(_pooled(row, within, len(plan.series.sites)))
    parts.append(_evaluation(plan, row, within))
    if not row["visible"]:
        parts.append(_evaluated_together(row))
    if row["invisible"]:
        parts.append(
            "Whatever is done with these data, this change stays invisible so soon: choose a more frequent "
            "outcome or a process measure beside it."
        )
    measure = plan.series.measure
    head = f"From {rate_words(measure, row['rate'])} to {rate_words(measure, row['aimed_rate'])}"
    return f"{head}: {' '.join(part for part in parts if part)}"


def _chart(row: Mapping[Any, Any], within: float) -> str:
    if not row["chart"]:
        return "no chart of these data could show it."
    name, months = a_chart(row["chart"], row["every"]), row["months_to_detect"]
    if row["visible"]:
        return f"use {name}; it sees the change in {months_words(months)} on average.{_weekly(row)}"
    return (
        f"{name} would need {late_words(months, within)} on average, more than the {months_words(within)} "
        f"there are.{_weekly(row)}"
    )


def _weekly(row: Mapping[Any, Any]) -> str:
    """Say where counting by the week would be sooner by a month or more."""
    if not row["weekly_months"] <= row["months_to_detect"] - A_MONTH:
        return ""
    return f" A CUSUM of weekly counts would take {months_words(row['weekly_months'])}."


def _pooled(row: Mapping[Any, Any], within: float, sites: int) -> str:
    if sites < 2 or row["n_sites"] < 2 or np.isnan(row["pooled_months_to_detect"]):
        return ""
    months = months_words(row["pooled_months_to_detect"])
    if row["pooled_visible"]:
        return f"Pool the group over {plural(row['n_sites'], 'site')} ({row['pooled_sites']}): then {months}."
    return f"Pooled over all {plural(row['n_sites'], 'site')} it would take {months}."


def _evaluated_together(row: Mapping[Any, Any]) -> str:
    """Say what the evaluation of the group over several sites could show."""
    if row["n_sites"] < 2 or np.isnan(row["pooled_power"]):
        return ""
    return f"Over {plural(row['n_sites'], 'site')} that chance is {100 * row['pooled_power']:.0f} %."


def _evaluation(plan: Plan, row: Mapping[Any, Any], within: float) -> str:
    """Say what a before and after evaluation could show."""
    power = row["power"]
    if np.isnan(power):
        return ""
    said = f"Evaluated after {months_words(within)}, it would be shown with a chance of {100 * power:.0f} %"
    have, needed = row["baseline_months"], row["baseline_months_needed"]
    if power >= ENOUGH:
        return f"{said}."
    if np.isinf(needed):
        least = row["smallest_ratio"]
        least_rate = rate_words(plan.series.measure, row["rate"] * least)
        could = "" if np.isnan(least) else f"; the smallest change shown with that is to {least_rate}"
        return f"{said}, and no longer baseline brings it to {100 * ENOUGH:.0f} %{could}."
    if needed > have:
        return (
            f"{said}; with {months_words(needed)} of baseline instead of {months_words(have)} "
            f"it is {100 * ENOUGH:.0f} %."
        )
    return f"{said}."
