"""The parts of a cycle: Plan, Do, Study and Act, in the words of the usual worksheets."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from qi_equity.pdsa.records.fields import Count, Day, Name, Number, Text, YesNo, measure_name
from qi_equity.pdsa.records.graph import once
from qi_equity.pdsa.records.part import Part

__all__ = [
    "Act",
    "Do",
    "HarmCheck",
    "Plan",
    "Prediction",
    "Reached",
    "Result",
    "ScaleOfTest",
    "Study",
    "Task",
]


class Task(Part):
    """A task of a plan: what, who, when, where.

    Parameters
    ----------
    what : str
        What is to be done.
    who : str
        Person responsible; a role is enough.
    when : date, optional
        By when.
    where : str
        Where.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Task(what="Print the checklist", who="Ward clerk", when="2024-03-04").where
    ''
    """

    what: Name
    who: Text = ""
    when: Day | None = None
    where: Text = ""


class Prediction(Part):
    """What the team predicts will happen, overall or for one group.

    Parameters
    ----------
    text : str
        The prediction, in words.
    group : str, optional
        The group it is for, as in the data. Default: overall.
    measure : str, optional
        The measure it is about: an id of the catalogue such as ``"pph_1500"``, or a measure's name.
    expected : float, optional
        The value of the measure that is expected, unscaled: 0.06, not 6 %.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Prediction(text="Half as many haemorrhages", group="Black", expected=0.06).expected
    0.06
    """

    text: Name
    group: Name | None = None
    measure: Name | None = None
    expected: Number | None = None


class ScaleOfTest(Part):
    """How large a test is, and what that was decided by.

    Parameters
    ----------
    size : str
        The scale in words, such as "one clinic, five women".
    people : int, optional
        How many people it is meant to reach.
    belief : {"low", "high"}
        Degree of belief that the change is an improvement.
    consequence : {"minor", "major"}
        Consequence of failure.
    readiness : {"resistant", "indifferent", "ready"}, optional
        Readiness of those who are to carry it out.

    Notes
    -----
    Low belief and major consequences call for a very small test, high belief and major consequences for a
    small to medium one, minor consequences allow a larger one (Institute for Healthcare Improvement).

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.ScaleOfTest(size="one clinic, five women", people=5, belief="low", consequence="major").people
    5
    """

    size: Name
    people: Count | None = None
    belief: Literal["low", "high"]
    consequence: Literal["minor", "major"]
    readiness: Literal["resistant", "indifferent", "ready"] | None = None


class Plan(Part):
    """Plan: what is tested, what is predicted, and how it will be known.

    Parameters
    ----------
    objective : str
        Objective of the test.
    questions : tuple of str
        Questions that the test is to answer.
    predictions : tuple of Prediction
        Overall and by group, each group and measure at most once. A Do needs at least one.
    measures : tuple of str
        Measures of the project that will tell, by id of the catalogue or name. Default: all of the project.
    tasks : tuple of Task
        What, who, when, where.
    data_plan : str
        Who collects which data, when and where.
    start, end : date, optional
        When the test is planned.
    scale : ScaleOfTest, optional
        Scale of the test, with the degree of belief and the consequence of failure.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> plan = pdsa.Plan(objective="Weigh all blood loss", start="2024-03-04", end="2024-03-08")
    >>> plan.predictions
    ()
    """

    objective: Name
    questions: tuple[Name, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    measures: tuple[Name, ...] = ()
    tasks: tuple[Task, ...] = ()
    data_plan: Text = ""
    start: Day | None = None
    end: Day | None = None
    scale: ScaleOfTest | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end={self.end} is before start={self.start}")
        once("predictions", [about(p) for p in self.predictions])
        return self


class Reached(Part):
    """How many people a test reached, overall or of one group.

    Parameters
    ----------
    people : int
        How many.
    group : str, optional
        Of which group, as in the data. Default: overall.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Reached(group="Asian", people=4).people
    4
    """

    people: Count
    group: Name | None = None


class Do(Part):
    """Do: what was carried out, and what was observed.

    Parameters
    ----------
    start : date
        When the test began; for an implemented change, the day from which it holds.
    end : date, optional
        When it ended. Default: it goes on.
    as_planned : bool
        Whether the cycle was carried out as planned.
    unplanned : str
        What was observed that was not part of the plan.
    observations : str
        What was observed.
    data_attached : bool
        Whether data and observations are recorded and attached.
    reached : tuple of Reached
        How many people it reached, by group.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> reached = [pdsa.Reached(group="Black", people=3)]
    >>> pdsa.Do(start="2024-03-04", as_planned=True, reached=reached).reached[0].people
    3
    """

    start: Day
    end: Day | None = None
    as_planned: YesNo
    unplanned: Text = ""
    observations: Text = ""
    data_attached: YesNo = False
    reached: tuple[Reached, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end and self.end < self.start:
            raise ValueError(f"end={self.end} is before start={self.start}")
        once("reached", [r.group for r in self.reached])
        return self


class Result(Part):
    """What was found on one prediction.

    Parameters
    ----------
    matched : {"yes", "no", "not yet visible"}
        Whether the result matched the prediction; "not yet visible" where the data cannot tell yet.
    group, measure : str, optional
        Those of the prediction that it answers.
    text : str
        The result in words.
    events, denominator : int, optional
        The counts behind it.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Result(group="Black", matched="not yet visible", events=0, denominator=3).matched
    'not yet visible'
    """

    matched: Literal["yes", "no", "not yet visible"]
    group: Name | None = None
    measure: Name | None = None
    text: Text = ""
    events: Count | None = None
    denominator: Count | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.events is not None and self.denominator is not None and self.events > self.denominator:
            raise ValueError(f"events={self.events} is above denominator={self.denominator}")
        return self


class HarmCheck(Part):
    """Whether harm or another unintended effect was looked for in a group, and found.

    Parameters
    ----------
    found : {"none seen", "seen", "not yet visible", "not checked"}
        What was found.
    group : str, optional
        The group. Default: all together.
    measure : str, optional
        The balancing measure.
    text : str
        What was seen.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.HarmCheck(group="Asian", measure="Longer stay", found="none seen").found
    'none seen'
    """

    found: Literal["none seen", "seen", "not yet visible", "not checked"]
    group: Name | None = None
    measure: Name | None = None
    text: Text = ""


class Study(Part):
    """Study: the result against each prediction, and what was learned.

    Parameters
    ----------
    date : date
        When the results were studied.
    results : tuple of Result
        One for each prediction of the plan, with its group and measure.
    comparison : str
        The results compared with previous performance.
    learning : str
        What was learned.
    harm : tuple of HarmCheck
        Whether harm was looked for, by group.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Study(date="2024-03-11", results=[{"matched": "yes"}], learning="It fits the round").harm
    ()
    """

    date: Day
    results: tuple[Result, ...] = ()
    comparison: Text = ""
    learning: Name
    harm: tuple[HarmCheck, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        once("results", [about(r) for r in self.results])
        once("harm", [about(h) for h in self.harm])
        return self


class Act(Part):
    """Act: what was decided, and what follows.

    Parameters
    ----------
    date : date
        When it was decided.
    decision : {"adopt", "adapt", "abandon", "expand"}
        The decision.
    follows : str
        Adopt: how it is implemented and sustained. Adapt: the changes for the next test. Expand: where to.
        Abandon: which other change is tried instead.
    reason : str
        Why.
    not_yet_visible : tuple of str
        Groups whose evidence was not yet visible at the decision.
    stopped : date, optional
        Where an implemented change was abandoned: from when it is no longer done.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Act(date="2024-03-12", decision="adapt", follows="Scales in every room").decision
    'adapt'
    """

    date: Day
    decision: Literal["adopt", "adapt", "abandon", "expand"]
    follows: Name
    reason: Text = ""
    not_yet_visible: tuple[Name, ...] = ()
    stopped: Day | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.stopped and self.decision != "abandon":
            raise ValueError(f"stopped={self.stopped} needs decision='abandon', not {self.decision!r}")
        once("not_yet_visible", self.not_yet_visible)
        return self


def about(part: Prediction | Result | HarmCheck) -> tuple[str | None, str | None]:
    """Give what a prediction, a result or a harm check is about: its group and its measure, by name."""
    return part.group, None if part.measure is None else measure_name(part.measure)
