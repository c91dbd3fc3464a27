"""Draw the power of a team's design: one row a group, alone and pooled over sites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.errors import OptionError
from qi_equity.planning.suggest import POWER
from qi_equity.planning.words import change_words, months_words, rate_words
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._dots import draw_whose, page_for
from qi_equity.plot._frame import write
from qi_equity.plot._order import numbers_by, order_groups
from qi_equity.plot._parts import MAX_PANELS, columns_of, in_order
from qi_equity.plot._rows import EDGE_PT, Rows, XScale
from qi_equity.plot._style import PALETTES, Palette
from qi_equity.plot._text import Ruler
from qi_equity.plot.dots import rows_of

if TYPE_CHECKING:
    from qi_equity.data.measure import Measure
    from qi_equity.planning.design_advice import DesignAdvice

__all__ = ["plot_design"]

_ENOUGH = f"enough: {100 * POWER:.0f} %"
_ALONE, _ALONE_LITTLE = "power as it is", "power as it is, and the change stays invisible"
_POOLED = "power of the group over several sites"
_GAIN = "what pooling adds"
_SMALL_WIDTH = 80.0


def plot_design(
    advice: DesignAdvice, *, order: str | Sequence[str] = "alphabetical", colours: str = "accessible"
) -> Figure:
    """Draw the chance that an evaluation shows the aim, for each group as it is and pooled over sites.

    One row a group, one panel a site (or further stratum). A dot is the power with the births and the
    baseline there are, a diamond that of the group over the sites that are pooled; a dashed line is what is
    enough. At the right stand the baseline there is and is needed, the smallest change that would be shown,
    and in words what stays invisible. A group of which nothing can be planned keeps its row.

    Parameters
    ----------
    advice : DesignAdvice
        What to draw; at most 24 panels.
    order : {"alphabetical", "declared", "size"} or sequence of str
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
        If an option is not allowed, or there are more than 24 panels.

    References
    ----------
    .. [1] Hawley, Ali, Berencsi, Judge, Prieto-Alhambra. Sample size and power considerations for ordinary
       least squares interrupted time series analysis. Clin Epidemiol 2019;11:197-205 (most short series with
       moderate effects are underpowered; seen at second hand).

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [40, 40]})
    >>> columns = {"period": "month", "numerator": "pph", "denominator": "births"}
    >>> advice = qe.suggest_design(qe.from_counts(rows, qe.measures["pph_1500"], **columns))
    >>> [text.get_text() for text in plot_design(advice).axes[0].get_yticklabels()]
    ['All']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    series, ruler = advice.series, Ruler()
    groups, reason = _ordered(advice, order)
    parts = [(name, in_order(part, "group", groups)) for name, part in _split(advice)]
    measure = series.measure
    lines = [[_told(row, measure) for row in part.to_dict("records")] for _, part in parts]
    rows = rows_of(groups, series, ruler, lines=max(t.count("\n") + 1 for told in lines for t in told))
    page = page_for(len(parts), columns_of(None, len(parts)), rows.height)
    scale = _scale(page.width, lines, ruler)
    headers = [Header(Head(name), (), (), page.width, ruler) for name, _ in parts]
    heights = page.row_headers([h.height for h in headers])
    for i, (ax, (_, part)) in enumerate(zip(page.axes, parts, strict=True)):
        row, column = page.places[i]
        scale.prepare(ax, labels=page.is_lowest(i))
        rows.prepare(ax, labels=column == 0)
        if column == 0:
            draw_whose(ax, result_words.whose(series))
        _draw(ax, part, rows, palette, lines[i])
        if page.is_lowest(i):
            ax.set_xlabel("power, %", fontsize=style.BODY, color=style.INK, labelpad=3)
        headers[i].draw(ax, heights[row])
    page.place(
        heights,
        result_words.title_of(series, f"power to show {change_words(series.measure, advice.options['aim'])}"),
        result_words.subtitle_of_series(series, "chance that an evaluation shows the aim"),
        _footnotes(advice, reason, len(parts)),
        ruler,
    )
    page.figure.set_label(_description(advice, groups))
    return page.figure


def _ordered(advice: DesignAdvice, order: str | Sequence[str]) -> tuple[list[str], str]:
    table = advice.table
    births = table["births_per_month"].fillna(0.0).groupby(table["group"].astype(str)).sum()
    return order_groups(advice.series, table, order, {"size": numbers_by(births)})


def _split(advice: DesignAdvice) -> list[tuple[str, pd.DataFrame]]:
    """Give one part for each site and further stratum, named by what it differs in from others."""
    table = advice.table
    keys = [c for c in advice.series.cells.strata.columns if c != "group"]
    shown = [k for k in keys if len(table[k].unique()) > 1]
    if not shown:
        return [("", table)]
    names = table[shown].astype("str").agg(" · ".join, axis=1)
    parts = [(str(name), part) for name, part in table.groupby(names, sort=False)]
    if len(parts) > MAX_PANELS:
        raise OptionError(
            f"The advice is for {len(parts)} sites or further strata; a figure holds at most {MAX_PANELS}. "
            "Choose some of the series first: suggest_design(series.select(site=...))."
        )
    return parts


def _scale(width: float, lines: Sequence[Sequence[str]], ruler: Ruler) -> XScale:
    """Give an axis from 0 to 100 % with room for the words at its right."""
    words = [line for told in lines for text in told for line in text.split("\n")]
    reserve = max(ruler.width(line, style.SMALL) for line in words) + 14
    data = max(width - reserve - 2 * EDGE_PT, _SMALL_WIDTH)
    ticks = np.array([0.0, 50.0, 100.0] if data < 2 * _SMALL_WIDTH else [0.0, 20.0, 40.0, 60.0, 80.0, 100.0])
    each = 100.0 / data
    return XScale(0.0, 100.0, False, ticks, 0, -EDGE_PT * each, 100.0 + (EDGE_PT + reserve) * each)


def _draw(ax: Axes, part: pd.DataFrame, rows: Rows, palette: Palette, lines: Sequence[str]) -> None:
    """Draw the rows of one panel."""
    ax.axvline(100 * POWER, color=style.INK, linewidth=1.2, linestyle=(0, (5, 2)), zorder=1.5, label=_ENOUGH)
    alone, pooled = (100 * part[c].to_numpy(dtype=np.float64) for c in ("power", "pooled_power"))
    hidden = part["invisible"].to_numpy(dtype=np.bool_)
    several = part["n_sites"].to_numpy(dtype=np.int64) > 1
    label = _GAIN
    for y, start, end in zip(rows.y[several], alone[several], pooled[several], strict=True):
        if np.isfinite(start + end):
            ax.plot([start, end], [y, y], color=palette.neutral, linewidth=2.0, zorder=2.5, label=label)
            label = "_gain"
    _marks(ax, pooled[several], rows.y[several], "D", palette.neutral, _POOLED)
    _marks(ax, alone[~hidden], rows.y[~hidden], "o", style.INK, _ALONE)
    _marks(ax, alone[hidden], rows.y[hidden], "o", style.INK, _ALONE_LITTLE, hollow=True)
    right = ax.get_yaxis_transform()
    for y, text in zip(rows.y, lines, strict=True):
        write(ax, 1.0, y, text, "right", right)


def _marks(ax: Axes, x: Any, y: Any, marker: str, colour: str, label: str, *, hollow: bool = False) -> None:
    known = np.isfinite(x)
    if known.any():
        ax.plot(
            x[known], y[known], linestyle="None", marker=marker, markersize=8.5, label=label,
            markerfacecolor="white" if hollow else colour, markeredgecolor=colour if hollow else "white",
            markeredgewidth=1.7 if hollow else 0.8, zorder=4, clip_on=False,
        )  # fmt: skip


def _told(row: dict[Any, Any], measure: Measure) -> str:
    """Say at the right of a row what there is, what it takes, and what stays invisible."""
    power = row["power"]
    if np.isnan(power):
        return _nothing(row)
    shown = f"{100 * power:.0f} %"
    if row["n_sites"] > 1:
        shown += f", over {row['n_sites']:.0f} sites {100 * row['pooled_power']:.0f} %"
    least = row["smallest_ratio"]
    if np.isnan(least):
        smallest = "no change of any size would be shown"
    else:
        smallest = f"shows a change to {rate_words(measure, row['rate'] * least)}"
    return "\n".join([f"{shown} · {_chart(row)}", _baseline(row), smallest])


def _nothing(row: dict[Any, Any]) -> str:
    """Say why nothing can be planned."""
    if np.isnan(row["rate"]):
        return "nothing can be planned: no births known"
    if row["rate"] == 0:
        return "nothing can be planned: no events so far"
    return "nothing can be planned: not a possible aim"


def _chart(row: dict[Any, Any]) -> str:
    """Say whether a chart shows the aim in time, at one site or over several."""
    if row["visible"]:
        return f"on a chart in {months_words(row['months_to_detect'])}"
    if row["pooled_visible"]:
        return f"pooled, on a chart in {months_words(row['pooled_months_to_detect'])}"
    return "stays invisible" if row["invisible"] else "on a chart too late"


def _baseline(row: dict[Any, Any]) -> str:
    have, needed = months_words(row["baseline_months"]), row["baseline_months_needed"]
    if np.isinf(needed):
        return f"baseline {have}; no length is enough"
    return f"baseline {have}; needs {months_words(needed).split(' ')[0]}"


def _footnotes(advice: DesignAdvice, order: str, panels: int) -> list[str]:
    within = months_words(advice.options["within"])
    said = [
        f"Power: chance that evaluate_change shows the aim after {within} with the baseline there is; "
        f"{100 * POWER:.0f} % is taken as enough. Needed: months of baseline with which it would be.",
        "Shows a change to: the rate after the smallest change that would be so shown.",
        "Stays invisible: neither a chart nor an evaluation shows the aim in time, at one site or over all; "
        "no signal is no sign that nothing changed.",
        *(["All panels have the same scale."] if panels > 1 else []),
    ]
    notes = advice.notes
    return result_words.footnotes_of(advice.series, notes[notes["code"] != "stays_invisible"], order, said)


def _description(advice: DesignAdvice, groups: Sequence[str]) -> str:
    """Describe the figure: the power of every row, then the advice in words."""
    keys = list(advice.series.cells.strata.columns)
    rank = {g: i for i, g in enumerate(groups)}
    table = advice.table
    rows = table.assign(_rank=table["group"].astype("str").map(rank)).sort_values("_rank", kind="stable")
    lines = [f"{advice.title}."]
    for row in rows.to_dict("records"):
        who = ", ".join(str(row[k]) for k in keys)
        lines.append(f"{who}: {_told(row, advice.series.measure).replace(chr(10), '; ')}. {row['advice']}")
    return "\n".join(lines)
