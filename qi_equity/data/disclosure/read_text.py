"""Descriptions in words, the library's own or another's, as an outsider reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.data import dates as read_dates
from qi_equity.data import periods
from qi_equity.data.disclosure.readings import Told

__all__ = ["Names", "read_text", "sentences"]

_COUNT = r"(\d[\d,]*)"
_EVENTS = re.compile(_COUNT + r"\s+events?\b")
_BIRTHS = re.compile(_COUNT + r"\s+(?:births?|babies|women|deliveries)\b")
_AMONG = re.compile(r"\bamong\s+" + _COUNT)
_POINTS = re.compile(_COUNT + r"\s+observed points?\b")
_SPAN = re.compile(r", by ([a-z-]+), (\d[\w -]*?) to (\d[\w -]*?):")
_NOT_A_TIME = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Names of strata as texts and titles write them.

    Parameters
    ----------
    known : mapping of str to mapping
        Name to the label of each column.
    """

    known: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, strata: Iterable[pd.DataFrame]) -> Names:
        """Collect the names that the strata of published frames can have."""
        known: dict[str, Mapping[str, str]] = {}
        for frame in strata:
            for row in frame.drop_duplicates().to_dict("records"):
                labels = {str(c): str(v) for c, v in row.items() if v is not None}
                known |= dict.fromkeys(_written(labels), labels)
        return cls(known)

    def find(self, name: str) -> Mapping[str, str]:
        """Give the labels of a stratum by its name; a name that is not known is taken as that of a group."""
        plain = " ".join(name.split())
        return self.known.get(plain, {"group": plain} if plain else {})


def _written(labels: Mapping[str, str]) -> list[str]:
    """Give the ways to write a stratum: all labels in order; as a title; without the site."""
    inner = [v for c, v in labels.items() if c not in ("site", "group")]
    title = [labels[c] for c in ("group",) if c in labels] + inner
    site = [labels[c] for c in ("site",) if c in labels]
    orders = (list(labels.values()), title + site, title)
    return [joint.join(order) for order in orders for joint in (", ", " · ") if order]


def read_text(text: str, source: str, names: Names, *, release: int = 0) -> list[Told]:
    """Read a description: one stratum a line, its name before the first colon.

    Parameters
    ----------
    text : str
        Lines such as those of ``chart.alt_text()``. Of other texts every number beside "events", "births",
        "babies", "women" or "deliveries" is read. Where strata are known, lines about others are passed over.
    source : str
        What it is, in words.
    names : Names
        The strata that are known.
    release : int
        Number of the release.

    Returns
    -------
    list of Told
        Totals. Lines of a chart are not read: rounded to three digits they tell less than the total beside
        them.

    Examples
    --------
    >>> line = "Black: p chart of X, by month, 2024-01 to 2024-03: 3 observed points; 18 events among 1,234."
    >>> told = read_text(line, "alt text", Names({}))[0]
    >>> told.n_points, told.numbers["numerator"], told.numbers["denominator"]
    (3, (18.0, 18.0), (1234.0, 1234.0))
    """
    found = []
    for line in (part.strip() for part in text.splitlines()):
        name, colon, rest = line.partition(":")
        if not colon or _EVENTS.search(name):
            name, rest = "", line
        if name and names.known and " ".join(name.split()) not in names.known:
            continue
        told = Told(source, names.find(name), _NOT_A_TIME, _NOT_A_TIME, {}, release=release)
        found += _line(told, rest)
    return found


def _line(told: Told, rest: str) -> list[Told]:
    """Read what is said of one stratum."""
    span, points = _SPAN.search(rest), _POINTS.search(rest)
    every = span[1] if span else ""
    if span:
        start, stop = _spanned(span[2], span[3], every)
        told = replace(told, start=start, stop=stop)
    numbers = _counts(rest)
    if not numbers:
        return []
    return [replace(told, numbers=numbers, n_points=_number(points[1]) if points else None)]


def _counts(text: str) -> dict[str, tuple[float, float]]:
    events, births = _EVENTS.search(text), _BIRTHS.search(text) or _AMONG.search(text)
    parts = {"numerator": events, "denominator": births}
    return {n: (float(_number(m[1])), float(_number(m[1]))) for n, m in parts.items() if m}


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _spanned(first: str, last: str, every: str) -> tuple[np.datetime64, np.datetime64]:
    """Give the first day of one period and the day after another."""
    if every not in periods.EVERY:
        return _NOT_A_TIME, _NOT_A_TIME
    step: Any = every
    found = read_dates.read([first, last], None, financial_years=every == "financial-year")
    number = periods.ordinal(found.stamps, step)
    ends = periods.from_ordinal([number[0], number[1] + 1], step)
    return ends[0], ends[1]


def sentences(frame: pd.DataFrame, source: str, *, release: int = 0) -> list[Told]:
    """Read a frame of descriptions: strata and ``text``.

    Parameters
    ----------
    frame : pandas.DataFrame
        What ``alt_text()`` of a result returned.
    source : str
        What it is, in words.
    release : int
        Number of the release.

    Returns
    -------
    list of Told
        As :func:`read_text` gives them, with the strata that the columns name.
    """
    found: list[Told] = []
    columns: Sequence[str] = [c for c in frame.columns if c != "text"]
    for row in frame.to_dict("records"):
        labels = {c: str(row[c]) for c in columns if pd.notna(row[c])}
        told = read_text(str(row["text"]), source, Names({}), release=release)
        found += [replace(one, stratum=labels) for one in told]
    return found
