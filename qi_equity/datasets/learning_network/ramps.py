"""The ramps of tests of the synthetic network: which cycles a site runs for an idea, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["STEPS", "Step", "before", "ramp"]


@dataclass(frozen=True, slots=True)
class Step:
    """A kind of cycle; days are counted from the day the change is implemented, or from the last day.

    ``begins`` and ``ends`` are the days of the Do; ``ends`` is None where it goes on. ``reads`` says what the
    predictions are about: whether the test can be done ("fit"), the process measure, or the outcome.
    """

    key: str
    name: str
    objective: str
    size: str
    people: int | None
    begins: int
    ends: int | None
    studied: int
    reads: Literal["fit", "process", "outcome"]
    belief: Literal["low", "high"]
    after: tuple[str, ...]
    decision: Literal["adopt", "adapt", "abandon", "expand"]
    follows: str
    learning: str
    implements: bool = False
    alternative: bool = False
    interpreter: bool = False
    from_the_end: bool = False


STEPS = {
    step.key: step
    for step in (
        Step("first", "first test", "Find out whether it can be done", "1 member of staff, 1 shift, 5 women",
             5, -84, -80, -78, "fit", "low", (), "adapt", "The sheet is shortened, then 25 women",
             "It fits the work; the sheet was too long."),
        Step("other", "another way", "Compare another way of doing it", "1 shift, 10 women",
             10, -75, -70, -68, "process", "low", ("first",), "abandon", "The first way is tested further",
             "It took more time than the first way.", alternative=True),
        Step("larger", "more women", "See whether it holds with more women and staff", "1 team, 25 women",
             25, -66, -56, -54, "process", "low", ("first",), "expand", "Nights and weekends",
             "Staff who had not been asked found it by the second day."),
        Step("interpreter", "with interpreters", "See whether it works for women who need an interpreter",
             "1 clinic, 15 women", 15, -62, -50, -47, "process", "low", ("first",), "expand",
             "It becomes part of the test of the whole unit", "Booking the interpreter was the hard part.",
             interpreter=True),
        Step("nights", "nights and weekends", "See whether it holds under other conditions",
             "2 teams, nights and weekends, 60 women", 60, -48, -36, -33, "process", "high", ("larger",),
             "expand", "The whole unit for two weeks", "It was missed when the unit was full."),
        Step("unit", "whole unit", "See whether the whole unit can do it", "whole unit, 2 weeks, 150 women",
             150, -28, -14, -11, "process", "high", ("nights", "larger", "interpreter"), "adopt",
             "It becomes the rule from the first of the next month", "It held when staff changed."),
        Step("implement", "whole site", "Make it the rule for all", "whole site", None, 0, None, 123,
             "outcome", "high", ("unit", "nights", "larger"), "adopt",
             "Part of induction; read each month by group", "It is done also where nobody watches.",
             implements=True),
        Step("induction", "induction of new staff", "See whether new staff keep to it",
             "new staff of 1 month, 40 women", 40, 150, 178, 182, "process", "high", ("implement",), "adopt",
             "Part of induction; looked at twice a year", "New staff asked why, and then did it."),
        Step("community", "further clinics", "See whether it holds outside the first unit",
             "3 further clinics, 80 women", 80, 210, 238, 245, "process", "high", ("implement",), "adapt",
             "The clinics write their own sheet", "The clinics have other hours and other staff."),
        Step("reading", "by group, longer", "See what can be told of each group with more months",
             "whole site", None, 190, 282, 290, "outcome", "high", ("implement",), "expand",
             "All sites read it together", "With more months more groups can be seen, others still not."),
        Step("voices", "what women say", "Ask women how it was for them", "1 week, 20 women", 20, -25, 10, 14,
             "process", "high", ("implement",), "adapt", "The words are changed", "Women were not told why.",
             from_the_end=True),
        Step("partners", "partners", "Tell partners too", "1 shift, 12 women", 12, -12, -4, -2, "process",
             "high", ("implement",), "adapt", "The words are changed", "Partners had other questions.",
             from_the_end=True),
        Step("students", "students", "Let students do it", "1 shift, 12 women", 12, 2, 9, 12, "process",
             "high", ("implement",), "adapt", "Students are briefed first", "Students asked for a sheet.",
             from_the_end=True),
    )
}  # fmt: skip

_RAMPS = (
    ("first", "larger", "nights", "implement", "reading"),
    ("first", "other", "larger", "nights", "implement", "community"),
    ("first", "larger", "interpreter", "unit", "implement", "reading"),
    ("first", "larger", "implement", "induction"),
    ("first", "other", "larger", "interpreter", "unit", "implement", "induction"),
)
# Under way on the last day: carried out and not studied, studied and not decided, planned.
_UNDER_WAY = ("voices", "partners", "students")
_EVERY_FOURTH = 4


def ramp(site: int, idea: int) -> tuple[Step, ...]:
    """Give the cycles that a site runs for an idea, in the order in which they begin."""
    keys = _RAMPS[(site + 2 * idea) % len(_RAMPS)]
    if (site + idea) % _EVERY_FOURTH == 0:
        keys = (*keys, _UNDER_WAY[(site + idea) // _EVERY_FOURTH % len(_UNDER_WAY)])
    return tuple(STEPS[key] for key in keys)


def before(step: Step, steps: tuple[Step, ...], dropped: frozenset[str]) -> tuple[str, ...]:
    """Give the keys of the cycles that led to one, without dropped branches and what led to the others."""
    there = {s.key: s for s in steps if s.key not in dropped}
    found = [key for key in step.after if key in there]
    return tuple(key for key in found if not any(key in there[other].after for other in found))
