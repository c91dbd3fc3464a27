"""How likely a stable process gives a signal: exact where there is a formula, else by simulation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data.cells import Cells
from qi_equity.data.timeline import Timeline
from qi_equity.formulas.false_signals import anhoej_false_signal, beyond_limits_false_signal
from qi_equity.spc.judge import Case, judge, observed
from qi_equity.spc.kinds import Individuals, Run, Spec
from qi_equity.spc.rules import BeyondLimits, Crossings, LongestRun, RuleSet, Test

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

FloatArray = npt.NDArray[np.float64]

SIMULATED_CHARTS = 10_000
_SEED = 20_231_130
_EXACT = (BeyondLimits, LongestRun, Crossings)

Distribution = Literal["binomial", "poisson", "normal"]
_DISTRIBUTIONS: dict[str, Distribution] = {"p": "binomial", "u": "poisson", "c": "poisson", "i": "normal"}


def is_simulated(rules: RuleSet) -> bool:
    """Whether a rule set holds a test whose false signals are known only by simulation."""
    return not all(isinstance(t, _EXACT) for t in rules.tests)


def false_signal_probability(chart: ControlChart, phase: int) -> FloatArray:
    """Give the probability of at least one false signal of each stratum in a phase, shape (S,).

    Tests that are not given count for nothing. Runs tests and limits are put together as if independent.
    """
    if is_simulated(chart.rules):
        return _simulated(chart, phase)
    runs, inside = chart.runs, chart.timeline.phase == phase
    none = np.ones(len(inside))
    if any(t.is_runs_test for t in chart.rules.tests):
        n = np.where(runs.given[:, phase], runs.n_useful[:, phase], 0).astype(np.int64)
        even = np.where(np.isnan(runs.chance[:, phase]), 0.5, runs.chance[:, phase])
        none = none - anhoej_false_signal(n, even)
    if BeyondLimits() in chart.rules.tests:
        seen = inside & observed(chart.series.cells)
        none = none * (1 - _beyond(chart, seen))
    return 1 - none


def _beyond(chart: ControlChart, seen: npt.NDArray[np.bool_]) -> FloatArray:
    size = np.ones(seen.shape) if chart.kind in ("c", "i") else chart.series.cells.denominator
    return beyond_limits_false_signal(
        np.where(seen, chart.centre_line, np.nan),
        chart.lower,
        chart.upper,
        distribution=_DISTRIBUTIONS[chart.kind],
        size=size,
        sigma=chart.sigma,
    )


def _simulated(chart: ControlChart, phase: int) -> FloatArray:
    """Simulate for each number of points and each set of given tests that occur."""
    n_points = (chart._tested() & (chart.timeline.phase == phase)).sum(axis=1)
    overlapping = bool(chart.method["overlap"]["found"])
    given = chart.runs.given[:, phase]
    spec = chart.spec if isinstance(chart.spec, Run | Individuals) else Individuals()
    out = np.zeros(n_points.shape)
    for with_runs in (True, False):
        tests = tuple(
            t
            for t in chart.rules.tests
            if isinstance(t, BeyondLimits) or (not overlapping and (with_runs or not t.is_runs_test))
        )
        for n in np.unique(n_points[given == with_runs]):
            rows = (given == with_runs) & (n_points == n)
            out[rows] = simulated_false_signal(tests, int(n), spec).probability
    return out


@dataclass(frozen=True, slots=True)
class Simulated:
    """A probability with its Monte-Carlo standard error."""

    probability: float
    standard_error: float


@lru_cache(maxsize=1024)
def simulated_false_signal(tests: tuple[Test, ...], n_points: int, spec: Spec) -> Simulated:
    """Simulate charts of independent normal points; the same charts are drawn whenever it is asked."""
    if n_points < 2 or not tests:
        return Simulated(0.0, 0.0)
    y = np.random.default_rng(_SEED).standard_normal((SIMULATED_CHARTS, n_points))
    rules = RuleSet("simulated", "", "", tests)
    judged = judge(Case(_cells(y), "mean", _plain_timeline(y.shape), spec, overlapping=False), rules)
    signals = judged.few_crossings[:, 0]
    for mask in judged.flags.values():
        signals = signals | mask.any(axis=1)
    share = float(signals.mean())
    return Simulated(share, float(np.sqrt(share * (1 - share) / SIMULATED_CHARTS)))


def _cells(values: FloatArray) -> Cells:
    """Make cells that hold values only."""
    nothing = np.broadcast_to(np.nan, values.shape)
    dates = np.arange(values.shape[1]).astype("datetime64[us]")
    status = np.zeros(values.shape, dtype=np.int8)
    return Cells(
        pd.DataFrame(index=range(len(values))), dates, nothing, nothing, nothing, values, nothing, status
    )


def _plain_timeline(shape: tuple[int, int]) -> Timeline:
    """Make one phase, all of it baseline."""
    none = pd.DataFrame()
    return Timeline(
        np.zeros(shape, dtype=np.int64),
        np.ones(shape, dtype=bool),
        np.zeros(shape, dtype=bool),
        none,
        none,
        none,
    )
