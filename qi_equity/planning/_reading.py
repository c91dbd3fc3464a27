"""Tests read point after point on many charts at once: what each remembers, and when it signals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from qi_equity.formulas.boxes import runs_limits
from qi_equity.formulas.runs_distribution import perla_limits, runs_count_limits
from qi_equity.formulas.zone_chains import ZONES
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.spc.chance import ZONE_TESTS, chain_of_tests
from qi_equity.spc.rules import Alternating, Crossings, LongestRun, RunsCount, RunsMethod, Test, Trend

__all__ = ["BROKEN", "FARTHEST", "MISSING", "ON_THE_LINE", "Reader", "readers", "reads_whole_series"]

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

BROKEN = 2
"""A step from or to a missing point."""

FARTHEST = {"best_box": 100, "cut_box": 100, "exact": 200}
"""Useful points up to which limits are looked up that take long to find: the boxes as far as their authors
give them, and the exact number of runs. Others have no end."""

ON_THE_LINE, MISSING = ZONES.index("on the line"), ZONES.index("missing")


class Reader(ABC):
    """What some tests remember of strata x charts, arrays (A, N)."""

    def __init__(self, *state: npt.NDArray[Any]) -> None:
        self.state = state

    def keep(self, place: tuple[IntArray, IntArray]) -> None:
        """Keep some charts of some strata, indices (A, 1) and (A, N)."""
        self.state = tuple(a[place] for a in self.state)

    @abstractmethod
    def read(self, zone: Bytes, step: Bytes) -> BoolArray:
        """Read the next point, by its zone and its step from the one before; say where a pattern is complete.

        ``zone`` is a place in :data:`qi_equity.formulas.zone_chains.ZONES`; ``step`` is -1, 0, 1 or
        ``BROKEN``.
        """


def readers(tests: tuple[Test, ...], side: Side, shape: tuple[int, int], most: int) -> list[Reader]:
    """Start to read strata x charts, at most so many points of each."""
    made: list[Reader] = []
    zones = tuple(t for t in tests if isinstance(t, ZONE_TESTS))
    runs = tuple(t for t in tests if isinstance(t, LongestRun | Crossings | RunsCount))
    if zones:
        made.append(_Zones(chain_of_tests(zones, side).following, shape))
    if runs:
        made.append(_Runs(runs, side, shape, most))
    made += [_Steps(t, side, shape) for t in tests if isinstance(t, Trend)]
    made += [_Turns(t, shape) for t in tests if isinstance(t, Alternating)]
    return made


def reads_whole_series(tests: tuple[Test, ...]) -> bool:
    """Say whether a test looks at all points so far, so that its chance of a signal never settles."""
    return any(isinstance(t, LongestRun | Crossings | RunsCount) for t in tests)


class _Zones(Reader):
    """All tests of zones, as one automaton."""

    def __init__(self, following: IntArray, shape: tuple[int, int]) -> None:
        super().__init__(np.zeros(shape, dtype=np.int32))
        self.following = following.ravel().astype(np.int32)

    def read(self, zone: Bytes, step: Bytes) -> BoolArray:
        (now,) = self.state
        after = self.following[now * len(ZONES) + zone]
        found = after < 0
        # A chart that has signalled is no longer looked at.
        after[found] = 0
        self.state = (after,)
        return found


class _Steps(Reader):
    """Steps in one direction so far, negative where they fall."""

    def __init__(self, test: Trend, side: Side, shape: tuple[int, int]) -> None:
        super().__init__(np.zeros(shape, dtype=np.int32))
        self.passed = test.ties == "skip"
        self.least = -(test.length - 1) if side != "high" else None
        self.most = test.length - 1 if side != "low" else None

    def read(self, zone: Bytes, step: Bytes) -> BoolArray:
        (run,) = self.state
        run = np.where(run * step > 0, run + step, np.where((step == 0) & self.passed, run, step))
        run[step == BROKEN] = 0
        self.state = (run,)
        found = np.zeros(run.shape, dtype=bool)
        if self.least is not None:
            found |= run <= self.least
        if self.most is not None:
            found |= run >= self.most
        return found


class _Turns(Reader):
    """Turns in a row so far, and the last step."""

    def __init__(self, test: Alternating, shape: tuple[int, int]) -> None:
        super().__init__(np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int8))
        self.wanted = test.length - 2

    def read(self, zone: Bytes, step: Bytes) -> BoolArray:
        turns, last = self.state
        turns = np.where(step * last == -1, turns + 1, 0)
        self.state = (turns, step)
        return np.asarray(turns >= self.wanted)


class _Runs(Reader):
    """Runs about the centre line of the whole series so far.

    Remembered are the side of the last useful point, the points in its run, the longest run below and above,
    the crossings, and the points below and above.
    """

    def __init__(
        self,
        tests: tuple[LongestRun | Crossings | RunsCount, ...],
        side: Side,
        shape: tuple[int, int],
        most: int,
    ) -> None:
        super().__init__(np.zeros(shape, dtype=np.int8), *(np.zeros(shape, dtype=np.int32) for _ in range(6)))
        self.side, self.tests = side, tests
        methods = {t.method for t in tests if not isinstance(t, RunsCount)}
        self.limits = {m: _limits(m, most) for m in methods}

    def read(self, zone: Bytes, step: Bytes) -> BoolArray:
        last, run, low, high, crossed, below, above = self.state
        under, over = zone < ON_THE_LINE, (zone > ON_THE_LINE) & (zone < MISSING)
        side = over.astype(np.int8) - under.astype(np.int8)
        run = np.where(side == 0, run, np.where(side == last, run + 1, 1))
        crossed = crossed + (side * last == -1)
        last = np.where(side == 0, last, side)
        low = np.where(under, np.maximum(low, run), low)
        high = np.where(over, np.maximum(high, run), high)
        self.state = (last, run, low, high, crossed, below + under, above + over)
        found = np.zeros(zone.shape, dtype=bool)
        for test in self.tests:
            found |= self._of(test)
        return found

    def _of(self, test: LongestRun | Crossings | RunsCount) -> BoolArray:
        _, _, low, high, crossed, below, above = self.state
        number = below + above
        if isinstance(test, RunsCount):
            fewest, most = _counted(below, above) if test.table == "exact" else perla_limits(number)
            runs = crossed + (number > 0)
            return np.asarray((runs < fewest) | (runs > most))
        longest_max, crossings_min = self.limits[test.method]
        if isinstance(test, Crossings):
            return np.asarray(crossed < crossings_min[number])
        longest = {"low": low, "high": high, "both": np.maximum(low, high)}[self.side]
        return np.asarray(longest > longest_max[number, np.minimum(crossed, longest_max.shape[1] - 1)])


@lru_cache(maxsize=8)
def _limits(method: RunsMethod, most: int) -> tuple[IntArray, IntArray]:
    """Longest run allowed by useful points and crossings, and fewest crossings by useful points."""
    number = np.arange(most + 1)
    crossed = number if method == "cut_box" else number[:1]
    longest, fewest = runs_limits(number[:, np.newaxis], crossed, method=method)
    return longest, fewest[:, 0]


def _counted(below: IntArray, above: IntArray) -> tuple[IntArray, IntArray]:
    """Look up the fewest and most runs by the points on each side, and find those not met before."""
    table = _runs_table()
    few, many = np.minimum(below, above), np.maximum(below, above)
    new = table[0, few, many] < 0
    if new.any():
        place = np.unique(few[new] * table.shape[2] + many[new])
        few_new, many_new = np.divmod(place, table.shape[2])
        table[:, few_new, many_new] = runs_count_limits(few_new, many_new)
    return table[0, few, many], table[1, few, many]


@lru_cache(maxsize=1)
def _runs_table() -> IntArray:
    """Limits found so far, (2, fewer points on a side, more on the other); -1 where not yet."""
    size = FARTHEST["exact"] + 1
    return np.full((2, size, size), -1, dtype=np.int64)
