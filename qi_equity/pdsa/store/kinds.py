"""The kinds of records, and what each is listed by."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from typing import Any

from qi_equity.pdsa.records.base import Record, held
from qi_equity.pdsa.records.charter import Aim, MeasureUse
from qi_equity.pdsa.records.cycle import Cycle
from qi_equity.pdsa.records.events import Meeting, Progress
from qi_equity.pdsa.records.fields import measure_name
from qi_equity.pdsa.records.network import Network, Site
from qi_equity.pdsa.records.project import Project

__all__ = ["ROOTS", "body_of", "days", "kinds", "label", "listed_measures", "own", "site_of"]

ROOTS = (Network, Project)
"""Kinds that can stand by themselves."""

_LABELS = ("name", "text", "title", "measure", "date")


@functools.cache
def kinds() -> Mapping[str, type[Record]]:
    """Give every kind of record by its name, holders first."""
    found: dict[str, type[Record]] = {}
    waiting: list[type[Record]] = list(ROOTS)
    while waiting:
        kind = waiting.pop(0)
        found[kind.__name__] = kind
        waiting += [item for item in held(kind).values() if item.__name__ not in found]
    return found


def body_of(record: Record) -> str:
    """Give a record as JSON, without the records within it and without its trail."""
    return record.model_dump_json(exclude={"trail", *record.children})


def own(record: Record) -> dict[str, Any]:
    """Give what JSON holds of a record, without the records within it and without its trail."""
    return record.model_dump(mode="json", exclude={"trail", *record.children})


def label(body: Any) -> str:
    """Give what a person knows a record by, from its JSON.

    Raises
    ------
    ValueError
        If it is that of no record.
    """
    found = [body[name] for name in _LABELS if name in body] if isinstance(body, dict) else []
    if not found:
        raise ValueError("its body is not that of a record")
    return str(found[0])


def site_of(record: Record, holder: str | None) -> str | None:
    """Give the site that a record belongs to: its own, or else that of what holds it."""
    if isinstance(record, Site):
        return record.name
    return record.site if isinstance(record, Project) else holder


def days(record: Record) -> tuple[date | None, date | None]:
    """Give the first and the last day of what happens on days; a cycle under way has no last day yet."""
    if isinstance(record, Meeting | Progress):
        return record.date, record.date
    return getattr(record, "start", None), getattr(record, "end", None)


def listed_measures(record: Record) -> set[str]:
    """Give the names of the measures that a record names itself."""
    if isinstance(record, Cycle):
        named = list(record.plan.measures)
    else:
        named = [record.measure] if isinstance(record, Aim | MeasureUse) and record.measure else []
    return {measure_name(measure) for measure in named}
