"""What the network sees of shared records: no trail, nobody's name as recorder, no small counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Column, Connection, String, Table, Text, delete, insert, select

from qi_equity import _result
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.formulas.suppression import rounded
from qi_equity.pdsa.records.base import Record
from qi_equity.pdsa.store.kinds import own
from qi_equity.pdsa.store.rows import Place, parsed
from qi_equity.pdsa.store.tables import METADATA

__all__ = ["RULE", "as_json", "disclosed", "share", "shared_records"]

shared_records = Table(
    "shared_record",
    METADATA,
    Column("id", String(100), primary_key=True),
    Column("kind", String(50), nullable=False),
    Column("parent", String(100), nullable=True),
    Column("site", Text, nullable=True),
    Column("body", Text, nullable=False),
)
"""A row a shared record: all that a reader of the network ever sees of it."""

RULE = "nhs-england"
"""The rule of disclosure control where none is named."""

_TYPE, _FORMAT = "pdsa.shared", 1
_PRIVATE = ("recorded_by", "recorded_at")
_CHUNK = 500


def share(connection: Connection, changed: Sequence[tuple[Record, Place]]) -> None:
    """Write what the network sees of records that are new or changed; nothing of those not shared.

    Parameters
    ----------
    connection : Connection
        In the transaction that writes the records; its execution option ``suppression`` is the rule.
    changed : sequence of tuple of Record and Place
        The records, each without regard to those within it.
    """
    rule = connection.get_execution_options().get("suppression") or SuppressionRule.load(RULE)
    ids = [record.id for record, _ in changed]
    for start in range(0, len(ids), _CHUNK):
        gone = shared_records.c.id.in_(ids[start : start + _CHUNK])
        connection.execute(delete(shared_records).where(gone))
    rows = [_row(record, place, rule) for record, place in changed if record.shared]
    if rows:
        connection.execute(insert(shared_records), rows)


def as_json(connection: Connection) -> str:
    """Give what a reader may see, as JSON."""
    c = shared_records.c
    rows = connection.execute(select(shared_records).order_by(c.site, c.kind, c.id)).mappings()
    told = [
        {"kind": row["kind"], "parent": row["parent"], "site": row["site"]} | parsed(row["body"])
        for row in rows
    ]
    return json.dumps(
        _result.header(_TYPE, _FORMAT) | {"records": told}, ensure_ascii=False, allow_nan=False, indent=1
    )


def _row(record: Record, place: Place, rule: SuppressionRule) -> dict[str, Any]:
    body = json.dumps(disclosed(record, rule), ensure_ascii=False, allow_nan=False)
    return {
        "id": record.id,
        "kind": type(record).__name__,
        "parent": place.parent,
        "site": place.site,
        "body": body,
    }


def disclosed(record: Record, rule: SuppressionRule) -> dict[str, Any]:
    """Give a record as the network sees it, under disclosure control.

    Parameters
    ----------
    record : Record
        The record; those within it are left out, each is shared by itself.
    rule : SuppressionRule
        The rule.

    Returns
    -------
    dict
        ``record``: its fields, from which the record can be made again without who recorded it and without
        trail; ``withheld``: the counts that were taken out, a place each; ``rule``: the rule in words.

    Notes
    -----
    A small count is taken out, never marked by a number. Where a count of a group is, or what the groups
    leave of an overall count is small, the overall counts of the cycle are too: they give nothing to subtract
    from. That is more than the least that could be withheld, and it holds between the measures of a cycle,
    whose people are mostly the same. Events go with their denominator. Groups are taken not to overlap. Text
    stays as it was written.

    Examples
    --------
    >>> import qi_equity as qe
    >>> from qi_equity import pdsa
    >>> people = pdsa.Party(who="service users", how_many=2)
    >>> aim = pdsa.Aim(text="Fewer", for_whom="Black women", by_when="2025-03-31", defined_by=[people])
    >>> seen = disclosed(aim, qe.SuppressionRule.load("strict-10"))
    >>> seen["record"]["defined_by"][0]["how_many"], seen["withheld"]
    (None, ['defined_by[service users].how_many'])
    """
    body = {name: value for name, value in own(record).items() if name not in _PRIVATE}
    counts = list(_counts(body))
    _withhold(counts, rule)
    for count in counts:
        count.holder[count.name] = None if count.withheld else _rounded(count.value, rule)
    if body.get("do"):
        # A number of people is needed there, so the group goes with it.
        body["do"]["reached"] = [r for r in body["do"]["reached"] if r["people"] is not None]
    return {
        "record": body,
        "withheld": [count.path for count in counts if count.withheld],
        "rule": rule.text(),
    }


@dataclass(slots=True)
class _Count:
    """A count in a record: where it is, of which family and group, and whether it is taken out.

    ``family`` is what adds up over the groups; None: it stands by itself. ``of`` is its denominator.
    """

    holder: dict[str, Any]
    name: str
    path: str
    value: int
    family: str | None = None
    group: str | None = None
    births: bool = False
    of: _Count | None = field(default=None, repr=False)
    withheld: bool = False


def _counts(body: Mapping[str, Any]) -> Iterator[_Count]:
    """Find every count of a record, denominators before their events."""
    took_part = (body.get("equity") or {}).get("took_part", ())
    for where, parties in (
        ("defined_by", body.get("defined_by", ())),
        ("equity.took_part", took_part),
    ):
        for party in parties:
            if party["how_many"] is not None:
                yield _Count(party, "how_many", f"{where}[{party['who']}].how_many", party["how_many"])
    scale = (body.get("plan") or {}).get("scale") or {}
    if scale.get("people") is not None:
        yield _Count(scale, "people", "plan.scale.people", scale["people"], "planned", births=True)
    for r in (body.get("do") or {}).get("reached", ()):
        path = f"do.reached[{r['group'] or 'overall'}]"
        yield _Count(r, "people", path, r["people"], "reached", r["group"], births=True)
    for result in (body.get("study") or {}).get("results", ()):
        yield from _of_result(result)


def _of_result(result: dict[str, Any]) -> Iterator[_Count]:
    group, measure = result["group"], result["measure"]
    path = f"study.results[{', '.join(filter(None, (group or 'overall', measure)))}]"
    births = None
    for name in ("denominator", "events"):
        if result[name] is not None:
            family = f"{name} {measure}"
            count = _Count(
                result, name, f"{path}.{name}", result[name], family, group, name != "events", births
            )
            births = count
            yield count


def _withhold(counts: Sequence[_Count], rule: SuppressionRule) -> None:
    for count in counts:
        few = count.births and 0 < count.value < rule.minimum_denominator
        count.withheld = few or _small(count.value, rule) or (count.of is not None and count.of.withheld)
    families: dict[str, list[_Count]] = {}
    for count in counts:
        if count.family is not None:
            families.setdefault(count.family, []).append(count)
    if any(_tells(family, rule) for family in families.values()):
        for count in counts:
            # The planned number of people has no group either, and is near to that of those reached.
            count.withheld |= count.family is not None and count.group is None


def _tells(family: Sequence[_Count], rule: SuppressionRule) -> bool:
    """Tell whether an overall count could tell a small one, by what the groups leave of it."""
    of_groups = [count for count in family if count.group is not None]
    left = [
        count.value - sum(group.value for group in of_groups)
        for count in family
        if count.group is None and of_groups
    ]
    least = rule.minimum_denominator if any(count.births for count in of_groups) else 0
    small = any(rest < 0 or 0 < rest < least or (rest > 0 and _small(rest, rule)) for rest in left)
    return small or any(count.withheld for count in of_groups)


def _small(value: int, rule: SuppressionRule) -> bool:
    return rule.protects and rule.smallest <= value <= rule.largest


def _rounded(value: int, rule: SuppressionRule) -> int:
    if rule.rounding is None:
        return value
    return int(rounded(np.array([float(value)]), rule.rounding)[0][0])
