"""What lies beyond the shared scale: an arrow at the edge and the value written, or said in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._panels import Panel
from qi_equity.plot._scales import YScale
from qi_equity.plot._text import Ruler

Floats = NDArray[np.float64]

_ARROW_PT = 4.5


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow at the upper (side 1) or lower (side -1) edge, with ``text`` beside it."""

    x: float
    side: int
    of_limit: bool
    text: str
    align: str


class _Row:
    """The free space of one row of text, in points from the left."""

    def __init__(self, width: float) -> None:
        self.width = width
        self.taken: list[tuple[float, float]] = []

    def take(self, start: float, end: float) -> bool:
        """Take a stretch if it is free and inside."""
        free = (
            start >= -_ARROW_PT and end <= self.width and all(end <= a or start >= b for a, b in self.taken)
        )
        if free:
            self.taken.append((start, end))
        return free


def off_scale(
    panel: Panel, scale: YScale, xlim: tuple[float, float], width: float, ruler: Ruler
) -> tuple[list[Arrow], list[str]]:
    """Find what is beyond the scale; give the arrows, and in words what found no room beside its arrow."""
    arrows: list[Arrow] = []
    words: list[str] = []
    for side, edge in ((1, scale.high), (-1, scale.low)):
        found, told = _one_side(panel, scale, side, edge, xlim, width, ruler)
        arrows += found
        words += told
    return arrows, words


def _one_side(
    panel: Panel, scale: YScale, side: int, edge: float, xlim: tuple[float, float], width: float, ruler: Ruler
) -> tuple[list[Arrow], list[str]]:
    row, place = _Row(width), ("above" if side > 0 else "below")
    limit, crossable = panel.limit(side)
    at = (panel.x - xlim[0]) / (xlim[1] - xlim[0]) * width
    value = panel.outermost(side)
    points = np.flatnonzero(side * (value - edge) > 1e-12)
    points = points[np.argsort(-side * value[points], kind="stable")]
    row.taken += [(at[i] - _ARROW_PT, at[i] + _ARROW_PT) for i in points]
    cuts = [panel.edges[part.start] for part in panel.phases()[1:]]
    row.taken += [(c - 1, c + 1) for c in (np.array(cuts) - xlim[0]) / (xlim[1] - xlim[0]) * width]
    arrows = [
        _beside(row, at[i], panel.x[i], side, False, scale.write_short(value[i]), ruler) for i in points
    ]
    words = []
    unsaid = [i for i, arrow in zip(points, arrows, strict=True) if not arrow.text]
    if unsaid:
        furthest_point = scale.write_short(value[points[0]])
        words.append(f"{_count(len(points))} {place} the scale, {_to(side)} {furthest_point}")
    beyond = np.flatnonzero(crossable & (side * (limit - edge) > 1e-12))
    if len(beyond):
        furthest = beyond[np.argmax(side * limit[beyond])]
        text = scale.write_short(limit[furthest])
        free = row.take(at[furthest] - _ARROW_PT, at[furthest] + _ARROW_PT)
        arrow = _beside(row, at[furthest], panel.x[furthest], side, True, f"limit {text}", ruler)
        if free and arrow.text:
            arrows.append(arrow)
        else:
            words.append(f"limit {place} the scale, {_to(side)} {text}")
    return arrows, words


def _beside(row: _Row, at: float, x: float, side: int, of_limit: bool, text: str, ruler: Ruler) -> Arrow:
    """Put the text to the right of its arrow, else to the left, else nowhere."""
    length = ruler.width(text, style.SMALL) + 3
    if row.take(at + _ARROW_PT, at + _ARROW_PT + length):
        return Arrow(x, side, of_limit, text, "left")
    if row.take(at - _ARROW_PT - length, at - _ARROW_PT):
        return Arrow(x, side, of_limit, text, "right")
    return Arrow(x, side, of_limit, "", "left")


def _count(n: int) -> str:
    return "1 point" if n == 1 else f"{n} points"


def _to(side: int) -> str:
    return "up to" if side > 0 else "down to"
