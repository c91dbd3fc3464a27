"""Draw a comparison of groups or sites: a funnel, or rows with decision limits (analysis of means)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.data.unknown import unknown_groups
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Head
from qi_equity.plot._dots import NAMES_PT, Bands, Dots, draw_dots, page_for, reserve_for
from qi_equity.plot._funnel import Funnel, draw_funnels
from qi_equity.plot._kinds import plain_unit
from qi_equity.plot._order import order_groups
from qi_equity.plot._parts import Parts, columns_of, in_order, split
from qi_equity.plot._result_words import Words
from qi_equity.plot._rows import make_rows, x_scale
from qi_equity.plot._style import PALETTES, Palette
from qi_equity.plot._text import Ruler, number
from qi_equity.plot.dots import alt_text, instead_of, numbers_by_group

if TYPE_CHECKING:
    from qi_equity.equity.comparison.compare import GroupComparison

__all__ = ["plot_comparison"]


def plot_comparison(
    comparison: GroupComparison,
    *,
    order: str | Sequence[str] = "alphabetical",
    columns: int | None = None,
    colours: str = "accessible",
) -> Figure:
    """Draw groups, or sites, beside the line of all that are compared: one panel a set and span.

    A funnel shows rates by births, with its limits; what lies beyond them is always named, others where there
    is room. An analysis of means has a row for each, with its own limits as a box, and the shrunken rate
    beside the raw one where there is one. What lies beyond differs by shape as well as colour, and what could
    not have shown as worse is hollow: "not yet visible". What has no rate is named with the reason.

    Parameters
    ----------
    comparison : GroupComparison
        What to draw; at most 24 panels.
    order : {"alphabetical", "declared", "size", "rate"} or sequence of str
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
        If an option is not allowed, or there are more than 24 panels.

    References
    ----------
    .. [1] Spiegelhalter. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185-1202.
    .. [2] Nelson, Wludyka, Copeland. The Analysis of Means. SIAM, 2005.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"year": ["2024"] * 3, "who": ["Asian", "Black", "Mixed"], "n": [30, 55, 9],
    ...                      "births": [700, 600, 250]})
    >>> columns = {"period": "year", "numerator": "n", "denominator": "births", "group": "who"}
    >>> series = qe.from_counts(rows, qe.measures["preterm_birth"], every="year", **columns)
    >>> figure = plot_comparison(qe.compare_groups(series, across="group"))
    >>> sorted(text.get_text() for text in figure.axes[0].texts)
    ['3 rates', 'Asian', 'Black', 'Mixed']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    series, table = comparison.spans.series, comparison.table
    groups, reason = order_groups(series, series.cells.strata, order, numbers_by_group(table, "rate"))
    unit = "group" if comparison.options["across"] == "group" else "site"
    parts = _parts(comparison, unit, groups)
    across = columns_of(columns, len(parts))
    draw = _draw_funnel if comparison.options["method"] == "funnel" else _draw_rows
    return draw(comparison, parts, unit, across, palette, reason)


def _parts(comparison: GroupComparison, unit: str, groups: Sequence[str]) -> Parts:
    """Split the table into sets and spans, each in the order of its units."""
    table = comparison.table
    rank = {g: i for i, g in enumerate(groups)}
    place = table["group"].astype(str).map(rank)
    sites = table["site"].cat.codes if "site" in table else pd.Series(0, index=table.index)
    keys = {"group": ["_site", "_group"], "site": ["_group", "_site"]}[unit]
    rows = table.assign(_group=place, _site=sites).sort_values(keys, kind="stable")
    series = comparison.spans.series
    return [
        (" · ".join(result_words.title_of_group(series, word) for word in name.split(" · ")), part)
        for name, part in split(rows, unit)
    ]


def _words(
    comparison: GroupComparison, unit: str, order: str, said: Sequence[str], description: str
) -> Words:
    series, options = comparison.spans.series, comparison.options
    levels = f"{100 * options['confidence']:g} % and {100 * options['outer_confidence']:g} %"
    how = {"funnel": "Funnel limits", "anom": "Limits of an analysis of means"}[options["method"]]
    spread = options["overdispersion"]
    wider = f", widened for overdispersion ({spread})" if spread != "none" else ""
    counted = comparison.notes.loc[comparison.notes["code"] == "multiple_comparisons", "text"].tolist()
    return Words(
        result_words.title_of(series, f"{unit}s compared"),
        result_words.subtitle_of(comparison.spans, plain_unit(series.measure)),
        result_words.footnotes_of(
            series, comparison.notes, order, [f"{how}, {levels}{wider}.", *counted, *said]
        ),
        description,
        result_words.whose(series) if unit == "group" else "",
    )


def _draw_rows(
    comparison: GroupComparison, parts: Parts, unit: str, across: int, palette: Palette, order: str
) -> Figure:
    """Draw one row a unit, with its limits as boxes."""
    series, ruler = comparison.spans.series, Ruler()
    longest = max((part for _, part in parts), key=len)
    names = longest[unit].astype(str).tolist()
    parts = [(name, in_order(part, unit, names)) for name, part in parts]
    unknown = unknown_groups(series) if unit == "group" else ()
    apart = [name in unknown for name in names]
    rows = make_rows(
        names, apart if sorted(apart) == apart else [False] * len(names), NAMES_PT, ruler, lines=2
    )
    panels = [_row_panel(comparison, name, part) for name, part in parts]
    page = page_for(len(panels), across, rows.height)
    ends = [[getattr(p.bands, side) for p in panels] for side in ("lower_outer", "upper_outer")]
    scale = x_scale(
        np.concatenate([p.estimate for p in panels]),
        *(np.concatenate(e) for e in ends),
        width=page.width,
        reserve=reserve_for(panels, ruler),
        always=[p.at for p in panels if np.isfinite(p.at)],
    )
    described = alt_text(f"Analysis of means of {series.measure.name} by {unit}.", panels, rows)
    said = ["At the right of each row: rate, and events of births."]
    words = _words(comparison, unit, order, said, described)
    return draw_dots(page, panels, rows, [scale], palette, words, ruler)


def _row_panel(comparison: GroupComparison, name: str, part: pd.DataFrame) -> Dots:
    measure = comparison.spans.series.measure
    times = measure.multiplier
    limits = ("lower", "upper", "lower_outer", "upper_outer")
    numbers = ("rate", *limits, "centre_line", "shrunken")
    column = {c: part[c].to_numpy(dtype=float) * times for c in numbers}
    estimate, none = column["rate"], np.full(len(part), np.nan)
    decimals = 1 if times > 1 else 3
    texts = [
        "" if np.isnan(y) else f"{number(y, decimals)}\n{result_words.counts_text(events, births)}"
        for y, events, births in zip(estimate, part["events"], part["births"], strict=True)
    ]
    at = column["centre_line"][np.isfinite(column["centre_line"])]
    shrunken = np.where(part["pooling"].astype(str).str.startswith("partial"), column["shrunken"], np.nan)
    return Dots(
        Head(name),
        estimate,
        none,
        none,
        tuple(part["meaning"].astype(object).fillna("not judged").astype(str)),
        tuple(texts),
        instead_of(part, estimate),
        unit=plain_unit(measure),
        at=float(at[0]) if len(at) else np.nan,
        at_label=style.POOLED_LINE,
        ends=_ends(measure.better),
        bands=Bands(**{c: column[c] for c in limits}, shrunken=shrunken),
    )


def _ends(better: str | None) -> tuple[str, str]:
    return {"lower": ("← better", "worse →"), "higher": ("← worse", "better →")}.get(better or "", ("", ""))


def _draw_funnel(
    comparison: GroupComparison, parts: Parts, unit: str, across: int, palette: Palette, order: str
) -> Figure:
    """Draw rates by births, with the limits as curves."""
    curve = comparison.limits_curve()
    keys = list(curve.columns[: list(curve.columns).index("span") + 1])
    panels = []
    for name, part in parts:
        same = np.logical_and.reduce([curve[k].astype(str) == str(part[k].iloc[0]) for k in keys])
        panels.append(_funnel_panel(comparison, name, part, curve[same], unit))
    series = comparison.spans.series
    described = "\n".join([f"Funnel of {series.measure.name} by {unit}.", *(p.description() for p in panels)])
    words = _words(comparison, unit, order if unit == "group" and len(parts) > 1 else "", [], described)
    return draw_funnels(panels, across, palette, words, plain_unit(series.measure), series.measure.better)


def _absent(told: Sequence[tuple[str, str]], units: int) -> list[str]:
    """Name what has no rate with the reason; once for all where there is but one."""
    reasons = {why for _, why in told}
    if len(told) == units > 1 and len(reasons) == 1:
        return [f"all {units}: {told[0][1]}"]
    return [f"{who}: {why}" for who, why in told]


def _funnel_panel(
    comparison: GroupComparison, name: str, part: pd.DataFrame, curve: pd.DataFrame, unit: str
) -> Funnel:
    times = comparison.spans.series.measure.multiplier
    rate = part["rate"].to_numpy(dtype=float) * times
    absent = zip(part[unit].astype(str), instead_of(part, rate), strict=True)
    lines = ("births", "centre_line", "lower", "upper", "lower_outer", "upper_outer")
    return Funnel(
        name,
        part[unit].astype(str).tolist(),
        part["births"].to_numpy(dtype=float),
        rate,
        tuple(part["meaning"].astype(str)),
        _absent([(who, why) for who, why in absent if why], len(part)),
        {c: curve[c].to_numpy(dtype=float) * (1.0 if c == "births" else times) for c in lines},
    )
