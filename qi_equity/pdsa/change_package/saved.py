"""Change packages kept and compared: no number is computed anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qi_equity._result import check_header, frame_from_json, from_json, header, notes, to_json
from qi_equity.change.result import ChangeEvaluation
from qi_equity.errors import DataError

if TYPE_CHECKING:
    from qi_equity.pdsa.change_package.result import BestPractice

_FORMAT = 1
_TABLES = ("facts", "reach", "said", "ideas", "groups", "notes")
_NOTES = ("said", "notes")


def to_dict(package: BestPractice) -> dict[str, Any]:
    """Turn the package into JSON."""
    return {
        **header("BestPractice", _FORMAT),
        "evaluations": {code: evaluation.to_dict() for code, evaluation in package.evaluations.items()},
        "options": to_json(dict(package.options)),
        "method": to_json(dict(package.method)),
        "tables": {name: to_json(getattr(package, f"_{name}")) for name in _TABLES},
    }


def from_dict(cls: type[BestPractice], data: Mapping[str, Any]) -> BestPractice:
    """Read what :func:`to_dict` wrote.

    Raises
    ------
    DataError
        If the data are not those of a change package.
    """
    check_header(data, "BestPractice", _FORMAT)
    try:
        tables = {name: frame_from_json(data["tables"][name]) for name in _TABLES}
        tables |= {name: notes([tables[name]], ("idea",)) for name in _NOTES}
        return cls(
            evaluations={code: ChangeEvaluation.from_dict(e) for code, e in data["evaluations"].items()},
            options=from_json(data["options"]),
            method=from_json(data["method"]),
            **{f"_{name}": table for name, table in tables.items()},
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"These are not the data of a BestPractice ({type(error).__name__}: {error}). "
            "Give what to_dict() of one returned."
        ) from error
