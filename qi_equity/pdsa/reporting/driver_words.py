"""What a driver diagram holds: its columns, its links, and the words of its boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qi_equity.data.catalogue import measures
from qi_equity.spc.words import amount, and_list, plural

if TYPE_CHECKING:
    from datetime import date

    from qi_equity.data.measure import Measure
    from qi_equity.pdsa.records.charter import Aim, ChangeIdea, Driver
    from qi_equity.pdsa.records.project import Project

__all__ = ["aim_words", "columns_of", "described", "heading", "idea_words", "links_of", "one_line"]

NO_AIM = "No aim is recorded yet"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def one_line(text: str) -> str:
    """Put a text of people on one line."""
    return " ".join(text.split())


def columns_of(project: Project) -> dict[str, int]:
    """Give the column of each driver and change idea by its identifier: 0 is the aim, ideas stand last.

    A driver stands right of all drivers that it bears on.
    """
    drivers = {driver.id: driver for driver in project.drivers}
    columns: dict[str, int] = {}

    def column(driver: Driver) -> int:
        if driver.id not in columns:
            columns[driver.id] = 1 + max((column(drivers[p]) for p in driver.parents), default=0)
        return columns[driver.id]

    last = 1 + max(map(column, project.drivers), default=0)
    return columns | {idea.id: last for idea in project.ideas}


def heading(column: int, last: int, *, ideas: bool) -> str:
    """Name a column; only the first of secondary drivers is named."""
    if ideas and column == last:
        return "Change ideas"
    return {0: "Aim", 1: "Primary drivers", 2: "Secondary drivers"}.get(column, "")


def links_of(project: Project) -> list[tuple[str, str]]:
    """Give the links, each from left to right; the aim has the identifier of the project."""
    found = [(p, driver.id) for driver in project.drivers for p in driver.parents or (project.id,)]
    return [*found, *((d, idea.id) for idea in project.ideas for d in dict.fromkeys(idea.drivers))]


def aim_words(aim: Aim) -> list[str]:
    """Give the text of an aim, then for whom, by when and, if it is recorded, how much."""
    known = _measure(aim.measure)
    parts = [f"for {one_line(aim.for_whom)}", f"by {_day(aim.by_when)}"]
    if aim.target is not None:
        start = "" if aim.baseline is None else f"from {_value(known, aim.baseline)} "
        parts.append(f"{start}to {_value(known, aim.target)}")
    return [one_line(aim.text), *parts]


def _day(when: date) -> str:
    """Write a day as the other figures of records do: 4 Mar 2024."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def _measure(name: str | None) -> Measure | None:
    """Find a measure of the catalogue by its id or its name."""
    return next((measures[key] for key in measures if name in (key, measures[key].name)), None)


def _value(measure: Measure | None, value: float) -> str:
    return f"{value:g}" if measure is None else amount(measure, value)


def idea_words(project: Project, idea: ChangeIdea) -> str:
    """Say how far the tests of a change idea are, and for which groups it is."""
    cycles = [cycle for cycle in project.cycles if cycle.idea == idea.id]
    decided = [cycle.act for cycle in cycles if cycle.act]
    parts = [f"for {and_list([one_line(g) for g in idea.groups])}"] if idea.groups else []
    if not any(cycle.do for cycle in cycles):
        return " · ".join([*parts, "not yet tested"])
    parts.append(plural(len(cycles), "cycle"))
    if decided:
        parts.append(f"last decision: {max(decided, key=lambda act: act.date).decision}")
    return " · ".join(parts)


def described(project: Project) -> str:
    """Describe the diagram: the aims, then each driver and idea with what it bears on."""
    aims = [" · ".join(aim_words(aim)) for aim in project.aims]
    lines = [f"Aim: {text}." for text in aims] or [f"{NO_AIM}."]
    names = {d.id: one_line(d.name) for d in project.drivers}
    for driver in project.drivers:
        over = "; ".join(names[p] for p in driver.parents) or "the aim"
        lines.append(f"{driver.level.capitalize()} driver: {names[driver.id]}. Bears on: {over}.")
    for idea in project.ideas:
        over = "; ".join(names[d] for d in idea.drivers) or "no driver recorded"
        told = f"{one_line(idea.name)} ({idea_words(project, idea)})"
        lines.append(f"Change idea: {told}. Bears on: {over}.")
    return "\n".join(lines)
