"""The marks of a forest plot: squares for sites, a diamond for all of them, the zone that does not matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._around import Head
from qi_equity.plot._frame import write
from qi_equity.plot._rows import Rows, XScale
from qi_equity.plot._style import Palette

__all__ = ["Forest", "draw_forest", "ends_of"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SITE = "site (the larger, the more it weighs)"
_LEFT_OUT = "site that is left out"
_ALL = "all sites together, as wide as the interval"
_ANOTHER = "where another such site would lie"
_NO_CHANGE = "no change"
_TOO_SMALL = "smaller than what would matter"
_LEAST_PT, _MORE_PT, _USUAL_PT = 4.0, 9.0, 7.0
_TALL = 8.0
_COLOURS = {"improved": "improvement", "narrowed": "improvement", "worsened": "concern", "widened": "concern"}


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """One panel: sites in the order of the rows, and what is pooled.

    ``pooled`` holds estimate, lower, upper and both ends of the prediction interval; ``texts`` and
    ``instead`` (of sites without a number) have one more entry than there are sites, the last for all of
    them.
    """

    head: Head
    estimate: Floats
    lower: Floats
    upper: Floats
    weight: Floats
    left_out: Bools
    pooled: Floats
    verdict: str
    texts: tuple[str, ...]
    instead: tuple[str, ...]

    @property
    def has_numbers(self) -> bool:
        """Whether there is anything to draw."""
        return bool((~np.isnan(self.estimate)).any() or ~np.isnan(self.pooled[0]))

    def telling(self, name: str) -> Floats:
        """Give a number of the sites that set the scale: estimates from half of an equal share of weight on.

        A site that knows little has a long interval, which would flatten all others: intervals count from an
        equal share on.
        """
        share = np.nan_to_num(self.weight)
        equal = share.sum() / max(np.count_nonzero(share), 1)
        little = share < (0.5 * equal if name == "estimate" else equal)
        return np.where(little, np.nan, getattr(self, name))


def ends_of(better: str | None) -> tuple[str, str]:
    """Say what the directions of the axis mean; of a gap, for the group."""
    return ("← fell", "rose →") if better is None else ("← better", "worse →")


def draw_forest(
    ax: Axes, forest: Forest, rows: Rows, scale: XScale, palette: Palette, zone: tuple[float, float]
) -> None:
    """Draw everything inside the frame of one panel; ``zone`` is empty where both ends are the same."""
    if zone[0] < zone[1]:
        ax.axvspan(*scale.inside(zone), color=style.BAND, zorder=0.2, label=_TOO_SMALL, linewidth=0)
        for edge in zone:
            ax.axvline(
                edge, color=style.MUTED, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0.6, label="_edge"
            )
    none = 1.0 if scale.log else 0.0
    ax.axvline(none, color=style.INK, linewidth=1.2, linestyle=(0, (5, 2)), zorder=1.5, label=_NO_CHANGE)
    _draw_sites(ax, forest, rows.y[:-1], scale, palette)
    _draw_pooled(ax, forest, float(rows.y[-1]), scale, palette)
    right = ax.get_yaxis_transform()
    for y, text, instead in zip(rows.y, forest.texts, forest.instead, strict=True):
        if text:
            write(ax, 1.0, y, text, "right", right)
        if instead:
            write(ax, 0.012, y, instead, "left", right, colour=style.MUTED)


def _draw_sites(ax: Axes, forest: Forest, heights: Floats, scale: XScale, palette: Palette) -> None:
    """Draw squares and intervals; hollow where a site is left out."""
    largest = np.nanmax(forest.weight, initial=0.0)
    share = np.nan_to_num(forest.weight / largest) if largest > 0 else np.zeros(len(heights))
    size = _LEAST_PT + _MORE_PT * np.sqrt(share) if largest > 0 else np.full(len(heights), _USUAL_PT)
    size = np.where(forest.left_out, _USUAL_PT, size)
    colour = palette.common
    if np.isfinite(forest.lower).any():
        ax.plot([], [], color=colour, linewidth=2.0, label=style.INTERVAL)
    for x, low, high, y, points, out in zip(
        forest.estimate, forest.lower, forest.upper, heights, size, forest.left_out, strict=True
    ):
        draw_interval(ax, (low, high), float(y), scale, colour, 1.0 if out else 2.0)
        if np.isnan(x):
            continue
        if not scale.low <= x <= scale.high:
            _arrow(ax, float(scale.inside([x])[0]), float(y), "<" if x < scale.low else ">", colour)
            continue
        ax.plot(
            [x], [y], label=_LEFT_OUT if out else _SITE, linestyle="None", marker="s", markersize=points,
            markerfacecolor="white" if out else colour, markeredgecolor=colour if out else "white",
            markeredgewidth=1.4 if out else 0.8, zorder=4, clip_on=False,
        )  # fmt: skip


def _draw_pooled(ax: Axes, forest: Forest, y: float, scale: XScale, palette: Palette) -> None:
    """Draw the diamond, and the thin bar of the prediction interval under it."""
    x, low, high, *another = forest.pooled
    if np.isfinite(another).all():
        inside = scale.inside(another)
        ax.plot(inside, [y, y], color=palette.neutral, linewidth=1.4, zorder=2.4, label=_ANOTHER,
                marker="|", markersize=9, markeredgewidth=1.4, linestyle="-")  # fmt: skip
        _ends(ax, (another[0], another[1]), y, scale, palette.neutral)
    if not np.isfinite(x):
        return
    colour = getattr(palette, _COLOURS.get(forest.verdict.split(" ")[0], "common"))
    known = bool(np.isfinite([low, high]).all())
    # A diamond for the legend, and the mark itself where there is no interval to draw it by.
    ax.plot(
        [] if known else [x], [] if known else [y], label=_ALL, linestyle="None", marker="D", markersize=8,
        markerfacecolor=colour if known else "white", markeredgecolor=style.INK if known else colour,
        markeredgewidth=0.8 if known else 1.6, zorder=4.5,
    )  # fmt: skip
    if known:
        left, middle, right = scale.inside([low, x, high])
        corners = [(left, y), (middle, y - _TALL), (right, y), (middle, y + _TALL)]
        diamond = Polygon(corners, closed=True, zorder=4.5, label="_diamond")
        diamond.set(facecolor=colour, edgecolor=style.INK, linewidth=0.8)
        ax.add_patch(diamond)
        _ends(ax, (low, high), y, scale, colour)


def draw_interval(
    ax: Axes, ends: tuple[float, float], y: float, scale: XScale, colour: str, width: float
) -> None:
    """Draw an interval, with an arrow where it goes on beyond the scale."""
    if np.isnan(ends).any():
        return
    ax.plot(scale.inside(ends), [y, y], color=colour, linewidth=width, label="_interval", marker="None",
            linestyle="-", solid_capstyle="butt", zorder=2.5)  # fmt: skip
    _ends(ax, ends, y, scale, colour)


def _ends(ax: Axes, ends: tuple[float, float], y: float, scale: XScale, colour: str) -> None:
    if ends[0] < scale.low - 1e-12 * abs(scale.low):
        _arrow(ax, scale.low, y, "<", colour)
    if ends[1] > scale.high + 1e-12 * abs(scale.high):
        _arrow(ax, scale.high, y, ">", colour)


def _arrow(ax: Axes, x: float, y: float, marker: str, colour: str) -> None:
    ax.plot([x], [y], label=style.OFF_SCALE, linestyle="None", marker=marker, markersize=6.5, zorder=5,
            markerfacecolor=colour, markeredgecolor="white", markeredgewidth=0.5, clip_on=False)  # fmt: skip
