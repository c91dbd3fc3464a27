"""What was expected of every single birth, in the order of births, for charts between events."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from qi_equity.errors import DataError

__all__ = ["Cases"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Expected probabilities of the births in the gaps of S strata; both arrays are read-only.

    The births of a gap follow one another, gap after gap and stratum after stratum; a gap has as many as its
    ``denominator`` says, and that of the event is the last of a gap that an event closed.

    Parameters
    ----------
    risk : ndarray of float64, shape (N,)
        Probability of the event that was expected of each birth, in (0, 1).
    start : ndarray of int64, shape (S + 1,)
        Where each stratum starts in ``risk``, and where the last one ends.
    """

    risk: Floats
    start: Ints

    def __post_init__(self) -> None:
        for field in fields(self):
            view = getattr(self, field.name).view()
            view.flags.writeable = False
            object.__setattr__(self, field.name, view)

    def places(self, denominator: Floats) -> tuple[Ints, Ints]:
        """Give the place of the first birth of each gap, and the number of its births, each (S, T)."""
        births = np.nan_to_num(denominator).astype(np.int64)
        return self.start[:-1, None] + np.cumsum(births, axis=1) - births, births

    def gather(self, first: Ints, births: Ints) -> Cases:
        """Take the births of other gaps, of which ``places`` told first birth and number, each (S, T)."""
        total = np.cumsum(births)
        shift = np.repeat(first.ravel() - (total - births.ravel()), births.ravel())
        start = np.append(0, np.cumsum(births.sum(axis=1)))
        return Cases(self.risk[np.arange(len(shift)) + shift], start)

    def expected(self, denominator: Floats) -> Floats:
        """Give the expected number of events in each gap, (S, T): the sum of its probabilities."""
        return self._sum(self.risk, denominator)

    def check(self, denominator: Floats) -> None:
        """Raise a DataError unless there is a probability for every birth of the gaps."""
        wanted = np.append(0, np.cumsum(np.nan_to_num(denominator).sum(axis=1)))
        if not np.array_equal(self.start, wanted) or self.risk.shape != (wanted[-1],):
            raise DataError(
                f"There are {self.risk.size} expected probabilities from {self.start.tolist()} on for births "
                f"from {wanted.tolist()} on; wanted is one for each birth in a gap."
            )
        if not ((self.risk > 0) & (self.risk < 1)).all():
            raise DataError("Expected probabilities of births must lie between 0 and 1.")

    def equals(self, other: Cases) -> bool:
        """Tell whether the other holds the same probabilities in the same order."""
        return np.array_equal(self.risk, other.risk) and np.array_equal(self.start, other.start)

    def _sum(self, terms: Floats, denominator: Floats) -> Floats:
        """Sum terms of births within each gap; 0 in a gap without births, NaN after the last gap."""
        first, births = self.places(denominator)
        # One more term, so that a gap without births may start behind the last birth.
        sums = np.add.reduceat(np.append(terms, 0.0), first.ravel()).reshape(first.shape)
        return np.where(births > 0, sums, np.where(np.isnan(denominator), np.nan, 0.0))
