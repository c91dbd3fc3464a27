"""Draw tables of rates and of gaps as rows of dots with intervals: one row a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.unknown import unknown_groups
from qi_equity.plot import _result_words as result_words
from qi_equity.plot._around import Head
from qi_equity.plot._dots import NAMES_PT, Dots, draw_dots, page_for, reserve_for
from qi_equity.plot._gap_words import SCALES, gap_dots, gap_said, reference_of
from qi_equity.plot._kinds import plain_unit
from qi_equity.plot._order import Sizes, numbers_by, order_groups
from qi_equity.plot._parts import MAX_PANELS, columns_of, in_order, split
from qi_equity.plot._result_words import Words
from qi_equity.plot._rows import Rows, XScale, make_rows, x_scale
from qi_equity.plot._style import PALETTES
from qi_equity.plot._text import Ruler, number

if TYPE_CHECKING:
    from qi_equity.equity.gaps import GapTable
    from qi_equity.equity.rates import RateTable

__all__ = ["plot_gaps", "plot_rates"]

_INTERVALS = {
    "wilson": "Wilson",
    "jeffreys": "Jeffreys",
    "clopper-pearson": "Clopper–Pearson",
    "mid-p": "mid-P",
    "byar": "Byar",
}


def plot_rates(
    rates: RateTable,
    *,
    order: str | Sequence[str] = "alphabetical",
    columns: int | None = None,
    colours: str = "accessible",
) -> Figure:
    """Draw rates with their intervals: one row a group, one panel a site (or further stratum) and span.

    All panels have one scale. A rate that does not meet the presentation standard is hollow and says why at
    its right. Suppressed and missing rates and groups without births keep their row, with the word. Women
    whose ethnic group is not known stand apart, at the end. An interval that is far wider than the others is
    cut, with an arrow; its ends are written at the right.

    Parameters
    ----------
    rates : RateTable
        What to draw; at most 24 panels.
    order : {"alphabetical", "declared", "size", "rate"} or sequence of str
        Order of the groups, the same in all panels; the reason stands in the footnote.
    columns : int, optional
        Panels in a row, 1 to 3. Default: at most 2.
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
    .. [1] Schwabish J, Feng A. Do no harm guide: applying equity awareness in data visualization. Urban
       Institute, 2021.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"month": ["2024-01"] * 2, "area": ["East", "West"], "x": [29, 5],
    ...                      "n": [700, 40]})
    >>> columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "area"}
    >>> figure = plot_rates(qe.rates(qe.from_counts(rows, qe.measures["preterm_birth"], **columns)))
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['East', 'West']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    series, table, ruler = rates.spans.series, rates.table, Ruler()
    groups, reason = order_groups(series, series.cells.strata, order, numbers_by_group(table, "rate"))
    parts = [(name, in_order(part, "group", groups)) for name, part in split(table, "group")]
    across = columns_of(columns, len(parts))
    rows = rows_of(groups, series, ruler)
    panels = [_panel(rates, name, part) for name, part in parts]
    page = page_for(len(panels), across, rows.height)
    scale = scale_of(panels, page.width, ruler)
    panels = [_with_texts(rates, dots, part, scale) for dots, (_, part) in zip(panels, parts, strict=True)]
    scale = scale_of(panels, page.width, ruler)
    confidence, mean = f"{100 * rates.method['confidence']:g} %", series.measure.kind == "mean"
    said = (
        f"At the right of each row: {'mean' if mean else 'rate'} with {confidence} interval "
        f"({_INTERVALS.get(rates.method['interval'], rates.method['interval'])}); "
        f"{'number of values' if mean else 'events of births'}. Hollow: not reliable by "
        f"{rates.method['reliability']}.",
        "All panels have the same scale." if len(panels) > 1 else "",
    )
    words = Words(
        result_words.title_of(series, "rates by group"),
        result_words.subtitle_of(rates.spans, plain_unit(series.measure)),
        result_words.footnotes_of(series, rates.notes, reason, [s for s in said if s]),
        alt_text(f"Rates of {series.measure.name} ({plain_unit(series.measure)}) by group.", panels, rows),
        result_words.whose(series),
    )
    return draw_dots(page, panels, rows, [scale], palette, words, ruler)


def plot_gaps(
    gaps: GapTable, *, order: str | Sequence[str] = "alphabetical", colours: str = "accessible"
) -> Figure:
    """Draw gaps with their intervals, absolute and relative side by side: one row a group.

    Right is worse for the group, where the measure has a direction. A mark differs by shape as well as colour
    where its interval lies wholly beyond "no gap"; otherwise the gap is not yet visible. Where a rate behind
    it is not reliable the mark is hollow, and the row says so. Ratios have a logarithmic axis; a ratio of 0
    or infinity is an arrow at its edge. The reference keeps its row, and is named with its reason.

    Parameters
    ----------
    gaps : GapTable
        What to draw; at most 12 places and spans.
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
        If an option is not allowed, or there are more than 12 places and spans.

    References
    ----------
    .. [1] King, Harper, Young. Use of relative and absolute effect measures in reporting health inequalities.
       BMJ 2012;345:e5774: both, side by side.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"month": ["2024-01"] * 2, "area": ["East", "West"], "x": [29, 5],
    ...                      "n": [700, 40]})
    >>> columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "area"}
    >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], **columns)
    >>> figure = plot_gaps(qe.gaps(series, reference="East"))
    >>> [axes.get_xscale() for axes in figure.axes]
    ['linear', 'log']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    series, table, ruler = gaps.spans.series, gaps.table, Ruler()
    groups, reason = order_groups(series, series.cells.strata, order, numbers_by_group(table, "rate"))
    split_up = split(table, "group", most=MAX_PANELS // 2)
    parts = [(name, in_order(part, "group", groups)) for name, part in split_up]
    rows = rows_of(groups, series, ruler)
    panels = [gap_dots(gaps, name, part, scale) for name, part in parts for scale in SCALES]
    page = page_for(len(panels), 2, rows.height)
    scales = [
        scale_of(panels[i::2], page.width, ruler, always=(at,), log=log)
        for i, (at, log) in enumerate(((0.0, False), (1.0, True)))
    ]
    words = Words(
        result_words.title_of(series, f"gaps between each group and {reference_of(gaps)}"),
        result_words.subtitle_of(gaps.spans, plain_unit(series.measure)),
        result_words.footnotes_of(series, gaps.notes, reason, gap_said(gaps)),
        alt_text(f"Gaps in {series.measure.name} between each group and {reference_of(gaps)}.", panels, rows),
        result_words.whose(series),
    )
    return draw_dots(page, panels, rows, scales, palette, words, ruler)


def numbers_by_group(table: pd.DataFrame, rate: str) -> dict[str, Sizes]:
    """Give the numbers by which groups can be ordered: births, and the rate over all rows together."""
    group = table["group"].astype(str)
    births = table["births"].fillna(1.0)
    size = births.where(table[rate].notna(), 0.0).groupby(group).sum()
    events = (births * table[rate]).groupby(group).sum()
    return {"size": numbers_by(size), "rate": numbers_by(events / size.where(size > 0))}


def rows_of(groups: Sequence[str], series: StratifiedSeries, ruler: Ruler, *, lines: int = 2) -> Rows:
    """Make the rows: names of people first, those of unknown ethnicity apart where they come last."""
    unknown = unknown_groups(series)
    apart = [g in unknown for g in groups]
    together = sorted(apart) == apart
    return make_rows(groups, apart if together else [False] * len(groups), NAMES_PT, ruler, lines=lines)


def _panel(rates: RateTable, name: str, part: pd.DataFrame) -> Dots:
    times = rates.spans.series.measure.multiplier
    births, withheld = part["births"].sum(), (part["births"].isna() & part["status"].eq("suppressed")).any()
    # A sum of what is shown would look like all births there were.
    head = Head(name, (f"{births:,.0f} {_counted(rates)}",) if births > 0 and not withheld else ())
    estimate, lower, upper = (part[c].to_numpy(dtype=float) * times for c in ("rate", "lower", "upper"))
    reliable = part["reliable"].eq(True).to_numpy(dtype=bool)
    looks = tuple(np.where(reliable, "reliable", "unreliable").tolist())
    return Dots(head, estimate, lower, upper, looks, ("",) * len(part), instead_of(part, estimate),
                unit=plain_unit(rates.spans.series.measure))  # fmt: skip


def _counted(rates: RateTable) -> str:
    measure = rates.spans.series.measure
    return "values" if measure.kind == "mean" else "babies" if measure.counts == "baby" else "births"


def instead_of(part: pd.DataFrame, estimate: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[str, ...]:
    """Say of each row without an estimate why there is none."""
    words = {"suppressed": "suppressed (small number withheld)", "missing": "missing (not reported)"}
    texts = []
    for status, births, known in zip(
        part["status"].astype(str), part["births"], ~np.isnan(estimate), strict=True
    ):
        told = words.get(status, "no births" if births == 0 else "not known")
        texts.append("" if known else told)
    return tuple(texts)


def scale_of(
    panels: Sequence[Dots], width: float, ruler: Ruler, *, always: Sequence[float] = (), log: bool = False
) -> XScale:
    """Choose the scale that some panels share."""
    estimate, lower, upper = (
        np.concatenate([getattr(p, n) for p in panels]) for n in ("estimate", "lower", "upper")
    )
    reserve = reserve_for(panels, ruler)
    return x_scale(estimate, lower, upper, width=width, reserve=reserve, always=always, log=log)


def _with_texts(rates: RateTable, dots: Dots, part: pd.DataFrame, scale: XScale) -> Dots:
    """Write the numbers of each row."""
    texts = []
    for y, low, high, events, births, look in zip(
        dots.estimate, dots.lower, dots.upper, part["events"], part["births"], dots.looks, strict=True
    ):
        counts = result_words.counts_text(events, births)
        if np.isnan(y):
            texts.append("")
            continue
        first = interval_text(y, low, high, scale.decimals + 1)
        second = f"{counts} · not reliable" if look == "unreliable" else counts
        texts.append(f"{first}\n{second}" if second else first)
    return Dots(dots.head, dots.estimate, dots.lower, dots.upper, dots.looks, tuple(texts), dots.instead,
                unit=dots.unit)  # fmt: skip


def interval_text(estimate: float, lower: float, upper: float, decimals: int) -> str:
    """Write an estimate with its interval."""
    text = number(estimate, decimals)
    if np.isnan(lower) or np.isnan(upper):
        return text
    return f"{text} ({number(lower, decimals)} to {number(upper, decimals)})"


def alt_text(title: str, panels: Sequence[Dots], rows: Rows) -> str:
    """Describe the figure: each panel, group by group."""
    lines = [title]
    for dots in panels:
        said = [
            f"{name.replace(chr(10), ' ')}: {(text or instead).replace(chr(10), '; ')}"
            for name, text, instead in zip(rows.names, dots.texts, dots.instead, strict=True)
        ]
        lines.append(f"{dots.head.name}. " + ". ".join(said) + ".")
    return "\n".join(lines)
