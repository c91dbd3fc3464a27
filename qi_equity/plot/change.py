"""Draw evaluations of a change: rates with fitted and counterfactual lines, gaps, and effects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.errors import OptionError
from qi_equity.plot import _change_words as words
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Header, draw_arrows, draw_phases
from qi_equity.plot._change_effects import effect_panels, places_of, size_numbers
from qi_equity.plot._change_gaps import GapRows, gap_rows
from qi_equity.plot._change_panels import ChangePanel, draw_change, make_change_panels
from qi_equity.plot._cycle_marks import CycleRows
from qi_equity.plot._dots import NAMES_PT, Dots, draw_panel, draw_unit, draw_whose
from qi_equity.plot._draw import Pen, draw_empty, draw_gaps
from qi_equity.plot._frame import set_frame
from qi_equity.plot._gap_words import SCALES
from qi_equity.plot._kinds import plain_unit
from qi_equity.plot._layout import MARGIN, Page, columns_for
from qi_equity.plot._offscale import off_scale
from qi_equity.plot._order import numbers_by, order_groups, rows_in_order
from qi_equity.plot._parts import MAX_PANELS
from qi_equity.plot._rows import XScale
from qi_equity.plot._scales import x_limits, x_ticks, y_scale
from qi_equity.plot._style import PALETTES, Palette
from qi_equity.plot._text import Ruler
from qi_equity.plot.dots import rows_of, scale_of

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation
    from qi_equity.data.recorded_cycles import RecordedCycles

__all__ = ["plot_change", "plot_effects"]

_HIGH_PT, _HIGH_OF_MANY_PT = 170.0, 125.0
_LEFT, _BETWEEN_PT, _DATES_PT, _TICKS_PT, _ENDS_PT = 64.0, 10.0, 18.0, 8.0, 16.0
_REACH = 1.5
# With more in a row the intervals of the gaps have no room beside their numbers.
_WIDEST = 3
_MOST_PLACES, _UNDER_PT = 6, 40.0


def plot_change(
    evaluation: ChangeEvaluation,
    *,
    order: str | Sequence[str] = "alphabetical",
    columns: int | None = None,
    colours: str = "accessible",
    cycles: RecordedCycles | None = None,
) -> Figure:
    """Draw each group's rate over time, the line fitted to it, and the line without the change.

    One panel a stratum, all on one scale, and under it the gap to the reference before and after the change,
    as difference and as ratio. A solid line is fitted; a dashed one is what there would have been without the
    change. Over each panel stands what was seen, in words, and which change its births could have shown.

    Parameters
    ----------
    evaluation : ChangeEvaluation
        What to draw; at most 24 strata.
    order : {"alphabetical", "declared", "size", "rate"} or sequence of str
        Order of the groups, the same for every site; the reason stands in the footnote.
    columns : int, optional
        Panels in a row, 1 to 4. Default: by the number of panels.
    colours : {"accessible", "making_data_count"}
        Palette; groups have no colours of their own.
    cycles : RecordedCycles, optional
        What holds PDSA cycles: they are marked under the points as
        :func:`~qi_equity.plot.control.plot_control_chart` marks them.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    OptionError
        If an option is not allowed, or there are more than 24 strata.
    InputTypeError
        If ``columns`` is not a whole number, or ``cycles`` holds no recorded cycles.
    DataError, ColumnError
        If the recorded cycles cannot be read.

    References
    ----------
    .. [1] Turner, Karahalios, Forbes, Taljaard, Grimshaw, Korevaar, et al. Creating effective interrupted
       time series graphs: review and recommendations. Res Synth Methods 2021;12:106-17.
    .. [2] Schwabish J, Feng A. Do no harm guide: applying equity awareness in data visualization. Urban
       Institute, 2021.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
    ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", group="group")
    >>> figure = plot_change(qe.evaluate_change(series, "2024-01", reference="White"))
    >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
    ['Black', 'White']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    strata = evaluation.series.cells.strata
    if len(strata) > MAX_PANELS:
        raise OptionError(
            f"The evaluation holds {len(strata)} strata; a figure holds at most {MAX_PANELS}. Evaluate some "
            "of them: evaluate_change(series.select(group=..., site=...), ...)."
        )
    across = _across(evaluation, columns)
    groups, reason = _groups(evaluation, order)
    rows = rows_in_order(strata, groups)
    blocks = -(-len(rows) // across)
    places = [(3 * (i // across) + k, i % across) for k in range(3) for i in range(len(rows))]
    ruler = Ruler()
    gap_height = gap_rows(evaluation, ruler).height
    heights = [_HIGH_PT if blocks == 1 else _HIGH_OF_MANY_PT, gap_height, gap_height] * blocks
    page = Page(
        [column == 0 for _, column in places], across, left=_LEFT, places=places, heights=heights,
        between=_BETWEEN_PT,
    )  # fmt: skip
    panels = make_change_panels(evaluation, rows)
    limits = x_limits([p.panel for p in panels])
    marks = CycleRows(evaluation.series, strata.iloc[rows], cycles, limits, page.width)
    page.heighten(marks.height, every=3)
    sheet = _Sheet(evaluation, rows, panels, palette, page, ruler, marks)
    headers = sheet.draw()
    page.place(
        headers,
        result_words.title_of(evaluation.series, f"before and after {words.changed(evaluation)}"),
        words.subtitle_of(evaluation),
        [*marks.footnotes, *words.notes_of(evaluation, reason, _said(evaluation))],
        ruler,
    )
    names = words.names_of(evaluation)
    described = words.description_of(evaluation, rows, names)
    page.figure.set_label("\n".join([described, *marks.lines([names[row] for row in rows])]))
    return page.figure


def _across(evaluation: ChangeEvaluation, columns: int | None) -> int:
    strata = evaluation.series.cells.strata
    across = columns_for(
        len(strata), strata["group"].nunique(), strata["site"].nunique() if "site" in strata else 0
    )
    if columns is not None:
        across = _validate.whole_number("columns", columns, at_least=1)
        if across > 4:
            raise OptionError(f"columns={columns!r} is too many to read; give 1 to 4.")
        return min(across, len(strata))
    return min(across, len(strata), _WIDEST)


def _groups(evaluation: ChangeEvaluation, order: str | Sequence[str]) -> tuple[list[str], str]:
    numbers = {name: numbers_by(of) for name, of in size_numbers(evaluation).items()}
    return order_groups(evaluation.series, evaluation.series.cells.strata, order, numbers)


class _Sheet:
    """The panels of a page: their scales, and what stands around each."""

    def __init__(
        self,
        evaluation: ChangeEvaluation,
        rows: list[int],
        panels: list[ChangePanel],
        palette: Palette,
        page: Page,
        ruler: Ruler,
        cycles: CycleRows,
    ) -> None:
        self.page, self.palette, self.ruler, width = page, palette, ruler, page.width
        self.unit = plain_unit(evaluation.series.measure)
        self.panels, self.cycles = panels, cycles
        self.scale = y_scale([p.panel for p in panels], _REACH, 1.0, page.heights[0], cycles.height)
        charts = [p.as_drawn for p in self.panels]
        self.xlim = x_limits(charts)
        self.x_ticks, self.x_labels = x_ticks(charts, str(evaluation.series.every), width)
        self.beyond = [off_scale(p, self.scale, self.xlim, width, ruler) for p in charts]
        self.headers = [
            Header(p, (), told, width, ruler, verdict=True)
            for p, (_, told) in zip(charts, self.beyond, strict=True)
        ]
        at_label = f"{style.NO_GAP}: as {words.compared_with(evaluation)}"
        self.gaps = GapRows(evaluation, rows, width, at_label, ruler)

    def draw(self) -> list[float]:
        """Draw all panels; give the height of the header of each row."""
        n, page = len(self.panels), self.page
        room = [h.height for h in self.headers]
        room = [h + (_ENDS_PT if page.places[i][0] else 0.0) for i, h in enumerate(room)]
        room += [self.gaps.header(SCALES[0], i) + _DATES_PT for i in range(n)]
        room += [self.gaps.header(SCALES[1], i) + _TICKS_PT for i in range(n)]
        heights = page.row_headers(room)
        # The rows are named at the first gap from the left: the reference has none.
        first: dict[tuple[str, int], int] = {}
        for i in range(n):
            for scale in SCALES:
                if self.gaps.shown(scale, i):
                    first.setdefault((scale, page.places[i][0]), i)
        for i in range(n):
            row, column = page.places[i]
            header = heights[row] - (_ENDS_PT if row else 0.0)
            self._draw_rates(page.axes[i], i, header, y_labels=column == 0)
            for k, scale in enumerate(SCALES, start=1):
                at = k * n + i
                lowest = page.is_lowest(at)
                names = first.get((scale, row)) == i
                self.gaps.draw(page.axes[at], scale, i, self.palette, names=names, numbers=True, ends=lowest)
        return heights

    def _draw_rates(self, ax: Axes, i: int, header: float, *, y_labels: bool) -> None:
        panel, scale = self.panels[i], self.scale
        ax.set_xlim(*self.xlim)
        scale.apply(ax)
        ax.set_xticks(self.x_ticks, self.x_labels)
        ax.set_yticks(scale.ticks, scale.labels() if y_labels else [""] * len(scale.ticks))
        set_frame(ax, left_ticks=y_labels)
        chart = panel.as_drawn
        pen = Pen(ax, scale, self.palette, self.page.width / max(1, len(chart.x)), "", "")
        draw_phases(pen, chart, self.ruler, self.xlim, self.page.width)
        if chart.empty:
            draw_empty(pen, chart)
        draw_change(pen, panel)
        self.cycles.draw(pen, i)
        draw_arrows(pen, self.beyond[i][0])
        if not (chart.no_births.all() or chart.missing.all()):
            draw_gaps(pen, chart)
        if y_labels:
            ax.set_ylabel(self.unit, fontsize=style.SMALL, color=style.INK, labelpad=4, parse_math=False)
        self.headers[i].draw(ax, header)


def _said(evaluation: ChangeEvaluation) -> list[str]:
    level = f"{100 * evaluation.options['confidence']:g} %"
    model, left = words.model_text(evaluation), ", ".join(evaluation.method["not_modelled"])
    return [
        words.against_text(evaluation),
        f"Solid: the model that was named beforehand ({model}); dashed: as it would have been without the "
        f"change. Bands: {level} intervals of the lines, not of single points. Not in the model: {left}.",
        "Under each panel: the gap without the change (or before it) and with it (or after it), with "
        f"{level} intervals. Could have shown: with 80 % power, at the rate before.",
        "All panels have the same scales.",
    ]


def plot_effects(
    evaluation: ChangeEvaluation, *, order: str | Sequence[str] = "alphabetical", colours: str = "accessible"
) -> Figure:
    """Draw the change of each group, and below it that of each gap: ratio and difference side by side.

    Left is better. Ratios have a logarithmic axis; within the tinted band a change is smaller than a
    meaningful one. A mark differs by shape as well as colour where its interval lies wholly on one side of no
    change; the verdict stands at the right of each row, in words. An interval without an end has an arrow.

    Parameters
    ----------
    evaluation : ChangeEvaluation
        What to draw; at most 6 places and changes.
    order : {"alphabetical", "declared", "size", "rate"} or sequence of str
        Order of the groups, the same in all panels; the reason stands in the footnote.
    colours : {"accessible", "making_data_count"}
        Palette; groups have no colours of their own.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    OptionError
        If an option is not allowed, or there are more than 6 places and changes.

    References
    ----------
    .. [1] King, Harper, Young. Use of relative and absolute effect measures in reporting health inequalities.
       BMJ 2012;345:e5774: both, side by side.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
    ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", group="group")
    >>> figure = plot_effects(qe.evaluate_change(series, "2024-01", reference="White"))
    >>> [axes.get_xscale() for axes in figure.axes]
    ['log', 'linear', 'log', 'linear']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    places = _few_places(evaluation)
    series, ruler = evaluation.series, Ruler()
    groups, reason = _groups(evaluation, order)
    rows = rows_of(groups, series, ruler, lines=3)
    panels = [dots for place in places for dots in effect_panels(evaluation, place, groups, ruler)]
    page = Page(
        [i % 2 == 0 for i in range(len(panels))], 2, left=NAMES_PT + MARGIN,
        heights=[rows.height] * (len(panels) // 2), between=_UNDER_PT,
    )  # fmt: skip
    meaningful = float(evaluation.options["meaningful"])
    always = ((meaningful, 1.0, 1 / meaningful), (0.0,)) * 2
    scales = [
        scale_of([p for p in panels if p.scale == k], page.width, ruler, always=always[k], log=k % 2 == 0)
        for k in range(4)
    ]
    headers = [Header(p.head, (), (), page.width, ruler) for p in panels]
    heights = page.row_headers([h.height for h in headers])
    for i, (ax, dots) in enumerate(zip(page.axes, panels, strict=True)):
        scales[dots.scale].prepare(ax, labels=True)
        rows.prepare(ax, labels=i % 2 == 0)
        if i % 2 == 0:
            draw_whose(ax, result_words.whose(series))
        _draw_meaningful(ax, dots, scales[dots.scale], meaningful)
        draw_panel(ax, dots, rows, scales[dots.scale], palette)
        draw_unit(ax, dots)
        headers[i].draw(ax, heights[page.places[i][0]])
    page.place(
        heights,
        result_words.title_of(series, f"what changed after {words.changed(evaluation)}"),
        words.subtitle_of(evaluation),
        words.notes_of(evaluation, reason, _effects_said(evaluation)),
        ruler,
    )
    strata = rows_in_order(series.cells.strata, groups)
    page.figure.set_label(words.description_of(evaluation, strata, words.names_of(evaluation)))
    return page.figure


def _draw_meaningful(ax: Axes, dots: Dots, scale: XScale, meaningful: float) -> None:
    """Tint where a ratio is smaller than a meaningful change."""
    if scale.log:
        ends = scale.inside([meaningful, 1 / meaningful])
        ax.axvspan(*ends, color=style.BAND, linewidth=0, zorder=0.2, label=style.MEANINGFUL)


def _effects_said(evaluation: ChangeEvaluation) -> list[str]:
    options = evaluation.options
    return [
        words.against_text(evaluation),
        "At the right of each row: change with "
        f"{100 * options['confidence']:g} % interval, and what it shows. "
        f"Tinted: ratios of {options['meaningful']:g} to {1 / options['meaningful']:.2f}. Model: "
        f"{words.model_text(evaluation)}.",
        "Changes of gaps: difference of the two differences, ratio of the two ratios.",
    ]


def _few_places(evaluation: ChangeEvaluation) -> list[tuple[str, int, list[int]]]:
    """Give the places and changes of an evaluation; refuse more than a figure holds."""
    places = places_of(evaluation)
    if len(places) > _MOST_PLACES:
        raise OptionError(
            f"The evaluation holds {len(places)} places and changes; a figure holds at most {_MOST_PLACES}. "
            "Evaluate some of them: evaluate_change(series.select(site=...), ...)."
        )
    return places
