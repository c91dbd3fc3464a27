"""Columns of the regression: level, trend, season, and a step (and bend) at each change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qi_equity.change.model import ChangeModel
from qi_equity.data.cells import Bools, Floats, Ints

__all__ = ["Design", "Schedule", "make_design"]


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """When the changes of each stratum were made.

    Parameters
    ----------
    segment : ndarray of int, shape (..., T)
        0 before the first change, k from the k-th on; -1 where a period is left out.
    starts : ndarray of float, shape (..., K)
        Index of the first period of each change; NaN where a stratum has no such change.
    phase_in : int
        Periods after each change in which it was only coming in.
    season : ndarray of float, shape (T,)
        Place of each period in the year, in [0, 1).
    """

    segment: Ints
    starts: Floats
    phase_in: int
    season: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Columns of the regression of every stratum.

    Parameters
    ----------
    own : ndarray of float, shape (..., T, p)
        Columns with coefficients of each stratum's own.
    shared : ndarray of float, shape (..., T, q)
        Columns with one coefficient for all strata; q may be 0.
    without : ndarray of float, shape (..., K, T, p)
        ``own`` as it would be without the k-th change.
    segment : ndarray of int, shape (..., T)
        Periods in the fit, by segment; -1 for those left out.
    counted : ndarray of bool, shape (..., K, T)
        Periods over which the k-th change is reckoned: those of its segment after it has come in.
    terms : tuple of str
        Names of the columns, own before shared.
    level_only : bool
        Whether there is nothing but a level for each segment.
    """

    own: Floats
    shared: Floats
    without: Floats
    segment: Ints
    counted: Bools
    terms: tuple[str, ...]
    level_only: bool

    def absent(self, used: Bools) -> Bools:
        """Tell which own columns are of a change that a stratum does not have in the periods used.

        Parameters
        ----------
        used : ndarray of bool, shape (..., T)
            Periods in the fit.

        Returns
        -------
        ndarray of bool, shape (..., p)
            None of a stratum without any period.
        """
        of_change = np.array([name.startswith(("step", "slope")) for name in self.terms])
        nowhere = ~np.any(used[..., None] & (self.own != 0), axis=-2) & np.any(used, axis=-1, keepdims=True)
        return np.asarray(nowhere & of_change[: self.own.shape[-1]])

    def twice(self) -> Design:
        """Give the design of the strata followed by that of what each is compared with: the same again."""
        blocks = ("own", "shared", "without", "segment", "counted")
        again: dict[str, Any] = {n: np.concatenate([getattr(self, n)] * 2) for n in blocks}
        return replace(self, **again)


def make_design(schedule: Schedule, model: ChangeModel, harmonics: int) -> Design:
    """Lay out the columns.

    The step of the k-th change is 1 from its first period on; with a ramp of L periods it grows by
    1 / (L + 1) each. Time is counted from the last period before the first change of the stratum, and a bend
    from the last period before its own, so that each step is the change of level at its change.
    """
    segment, starts = schedule.segment, schedule.starts
    time = np.arange(segment.shape[-1], dtype=np.float64)
    since = np.nan_to_num(time - starts[..., None] + 1, nan=-1.0)
    ramp = model.phase_in == "ramp" and schedule.phase_in > 0
    length = schedule.phase_in + 1 if ramp else 1
    steps = np.clip(since / length, 0, 1)
    fitted = segment if ramp else np.where(_coming_in(since, schedule.phase_in), -1, segment)
    place = np.arange(1, starts.shape[-1] + 1)[:, None]
    counted = (fitted[..., None, :] == place) & (steps >= 1)
    columns: list[tuple[str, Floats]] = [("level", np.ones(segment.shape))]
    columns += [(f"step {k + 1}", steps[..., k, :]) for k in range(starts.shape[-1])]
    centred = np.where(np.isnan(starts[..., :1]), time, time - starts[..., :1] + 1)
    if model.trend == "own":
        columns.append(("trend", centred))
    if model.slope:
        bends = np.maximum(since, 0)
        columns += [(f"slope {k + 1}", bends[..., k, :]) for k in range(starts.shape[-1])]
    columns += _waves(schedule.season, harmonics, segment.shape)
    own = np.stack([values for _, values in columns], axis=-1)
    shared = centred[..., None] if model.trend == "shared" else own[..., :0]
    names = [name for name, _ in columns]
    return Design(
        own,
        shared,
        _without(own, names, starts.shape[-1]),
        fitted,
        counted,
        (*names, *(["shared trend"] if model.trend == "shared" else [])),
        level_only=model.trend == "none" and not harmonics and not ramp,
    )


def _coming_in(since: Floats, phase_in: int) -> Bools:
    """Tell in which periods a change was only coming in, shape (..., T)."""
    return np.asarray(((since >= 1) & (since <= phase_in)).any(axis=-2))


def _waves(season: Floats, harmonics: int, shape: tuple[int, ...]) -> list[tuple[str, Floats]]:
    turn = 2 * np.pi * season
    return [
        (f"{name} {k}", np.broadcast_to(wave(k * turn), shape))
        for k in range(1, harmonics + 1)
        for name, wave in (("sine", np.sin), ("cosine", np.cos))
    ]


def _without(own: Floats, names: list[str], changes: int) -> Floats:
    """Take each change's own columns away, one change at a time."""
    kept = np.array(
        [[name not in (f"step {k + 1}", f"slope {k + 1}") for name in names] for k in range(changes)]
    )
    return np.asarray(own[..., None, :, :] * kept[:, None, :])
