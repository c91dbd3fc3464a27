"""Put names beside the points of a scatter so that nothing overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._text import Ruler

Floats = NDArray[np.float64]

_HIGH_PT, _MARK_PT, _OFF_PT = 10.5, 5.0, 7.0
_PLACES = (
    (_OFF_PT, 0.0, "left"),
    (-_OFF_PT, 0.0, "right"),
    (0.0, _OFF_PT + 4, "center"),
    (0.0, -_OFF_PT - 4, "center"),
    (_OFF_PT, _OFF_PT + 3, "left"),
    (_OFF_PT, -_OFF_PT - 3, "left"),
    (-_OFF_PT, _OFF_PT + 3, "right"),
    (-_OFF_PT, -_OFF_PT - 3, "right"),
)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """A name beside a point: how far from it in points, and on which side of that place the text lies."""

    index: int
    text: str
    dx: float
    dy: float
    align: str


def place_labels(
    x: Floats, y: Floats, names: Sequence[str], size: tuple[float, float], first: Sequence[int], ruler: Ruler
) -> tuple[list[Label], list[int]]:
    """Find places for names; give them, and the points whose names found none.

    ``x`` and ``y`` are in points within a frame of ``size``; ``first`` is the order of names.
    """
    taken = [(a - _MARK_PT, b - _MARK_PT, a + _MARK_PT, b + _MARK_PT) for a, b in zip(x, y, strict=True)]
    labels, unplaced = [], []
    for i in first:
        wide = ruler.width(names[i], style.SMALL) + 2
        for dx, dy, align in _PLACES:
            left = x[i] + dx - {"left": 0.0, "right": wide, "center": wide / 2}[align]
            box = (left, y[i] + dy - _HIGH_PT / 2, left + wide, y[i] + dy + _HIGH_PT / 2)
            inside = box[0] >= 0 and box[2] <= size[0] and box[1] >= 0 and box[3] <= size[1]
            if inside and not any(_overlap(box, other) for k, other in enumerate(taken) if k != i):
                taken.append(box)
                labels.append(Label(i, names[i], dx, dy, align))
                break
        else:
            unplaced.append(i)
    return labels, unplaced


def shortened(names: Sequence[str], room: float, ruler: Ruler) -> list[str]:
    """Cut names that are too long at their end, or in their middle where their ends tell them apart."""
    at_end = [ruler.shorten(name, room, style.SMALL) for name in names]
    return [
        short if at_end.count(short) == 1 or short == name else _in_middle(name, room, ruler)
        for name, short in zip(names, at_end, strict=True)
    ]


def _in_middle(name: str, room: float, ruler: Ruler) -> str:
    """Keep as much of the end of a name as of its start."""
    kept = len(name) - 1
    while kept > 2:
        text = f"{name[: kept - kept // 2].rstrip()}…{name[-(kept // 2) :].lstrip()}"
        if ruler.width(text, style.SMALL) <= room:
            return text
        kept -= 1
    return ruler.shorten(name, room, style.SMALL)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
