"""How likely a stable process gives a signal: exact where it can be followed, else by simulation.

The lines of counts are taken as known. All others are drawn anew with the points that they come from, as long
as these say nothing of it that is not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from qi_equity.formulas.boxes import runs_limits
from qi_equity.formulas.false_signals import median_false_signal, runs_false_signal
from qi_equity.formulas.runs import useful
from qi_equity.formulas.zone_chains import ZoneChain, together, zone_false_signal
from qi_equity.formulas.zone_test_chains import (
    Side,
    beyond_limits_chain,
    outside_chain,
    several_beyond_chain,
    shift_chain,
    within_chain,
)
from qi_equity.spc.kinds_measurements import Run
from qi_equity.spc.own_lines import drawn_again, has_own_lines
from qi_equity.spc.rules import (
    BeyondLimits,
    Crossings,
    FourInFive,
    LongestRun,
    Outside,
    RunsMethod,
    Shift,
    Test,
    TwoInThree,
    Within,
)
from qi_equity.spc.simulated import signals_besides
from qi_equity.spc.stable import Stable, stable
from qi_equity.spc.with_memory import is_followed, memory_false_signal

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

ZoneTest = BeyondLimits | Shift | TwoInThree | FourInFive | Within | Outside
ZONE_TESTS = (BeyondLimits, Shift, TwoInThree, FourInFive, Within, Outside)

KNOWN = "reckoned for known lines"
PARTLY = "reckoned for known lines, partly by simulation"
ANY_ORDER = "reckoned for the median of the same points"
DRAWN = "by simulation, with lines drawn from the same points"
# Strata at a time: ten chances a point are many numbers.
_BLOCK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class FalseSignals:
    """Probability of at least one false signal of each stratum, and its error, (S,).

    The error is the Monte-Carlo standard error; of CUSUMs of counts the most that taking their arms as
    independent can leave out; 0 where the probability is exact.
    """

    probability: FloatArray
    standard_error: FloatArray


def false_signals(chart: ControlChart, phase: int) -> FalseSignals:
    """Give the probability of at least one false signal of each stratum in a phase of a chart of one kind.

    Tests that are not given count for nothing. The lines of counts (p, np, u, c, g; their EWMAs and CUSUMs)
    are taken as known: with lines from the same 24 points, of 12 to 294 births at rates of 2 to 12 %, p, u
    and c charts signal in about two thirds as many cases as this says by limits and Anhøj's tests (0.5 to 8 %
    and not 1 to 11 %), and in half to two thirds by the tests of Western Electric and Making Data Count.
    """
    own = has_own_lines(chart._spec, chart.series.measure.kind)
    if chart._spec.has_memory and not own:
        return FalseSignals(*memory_false_signal(chart, phase))
    given, tests = chart.runs.given[:, phase], _tests(chart)
    how = _about_own_lines if own else _about_known_lines
    found = np.zeros((2, len(given)))
    for allowed in (True, False):
        some = tuple(t for t in tests if allowed or not t.is_runs_test)
        rows = np.flatnonzero(given == allowed)
        for part in [rows] if own else _blocks(rows):
            found[:, part] = how(chart, phase, part, some)
    return FalseSignals(found[0], found[1])


def how_reckoned(chart: ControlChart) -> str:
    """Say in words how the false signals of a chart, of one kind or of several, are reckoned."""
    ways = {_way(piece) for _, piece in chart._pieces()}
    if len(ways) == 1:
        return ways.pop()
    return KNOWN if ways <= {KNOWN, ANY_ORDER} else "partly by simulation"


def _way(chart: ControlChart) -> str:
    """Say how those of a chart of one kind are."""
    tests = _tests(chart)
    if has_own_lines(chart._spec, chart.series.measure.kind):
        given, order = chart.runs.given, _is_order_only(chart, tests)
        alone = (_sets_its_median(chart, k) | ~given[:, k] for k in range(given.shape[1]))
        return ANY_ORDER if order and all(one.all() for one in alone) else DRAWN
    if chart._spec.has_memory:
        return KNOWN if is_followed(chart._spec) else PARTLY
    return KNOWN if all(isinstance(t, ZONE_TESTS) for t in tests) or runs_only(tests) else PARTLY


def _tests(chart: ControlChart) -> tuple[Test, ...]:
    """Give the tests that hold, as far as the kind of chart can say."""
    tests = chart.rules.tests
    return tests if chart._patterns_hold() else tuple(t for t in tests if isinstance(t, BeyondLimits))


def _about_own_lines(chart: ControlChart, phase: int, rows: IntArray, tests: tuple[Test, ...]) -> FloatArray:
    """Count the orders of points about their own median, and draw all other charts anew: shape (2, rows)."""
    if not _is_order_only(chart, tests):
        return drawn_again(chart, phase, rows, tests)
    found, alone = np.zeros((2, rows.size)), _sets_its_median(chart, phase)[rows]
    found[0, alone] = _in_any_order(chart, phase, rows[alone], tests)
    found[:, ~alone] = drawn_again(chart, phase, rows[~alone], tests)
    return found


def _about_known_lines(
    chart: ControlChart, phase: int, rows: IntArray, tests: tuple[Test, ...]
) -> FloatArray:
    """Take the lines as known: probability and error of some strata, shape (2, rows)."""
    inside = (chart.timeline.phase == phase)[rows]
    part = stable(chart, rows, chart._seen()[rows] & inside, sigmas_of(tests))
    tested = chart._tested()[rows] & inside
    off_line = np.asarray(useful(chart._plain[rows], chart.centre_line[rows]) != 0)
    found = of_tests(part.only(tested), tests, off_line)
    if BeyondLimits() in tests:
        # A point that is excluded is still compared with the limits.
        alone = zone_false_signal(chain_of_tests((BeyondLimits(),)), part.only(~tested).zone_chances())
        found[0] += (1 - found[0]) * alone
        found[1] *= 1 - alone
    return found


def sigmas_of(tests: tuple[Test, ...]) -> tuple[int, ...]:
    """Give the distances in sigma at which the tests need limits."""
    return tuple({3 for t in tests if t.needs_limits} | {k for t in tests for k in t.needs_zones})


def _blocks(rows: IntArray) -> list[IntArray]:
    return [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]


def of_tests(process: Stable, tests: tuple[Test, ...], off_line: BoolArray) -> FloatArray:
    """Follow what can be followed and simulate what other tests add: probability and error, shape (2, S)."""
    exact = np.zeros(len(process.centre_line))
    if runs_only(tests):
        return np.stack([_runs(process, tests, off_line), exact])
    zones = tuple(t for t in tests if isinstance(t, ZONE_TESTS))
    if zones:
        exact = zone_false_signal(chain_of_tests(zones), process.zone_chances())
    others = tuple(t for t in tests if not isinstance(t, ZONE_TESTS))
    if not others:
        return np.stack([exact, np.zeros(exact.shape)])
    besides, error = signals_besides(process, others, zones)
    return np.stack([np.minimum(exact + besides, 1), error])


def runs_only(tests: tuple[Test, ...]) -> bool:
    """Longest run or crossings, with or without limits, and nothing else."""
    runs = [t for t in tests if isinstance(t, LongestRun | Crossings)]
    return bool(runs) and all(isinstance(t, LongestRun | Crossings | BeyondLimits) for t in tests)


def _runs(process: Stable, tests: tuple[Test, ...], off_line: BoolArray) -> FloatArray:
    """Follow runs and crossings, and points beyond the limits, given which points lie on the line."""
    zones = process.zone_chances()
    there = off_line & (zones[..., 9] == 0)
    off = np.where(there, 1 - zones[..., 4], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = zones[..., 1:4].sum(axis=-1) / off, zones[..., 5:8].sum(axis=-1) / off

    def signal(rows: IntArray, longest: int, fewest: int) -> FloatArray:
        return runs_false_signal(low[rows], high[rows], longest_max=longest, crossings_min=fewest)

    return _by_bands(there.sum(axis=1), tests, signal)


def _is_order_only(chart: ControlChart, tests: tuple[Test, ...]) -> bool:
    """Whether signals depend on nothing but the order in which points lie above and below a median."""
    return isinstance(chart._spec, Run) and runs_only(tests)


def _sets_its_median(chart: ControlChart, phase: int) -> BoolArray:
    """Where the points that are tested are those that set the median, shape (S,)."""
    tested = chart._tested() & (chart.timeline.phase == phase)
    return np.asarray((tested == (tested & chart.timeline.baseline)).all(axis=1))


def _in_any_order(chart: ControlChart, phase: int, rows: IntArray, tests: tuple[Test, ...]) -> FloatArray:
    """Follow runs and crossings of the points above and below their own median."""
    tested = chart._tested() & (chart.timeline.phase == phase)
    sides = np.where(tested, useful(chart._plain, chart.centre_line), 0)[rows]
    above, below = ((sides == side).sum(axis=1) for side in (1, -1))

    def signal(rows: IntArray, longest: int, fewest: int) -> FloatArray:
        return median_false_signal(above[rows], below[rows], longest_max=longest, crossings_min=fewest)

    return _by_bands(above + below, tests, signal)


def _by_bands(
    n: IntArray, tests: tuple[Test, ...], signal: Callable[[IntArray, int, int], FloatArray]
) -> FloatArray:
    """Put the bands of crossings together for strata of n useful points, shape (S,).

    ``signal`` gives the probability that the longest run is longer, or crossings fewer, than it is told.
    """
    method = next(t.method for t in tests if isinstance(t, LongestRun | Crossings))
    found = np.zeros(n.shape)
    for size in np.unique(n[n > 0]).tolist():
        rows = np.flatnonzero(n == size)
        quiet = np.zeros(rows.size)
        for longest, fewest, more in _bands(size, tests, method):
            quiet += 1 - signal(rows, longest, fewest)
            if more < size:
                quiet -= 1 - signal(rows, longest, more)
        found[rows] = 1 - quiet
    return np.clip(found, 0, 1)


def _bands(size: int, tests: tuple[Test, ...], method: RunsMethod) -> list[tuple[int, int, int]]:
    """Cut the region of no signal into bands of crossings, each with the longest run that it allows.

    Given are longest run, fewest crossings, and the crossings from which the next band starts. Only the cut
    box has several.
    """
    crossed = np.arange(size)
    longest, fewest = (
        np.broadcast_to(a, size) for a in runs_limits(np.full(size, size), crossed, method=method)
    )
    if not any(isinstance(t, LongestRun) for t in tests):
        longest = np.full(size, size)
    first = int(fewest[0]) if any(isinstance(t, Crossings) for t in tests) else 0
    starts = [c for c in range(first, size) if c == first or longest[c] != longest[c - 1]]
    return [(int(longest[c]), c, after) for c, after in zip(starts, [*starts[1:], size], strict=True)]


@lru_cache(maxsize=128)
def chain_of_tests(tests: tuple[ZoneTest, ...], side: Side = "both") -> ZoneChain:
    """Build the automaton of a set of tests once; with a side, without the signals of the other side.

    Tests that know no side count for either.
    """
    return together(*(_of(test, side) for test in tests))


def _of(test: ZoneTest, side: Side) -> ZoneChain:
    match test:
        case BeyondLimits():
            return beyond_limits_chain(side=side)
        case Shift():
            return shift_chain(length=test.length, ties=test.ties, missing=test.missing, side=side)
        case TwoInThree():
            return several_beyond_chain(
                points=2,
                window=3,
                sigmas=2,
                same_side=test.same_side,
                beyond_three_counts=test.beyond_three_counts,
                side=side,
            )
        case FourInFive():
            return several_beyond_chain(
                points=4, window=test.window, sigmas=1, same_side=test.same_side, side=side
            )
        case Within():
            return within_chain(length=test.length)
        case Outside():
            return outside_chain(length=test.length)
