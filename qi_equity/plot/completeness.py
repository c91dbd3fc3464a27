"""Draw how complete the data are: ethnic groups that are not known, outcomes that are not recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.errors import OptionError
from qi_equity.plot import _result_words as result_words
from qi_equity.plot._completeness import (
    TIME_PT,
    births_of,
    describe,
    draw_known,
    draw_lost,
    draw_time,
    split_places,
    unrecorded_by_group,
)
from qi_equity.plot._dots import NAMES_PT
from qi_equity.plot._layout import MARGIN, Page
from qi_equity.plot._order import order_groups
from qi_equity.plot._rows import make_rows
from qi_equity.plot._style import PALETTES
from qi_equity.plot._text import Ruler
from qi_equity.plot.dots import rows_of

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

__all__ = ["plot_completeness"]

MAX_PLACES = 24


def plot_completeness(
    series: StratifiedSeries,
    *,
    unknown: str | Sequence[str] | None = None,
    order: str | Sequence[str] = "alphabetical",
    colours: str = "accessible",
) -> Figure:
    r"""Draw whose ethnic group is not known, by site and over time, and outcomes not recorded, by group.

    The kinds of not knowing are told apart by hatching, marker and line as well as colour. Where nothing is
    said of unrecorded outcomes the figure says that, and shows none.

    Parameters
    ----------
    series : StratifiedSeries
        What to draw; at most 24 sites (or other places).
    unknown : str or sequence of str, optional
        Groups of women whose ethnicity is not known. Default: those of the scheme.
    order : {"alphabetical", "declared", "size"} or sequence of str
        Order of the groups; the reason stands in the footnote. Sites stand in declared order.
    colours : {"accessible", "making_data_count"}
        Palette; groups have no colours of their own.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    OptionError
        If an option is not allowed, it is not said which groups are unknown, there are no births to count,
        or more than 24 places.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "code": ["A", "Z"], "x": [1, 0], "n": [90, 10]})
    >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "code"}
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], scheme="nhs-2001", **columns)
    >>> figure = plot_completeness(series)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['90.0 % known\nof 100 births']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    ruler, table = Ruler(), series.completeness(by_period=False, unknown=unknown)
    places = list(table.columns[: list(table.columns).index("period")])
    names = [" · ".join(map(str, row)) or "All births" for row in table[places].itertuples(index=False)]
    if len(names) > MAX_PLACES:
        raise OptionError(
            f"The series holds {len(names)} places; a figure holds at most {MAX_PLACES}. Choose some first "
            "with series.select(site=...), or sum them with series.pool('site')."
        )
    groups, reason = order_groups(series, series.cells.strata, order, {"size": births_of(series)})
    lost = unrecorded_by_group(series, groups)
    by_period = split_places(series.completeness(unknown=unknown), places)
    known = make_rows(names, [False] * len(names), NAMES_PT, ruler, lines=2)
    of_groups = rows_of(groups, series, ruler)
    height = max(known.height, of_groups.height if lost is not None else 0.0)
    page = _page(len(names), lost is not None, height)
    headers = [draw_known(page, table, known, palette, ruler)]
    if lost is not None:
        headers.append(draw_lost(page, lost, replace(of_groups, height=height), palette, ruler))
    headers += draw_time(page, len(headers), series, list(zip(names, by_period, strict=True)), palette, ruler)
    heights = page.row_headers([h.height for h in headers])
    for ax, header, (row, _) in zip(page.axes, headers, page.places, strict=True):
        header.draw(ax, heights[row])
    page.place(
        heights,
        result_words.title_of(series, "how complete the data are"),
        result_words.subtitle_of_series(series, "% of births"),
        result_words.footnotes_of(series, series.notes, reason if lost is not None else "", _said(lost)),
        ruler,
    )
    _shorten(page.axes[0], known.height / height)
    page.figure.set_label(describe(series.measure.name, names, table, lost))
    return page.figure


def _shorten(ax: Axes, share: float) -> None:
    """End a panel with few rows under the last of them; its top stays."""
    place = ax.get_position()
    ax.set_position((place.x0, place.y1 - share * place.height, place.width, share * place.height))


def _page(n_places: int, with_lost: bool, height: float) -> Page:
    """Lay out: places and groups above, time below."""
    first = [(0, 0), (0, 1)] if with_lost else [(0, 0)]
    later = [(1 + k // 2, k % 2) for k in range(n_places)]
    heights = [height, *([TIME_PT] * (-(-n_places // 2)))]
    slots = [*first, *later]
    return Page([True] * len(slots), 2, left=NAMES_PT + MARGIN, places=slots, heights=heights, between=34.0)


def _said(lost: pd.DataFrame | None) -> list[str]:
    lines = [
        "Not known: the share of births to women whose ethnic group is not known, of all births reported."
    ]
    if lost is None:
        lines.append("These data do not say of which births the outcome was not recorded.")
    else:
        lines.append(
            "Births without a recorded outcome are in no rate: if their outcomes differ, the rates are wrong."
        )
    return lines
