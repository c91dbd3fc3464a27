"""Draw pooled changes as forest plots: the sites one by one, and all of them together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.change.pooling.text import keys_of, main_scale, verdict_words
from qi_equity.errors import OptionError
from qi_equity.plot import _result_words as result_words
from qi_equity.plot._around import Head, Header
from qi_equity.plot._dots import NAMES_PT, Dots, draw_unit, page_for
from qi_equity.plot._forest import Forest, draw_forest, ends_of
from qi_equity.plot._kinds import plain_unit
from qi_equity.plot._order import numbers_by, order_groups
from qi_equity.plot._parts import MAX_PANELS, columns_of
from qi_equity.plot._result_words import Words
from qi_equity.plot._rows import XScale, make_rows, x_scale
from qi_equity.plot._style import PALETTES, SMALL
from qi_equity.plot._text import Ruler
from qi_equity.plot.dots import interval_text
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.change.pooling.result import PooledEffect

__all__ = ["plot_forest"]

_ALL_NAME = "All sites"
# What comes after the first few words of a reason is for the table.
_FURTHER = r" \(|[:,]"
_ENDS = ("estimate", "lower", "upper")
_INTERVALS = {
    "knapp-hartung-modified": "modified Knapp–Hartung",
    "knapp-hartung": "Knapp–Hartung",
    "t": "t",
    "z": "normal",
}


def plot_forest(
    pooled: PooledEffect,
    *,
    what: str = "groups",
    scale: str = "ratio",
    order: str | Sequence[str] = "alphabetical",
    columns: int | None = None,
    colours: str = "accessible",
) -> Figure:
    """Draw pooled changes with the sites behind them: one panel a group, one row a site.

    A square for each site, larger where it weighs more; a diamond for all sites together, as wide as its
    interval; a thin bar where another such site would lie. Left is better. A site that is left out is hollow,
    or has words in its row. The zone of changes smaller than what would matter is shaded. All panels have the
    same scale, logarithmic for ratios.

    Parameters
    ----------
    pooled : PooledEffect
        What to draw; at most 24 panels.
    what : {"groups", "gaps"}
        The change of each group, or of the gap of each to its reference.
    scale : {"ratio", "difference"}
        Relative (an odds ratio where the method gives no other) or absolute; look at both.
    order : {"alphabetical", "declared", "size"} or sequence of str
        Order of the groups; the reason stands in the footnote. Sites stand in declared order.
    columns : int, optional
        Panels in a row, 1 to 3. Default: at most 2.
    colours : {"accessible", "making_data_count"}
        Palette; neither groups nor sites have colours of their own.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    OptionError
        If an option is not allowed, or there are no panels or more than 24.

    References
    ----------
    .. [1] Lewis, Clarke. Forest plots: trying to see the wood and the trees. BMJ 2001;322:1479-80.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 2 * (m > 11) * (g == "Black"), n)
    ...         for m in range(24) for s in "ABC" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
    >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
    >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", group="group", site="site")
    >>> pooled = qe.pool_sites(qe.evaluate_change(series, "2024-01", reference="White"))
    >>> [text.get_text() for text in plot_forest(pooled).axes[0].get_yticklabels()]
    ['A', 'B', 'C', 'All sites']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    gaps = _validate.one_of("what", what, ("groups", "gaps")) == "gaps"
    ruler = Ruler()
    table = _table(pooled, gaps, _validate.one_of("scale", scale, ("ratio", "difference")))
    groups, reason = _ordered(pooled, table, order)
    names = [str(site) for site in pooled.method["sites"]]
    every = [_panel(pooled, row, names, gaps) for row in _in_order(table, groups)]
    panels = [panel for panel in every if panel.has_numbers]
    if not 0 < len(panels) <= MAX_PANELS:
        raise OptionError(
            f"what={what!r} makes {len(panels)} panels; a figure holds 1 to {MAX_PANELS}. Choose some of the "
            "series first with series.select(group=...)."
        )
    rows = make_rows([*names, _ALL_NAME], [False] * len(names) + [True], NAMES_PT, ruler, lines=2)
    page = page_for(len(panels), columns_of(columns, len(panels)), rows.height)
    ratio = scale == "ratio"
    meaningful = pooled.method["meaningful"]
    zone = (meaningful, 1 / meaningful) if ratio else (0.0, 0.0)
    axis = _scale(panels, page.width, ruler, zone, ratio)
    headers = [Header(p.head, (), (), page.width, ruler) for p in panels]
    heights = page.row_headers([h.height for h in headers])
    unit = _unit(pooled, str(table["scale"].iloc[0]), gaps)
    for i, (ax, forest) in enumerate(zip(page.axes, panels, strict=True)):
        row, column = page.places[i]
        axis.prepare(ax, labels=page.is_lowest(i))
        rows.prepare(ax, labels=column == 0)
        draw_forest(ax, forest, rows, axis, palette, zone)
        if page.is_lowest(i):
            draw_unit(ax, unit)
        headers[i].draw(ax, heights[row])
    absent = [panel.head.name for panel in every if not panel.has_numbers]
    words = _words(pooled, gaps, reason, panels, names, absent)
    page.place(heights, words.title, words.subtitle, words.notes, ruler)
    page.figure.set_label(words.description)
    return page.figure


def _table(pooled: PooledEffect, gaps: bool, scale: str) -> pd.DataFrame:
    """Give the rows to draw; their numbers named alike."""
    table = pooled.gaps if gaps else pooled.groups
    if scale not in set(table["scale"]) and scale == "difference":
        raise OptionError(
            f"scale='difference' is not possible: method={pooled.options['method']!r} gives ratios only; use "
            "scale='ratio', or pool in two stages (method='reml')."
        )
    table = table[
        (table["scale"] == (scale if scale == "difference" else main_scale(table)))
        & (table["verdict"] != "is the reference")
    ]
    if gaps:
        names = {
            f"gap_change{end}": f"{name}" for end, name in zip(("", "_lower", "_upper"), _ENDS, strict=True)
        }
        table = table.rename(columns=names)
    return table.reset_index(drop=True)


def _ordered(pooled: PooledEffect, table: pd.DataFrame, order: str | Sequence[str]) -> tuple[list[str], str]:
    own = pooled.evaluation.groups
    births = own["births_before"].fillna(0.0) + own["births_after"].fillna(0.0)
    size = births.groupby(own["group"].astype(str)).sum()
    return order_groups(pooled.evaluation.series, table, order, {"size": numbers_by(size)})


def _in_order(table: pd.DataFrame, groups: Sequence[str]) -> list[dict[Any, Any]]:
    rank = table["group"].astype(str).map({g: i for i, g in enumerate(groups)})
    return table.assign(_rank=rank).sort_values("_rank", kind="stable").to_dict("records")


def _panel(pooled: PooledEffect, row: dict[Any, Any], names: Sequence[str], gaps: bool) -> Forest:
    """Lay out one panel: its sites in the order of the rows."""
    sites, table = pooled.sites, pooled.groups
    keys = [*keys_of(table), "change"]
    same = np.logical_and.reduce([sites[k].astype(str) == str(row[k]) for k in keys])
    own = sites[same & (sites["what"] == ("gap" if gaps else "change")) & (sites["scale"] == row["scale"])]
    own = own.set_axis(own["site"].astype(str), axis=0).reindex(pd.Index(names))
    absolute = row["scale"] == "difference"
    measure = pooled.evaluation.series.measure
    times, decimals = (measure.multiplier, 1 if measure.multiplier > 1 else 3) if absolute else (1.0, 2)
    numbers = {name: own[name].to_numpy(dtype=float) * times for name in _ENDS}
    numbers["weight"] = own["weight"].to_numpy(dtype=float)
    pooled_numbers = times * np.array(
        [row[name] for name in (*_ENDS, "prediction_lower", "prediction_upper")]
    )
    why = tuple(own["left_out"].fillna("not in the series").astype(str))
    texts, instead = [], []
    for y, low, high, weight, reason in zip(*numbers.values(), why, strict=True):
        share = f"weight {100 * weight:.0f} %" if weight > 0 else ""
        short = f"left out: {re.split(_FURTHER, reason)[0]}" if reason else share
        known = not np.isnan(y)
        texts.append(
            "\n".join(t for t in (interval_text(y, low, high, decimals), short) if t) if known else ""
        )
        instead.append("" if known else short)
    verdict = verdict_words(row["verdict"], measure.better)
    known = not np.isnan(row["estimate"])
    middle, lower, upper = (float(n) for n in pooled_numbers[:3])
    numbers_text = interval_text(middle, lower, upper, decimals) if known else "no estimate"
    return Forest(
        head=Head(_name(pooled, row, keys), _counts(row)),
        **{name: numbers[name] for name in numbers},
        left_out=np.array([bool(reason) for reason in why]),
        pooled=pooled_numbers,
        verdict=str(row["verdict"]),
        texts=(*texts, f"{numbers_text}\n{verdict}"),
        instead=(*instead, ""),
    )


def _name(pooled: PooledEffect, row: dict[Any, Any], keys: Sequence[str]) -> str:
    series = pooled.evaluation.series
    parts = [result_words.title_of_group(series, str(row["group"]))]
    parts += [str(row[k]) for k in keys if k not in ("group", "change")]
    if pooled.groups["change"].max() > 1:
        parts.append(f"change {row['change']}")
    return " · ".join(parts)


def _counts(row: dict[Any, Any]) -> tuple[str, ...]:
    """Say how many sites there are and how much they differ."""
    parts = [plural(int(row["sites"]), "site")]
    if row["left_out"]:
        parts.append(f"{row['left_out']} left out")
    if np.isfinite(row["i2"]):
        parts.append(f"I² {100 * row['i2']:.0f} %")
    return tuple(parts)


def _scale(
    panels: Sequence[Forest], width: float, ruler: Ruler, zone: tuple[float, float], ratio: bool
) -> XScale:
    """Choose the scale that all panels share."""
    ends = [
        np.concatenate([np.append(p.telling(n), p.pooled[k]) for p in panels]) for k, n in enumerate(_ENDS)
    ]
    lines = {line for p in panels for text in p.texts for line in text.split("\n")}
    reserve = max(ruler.width(line, SMALL) for line in lines) + 10
    always = (1.0, *zone) if ratio else (0.0,)
    return x_scale(*ends, width=width, reserve=reserve, always=always, log=ratio)


def _unit(pooled: PooledEffect, scale: str, gaps: bool) -> Dots:
    """Give the words under the axis."""
    measure = pooled.evaluation.series.measure
    what = f"{scale} of the gap" if gaps else scale
    what = f"{what}, {plain_unit(measure)}" if scale == "difference" and plain_unit(measure) else what
    none = np.empty(0)
    ends = ends_of(measure.better)
    return Dots(Head(""), none, none, none, (), (), (), unit=what, ends=ends)


def _words(
    pooled: PooledEffect,
    gaps: bool,
    order: str,
    panels: Sequence[Forest],
    names: Sequence[str],
    absent: Sequence[str],
) -> Words:
    series, method = pooled.evaluation.series, pooled.method
    what = "how gaps changed, over all sites" if gaps else "change of each group, over all sites"
    confidence = f"{100 * method['confidence']:g} %"
    said = [
        f"{method['model'][:1].upper()}{method['model'][1:]}; variance between sites: "
        f"{method['variance between sites']}; {confidence} interval: {_INTERVALS[method['interval']]} "
        f"({method['degrees of freedom']}).",
        "Of the adverse outcome: left is better{}.".format(" for the group" if gaps else "")
        if series.measure.better
        else "",
    ]
    if absent:
        said.append(f"Not drawn, as no site has a number: {', '.join(absent)}.")
    notes = pooled.notes
    notes = notes[notes["code"] != ("left_out_of_change" if gaps else "left_out_of_gap")]
    lines = [f"{series.measure.name}: {what}."]
    for panel in panels:
        rows = zip([*names, _ALL_NAME], panel.texts, panel.instead, strict=True)
        told = [f"{name}: {(text or instead).replace(chr(10), '; ')}" for name, text, instead in rows]
        lines.append(f"{panel.head.name}. {' · '.join(panel.head.counts)}. " + ". ".join(told) + ".")
    title = f"{series.measure.name}: {what}"
    return Words(
        title,
        result_words.subtitle_of_series(series, "after the change against before it"),
        result_words.footnotes_of(series, notes, order, [s for s in said if s]),
        "\n".join(lines),
    )
