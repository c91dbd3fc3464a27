"""Several panels on the same scales: everything that must be known before the first is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from qi_equity.plot import _style as style
from qi_equity.plot import _words
from qi_equity.plot._around import Header, draw_arrows, draw_levels, draw_phases
from qi_equity.plot._draw import Pen, draw_panel
from qi_equity.plot._offscale import off_scale
from qi_equity.plot._panels import Panel
from qi_equity.plot._scales import x_ticks, y_scale
from qi_equity.plot._text import Ruler

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart


class View:
    """Panels with frames of ``width`` by ``height`` points: shared scales, and what stands around each."""

    def __init__(
        self,
        chart: ControlChart,
        panels: Sequence[Panel],
        colours: style.Colours,
        width: float,
        height: float,
    ) -> None:
        measure = chart.series.measure
        self.panels, self.width, self.height, self.ruler = panels, width, height, Ruler()
        self.palette, self.median = style.PALETTES[colours], chart.kind == "run"
        self.target = None if chart.target is None else float(chart.target) * measure.multiplier
        self.unit = _words.unit_of(measure)
        self.scale = y_scale(panels, self.target, height)
        edges = np.concatenate([p.edges for p in panels])
        self.xlim = (float(edges.min()), float(edges.max())) if len(edges) else (0.0, 1.0)
        self.x_ticks, self.x_labels = x_ticks(panels, str(chart.series.every), width)
        self.spacing = width / max(1, *(len(p.x) for p in panels), 1)
        self.beyond = [off_scale(p, self.scale, self.xlim, width, self.ruler) for p in panels]
        self.headers = [
            Header(p, self._centres(p), words, width, self.ruler)
            for p, (_, words) in zip(panels, self.beyond, strict=True)
        ]

    def draw(self, ax: Axes, i: int, *, header: float, y_labels: bool = True, x_labels: bool = True) -> None:
        """Draw panel ``i`` with ``header`` points of space above it."""
        self._prepare(ax, y_labels, x_labels)
        panel = self.panels[i]
        text = f"{style.TARGET} {self.scale.write(self.target)}" if self.target is not None else ""
        pen = Pen(ax, self.scale, self.palette, self.spacing, self.median, self.target, text)
        draw_panel(pen, panel)
        draw_phases(pen, panel, self.ruler, self.xlim, self.width)
        draw_arrows(pen, self.beyond[i][0])
        draw_levels(pen, panel)
        self.headers[i].draw(ax, header)

    def _centres(self, panel: Panel) -> list[str]:
        """Say how the centre line went from phase to phase, where there are several."""
        levels = [panel.centre_line[part][-1] for part in panel.phases()]
        if len(levels) < 2 or not np.isfinite(levels).all():
            return []
        return [f"{'median' if self.median else 'centre'} {' → '.join(self.scale.write(v) for v in levels)}"]

    def _prepare(self, ax: Axes, y_labels: bool, x_labels: bool) -> None:
        """Set scales, ticks and frame; nothing is left to a style the process may have set."""
        scale = self.scale
        ax.set_facecolor("white")
        ax.set_xlim(*self.xlim)
        ax.set_ylim(scale.bottom, scale.top)
        ax.set_autoscale_on(False)
        ax.set_axisbelow(True)
        ax.minorticks_off()
        ax.set_xticks(self.x_ticks, self.x_labels if x_labels else [""] * len(self.x_ticks))
        ax.set_yticks(scale.ticks, scale.labels() if y_labels else [""] * len(scale.ticks))
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
            left=y_labels,
            bottom=True,
        )
        ax.grid(visible=False, which="both")
        ax.grid(visible=True, which="major", axis="y", color=style.GRID, linewidth=0.8, linestyle="-")
        for side, spine in ax.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(style.MUTED)
            spine.set_linewidth(0.8)
        if y_labels:
            upright = {"rotation": 0, "ha": "right"} if len(self.unit) < 3 else {"rotation": 90}
            ax.set_ylabel(
                self.unit,
                fontsize=style.BODY,
                color=style.INK,
                labelpad=4,
                fontweight="normal",
                parse_math=False,
                **upright,
            )
