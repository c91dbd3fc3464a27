"""A Gantt chart in words: all cycles of a few, and of many what was implemented and what is still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from qi_equity.plot import _style as style
from qi_equity.plot._record_marks import MEETINGS
from qi_equity.plot._record_words import PLANNED, day, one_line, sign_of, span
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from qi_equity.pdsa.records.events import ActionPeriod, Meeting
    from qi_equity.plot._gantt_bars import Work

MOST_CYCLES = 60
_MOST_MEETINGS = 12
_SIGNS = (*(sign for sign in style.CYCLE_ENDS if sign != style.UNDECIDED), PLANNED)


def described(
    title: str, rows: Mapping[str, str], work: Sequence[Sequence[Work]], periods: Sequence[ActionPeriod],
    meetings: Sequence[Meeting],
) -> str:  # fmt: skip
    """Describe the figure: action periods and meetings, then each row with its cycles.

    Of more than 60 cycles the tests that were decided on are counted, and all others named: nobody listens
    to thousands of words.
    """
    lines = [f"{title}."]
    if periods:
        told = [f"{one_line(p.name)} ({span(p.start, p.end)})" for p in periods]
        lines.append(f"Action periods: {'; '.join(told)}.")
    lines += _meetings(meetings)
    many = sum(map(len, work)) > MOST_CYCLES
    for name, of in zip(rows.values(), work, strict=True):
        head = f"{one_line(name)}: {plural(len(of), 'cycle')}"
        lines += _counted(head, of) if many else [f"{head}.", *(f"{w.text()}." for w in of)]
    if many:
        lines.append("Each test is described in the figure of its site or project.")
    return "\n".join(lines)


def _meetings(meetings: Sequence[Meeting]) -> Iterator[str]:
    """Name the meetings of each kind, or count them where they are many."""
    for kind, (_, name) in MEETINGS.items():
        found = sorted((m for m in meetings if m.kind == kind), key=lambda m: m.date)
        if len(found) > _MOST_MEETINGS:
            days = plural(len({m.date for m in found}), "day")
            yield f"{len(found)} {name}s on {days}, {span(found[0].date, found[-1].date)}."
        elif found:
            told = [f"{one_line(m.title)} ({day(m.date)})" for m in found]
            yield f"{name.capitalize()}s: {'; '.join(told)}."


def _counted(head: str, work: Sequence[Work]) -> list[str]:
    """Count the cycles of a row by purpose and decision; name what was implemented and what is open."""
    if not work:
        return [f"{head}."]
    purposes = Counter(w.cycle.purpose for w in work)
    signs = Counter(sign_of(w.cycle) for w in work)
    counts = [plural(purposes["test"], "test"), plural(purposes["implement"], "implementation")]
    counts += [f"{signs[sign]} {sign}" for sign in _SIGNS if signs[sign]]
    named = [
        w for w in work if w.cycle.purpose == "implement" or sign_of(w.cycle) in (style.UNDER_WAY, PLANNED)
    ]
    return [f"{head}: {', '.join(counts)}.", *(f"{w.text()}." for w in named)]
