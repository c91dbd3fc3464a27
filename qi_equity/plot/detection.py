"""Draw months to detect a change against births a month, with every group at its own place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity.planning.words import change_words, months_words, rate_words
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._detection_curves import counts_events, curves, typical_rate
from qi_equity.plot._detection_panels import Marks, make_marks
from qi_equity.plot._frame import set_frame
from qi_equity.plot._labels import Label, place_labels, shortened
from qi_equity.plot._layout import Page
from qi_equity.plot._log_axis import round_ticks
from qi_equity.plot._order import numbers_by, order_groups
from qi_equity.plot._style import PALETTES, Palette
from qi_equity.plot._text import Ruler

if TYPE_CHECKING:
    from qi_equity.planning.detection_table import DetectionTable

__all__ = ["plot_detection"]

Floats = NDArray[np.float64]
Dashes = str | tuple[float, tuple[float, ...]]

_HIGH_PT, _HIGH_OF_MANY_PT, _LEFT, _EDGE_PT, _BETWEEN_PT = 330.0, 205.0, 58.0, 20.0, 26.0
_MOST_COLUMNS = 3
_MONTHS = (0.1, 0.2, 0.5, 1, 2, 3, 6, 12, 24, 36, 60, 120, 240, 600, 1200, 3600, 12000)
_WIDER, _TICK_PT = 1.6, 30.0
_LOOKS: tuple[tuple[str, Dashes], ...] = (
    ("o", "-"),
    ("v", (0, (6, 2))),
    ("P", (0, (1, 1.4))),
    ("h", (0, (6, 2, 1, 2))),
    ("X", (0, (3, 1.5))),
    ("*", (0, (9, 3, 1, 2, 1, 2))),
)
_NO_LINE = ("p", "None")
_SEEN, _UNSEEN = "filled: visible within {}", "hollow: not yet visible within {}"
_POOLED = "the group over all sites"


def plot_detection(
    table: DetectionTable, *, order: str | Sequence[str] = "alphabetical", colours: str = "accessible"
) -> Figure:
    """Draw months to detect the change against births a month, both on logarithmic scales.

    Every group is marked and named at its own births and months: by the shape of the chart that is
    recommended to it, filled where the change is visible in time, hollow where it is not yet. Lines tell how
    long each kind of chart takes at the rate of all groups together; a line that ends is that of a chart
    which is blind with fewer births. What lies beyond the months asked for is shaded. At the top edge stand
    groups to which no chart could show it. Of several sites there is one panel a group, with each site, and
    all of them together.

    Parameters
    ----------
    table : DetectionTable
        What to draw; at most 24 groups, and 24 marks in a panel.
    order : {"alphabetical", "declared", "size"} or sequence of str
        Order of the groups; the reason stands in the footnote.
    colours : {"accessible", "making_data_count"}
        Palette; groups have no colours of their own.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    OptionError
        If an option is not allowed, or there is more to draw than can be read.

    References
    ----------
    .. [1] Walker, Neuburger, Groene, Cromwell, van der Meulen. Public reporting of surgeon outcomes: low
       numbers of procedures lead to false complacency. Lancet 2013;382:1674-7.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
    >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
    >>> table = qe.detection_table(qe.from_counts(rows, qe.measures["pph_1500"], **columns), rules="shewhart")
    >>> figure = plot_detection(table)
    >>> figure.axes[0].get_xscale(), figure.axes[0].get_yscale()
    ('log', 'log')
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    groups, reason = _ordered(table, order)
    panels = make_marks(table, groups)
    many = len(panels) > 1
    across = min(len(panels), _MOST_COLUMNS)
    page = Page(
        [i % across == 0 for i in range(len(panels))], across, left=_LEFT, between=_BETWEEN_PT,
        heights=[_HIGH_OF_MANY_PT if many else _HIGH_PT] * -(-len(panels) // across),
    )  # fmt: skip
    sheet = _Sheet(table, panels, palette, page, Ruler())
    heights = sheet.draw()
    page.place(
        heights,
        result_words.title_of(
            table.series, f"months to detect {change_words(table.series.measure, table.options['change'])}"
        ),
        result_words.subtitle_of_series(table.series, "months from the change to the signal, on average"),
        _footnotes(table, reason if many else "", sheet),
        sheet.ruler,
    )
    page.figure.set_label(_description(table))
    return page.figure


def _ordered(table: DetectionTable, order: str | Sequence[str]) -> tuple[list[str], str]:
    strata = table.table
    births = strata["births_per_month"].fillna(0.0).groupby(strata["group"].astype(str)).sum()
    return order_groups(table.series, strata, order, {"size": numbers_by(births)})


class _Sheet:
    """Panels on the same scales, with the same lines."""

    def __init__(
        self, table: DetectionTable, panels: list[Marks], palette: Palette, page: Page, ruler: Ruler
    ) -> None:
        self.table, self.panels, self.palette, self.page, self.ruler = table, panels, palette, page, ruler
        x, months = (np.concatenate([getattr(p, n) for p in panels]) for n in ("x", "months"))
        low, high = (x.min(), x.max()) if len(x) else (10.0, 100.0)
        middle = max(np.sqrt(10.0), np.sqrt(high / low) * _WIDER)
        centre = np.sqrt(low * high)
        self.xlim = (float(centre / middle), float(centre * middle))
        self.within = float(table.options["within"])
        shown = np.append(months[np.isfinite(months)], self.within)
        self.ylim = (float(shown.min() / _WIDER), float(max(shown.max(), 2 * self.within) * _WIDER))
        self.lines = curves(table, *self.xlim)
        told = [(line.chart, line.every) for line in self.lines]
        self.looks = dict(zip(told, _LOOKS, strict=False))
        # The edge at the top, for those to whom no chart can show it, is above what the scale holds.
        self.edge = _EDGE_PT if not np.isfinite(months).all() else 0.0
        self.height, self.size = page.height, 9.0 if len(panels) == 1 else 7.0
        self.late = f"not yet visible within {months_words(self.within)}"
        self.key: tuple[str, ...] = ()
        self.names = [self._places(panel, panel.names) for panel in panels]
        if len(panels) > 1 and any(without for _, without in self.names):
            self.key = panels[0].short
            self.names = [self._places(panel, panel.numbered) for panel in panels]

    def draw(self) -> list[float]:
        """Draw all panels; give the height of the header of each row."""
        heads = [
            Header(_head(panel, self.names[i][1]), (), (), self.page.width, self.ruler)
            for i, panel in enumerate(self.panels)
        ]
        heights = self.page.row_headers([h.height for h in heads])
        for i, (ax, panel) in enumerate(zip(self.page.axes, self.panels, strict=True)):
            row, column = self.page.places[i]
            self._prepare(ax, first=column == 0, lowest=self.page.is_lowest(i))
            self._ground(ax, first=column == 0)
            self._draw_lines(ax)
            self._draw_marks(ax, panel)
            for place in self.names[i][0]:
                at = (panel.x[place.index], self._y(panel)[place.index])
                _write(ax, at, (place.dx, place.dy), place.text, place.align)
            heads[i].draw(ax, heights[row])
        return heights

    def _prepare(self, ax: Axes, *, first: bool, lowest: bool) -> None:
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(*self.xlim)
        ax.set_ylim(self.ylim[0], self.top)
        x = round_ticks(*self.xlim, int(self.page.width // _TICK_PT))
        ax.set_xticks(x, [f"{t:,g}" for t in x] if lowest else [""] * len(x))
        y = [t for t in _MONTHS if self.ylim[0] <= t <= self.ylim[1]]
        ax.set_yticks(y, [f"{t:,g}" for t in y] if first else [""] * len(y))
        set_frame(ax, left_ticks=first)
        ax.tick_params(labelsize=style.BODY)
        if first:
            ax.set_ylabel("months to detect", fontsize=style.BODY, color=style.INK, labelpad=4)
        if lowest:
            ax.set_xlabel(_across_words(self.table), fontsize=style.BODY, color=style.INK, labelpad=3)

    def _ground(self, ax: Axes, *, first: bool) -> None:
        """Shade what is not visible in time, and say so at the upper right, where many births leave room."""
        ax.axhspan(self.within, ax.get_ylim()[1], color=style.BAND, zorder=0.3, label="_late")
        ax.axhline(
            self.within, color=style.INK, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1, label="_within"
        )
        _write(ax, (1, self.ylim[1]), (-4, -8), self.late, "right", across=True, colour=style.MUTED)
        if self.edge:
            ax.axhline(self.ylim[1], color=style.MUTED, linewidth=0.8, zorder=1, label="_edge")
            if first:
                _write(ax, (0, self.ylim[1]), (-5, self.edge / 2), "no chart", "right", across=True)

    def _draw_lines(self, ax: Axes) -> None:
        for line in self.lines:
            marker, dashes = self.looks[(line.chart, line.every)]
            y = np.where(line.months <= self.ylim[1], line.months, np.nan)
            ax.plot(line.x, y, color=style.MUTED, linewidth=1.5, linestyle=dashes, zorder=2,
                    label=f"_line {line.words}")  # fmt: skip
            ax.plot(
                [], [], color=style.MUTED, linewidth=1.5, linestyle=dashes, marker=marker, markersize=8,
                markerfacecolor=style.INK, markeredgecolor="white", label=line.words,
            )  # fmt: skip

    def _draw_marks(self, ax: Axes, panel: Marks) -> None:
        y, within = self._y(panel), months_words(self.within)
        for i, kind in enumerate(panel.kinds):
            marker = self.looks.get(kind, _NO_LINE)[0]
            pooled, seen = bool(panel.pooled[i]), bool(panel.visible[i])
            colour = self.palette.neutral if pooled else style.INK
            label = "_pooled" if pooled else "_visible" if seen else "_not yet visible"
            ax.plot(
                panel.x[i : i + 1], y[i : i + 1], linestyle="None", marker="D" if pooled else marker,
                markersize=self.size, markerfacecolor=colour if seen else "white",
                markeredgecolor="white" if seen else colour, markeredgewidth=0.8 if seen else 1.7,
                zorder=4, label=label, clip_on=False,
            )  # fmt: skip

        for seen, text in ((True, _SEEN), (False, _UNSEEN)):
            ax.plot(
                [], [], linestyle="None", marker="o", markersize=8, markeredgecolor=style.INK,
                markerfacecolor=style.INK if seen else "white", markeredgewidth=1.7,
                label=text.format(within),
            )  # fmt: skip
        if panel.pooled.any():
            ax.plot([], [], linestyle="None", marker="D", markersize=8, markerfacecolor=self.palette.neutral,
                    markeredgecolor="white", label=_POOLED)  # fmt: skip

    @property
    def top(self) -> float:
        """The upper end of the axis: the scale, and the edge above it."""
        longer = self.height / (self.height - self.edge)
        return float(self.ylim[0] * np.exp(np.log(self.ylim[1] / self.ylim[0]) * longer))

    def _y(self, panel: Marks) -> Floats:
        """Give the heights of marks: the middle of the edge at the top for those that are never shown."""
        middle = np.exp(np.log(self.top) - np.log(self.top / self.ylim[0]) * self.edge / 2 / self.height)
        return np.where(np.isfinite(panel.months), panel.months, middle)

    def _places(self, panel: Marks, told: Sequence[str]) -> tuple[list[Label], list[str]]:
        """Find room beside each mark for its name; give also the names that have none."""
        size = (self.page.width, self.height)
        x = _points(panel.x, self.xlim, size[0])
        y = _points(self._y(panel), (self.ylim[0], self.top), size[1])
        names = shortened(told, size[0] * 0.7, self.ruler)
        # No name stands on the words of the shaded ground.
        words = np.arange(size[0] - self.ruler.width(self.late, style.SMALL), size[0], 6.0)
        at = np.full(len(words), size[1] - self.edge - 8)
        first = sorted(range(len(x)), key=lambda i: (not panel.pooled[i], -y[i]))
        places, without = place_labels(
            np.append(x, words), np.append(y, at), [*names, *[""] * len(words)], size, first, self.ruler
        )
        return places, [told[i] for i in without]


def _points(values: Floats, ends: tuple[float, float], length: float) -> Floats:
    """Give places on a logarithmic scale in points."""
    return np.asarray(np.log(values / ends[0]) / np.log(ends[1] / ends[0]) * length)


def _write(
    ax: Axes, at: tuple[float, float], by: tuple[float, float], text: str, align: str, *,
    across: bool = False, colour: str = style.INK,
) -> None:  # fmt: skip
    """Write beside a place; ``across`` says that it is at a share of the width."""
    ax.annotate(
        text, at, xycoords=ax.get_yaxis_transform() if across else "data", xytext=by,
        textcoords="offset points", ha=align, va="center", fontsize=style.SMALL, color=colour, zorder=3,
        annotation_clip=False, parse_math=False, path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )  # fmt: skip


def _head(panel: Marks, without: list[str]) -> Head:
    """Name the panel, and those that have no place in it, or no room for their name."""
    words = [f"no births known, no place here: {', '.join(panel.absent)}"] if panel.absent else []
    words += [f"no room to name {', '.join(without)}"] if without else []
    return Head(panel.name, words=tuple(words))


def _across_words(table: DetectionTable) -> str:
    measure = table.series.measure
    if counts_events(measure):
        return "events a month"
    if measure.kind == "rate":
        return "births (exposure) a month"
    return "babies a month" if measure.counts == "baby" else "births a month"


def _footnotes(table: DetectionTable, order: str, sheet: _Sheet) -> list[str]:
    series, before = table.series, typical_rate(table)
    notes = table.notes
    few = notes["code"] == "uncertain_rate"
    said = [
        f"Every chart is tuned to one false signal in {months_words(table.options['false_alarm_months'])} on "
        "the side that looks for the change, so that all groups wait equally long between false alarms.",
        "Months are means: some charts signal sooner, some much later.",
    ]
    if sheet.key:
        said.insert(0, f"Numbers: {'; '.join(sheet.key)}.")
    if few.any():
        said.append(
            "Few events stand behind some rates, and what is reckoned from them may be far off; see .notes."
        )
    if sheet.lines and not counts_events(series.measure):
        said.insert(0, (
            f"Lines: at the rate of all groups together, from {rate_words(series.measure, before[0])} to "
            f"{rate_words(series.measure, before[1])}; marks: at the rate of the group itself. A line ends "
            "where the chart is blind: with fewer births it cannot show the change at all. Teeth come from "
            "limits, which move from one whole number of events to the next."
        ))  # fmt: skip
    return result_words.footnotes_of(series, notes[~few], order, said)


def _description(table: DetectionTable) -> str:
    """Describe the figure: every group, and what pooling gains."""
    keys = [c for c in table.series.cells.strata.columns if c != "site"]
    lines = [table.alt_text()]
    for row in table.pooled.to_dict("records"):
        who = ", ".join(str(row[k]) for k in keys) or "All"
        lines.append(
            f"{who}, over all {row['sites']} sites together: {months_words(row['months_to_detect'])}; at one "
            f"site {months_words(row['one_site_months'])} (median)."
        )
    return "\n".join(lines)
