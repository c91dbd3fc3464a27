"""Open a store: a SQLite file, which is checked first, or a PostgreSQL database."""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError

from qi_equity import _validate
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.errors import InputTypeError
from qi_equity.pdsa.store import migrate
from qi_equity.pdsa.store.access import seen_as
from qi_equity.pdsa.store.arguments import is_path
from qi_equity.pdsa.store.engine import postgres_engine, reading, sqlite_engine, writing
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.failures import damaged, told
from qi_equity.pdsa.store.shared import RULE
from qi_equity.pdsa.store.store import Store

__all__ = ["open"]

Objects = frozenset[tuple[str, ...]]

_LOST = """
WITH RECURSIVE reached(id) AS (
    SELECT id FROM record WHERE parent IS NULL
    UNION SELECT record.id FROM record JOIN reached ON record.parent = reached.id
)
SELECT (SELECT count(*) FROM record) - (SELECT count(*) FROM reached)
"""


def open(
    where: str | os.PathLike[str],
    *,
    role: str | None = None,
    site: str | Sequence[str] | None = None,
    rule: str | SuppressionRule = RULE,
    timeout: float = 30.0,
) -> Store:
    """Open a store of records; a SQLite file that is not there yet is made.

    Parameters
    ----------
    where : str or path
        Path of a SQLite file, or the address of a PostgreSQL database:
        ``"postgresql+psycopg://user@host/database"`` (extra ``postgres``).
    role : {"viewer", "reader", "editor", "admin"}, optional
        Of a SQLite file, only show and write what this role may: a way to work, no protection, since who has
        the file can read all of it. A PostgreSQL server knows the role from the account. Default: all.
    site : str or sequence of str, optional
        Site, or sites, of a viewer or an editor.
    rule : str or SuppressionRule
        Rule by which counts are withheld from shared records, for the network's readers.
    timeout : float
        Seconds to wait while another program writes.

    Returns
    -------
    Store
        Close it, or use it in a ``with`` block.

    Raises
    ------
    OptionError
        If there is no such role or rule, or the role and the site do not go together.
    StoreError
        If it cannot be opened, is damaged, holds what a store does not hold, or has a newer schema.

    Notes
    -----
    A file of an older schema is brought to the newest one. Every file is checked before it is used: its
    pages, its tables, and that it has no others, no triggers and no views.

    Examples
    --------
    >>> import tempfile
    >>> from qi_equity import pdsa
    >>> with tempfile.TemporaryDirectory() as folder, pdsa.open(f"{folder}/network.db") as store:
    ...     network = store.add(pdsa.Network(name="A network"), by="Network lead")
    ...     store.get(network.id).recorded_by
    'Network lead'
    """
    if not isinstance(where, str | os.PathLike):
        raise InputTypeError(f"where={where!r} is of type {type(where).__name__}; give a path or an address.")
    seconds = _validate.number("timeout", timeout, above=0, at_most=3600)
    address = os.fspath(where)
    if "://" in address:
        url = _url(address)
        # A query can hold a password too, and is not shown at all.
        shown, engine = url.set(query={}).render_as_string(hide_password=True), _server(url, seconds)
    else:
        shown, engine = address, _file(address, seconds)
    try:
        _bring_up_to_date(engine, shown)
        return Store(seen_as(engine, role, site, rule), shown)
    except BaseException:
        engine.dispose()
        raise


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise StoreError(
            "where= is no address that can be read; write postgresql+psycopg://user@host/database."
        ) from error
    if url.get_backend_name() != "postgresql":
        raise StoreError(
            f"where='{url.drivername}://...' is not possible; give the path of a SQLite file by itself, or "
            "postgresql+psycopg://user@host/database."
        )
    return url.set(drivername="postgresql+psycopg")


def _server(url: URL, timeout: float) -> Engine:
    try:
        return postgres_engine(url, timeout)
    except ImportError as error:
        raise StoreError(
            "PostgreSQL needs the package psycopg; install it with pip install 'qi_equity[postgres]'."
        ) from error


def _file(address: str, timeout: float) -> Engine:
    if not is_path(address) or address == ":memory:":
        raise StoreError(f"where={address!r} is no path of a file; give one, such as 'network.db'.")
    path = Path(address)
    with told(address):
        if not path.absolute().parent.is_dir():
            raise StoreError(
                f"There is no folder {str(path.parent)!r} for {address!r}; make it, or correct the path."
            )
        if not path.exists():
            _make(path, address, timeout)
        if not path.is_file():
            raise StoreError(f"{address!r} is no file; give the path of a file, such as 'network.db'.")
        if path.stat().st_size == 0:
            raise StoreError(
                f"{address!r} is empty: whatever it held is lost. Restore the last copy of it, or delete it "
                "to start anew."
            )
    engine = sqlite_engine(path, timeout)
    with reading(engine, address) as connection:
        _check(connection, address)
    return engine


def _make(path: Path, address: str, timeout: float) -> None:
    """Make a file under another name and give it its own when it is whole: no one sees half a file."""
    for left in (f"{path}-journal", f"{path}-wal"):
        if os.path.exists(left):
            raise StoreError(
                f"{address!r} is not there, but {left!r}, which belongs to it, is; put the file back, or "
                "move that one away to start anew."
            )
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        draft.touch(exist_ok=False)
        engine = sqlite_engine(draft, timeout)
        with writing(engine, address) as connection:
            migrate.upgrade(connection)
        _place(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _place(draft: Path, path: Path) -> None:
    """Give a file its name, unless another program was first."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:
        # A disk without hard links.
        if not path.exists():
            draft.rename(path)


def _check(connection: Connection, where: str) -> None:
    """Refuse a file that is damaged or that holds more than a store does."""
    found = connection.execute(text("PRAGMA integrity_check(1)")).scalars().all()
    if found != ["ok"]:
        raise damaged(where, "; ".join(map(str, found)))
    if connection.execute(text("PRAGMA foreign_key_check")).first():
        raise damaged(where, "rows refer to records that are not there")
    if not connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")).first():
        raise StoreError(
            f"{where!r} is a database of something else; give a file that pdsa.open made, or a new path."
        )
    wanted = _objects_of(_schema(connection, where))
    strange = sorted(_objects(connection) ^ wanted)
    if strange:
        named = ", ".join(" ".join(found) for found in strange[:5])
        raise StoreError(
            f"{where!r} has not the tables of a store; they differ in: {named}. Someone changed it: do not "
            "use it; restore the last copy, or import the last export."
        )
    lost = connection.execute(text(_LOST)).scalar()
    if lost:
        raise damaged(where, f"{lost} records hang on each other in a circle")


def _objects(connection: Connection) -> Objects:
    """Give what a SQLite file holds besides rows: tables and their columns, indices, views, triggers."""
    names = connection.execute(text("SELECT type, name FROM sqlite_master")).all()
    found = {(str(kind), str(name)) for kind, name in names}
    columns = text("SELECT name, type, pk, hidden FROM pragma_table_xinfo(:table)")
    tables = [name for kind, name in found if kind == "table"]
    return frozenset(
        found
        | {
            ("column", table, *map(str, row))
            for table in tables
            for row in connection.execute(columns, {"table": table})
        }
    )


@functools.cache
def _objects_of(schema: str) -> Objects:
    """Give what a file of a schema holds."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate.upgrade(connection, schema)
        found = _objects(connection)
    engine.dispose()
    return found


def _schema(connection: Connection, where: str) -> str:
    """Give the schema of a database, which must be one that this version knows."""
    schema = migrate.schema_of(connection)
    if schema is None:
        raise damaged(where, "it does not say which schema it has")
    if schema not in migrate.known():
        raise StoreError(
            f"{where!r} has schema {schema!r}; this version of qi_equity knows up to {migrate.newest()!r}. "
            "Install a newer version of qi_equity."
        )
    return schema


def _bring_up_to_date(engine: Engine, where: str) -> None:
    with reading(engine, where) as connection:
        old = migrate.schema_of(connection)
        if old is not None and _schema(connection, where) == migrate.newest():
            return
    with writing(engine, where) as connection:
        migrate.upgrade(connection)
