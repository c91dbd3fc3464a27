"""The cycles of the synthetic network, made of a step of a ramp and of what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from qi_equity.datasets._calibration import KNOWN
from qi_equity.datasets.learning_network import findings as found
from qi_equity.datasets.learning_network.drawn import Counts, random
from qi_equity.datasets.learning_network.findings import Findings
from qi_equity.datasets.learning_network.ramps import Step, before, ramp
from qi_equity.datasets.learning_network.scenario import IDEAS, PRINCIPLES, Idea
from qi_equity.datasets.learning_network.timeline import Timeline, moment
from qi_equity.pdsa.records.cycle import Cycle
from qi_equity.pdsa.records.equity import Equity
from qi_equity.pdsa.records.party import Party
from qi_equity.pdsa.records.steps import (
    Act,
    Do,
    HarmCheck,
    Plan,
    Prediction,
    Reached,
    Result,
    ScaleOfTest,
    Study,
    Task,
)

__all__ = ["Ramp", "cycles"]

Decision = Literal["adopt", "adapt", "abandon", "expand"]

_PLANNED_BEFORE, _DECIDED_AFTER = timedelta(days=3), timedelta(days=4)
_LATE = 2
_FEWEST_FOR_HARM = 50
_ANALYST = "Data analyst"


@dataclass(frozen=True, slots=True, eq=False)
class Ramp:
    """Where the cycles of one idea at one site stand."""

    prefix: str
    number: int
    site: int
    timeline: Timeline
    counts: Counts
    seed: int

    @property
    def idea(self) -> Idea:
        """The change idea."""
        return IDEAS[self.number]

    @property
    def start(self) -> date:
        """The day from which the change holds."""
        return self.timeline.day(self.timeline.start(self.site, self.number))

    def name_of(self, what: str) -> str:
        """Give the identifier of a record of the project."""
        return f"{self.prefix}.{what}"


def cycles(place: Ramp) -> tuple[Cycle, ...]:
    """Make the cycles of an idea at a site, as far as they had come on the last day."""
    steps = ramp(place.site, place.number)
    rng = np.random.default_rng(random(place.seed, place.site, place.number, 1))
    made = (_Maker(place, steps, i, rng) for i in range(len(steps)))
    return tuple(m.cycle() for m in made if m.planned <= place.timeline.last)


class _Maker:
    """Makes one cycle."""

    def __init__(self, place: Ramp, steps: tuple[Step, ...], i: int, rng: np.random.Generator) -> None:
        self.place, self.steps, self.step, self.number = place, steps, steps[i], i + 1
        self.idea = place.idea
        # An implementation starts with the month: it is a boundary on the charts.
        self.late = 0 if self.step.implements or self.step.from_the_end else _LATE * int(rng.random() < 0.25)
        self.begins = self._day(self.step.begins)
        self.ends = None if self.step.ends is None else self._day(self.step.ends)
        self.studied = self._day(self.step.studied)
        self.planned = self.begins - timedelta(days=self.late) - _PLANNED_BEFORE
        self.findings = self._findings(rng)
        self.shared = bool(rng.random() < 0.5)

    def _day(self, days: int) -> date:
        origin = self.place.timeline.last if self.step.from_the_end else self.place.start
        return origin + timedelta(days=days + self.late)

    def _findings(self, rng: np.random.Generator) -> Findings:
        place = self.place
        if self.step.reads == "outcome":
            return found.of_outcome(
                self.idea,
                place.counts,
                place.site,
                place.timeline,
                place.start,
                min(self.studied, place.timeline.last),
            )
        return found.of_process(rng, place.counts, place.site, place.timeline, self.step.people or 0)

    def cycle(self) -> Cycle:
        """Record the plan, and then each step as far as it had come on the last day."""
        idea, last = self.idea, self.place.timeline.last
        cycle = Cycle(
            id=self.place.name_of(self.step.key), shared=self.shared, recorded_by=idea.lead,
            recorded_at=moment(self.planned), name=f"Cycle {self.number}, {self.step.name}",
            idea=self.place.name_of(self._code()), purpose="implement" if self.step.implements else "test",
            previous=tuple(map(self.place.name_of, before(self.step, self.steps, self._dropped()))),
            plan=self._plan(), equity=self._equity(),
        )  # fmt: skip
        decided = self.studied + _DECIDED_AFTER
        if self.begins <= last:
            cycle = cycle.record(self._do(), by=idea.lead, at=moment(min(self.ends or self.begins, last)))
        if self.studied <= last:
            cycle = cycle.record(self._study(), by=_ANALYST, at=moment(self.studied))
        if decided <= last:
            cycle = cycle.record(self._act(decided), by=idea.lead, at=moment(decided))
        return cycle

    def _code(self) -> str:
        return self.idea.alternative.code if self.step.alternative else self.idea.code

    def _dropped(self) -> frozenset[str]:
        """Give the branches that others would lead on from, and do not here."""
        return frozenset(() if self.idea.interpreter_adopted else ("interpreter",))

    def _measure(self) -> str | None:
        return {"fit": None, "process": self.idea.process, "outcome": self.idea.measure}[self.step.reads]

    def _rows(self) -> list[int]:
        """Give which findings are predicted: all together, and every group that is known."""
        return [-1] if self.step.reads == "fit" else [-1, *range(KNOWN)]

    def _plan(self) -> Plan:
        idea, step, planned = self.idea, self.step, self.begins - timedelta(days=self.late)
        end = None if step.ends is None else planned + timedelta(days=step.ends - step.begins)
        return Plan(
            objective=f"{step.objective}: {self._what()}",
            questions=("Does it go as predicted?", "For whom does it work, and for whom not?"),
            predictions=tuple(self._prediction(row) for row in self._rows()),
            measures=(idea.measure, idea.process, idea.balancing),
            tasks=(
                Task(what="Brief the staff", who=idea.lead, when=self.planned, where=idea.place),
                Task(what="Collect the sheets", who="Ward clerk", when=end or planned, where=idea.place),
            ),
            data_plan=f"The ward clerk counts by ethnic group; the {_ANALYST.lower()} adds them up.",
            start=planned, end=end,
            scale=ScaleOfTest(
                size=step.size, people=step.people, belief=step.belief,
                consequence="major" if idea.key == "bleed" else "minor",
                readiness="ready" if step.belief == "high" else "indifferent",
            ),
        )  # fmt: skip

    def _what(self) -> str:
        if self.step.alternative:
            return self.idea.alternative.name
        return self.idea.interpreter if self.step.interpreter else self.idea.name

    def _prediction(self, row: int) -> Prediction:
        group, measure = self.findings.groups[row], self._measure()
        if measure is None:
            return Prediction(text="It can be done in the time there is")
        expected = float(self.findings.expected[row])
        if self.step.reads == "process":
            text = f"{found.told(group)}: done for three in four or more"
        else:
            text = (
                f"{found.told(group)}: {1 - self.idea.predicted:.0%} fewer {_adverse(self.idea)} than before"
            )
        return Prediction(
            text=text, group=group, measure=measure,
            expected=None if np.isnan(expected) else round(expected, 4),
        )  # fmt: skip

    def _do(self) -> Do:
        over = self.ends is not None and self.ends <= self.place.timeline.last
        known = over or self.studied <= self.place.timeline.last
        rows = range(-1, len(self.findings.groups) - 1)
        return Do(
            start=self.begins, end=self.ends if over else None, as_planned=self.late == 0,
            unplanned=f"It began {self.late} days late: staff were short." if self.late else "",
            observations=self.idea.heard if self.number > 1 else "",
            data_attached=known,
            reached=tuple(self._reached(row) for row in rows) if known else (),
        )  # fmt: skip

    def _reached(self, row: int) -> Reached:
        return Reached(group=self.findings.groups[row], people=int(self.findings.reached[row]))

    def _study(self) -> Study:
        return Study(
            date=self.studied, results=tuple(self._result(row) for row in self._rows()),
            comparison="" if self.step.reads == "fit" else f"{found.told(None)}: {self._counts(-1)}.",
            learning=self.step.learning, harm=self._harm(),
        )  # fmt: skip

    def _result(self, row: int) -> Result:
        if self.step.reads == "fit":
            return Result(matched="yes", text="It could be done in the time there was.")
        return Result(
            group=self.findings.groups[row], measure=self._measure(), matched=self.findings.matched[row],
            text=self._counts(row), events=int(self.findings.events[row]),
            denominator=int(self.findings.reached[row]),
        )  # fmt: skip

    def _counts(self, row: int) -> str:
        return f"{self.findings.events[row]:.0f} of {self.findings.reached[row]:.0f}"

    def _harm(self) -> tuple[HarmCheck, ...]:
        """Look for harm where there are people enough; in each group at some sites only, as teams do."""
        measure = self.idea.balancing
        if self.step.alternative:
            return (HarmCheck(measure=measure, found="seen", text="It took staff away from other work."),)
        if self.findings.reached[-1] < _FEWEST_FOR_HARM:
            return ()
        overall = HarmCheck(measure=measure, found="none seen")
        if self.step.reads != "outcome" or self.place.site % 3 == 0:
            return (overall,)
        groups = (
            HarmCheck(group=self.findings.groups[row], measure=measure, found=self._harm_of(row))
            for row in range(KNOWN)
        )
        return (overall, *groups)

    def _harm_of(self, row: int) -> Literal["none seen", "not yet visible", "not checked"]:
        if self.place.site % 3 == 1 and row % 2:
            return "not checked"
        return "none seen" if self.findings.reached[row] >= _FEWEST_FOR_HARM else "not yet visible"

    def _act(self, day: date) -> Act:
        decision, follows, reason = self._decision()
        known = zip(self.place.counts.groups[:KNOWN], self.findings.matched, strict=False)
        unseen = tuple(group for group, matched in known if matched == "not yet visible")
        return Act(date=day, decision=decision, follows=follows, reason=reason, not_yet_visible=unseen)

    def _decision(self) -> tuple[Decision, str, str]:
        step, matched = self.step, self.findings.matched[-1]
        if step.alternative:
            return step.decision, step.follows, self.idea.alternative.given_up
        if step.interpreter and not self.idea.interpreter_adopted:
            return (
                "abandon",
                "English only for now; money for translation is asked for",
                "No money for translation.",
            )
        if step.reads == "fit" or matched == "yes":
            return step.decision, step.follows, "The result matches the prediction."
        if step.reads == "process":
            return "adapt", "The same again after the sheet is made shorter", "It was missed too often."
        if matched == "no" and step.key == "reading":
            return "abandon", "Another idea is looked for", "Fewer women gained than predicted, if any."
        return (
            "adapt",
            "It goes on, and is read again with more months",
            "The result does not match the prediction yet.",
        )

    def _equity(self) -> Equity:
        place, day = self.place, min(self.begins, self.place.timeline.last)
        counts = place.counts
        return Equity(
            strata=counts.groups[:KNOWN], comparator="everyone else",
            comparator_reason="No group is the norm: each is set against all others of the site.",
            took_part=(_PARTIES[(place.site + self.number) % len(_PARTIES)],),
            principles=(PRINCIPLES[(place.site + self.number) % len(PRINCIPLES)],),
            completeness=found.completeness(counts, place.site, place.timeline.column(day)),
            completeness_on=day,
        )  # fmt: skip


_PARTIES = (
    Party(who="service user panel", how_many=4, recompensed="yes", how="vouchers"),
    Party(who="maternity support workers", how_many=3, recompensed="no", how="within their shift"),
    Party(who="interpreters", how_many=2, recompensed="yes", how="paid by the hour"),
    Party(who="women who took part in the test"),
)


def _adverse(idea: Idea) -> str:
    return "women who miss it" if idea.better == "increase" else "events"
