"""Draw measures of inequality over time: absolute on the left, relative on the right."""

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
from qi_equity.data.measure import Measure
from qi_equity.errors import OptionError
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._frame import set_frame, write
from qi_equity.plot._gap_words import difference_unit
from qi_equity.plot._kinds import plain_unit
from qi_equity.plot._layout import Page
from qi_equity.plot._parts import MAX_PANELS, split
from qi_equity.plot._rows import XScale, x_scale
from qi_equity.plot._style import PALETTES, Palette
from qi_equity.plot._text import Ruler, number

if TYPE_CHECKING:
    from qi_equity.equity.inequality.inequality import InequalityTable

__all__ = ["plot_inequality"]

Floats = NDArray[np.float64]

_BY_CHANCE = 0.05
_RATIOS = ("r", "rii", "rii_linear")
_HIGH_PT, _LABEL_PT = 105.0, 56.0
_SIDES = ("absolute", "relative")


def plot_inequality(inequality: InequalityTable, *, colours: str = "accessible") -> Figure:
    """Draw each measure of inequality over the spans: absolute measures on the left, relative on the right.

    Beside each estimate with its interval stands what chance alone would give if all groups were alike. An
    estimate that chance alone would reach in one of twenty cases or more is hollow: not yet visible. Ratios
    have a logarithmic axis.

    Parameters
    ----------
    inequality : InequalityTable
        What to draw; at most 24 places and measures.
    colours : {"accessible", "making_data_count"}
        Palette.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, made without pyplot; its label is the description for those who do not see it.

    Raises
    ------
    OptionError
        If an option is not allowed, or there are more than 24 places and measures.

    References
    ----------
    .. [1] World Health Organization. Handbook on health inequality monitoring. Geneva 2013: absolute and
       relative measures together.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> counts = pd.DataFrame({"m": ["2024-01"] * 3, "area": ["East", "North", "West"],
    ...                        "x": [8, 20, 9], "n": [200, 250, 300]})
    >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "area"}
    >>> series = qe.from_counts(counts, qe.measures["preterm_birth"], **columns)
    >>> figure = plot_inequality(qe.inequality(series, measures=["d", "r"]))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Difference', 'Ratio']
    """
    palette = PALETTES[_validate.one_of("colours", colours, tuple(PALETTES))]
    series, ruler = inequality.spans.series, Ruler()
    panels, places = _panels(inequality)
    rows = 1 + max(row for row, _ in places)
    page = Page([True] * len(panels), 2, places=places, heights=[_HIGH_PT] * rows, between=6.0)
    scales = [_scale(p) for p in panels]
    headers = [Header(p.head, (), (), page.width, ruler) for p in panels]
    heights = page.row_headers([h.height for h in headers])
    for i, (ax, panel) in enumerate(zip(page.axes, panels, strict=True)):
        _prepare(ax, panel, scales[i], inequality.spans.labels, page.is_lowest(i), page.width, ruler)
        _draw(ax, panel, scales[i], palette)
        headers[i].draw(ax, heights[places[i][0]])
    level = f"{100 * inequality.options['confidence']:g} %"
    said = [
        f"Bars: {level} intervals. Left: absolute measures; right: relative ones, each on its own scale.",
        f"Hollow: groups that are all alike would look as unequal by chance in {100 * _BY_CHANCE:g} % of "
        "cases or more.",
    ]
    page.place(
        heights,
        result_words.title_of(series, "inequality between the groups"),
        result_words.subtitle_of(inequality.spans, plain_unit(series.measure)),
        result_words.footnotes_of(series, inequality.notes, "", said),
        ruler,
    )
    page.figure.set_label(_description(series.measure.name, panels, inequality.spans.labels))
    return page.figure


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    """One measure in one place, over the spans."""

    head: Head
    unit: str
    ratio: bool
    estimate: Floats
    lower: Floats
    upper: Floats
    if_equal: Floats
    hollow: NDArray[np.bool_]
    reasons: list[str]


def _panels(inequality: InequalityTable) -> tuple[list[_Panel], list[tuple[int, int]]]:
    """Make the panels and their places: for each place, absolute measures left and relative ones right."""
    table = inequality.table
    panels, places, top = [], [], 0
    for name, place in split(table, "", spans=False):
        depth = [0, 0]
        for _, part in place.groupby("measure", sort=False):
            side = _SIDES.index(str(part["scale"].iloc[0]))
            panels.append(_panel(inequality.spans.series.measure, part, name))
            places.append((top + depth[side], side))
            depth[side] += 1
        top += max(depth)
    if len(panels) > MAX_PANELS:
        raise OptionError(
            f"The table holds {len(panels)} places and measures; a figure holds at most {MAX_PANELS}. Choose "
            "some with measures=, or one place of the series with series.select(site=...)."
        )
    return panels, places


def _panel(measure: Measure, part: pd.DataFrame, titled: str) -> _Panel:
    unit, ratio = str(part["unit"].iloc[0]), str(part["measure"].iloc[0]) in _RATIOS
    times = {"of the measure": measure.multiplier, "of the measure, squared": measure.multiplier**2}.get(
        unit, 1.0
    )
    written = difference_unit(measure)
    text = {"of the measure": written, "of the measure, squared": f"({written})²" if written else "squared"}
    name = str(part["name"].iloc[0])
    numbers = {
        c: part[c].to_numpy(dtype=float) * times for c in ("estimate", "lower", "upper", "expected_if_equal")
    }
    chance = part["chance_if_equal"].to_numpy(dtype=float)
    spanning = (numbers["lower"] <= numbers["expected_if_equal"]) & (
        numbers["upper"] >= numbers["expected_if_equal"]
    )
    compared, against = (
        [name for name in dict.fromkeys(part[c].fillna("").astype(str)) if name]
        for c in ("compared", "reference")
    )
    counts = []
    if len(against) == 1:
        counts = [f"{compared[0]} against {against[0]}"] if len(compared) == 1 else [f"against {against[0]}"]
    return _Panel(
        Head(f"{name} · {titled}" if titled else name, tuple(counts)),
        text.get(unit, "ratio" if ratio else ""),
        ratio,
        numbers["estimate"],
        numbers["lower"],
        numbers["upper"],
        numbers["expected_if_equal"],
        np.where(np.isnan(chance), spanning, chance >= _BY_CHANCE),
        part["reason"].fillna("").astype(str).tolist(),
    )


def _scale(panel: _Panel) -> XScale:
    always = [v for v in panel.if_equal if np.isfinite(v) and (v > 0 or not panel.ratio)]
    return x_scale(
        panel.estimate, panel.lower, panel.upper, width=_HIGH_PT, reserve=0.0, always=always, log=panel.ratio
    )


def _prepare(
    ax: Axes, panel: _Panel, scale: XScale, labels: Sequence[str], x_labels: bool, width: float, ruler: Ruler
) -> None:
    if scale.log:
        ax.set_yscale("log")
    ax.set_xlim(-0.5, len(labels) - 0.5)
    ax.set_ylim(scale.left, scale.right)
    ax.set_yticks(scale.ticks, scale.texts())
    step = max(1, int(np.ceil(len(labels) * _LABEL_PT / width)))
    at = list(range(0, len(labels), step))
    texts = [
        "\n".join(ruler.wrap(labels[i].split(" "), width / len(labels) * step, style.SMALL)[:3]) for i in at
    ]
    ax.set_xticks(at, texts if x_labels else [""] * len(at))
    set_frame(ax)
    ax.set_ylabel(panel.unit, fontsize=style.SMALL, color=style.INK, labelpad=4, parse_math=False)


def _draw(ax: Axes, panel: _Panel, scale: XScale, palette: Palette) -> None:
    x = np.arange(len(panel.estimate), dtype=float)
    there = np.isfinite(panel.estimate)
    if not there.any():
        why = next((r for r in panel.reasons if r), "not computed")
        write(ax, 0.5, 0.5, why, "center", ax.transAxes, colour=style.MUTED)
        return
    equal = np.repeat(scale.inside(panel.if_equal), 2)
    ends = (x[:, np.newaxis] + np.array([-0.3, 0.3])).ravel()
    for k in range(len(x)):
        ax.plot(ends[2 * k : 2 * k + 2], equal[2 * k : 2 * k + 2], color=palette.target, linewidth=1.6,
                linestyle=(0, (3, 1.5)), label="_equal" if k else style.IF_EQUAL, zorder=2)  # fmt: skip
    ax.plot(x, scale.inside(panel.estimate), color=palette.common, linewidth=0.9, label="_line", zorder=2.2)
    known = there & np.isfinite(panel.lower) & np.isfinite(panel.upper)
    low, high = scale.inside(panel.lower), scale.inside(panel.upper)
    for k in np.flatnonzero(known).tolist():
        ax.plot([x[k]] * 2, [low[k], high[k]], color=palette.common, linewidth=2.0, zorder=2.5,
                solid_capstyle="butt", label="_interval" if k else style.INTERVAL)  # fmt: skip
        if panel.upper[k] > scale.high * (1 + 1e-12):
            ax.plot([x[k]], [scale.high], marker="^", linestyle="None", markersize=6, color=palette.common,
                    label=style.OFF_SCALE, zorder=5, clip_on=False)  # fmt: skip
    for mask, label, face in (
        (there & ~panel.hollow, style.UNEQUAL, palette.common),
        (there & panel.hollow, style.MAYBE_EQUAL, "white"),
    ):
        if mask.any():
            ax.plot(x[mask], scale.inside(panel.estimate[mask]), linestyle="None", marker="o", markersize=7,
                    markerfacecolor=face, markeredgecolor=palette.common, markeredgewidth=1.5, label=label,
                    zorder=4, clip_on=False)  # fmt: skip


def _description(name: str, panels: Sequence[_Panel], labels: Sequence[str]) -> str:
    lines = [f"Inequality between groups in {name}."]
    for p in panels:
        said = [
            f"{label}: {number(y, 2)} ({number(a, 2)} to {number(b, 2)}), if all were alike {number(e, 2)}"
            if np.isfinite(y)
            else f"{label}: {reason or 'not computed'}"
            for label, y, a, b, e, reason in zip(
                labels, p.estimate, p.lower, p.upper, p.if_equal, p.reasons, strict=True
            )
        ]
        lines.append(f"{p.head.name}{f' ({p.unit})' if p.unit else ''}. " + ". ".join(said) + ".")
    return "\n".join(lines)
