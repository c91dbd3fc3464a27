"""A table of detection in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qi_equity.planning.words import (
    a_chart,
    change_words,
    events_words,
    late_words,
    months_words,
    rate_words,
    stratum_words,
)
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.data.measure import Measure
    from qi_equity.planning.detection_table import DetectionTable

__all__ = ["alt_text", "title"]


def title(table: DetectionTable) -> str:
    """Name the measure and the change."""
    measure = table.series.measure
    return f"{measure.name}: months to detect {change_words(measure, table.options['change'])}"


def alt_text(table: DetectionTable) -> str:
    """Say of every stratum how many births a month it has, and when the change would show."""
    series = table.series
    keys = list(series.cells.strata.columns)
    told = []
    for row in table.table.to_dict("records"):
        who = stratum_words(row, keys)
        births = _a_month(series.measure, row)
        if not row["chart"]:
            told.append(f"{who}: {births}, {row['reason'][0].lower()}{row['reason'][1:]}")
            continue
        months, within = row["months_to_detect"], table.options["within"]
        seen = months_words(months) if row["visible"] else late_words(months, within)
        late = "" if row["visible"] else f", not yet visible within {months_words(within)}"
        told.append(
            f"{who}: {births}, from {rate_words(series.measure, row['rate'])} to "
            f"{rate_words(series.measure, row['changed_rate'])}: {seen} with "
            f"{a_chart(row['chart'], row['every'])}{late}."
        )
    return (
        f"{title(table)}, with one false alarm in {table.options['false_alarm_months']:g} months a side. "
        + (" ".join(told))
    )


def _a_month(measure: Measure, row: dict[Any, Any]) -> str:
    """Say how much there is to go by: births or, where none are counted, events."""
    if measure.kind == "count" or (measure.kind == "between" and measure.unit == "days"):
        return events_words(row["events_per_month"])
    if math.isnan(row["births_per_month"]):
        return "no births known"
    return f"{plural(round(row['births_per_month']), 'birth')} a month"
