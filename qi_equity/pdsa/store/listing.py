"""List records by kind, site, measure, status and dates, without reading them in full."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Select, and_, or_, select

from qi_equity.pdsa.records.fields import measure_name
from qi_equity.pdsa.store.kinds import label
from qi_equity.pdsa.store.rows import parsed
from qi_equity.pdsa.store.tables import measures, records

__all__ = ["COLUMNS", "frame", "selected"]

COLUMNS = {
    "id": "str",
    "kind": "str",
    "name": "str",
    "site": "str",
    "parent": "str",
    "status": "str",
    "first": "datetime64[s]",
    "last": "datetime64[s]",
    "version": "int64",
    "shared": "bool",
}


def selected(
    kind: str | None,
    site: str | None,
    measure: str | None,
    status: str | None,
    since: date | None,
    until: date | None,
) -> Select[Any]:
    """Select the records that meet every condition that is given."""
    c = records.c
    conditions: list[ColumnElement[bool]] = [
        column == value
        for column, value in ((c.kind, kind), (c.site, site), (c.status, status))
        if value is not None
    ]
    if measure is not None:
        conditions.append(_about(measure))
    if since is not None:
        # What has begun and has no last day yet is still under way.
        conditions.append(and_(c.first_day.is_not(None), or_(c.last_day.is_(None), c.last_day >= since)))
    if until is not None:
        conditions.append(c.first_day <= until)
    return (
        select(records).where(*conditions).order_by(c.site, c.kind, c.first_day, c.parent, c.position, c.id)
    )


def frame(rows: Any) -> pd.DataFrame:
    """Give rows of the table as a frame, with the same columns whatever there is."""
    listed = [
        (
            row["id"],
            row["kind"],
            label(parsed(row["body"])),
            row["site"],
            row["parent"],
            row["status"],
            row["first_day"],
            row["last_day"],
            row["version"],
            row["shared"],
        )
        for row in rows
    ]
    table = pd.DataFrame(listed, columns=list(COLUMNS), dtype=object)
    for name in ("first", "last"):
        table[name] = pd.to_datetime(table[name])
    return table.astype(COLUMNS)


def _about(measure: str) -> ColumnElement[bool]:
    """Tell whether a record is about a measure.

    It is if it names it; a project if it uses it; a cycle that names none if its project uses it.
    """
    name = measure_name(measure)
    names_it = select(measures.c.record).where(measures.c.measure == name)
    names_any = select(measures.c.record)
    use = records.alias("use")
    users = select(use.c.parent).where(use.c.kind == "MeasureUse", use.c.id.in_(names_it))
    c = records.c
    return or_(
        c.id.in_(names_it),
        and_(c.kind == "Project", c.id.in_(users)),
        and_(c.kind == "Cycle", c.parent.in_(users), c.id.not_in(names_any)),
    )
