"""A team's project: its aims, drivers, change ideas, measures, cycles and scores of progress."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.records.changes import TiedToCharts
from qi_equity.pdsa.records.charter import Aim, ChangeIdea, Driver, MeasureUse
from qi_equity.pdsa.records.cycle import Cycle
from qi_equity.pdsa.records.events import Progress
from qi_equity.pdsa.records.fields import Name, Text, measure_name
from qi_equity.pdsa.records.graph import circles, repeated, strangers

__all__ = ["Project"]


class Project(TiedToCharts, Record):
    """A team's project at one site.

    It can be given where phases are asked for, as ``phases=`` of charts and ``at=`` of
    :func:`evaluate_change`: its implemented changes are the phases.

    Parameters
    ----------
    name : str
        Its name.
    site : str
        The site, as in the data.
    problem : str
        The problem it is about.
    team : tuple of str
        The team, as roles.
    aims : tuple of Aim
        How much, for whom, by when.
    drivers : tuple of Driver
        What the aims hang on.
    ideas : tuple of ChangeIdea
        What can be tested.
    measures : tuple of MeasureUse
        What it measures.
    cycles : tuple of Cycle
        What was tested.
    progress : tuple of Progress
        How far it has come, as people scored it.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> project = pdsa.Project(name="Fewer haemorrhages", site="North",
    ...                        ideas=[pdsa.ChangeIdea(id="weigh", name="Weigh all blood loss")],
    ...                        measures=[pdsa.MeasureUse(measure="pph_1500", role="outcome")])
    >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Try it"))
    >>> project.put(cycle).cycles[0].name
    'Cycle 1'
    """

    children: ClassVar[tuple[str, ...]] = ("aims", "drivers", "ideas", "measures", "cycles", "progress")

    name: Name
    site: Name
    problem: Text = ""
    team: tuple[Name, ...] = ()
    aims: tuple[Aim, ...] = ()
    drivers: tuple[Driver, ...] = ()
    ideas: tuple[ChangeIdea, ...] = ()
    measures: tuple[MeasureUse, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    progress: tuple[Progress, ...] = ()

    def _projects(self) -> tuple[Project, ...]:
        return (self,)

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [
            *repeated("the identifier", (record.id for record, _ in self.walk())),
            *repeated("the change idea", (idea.network_code for idea in self.ideas)),
            *repeated("the measure", (use.name for use in self.measures)),
            *self._drivers(),
            *self._cycles(),
            *circles("drivers", {d.id: d.parents for d in self.drivers}),
            *circles("cycles", {c.id: c.previous for c in self.cycles}),
        ]
        if problems:
            raise ValueError(*problems)
        return self

    def _drivers(self) -> list[str]:
        """Tell which drivers are named and not there."""
        drivers = {driver.id for driver in self.drivers}
        named = [(f"driver {d.name!r}: parents", d.parents) for d in self.drivers]
        named += [(f"change idea {i.name!r}: drivers", i.drivers) for i in self.ideas]
        return [p for told, ids in named for p in strangers(told, ids, drivers, "driver of the project")]

    def _cycles(self) -> list[str]:
        """Tell what cycles name that is not there."""
        ideas, cycles = {i.id for i in self.ideas}, {c.id for c in self.cycles}
        measures = {use.name for use in self.measures}
        problems = []
        for cycle in self.cycles:
            told = f"cycle {cycle.name!r}:"
            problems += strangers(f"{told} idea", [cycle.idea], ideas, "change idea of the project")
            problems += strangers(f"{told} previous", cycle.previous, cycles, "cycle of the project")
            problems += strangers(
                f"{told} plan",
                _measures_of(cycle),
                measures,
                "measure of the project (put a MeasureUse first)",
            )
        return problems


def _measures_of(cycle: Cycle) -> list[str]:
    predicted = [p.measure for p in cycle.plan.predictions if p.measure]
    return list(dict.fromkeys(measure_name(m) for m in (*cycle.plan.measures, *predicted)))
