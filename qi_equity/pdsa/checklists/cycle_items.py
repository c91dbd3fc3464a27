"""What the checklist of quality asks of one cycle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from qi_equity.pdsa.checklists.items import EQUITY, OURS, PDSA, TAYLOR, Item, Met, item

if TYPE_CHECKING:
    from qi_equity.pdsa.records.base import Stamp
    from qi_equity.pdsa.records.cycle import Cycle
    from qi_equity.pdsa.records.steps import Plan

__all__ = ["cycle_items", "predictions_changed", "size_of"]


def cycle_items(cycle: Cycle, measured: bool = False, first: bool = False) -> list[Item]:
    """Give the items of a cycle, always the same and in the same order.

    A plan that names no measures bears on all of its project, ``measured`` says whether that has any;
    ``first`` says whether it is known to be the first of its change idea.
    """
    return [*_iterative(cycle, first), *_predicted(cycle), *_small(cycle), *_data(cycle, measured),
            *_written(cycle), *_watched(cycle), *_took_part(cycle)]  # fmt: skip


def size_of(cycle: Cycle) -> int | None:
    """Give how many people a cycle reached, or else how many it was meant to reach."""
    reached = cycle.do.reached if cycle.do else ()
    overall = [r.people for r in reached if r.group is None]
    if reached:
        return overall[0] if overall else sum(r.people for r in reached)
    return cycle.plan.scale.people if cycle.plan.scale else None


def predictions_changed(cycle: Cycle) -> Stamp | None:
    """Give the first stamp that changed predictions when a Do was recorded already, if there is one."""
    changes = _plan_changes(cycle)
    return next((stamp for stamp, old, new in changes if old.predictions != new.predictions), None)


def _plan_changes(cycle: Cycle) -> list[tuple[Stamp, Plan, Plan]]:
    """Give the changes of the plan when a Do was recorded already: the stamp, the plan before and after."""
    versions = cycle.history()
    stamps = [stamp for stamp in cycle.trail if stamp.what == "revised"]
    return [
        (stamp, old.plan, new.plan)
        for stamp, old, new in zip(stamps, versions[:-1], versions[1:], strict=True)
        if old.do and "plan" in stamp.before
    ]


def _iterative(cycle: Cycle, first: bool) -> Iterator[Item]:
    name = "Iterative cycles: it follows on earlier cycles"
    missing = "name the cycles that led to it (previous), where it is not the first"
    yield _not_due(name) if first and not cycle.previous else _recorded(name, bool(cycle.previous), missing)
    yield _step(cycle.act, "Iterative cycles: what was learned leads on", True, "")


def _predicted(cycle: Cycle) -> Iterator[Item]:
    name = "Prediction-based test: "
    yield _recorded(
        f"{name}predicted in the Plan",
        bool(cycle.plan.predictions),
        "write what is predicted (plan.predictions)",
    )
    yield _before_do(cycle, f"{name}predicted before the Do")
    yield _step(cycle.study, f"{name}compared in the Study", True, "")


def _before_do(cycle: Cycle, name: str) -> Item:
    """Judge by the versions whether the predictions stood before the Do was recorded."""
    if not cycle.do:
        return item(PDSA, name, TAYLOR, "not due")
    changed = predictions_changed(cycle)
    if changed:
        told = f"predictions were changed on {changed.at:%Y-%m-%d} by {changed.by}, after the Do was recorded"
        return item(PDSA, name, TAYLOR, "no", f"{told}; record what was predicted first")
    if any(old == new for _, old, new in _plan_changes(cycle)):
        told = "the plan was changed after the Do was recorded, and what was changed is redacted"
        return item(PDSA, name, TAYLOR, "not recorded", told)
    if cycle.history()[0].do:
        told = "the plan was first recorded together with the Do; record the plan before the test"
        return item(PDSA, name, TAYLOR, "not recorded", told)
    return item(PDSA, name, TAYLOR, "yes")


def _small(cycle: Cycle) -> Iterator[Item]:
    name = "Small-scale testing: "
    yield _recorded(
        f"{name}scale set by belief and consequence", cycle.plan.scale is not None,
        "record the scale with degree of belief and consequence of failure (plan.scale)",
    )  # fmt: skip
    yield _recorded(
        f"{name}people reached are counted", size_of(cycle) is not None,
        "count the people that it reaches (plan.scale.people, do.reached)",
    )  # fmt: skip
    led = cycle.purpose == "test" or bool(cycle.previous)
    yield item(
        PDSA, f"{name}tested before it is implemented", TAYLOR, "yes" if led else "no",
        "it implements a change that no earlier cycle is named to have tested (previous)",
    )  # fmt: skip


def _data(cycle: Cycle, measured: bool) -> Iterator[Item]:
    name = "Use of data over time: "
    measures = measured or cycle.plan.measures or any(p.measure for p in cycle.plan.predictions)
    yield _recorded(
        f"{name}measures are named", bool(measures), "name the measures that will tell (plan.measures)"
    )
    yield _recorded(
        f"{name}collection is planned", bool(cycle.plan.data_plan.strip()),
        "write who collects which data, when and where (plan.data_plan)",
    )  # fmt: skip
    attached: Met = "not due" if not cycle.do else "yes" if cycle.do.data_attached else "no"
    yield item(PDSA, f"{name}data are attached", TAYLOR, attached, "attach the data (do.data_attached)")
    uncounted = [
        r.group or "overall"
        for r in (cycle.study.results if cycle.study else ())
        if r.events is None or r.denominator is None
    ]
    yield _step(
        cycle.study, f"{name}results have counts", not uncounted,
        f"give events and denominator of the results: {_list(uncounted)}",
    )  # fmt: skip


def _written(cycle: Cycle) -> Iterator[Item]:
    name, plan, do = "Documentation: ", cycle.plan, cycle.do
    lacking = [
        field for field, has in (("plan.questions", plan.questions), ("plan.tasks", plan.tasks)) if not has
    ]
    yield _recorded(f"{name}Plan", not lacking, f"write {_list(lacking)}")
    yield _step(do, f"{name}Do", bool(do and do.observations.strip()), "write do.observations")
    study, act = cycle.study, cycle.act
    yield _step(study, f"{name}Study", bool(study and study.comparison.strip()), "write study.comparison")
    yield _step(act, f"{name}Act", bool(act and act.reason.strip()), "write act.reason")


def _watched(cycle: Cycle) -> Iterator[Item]:
    """Give what is asked for every group that is watched."""
    strata, study = cycle.equity.strata, cycle.study
    yield _recorded(
        "groups to watch are named", bool(strata), "name the groups that are watched (equity.strata)", EQUITY
    )
    predicted = {p.group for p in cycle.plan.predictions}
    yield _each(strata, "a prediction for each watched group", predicted, True, "predict for")
    reached = {r.group for r in (cycle.do.reached if cycle.do else ())}
    yield _each(strata, "people reached of each watched group", reached, cycle.do, "count do.reached for")
    harm = {h.group: h.found for h in (study.harm if study else ())}
    unchecked = [group for group in strata if harm.get(group) == "not checked"]
    if study and unchecked:
        told = f"harm was not checked for: {_list(unchecked)}"
        yield item(EQUITY, "a harm check for each watched group", OURS, "no", told)
    else:
        yield _each(
            strata, "a harm check for each watched group", harm, study, "look for harm (study.harm) in"
        )
    yield _blind(cycle)


def _blind(cycle: Cycle) -> Item:
    """Judge whether the decision tells which groups could not be seen yet."""
    name = "groups not yet visible are told at the decision"
    if not (cycle.act and cycle.study):
        return item(EQUITY, name, OURS, "not due")
    unseen = {r.group for r in cycle.study.results if r.matched == "not yet visible" and r.group}
    untold = sorted(unseen - set(cycle.act.not_yet_visible))
    return item(EQUITY, name, OURS, "no" if untold else "yes", f"add to act.not_yet_visible: {_list(untold)}")


def _took_part(cycle: Cycle) -> Iterator[Item]:
    equity = cycle.equity
    yield _recorded(
        "a comparator with its reason, or why there is none", bool(equity.comparator_reason.strip()),
        "write the comparator and why that one, or why none (equity.comparator, comparator_reason)", EQUITY,
    )  # fmt: skip
    known = equity.completeness is not None and equity.completeness_on is not None
    yield _recorded(
        "completeness of ethnicity at the time", known,
        "give the share known and its day (equity.completeness, completeness_on)", EQUITY,
    )  # fmt: skip
    answers = [party.recompensed for party in equity.took_part]
    met: Met = "yes" if answers else "not recorded"
    if "no" in answers:
        met = "no"
    elif "not recorded" in answers:
        met = "not recorded"
    yield item(
        EQUITY, "who took part, and was recompensed", OURS, met,
        "record who took part and whether they were recompensed (equity.took_part)",
    )  # fmt: skip
    yield _recorded(
        "principles of anti-racism that it touches", bool(equity.principles),
        "name them from the network's own list (equity.principles)", EQUITY,
    )  # fmt: skip


def _recorded(name: str, has: bool, missing: str, part: str = PDSA) -> Item:
    source = OURS if part == EQUITY else TAYLOR
    return item(part, name, source, "yes" if has else "not recorded", missing)


def _step(step: object, name: str, has: bool, missing: str) -> Item:
    """Give an item of a step that may not have been reached."""
    return item(PDSA, name, TAYLOR, "yes" if has else "not recorded", missing) if step else _not_due(name)


def _not_due(name: str) -> Item:
    return item(PDSA, name, TAYLOR, "not due")


def _each(strata: Iterable[str], name: str, has: Iterable[str | None], step: object, missing: str) -> Item:
    """Give an item that is asked for every watched group; without any, it cannot be met."""
    if not step:
        return item(EQUITY, name, OURS, "not due")
    groups, there = list(strata), set(has)
    lacking = [group for group in groups if group not in there]
    told = (
        f"{missing}: {_list(lacking)}" if groups else "name the groups that are watched (equity.strata) first"
    )
    return item(EQUITY, name, OURS, "yes" if groups and not lacking else "not recorded", told)


def _list(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
