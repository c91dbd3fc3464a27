"""Run lengths of tests that no chain of the library follows, on simulated charts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qi_equity._validate import one_of, whole_number
from qi_equity.formulas.distributions import Binomial
from qi_equity.formulas.waiting import Waiting
from qi_equity.planning._reading import BROKEN, FARTHEST, Reader, Side, readers, reads_whole_series
from qi_equity.spc.rules import Crossings, LongestRun, RunsCount, Test
from qi_equity.spc.stable import Stable

__all__ = ["simulated_waiting"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
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
    """Draw charts of independent points about known lines, and read them after every point until they signal."""
    one_of("side", side, ("both", "low", "high"))
    drawn = whole_number("charts", charts, at_least=2)
    last = min(whole_number("most", most, at_least=1), *_ends(tests), most)
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
    of = [t.method for t in tests if isinstance(t, LongestRun | Crossings)]
    of += [t.table for t in tests if isinstance(t, RunsCount)]  # type: ignore[misc]
    return [FARTHEST[name] for name in of if name in FARTHEST]


def _times(process: Stable, tests: tuple[Test, ...], side: Side, random: FloatArray) -> IntArray:
    """Give the point of the first signal of each chart, (S, charts); one more than there are for none."""
    most, charts = random.shape
    strata, cycle = process.centre_line.shape
    times = np.full((charts, strata), most + 1)
    chart = np.broadcast_to(np.arange(charts)[:, np.newaxis], times.shape)
    stratum = np.arange(strata)
    reading = readers(tests, side, times.shape, most)
    first, before, t = times.copy(), np.full(times.shape, np.nan), 0
    while t < most and first.size:
        points = cycle * max(min(_AT_ONCE // (first.size * cycle), t // cycle), 1)
        zone, step, before = _block(process, random[t : t + points], chart, before)
        _read(reading, zone, step, first, t)
        times[chart, stratum] = first
        t += points
        going = first > most
        left = np.flatnonzero(going.any(axis=0))
        order = np.argsort(~going, axis=0, kind="stable")[: going.sum(axis=0).max(initial=0), left]
        process, stratum = process.take(left), stratum[left]
        for reader in reading:
            reader.take(left)
            reader.keep(order)
        chart, first, before = (np.take_along_axis(a[:, left], order, axis=0) for a in (chart, first, before))
    return times.T


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
    process: Stable, random: FloatArray, chart: IntArray, before: FloatArray
) -> tuple[Bytes, Bytes, FloatArray]:
    """Draw points: their zones and steps, (T, N, S), and the last of them."""
    cycle, points = process.centre_line.shape[1], len(random)
    turns = -(-points // cycle)
    chance = np.full((turns * cycle, *chart.shape), 0.5)
    chance[:points] = random[:, chart]
    shape = (turns, cycle, *chart.shape)
    values = process.points.quantile(chance.reshape(shape).transpose(0, 2, 3, 1))
    values = np.where(np.isnan(process.centre_line), np.nan, values)
    rates = _in_time(_rates(process, values))[:points]
    step = np.empty(rates.shape, dtype=np.int8)
    step[0], step[1:] = _steps(before, rates[0]), _steps(rates[:-1], rates[1:])
    return _in_time(_zones(process, values))[:points], step, rates[-1]


def _in_time(block: npt.NDArray[np.generic]) -> npt.NDArray:
    turns, charts, strata, cycle = block.shape
    return np.ascontiguousarray(block.transpose(0, 3, 1, 2)).reshape(turns * cycle, charts, strata)


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
    line = process.centre_line
    found = np.zeros(values.shape, dtype=np.int8)
    nothing = np.full(line.shape, np.nan)
    low, high = zip(*(process.zones.get(k, (nothing, nothing)) for k in (1, 2, 3)), strict=True)
    for way, beyond, limits in ((-1, np.less, low), (1, np.greater, high)):
        level = (beyond(values, line)).astype(np.int8)
        off = level > 0
        for k, limit in enumerate(limits):
            level[off & beyond(values, limit)] = k + 2
        found += np.int8(way) * level
    found += np.int8(4)
    found[np.isnan(values)] = 9
    return found


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
        moved = (signals - rate[:, np.newaxis] * followed) / exposure[:, np.newaxis]
        each = own - np.where(left > 0, left / rate**2, 0.0)[:, np.newaxis] * np.where(exposure > 0, moved.T, 0.0).T
        error = each.std(axis=1, ddof=1) / np.sqrt(charts)
    error = np.where((left > 0) & (rate == 0), np.inf, error)
    return Waiting(survival, rate[:, np.newaxis]), error
