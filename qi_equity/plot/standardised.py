"""Draw standardised rates over the spans, beside the crude ones: one panel a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity.errors import OptionError
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot import _words
from qi_equity.plot._around import Head, Header
from qi_equity.plot._frame import set_frame, write
from qi_equity.plot._kinds import plain_unit
from qi_equity.plot._layout import Page, columns_for
from qi_equity.plot._order import numbers_by, order_groups, rows_in_order
from qi_equity.plot._parts import MAX_PANELS
from qi_equity.plot._rows import XScale, x_scale
from qi_equity.plot._style import PALETTES, Palette
from qi_equity.plot._text import Ruler, number
from qi_equity.spc.words import and_list

if TYPE_CHECKING:
    from qi_equity.data.standardised import StandardisedRates

__all__ = ["plot_standardised"]

Floats = NDArray[np.float64]

_HIGH_PT, _HIGH_OF_MANY_PT, _LABEL_PT = 190.0, 120.0, 46.0
_INTERVALS = {"dobson": "Dobson", "gamma": "gamma", "ohid": "Byar, exact below 10 events", "exact": "exact"}


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    """One stratum in the unit of the axis, over K spans; ``reasons`` why a standardised rate is not given."""

    head: Head
    crude: Floats
    rate: Floats
    lower: Floats
    upper: Floats
    reasons: list[str]


def plot_standardised(
    rates: StandardisedRates,
    *,
    order: str | Sequence[str] = "alphabetical",
    columns: int | None = None,
    colours: str = "accessible",
) -> Figure:
    """Draw the standardised rate with its interval over the spans, and the crude rate as a dashed line.

    Where the two part, part of what the crude rate shows is who came. One panel a group (or site, or further
    stratum), all on one scale. Where there is no standardised rate the panel says why; an interval that goes
    on beyond the scale has an arrow.

    Parameters
    ----------
    rates : StandardisedRates
        What to draw; at most 24 strata.
    order : {"alphabetical", "declared", "size", "rate"} or sequence of str
        Order of the groups, the same for every site; the reason stands in the footnote.
    columns : int, optional
        Panels in a row, 1 to 4. Default: by the number of panels.
    colours : {"accessible", "making_data_count"}
        Palette; groups have no colours of their own.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    OptionError
        If an option is not allowed, or there are more than 24 strata.
    InputTypeError
        If ``columns`` is not a whole number.

    References
    ----------
    .. [1] Schwabish J, Feng A. Do no harm guide: applying equity awareness in data visualization. Urban
       Institute, 2021.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "age": ["<35", "35+"], "x": [30, 20], "n": [900, 300]})
    >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "by": ["age"]}
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
    >>> figure = plot_standardised(series.standardise("age", standard={"<35": 50, "35+": 50}))
    >>> print(figure.get_label())
    Standardised rates of Postpartum haemorrhage of 1500 ml or more (per 1,000), the case-mix being age.
    All. 2024-01: 50.0 (35.3 to 68.1), crude 41.7.
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    table, ruler = rates.table, Ruler()
    keys = list(table.columns[: list(table.columns).index("span")])
    strata = table[keys].drop_duplicates(ignore_index=True)
    if len(strata) > MAX_PANELS:
        raise OptionError(
            f"The table holds {len(strata)} strata; a figure holds at most {MAX_PANELS}. Choose some of the "
            "series first with series.select(...), or sum them with series.pool(...)."
        )
    rows, reason = _ordered(rates, table, strata, order)
    panels = _panels(rates, table, strata, rows)
    across = _columns(columns, strata)
    page = _page(len(panels), across)
    scale = _scale(panels, page.heights[0])
    headers = [Header(p.head, (), (), page.width, ruler) for p in panels]
    heights = page.row_headers([h.height for h in headers])
    for i, (ax, panel) in enumerate(zip(page.axes, panels, strict=True)):
        first = page.places[i][1] == 0
        _prepare(ax, scale, rates.spans.labels, page, ruler, y_labels=first, x_labels=page.is_lowest(i))
        if first:
            unit = plain_unit(rates.spans.series.measure)
            ax.set_ylabel(unit, fontsize=style.SMALL, color=style.INK, labelpad=4, parse_math=False)
        _draw(ax, panel, scale, palette)
        headers[i].draw(ax, heights[page.places[i][0]])
    series = rates.spans.series
    page.place(
        heights,
        result_words.title_of(series, f"standardised for {_mix(rates)}"),
        result_words.subtitle_of(rates.spans, plain_unit(series.measure)),
        result_words.footnotes_of(
            series, rates.notes, reason if len(panels) > 1 else "", _said(rates, panels)
        ),
        ruler,
    )
    page.figure.set_label(_description(rates, panels))
    return page.figure


def _ordered(
    rates: StandardisedRates, table: pd.DataFrame, strata: pd.DataFrame, order: str | Sequence[str]
) -> tuple[list[int], str]:
    group = table["group"].astype(str)
    births, events = (table[c].groupby(group).sum() for c in ("births", "events"))
    numbers = {"size": numbers_by(births), "rate": numbers_by(events / births.where(births > 0))}
    groups, reason = order_groups(rates.spans.series, strata, order, numbers)
    return rows_in_order(strata, groups), reason


def _panels(
    rates: StandardisedRates, table: pd.DataFrame, strata: pd.DataFrame, rows: Sequence[int]
) -> list[_Panel]:
    series, times = rates.spans.series, rates.spans.series.measure.multiplier
    names = _words.stratum_names(strata)
    keys = [table[c].astype(str) for c in strata.columns]
    parts = dict(iter(table.groupby(keys, sort=False, observed=True)))
    panels = []
    for row in rows:
        part = parts[tuple(strata.iloc[row].astype(str))]
        name = " · ".join(result_words.title_of_group(series, word) for word in names[row].split(" · "))
        column = {
            c: part[c].to_numpy(dtype=float) * times for c in ("crude", "standardised", "lower", "upper")
        }
        reasons = part["reason"].fillna("").astype(str).tolist()
        births = part["births"]
        counts = (f"{births.sum():,.0f} births",) if births.notna().all() and births.sum() > 0 else ()
        rate = column["standardised"]
        panels.append(
            _Panel(
                Head(name, counts, words=_lacking(rate, reasons)),
                column["crude"],
                rate,
                column["lower"],
                column["upper"],
                reasons,
            )
        )
    return panels


def _lacking(rate: Floats, reasons: Sequence[str]) -> tuple[str, ...]:
    """Say in how many spans there is no standardised rate, and why."""
    none = [why for y, why in zip(rate, reasons, strict=True) if np.isnan(y)]
    if len(none) == len(rate):
        return ()
    return tuple(f"{none.count(why)} of {len(rate)} not given: {why}" for why in dict.fromkeys(none))


def _columns(columns: int | None, strata: pd.DataFrame) -> int:
    if columns is None:
        sites = strata["site"].nunique() if "site" in strata else 0
        return min(columns_for(len(strata), strata["group"].nunique(), sites), len(strata))
    chosen = _validate.whole_number("columns", columns, at_least=1)
    if chosen > 4:
        raise OptionError(f"columns={columns!r} is too many to read; give 1 to 4.")
    return min(chosen, len(strata))


def _page(panels: int, across: int) -> Page:
    rows = -(-panels // across)
    high = _HIGH_PT if rows == 1 else _HIGH_OF_MANY_PT
    return Page([i % across == 0 for i in range(panels)], across, heights=[high] * rows)


def _scale(panels: Sequence[_Panel], height: float) -> XScale:
    crude, rate, lower, upper = (
        np.concatenate([getattr(p, n) for p in panels]) for n in ("crude", "rate", "lower", "upper")
    )
    always = crude[np.isfinite(crude)].tolist()
    return x_scale(rate, lower, upper, width=height, reserve=0.0, always=always)


def _prepare(
    ax: Axes,
    scale: XScale,
    labels: Sequence[str],
    page: Page,
    ruler: Ruler,
    *,
    y_labels: bool,
    x_labels: bool,
) -> None:
    ax.set_xlim(-0.5, len(labels) - 0.5)
    ax.set_ylim(scale.left, scale.right)
    ax.set_yticks(scale.ticks, scale.texts() if y_labels else [""] * len(scale.ticks))
    step = max(1, int(np.ceil(len(labels) * _LABEL_PT / page.width)))
    at = list(range(0, len(labels), step))
    room = page.width / len(labels) * step
    texts = ["\n".join(ruler.wrap(labels[i].split(" "), room, style.SMALL)[:3]) for i in at]
    ax.set_xticks(at, texts if x_labels else [""] * len(at))
    set_frame(ax, left_ticks=y_labels)


def _draw(ax: Axes, panel: _Panel, scale: XScale, palette: Palette) -> None:
    x, there = np.arange(len(panel.rate), dtype=float), np.isfinite(panel.rate)
    if np.isfinite(panel.crude).any():
        ax.plot(x, scale.inside(panel.crude), label=style.CRUDE, color=palette.neutral, linewidth=1.3,
                linestyle=(0, (2.5, 1.2)), marker="D", markersize=3.5, markerfacecolor="white",
                zorder=2.2)  # fmt: skip
    if not there.any():
        why = next((r for r in panel.reasons if r), "not given")
        write(ax, 0.5, 0.5, f"not given:\n{why}", "center", ax.transAxes, colour=style.MUTED)
        return
    low, high = scale.inside(panel.lower), scale.inside(panel.upper)
    label = style.INTERVAL
    for k in np.flatnonzero(there & np.isfinite(panel.lower) & np.isfinite(panel.upper)).tolist():
        ax.plot([x[k]] * 2, [low[k], high[k]], label=label, color=palette.common, linewidth=2.0, zorder=2.5,
                solid_capstyle="butt")  # fmt: skip
        label = "_interval"
        if panel.upper[k] > scale.high * (1 + 1e-12):
            ax.plot([x[k]], [scale.high], label=style.OFF_SCALE, color=palette.common, linestyle="None",
                    marker=style.ARROW_UP, markersize=6, zorder=5, clip_on=False)  # fmt: skip
    ax.plot(x, scale.inside(panel.rate), label="_line", color=palette.common, linewidth=1.3, zorder=2.8)
    bare = there & np.isnan(panel.lower)
    for mask, label, face in (
        (there & ~bare, style.STANDARDISED, palette.common),
        (bare, style.NO_INTERVAL, "white"),
    ):
        if mask.any():
            ax.plot(x[mask], scale.inside(panel.rate[mask]), label=label, linestyle="None", marker="o",
                    markersize=5.5, markerfacecolor=face, markeredgecolor=palette.common, zorder=3,
                    clip_on=False)  # fmt: skip


def _mix(rates: StandardisedRates) -> str:
    names = [str(name).replace("_", " ") for name in rates.options["by"]]
    return and_list(["ethnic group" if n == "group" and rates.spans.series.scheme else n for n in names])


def _said(rates: StandardisedRates, panels: Sequence[_Panel]) -> list[str]:
    """Say what was done."""
    how = rates.method["standardised"]
    direct = "own rates, weighted by the standard's births"
    indirect = "events observed against those expected at the standard's rates, times the standard's rate"
    lines = [
        f"Standardised: as it would be with the {_mix(rates)} of the standard ({how['standard']}); "
        f"{direct if how['method'] == 'direct' else indirect}.",
        f"Bars: {100 * how['confidence']:g} % intervals ({_INTERVALS[how['interval']]}). Where the crude "
        "rate parts from the standardised one, part of it is who came.",
    ]
    return [*lines, "All panels have the same scale."] if len(panels) > 1 else lines


def _description(rates: StandardisedRates, panels: Sequence[_Panel]) -> str:
    """Describe the figure: each panel, span by span."""
    measure = rates.spans.series.measure
    lines = [
        f"Standardised rates of {measure.name} ({plain_unit(measure)}), the case-mix being {_mix(rates)}."
    ]
    for p in panels:
        said = [
            f"{label}: {_rate(y, a, b, why)}{'' if np.isnan(c) else f', crude {number(c, 1)}'}"
            for label, y, a, b, c, why in zip(
                rates.spans.labels, p.rate, p.lower, p.upper, p.crude, p.reasons, strict=True
            )
        ]
        lines.append(f"{p.head.name}. {'. '.join(said)}.")
    return "\n".join(lines)


def _rate(y: float, lower: float, upper: float, why: str) -> str:
    if np.isnan(y):
        return f"not given ({why})"
    ends = "" if np.isnan(lower + upper) else f" ({number(lower, 1)} to {number(upper, 1)})"
    return f"{number(y, 1)}{ends}"
