"""Who may see and write what in a store."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Column, Engine, String, Table, delete, insert, select

from qi_equity import _validate
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.store import shared
from qi_equity.pdsa.store.access_postgres import ROLES, check_account, group_role, is_member, quoted, set_up
from qi_equity.pdsa.store.access_sqlite import narrow
from qi_equity.pdsa.store.arguments import a_path, a_text
from qi_equity.pdsa.store.engine import is_sqlite, reading, writing
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.files import write_bytes
from qi_equity.pdsa.store.tables import METADATA

__all__ = ["Access", "seen_as"]

_accesses = Table(
    "access",
    METADATA,
    Column("account", String(63), primary_key=True),
    Column("role", String(10), primary_key=True),
    # "": the role has no site.
    Column("site", String(500), primary_key=True),
)
_OF_SITES = ("viewer", "editor")


def seen_as(
    engine: Engine,
    role: str | None = None,
    site: str | Sequence[str] | None = None,
    rule: str | SuppressionRule = shared.RULE,
) -> Engine:
    """Give an engine through which a role sees what it may see.

    Parameters
    ----------
    engine : Engine
        Of a database of the newest schema.
    role : {"viewer", "reader", "editor", "admin"}, optional
        The role, on a SQLite file. A PostgreSQL server knows it from the account. Default: all is seen.
    site : str or sequence of str, optional
        Sites of a viewer or an editor.
    rule : str or SuppressionRule
        What is withheld of shared records.

    Returns
    -------
    Engine

    Raises
    ------
    OptionError
        If there is no such role or rule, or the role and the site do not go together.
    """
    suppression = rule if isinstance(rule, SuppressionRule) else SuppressionRule.load(rule)
    if role is None and site is not None:
        raise OptionError(f"site={site!r} needs role='viewer' or role='editor'.")
    if role is not None:
        if not is_sqlite(engine):
            raise OptionError(
                f"role={role!r} is for SQLite files; a PostgreSQL server knows the role from the account: "
                "leave role= out, and let an admin grant(account, role, site)."
            )
        sites = _sites(_validate.one_of("role", role, ROLES), site)
        if role != "admin":
            narrow(engine, role, sites)
    return engine.execution_options(suppression=suppression)


class Access:
    """What a store has to do with roles; :class:`Store` has these methods.

    Roles: ``viewer`` reads the records of its sites and those of the network as a whole; ``editor`` writes
    those of its sites too; ``reader`` reads what sites share with the network, after disclosure control, and
    nothing else; ``admin`` reads and writes all and grants.

    Examples
    --------
    >>> import tempfile
    >>> from qi_equity.pdsa.store.opening import open as open_store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_store(f"{folder}/network.db", role="viewer", site="North") as store:
    ...         store.list().empty
    True
    """

    _engine: Engine
    _where: str

    def grant(self, account: str, role: str, site: str | None = None) -> None:
        """Let an account of the PostgreSQL server read or write.

        Parameters
        ----------
        account : str
            Name of an account that can log in.
        role : {"viewer", "reader", "editor", "admin"}
            What it may do.
        site : str, optional
            For a viewer and an editor: at which site. Grant several sites one by one.

        Raises
        ------
        OptionError
            If there is no such role, or a site is missing or too much.
        StoreError
            If the store is a file, there is no such account, the account has rights by which it would see
            everything anyway, or yours has no right to grant.

        Notes
        -----
        The first call makes the roles of the database, named after it: ``<database>_viewer`` and so on. The
        tables' owner can, with the right to make roles (CREATEROLE).

        Examples
        --------
        On a server it is ``store.grant("ann", "viewer", "North")``. A file does not know who asks:

        >>> import tempfile
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.store.errors import StoreError
        >>> from qi_equity.pdsa.store.opening import open as open_store
        >>> with tempfile.TemporaryDirectory() as folder, open_store(f"{folder}/network.db") as store:
        ...     try:
        ...         store.grant("ann", "viewer", "North")
        ...     except StoreError as error:
        ...         print("does not know who asks" in str(error))
        True
        """
        _validate.one_of("role", role, ROLES)
        (where,) = _sites(role, site) or ("",)
        self._server("grant", account)
        with writing(self._engine, self._where) as connection:
            set_up(connection)
            check_account(connection, account, role)
            group = quoted(connection, group_role(connection, role))
            connection.exec_driver_sql(f"GRANT {group} TO {quoted(connection, account)}")
            c = _accesses.c
            there = (c.account == account) & (c.role == role) & (c.site == where)
            connection.execute(delete(_accesses).where(there))
            connection.execute(insert(_accesses).values(account=account, role=role, site=where))

    def revoke(self, account: str, role: str, site: str | None = None) -> None:
        """Take back what was granted.

        Parameters
        ----------
        account, role : str
            As granted.
        site : str, optional
            As granted. Default: all sites of the role.

        Raises
        ------
        OptionError
            If there is no such role.
        StoreError
            If it was not granted, the store is a file, or yours has no right to it.

        Examples
        --------
        On a server it is ``store.revoke("ann", "viewer", "North")``. A role must be one of four:

        >>> import tempfile
        >>> from qi_equity.errors import OptionError
        >>> from qi_equity.pdsa.store.opening import open as open_store
        >>> with tempfile.TemporaryDirectory() as folder, open_store(f"{folder}/network.db") as store:
        ...     try:
        ...         store.revoke("ann", "boss")
        ...     except OptionError as error:
        ...         print(error)
        role='boss' is not allowed; use one of 'viewer', 'reader', 'editor', 'admin'.
        """
        _validate.one_of("role", role, ROLES)
        self._server("revoke", account)
        c = _accesses.c
        has = (c.account == account) & (c.role == role)
        gone = has if site is None else has & (c.site == site)
        with writing(self._engine, self._where) as connection:
            if not connection.execute(delete(_accesses).where(gone)).rowcount:
                told = "" if site is None else f" at site={site!r}"
                raise StoreError(
                    f"account={account!r} is not granted role={role!r}{told}; access() lists what is granted."
                )
            if connection.execute(select(c.role).where(has)).first():
                return
            group = group_role(connection, role)
            connection.exec_driver_sql(
                f"REVOKE {quoted(connection, group)} FROM {quoted(connection, account)}"
            )
            if is_member(connection, account, group):
                raise StoreError(
                    f"account={account!r} has the role {group!r} from someone else too; let them, or a "
                    "superuser, take it back. Nothing was changed."
                )

    def access(self) -> pd.DataFrame:
        """List what is granted; to all but admins and the owner, what is granted to themselves.

        Returns
        -------
        pandas.DataFrame
            ``account, role, site``; no site: the role has none. Empty for a file.

        Raises
        ------
        StoreError
            If the store cannot be read.

        Examples
        --------
        >>> import tempfile
        >>> from qi_equity.pdsa.store.opening import open as open_store
        >>> with tempfile.TemporaryDirectory() as folder, open_store(f"{folder}/network.db") as store:
        ...     store.access().columns.tolist()
        ['account', 'role', 'site']
        """
        c = _accesses.c
        with reading(self._engine, self._where) as connection:
            rows = connection.execute(select(_accesses).order_by(c.account, c.role, c.site)).all()
        told = [(row.account, row.role, row.site or None) for row in rows]
        return pd.DataFrame(told, columns=["account", "role", "site"], dtype="str")

    def export_shared(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give what a reader of the network may see, as JSON: shared records after disclosure control.

        Parameters
        ----------
        path : str or path, optional
            A file to write it to as well.

        Returns
        -------
        str
            Each with ``kind, parent, site``, the ``record`` without trail and without who recorded it, the
            places of counts that are ``withheld``, and the ``rule``. Texts are as they were written.

        Raises
        ------
        StoreError
            If the store cannot be read or the file not be written.

        Examples
        --------
        >>> import json, tempfile
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.store.opening import open as open_store
        >>> with tempfile.TemporaryDirectory() as folder, open_store(f"{folder}/network.db") as store:
        ...     network = store.add(pdsa.Network(name="A network", shared=True), by="Network lead")
        ...     (shared,) = json.loads(store.export_shared())["records"]
        >>> shared["record"]["name"], "recorded_by" in shared["record"]
        ('A network', False)
        """
        file = None if path is None else a_path("path", path)
        with reading(self._engine, self._where) as connection:
            text = shared.as_json(connection)
        if file is not None:
            write_bytes(file, text.encode("utf-8"))
        return text

    def _server(self, call: str, account: object) -> None:
        if not isinstance(account, str) or not account.strip():
            raise InputTypeError(f"account={account!r} is no name; give that of an account of the server.")
        if is_sqlite(self._engine):
            raise StoreError(
                f"{self._where!r} is a SQLite file, which does not know who asks: {call}() is for "
                "PostgreSQL. Keep the file from readers, and give them what export_shared() writes."
            )


def _sites(role: str, site: str | Sequence[str] | None) -> tuple[str, ...]:
    """Give the sites of a role, which has some or must have none."""
    if role not in _OF_SITES:
        if site is not None:
            raise OptionError(f"site={site!r} is not for role={role!r}, which is of the whole network.")
        return ()
    sites = (site,) if isinstance(site, str) else tuple(site or ())
    sites = tuple(a_text("site", name, "the name of a site") for name in sites)
    if not all(name.strip() for name in sites) or not sites:
        raise OptionError(f"site={site!r}: role={role!r} needs the name of its site.")
    return sites
