"""What a gap chart holds, and what follows from it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.reference import Against, Reference
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline
from qi_equity.equity.gap_chart.judge import Case, false_signals
from qi_equity.equity.gap_chart.lines import Scale
from qi_equity.equity.gap_chart.sides import Sides, sides_of
from qi_equity.spc import signals
from qi_equity.spc.lines import ONE_SIGMA
from qi_equity.spc.plotted import good_side
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.runs_tests import RunsTests
from qi_equity.spc.signals import Found
from qi_equity.spc.state import read_only

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GapState:
    """The arrays of a gap chart, which GapChart describes and turns into frames and words."""

    series: StratifiedSeries
    reference: Reference
    against: Against
    scale: Scale
    rules: RuleSet
    judged: bool
    confidence: float
    timeline: Timeline
    lines: Mapping[str, FloatArray]
    flags: Mapping[tuple[str, str], BoolArray]
    few_crossings: BoolArray
    runs: RunsTests
    shown: IntArray
    options: Mapping[str, Any]
    method: Mapping[str, Any]
    _cache: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in ("lines", "flags"):
            kept = {key: read_only(block) for key, block in getattr(self, name).items()}
            object.__setattr__(self, name, MappingProxyType(kept))
        for name in ("few_crossings", "shown"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        for name in ("options", "method"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def strata(self) -> pd.DataFrame:
        """One row a stratum that is shown: ``site`` (if any), ``group`` and further strata.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 90, 70, 75]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> qe.gap_chart(series, reference="West").strata["group"].tolist()
        ['East', 'West']
        """
        return self.series.cells.strata.take(self.shown).reset_index(drop=True)

    @property
    def centre_line(self) -> FloatArray:
        """Centre line at each point of all strata, shape (S, T).

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01", "2024-04"] * 2, "area": ["East"] * 2 + ["West"] * 2,
        ...                      "x": [3, 5, 4, 4], "n": [80, 80, 80, 80]})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n",
        ...                         group="area", every="quarter")
        >>> qe.gap_chart(series, reference="West").centre_line
        array([[ 0.,  0.],
               [nan, nan]])
        """
        return self.lines["centre_line"]

    @property
    def _plain(self) -> FloatArray:
        """The points, shape (S, T)."""
        return self.lines["gap"]

    @property
    def _good(self) -> IntArray:
        """Side of improvement: gaps are turned so that low is better, -1 where neither side is."""
        side = 0 if good_side(self.series.measure.better) >= 0 else -1
        return np.full(len(self._plain), side, dtype=np.int64)

    @property
    def _sides(self) -> Sides:
        cells, measure = self.series.cells, self.series.measure
        return self._cached("sides", lambda: sides_of(cells, self.against, measure))

    @property
    def _shown_mask(self) -> BoolArray:
        mask = np.zeros(len(self._plain), dtype=bool)
        mask[self.shown] = True
        return mask

    def _case(self) -> Case:
        overlapping = bool(self.method["overlap"]["found"])
        return self._cached(
            "case",
            lambda: Case(self._sides, self.timeline, self.scale, self.rules, overlapping, self.lines),
        )

    def _tested(self) -> BoolArray:
        """Points that take part in runs tests, shape (S, T)."""
        return self._case().tested

    def _one_sigma(self) -> tuple[FloatArray, FloatArray]:
        return self._case().zone(ONE_SIGMA)

    def _found(self) -> Found:
        """Signals of the strata shown, as positions."""

        def compute() -> Found:
            # What is read of a chart is here too: rules, flags, points, centre line, phases.
            found = signals.found(cast("ControlChart", self))
            kept = self._shown_mask[found.stratum]
            return Found(*(getattr(found, name)[kept] for name in Found.__slots__))

        return self._cached("found", compute)

    def _false_signals(self) -> tuple[FloatArray, FloatArray]:
        """Chance of a false signal of each stratum and phase, and its error, each (S, K)."""

        def compute() -> tuple[FloatArray, FloatArray]:
            if not self.judged:
                nothing = np.zeros(self.few_crossings.shape)
                return nothing, nothing
            return false_signals(self._case())

        return self._cached("false_signals", compute)

    def _cached(self, name: str, compute: Callable[[], T]) -> T:
        if name not in self._cache:
            self._cache[name] = compute()
        kept: T = self._cache[name]
        return kept
