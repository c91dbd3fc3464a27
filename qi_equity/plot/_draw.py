"""Draw one panel into an Axes: lines, points, signals, and the marks of what is not there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._panels import Arm, Panel
from qi_equity.plot._scales import YScale
from qi_equity.plot._style import Meaning, Palette

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Dashes = str | tuple[float, tuple[float, ...]]

_LIMIT: Dashes = (0, (4, 2))
_TARGET: Dashes = (0, (6, 2, 1, 2))
_LOW_ARM: Dashes = (0, (2.5, 1.2))

_MEANINGS: tuple[Meaning, ...] = ("neutral", "improvement", "concern")


@dataclass(frozen=True, slots=True, eq=False)
class Pen:
    """What drawing needs besides the panel: where, on which scale, in which colours, and two legend texts."""

    ax: Axes
    scale: YScale
    palette: Palette
    spacing: float
    centre: str
    target: str

    @property
    def size(self) -> float:
        """Diameter of a point that fits between its neighbours, in points of type."""
        return float(np.clip(self.spacing * 0.75, 2.6, 5.0))

    @property
    def big(self) -> float:
        """Diameter of a signal."""
        return float(np.clip(self.spacing * 1.1, 4.8, 8.0))

    def line(
        self,
        x: Floats | list[float],
        y: Floats | list[float],
        *,
        label: str,
        colour: str,
        width: float,
        dashes: Dashes = "-",
        steps: bool = False,
        zorder: float = 2.0,
    ) -> Line2D:
        """Draw a line that ends where the data of the scale end, not at the frame."""
        drawstyle = "steps-mid" if steps else "default"
        (drawn,) = self.ax.plot(
            x,
            y,
            label=label,
            color=colour,
            linewidth=width,
            linestyle=dashes,
            marker="None",
            drawstyle=drawstyle,
            zorder=zorder,
            solid_capstyle="butt",
            dash_capstyle="butt",
        )
        bottom, top = self.scale.beside(self.scale.low, -1.5), self.scale.beside(self.scale.high, 1.5)
        inside = Rectangle((0, bottom), 1, top - bottom, transform=self.ax.get_yaxis_transform())
        drawn.set_clip_path(inside)
        return drawn

    def marks(
        self,
        x: Floats,
        y: Floats,
        *,
        label: str,
        marker: str | Path,
        size: float,
        face: str,
        edge: str,
        width: float = 0.8,
        zorder: float = 4.0,
    ) -> None:
        """Draw markers without a line; none, and no legend entry, where there are none."""
        if len(x):
            self.ax.plot(
                x,
                y,
                label=label,
                linestyle="None",
                marker=marker,
                markersize=size,
                markerfacecolor=face,
                markeredgecolor=edge,
                markeredgewidth=width,
                zorder=zorder,
                clip_on=False,
            )


def draw_panel(pen: Pen, panel: Panel) -> None:
    """Draw everything inside the frame of one panel."""
    if panel.empty:
        draw_empty(pen, panel)
    else:
        _draw_lines(pen, panel)
        for arm in panel.arms:
            _draw_runs(pen, panel, arm)
            _draw_points(pen, panel, arm)
    if not (panel.no_births.all() or panel.missing.all()):
        draw_gaps(pen, panel)
    _draw_baseline(pen, panel)


def draw_empty(pen: Pen, panel: Panel) -> None:
    """Say in the middle why there is nothing to draw."""
    if panel.suppressed.any():
        text = "nothing to show:\nnumbers are withheld"
    elif not len(panel.x):
        text = "no events recorded"
    elif panel.missing.all():
        text = "not reported"
    elif panel.known.any():
        text = "too few numbers to draw"
    else:
        text = "no births recorded"
    pen.ax.text(
        0.5,
        0.5,
        text,
        transform=pen.ax.transAxes,
        ha="center",
        va="center",
        color=style.MUTED,
        fontsize=style.BODY,
    )


def _draw_lines(pen: Pen, panel: Panel) -> None:
    """Draw centre line, limits and the space between them phase by phase, then the target."""
    colours, first = pen.palette, True
    for part in panel.phases():
        x, ends = panel.x[part], panel.edges[[part.start, part.stop]]
        lower = np.where(panel.lower_crossable, panel.lower, np.nan)[part]
        upper = np.where(panel.upper_crossable, panel.upper, np.nan)[part]
        _band(pen, panel, part, ends, label=style.WITHIN if first else "_within")
        label = pen.centre if first else "_centre line"
        _level(pen, x, ends, panel.centre_line[part], label, colours.centre_line, 1.3, "-")
        label = style.LIMITS if first else "_upper"
        _level(pen, x, ends, upper, label, colours.limits, 1.1, _LIMIT)
        _level(pen, x, ends, lower, "_lower", colours.limits, 1.1, _LIMIT)
        first = False
    ends = panel.edges[[0, -1]]
    _level(pen, panel.x, ends, panel.target, pen.target, colours.target, 1.4, _TARGET, 2.2)


def _band(pen: Pen, panel: Panel, part: slice, ends: Floats, *, label: str) -> None:
    """Tint what lies within the limits: also where nothing could lie beyond them."""
    known = np.isfinite(panel.lower[part]) & np.isfinite(panel.upper[part])
    if not known.any():
        return
    x, pad = np.concatenate([ends[:1], panel.x[part], ends[1:]]), (1, 1)
    low, high = (
        np.pad(np.clip(v[part], pen.scale.low, pen.scale.high), pad, mode="edge")
        for v in (panel.lower, panel.upper)
    )
    pen.ax.fill_between(
        x,
        low,
        high,
        where=np.pad(known, pad, mode="edge"),
        step="mid",
        color=style.BAND,
        linewidth=0,
        zorder=0.5,
        label=label,
    )


def _level(
    pen: Pen,
    x: Floats,
    ends: Floats,
    y: Floats,
    label: str,
    colour: str,
    width: float,
    dashes: Dashes,
    zorder: float = 2.0,
) -> None:
    """Draw a level that may vary by point: straight over the phase when constant, as steps when not."""
    known = y[np.isfinite(y)]
    if not len(known):
        return
    varies = len(known) < len(y) or np.ptp(known) > 1e-9 * max(1.0, abs(known[0]))
    if varies:
        ends, y = np.concatenate([ends[:1], x, ends[1:]]), np.concatenate([y[:1], y, y[-1:]])
    else:
        y = np.full(2, y[0])
    pen.line(
        ends, y, label=label, colour=colour, width=width, dashes=dashes, steps=bool(varies), zorder=zorder
    )


def _draw_runs(pen: Pen, panel: Panel, arm: Arm) -> None:
    label = style.RUN
    for run in arm.runs:
        inside = (panel.x >= run.start) & (panel.x <= run.end)
        colour = getattr(pen.palette, run.meaning)
        halo = pen.line(panel.x[inside], arm.value[inside], label=label, colour=colour, width=6.5, zorder=2.8)
        halo.set_alpha(0.28)
        halo.set_solid_capstyle("round")
        label = "_run"


def _draw_points(pen: Pen, panel: Panel, arm: Arm) -> None:
    """Draw the line through the values, and on it each point by what it is.

    An arm that rests at 0 has nothing to tell: its points are left to its line.
    """
    colour, x, there = pen.palette.common, panel.x, np.isfinite(arm.value)
    label = f"{style.LOOKS_FOR} {arm.name}" if arm.side else "_value"
    dashes = _LOW_ARM if arm.side < 0 else "-"
    pen.line(x, arm.value, label=label, colour=colour, width=1.0, dashes=dashes, zorder=3)
    y = np.clip(arm.value, pen.scale.low, pen.scale.high)
    special = arm.neutral | arm.improvement | arm.concern
    provisional = panel.status == "provisional"
    ordinary = there & ~special & ~panel.excluded
    if arm.side:
        ordinary &= arm.value != 0
    plain, hollow, out = ordinary & ~provisional, ordinary & provisional, there & panel.excluded
    pen.marks(x[plain], y[plain], label=style.COMMON, marker="o", size=pen.size, face=colour, edge=colour)
    _draw_signals(pen, panel, arm, y, there & ~panel.excluded)
    pen.marks(
        x[hollow],
        y[hollow],
        label=style.PROVISIONAL,
        marker="o",
        size=pen.size + 1.2,
        face="white",
        edge=colour,
        width=1.2,
        zorder=5,
    )
    pen.marks(
        x[out],
        y[out],
        label=style.EXCLUDED,
        marker="X",
        size=max(pen.big, 7.0),
        face=style.INK,
        edge="white",
        width=0.6,
        zorder=8,
    )


def _draw_signals(pen: Pen, panel: Panel, arm: Arm, y: Floats, shown: Bools) -> None:
    """Mark the signals by meaning; a point that is both shows the larger mark behind the smaller."""
    both = arm.improvement & arm.concern
    for zorder, meaning in enumerate(_MEANINGS, start=5):
        here = shown & getattr(arm, meaning)
        for points, grown in ((here & ~both, 0.0), (here & both, 3.0 if meaning == "improvement" else -1.0)):
            said = bool(grown) and (here & ~both).any()
            pen.marks(
                panel.x[points],
                y[points],
                label="_both" if said else style.SPECIAL[meaning],
                marker=style.MARKERS[meaning],
                size=pen.big + grown,
                face=getattr(pen.palette, meaning),
                edge="white",
                width=0.6,
                zorder=zorder,
            )


def draw_gaps(pen: Pen, panel: Panel) -> None:
    """Mark what is not there in a row of its own under the data."""
    row = pen.scale.beside(pen.scale.bottom, pen.scale.marks / 2 + 0.5)
    size = float(np.clip(pen.spacing * 0.8, 3.0, 5.0))
    for points, label, marker, face in (
        (panel.suppressed, style.SUPPRESSED, "s", style.INK),
        (panel.missing, style.MISSING, "|", style.INK),
        (panel.no_births, style.NO_BIRTHS, "_", style.INK),
    ):
        x = panel.x[points]
        pen.marks(
            x,
            np.full(len(x), row),
            label=label,
            marker=marker,
            size=size,
            face=face,
            edge=style.INK,
            width=1.1,
        )


def _draw_baseline(pen: Pen, panel: Panel) -> None:
    """Draw a bar along the foot under a baseline that is only part of the points it could have."""
    usable = panel.known & (panel.status == "observed") & ~panel.excluded
    if not (usable & ~panel.baseline).any():
        return
    label = style.BASELINE
    for part in panel.phases():
        found = np.flatnonzero(panel.baseline[part]) + part.start
        for block in _blocks(found):
            ends = [panel.edges[block[0]], panel.edges[block[-1] + 1]]
            pen.ax.plot(
                ends,
                [0, 0],
                transform=pen.ax.get_xaxis_transform(),
                color=style.MUTED,
                linewidth=3.5,
                label=label,
                solid_capstyle="butt",
                marker="None",
                linestyle="-",
                zorder=3,
                clip_on=False,
            )
            label = "_baseline"


def _blocks(indices: NDArray[np.int64]) -> Iterable[NDArray[np.int64]]:
    """Split sorted indices into unbroken stretches."""
    return (b for b in np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1) if len(b))
