"""What the checklist of quality asks of a project as a whole: its ramps, its change ideas, its aims."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING

from qi_equity.pdsa.checklists.cycle_items import size_of
from qi_equity.pdsa.checklists.items import EQUITY, IHI, OURS, PDSA, READY, TAYLOR, Item, Met, item

if TYPE_CHECKING:
    from qi_equity.pdsa.records.cycle import Cycle
    from qi_equity.pdsa.records.project import Project

__all__ = ["aim_item", "first_cycles", "project_items", "ready_items"]

_NOT_ASKED: tuple[tuple[Met, str], ...] = (("not due", ""),) * 3
_READY = ("tested small, then larger", "tested under varying conditions", "causal link shown by data")


def project_items(project: Project) -> list[Item]:
    """Give the items that no single cycle can meet."""
    ideas = [(idea.name, [c for c in project.cycles if c.idea == idea.id]) for idea in project.ideas]
    results = {n for use in project.measures if use.role == "outcome" for n in (use.measure, use.name)}
    tried = [(name, _by_date(cycles)) for name, cycles in ideas if cycles]
    ready = [one for name, cycles in tried for one in ready_items(cycles, f"{name}: ", results)]
    return [_chained(project.cycles), _led_on(project.cycles), *(ready or ready_items(())), aim_item(project)]


def first_cycles(project: Project) -> set[str]:
    """Give the first cycle of each change idea: it has none to follow on."""
    ideas = [_by_date([c for c in project.cycles if c.idea == idea.id]) for idea in project.ideas]
    return {cycles[0].id for cycles in ideas if cycles}


def ready_items(cycles: Sequence[Cycle] | None, name: str = "", outcomes: Collection[str] = ()) -> list[Item]:
    """Give the items of the checklist for implementation, for the cycles of one change idea, by date.

    What its cycles found of the ``outcomes`` shows a link; of a process, that it was done shows none. Of a
    cycle alone (None) they are not due: they ask for all cycles of the idea, which its project has.
    """
    judged = _NOT_ASKED if cycles is None else (_grew(cycles), _varied(cycles), _shown(cycles, outcomes))
    return [
        item(READY, f"{name}{what}", IHI, met, missing)
        for what, (met, missing) in zip(_READY, judged, strict=True)
    ]


def aim_item(project: Project | None) -> Item:
    """Give the item on who defined the aims; of a cycle it is not due, as they stand in its project."""
    name = "who defined the aim"
    if project is None:
        return item(EQUITY, name, OURS, "not due")
    nobody = [aim.text for aim in project.aims if not aim.defined_by]
    if not project.aims:
        return item(EQUITY, name, OURS, "not recorded", "record the aim, and who defined it (aim.defined_by)")
    told = f"record who defined it (aim.defined_by): {'; '.join(nobody)}"
    return item(EQUITY, name, OURS, "not recorded" if nobody else "yes", told)


def _by_date(cycles: Sequence[Cycle]) -> list[Cycle]:
    return sorted(cycles, key=lambda cycle: cycle.start or date.max)


def _chained(cycles: Sequence[Cycle]) -> Item:
    name = "Iterative cycles: two or more that are linked"
    if any(cycle.previous for cycle in cycles):
        return item(PDSA, name, TAYLOR, "yes")
    if len(cycles) < 2:
        return item(PDSA, name, TAYLOR, "no", f"{len(cycles)} cycle(s): test again with what was learned")
    return item(PDSA, name, TAYLOR, "not recorded", "name the cycles that led to each (previous)")


def _led_on(cycles: Sequence[Cycle]) -> Item:
    """Judge whether a cycle followed where the decision was to adapt or to expand."""
    name = "Iterative cycles: a cycle follows on each that was adapted or expanded"
    due = [c for c in cycles if c.act and c.act.decision in ("adapt", "expand")]
    followed = {previous for cycle in cycles for previous in cycle.previous}
    left = [c.name for c in due if c.id not in followed]
    met: Met = "not due" if not due else "not recorded" if left else "yes"
    return item(PDSA, name, TAYLOR, met, f"no cycle names as previous: {', '.join(left)}")


def _grew(cycles: Sequence[Cycle]) -> tuple[Met, str]:
    sizes = [size for size in map(size_of, cycles) if size is not None]
    if len(sizes) < 2:
        return "not recorded", "count the people that each of two or more cycles reached"
    if sizes[-1] > sizes[0]:
        return "yes", ""
    return "no", f"the last cycle reached {sizes[-1]} people and the first {sizes[0]}; test it on more"


def _varied(cycles: Sequence[Cycle]) -> tuple[Met, str]:
    """Judge whether places or the groups reached differ between the cycles that were carried out."""
    done = [cycle for cycle in cycles if cycle.do]
    places = {task.where.strip().lower() for cycle in done for task in cycle.plan.tasks} - {""}
    groups = {
        frozenset(r.group for r in cycle.do.reached if r.group and r.people) for cycle in done if cycle.do
    } - {frozenset()}
    if len(places) > 1 or len(groups) > 1:
        return "yes", ""
    if len(done) < 2 or not (places or groups):
        return "not recorded", "record where each cycle was carried out (task.where) and whom it reached"
    return "no", "all cycles were in one place, with the same groups; test it elsewhere, at other times"


def _shown(cycles: Sequence[Cycle], outcomes: Collection[str]) -> tuple[Met, str]:
    """Judge whether two cycles, with counts, found what was predicted, and none of their groups did not.

    A group whose result is not yet visible speaks neither for nor against.
    """
    studied = [
        [r for r in cycle.study.results if not r.measure or not outcomes or r.measure in outcomes]
        for cycle in cycles
        if cycle.study
    ]
    counted = [
        results
        for results in studied
        if results and all(r.events is not None and r.denominator is not None for r in results)
    ]
    found = [{r.matched for r in results} for results in counted]
    if sum("yes" in words and "no" not in words for words in found) > 1:
        return "yes", ""
    if len(counted) < 2:
        return (
            "not recorded",
            "study two or more cycles with counts of the outcome (study.results: events, denominator)",
        )
    if sum("no" not in words for words in found) > 1:
        return "not recorded", "in fewer than two cycles is the outcome visible yet; look at the chart"
    return (
        "no",
        "fewer than two cycles with counts found what was predicted without a group for whom it was not so; "
        "look at the chart",
    )
