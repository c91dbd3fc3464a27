"""Arguments of a store: records, identifiers and days."""

from __future__ import annotations

from datetime import date

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.store.kinds import kinds

__all__ = ["a_day", "a_record", "an_id"]


def a_record(record: object) -> None:
    """Refuse what is no record that a store can keep.

    Raises
    ------
    InputTypeError
        Names those that it can.
    """
    if type(record).__name__ not in kinds() or not isinstance(record, Record):
        raise InputTypeError(
            f"record={record!r:.80} is of type {type(record).__name__}; give one of {', '.join(kinds())}."
        )


def an_id(argument: str, value: object) -> str:
    """Return an identifier.

    Raises
    ------
    InputTypeError
        If it is no text.
    """
    if not isinstance(value, str):
        raise InputTypeError(
            f"{argument}={value!r:.80} is of type {type(value).__name__}; give a record's id."
        )
    return value


def a_day(argument: str, value: str | date | None) -> date | None:
    """Return a day; None where none is given.

    Raises
    ------
    OptionError
        If it is no day.
    """
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise OptionError(f"{argument}={value!r} is no day; give ISO text such as 2024-03-31.") from None
