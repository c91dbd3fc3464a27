"""Records as rows of tables, and back: what is read is checked as if a person had typed it."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qi_equity.errors import QiEquityError
from qi_equity.pdsa.records.base import Record, Stamp, held
from qi_equity.pdsa.store.kinds import body_of, days, kinds, listed_measures, site_of

__all__ = ["Place", "build", "measure_rows", "parsed", "placed", "record_row", "stamp_rows"]

Row = dict[str, Any]

_MOST_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record hangs: under which other, in which field of it, at which position, at which site."""

    parent: str | None
    field: str
    position: int
    site: str | None


def placed(root: Record, place: Place) -> list[tuple[Record, Place]]:
    """Give a record and all within it with their places, holders first."""
    found = [(root, place)]
    for field in root.children:
        for position, child in enumerate(getattr(root, field)):
            site = site_of(child, place.site)
            found += placed(child, Place(root.id, field, position, site))
    return found


def record_row(record: Record, place: Place) -> Row:
    """Give the row of a record."""
    first, last = days(record)
    return {
        "id": record.id,
        "kind": type(record).__name__,
        "parent": place.parent,
        "field": place.field,
        "position": place.position,
        "site": place.site,
        "status": getattr(record, "status", None),
        "first_day": first,
        "last_day": last,
        "shared": record.shared,
        "version": record.version,
        "body": body_of(record),
    }


def stamp_rows(record: Record, start: int = 0) -> list[Row]:
    """Give the rows of a record's stamps from one on."""
    return [
        {
            "record": record.id,
            "n": n,
            "at": stamp.at.isoformat(),
            "by": stamp.by,
            "reason": stamp.reason,
            "what": stamp.what,
            "field": stamp.field,
            "before": json.dumps(stamp.before, ensure_ascii=False, allow_nan=False),
        }
        for n, stamp in enumerate(record.trail)
        if n >= start
    ]


def measure_rows(record: Record) -> list[Row]:
    """Give a row for each measure that a record names."""
    return [{"record": record.id, "measure": name} for name in sorted(listed_measures(record))]


def parsed(text: str | bytes) -> Any:
    """Read JSON: each key once, every number finite, not nested beyond what can be read.

    Raises
    ------
    ValueError
        With the reason.
    """
    try:
        data = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite, parse_int=_whole
        )
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    return data


def build(top: str, rows: Sequence[Mapping[str, Any]], stamps: Iterable[Mapping[str, Any]]) -> Record:
    """Put a tree together from its rows, with every record checked.

    Parameters
    ----------
    top : str
        Identifier of the record at the top.
    rows, stamps : sequence of mapping
        Rows of the tables ``record`` (siblings in order) and ``stamp`` (in order).

    Raises
    ------
    ValueError
        If a row holds what no record can be, or hangs where it cannot.
    """
    below: dict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
    trails: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["id"] == top:
            root = row
        else:
            below[row["parent"]].append(row)
    for stamp in stamps:
        trails[stamp["record"]].append(stamp)
    return _build(root, root["site"], below, trails)


def _build(row: Mapping[str, Any], site: str | None, below: Any, trails: Any) -> Record:
    kind = kinds().get(row["kind"])
    if kind is None:
        raise ValueError(f"record {row['id']!r} is of no known kind ({row['kind']!r})")
    fields: dict[str, Any] = {name: [] for name in kind.children}
    may_hold = held(kind)
    for child in below.pop(row["id"], ()):
        item = may_hold.get(child["field"])
        if item is None or item.__name__ != child["kind"]:
            raise ValueError(f"record {child['id']!r} hangs where none of its kind can hang")
        fields[child["field"]].append(_build(child, row["site"], below, trails))
    try:
        body = parsed(row["body"])
        if not isinstance(body, dict) or {"trail", *fields} & set(body):
            raise ValueError("its body is not that of a record")
        record = kind.model_validate(body | fields | {"trail": _trail(trails.get(row["id"], ()))})
        _agrees(record, site, row)
    except (QiEquityError, ValueError, TypeError) as error:
        raise ValueError(f"record {row['id']!r}: {error}") from error
    return record


def _trail(rows: Sequence[Mapping[str, Any]]) -> tuple[Stamp, ...]:
    if [row["n"] for row in rows] != list(range(len(rows))):
        raise ValueError("stamps are missing")
    names = ("at", "by", "reason", "what", "field")
    return tuple(
        Stamp.model_validate({name: row[name] for name in names} | {"before": parsed(row["before"])})
        for row in rows
    )


def _agrees(record: Record, site: str | None, row: Mapping[str, Any]) -> None:
    """Refuse a row whose columns, which records are listed by, say other than its body."""
    first, last = days(record)
    status = getattr(record, "status", None)
    wanted = (record.id, record.shared, record.version, status, first, last, site_of(record, site))
    names = ("id", "shared", "version", "status", "first_day", "last_day", "site")
    if wanted != tuple(row[name] for name in names):
        raise ValueError("its columns and its body do not agree")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"has {twice!r:.60} twice in one object")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"has {name}, which is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"has {text:.40}, which is too large a number")
    return value


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"has {text:.40}..., which is too large a number")
    return int(text)
