"""Whether a change was made right after the worst periods: some of what follows would have come anyway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity.change.level import used_periods
from qi_equity.change.sensitivity.models import LAST
from qi_equity.change.sensitivity.places import fitted_segment
from qi_equity.change.study import REVERSED, Study
from qi_equity.data.cells import Floats, Ints

__all__ = ["FEWEST_RUNS", "Worst", "worst_start"]

# With fewer runs of periods than this, one of them being the worst says nothing.
FEWEST_RUNS = 4
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Worst:
    """The last periods before each of K changes of S strata, among all runs of as many; shape (S, K).

    Parameters
    ----------
    rest, last : ndarray of float
        Adverse rate (as measured where less is worse) of the other periods before, and of the last.
    rank : ndarray of int
        1 where the last are worse than all others; 0 where it is not known.
    runs : ndarray of int
        Runs of as many periods before the change.
    """

    rest: Floats
    last: Floats
    rank: Ints
    runs: Ints


def worst_start(study: Study) -> Worst:
    """Rank the last three periods before each change among all runs of three that follow on one another.

    Parameters
    ----------
    study : Study
        What the evaluation is reckoned from.

    Returns
    -------
    Worst
        ``rank`` is 0 where one of the last three is not known, or there are fewer than 4 runs. Were the order
        of the periods chance alone, a rank of r or better would come in about r of ``runs`` cases (runs that
        overlap are alike).

    References
    ----------
    .. [1] Davis. The effect of regression to the mean in epidemiologic and clinical studies. Am J Epidemiol
       1976;104:493-8.
    """
    segment, changes = fitted_segment(study), study.schedule.starts.shape[1]
    used = used_periods(study.events, study.size)
    weight = np.where(used, study.size, 0.0)
    total = np.where(used, study.events, 0.0) * (weight if study.family == "gaussian" else 1.0)
    place = np.arange(changes)[:, None]
    before = (segment[:, None, :] == place) & used[:, None, :]
    x, n = (_runs(np.where(before, a[:, None, :], 0.0)) for a in (total, weight))
    whole = _runs(before.astype(np.float64)) == LAST
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(whole, x / n, np.nan)
    first = study.schedule.starts - LAST
    there = np.isfinite(first) & (first >= 0)
    index = np.where(there, first, 0).astype(np.int64)[..., None]
    last = np.where(
        there, np.take_along_axis(rate, np.minimum(index, rate.shape[-1] - 1), axis=-1)[..., 0], np.nan
    )
    worse = -rate if study.way == REVERSED else rate
    mine = -last if study.way == REVERSED else last
    runs = whole.sum(axis=-1)
    # Runs that are as bad count before the last: it is the worst only where no other equals it.
    rank = (worse >= mine[..., None] * (1 - np.sign(mine[..., None]) * _ROUNDING)).sum(axis=-1)
    known = ~np.isnan(last) & (runs >= FEWEST_RUNS)
    at = np.arange(total.shape[-1])
    ending = (at >= first[..., None]) & (at < study.schedule.starts[..., None])
    others = before & ~ending
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(others, total[:, None], 0.0).sum(axis=-1) / np.where(
            others, weight[:, None], 0.0
        ).sum(axis=-1)
    return Worst(rest, last, np.where(known, rank, 0), runs)


def _runs(block: Floats) -> Floats:
    """Sum each run of periods, shape (..., T - LAST + 1)."""
    if block.shape[-1] < LAST:
        return np.zeros((*block.shape[:-1], 1))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(block, LAST, axis=-1).sum(axis=-1))
