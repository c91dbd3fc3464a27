"""The scales that all panels share: one y axis that no tiny group can flatten, and readable dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from qi_equity.plot._days import dates, days
from qi_equity.plot._panels import Panel
from qi_equity.plot._text import decimals_for, number
from qi_equity.plot._words import MONTHS

Floats = NDArray[np.float64]

# How far from its centre line a panel is followed, in spreads of the middle panel.
REACH = 1.5
EDGE_PT, ROW_PT = 5.0, 11.0
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_LABEL_PT = 34.0


@dataclass(frozen=True, slots=True, eq=False)
class YScale:
    """The y axis: data lie in [low, high]; the rows above and below hold marks that must not hide data.

    ``above`` (off the scale) and ``top`` (phase labels) are the heights of rows above the data,
    ``marks`` (suppressed, missing, no births) and ``below`` (off the scale) of those under it.
    """

    low: float
    high: float
    bottom: float
    top: float
    above: float
    phases: float
    below: float
    marks: float
    per_point: float
    ticks: Floats
    decimals: int

    def write(self, value: float) -> str:
        """Write a value of the axis with one decimal more than the ticks have."""
        step = self.decimals if abs(value) >= 10 ** (2 - self.decimals) else self.decimals + 1
        return number(value, step)

    def write_short(self, value: float) -> str:
        """Write a value that is far from the others."""
        return number(value, self.decimals if abs(value) >= 10 else self.decimals + 1)

    def labels(self) -> list[str]:
        """Write the ticks."""
        return [number(t, self.decimals) for t in self.ticks]


def y_scale(panels: Sequence[Panel], target: float | None, height: float) -> YScale:
    """Choose the scale for all panels, whose axes are ``height`` points high."""
    low, high = data_range(panels, target)
    step = _nice_step(high - low)
    ticks = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0
    above = any(_beyond(p, high, 1) for p in panels) * ROW_PT
    below = any(_beyond(p, low, -1) for p in panels) * ROW_PT
    phases = any(len(p.phases()) > 1 for p in panels) * ROW_PT
    rail = any((p.suppressed | p.missing | p.no_births).any() and not _nothing_at_all(p) for p in panels)
    marks = rail * (ROW_PT - 3)
    rows = above + below + phases + marks + 2 * EDGE_PT
    unit = (high - low) / max(height - rows, height / 3)
    return YScale(
        low,
        high,
        bottom=low - (EDGE_PT + below + marks) * unit,
        top=high + (EDGE_PT + above + phases) * unit,
        above=above,
        phases=phases,
        below=below,
        marks=marks,
        per_point=unit,
        ticks=ticks,
        decimals=decimals_for(step),
    )


def _nothing_at_all(panel: Panel) -> bool:
    return bool(panel.no_births.all() or panel.missing.all())


def _beyond(panel: Panel, edge: float, sign: int) -> bool:
    """Tell whether a value or a limit that can be crossed lies beyond the edge of the scale."""
    limit, crossable = panel.limit(sign)
    return bool((sign * (panel.value - edge) > 0).any() or (crossable & (sign * (limit - edge) > 0)).any())


def data_range(panels: Sequence[Panel], target: float | None) -> tuple[float, float]:
    """Give the lowest and highest value of the scale.

    Every panel spreads up and down from its own centre line, by its values and by its usual (median) limits
    that a point can cross. Centre lines are always inside, so that no group is off the scale because its
    level is another. A spread of more than ``REACH`` times that of the middle panel (median of the
    logarithms), and more than half the distance between the outermost centre lines, is cut there, so that a
    group with few births cannot flatten the others. The target is always inside. The scale starts at 0 where
    that costs less than half of it.
    """
    drawn = [p for p in panels if not p.empty]
    if not drawn:
        return 0.0, 1.0 if target is None else max(1.0, 1.2 * target)
    low, high = -_edge(drawn, -1), _edge(drawn, 1)
    if target is not None:
        low, high = min(low, target), max(high, target)
    if 0 <= low < high - low:
        low = 0.0
    return (low, high) if high > low else (low, low + (abs(low) or 1.0))


def _edge(panels: Sequence[Panel], side: int) -> float:
    """Give the end of the scale on one side, times ``side``."""
    line, usual, points, furthest = np.array([_spreads(p, side) for p in panels]).T
    if not (usual > 0).any():
        return float((line + furthest).max())
    middle = float(np.exp(np.median(np.log(usual[usual > 0]))))
    cut = max(REACH * middle, float(np.ptp(line)) / 2)
    # A point only just beyond the cut is worth a little more room.
    near = np.where(points <= 1.2 * cut, points, 0.0)
    return float((line + np.maximum(np.minimum(furthest, cut), near)).max())


def _spreads(panel: Panel, side: int) -> tuple[float, float, float, float]:
    """Give a panel's outermost centre line and its spread about it: usually, by its points, at most."""
    limit, crossable = panel.limit(side)
    known = np.isfinite(panel.centre_line)
    line = np.where(known, panel.centre_line, np.nanmedian(panel.centre_line if known.any() else panel.value))
    points = float(np.nanmax(side * (panel.value - line), initial=0.0))
    limits = (side * (limit - line))[crossable]
    usual = max(points, float(np.median(limits)) if len(limits) else 0.0)
    return float((side * line).max()), usual, points, max(points, float(limits.max(initial=0.0)))


def _nice_step(span: float) -> float:
    ticks = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(0, span)
    return float(ticks[1] - ticks[0])


def x_ticks(panels: Sequence[Panel], every: str, width: float) -> tuple[list[float], list[str]]:
    """Choose dates to label on an axis ``width`` points wide, with the year under the first of each year."""
    x = np.unique(np.concatenate([p.x for p in panels])) if panels else np.empty(0)
    room = max(2, int(width // _LABEL_PT))
    if not len(x):
        return [], []
    start, end = dates(x[[0, -1]])
    months = (end.year - start.year) * 12 + end.month - start.month
    if every in ("year", "financial-year"):
        return _years(x[:: -(-len(x) // room)], every)
    if months < 3 and every != "quarter" and every != "month":
        return _labelled(x[:: -(-len(x) // room)], "day")
    step = next((s for s in _MONTH_STEPS if months / s < room and (every != "quarter" or s >= 3)), 240)
    first = start.year * 12 + start.month - 1
    wanted = [m for m in range(first - first % step, first + months + 1, step) if m >= first]
    stamps = [pd.Timestamp(m // 12, m % 12 + 1, 1) for m in wanted or [first]]
    return _labelled(days(stamps), every)


def _labelled(x: Floats, every: str) -> tuple[list[float], list[str]]:
    labels, year = [], None
    for date in dates(x):
        month = f"Q{(date.month + 2) // 3}" if every == "quarter" else MONTHS[date.month - 1]
        text = f"{date.day} {month}" if every == "day" else month
        labels.append(text if date.year == year else f"{text}\n{date.year}")
        year = date.year
    return x.tolist(), labels


def _years(x: Floats, every: str) -> tuple[list[float], list[str]]:
    years = [d.year for d in dates(x)]
    return x.tolist(), [f"{y}-{(y + 1) % 100:02d}" if every == "financial-year" else str(y) for y in years]
