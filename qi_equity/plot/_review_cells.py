"""Cells of the grid of a review: a shape and a word for each state, and the names over the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._frame import set_frame
from qi_equity.plot._rows import Rows
from qi_equity.plot._style import Palette
from qi_equity.plot._text import Ruler

ICON_PT, CELL_PT = 15.0, 80.0

_NAME_LINE_PT = 10.5


@dataclass(frozen=True, slots=True)
class Look:
    """How a state looks: marker, which colour of the palette, whether filled, its word and its legend."""

    marker: str
    colour: str
    filled: bool
    size: float
    word: str
    legend: str
    bold: bool = False


LOOKS = {
    "improvement": Look(
        style.MARKERS["improvement"], "improvement", True, 8.5, "improvement",
        "improvement: the month takes part in a signal for the better", bold=True,
    ),
    "concern": Look(
        style.MARKERS["concern"], "concern", True, 9.5, "concern",
        "concern: the month takes part in a signal for the worse", bold=True,
    ),
    "neutral": Look(
        style.MARKERS["neutral"], "neutral", True, 7.5, "special cause",
        "special cause, neither better nor worse, or of no known side", bold=True,
    ),
    "common cause": Look(
        "o", "common", True, 6.0, "common cause", "common cause: no signal, where one could have shown",
    ),
    "not yet visible": Look(
        "$?$", "common", False, 8.0, "not yet visible",
        "not yet visible: too little to show a change, which is not the same as no change",
    ),
    "no data": Look("_", "common", False, 8.0, "no data", "no data: no final value of the month"),
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
            _mark(ax, [], [], look, palette, look.legend)


def draw_cells(ax: Axes, states: Sequence[Sequence[str]], rows: Rows, palette: Palette) -> None:
    """Draw a panel: one row a site, one column a measure."""
    across = len(states[0])
    set_frame(ax, left=False, left_ticks=False, grid=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlim(0, across)
    ax.set_xticks([])
    found = np.array(states, dtype=object)
    width = ax.bbox.width
    for state, look in LOOKS.items():
        row, column = np.nonzero(found == state)
        _mark(ax, column, rows.y[row], look, palette, "_icon")
        for r, c in zip(row.tolist(), column.tolist(), strict=True):
            _cell(ax, c, r, rows, look, palette, width)


def _mark(ax: Axes, column: object, y: object, look: Look, palette: Palette, label: str) -> None:
    """Draw the shapes of a state, a little inside the left edge of their columns."""
    colour = getattr(palette, look.colour)
    ax.plot(
        np.asarray(column, dtype=float) + 0.09, np.asarray(y, dtype=float), label=label, linestyle="None",
        marker=look.marker, markersize=look.size, markerfacecolor=colour if look.filled else "white",
        markeredgecolor=colour, markeredgewidth=1.2, zorder=4, clip_on=False,
    )  # fmt: skip


def _cell(ax: Axes, column: int, row: int, rows: Rows, look: Look, palette: Palette, width: float) -> None:
    """Write the word beside the shape; what is not yet visible has a ground of its own."""
    y = float(rows.y[row])
    if look.word == "not yet visible":
        ground = Rectangle((column + 0.01, y - 9), 0.97, 18, facecolor=style.STRIP, edgecolor="none", zorder=1)
        ax.add_patch(ground)
    ax.text(
        column + 0.17,
        y,
        look.word,
        ha="left",
        va="center",
        fontsize=style.SMALL,
        fontweight="bold" if look.bold else "normal",
        color=style.MUTED if look.word == "no data" else style.INK,
        parse_math=False,
        zorder=4,
    )
