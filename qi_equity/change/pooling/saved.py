"""Pooled effects kept and compared: no number is computed anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qi_equity._result import check_header, frame_from_json, from_json, header, notes, to_json
from qi_equity.change.result import ChangeEvaluation
from qi_equity.errors import DataError

if TYPE_CHECKING:
    from qi_equity.change.pooling.result import PooledEffect

_FORMAT = 1
_TABLES = ("groups", "gaps", "sites")


def to_dict(pooled: PooledEffect) -> dict[str, Any]:
    """Turn the pooled effect into JSON."""
    return {
        **header("PooledEffect", _FORMAT),
        "evaluation": pooled.evaluation.to_dict(),
        "options": to_json(dict(pooled.options)),
        "method": to_json(dict(pooled.method)),
        "tables": {name: to_json(getattr(pooled, f"_{name}")) for name in _TABLES},
        "notes": to_json(pooled._notes),
    }


def from_dict(cls: type[PooledEffect], data: Mapping[str, Any]) -> PooledEffect:
    """Read what :func:`to_dict` wrote.

    Raises
    ------
    DataError
        If the data are not those of a pooled effect.
    """
    check_header(data, "PooledEffect", _FORMAT)
    try:
        return cls(
            evaluation=ChangeEvaluation.from_dict(data["evaluation"]),
            options=from_json(data["options"]),
            method=from_json(data["method"]),
            **{f"_{name}": frame_from_json(data["tables"][name]) for name in _TABLES},
            _notes=notes([frame_from_json(data["notes"])]),
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"These are not the data of a PooledEffect ({type(error).__name__}: {error}). "
            "Give what to_dict() of one returned."
        ) from error
