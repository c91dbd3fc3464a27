"""What happens over time in a network or a project: meetings, action periods, and scores of progress."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.records.fields import Day, Name, Text, YesNo

__all__ = ["ActionPeriod", "Meeting", "Progress"]


def _half(value: float) -> float:
    if value * 2 % 1:
        raise ValueError("is no step of the scale; use 0.5, 1.0, ... 5.0")
    return value


Score = Annotated[float, Field(strict=True, ge=0.5, le=5, allow_inf_nan=False), AfterValidator(_half)]


class Meeting(Record):
    """A meeting of the network.

    Parameters
    ----------
    kind : {"learning session", "data call", "coaching call"}
        What kind.
    date : date
        When.
    title : str
        Its title.
    topics : str
        What it was about.
    sites : tuple of str
        Sites that it was for. Default: all.
    notes : str
        What was said.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Meeting(kind="data call", date="2024-04-09", title="April call").kind
    'data call'
    """

    kind: Literal["learning session", "data call", "coaching call"]
    date: Day
    title: Name
    topics: Text = ""
    sites: tuple[Name, ...] = ()
    notes: Text = ""


class ActionPeriod(Record):
    """The time between two learning sessions, in which teams test changes.

    Parameters
    ----------
    name : str
        Its name.
    start, end : date
        Its first and its last day.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.ActionPeriod(name="Action period 1", start="2024-04-01", end="2024-08-31").end.month
    8
    """

    name: Name
    start: Day
    end: Day

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"end={self.end} is before start={self.start}")
        return self


class Progress(Record):
    """A score of a project's progress on the scale from 0.5 to 5.0, set by people and never computed.

    Parameters
    ----------
    date : date
        When it was set.
    score : float
        0.5 to 5.0 in steps of 0.5; higher is further.
    scale_version : str
        Which wording of the scale was used: several circulate.
    justification, comments, suggestions : str
        Why this score; comments on activity; how to proceed.
    assessed_by : str
        Who set it.
    self_assessed : bool
        Whether the team scored itself.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Progress(date="2024-06-30", score=2.5, scale_version="Life QI").score
    2.5
    """

    date: Day
    score: Score
    scale_version: Name
    justification: Text = ""
    comments: Text = ""
    suggestions: Text = ""
    assessed_by: Text = ""
    self_assessed: YesNo = False
