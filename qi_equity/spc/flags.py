"""The rules applied to the points of one phase, all strata at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qi_equity.formulas import rule_tests, zone_tests
from qi_equity.formulas.boxes import runs_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.runs import crossings, longest_run, useful
from qi_equity.formulas.runs_distribution import perla_limits, runs_count_limits
from qi_equity.spc.lines import ONE_SIGMA, TWO_SIGMA, Width
from qi_equity.spc.rules import (
    Alternating,
    Crossings,
    FourInFive,
    LongestRun,
    Outside,
    RuleSet,
    RunsCount,
    Shift,
    Test,
    Trend,
    TwoInThree,
    Within,
)
from qi_equity.spc.runs_tests import RunsTests

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Marks = tuple[BoolArray, ...]
"""Points (S, T) that a test marks, one array for each of its ``sides``."""


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """What the rules look at: the points of one phase (S, T), NaN where there is none to test, and its lines.

    ``steps`` are the points as they are compared with their neighbours: as rates, where the births of each
    point move it. ``zone`` gives the lower and upper limit at another width; ``runs`` analyses the runs of
    some strata.
    ``patterns`` is False where neighbouring points are alike whatever happens, so that only single points
    can be judged.
    """

    values: FloatArray
    steps: FloatArray
    limits: Limits
    zone: Callable[[Width], tuple[FloatArray, FloatArray]]
    runs: Callable[[FloatArray, Limits, IntArray], RunsTests]
    patterns: bool


def flag_phase(phase: Phase, rules: RuleSet) -> tuple[BoolArray, dict[str, Marks]]:
    """Say which strata have an odd number of crossings, shape (S,), and which points each test marks.

    Points beyond the limits are not marked here: excluded points are compared with them too.
    """
    odd, found = _runs_flags(phase, [t for t in rules.tests if t.is_runs_test])
    for test in rules.tests:
        marked = _pattern(phase, test) if phase.patterns else None
        if marked is not None:
            found[test.name] = marked
    return odd, found


def runs_signal(test: Test, values: FloatArray, centre_line: FloatArray) -> BoolArray:
    """Say where the longest run, the crossings or the runs would signal if the test is given, shape (S,)."""
    sides = useful(values, centre_line)
    crossed = crossings(sides)
    above, below = (np.count_nonzero(sides == side, axis=1) for side in (1, -1))
    if isinstance(test, RunsCount):
        exact = test.table == "exact"
        fewest, most = runs_count_limits(above, below) if exact else perla_limits(above + below)
        runs = crossed + (above + below > 0)
        return np.asarray((runs < fewest) | (runs > most))
    method = test.method if isinstance(test, LongestRun | Crossings) else "anhoej"
    longest_max, crossings_min = runs_limits(above + below, crossed, method=method)
    if isinstance(test, LongestRun):
        return np.asarray(longest_run(sides) > longest_max)
    return np.asarray(crossed < crossings_min)


def _runs_flags(phase: Phase, tests: Iterable[Test]) -> tuple[BoolArray, dict[str, Marks]]:
    """Flag the points of runs tests.

    Whether a test is given takes exact tails; they are reckoned only for the strata where it would signal.
    """
    values, centre = phase.values, phase.limits.centre_line
    odd, found = np.zeros(len(values), dtype=bool), dict[str, Marks]()
    for test in tests:
        if isinstance(test, Shift):
            found[test.name] = rule_tests.shift(
                values, centre, length=test.length, ties=test.ties, missing=test.missing
            )
            continue
        signals = runs_signal(test, values, centre)
        if isinstance(test, LongestRun):
            found[test.name] = _long_runs(test, values, centre, np.flatnonzero(signals))
        else:
            odd |= signals
    may = odd.copy()
    for marks in found.values():
        for mask in marks:
            may |= mask.any(axis=1)
    rows = np.flatnonzero(may)
    withheld = rows[~phase.runs(values, phase.limits, rows).given[:, 0]] if rows.size else rows
    odd[withheld] = False
    for marks in found.values():
        for mask in marks:
            mask[withheld] = False
    return odd, found


def _long_runs(test: LongestRun, values: FloatArray, centre: FloatArray, rows: IntArray) -> Marks:
    """Mark the runs of the strata where the longest is too long."""
    marks = np.zeros(values.shape, dtype=bool), np.zeros(values.shape, dtype=bool)
    found = rule_tests.longest_run_mask(values[rows], centre[rows], method=test.method)
    for mask, marked in zip(marks, found, strict=True):
        mask[rows] = marked
    return marks


def _pattern(phase: Phase, test: Test) -> Marks | None:
    """Flag points by a test of steps or zones; None for any other."""
    y, limits = phase.values, phase.limits
    line = limits.centre_line
    match test:
        case Trend():
            return rule_tests.trend(phase.steps, length=test.length, ties=test.ties)
        case Alternating():
            return (rule_tests.alternating(phase.steps, length=test.length),)
        case TwoInThree():
            return zone_tests.two_in_three(
                y,
                *phase.zone(TWO_SIGMA),
                line,
                limits.lower,
                limits.upper,
                beyond_three_counts=test.beyond_three_counts,
                same_side=test.same_side,
            )
        case FourInFive():
            zone = phase.zone(ONE_SIGMA)
            return zone_tests.four_in_five(y, *zone, line, window=test.window, same_side=test.same_side)
        case Within():
            return (zone_tests.within(y, *phase.zone(ONE_SIGMA), length=test.length),)
        case Outside():
            return (zone_tests.outside(y, *phase.zone(ONE_SIGMA), length=test.length),)
        case _:
            return None
