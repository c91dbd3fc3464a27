"""The change of each site beside those of other sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity.change.estimate import Effects, t_of
from qi_equity.change.model import ChangeModel
from qi_equity.change.sensitivity.models import change_of
from qi_equity.change.sensitivity.placebo import Windows, shifted, size_of
from qi_equity.change.study import Study
from qi_equity.data import regroup
from qi_equity.data.cells import Bools, Floats, Ints

__all__ = ["Beside", "beside_others", "beside_untouched"]


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """The first change of S strata beside those of the same group at other sites.

    Parameters
    ----------
    others : ndarray of int, shape (S,)
        Sites that it is set beside; 0 where there are none.
    as_large : ndarray of int, shape (S,)
        Of these, how many look as large.
    windows : Windows
        Periods on each side that are compared; 0 for all.
    """

    others: Ints
    as_large: Ints
    windows: Windows

    @property
    def p(self) -> Floats:
        """Rank of the site by size, from the largest, as a share of all sites; NaN without others."""
        return np.where(self.others > 0, (self.as_large + 1) / (self.others + 1), np.nan)

    @property
    def smallest_p(self) -> Floats:
        """What ``p`` is at least, however large the change; NaN without others."""
        return np.where(self.others > 0, 1 / (self.others + 1), np.nan)


def beside_untouched(
    study: Study, windows: Windows, model: ChangeModel, harmonics: int, confidence: float
) -> Beside:
    """Set each site beside those that had no change within its windows, at the date of its change.

    Sites without any change, or whose change comes later. Under "the change did nothing, and any of these
    sites could have had it", every rank of the site is as likely.
    """
    start = study.schedule.starts[:, 0]
    same = _same_group(study)
    others, as_large = np.zeros((2, len(start)), dtype=np.int64)
    last = np.nan_to_num(start, nan=np.inf)
    for date in np.unique(start[np.isfinite(start) & (windows.before > 0)]):
        here = (start == date) & (windows.before > 0)
        # All strata that start at one date have the same windows, but for those cut short by the next change.
        for length in np.unique(windows.after[here]):
            mine = here & (windows.after == length)
            before = np.full(len(start), windows.before[mine].max())
            at = np.full((1, len(start)), int(date))
            shared = Windows(before, np.full(len(start), length))
            found = change_of(study, shifted(study.schedule, at, shared), model, harmonics, confidence)
            size = size_of(found, means=study.family == "gaussian")[0]
            free = same & (last >= date + length)[None, :] & ~np.isnan(size)[None, :] & mine[:, None]
            others += free.sum(axis=1)
            as_large += (free & (size[None, :] >= size[:, None])).sum(axis=1)
    return Beside(others, as_large, windows)


def beside_others(study: Study, own: Effects, confidence: float) -> Beside:
    """Set the change of each site beside the other sites' changes, all of which had it.

    The size of a site is how far its log ratio lies from the mean of the others (inverse-variance), in
    standard errors. This tells whether a site stands out, not whether the change did anything.
    """
    log, variance = _log(own, confidence, means=study.family == "gaussian")
    same = _same_group(study) & np.isfinite(log)[None, :] & np.isfinite(log)[:, None]
    weight = np.where(same, np.where(np.isfinite(log), 1 / variance, 0.0)[None, :], 0.0)
    total = weight.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (weight * np.nan_to_num(log)[None, :]).sum(axis=1) / total
        size = np.abs(log - mean) / np.sqrt(variance + 1 / total)
    as_large = (same & (size[None, :] >= size[:, None])).sum(axis=1)
    whole = np.zeros(len(log), dtype=np.int64)
    return Beside(same.sum(axis=1), as_large, Windows(whole, whole))


def _log(own: Effects, confidence: float, *, means: bool) -> tuple[Floats, Floats]:
    """Give the first change (log ratio, or difference of means) and its variance; NaN where not finite."""
    change = own.difference if means else own.ratio
    ends = [e[:, 0] for e in (change.estimate, change.lower, change.upper)]
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate, lower, upper = ends if means else [np.log(e) for e in ends]
        variance = ((upper - lower) / (2 * t_of(own.df[:, 0], confidence))) ** 2
    known = np.isfinite(estimate) & np.isfinite(variance) & (variance > 0)
    return np.where(known, estimate, np.nan), np.where(known, variance, np.nan)


def _same_group(study: Study) -> Bools:
    """Tell which strata are the same group (and further strata) at another site, shape (S, S)."""
    key = regroup.distinct(study.strata.drop(columns="site"))[0]
    site = study.strata["site"].cat.codes.to_numpy()
    return np.asarray((key[:, None] == key[None, :]) & (site[:, None] != site[None, :]))
