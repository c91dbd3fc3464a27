"""Draw gap charts: the gap of each group over time, and under it the rates of both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Header, draw_arrows, draw_levels, draw_phases
from qi_equity.plot._cycle_marks import CycleRows
from qi_equity.plot._draw import Pen, draw_panel
from qi_equity.plot._frame import set_frame
from qi_equity.plot._gap_panels import (
    GapPanel,
    gap_y_scale,
    make_gap_panels,
    phase_notes,
    shown_rows,
    unit_of_gap,
)
from qi_equity.plot._kinds import plain_unit
from qi_equity.plot._layout import Page, columns_for
from qi_equity.plot._offscale import off_scale
from qi_equity.plot._order import numbers_by, order_groups, rows_in_order
from qi_equity.plot._parts import MAX_PANELS
from qi_equity.plot._rows import XScale, x_scale
from qi_equity.plot._scales import YScale, x_limits, x_ticks
from qi_equity.plot._style import PALETTES, Palette
from qi_equity.plot._text import Ruler
from qi_equity.spc.words import and_list

if TYPE_CHECKING:
    from qi_equity.data.recorded_cycles import RecordedCycles
    from qi_equity.equity.gap_chart.gap_chart import GapChart

__all__ = ["plot_gap_chart"]

_HIGH_PT, _HIGH_OF_MANY_PT, _RATES_PT = 190.0, 135.0, 58.0
_FAR = 3.0
OWN_SCALE = "observed-expected"
_OWN_SCALES = (
    "Sums grow with the number of births, so each upper panel has a scale of its own: compare points with "
    "their limits, not heights between panels."
)


def plot_gap_chart(
    chart: GapChart,
    *,
    ax: Axes | None = None,
    order: str | Sequence[str] = "alphabetical",
    columns: int | None = None,
    colours: str = "accessible",
    cycles: RecordedCycles | None = None,
) -> Figure | Axes:
    """Draw the gap of each group over time, and under it the rates of the group and of its reference.

    Above is worse for the group where the measure has a direction. Ratios have a logarithmic axis; one of 0
    or infinity is an arrow with its number. The dashed line is "no gap". The lower panel shows which side
    moved. All panels share their scales; only sums of events beyond expected, which grow with the group, have
    one each. The reference has no panel of its own: it is in every lower one, and is named with its reason in
    the footnote.

    Parameters
    ----------
    chart : GapChart
        What to draw; at most 24 strata.
    ax : matplotlib.axes.Axes, optional
        Draw the gap of the only stratum here, without the rates, and leave the figure as it is.
    order : {"alphabetical", "declared", "size", "rate"} or sequence of str
        Order of the groups, the same for every site; the reason stands in the footnote.
    columns : int, optional
        Panels in a row, 1 to 4. Default: by the number of panels.
    colours : {"accessible", "making_data_count"}
        Palette; groups have no colours of their own.
    cycles : RecordedCycles, optional
        What holds PDSA cycles: they are marked under the gaps as
        :func:`~qi_equity.plot.control.plot_control_chart` marks them.

    Returns
    -------
    matplotlib.figure.Figure or matplotlib.axes.Axes
        The figure, made without pyplot; its label is ``chart.alt_text()``. Or ``ax`` when it was given.

    Raises
    ------
    OptionError
        If an option is not allowed, if there are more than 24 strata, or more than one with ``ax``.
    InputTypeError
        If ``ax`` is not an Axes, ``columns`` not a whole number, or ``cycles`` holds no recorded cycles.
    DataError, ColumnError
        If the recorded cycles cannot be read.

    References
    ----------
    .. [1] Schwabish J, Feng A. Do no harm guide: applying equity awareness in data visualization. Urban
       Institute, 2021.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
    ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
    ...                         group="area", every="quarter")
    >>> figure = plot_gap_chart(qe.gap_chart(series, reference="West"))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['East', '']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    rows, reason = _ordered(chart, order)
    rows = shown_rows(chart, rows)
    if ax is not None:
        return _draw_one(chart, ax, rows, palette, cycles)
    if len(rows) > MAX_PANELS:
        raise OptionError(
            f"The chart holds {len(rows)} strata; a figure holds at most {MAX_PANELS}. Choose some first "
            "with chart.select(group=..., site=...)."
        )
    return _draw_all(chart, rows, reason, columns, palette, cycles)


def _ordered(chart: GapChart, order: str | Sequence[str]) -> tuple[list[int], str]:
    """Give the rows of ``chart.strata`` in order: sites first, within each the groups."""
    strata, points = chart.strata, chart.points
    group = points["group"].astype(str)
    births, events = (points[c].groupby(group).sum() for c in ("denominator", "numerator"))
    numbers = {"size": numbers_by(births), "rate": numbers_by(events / births.where(births > 0))}
    groups, name = order_groups(chart.series, strata, order, numbers)
    return rows_in_order(strata, groups), name


class _Sheet:
    """Panels with frames of one size: their scales, and what stands around each."""

    def __init__(
        self,
        chart: GapChart,
        panels: list[GapPanel],
        palette: Palette,
        width: float,
        height: float,
        cycles: CycleRows,
    ) -> None:
        self.chart, self.palette, self.width, self.ruler = chart, palette, width, Ruler()
        self.panels, self.cycles = panels, cycles
        charts = [p.panel for p in self.panels]
        self.own_scales = chart.scale == OWN_SCALE
        parts = [[p] for p in self.panels] if self.own_scales else [self.panels]
        scales = [gap_y_scale(chart, part, height, cycles.height) for part in parts]
        self.scales: list[YScale] = scales if self.own_scales else scales * len(charts)
        # Where nothing is drawn on a scale, its numbers would be made up.
        self.bare = [p.empty and (self.own_scales or all(q.empty for q in charts)) for p in charts]
        self.rates = _rates_scale(self.panels)
        self.xlim = x_limits(charts)
        self.x_ticks, self.x_labels = x_ticks(charts, str(chart.series.every), width)
        self.spacing = width / max(1, *(len(p.x) for p in charts))
        self.beyond = [
            off_scale(p, scale, self.xlim, width, self.ruler)
            for p, scale in zip(charts, self.scales, strict=True)
        ]
        self.headers = [
            Header(p, self._levels(p, scale), words, width, self.ruler)
            for p, scale, (_, words) in zip(charts, self.scales, self.beyond, strict=True)
        ]
        self.no_gap = f"{style.NO_GAP}: as {_reference(chart)}"

    def _levels(self, panel: Any, scale: YScale) -> list[str]:
        """Say how the centre line went from phase to phase."""
        levels = [float(panel.centre_line[part][-1]) for part in panel.phases()]
        if len(levels) < 2 or not np.isfinite(levels).all() or panel.about_zero:
            return []
        return [f"centre {' → '.join(map(scale.write, levels))}"]

    def draw(self, ax: Axes, i: int, *, header: float, y_labels: bool, x_labels: bool) -> None:
        """Draw the gap of panel ``i``."""
        panel, scale = self.panels[i].panel, self.scales[i]
        numbered = (y_labels or self.own_scales) and not self.bare[i]
        ax.set_xlim(*self.xlim)
        scale.apply(ax)
        ax.set_xticks(self.x_ticks, self.x_labels if x_labels else [""] * len(self.x_ticks))
        ticks = [] if self.bare[i] else list(scale.ticks)
        ax.set_yticks(ticks, scale.labels() if numbered else [""] * len(ticks))
        set_frame(ax, left_ticks=numbered)
        pen = Pen(ax, scale, self.palette, self.spacing, style.CENTRE_LINE, self.no_gap)
        draw_panel(pen, panel)
        self.cycles.draw(pen, i)
        draw_phases(pen, panel, self.ruler, self.xlim, self.width)
        draw_arrows(pen, self.beyond[i][0])
        draw_levels(pen, replace(panel, target=np.full(len(panel.x), np.nan)))
        if y_labels:
            way = "" if self.chart.series.measure.better is None else "← better · worse →\n"
            _label(ax, f"{way}{unit_of_gap(self.chart)}")
        self.headers[i].draw(ax, header)

    def draw_rates(self, ax: Axes, i: int, *, y_labels: bool, x_labels: bool) -> None:
        """Draw the rates of both sides of panel ``i``."""
        panel, scale = self.panels[i], self.rates
        ax.set_xlim(*self.xlim)
        ax.set_ylim(scale.left, scale.right)
        ax.set_xticks(self.x_ticks, self.x_labels if x_labels else [""] * len(self.x_ticks))
        ax.set_yticks(scale.ticks, scale.texts() if y_labels else [""] * len(scale.ticks))
        set_frame(ax, left_ticks=y_labels)
        x, size = panel.panel.x, float(np.clip(self.spacing * 0.5, 2.0, 4.0))
        for values, label, colour, dashes, marker in (
            (panel.reference, style.REFERENCE, self.palette.neutral, (0, (2.5, 1.2)), "None"),
            (panel.group, style.GROUP, self.palette.common, "-", "o"),
        ):
            (line,) = ax.plot(x, scale.inside(values), label=label, marker=marker, markersize=size, zorder=2)
            line.set(color=colour, linestyle=dashes, linewidth=1.2)
            beyond = values > scale.high * (1 + 1e-12)
            if beyond.any():
                ax.plot(
                    x[beyond],
                    np.full(int(beyond.sum()), scale.high),
                    label="_off the scale",
                    linestyle="None",
                    marker=style.ARROW_UP,
                    markersize=6,
                    markeredgecolor=colour,
                    markerfacecolor="none",
                    clip_on=False,
                )
        for part in panel.panel.phases()[1:]:
            start = ax.axvline(panel.panel.edges[part.start], label="_phase", zorder=1.5)
            start.set(color=style.MUTED, linewidth=1.1, linestyle=(0, (1, 1.5)))
        if y_labels:
            _label(ax, plain_unit(self.chart.series.measure))


def _label(ax: Axes, text: str) -> None:
    ax.set_ylabel(text, fontsize=style.SMALL, color=style.INK, labelpad=3, parse_math=False, linespacing=1.1)


def _rates_scale(panels: Sequence[GapPanel]) -> XScale:
    values = np.concatenate([v for p in panels for v in (p.group, p.reference)])
    known = values[np.isfinite(values)]
    # Few births give rates far from all others, which would flatten the rest: they get an arrow at the edge.
    most = min(float(known.max()), _FAR * float(np.quantile(known, 0.9))) if len(known) else 1.0
    none = np.full(1, np.nan)
    return x_scale([known.min() if len(known) else 0.0, most], none, none, width=_RATES_PT, reserve=0.0)


def _reference(chart: GapChart) -> str:
    if chart.against.exact:
        return result_words.target_words(chart.series, chart.reference.name)
    names = [chart.against.names[i] for i in chart.shown if not chart.against.is_reference[i]]
    people = list(dict.fromkeys(result_words.people(chart.series, n) for n in names or chart.against.names))
    return and_list(people) if len(people) <= 3 else "the reference"


def _draw_one(
    chart: GapChart, ax: Axes, rows: list[int], palette: Palette, cycles: RecordedCycles | None
) -> Axes:
    if not isinstance(ax, Axes):
        raise InputTypeError(f"ax={ax!r} is of type {type(ax).__name__}; give a matplotlib Axes.")
    if len(rows) != 1:
        raise OptionError(
            f"ax= draws one stratum and the chart holds {len(rows)} beside the reference. Choose one first: "
            "chart.select(group=..., site=...); or leave ax out to draw all."
        )
    frame, points = ax.get_window_extent(), 72 / ax.figure.dpi
    width, height, panels = frame.width * points, frame.height * points, make_gap_panels(chart, rows)
    marks = _cycle_rows(chart, rows, panels, cycles, width)
    # There is no footnote here.
    panels = [replace(p, panel=replace(p.panel, words=(*p.panel.words, *marks.left_out))) for p in panels]
    sheet = _Sheet(chart, panels, palette, width, height, marks)
    sheet.draw(ax, 0, header=sheet.headers[0].height, y_labels=True, x_labels=True)
    return ax


def _cycle_rows(
    chart: GapChart,
    rows: list[int],
    panels: list[GapPanel],
    cycles: RecordedCycles | None,
    width: float,
) -> CycleRows:
    limits = x_limits([p.panel for p in panels])
    return CycleRows(chart.series, chart.strata.iloc[rows], cycles, limits, width)


def _draw_all(
    chart: GapChart,
    rows: list[int],
    reason: str,
    columns: int | None,
    palette: Palette,
    cycles: RecordedCycles | None,
) -> Figure:
    strata = chart.strata.iloc[rows]
    sites = strata["site"].nunique() if "site" in strata else 0
    across = columns_for(len(rows), strata["group"].nunique(), sites)
    if columns is not None:
        across = _validate.whole_number("columns", columns, at_least=1)
        if across > 4:
            raise OptionError(f"columns={columns!r} is too many to read; give 1 to 4.")
    across = min(across, len(rows))
    blocks = -(-len(rows) // across)
    gaps = [(2 * (i // across), i % across) for i in range(len(rows))]
    places = gaps + [(row + 1, column) for row, column in gaps]
    heights = [_HIGH_PT if blocks == 1 else _HIGH_OF_MANY_PT, _RATES_PT] * blocks
    labelled = [column == 0 for _, column in places]
    numbered = [chart.scale == OWN_SCALE or first for first in labelled]
    page = Page(numbered, across, places=places, heights=heights)
    panels = make_gap_panels(chart, rows)
    marks = _cycle_rows(chart, rows, panels, cycles, page.width)
    page.heighten(marks.height, every=2)
    sheet = _Sheet(chart, panels, palette, page.width, page.heights[0], marks)
    n = len(rows)
    headers = page.row_headers([h.height for h in sheet.headers] + [0.0] * n)
    for i in range(n):
        header = headers[places[i][0]]
        sheet.draw(page.axes[i], i, header=header, y_labels=labelled[i], x_labels=False)
        sheet.draw_rates(page.axes[n + i], i, y_labels=labelled[i], x_labels=page.is_lowest(n + i))
    what = {"difference": f"difference ({unit_of_gap(chart)})"}.get(chart.scale, unit_of_gap(chart))
    page.place(
        headers,
        result_words.title_of(chart.series, f"gap to {_reference(chart)}"),
        result_words.subtitle_of_series(chart.series, f"{what}, by {chart.series.every}"),
        [*marks.footnotes, *_footnotes(chart, reason, n)],
        sheet.ruler,
    )
    page.figure.set_label(marks.described(chart.alt_text()["text"].iloc[rows]))
    return page.figure


def _footnotes(chart: GapChart, order: str, panels: int) -> list[str]:
    given, notes = chart.reference.reason, chart.notes
    why = f"because: {given}" if given else "for which no reason was given"
    said = [
        f"Compared with {_reference(chart)}, {why}. The lower panels show the rates of the group and of its "
        "reference.",
        f"Limits are made from the counts of {'the group' if chart.against.exact else 'both sides'}; the "
        "tinted band lies within them.",
        *([_OWN_SCALES] if chart.scale == OWN_SCALE and panels > 1 else []),
        f"Rules: {chart.rules.name}, version {chart.rules.version}.",
        *phase_notes(chart),
        *notes.loc[notes["code"] == "expected_false_signals", "text"],
    ]
    general = notes[notes["group"].isna()]
    return result_words.footnotes_of(chart.series, general, order, said)
