"""What holds records together: identifiers that are there once, and references that lead somewhere."""

from __future__ import annotations

import graphlib
from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["circles", "repeated", "strangers"]


def repeated(what: str, values: Iterable[str]) -> list[str]:
    """Tell which values are there more than once."""
    return [f"{what} {value!r} is there {n} times" for value, n in Counter(values).items() if n > 1]


def strangers(told: str, values: Iterable[str], known: Iterable[str], what: str) -> list[str]:
    """Tell which values are not known."""
    known = set(known)
    return [f"{told} has {value!r}, which is no {what}" for value in values if value not in known]


def circles(what: str, before: Mapping[str, Iterable[str]]) -> list[str]:
    """Tell whether records lead to each other in a circle."""
    try:
        graphlib.TopologicalSorter(before).prepare()
    except graphlib.CycleError as error:
        return [f"{what} lead to each other in a circle: {' -> '.join(error.args[1])}"]
    return []
