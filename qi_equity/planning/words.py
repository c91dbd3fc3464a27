"""Charts and months in words, for reasons, notes and alt texts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qi_equity.data.measure import Measure
from qi_equity.spc.words import amount

__all__ = ["NAMES", "chart_words", "months_words", "rate_words", "stratum_words"]

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
_POINTS = {"event": "by the event", "birth": "by the birth", "financial-year": "by the financial year"}


def chart_words(chart: str, every: str) -> str:
    """Name a chart and how often it has a point: "p chart by the quarter"."""
    return f"{NAMES[chart]} {_POINTS.get(every, f'by the {every}')}"


def stratum_words(row: Mapping[Any, Any], keys: list[str]) -> str:
    """Name a stratum by all its labels; "All" where it has none."""
    return ", ".join(str(row[k]) for k in keys) or "All"


def months_words(months: float) -> str:
    """Write months to two digits or whole; "never" where they are infinite."""
    if math.isinf(months):
        return "never"
    if months >= MANY:
        return f"{months:,.0f} months"
    said = f"{months:.1f}".removesuffix(".0")
    return f"{said} month" if said == "1" else f"{said} months"


def rate_words(measure: Measure, rate: float) -> str:
    """Write how often the event comes: "6.7 %", "1 in 33 births", "0.5 events a month"."""
    if measure.kind != "between":
        return amount(measure, rate)
    if measure.unit == "days":
        return f"{rate:.2g} events a month"
    return f"1 in {1 / rate:,.3g} births" if rate > 0 else "no births"
