"""One item of a checklist: what it asks, whether the record meets it, and what would be recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import pandas as pd

__all__ = [
    "COLUMNS", "EQUITY", "IHI", "MET", "OURS", "PDSA", "READY", "TAYLOR",
    "Item", "Met", "frame", "item", "over",
]  # fmt: skip

Met = Literal["yes", "no", "not recorded", "not due"]
MET: tuple[Met, ...] = ("yes", "no", "not recorded", "not due")
COLUMNS = ("part", "item", "met", "missing", "source")

PDSA = "features of PDSA"
READY = "ready to implement"
EQUITY = "equity"

TAYLOR = "Taylor 2014, doi:10.1136/bmjqs-2013-001862"
IHI = "Institute for Healthcare Improvement, implementing changes"
OURS = "qi_equity"

_WORST: tuple[Met, ...] = ("no", "not recorded", "yes", "not due")


class Item(NamedTuple):
    """An item, as a row of the frame."""

    part: str
    item: str
    met: Met
    missing: str
    source: str


def item(part: str, name: str, source: str, met: Met, missing: str = "") -> Item:
    """Make an item; one that is met, or not due, lacks nothing."""
    return Item(part, name, met, missing if met in ("no", "not recorded") else "", source)


def over(named: Sequence[tuple[str, Sequence[Item]]]) -> list[Item]:
    """Put the same items of several cycles together: met if it is in all cycles where it is due."""
    found = []
    for column in zip(*(items for _, items in named), strict=True):
        met = min((one.met for one in column), key=_WORST.index)
        lacking: dict[str, list[str]] = {}
        for (name, _), one in zip(named, column, strict=True):
            if one.missing:
                lacking.setdefault(one.missing, []).append(name)
        missing = "; ".join(f"{', '.join(names)}: {text}" for text, names in lacking.items())
        found.append(item(column[0].part, column[0].item, column[0].source, met, missing))
    return found


def frame(items: Iterable[Item]) -> pd.DataFrame:
    """Give items as a frame."""
    return pd.DataFrame(list(items), columns=list(COLUMNS)).astype("str")
