"""A ramp: cycles in order on a slope, their links above it, their words below it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.patches import Circle, PathPatch, Polygon
from matplotlib.path import Path

from qi_equity.plot import _record_words as words
from qi_equity.plot import _style as style
from qi_equity.plot._record_marks import (
    MATCHED,
    clear,
    explain,
    explain_decisions,
    explain_results,
    mark,
    mark_decision,
    write,
)
from qi_equity.plot._record_words import PLANNED, clip, results_of, shorten, sign_of
from qi_equity.plot._text import Ruler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qi_equity.pdsa.records.cycle import Cycle

STEP_PT, EDGE_PT = 47.0, 6.0
_LINE_PT, _RADIUS, _TEXT_PT, _RISE_PT, _SHARE = 12.0, 10.5, 16.0, 32.0, 0.26
_LABEL_PT, _MOST_PT = 110.0, 600.0
_GROUND = "#f3f5f7"


def in_order(cycles: Sequence[Cycle]) -> list[Cycle]:
    """Put each cycle after those that led to it; where the links leave it open, by start and as recorded."""
    place = {cycle.id: i for i, cycle in enumerate(cycles)}
    waits = {c.id: {p for p in c.previous if p in place} for c in cycles}
    ready = [(c.start or date.max, place[c.id]) for c in cycles if not waits[c.id]]
    heapq.heapify(ready)
    found = []
    while ready:
        now = cycles[heapq.heappop(ready)[1]]
        found.append(now)
        for later in cycles:
            if now.id in waits[later.id]:
                waits[later.id].remove(now.id)
                if not waits[later.id]:
                    heapq.heappush(ready, (later.start or date.max, place[later.id]))
    return found


def height_of(cycles: int) -> float:
    """Give the height of a ramp in points."""
    return cycles * STEP_PT + 2 * EDGE_PT


@dataclass(frozen=True, slots=True)
class Ramp:
    """The cycles of one change idea in order, in a panel of ``width`` by ``height`` points.

    ``elsewhere`` names the cycles of other ideas that led to some of these, by their identifiers.
    """

    cycles: tuple[Cycle, ...]
    elsewhere: Mapping[str, str]
    width: float
    height: float

    def x(self, i: int) -> float:
        """Give where cycle ``i`` stands, from the left."""
        steps = max(len(self.cycles) - 1, 1)
        return _RADIUS + 3 + i * min(_RISE_PT, _SHARE * self.width / steps)

    def y(self, i: int) -> float:
        """Give where cycle ``i`` stands, from the bottom; the last stands at the top of the panel."""
        return self.height - EDGE_PT - (len(self.cycles) - i - 0.5) * STEP_PT

    def draw(self, ax: Axes, ruler: Ruler) -> None:
        """Draw it into an Axes."""
        clear(ax, self.width, 0, self.height)
        self._ground(ax)
        place = {cycle.id: i for i, cycle in enumerate(self.cycles)}
        for i, cycle in enumerate(self.cycles):
            for before in (place[p] for p in cycle.previous if p in place):
                self._link(ax, before, i)
        for i, cycle in enumerate(self.cycles):
            self._node(ax, i, cycle)
            self._words(ax, i, cycle, ruler)
        self._explain(ax)

    def _ground(self, ax: Axes) -> None:
        """Lay the slope under the cycles."""
        last = len(self.cycles) - 1
        half = STEP_PT / 2
        corners = [
            (self.x(0), self.y(0) - half), (self.x(0), self.y(0)), (self.x(last), self.y(last)),
            (self.x(last), self.y(last) + half), (self.width, self.y(last) + half),
            (self.width, self.y(0) - half),
        ]  # fmt: skip
        ax.add_patch(Polygon(corners, facecolor=_GROUND, edgecolor="none", zorder=0.5))

    def _link(self, ax: Axes, before: int, after: int) -> None:
        """Draw a curve from one cycle up to a later one, above all cycles between them."""
        x0, y0, x1, y1 = self.x(before), self.y(before), self.x(after), self.y(after)
        tip = x1 - _RADIUS - 2
        path = Path([(x0, y0), (x0, y1), (tip, y1)], [1, 3, 3])
        ax.add_patch(PathPatch(path, facecolor="none", edgecolor=style.MUTED, linewidth=1.5, zorder=2))
        mark(ax, tip - 0.5, y1, ">", "_link", size=4.5, face=style.MUTED, width=0)

    def _node(self, ax: Axes, i: int, cycle: Cycle) -> None:
        sign, full = sign_of(cycle), cycle.purpose == "implement"
        planned = sign == PLANNED
        disc = Circle(
            (self.x(i), self.y(i)), _RADIUS, zorder=4, linewidth=1.6, edgecolor=style.INK,
            facecolor=style.INK if full and not planned else "white",
            linestyle=(0, (2.2, 1.6)) if planned else "-", label=f"_node {cycle.id}",
        )  # fmt: skip
        ax.add_patch(disc)
        mark_decision(ax, self.x(i), self.y(i), sign, size=9.5, colour="white" if full else style.INK)

    def _words(self, ax: Axes, i: int, cycle: Cycle, ruler: Ruler) -> None:
        """Write name with decision, scale with people reached and dates, and the results."""
        left = self.x(i) + _TEXT_PT
        room, y = self._room(i), self.y(i)
        decision = f": {sign_of(cycle)}"
        name = clip(
            cycle.name, room - ruler.width(decision, style.BODY, "bold"), 1, style.BODY, ruler, weight="bold"
        )
        title = name[0] + decision
        write(ax, left, y + _LINE_PT, title, size=style.BODY, weight="bold")
        others = [self.elsewhere[p] for p in cycle.previous if p in self.elsewhere]
        if others:
            at = left + ruler.width(title, style.BODY, "bold") + 6
            after = shorten(f"after {' and '.join(others)}", self.width - 4 - at, style.SMALL, ruler)
            write(ax, at, y + _LINE_PT, after, colour=style.MUTED)
        scale, facts = _facts(cycle)
        # The scale is cut before the dates are.
        left_over = max(room - ruler.width(f" · {facts}", style.SMALL), 0.0)
        shown = [text for text in (shorten(scale, left_over, style.SMALL, ruler), facts) if text]
        write(ax, left, y, shorten(" · ".join(shown), room, style.SMALL, ruler))
        self._results(ax, left, y - _LINE_PT, cycle, ruler)

    def holds_all(self, ruler: Ruler) -> bool:
        """Tell whether each cycle has room for its scale, people, dates and results."""
        return all(self._room(i) >= _wanted(cycle, ruler) for i, cycle in enumerate(self.cycles))

    def _room(self, i: int) -> float:
        return self.width - self.x(i) - _TEXT_PT - 4

    def _results(self, ax: Axes, left: float, y: float, cycle: Cycle, ruler: Ruler) -> None:
        """Write whom each prediction was about, with the mark of its result, as far as there is room."""
        results = results_of(cycle)
        if not results:
            write(ax, left, y, words.predicted(cycle), colour=style.MUTED)
        for k, (matched, label) in enumerate(results):
            marker, face, _ = MATCHED[matched]
            short = shorten(label, _LABEL_PT, style.SMALL, ruler)
            rest = f"and {len(results) - k} more"
            later = 0.0 if k + 1 == len(results) else ruler.width(rest, style.SMALL) + 8
            until = left + 12 + ruler.width(short, style.SMALL)
            if until + later > self.width - 4:
                write(ax, left, y, rest, colour=style.MUTED)
                break
            mark(ax, left + 4, y, marker, "_result", size=6.5, face=face)
            write(ax, left + 12, y, short)
            left = until + 8

    def _explain(self, ax: Axes) -> None:
        """Make the entries of the legend."""
        explain_results(ax, {matched for c in self.cycles for matched, _ in results_of(c)})
        signs = {sign_of(c) for c in self.cycles}
        carried_out = {c.purpose for c in self.cycles if c.do}
        for purpose, face in (("test", "white"), ("implement", style.INK)):
            if purpose in carried_out:
                explain(ax, style.CYCLE_BARS[purpose], "o", size=9.0, face=face)
        if PLANNED in signs:
            explain(ax, style.CYCLE_PLANNED, dashed_ring(), size=9.0)
        explain_decisions(ax, signs)


def _facts(cycle: Cycle) -> tuple[str, str]:
    """Give the scale of a cycle, and its people and dates."""
    scale = words.one_line(cycle.plan.scale.size) if cycle.plan.scale else "scale not recorded"
    return scale, " · ".join(f for f in (words.reached_of(cycle), words.when_of(cycle)) if f)


def _wanted(cycle: Cycle, ruler: Ruler) -> float:
    """Give the width of all that is written of a cycle under its name, in points."""
    labels = [shorten(label, _LABEL_PT, style.SMALL, ruler) for _, label in results_of(cycle)]
    results = sum(ruler.width(label, style.SMALL) + 20 for label in labels) - 8
    return max(
        ruler.width(shorten(" · ".join(_facts(cycle)), _MOST_PT, style.SMALL, ruler), style.SMALL), results
    )


def dashed_ring() -> Path:
    """Give a marker like a ring in dashes."""
    parts = [Path.arc(start, start + 30) for start in range(0, 360, 45)]
    return Path.make_compound_path(*parts)
