"""Records as flat tables for a spreadsheet, one a kind, in which no text is taken for a formula."""

from __future__ import annotations

import csv
import io
import os
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.store.errors import StoreError
from qi_equity.pdsa.store.files import write_bytes
from qi_equity.pdsa.store.kinds import kinds, own
from qi_equity.pdsa.store.rows import Place

__all__ = ["safe", "write_tables"]

_PLACE = ("id", "parent", "site", "version")
# What a formula starts with; some spreadsheets read the wide signs as the plain ones.
_SIGNS = "=+\\-@＝＋－＠"
# What begins a new cell where a file is read with another separator than the comma, or without its quotation
# marks; and what is then skipped before a sign.
_SEPARATORS = ",;|\t\r\n\v\f\x85\u2028\u2029"
_SKIPPED = '"\\s\u00ad\u200b-\u200f\u2060\ufeff'
_BEFORE_SIGN = re.compile(f"(?<![{_SEPARATORS}{_SKIPPED}])[{_SEPARATORS}{_SKIPPED}]*+(?=[{_SIGNS}])")


def safe(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula, now or after a separator.

    References
    ----------
    OWASP, "CSV Injection": signs, tabs and new lines at the start of a cell; also after separators and
    quotes, by which a text can start a cell of its own.

    Examples
    --------
    >>> safe("=1+1"), safe("None; =1+1"), safe("a = b - c")
    ("'=1+1", "None; '=1+1", 'a = b - c')
    """
    guarded = _BEFORE_SIGN.sub(_guarded, text)
    return f"'{guarded}" if guarded.startswith(("\t", "\r", "\n")) else guarded


def _guarded(found: re.Match[str]) -> str:
    starts = found.start() == 0 or not set(_SEPARATORS).isdisjoint(found[0])
    return f"{found[0]}'" if starts else found[0]


def write_tables(folder: str | os.PathLike[str], listed: Iterable[tuple[Record, Place]]) -> tuple[str, ...]:
    """Write a table for each kind, also for those without records.

    Raises
    ------
    StoreError
        If there is no such folder or it cannot be written.
    """
    if not Path(folder).is_dir():
        raise StoreError(f"There is no folder {os.fspath(folder)!r}; make it, or correct the path.")
    tables: dict[str, list[tuple[Record, Place]]] = {name: [] for name in kinds()}
    for record, place in listed:
        tables[type(record).__name__].append((record, place))
    for name, rows in tables.items():
        write_bytes(Path(folder) / f"{name}.csv", _table(kinds()[name], rows))
    return tuple(f"{name}.csv" for name in tables)


def _table(kind: type[Record], rows: list[tuple[Record, Place]]) -> bytes:
    columns = list(_columns(kind, ("trail", *_PLACE, *kind.children)))
    text = io.StringIO()
    # Text in quotation marks, numbers without.
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([*_PLACE, *(".".join(path) for path in columns)])
    for record, place in rows:
        body = own(record)
        told = (record.id, place.parent, place.site, record.version)
        writer.writerow([_cell(v) for v in (*told, *(_value(body, path) for path in columns))])
    return text.getvalue().encode("utf-8-sig")


def _columns(model: type[BaseModel], without: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the fields of a record, and those of the parts that it has once, as paths."""
    for name, field in model.model_fields.items():
        if name in without:
            continue
        part = _part(field.annotation)
        if part is None:
            yield (name,)
        else:
            yield from ((name, *further) for further in _columns(part))


def _part(annotation: Any) -> type[BaseModel] | None:
    """Give the part that a field holds once, if it does."""
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    options = typing.get_args(annotation) if union else (annotation,)
    return next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)


def _value(body: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        body = None if body is None else body[name]
    return body


def _cell(value: Any) -> str | int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return safe("; ".join(map(_told, value)) if isinstance(value, list) else _plain(value))


def _told(item: Any) -> str:
    """Give an item of a list in words: a part by its first field, the others in brackets."""
    if not isinstance(item, Mapping):
        return _plain(item)
    first, *others = [(name, _plain(value)) for name, value in item.items() if value not in (None, "")]
    further = ", ".join(f"{name}: {value}" for name, value in others)
    return f"{first[1]} ({further})" if further else first[1]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
