"""Cycles as bars over time: when each was, how far it is, and in which lane of its row it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from qi_equity.plot import _style as style
from qi_equity.plot._record_words import PLANNED, one_line, sign_of, when_of
from qi_equity.plot._text import Ruler

if TYPE_CHECKING:
    from qi_equity.pdsa.records.charter import ChangeIdea
    from qi_equity.pdsa.records.cycle import Cycle
    from qi_equity.pdsa.records.project import Project

SIGN_PT, APART_PT = 8.0, 2.5
_SHORTEST_PT = 3.0


@dataclass(frozen=True, slots=True)
class Work:
    """A cycle with its site and its change idea."""

    site: str
    idea: ChangeIdea
    cycle: Cycle

    @property
    def start(self) -> date | None:
        """When it began or is to begin."""
        return self.cycle.start

    @property
    def end(self) -> date | None:
        """When it was decided on, or is to end if it is only planned; None while it is under way."""
        if self.cycle.do:
            return self.cycle.end
        return self.cycle.plan.end or self.cycle.plan.start

    def text(self) -> str:
        """Describe it."""
        kind = "implementation" if self.cycle.purpose == "implement" else "test"
        name, idea = one_line(self.cycle.name), one_line(self.idea.name)
        return f"{name} of {idea!r} ({kind}, {when_of(self.cycle)}): {sign_of(self.cycle)}"


def work_of(projects: Iterable[Project]) -> list[Work]:
    """Give all cycles of projects."""
    found = []
    for project in projects:
        ideas = {idea.id: idea for idea in project.ideas}
        found += [Work(project.site, ideas[cycle.idea], cycle) for cycle in project.cycles]
    return found


@dataclass(frozen=True, slots=True)
class Bar:
    """A cycle as it is drawn; ``left`` and ``right`` are points, ``lane`` counts from the top of its row."""

    work: Work
    number: str
    left: float
    right: float
    number_width: float
    lane: int = 0

    @property
    def sign(self) -> str:
        """What stands at its end."""
        return sign_of(self.work.cycle)

    @property
    def inside(self) -> bool:
        """Whether the number has room within the bar."""
        return self.right - self.left >= self.number_width + 3

    @property
    def first(self) -> float:
        """Where its number or its bar starts."""
        return self.left - (0.0 if self.inside or not self.number else self.number_width + 2)

    @property
    def last(self) -> float:
        """Where it ends with its mark."""
        return self.right + (0.0 if self.sign in (PLANNED, style.UNDER_WAY) else SIGN_PT + 1)


def make_bar(
    work: Work, start: date, number: str, at: Callable[[date], float], end: float, ruler: Ruler
) -> Bar:
    """Place a cycle by its start; one that is under way goes on to the ``end`` of the axis."""
    left = at(start)
    right = end if work.end is None else max(at(work.end), left + _SHORTEST_PT)
    width = ruler.width(number, style.SMALL) if number else 0.0
    return Bar(work, number, min(left, right - _SHORTEST_PT), right, width)


def pack(bars: Sequence[Bar]) -> list[Bar]:
    """Put bars into lanes in which they do not touch; cycles of one idea keep to a lane where they can."""
    lanes: list[Bar] = []
    placed = []
    for bar in sorted(bars, key=lambda b: (b.first, b.last)):
        free = [k for k, last in enumerate(lanes) if last.last + APART_PT <= bar.first]
        own = [k for k in free if lanes[k].number == bar.number]
        lane = (own or free or [len(lanes)])[0]
        lanes[lane : lane + 1] = [bar]
        placed.append(replace(bar, lane=lane))
    return placed
