"""Records as one JSON text, and back: exact, and checked in full before any of it is used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from qi_equity import _result
from qi_equity.errors import DataError, QiEquityError
from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.store.arguments import check_trails
from qi_equity.pdsa.store.bulk import many_objects
from qi_equity.pdsa.store.files import LARGEST
from qi_equity.pdsa.store.kinds import kinds
from qi_equity.pdsa.store.rows import parsed

__all__ = ["as_json", "from_json"]

_TYPE, _FORMAT = "pdsa.records", 1


def as_json(trees: Sequence[Record]) -> str:
    """Give records, with all within them and their trails, as JSON."""
    head = json.dumps(_result.header(_TYPE, _FORMAT))[:-1]
    told = ",\n".join(
        f'{{"kind": "{type(record).__name__}", "record": {record.model_dump_json()}}}' for record in trees
    )
    return f'{head}, "records": [\n{told}\n]}}\n'


def from_json(text: str) -> tuple[Record, ...]:
    """Read what :func:`as_json` gave.

    Raises
    ------
    DataError
        Says what cannot be read.
    """
    if len(text) > LARGEST:
        raise DataError(f"The JSON text is longer than {LARGEST} characters; import it in parts.")
    try:
        with many_objects():
            return _read(parsed(text))
    except DataError:
        raise
    except (QiEquityError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(
            f"The JSON cannot be read: {str(error)[:300]}. Give what export_json() wrote, unchanged."
        ) from error


def _read(data: Any) -> tuple[Record, ...]:
    _result.check_header(data, _TYPE, _FORMAT, written_by="export_json()")
    listed = data.get("records")
    if set(data) != {"type", "format", "library", "records"} or not isinstance(listed, list):
        raise ValueError("it is not made of type, format, library and records")
    found = tuple(_record(item) for item in listed)
    ids = [record.id for tree in found for record, _ in tree.walk()]
    if len(set(ids)) < len(ids):
        raise ValueError("records have the same id")
    return found


def _record(item: Any) -> Record:
    if not isinstance(item, dict) or set(item) != {"kind", "record"}:
        raise ValueError("an entry is not made of kind and record")
    kind = kinds().get(item["kind"]) if isinstance(item["kind"], str) else None
    if kind is None:
        raise ValueError(f"{item['kind']!r:.60} is no kind of record; those are {', '.join(kinds())}")
    tree = kind.model_validate(item["record"])
    check_trails(tree)
    return tree
