"""A store of records: add, save, get, list, and take out as JSON or CSV."""

from __future__ import annotations

from datetime import date
from types import TracebackType
from typing import Self, TypeVar

import pandas as pd
from sqlalchemy import Engine

from qi_equity import _result, _validate
from qi_equity.errors import InputTypeError
from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.store import listing, migrate
from qi_equity.pdsa.store.access import Access
from qi_equity.pdsa.store.arguments import a_day, a_record, a_text
from qi_equity.pdsa.store.engine import is_sqlite, reading, writing
from qi_equity.pdsa.store.exchange import Exchange
from qi_equity.pdsa.store.failures import told
from qi_equity.pdsa.store.kinds import ROOTS, kinds
from qi_equity.pdsa.store.putting import add_trees, save_tree
from qi_equity.pdsa.store.trees import read
from qi_equity.pdsa.store.writing import recorded

__all__ = ["Store"]

R = TypeVar("R", bound=Record)

_STATUSES = ("planned", "done", "studied", "decided")


class Store(Exchange, Access):
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
    >>> driver = store.add(pdsa.Driver(id="d", name="Timely"), to="p", by="Midwife")
    >>> driver = store.save(driver.revise({"name": "Timely treatment"}, by="Midwife"))
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
        """Close all connections; the store can be opened again.

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = pdsa.open(f"{folder}/network.db")
        ...     store.close()
        """
        self._engine.dispose()

    @property
    def schema_version(self) -> str:
        """The schema of the database, such as ``"0001"``.

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     store.schema_version
        '0002'
        """
        with reading(self._engine, self._where) as connection:
            return str(migrate.schema_of(connection))

    @property
    def notes(self) -> pd.DataFrame:
        """What to know about this store: columns ``code, severity, site, group, text``.

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     store.notes["code"].tolist()
        ['file_readable']
        """
        if not is_sqlite(self._engine):
            return _result.notes([])
        text = (
            "Anyone who can read this file can read every record in it: a query for one site or for shared "
            "records is no protection. Keep the file where only its writers can open it, and give readers "
            "what export_shared() writes; or use PostgreSQL, which knows who asks."
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

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     project = store.add(pdsa.Project(id="p", name="Haemorrhage", site="North"), by="Midwife")
        ...     driver = store.add(pdsa.Driver(name="Timely treatment"), to="p", by="Midwife")
        ...     store.get("p").drivers[0].recorded_by
        'Midwife'
        """
        given = a_record(record)
        if to is None and not isinstance(record, ROOTS):
            raise InputTypeError(
                f"record= is a {type(record).__name__}, which cannot stand by itself; say with to= what is "
                f"to hold it. {' and '.join(kind.__name__ for kind in ROOTS)} can."
            )
        new = recorded(given, by)
        with writing(self._engine, self._where) as connection:
            add_trees(connection, [new], to, self._where)
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

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     project = store.add(pdsa.Project(id="p", name="Haemorrhage", site="North"), by="Midwife")
        ...     project = store.save(project.revise({"problem": "Late treatment"}, by="Midwife"))
        ...     store.get("p").version
        2
        """
        given = a_record(record)
        with writing(self._engine, self._where) as connection:
            root = save_tree(connection, given, by, self._where)
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

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     project = store.add(pdsa.Project(id="p", name="Haemorrhage", site="North"), by="Midwife")
        ...     store.get("p").name
        'Haemorrhage'
        """
        wanted = a_text("id", id, "a record's id")
        with reading(self._engine, self._where) as connection:
            return read(connection, wanted, self._where).root

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

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     project = store.add(pdsa.Project(id="p", name="Haemorrhage", site="North"), by="Midwife")
        ...     project = store.save(project.revise({"name": "Fewer haemorrhages"}, by="Midwife"))
        ...     [version.name for version in store.history("p")]
        ['Haemorrhage', 'Fewer haemorrhages']
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

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
        ...     project = store.add(pdsa.Project(id="p", name="Haemorrhage", site="North"), by="Midwife")
        ...     store.list(kind="Project", site="North")["name"].tolist()
        ['Haemorrhage']
        """
        if kind is not None:
            _validate.one_of("kind", kind, list(kinds()))
        if status is not None:
            _validate.one_of("status", status, _STATUSES)
        for argument, value in (("site", site), ("measure", measure)):
            if value is not None:
                a_text(argument, value, f"the name of a {argument}")
        wanted = listing.selected(kind, site, measure, status, a_day("since", since), a_day("until", until))
        with reading(self._engine, self._where) as connection:
            return listing.frame(connection.execute(wanted).mappings().all())
