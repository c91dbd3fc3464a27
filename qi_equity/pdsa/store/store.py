"""A store of records: add, save, get, list, and take out as JSON or CSV."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from types import TracebackType
from typing import Self, TypeVar

import pandas as pd
from sqlalchemy import Connection, Engine

from qi_equity import _result, _validate
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.store import csv_files, json_files, listing, migrate
from qi_equity.pdsa.store.engine import is_sqlite, reading, writing
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.failures import told
from qi_equity.pdsa.store.files import read_text, write_bytes
from qi_equity.pdsa.store.kinds import ROOTS, kinds, site_of
from qi_equity.pdsa.store.rows import Place, placed
from qi_equity.pdsa.store.trees import Tree, present, read, read_around, roots
from qi_equity.pdsa.store.writing import (
    Changes,
    changes_of,
    field_for,
    merged,
    next_root,
    recorded,
    refuse_present,
    write,
)

__all__ = ["Store"]

R = TypeVar("R", bound=Record)

_STATUSES = ("planned", "done", "studied", "decided")


class Store:
    """A store of records, as :func:`open` gives it.

    Every call reads or writes in a transaction of its own: all of what it writes is kept, or nothing.
    Nothing is ever deleted or written over; a new version keeps the old ones (see :class:`Record`).

    Examples
    --------
    >>> import tempfile
    >>> from qi_equity import pdsa
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = pdsa.open(f"{folder.name}/network.db")
    >>> site = pdsa.Site(name="North", projects=[pdsa.Project(id="p", name="Haemorrhage", site="North")])
    >>> network = store.add(pdsa.Network(name="A network", sites=[site]), by="Network lead")
    >>> driver = store.add(pdsa.Driver(id="d", name="Timely"), to="p", by="A. Midwife")
    >>> driver = store.save(driver.revise({"name": "Timely treatment"}, by="A. Midwife"))
    >>> [version.name for version in store.history("d")]
    ['Timely', 'Timely treatment']
    >>> store.list(site="North")[["kind", "name", "version"]]
          kind              name  version
    0   Driver  Timely treatment        2
    1  Project       Haemorrhage        1
    2     Site             North        1
    >>> store.close(); folder.cleanup()
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self._where!r})"

    def close(self) -> None:
        """Close all connections; the store can be opened again."""
        self._engine.dispose()

    @property
    def schema_version(self) -> str:
        """The schema of the database, such as ``"0001"``."""
        with reading(self._engine, self._where) as connection:
            return str(migrate.schema_of(connection))

    @property
    def notes(self) -> pd.DataFrame:
        """What to know about this store: columns ``code, severity, site, group, text``."""
        if not is_sqlite(self._engine):
            return _result.notes([])
        text = (
            "Anyone who can read this file can read every record in it: a query for one site or for shared "
            "records is no protection. Keep the file where only its writers can open it, and give readers an "
            "export (export_json, export_csv) of what they may see; or use PostgreSQL, which knows who asks."
        )
        return _result.notes([_result.note("file_readable", "warning", text)])

    def add(self, record: R, to: str | None = None, by: str = "") -> R:
        """Add a new record with all within it.

        Parameters
        ----------
        record : Record
            A Network or a Project, which can stand by itself; or any other, to what holds it.
        to : str, optional
            Identifier of the record that is to hold it.
        by : str
            Who adds it, kept as ``recorded_by`` where the record does not tell.

        Returns
        -------
        Record
            The record as it is kept: with who recorded it, and when.

        Raises
        ------
        StoreError
            If there is a record with that id, or none with the id ``to``, or it cannot be written.
        InputTypeError
            If it cannot stand by itself or hang there.
        DataError
            If it does not fit the records that are there.
        """
        _a_record(record)
        if to is None and not isinstance(record, ROOTS):
            raise InputTypeError(
                f"record= is a {type(record).__name__}, which cannot stand by itself; say with to= what is "
                f"to hold it. {' and '.join(kind.__name__ for kind in ROOTS)} can."
            )
        new = recorded(record, by)
        with writing(self._engine, self._where) as connection:
            self._insert(connection, [new], to)
        return new

    def save(self, record: R, by: str = "") -> R:
        """Save new versions: of a record, and of all within it; those that are new within it are added.

        Records that the store has and the given one has not stay as they are.

        Parameters
        ----------
        record : Record
            A record that the store has, revised; a whole tree or one record.
        by : str
            Who adds what is new within it, kept as ``recorded_by`` where the record does not tell.

        Returns
        -------
        Record
            The record as it is kept, with all within it.

        Raises
        ------
        StaleRecordError
            If someone else has changed a record since it was read.
        StoreError
            If the store has no such record, it differs without a new version, or it cannot be written.
        DataError
            If it does not fit the records that are there.
        """
        _a_record(record)
        with writing(self._engine, self._where) as connection:
            if not present(connection, [record.id]):
                raise StoreError(
                    f"The store has no {type(record).__name__} {record.id!r}; add it with add(record)."
                )
            tree = read_around(connection, record.id, self._where)
            changes = changes_of(record, tree, by)
            root = self._write(connection, tree, changes)
        return next(r for r, _ in root.walk() if isinstance(r, type(record)) and r.id == record.id)

    def get(self, id: str) -> Record:
        """Give a record with all within it.

        Parameters
        ----------
        id : str
            Its identifier, as in the column ``id`` of :meth:`list`.

        Returns
        -------
        Record
            Of the kind that was added.

        Raises
        ------
        StoreError
            If there is none, or it cannot be read.
        """
        with reading(self._engine, self._where) as connection:
            return read(connection, _an_id("id", id), self._where).root

    def history(self, id: str) -> tuple[Record, ...]:
        """Give every version of a record, oldest first; records within it are as they are now.

        Parameters
        ----------
        id : str
            Its identifier.

        Returns
        -------
        tuple of Record
            The last is the one that :meth:`get` gives.

        Raises
        ------
        StoreError
            If there is none, or it cannot be read.
        """
        record = self.get(id)
        with told(self._where):
            return record.history()

    def list(
        self,
        kind: str | None = None,
        site: str | None = None,
        measure: str | None = None,
        status: str | None = None,
        since: str | date | None = None,
        until: str | date | None = None,
    ) -> pd.DataFrame:
        """List the records that meet every condition given.

        Parameters
        ----------
        kind : str, optional
            Such as ``"Cycle"``.
        site : str, optional
            Name of the site that they belong to.
        measure : str, optional
            Id of the catalogue or name: records that name it, projects that use it, and of these the cycles
            that look at all measures of their project.
        status : {"planned", "done", "studied", "decided"}, optional
            Of cycles.
        since, until : str or date, optional
            Records of something that happened on days between the two, or that is still under way.

        Returns
        -------
        pandas.DataFrame
            ``id, kind, name, site, parent, status, first, last, version, shared``.

        Raises
        ------
        OptionError
            If there is no such kind or status, or a day is none.
        StoreError
            If the store cannot be read.
        """
        if kind is not None:
            _validate.one_of("kind", kind, list(kinds()))
        if status is not None:
            _validate.one_of("status", status, _STATUSES)
        wanted = listing.selected(kind, site, measure, status, _day("since", since), _day("until", until))
        with reading(self._engine, self._where) as connection:
            return listing.frame(connection.execute(wanted).mappings().all())

    def export_json(self, path: str | os.PathLike[str] | None = None, *, record: str | None = None) -> str:
        """Give all records, or one with all within it, as JSON that :meth:`import_json` reads.

        Parameters
        ----------
        path : str or path, optional
            A file to write it to as well.
        record : str, optional
            Identifier of the record. Default: all.

        Returns
        -------
        str
            With every version.

        Raises
        ------
        StoreError
            If the store cannot be read or the file not be written.
        """
        with reading(self._engine, self._where) as connection:
            wanted = roots(connection) if record is None else [_an_id("record", record)]
            text = json_files.as_json([read(connection, id, self._where).root for id in wanted])
        if path is not None:
            write_bytes(path, text.encode("utf-8"))
        return text

    def import_json(self, source: str | os.PathLike[str], *, to: str | None = None) -> tuple[str, ...]:
        """Add the records of an export: all of them, or none.

        Parameters
        ----------
        source : str or path
            What :meth:`export_json` gave, or the path of the file.
        to : str, optional
            Identifier of the record that is to hold them, for an export of records that cannot stand by
            themselves.

        Returns
        -------
        tuple of str
            Identifiers of those at the top.

        Raises
        ------
        DataError
            If it cannot be read; nothing was added.
        StoreError
            If the store has some of them already, or cannot be written; nothing was added.
        """
        is_text = isinstance(source, str) and source.lstrip().startswith("{")
        found = json_files.from_json(str(source) if is_text else read_text(source))
        alone = [r for r in found if to is None and not isinstance(r, ROOTS)]
        if alone:
            raise DataError(
                f"The export has a {type(alone[0]).__name__}, which cannot stand by itself; say with to= "
                "what is to hold it."
            )
        with writing(self._engine, self._where) as connection:
            self._insert(connection, found, to)
        return tuple(record.id for record in found)

    def export_csv(self, folder: str | os.PathLike[str]) -> tuple[str, ...]:
        """Write a flat table for each kind of record, for a spreadsheet.

        Parameters
        ----------
        folder : str or path
            A folder that is there. Files of the same names are replaced.

        Returns
        -------
        tuple of str
            Names of the files.

        Raises
        ------
        StoreError
            If the store cannot be read or a file not be written.

        Notes
        -----
        Lists are joined by "; ". A text that a spreadsheet would take for a formula (it starts with ``=``,
        ``+``, ``-``, ``@``, a tab or a new line) gets an apostrophe in front. The tables hold the newest
        versions; the trails are in :meth:`export_json`.
        """
        with reading(self._engine, self._where) as connection:
            trees = [read(connection, top, self._where) for top in roots(connection)]
        return csv_files.write_tables(folder, [pair for t in trees for pair in placed(t.root, _place(t))])

    def _insert(self, connection: Connection, new: Sequence[Record], to: str | None) -> None:
        """Write new records with all within them."""
        refuse_present(connection, [record for tree in new for record, _ in tree.walk()])
        if to is None:
            first = next_root(connection)
            for i, record in enumerate(new):
                place = Place(None, "", first + i, site_of(record, None))
                write(connection, record, place, None, Changes())
            return
        if not present(connection, [_an_id("to", to)]):
            raise StoreError(f"to={to!r}: the store has no such record; list() gives those that are there.")
        tree = read_around(connection, to, self._where)
        holder = next(record for record, _ in tree.root.walk() if record.id == to)
        changes = Changes()
        for record in new:
            changes.additions[to, field_for(holder, record)].append(record)
        self._write(connection, tree, changes)

    def _write(self, connection: Connection, tree: Tree, changes: Changes) -> Record:
        root = merged(tree.root, changes)
        write(connection, root, _place(tree, root), tree, changes)
        return root


def _place(tree: Tree, root: Record | None = None) -> Place:
    """Give where the top of a tree hangs."""
    row = tree.rows[tree.root.id]
    return Place(row["parent"], row["field"], row["position"], site_of(root or tree.root, row["site"]))


def _a_record(record: object) -> None:
    if type(record).__name__ not in kinds() or not isinstance(record, Record):
        raise InputTypeError(
            f"record={record!r:.80} is of type {type(record).__name__}; give one of {', '.join(kinds())}."
        )


def _an_id(argument: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputTypeError(
            f"{argument}={value!r:.80} is of type {type(value).__name__}; give a record's id."
        )
    return value


def _day(argument: str, value: str | date | None) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise OptionError(f"{argument}={value!r} is no day; give ISO text such as 2024-03-31.") from None
