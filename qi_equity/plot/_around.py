"""Write around the data of a panel: title, warnings, phase labels, values off the scale, line labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.transforms import Affine2D, BboxTransformTo, ScaledTranslation, blended_transform_factory
from numpy.typing import NDArray

from qi_equity.data.timeline_marks import POST_HOC
from qi_equity.plot import _style as style
from qi_equity.plot._draw import Pen
from qi_equity.plot._offscale import Arrow
from qi_equity.plot._panels import Panel
from qi_equity.plot._text import Ruler

_PHASE, _POST_HOC = (0, (1, 1.5)), (0, (5, 2, 1, 2))
_NAME_PT, _COUNTS_PT, _STRIP_PT, _GAP_PT = 14.0, 12.5, 11.0, 3.0


class Titled(Protocol):
    """What a header is made of."""

    @property
    def name(self) -> str:
        """Whose panel it is."""

    @property
    def counts(self) -> tuple[str, ...]:
        """How many births and events stand behind it."""

    @property
    def why(self) -> str:
        """Why it is drawn as it is."""

    @property
    def words(self) -> tuple[str, ...]:
        """What it cannot show, and other warnings."""


@dataclass(frozen=True, slots=True)
class Head:
    """The words of a header whose panel is not that of a chart."""

    name: str
    counts: tuple[str, ...] = ()
    why: str = ""
    words: tuple[str, ...] = ()


class Header:
    """Name, counts, reason and warnings of a panel, wrapped to its width; ``height`` is in points.

    ``verdict`` says that what stands where the counts do is what the panel shows, in words, and is bold.
    """

    def __init__(
        self,
        panel: Titled,
        extra: Sequence[str],
        words: Sequence[str],
        width: float,
        ruler: Ruler,
        *,
        verdict: bool = False,
    ) -> None:
        self.weight, self.colour = ("bold", style.INK) if verdict else ("normal", style.MUTED)
        self.why = ruler.wrap(panel.why.split(" ") if panel.why else [], width, style.SMALL)
        self.name = ruler.wrap(panel.name.split(" "), width, style.NAME, weight="bold")
        counts = [*panel.counts, *extra]
        self.counts = (
            [
                line
                for text in counts
                for line in ruler.wrap(text.split(" "), width, style.BODY, weight="bold")
            ]
            if verdict
            else ruler.wrap(counts, width, style.BODY, joint=" · ")
        )
        lines = ruler.wrap([*panel.words, *words], width - 8, style.SMALL, joint=" · ")
        # What starts a line starts with a capital, so that it does not read as the end of the line before.
        lines = [line[:1].upper() + line[1:] for line in lines]
        self.strip = [part for line in lines for part in ruler.wrap(line.split(" "), width - 8, style.SMALL)]
        self.strip_height = len(self.strip) * _STRIP_PT + 4 if self.strip else 0.0
        self.height = (
            len(self.name) * _NAME_PT
            + len(self.counts) * _COUNTS_PT
            + len(self.why) * _STRIP_PT
            + self.strip_height
            + 2 * _GAP_PT
        )

    def draw(self, ax: Axes, height: float) -> None:
        """Write it above the Axes: the name at the top of ``height`` points, the strip next to the data."""
        if self.strip:
            _strip_ground(ax, self.strip_height)
        for i, line in enumerate(reversed(self.strip)):
            _above(ax, line, 4 + _GAP_PT / 2 + i * _STRIP_PT, style.SMALL, x=4)
        name = len(self.name) * _NAME_PT
        for i, line in enumerate(self.counts, start=1):
            at = height - name - i * _COUNTS_PT
            _above(ax, line, at, style.BODY, colour=self.colour, weight=self.weight)
        counts = name + len(self.counts) * _COUNTS_PT
        for i, line in enumerate(self.why, start=1):
            _above(ax, line, height - counts - i * _STRIP_PT, style.SMALL, colour=style.MUTED)
        title = ax.set_title(
            "\n".join(self.name),
            loc="left",
            pad=height - name,
            fontsize=style.NAME,
            fontweight="bold",
            color=style.INK,
            linespacing=1.1,
        )
        title.set_parse_math(False)


def _above(
    ax: Axes,
    text: str,
    points: float,
    size: float,
    *,
    x: float = 0.0,
    colour: str = style.INK,
    weight: str = "normal",
) -> None:
    ax.annotate(
        text,
        (0, 1),
        xycoords="axes fraction",
        xytext=(x, points),
        textcoords="offset points",
        ha="left",
        va="baseline",
        fontsize=size,
        fontweight=weight,
        color=colour,
        annotation_clip=False,
        parse_math=False,
    )


def _strip_ground(ax: Axes, height: float) -> None:
    """Lay the ground of the strip; its height is in points whatever the size of the Axes."""
    points = (
        Affine2D().scale(1 / 72)
        + ax.figure.dpi_scale_trans
        + ScaledTranslation(0, 1, BboxTransformTo(ax.bbox))
    )
    ground = Rectangle(
        (0, _GAP_PT / 2),
        1,
        height,
        transform=blended_transform_factory(ax.transAxes, points),
        facecolor=style.STRIP,
        edgecolor="none",
        clip_on=False,
        label="_strip",
    )
    ax.add_patch(ground)


def draw_phases(pen: Pen, panel: Panel, ruler: Ruler, xlim: tuple[float, float], width: float) -> None:
    """Draw a line at the start of each later phase, with its label in the row above the data."""
    if panel.empty:
        return
    parts = panel.phases()
    starts = [panel.edges[p.start] for p in parts[1:]]
    at = [(s - xlim[0]) / (xlim[1] - xlim[0]) * width for s in starts]
    height = pen.scale.beside(pen.scale.top, -(pen.scale.phases / 2 + 1))
    said: set[str] = set()
    for i, (part, start) in enumerate(zip(parts[1:], starts, strict=True)):
        number = int(panel.phase[part.start])
        text = panel.phase_labels.get(number, f"phase {number}")
        _phase_line(pen, start, text, said)
        right = (at[i + 1] if i + 1 < len(at) else width) - at[i] - 5
        left = at[i] - (at[i - 1] if i else 0) - 3
        toward_left = right < min(left, ruler.width(text, style.SMALL)) and i + 1 == len(at) and not i
        shown = _phase_text(text, left if toward_left else right, ruler)
        pen.ax.annotate(
            shown,
            (start, height),
            xytext=(-3 if toward_left else 3, 0),
            textcoords="offset points",
            ha="right" if toward_left else "left",
            va="center",
            fontsize=style.SMALL,
            color=style.INK,
            annotation_clip=False,
            parse_math=False,
        )


def _phase_line(pen: Pen, start: float, text: str, said: set[str]) -> None:
    """Draw the start of a phase; one without a recorded reason in other dashes, as the legend says."""
    post_hoc = text == POST_HOC or text.endswith((f"({POST_HOC})", f", {POST_HOC}"))
    label, dashes = (style.POST_HOC_PHASE, _POST_HOC) if post_hoc else (style.PHASE, _PHASE)
    shown = "_phase" if label in said else label
    pen.ax.axvline(start, color=style.MUTED, linewidth=1.1, linestyle=dashes, label=shown, zorder=1.5)
    said.add(label)


def _phase_text(text: str, room: float, ruler: Ruler) -> str:
    """Cut the label of a phase to the room; that it is post hoc is kept as long as that alone fits."""
    told = f" ({POST_HOC})"
    if ruler.width(text, style.SMALL) <= room or not text.endswith(told):
        return ruler.shorten(text, room, style.SMALL)
    label = ruler.shorten(text.removesuffix(told), room - ruler.width(told, style.SMALL), style.SMALL)
    alone = POST_HOC if ruler.width(POST_HOC, style.SMALL) <= room else ruler.shorten(text, room, style.SMALL)
    return f"{label}{told}" if label else alone


def draw_arrows(pen: Pen, arrows: Sequence[Arrow]) -> None:
    """Draw an arrow for what is off the scale, in the row beyond the edge, and write its value beside it."""
    scale, label = pen.scale, style.OFF_SCALE
    for arrow in arrows:
        edge = scale.high if arrow.side > 0 else scale.low
        y = scale.beside(edge, arrow.side * (7 + 0.5))
        colour = style.MUTED if arrow.of_limit else style.INK
        pen.ax.plot(
            [arrow.x],
            [y],
            marker=style.ARROW_UP if arrow.side > 0 else style.ARROW_DOWN,
            markersize=7,
            markerfacecolor="none",
            markeredgecolor=colour,
            markeredgewidth=1.2,
            linestyle="None",
            label=label,
            zorder=6,
            clip_on=False,
        )
        label = "_arrow"
        pen.ax.annotate(
            arrow.text,
            (arrow.x, y),
            xytext=(5.5 if arrow.align == "left" else -5.5, 0),
            textcoords="offset points",
            ha=arrow.align,
            va="center",
            fontsize=style.SMALL,
            color=colour,
            zorder=6,
            annotation_clip=False,
        )


def draw_levels(pen: Pen, panel: Panel) -> None:
    """Write at the right of the frame the present centre line and target, or what the arms look for."""
    if panel.empty:
        return
    scale = pen.scale
    for arm in panel.arms:
        if arm.side:
            end = scale.high if arm.side > 0 else scale.low
            _at_right(pen, arm.name.removeprefix("a ").replace(" ", "\n"), end / 2, 0.0, style.INK)
    centre, target = None if panel.about_zero else _last(panel.centre_line), _last(panel.target)
    if centre is not None:
        _at_right(pen, scale.write(centre), centre, 0.0, pen.palette.centre_line)
    if target is not None:
        apart = np.inf if centre is None else scale.apart(target, centre)
        # never on the centre line's
        nudge = 0.0 if abs(apart) > _NAME_PT else float(np.copysign(_NAME_PT - abs(apart), apart))
        _at_right(pen, f"target\n{scale.write(target)}", target, nudge, pen.palette.target)


def _last(level: NDArray[np.float64]) -> float | None:
    known = level[np.isfinite(level)]
    return float(known[-1]) if len(known) else None


def _at_right(pen: Pen, text: str, y: float, nudge: float, colour: str) -> None:
    pen.ax.annotate(
        text,
        (1, y),
        xycoords=pen.ax.get_yaxis_transform(),
        xytext=(3, nudge),
        textcoords="offset points",
        ha="left",
        va="center",
        fontsize=style.SMALL,
        color=colour,
        linespacing=0.95,
        annotation_clip=False,
    )
