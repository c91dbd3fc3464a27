"""For whom a cycle is watched, against whom, and who took part: what no usual worksheet asks for."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from qi_equity.pdsa.records.fields import Day, Fraction, Name, Text
from qi_equity.pdsa.records.graph import once
from qi_equity.pdsa.records.part import Part
from qi_equity.pdsa.records.party import Party

__all__ = ["Equity"]


class Equity(Part):
    """For whom a cycle is watched, against whom, and who took part.

    Parameters
    ----------
    strata : tuple of str
        Groups whose results are watched, as in the data.
    comparator, comparator_reason : str, optional
        The group they are compared with, and why that one; there is none by habit.
    took_part : tuple of Party
        Who carried it out or was affected by it, and was recompensed.
    principles : tuple of str
        Principles of anti-racism that it touches, from the network's own list.
    completeness : float, optional
        Share of people whose ethnicity was known at the time, 0 to 1.
    completeness_on : date, optional
        The day of that share.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Equity(strata=["Asian", "Black"], completeness=0.93).completeness
    0.93
    """

    strata: tuple[Name, ...] = ()
    comparator: Name | None = None
    comparator_reason: Text = ""
    took_part: tuple[Party, ...] = ()
    principles: tuple[Name, ...] = ()
    completeness: Fraction | None = None
    completeness_on: Day | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        once("strata", self.strata)
        once("principles", self.principles)
        if self.comparator and not self.comparator_reason.strip():
            raise ValueError(f"comparator={self.comparator!r} needs comparator_reason: why that group")
        return self
