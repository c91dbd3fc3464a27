"""How a series looks in a notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from qi_equity.data import periods

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

_ROWS_SHOWN = 8


def extent(series: StratifiedSeries) -> str:
    """Say from when to when a series runs, as the end of a sentence about it."""
    every: Any = series.every
    first, last = periods.labels(series.cells.ends, every)
    return f"runs from {first} to {last}" if first else "has no events"


def series_text(series: StratifiedSeries) -> str:
    """Say in one line what the series holds."""
    size = len(series.cells.strata)
    return f"<StratifiedSeries {series.measure.name!r} by {series.every}: {size} strata; {extent(series)}>"


def series_html(series: StratifiedSeries) -> str:
    """Give the measure, the groups, the first rows and the notes as HTML; labels of the data are escaped."""
    strata, width = series.cells.status.shape
    head = series.cells.take(slice(-(-_ROWS_SHOWN // max(width, 1)))).frame().head(_ROWS_SHOWN)
    scheme = "" if series.scheme is None else f" of scheme {series.scheme.id} ({series.scheme.version})"
    lines = (
        f"{series.measure.name}, by {series.every}",
        f"Groups{scheme}: {', '.join(series.groups)}",
        f"{strata} strata; the series {extent(series)}",
    )
    parts = [f"<div>{html.escape(line)}</div>" for line in lines]
    parts.append(head.to_html(index=False, na_rep=""))
    if len(series.notes):
        parts.append(series.notes[["severity", "text"]].head(_ROWS_SHOWN).to_html(index=False))
    return f"<div>{''.join(parts)}</div>"
