"""Run lengths in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qi_equity.planning.words import stratum_words

if TYPE_CHECKING:
    from qi_equity.planning.run_length.result import RunLength

__all__ = ["alt_text", "moved_words", "points_words", "title"]


def title(found: RunLength) -> str:
    """Name the rules and the chart."""
    kinds = found.table["kind"].unique().tolist()
    kind = kinds[0] if len(kinds) == 1 else "mixed"
    of = "" if found.series is None else f"{found.series.measure.name}: "
    return f"{of}{'Run' if not of else 'run'} length, kind {kind!r}, rules {found.options['rules']['name']!r}"


def alt_text(found: RunLength) -> str:
    """Say of every row after how many points a signal comes."""
    keys = [] if found.series is None else list(found.series.cells.strata.columns)
    told = [_row(row, keys) for row in found.table.to_dict("records")]
    return f"{title(found)}. " + " ".join(told)


def _row(row: dict[Any, Any], keys: list[str]) -> str:
    who = f"{stratum_words(row, keys)}, {moved_words(row)}" if keys else moved_words(row)
    who = who[0].upper() + who[1:]
    if all(math.isnan(row[name]) for name in ("lower", "median", "upper")):
        return f"{who}: nothing can be said, not yet visible."
    mean = "" if math.isnan(row["mean"]) else f", {points_words(row['mean'], row['unit'])} on average"
    parts = [
        f"{share} of charts {_within(row[name], row['unit'])}"
        for share, name in (("5 %", "lower"), ("half", "median"), ("95 %", "upper"))
    ]
    return f"{who}: {', '.join(parts)}{mean}."


def _within(points: float, unit: str) -> str:
    if math.isnan(points):
        return "not within what was followed"
    return "never" if math.isinf(points) else f"within {points_words(points, unit)}"


def moved_words(row: dict[Any, Any]) -> str:
    """Name the change or shift of a row."""
    if math.isnan(row["change"]):
        return (
            "no shift"
            if row["shift"] == 0
            else f"a shift of {row['shift']:g} standard error{'' if abs(row['shift']) == 1 else 's'}"
        )
    return "no change" if row["change"] == 1 else f"a rate of {row['change']:g} times"


def points_words(points: float, unit: str) -> str:
    """Write a number of points: to two digits, or whole."""
    if math.isinf(points):
        return "never"
    said = f"{points:,.0f}" if points >= 10 else f"{points:.1f}".removesuffix(".0")
    return f"{said} {unit.replace('-', ' ')}{'' if said == '1' else 's'}"
