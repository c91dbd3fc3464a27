"""Do the periods overlap? Rolling windows share births, and no runs test holds on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qi_equity.data.series import StratifiedSeries
from qi_equity.formulas.overlap import successive_difference_ratio
from qi_equity.spc.judge import observed

SMALL_RATIO, SMALL_P = 0.5, 1e-6

# Small counts are equal by chance too often for fewer neighbours to prove anything.
FEWEST_NEIGHBOURS = 20


@dataclass(frozen=True, slots=True)
class Overlap:
    """Whether periods overlap: told by ``window``, or seen by ``ratio`` (about 1/window) with its ``p``."""

    window: int
    ratio: float
    p: float

    @property
    def told(self) -> bool:
        """Whether the series says that its periods overlap."""
        return self.window > 1

    @property
    def found(self) -> bool:
        """Whether runs tests are withheld."""
        return self.told or (self.ratio < SMALL_RATIO and self.p < SMALL_P)

    def to_dict(self) -> dict[str, Any]:
        """Give what was told, seen and found, for the method of a chart."""
        return {"window": self.window, "ratio": self.ratio, "p": self.p, "found": self.found}


def overlap_of(series: StratifiedSeries) -> Overlap:
    """Compare successive differences of the counts with those of independent periods, over all strata."""
    cells = series.cells
    if series.measure.kind not in ("proportion", "rate", "count"):
        return Overlap(series.window, np.nan, np.nan)
    seen = observed(cells)
    some = (np.where(seen, cells.numerator, 0) > 0).any(axis=1)
    if np.count_nonzero((seen[:, 1:] & seen[:, :-1])[some]) < FEWEST_NEIGHBOURS:
        return Overlap(series.window, np.nan, np.nan)
    events = np.where(seen, cells.numerator, np.nan)
    births = None if series.measure.kind == "count" else np.where(seen, cells.denominator, np.nan)
    ratio, p = successive_difference_ratio(events, births)
    return Overlap(series.window, float(ratio), float(p))
