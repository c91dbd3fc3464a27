"""Cells of the grid of a review: a shape and a word for each state, and the names over the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._frame import set_frame
from qi_equity.plot._rows import Rows
from qi_equity.plot._style import Palette
from qi_equity.plot._text import Ruler

Floats = NDArray[np.float64]

CELL_PT = 80.0
"""Points that the widest word needs, with its shape."""

_NAME_LINE_PT = 10.5
# Middle of the shape and start of the word from the left of a cell, half the height of a row, and from where
# on the words are larger, and bold where there is a signal.
_ICON_PT, _WORD_PT, _HALF_PT, _ROOMY_PT = 8.0, 16.0, 9.75, 104.0

_NOWHERE = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Look:
    """How a state looks: marker, which colour of the palette, its size, word and entry of the legend."""

    marker: str
    colour: str
    size: float
    word: str
    legend: str
    bold: bool = False
    ground: bool = False


LOOKS = {
    "improvement": Look(
        style.MARKERS["improvement"], "improvement", 8.5, "improvement",
        "improvement: the month takes part in a signal for the better", bold=True,
    ),
    "concern": Look(
        style.MARKERS["concern"], "concern", 9.5, "concern",
        "concern: the month takes part in a signal for the worse", bold=True,
    ),
    "neutral": Look(
        style.MARKERS["neutral"], "neutral", 7.5, "special cause",
        "special cause, neither better nor worse, or of no known side", bold=True,
    ),
    "common cause": Look(
        "o", "common", 6.0, "common cause", "common cause: no signal, where one could have shown",
    ),
    "not yet visible": Look(
        "$?$", "common", 8.0, "not yet visible",
        "not yet visible: too little to show a change, which is not the same as no change", ground=True,
    ),
    "no data": Look("_", "common", 8.0, "no data", "no data: no final value of the month"),
}  # fmt: skip


class PanelHead:
    """The name of a group, and under it the names of the measures, each over its column."""

    def __init__(self, name: str, measures: Sequence[str], width: float, ruler: Ruler) -> None:
        self.header = Header(Head(name), (), (), width, ruler)
        room = width / len(measures) - 6
        self.names = [
            [ruler.shorten(line, room, style.SMALL) for line in ruler.wrap(m.split(" "), room, style.SMALL)]
            for m in measures
        ]
        self.names_height = max(map(len, self.names)) * _NAME_LINE_PT + 4
        self.height = self.header.height + self.names_height

    def draw(self, ax: Axes, height: float) -> None:
        """Write both above the Axes."""
        self.header.draw(ax, height)
        for column, lines in enumerate(self.names):
            ax.annotate(
                "\n".join(lines),
                (column / len(self.names), 1),
                xycoords="axes fraction",
                xytext=(3, 4),
                textcoords="offset points",
                ha="left",
                va="bottom",
                fontsize=style.SMALL,
                color=style.MUTED,
                linespacing=1.1,
                annotation_clip=False,
                parse_math=False,
            )


def label_states(ax: Axes, states: pd.Series, palette: Palette) -> None:
    """Give the legend an entry for every state that is there, in the order of ``LOOKS``."""
    there = set(states)
    for state, look in LOOKS.items():
        if state in there:
            _mark(ax, _NOWHERE, _NOWHERE, look, palette, look.legend)


def name_rows(ax: Axes, rows: Rows, *, labels: bool, together: bool) -> None:
    """Set the y axis: the name of each row, and faint lines between the rows, where no words are.

    Where the first row is all sites together, its name is bold and the line below it is stronger.
    """
    ax.set_ylim(rows.height, 0)
    ax.set_yticks(rows.y, rows.names if labels else [""] * len(rows.y))
    set_frame(ax, left=False, left_ticks=False, grid=False)
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="y", which="both", length=0, pad=7, labelsize=style.BODY, labelcolor=style.INK)
    for text in ax.get_yticklabels():
        text.set_parse_math(False)
        text.set_linespacing(1.05)
    if together:
        ax.get_yticklabels()[0].set_fontweight("bold")
        below = float(rows.y[:2].mean())
        ax.axhline(below, color=style.MUTED, linewidth=1.0, zorder=0.6, label="_together")
    for edge in [rows.y[0] - _HALF_PT, *((rows.y[1:] + rows.y[:-1]) / 2), rows.y[-1] + _HALF_PT]:
        ax.axhline(edge, color=style.GRID, linewidth=0.7, zorder=0.5, label="_row")


def draw_cells(ax: Axes, states: Sequence[Sequence[str]], rows: Rows, cell: float, palette: Palette) -> None:
    """Draw a panel: one row a site (or all together), one column of ``cell`` points a measure."""
    ax.set_xlim(0, len(states[0]))
    ax.set_xticks([])
    found = np.array(states, dtype=object)
    for state, look in LOOKS.items():
        row, column = np.nonzero(found == state)
        _mark(ax, column.astype(np.float64) + _ICON_PT / cell, rows.y[row], look, palette, "_icon")
        for x, y in zip(column.tolist(), rows.y[row].tolist(), strict=True):
            _word(ax, x, y, look, cell)


def _mark(ax: Axes, x: Floats, y: Floats, look: Look, palette: Palette, label: str) -> None:
    """Draw the shapes of a state."""
    colour = getattr(palette, look.colour)
    ax.plot(
        x, y, label=label, linestyle="None", marker=look.marker, markersize=look.size,
        markerfacecolor=colour, markeredgecolor=colour, markeredgewidth=1.2 if look.marker == "_" else 0.6,
        zorder=4, clip_on=False,
    )  # fmt: skip


def _word(ax: Axes, column: int, y: float, look: Look, cell: float) -> None:
    """Write the word beside the shape; what is not yet visible has a ground of its own."""
    roomy = cell >= _ROOMY_PT
    if look.ground:
        ground = (column + 1 / cell, y - _HALF_PT + 1), 1 - 2 / cell, 2 * _HALF_PT - 2
        ax.add_patch(Rectangle(*ground, facecolor=style.STRIP, edgecolor="none", zorder=1, label="_ground"))
    ax.text(
        column + _WORD_PT / cell,
        y,
        look.word,
        ha="left",
        va="center",
        fontsize=style.BODY if roomy else style.SMALL,
        fontweight="bold" if look.bold and roomy else "normal",
        color=style.MUTED if look.marker == "_" else style.INK,
        parse_math=False,
        zorder=4,
    )
