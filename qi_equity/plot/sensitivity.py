"""Draw the change by every analysis as rows of dots with intervals: one panel a stratum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qi_equity import _validate
from qi_equity.change.sensitivity.models import AS_EVALUATED
from qi_equity.change.sensitivity.text import other_analyses
from qi_equity.errors import OptionError
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot import _words
from qi_equity.plot._around import Head, Header
from qi_equity.plot._dots import NAMES_PT, Dots, draw_panel, draw_unit
from qi_equity.plot._kinds import plain_unit
from qi_equity.plot._layout import GAP, MARGIN, Page
from qi_equity.plot._order import order_groups, rows_in_order
from qi_equity.plot._parts import MAX_PANELS, columns_of
from qi_equity.plot._rows import Rows, XScale, make_rows
from qi_equity.plot._style import PALETTES, Palette
from qi_equity.plot._text import Ruler, number
from qi_equity.plot.dots import scale_of

if TYPE_CHECKING:
    from qi_equity.change.sensitivity.result import Sensitivity

__all__ = ["plot_sensitivity"]

_LOOKS = {
    "improved": "improved",
    "worsened": "worsened",
    "rose": "moved",
    "fell": "moved",
    "no meaningful change": "unchanged",
    "not yet visible": "change not visible",
}
_STANDS = {"yes": "stands", "cannot tell": "cannot tell"}
_HELD = "standardised"
# Ratios and ends of intervals farther from 1 than this are arrows at the edge.
_FAR = 5.0
_SAID = (
    "At the right of each row: ratio of the adverse outcome, after over before, with its interval, and "
    "whether the verdict evaluated stands (weaker: no longer visible).",
    "It does not say what brought a change about. Not yet visible is not the same as no difference.",
)


def plot_sensitivity(
    found: Sensitivity,
    *,
    order: str | Sequence[str] = "alphabetical",
    columns: int | None = None,
    colours: str = "accessible",
) -> Figure:
    """Draw each stratum's change as it was evaluated and by every other analysis, on one scale.

    Left of "no change" is better. Marks differ by shape and filling as well as by colour; each row says in
    words whether the verdict stands; what could not be reckoned says why. Strata that were standardised for
    their mix stand in panels of their own, below. Over each panel stand how many fake dates look as large and
    what else moved at the same date.

    Parameters
    ----------
    found : Sensitivity
        What to draw; at most 24 strata and changes.
    order : {"alphabetical", "declared"} or sequence of str
        Order of the groups, within each site; the reason stands in the footnote.
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
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": 75})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births")
    >>> figure = plot_sensitivity(qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity())
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()][:2]
    ['as evaluated', 'level']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    series, ruler = found.evaluation.series, Ruler()
    strata = series.cells.strata
    groups, reason = order_groups(series, strata, order, {})
    own, held = _parts(found, rows_in_order(strata, groups))
    across = columns_of(columns, max(len(own), len(held)))
    rows = [_rows(parts, ruler) for parts in (own, held) if parts]
    page, of = _page(len(own), len(held), across, rows)
    panels = [_dots(found, part) for part in (*own, *held)]
    meaningful = found.evaluation.options["meaningful"]
    scale = scale_of(
        [_capped(p) for p in panels], page.width, ruler, always=(meaningful, 1 / meaningful), log=True
    )
    _draw(page, panels, [rows[k] for k in of], scale, palette, ruler)
    for ax in page.axes:
        ax.axvspan(
            meaningful, 1 / meaningful, color=style.BAND, linewidth=0, zorder=0.2, label=style.MEANINGFUL
        )
    notes = [*_SAID, "All panels have the same scale." if len(panels) > 1 else ""]
    page.place(
        page.row_headers([h.height for h in _headers(panels, page.width, ruler)]),
        result_words.title_of(series, "does the verdict stand?"),
        result_words.subtitle_of_series(series, f"{plain_unit(series.measure)}, by {series.every}"),
        result_words.footnotes_of(series, found.notes.iloc[:0], reason, [n for n in notes if n]),
        ruler,
    )
    page.figure.set_label(_description(found, panels, [rows[k] for k in of]))
    return page.figure


def _parts(found: Sensitivity, order: list[int]) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Split the table by stratum and change, in order; those standardised apart."""
    table, strata = found.table, found.evaluation.series.cells.strata
    keys = list(strata.columns)
    standardised = table["analysis"].str.contains(_HELD)
    names = strata.astype("str").iloc[order].agg("\n".join, axis=1).tolist()
    labels = table[keys].agg("\n".join, axis=1)
    rank = pd.Series(range(len(names)), index=names)
    own = [
        part
        for _, part in table[~standardised].groupby(
            [labels[~standardised].map(rank), table.loc[~standardised, "change"]], sort=True
        )
    ]
    held = [part for _, part in table[standardised].groupby([*keys, "change"], sort=False)]
    if len(own) + len(held) > MAX_PANELS:
        raise OptionError(
            f"There are {len(own) + len(held)} strata and changes; a figure holds at most {MAX_PANELS}. "
            "Evaluate some of them: series.select(site=...) or series.select(group=...)."
        )
    return own, held


def _rows(parts: Sequence[pd.DataFrame], ruler: Ruler) -> Rows:
    names = parts[0]["analysis"].tolist()
    return make_rows(names, [False] * len(names), NAMES_PT, ruler)


def _page(own: int, held: int, across: int, rows: Sequence[Rows]) -> tuple[Page, list[int]]:
    """Make the page, standardised panels from a new row on; also give the kind of rows of each panel."""
    first = -(-own // across)
    places = [divmod(i, across) for i in range(own)]
    places += [(first + i // across, i % across) for i in range(held)]
    of = [0] * own + [1] * held
    heights = [rows[0].height] * first + [rows[-1].height] * -(-held // across)
    page = Page(
        [column == 0 for _, column in places],
        across,
        left=NAMES_PT + MARGIN,
        places=places,
        heights=heights,
        between=GAP / 2,
    )
    return page, of


def _dots(found: Sensitivity, part: pd.DataFrame) -> Dots:
    """Make the panel of a stratum and change."""
    estimate, lower, upper = (part[c].to_numpy(dtype=float) for c in ("ratio", "ratio_lower", "ratio_upper"))
    texts = [
        f"{_interval(y, low, high)} · {_STANDS.get(stands, stands if stands != 'no' else verdict)}"
        if not np.isnan(y)
        else ""
        for y, low, high, stands, verdict in zip(
            estimate, lower, upper, part["stands"], part["verdict"], strict=True
        )
    ]
    instead = ["" if not np.isnan(y) else str(why) for y, why in zip(estimate, part["reason"], strict=True)]
    directed = found.evaluation.series.measure.better is not None
    return Dots(
        _head(found, part),
        estimate,
        lower,
        upper,
        tuple(_LOOKS[v] for v in part["verdict"]),
        tuple(texts),
        tuple(instead),
        unit="ratio",
        at=1.0,
        at_label=style.NO_CHANGE,
        ends=("← better", "worse →") if directed else ("← lower", "higher →"),
    )


def _capped(dots: Dots) -> Dots:
    """Cut intervals for the choice of the scale: those of a few births would flatten all others."""
    with np.errstate(invalid="ignore"):
        near = np.isfinite(dots.estimate) & (dots.estimate > 1 / _FAR) & (dots.estimate < _FAR)
        ends = [np.where(near, np.clip(e, 1 / _FAR, _FAR), np.nan) for e in (dots.lower, dots.upper)]
    return replace(dots, estimate=np.where(near, dots.estimate, np.nan), lower=ends[0], upper=ends[1])


def _interval(estimate: float, lower: float, upper: float) -> str:
    if np.isnan(lower) or np.isnan(upper):
        return _two(estimate)
    return f"{_two(estimate)} ({_two(lower)} to {_two(upper)})"


def _two(value: float) -> str:
    return "∞" if np.isinf(value) else number(value, 2 if value < 10 else 0)


def _head(found: Sensitivity, part: pd.DataFrame) -> Head:
    """Name the stratum, say what was evaluated, how many fake dates look as large, and what else moved."""
    keys = list(found.evaluation.series.cells.strata.columns)
    first = part.iloc[0]
    name = _words.stratum_names(part[keys].head(1))[0]
    title = result_words.title_of_group(found.evaluation.series, name)
    if len(found.evaluation.series.sites) > 1:
        title = f"{title} · {first['site']}"
    if found.table["change"].max() > 1:
        title = f"{title} · change {first['change']}"
    others = part.index != part.index[0]
    if first["analysis"] == AS_EVALUATED:
        others = part["analysis"].isin(other_analyses(found.table)["analysis"]).to_numpy()
    told = part[others & (part["stands"] != "cannot tell")]
    holds = int((told["stands"] == "yes").sum())
    counts = [f"{first['verdict']}; stands in {holds} of {len(told)}"]
    mine = (found.placebo[keys] == first[keys]).all(axis=1) if len(found.placebo) else pd.Series(dtype="bool")
    fakes = found.placebo[
        mine & (found.placebo["analysis"] == "as evaluated") & (found.placebo["kind"] == "time")
    ]
    if len(fakes) and fakes["fakes"].iloc[0]:
        counts.append(f"{fakes['as_large'].iloc[0]} of {fakes['fakes'].iloc[0]} fake dates look as large")
    checks = found.checks
    moved = checks[
        (checks[keys].fillna(first[keys]) == first[keys]).all(axis=1)
        & (checks["change"] == first["change"])
        & checks["jumped"].isin(["yes", "drifted"])
    ]
    words = [f"see the check: {check}" for check in moved["check"]]
    return Head(title, tuple(counts), words=tuple(words))


def _headers(panels: Sequence[Dots], width: float, ruler: Ruler) -> list[Header]:
    return [Header(p.head, (), (), width, ruler) for p in panels]


def _draw(
    page: Page, panels: Sequence[Dots], rows: Sequence[Rows], scale: XScale, palette: Palette, ruler: Ruler
) -> None:
    """Draw all panels on the page."""
    headers = _headers(panels, page.width, ruler)
    heights = page.row_headers([h.height for h in headers])
    for i, (ax, dots) in enumerate(zip(page.axes, panels, strict=True)):
        row, column = page.places[i]
        scale.prepare(ax, labels=page.is_lowest(i))
        rows[i].prepare(ax, labels=column == 0)
        draw_panel(ax, dots, rows[i], scale, palette)
        if page.is_lowest(i):
            draw_unit(ax, dots)
        headers[i].draw(ax, heights[row])


def _description(found: Sensitivity, panels: Sequence[Dots], rows: Sequence[Rows]) -> str:
    """Describe the figure for those who do not see it: the sentence, then each panel."""
    lines = [found.sentence()]
    for dots, names in zip(panels, rows, strict=True):
        said: list[Any] = [
            f"{name.replace(chr(10), ' ')}: {text or instead}"
            for name, text, instead in zip(names.names, dots.texts, dots.instead, strict=True)
        ]
        lines.append(f"{dots.head.name} ({'; '.join(dots.head.counts)}). " + ". ".join(said) + ".")
    return "\n".join(lines)
