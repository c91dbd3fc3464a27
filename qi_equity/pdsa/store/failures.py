"""Turn what a database or a disk reports into a StoreError that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from qi_equity.errors import QiEquityError
from qi_equity.pdsa.store.errors import StoreError

__all__ = ["damaged", "told"]

_DAMAGED = (
    "is damaged: {found}. Nothing in it is used. Restore the last copy of it, or import the last export; "
    "keep the damaged one for whoever helps"
)
_SQLITE = {
    sqlite3.SQLITE_BUSY: "is locked by another program for longer than the timeout; close that, or try again",
    sqlite3.SQLITE_LOCKED: "is locked by another program; close that, or try again",
    sqlite3.SQLITE_READONLY: "cannot be written: it is read-only for you; ask for the right to write to the "
    "file and its folder, or open a copy",
    sqlite3.SQLITE_PERM: "cannot be opened: you have no right to; ask for it",
    sqlite3.SQLITE_AUTH: "cannot be opened: you have no right to; ask for it",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; nothing of this was written, what was written "
    "before is safe. Free some space and do it again",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: it is gone, or you have no right to read it or to write in "
    "its folder; check the path and the rights",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database, or its first page is damaged; give the file that "
    "pdsa.open made, or restore the last copy of it",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error; check the disk or the "
    "network folder, nothing of this was written",
    sqlite3.SQLITE_TOOBIG: "cannot hold a record this large; nothing of this was written",
}
_POSTGRES = {
    "55P03": "is locked by another program for longer than the timeout; try again",
    "53100": "cannot grow: the server's disk is full; nothing of this was written. Free some space",
    "42501": "refuses this: your role has no right to it; ask whoever set up the roles",
    "25006": "is read-only; nothing was written. Open the server that takes writes",
    "40001": "was changed at the same moment by another program; do it again",
    "40P01": "was changed at the same moment by another program; do it again",
}


def damaged(where: str, found: object) -> StoreError:
    """Give the error for content that cannot be what was written."""
    return StoreError(f"{where!r} {_DAMAGED.format(found=str(found).rstrip('.'))}.")


@contextmanager
def told(where: str) -> Iterator[None]:
    """Raise whatever the database or the disk reports as a StoreError that names the store.

    Raises
    ------
    StoreError
        With what to do.
    """
    try:
        yield
    except QiEquityError:
        raise
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(f"{where!r} {_words(error)}.") from error
    except OSError as error:
        raise StoreError(
            f"{where!r} cannot be read or written ({error.strerror}); check the path and your rights."
        ) from error
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        # Columns that hold what no program of this library writes.
        raise damaged(where, error) from error


def _words(error: Exception) -> str:
    origin: Any = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, IntegrityError):
        return f"refuses the record: {str(origin).splitlines()[0]}; nothing of this was written"
    code = getattr(origin, "sqlite_errorcode", None)
    if code is not None:
        # The lower byte is the kind of error, the higher ones are details.
        return _SQLITE.get(code & 0xFF, _DAMAGED.format(found=origin))
    state = getattr(origin, "sqlstate", None)
    if state in _POSTGRES:
        return _POSTGRES[state]
    if isinstance(origin, sqlite3.Error):
        return _DAMAGED.format(found=origin)
    reason = (str(origin).strip() or type(origin).__name__).splitlines()[0]
    # A connection that was never made has no code; the server's own words name what is wrong.
    return (
        f"cannot be used: {reason}; check the address, the account, the password and the database's name, "
        "and whether the server runs"
    )
