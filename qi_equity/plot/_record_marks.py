"""How PDSA records look in figures: decisions as under charts, results of predictions, meetings."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.path import Path

from qi_equity.plot import _style as style
from qi_equity.plot._record_words import PLANNED

_QUESTION = Path(
    [(-0.55, 0.5), (-0.55, 1.25), (0.65, 1.25), (0.65, 0.5), (0.65, 0.05), (0.0, 0.1), (0.0, -0.45),
     (-0.06, -1.05), (0.06, -1.05)],
    [1, 4, 4, 4, 4, 4, 4, 1, 2],
)  # fmt: skip

MATCHED: dict[str, tuple[str | Path, str, str]] = {
    "yes": ("o", style.INK, style.RESULTS["yes"]),
    "no": ("o", "white", style.RESULTS["no"]),
    "not yet visible": (_QUESTION, "none", style.RESULTS["not yet visible"]),
}
MEETINGS: dict[str, tuple[str, str]] = {
    "learning session": ("*", "learning session"),
    "data call": ("v", "data call"),
    "coaching call": ("d", "coaching call"),
}


def clear(ax: Axes, width: float, bottom: float, top: float) -> None:
    """Make an Axes a sheet of paper on which all is placed in points."""
    ax.set_axis_off()
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlim(0, width)
    ax.set_ylim(bottom, top)


def mark(
    ax: Axes, x: float, y: float, marker: str | Path, label: str, *, size: float = 7.0, face: str = "none",
    colour: str = style.INK, width: float = 1.6,
) -> None:  # fmt: skip
    """Put one mark; it is the same whatever style the process has set."""
    ax.plot(
        [x], [y], marker=marker, label=label, linestyle="None", markersize=size, markerfacecolor=face,
        markeredgecolor=colour, markeredgewidth=width, zorder=5, clip_on=False,
    )  # fmt: skip


def mark_decision(ax: Axes, x: float, y: float, sign: str, *, size: float, colour: str = style.INK) -> None:
    """Put the mark of a decision, or that the cycle is under way; a planned cycle has none."""
    if sign != PLANNED:
        mark(ax, x, y, style.CYCLE_MARKERS[sign], f"_{sign}", size=size, colour=colour)


def write(
    ax: Axes, x: float, y: float, text: str, *, size: float = style.SMALL, weight: str = "normal",
    colour: str = style.INK, align: str = "left",
) -> None:  # fmt: skip
    """Write a line of text; dollars are no formulas."""
    ax.text(
        x, y, text, ha=align, va="center_baseline", fontsize=size, fontweight=weight, color=colour,
        parse_math=False, zorder=6,
    )  # fmt: skip


def explain(
    ax: Axes, label: str, marker: str | Path, *, size: float = 7.0, face: str = "none", width: float = 1.6
) -> None:
    """Put an entry into the legend, in ink on white whatever ground the mark itself stands on."""
    mark(ax, math.nan, math.nan, marker, label, size=size, face=face, width=width)


def explain_decisions(ax: Axes, signs: set[str]) -> None:
    """Explain the decisions that are there."""
    for sign in (s for s in style.CYCLE_ENDS if s in signs):
        explain(ax, style.CYCLE_ENDS[sign], style.CYCLE_MARKERS[sign])


def explain_results(ax: Axes, found: set[str]) -> None:
    """Explain the results of predictions that are there."""
    for matched in (m for m in MATCHED if m in found):
        marker, face, label = MATCHED[matched]
        explain(ax, label, marker, face=face)
