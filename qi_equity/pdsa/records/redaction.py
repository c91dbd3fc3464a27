"""Take free text out of a record: every text under a field, wherever it lies."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from qi_equity import _validate
from qi_equity.errors import OptionError
from qi_equity.pdsa.records.fields import FreeText

if TYPE_CHECKING:
    from qi_equity.pdsa.records.base import Record, Stamp

__all__ = ["REDACTED", "blanked", "check_path", "trail_without"]

REDACTED = "[redacted]"

_TRAIL = "trail"
_OF_STAMP = re.compile(r"trail\.(0|[1-9][0-9]{0,8})\.(by|reason)")


def check_path(kind: type[Record], field: str, stamps: int) -> tuple[str, ...]:
    """Read what a redaction takes out: a field, with dots into its parts, or a text of one of the stamps.

    Parameters
    ----------
    kind : type
        The kind of record.
    field : str
        As given to :meth:`Record.redact`.
    stamps : int
        How many stamps there are to take it out of.

    Raises
    ------
    OptionError
        If there is no such field or stamp, or no free text under it.
    """
    path = tuple(str(field).split("."))
    if path[0] == _TRAIL:
        found = _OF_STAMP.fullmatch(".".join(path))
        if found is None or int(found[1]) >= stamps:
            raise OptionError(
                f"field={field!r} is not allowed; of the trail give one stamp by number, from 0, and 'by' "
                f"or 'reason', such as 'trail.0.reason'; stamps: {stamps}."
            )
        return path
    return _of_field(kind, field, path, ("id", "recorded_at", *kind.children))


def _of_field(
    model: type[BaseModel], field: str, path: tuple[str, ...], fixed: Sequence[str]
) -> tuple[str, ...]:
    allowed = [name for name in model.model_fields if name not in fixed and name != _TRAIL]
    inside: type[BaseModel] | None = model
    for i, name in enumerate(path):
        if inside is None:
            raise OptionError(f"field={field!r} is not possible: {path[i - 1]!r} has no parts.")
        _validate.one_of("field", name, allowed if i == 0 else list(inside.model_fields))
        annotation = _annotation(inside, name)
        inside = _model_in(annotation)
    if not _holds_text(annotation):
        raise OptionError(f"field={field!r} holds no free text; revise() changes other fields.")
    return path


def blanked(model: type[BaseModel], data: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """Blank every free text under a field of a record that was turned into JSON; absent stays absent.

    Texts that the record compares with those under the field (its ``linked`` fields, such as the groups of
    predictions and of the results that answer them) repeat them, and are blanked too.
    """
    if path[0] == _TRAIL:
        return dict(data)
    found = _blanked(model, data, path)
    for pair in getattr(model, "linked", ()):
        paths = [tuple(field.split(".")) for field in pair]
        if any(one[: len(path)] == tuple(path) for one in paths):
            for one in paths:
                found = _blanked(model, found, one)
    return found


def trail_without(kind: type[Record], trail: Sequence[Stamp], path: Sequence[str]) -> tuple[Stamp, ...]:
    """Give a trail without what a redaction takes out: of what stood there before, or of one stamp itself."""
    if path[0] == _TRAIL:
        number, name = int(path[1]), path[2]
        return tuple(
            stamp.model_copy(update={name: REDACTED}) if i == number and getattr(stamp, name) else stamp
            for i, stamp in enumerate(trail)
        )
    return tuple(stamp.model_copy(update={"before": blanked(kind, stamp.before, path)}) for stamp in trail)


def _blanked(model: type[BaseModel], data: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    name, *further = path
    if data.get(name) is None:
        return dict(data)
    annotation = _annotation(model, name)
    if not further:
        return dict(data) | {name: _blank(annotation, data[name])}
    part, inside = typing.cast(type[BaseModel], _model_in(annotation)), data[name]
    if isinstance(inside, list):
        return dict(data) | {name: [_blanked(part, item, further) for item in inside]}
    return dict(data) | {name: _blanked(part, inside, further)}


def _annotation(model: type[BaseModel], name: str) -> Any:
    """Give the type of a field with its marks, which pydantic keeps apart."""
    field = model.model_fields[name]
    return typing.Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _is_text(annotation: Any) -> bool:
    return any(isinstance(mark, FreeText) for mark in getattr(annotation, "__metadata__", ()))


def _inner(annotation: Any) -> list[Any]:
    """Give the types within a union or a tuple."""
    return [a for a in typing.get_args(annotation) if a not in (types.NoneType, Ellipsis)]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Give the part that a field holds, alone or several of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [] if _is_text(annotation) else [_model_in(a) for a in _inner(annotation)]
    return next((model for model in found if model is not None), None)


def _holds_text(annotation: Any) -> bool:
    if _is_text(annotation):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_holds_text(_annotation(annotation, name)) for name in annotation.model_fields)
    return any(_holds_text(a) for a in _inner(annotation))


def _blank(annotation: Any, value: Any) -> Any:
    if isinstance(value, list):
        (item,) = _inner(annotation)
        return [_blank(item, v) for v in value]
    if isinstance(value, dict):
        model = typing.cast(type[BaseModel], _model_in(annotation))
        return {name: _blank(_annotation(model, name), v) for name, v in value.items()}
    # An empty text says nothing and stays empty; other values are no free text.
    return REDACTED if isinstance(value, str) and value and _holds_text(annotation) else value
