"""The panels of the figure of completeness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qi_equity.data.completeness import PARTS
from qi_equity.plot import _style as style
from qi_equity.plot._around import Head, Header
from qi_equity.plot._days import days
from qi_equity.plot._dots import Dots, draw_panel, draw_unit, draw_whose, reserve_for
from qi_equity.plot._frame import set_frame, write
from qi_equity.plot._layout import Page
from qi_equity.plot._order import Sizes, numbers_by
from qi_equity.plot._result_words import whose
from qi_equity.plot._rows import Rows, x_scale
from qi_equity.plot._scales import date_ticks
from qi_equity.plot._style import Palette
from qi_equity.plot._text import Ruler, number

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

TIME_PT = 95.0
UNKNOWN = PARTS[1:]

# Hatch, marker, line and colour of each kind of not knowing; none rests on the colour alone.
_LABELS = dict(
    zip(UNKNOWN, ("not stated (asked)", "not known (not asked)", "missing or not valid"), strict=True)
)
_LOOKS: dict[str, tuple[str, str, object, str]] = {
    "not_stated": ("////", "o", "-", "improvement"),
    "not_known": ("....", "s", (0, (4, 1.5)), "concern"),
    "missing": ("", "^", (0, (1, 1)), "common"),
}


def births_of(series: StratifiedSeries) -> Sizes:
    """Give the births of each group."""
    frame = series.data
    return numbers_by(frame["denominator"].groupby(frame["group"].astype(str)).sum())


def unrecorded_by_group(series: StratifiedSeries, groups: Sequence[str]) -> pd.DataFrame | None:
    """Give births and those whose outcome is not recorded, by group; None where nothing is said of them."""
    frame = series.data
    if frame["unrecorded"].isna().all():
        return None
    sums = (
        frame.groupby(frame["group"].astype(str))[["denominator", "unrecorded"]]
        .sum(min_count=1)
        .reindex(pd.Index(groups))
    )
    births = sums["denominator"].fillna(0) + sums["unrecorded"]
    return pd.DataFrame(
        {
            "births": births,
            "unrecorded": sums["unrecorded"],
            "share": sums["unrecorded"] / births.where(births > 0),
        }
    )


def split_places(by_period: pd.DataFrame, places: Sequence[str]) -> list[pd.DataFrame]:
    """Give the rows of each place, in the order of the places."""
    if not places:
        return [by_period]
    keys = [by_period[c].astype(str) for c in places]
    return [part for _, part in by_period.groupby(keys, sort=False, observed=True)]


def draw_known(page: Page, table: pd.DataFrame, rows: Rows, palette: Palette, ruler: Ruler) -> Header:
    """Draw the shares of unknown ethnicity of each place as bars of three parts."""
    ax = page.axes[0]
    shares = 100 * table[list(UNKNOWN)].fillna(0).to_numpy(dtype=float)
    texts = [
        f"{number(100 * known, 1)} % known\nof {births:,.0f} births" if known == known else "not reported"
        for known, births in zip(table["known"], table["births"], strict=True)
    ]
    reserve = max(ruler.width(line, style.SMALL) for text in texts for line in text.split("\n")) + 10
    none = np.full(len(table), np.nan)
    scale = x_scale(shares.sum(axis=1), none, none, width=page.width, reserve=reserve, always=(0.0, 1.0))
    scale.prepare(ax, labels=True)
    rows.prepare(ax, labels=True)
    left = np.zeros(len(table))
    for name, share in zip(UNKNOWN, shares.T, strict=True):
        hatch, _, _, colour = _LOOKS[name]
        solid = getattr(palette, colour)
        ax.barh(rows.y, share, left=left, height=15.0, facecolor=solid if not hatch else "white", hatch=hatch,
                edgecolor=solid, linewidth=0.9, label=_LABELS[name], zorder=2)  # fmt: skip
        left = left + share
    for y, text in zip(rows.y, texts, strict=True):
        write(ax, 1.0, y, text, "right", ax.get_yaxis_transform())
    ax.set_xlabel("% of births", fontsize=style.BODY, color=style.INK, labelpad=3)
    return Header(Head("Ethnic group not known"), (), (), page.width, ruler)


def draw_lost(page: Page, lost: pd.DataFrame, rows: Rows, palette: Palette, ruler: Ruler) -> Header:
    """Draw the share of births without a recorded outcome, group by group."""
    ax = page.axes[1]
    share = 100 * lost["share"].to_numpy(dtype=float)
    none = np.full(len(lost), np.nan)
    texts = tuple(
        "" if np.isnan(y) else f"{number(y, 1)} %\n{x:,.0f} of {n:,.0f}"
        for y, x, n in zip(share, lost["unrecorded"], lost["births"], strict=True)
    )
    instead = tuple("no births, or not reported" if np.isnan(y) else "" for y in share)
    head = Head("Outcome not recorded")
    dots = Dots(head, share, none, none, ("unrecorded",) * len(lost), texts, instead, unit="% of births")
    reserve = reserve_for([dots], ruler)
    scale = x_scale(share, none, none, width=page.width, reserve=reserve, always=(0.0, 1.0))
    scale.prepare(ax, labels=True)
    rows.prepare(ax, labels=True)
    draw_panel(ax, dots, rows, scale, palette)
    draw_unit(ax, dots)
    return Header(head, (), (), page.width, ruler)


def draw_time(
    page: Page,
    first: int,
    series: StratifiedSeries,
    places: Sequence[tuple[str, pd.DataFrame]],
    palette: Palette,
    ruler: Ruler,
) -> list[Header]:
    """Draw the shares of unknown ethnicity over time, one panel a place, all on one scale."""
    shares = 100 * np.concatenate([part[list(UNKNOWN)].to_numpy(dtype=float).ravel() for _, part in places])
    top = max(float(np.nanmax(shares, initial=0.0)), 1.0)
    none = np.full(1, np.nan)
    scale = x_scale([top], none, none, width=TIME_PT, reserve=0.0, always=(0.0,))
    x = days(places[0][1]["period"])
    pad = 15.0 if len(x) < 2 else float(x[1] - x[0]) / 2
    at, labels = date_ticks(x, str(series.every), page.width)
    headers = []
    for k, (name, part) in enumerate(places):
        ax = page.axes[first + k]
        ax.set_xlim(float(x.min()) - pad, float(x.max()) + pad)
        ax.set_ylim(scale.left, scale.right)
        ax.set_yticks(scale.ticks, scale.texts())
        lowest = page.is_lowest(first + k)
        ax.set_xticks(at, labels if lowest else [""] * len(at))
        set_frame(ax, left_ticks=False)
        ax.set_ylabel("% of births", fontsize=style.SMALL, color=style.INK, labelpad=4)
        for kind in UNKNOWN:
            _, marker, dashes, colour = _LOOKS[kind]
            label = f"{_LABELS[kind].split(' (')[0]}, over time"
            ax.plot(days(part["period"]), 100 * part[kind].to_numpy(dtype=float), label=label, marker=marker,
                    color=getattr(palette, colour), linestyle=dashes, linewidth=1.2, markersize=4.0,
                    markeredgewidth=0, zorder=2.5, clip_on=False)  # fmt: skip
        head = Head(f"{name}, over time", words=_gaps_of(part))
        headers.append(Header(head, (), (), page.width, ruler))
    if series.scheme is not None and len(page.axes) > len(places) + 1:
        draw_whose(page.axes[1], whose(series))
    return headers


def _gaps_of(part: pd.DataFrame) -> tuple[str, ...]:
    lost = int(part["known"].isna().sum())
    return (f"{lost} of {len(part)} periods not reported, or withheld",) if lost else ()


def describe(name: str, places: Sequence[str], table: pd.DataFrame, lost: pd.DataFrame | None) -> str:
    """Describe the figure: each place, then each group."""
    lines = [f"Completeness of the data of {name}."]
    for place, (_, row) in zip(places, table.iterrows(), strict=True):
        parts = [f"{_LABELS[k]} {number(100 * row[k], 1)} %" for k in UNKNOWN if row[k] == row[k]]
        lines.append(f"{place}: ethnic group " + (", ".join(parts) if parts else "not reported") + ".")
    if lost is not None:
        said = [f"{g} {number(100 * s, 1)} %" for g, s in lost["share"].items() if s == s]
        lines.append("Outcome not recorded: " + ", ".join(said) + ".")
    return "\n".join(lines)
