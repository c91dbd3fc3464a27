"""Evaluations kept and compared: no number is computed anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from qi_equity._result import check_header, frame_from_json, from_json, header, notes, to_json
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import DataError

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation

_FORMAT = 1
_TABLES = ("groups", "gaps", "homogeneity", "balancing", "process")


def to_dict(evaluation: ChangeEvaluation) -> dict[str, Any]:
    """Turn the evaluation into JSON."""
    process = evaluation.process_series
    return {
        **header("ChangeEvaluation", _FORMAT),
        "series": evaluation.series.to_dict(),
        "balancing_series": [series.to_dict() for series in evaluation.balancing_series],
        "process_series": None if process is None else process.to_dict(),
        "options": to_json(dict(evaluation.options)),
        "method": to_json(dict(evaluation.method)),
        "tables": {name: to_json(getattr(evaluation, f"_{name}")) for name in _TABLES},
        "notes": to_json(evaluation._notes),
    }


def from_dict(cls: type[ChangeEvaluation], data: Mapping[str, Any]) -> ChangeEvaluation:
    """Read what :func:`to_dict` wrote.

    Raises
    ------
    DataError
        If the data are not those of an evaluation.
    """
    check_header(data, "ChangeEvaluation", _FORMAT)
    try:
        process = data["process_series"]
        return cls(
            series=StratifiedSeries.from_dict(data["series"]),
            options=from_json(data["options"]),
            method=from_json(data["method"]),
            balancing_series=tuple(StratifiedSeries.from_dict(d) for d in data["balancing_series"]),
            process_series=None if process is None else StratifiedSeries.from_dict(process),
            **{f"_{name}": _table(data["tables"][name]) for name in _TABLES},
            _notes=notes([frame_from_json(data["notes"])]),
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"These are not the data of a ChangeEvaluation ({type(error).__name__}: {error}). "
            "Give what to_dict() of one returned."
        ) from error


def _table(data: Any) -> pd.DataFrame:
    """Read a table; an empty column of text does not tell that it is one."""
    frame = frame_from_json(data)
    return frame.astype({c: "str" for c in frame.columns if frame[c].dtype == object})
