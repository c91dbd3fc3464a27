"""Run lengths of points that are compared with known lines, by the tests of a set of rules."""

from __future__ import annotations

import numpy as np
from scipy import special

from qi_equity.data.cells import Bools
from qi_equity.formulas.waiting import Waiting
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning._reading import FARTHEST
from qi_equity.planning.points import Points
from qi_equity.planning.rules_waiting import EXACT, LOOKS, SIMULATED, is_exact, looked_at, rules_waiting
from qi_equity.planning.run_length.followed import Run
from qi_equity.spc.rules import Crossings, LongestRun, RunsCount, Test
from qi_equity.spc.runs_tests import CHANCE_HIGH, CHANCE_LOW
from qi_equity.spc.stable import Stable

__all__ = ["by_rules", "held", "never_settles", "points_of_process", "runs_given"]

_MOST_SIMULATED = 2400


def by_rules(points: Points, side: Side) -> Run:
    """Follow points by the tests that are given in each stratum."""
    found = rules_waiting(points, side)
    waiting = found.waiting
    if points.given.all() and looked_at(points.tests) and is_exact(points.tests):
        waiting = _with_points_on_the_line(waiting, points.process)
    how = np.where(points.given, _way(held(points.tests, given=True)), _way(held(points.tests, given=False)))
    reach = np.where(
        points.given, _reach(held(points.tests, given=True)), _reach(held(points.tests, given=False))
    )
    return Run(waiting, found.standard_error, how.astype(object), reach)


def points_of_process(process: Stable, tests: tuple[Test, ...], given: Bools) -> Points:
    """Describe points of which it does not matter how a change could show."""
    nothing = np.zeros(len(given), dtype=np.int64)
    return Points(process, tests, given, nothing, nothing)


def runs_given(process: Stable) -> Bools:
    """Say of which strata runs tests are given: a point lies above the line about as often as below it."""
    zones = process.zone_chances()[:, 0]
    off = 1 - zones[:, 4]
    with np.errstate(invalid="ignore", divide="ignore"):
        above = np.where(off > 0, zones[:, 5:9].sum(axis=1) / off, np.nan)
        return np.asarray((above >= CHANCE_LOW) & (above <= CHANCE_HIGH))


def held(tests: tuple[Test, ...], *, given: bool) -> tuple[Test, ...]:
    """Leave the runs tests out where they are not given."""
    return tuple(t for t in tests if given or not t.is_runs_test)


def never_settles(tests: tuple[Test, ...]) -> bool:
    """Tell whether tests look at all points so far."""
    return looked_at(tests) or any(isinstance(t, RunsCount) for t in tests)


def _way(tests: tuple[Test, ...]) -> str:
    return EXACT if is_exact(tests) else SIMULATED


def _reach(tests: tuple[Test, ...]) -> float:
    """Points up to which tests are followed; those that look at all points so far go on otherwise."""
    if not never_settles(tests):
        return np.inf
    if is_exact(tests):
        return float(LOOKS)
    names = [t.method for t in tests if isinstance(t, LongestRun | Crossings)]
    tables = [t.table for t in tests if isinstance(t, RunsCount)]
    return float(
        min(_MOST_SIMULATED, *(FARTHEST.get(str(name), _MOST_SIMULATED) for name in [*names, *tables]))
    )


def _with_points_on_the_line(waiting: Waiting, process: Stable) -> Waiting:
    """Let points that may lie on the centre line take their time: they were followed as if none did.

    Which of n points do is binomial where all points are alike; where their births differ the line is hit
    by few of them, if any.
    """
    on = process.zone_chances()[..., 4]
    if on.shape[1] > 1 or not (on > 0).any():
        return waiting
    n = np.arange(waiting.survival.shape[1])
    number, off = n[:, np.newaxis], 1 - on[:, np.newaxis]
    share = special.binom(number, n) * off**n * on[:, np.newaxis] ** np.maximum(number - n, 0)
    survival = (np.where(n <= number, share, 0) * waiting.survival[:, np.newaxis]).sum(axis=-1)
    return Waiting(survival, waiting.hazard * (1 - on))
