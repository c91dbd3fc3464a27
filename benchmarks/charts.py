"""Speed and memory of every kind of chart and every set of rules on 100,000 series of 36 points.

Each formula against the shortest NumPy code of the same formula (``bare.py``), in one run: wanted at most 10
times its time, at most 12 times the memory of the input arrays, and a cost that grows linearly in series and
in points. Kinds and rule sets come from the library's own lists; one without an entry here is an error. Exact
limits are compared with SciPy's inverse tails, which are slow; ``arrays.py`` takes classical ones instead.

Run: ``python benchmarks/charts.py [--series 100000] [--only p,nelson]``.
"""

from __future__ import annotations

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import bare
import numpy as np
import numpy.typing as npt

import qi_equity as qe
from qi_equity.formulas import attributes, between, individuals, laney, probability_limits, subgroups
from qi_equity.formulas.bernoulli_cusum import bernoulli_cusum_gaps
from qi_equity.formulas.cusum import count_cusum, tabular_cusum
from qi_equity.formulas.ewma import ewma, ewma_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.medians import median_line
from qi_equity.formulas.risk_adjusted import risk_adjusted_cusum_gaps, vlad
from qi_equity.formulas.rule_tests import beyond_limits
from qi_equity.formulas.taylor import ip_limits
from qi_equity.spc.flags import Phase, flag_phase
from qi_equity.spc.kinds import KINDS
from qi_equity.spc.lines import Width
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.runs_tests import RunsTests, runs_of_phase

Array = npt.NDArray[np.float64]
Given = list[npt.NDArray[np.generic]]
Arrays = dict[str, npt.NDArray[np.generic]]

POINTS, REPEATS, LONG = 36, 3, 5.0
LARGEST_RATIO, LARGEST_MEMORY, STEEPEST = 10.0, 12.0, 2.0
BIRTHS_A_GAP = 4
RISKY = 0.25


@dataclass(frozen=True)
class Pass:
    """A formula of the library and the bare one, and which arrays each takes."""

    kind: str
    library: Callable[..., object]
    bare: Callable[..., object]
    inputs: tuple[str, ...]
    bare_inputs: tuple[str, ...] = ()
    label: str = ""

    @property
    def name(self) -> str:
        """Name of its row."""
        return f"{self.kind}, {self.label}" if self.label else self.kind

    def given(self, data: Arrays) -> tuple[Given, Given]:
        """Give the arrays that the library reads, and those that the bare pass reads."""
        return [data[n] for n in self.inputs], [data[n] for n in self.bare_inputs or self.inputs]


def arrays(series: int, points: int) -> Arrays:
    """Draw what the formulas read: 12 to 294 births a month, 2 to 12 % with the event."""
    rng = np.random.default_rng(1)
    shape = (series, points)
    births = np.maximum(rng.poisson(rng.choice([12, 28, 66, 294], (series, 1)), shape), 2).astype(float)
    rate = np.broadcast_to(rng.uniform(0.02, 0.12, (series, 1)), shape)
    values = rng.normal(30, 4, shape)
    outcomes = rng.random((series, points * BIRTHS_A_GAP)) < RISKY
    risks = rng.uniform(0.5 * RISKY, 1.5 * RISKY, outcomes.shape)
    gaps, closed, risk = _by_gap(outcomes, risks)
    return {
        "events": rng.binomial(births.astype(int), rate).astype(float),
        "births": births,
        "values": values,
        "centre": np.broadcast_to(values.mean(1, keepdims=True), shape).copy(),
        "sigma": np.full(shape, 4.0),
        "sds": rng.normal(4, 0.3, shape),
        "ranges": rng.normal(9, 0.6, shape),
        "sizes": rng.integers(4, 10, shape).astype(float),
        "rate": rate.copy(),
        "gaps": rng.geometric(rate).astype(float),
        "times": rng.exponential(20, shape),
        "expected": births * rate,
        "outcomes": outcomes,
        "risks": risks,
        "births in order": risk,
        "short gaps": gaps,
        "closed": closed,
    }


def _by_gap(outcomes: npt.NDArray[np.bool_], risks: Array) -> tuple[Array, npt.NDArray[np.bool_], Array]:
    """Give the births of each gap, whether an event ended it, and the risks of all births in a row."""
    ends = outcomes.copy()
    ends[:, -1] = True
    row, place = np.nonzero(ends)
    number = np.arange(row.size) - np.searchsorted(row, row)
    gaps = np.full((len(outcomes), number.max() + 1), np.nan)
    gaps[row, number] = np.diff(row * outcomes.shape[1] + place, prepend=-1)
    closed = np.zeros(gaps.shape, dtype=bool)
    closed[row, number] = outcomes[row, place]
    return gaps, closed, risks.ravel()


def _ewma(y: Array, centre: Array, sigma: Array) -> tuple[Array, Limits]:
    return ewma(y, centre), ewma_limits(y, centre, sigma)


def _moving_ranges(y: Array) -> Limits:
    return individuals.mr_limits(individuals.moving_ranges(y))


def _standardised(y: Array, centre: Array, sigma: Array) -> object:
    return tabular_cusum((y - centre) / sigma)


def _standardised_bare(y: Array, centre: Array, sigma: Array) -> object:
    return bare.cusum((y - centre) / sigma)


def _xbar(y: Array, n: Array, s: Array) -> Limits:
    return subgroups.xbar_limits(y, n, sds=s)


SIZES = np.arange(2, 30)
D2, D3 = (np.append([np.nan, np.nan], constant(SIZES)) for constant in (subgroups.d2, subgroups.d3))
COUNTED, MEASURED, SCORED = ("events", "births"), ("values", "sizes", "sds"), ("values", "centre", "sigma")
PASSES = (
    Pass("run", median_line, bare.run, ("values",)),
    Pass("i", individuals.i_limits, bare.i, ("values",)),
    Pass(
        "i", partial(individuals.i_limits, spread="screened"), bare.i_screened, ("values",), label="screened"
    ),
    Pass("mr", _moving_ranges, bare.mr, ("values",)),
    Pass("xbar", _xbar, bare.xbar, MEASURED),
    Pass("s", subgroups.s_limits, bare.s, ("sds", "sizes")),
    Pass("r", subgroups.r_limits, partial(bare.r, d2=D2, d3=D3), ("ranges", "sizes")),
    Pass("ip", ip_limits, bare.ip, ("values", "births")),
    Pass("p", probability_limits.p_probability_limits, bare.p, COUNTED),
    Pass("p", attributes.p_limits, bare.p_classical, COUNTED, label="classical"),
    Pass("np", probability_limits.np_probability_limits, bare.np_, COUNTED),
    Pass("np", attributes.np_limits, bare.np_classical, COUNTED, label="classical"),
    Pass("u", probability_limits.u_probability_limits, bare.u, COUNTED),
    Pass("u", attributes.u_limits, bare.u_classical, COUNTED, label="classical"),
    Pass("c", probability_limits.c_probability_limits, bare.c, ("events",)),
    Pass("c", attributes.c_limits, bare.c_classical, ("events",), label="classical"),
    Pass("pp", laney.pp_limits, bare.pp, COUNTED),
    Pass("up", laney.up_limits, bare.up, COUNTED),
    Pass("g", between.g_probability_limits, bare.g, ("gaps",)),
    Pass("t", partial(between.t_probability_limits, distribution="exponential"), bare.t, ("times",)),
    Pass("ewma", _ewma, bare.ewma, SCORED),
    Pass("cusum", partial(count_cusum, h=4.0), bare.count_cusum, (*COUNTED, "rate")),
    Pass("cusum", _standardised, _standardised_bare, SCORED, label="of values"),
    Pass(
        "bernoulli_cusum",
        lambda gaps, rate: bernoulli_cusum_gaps(gaps, True, chance=rate),
        bare.bernoulli_cusum,
        ("gaps", "rate"),
    ),
    Pass(
        "risk_adjusted_cusum",
        partial(risk_adjusted_cusum_gaps, h=4.5),
        bare.risk_adjusted_cusum,
        ("births in order", "short gaps", "closed"),
        ("outcomes", "risks"),
    ),
    Pass("vlad", vlad, bare.vlad, ("events", "expected")),
)


def rule_pass(name: str) -> Pass:
    """Apply a set of rules to normal values with known lines."""
    rules = qe.rule_sets[name]
    tests = dict.fromkeys((bare.TESTS[t.name], getattr(t, "length", None)) for t in rules.tests)

    def shortest(*lines: Array) -> list[object]:
        return [test(*lines) if length is None else test(*lines, length) for test, length in tests]

    return Pass(name, partial(_judged, rules), shortest, SCORED)


def _judged(rules: RuleSet, y: Array, centre: Array, sigma: Array) -> object:
    limits = Limits(centre, sigma, centre - 3 * sigma, centre + 3 * sigma)
    baseline = np.ones(y.shape, dtype=bool)

    def zone(width: Width) -> tuple[Array, Array]:
        return centre - width.nsigma * sigma, centre + width.nsigma * sigma

    def runs(values: Array, lines: Limits, rows: npt.NDArray[np.int64]) -> RunsTests:
        line = lines.centre_line[rows]
        return runs_of_phase(values[rows], line, baseline[rows], None, overlapping=False, memory=False)

    flags = flag_phase(Phase(y, y, limits, zone, runs, True), rules)
    return flags, beyond_limits(y, limits.lower, limits.upper)


def seconds(function: Callable[..., object], given: Given) -> float:
    """Give the shortest of some runs, or the first if it takes long."""
    best = np.inf
    for _ in range(REPEATS):
        start = time.perf_counter()
        function(*given)
        best = min(best, time.perf_counter() - start)
        if best > LONG:
            break
    return best


def memory(function: Callable[..., object], given: Given) -> float:
    """Give the highest memory in use while it runs, results included, as a multiple of the input arrays."""
    tracemalloc.start()
    function(*given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / sum(array.nbytes for array in given)


@dataclass(frozen=True)
class Growth:
    """Seconds a million points at four sizes, each twice the one before, of the library and of bare NumPy."""

    library: list[float]
    bare: list[float]

    @property
    def steepness(self) -> float:
        """Growth of the cost of a point, less that of bare NumPy if large arrays slow that down as well."""
        return self.library[-1] / self.library[0] / max(self.bare[-1] / self.bare[0], 1)

    def __str__(self) -> str:
        return " | ".join(" ".join(f"{x:.3f}" for x in way) for way in (self.library, self.bare))


@dataclass(frozen=True)
class Measured:
    """Seconds, ratio and memory at full size, and the growth in series and in points."""

    taken: float
    ratio: float
    memory: float
    by_series: Growth
    by_points: Growth

    def line(self, one: Pass) -> str:
        """Write the row of the table."""
        return (
            f"| {one.name} | {self.taken:.2f} | {self.ratio:.1f} | {self.memory:.1f} | {self.by_series} "
            f"| {self.by_points} |"
        )

    def failures(self, one: Pass) -> list[str]:
        """Say what is not as wanted."""
        found = {
            f"{self.ratio:.1f} times bare NumPy": self.ratio > LARGEST_RATIO,
            f"{self.memory:.1f} times the memory of the inputs": self.memory > LARGEST_MEMORY,
            "steep in series": self.by_series.steepness > STEEPEST,
            "steep in points": self.by_points.steepness > STEEPEST,
        }
        return [f"{one.name}: {what}" for what, failed in found.items() if failed]


def measure(one: Pass, series: int) -> Measured:
    """Run a pass at all sizes."""
    data = arrays(series, POINTS)
    given, others = one.given(data)
    taken = seconds(one.library, given)
    return Measured(
        taken,
        taken / seconds(one.bare, others),
        memory(one.library, given),
        _growth(one, [(series * k // 8, POINTS) for k in (1, 2, 4, 8)]),
        _growth(one, [(series // 8, POINTS * k) for k in (1, 2, 4, 8)]),
    )


def _growth(one: Pass, sizes: list[tuple[int, int]]) -> Growth:
    found = Growth([], [])
    for series, points in sizes:
        given, others = one.given(arrays(series, points))
        million = series * points / 1e6
        found.library.append(seconds(one.library, given) / million)
        found.bare.append(seconds(one.bare, others) / million)
    return found


def main() -> int:
    """Print the table; 1 if something is missing from it or not as wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--only", type=lambda text: text.split(","), help="names, with commas between")
    options = parser.parse_args()
    passes = (*PASSES, *map(rule_pass, qe.rule_sets))
    wrong = [f"{name}: not measured" for name in {*KINDS, *qe.rule_sets} - {one.kind for one in passes}]
    print(
        f"{options.series:,} series of {POINTS} points. Growth, seconds a million points: by series for 1/8,"
    )
    print("1/4, 1/2 and all of them; by points for 1, 2, 4 and 8 times as many, of 1/8 of the series.\n")
    columns = ("chart or rules", "seconds", "times bare NumPy", "memory, times inputs")
    columns = (*columns, "by series", "bare", "by points", "bare")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for one in passes:
        if not options.only or one.kind in options.only:
            found = measure(one, options.series)
            print(found.line(one), flush=True)
            wrong += found.failures(one)
    print("\n" + ("\n".join(wrong) or "All as wanted."))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
