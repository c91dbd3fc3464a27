"""Which schema a database has, and the steps that bring it to the newest one."""

from __future__ import annotations

import functools
import logging
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

__all__ = ["known", "newest", "schema_of", "upgrade"]

logging.getLogger("alembic").addHandler(logging.NullHandler())


@functools.cache
def _steps() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).with_name("migrations")))


def newest() -> str:
    """Give the newest schema that this version of the library knows."""
    return str(_steps().get_current_head())


def known() -> tuple[str, ...]:
    """Give every schema that this version of the library knows, oldest first."""
    return tuple(step.revision for step in reversed(list(_steps().walk_revisions())))


def schema_of(connection: Connection) -> str | None:
    """Give the schema a database has; None where it has none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the steps that are missing, in the transaction of the connection."""
    context = MigrationContext.configure(connection)
    missing = list(_steps().iterate_revisions(to, context.get_current_revision() or "base"))
    with Operations.context(context):
        for step in reversed(missing):
            step.module.upgrade()
            context.stamp(_steps(), step.revision)
