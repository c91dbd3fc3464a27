"""What projects say of a measure over time: implemented changes, and cycles to mark under its chart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from qi_equity.pdsa.records.charter import ChangeIdea
from qi_equity.pdsa.records.fields import measure_name

if TYPE_CHECKING:
    from qi_equity.pdsa.records.cycle import Cycle
    from qi_equity.pdsa.records.project import Project

__all__ = ["cycle_marks", "phases"]

_PHASES = ["start", "site", "group", "label", "reason"]
_MARKS = ["cycle", "label", "start", "end", "site", "group", "purpose", "decision"]


def phases(
    projects: Iterable[Project], measure: str, group: str | None = None, idea: str | None = None
) -> pd.DataFrame:
    """Give the implemented changes of a measure, one row a change and group, in the order of dates."""
    rows = [
        (day, project.site, at, label, reason)
        for project, cycle, change in _cycles(projects, measure)
        if cycle.purpose == "implement" and (idea is None or change.network_code == idea)
        for day, label, reason in _boundaries(cycle, change)
        for at in change.groups or (None,)
        if group is None or at is None or at == group
    ]
    frame = _frame(rows, _PHASES, ["start"])
    return frame.sort_values("start", kind="stable", ignore_index=True)


def cycle_marks(projects: Iterable[Project], measure: str) -> pd.DataFrame:
    """Give the cycles of a measure that were carried out, one row a cycle and group, by date."""
    rows = [
        (
            cycle.id, cycle.name, cycle.start, cycle.end, project.site, at, cycle.purpose,
            cycle.act and cycle.act.decision,
        )
        for project, cycle, change in _cycles(projects, measure)
        if cycle.do
        for at in change.groups or (None,)
    ]  # fmt: skip
    frame = _frame(rows, _MARKS, ["start", "end"])
    return frame.sort_values("start", kind="stable", ignore_index=True)


def _cycles(projects: Iterable[Project], measure: str) -> Iterator[tuple[Project, Cycle, ChangeIdea]]:
    """Go through the cycles that bear on a measure; a plan that names none bears on all of the project."""
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
    """Make a frame whose types are the same also without rows."""
    frame = pd.DataFrame(rows, columns=columns, dtype="object")
    return frame.astype(dict.fromkeys(days, "datetime64[s]"))
