"""Draw run and control charts: one panel a stratum, those of one kind of chart on the same scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.plot import _words
from qi_equity.plot._cycle_marks import CycleRows
from qi_equity.plot._layout import Page, columns_for
from qi_equity.plot._order import ordered
from qi_equity.plot._panels import make_panels
from qi_equity.plot._scales import x_limits
from qi_equity.plot._style import PALETTES, Colours
from qi_equity.plot._view import View

if TYPE_CHECKING:
    from qi_equity.data.recorded_cycles import RecordedCycles
    from qi_equity.spc.chart import ControlChart

__all__ = ["plot_control_chart"]

MAX_PANELS = 24


def plot_control_chart(
    chart: ControlChart,
    *,
    ax: Axes | None = None,
    order: str | Sequence[str] = "alphabetical",
    columns: int | None = None,
    colours: str = "accessible",
    cycles: RecordedCycles | None = None,
) -> Figure | Axes:
    """Draw a chart as small multiples: one panel a stratum, those of one kind on the same scales.

    Points that signal differ from others, and improvement from concern, by shape as well as colour. Values
    and limits beyond the scale are marked by an arrow and written, so that a group with few births does not
    flatten the others. Where strata have different kinds of chart, the panels of each kind have a scale of
    their own, and say why it was chosen. Two-sided CUSUMs have two lines, told apart by dashes and words:
    above 0 for a rise, below 0 for a fall. The axis of a t chart is stretched towards 0. What is withheld,
    missing or without births is marked under the data, and what a panel cannot show is said on it. Nothing of
    matplotlib's global state is changed, so figures can be drawn in several threads at once.

    Parameters
    ----------
    chart : ControlChart
        What to draw; at most 24 strata.
    ax : matplotlib.axes.Axes, optional
        Draw the only stratum of the chart here, and leave the figure as it is: no figure title, no footnotes,
        no legend (``ax.legend()`` makes one). Default: a new figure.
    order : {"alphabetical", "declared", "size"} or sequence of str
        Order of the groups, the same for every site; the reason stands in the footnote. Unknown ethnicity
        comes last in alphabetical order and in that of size. A sequence names each group once.
    columns : int, optional
        Panels in a row, 1 to 6. Default: by the number of panels, at most 4.
    colours : {"accessible", "making_data_count"}
        ``"accessible"``: every mark at least 3:1 against white. ``"making_data_count"``: the colours of NHS
        England's charts.
    cycles : RecordedCycles, optional
        What holds PDSA cycles, such as a project. Under the data of each panel stands a bar for each cycle of
        its site and group, thick where the change was implemented, with the decision at its end; at most
        three in rows over each other, more are counted. Cycles that no panel can mark are told in the
        footnotes (with ``ax`` over the panel), and all are in the figure's label. Default: none are drawn.

    Returns
    -------
    matplotlib.figure.Figure or matplotlib.axes.Axes
        The figure, made without pyplot (``figure.savefig`` writes it), or ``ax`` when it was given.

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
       Institute, 2021: panels side by side, and an order that makes no group the norm.
    .. [2] W3C. Web content accessibility guidelines 2.2, success criteria 1.4.1 and 1.4.11.

    Examples
    --------
    >>> import pandas as pd
    >>> import qi_equity as qe
    >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "events": [3, 5], "births": 60})
    >>> series = qe.from_counts(counts, qe.measures["preterm_birth"], period="month", numerator="events",
    ...                         denominator="births")
    >>> figure = qe.control_chart(series).plot()
    >>> len(figure.axes)
    1
    """
    palette = _validate.one_of("colours", colours, tuple(PALETTES))
    rows, reason = ordered(chart, order)
    if ax is not None:
        return _draw_one(chart, ax, rows, palette, cycles)
    if len(rows) > MAX_PANELS:
        raise OptionError(
            f"The chart holds {len(rows)} strata; a figure holds at most {MAX_PANELS}. Choose some first: "
            f"chart.select({_how_to_select(chart)})."
        )
    return _draw_all(chart, rows, reason, _columns(chart, columns), palette, cycles)


def _draw_one(
    chart: ControlChart, ax: Axes, rows: list[int], colours: Colours, cycles: RecordedCycles | None
) -> Axes:
    if not isinstance(ax, Axes):
        raise InputTypeError(f"ax={ax!r} is of type {type(ax).__name__}; give a matplotlib Axes.")
    if len(rows) != 1:
        raise OptionError(
            f"ax= draws one stratum and the chart holds {len(rows)}. Choose one first: "
            f"chart.select({_how_to_select(chart)}); or leave ax out to draw all."
        )
    frame = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    width, height, panels = frame.width * points, frame.height * points, make_panels(chart, rows)
    marks = CycleRows(chart.series, chart.strata.iloc[rows], cycles, x_limits(panels), width)
    # There is no footnote here.
    panels = [replace(panel, words=(*panel.words, *marks.left_out)) for panel in panels]
    view = View(chart, panels, colours, width, height, marks)
    view.draw(ax, 0, header=view.headers[0].height)
    return ax


def _draw_all(
    chart: ControlChart,
    rows: list[int],
    reason: str,
    columns: int,
    colours: Colours,
    cycles: RecordedCycles | None,
) -> Figure:
    kinds = chart.spec_of[rows].tolist()
    labelled = [i % columns == 0 or kinds[i] != kinds[i - 1] for i in range(len(rows))]
    page = Page(labelled, columns)
    panels = make_panels(chart, rows)
    marks = CycleRows(chart.series, chart.strata.iloc[rows], cycles, x_limits(panels), page.width)
    page.heighten(marks.height)
    view = View(chart, panels, colours, page.width, page.height, marks)
    headers = page.row_headers([h.height for h in view.headers])
    for i, ax in enumerate(page.axes):
        view.draw(ax, i, header=headers[i // columns], y_labels=labelled[i], x_labels=page.is_lowest(i))
    page.place(
        headers,
        _words.title_of(chart),
        _words.subtitle_of(chart),
        [*marks.footnotes, *_words.footnotes_of(chart, reason)],
        view.ruler,
    )
    page.figure.set_label(marks.described(chart.alt_text()["text"].iloc[rows]))
    return page.figure


def _columns(chart: ControlChart, columns: int | None) -> int:
    strata = chart.strata
    if columns is None:
        sites = strata["site"].nunique() if "site" in strata else 0
        return columns_for(len(strata), strata["group"].nunique(), sites)
    chosen = _validate.whole_number("columns", columns, at_least=1)
    if chosen > 6:
        raise OptionError(f"columns={columns!r} is too many to read; give 1 to 6.")
    return min(chosen, len(strata))


def _how_to_select(chart: ControlChart) -> str:
    strata = chart.strata
    shown = [c for c in ("group", "site") if c in strata and strata[c].nunique() > 1] or ["group"]
    return ", ".join(f"{c}={str(strata[c].iloc[0])!r}" for c in shown)
