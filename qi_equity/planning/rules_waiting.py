"""How long points of counts run before a set of rules signals: exactly where it can be followed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qi_equity.data.cells import Floats, Ints
from qi_equity.formulas.anhoej_waiting import anhoej_waiting
from qi_equity.formulas.waiting import Waiting
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.formulas.zone_waiting import zone_waiting
from qi_equity.planning.points import Points
from qi_equity.planning.simulated import simulated_waiting
from qi_equity.spc.chance import ZONE_TESTS, chain_of_tests, runs_only
from qi_equity.spc.rules import Crossings, LongestRun, Test
from qi_equity.spc.stable import Stable

__all__ = ["EXACT", "LOOKS", "SIMULATED", "RulesWaiting", "is_exact", "looked_at", "rules_waiting"]

EXACT = "exact"
SIMULATED = "simulation"
LOOKS = 240
"""Points for which tests of a growing series (longest run, crossings) are followed exactly."""

_NEVER = Waiting(np.ones(1), np.zeros(1))


class RulesWaiting(NamedTuple):
    """Run length of S strata, and the Monte-Carlo standard error of its mean: 0 where it is exact."""

    waiting: Waiting
    standard_error: Floats


def rules_waiting(points: Points, side: Side = "both") -> RulesWaiting:
    """Follow the points of every stratum until the tests that hold there signal.

    With a side, signals of the other side count for nothing; tests that know no side count for either.
    """
    strata = len(points.process.centre_line)
    parts = []
    for allowed in (True, False):
        rows = np.flatnonzero(points.given == allowed)
        if rows.size:
            tests = tuple(t for t in points.tests if allowed or not t.is_runs_test)
            parts.append((rows, _of_tests(points.process.take(rows), tests, side)))
    return _put_together(parts, strata)


def is_exact(tests: tuple[Test, ...]) -> bool:
    """Tell whether a set of tests is followed, and not simulated."""
    return all(isinstance(t, ZONE_TESTS) for t in tests) or _is_anhoej(tests)


def looked_at(tests: tuple[Test, ...]) -> bool:
    """Tell whether tests look at the whole series so far and have no lasting rate of false signals."""
    return any(isinstance(t, LongestRun | Crossings) for t in tests)


def _of_tests(process: Stable, tests: tuple[Test, ...], side: Side) -> RulesWaiting:
    strata = len(process.centre_line)
    if not tests:
        survival, hazard = (np.repeat(a[None], strata, axis=0) for a in (_NEVER.survival, _NEVER.hazard))
        return RulesWaiting(Waiting(survival, hazard), np.zeros(strata))
    if all(isinstance(t, ZONE_TESTS) for t in tests):
        chain = chain_of_tests(tests, side)
        return RulesWaiting(zone_waiting(chain, process.zone_chances()), np.zeros(strata))
    if _is_anhoej(tests):
        return RulesWaiting(_anhoej(process, tests, side), np.zeros(strata))
    return RulesWaiting(*simulated_waiting(process, tests, side))


def _is_anhoej(tests: tuple[Test, ...]) -> bool:
    methods = {t.method for t in tests if isinstance(t, LongestRun | Crossings)}
    return runs_only(tests) and methods == {"anhoej"}


def _anhoej(process: Stable, tests: tuple[Test, ...], side: Side) -> Waiting:
    """Follow longest run and crossings of points that are not on the centre line, and limits."""
    zones = process.zone_chances()
    beyond = zones[..., [0, 8]] * [side != "high", side != "low"]
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.where(zones[..., 9] > 0, np.nan, 1 - zones[..., 4])
        low, high = (
            (zones[..., some].sum(axis=-1) - beyond[..., k]) / off
            for k, some in enumerate((slice(0, 4), slice(5, 9)))
        )
    turns = np.arange(LOOKS) % low.shape[1]
    names = {type(t) for t in tests}
    return anhoej_waiting(
        low[:, turns], high[:, turns], longest=LongestRun in names, crossings=Crossings in names
    )


def _put_together(parts: list[tuple[Ints, RulesWaiting]], strata: int) -> RulesWaiting:
    """Put the run lengths of strata to their rows; shorter ones are followed on."""
    if len(parts) == 1:
        return parts[0][1]
    n = max(found.waiting.survival.shape[1] for _, found in parts) - 1
    cycle = np.lcm.reduce([found.waiting.hazard.shape[1] for _, found in parts])
    survival, hazard, error = np.empty((strata, n + 1)), np.empty((strata, cycle)), np.empty(strata)
    for rows, found in parts:
        survival[rows], hazard[rows] = _longer(found.waiting, n, int(cycle))
        error[rows] = found.standard_error
    return RulesWaiting(Waiting(survival, hazard), error)


def _longer(waiting: Waiting, n: int, cycle: int) -> tuple[Floats, Floats]:
    """Follow run lengths on to n points, and say what comes after them in a cycle of so many."""
    survival, hazard = waiting.survival, waiting.hazard
    done, short = survival.shape[1] - 1, hazard.shape[1]
    further = hazard[:, np.arange(n - done) % short]
    more = survival[:, -1:] * np.cumprod(1 - further, axis=1)
    after = hazard[:, (n - done + np.arange(cycle)) % short]
    return np.concatenate([survival, more], axis=1), after
