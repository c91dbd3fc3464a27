"""What may follow on a stored version: the next one, made from it; a stale one is refused."""

from __future__ import annotations

from typing import Any

from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.records.redaction import blanked, check_path, trail_without
from qi_equity.pdsa.store.errors import StaleRecordError, StoreError
from qi_equity.pdsa.store.kinds import own

__all__ = ["next_version"]

_KEPT = ("recorded_by", "recorded_at")


def next_version(stored: Record, given: Record) -> Record:
    """Check that a record follows on the stored one, and give it as it is to be stored.

    It follows if its trail begins with the stored one (but for texts that it takes out of all versions)
    and the version that its new stamps start from is the stored one.

    Returns
    -------
    Record
        With who recorded it first, and with no records within it.

    Raises
    ------
    StaleRecordError
        If the store has stamps that the given record has not.
    StoreError
        If it is another kind of record, or differs without a new version.
    """
    if type(stored) is not type(given):
        raise StoreError(
            f"{given.id!r} is a {type(stored).__name__} in the store and a {type(given).__name__} here; give "
            "the new record another id."
        )
    new = given.trail[len(stored.trail) :]
    paths = [
        check_path(type(given), stamp.field or "", n)
        for n, stamp in enumerate(given.trail)
        if n >= len(stored.trail) and stamp.what == "redacted"
    ]
    trail = stored.trail
    for path in paths:
        trail = trail_without(type(given), trail, path)
    if given.trail[: len(trail)] != trail:
        raise StaleRecordError(stored, given)
    before = own(given)
    for stamp in reversed(new):
        before |= stamp.before
    was = own(stored)
    for path in paths:
        was = blanked(type(given), was, path)
    differs = sorted(name for name in was if not _same(name, was[name], before.get(name)))
    if differs or set(before) != set(was):
        raise StoreError(
            f"{type(given).__name__} {given.id!r} differs from the stored version {stored.version} in "
            f"{', '.join(differs) or 'its fields'} without a new version; change it with revise(...), which "
            "keeps the old values."
        )
    kept = {"recorded_by": was["recorded_by"], "recorded_at": stored.recorded_at}
    return given.model_copy(update=kept | dict.fromkeys(given.children, ()))


def _same(name: str, was: Any, now: Any) -> bool:
    """Tell whether a field is unchanged; who recorded the first version need not be given again."""
    return was == now or (name in _KEPT and not now)
