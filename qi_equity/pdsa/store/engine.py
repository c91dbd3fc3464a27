"""Connections to the two kinds of database, each set up to lose nothing that was acknowledged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text

from qi_equity.pdsa.store.failures import told

__all__ = ["is_sqlite", "postgres_engine", "reading", "sqlite_engine", "writing"]

_SETTINGS = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",
    # What is redacted is written over with zeros, not only marked as free.
    "PRAGMA secure_delete = ON",
)
# Writers take turns by this lock, as they do on a SQLite file; the number only has to be the same for all.
_TURN = 7_134_902


def is_sqlite(bind: Engine | Connection) -> bool:
    """Tell whether it is a SQLite file."""
    return bind.dialect.name == "sqlite"


def sqlite_engine(path: Path, timeout: float) -> Engine:
    """Connect to a file that is there already; none is ever made in its place.

    Each connection is opened for one transaction, so no file stays open in between.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False
        )
        for setting in _SETTINGS:
            connection.execute(setting)
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def postgres_engine(url: URL, timeout: float) -> Engine:
    """Connect to a PostgreSQL server."""
    engine = create_engine(
        url, pool_pre_ping=True, connect_args={"connect_timeout": max(2, int(timeout))}, hide_parameters=True
    )
    return engine.execution_options(lock_timeout=max(1, int(timeout * 1000)))


@contextmanager
def reading(engine: Engine, where: str) -> Iterator[Connection]:
    """Read in one transaction, which sees one moment of the store.

    Raises
    ------
    StoreError
        If the database cannot be read.
    """
    options: dict[str, Any] = {} if is_sqlite(engine) else {"isolation_level": "REPEATABLE READ"}
    with told(where), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, where: str) -> Iterator[Connection]:
    """Write in one transaction, after the writers that came before: all of it is kept, or nothing.

    Raises
    ------
    StoreError
        If the database cannot be written.
    """
    with told(where), engine.connect().execution_options(writes=True) as connection, connection.begin():
        if not is_sqlite(engine):
            wait = connection.get_execution_options()["lock_timeout"]
            connection.execute(text(f"SET LOCAL lock_timeout = {int(wait)}"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))
        yield connection


def _begin(connection: Connection) -> None:
    """Begin a transaction; one that writes takes its lock at once, so that two cannot wait for each other."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
