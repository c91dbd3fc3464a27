"""What a chart holds: data, lines and flags of all strata, and what follows from them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.cells import OBSERVED
from qi_equity.data.measure import Measure
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.timeline import Timeline
from qi_equity.formulas.limits import Limits
from qi_equity.spc.judge import Case, runs_analysis
from qi_equity.spc.kinds import Spec
from qi_equity.spc.lines import ONE_SIGMA, TWO_SIGMA, Width
from qi_equity.spc.pieces import pieces
from qi_equity.spc.plotted import good_side, plotted_measure
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.runs_tests import RunsTests, padded, stack

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

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
    specs: tuple[Spec, ...]
    spec_of: npt.NDArray[np.int64]
    why: tuple[str, ...]
    rules: RuleSet
    limits: str
    targets: FloatArray
    timeline: Timeline
    plotted: Mapping[str, FloatArray]
    centre_line: FloatArray
    sigma: FloatArray
    lower: FloatArray
    upper: FloatArray
    flags: Mapping[tuple[str, str], BoolArray]
    few_crossings: BoolArray
    method: Mapping[str, Any]
    _cache: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in ("spec_of", "targets", "centre_line", "sigma", "lower", "upper", "few_crossings"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        for name in ("plotted", "flags"):
            kept = {key: read_only(block) for key, block in getattr(self, name).items()}
            object.__setattr__(self, name, MappingProxyType(kept))

    @property
    def kind(self) -> str:
        """Name of the kind of chart, or ``"mixed"`` where the strata have different ones.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls, "c").kind
        'c'
        """
        kinds = {spec.kind for spec in self.specs}
        return kinds.pop() if len(kinds) == 1 else "mixed"

    @property
    def kinds(self) -> pd.DataFrame:
        """Kind of chart of each stratum and, where it was chosen, why: strata, ``kind, reason``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls).kinds["kind"].tolist()
        ['c']
        """
        names = [self.specs[k].kind for k in self.spec_of.tolist()]
        strata = self.strata
        return strata.assign(
            kind=pd.Series(names, dtype="str", index=strata.index),
            reason=pd.Series(self.why, dtype="str", index=strata.index),
        )

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
    def target(self) -> float | None:
        """The target where all points share one, in the unit of ``centre_line``; else None.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
        >>> calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.control_chart(calls, target=12).target
        12.0
        """
        first = self.targets.ravel()[:1]
        return float(first[0]) if first.size and (self.targets == first).all() else None

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
        return self._cached("runs", lambda: stack([(rows, p._own_runs()) for rows, p in self._pieces()]))

    @property
    def _spec(self) -> Spec:
        """Specification of a chart of one kind."""
        return self.specs[0]

    @property
    def _measure(self) -> Measure:
        """What the points of a chart of one kind measure; its direction is that of the points."""
        return self._cached("measure", lambda: plotted_measure(self.series.measure, self._spec))

    @property
    def _good(self) -> npt.NDArray[np.int64]:
        """Side of improvement of each stratum: 0 low, 1 high, -1 neither, shape (S,)."""
        sides = [good_side(plotted_measure(self.series.measure, spec).better) for spec in self.specs]
        return np.array(sides, dtype=np.int64)[self.spec_of]

    @property
    def _plain(self) -> FloatArray:
        """Points of charts with one arm, shape (S, T)."""
        return self.plotted["both"]

    def _pieces(self) -> list[tuple[npt.NDArray[np.int64], ControlChart]]:
        """Strata of each kind, and the chart of these alone."""
        return self._cached("pieces", lambda: pieces(cast("ControlChart", self)))

    def _case(self) -> Case:
        overlapping = bool(self.method["overlap"]["found"])
        common = self.limits == "common"
        return Case(
            self.series.cells,
            self.series.measure.kind,
            self.timeline,
            self._spec,
            overlapping,
            common,
            self.rules.runs_method,
        )

    def _own_runs(self) -> RunsTests:
        """Analyse the runs of a chart of one kind."""
        lines = Limits(self.centre_line, self.sigma, self.lower, self.upper)
        return padded(runs_analysis(self._case(), self._plain, lines), self.few_crossings.shape[1])

    def _tested(self) -> BoolArray:
        """Points that take part in limits and runs tests, shape (S, T)."""
        return self._cached("tested", lambda: self._seen() & ~self.timeline.excluded)

    def _seen(self) -> BoolArray:
        """Points that have a final value in the arm (or one of the arms) drawn, shape (S, T)."""

        def compute() -> BoolArray:
            there = np.zeros(self.centre_line.shape, dtype=bool)
            for values in self.plotted.values():
                there |= np.isfinite(values)
            return np.asarray(there & (self.series.cells.status == OBSERVED))

        return self._cached("seen", compute)

    def _patterns_hold(self) -> bool:
        """Whether points stand for themselves, so that patterns of several can tell (one kind of chart)."""
        return not (self.method["overlap"]["found"] or self._spec.has_memory)

    def _one_sigma(self) -> tuple[FloatArray, FloatArray]:
        return self._zone("one_sigma", ONE_SIGMA)

    def _two_sigma(self) -> tuple[FloatArray, FloatArray]:
        return self._zone("two_sigma", TWO_SIGMA)

    def _zone(self, name: str, width: Width) -> tuple[FloatArray, FloatArray]:
        """Limits at another width about the same centre lines, each (S, T)."""

        def compute() -> tuple[FloatArray, FloatArray]:
            lower, upper = np.full((2, *self.centre_line.shape), np.nan)
            for rows, piece in self._pieces():
                drawn = piece._case().lines(width, piece._shared_line()).limits
                lower[rows], upper[rows] = drawn.lower, drawn.upper
            return read_only(lower), read_only(upper)

        return self._cached(name, compute)

    def _shared_line(self) -> FloatArray | None:
        """Centre line that groups share, as proportion or rate: some of the groups may be gone."""
        if self.limits != "common":
            return None
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.centre_line / (self.series.cells.denominator if self._spec.kind == "np" else 1)

    def _cached(self, name: str, compute: Callable[[], T]) -> T:
        if name not in self._cache:
            self._cache[name] = compute()
        kept: T = self._cache[name]
        return kept
