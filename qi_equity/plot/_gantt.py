"""Draw a Gantt chart: the strip of action periods and meetings, and under it the rows of cycles."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from qi_equity.plot import _style as style
from qi_equity.plot._gantt_bars import SIGN_PT, Bar
from qi_equity.plot._glyphs import drawable
from qi_equity.plot._layout import MARGIN
from qi_equity.plot._record_marks import (
    MEETINGS,
    explain,
    explain_decisions,
    mark,
    mark_decision,
    write,
)
from qi_equity.plot._record_words import PLANNED, shorten
from qi_equity.plot._text import Ruler
from qi_equity.plot._words import MONTHS

if TYPE_CHECKING:
    from qi_equity.pdsa.records.events import ActionPeriod, Meeting

LANE_PT, PAD_PT, STRIP_PT, NAME_PT, TICKS_PT = 14.0, 4.0, 14.0, 12.0, 26.0
_HALF_PT, _TICK_PT = 5.2, 24.0
_DASHES = (0, (2.2, 1.4))


@dataclass(frozen=True, slots=True)
class Axis:
    """The axis of time: ``width`` points from the first day of a month to that of another."""

    first: date
    last: date
    width: float

    def at(self, day: date) -> float:
        """Give where a day is, in points from the left."""
        return (day - self.first).days / (self.last - self.first).days * self.width

    def draw(self, ax: Axes, top: float, bottom: float) -> None:
        """Draw the months: a faint line for each tick, its name under the rows, the year where it changes."""
        count = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month
        step = next((s for s in (1, 2, 3, 6, 12, 24, 60, 120) if self.width / count * s >= _TICK_PT), 1200)
        year = 0
        for k in range(0, count, step):
            month = after(self.first, k)
            x = self.at(month)
            ax.plot([x, x], [top, bottom], color=style.GRID, linewidth=0.7, zorder=1, label="_month")
            if x > self.width - _TICK_PT + MARGIN:
                continue
            write(ax, x, bottom + 9, MONTHS[month.month - 1])
            if month.year != year:
                write(ax, x, bottom + 20, str(month.year))
                year = month.year


def after(month: date, count: int) -> date:
    """Give the first day of the month so many months later."""
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def make_axis(days: Sequence[date], width: float) -> Axis:
    """Make the axis of whole months that holds all days."""
    return Axis(min(days).replace(day=1), after(max(days), 1), width)


@dataclass(frozen=True, slots=True)
class Row:
    """A site or a change idea: its name, wrapped, and its bars."""

    name: tuple[str, ...]
    bars: tuple[Bar, ...]

    @property
    def height(self) -> float:
        """Room for its lanes or its name, in points."""
        lanes = 1 + max((bar.lane for bar in self.bars), default=0)
        return max(lanes * LANE_PT, len(self.name) * NAME_PT) + 2 * PAD_PT

    def draw(self, ax: Axes, top: float, left: float) -> None:
        """Draw it with its upper edge there; its name stands to the left of the axis."""
        for i, line in enumerate(self.name):
            write(ax, -left, top + PAD_PT + (i + 0.5) * NAME_PT, line, size=style.BODY)
        if not self.bars:
            write(ax, 4, top + self.height / 2, "no cycle with a date", colour=style.MUTED)
        for bar in self.bars:
            _draw_bar(ax, bar, top + PAD_PT + (bar.lane + 0.5) * LANE_PT)


def _draw_bar(ax: Axes, bar: Bar, y: float) -> None:
    """Draw a cycle: hollow in dashes if planned, open at the end if under way, filled if implemented."""
    top, bottom, left, right = y - _HALF_PT, y + _HALF_PT, bar.left, bar.right
    planned, under_way = bar.sign == PLANNED, bar.sign == style.UNDER_WAY
    full = bar.work.cycle.purpose == "implement" and not planned
    outline = [(right, top), (left, top), (left, bottom), (right, bottom)]
    codes = [1, 2, 2, 2]
    if not under_way:
        outline, codes = [*outline, (right, top)], [*codes, 79]
    face = "none" if planned else style.INK if full else "white"
    ax.add_patch(
        PathPatch(
            Path(outline, codes), facecolor=face, edgecolor=style.INK, linewidth=1.0, zorder=3,
            linestyle=_DASHES if planned else "-", label=f"_bar {bar.work.cycle.id}",
        )
    )  # fmt: skip
    if bar.number and bar.inside:
        colour = "white" if full else style.INK
        write(ax, left + 2, y, bar.number, colour=colour)
    elif bar.number:
        write(ax, left - 2, y, bar.number, align="right")
    if under_way:
        colour = "white" if full else style.INK
        if right - left > bar.number_width + SIGN_PT + 6:
            mark_decision(ax, right - SIGN_PT / 2 - 1, y, bar.sign, size=6.5, colour=colour)
    else:
        mark_decision(ax, right + SIGN_PT / 2 + 1, y, bar.sign, size=7.0)


@dataclass(frozen=True, slots=True)
class Strip:
    """What the whole network did: action periods in rows in which they do not touch, and meetings by kind."""

    periods: tuple[tuple[ActionPeriod, ...], ...]
    meetings: tuple[tuple[str, tuple[Meeting, ...]], ...]

    @property
    def height(self) -> float:
        """Its height in points."""
        rows = len(self.periods) + len(self.meetings)
        return rows * STRIP_PT + (PAD_PT if rows else 0.0)

    def draw(self, ax: Axes, axis: Axis, bottom: float, left: float, ruler: Ruler) -> None:
        """Draw it at the top; bands and learning sessions go on down to the bottom."""
        for k, row in enumerate(self.periods):
            for period in row:
                self._band(ax, axis, period, k, bottom, ruler)
        for k, (kind, meetings) in enumerate(self.meetings, start=len(self.periods)):
            y = (k + 0.5) * STRIP_PT
            write(ax, -left, y, MEETINGS[kind][1] + "s", colour=style.MUTED)
            self._meetings(ax, axis, kind, meetings, y, bottom, ruler)

    def _band(self, ax: Axes, axis: Axis, period: ActionPeriod, k: int, bottom: float, ruler: Ruler) -> None:
        x0, x1 = axis.at(period.start), axis.at(period.end + timedelta(days=1))
        top = k * STRIP_PT
        band = Rectangle(
            (x0, top), x1 - x0, bottom - top, facecolor=style.BAND, edgecolor="white", linewidth=1.5,
            zorder=0.5, label="_period",
        )  # fmt: skip
        ax.add_patch(band)
        name = shorten(period.name, x1 - x0 - 6, style.SMALL, ruler)
        write(ax, x0 + 3, top + STRIP_PT / 2, name, weight="normal")

    def _meetings(
        self, ax: Axes, axis: Axis, kind: str, meetings: Sequence[Meeting], y: float, bottom: float,
        ruler: Ruler,
    ) -> None:  # fmt: skip
        """Draw the marks of a kind of meetings; learning sessions have their titles where there is room."""
        by_day = {m.date: m for m in sorted(meetings, key=lambda m: m.date)}
        at = [axis.at(day) for day in by_day]
        for x, right, meeting in zip(at, [*at[1:], axis.width], by_day.values(), strict=True):
            mark(ax, x, y, MEETINGS[kind][0], "_meeting", face=style.MUTED, width=0)
            if kind != "learning session":
                continue
            ax.plot(
                [x, x], [y + 5, bottom], color=style.MUTED, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1.5,
                label="_session",
            )  # fmt: skip
            title = drawable(meeting.title)
            if ruler.width(title, style.SMALL) + 16 <= right - x:
                write(ax, x + 7, y, title)


def make_strip(periods: Sequence[ActionPeriod], meetings: Sequence[Meeting]) -> Strip:
    """Put periods that overlap into rows of their own, and meetings by kind."""
    rows: list[list[ActionPeriod]] = []
    for period in sorted(periods, key=lambda p: (p.start, p.end)):
        row = next((r for r in rows if r[-1].end < period.start), None)
        if row is None:
            rows.append([period])
        else:
            row.append(period)
    of_kind = ((kind, tuple(m for m in meetings if m.kind == kind)) for kind in MEETINGS)
    return Strip(tuple(map(tuple, rows)), tuple((kind, some) for kind, some in of_kind if some))


def draw_rows(ax: Axes, rows: Sequence[Row], top: float, left: float, width: float) -> float:
    """Draw the rows from the top down, with a line between them; give where they end."""
    edges = list(itertools.accumulate((row.height for row in rows), initial=top))
    for row, edge in zip(rows, edges[:-1], strict=True):
        ax.plot(
            [-left, width], [edge, edge], color=style.MUTED, linewidth=0.6, zorder=2, clip_on=False,
            label="_edge",
        )  # fmt: skip
        row.draw(ax, edge, left)
    return edges[-1]


def draw_legend(ax: Axes, bars: Sequence[Bar]) -> None:
    """Make the entries of the legend."""
    signs = {bar.sign for bar in bars}
    purposes = {bar.work.cycle.purpose for bar in bars if bar.sign != PLANNED}
    box = Path([(-1, -0.6), (1, -0.6), (1, 0.6), (-1, 0.6), (-1, -0.6)])
    for purpose, face in (("test", "white"), ("implement", style.INK)):
        if purpose in purposes:
            explain(ax, style.CYCLE_BARS[purpose], box, size=14.0, face=face, width=1.0)
    if PLANNED in signs:
        explain(ax, style.CYCLE_PLANNED, _dashed_box(), size=14.0, width=1.0)
    explain_decisions(ax, signs)


def _dashed_box() -> Path:
    """Give the outline of a box in dashes, as a marker."""
    across = [((x, y), (x + 0.4, y)) for y in (-0.6, 0.6) for x in (-1.0, -0.2, 0.6)]
    up = [((x, y), (x, y + 0.4)) for x in (-1.0, 1.0) for y in (-0.2,)]
    return Path([point for line in [*across, *up] for point in line], [1, 2] * (len(across) + len(up)))


def draw_key(ax: Axes, title: str, lines: Sequence[str], width: float, ruler: Ruler) -> None:
    """Write what the numbers stand for, in columns."""
    columns, rows = key_shape(len(lines))
    room = width / columns
    write(ax, 0, STRIP_PT / 2, title, size=style.BODY, weight="bold")
    for i, line in enumerate(lines):
        column, row = divmod(i, rows)
        text = shorten(line, room - 10, style.BODY, ruler)
        write(ax, column * room, (row + 1.5) * STRIP_PT, text, size=style.BODY)


def key_shape(entries: int) -> tuple[int, int]:
    """Give the columns and rows of a key."""
    columns = min(3, max(1, -(-entries // 4)))
    return columns, -(-entries // columns)
