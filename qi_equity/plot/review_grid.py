"""Draw the grid of a monthly review: sites down, measures across, a panel for each group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.errors import OptionError
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot import _words
from qi_equity.plot._layout import GAP, MARGIN, Page
from qi_equity.plot._order import numbers_by, order_groups
from qi_equity.plot._review_cells import CELL_PT, LOOKS, PanelHead, draw_cells, label_states, name_rows
from qi_equity.plot._rows import Rows, make_rows
from qi_equity.plot._style import PALETTES
from qi_equity.plot._text import Ruler

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries
    from qi_equity.pdsa.calls.result import Review

__all__ = ["plot_review_grid"]

MAX_GROUPS, MAX_SITES, MAX_MEASURES = 12, 30, 8

_NAMES_PT = 110.0
_WIDE_PT = 12.8 * 72
_NO_DATA = "no data"
_ALL_SITES = "All sites"


def plot_review_grid(
    review: Review,
    *,
    groups: str | Sequence[str] | None = None,
    order: str | Sequence[str] = "alphabetical",
    colours: str = "accessible",
) -> Figure:
    r"""Draw what the last month says of every site and measure, in words and shapes, one panel a group.

    All sites together are the first row, in which small groups become visible first.
    "Not yet visible" has a ground and a shape of its own: it is not "common cause".

    Parameters
    ----------
    review : Review
        What to draw; at most 12 groups, 30 sites and 8 measures.
    groups : str or sequence of str, optional
        Groups to draw. Default: all of which there are data at any site; the others stand in a footnote.
    order : {"alphabetical", "declared", "size"} or sequence of str
        Order of the groups; the reason stands in the footnote. Sites and measures stand in the order of the
        review.
    colours : {"accessible", "making_data_count"}
        Palette.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    OptionError
        If an option is not allowed, or there are more panels, rows or columns than a figure holds.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> from qi_equity import pdsa
    >>> from qi_equity.pdsa.calls.review import review
    >>> rows = pd.DataFrame({"month": ["2024-01"], "site": ["North"], "n": [8]})
    >>> calls = qe.Measure("Calls", "count", None)
    >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="site")
    >>> network = pdsa.Network(name="A network", sites=[pdsa.Site(name="North")])
    >>> figure = plot_review_grid(review(network, "2024-01", series))
    >>> [text.get_text() for text in figure.axes[0].texts][0]
    'not yet visible'
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    grid, ruler = review.grid.astype({"state": "str"}), Ruler()
    all_series = [chart.series for chart in review.charts.values()]
    shown, reason, left_out = _groups(review, grid, groups, order, all_series)
    grid = grid[grid["group"].isin(shown)]
    sites, measures = list(review.sites), list(dict.fromkeys(grid["measure"]))
    _check_size(shown, sites, measures)
    together = bool(grid["site"].isna().any())
    names = [_ALL_SITES] * together + sites
    rows = make_rows(names, [False] * len(names), _NAMES_PT, ruler)
    page = _page(len(shown), len(measures), rows, ruler)
    heads = [PanelHead(_title(all_series, group), measures, page.width, ruler) for group in shown]
    label_states(page.axes[0], grid["state"], palette)
    for i, group in enumerate(shown):
        states = _states(grid[grid["group"] == group], sites, measures, together=together)
        name_rows(page.axes[i], rows, labels=page.places[i][1] == 0, together=together)
        draw_cells(page.axes[i], states, rows, page.width / len(measures), palette)
    heights = page.row_headers([head.height for head in heads])
    for ax, head, (row, _) in zip(page.axes, heads, page.places, strict=True):
        head.draw(ax, heights[row])
    month = result_words.month_of(pd.Timestamp(review.month))
    where = f" · {sites[0]}" if len(sites) == 1 else ""
    title = f"{review.network}: what the charts show, {month}{where}"
    page.place(heights, title, _subtitle(all_series), _notes(review, reason, left_out, all_series), ruler)
    page.figure.set_label(_describe(title, grid, shown, measures, all_series))
    return page.figure


def _states(
    part: pd.DataFrame, sites: Sequence[str], measures: Sequence[str], *, together: bool
) -> list[list[str]]:
    """Give the states of a group, row by row; a site may have the name of the first row."""
    of_all = part[part["site"].isna()].set_index("measure")["state"]
    by_site = part[part["site"].notna()].set_index(["site", "measure"])["state"]
    first = [[str(of_all.get(m, _NO_DATA)) for m in measures]] if together else []
    return first + [[str(by_site.get((site, m), _NO_DATA)) for m in measures] for site in sites]


def _groups(
    review: Review,
    grid: pd.DataFrame,
    groups: str | Sequence[str] | None,
    order: str | Sequence[str],
    all_series: Sequence[StratifiedSeries],
) -> tuple[list[str], str, list[str]]:
    """Choose and order the groups; give those left out for want of data."""
    known = list(dict.fromkeys(grid["group"]))
    there = set(grid.loc[grid["last"].notna(), "group"])
    if groups is None:
        shown = [g for g in known if g in there] or known
    else:
        asked = [_validate.one_of("groups", g, known) for g in _validate.names("groups", groups)]
        shown = [g for g in known if g in asked]
    births = review.completeness.groupby("group", sort=False)["births_series"].sum()
    strata = pd.DataFrame({"group": shown})
    names, reason = order_groups(all_series[0], strata, order, {"size": numbers_by(births)})
    left_out = [g for g in known if g not in shown and g not in there] if groups is None else []
    return names, reason if len(names) > 1 else "", left_out


def _check_size(groups: Sequence[str], sites: Sequence[str], measures: Sequence[str]) -> None:
    """Refuse more than a figure holds."""
    for found, most, what, fix in (
        (groups, MAX_GROUPS, "groups", "choose some with groups="),
        (sites, MAX_SITES, "sites", "review some of them with site="),
        (measures, MAX_MEASURES, "measures", "review some of them"),
    ):
        if len(found) > most:
            raise OptionError(f"The review has {len(found)} {what}; a figure holds at most {most}: {fix}.")


def _page(panels: int, measures: int, rows: Rows, ruler: Ruler) -> Page:
    """Lay out as many panels side by side as have room for their words."""
    lines = [line for name in rows.names for line in name.split("\n")]
    left = max(ruler.width(line, style.BODY, "bold") for line in lines) + 7 + MARGIN
    columns = max(
        [k for k in (2, 3, 4) if k <= panels and (_WIDE_PT - left - k * GAP) / k >= measures * CELL_PT],
        default=1,
    )
    places = [divmod(i, columns) for i in range(panels)]
    heights = [rows.height] * (1 + places[-1][0])
    labelled = [column == 0 for _, column in places]
    return Page(labelled, columns, left=left, places=places, heights=heights, between=18.0)


def _title(all_series: Sequence[StratifiedSeries], group: str) -> str:
    """Name a group as people."""
    of_group = next((one for one in all_series if group in one.groups), all_series[0])
    return result_words.title_of_group(of_group, group)


def _subtitle(all_series: Sequence[StratifiedSeries]) -> str:
    told = ["Each measure, group and site by itself: the last point of its chart"]
    return " · ".join([*told, "synthetic data"] if any(map(_words.is_synthetic, all_series)) else told)


def _notes(
    review: Review, reason: str, left_out: Sequence[str], all_series: Sequence[StratifiedSeries]
) -> list[str]:
    """Give the footnotes: false signals to expect, phases, what is left out, the order of the groups."""
    told = review.notes
    lines = [
        *told.loc[told["code"] == "expected_false_signals_of_review", "text"],
        *told.loc[told["code"].isin(["compared_within_phases", "changes_without_phase"]), "text"],
    ]
    if left_out:
        lines.append(f"Groups without any data are not drawn: {', '.join(left_out)}.")
    if reason:
        lines.append(f"Order of the groups: {_words.order_text(reason)}.")
    if any(map(_words.is_synthetic, all_series)):
        lines.append(_words.SYNTHETIC)
    return lines


def _describe(
    title: str,
    grid: pd.DataFrame,
    groups: Sequence[str],
    measures: Sequence[str],
    all_series: Sequence[StratifiedSeries],
) -> str:
    """Describe the figure: for each group and measure, the sites of each state."""
    lines = [f"{title}."]
    grid = grid.assign(site=grid["site"].fillna(_ALL_SITES.lower()))
    for group in groups:
        for measure in measures:
            part = grid[(grid["group"] == group) & (grid["measure"] == measure)]
            states = part.groupby("state", sort=False)["site"]
            told = [f"{LOOKS[str(state)].word}: {', '.join(sites)}" for state, sites in states]
            lines.append(f"{_title(all_series, group)}, {measure}. {'; '.join(told) or _NO_DATA}.")
    return "\n".join(lines)
