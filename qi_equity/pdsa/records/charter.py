"""What a project sets out with: its aims, drivers, change ideas and measures."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.records.fields import Day, Identifier, Name, Number, Text, measure_name
from qi_equity.pdsa.records.party import Party

__all__ = ["Aim", "ChangeIdea", "Driver", "MeasureUse"]


class Aim(Record):
    """What a project wants: how much, for whom, by when. A change of the aim is a new version of it.

    Parameters
    ----------
    text : str
        The aim in words.
    measure : str, optional
        Its measure: an id of the catalogue such as ``"pph_1500"``, or a measure's name.
    baseline, target : float, optional
        From where to where, unscaled: 0.12, not 12 %.
    direction : {"increase", "decrease"}, optional
        Which way is better.
    for_whom : str
        For whom: a group as in the data, or people in words.
    by_when : date
        By when.
    defined_by : tuple of Party
        Who defined it.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> aim = pdsa.Aim(text="Halve haemorrhage for Black women", baseline=0.12, target=0.06,
    ...                direction="decrease", for_whom="Black", by_when="2025-03-31")
    >>> aim.revise({"target": 0.08}, by="Project team", reason="first year's data").history()[0].target
    0.06
    """

    text: Name
    measure: Name | None = None
    baseline: Number | None = None
    target: Number | None = None
    direction: Literal["increase", "decrease"] | None = None
    for_whom: Name
    by_when: Day
    defined_by: tuple[Party, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.baseline is None or self.target is None or self.direction is None:
            return self
        if self.target == self.baseline or (self.target > self.baseline) != (self.direction == "increase"):
            raise ValueError(
                f"target={self.target} is no {self.direction} from baseline={self.baseline}; "
                "mend one of the three"
            )
        return self


class Driver(Record):
    """What the aim hangs on, in a driver diagram.

    Parameters
    ----------
    name : str
        The driver.
    level : {"primary", "secondary"}
        Primary drivers bear on the aim, secondary ones on other drivers.
    parents : tuple of str
        Identifiers of the drivers it bears on; none: the aim.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Driver(name="Timely treatment").level
    'primary'
    """

    name: Name
    level: Literal["primary", "secondary"] = "primary"
    parents: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.level == "primary") == bool(self.parents):
            need = "no parents" if self.level == "primary" else "at least one parent"
            raise ValueError(f"parents={list(self.parents)} does not fit: a {self.level} driver has {need}")
        return self


class ChangeIdea(Record):
    """A specific change that can be tested: "a weekly huddle", not "improve communication".

    Parameters
    ----------
    name : str
        The idea.
    description : str
        What is done differently.
    drivers : tuple of str
        Identifiers of the drivers it bears on.
    code : str, optional
        What the network calls the same idea at all sites, so that results can be pooled over sites.
    groups : tuple of str
        For which groups it is, as in the data. Default: for all.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.ChangeIdea(id="weigh", name="Weigh all blood loss").network_code
    'weigh'
    """

    name: Name
    description: Text = ""
    drivers: tuple[Identifier, ...] = ()
    code: Identifier | None = None
    groups: tuple[Name, ...] = ()

    @property
    def network_code(self) -> str:
        """What the idea is called over all sites: its code, or else its identifier.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> pdsa.ChangeIdea(id="north-7", name="Weigh all blood loss", code="weigh").network_code
        'weigh'
        """
        return self.code or self.id


class MeasureUse(Record):
    """A measure as a project uses it.

    Parameters
    ----------
    measure : str
        An id of the catalogue such as ``"pph_1500"``, or a measure's name as in ``series.measure.name``.
    role : {"outcome", "process", "balancing", "structure"}
        What it is used for.
    target : float, optional
        The value aimed at, unscaled.
    why : str
        Why this measure.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.MeasureUse(measure="tear_3_4", role="outcome").name
    'Third- or fourth-degree tear'
    """

    measure: Name
    role: Literal["outcome", "process", "balancing", "structure"]
    target: Number | None = None
    why: Text = ""

    @property
    def name(self) -> str:
        """The measure's name, as in ``series.measure.name``.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> pdsa.MeasureUse(measure="Time to treatment", role="process").name
        'Time to treatment'
        """
        return measure_name(self.measure)
