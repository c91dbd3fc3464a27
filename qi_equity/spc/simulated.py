"""Tests whose false signals no formula gives, on simulated charts: the same random numbers every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from qi_equity.formulas import rule_tests
from qi_equity.formulas.limits import Limits
from qi_equity.spc.flags import Phase, flag_phase, runs_signal
from qi_equity.spc.lines import Width
from qi_equity.spc.rules import BeyondLimits, RuleSet, Shift, Test
from qi_equity.spc.runs_tests import RunsTests
from qi_equity.spc.stable import WIDTHS, Stable

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

CHARTS = 2_000
_SEED = 20_231_130
# Points that are drawn at once.
_AT_ONCE = 1_000_000


def share_of_charts(
    strata: int, periods: int, signals: Callable[[slice, FloatArray], BoolArray]
) -> tuple[FloatArray, FloatArray]:
    """Give the share of simulated charts that signal and its standard error, each (S,).

    ``signals`` takes a slice of strata and random numbers (charts, 1, T), and returns (charts, strata). All
    strata are drawn with the same numbers, so that none depends on what others are there.
    """
    random = np.random.default_rng(_SEED).random((CHARTS, 1, periods))
    step = max(_AT_ONCE // (CHARTS * periods), 1)
    found = [signals(np.s_[start : start + step], random).sum(axis=0) for start in range(0, strata, step)]
    count = np.concatenate([*found, np.zeros(0)])
    # That none of the charts signals does not make the share certain.
    cautious = (count + 1) / (CHARTS + 2)
    return count / CHARTS, np.sqrt(cautious * (1 - cautious) / CHARTS)


def signals_besides(
    process: Stable, tests: tuple[Test, ...], exact: tuple[Test, ...]
) -> tuple[FloatArray, FloatArray]:
    """Give the probability that one of ``tests`` signals and none of ``exact`` does, and its error, (S,)."""
    few, which = process.different()

    def signals(rows: slice, random: FloatArray) -> BoolArray:
        part = few.take(np.arange(len(few.centre_line))[rows])
        values = np.where(np.isnan(part.centre_line), np.nan, part.points.quantile(random))
        shape, flat = values.shape[:2], values.reshape(-1, values.shape[2])
        other, known = (_any(part, flat, len(random), some).reshape(shape) for some in (tests, exact))
        return np.asarray(other & ~known)

    strata, periods = few.centre_line.shape
    share, error = share_of_charts(strata, periods, signals)
    return share[which], error[which]


def _any(process: Stable, values: FloatArray, charts: int, tests: tuple[Test, ...]) -> BoolArray:
    """Say which charts signal by one of the tests; values (charts x strata, T)."""

    def tiled(line: FloatArray) -> FloatArray:
        return np.broadcast_to(line, (charts, *line.shape)).reshape(values.shape)

    def zone(width: Width) -> tuple[FloatArray, FloatArray]:
        low, high = next(process.zones[k] for k, w in WIDTHS.items() if w == width)
        return tiled(low), tiled(high)

    own = process.limits()
    limits = Limits(tiled(own.centre_line), tiled(own.sigma), tiled(own.lower), tiled(own.upper))
    found = np.zeros(len(values), dtype=bool)
    patterns: list[Test] = []
    for test in tests:
        if isinstance(test, BeyondLimits):
            low, high = rule_tests.beyond_limits(values, limits.lower, limits.upper)
            found |= (low | high).any(axis=1)
        elif isinstance(test, Shift):
            low, high = rule_tests.shift(
                values, limits.centre_line, length=test.length, ties=test.ties, missing=test.missing
            )
            found |= (low | high).any(axis=1)
        elif test.is_runs_test:
            found |= runs_signal(test, values, limits.centre_line)
        else:
            patterns.append(test)
    if patterns:
        phase = Phase(values, values, limits, zone, _not_asked, patterns=True)
        _, marks = flag_phase(phase, RuleSet("simulated", "", "", tuple(patterns)))
        for masks in marks.values():
            for mask in masks:
                found |= mask.any(axis=1)
    return found


def _not_asked(values: FloatArray, limits: Limits, rows: IntArray) -> RunsTests:
    """Refuse: runs tests are judged apart, as it is known where they are given."""
    raise NotImplementedError
