"""What a chart holds: data, lines and flags of all strata, and what follows from them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline
from qi_equity.spc.judge import Case, observed, runs_analysis
from qi_equity.spc.kinds import Spec
from qi_equity.spc.lines import two_sigma
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.runs_tests import RunsTests

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
T = TypeVar("T")


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give a view that cannot be written to."""
    view = array.view()
    view.setflags(write=False)
    return view


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChartState:
    """The arrays of a chart, which ControlChart describes and turns into frames and words."""

    series: StratifiedSeries
    kind: str
    spec: Spec
    rules: RuleSet
    limits: str
    target: float | None
    timeline: Timeline
    centre_line: FloatArray
    sigma: FloatArray
    lower: FloatArray
    upper: FloatArray
    flags: Mapping[tuple[str, str], BoolArray]
    few_crossings: BoolArray
    method: Mapping[str, Any]
    _cache: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in ("centre_line", "sigma", "lower", "upper", "few_crossings"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        flags = {key: read_only(mask) for key, mask in self.flags.items()}
        object.__setattr__(self, "flags", MappingProxyType(flags))

    @property
    def strata(self) -> pd.DataFrame:
        """One row a stratum: ``site`` (if any), ``group`` and further strata, in the order of the arrays.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).strata["group"].tolist()
        ['All']
        """
        return self.series.cells.strata.copy()

    @property
    def lower_2s(self) -> FloatArray:
        """Lower two-sigma limit, shape (S, T); for exact limits that at the same tail, 0.02275.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).lower_2s
        array([[3.5, 3.5]])
        """
        return self._two_sigma()[0]

    @property
    def upper_2s(self) -> FloatArray:
        """Upper two-sigma limit, shape (S, T); for exact limits that at the same tail, 0.02275.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).upper_2s
        array([[15.5, 15.5]])
        """
        return self._two_sigma()[1]

    @property
    def runs(self) -> RunsTests:
        """Longest run and crossings of each stratum and phase, their thresholds, and whether given.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).runs.n_useful
        array([[2.]])
        """

        def compute() -> RunsTests:
            overlapping = bool(self.method["overlap"]["found"])
            case = Case(self.series.cells, self.series.measure.kind, self.timeline, self.spec, overlapping)
            return runs_analysis(case, self.centre_line)

        return self._cached("runs", compute)

    def _tested(self) -> BoolArray:
        """Points that take part in limits and runs tests, shape (S, T)."""
        return self._cached("tested", lambda: observed(self.series.cells) & ~self.timeline.excluded)

    def _two_sigma(self) -> tuple[FloatArray, FloatArray]:
        def compute() -> tuple[FloatArray, FloatArray]:
            lower, upper = two_sigma(self.spec, self.centre_line, self.sigma, self.series.cells.denominator)
            return read_only(lower), read_only(upper)

        return self._cached("two_sigma", compute)

    def _cached(self, name: str, compute: Callable[[], T]) -> T:
        if name not in self._cache:
            self._cache[name] = compute()
        kept: T = self._cache[name]
        return kept
