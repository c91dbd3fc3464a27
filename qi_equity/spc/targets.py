"""Targets of every point: one for all, or targets that change from a date on."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity import _result
from qi_equity.data.timeline_marks import target_levels

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

FloatArray = npt.NDArray[np.float64]
Target = float | pd.DataFrame
"""A target for all points, or a frame with ``start``, ``target`` and, as wanted, strata."""


def targets_of(series: StratifiedSeries, target: Target | None) -> tuple[FloatArray, pd.DataFrame]:
    """Give the target of each point, in the unit of the measure, and what the reader must know of them.

    Parameters
    ----------
    series : StratifiedSeries
        S strata in T periods.
    target : float or frame, optional
        One target, unscaled (0.03, not 3 %); or a frame with ``start``, ``target`` and, as far as wanted,
        ``site``, ``group``, further strata (empty: all). From the period of ``start`` on the target holds,
        until the next one of the stratum starts. Where no row of the frame holds, and without a target, that
        of the measure does.

    Returns
    -------
    targets : numpy.ndarray, shape (S, T)
        NaN where there is none.
    notes : pandas.DataFrame
        Dates that lie inside a period.

    Raises
    ------
    OptionError
        If the measure cannot have the target.
    InputTypeError
        If it is neither a number nor a frame.
    DataError
        If rows of the frame cannot be used; all of them at once.
    """
    shape = series.cells.status.shape
    if target is None or isinstance(target, Real):
        measure = series.measure if target is None else replace(series.measure, target=target)
        return _everywhere(measure.target, shape), _result.notes([])
    levels = target_levels(series, target)
    # Levels are in order of time, so that the highest number so far is the one that started last.
    latest = np.zeros((shape[0], shape[1] + 1), dtype=np.int64)
    np.maximum.at(latest, (levels.stratum, levels.position), np.arange(1, len(levels.value) + 1))
    latest = np.maximum.accumulate(latest, axis=1)[:, :-1]
    values = np.append(np.nan, levels.value)[latest]
    return np.where(latest > 0, values, _everywhere(series.measure.target, shape)), levels.notes


def _everywhere(target: float | None, shape: tuple[int, ...]) -> FloatArray:
    return np.full(shape, np.nan if target is None else target)
