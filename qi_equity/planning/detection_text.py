"""A table of detection in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qi_equity.planning.words import chart_words, months_words, rate_words, stratum_words

if TYPE_CHECKING:
    from qi_equity.planning.detection_table import DetectionTable

__all__ = ["alt_text", "change_words", "title"]


def title(table: DetectionTable) -> str:
    """Name the measure and the change."""
    return f"{table.series.measure.name}: months to detect {change_words(table)}"


def change_words(table: DetectionTable) -> str:
    """Name the change: "a change of the rate to 0.5 times"."""
    return f"a change of the rate to {table.options['change']:g} times"


def alt_text(table: DetectionTable) -> str:
    """Say of every stratum how many births a month it has, and when the change would show."""
    series = table.series
    keys = list(series.cells.strata.columns)
    told = []
    for row in table.table.to_dict("records"):
        who = stratum_words(row, keys)
        births = _a_month(series.measure.kind, row)
        if not row["chart"]:
            told.append(f"{who}: {births}, {row['reason'][0].lower()}{row['reason'][1:]}")
            continue
        seen = months_words(row["months_to_detect"])
        late = "" if row["visible"] else ", not yet visible"
        told.append(
            f"{who}: {births}, from {rate_words(series.measure, row['rate'])} to "
            f"{rate_words(series.measure, row['changed_rate'])}: {seen} with a "
            f"{chart_words(row['chart'], row['every'])}{late}."
        )
    return (
        f"{title(table)}, with one false alarm in {table.options['false_alarm_months']:g} months a side. "
        + (" ".join(told))
    )


def _a_month(kind: str, row: dict[Any, Any]) -> str:
    """Say how much there is to go by: births or, where none are counted, events."""
    if kind == "count":
        return f"{row['events_per_month']:,.2g} events a month"
    if math.isnan(row["births_per_month"]):
        return "no births known"
    return f"{row['births_per_month']:,.0f} births a month"
