"""Sums of a disclosed series: the published margin where there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qi_equity.data import periods, selecting
from qi_equity.data.disclosure.margins import ALL_PERIODS, TOTAL, Key, Published

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries


def published_sum(
    series: StratifiedSeries, step: Mapping[str, Any], reckoned: Callable[[], StratifiedSeries]
) -> StratifiedSeries:
    """Give the published margin that a step leads to, else what the step makes of the disclosed counts.

    Parameters
    ----------
    series : StratifiedSeries
        Any series.
    step : mapping
        ``{"step": "total" | "pool" | "collapse" | "resample", ...}`` as the method of a series says it.
    reckoned : callable
        Makes the sum from the counts of the series.

    Returns
    -------
    StratifiedSeries
    """
    found = series.published
    key = None if found is None else _after(series, found.key, step)
    cells = None if found is None or key is None else found.find(key)
    if found is None or key is None or cells is None:
        return reckoned()
    grouping = {"total": None, "collapse": step.get("to")}.get(step["step"], series.grouping)
    method = {**series.method, "steps": [*series.method.get("steps", []), {**step, "published": True}]}
    every = step["to"] if step["step"] == "resample" else series.every
    margins = replace(found, cells=cells, key=key)
    return replace(series, cells=cells, grouping=grouping, every=every, method=method, published=margins)


def _after(series: StratifiedSeries, key: Key, step: Mapping[str, Any]) -> Key | None:
    """Tell which margin a step leads to; None if it changes nothing, or cannot be taken."""
    match step["step"]:
        case "total":
            return replace(key, group=TOTAL)
        case "pool":
            return replace(key, pooled=tuple(sorted({*key.pooled, *step["over"]}, key=_order(series, key))))
        case "collapse":
            return _collapsed(series, key, step["to"])
        case _:
            to, source = step["to"], series.every
            if to == source or source not in periods.EVERY or not periods.nests(source, to):
                return None
            return replace(key, every=to) if key.every != ALL_PERIODS else None


def _order(series: StratifiedSeries, key: Key) -> Callable[[str], int]:
    """Sort pooled columns as they stand in the series that was disclosed."""
    found = series.published
    base = found.find(Key()) if found is not None else None
    columns = list(base.strata.columns) if base is not None else [*key.pooled]
    return lambda name: columns.index(name) if name in columns else len(columns)


def _collapsed(series: StratifiedSeries, key: Key, to: str) -> Key | None:
    if key.group == TOTAL or series.scheme is None or series.grouping in (None, to):
        return None
    if to not in series.scheme.groupings:
        return None
    series.scheme.roll_up(str(series.grouping), to)
    return replace(key, group=to)


def selected(before: StratifiedSeries, after: StratifiedSeries, asked: Mapping[str, Any]) -> StratifiedSeries:
    """Keep, of the margins of a disclosed series, the same part as was selected of the series itself.

    Margins that sum over what was selected are no sums of the part, and go.

    Parameters
    ----------
    before, after : StratifiedSeries
        The series, and what was selected of it.
    asked : mapping
        The arguments of the selection.

    Returns
    -------
    StratifiedSeries
    """
    found = before.published
    if found is None:
        return after
    columns = {c for c in ("group", "site") if asked[c] is not None} | set(asked["where"] or {})
    in_time = asked["start"] is not None or asked["end"] is not None
    kept = []
    for key, cells in found.margins:
        same_groups = key.group == found.key.group or "group" not in columns
        same_time = key.every == found.key.every or not in_time
        if key == found.key:
            kept.append((key, after.cells))
        elif same_groups and same_time and not columns & set(key.pooled):
            part = selecting.select(replace(before, cells=cells, published=None), **asked)
            kept.append((key, part.cells))
    return replace(after, published=Published(after.cells, found.key, tuple(kept)))
