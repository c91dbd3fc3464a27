"""Points as rows: every period of every stratum with its lines and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.cells import STATUSES
from qi_equity.spc.signals import category

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

BoolArray = npt.NDArray[np.bool_]


def flagged(chart: ControlChart, side: str | None = None) -> BoolArray:
    """Points that take part in a signal of any rule, on one side or on either, shape (S, T)."""
    out = np.zeros(chart.centre_line.shape, dtype=bool)
    for (_, flag_side), mask in chart.flags.items():
        if side is None or side == flag_side:
            out |= mask
    return out


def good_and_bad_side(better: str | None) -> tuple[str, str] | None:
    """Side of improvement and side of concern; None where neither direction is better."""
    return {"lower": ("low", "high"), "higher": ("high", "low")}.get(better or "")


def points_frame(chart: ControlChart) -> pd.DataFrame:
    """Give the points as the frame that :attr:`ControlChart.points` describes."""
    cells = chart.series.cells
    shape = cells.value.shape
    keep = np.flatnonzero(cells.status.ravel() >= 0)
    sides = good_and_bad_side(chart.series.measure.better)
    none = np.zeros(shape, dtype=bool)
    columns = {
        "period": cells.periods,
        "phase": chart.timeline.phase.astype(np.int64) + 1,
        "numerator": cells.numerator,
        "denominator": cells.denominator,
        "value": cells.value,
        "status": cells.status,
        "centre_line": chart.centre_line,
        "sigma": chart.sigma,
        "lower": chart.lower,
        "upper": chart.upper,
        "lower_2s": chart.lower_2s,
        "upper_2s": chart.upper_2s,
        "baseline": chart.timeline.baseline,
        "excluded": chart.timeline.excluded,
        "special_cause": flagged(chart),
        "improvement": flagged(chart, sides[0]) if sides else none,
        "concern": flagged(chart, sides[1]) if sides else none,
    }
    flat = {name: np.broadcast_to(block, shape).ravel()[keep] for name, block in columns.items()}
    frame = chart.strata.take(keep // shape[1]).reset_index(drop=True).assign(**flat)
    return frame.assign(status=category(flat["status"], STATUSES))
