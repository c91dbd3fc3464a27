"""Draw funnels: rates by births, limits as curves, and a name beside each point that has room for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._dots import LOOKS, draw_marks
from qi_equity.plot._frame import set_frame
from qi_equity.plot._labels import Label, place_labels, shortened
from qi_equity.plot._layout import Page
from qi_equity.plot._result_words import Words
from qi_equity.plot._rows import nice_ticks
from qi_equity.plot._style import Palette
from qi_equity.plot._text import Ruler, number, tick_texts
from qi_equity.spc.words import plural

Floats = NDArray[np.float64]

_HIGH_PT, _HIGH_OF_MANY_PT = 290.0, 210.0
_WIDE_RANGE = 12.0
_MOST_NAMED = 40
_NAME_PT = 120.0
_CUT = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Funnel:
    """One panel, in the unit of the axis; ``absent`` names what has no rate, with the reason."""

    name: str
    names: list[str]
    births: Floats
    rate: Floats
    looks: tuple[str, ...]
    absent: list[str]
    curve: Mapping[str, Floats]

    @property
    def there(self) -> NDArray[np.bool_]:
        """Units that can be drawn."""
        return np.isfinite(self.rate) & (self.births > 0)

    def description(self) -> str:
        """Describe the panel in words."""
        said = [
            f"{name}: {number(rate, 1)} ({births:,.0f} births), {look}"
            for name, rate, births, look, there in zip(
                self.names, self.rate, self.births, self.looks, self.there, strict=True
            )
            if there
        ]
        return f"{self.name}. " + ". ".join([*said, *self.absent]) + "."


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """Both axes, shared by all panels."""

    x: tuple[float, float]
    y: tuple[float, float]
    log: bool
    x_ticks: Floats
    y_ticks: Floats

    def at(self, births: Floats, rate: Floats, width: float, height: float) -> tuple[Floats, Floats]:
        """Give places in points."""
        x, ends = (np.log(v) if self.log else v for v in (births, np.array(self.x)))
        return (x - ends[0]) / (ends[1] - ends[0]) * width, (rate - self.y[0]) / (
            self.y[1] - self.y[0]
        ) * height


def draw_funnels(
    panels: Sequence[Funnel], across: int, palette: Palette, words: Words, unit: str, better: str | None
) -> Figure:
    """Draw all panels on one scale."""
    ruler, rows = Ruler(), -(-len(panels) // across)
    high = _HIGH_PT if rows == 1 else _HIGH_OF_MANY_PT
    labelled = [i % across == 0 for i in range(len(panels))]
    page = Page(labelled, across, heights=[high] * rows, between=20.0)
    scale = _scale(panels, page.width, high)
    placed = [_labels(p, scale, page.width, high, ruler) for p in panels]
    heads = [_head(p, unplaced) for p, (_, unplaced) in zip(panels, placed, strict=True)]
    headers = [Header(h, (), (), page.width, ruler) for h in heads]
    heights = page.row_headers([h.height for h in headers])
    for i, (ax, panel) in enumerate(zip(page.axes, panels, strict=True)):
        _prepare(ax, scale, unit, better, y_labels=labelled[i], x_labels=page.is_lowest(i))
        _draw_curve(ax, panel, palette)
        _draw_points(ax, panel, palette)
        for label in placed[i][0]:
            ax.annotate(
                label.text, (panel.births[label.index], panel.rate[label.index]),
                xytext=(label.dx, label.dy), textcoords="offset points", ha=label.align, va="center",
                fontsize=style.SMALL, color=style.INK, parse_math=False, zorder=3,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
            )  # fmt: skip
        headers[i].draw(ax, heights[page.places[i][0]])
    page.place(heights, words.title, words.subtitle, words.notes, ruler)
    page.figure.set_label(words.description)
    return page.figure


def _head(panel: Funnel, unplaced: Sequence[int]) -> Head:
    """Say how many rates there are, who has none, and whose name is not written."""
    beyond = [panel.names[i] for i in unplaced if _beyond(panel.looks[i])]
    others = len(unplaced) - len(beyond)
    counts = [
        plural(int(panel.there.sum()), "rate"),
        *([f"{others} within the limits not named"] if others else []),
    ]
    told = [f"beyond the limits, without room for a name: {', '.join(beyond)}"] if beyond else []
    return Head(panel.name, tuple(counts), words=(*panel.absent, *told))


def _beyond(look: str) -> bool:
    return look.endswith("the line")


def _labels(
    panel: Funnel, scale: _Scale, width: float, height: float, ruler: Ruler
) -> tuple[list[Label], list[int]]:
    """Find places for names: those beyond the limits first."""
    there = np.flatnonzero(panel.there)
    x, y = scale.at(panel.births[there], panel.rate[there], width, height)
    names = shortened([panel.names[i] for i in there], _NAME_PT, ruler)
    first = sorted(range(len(there)), key=lambda k: not _beyond(panel.looks[there[k]]))
    few = len(there) <= _MOST_NAMED
    wanted = [k for k in first if few or _beyond(panel.looks[there[k]])]
    labels, unplaced = place_labels(x, y, names, (width, height), wanted, ruler)
    moved = [replace(label, index=int(there[label.index])) for label in labels]
    left = [int(there[k]) for k in unplaced] + [int(there[k]) for k in first if k not in set(wanted)]
    return moved, left


def _scale(panels: Sequence[Funnel], width: float, height: float) -> _Scale:
    births = np.concatenate([p.births[p.there] for p in panels])
    rates = np.concatenate([p.rate[p.there] for p in panels])
    if not len(births):
        return _Scale((0.0, 1.0), (0.0, 1.0), False, np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    log = bool(births.max() > _WIDE_RANGE * births.min())
    if log:
        x = (float(births.min()) / 1.5, float(births.max()) * 1.5)
        ticks = np.array([k * 10.0**e for e in range(8) for k in (1, 2, 5)])
        ticks = ticks[(ticks >= x[0]) & (ticks <= x[1])]
    else:
        x = (0.0, float(births.max()) * 1.08)
        ticks = nice_ticks(*x, int(max(width // 60, 2)))
        ticks = ticks[(ticks >= x[0]) & (ticks <= x[1])]
    line = np.concatenate([p.curve["centre_line"] for p in panels])
    limits = np.concatenate([p.curve[n] for p in panels for n in ("upper_outer", "lower_outer")])
    away = np.abs(limits[np.isfinite(limits)] - np.median(line)) if len(line) else np.array([0.0])
    reach = _CUT * np.median(away) if len(away) else 0.0
    middle = float(np.median(line)) if len(line) else float(np.median(rates))
    high = max(rates.max(), min(middle + reach, np.nanmax(limits, initial=middle)))
    low = min(rates.min(), max(middle - reach, np.nanmin(limits, initial=middle)))
    pad = 0.07 * (high - low or abs(high) or 1.0)
    low = 0.0 if 0 <= low < high / 2 else low
    y = (low - pad, high + pad)
    y_ticks = nice_ticks(*y, int(max(height // 40, 3)))
    return _Scale(x, y, log, ticks, y_ticks[(y_ticks >= max(low, y[0])) & (y_ticks <= y[1])])


def _prepare(
    ax: Axes, scale: _Scale, unit: str, better: str | None, *, y_labels: bool, x_labels: bool
) -> None:
    if scale.log:
        ax.set_xscale("log")
    ax.set_xlim(*scale.x)
    ax.set_ylim(*scale.y)
    ax.set_xticks(
        scale.x_ticks, [f"{t:,.0f}" for t in scale.x_ticks] if x_labels else [""] * len(scale.x_ticks)
    )
    texts = tick_texts(scale.y_ticks)
    ax.set_yticks(scale.y_ticks, texts if y_labels else [""] * len(texts))
    set_frame(ax, left_ticks=y_labels)
    if x_labels:
        ax.set_xlabel("births", fontsize=style.BODY, color=style.INK, labelpad=3)
    if y_labels:
        way = {"lower": " · worse →", "higher": " · better →"}.get(better or "", "")
        ax.set_ylabel(f"{unit}{way}", fontsize=style.BODY, color=style.INK, labelpad=4, parse_math=False)


def _draw_curve(ax: Axes, panel: Funnel, palette: Palette) -> None:
    curve = panel.curve
    lines = (
        (("centre_line",), style.POOLED_LINE, palette.centre_line, "-", 1.3),
        (("lower", "upper"), style.INNER, palette.limits, (0, (4, 2)), 1.2),
        (("lower_outer", "upper_outer"), style.OUTER, palette.limits, (0, (1, 1.5)), 1.2),
    )
    for names, label, colour, dashes, wide in lines:
        for k, name in enumerate(names):
            (line,) = ax.plot(curve["births"], curve[name], label=label if k == 0 else f"_{name}", zorder=2)
            line.set(color=colour, linewidth=wide, linestyle=dashes, marker="None")


def _draw_points(ax: Axes, panel: Funnel, palette: Palette) -> None:
    for name, look in LOOKS.items():
        here = panel.there & np.array([n == name for n in panel.looks], dtype=bool)
        if here.any():
            draw_marks(ax, panel.births[here], panel.rate[here], look, palette)
