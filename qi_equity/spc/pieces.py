"""Charts cut to some strata, and a chart of several kinds as charts of one kind each."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

IntArray = npt.NDArray[np.int64]
LINES = ("centre_line", "sigma", "lower", "upper")


def take(chart: ControlChart, rows: IntArray, series: StratifiedSeries) -> ControlChart:
    """Keep some strata, whose data are ``series``; no number is computed anew."""
    when = take_timeline(chart.timeline, rows, series.cells.strata)
    used, which = np.unique(chart.spec_of[rows], return_inverse=True)
    return replace(
        chart,
        series=series,
        specs=tuple(chart.specs[k] for k in used.tolist()),
        spec_of=which.astype(np.int64),
        why=tuple(chart.why[k] for k in rows.tolist()),
        timeline=when,
        targets=chart.targets[rows],
        plotted={arm: values[rows] for arm, values in chart.plotted.items()},
        flags={key: flags[rows] for key, flags in chart.flags.items()},
        few_crossings=chart.few_crossings[rows],
        method=MappingProxyType(
            {**chart.method, "phases": when.phases.copy(), "exclusions": when.exclusions.copy()}
        ),
        _cache={},
        **{name: getattr(chart, name)[rows] for name in LINES},
    )


def take_timeline(when: Timeline, rows: IntArray, strata: pd.DataFrame) -> Timeline:
    """Keep the phases, baselines and exclusions of some strata."""
    return replace(
        when,
        phase=when.phase[rows],
        baseline=when.baseline[rows],
        excluded=when.excluded[rows],
        phases=_of_strata(when.phases, strata),
        exclusions=_of_strata(when.exclusions, strata),
    )


def pieces(chart: ControlChart) -> list[tuple[IntArray, ControlChart]]:
    """Give the strata of each kind, with the chart of these alone."""
    if len(chart.specs) == 1:
        return [(np.arange(len(chart.spec_of)), chart)]
    parts = []
    for k in range(len(chart.specs)):
        rows = np.flatnonzero(chart.spec_of == k)
        kept = replace(chart.series, cells=chart.series.cells.take(rows))
        parts.append((rows, take(chart, rows, kept)))
    return parts


def _of_strata(frame: pd.DataFrame, strata: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows that speak of the strata kept."""
    keys = list(strata.columns)
    wanted, found = (pd.MultiIndex.from_frame(f[keys].astype("str")) for f in (strata, frame))
    return frame[found.isin(wanted)].reset_index(drop=True)
