"""Strata taken together: sums, and the dates of the changes that they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity.change.study import Study
from qi_equity.data.cells import Bools, Floats, Ints

__all__ = ["Dates", "add", "dates_of", "fitted_segment"]


@dataclass(frozen=True, slots=True, eq=False)
class Dates:
    """When R rows, each of one stratum or several, had their changes.

    Parameters
    ----------
    segment : ndarray of int, shape (R, T)
        0 before the first change, k from the k-th on; -1 where a period is left out.
    starts : ndarray of float, shape (R, K)
        Position of the first period of each change; NaN where there is none.
    mixed : ndarray of bool, shape (R,)
        Whether the strata of a row had their changes at different dates.
    """

    segment: Ints
    starts: Floats
    mixed: Bools


def dates_of(study: Study, row: Ints, size: int) -> Dates:
    """Give the dates of rows to which the strata belong (``row``, shape (S,)): those of the first of each."""
    segment = fitted_segment(study)
    first = np.unique(row, return_index=True)[1]
    differs = (segment != segment[first][row]).any(axis=1)
    mixed = np.zeros(size, dtype=np.bool_)
    np.logical_or.at(mixed, row, differs)
    return Dates(segment[first], study.schedule.starts[first], mixed)


def fitted_segment(study: Study) -> Ints:
    """Give the segment of each period; -1 where a change was only coming in."""
    since = np.arange(study.events.shape[1]) - study.schedule.starts[..., None]
    coming_in = ((since >= 0) & (since < study.schedule.phase_in)).any(axis=1)
    return np.where(coming_in, -1, study.schedule.segment)


def add(block: Floats, row: Ints, size: int) -> Floats:
    """Sum the strata that belong together, shape (R, ...)."""
    out = np.zeros((size, *block.shape[1:]))
    np.add.at(out, row, block)
    return out
