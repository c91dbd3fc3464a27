"""Several panels on shared scales: everything that must be known before the first is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from qi_equity.plot import _style as style
from qi_equity.plot._around import Header, draw_arrows, draw_levels, draw_phases
from qi_equity.plot._cycle_marks import CycleRows
from qi_equity.plot._draw import Pen, draw_panel
from qi_equity.plot._frame import set_frame
from qi_equity.plot._kinds import power_of, reach_of, unit_of
from qi_equity.plot._offscale import off_scale
from qi_equity.plot._panels import Panel
from qi_equity.plot._scales import YScale, x_limits, x_ticks, y_scale
from qi_equity.plot._text import Ruler
from qi_equity.spc.kinds_measurements import Run

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart


class View:
    """Panels with frames of ``width`` by ``height`` points: their scales, and what stands around each.

    The x axis is the same for all panels, the y axis for those of one kind of chart.
    """

    def __init__(
        self,
        chart: ControlChart,
        panels: Sequence[Panel],
        colours: style.Colours,
        width: float,
        height: float,
        cycles: CycleRows | None = None,
    ) -> None:
        self.cycles = cycles
        self.panels, self.width, self.ruler = panels, width, Ruler()
        self.palette, self.specs = style.PALETTES[colours], chart.specs
        self.units = [unit_of(chart.series.measure, spec) for spec in chart.specs]
        alike = [[p for p in panels if p.kind == k] for k in range(len(chart.specs))]
        self.scales = [
            y_scale(some, reach_of(spec), power_of(spec), height, cycles.height if cycles else 0.0)
            for some, spec in zip(alike, chart.specs, strict=True)
        ]
        self.targets = [_target_label(*of) for of in zip(alike, self.scales, strict=True)]
        self.xlim = x_limits(panels)
        self.x_ticks, self.x_labels = x_ticks(panels, str(chart.series.every), width)
        self.spacing = width / max(1, *(len(p.x) for p in panels), 1)
        self.beyond = [off_scale(p, self.scales[p.kind], self.xlim, width, self.ruler) for p in panels]
        self.headers = [
            Header(p, self._levels(p), words, width, self.ruler)
            for p, (_, words) in zip(panels, self.beyond, strict=True)
        ]

    def draw(self, ax: Axes, i: int, *, header: float, y_labels: bool = True, x_labels: bool = True) -> None:
        """Draw panel ``i`` with ``header`` points of space above it."""
        panel = self.panels[i]
        self._prepare(ax, panel.kind, y_labels, x_labels)
        centre = style.MEDIAN if isinstance(self.specs[panel.kind], Run) else style.CENTRE_LINE
        scale, target = self.scales[panel.kind], self.targets[panel.kind]
        pen = Pen(ax, scale, self.palette, self.spacing, centre, target)
        draw_panel(pen, panel)
        if self.cycles:
            self.cycles.draw(pen, i)
        draw_phases(pen, panel, self.ruler, self.xlim, self.width)
        draw_arrows(pen, self.beyond[i][0])
        draw_levels(pen, panel)
        self.headers[i].draw(ax, header)

    def _levels(self, panel: Panel) -> list[str]:
        """Say how the centre line went from phase to phase, and the target from time to time."""
        write, is_run = self.scales[panel.kind].write, isinstance(self.specs[panel.kind], Run)
        centres = [float(panel.centre_line[part][-1]) for part in panel.phases()]
        targets = panel.target[np.flatnonzero(np.diff(panel.target, prepend=np.nan))].tolist()
        return [
            f"{name} {' → '.join(map(write, levels))}"
            for name, levels in (("median" if is_run else "centre", centres), (style.TARGET, targets))
            if len(levels) > 1 and np.isfinite(levels).all() and not panel.about_zero
        ]

    def _prepare(self, ax: Axes, kind: int, y_labels: bool, x_labels: bool) -> None:
        """Set scales, ticks and frame; nothing is left to a style the process may have set."""
        scale, unit = self.scales[kind], self.units[kind]
        ax.set_xlim(*self.xlim)
        scale.apply(ax)
        ax.set_xticks(self.x_ticks, self.x_labels if x_labels else [""] * len(self.x_ticks))
        ax.set_yticks(scale.ticks, scale.labels() if y_labels else [""] * len(scale.ticks))
        set_frame(ax, left_ticks=y_labels)
        if y_labels:
            upright = {"rotation": 0, "ha": "right"} if len(unit) < 3 else {"rotation": 90}
            ax.set_ylabel(
                unit,
                fontsize=style.BODY,
                color=style.INK,
                labelpad=4,
                fontweight="normal",
                parse_math=False,
                **upright,
            )


def _target_label(panels: Sequence[Panel], scale: YScale) -> str:
    """Give the text of the legend: with the target's value where all points share one."""
    values = np.unique(np.concatenate([p.target for p in panels]))
    return f"{style.TARGET} {scale.write(float(values[0]))}" if len(values) == 1 else style.TARGET
