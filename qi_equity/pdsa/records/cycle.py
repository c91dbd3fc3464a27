"""A PDSA cycle: one test of one change idea, from its plan to the decision."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from qi_equity.errors import InputTypeError
from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.records.equity import Equity
from qi_equity.pdsa.records.fields import Identifier, Name
from qi_equity.pdsa.records.steps import Act, Do, Plan, Study, about

__all__ = ["Cycle"]


class Cycle(Record):
    """A Plan-Do-Study-Act cycle: one test of one change idea, or its implementation.

    The life cycle is kept: no Do without a prediction, no Study without a Do, no Act without a Study that
    answers every prediction; dates in order.

    Parameters
    ----------
    name : str
        Short name, such as "Cycle 3".
    idea : str
        Identifier of the change idea it tests.
    purpose : {"test", "implement"}
        Whether it tests a change or implements it.
    previous : tuple of str
        Identifiers of the cycles that led to this one; cycles branch and merge.
    plan : Plan
        The plan.
    do, study, act : Do, Study and Act, optional
        The further steps, as far as they have come.
    equity : Equity
        For whom it is watched, and who took part.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(
    ...     objective="Weigh all blood loss", predictions=[pdsa.Prediction(text="All births weighed")]))
    >>> cycle.status
    'planned'
    """

    linked: ClassVar[tuple[tuple[str, str], ...]] = (
        ("plan.predictions.group", "study.results.group"),
        ("plan.predictions.measure", "study.results.measure"),
    )

    name: Name
    idea: Identifier
    purpose: Literal["test", "implement"] = "test"
    previous: tuple[Identifier, ...] = ()
    plan: Plan
    do: Do | None = None
    study: Study | None = None
    act: Act | None = None
    equity: Equity = Equity()

    @property
    def status(self) -> Literal["planned", "done", "studied", "decided"]:
        """The last step that is recorded.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Weigh")).status
        'planned'
        """
        if self.act:
            return "decided"
        if self.study:
            return "studied"
        return "done" if self.do else "planned"

    @property
    def start(self) -> date | None:
        """When it began, or is planned to begin.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> plan = pdsa.Plan(objective="Weigh all blood loss", start="2024-03-04")
        >>> pdsa.Cycle(name="Cycle 1", idea="weigh", plan=plan).start.isoformat()
        '2024-03-04'
        """
        return self.do.start if self.do else self.plan.start

    @property
    def end(self) -> date | None:
        """When it was decided on; None while it is under way.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> plan = pdsa.Plan(objective="Weigh all blood loss", start="2024-03-04", end="2024-03-08")
        >>> pdsa.Cycle(name="Cycle 1", idea="weigh", plan=plan).end is None
        True
        """
        return self.act.date if self.act else None

    def record(
        self, step: Do | Study | Act, *, by: str, reason: str = "", at: datetime | None = None
    ) -> Self:
        """Record the next step, or correct one, as a new version.

        Parameters
        ----------
        step : Do, Study or Act
            The step.
        by : str
            Who records it.
        reason : str
            Why, for a correction.
        at : datetime, optional
            When, with time zone. Default: now.

        Returns
        -------
        Cycle
            The next version.

        Raises
        ------
        InputTypeError
            If it is none of the steps.
        DataError
            If the step before it is missing, or it does not fit the others.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(
        ...     objective="Weigh all blood loss", predictions=[pdsa.Prediction(text="All births weighed")]))
        >>> cycle.record(pdsa.Do(start="2024-03-04", as_planned=True), by="Ward lead midwife").status
        'done'
        """
        if not isinstance(step, Do | Study | Act):
            raise InputTypeError(
                f"step={step!r} is of type {type(step).__name__}; give a Do, a Study or an Act."
            )
        return self.revise({type(step).__name__.lower(): step}, by=by, reason=reason, at=at)

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [*self._steps(), *self._answers(), *self._order()]
        if self.id in self.previous:
            problems.append(f"previous has the cycle itself ({self.id}); a cycle cannot lead to itself")
        if self.act and self.act.stopped and self.purpose != "implement":
            problems.append("act.stopped is only for cycles with purpose='implement'")
        if problems:
            raise ValueError(*problems)
        return self

    def _steps(self) -> list[str]:
        """Tell which step lacks the one before it."""
        problems = []
        if self.do and not self.plan.predictions:
            problems.append("do needs a prediction in the plan (plan.predictions), made before it")
        if self.study and not self.do:
            problems.append("study needs a do: record what was carried out first")
        if self.act and not self.study:
            problems.append("act needs a study: record the results against the predictions first")
        return problems

    def _answers(self) -> list[str]:
        """Tell which prediction has no result, and which result answers no prediction."""
        if not self.study:
            return []
        asked = {about(p) for p in self.plan.predictions}
        answered = {about(r) for r in self.study.results}
        told = [
            f"study.results has no result for the prediction on {_told(key)}" for key in asked - answered
        ] + [
            f"study.results has a result on {_told(key)}, which was not predicted; "
            "write it in do.unplanned or study.learning"
            for key in answered - asked
        ]
        return sorted(told)

    def _order(self) -> list[str]:
        """Tell which dates are out of order."""
        dates = [
            ("do.start", self.do and self.do.start),
            ("do.end", self.do and self.do.end),
            ("study.date", self.study and self.study.date),
            ("act.date", self.act and self.act.date),
        ]
        known = [(name, day) for name, day in dates if day]
        problems = [
            f"{later}={day} is before {name}={first}"
            for (name, first), (later, day) in itertools.pairwise(known)
            if day < first
        ]
        if self.act and self.act.stopped and self.do and self.act.stopped < self.do.start:
            problems.append(f"act.stopped={self.act.stopped} is before do.start={self.do.start}")
        return problems


def _told(key: tuple[str | None, str | None]) -> str:
    group, measure = key
    return f"group={group!r}, measure={measure!r}"
