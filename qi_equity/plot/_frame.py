"""The frame of every panel: nothing of it is left to a style that the process may have set."""

from __future__ import annotations

from matplotlib.axes import Axes

from qi_equity.plot import _style as style


def set_frame(ax: Axes, *, left: bool = True, left_ticks: bool = True, grid: bool = True) -> None:
    """Set ground, ticks, grid and spines; limits and places of ticks are set already.

    ``left`` tells whether there is a line at the left, ``grid`` whether the ticks of the y axis have lines.
    """
    ax.set_facecolor("white")
    ax.set_autoscale_on(False)
    ax.set_axisbelow(True)
    ax.minorticks_off()
    ax.tick_params(
        which="both",
        labelsize=style.SMALL,
        labelcolor=style.INK,
        color=style.MUTED,
        length=3,
        width=0.8,
        direction="out",
        pad=3.5,
        top=False,
        right=False,
        left=left_ticks,
        bottom=True,
    )
    ax.grid(visible=False, which="both")
    if grid:
        ax.grid(visible=True, which="major", axis="y", color=style.GRID, linewidth=0.8, linestyle="-")
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom" or (left and side == "left"))
        spine.set_color(style.MUTED)
        spine.set_linewidth(0.8)


def write(
    ax: Axes, x: float, y: float, text: str, align: str, transform: object, *, colour: str = style.INK
) -> None:
    """Write a text on white ground, so that no line runs through it."""
    ax.text(
        x,
        y,
        text,
        transform=transform,
        ha=align,
        va="center",
        fontsize=style.SMALL,
        color=colour,
        linespacing=1.1,
        parse_math=False,
        zorder=3,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )
