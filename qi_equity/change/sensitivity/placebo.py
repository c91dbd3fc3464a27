"""Fake dates: how large a change looks before the change, when nothing is known to have been done."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from qi_equity.change.design import Schedule
from qi_equity.change.estimate import Effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.sensitivity.models import change_of, has_season
from qi_equity.change.study import Study, seasonal_periods
from qi_equity.data.cells import Bools, Floats, Ints

__all__ = [
    "FakeDates",
    "Windows",
    "fake_dates",
    "placebo_models",
    "shifted",
    "size_of",
    "told_apart",
    "windows_of",
]

# Of the periods before a change, the part that each side of a fake date may take.
_PART = 3
# A year, beyond which a window is not stretched, and the least, half a year of months.
_LEAST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Periods before and after a date that are compared, for each of S strata; 0 where there are too few."""

    before: Ints
    after: Ints


@dataclass(frozen=True, slots=True, eq=False)
class FakeDates:
    """Changes at F fake dates before the first change of S strata.

    Parameters
    ----------
    at : ndarray of int, shape (F, S)
        Position of the first period after each fake date; -1 where a stratum has no such date.
    windows : Windows
        Periods on each side.
    effects : Effects
        Arrays of shape (F, S, 1).
    real : Effects
        The change at the real date, in windows of the same length, shape (1, S, 1).
    """

    at: Ints
    windows: Windows
    effects: Effects
    real: Effects


def placebo_models(study: Study, model: ChangeModel, harmonics: int) -> list[tuple[str, ChangeModel, int]]:
    """Name the models for fake dates: the one evaluated, and a trend without and with a season."""
    trend = ChangeModel(trend="own", phase_in=model.phase_in)
    models = [("as evaluated", model, harmonics), ("level+trend", trend, 0)]
    return [*models, ("level+trend+season", trend, max(1, harmonics))] if has_season(study) else models


def windows_of(study: Study) -> Windows:
    """Give the lengths of the windows: a third of the periods before, at most a year, at least half a year.

    The window after is no longer than the time after the real change (until the next one). Where a year has
    fewer than 12 periods the least is half of a year, but never fewer than 3 periods.
    """
    before = np.nan_to_num(study.schedule.starts[:, 0]).astype(np.int64)
    after = (study.schedule.segment == 1).sum(axis=1)
    year = ceil(seasonal_periods(study.series.every))
    most = year if year > 1 else 12
    least = min(_LEAST, max(3, most // 2))
    length = np.clip(before // _PART, least, most)
    later = np.minimum(after, length + study.schedule.phase_in)
    possible = (2 * length <= before) & (later > study.schedule.phase_in)
    return Windows(np.where(possible, length, 0), np.where(possible, later, 0))


def fake_dates(
    study: Study, windows: Windows, model: ChangeModel, harmonics: int, confidence: float
) -> FakeDates:
    """Estimate the change at all admissible fake dates: those whose windows lie wholly before the change."""
    start = np.nan_to_num(study.schedule.starts[:, 0]).astype(np.int64)
    some = windows.before > 0
    count = np.where(some, start - windows.before - windows.after + 1, 0)
    step = np.arange(max(int(count.max(initial=0)), 1))[:, None]
    at = np.where(step < count, windows.before + step, -1)
    effects = _at(study, at, windows, model, harmonics, confidence)
    real = _at(study, np.where(some, start, -1)[None], windows, model, harmonics, confidence)
    return FakeDates(at, windows, effects, real)


def _at(
    study: Study, at: Ints, windows: Windows, model: ChangeModel, harmonics: int, confidence: float
) -> Effects:
    return change_of(study, shifted(study.schedule, at, windows), model, harmonics, confidence)


def shifted(schedule: Schedule, at: Ints, windows: Windows) -> Schedule:
    """Put the change at other positions (F, S), with what is outside the windows left out."""
    since = np.arange(schedule.segment.shape[-1]) - at[..., None]
    inside = (since >= -windows.before[:, None]) & (since < windows.after[:, None]) & (at >= 0)[..., None]
    segment = np.where(inside, (since >= 0).astype(np.int64), -1)
    return Schedule(segment, at[..., None].astype(np.float64), schedule.phase_in, schedule.season)


def size_of(effects: Effects, *, means: bool) -> Floats:
    """Give how large each change looks, (..., S): log ratio, or difference of means, without its sign."""
    if means:
        return np.abs(effects.difference.estimate[..., 0])
    with np.errstate(divide="ignore"):
        return np.asarray(np.abs(np.log(effects.ratio.estimate[..., 0])))


def told_apart(effects: Effects, *, means: bool) -> Bools:
    """Tell which intervals leave out "no change", shape (..., S)."""
    change, none = (effects.difference, 0.0) if means else (effects.ratio, 1.0)
    return np.asarray(((change.upper < none) | (change.lower > none))[..., 0])
