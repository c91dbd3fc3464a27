"""What the record of a project says under the headings of a report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qi_equity.pdsa.records.cycle import Cycle
    from qi_equity.pdsa.records.network import Network
    from qi_equity.pdsa.records.project import Project

__all__ = ["texts"]


def texts(project: Project, network: Network | None) -> dict[str, str]:
    """Give the text under each number of SQUIRE 2.0; empty where the record says nothing."""
    return {
        "1": project.name,
        "3": project.problem,
        "5": _rationale(project),
        "6": _aims(project),
        "7": _list([f"Site: {project.site}", *(f"Team: {who}" for who in project.team)]),
        "8": _list(f"{i.name}{': ' + i.description if i.description else ''}" for i in project.ideas),
        "9": _list(_predicted(c) for c in project.cycles if c.plan.predictions),
        "10": _list(f"{m.name} ({m.role}){': ' + m.why if m.why else ''}" for m in project.measures),
        "12": _list(_people(project)),
        "13a": _list(map(_cycle, _by_date(project.cycles))),
        "13c": _context(project, network),
        "13e": _list(_unexpected(project)),
    }


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _for(group: str | None) -> str:
    return f" ({group})" if group else ""


def _predicted(cycle: Cycle) -> str:
    """Give what a cycle predicted on one line, each group named once."""
    told = [
        f"{p.text}{'' if p.group and p.group in p.text else _for(p.group)}" for p in cycle.plan.predictions
    ]
    return f"{cycle.name}: {'; '.join(told)}"


def _rationale(project: Project) -> str:
    names = {driver.id: driver.name for driver in project.drivers}
    lines = [
        f"{d.name} ({d.level} driver{', of ' + ', '.join(names[p] for p in d.parents) if d.parents else ''})"
        for d in project.drivers
    ]
    return _list(lines)


def _aims(project: Project) -> str:
    """Give the aims; one that was changed says how often."""
    return _list(
        f"{aim.text}, for {aim.for_whom}, by {aim.by_when}"
        + (f" (version {aim.version})" if aim.version > 1 else "")
        for aim in project.aims
    )


def _people(project: Project) -> list[str]:
    parties = [("defined the aim", p) for aim in project.aims for p in aim.defined_by]
    parties += [("took part", p) for cycle in project.cycles for p in cycle.equity.took_part]
    lines = [
        f"{p.who}{'' if p.how_many is None else f' ({p.how_many})'}: {what}; recompensed: {p.recompensed}"
        for what, p in parties
    ]
    return list(dict.fromkeys(lines))


def _by_date(cycles: Iterable[Cycle]) -> list[Cycle]:
    return sorted(cycles, key=lambda cycle: cycle.start or date.max)


def _cycle(cycle: Cycle) -> str:
    start = f"from {cycle.start}" if cycle.start else "not dated"
    act = f"; {cycle.act.decision}: {cycle.act.follows}" if cycle.act else f"; {cycle.status}"
    return f"{cycle.name} ({cycle.purpose}), {start}: {cycle.plan.objective}{act}"


def _context(project: Project, network: Network | None) -> str:
    """Give cycles, decisions and meetings in the order of dates: the context as it went on."""
    events = [
        (day, f"{day}: {cycle.name} {what}")
        for cycle in project.cycles
        for day, what in (
            (cycle.do and cycle.do.start, "began"),
            (cycle.act and cycle.act.date, f"decided: {cycle.act.decision}" if cycle.act else ""),
        )
        if day
    ]
    meetings = network.meetings if network else ()
    events += [
        (m.date, f"{m.date}: {m.kind}, {m.title}") for m in meetings if not m.sites or project.site in m.sites
    ]
    return _list(text for _, text in sorted(events))


def _unexpected(project: Project) -> list[str]:
    lines = [f"{c.name}: {c.do.unplanned}" for c in project.cycles if c.do and c.do.unplanned.strip()]
    lines += [
        f"{c.name}, harm{_for(h.group)}: {h.found}{'; ' + h.text if h.text else ''}"
        for c in project.cycles
        if c.study
        for h in c.study.harm
    ]
    return lines
