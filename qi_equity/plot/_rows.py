"""Rows of a figure with one line a group: their names, their places, and the scale they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._frame import set_frame
from qi_equity.plot._text import Ruler, decimals_for, tick_texts

Floats = NDArray[np.float64]

LINE_PT, SPACE_PT, APART_PT, EDGE_PT = 11.5, 8.0, 9.0, 7.0
# An interval that reaches further from its estimate than this many usual ones is cut, with an arrow.
_REACH = 3.0
_RATIO_TICKS = (
    1,
    2,
    0.5,
    4,
    0.25,
    10,
    0.1,
    30,
    0.03,
    100,
    0.01,
    1.5,
    0.67,
    3,
    0.33,
    1.25,
    0.8,
    6,
    0.17,
    1.1,
    0.9,
)
_TICK_PT = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Names of the rows, wrapped, and the middle of each in points from the top.

    ``apart`` tells which rows stand apart, at the end: women whose ethnic group is not known.
    """

    names: tuple[str, ...]
    apart: tuple[bool, ...]
    y: Floats
    height: float

    def prepare(self, ax: Axes, *, labels: bool) -> None:
        """Set the y axis: a name and a faint line for each row, the first at the top."""
        ax.set_ylim(self.height, 0)
        ax.set_yticks(self.y, self.names if labels else [""] * len(self.y))
        ax.tick_params(axis="y", which="both", length=0, pad=7, labelsize=style.BODY, labelcolor=style.INK)
        for text in ax.get_yticklabels():
            text.set_parse_math(False)
            text.set_linespacing(1.05)
        for y in self.y:
            ax.axhline(y, color=style.GRID, linewidth=0.7, zorder=0.5, label="_row")
        first = self.apart.index(True) if any(self.apart) else 0
        if first:
            edge = (self.y[first - 1] + self.y[first]) / 2
            ax.axhline(edge, color=style.MUTED, linewidth=0.8, linestyle=(0, (2, 2)), label="_apart")


def make_rows(
    names: Sequence[str], apart: Sequence[bool], room: float, ruler: Ruler, *, lines: int = 1
) -> Rows:
    """Wrap names to ``room`` points and find their places; each row has room for ``lines`` lines of text."""
    wrapped = [ruler.wrap(name.split(" "), room, style.BODY) for name in names]
    wrapped = [[ruler.shorten(line, room, style.BODY) for line in part] for part in wrapped]
    heights = np.array([max(len(part), lines) * LINE_PT + SPACE_PT for part in wrapped])
    steps = np.diff(np.array(apart, dtype=np.float64), prepend=float(apart[0]) if len(apart) else 0.0)
    starts = np.cumsum(heights) - heights + np.cumsum((steps > 0) * APART_PT)
    texts = tuple("\n".join(part) for part in wrapped)
    height = float(starts[-1] + heights[-1]) + 2 * EDGE_PT if len(texts) else 4 * EDGE_PT
    return Rows(texts, tuple(apart), starts + heights / 2 + EDGE_PT, height)


@dataclass(frozen=True, slots=True, eq=False)
class XScale:
    """The x axis of rows: data lie in [low, high]; ``reserve`` points at the right are kept for numbers."""

    low: float
    high: float
    log: bool
    ticks: Floats
    decimals: int
    left: float
    right: float

    def prepare(self, ax: Axes, *, labels: bool) -> None:
        """Set scale, ticks and frame; nothing is left to a style the process may have set."""
        if self.log:
            ax.set_xscale("log")
        ax.set_xlim(self.left, self.right)
        ax.set_xticks(self.ticks, self.texts() if labels else [""] * len(self.ticks))
        set_frame(ax, left=False, left_ticks=False, grid=False)
        for tick in self.ticks:
            ax.axvline(tick, color=style.GRID, linewidth=0.8, zorder=0.4, label="_grid")

    def texts(self) -> list[str]:
        """Write the ticks."""
        if self.log:
            return [f"{t:g}" for t in self.ticks]
        return tick_texts(self.ticks)

    def inside(self, values: ArrayLike) -> Floats:
        """Move what lies beyond the scale to its edge."""
        return np.clip(np.asarray(values, dtype=np.float64), self.low, self.high)


def x_scale(
    estimate: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    width: float,
    reserve: float,
    always: Sequence[float] = (),
    log: bool = False,
) -> XScale:
    """Choose one scale for several panels, ``width`` points wide with ``reserve`` points kept at the right.

    All finite estimates are inside, and ``always``; intervals as far as three usual ones reach, so that a
    group with few births does not flatten the others. A ratio of 0 or infinity is left for an arrow.
    """
    ends = [np.ravel(np.asarray(a, dtype=np.float64)) for a in (estimate, lower, upper)]
    low, high = _data_range(ends, np.asarray(always, dtype=np.float64), log)
    data = max(width - reserve - 2 * EDGE_PT, width / 4)
    if log:
        per_point = (np.log(high) - np.log(low)) / data
        left, right = np.log(low) - EDGE_PT * per_point, np.log(high) + (EDGE_PT + reserve) * per_point
        ticks = ratio_ticks(low, high, int(data // _TICK_PT))
        return XScale(low, high, True, ticks, 2, float(np.exp(left)), float(np.exp(right)))
    bins = int(np.clip(data // _TICK_PT, 2, 6))
    ticks = nice_ticks(low, high, bins)
    step = float(ticks[1] - ticks[0])
    per_point = (high - low) / data
    return XScale(
        low,
        high,
        False,
        ticks[(ticks >= low - 1e-9 * step) & (ticks <= high + 1e-9 * step)],
        decimals_for(step),
        low - EDGE_PT * per_point,
        high + (EDGE_PT + reserve) * per_point,
    )


def nice_ticks(low: float, high: float, most: int) -> Floats:
    """Give round numbers from about ``low`` to about ``high``."""
    return np.asarray(MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))


def _data_range(ends: Sequence[Floats], always: Floats, log: bool) -> tuple[float, float]:
    """Give the least and greatest value of the scale."""
    with np.errstate(divide="ignore", invalid="ignore"):
        y, low, high, fixed = (np.log(a) if log else a for a in (*ends, always))
    y = np.where(np.isfinite(y), y, np.nan)
    known = y[np.isfinite(y)]
    inside = [*known.tolist(), *fixed.tolist()]
    if not inside:
        return (0.5, 2.0) if log else (0.0, 1.0)
    least, most = min(inside), max(inside)
    for side, edge in ((-1, low), (1, high)):
        arms = side * (edge - y)
        arms = np.where(np.isfinite(arms), arms, np.nan)
        if np.isfinite(arms).any():
            reach = float(np.nanmax(side * y + np.minimum(arms, _REACH * np.nanmedian(arms))))
            least, most = (min(least, -reach), most) if side < 0 else (least, max(most, reach))
    if log:
        pad = max(0.0, np.log(1.6) - (most - least)) / 2
        return float(np.exp(least - pad)), float(np.exp(most + pad))
    if 0 <= least < most - least:
        least = 0.0
    return (float(least), float(most)) if most > least else (float(least), float(least) + (abs(least) or 1.0))


def ratio_ticks(low: float, high: float, most: int) -> Floats:
    """Choose ticks about 1: the plainest ratios first, as many as there is room for."""
    apart = (np.log(high) - np.log(low)) / max(most, 1)
    kept: list[float] = []
    for tick in _RATIO_TICKS:
        free = all(abs(np.log(tick / other)) >= apart for other in kept)
        if free and low * 0.999 <= tick <= high * 1.001:
            kept.append(tick)
    return np.array(sorted(kept))
