"""Points as rows: every period (and arm) of every stratum with its lines and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.cells import STATUSES
from qi_equity.spc.judge import ARMS
from qi_equity.spc.signals import SIDES, category

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_LINES = ("centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s")


def flagged(chart: ControlChart, side: str | None = None) -> BoolArray:
    """Points that take part in a signal of any rule, on one side or on either, shape (S, T)."""
    out = np.zeros(chart.centre_line.shape, dtype=bool)
    for (_, flag_side), mask in chart.flags.items():
        if side is None or side == flag_side:
            out |= mask
    return out


def points_frame(chart: ControlChart) -> pd.DataFrame:
    """Give the points as the frame that :attr:`ControlChart.points` describes."""
    cells = chart.series.cells
    row, arm, time = _positions(chart)
    at = (row, time)
    low, high = (
        flagged(chart, side)[at] & (arm != opposite) for side, opposite in zip(SIDES, (2, 1), strict=True)
    )
    good = chart._good[row]
    plotted = np.stack([chart.plotted[name] for name in ARMS])
    watched = {"lower": arm != 2, "lower_2s": arm != 2, "upper": arm != 1, "upper_2s": arm != 1}
    lines = {name: np.where(watched.get(name, True), getattr(chart, name)[at], np.nan) for name in _LINES}
    columns = {
        "period": np.broadcast_to(cells.periods, cells.status.shape)[at],
        "phase": chart.timeline.phase[at].astype(np.int64) + 1,
        "arm": category(arm, ARMS),
        "numerator": cells.numerator[at],
        "denominator": cells.denominator[at],
        "value": plotted[arm, row, time],
        "status": category(cells.status[at], STATUSES),
        **lines,
        "baseline": chart.timeline.baseline[at],
        "excluded": chart.timeline.excluded[at],
        "special_cause": low | high | flagged(chart, "none")[at],
        "improvement": (low & (good == 0)) | (high & (good == 1)),
        "concern": (low & (good == 1)) | (high & (good == 0)),
    }
    return chart.strata.take(row).reset_index(drop=True).assign(**columns)


def _positions(chart: ControlChart) -> tuple[IntArray, IntArray, IntArray]:
    """Row, arm and time of every point: charts of two arms have one point for each."""
    status = chart.series.cells.status
    two = np.array([spec.two_arms for spec in chart.specs], dtype=bool)[chart.spec_of]
    wanted = np.zeros((len(status), len(ARMS), status.shape[1]), dtype=bool)
    wanted[~two, 0] = wanted[two, 1] = wanted[two, 2] = True
    row, arm, time = np.nonzero(wanted & (status >= 0)[:, None])
    return row, arm, time
