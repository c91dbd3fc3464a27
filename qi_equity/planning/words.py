"""Charts and months in words, for reasons, notes and alt texts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qi_equity.data.measure import Measure
from qi_equity.planning.plan import adverse_outcome
from qi_equity.spc.words import amount

__all__ = [
    "NAMES",
    "a_chart",
    "change_words",
    "chart_words",
    "events_words",
    "late_words",
    "months_words",
    "rate_words",
    "stratum_words",
]

NAMES = {
    "p": "p chart",
    "u": "u chart",
    "c": "c chart",
    "g": "g chart",
    "t": "t chart",
    "ewma": "EWMA",
    "cusum": "CUSUM of the counts",
    "bernoulli_cusum": "Bernoulli CUSUM",
}
MANY = 20
"""Months from which parts of a month are not told."""
FEW = 0.05
"""Months below which they would be written as none."""
_POINTS = {"event": "by the event", "birth": "by the birth", "financial-year": "by the financial year"}


def chart_words(chart: str, every: str) -> str:
    """Name a chart and how often it has a point: "p chart by the quarter"."""
    return f"{NAMES[chart]} {_POINTS.get(every, f'by the {every}')}"


def a_chart(chart: str, every: str) -> str:
    """Name a chart with its article: "a p chart by the quarter", "an EWMA by the month"."""
    return f"{'an' if chart == 'ewma' else 'a'} {chart_words(chart, every)}"


def change_words(measure: Measure, change: float) -> str:
    """Name a change of what is adverse: "a change of the rate to 0.5 times"."""
    way = adverse_outcome(measure)
    if way == "without the event":
        return f"a change of the share without the event to {change:g} times"
    return f"a change of the rate to {1 / change if way == 'reversed' else change:.3g} times"


def stratum_words(row: Mapping[Any, Any], keys: list[str]) -> str:
    """Name a stratum by all its labels; "All" where it has none."""
    return ", ".join(str(row[k]) for k in keys) or "All"


def months_words(months: float) -> str:
    """Write months to two digits or whole; "never" where they are infinite."""
    if math.isinf(months):
        return "never"
    if 0 < months < FEW:
        return "less than 0.1 months"
    if months >= MANY:
        return f"{months:,.0f} months"
    said = f"{months:.1f}".removesuffix(".0")
    return f"{said} month" if said == "1" else f"{said} months"


def late_words(months: float, within: float) -> str:
    """Write months that are more than there are, so that they read as more."""
    said = months_words(months)
    return f"a little more than {said}" if said == months_words(within) else said


def events_words(events: float) -> str:
    """Write events a month: "0.27 events a month", "1,234 events a month"."""
    said = f"{events:,.0f}" if events >= 10 else f"{events:.2g}"
    return f"{said} {'event' if said == '1' else 'events'} a month"


def rate_words(measure: Measure, rate: float) -> str:
    """Write how often the event comes: "6.7 %", "1 in 33 births", "0.5 events a month"."""
    if measure.kind != "between":
        return amount(measure, rate)
    if measure.unit == "days":
        return events_words(rate)
    return f"1 in {1 / rate:,.3g} births" if rate > 0 else "no births"
