"""A SQLite file as a role sees it: by filtered queries, which are no protection of the file."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Engine, event

__all__ = ["narrow"]

_WRITES = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) (?=\w)")


def narrow(engine: Engine, role: str, sites: Sequence[str]) -> None:
    """Let every new connection see what a role may see, and write what it may write.

    Views of the connection stand before the tables of the same names, so queries find what they are to find;
    what is written goes past the views to the tables, whose triggers refuse what the role may not write.

    Parameters
    ----------
    engine : Engine
        Of a SQLite file.
    role : {"viewer", "reader", "editor"}
        The role.
    sites : sequence of str
        Its sites; a reader has none.
    """
    script = ";\n".join((*_views(role, sites), *_triggers(role, sites)))

    def connected(connection: sqlite3.Connection, _: Any) -> None:
        connection.executescript(f"PRAGMA temp_store = MEMORY;\n{script};")

    def to_tables(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: bool) -> tuple[str, Any]:
        return _WRITES.sub(r"\1 main.", statement, count=1), parameters

    event.listen(engine, "connect", connected)
    event.listen(engine, "before_cursor_execute", to_tables, retval=True)


def _views(role: str, sites: Sequence[str]) -> Iterator[str]:
    if role == "reader":
        for table in ("record", "record_measure", "stamp"):
            yield f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} WHERE 0"
        return
    own = _listed(sites)
    # Of a meeting that was for some sites, what was said there is said by all of these.
    strangers = f"SELECT 1 FROM json_each(body, '$.sites') WHERE value NOT IN ({own})"
    yield (
        f"CREATE TEMP VIEW record AS SELECT * FROM main.record WHERE CASE WHEN site IS NOT NULL "
        f"THEN site IN ({own}) WHEN kind = 'Meeting' THEN NOT EXISTS ({strangers}) ELSE 1 END"
    )
    for table in ("record_measure", "stamp"):
        yield (
            f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} "
            f"WHERE record IN (SELECT id FROM temp.record)"
        )
    yield f"CREATE TEMP VIEW shared_record AS SELECT * FROM main.shared_record WHERE site IN ({own})"


def _triggers(role: str, sites: Sequence[str]) -> Iterator[str]:
    for change, states in (("INSERT", ("NEW",)), ("UPDATE", ("OLD", "NEW"))):
        strange = " OR ".join(f"ifnull({state}.site NOT IN ({_listed(sites)}), 1)" for state in states)
        when = strange if role == "editor" else "1"
        yield (
            f"CREATE TEMP TRIGGER record_{change} BEFORE {change} ON main.record WHEN {when} "
            f"BEGIN SELECT RAISE(ABORT, 'the role {role} may not write this record'); END"
        )


def _listed(sites: Sequence[str]) -> str:
    return ", ".join("'{}'".format(site.replace("'", "''")) for site in sites)
