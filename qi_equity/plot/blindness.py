"""Draw a stratified chart with a strip under each panel that says what the panel can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.planning.plan import make_plan
from qi_equity.plot import _style as style
from qi_equity.plot import _words
from qi_equity.plot._blindness_words import Strip, change_name, make_strips
from qi_equity.plot._detection_curves import plain_chart
from qi_equity.plot._layout import Page, columns_for
from qi_equity.plot._order import ordered
from qi_equity.plot._panels import make_panels
from qi_equity.plot._parts import MAX_PANELS
from qi_equity.plot._style import PALETTES
from qi_equity.plot._text import Ruler
from qi_equity.plot._view import View
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.control import control_chart

if TYPE_CHECKING:
    from qi_equity.planning.detection_table import DetectionTable

__all__ = ["plot_blindness"]

_MOST_COLUMNS = 3
_LINE_PT, _PAD_PT, _SIGN_PT, _DATES_PT = 12.5, 5.0, 14.0, 20.0
_HIGH_PT, _HIGH_OF_MANY_PT = 190.0, 125.0
# Filled, half and hollow: told apart without colour, and the word stands beside each.
_SIGNS = {"yes": "full", "only over several points": "left", "no": "none"}
_BLIND = ("no", "only over several points")


def plot_blindness(
    table: DetectionTable,
    chart: ControlChart | None = None,
    *,
    order: str | Sequence[str] = "alphabetical",
    colours: str = "accessible",
) -> Figure:
    """Draw a control chart of every stratum, and under each panel what it can show.

    A chart that cannot signal looks like good news. The strip says whether this chart can show an improvement
    and a deterioration at all ("yes", "only over several points", "no"; a full, half or empty mark), how many
    months it takes to show the change of the table, and which chart of the same data would show it soonest.

    Parameters
    ----------
    table : DetectionTable
        Whose change is looked for.
    chart : ControlChart, optional
        A chart of the same strata, at most 24. Default: that which most teams draw (p, u or c; g or t between
        events), with the usual rules.
    order : {"alphabetical", "declared", "size"} or sequence of str
        Order of the groups, the same for every site; the reason stands in the footnote.
    colours : {"accessible", "making_data_count"}
        Palette.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    InputTypeError
        If ``chart`` is no control chart.
    OptionError
        If an option is not allowed, there are more than 24 strata, or the chart is of other strata, or of a
        kind of which no run length is known.

    References
    ----------
    .. [1] Walker, Neuburger, Groene, Cromwell, van der Meulen. Public reporting of surgeon outcomes: low
       numbers of procedures lead to false complacency. Lancet 2013;382:1674-7.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months, "pph": [3, 1] * 12, "births": 40})
    >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
    >>> table = qe.detection_table(qe.from_counts(rows, qe.measures["pph_1500"], **columns), rules="shewhart")
    >>> [text.get_text() for text in plot_blindness(table).axes[1].texts][:2]
    ['This chart can show', 'improvement: only over several points']
    """
    palette = _validate.one_of("colours", colours, tuple(PALETTES))
    chart = _checked(table, chart)
    rows, reason = ordered(chart, order)
    if len(rows) > MAX_PANELS:
        raise OptionError(
            f"The table holds {len(rows)} strata; a figure holds at most {MAX_PANELS}. Choose some of the "
            "series first: detection_table(series.select(group=..., site=...))."
        )
    strips = make_strips(table, chart)
    sites = chart.strata["site"].nunique() if "site" in chart.strata else 0
    across = min(columns_for(len(rows), chart.strata["group"].nunique(), sites), _MOST_COLUMNS, len(rows))
    blocks, ruler = -(-len(rows) // across), Ruler()
    places = [(2 * (i // across) + k, i % across) for k in range(2) for i in range(len(rows))]
    kinds = chart.spec_of[rows].tolist()
    labelled = [i % across == 0 or kinds[i] != kinds[i - 1] for i in range(len(rows))]
    width = Page([*labelled, *labelled], across, places=places).width
    texts = [_lines(strips[i], width, ruler) for i in rows]
    high = max(len(lines) for lines in texts) * _LINE_PT + 2 * _PAD_PT
    page = Page(
        [*labelled, *labelled], across, places=places,
        heights=[_HIGH_PT if blocks == 1 else _HIGH_OF_MANY_PT, high] * blocks,
    )  # fmt: skip
    view = View(chart, make_panels(chart, rows), palette, page.width, page.height)
    heads = page.row_headers([h.height for h in view.headers] + [_DATES_PT] * len(rows))
    for i, lines in enumerate(texts):
        view.draw(page.axes[i], i, header=heads[places[i][0]], y_labels=labelled[i])
        _draw(page.axes[len(rows) + i], lines, page.width, high)
    page.place(heads, *_around(table, chart, reason), view.ruler)
    page.figure.set_label(_description(table, chart, strips, rows))
    return page.figure


def _checked(table: DetectionTable, chart: ControlChart | None) -> ControlChart:
    """Make the chart that most teams draw, or check that the one given is of the same strata."""
    series = table.series
    if chart is None:
        if series.measure.kind == "between":
            return control_chart(series, "t" if series.measure.unit == "days" else "g")
        return control_chart(series, plain_chart(make_plan(series, table.options["change"])))
    if not isinstance(chart, ControlChart):
        raise InputTypeError(f"chart={chart!r} is of type {type(chart).__name__}; give a ControlChart.")
    own, other = (s.astype("str").to_dict("list") for s in (series.cells.strata, chart.strata))
    if own != other or chart.series.measure != series.measure:
        raise OptionError(
            "The chart is not of the measure and the strata of the table. Give a chart of the same series, "
            "such as control_chart(table.series)."
        )
    return chart


_Line = tuple[str, str]


def _lines(strip: Strip, width: float, ruler: Ruler) -> list[_Line]:
    """Wrap the words of a strip to a panel: (sign, text)."""
    names = {"low": "fall", "high": "rise"}
    ways = [(how, f"{names.get(what, what)}: {how}") for what, how in strip.ways]
    rest = [
        ("", line)
        for text in (strip.when, strip.sooner)
        if text
        for line in ruler.wrap(text.split(" "), width - 10, style.BODY)
    ]
    return [("", "This chart can show"), *ways, *rest]


def _draw(ax: Axes, lines: Sequence[_Line], width: float, height: float) -> None:
    """Write the lines of a strip, with a sign before what the chart can show; its units are points."""
    ax.set_axis_off()
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.axhspan(0, height, color=style.STRIP, zorder=0.2, label="_strip")
    for i, (sign, text) in enumerate(lines):
        y = _PAD_PT + (i + 0.5) * _LINE_PT
        if sign:
            _sign(ax, y, sign)
        ax.text(
            _PAD_PT + (_SIGN_PT if sign else 0), y, text, ha="left", va="center", fontsize=style.BODY,
            color=style.INK, parse_math=False, fontweight="bold" if sign in _BLIND else "normal",
        )  # fmt: skip


def _sign(ax: Axes, y: float, how: str) -> None:
    """Draw a mark that is full, half or empty; a cross where it is not known."""
    fill = _SIGNS.get(how)
    ax.plot(
        [_PAD_PT + 4], [y], linestyle="None", marker="o" if fill else "x", markersize=7.5, color=style.INK,
        fillstyle=fill or "full", markerfacecoloralt="white", markeredgecolor=style.INK,
        markeredgewidth=1.3, clip_on=False, label=f"_{how}", zorder=3,
    )  # fmt: skip


def _around(table: DetectionTable, chart: ControlChart, reason: str) -> tuple[str, str, list[str]]:
    """Give title, subtitle and footnotes."""
    notes = [
        f"Under each panel: what this chart can show, how soon it shows {change_name(table)} of the adverse "
        "rate (from the change to the signal, about known lines), and which chart of these data would show "
        f"it at one false signal in {table.options['false_alarm_months']:g} months. A chart that cannot "
        "signal is no good news.",
        *_words.footnotes_of(chart, reason),
    ]
    return f"{_words.title_of(chart)}: what each chart can show", _words.subtitle_of(chart), notes


def _description(
    table: DetectionTable, chart: ControlChart, strips: Sequence[Strip], rows: Sequence[int]
) -> str:
    """Describe each panel, and what it can show."""
    texts = chart.alt_text()["text"].tolist()
    return "\n".join(f"{texts[i]} {strips[i].text}" for i in rows)
