"""Arguments of a store: records, identifiers and other texts, days and paths."""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from typing import TypeVar, cast

from pydantic_core import PydanticSerializationError

from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.records.fields import check_json
from qi_equity.pdsa.store.kinds import kinds

__all__ = ["a_day", "a_path", "a_record", "a_text", "check_trails", "is_path"]

R = TypeVar("R", bound=Record)


def a_record(record: R) -> R:
    """Return a record that a store can keep, read anew: what was copied by force is checked like all else.

    Raises
    ------
    InputTypeError
        If it is none; names those that a store can keep.
    DataError
        If it, or one of its earlier versions, is not allowed.
    """
    kind = kinds().get(type(record).__name__)
    if kind is None or not isinstance(record, kind):
        raise InputTypeError(
            f"record={record!r:.80} is of type {type(record).__name__}; give one of {', '.join(kinds())}."
        )
    try:
        found = cast(R, kind.model_validate_json(record.model_dump_json(warnings="error")))
    except PydanticSerializationError as error:
        raise DataError(
            f"record= has a value of a type that its field cannot hold ({str(error)[:300]}); make it by "
            f"{kind.__name__}(...) or revise(...), which check what they are given."
        ) from error
    check_trails(found)
    return found


def check_trails(record: Record) -> None:
    """Refuse trails whose versions cannot all be made again, or that no database can hold.

    Raises
    ------
    DataError, ValueError
        With the reason.
    """
    for one, _ in record.walk():
        if one.trail:
            one.history()
            json.dumps([stamp.before for stamp in one.trail], ensure_ascii=False, allow_nan=False).encode()


def a_text(argument: str, value: object, what: str) -> str:
    """Return a text that a database can hold.

    Raises
    ------
    InputTypeError
        If it is none; says ``what`` to give.
    OptionError
        If no database can hold it.
    """
    if not isinstance(value, str):
        raise InputTypeError(f"{argument}={value!r:.80} is of type {type(value).__name__}; give {what}.")
    try:
        check_json(value)
    except ValueError as error:
        raise OptionError(f"{argument}={value!r:.80} {error}; give {what}.") from error
    return value


def is_path(text: str) -> bool:
    """Tell whether a text can be a path of this system."""
    try:
        return bool(text.strip()) and b"\x00" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def a_path(argument: str, value: object) -> str:
    """Return a path.

    Raises
    ------
    InputTypeError
        If it is neither text nor a path.
    OptionError
        If there can be no such path.
    """
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else value
    if not isinstance(path, str):
        raise InputTypeError(f"{argument}={value!r:.80} is of type {type(value).__name__}; give a path.")
    if not is_path(path):
        raise OptionError(f"{argument}={path!r:.80} is no path; give one, such as 'records.json'.")
    return path


def a_day(argument: str, value: str | date | None) -> date | None:
    """Return a day; None where none is given.

    Raises
    ------
    OptionError
        If it is no day.
    """
    try:
        if isinstance(value, datetime):
            # Not value.date(): of no day at all it would be none either.
            return date(value.year, value.month, value.day)
        return value if value is None or isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise OptionError(f"{argument}={value!r} is no day; give ISO text such as 2024-03-31.") from None
