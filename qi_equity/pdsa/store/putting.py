"""Add trees of records, and save new versions of one, in a transaction that is open."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.store.arguments import a_text
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.kinds import site_of
from qi_equity.pdsa.store.rows import Place
from qi_equity.pdsa.store.trees import Tree, present, read_around
from qi_equity.pdsa.store.writing import (
    Changes,
    changes_of,
    field_for,
    merged,
    next_root,
    refuse_present,
    write,
)

__all__ = ["add_trees", "place_of", "save_tree"]


def add_trees(connection: Connection, new: Sequence[Record], to: str | None, where: str) -> None:
    """Write new records with all within them.

    Raises
    ------
    StoreError
        If the store has some of them already, or not the one that is to hold them.
    InputTypeError, DataError
        If that cannot hold them, or they do not fit what is there.
    """
    refuse_present(connection, [record for tree in new for record, _ in tree.walk()])
    if to is None:
        first = next_root(connection)
        for i, record in enumerate(new):
            write(connection, record, Place(None, "", first + i, site_of(record, None)), None, Changes())
        return
    if not present(connection, [a_text("to", to, "a record's id")]):
        raise StoreError(f"to={to!r}: the store has no such record; list() gives those that are there.")
    tree = read_around(connection, to, where)
    holder = next(record for record, _ in tree.root.walk() if record.id == to)
    changes = Changes()
    for record in new:
        changes.additions[to, field_for(holder, record)].append(record)
    _write(connection, tree, changes)


def save_tree(connection: Connection, given: Record, by: str, where: str) -> Record:
    """Write what is new in a record that the store has and in all within it; give what it hangs in.

    Raises
    ------
    StaleRecordError, StoreError
        If it does not follow on what is stored.
    DataError
        If it does not fit what is there.
    """
    if not present(connection, [given.id]):
        raise StoreError(f"The store has no {type(given).__name__} {given.id!r}; add it with add(record).")
    tree = read_around(connection, given.id, where)
    return _write(connection, tree, changes_of(given, tree, by))


def place_of(tree: Tree, root: Record | None = None) -> Place:
    """Give where the top of a tree hangs."""
    row = tree.rows[tree.root.id]
    return Place(row["parent"], row["field"], row["position"], site_of(root or tree.root, row["site"]))


def _write(connection: Connection, tree: Tree, changes: Changes) -> Record:
    root = merged(tree.root, changes)
    write(connection, root, place_of(tree, root), tree, changes)
    return root
