"""What can go wrong with a store, each with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qi_equity.errors import QiEquityError

if TYPE_CHECKING:
    from qi_equity.pdsa.records.base import Record

__all__ = ["StaleRecordError", "StoreError"]


class StoreError(QiEquityError):
    """A store cannot be opened, read or written; the message says why and what to do.

    Where it says nothing else, nothing was written.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> try:
    ...     pdsa.open("no such folder/network.db")
    ... except pdsa.StoreError as error:
    ...     print(error)
    There is no folder 'no such folder' for 'no such folder/network.db'; make it, or correct the path.
    """


class StaleRecordError(StoreError):
    """A record was changed by someone else since it was read; nothing was written.

    Parameters
    ----------
    stored : Record
        The record as the store has it, with its trail.
    given : Record
        The record that was to be saved.

    Attributes
    ----------
    stored, given : Record
        The two versions.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> first = pdsa.Driver(id="timely", name="Timely")
    >>> mine = first.revise({"name": "In time"}, by="Midwife")
    >>> theirs = first.revise({"name": "Without delay"}, by="B. Midwife", at="2024-03-04T09:00:00Z")
    >>> print(pdsa.StaleRecordError(theirs, mine))
    Driver 'timely' was changed since it was read: the store has version 2 (by B. Midwife, 2024-03-04
    09:00 UTC), given is version 2. Nothing was written. Read it again with get('timely'), revise what you
    get and save that; both versions are in this error as .stored and .given.
    """

    def __init__(self, stored: Record, given: Record) -> None:
        last = stored.trail[-1] if stored.trail else None
        who = f" (by {last.by}, {last.at:%Y-%m-%d %H:%M} UTC)" if last else ""
        super().__init__(
            f"{type(given).__name__} {given.id!r} was changed since it was read: the store has version "
            f"{stored.version}{who}, given is version {given.version}. Nothing was written. Read it again "
            f"with get({given.id!r}), revise what you get and save that; both versions are in this error as "
            ".stored and .given."
        )
        self.stored = stored
        self.given = given
