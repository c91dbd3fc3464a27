"""The base of all records: versions that are never written over, and records within records."""

from __future__ import annotations

import typing
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self

import pandas as pd
from pydantic import Field, JsonValue, field_validator, model_validator

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.records.fields import Identifier, Moment, Name, Text, YesNo, check_json
from qi_equity.pdsa.records.part import Part
from qi_equity.pdsa.records.redaction import blanked, check_path, trail_without

__all__ = ["Record", "Stamp", "held"]

# What revise() does not change: who a record is, and its past.
_FIXED = ("id", "recorded_by", "recorded_at", "trail")


class Stamp(Part):
    """When a new version of a record was made, by whom, why, and what stood there before.

    Parameters
    ----------
    at : datetime
        When, in UTC.
    by : str
        Who.
    reason : str
        Why; for a redaction it is needed.
    what : {"revised", "redacted"}
        Whether a version followed, or a text was taken out of all versions.
    before : mapping of str to JSON
        The fields that changed, as they were.
    field : str, optional
        What was taken out, for a redaction.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Stamp(at="2024-03-31T14:00:00Z", by="Midwife", what="revised").before
    {}
    """

    at: Moment
    by: Name
    reason: Text = ""
    what: Literal["revised", "redacted"]
    before: dict[str, JsonValue] = Field(default_factory=dict)
    field: Text | None = None

    @field_validator("before")
    @classmethod
    def _readable(cls, before: dict[str, JsonValue]) -> dict[str, JsonValue]:
        check_json(before)
        return before

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.what == "redacted" and (self.before or self.field is None):
            raise ValueError("a redaction names its field and keeps nothing of what stood there before")
        if self.what == "revised" and self.field is not None:
            raise ValueError("field is only for redactions")
        return self


class Record(Part):
    """A record with an identity, whose corrections are new versions.

    Parameters
    ----------
    id : str, optional
        What other records refer to it by. Default: a random one.
    shared : bool
        Whether the network may see it, after disclosure control.
    recorded_by, recorded_at : str and datetime, optional
        Who recorded the first version, and when.
    trail : tuple of Stamp
        How it came to this version, oldest first; :meth:`revise` and :meth:`redact` write it.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> first = pdsa.Driver(id="d1", name="Timely treatment")
    >>> second = first.revise({"name": "Treatment in time"}, by="Midwife", reason="clearer")
    >>> second.version, [old.name for old in second.history()]
    (2, ['Timely treatment', 'Treatment in time'])
    """

    children: ClassVar[tuple[str, ...]] = ()
    """Fields that hold records of their own."""

    id: Identifier = Field(default_factory=lambda: uuid.uuid4().hex)
    shared: YesNo = False
    recorded_by: Text = ""
    recorded_at: Moment | None = None
    trail: tuple[Stamp, ...] = ()

    @property
    def version(self) -> int:
        """Which version this is, from 1; a redaction makes none.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> pdsa.Driver(name="Timely treatment").version
        1
        """
        return 1 + sum(stamp.what == "revised" for stamp in self.trail)

    def revise(
        self, changes: Mapping[str, Any], *, by: str, reason: str = "", at: datetime | None = None
    ) -> Self:
        """Give the next version, with other values of some fields; the old ones stay in the trail.

        Parameters
        ----------
        changes : mapping of str to value
            Fields and their new values. Records within this one are added by ``put``.
        by : str
            Who changes it.
        reason : str
            Why.
        at : datetime, optional
            When, with time zone. Default: now.

        Returns
        -------
        Record
            The next version; this one is unchanged.

        Raises
        ------
        InputTypeError
            If ``changes`` is no mapping.
        OptionError
            If a field cannot be changed, or nothing differs.
        DataError
            If the new version is not allowed.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> pdsa.Driver(name="Timely").revise({"name": "Timely treatment"}, by="Midwife").version
        2
        """
        if not isinstance(changes, Mapping):
            raise InputTypeError(
                f"changes={changes!r:.80} is of type {type(changes).__name__}; give a dict of field to value."
            )
        allowed = self._own()
        for name in changes:
            _validate.one_of("changes", name, allowed)
        new = type(self).model_validate(self._fields() | dict(changes))
        differs = [name for name in changes if getattr(new, name) != getattr(self, name)]
        if not differs:
            raise OptionError(f"changes={dict(changes)!r} changes nothing; give other values.")
        before = self.model_dump(mode="json", include=set(differs))
        stamp = Stamp(at=_now(at), by=by, reason=reason, what="revised", before=before)
        return new._stamped(stamp)

    def history(self) -> tuple[Self, ...]:
        """Give every version, oldest first; the last is this one.

        Returns
        -------
        tuple of Record
            Records within this one are as they are now in all of them: each has a history of its own.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> [v.version for v in pdsa.Driver(name="Timely treatment").history()]
        [1]
        """
        within = {name: getattr(self, name) for name in self.children}
        versions, fields = [self], self._fields() | dict.fromkeys(self.children, ())
        for i in range(len(self.trail) - 1, -1, -1):
            stamp = self.trail[i]
            if stamp.what == "revised":
                fields = fields | stamp.before | {"trail": self.trail[:i]}
                versions.append(type(self).model_validate(fields).model_copy(update=within))
        return tuple(reversed(versions))

    def redact(self, field: str, reason: str, *, by: str, at: datetime | None = None) -> Self:
        """Take what must not have been written out of every version; that it was done stays.

        Every free text under the field becomes ``"[redacted]"``, in this version and in all earlier ones.
        This is the one exception to "never written over", for such things as a patient's identifier. Where
        other records repeat it, redact it there too. The groups and measures of predictions are blanked
        together with those of the results that answer them. Identifiers are no free text and stay: let none
        name a person.

        Parameters
        ----------
        field : str
            Name of a field, with dots into its parts: ``"do.observations"``, ``"plan.tasks"``;
            ``"recorded_by"``; or who and why of one stamp, by its number in the trail from 0:
            ``"trail.0.by"``, ``"trail.2.reason"``.
        reason : str
            Why it was taken out; do not repeat what it said.
        by : str
            Who took it out.
        at : datetime, optional
            When, with time zone. Default: now.

        Returns
        -------
        Record
            The same version, without the text.

        Raises
        ------
        OptionError
            If there is no such field or no free text under it, or no reason.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> wrong = pdsa.Driver(name="Timely treatment of <number of a patient>")
        >>> right = wrong.redact("name", "named a patient", by="Midwife")
        >>> right.name, right.trail[-1].reason
        ('[redacted]', 'named a patient')
        """
        path = check_path(type(self), field, len(self.trail))
        if not isinstance(reason, str) or not reason.strip():
            raise OptionError(f"reason={reason!r} is empty; say why it is taken out, not what it said.")
        now = self.model_dump(mode="json", exclude={"trail", *self.children})
        trail = trail_without(type(self), self.trail, path)
        clean = type(self).model_validate(self._fields() | blanked(type(self), now, path) | {"trail": trail})
        stamp = Stamp(at=_now(at), by=by, reason=reason, what="redacted", field=field)
        return clean._stamped(stamp)

    def put(self, record: Record) -> Self:
        """Give this record with another within it: a new one, or another version of one that is there.

        Parameters
        ----------
        record : Record
            Of a kind that this record can hold.

        Returns
        -------
        Record
            This record is unchanged.

        Raises
        ------
        InputTypeError
            If this record cannot hold that kind.
        DataError
            If it does not fit the others, such as a cycle of a change idea that is not there; or if it would
            write over what is there, because it was not made from it.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> project = pdsa.Project(name="Fewer haemorrhages", site="North")
        >>> project.put(pdsa.Driver(name="Timely treatment")).drivers[0].name
        'Timely treatment'
        """
        kinds = held(type(self))
        field = next((name for name, kind in kinds.items() if isinstance(record, kind)), None)
        if field is None:
            able = ", ".join(kind.__name__ for kind in kinds.values()) or "no other records"
            raise InputTypeError(
                f"record={record!r:.80} is of type {type(record).__name__}; "
                f"a {type(self).__name__} holds {able}."
            )
        there = {child.id: child for child in getattr(self, field)}
        if record.id in there:
            problems = list(_overwritten(there[record.id], record))
            if problems:
                frame = pd.DataFrame(problems, columns=["field", "value", "problem"])
                _validate.rows(frame, type(record).__name__, "Make it from what is there: revise() it.")
        items = tuple((there | {record.id: record}).values())
        return type(self).model_validate(self._fields() | {field: items})

    def walk(self, parent: str | None = None) -> Iterator[tuple[Record, str | None]]:
        """Go through this record and all within it, each with the identifier of the one that holds it.

        Parameters
        ----------
        parent : str, optional
            Identifier of what holds this record.

        Yields
        ------
        tuple of Record and str or None
            Holders come before what they hold.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> site = pdsa.Site(id="n", name="North", projects=[
        ...     pdsa.Project(id="p", name="Fewer haemorrhages", site="North")])
        >>> [(record.id, parent) for record, parent in site.walk()]
        [('n', None), ('p', 'n')]
        """
        yield self, parent
        for name in self.children:
            for child in getattr(self, name):
                yield from child.walk(self.id)

    @model_validator(mode="after")
    def _check_trail(self) -> Self:
        own = set(self._own())
        unknown = {name for stamp in self.trail for name in stamp.before} - own
        if unknown:
            raise ValueError(
                f"trail tells of fields that no version can change: {', '.join(map(repr, sorted(unknown)))}"
            )
        for i, stamp in enumerate(self.trail):
            if stamp.what == "redacted":
                try:
                    check_path(type(self), stamp.field or "", i)
                except OptionError as error:
                    raise ValueError(f"trail.{i}: {error}") from error
        return self

    def _own(self) -> list[str]:
        """Give the fields that a version can change."""
        return [name for name in type(self).model_fields if name not in (*_FIXED, *self.children)]

    def _fields(self) -> dict[str, Any]:
        """Give the fields as they are, parts as parts."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def _stamped(self, stamp: Stamp) -> Self:
        return self.model_copy(update={"trail": (*self.trail, stamp)})


def held(kind: type[Record]) -> dict[str, type[Record]]:
    """Give the fields of a kind that hold records, and the kinds that they hold."""
    return {name: typing.get_args(kind.model_fields[name].annotation)[0] for name in kind.children}


def _overwritten(there: Record, given: Record) -> Iterator[tuple[str, str, str]]:
    """Tell what another version of a record would write over: it has to be made from the one there."""
    path = f"{type(given).__name__} {given.id}"
    stamps = [(stamp.at, stamp.what) for stamp in given.trail]
    known = [(stamp.at, stamp.what) for stamp in there.trail]
    apart = {"trail", *there.children}
    same = there.model_dump(exclude=apart) == given.model_dump(exclude=apart)
    if stamps[: len(known)] != known:
        yield path, f"version {given.version}", f"was not made from version {there.version}, which is there"
    elif len(stamps) == len(known) and not same:
        yield path, f"version {given.version}", "differs from what is there and is no new version"
    for name in there.children:
        now = {child.id: child for child in getattr(given, name)}
        for child in getattr(there, name):
            if child.id in now:
                yield from _overwritten(child, now[child.id])
            else:
                yield f"{path}.{name}", child.id, "is there and would be lost"


def _now(at: datetime | None) -> datetime:
    return datetime.now(UTC) if at is None else at
