"""The base of all parts of records: frozen, with the fields listed and no others, mistakes told at once."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from qi_equity.pdsa.records.problems import refusing

__all__ = ["Part"]


def _in_one_sentence(schema: dict[str, Any]) -> None:
    """Describe a record in its JSON Schema by the first sentence of what is written for readers of Python."""
    schema["description"] = schema["description"].split("\n")[0]


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

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, json_schema_extra=_in_one_sentence
    )

    def __init__(self, **data: Any) -> None:
        with refusing(type(self).__name__):
            super().__init__(**data)

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
        with refusing(cls.__name__):
            found: Self = how(data, **options)
        return found
