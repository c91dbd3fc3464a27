"""Points and signals of a gap chart as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.cells import STATUSES
from qi_equity.spc.signals import SIDES, Found, category, rows_frame

if TYPE_CHECKING:
    from qi_equity.equity.gap_chart.state import GapState

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_COUNTS = ("numerator", "denominator", "value")
_LINES = ("gap", "centre_line", "sigma", "lower", "upper", "expected")


def flagged(chart: GapState, side: str) -> BoolArray:
    """Points that take part in a signal of any rule on a side, shape (S, T)."""
    out = np.zeros(chart.centre_line.shape, dtype=bool)
    for (_, flag_side), mask in chart.flags.items():
        if flag_side == side:
            out |= mask
    return out


def points_frame(chart: GapState) -> pd.DataFrame:
    """Give the frame that :attr:`GapChart.points` describes."""
    cells, against, when = chart.series.cells, chart.against, chart.timeline
    shape = cells.status.shape
    row, time = np.repeat(chart.shown, shape[1]), np.tile(np.arange(shape[1]), len(chart.shown))
    at = (row, time)
    low, high = (flagged(chart, side) for side in SIDES)
    itself = against.is_reference[row]
    has_side = chart._good[:, None] >= 0
    columns: dict[str, Any] = {
        "compared_with": np.asarray(against.names, dtype=object)[row],
        "period": cells.periods[time],
        "phase": when.phase[at].astype(np.int64) + 1,
        "numerator": cells.numerator[at],
        "denominator": cells.denominator[at],
        "value": cells.value[at],
        **{f"reference_{name}": np.where(itself, np.nan, getattr(against, name)[at]) for name in _COUNTS},
        "status": category(chart._sides.status[at], STATUSES),
        **{name: chart.lines[name][at] for name in _LINES},
        "baseline": when.baseline[at],
        "excluded": when.excluded[at],
        "special_cause": (low | high | flagged(chart, "none"))[at],
        "improvement": (low & has_side & own_side_is_better(chart))[at],
        "concern": (high & has_side)[at],
    }
    frame = chart.series.cells.strata.take(row).reset_index(drop=True).assign(**columns)
    return frame.astype({"compared_with": "str"})


def own_side_is_better(chart: GapState) -> BoolArray:
    """Points where the group's own rate is better than that of its baseline, shape (S, T).

    A low gap is no improvement where it is the reference that fares worse. Observed minus expected has no
    baseline: there every low sum counts.
    """
    if chart.scale == "observed-expected":
        return np.ones(chart.centre_line.shape, dtype=bool)
    way = -1 if chart._sides.flipped else 1
    with np.errstate(invalid="ignore"):
        return np.asarray(way * (chart._sides.group.value - chart.lines["rate"]) < 0)


def signals_frame(chart: GapState) -> pd.DataFrame:
    """Give the frame that :attr:`GapChart.signals` describes."""
    rows = chart._found()
    return rows_frame(chart.series.cells, rows, _meaning(chart, rows))


def _meaning(chart: GapState, rows: Found) -> IntArray:
    """Say what each signal means; a low one is an improvement only if the group's own rate is better."""
    meaning = rows.meaning(chart._good)
    better = (own_side_is_better(chart) & chart._tested()).cumsum(axis=1)
    tested = chart._tested().cumsum(axis=1)

    def within(count: IntArray) -> IntArray:
        before = np.where(rows.start > 0, count[rows.stratum, rows.start - 1], 0)
        return np.asarray(count[rows.stratum, rows.end] - before)

    mostly = 2 * within(better) > within(tested)
    beyond = rows.start == rows.end
    at = own_side_is_better(chart)[rows.stratum, rows.start]
    own = np.where(beyond, at, mostly)
    return np.asarray(np.where((meaning == 0) & ~own, 2, meaning))
