"""What a field of a record can hold: texts, names, days, moments; and which of them are free text."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt

from qi_equity.data.catalogue import measures

__all__ = [
    "Count",
    "Day",
    "Fraction",
    "FreeText",
    "Identifier",
    "Moment",
    "Name",
    "Number",
    "Text",
    "YesNo",
    "check_json",
    "measure_name",
]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST = 100_000


class FreeText:
    """Marks a field in which a person can write anything, also what must not have been written."""


def _writable(text: str) -> str:
    """Refuse what no database and no JSON file can hold."""
    if "\x00" in text:
        raise ValueError("holds a NUL character; take it out")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("holds half of a character pair, which is no text; take it out") from error
    return text


def check_json(value: Any) -> None:
    """Refuse what no JSON file can hold, however deep it lies.

    Raises
    ------
    ValueError
        If a text is none, or a number is not finite.
    """
    match value:
        case str():
            _writable(value)
        case float() if not math.isfinite(value):
            raise ValueError(f"holds {value}, which is not finite")
        case dict():
            for item in (*value, *value.values()):
                check_json(item)
        case list():
            for item in value:
                check_json(item)


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; write something")
    return text


def _day(value: Any) -> Any:
    """Let days and ISO text through: a number would be read as seconds since 1970."""
    if isinstance(value, datetime) or not isinstance(value, date | str):
        raise ValueError("is not a day; give ISO text such as 2024-03-31, or a datetime.date")
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("is not a day; give ISO text such as 2024-03-31")
    return value


def _moment(value: Any) -> Any:
    if not isinstance(value, datetime | str) or (isinstance(value, str) and not _DAY.match(value)):
        raise ValueError("is not a moment; give ISO text such as 2024-03-31T14:00:00Z, or a datetime")
    return value


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("has no time zone; give one, such as 2024-03-31T14:00:00Z")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is before the year 1 or after the year 9999 in UTC") from error


Text = Annotated[str, Field(strict=True, max_length=_LONGEST), AfterValidator(_writable), FreeText()]
"""Free text, possibly empty."""

Name = Annotated[
    str, Field(strict=True, max_length=500), AfterValidator(_writable), AfterValidator(_said), FreeText()
]
"""Free text that says something: a name, an objective, a prediction."""

Identifier = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")]
"""What records refer to each other by."""

Day = Annotated[date, BeforeValidator(_day)]
"""A day."""

Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_in_utc)]
"""A moment with its time zone, kept in UTC."""

Count = Annotated[StrictInt, Field(ge=0)]
"""A number of people or events."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number."""

Fraction = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
"""A share from 0 to 1, unscaled: 0.93, not 93 %."""

YesNo = StrictBool
"""Yes or no; never a number or a word."""


def measure_name(text: str) -> str:
    """Give the name of a measure that is told by its id of the catalogue, or by that name."""
    return measures[text].name if text in measures else text
