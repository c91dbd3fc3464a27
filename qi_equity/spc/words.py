"""Numbers and periods in words: the only place where multipliers and units are put on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qi_equity.data.measure import Measure
from qi_equity.data.periods import labels

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

_ADVERBS = {
    "day": "a day",
    "week": "a week",
    "month": "a month",
    "quarter": "a quarter",
    "year": "a year",
    "financial-year": "a financial year",
}


def amount(measure: Measure, value: float) -> str:
    """Write a value in the unit of the measure: ``6.7 %``, ``3.1 per 1000``, ``12``."""
    unit = f" {measure.unit}" if measure.unit else ""
    return f"{value * measure.multiplier:.3g}{unit}"


def each(every: str) -> str:
    """Say "a month" for month."""
    return _ADVERBS[every]


def period(series: StratifiedSeries, date: np.datetime64) -> str:
    """Write the label of the period that starts on a date; the date itself for times between events."""
    if series.measure.kind == "between":
        return str(pd.Timestamp(date).date())
    return labels(np.asarray([date]), series.every)[0]  # type: ignore[arg-type]


def plural(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def and_list(items: list[str]) -> str:
    """Join with commas and a last "and"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
