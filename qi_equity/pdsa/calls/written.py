"""What people wrote into the records, as frames: aims, scores of progress, cycles with their predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.pdsa.records.cycle import Cycle
from qi_equity.pdsa.records.fields import measure_name
from qi_equity.pdsa.records.network import Network
from qi_equity.pdsa.records.party import Party
from qi_equity.pdsa.records.project import Project
from qi_equity.pdsa.records.steps import about

__all__ = ["COLUMNS", "Phases", "frame", "written"]

_WHERE = {"site": "str", "project": "str"}
_CYCLE = {**_WHERE, "cycle": "str", "name": "str"}
_LAST = {"shared": "bool"}
_DAY = "datetime64[us]"

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "aims": {
        **_WHERE, "text": "str", "measure": "str", "baseline": "float64", "target": "float64",
        "direction": "str", "for_whom": "str", "by_when": _DAY, "defined_by": "str", "version": "int64",
        **_LAST,
    },
    "progress": {
        **_WHERE, "date": _DAY, "score": "float64", "scale_version": "str", "self_assessed": "bool",
        "assessed_by": "str", "justification": "str", "comments": "str", "suggestions": "str", **_LAST,
    },
    "cycles": {
        **_CYCLE, "idea": "str", "purpose": "str", "objective": "str", "status": "str", "under_way": "bool",
        "start": _DAY, "end": _DAY, "as_planned": "str", "unplanned": "str", "learning": "str",
        "decision": "str", "follows": "str", "not_yet_visible": "str", **_LAST,
    },
    "predictions": {
        **_CYCLE, "group": "str", "measure": "str", "prediction": "str", "expected": "float64",
        "matched": "str", "result": "str", "events": "float64", "denominator": "float64", **_LAST,
    },
    "reached": {**_CYCLE, "group": "str", "people": "float64", **_LAST},
    "harm": {**_CYCLE, "group": "str", "measure": "str", "found": "str", "text": "str", **_LAST},
    "marks": {
        "measure": "str", "cycle": "str", "label": "str", "start": _DAY, "end": _DAY, "site": "str",
        "group": "str", "purpose": "str", "decision": "str", **_LAST,
    },
    "phases": {
        "measure": "str", "start": _DAY, "site": "str", "group": "str", "label": "str", "reason": "str",
        **_LAST,
    },
}  # fmt: skip
"""Columns of each frame and their types; what was not written is missing."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Phases:
    """Phases that were read, to be given to charts as recorded changes.

    Parameters
    ----------
    table : pandas.DataFrame
        Frame ``phases`` of a review.

    Examples
    --------
    >>> from qi_equity.pdsa.calls.written import Phases, frame
    >>> Phases(frame("phases", [])).phases("Third- or fourth-degree tear").columns.tolist()
    ['start', 'site', 'group', 'label', 'reason']
    """

    table: pd.DataFrame

    def phases(self, measure: str, group: str | None = None) -> pd.DataFrame:
        """Give the changes of a measure, as :meth:`RecordedChanges.phases` says.

        Parameters
        ----------
        measure : str
            Name of the measure.
        group : str, optional
            Only changes for this group. Default: all.

        Returns
        -------
        pandas.DataFrame
            One row a change and group: ``start, site, group, label, reason``.

        Examples
        --------
        >>> from qi_equity.pdsa.calls.written import Phases, frame
        >>> len(Phases(frame("phases", [])).phases("Third- or fourth-degree tear"))
        0
        """
        rows = self.table[self.table["measure"] == measure]
        if group is not None:
            rows = rows[rows["group"].isna() | (rows["group"] == group)]
        return rows[["start", "site", "group", "label", "reason"]].reset_index(drop=True)


def frame(name: str, rows: Iterable[Row]) -> pd.DataFrame:
    """Make a frame whose columns and types are the same also without rows."""
    return _typed(name, pd.DataFrame(list(rows), columns=list(COLUMNS[name]), dtype="object"))


def _typed(name: str, table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            column: _texts(table[column]) if kind == "str" else table[column].astype(np.dtype(kind))
            for column, kind in COLUMNS[name].items()
        }
    )


def written(
    network: Network, measures: Sequence[str], since: Mapping[str, date], until: date
) -> dict[str, pd.DataFrame]:
    """Read the frames of ``COLUMNS`` from what was known of a network on a day.

    Parameters
    ----------
    network : Network
        As it was known (:func:`known_on`).
    measures : sequence of str
        Names of the measures that are looked at.
    since : mapping of str to date
        From when cycles are told, by site.
    until : date
        The last day.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``shared`` is True where the record, its project and (of a cycle) its idea all are.
    """
    told = [
        (project, cycle)
        for project in network.projects
        for cycle in project.cycles
        if _is_told(cycle, since[project.site], until)
    ]
    of_cycles = [(_of_cycle(project, cycle), cycle) for project, cycle in told]
    rows: dict[str, Iterable[Row]] = {
        "aims": (row for project in network.projects for row in _aims(project)),
        "progress": (row for project in network.projects for row in _progress(project)),
        "cycles": (_cycle(project, cycle) for project, cycle in told),
        "predictions": (row for key, cycle in of_cycles for row in _predictions(key, cycle)),
        "reached": (
            (*key[:-1], r.group, r.people, key[-1])
            for key, cycle in of_cycles
            if cycle.do
            for r in cycle.do.reached
        ),
        "harm": (
            (*key[:-1], h.group, _name(h.measure), h.found, h.text, key[-1])
            for key, cycle in of_cycles
            if cycle.study
            for h in cycle.study.harm
        ),
    }
    frames = {name: frame(name, found) for name, found in rows.items()}
    return frames | _of_charts(network, measures)


def _texts(column: pd.Series) -> pd.Series:
    """Give texts, where an empty one is missing."""
    known = column.notna() & (column != "")
    return column.astype("str").where(known, None)


def _is_told(cycle: Cycle, since: date, until: date) -> bool:
    """Tell whether something happened to a cycle in the time, or it has no decision yet."""
    if cycle.act is None:
        return True
    days = [cycle.do and cycle.do.start, cycle.do and cycle.do.end, cycle.study and cycle.study.date]
    return any(since <= day <= until for day in (*days, cycle.act.date, cycle.act.stopped) if day)


def _is_shared(project: Project, cycle: Cycle) -> bool:
    idea = next(idea for idea in project.ideas if idea.id == cycle.idea)
    return bool(project.shared and cycle.shared and idea.shared)


def _aims(project: Project) -> Iterator[Row]:
    for aim in project.aims:
        yield (
            project.site, project.name, aim.text, _name(aim.measure), aim.baseline, aim.target, aim.direction,
            aim.for_whom, aim.by_when, "; ".join(map(_party, aim.defined_by)), aim.version,
            project.shared and aim.shared,
        )  # fmt: skip


def _name(measure: str | None) -> str | None:
    return measure and measure_name(measure)


def _party(party: Party) -> str:
    return party.who if party.how_many is None else f"{party.who} ({party.how_many})"


def _progress(project: Project) -> Iterator[Row]:
    """Give the latest score, that of the team itself apart from that of others."""
    latest = {score.self_assessed: score for score in sorted(project.progress, key=lambda s: s.date)}
    for own in sorted(latest):
        score = latest[own]
        yield (
            project.site, project.name, score.date, score.score, score.scale_version, own,
            score.assessed_by, score.justification, score.comments, score.suggestions,
            project.shared and score.shared,
        )  # fmt: skip


def _of_cycle(project: Project, cycle: Cycle) -> Row:
    return project.site, project.name, cycle.id, cycle.name, _is_shared(project, cycle)


def _cycle(project: Project, cycle: Cycle) -> Row:
    do, study, act = cycle.do, cycle.study, cycle.act
    ended = do is not None and (study is not None or do.end is not None)
    idea = next(idea for idea in project.ideas if idea.id == cycle.idea)
    return (
        project.site, project.name, cycle.id, cycle.name, idea.name, cycle.purpose, cycle.plan.objective,
        cycle.status, do is not None and act is None, cycle.start, cycle.end,
        ("yes" if do.as_planned else "no") if do and ended else None, do and do.unplanned,
        study and study.learning, act and act.decision, act and act.follows,
        "; ".join(act.not_yet_visible) if act else None, _is_shared(project, cycle),
    )  # fmt: skip


def _predictions(key: Row, cycle: Cycle) -> Iterator[Row]:
    """Set each prediction beside its result."""
    found = {about(result): result for result in cycle.study.results} if cycle.study else {}
    for one in cycle.plan.predictions:
        result = found.get(about(one))
        told: Row = (None, None, None, None)
        if result:
            told = (result.matched, result.text, result.events, result.denominator)
        yield (*key[:-1], one.group, _name(one.measure), one.text, one.expected, *told, key[-1])


def _of_charts(network: Network, measures: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Give marks and phases of all measures; which of them are shared goes by the cycle."""
    parts: dict[str, list[pd.DataFrame]] = {"marks": [], "phases": []}
    for shared in (True, False):
        part = _cycles_that(network, shared)
        for measure in measures:
            for name, found in (("marks", part.cycle_marks(measure)), ("phases", part.phases(measure))):
                parts[name].append(found.assign(measure=measure, shared=shared))
    return {
        name: _typed(name, pd.concat(found, ignore_index=True)[list(COLUMNS[name])]).sort_values(
            "start", kind="stable", ignore_index=True
        )
        for name, found in parts.items()
    }


def _cycles_that(network: Network, shared: bool) -> Network:
    """Keep the cycles that are shared, or those that are not."""
    sites = tuple(
        site.model_copy(
            update={
                "projects": tuple(
                    p.model_copy(update={"cycles": tuple(c for c in p.cycles if _is_shared(p, c) == shared)})
                    for p in site.projects
                )
            }
        )
        for site in network.sites
    )
    return network.model_copy(update={"sites": sites})
