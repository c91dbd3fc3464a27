"""Draw rows of estimates with intervals: one row a group, as many panels as there are places and spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._frame import write
from qi_equity.plot._layout import GAP, MARGIN, Page
from qi_equity.plot._result_words import Words
from qi_equity.plot._rows import Rows, XScale
from qi_equity.plot._style import Palette
from qi_equity.plot._text import Ruler

Floats = NDArray[np.float64]

NAMES_PT = 150.0


@dataclass(frozen=True, slots=True)
class Look:
    """How one kind of estimate is drawn: words for the legend, marker, and name of its colour."""

    label: str
    marker: str
    colour: str
    hollow: bool = False


# Hollow means everywhere that a rate behind the mark is not reliable; its row says so in words.
LOOKS = {
    "reliable": Look(style.RATE, "o", "common"),
    "unreliable": Look(style.UNRELIABLE, "o", "common", hollow=True),
    "worse": Look(style.WORSE, style.MARKERS["concern"], "concern"),
    "worse, not reliable": Look("_worse", style.MARKERS["concern"], "concern", hollow=True),
    "better": Look(style.BETTER, style.MARKERS["improvement"], "improvement"),
    "better, not reliable": Look("_better", style.MARKERS["improvement"], "improvement", hollow=True),
    "differs": Look(style.HIGHER_OR_LOWER, style.MARKERS["neutral"], "neutral"),
    "differs, not reliable": Look("_differs", style.MARKERS["neutral"], "neutral", hollow=True),
    "open": Look(style.NOT_YET_VISIBLE, "o", "common"),
    "open, not reliable": Look("_open", "o", "common", hollow=True),
    "worse than the line": Look(style.WORSE_THAN_LINE, style.MARKERS["concern"], "concern"),
    "better than the line": Look(style.BETTER_THAN_LINE, style.MARKERS["improvement"], "improvement"),
    "away from the line": Look(style.AWAY_FROM_LINE, style.MARKERS["neutral"], "neutral"),
    "within the limits": Look(style.INSIDE, "o", "common"),
    "not yet visible": Look(style.CANNOT_SHOW, "o", "common", hollow=True),
    "not judged": Look(style.NOT_JUDGED, "X", "limits"),
    "improved": Look(style.IMPROVED, style.MARKERS["improvement"], "improvement"),
    "worsened": Look(style.WORSENED, style.MARKERS["concern"], "concern"),
    "moved": Look(style.MOVED, style.MARKERS["neutral"], "neutral"),
    "unchanged": Look(style.UNCHANGED, "o", "common"),
    "change not visible": Look(style.CHANGE_NOT_VISIBLE, "o", "common", hollow=True),
    "unrecorded": Look("_unrecorded", "D", "common"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Limits of each row, inner and outer, and the shrunken rate beside the raw one; NaN for none."""

    lower: Floats
    upper: Floats
    lower_outer: Floats
    upper_outer: Floats
    shrunken: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """One panel, a row a group: estimates in the unit of the axis; NaN where there is none.

    ``looks`` are keys of ``LOOKS``; ``texts`` stand at the right of each row, ``instead`` where there is no
    estimate. ``at`` is a value to compare with (a dashed line; NaN for none), ``ends`` what the directions of
    the axis mean.
    """

    head: Head
    estimate: Floats
    lower: Floats
    upper: Floats
    looks: tuple[str, ...]
    texts: tuple[str, ...]
    instead: tuple[str, ...]
    scale: int = 0
    unit: str = ""
    at: float = np.nan
    at_label: str = ""
    ends: tuple[str, str] = ("", "")
    bands: Bands | None = None


def reserve_for(panels: Sequence[Dots], ruler: Ruler) -> float:
    """Give the space that the texts at the right need, in points."""
    lines = {line for p in panels for text in p.texts for line in text.split("\n")}
    return max((ruler.width(line, style.SMALL) for line in lines), default=0.0) + 10


def draw_dots(
    page: Page,
    panels: Sequence[Dots],
    rows: Rows,
    scales: Sequence[XScale],
    palette: Palette,
    words: Words,
    ruler: Ruler,
) -> Figure:
    """Draw all panels on the page."""
    headers = [Header(p.head, (), (), page.width, ruler) for p in panels]
    heights = page.row_headers([h.height for h in headers])
    for i, (ax, dots) in enumerate(zip(page.axes, panels, strict=True)):
        row, column = page.places[i]
        scale = scales[dots.scale]
        scale.prepare(ax, labels=page.is_lowest(i))
        rows.prepare(ax, labels=column == 0)
        if column == 0:
            draw_whose(ax, words.whose)
        draw_panel(ax, dots, rows, scale, palette)
        if page.is_lowest(i):
            draw_unit(ax, dots)
        headers[i].draw(ax, heights[row])
    page.place(heights, words.title, words.subtitle, words.notes, ruler)
    page.figure.set_label(words.description)
    return page.figure


def draw_whose(ax: Axes, text: str) -> None:
    """Say over the names what they are names of."""
    ax.annotate(
        text, (0, 1), xycoords="axes fraction", xytext=(-7, 2), textcoords="offset points", ha="right",
        va="bottom", fontsize=style.SMALL, color=style.MUTED, annotation_clip=False, parse_math=False,
    )  # fmt: skip


def draw_panel(ax: Axes, dots: Dots, rows: Rows, scale: XScale, palette: Palette) -> None:
    """Draw everything inside the frame of one panel."""
    if np.isfinite(dots.at):
        ax.axvline(
            dots.at, color=style.INK, linewidth=1.2, linestyle=(0, (5, 2)), zorder=1.5, label=dots.at_label
        )
    if dots.bands is not None:
        _draw_bands(ax, dots.bands, rows, scale, palette)
    _draw_intervals(ax, dots, rows, scale, palette)
    for name, look in LOOKS.items():
        here = np.array([n == name for n in dots.looks], dtype=bool) & ~np.isnan(dots.estimate)
        _draw_estimates(ax, dots.estimate[here], rows.y[here], scale, look, palette)
    right = ax.get_yaxis_transform()
    for y, text, instead in zip(rows.y, dots.texts, dots.instead, strict=True):
        if text:
            write(ax, 1.0, y, text, "right", right)
        if instead:
            write(ax, 0.012, y, instead, "left", right, colour=style.MUTED)


def _draw_bands(ax: Axes, bands: Bands, rows: Rows, scale: XScale, palette: Palette) -> None:
    """Draw the limits of each row as boxes, the outer ones dashed, and a bar for the shrunken rate."""
    tall = 0.32 * float(np.diff(rows.y).min()) if len(rows.y) > 1 else 10.0
    kinds = (
        (bands.lower_outer, bands.upper_outer, style.OUTER, "white", (0, (2, 2)), 0.8),
        (bands.lower, bands.upper, style.INNER, style.BAND, "-", 1.0),
    )
    for lower, upper, label, face, dashes, wide in kinds:
        for y, ends in zip(rows.y, scale.inside(np.stack([lower, upper], axis=1)), strict=True):
            if np.isfinite(ends).all():
                box = Rectangle((ends[0], y - tall), ends[1] - ends[0], 2 * tall, label=label, zorder=1.2)
                box.set(facecolor=face, edgecolor=palette.limits, linestyle=dashes, linewidth=wide)
                ax.add_patch(box)
                label = f"_{label}"
    some = np.isfinite(bands.shrunken)
    if some.any():
        ax.plot(
            scale.inside(bands.shrunken[some]), rows.y[some], linestyle="None", marker="|", markersize=15,
            markeredgewidth=2.2, markeredgecolor=palette.neutral, label=style.SHRUNKEN, zorder=3.5,
        )  # fmt: skip


def _draw_intervals(ax: Axes, dots: Dots, rows: Rows, scale: XScale, palette: Palette) -> None:
    """Draw the intervals, with an arrow where one goes on beyond the scale."""
    if np.isfinite(dots.lower).any():
        ax.plot([], [], color=palette.common, linewidth=2.0, label=style.INTERVAL)
    for y, low, high, look in zip(rows.y, dots.lower, dots.upper, dots.looks, strict=True):
        if np.isnan(low) or np.isnan(high):
            continue
        colour = getattr(palette, LOOKS[look].colour)
        inside = scale.inside([low, high])
        ax.plot(inside, [y, y], color=colour, linewidth=2.0, label="_interval", marker="None", linestyle="-",
                solid_capstyle="butt", zorder=2.5)  # fmt: skip
        for value, edge, marker in ((low, scale.low, "<"), (high, scale.high, ">")):
            if (value - edge) * (1 if marker == ">" else -1) > 1e-12 * abs(edge):
                _arrow(ax, edge, y, marker, colour)


def _draw_estimates(ax: Axes, x: Floats, y: Floats, scale: XScale, look: Look, palette: Palette) -> None:
    """Draw the estimates of one kind; what is beyond the scale (a ratio of 0, or infinite) at its edge."""
    inside = (x >= scale.low) & (x <= scale.high)
    draw_marks(ax, x[inside], y[inside], look, palette)
    for low, at in zip((x < scale.low)[~inside], y[~inside], strict=True):
        colour = getattr(palette, look.colour)
        _arrow(ax, scale.low if low else scale.high, at, "<" if low else ">", colour)


def draw_marks(ax: Axes, x: Floats, y: Floats, look: Look, palette: Palette) -> None:
    """Draw marks of one kind; none, and no legend entry, where there are none."""
    if not len(x):
        return
    colour = getattr(palette, look.colour)
    ax.plot(
        x,
        y,
        label=look.label,
        linestyle="None",
        marker=look.marker,
        markersize=7.5,
        markerfacecolor="white" if look.hollow else colour,
        markeredgecolor=colour if look.hollow else "white",
        markeredgewidth=1.6 if look.hollow else 0.8,
        zorder=4,
        clip_on=False,
    )


def _arrow(ax: Axes, x: float, y: float, marker: str, colour: str) -> None:
    ax.plot(
        [x],
        [y],
        label=style.OFF_SCALE,
        linestyle="None",
        marker=marker,
        markersize=6.5,
        markerfacecolor=colour,
        markeredgecolor="white",
        markeredgewidth=0.5,
        zorder=5,
        clip_on=False,
    )


def draw_unit(ax: Axes, dots: Dots) -> None:
    """Write the unit under the axis, between what its two directions mean."""
    for x, text, align in ((0.0, dots.ends[0], "left"), (1.0, dots.ends[1], "right")):
        if text:
            ax.annotate(
                text, (x, 0), xycoords="axes fraction", xytext=(0, -18), textcoords="offset points", ha=align,
                va="top", fontsize=style.SMALL, color=style.INK, fontweight="bold", annotation_clip=False,
                parse_math=False,
            )  # fmt: skip
    ax.set_xlabel(dots.unit, fontsize=style.BODY, color=style.INK, labelpad=3, parse_math=False)


def page_for(panels: int, columns: int, height: float) -> Page:
    """Make a page on which each panel has the height of its rows; only the first column has names."""
    labelled = [i % columns == 0 for i in range(panels)]
    rows = -(-panels // columns)
    return Page(labelled, columns, left=NAMES_PT + MARGIN, heights=[height] * rows, between=GAP / 2)
