"""What projects say of a measure over time: implemented changes, and cycles to mark under its chart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from qi_equity.errors import InputTypeError
from qi_equity.pdsa.records.fields import measure_name

if TYPE_CHECKING:
    from qi_equity.pdsa.records.charter import ChangeIdea
    from qi_equity.pdsa.records.cycle import Cycle
    from qi_equity.pdsa.records.project import Project

__all__ = ["TiedToCharts"]

_PHASES = ["start", "site", "group", "label", "reason"]
_MARKS = ["cycle", "label", "start", "end", "site", "group", "purpose", "decision"]


class TiedToCharts(ABC):
    """What projects, sites and networks say of a measure, as charts and evaluations ask for it.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Network(name="A network").phases("pph_1500").columns.tolist()
    ['start', 'site', 'group', 'label', 'reason']
    """

    def phases(self, measure: str, group: str | None = None, idea: str | None = None) -> pd.DataFrame:
        """Give the implemented changes of a measure, of all projects that it holds, as phases of its chart.

        A change is implemented by a cycle with ``purpose="implement"`` that has a Do, from the Do's start;
        one that was abandoned later starts another phase where it stopped (``act.stopped``).

        Parameters
        ----------
        measure : str
            The measure, by its id of the catalogue or its name.
        group : str, optional
            Only changes that are for this group. Default: all.
        idea : str, optional
            Only the change idea with this network-wide code. Default: all.

        Returns
        -------
        pandas.DataFrame
            One row a change and group, in the order of dates: ``start, site, group, label, reason``; an
            empty group is all groups.

        Raises
        ------
        InputTypeError
            If the measure is not text.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> plan = pdsa.Plan(objective="All births", predictions=[pdsa.Prediction(text="All are weighed")])
        >>> project = pdsa.Project(name="Fewer haemorrhages", site="North",
        ...     ideas=[pdsa.ChangeIdea(id="weigh", name="Weigh all blood loss")],
        ...     measures=[pdsa.MeasureUse(measure="pph_1500", role="outcome")],
        ...     cycles=[pdsa.Cycle(name="Cycle 4", idea="weigh", purpose="implement", plan=plan,
        ...                        do=pdsa.Do(start="2024-03-04", as_planned=True))])
        >>> project.phases("pph_1500")[["site", "label", "reason"]].values.tolist()
        [['North', 'Weigh all blood loss', 'Cycle 4: implemented']]
        """
        rows = [
            (day, project.site, at, label, reason)
            for project, cycle, change in _cycles(self._projects(), measure)
            if cycle.purpose == "implement" and idea in (None, change.network_code)
            for day, label, reason in _boundaries(cycle, change)
            for at in change.groups or (None,)
            if group is None or at in (None, group)
        ]
        return _frame(rows, _PHASES, ["start"])

    def cycle_marks(self, measure: str) -> pd.DataFrame:
        """Give the cycles of a measure that were carried out, as marks under its chart.

        Parameters
        ----------
        measure : str
            The measure, by its id of the catalogue or its name.

        Returns
        -------
        pandas.DataFrame
            One row a cycle and group: ``cycle`` (its id), ``label, start, end`` (empty: under way), ``site,
            group`` (empty: all groups), ``purpose, decision`` (empty: none yet).

        Raises
        ------
        InputTypeError
            If the measure is not text.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> pdsa.Project(name="Fewer haemorrhages", site="North").cycle_marks("pph_1500").empty
        True
        """
        rows = [
            (
                cycle.id, cycle.name, cycle.start, cycle.end, project.site, at, cycle.purpose,
                cycle.act and cycle.act.decision,
            )
            for project, cycle, change in _cycles(self._projects(), measure)
            if cycle.do
            for at in change.groups or (None,)
        ]  # fmt: skip
        return _frame(rows, _MARKS, ["start", "end"])

    @abstractmethod
    def _projects(self) -> tuple[Project, ...]:
        """Give the projects whose changes and cycles these are."""


def _cycles(projects: Iterable[Project], measure: str) -> Iterator[tuple[Project, Cycle, ChangeIdea]]:
    """Go through the cycles that bear on a measure; a plan that names none bears on all of the project."""
    if not isinstance(measure, str):
        raise InputTypeError(
            f"measure={measure!r} is of type {type(measure).__name__}; give its name, or its catalogue id."
        )
    name = measure_name(measure)
    for project in projects:
        ideas = {idea.id: idea for idea in project.ideas}
        own = {use.name for use in project.measures}
        for cycle in project.cycles:
            if name in ({measure_name(m) for m in cycle.plan.measures} or own):
                yield project, cycle, ideas[cycle.idea]


def _boundaries(cycle: Cycle, change: ChangeIdea) -> Iterator[tuple[date, str, str]]:
    """Give where an implementation starts a phase: when it began, and when it was given up."""
    if cycle.do:
        yield cycle.do.start, change.name, f"{cycle.name}: implemented"
    if cycle.act and cycle.act.stopped:
        yield cycle.act.stopped, f"{change.name} stopped", f"{cycle.name}: abandoned"


def _frame(rows: Sequence[tuple[object, ...]], columns: list[str], days: list[str]) -> pd.DataFrame:
    """Make a frame in the order of dates, whose types are the same also without rows."""
    frame = pd.DataFrame(rows, columns=columns, dtype="object").astype(dict.fromkeys(days, "datetime64[s]"))
    return frame.sort_values("start", kind="stable", ignore_index=True)
