"""What holds records together: what is there once, and references that lead somewhere.

What was redacted can be neither compared nor looked up, and so is never found wrong.
"""

from __future__ import annotations

import graphlib
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping

from qi_equity.pdsa.records.redaction import REDACTED

__all__ = ["circles", "once", "repeated", "strangers"]


def repeated(what: str, values: Iterable[Hashable]) -> list[str]:
    """Tell which values are there more than once."""
    values = list(values)
    if len(set(values)) == len(values):
        return []
    return [
        f"{what} {value!r} is there {n} times"
        for value, n in Counter(values).items()
        if n > 1 and not _redacted(value)
    ]


def once(field: str, values: Iterable[Hashable]) -> None:
    """Refuse a value that is there twice.

    Raises
    ------
    ValueError
        With a text for each of them.
    """
    problems = repeated(field, values)
    if problems:
        raise ValueError(*problems)


def strangers(told: str, values: Iterable[str], known: Iterable[str], what: str) -> list[str]:
    """Tell which values are not known; one may be what was redacted in the list of those that are."""
    known = set(known)
    if REDACTED in known:
        return []
    known.add(REDACTED)
    return [f"{told} has {value!r}, which is no {what}" for value in values if value not in known]


def circles(what: str, before: Mapping[str, Iterable[str]]) -> list[str]:
    """Tell whether records lead to each other in a circle."""
    try:
        graphlib.TopologicalSorter(before).prepare()
    except graphlib.CycleError as error:
        return [f"{what} lead to each other in a circle: {' -> '.join(error.args[1])}"]
    return []


def _redacted(value: Hashable) -> bool:
    return value == REDACTED or (isinstance(value, tuple) and REDACTED in value)
