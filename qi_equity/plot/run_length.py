"""Draw the distribution of the run length: the chance of a signal within so many points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity.errors import OptionError
from qi_equity.planning.run_length.text import moved_words, points_words
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._frame import set_frame
from qi_equity.plot._layout import Page, columns_for
from qi_equity.plot._log_axis import round_ticks
from qi_equity.plot._order import numbers_by, order_groups, rows_in_order
from qi_equity.plot._parts import MAX_PANELS
from qi_equity.plot._rows import nice_ticks
from qi_equity.plot._style import PALETTES, Palette
from qi_equity.plot._text import Ruler

if TYPE_CHECKING:
    from qi_equity.planning.run_length.result import RunLength

__all__ = ["plot_run_length"]

Floats = NDArray[np.float64]

_MOST_LINES = 6
_HIGH_PT, _HIGH_OF_MANY_PT, _LEFT, _BETWEEN_PT = 300.0, 160.0, 58.0, 40.0
# Where the longest run is so many times the shortest, points are on a logarithmic scale.
_WIDE, _TICK_PT = 30.0, 34.0
_DASHES: tuple[Any, ...] = (
    "-",
    (0, (6, 2)),
    (0, (1, 1.4)),
    (0, (6, 2, 1, 2)),
    (0, (3, 1.5)),
    (0, (9, 3, 1, 3)),
)
_QUANTILES = ((0.05, "lower"), (0.5, "median"), (0.95, "upper"))
_ENDS, _MEDIAN, _MEAN = "5 % and 95 % of charts have signalled", "half of the charts have signalled", "mean"


def plot_run_length(
    result: RunLength, *, order: str | Sequence[str] = "alphabetical", colours: str = "accessible"
) -> Figure:
    """Draw the chance of a signal within so many points: one line a change, one panel a stratum.

    On each line stand the points within which 5 %, half and 95 % of charts have signalled, and the mean,
    which lies far beyond the median: runs are mostly short, and some very long. Lines are told apart by
    dashes and by words beside them. Points are on a logarithmic scale where they are far apart. What can
    never signal has no line, and is named over its panel.

    Parameters
    ----------
    result : RunLength
        What to draw; at most 24 strata, and 6 changes or shifts.
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
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., chapter 5: run lengths are
       skewed, and their mean alone says little.

    Examples
    --------
    >>> import qi_equity as qe
    >>> figure = plot_run_length(qe.run_length("shewhart", shift=[0, 1]))
    >>> figure.axes[0].get_xscale(), figure.axes[0].get_ylabel()
    ('log', 'charts that have signalled, %')
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    parts, reason = _parts(result, order)
    most = max(len(table) for _, table, _ in parts)
    if len(parts) > MAX_PANELS or most > _MOST_LINES:
        raise OptionError(
            f"The result holds {len(parts)} strata and {most} changes or shifts; a figure holds at most "
            f"{MAX_PANELS} and {_MOST_LINES}. Choose some first: run_length(chart.select(...), change=[...])."
        )
    across = columns_for(len(parts), len(parts), 1) if len(parts) > 1 else 1
    across = min(across, 3)
    blocks = -(-len(parts) // across)
    page = Page(
        [i % across == 0 for i in range(len(parts))], across, left=_LEFT, between=_BETWEEN_PT,
        heights=[_HIGH_PT if len(parts) == 1 else _HIGH_OF_MANY_PT] * blocks,
    )  # fmt: skip
    sheet = _Sheet(result, parts, palette, page, Ruler())
    heights = sheet.draw()
    page.place(heights, *_words(result, reason), sheet.ruler)
    page.figure.set_label(result.alt_text())
    return page.figure


_Part = tuple[str, pd.DataFrame, pd.DataFrame]


def _parts(result: RunLength, order: str | Sequence[str]) -> tuple[list[_Part], str]:
    """Give name, rows and lines of each panel, in the order of the groups."""
    table, curve = result.table, result.curve
    if result.series is None:
        _validate.one_of("order", order, ("alphabetical", "declared", "size")) if isinstance(
            order, str
        ) else None
        return [("", table, curve)], ""
    keys = list(result.series.cells.strata.columns)
    strata = table[keys].drop_duplicates(ignore_index=True)
    births = pd.Series(
        result.series.cells.denominator.tolist(), index=result.series.cells.strata["group"].astype(str)
    )
    sizes = births.map(lambda row: float(np.nansum(row))).groupby(level=0).sum()
    groups, reason = order_groups(result.series, strata, order, {"size": numbers_by(sizes)})
    shown = [k for k in keys if k == "group" or len(strata[k].unique()) > 1]
    parts = []
    for i in rows_in_order(strata, groups):
        key = strata.iloc[i].astype(str)
        mine, lines = (frame[(frame[keys].astype(str) == key).all(axis=1)] for frame in (table, curve))
        parts.append((" · ".join(key[k] for k in shown) or "All", mine, lines))
    return parts, reason if len(parts) > 1 else ""


class _Sheet:
    """Panels whose x axes are alike where their points are of one kind."""

    def __init__(
        self, result: RunLength, parts: Sequence[_Part], palette: Palette, page: Page, ruler: Ruler
    ) -> None:
        self.result, self.parts, self.palette, self.page, self.ruler = result, parts, palette, page, ruler
        every = dict.fromkeys(_move(row) for _, table, _ in parts for row in table.to_dict("records"))
        self.dashes = dict(zip(every, _DASHES, strict=False))
        lines = result.curve.groupby("unit")["points"]
        self.ends = {str(unit): _ends(points.to_numpy(dtype=np.float64)) for unit, points in lines}

    def draw(self) -> list[float]:
        """Draw all panels; give the height of the header of each row."""
        heads = [
            Header(Head(name, words=_never(table)), (), (), self.page.width, self.ruler)
            for name, table, _ in self.parts
        ]
        heights = self.page.row_headers([h.height for h in heads])
        for i, (ax, (_, table, curve)) in enumerate(zip(self.page.axes, self.parts, strict=True)):
            row, column = self.page.places[i]
            self._prepare(ax, str(table["unit"].iloc[0]), first=column == 0)
            self._draw(ax, table, curve)
            heads[i].draw(ax, heights[row])
        return heights

    def _prepare(self, ax: Axes, unit: str, *, first: bool) -> None:
        low, high, log = self.ends[unit]
        if log:
            ax.set_xscale("log")
        ax.set_xlim(low, high)
        ax.set_ylim(0, 100)
        ticks = round_ticks(low, high, int(self.page.width // _TICK_PT)) if log else nice_ticks(low, high, 8)
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        ax.set_xticks(ticks, [f"{t:,.10g}" for t in ticks])
        y = np.arange(0, 101, 25)
        ax.set_yticks(y, [f"{t}" for t in y] if first else [""] * len(y))
        set_frame(ax, left_ticks=first)
        ax.tick_params(labelsize=style.BODY)
        if first:
            ax.set_ylabel("charts that have signalled, %", fontsize=style.BODY, color=style.INK, labelpad=4)
        ax.set_xlabel(f"{_plural(unit)} to the signal", fontsize=style.BODY, color=style.INK, labelpad=3)

    def _draw(self, ax: Axes, table: pd.DataFrame, curve: pd.DataFrame) -> None:
        """Draw the lines of a panel with their marks, and write beside each what it is."""
        rows = [row for row in table.to_dict("records") if np.isfinite(row["lower"])]
        rows.sort(key=lambda row: (np.nan_to_num(row["median"], nan=np.inf), row["lower"]))
        for i, row in enumerate(rows):
            same = np.isclose(curve[["change", "shift"]].to_numpy(), _move(row), rtol=0, equal_nan=True)
            x, y = curve[["points", "chance"]].to_numpy(dtype=np.float64)[same.all(axis=1)].T
            x, y = x[np.isfinite(x)], 100 * y[np.isfinite(x)]
            colour = self.palette.neutral if _in_control(row) else style.INK
            ax.plot(x, y, color=colour, linewidth=2.0, linestyle=self.dashes[_move(row)], zorder=3,
                    drawstyle="steps-post", label=f"_{moved_words(row)}")  # fmt: skip
            _marks(ax, row, x, y, colour)
            self._name(ax, row, x, y, colour, soonest=i == 0 < len(rows) - 1, last=i == len(rows) - 1)

    def _name(
        self, ax: Axes, row: dict[Any, Any], x: Floats, y: Floats, colour: str, *, soonest: bool, last: bool
    ) -> None:
        """Write what a line is: of the soonest at its upper left, else at its right."""
        lines = [moved_words(row)]
        if len(self.parts) == 1:
            lines.append(_numbers(row))
        wide = max(self.ruler.width(line, style.SMALL) for line in lines) + 8
        share = float(np.interp(75.0 if soonest else 25.0 if last else 50.0, y, np.arange(len(y))))
        at = float(x[round(share)]), float(y[round(share)])
        place = ax.transAxes.inverted().transform(ax.transData.transform(at))[0] * self.page.width
        left = (soonest and place > wide) or place + wide > self.page.width
        ax.annotate(
            "\n".join(lines), at, xytext=(-7 if left else 7, 0 if soonest else -6),
            textcoords="offset points", color=colour, ha="right" if left else "left", va="center",
            fontsize=style.SMALL, linespacing=1.1, zorder=6,
            annotation_clip=False, parse_math=False,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip


def _marks(ax: Axes, row: dict[Any, Any], x: Floats, y: Floats, colour: str) -> None:
    """Mark 5 %, half, 95 % and the mean on a line."""
    for share, name in _QUANTILES:
        if np.isfinite(row[name]):
            middle = name == "median"
            _mark(ax, row[name], 100 * share, "o" if middle else "d", colour, _MEDIAN if middle else _ENDS)
    if np.isfinite(row["mean"]):
        _mark(ax, row["mean"], float(np.interp(row["mean"], x, y)), "s", colour, _MEAN, hollow=True)


def _mark(
    ax: Axes, x: float, y: float, marker: str, colour: str, label: str, *, hollow: bool = False
) -> None:
    ax.plot(
        [x], [y], linestyle="None", marker=marker, markersize=7.5, zorder=4, clip_on=False, label=label,
        markerfacecolor="white" if hollow else colour, markeredgecolor=colour if hollow else "white",
        markeredgewidth=1.6 if hollow else 0.8,
    )  # fmt: skip


def _move(row: dict[Any, Any]) -> tuple[float, float]:
    """Give change and shift of a row; NaN of what it has not is one and the same."""
    return tuple(np.nan if np.isnan(row[n]) else float(row[n]) for n in ("change", "shift"))  # type: ignore[return-value]


def _in_control(row: dict[Any, Any]) -> bool:
    return bool(row["change"] == 1 or row["shift"] == 0)


def _numbers(row: dict[Any, Any]) -> str:
    """Write median and mean, as far as they are known."""
    parts = [("half within", row["median"]), ("mean", row["mean"])]
    told = [f"{name} {points_words(points, row['unit'])}" for name, points in parts if np.isfinite(points)]
    return ", ".join(told) or "half: not within what was followed"


def _never(table: pd.DataFrame) -> tuple[str, ...]:
    """Name the changes that have no line, because they never show or nothing can be said."""
    words = []
    for row in table.to_dict("records"):
        if not np.isfinite(row["lower"]):
            told = "never signals" if np.isinf(row["lower"]) else "nothing can be said"
            words.append(f"{moved_words(row)}: {told}")
    return tuple(words)


def _ends(points: Floats) -> tuple[float, float, bool]:
    """Give the ends of an x axis, and whether it is logarithmic."""
    known = points[np.isfinite(points)]
    low, high = (float(known.min()), float(known.max())) if known.size else (1.0, 10.0)
    low = max(low, 1e-9)
    return (low / 1.5, high * 1.5, True) if high > _WIDE * low else (0.0, high * 1.2, False)


def _plural(unit: str) -> str:
    return f"{unit.replace('-', ' ')}s"


def _words(result: RunLength, order: str) -> tuple[str, str, list[str]]:
    """Give title, subtitle and footnotes."""
    side = {"both": "either side", "low": "the low side", "high": "the high side"}[result.options["side"]]
    said = [
        f"Chance that a chart has signalled on {side}, when it starts with the change; rules: "
        f"{result.options['rules']['name']}.",
        "Runs are mostly shorter than their mean, and some are far longer.",
    ]
    notes = result.notes
    if result.series is None:
        lines = [*said, *dict.fromkeys(notes.loc[notes["severity"] != "info", "text"])]
        return result.title, "Points from the start of the chart to its first signal", lines
    what = "from the start of the chart to its first signal"
    return (
        result_words.title_of(result.series, "run length"),
        result_words.subtitle_of_series(result.series, what),
        result_words.footnotes_of(result.series, notes, order, said),
    )
