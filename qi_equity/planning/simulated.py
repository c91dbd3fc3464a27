"""Run lengths of tests that no chain of the library follows, on simulated charts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qi_equity._validate import one_of, whole_number
from qi_equity.formulas.distributions import Binomial
from qi_equity.formulas.waiting import Waiting
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning._reading import (
    BROKEN,
    FARTHEST,
    MISSING,
    ON_THE_LINE,
    Reader,
    readers,
    reads_whole_series,
)
from qi_equity.spc.rules import Crossings, LongestRun, RunsCount, Test
from qi_equity.spc.stable import Stable

__all__ = ["simulated_waiting"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

_SEED = 20_231_130
# Points that are drawn at once.
_AT_ONCE = 1_000_000
# Points after which tests that forget signal at a rate that no longer changes.
_SETTLED = 256


def simulated_waiting(
    process: Stable,
    tests: tuple[Test, ...],
    side: Side = "both",
    *,
    charts: int = 2000,
    most: int = 2400,
    seed: int = _SEED,
) -> tuple[Waiting, FloatArray]:
    """Draw charts of points about known lines, and read them after every point until they signal.

    A chart starts anew: no test remembers a point before the first. The run length is the number of the
    point at which the first pattern is complete. The number of runs, the longest run and crossings are read
    from the first point on, as on the charts of this library, and look at all points so far; whether they are
    given is for the caller to say. All strata are drawn with the same random numbers, so that none depends on
    what others are there.

    Parameters
    ----------
    process : Stable
        Points of S strata and their lines, (S, C). They repeat: point C + 1 is as the first, with its births.
        A point that is missing takes its time.
    tests : tuple of tests
        Any of :mod:`qi_equity.spc.rules`; none of them never signals.
    side : {"both", "low", "high"}
        Whether any signal counts, or only one of that side. Tests that know no side count for either.
    charts : int
        Charts of each stratum, >= 2.
    most : int
        Points that are drawn of each chart at most, >= 1. No more than 100 are where a test has the limits of
        a best or cut box, which their authors give so far, and 200 where it has the exact number of runs.
    seed : int
        Of the random numbers.

    Returns
    -------
    Waiting
        Number of points to the first signal of each stratum, (S,): the share of charts without a signal up to
        the last point. From there on a chart is taken to signal at a constant rate: the signals after the
        first 256 points (or half of them, if these are fewer), divided by the points that the charts were
        followed for after them; always after half where a test looks at the whole series, since its rate
        falls as the series grows. The mean and late quantiles of such a test alone come out too low: read
        ``within``.
    numpy.ndarray of float, shape (S,)
        Monte-Carlo standard error of the mean, that of the rate included; infinite, as is the mean, where
        some charts never signalled and none did in the points from which the rate is taken.

    Raises
    ------
    InputTypeError
        If a number is not whole.
    OptionError
        If one is too small, or ``side`` is none of the three.

    References
    ----------
    .. [1] Champ, Woodall, Exact results for Shewhart control charts with supplementary runs rules.
       Technometrics 1987;29:393-399 (run lengths of several tests at once, there by chains).
    .. [2] Anhøj, Olesen, Run charts revisited: a simulation study of run chart rules for detection of
       non-random variation in health care processes. PLoS One 2014;9:e113825.

    Examples
    --------
    Trends of five points, of a process that does not change:

    >>> import numpy as np
    >>> from qi_equity.formulas.distributions import Normal
    >>> from qi_equity.spc.rules import Trend
    >>> points = Stable(Normal(np.zeros((1, 1)), np.ones((1, 1))), np.zeros((1, 1)), {})
    >>> wait, error = simulated_waiting(points, (Trend(length=5),))
    >>> bool(abs(wait.mean()[0] - 73) < 5 * error[0]), bool(error[0] < 2)
    (True, True)
    """
    one_of("side", side, ("both", "low", "high"))
    drawn = whole_number("charts", charts, at_least=2)
    last = min([whole_number("most", most, at_least=1), *_ends(tests)])
    few, which = process.different()
    strata, cycle = few.centre_line.shape
    random = np.random.default_rng(seed).random((last, drawn))
    step = max(_AT_ONCE // (drawn * cycle), 1)
    parts = [few.take(np.arange(i, min(i + step, strata))) for i in range(0, strata, step)]
    times = [_times(part, tests, side, random) for part in parts]
    found = np.concatenate([*times, np.zeros((0, drawn), dtype=np.int64)])
    settled = last // 2 if reads_whole_series(tests) else min(last // 2, _SETTLED)
    waiting, error = _waiting(found, last, settled)
    return Waiting(waiting.survival[which], waiting.hazard[which]), error[which]


def _ends(tests: tuple[Test, ...]) -> list[int]:
    """Points after which the limits of some tests are not known."""
    boxes = (t.method for t in tests if isinstance(t, LongestRun | Crossings))
    tables = (t.table for t in tests if isinstance(t, RunsCount))
    return [FARTHEST[name] for name in (*boxes, *tables) if name in FARTHEST]


def _times(process: Stable, tests: tuple[Test, ...], side: Side, random: FloatArray) -> IntArray:
    """Give the point of the first signal of each chart, (S, charts); one more than there are for none."""
    most, charts = random.shape
    strata, cycle = process.centre_line.shape
    stratum, chart = np.arange(strata), np.broadcast_to(np.arange(charts), (strata, charts))
    times = np.full((strata, charts), most + 1)
    reading = readers(tests, side, times.shape, most)
    first, before, t = times.copy(), np.full(times.shape, np.nan), 0
    while t < most and first.size:
        points = cycle * max(min(_AT_ONCE // (first.size * cycle), t // (4 * cycle)), 1)
        zone, step, before = _block(process, stratum, random[t : t + points][:, chart], before)
        _read(reading, zone, step, first, t)
        times[stratum[:, np.newaxis], chart] = first
        t += points
        # Charts that have signalled are dropped; those that wait longest decide how many are kept.
        waiting = first > most
        rows = np.flatnonzero(waiting.any(axis=1))
        order = np.argsort(~waiting[rows], axis=1, kind="stable")[:, : waiting.sum(axis=1).max(initial=0)]
        place = rows[:, np.newaxis], order
        stratum, chart, first, before = stratum[rows], chart[place], first[place], before[place]
        for reader in reading:
            reader.keep(place)
    return times


def _read(reading: list[Reader], zone: Bytes, step: Bytes, first: IntArray, t: int) -> None:
    """Read a block of points and note where a first signal is complete."""
    none = first > t
    for k in range(len(zone)):
        found = np.zeros(first.shape, dtype=bool)
        for reader in reading:
            found |= reader.read(zone[k], step[k])
        first[found & none] = t + k + 1
        none &= ~found


def _block(
    process: Stable, strata: IntArray, chance: FloatArray, before: FloatArray
) -> tuple[Bytes, Bytes, FloatArray]:
    """Draw points at chances (T, A, N) of some strata: their zones and steps, and the last of them."""
    cycle, points = process.centre_line.shape[1], len(chance)
    more = np.full((-points % cycle, *chance.shape[1:]), 0.5)
    turns = np.concatenate([chance, more]).reshape(-1, cycle, *chance.shape[1:])
    # Draws of one stratum lie side by side, so that its distribution stays in the cache.
    part = process.take(strata[:, np.newaxis, np.newaxis])
    values = part.points.quantile(turns.transpose(2, 0, 3, 1))
    values = np.where(np.isnan(part.centre_line), np.nan, values)
    rates, zone = (_in_time(a)[:points] for a in (_rates(part, values), _zones(part, values)))
    step = np.empty(rates.shape, dtype=np.int8)
    step[0], step[1:] = _steps(before, rates[0]), _steps(rates[:-1], rates[1:])
    return zone, step, rates[-1]


def _in_time(block: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Put points (A, turns, N, C) in the order of time, (T, A, N)."""
    by_time = block.transpose(1, 3, 0, 2)
    return by_time.reshape(-1, *by_time.shape[2:])


def _rates(process: Stable, values: FloatArray) -> FloatArray:
    """Give points as they are compared with their neighbours: counts of births as rates."""
    points = process.points
    if isinstance(points, Binomial) and not np.array_equal(points.unit, points.births, equal_nan=True):
        return values * points.unit / points.births
    return values


def _steps(before: FloatArray, after: FloatArray) -> Bytes:
    step = (after > before).astype(np.int8) - (after < before)
    step[np.isnan(before) | np.isnan(after)] = BROKEN
    return step


def _zones(process: Stable, values: FloatArray) -> Bytes:
    """Give the zone of each point, as :func:`qi_equity.formulas.zone_chances.zone_chances` has them."""
    level = np.zeros(values.shape, dtype=np.int8)
    for way, beyond in ((-1, np.less), (1, np.greater)):
        off = beyond(values, process.centre_line)
        level[off] = way
        for k in sorted(process.zones):
            level[off & beyond(values, process.zones[k][way > 0])] = way * (k + 1)
    level += ON_THE_LINE
    level[np.isnan(values)] = MISSING
    return level


def _waiting(times: IntArray, last: int, settled: int) -> tuple[Waiting, FloatArray]:
    """Put the first signals (S, charts) of points up to the last together, and give the error of the mean."""
    strata, charts = times.shape
    counted = np.bincount(
        (times + np.arange(strata)[:, np.newaxis] * (last + 2)).ravel(), minlength=strata * (last + 2)
    )
    survival = 1 - counted.reshape(strata, last + 2)[:, : last + 1].cumsum(axis=1) / charts
    signals = (times > settled) & (times <= last)
    followed = np.clip(np.minimum(times, last) - settled, 0, None)
    exposure, left = followed.mean(axis=1), survival[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(exposure > 0, signals.mean(axis=1) / exposure, 1.0)
        # How much each chart moves the mean: its own points, and what it says of the rate that follows.
        own = np.where(times > last, last + 1 / rate[:, np.newaxis], times)
        pull = np.where(left > 0, left / rate**2 / exposure, 0.0)
        each = own - pull[:, np.newaxis] * (signals - rate[:, np.newaxis] * followed)
        error = each.std(axis=1, ddof=1) / np.sqrt(charts)
    error = np.where((left > 0) & (rate == 0), np.inf, error)
    return Waiting(survival, rate[:, np.newaxis]), error
