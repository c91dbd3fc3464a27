"""What the records of a network say of each change idea: cycles, sites, decisions, people reached, harm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from qi_equity.pdsa.records.steps import Act, HarmCheck, Reached

if TYPE_CHECKING:
    from qi_equity.pdsa.records.charter import ChangeIdea
    from qi_equity.pdsa.records.cycle import Cycle
    from qi_equity.pdsa.records.network import Network
    from qi_equity.pdsa.records.project import Project

__all__ = ["ALL", "DECISIONS", "HARM", "NOT_CHECKED", "Case", "cases", "group_facts", "idea_facts", "join"]

ALL = "all together"
"""Stands for no group in the table of groups."""

DECISIONS: tuple[str, ...] = get_args(Act.model_fields["decision"].annotation)
HARM: tuple[str, ...] = get_args(HarmCheck.model_fields["found"].annotation)
_NONE_SEEN, _SEEN, _NOT_VISIBLE, NOT_CHECKED = HARM


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A change idea with all that the network recorded of it.

    Parameters
    ----------
    code : str
        Its network-wide code.
    ideas : list of ChangeIdea
        Its records, one a project.
    cycles : list of (site, Cycle)
        Its cycles that were carried out.
    """

    code: str
    ideas: list[ChangeIdea]
    cycles: list[tuple[str, Cycle]]

    @property
    def name(self) -> str:
        """Its name, as it was recorded first."""
        return self.ideas[0].name

    @property
    def sites(self) -> list[str]:
        """Sites that carried a cycle out."""
        return list(dict.fromkeys(site for site, _ in self.cycles))

    @property
    def groups(self) -> list[str]:
        """Groups that its records name."""
        named = [g for idea in self.ideas for g in idea.groups]
        for _, cycle in self.cycles:
            named += cycle.equity.strata
            named += [p.group for p in cycle.plan.predictions if p.group]
            named += [r.group for r in _reached(cycle) if r.group]
            named += [h.group for h in _checks(cycle) if h.group]
        return list(dict.fromkeys(named))


def cases(network: Network) -> dict[str, Case]:
    """Bring together what the sites recorded of the same idea, in the order of the records."""
    found: dict[str, Case] = {}
    for project, idea in _ideas(network):
        case = found.setdefault(idea.network_code, Case(idea.network_code, [], []))
        case.ideas.append(idea)
        case.cycles.extend((project.site, c) for c in project.cycles if c.idea == idea.id and c.do)
    return found


def idea_facts(found: Iterable[Case]) -> pd.DataFrame:
    """Lay out one row an idea."""
    rows = [_idea_row(case) for case in found]
    columns = [*_TEXTS, *_WHOLE, *DECISIONS, *_COUNTS]
    frame = pd.DataFrame(rows, columns=columns)
    kinds = dict.fromkeys(_TEXTS, "str") | dict.fromkeys((*_WHOLE, *DECISIONS), "int64")
    return frame.astype(kinds | {"shared": "bool"} | dict.fromkeys(_COUNTS, "float64"))


def group_facts(
    found: Iterable[Case], groups: Mapping[str, Iterable[str]], unknown: Collection[str]
) -> pd.DataFrame:
    """Lay out one row an idea and group, first that of all together; ``unknown`` are no groups of people."""
    rows = [_group_row(case, group) for case in found for group in (None, *groups[case.code])]
    frame = pd.DataFrame(rows, columns=list(_GROUP_FACTS)).astype(_GROUP_FACTS)
    return frame.assign(known=~frame["group"].isin([ALL, *unknown]))


def join(texts: Iterable[str]) -> str:
    """Put names in one cell of a table."""
    return "; ".join(texts)


_TEXTS = ("code", "name", "site_names", "scale")
_WHOLE = ("sites", "cycles", "shared")
_COUNTS = ("people_reached", "people_planned")
_GROUP_FACTS = {
    "code": "str", "group": "str", "predicted": "bool", "met": "bool", "reached": "float64", "harm": "str"
}  # fmt: skip


def _ideas(network: Network) -> Iterator[tuple[Project, ChangeIdea]]:
    for project in network.projects:
        for idea in project.ideas:
            yield project, idea


def _reached(cycle: Cycle) -> tuple[Reached, ...]:
    return cycle.do.reached if cycle.do else ()


def _checks(cycle: Cycle) -> tuple[HarmCheck, ...]:
    return cycle.study.harm if cycle.study else ()


def _idea_row(case: Case) -> dict[str, object]:
    decided: Counter[str] = Counter(cycle.act.decision for _, cycle in case.cycles if cycle.act)
    reached = [n for _, cycle in case.cycles if (n := _people(cycle)) is not None]
    scales = [cycle.plan.scale for _, cycle in case.cycles if cycle.plan.scale]
    # Of scales without a number of people none can be said to be larger; the last is told.
    largest = max(reversed(scales), key=lambda s: -1 if s.people is None else s.people, default=None)
    return {
        "code": case.code,
        "name": case.name,
        "site_names": join(case.sites),
        "scale": largest.size if largest else "",
        "sites": len(case.sites),
        "cycles": len(case.cycles),
        "shared": any(idea.shared for idea in case.ideas),
        **{decision: decided[decision] for decision in DECISIONS},
        "people_reached": max(reached, default=np.nan),
        "people_planned": np.nan if largest is None or largest.people is None else largest.people,
    }


def _people(cycle: Cycle, group: str | None = None) -> int | None:
    """Give how many people a cycle reached: as told for all together, else the sum over groups."""
    told = {r.group: r.people for r in _reached(cycle)}
    if group is None and None not in told and told:
        return sum(told.values())
    return told.get(group)


def _group_row(case: Case, group: str | None) -> dict[str, object]:
    reached = [n for _, cycle in case.cycles if (n := _people(cycle, group)) is not None]
    return {
        "code": case.code,
        "group": group or ALL,
        "predicted": any(p.group == group for _, cycle in case.cycles for p in cycle.plan.predictions),
        "met": any(reached),
        "reached": max(reached, default=np.nan),
        "harm": _harm(case, group),
    }


def _harm(case: Case, group: str | None) -> str:
    """Say what was found of harm: seen once stays seen; else the last word of each site and measure."""
    checks: dict[tuple[str, str | None], str] = {}
    for site, cycle in sorted(case.cycles, key=lambda c: _studied(c[1])):
        for check in _checks(cycle):
            if check.group == group and check.found != NOT_CHECKED:
                key = (site, check.measure)
                checks[key] = _SEEN if checks.get(key) == _SEEN else check.found
    return next((w for w in (_SEEN, _NOT_VISIBLE, _NONE_SEEN) if w in checks.values()), NOT_CHECKED)


def _studied(cycle: Cycle) -> str:
    return cycle.study.date.isoformat() if cycle.study else ""
