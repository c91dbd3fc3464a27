"""One way to check an argument: each function returns the value it accepts or says how to mend it."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from qi_equity.errors import ColumnError, DataError, InputTypeError, OptionError

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_ROWS_SHOWN = 5


def _list(values: Iterable[object]) -> str:
    return ", ".join(repr(v) for v in values)


def _nearest(name: str, allowed: Sequence[object]) -> str:
    found = difflib.get_close_matches(name.lower(), [str(a).lower() for a in allowed], n=1)
    original = next((a for a in allowed if str(a).lower() == found[0]), None) if found else None
    return f" Did you mean {original!r}?" if original is not None else ""


def _is(value: object, option: object) -> bool:
    """Whether both are the same text or the same number, of whatever type of number; True is not 1."""
    if isinstance(value, bool) or isinstance(option, bool):
        return value is option
    if isinstance(option, numbers.Real):
        return isinstance(value, numbers.Real) and value == option
    return isinstance(value, type(option)) and value == option


def one_of(argument: str, value: object, allowed: Sequence[T]) -> T:
    """Return the one of ``allowed`` that ``value`` is; numbers may be of another type, such as NumPy's.

    Raises
    ------
    OptionError
        Names the argument, the value, all allowed values and the nearest of them.
    """
    for option in allowed:
        if _is(value, option):
            return option
    raise OptionError(
        f"{argument}={value!r} is not allowed; use one of {_list(allowed)}.{_nearest(str(value), allowed)}"
    )


def number(
    argument: str,
    value: object,
    *,
    above: float = -math.inf,
    below: float = math.inf,
    at_least: float = -math.inf,
    at_most: float = math.inf,
) -> float:
    """Return ``value`` as a finite float within the bounds (``above``/``below`` exclude, ``at_*`` include).

    Raises
    ------
    InputTypeError
        If it is not a number (a bool is not a number).
    OptionError
        If it is not finite or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InputTypeError(f"{argument}={value!r} is of type {type(value).__name__}; give a number.")
    x = float(value)
    if not (math.isfinite(x) and above < x < below and at_least <= x <= at_most):
        bounds = [
            f"{sign} {bound:g}"
            for sign, bound in ((">", above), (">=", at_least), ("<", below), ("<=", at_most))
            if math.isfinite(bound)
        ]
        raise OptionError(
            f"{argument}={value!r} is not allowed; give a finite number {' and '.join(bounds)}".rstrip() + "."
        )
    return x


def whole_number(argument: str, value: object, *, at_least: int = 0) -> int:
    """Return ``value`` as an int of at least ``at_least``.

    Raises
    ------
    InputTypeError
        If it is not a whole number.
    OptionError
        If it is too small.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or value % 1 != 0:
        raise InputTypeError(
            f"{argument}={value!r} is not a whole number; give an int of {at_least} or more."
        )
    if value < at_least:
        raise OptionError(f"{argument}={value!r} is too small; give {at_least} or more.")
    return int(value) if isinstance(value, numbers.Integral) else int(float(value))


def several(argument: str, value: object) -> list[object]:
    """Return one value (text, bytes, or what holds no others) or several as a list.

    Raises
    ------
    InputTypeError
        If it looks like several but cannot be gone through, such as an array without dimensions.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return [value]
    try:
        return list(value)
    except TypeError as error:
        raise InputTypeError(
            f"{argument}={value!r} cannot be gone through ({error}); give one value or a list of them."
        ) from error


def names(argument: str, value: object) -> tuple[str, ...]:
    """Return names given as one string or a sequence of strings, as a tuple without repeats.

    Raises
    ------
    InputTypeError
        If anything in it is not text.
    OptionError
        If a name is repeated.
    """
    items = tuple(several(argument, value))
    wrong = [v for v in items if not isinstance(v, str)]
    if wrong:
        raise InputTypeError(f"{argument} holds {_list(wrong)}; give names as text.")
    found = tuple(v for v in items if isinstance(v, str))
    twice = [name for i, name in enumerate(found) if name in found[:i]]
    if twice:
        raise OptionError(f"{argument}={list(found)!r} names {twice[0]!r} twice; give each once.")
    return found


def columns(present: Sequence[str], wanted: dict[str, str]) -> None:
    """Check that the columns wanted (argument to column name) are present, all at once.

    Raises
    ------
    ColumnError
        Names every absent column with its argument and the nearest present name.
    """
    absent = {a: c for a, c in wanted.items() if c not in present}
    if absent:
        parts = [f"{a}={c!r} is not a column.{_nearest(str(c), present)}" for a, c in absent.items()]
        raise ColumnError(" ".join(parts) + f" The frame has: {_list(present)}.")


def rows(problems: pd.DataFrame, what: str, fix: str) -> None:
    """Raise if there are bad rows; the whole frame goes on the exception.

    Parameters
    ----------
    problems : pandas.DataFrame
        The bad rows, with a column ``problem``; empty when all is well.
    what : str
        What was being read, for the message.
    fix : str
        What the reader of the message should do.

    Raises
    ------
    DataError
        With ``bad_rows``.
    """
    if len(problems):
        shown = problems.head(_ROWS_SHOWN).to_string(index=True)
        more = f"\n... and {len(problems) - _ROWS_SHOWN} more" if len(problems) > _ROWS_SHOWN else ""
        kinds = "; ".join(f"{k} ({n})" for k, n in problems["problem"].value_counts(sort=False).items())
        raise DataError(
            f"{len(problems)} bad row(s) in {what}: {kinds}. {fix}\n{shown}{more}\n"
            "(all of them are in .bad_rows of this error)",
            problems,
        )
