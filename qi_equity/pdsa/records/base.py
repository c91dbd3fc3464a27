"""The base of all records: frozen parts, and records with versions that are never written over."""

from __future__ import annotations

import typing
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.records.fields import Identifier, Moment, Name, Text, YesNo
from qi_equity.pdsa.records.problems import refuse
from qi_equity.pdsa.records.redaction import blanked, check_path

__all__ = ["Part", "Record", "Stamp"]

# What revise() does not change: who a record is, and its past.
_FIXED = ("id", "recorded_by", "recorded_at", "trail")


class Part(BaseModel):
    """A part of a record: frozen, with the fields listed and no others.

    A mistake raises a :class:`~qi_equity.DataError` that lists every field that is wrong.

    Parameters
    ----------
    **data
        The fields.

    Raises
    ------
    DataError
        With ``bad_rows``: ``field, value, problem``.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> pdsa.Task(what="Print the checklist", who="Ward clerk", when="2024-03-04").when.isoformat()
    '2024-03-04'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            refuse(type(self).__name__, error)

    # Pydantic then reads parts within parts itself, and the error names the field down to the innermost.
    __init__.__dict__["__pydantic_base_init__"] = True

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Read a record from a mapping, as pydantic does; a mistake raises a DataError.

        Parameters
        ----------
        obj : mapping
            The fields.
        **options
            Those of pydantic.

        Returns
        -------
        Part
            The record.

        Raises
        ------
        DataError
            With ``bad_rows``: ``field, value, problem``.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> pdsa.Task.model_validate({"what": "Print the checklist"}).what
        'Print the checklist'
        """
        return cls._read(super().model_validate, obj, options)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Read a record from JSON, as pydantic does; a mistake raises a DataError.

        Parameters
        ----------
        json_data : str, bytes or bytearray
            The JSON, as ``model_dump_json()`` writes it.
        **options
            Those of pydantic.

        Returns
        -------
        Part
            The record.

        Raises
        ------
        DataError
            With ``bad_rows``: ``field, value, problem``.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> task = pdsa.Task(what="Print the checklist")
        >>> pdsa.Task.model_validate_json(task.model_dump_json()) == task
        True
        """
        return cls._read(super().model_validate_json, json_data, options)

    @classmethod
    def _read(cls, how: Any, data: Any, options: dict[str, Any]) -> Self:
        try:
            found: Self = how(data, **options)
        except ValidationError as error:
            refuse(cls.__name__, error)
            raise
        return found


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
    >>> pdsa.Stamp(at="2024-03-31T14:00:00Z", by="A. Midwife", what="revised").before
    {}
    """

    at: Moment
    by: Name
    reason: Text = ""
    what: Literal["revised", "redacted"]
    before: dict[str, JsonValue] = Field(default_factory=dict)
    field: Text | None = None


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
    >>> second = first.revise({"name": "Treatment in time"}, by="A. Midwife", reason="clearer")
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
        OptionError
            If a field cannot be changed, or nothing differs.
        DataError
            If the new version is not allowed.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> pdsa.Driver(name="Timely").revise({"name": "Timely treatment"}, by="A. Midwife").version
        2
        """
        allowed = [name for name in type(self).model_fields if name not in (*_FIXED, *self.children)]
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
        This is the one exception to "never written over", for such things as a patient's identifier.

        Parameters
        ----------
        field : str
            Name of a field, with dots into its parts: ``"do.observations"``, ``"plan.tasks"``.
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
        >>> right = wrong.redact("name", "named a patient", by="A. Midwife")
        >>> right.name, right.trail[-1].reason
        ('[redacted]', 'named a patient')
        """
        path = check_path(type(self), field, (*_FIXED, *self.children))
        if not isinstance(reason, str) or not reason.strip():
            raise OptionError(f"reason={reason!r} is empty; say why it is taken out, not what it said.")
        now = self.model_dump(mode="json", exclude={"trail", *self.children})
        trail = [
            stamp.model_copy(update={"before": blanked(type(self), stamp.before, path)})
            for stamp in self.trail
        ]
        clean = type(self).model_validate(
            self._fields() | blanked(type(self), now, path) | {"trail": tuple(trail)}
        )
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
            If it does not fit the others, such as a cycle of a change idea that is not there.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> project = pdsa.Project(name="Fewer haemorrhages", site="North")
        >>> project.put(pdsa.Driver(name="Timely treatment")).drivers[0].name
        'Timely treatment'
        """
        kinds = {name: _item(type(self), name) for name in self.children}
        field = next((name for name, kind in kinds.items() if isinstance(record, kind)), None)
        if field is None:
            held = ", ".join(kind.__name__ for kind in kinds.values()) or "no other records"
            raise InputTypeError(
                f"record={record!r:.80} is of type {type(record).__name__}; "
                f"a {type(self).__name__} holds {held}."
            )
        there = {child.id: child for child in getattr(self, field)}
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

    def _fields(self) -> dict[str, Any]:
        """Give the fields as they are, parts as parts."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def _stamped(self, stamp: Stamp) -> Self:
        return self.model_copy(update={"trail": (*self.trail, stamp)})


def _item(kind: type[Record], field: str) -> type[Record]:
    """Give the kind of records that a field holds."""
    item: type[Record] = typing.get_args(kind.model_fields[field].annotation)[0]
    return item


def _now(at: datetime | None) -> datetime:
    return datetime.now(UTC) if at is None else at
