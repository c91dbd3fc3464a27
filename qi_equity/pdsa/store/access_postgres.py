"""Roles of a PostgreSQL database and what their row-level security lets them see and write.

Who asks is always ``SESSION_USER``, the account that logged in: no SET ROLE and no setting changes it. What
the account may see stands in the table ``access``. The tables' owner is not bound by it (there is no FORCE
ROW LEVEL SECURITY): the owner migrates the schema, and foreign keys are checked with the owner's rights; so
only accounts are granted a role that do not own the tables and cannot become their owner.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

from qi_equity.pdsa.store.errors import StoreError

__all__ = ["ROLES", "check_account", "group_role", "is_member", "quoted", "set_up"]

ROLES = ("viewer", "reader", "editor", "admin")
"""What an account can be."""

_LONGEST = 63
_TABLES = ("record", "record_measure", "stamp", "access", "shared_record")
# The columns that a new version writes; what a record is and where it hangs never changes.
_VERSION = "site, status, first_day, last_day, shared, version, body"
_RIGHTS = {
    "viewer": {"record": "SELECT", "record_measure": "SELECT", "stamp": "SELECT", "shared_record": "SELECT"},
    "reader": {"shared_record": "SELECT"},
    "editor": {
        "record": f"SELECT, INSERT, UPDATE ({_VERSION})",
        "record_measure": "SELECT, INSERT, DELETE",
        "stamp": 'SELECT, INSERT, UPDATE ("by", reason, before)',
        "shared_record": "SELECT, INSERT, DELETE",
    },
}
_RIGHTS["admin"] = _RIGHTS["editor"]
_WAYS_AROUND = {
    "rolsuper": "is a superuser",
    "rolbypassrls": "has BYPASSRLS",
    "rolcreaterole": "has CREATEROLE",
    "rolreplication": "has REPLICATION",
}
# Roles that come with the server and see files, other sessions or samples of the data.
_TOO_MUCH = ("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program")


def group_role(connection: Connection, role: str) -> str:
    """Give the name of the server's role for a role of this database: roles are shared by all databases."""
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    name = f"{database}_{role}"
    if len(name.encode()) <= _LONGEST:
        return name
    number = connection.execute(
        text("SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()")
    ).scalar_one()
    return f"qi_equity_{number}_{role}"


def quoted(connection: Connection, name: str) -> str:
    """Give a name as it stands in SQL."""
    return connection.dialect.identifier_preparer.quote_identifier(name)


def is_member(connection: Connection, account: str, role: str) -> bool:
    """Tell whether an account has a server's role, also by others."""
    asked = text("SELECT pg_has_role(:account, oid, 'MEMBER') FROM pg_catalog.pg_roles WHERE rolname = :role")
    return bool(connection.execute(asked, {"account": account, "role": role}).scalar())


def check_account(connection: Connection, account: str, role: str) -> None:
    """Refuse an account that is not there, or whom row-level security would not bind.

    Raises
    ------
    StoreError
        With what to do.
    """
    columns = ", ".join(_WAYS_AROUND)
    found = (
        connection.execute(
            text(f"SELECT {columns} FROM pg_catalog.pg_roles WHERE rolname = :account AND rolcanlogin"),
            {"account": account},
        )
        .mappings()
        .first()
    )
    if found is None:
        raise StoreError(
            f"account={account!r}: the server has no such account; have it made (CREATE ROLE ... LOGIN "
            "PASSWORD ...), then grant."
        )
    if role == "admin":
        return
    reasons = [told for column, told in _WAYS_AROUND.items() if found[column]]
    reasons += [f"is a member of {name}" for name in _TOO_MUCH if is_member(connection, account, name)]
    if is_member(connection, account, _owner(connection)):
        reasons.append("owns the tables, or can become their owner")
    if reasons:
        raise StoreError(
            f"account={account!r} {' and '.join(reasons)}: a role would not keep it from reading everything. "
            "Use an account of its own for each person, without such rights."
        )


def set_up(connection: Connection) -> None:
    """Make the roles of this database, with their rights and the rows that they see, where that is not done.

    Raises
    ------
    StoreError
        If it is not done and the account does not own the tables, or the server has roles of these names that
        were made for something else: whoever is in these would be let in.
    """
    groups = {role: group_role(connection, role) for role in ROLES}
    there = [name for name in groups.values() if _exists(connection, name)]
    begun = _has_policies(connection)
    if begun and len(there) == len(groups):
        return
    owner = _owner(connection)
    if not is_member(connection, connection.execute(text("SELECT current_user")).scalar_one(), owner):
        raise StoreError(
            f"The roles of this database are not set up; let {owner!r}, who owns the tables, grant once."
        )
    if there and not begun:
        raise StoreError(
            f"The server has a role {there[0]!r} from before this store was made; have it dropped "
            "(DROP ROLE) or renamed first, so that nobody is let in who was in that one."
        )
    schema = connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    names = {role: quoted(connection, name) for role, name in groups.items()}
    for role in ROLES:
        if groups[role] not in there:
            connection.exec_driver_sql(f"CREATE ROLE {names[role]} NOLOGIN")
    for statement in (*_rights(connection, schema, names), *_policies(schema, names)):
        connection.exec_driver_sql(statement)


def _has_policies(connection: Connection) -> bool:
    asked = text(
        "SELECT 1 FROM pg_catalog.pg_policies WHERE schemaname = current_schema() AND tablename = 'access'"
    )
    return connection.execute(asked).first() is not None


def _owner(connection: Connection) -> str:
    asked = text(
        "SELECT tableowner FROM pg_catalog.pg_tables "
        "WHERE tablename = 'record' AND schemaname = current_schema()"
    )
    return str(connection.execute(asked).scalar_one())


def _exists(connection: Connection, role: str) -> bool:
    asked = text("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = :role")
    return connection.execute(asked, {"role": role}).first() is not None


def _rights(connection: Connection, schema: str, names: dict[str, str]) -> Iterator[str]:
    database = quoted(connection, connection.execute(text("SELECT current_database()")).scalar_one())
    # No tables of their own beside these, not even temporary ones.
    yield f"REVOKE ALL ON DATABASE {database} FROM PUBLIC"
    yield f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"
    for role, name in names.items():
        yield f"GRANT CONNECT ON DATABASE {database} TO {name}"
        yield f"GRANT USAGE ON SCHEMA {schema} TO {name}"
        yield f"GRANT SELECT ON {schema}.alembic_version, {schema}.access TO {name}"
        for table, rights in _RIGHTS[role].items():
            yield f"GRANT {rights} ON {schema}.{table} TO {name}"
    yield f"GRANT INSERT, DELETE ON {schema}.access TO {names['admin']}"
    for role in ROLES:
        if role != "admin":
            yield f"GRANT {names[role]} TO {names['admin']} WITH ADMIN OPTION"


def _policies(schema: str, names: dict[str, str]) -> Iterator[str]:
    """Give the policies: what none of them lets through is not there for the account."""
    sees, edits = _sites(schema, "'viewer', 'editor'"), _sites(schema, "'editor'")
    both, editor = f"{names['viewer']}, {names['editor']}", names["editor"]
    # Of a meeting that was for some sites, what was said there is said by all of these.
    within = f"(body::jsonb -> 'sites') <@ to_jsonb({sees})"
    seen = (
        f"CASE WHEN site IS NOT NULL THEN site = ANY ({sees}) WHEN cardinality({sees}) = 0 THEN false "
        f"WHEN kind = 'Meeting' THEN {within} ELSE true END"
    )
    mine = f"site = ANY ({edits})"
    reads = (
        f"EXISTS (SELECT 1 FROM {schema}.access AS a WHERE a.account = SESSION_USER AND a.role = 'reader')"
    )
    yield from _policy(schema, "record", "sees", "SELECT", both, seen)
    yield from _policy(schema, "record", "adds", "INSERT", editor, mine)
    yield from _policy(schema, "record", "changes", "UPDATE", editor, mine)
    for table in ("stamp", "record_measure"):
        # The record is looked up as the account sees it.
        has = f"EXISTS (SELECT 1 FROM {schema}.record AS r WHERE r.id = {table}.record"
        yield from _policy(schema, table, "sees", "SELECT", both, f"{has})")
        yield from _policy(schema, table, "adds", "INSERT", editor, f"{has} AND r.{mine})")
        yield from _policy(schema, table, "changes", "UPDATE", editor, f"{has} AND r.{mine})")
        yield from _policy(schema, table, "takes", "DELETE", editor, f"{has} AND r.{mine})")
    shared = (
        f"{mine} AND EXISTS (SELECT 1 FROM {schema}.record AS r WHERE r.id = shared_record.id AND r.shared "
        f"AND r.site = shared_record.site)"
    )
    yield from _policy(schema, "shared_record", "reads", "SELECT", names["reader"], reads)
    yield from _policy(schema, "shared_record", "sees", "SELECT", both, f"site = ANY ({sees})")
    yield from _policy(schema, "shared_record", "adds", "INSERT", editor, shared)
    yield from _policy(schema, "shared_record", "takes", "DELETE", editor, mine)
    everyone = ", ".join(names[role] for role in ROLES if role != "admin")
    yield from _policy(schema, "access", "knows", "SELECT", everyone, "account = SESSION_USER")
    for table in _TABLES:
        yield from _policy(schema, table, "all", "ALL", names["admin"], "true")


def _sites(schema: str, roles: str) -> str:
    """Give the sites of the account that asks, in some of its roles; worked out once a query."""
    return (
        f"ARRAY(SELECT a.site::text FROM {schema}.access AS a WHERE a.account = SESSION_USER "
        f"AND a.role IN ({roles}))"
    )


def _policy(schema: str, table: str, name: str, command: str, to: str, rows: str) -> Iterator[str]:
    yield f'DROP POLICY IF EXISTS "{name}" ON {schema}.{table}'
    using = "" if command == "INSERT" else f" USING ({rows})"
    check = f" WITH CHECK ({rows})" if command in ("INSERT", "UPDATE", "ALL") else ""
    yield f'CREATE POLICY "{name}" ON {schema}.{table} FOR {command} TO {to}{using}{check}'
