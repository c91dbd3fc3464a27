"""Put new records and new versions into a tree and into the tables; nothing is ever taken out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from qi_equity.errors import InputTypeError
from qi_equity.pdsa.records.base import Record, held
from qi_equity.pdsa.store.bulk import many_objects
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.rows import Place, measure_rows, placed, record_row, stamp_rows
from qi_equity.pdsa.store.shared import share
from qi_equity.pdsa.store.tables import measures, records, stamps
from qi_equity.pdsa.store.trees import Tree, present
from qi_equity.pdsa.store.versions import next_version

__all__ = ["Changes", "changes_of", "field_for", "merged", "next_root", "recorded", "refuse_present", "write"]


R = TypeVar("R", bound=Record)

_BLANKED = ("by", "reason", "before")


@dataclass(slots=True)
class Changes:
    """New versions by identifier, and new records by what is to hold them and in which field."""

    versions: dict[str, Record] = field(default_factory=dict)
    additions: dict[tuple[str, str], list[Record]] = field(default_factory=lambda: defaultdict(list))


def recorded(record: R, by: str) -> R:
    """Give a new record, and all within it, with who recorded it and when, where that is not told yet."""
    stamp = Record.model_validate({"recorded_by": by, "recorded_at": datetime.now(UTC)})
    return _recorded(record, stamp)


def _recorded(record: R, stamp: Record) -> R:
    within = {name: tuple(_recorded(c, stamp) for c in getattr(record, name)) for name in record.children}
    told: dict[str, Any] = {
        "recorded_by": record.recorded_by or stamp.recorded_by,
        "recorded_at": record.recorded_at or stamp.recorded_at,
    }
    return record.model_copy(update=within | told)


def field_for(holder: Record, record: Record) -> str:
    """Give the field of a record that can hold another.

    Raises
    ------
    InputTypeError
        If none can.
    """
    fields = held(type(holder))
    for name, kind in fields.items():
        if isinstance(record, kind):
            return name
    able = ", ".join(kind.__name__ for kind in fields.values()) or "no other records"
    raise InputTypeError(
        f"record= is a {type(record).__name__}; {type(holder).__name__} {holder.id!r} holds {able}."
    )


def changes_of(given: Record, tree: Tree, by: str) -> Changes:
    """Find what is new in a record and in all within it, against the stored tree that has it.

    Raises
    ------
    StaleRecordError, StoreError
        If a record does not follow on the stored one, or hangs elsewhere in the store.
    """
    there = {record.id: (record, parent) for record, parent in tree.root.walk()}
    changes = Changes()
    _compare(given, there[given.id][1], there, changes, by)
    return changes


def _compare(given: Record, parent: str | None, there: Mapping[str, Any], changes: Changes, by: str) -> None:
    stored, stored_parent = there[given.id]
    if stored_parent != parent:
        raise StoreError(
            f"{type(given).__name__} {given.id!r} hangs on {stored_parent!r} in the store and on {parent!r} "
            "here; records do not move. Give the new one another id."
        )
    following = next_version(stored, given)
    if len(following.trail) > len(stored.trail):
        changes.versions[given.id] = following
    for name in given.children:
        for child in getattr(given, name):
            if child.id in there:
                _compare(child, given.id, there, changes, by)
            else:
                changes.additions[given.id, name].append(recorded(child, by))


def merged(stored: Record, changes: Changes) -> Record:
    """Give a stored tree with the changes in it, checked as a whole.

    Raises
    ------
    DataError
        If the records do not fit each other.
    """
    within: dict[str, tuple[Record, ...]] = {}
    for name in stored.children:
        old = getattr(stored, name)
        new = (*(merged(child, changes) for child in old), *changes.additions.get((stored.id, name), ()))
        if len(new) != len(old) or any(a is not b for a, b in zip(new, old, strict=True)):
            within[name] = new
    version = changes.versions.get(stored.id)
    if version is None and not within:
        return stored
    kept = {name: getattr(stored, name) for name in stored.children}
    fields = {name: getattr(version or stored, name) for name in type(stored).model_fields}
    return type(stored).model_validate(fields | kept | within)


def refuse_present(connection: Connection, new: Iterable[Record]) -> None:
    """Refuse new records whose identifiers the store has already.

    Raises
    ------
    StoreError
        Names them.
    """
    found = present(connection, [record.id for record in new])
    if found:
        raise StoreError(
            f"The store has records of these ids already: {', '.join(found[:5])}"
            f"{' and more' if len(found) > 5 else ''} ({len(found)} in all). Save new versions with save(), "
            "or give new records other ids. Nothing was written."
        )


def next_root(connection: Connection) -> int:
    """Give the position of the next record that hangs on no other."""
    highest = select(func.max(records.c.position)).where(records.c.parent.is_(None))
    last = connection.execute(highest).scalar()
    return 0 if last is None else int(last) + 1


def write(connection: Connection, root: Record, place: Place, tree: Tree | None, changes: Changes) -> None:
    """Write what is new in a checked tree.

    Parameters
    ----------
    connection : Connection
        In a transaction.
    root : Record
        The whole tree, as it is to be.
    place : Place
        Where its top hangs.
    tree : Tree or None
        What the store has of it; None: all is new.
    changes : Changes
        Its new versions.
    """
    old = tree.rows if tree else {}
    everything = placed(root, place)
    new = [(record, at) for record, at in everything if record.id not in old]
    refuse_present(connection, [record for record, _ in new])
    _insert(connection, records, [record_row(record, at) for record, at in new])
    _insert(connection, stamps, [row for record, _ in new for row in stamp_rows(record)])
    _insert(connection, measures, [row for record, _ in new for row in measure_rows(record)])
    changed = [
        (record, at)
        for record, at in everything
        if record.id in old and (record.id in changes.versions or at.site != old[record.id]["site"])
    ]
    for record, at in changed:
        _update(connection, record, at)
    share(connection, new + changed)


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        with many_objects():
            connection.execute(insert(table), rows)


def _update(connection: Connection, record: Record, place: Place) -> None:
    """Write a new version: the record, its new stamps, and what a redaction blanked in the older ones."""
    row = record_row(record, place)
    same = ("id", "kind", "parent", "field", "position")
    values = {name: value for name, value in row.items() if name not in same}
    changed = connection.execute(update(records).where(records.c.id == record.id).values(values))
    if changed.rowcount != 1:
        raise StoreError(f"{record.id!r} cannot be changed by you; nothing was written.")
    kept = connection.execute(select(func.count()).where(stamps.c.record == record.id)).scalar_one()
    if any(stamp.what == "redacted" for stamp in record.trail[kept:]):
        blanked = [
            {"of": record.id, "at_n": row["n"]} | {f"new_{name}": row[name] for name in _BLANKED}
            for row in stamp_rows(record)[:kept]
        ]
        this = (stamps.c.record == bindparam("of")) & (stamps.c.n == bindparam("at_n"))
        values = {name: bindparam(f"new_{name}") for name in _BLANKED}
        if blanked:
            connection.execute(update(stamps).where(this).values(values), blanked)
    _insert(connection, stamps, stamp_rows(record, start=kept))
    connection.execute(delete(measures).where(measures.c.record == record.id))
    _insert(connection, measures, measure_rows(record))
