"""A database of its own for each test that asks for one, on the server that QI_EQUITY_POSTGRES names.

Without a server these tests are skipped: ``bash tests/postgres/server.sh pytest tests/postgres`` starts one.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import URL, make_url

PASSWORD = "only-for-tests"


class Database:
    """A database with an owner who is no superuser, and accounts made for it."""

    def __init__(self, server: URL, more: str = "") -> None:
        self.server = server
        self.prefix = f"qi_{uuid.uuid4().hex[:12]}"
        self.name = f"{self.prefix}_{more}" if more else self.prefix
        self.roles: list[str] = []
        self.account("owner", "CREATEROLE")
        self.admin(f'CREATE DATABASE "{self.name}" OWNER "{self.roles[0]}"')

    def admin(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Run statements as the superuser; give the rows of the last."""
        import psycopg

        url = self.server.set(drivername="postgresql", database=database)
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def account(self, name: str, rights: str = "") -> str:
        """Make an account that can log in."""
        full = f"{self.prefix}_the_{name}"
        self.admin(f"""CREATE ROLE "{full}" LOGIN {rights} PASSWORD '{PASSWORD}'""")
        self.roles.append(full)
        return full

    def url(self, account: str | None = None) -> str:
        """Give the address of the store, for its owner or an account."""
        url = self.server.set(
            drivername="postgresql+psycopg",
            username=account or self.roles[0],
            password=PASSWORD,
            database=self.name,
        )
        return url.render_as_string(hide_password=False)

    def raw(self, account: str) -> Any:
        """Connect as an account, without the library."""
        import psycopg

        return psycopg.connect(self.url(account).replace("+psycopg", ""), autocommit=True)

    def number(self) -> int:
        """Give the number that the server knows the database by."""
        ((number,),) = self.admin(f"SELECT oid FROM pg_database WHERE datname = '{self.name}'")
        return int(number)

    def drop(self) -> None:
        """Drop the database and every role that was made for it."""
        made = f"rolname LIKE '{self.prefix}%' OR rolname LIKE 'qi_equity_{self.number()}_%'"
        self.admin(f'DROP DATABASE "{self.name}" WITH (FORCE)')
        for (role,) in self.admin(f"SELECT rolname FROM pg_roles WHERE {made}"):
            self.admin(f'DROP OWNED BY "{role}"', f'DROP ROLE "{role}"')


@pytest.fixture(scope="session")
def new_database() -> Callable[..., Any]:
    """Give a context in which there is a new database, or skip where there is no server."""
    address = os.environ.get("QI_EQUITY_POSTGRES")
    if not address:
        pytest.skip(
            "needs a PostgreSQL server: run by tests/postgres/server.sh, or set QI_EQUITY_POSTGRES to the "
            "address of a superuser of a server for tests"
        )
    pytest.importorskip("psycopg", reason="needs the extra postgres")

    @contextmanager
    def made(more: str = "") -> Iterator[Database]:
        database = Database(make_url(address), more)
        try:
            yield database
        finally:
            database.drop()

    return made


@pytest.fixture
def database(new_database) -> Iterator[Database]:
    """Give a new database."""
    with new_database() as found:
        yield found
