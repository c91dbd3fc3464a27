"""Turn what pydantic found into an error of this library: every field at once, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from pydantic import ValidationError

from qi_equity import _validate

__all__ = ["refusing"]

_WORDS = {
    "missing": "is needed",
    "recursion_depth_exceeded": "is nested too deeply",
    "model_type": "is no record; give its fields",
    "model_attributes_type": "is no record; give its fields",
    "tuple_type": "is not a list",
    "date_from_datetime_parsing": "is no day of the calendar; give ISO text such as 2024-03-31",
    "date_from_datetime_inexact": "is no day of the calendar; give ISO text such as 2024-03-31",
    "datetime_from_date_parsing": "is no moment; give ISO text such as 2024-03-31T14:00:00Z",
    "string_unicode": "holds half of a character pair, which is no text; take it out",
    "extra_forbidden": "is no field of this record",
    "literal_error": "is not allowed; use one of {expected}",
    "string_type": "is not text",
    "bool_type": "is neither True nor False",
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "greater_than_equal": "is below {ge}",
    "less_than_equal": "is above {le}",
    "finite_number": "is not finite",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "is no identifier; use letters, digits, and . _ : - after the first",
}
_LONGEST_VALUE, _LONGEST_FIELD = 80, 200


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Raise what pydantic finds as a DataError with a row for every field that is wrong.

    Raises
    ------
    DataError
        Its ``bad_rows`` have the columns ``field, value, problem``.
    """
    try:
        yield
    except ValidationError as error:
        rows = [row for found in error.errors(include_url=False) for row in _rows(found)]
        frame = pd.DataFrame(rows, columns=["field", "value", "problem"])
        _validate.rows(frame, what, "Each row names the field of the record, its value, and what is allowed.")


def _rows(found: Any) -> list[tuple[str, str, str]]:
    """Give what is wrong with a field; a check of this library can find several things (``args``)."""
    field = _short(".".join(map(str, found["loc"])), _LONGEST_FIELD) or "(the whole record)"
    value = (
        "" if found["type"] == "missing" or not found["loc"] else _short(repr(found["input"]), _LONGEST_VALUE)
    )
    if found["type"] == "value_error":
        return [(field, value, problem) for problem in found["ctx"]["error"].args]
    words = _WORDS.get(found["type"])
    return [(field, value, words.format(**found.get("ctx", {})) if words else found["msg"])]


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
