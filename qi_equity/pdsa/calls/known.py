"""A network as it was known on a day: what came later is left out, going by the dates of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from qi_equity.pdsa.records.charter import Aim
from qi_equity.pdsa.records.cycle import Cycle
from qi_equity.pdsa.records.network import Network
from qi_equity.pdsa.records.project import Project
from qi_equity.pdsa.records.steps import Act, Do

__all__ = ["known_on"]


def known_on(network: Network, day: date, sites: Sequence[str]) -> Network:
    """Give what was known of some sites at the end of a day.

    Steps of cycles, scores and meetings count by their own dates, whenever they were written down; a cycle
    without a step counts from its planned start or from when it was recorded. Of an aim the version of that
    day is taken, and its first one where all were recorded later.

    Parameters
    ----------
    network : Network
        The records.
    day : date
        The last day.
    sites : sequence of str
        Names of the sites to keep.

    Returns
    -------
    Network
        A smaller one; references to cycles that are left out stay as they are.
    """
    kept = [
        site.model_copy(update={"projects": tuple(_project(p, day) for p in site.projects)})
        for site in network.sites
        if site.name in sites
    ]
    meetings = tuple(m for m in network.meetings if m.date <= day and _is_for(m.sites, sites))
    return network.model_copy(update={"sites": tuple(kept), "meetings": meetings, "trail": ()})


def _is_for(invited: Sequence[str], sites: Sequence[str]) -> bool:
    return not invited or any(name in sites for name in invited)


def _project(project: Project, day: date) -> Project:
    cycles = [_cycle(cycle, day) for cycle in project.cycles if _begun(cycle, day)]
    return project.model_copy(
        update={
            "aims": tuple(_version(aim, day) for aim in project.aims),
            "cycles": tuple(cycles),
            "progress": tuple(score for score in project.progress if score.date <= day),
        }
    )


def _version(aim: Aim, day: date) -> Aim:
    """Give the version of a day; the first one where all came later."""
    if not aim.trail:
        return aim
    versions = aim.history()
    since = [stamp.at.date() for stamp in aim.trail if stamp.what == "revised"]
    return versions[sum(at <= day for at in since)]


def _begun(cycle: Cycle, day: date) -> bool:
    """Tell whether a cycle was carried out, planned for, or recorded by that day."""
    recorded = cycle.recorded_at and cycle.recorded_at.date()
    days = [cycle.do and cycle.do.start, cycle.plan.start, recorded]
    known = [at for at in days if at]
    return min(known) <= day if known else True


def _cycle(cycle: Cycle, day: date) -> Cycle:
    """Leave out the steps that came later."""
    do = cycle.do if cycle.do and cycle.do.start <= day else None
    study = cycle.study if cycle.study and cycle.study.date <= day else None
    act = cycle.act if cycle.act and cycle.act.date <= day else None
    if (do, study, act) == (cycle.do, cycle.study, cycle.act) and not _later(cycle, day):
        return cycle
    return cycle.model_copy(update={"do": do and _do(do, day), "study": study, "act": act and _act(act, day)})


def _later(cycle: Cycle, day: date) -> bool:
    ends = [cycle.do and cycle.do.end, cycle.act and cycle.act.stopped]
    return any(end > day for end in ends if end)


def _do(do: Do, day: date) -> Do:
    """Leave out what was only known when it had ended."""
    if do.end is None or do.end <= day:
        return do
    return do.model_copy(update={"end": None, "unplanned": "", "observations": "", "reached": ()})


def _act(act: Act, day: date) -> Act:
    return act if act.stopped is None or act.stopped <= day else act.model_copy(update={"stopped": None})
