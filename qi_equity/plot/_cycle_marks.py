"""PDSA cycles as marks under the data: a bar from start to end, and the decision at its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.data import periods
from qi_equity.data.recorded_cycles import read_cycles
from qi_equity.data.series import StratifiedSeries
from qi_equity.plot import _cycle_words as words
from qi_equity.plot import _style as style
from qi_equity.plot._days import days
from qi_equity.plot._draw import Pen
from qi_equity.plot._glyphs import drawable
from qi_equity.plot._panels import edges_of
from qi_equity.plot._scales import ROW_PT
from qi_equity.plot._text import Ruler

if TYPE_CHECKING:
    from qi_equity.data.recorded_cycles import RecordedCycles

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_ROWS = 3
_SIGN_PT, _SHORTEST_PT, _APART_PT = 9.0, 2.5, 3.0
_WIDTHS = {"test": 1.8, "implement": 5.0}


@dataclass(frozen=True, slots=True)
class Bar:
    """A cycle under a panel; ``left``, ``right`` and ``sign_at`` are points from the left of the frame.

    ``sign`` is what stands at its end; empty for a cycle that goes on beyond the frame and ended there.
    """

    label: str
    purpose: str
    sign: str
    left: float
    right: float
    sign_at: float

    @property
    def until(self) -> float:
        """Where it ends with its sign."""
        return max(self.right, self.sign_at + _SIGN_PT / 2) if self.sign else self.right


@dataclass(frozen=True, slots=True)
class Lane:
    """The marks of one panel: its bars by row, how many more there are, and where the first of them is."""

    rows: tuple[tuple[Bar, ...], ...]
    hidden: int
    hidden_at: float


class CycleRows:
    """The cycles under the panels of a figure: what stands where, and what is said of them.

    Panels are those of ``strata``, in their order; they are ``width`` points wide, from ``xlim[0]`` to
    ``xlim[1]``. A period lies about its point, so a cycle is drawn from the part of its first period that had
    passed when it started to that of its last: with a phase that starts together with it. Without cycles
    (None) there are no marks, ``height`` is 0 and nothing is said. ``left_out`` tells what a panel without
    footnotes has to say itself: the cycles that are not marked, and the decisions that are not.
    """

    def __init__(
        self,
        series: StratifiedSeries,
        strata: pd.DataFrame,
        given: RecordedCycles | None,
        xlim: tuple[float, float],
        width: float,
    ) -> None:
        self.xlim, self.width, self.ruler = xlim, width, Ruler()
        self.height, self.lanes = 0.0, [Lane((), 0, 0.0)] * len(strata)
        self.footnotes: list[str] = []
        self.left_out: list[str] = []
        self.unmarked: list[str] = []
        self.texts: list[str] = []
        if given is not None:
            self._fill(series, strata, read_cycles(series, given))

    def _fill(self, series: StratifiedSeries, strata: pd.DataFrame, table: pd.DataFrame) -> None:
        knots, edges = _axis(series, self.xlim)
        first, last = table["start"].to_numpy("datetime64[us]"), table["end"].to_numpy("datetime64[us]")
        start, end = _days(first), _days(last) + 1.0
        outside = (start >= knots[-1]) | (end <= knots[0])
        left, right = (np.interp(d, knots, edges) for d in (start, end))
        scaled = self.width / (self.xlim[1] - self.xlim[0])
        left, right = ((v - self.xlim[0]) * scaled for v in (left, right))
        table = table.assign(left=left, right=right, later=end > knots[-1])
        drawable = ~outside & table["start"].notna().to_numpy(bool)
        fits = [of & drawable for of in _belongs(table, strata)]
        parts = [_once(table[fit]) for fit in fits]
        self.lanes = [_stack(map(self._bar, part.itertuples())) for part in parts]
        most = max((len(lane.rows) + (lane.hidden > 0) for lane in self.lanes), default=0)
        self.height = most * ROW_PT
        self.texts = [words.cycles_text(part) for part in parts]
        marked = np.logical_or.reduce(fits, initial=False) | np.zeros(len(table), dtype=np.bool_)
        self._say(series, strata, table, marked, outside)

    def _say(
        self,
        series: StratifiedSeries,
        strata: pd.DataFrame,
        table: pd.DataFrame,
        marked: Bools,
        outside: Bools,
    ) -> None:
        """Make the footnotes."""
        if not len(table):
            self.left_out = self.unmarked = [f"No PDSA cycle of {series.measure.name!r} is recorded"]
            self.footnotes = [f"{text}." for text in self.left_out]
            return
        keys = [c for c in _ONE if c != "group"]
        number = table.groupby(keys, dropna=False, sort=False).ngroup().to_numpy()
        rest = ~np.isin(number, number[marked])
        firsts = rest & ~table.assign(number=number)["number"].duplicated().to_numpy()
        parts = words.not_marked(table[firsts], strata, outside[firsts])
        if parts:
            self.unmarked = [f"PDSA cycles not marked: {'; '.join(parts)}"]
        later = words.ended_later(_once(table[marked & table["later"].to_numpy(bool)]))
        self.left_out = [*self.unmarked, *later]
        self.footnotes = [
            *([words.MEANING] if marked.any() else []),
            *([words.NO_ROOM] if any(lane.hidden for lane in self.lanes) else []),
            *(f"{text}." for text in self.left_out),
        ]

    def described(self, texts: Iterable[str]) -> str:
        """Join the descriptions of the panels, each with its cycles, and what no panel marks."""
        of_panels = [""] * len(self.texts) if self._alike else [f" {cycles}" for cycles in self.texts]
        told = list(texts)
        if of_panels:
            told = [text + cycles for text, cycles in zip(told, of_panels, strict=True)]
        return "\n".join([*told, *self._of_all()])

    def lines(self, names: Iterable[str]) -> list[str]:
        """Give the cycles of each panel, which is named, and what no panel marks; none without cycles."""
        if not self.texts or self._alike:
            return self._of_all()
        return [*(f"{name}: {text}" for name, text in zip(names, self.texts, strict=True)), *self._of_all()]

    @property
    def _alike(self) -> bool:
        """Whether all panels have the same cycles, which are then described once."""
        return len(self.texts) > 1 and len(set(self.texts)) == 1

    def _of_all(self) -> list[str]:
        shared = [f"Each panel: {self.texts[0]}"] if self._alike else []
        return [*shared, *(f"{text}." for text in self.unmarked)]

    def draw(self, pen: Pen, i: int) -> None:
        """Draw the marks of panel ``i`` in the rows that its scale keeps for them."""
        lane = self.lanes[i]
        bars = [(self._level(pen, row), bar) for row, of in enumerate(lane.rows) for bar in of]
        for purpose, label in style.CYCLE_BARS.items():
            some = [(y, bar) for y, bar in bars if bar.purpose == purpose]
            x = [self._date(v) for _, bar in some for v in (bar.left, bar.right, np.nan)]
            if x:
                pen.ax.plot(
                    x, [v for y, _ in some for v in (y, y, np.nan)], label=label, color=style.INK,
                    linewidth=_WIDTHS[purpose], linestyle="-", marker="None", solid_capstyle="butt",
                    zorder=3, clip_on=False,
                )  # fmt: skip
        for sign, label in style.CYCLE_ENDS.items():
            found = [(y, bar) for y, bar in bars if bar.sign == sign]
            pen.marks(
                np.array([self._date(bar.sign_at) for _, bar in found]),
                np.array([y for y, _ in found]),
                label=label, marker=style.CYCLE_MARKERS[sign], size=_SIGN_PT - 1, face="none", edge=style.INK,
                width=1.7,
            )  # fmt: skip
        for row, of in enumerate(lane.rows):
            for at, text in self._labels(of):
                self._write(pen, at, row, text)
        if lane.hidden:
            text = words.hidden_text(lane.hidden)
            room = self.width - self.ruler.width(text, style.SMALL)
            self._write(pen, min(lane.hidden_at, max(room, 0.0)), len(lane.rows), text)

    def _date(self, points: float) -> float:
        return self.xlim[0] + points / self.width * (self.xlim[1] - self.xlim[0])

    def _level(self, pen: Pen, row: int) -> float:
        """Give the middle of a row, of which the first is the highest."""
        return pen.scale.beside(pen.scale.bottom, pen.scale.marks + self.height - (row + 0.5) * ROW_PT)

    def _write(self, pen: Pen, at: float, row: int, text: str) -> None:
        pen.ax.annotate(
            text, (self._date(at), self._level(pen, row)), ha="left", va="center", fontsize=style.SMALL,
            color=style.INK, annotation_clip=False, parse_math=False, zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
        )  # fmt: skip

    def _labels(self, row: tuple[Bar, ...]) -> list[tuple[float, str]]:
        """Place the names for which a row has room: to the right of the mark, else to its left."""
        found, taken = [], 0.0
        for bar, following in zip(row, [*(b.left for b in row[1:]), self.width], strict=True):
            length = self.ruler.width(bar.label, style.SMALL)
            if bar.until + length + 2 * _APART_PT <= following:
                found.append((bar.until + _APART_PT, bar.label))
                taken = bar.until + _APART_PT + length
                continue
            if taken + length + 2 * _APART_PT <= bar.left:
                found.append((bar.left - _APART_PT - length, bar.label))
            taken = bar.until
        return found

    def _bar(self, cycle: Any) -> Bar:
        left, label = min(cycle.left, self.width - _SHORTEST_PT), drawable(cycle.label)
        if pd.isna(cycle.end):
            right, sign = self.width - _SIGN_PT / 2, words.sign_of(cycle)
            return Bar(label, cycle.purpose, sign, min(left, right - _SHORTEST_PT), right, right)
        right = max(cycle.right, left + _SHORTEST_PT)
        sign = "" if cycle.later else words.sign_of(cycle)
        at = min(right + _SIGN_PT / 2 + 1, self.width - _SIGN_PT / 2)
        return Bar(label, cycle.purpose, sign, left, right, at)


_ONE = ("cycle", "label", "start", "end", "site", "group", "purpose", "decision")


def _axis(series: StratifiedSeries, xlim: tuple[float, float]) -> tuple[Floats, Floats]:
    """Give dates (days), and where on the axis each lies; between them dates lie in proportion."""
    every: Any = series.every
    starts = periods.span(series.cells.dates, every)
    if series.measure.kind == "between" or not len(starts):
        return np.asarray(xlim), np.asarray(xlim)
    x = _days(starts)
    return np.append(x, _days(periods.end(starts[-1:], every)) + 1.0), edges_of(x)


def _days(stamps: NDArray[np.datetime64]) -> Floats:
    return days(pd.DatetimeIndex(stamps))


def _belongs(table: pd.DataFrame, strata: pd.DataFrame) -> list[Bools]:
    """Tell for each stratum which cycles are of its site and group; empty is all.

    Where strata have no sites, cycles are of them unless they name several.
    """
    kept = [c for c in ("site", "group") if c in strata]
    here = np.ones(len(table), dtype=np.bool_)
    if "site" not in strata and len(set(table["site"].dropna())) > 1:
        here = table["site"].isna().to_numpy(bool)
    found = []
    for key in strata[kept].astype(str).itertuples(index=False, name=None):
        of = [
            table[c].isna().to_numpy(bool) | (table[c] == v).to_numpy(bool)
            for c, v in zip(kept, key, strict=True)
        ]
        found.append(np.logical_and.reduce([here, *of]))
    return found


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """Keep one row a cycle: one that reached several groups has a row for each."""
    return table.drop_duplicates([c for c in _ONE if c not in ("site", "group")])


def _stack(bars: Iterable[Bar]) -> Lane:
    """Put bars into rows in which they do not touch: first those of implementation, each by their start."""
    rows: list[list[Bar]] = []
    hidden: list[Bar] = []
    for bar in sorted(bars, key=lambda b: (b.purpose != "implement", b.left)):
        fitting = (row for row in rows if all(_apart(bar, other) for other in row))
        row = next(fitting, None)
        if row is not None:
            row.append(bar)
        elif len(rows) < MOST_ROWS:
            rows.append([bar])
        else:
            hidden.append(bar)
    ordered = tuple(tuple(sorted(row, key=lambda b: b.left)) for row in rows)
    return Lane(ordered, len(hidden), min((b.left for b in hidden), default=0.0))


def _apart(one: Bar, other: Bar) -> bool:
    return one.left >= other.until + _APART_PT or other.left >= one.until + _APART_PT
