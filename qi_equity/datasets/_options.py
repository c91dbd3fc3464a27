"""Checks of arguments that all synthetic data share."""

from __future__ import annotations

from collections.abc import Sequence

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError

__all__ = ["site_names", "whole_number"]

_MOST_SITES = 1_000


def whole_number(argument: str, value: object, least: int, most: int) -> int:
    """Return a whole number within both bounds; every refusal names both."""
    allowed = f"give a whole number from {least:,} to {most:,}."
    try:
        found = _validate.whole_number(argument, value)
    except InputTypeError as error:
        raise InputTypeError(f"{argument}={value!r} is not a whole number; {allowed}") from error
    except OptionError:
        found = -1
    if not least <= found <= most:
        raise OptionError(f"{argument}={value!r} is not allowed; {allowed}")
    return found


def site_names(sites: int | Sequence[str]) -> tuple[str, ...]:
    """Return the names of the sites, or make as many as asked for."""
    if isinstance(sites, str | Sequence):
        names = _validate.names("sites", sites)
        if not names:
            raise OptionError("sites=[] holds no site; give a number of 1 or more, or names.")
        return names
    count = whole_number("sites", sites, 1, _MOST_SITES)
    return tuple(f"Synthetic site {i:0{len(str(count))}d}" for i in range(1, count + 1))
