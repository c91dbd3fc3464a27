"""Reviews kept and compared: no number is computed anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from qi_equity import _result
from qi_equity.errors import DataError
from qi_equity.pdsa.calls.frames import FRAMES
from qi_equity.spc.chart import ControlChart

if TYPE_CHECKING:
    from qi_equity.pdsa.calls.result import Review

__all__ = ["from_dict", "to_dict"]

_FORMAT = 1
R = TypeVar("R", bound="Review")


def to_dict(review: Review) -> dict[str, Any]:
    """Turn the review into JSON."""
    return {
        **_result.header("Review", _FORMAT),
        "network": review.network,
        "month": review.month,
        "charts": {name: chart.to_dict() for name, chart in review.charts.items()},
        "network_charts": {name: chart.to_dict() for name, chart in review.network_charts.items()},
        "options": _result.to_json(dict(review.options)),
        "method": _result.to_json(dict(review.method)),
        "frames": {name: _result.to_json(table) for name, table in review._frames.items()},
        "notes": _result.to_json(review._notes),
    }


def from_dict(cls: type[R], data: Mapping[str, Any]) -> R:
    """Read what :func:`to_dict` wrote.

    Raises
    ------
    DataError
        If the data are not those of a review.
    """
    _result.check_header(data, "Review", _FORMAT)
    try:
        frames = {name: _with_texts(_result.frame_from_json(t)) for name, t in data["frames"].items()}
        if set(frames) != set(FRAMES):
            raise DataError(f"the frames are {sorted(frames)}, wanted are {sorted(FRAMES)}")
        return cls(
            network=str(data["network"]),
            month=str(data["month"]),
            charts=_charts(data["charts"]),
            network_charts=_charts(data["network_charts"]),
            options=_result.from_json(data["options"]),
            method=_result.from_json(data["method"]),
            _frames=frames,
            _notes=_result.notes([_result.frame_from_json(data["notes"])]),
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"These are not the data of a Review ({type(error).__name__}: {error}). "
            "Give what to_dict() of one returned."
        ) from error


def _charts(data: Mapping[str, Any]) -> dict[str, ControlChart]:
    return {name: ControlChart.from_dict(chart) for name, chart in data.items()}


def _with_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Give a column without any text the type that it had: objects come only from there."""
    bare = [c for c in table.columns if table[c].dtype == object]
    return table.assign(**{c: table[c].astype("str").where(table[c].notna(), None) for c in bare})
