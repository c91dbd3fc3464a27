"""Records of PDSA cycles in words, cut to the room there is: when, how many people, what was found."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, cast

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.plot import _style as style
from qi_equity.plot._glyphs import drawable
from qi_equity.plot._text import Ruler
from qi_equity.plot._words import MONTHS
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.pdsa.records.charter import ChangeIdea
    from qi_equity.pdsa.records.cycle import Cycle
    from qi_equity.pdsa.records.network import Network, Site
    from qi_equity.pdsa.records.project import Project

PLANNED = "planned"
PURPOSES = {"test": "test", "implement": "implementation"}
_MOST_NAMED, _LONGEST = 6, 60
# No letter of the font is narrower than this share of its size.
_NARROWEST = 0.2


def projects_of(argument: str, records: Project | Site | Network) -> tuple[Project, ...]:
    """Give the projects of what holds some, or of a project itself.

    Raises
    ------
    InputTypeError
        If it is none of them.
    """
    found = getattr(records, "projects", None)
    if isinstance(found, tuple):
        return found
    if hasattr(records, "cycles") and hasattr(records, "ideas"):
        return (cast("Project", records),)
    raise InputTypeError(
        f"{argument}={records!r:.80} is of type {type(records).__name__}; "
        "give a Project, a Site or a Network of qi_equity.pdsa."
    )


def chosen_ideas(projects: Iterable[Project], idea: str | None) -> list[tuple[Project, ChangeIdea]]:
    """Give the change ideas of projects, or those that a network-wide code or an identifier names.

    Raises
    ------
    OptionError
        If no idea has that code or identifier.
    """
    ideas = [(project, one) for project in projects for one in project.ideas]
    if idea is None:
        return ideas
    names = dict.fromkeys(name for _, one in ideas for name in (one.network_code, one.id))
    if not names:
        raise OptionError(f"idea={idea!r} is not there: no change idea is recorded; put a ChangeIdea first.")
    _validate.one_of("idea", idea, tuple(names))
    return [(project, one) for project, one in ideas if idea in (one.network_code, one.id)]


def one_line(text: str) -> str:
    """Put a text of people on one line."""
    return " ".join(text.split())


def shorten(text: str, room: float, size: float, ruler: Ruler) -> str:
    """Put a text of people on one line, and cut it to the room (points)."""
    whole = _enough(text, room, size)
    if ruler.width(whole, size) <= room:
        return whole
    kept = whole[: _fitting(whole, room, size, ruler, "normal", end="…")].rstrip()
    return f"{kept}…" if kept else ""


def clip(
    text: str, room: float, lines: int, size: float, ruler: Ruler, *, weight: str = "normal"
) -> list[str]:
    """Wrap a text of people to the room (points), words that are too long also; more lines are cut off."""
    whole = _enough(text, lines * room, size)
    parts = [part for word in whole.split(" ") for part in _broken(word, room, size, ruler, weight)]
    wrapped = ruler.wrap(parts, room, size, weight=weight)
    if len(wrapped) <= lines:
        return wrapped
    last = wrapped[lines - 1]
    last = last[: _fitting(last, room, size, ruler, weight, end="…")].rstrip()
    return [*wrapped[: lines - 1], f"{last}…"]


def _fitting(text: str, room: float, size: float, ruler: Ruler, weight: str, *, end: str = "") -> int:
    """Give how many letters fit the room together with an end; halving needs few measurements."""
    return bisect_right(
        range(1, len(text) + 1), room, key=lambda n: ruler.width(f"{text[:n].rstrip()}{end}", size, weight)
    )


def _enough(text: str, room: float, size: float) -> str:
    """Keep as much of a long text as could ever fit, because measuring the rest takes its time."""
    whole, most = drawable(text), int(room / (size * _NARROWEST)) + 1
    return whole if len(whole) <= most else f"{whole[:most].rstrip()}…"


def _broken(word: str, room: float, size: float, ruler: Ruler, weight: str) -> list[str]:
    """Break a word that does not fit a line."""
    parts = []
    while ruler.width(word, size, weight) > room and len(word) > 1:
        fits = max(1, _fitting(word, room, size, ruler, weight))
        parts.append(word[:fits])
        word = word[fits:]
    return [*parts, word] if word else parts


def brief(text: str) -> str:
    """Cut a text of people for a footnote or a title."""
    whole = drawable(text)
    return whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 1].rstrip()}…"


def some_of(names: Iterable[str]) -> str:
    """Name a few, and count the others."""
    distinct = list(dict.fromkeys(map(brief, names)))
    more = len(distinct) - _MOST_NAMED
    return "; ".join([*distinct[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])


def day(when: date) -> str:
    """Write a day: 4 Mar 2024."""
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def span(start: date, end: date) -> str:
    """Write from when to when, with what both have in common once: 4 to 13 Mar 2024."""
    parts = day(start).split(" ")
    if start.year == end.year:
        parts = parts[:1] if start.month == end.month else parts[:2]
    return day(end) if start == end else f"{' '.join(parts)} to {day(end)}"


def when_of(cycle: Cycle) -> str:
    """Say when a cycle was, or is to be."""
    start, end = cycle.start, cycle.end
    if not cycle.do:
        start, end = cycle.plan.start, cycle.plan.end
    if start is None:
        return "no date recorded" if end is None else f"{PLANNED} until {day(end)}"
    if cycle.do:
        return f"from {day(start)}" if end is None else span(start, end)
    return f"{PLANNED} for {day(start) if end is None else span(start, end)}"


def reached_of(cycle: Cycle) -> str:
    """Say how many people a cycle reached, or is to reach; empty where it is not recorded."""
    reached = cycle.do.reached if cycle.do else ()
    if reached:
        # The overall number counts people of all groups; without it the groups are summed.
        overall = [r.people for r in reached if r.group is None]
        people = overall[0] if overall else sum(r.people for r in reached)
        return f"{plural(people, 'person', 'people')} reached"
    meant = cycle.plan.scale.people if cycle.plan.scale else None
    return "" if meant is None else f"meant for {plural(meant, 'person', 'people')}"


def sign_of(cycle: Cycle) -> str:
    """Give what stands for how far a cycle is: its decision, that it is under way, or that it is planned."""
    if cycle.act:
        return cycle.act.decision
    return style.UNDER_WAY if cycle.do else PLANNED


def results_of(cycle: Cycle) -> list[tuple[str, str]]:
    """Give for each prediction that was studied whether it matched, and whom or what it is about."""
    results = cycle.study.results if cycle.study else ()
    several = len({r.measure for r in results}) > 1
    return [
        (r.matched, " · ".join([r.group or "overall", *([r.measure] if several and r.measure else [])]))
        for r in results
    ]


def predicted(cycle: Cycle) -> str:
    """Count the predictions of a cycle that was not yet studied."""
    count = len(cycle.plan.predictions)
    return f"{plural(count, 'prediction')}, not yet studied" if count else "no prediction recorded"


def told(cycle: Cycle, *, counted: bool = False) -> str:
    """Describe a cycle: purpose, dates, scale, predictions and results, decision with what follows.

    Results are named with whom they are about, or ``counted``.
    """
    scale = cycle.plan.scale.size if cycle.plan.scale else ""
    parts = [PURPOSES[cycle.purpose], one_line(scale), reached_of(cycle), when_of(cycle)]
    found = results_of(cycle)
    results = [f"{one_line(label)}: {matched}" for matched, label in found]
    if counted:
        results = [f"{matched} {n}" for matched, n in Counter(matched for matched, _ in found).items()]
    parts.append(f"prediction matched: {', '.join(results)}" if results else predicted(cycle))
    decided = f"{sign_of(cycle)} ({one_line(cycle.act.follows)})" if cycle.act else sign_of(cycle)
    return f"{one_line(cycle.name)} ({'; '.join(p for p in parts if p)}): {decided}"
