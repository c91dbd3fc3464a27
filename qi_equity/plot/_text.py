"""Measure and wrap text before it is drawn, so that nothing overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from numpy.typing import NDArray

# Measured this much larger, because letters are set to whole pixels; few pixels make text a little wider.
_FINE, _SLACK = 8, 1.02


class Ruler:
    """Widths of text in points; one for each figure, because renderers are not shared between threads."""

    def __init__(self) -> None:
        self._renderer: Any = RendererAgg(1, 1, 72 * _FINE)  # type: ignore[no-untyped-call]
        self._known: dict[tuple[str, float, str], float] = {}

    def width(self, text: str, size: float, weight: str = "normal") -> float:
        """Give the width of one line in points."""
        key = (text, size, weight)
        if key not in self._known:
            font = FontProperties(size=size, weight=weight)
            wide, *_ = self._renderer.get_text_width_height_descent(text, font, ismath=False)
            self._known[key] = float(wide) / _FINE * _SLACK
        return self._known[key]

    def wrap(
        self, parts: Sequence[str], room: float, size: float, *, weight: str = "normal", joint: str = " "
    ) -> list[str]:
        """Join parts into as few lines as fit the room (points); a part that is too long stays whole."""
        lines: list[str] = []
        for part in parts:
            longer = f"{lines[-1]}{joint}{part}" if lines else part
            if lines and self.width(longer, size, weight) <= room:
                lines[-1] = longer
            else:
                lines.append(part)
        return lines

    def shorten(self, text: str, room: float, size: float) -> str:
        """Cut the text, with an ellipsis, until it fits the room (points)."""
        if self.width(text, size) <= room:
            return text
        while text and self.width(f"{text}…", size) > room:
            text = text[:-1].rstrip()
        return f"{text}…" if text else ""


def number(value: float, decimals: int) -> str:
    """Write a number with thousands separated, and a real minus sign."""
    return f"{value:,.{decimals}f}".replace("-", "−")


def tick_texts(ticks: Sequence[float] | NDArray[np.float64]) -> list[str]:
    """Write ticks with as few decimals as show each of them truly (2.5 is not 2), at most 4."""
    values = np.asarray(ticks, dtype=float)
    step = float(np.diff(values).min(initial=np.inf)) if len(values) > 1 else 1.0
    near = 1e-3 * step if np.isfinite(step) and step > 0 else 1e-9
    decimals = next((d for d in range(4) if (np.abs(values - values.round(d)) <= near).all()), 4)
    return [number(t, decimals) for t in values]


def decimals_for(step: float) -> int:
    """Give the decimals needed to write multiples of ``step``, at most 4."""
    if not np.isfinite(step) or step <= 0:
        return 0
    return int(np.clip(np.ceil(-np.log10(step * 1.001)), 0, 4))
