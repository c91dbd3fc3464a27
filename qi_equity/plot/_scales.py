"""The scales that all panels share: one y axis that no tiny group can flatten, and readable dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from qi_equity.plot._days import dates, days
from qi_equity.plot._panels import Panel
from qi_equity.plot._text import decimals_for, number, tick_texts
from qi_equity.plot._words import MONTHS

Floats = NDArray[np.float64]

EDGE_PT, ROW_PT = 5.0, 11.0
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_LABEL_PT, _TICK_PT = 34.0, 20.0


@dataclass(frozen=True, slots=True, eq=False)
class YScale:
    """The y axis: data lie in [low, high]; the rows above and below hold marks that must not hide data.

    ``above`` (off the scale) and ``top`` (phase labels) are the heights of rows above the data,
    ``below`` (off the scale), ``cycles`` (PDSA cycles) and ``marks`` (suppressed, missing, no births) of
    those under it, from the top.
    """

    low: float
    high: float
    bottom: float
    top: float
    above: float
    phases: float
    below: float
    cycles: float
    marks: float
    power: float
    per_point: float
    ticks: Floats
    decimals: int

    def beside(self, value: float, points: float) -> float:
        """Give the value that lies so many points above another."""
        return float(_bent(_bent(value, self.power) + points * self.per_point, 1 / self.power))

    def apart(self, upper: float, lower: float) -> float:
        """Give the distance between two values in points."""
        return float(_bent(upper, self.power) - _bent(lower, self.power)) / self.per_point

    def apply(self, ax: Axes) -> None:
        """Set it as the y axis."""
        if self.power != 1:
            there, back = (partial(_bent, power=p) for p in (self.power, 1 / self.power))
            ax.set_yscale("function", functions=(there, back))
        ax.set_ylim(self.bottom, self.top)

    def write(self, value: float) -> str:
        """Write a value of the axis with one decimal more than the ticks have."""
        step = self.decimals if abs(value) >= 10 ** (2 - self.decimals) else self.decimals + 1
        return number(value, step)

    def write_short(self, value: float) -> str:
        """Write a value that is far from the others."""
        return number(value, self.decimals if abs(value) >= 10 else self.decimals + 1)

    def labels(self) -> list[str]:
        """Write the ticks."""
        return tick_texts(self.ticks)


def y_scale(
    panels: Sequence[Panel], reach: float, power: float, height: float, cycles: float = 0.0
) -> YScale:
    """Choose the scale for panels of one kind, whose axes are ``height`` points high.

    ``reach`` says how far panels are followed (see :func:`data_range`), ``power`` is that of the values by
    which the axis is spaced, ``cycles`` the height of the rows that PDSA cycles need.
    """
    low, high = data_range(panels, reach)
    above = any(_beyond(p, high, 1) for p in panels) * ROW_PT
    below = any(_beyond(p, low, -1) for p in panels) * ROW_PT
    phases = any(len(p.phases()) > 1 for p in panels) * ROW_PT
    rail = any((p.suppressed | p.missing | p.no_births).any() and not _nothing_at_all(p) for p in panels)
    marks = rail * (ROW_PT - 3)
    under = below + cycles + marks
    rows = above + under + phases + 2 * EDGE_PT
    ends = _bent(np.array([low, high]), power)
    unit = float(ends[1] - ends[0]) / max(height - rows, height / 3)
    bottom, top = _bent(ends + np.array([-(EDGE_PT + under), EDGE_PT + above + phases]) * unit, 1 / power)
    ticks = _even_ticks(low, high) if power == 1 else _uneven_ticks(high, _TICK_PT * unit, power)
    return YScale(
        low,
        high,
        bottom=float(bottom),
        top=float(top),
        above=above,
        phases=phases,
        below=below,
        cycles=cycles,
        marks=marks,
        power=power,
        per_point=unit,
        ticks=ticks,
        decimals=decimals_for(float(np.diff(ticks).min(initial=np.inf))),
    )


def _bent(values: ArrayLike, power: float) -> Floats:
    """Raise values to a power, and keep their signs."""
    values = np.asarray(values, dtype=float)
    return values if power == 1 else np.sign(values) * np.abs(values) ** power


def _even_ticks(low: float, high: float) -> Floats:
    step = _nice_step(high - low)
    return np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0


def _uneven_ticks(high: float, room: float, power: float) -> Floats:
    """Choose 0 and 1, 2 and 5 times powers of 10, each so far from the one before that labels have room."""
    ticks = [0.0]
    largest = int(np.floor(np.log10(high)))
    for tick in (m * 10.0**k for k in range(largest - 4, largest + 1) for m in (1, 2, 5)):
        if tick <= high and _bent(tick, power) - _bent(ticks[-1], power) >= room:
            ticks.append(tick)
    return np.array(ticks)


def _nothing_at_all(panel: Panel) -> bool:
    return bool(panel.no_births.all() or panel.missing.all())


def _beyond(panel: Panel, edge: float, sign: int) -> bool:
    """Tell whether a value or a limit that can be crossed lies beyond the edge of the scale."""
    limit, crossable = panel.limit(sign)
    values = panel.outermost(sign)
    return bool((sign * (values - edge) > 0).any() or (crossable & (sign * (limit - edge) > 0)).any())


def data_range(panels: Sequence[Panel], reach: float) -> tuple[float, float]:
    """Give the lowest and highest value of the scale.

    Every panel spreads up and down from its own centre line, by its values and by its usual (median) limits
    that a point can cross. Centre lines are always inside, so that no group is off the scale because its
    level is another. A spread of more than ``reach`` times that of the middle panel (median of the
    logarithms), and more than half the distance between the outermost centre lines, is cut there, so that a
    group with few births cannot flatten the others. Targets are always inside. The scale starts at 0 where
    that costs less than half of it.
    """
    drawn = [p for p in panels if not p.empty]
    targets = np.concatenate([np.empty(0), *(p.target for p in panels)])
    if not drawn:
        return 0.0, max(1.0, 1.2 * np.nanmax(targets, initial=0.0))
    low = float(np.nanmin(targets, initial=-_edge(drawn, reach, -1)))
    high = float(np.nanmax(targets, initial=_edge(drawn, reach, 1)))
    if 0 <= low < high - low:
        low = 0.0
    return (low, high) if high > low else (low, low + (abs(low) or 1.0))


def _edge(panels: Sequence[Panel], reach: float, side: int) -> float:
    """Give the end of the scale on one side, times ``side``."""
    line, usual, points, furthest, outermost = np.array([_spreads(p, side) for p in panels]).T
    if not (usual > 0).any():
        return float(outermost.max())
    middle = float(np.exp(np.median(np.log(usual[usual > 0]))))
    cut = max(reach * middle, float(np.ptp(line)) / 2)
    # A point only just beyond the cut is worth a little more room.
    near = np.where(points <= 1.2 * cut, points, 0.0)
    # The widest spread may be about another line than the outermost: a panel needs no more than it holds.
    return float(np.minimum(line + np.maximum(np.minimum(furthest, cut), near), outermost).max())


def _spreads(panel: Panel, side: int) -> tuple[float, ...]:
    """Give a panel's outermost centre line, its spread (usually, by points, at most), and its outermost."""
    limit, crossable = panel.limit(side)
    known = np.isfinite(panel.centre_line)
    values = panel.outermost(side)
    line = np.where(known, panel.centre_line, np.nanmedian(panel.centre_line if known.any() else values))
    points = float(np.nanmax(side * (values - line), initial=0.0))
    limits = (side * (limit - line))[crossable]
    usual = max(points, float(np.median(limits)) if len(limits) else 0.0)
    outer = float((side * line).max())
    ends = np.concatenate([side * values, (side * limit)[crossable]])
    furthest = max(points, float(limits.max(initial=0.0)))
    return outer, usual, points, furthest, float(np.nanmax(ends, initial=outer))


def _nice_step(span: float) -> float:
    ticks = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(0, span)
    return float(ticks[1] - ticks[0])


def x_limits(panels: Sequence[Panel]) -> tuple[float, float]:
    """Give the dates (days) where the x axis of some panels starts and ends."""
    edges = np.concatenate([np.empty(0), *(p.edges for p in panels)])
    return (float(edges.min()), float(edges.max())) if len(edges) else (0.0, 1.0)


def x_ticks(panels: Sequence[Panel], every: str, width: float) -> tuple[list[float], list[str]]:
    """Choose dates to label for some panels."""
    return date_ticks(np.concatenate([np.empty(0), *(p.x for p in panels)]), every, width)


def date_ticks(days_of: Floats, every: str, width: float) -> tuple[list[float], list[str]]:
    """Choose dates to label on an axis ``width`` points wide, with the year under the first of each year."""
    x = np.unique(days_of)
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
