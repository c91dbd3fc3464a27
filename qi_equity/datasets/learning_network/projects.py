"""The projects of the synthetic network: aim, drivers, ideas, measures, cycles and scores of progress."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from qi_equity.datasets.learning_network.cycles import Ramp, cycles
from qi_equity.datasets.learning_network.timeline import moment
from qi_equity.pdsa.records.charter import Aim, ChangeIdea, Driver, MeasureUse
from qi_equity.pdsa.records.cycle import Cycle
from qi_equity.pdsa.records.events import Progress
from qi_equity.pdsa.records.party import Party
from qi_equity.pdsa.records.project import Project

__all__ = ["project"]

Role = Literal["outcome", "process", "balancing"]

_SCALE = "IHI 2004"
_AIM_REVISED = timedelta(days=30)
_CHARTER, _PLANNING, _ACTIVE, _TESTED, _MODEST, _IMPROVED, _SIGNIFICANT = 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0
_WHY = {
    _CHARTER: "The aim is agreed and the team meets.",
    _PLANNING: "The first test is planned.",
    _ACTIVE: "Tests have begun; nothing is changed yet.",
    _TESTED: "Changes are tested or in place; the measure does not show an improvement yet.",
    _MODEST: "The change is the rule; its chart is read each month.",
    _IMPROVED: "The measure improved over all women; the groups are read one by one.",
    _SIGNIFICANT: "The improvement held over further months.",
}


def project(place: Ramp, site: str) -> Project:
    """Make the project of one idea at one site."""
    idea, made = place.idea, cycles(place)
    return Project(
        id=place.name_of("project"), shared=True, recorded_by=idea.lead,
        recorded_at=moment(place.timeline.work), name=idea.project, site=site, problem=idea.problem,
        team=(idea.lead, "Obstetrician", "Service user panel", "Data analyst"), aims=(_aim(place),),
        drivers=_drivers(place), ideas=_ideas(place, made), measures=_measures(place), cycles=made,
        progress=_progress(place, made),
    )  # fmt: skip


def _target(place: Ramp) -> tuple[float, float]:
    """Give the rate of the baseline, and the one that was predicted."""
    idea, counts = place.idea, place.counts
    events, born = counts.between(place.site, 0, place.timeline.baseline)
    before = events[-1] / born[-1]
    return round(float(before), 4), round(float(idea.improved(before)), 4)


def _aim(place: Ramp) -> Aim:
    idea, timeline = place.idea, place.timeline
    baseline, target = _target(place)
    aim = Aim(
        id=place.name_of("aim"), shared=True, recorded_by=idea.lead, recorded_at=moment(timeline.work),
        text=f"{idea.outcome}: {idea.better} from {baseline:.1%} to {target:.1%}", measure=idea.measure,
        baseline=baseline, target=target, direction=idea.better, for_whom="all women", by_when=timeline.last,
        defined_by=(
            Party(who="service user panel", how_many=4 + place.site % 3, recompensed="yes", how="vouchers"),
            Party(who="multidisciplinary team", recompensed="not recorded"),
        ),
    )  # fmt: skip
    if place.site % 3:
        return aim
    return aim.revise(
        {"for_whom": "women of every ethnic group, each read on its own"}, by="Service user panel",
        reason="All women together can improve while a group does not.",
        at=moment(timeline.work + _AIM_REVISED),
    )  # fmt: skip


def _drivers(place: Ramp) -> tuple[Driver, ...]:
    primary, fair = place.name_of("driver1"), place.name_of("driver2")
    return (
        Driver(id=primary, shared=True, name=place.idea.primary),
        Driver(id=fair, shared=True, name="Care reaches every group alike"),
        Driver(
            id=place.name_of("driver3"), shared=True, name=place.idea.secondary, level="secondary",
            parents=(primary, fair),
        ),
    )  # fmt: skip


def _ideas(place: Ramp, made: tuple[Cycle, ...]) -> tuple[ChangeIdea, ...]:
    """Give the idea of all sites, and the other one where it was tried."""
    idea, other = place.idea, place.idea.alternative
    tried = {cycle.idea for cycle in made}
    both = ((idea.code, idea.name, idea.description), (other.code, other.name, other.description))
    return tuple(
        ChangeIdea(
            id=place.name_of(code), shared=True, name=name, description=description,
            drivers=(place.name_of("driver3"),), code=code,
        )
        for code, name, description in both
        if code == idea.code or place.name_of(code) in tried
    )  # fmt: skip


def _measures(place: Ramp) -> tuple[MeasureUse, ...]:
    idea = place.idea
    uses: tuple[tuple[Role, str, float | None, str], ...] = (
        ("outcome", idea.measure, _target(place)[1], "What the aim is about."),
        ("process", idea.process, None, "Whether the change arrived."),
        ("balancing", idea.balancing, None, "What the change might make worse."),
    )
    return tuple(
        MeasureUse(id=place.name_of(role), shared=True, measure=name, role=role, target=target, why=why)
        for role, name, target, why in uses
    )  # fmt: skip


def _progress(place: Ramp, made: tuple[Cycle, ...]) -> tuple[Progress, ...]:
    """Score each month as the network's improvement lead would, from what the team had then."""
    timeline = place.timeline
    return tuple(_scored(place, month, made) for month in range(timeline.months))


def _scored(place: Ramp, month: int, made: tuple[Cycle, ...]) -> Progress:
    day = place.timeline.day(month + 1) - timedelta(days=1)
    score = _score(place, month, [cycle for cycle in made if cycle.start and cycle.start <= day], day)
    self_assessed = (month + place.site) % 3 == 2
    return Progress(
        id=place.name_of(f"progress{month + 1}"), shared=month % 2 == 0, date=day, score=score,
        scale_version=_SCALE, justification=_WHY[score], self_assessed=self_assessed,
        assessed_by="Team" if self_assessed else "Improvement lead of the network",
        suggestions="Read the charts of smaller groups over more months." if score > _MODEST else "",
    )  # fmt: skip


def _score(place: Ramp, month: int, begun: list[Cycle], day: date) -> float:
    """Give the score of a month; the first results of a predicted outcome make the difference."""
    if not begun:
        return _PLANNING if month else _CHARTER
    outcomes = [
        cycle.study.results[0].matched == "yes"
        for cycle in begun
        if cycle.study and cycle.study.date <= day and cycle.study.results[0].measure == place.idea.measure
    ]
    if outcomes:
        return (_SIGNIFICANT if len(outcomes) > 1 else _IMPROVED) if outcomes[-1] else _TESTED
    if any(cycle.purpose == "implement" for cycle in begun):
        return _MODEST
    return _TESTED if any(cycle.act and cycle.act.date <= day for cycle in begun) else _ACTIVE
