"""What the synthetic network works on: three change ideas, each on a measure of its own, and their words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from qi_equity.data.catalogue import measures
from qi_equity.datasets._calibration import Floats
from qi_equity.datasets._plan import HIGHER_IS_BETTER

__all__ = ["IDEAS", "PRINCIPLES", "Alternative", "Idea"]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another change idea for the same measure, which some sites try and give up."""

    code: str
    name: str
    description: str
    given_up: str


@dataclass(frozen=True, slots=True)
class Idea:
    """A change idea, what is planted for it, and the words that its records are made of.

    ``effect`` is planted, as births() takes it; ``predicted`` is the ratio of adverse rates that teams
    predict.
    """

    key: str
    code: str
    name: str
    description: str
    measure: str
    change: str | None
    effect: float | None
    predicted: float
    project: str
    problem: str
    lead: str
    who: str
    place: str
    process: str
    balancing: str
    primary: str
    secondary: str
    alternative: Alternative
    interpreter: str
    interpreter_adopted: bool
    heard: str

    @property
    def better(self) -> Literal["increase", "decrease"]:
        """Which way the measure is to go, as an aim says it."""
        return "increase" if self.measure in HIGHER_IS_BETTER else "decrease"

    @property
    def outcome(self) -> str:
        """Name of the measure."""
        return measures[self.measure].name

    def adverse(self, rate: Floats) -> Floats:
        """Give the adverse rate: of births without the event where more events are better."""
        return 1 - rate if self.better == "increase" else rate

    def improved(self, rate: Floats) -> Floats:
        """Give the rate that is predicted, from the one before."""
        return 1 - (1 - rate) * self.predicted if self.better == "increase" else rate * self.predicted

    def ratio(self, before: Floats, after: Floats) -> Floats:
        """Give the ratio of the adverse rates; below 1 is better."""
        return np.asarray(self.adverse(after) / self.adverse(before))


PRINCIPLES = (
    "Look at every group's data before a decision",
    "Decide together with women of the groups concerned",
    "Seek causes in care and in systems, not in women",
)

IDEAS = (
    Idea(
        key="bleed",
        code="weigh-and-call",
        name="Weigh all blood loss and call at 500 ml",
        description="Blood loss is weighed at every birth; at 500 ml the senior team is called.",
        measure="pph_1000",
        change="helps-all",
        effect=0.35,
        predicted=0.75,
        project="Fewer postpartum haemorrhages",
        problem="Losses of 1000 ml or more differ between ethnic groups, and are often seen late.",
        lead="Labour ward lead midwife",
        who="women giving birth",
        place="labour ward",
        process="Births with blood loss weighed",
        balancing="Emergency calls that were not needed",
        primary="Heavy loss is seen early",
        secondary="Loss is measured, not guessed",
        alternative=Alternative(
            code="picture-chart",
            name="Estimate blood loss with a picture chart",
            description="A chart with pictures of known amounts hangs in every room.",
            given_up="Estimates differed between readers as much as before.",
        ),
        interpreter="The call is explained to women and partners through an interpreter.",
        interpreter_adopted=True,
        heard="Partners asked what the scales were for.",
    ),
    Idea(
        key="glucose",
        code="text-reminder",
        name="Text message a week before the glucose test",
        description="A message in English is sent to the woman's own telephone, with date and place.",
        measure="gdm_screened",
        change="helps-majority",
        effect=0.3,
        predicted=0.8,
        project="No woman misses the glucose test",
        problem="Women for whom a test is due miss it, some ethnic groups more often than others.",
        lead="Diabetes specialist midwife",
        who="women due a glucose test",
        place="antenatal clinic",
        process="Messages that arrived a week ahead",
        balancing="Calls to the clinic about a message",
        primary="Every woman knows when her test is",
        secondary="Women are reminded in time",
        alternative=Alternative(
            code="reminder-letter",
            name="Letter a week before the glucose test",
            description="A letter in place of the message.",
            given_up="Letters came after the test as often as before it.",
        ),
        interpreter="The message is sent in the language the woman reads.",
        interpreter_adopted=False,
        heard="Women who read little English asked what the message said.",
    ),
    Idea(
        key="early",
        code="signs-poster",
        name="Poster on early signs of labour in waiting rooms",
        description="A poster says which signs to ring about, and the number.",
        measure="preterm_birth",
        change=None,
        effect=None,
        predicted=0.8,
        project="Fewer preterm births",
        problem="Preterm birth differs between ethnic groups, and women come late with early signs.",
        lead="Community lead midwife",
        who="women in antenatal care",
        place="community clinic",
        process="Women asked who could name the signs",
        balancing="Visits to triage without signs of labour",
        primary="Early signs are acted on",
        secondary="Women know which signs to ring about",
        alternative=Alternative(
            code="signs-film",
            name="Short film on early signs of labour",
            description="A film of two minutes runs in the waiting room.",
            given_up="Few women were in the room for long enough to see it.",
        ),
        interpreter="The poster is put up in four further languages.",
        interpreter_adopted=True,
        heard="Women looked at their telephones, not at the wall.",
    ),
)
