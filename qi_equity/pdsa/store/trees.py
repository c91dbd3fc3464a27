"""Read trees of records from the tables, and find what a record hangs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.records.project import Project
from qi_equity.pdsa.store.bulk import many_objects
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.failures import damaged
from qi_equity.pdsa.store.rows import build
from qi_equity.pdsa.store.tables import records, stamps

__all__ = ["Tree", "present", "read", "read_around", "roots"]

_CHUNK = 500
_HIGHEST = 20


@dataclass(frozen=True, slots=True)
class Tree:
    """A record with all within it, and the rows that they came from by their identifiers."""

    root: Record
    rows: Mapping[str, Mapping[str, Any]]


def _within(top: str) -> Select[tuple[str]]:
    """Select the identifiers of a record and of all within it."""
    tree = select(records.c.id).where(records.c.id == top).cte("tree", recursive=True)
    # A union, not "union all": rows that lead in a circle end it.
    tree = tree.union(select(records.c.id).where(records.c.parent == tree.c.id))
    return select(tree.c.id)


def read(connection: Connection, top: str, where: str) -> Tree:
    """Read a record with all within it.

    Raises
    ------
    StoreError
        If it is not there, or what is there is damaged.
    """
    return _read(connection, top, _within(top), where)


def read_around(connection: Connection, record: str, where: str) -> Tree:
    """Read what a new version of a record, or a new record within it, has to fit.

    For a project and what is in it, that is the whole project and what holds it: its site and its network
    compare a project with themselves and not with their other projects. Otherwise it is the whole tree.

    Raises
    ------
    StoreError
        If it is not there, or what is there is damaged.
    """
    above = _above(connection, record, where)
    top, _ = above[-1]
    project = next((name for name, kind in above if kind == Project.__name__), None)
    if project is None:
        return read(connection, top, where)
    holders = select(records.c.id).where(records.c.id.in_([name for name, _ in above]))
    return _read(connection, top, holders.union(_within(project)), where)


def _read(connection: Connection, top: str, ids: Any, where: str) -> Tree:
    rows = select(records).where(records.c.id.in_(ids)).order_by(records.c.position, records.c.id)
    found = _mappings(connection, rows)
    if not found:
        raise StoreError(
            f"{where!r} has no record {top!r} that you may read; list() gives those that are there."
        )
    trail = select(stamps).where(stamps.c.record.in_(ids)).order_by(stamps.c.record, stamps.c.n)
    try:
        with many_objects():
            root = build(top, found, _mappings(connection, trail))
    except ValueError as error:
        raise damaged(where, error) from error
    return Tree(root, {row["id"]: row for row in found})


def _above(connection: Connection, record: str, where: str) -> list[tuple[str, str]]:
    """Give the identifiers and kinds of a record and of what holds it, up to the highest that may be read."""
    found: list[tuple[str, str]] = []
    wanted: str | None = record
    while wanted is not None and len(found) <= _HIGHEST:
        columns = select(records.c.id, records.c.kind, records.c.parent).where(records.c.id == wanted)
        row = connection.execute(columns).first()
        if row is None:
            break
        found.append((row.id, row.kind))
        wanted = row.parent
    if len(found) > _HIGHEST:
        raise damaged(where, f"what holds record {record!r} leads in a circle")
    return found


def roots(connection: Connection) -> list[str]:
    """Give the identifiers of the records that hang on no other that may be read, in order."""
    holder = records.alias("holder")
    orphan: ColumnElement[bool] = ~select(holder.c.id).where(holder.c.id == records.c.parent).exists()
    found = select(records.c.id).where(orphan).order_by(records.c.position, records.c.id)
    return list(connection.execute(found).scalars())


def present(connection: Connection, ids: Iterable[str]) -> list[str]:
    """Give those of the identifiers that the store has, in their order."""
    wanted = list(ids)
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        found.update(connection.execute(select(records.c.id).where(records.c.id.in_(chunk))).scalars())
    return [name for name in wanted if name in found]


def _mappings(connection: Connection, what: Select[Any]) -> Sequence[Mapping[str, Any]]:
    return [dict(row) for row in connection.execute(what).mappings()]
