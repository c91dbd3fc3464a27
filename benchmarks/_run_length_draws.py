"""Charts that are drawn point by point until they signal, each written from its definition.

A chart is a step: it takes random numbers, the number of the point (from 0) and its state, arrays of one row
a chart, and gives the state after the point and which charts signal at it. Nothing here knows a chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
State = tuple[npt.NDArray[Any], ...]
Step = Callable[[np.random.Generator, int, State], tuple[State, Bools]]
Side = Literal["both", "low", "high"]
Values = Callable[[np.random.Generator, int, int], Floats]
"""Random numbers, point and number of charts; gives the value of that point of each."""
Pair = tuple[npt.ArrayLike, npt.ArrayLike]

MOST = 1_000_000
NOT_SEEN = 99
WAYS: dict[Side, tuple[int, ...]] = {"both": (-1, 1), "low": (-1,), "high": (1,)}


def first_signals(
    step: Step, start: State, rng: np.random.Generator, charts: int, most: int = MOST
) -> Floats:
    """Give the point of the first signal of each chart; infinite where none comes in ``most`` points."""
    times, who = np.full(charts, np.inf), np.arange(charts)
    state = tuple(np.broadcast_to(a, (charts, *np.shape(a)[1:])).copy() for a in start)
    for t in range(most):
        state, signal = step(rng, t, state)
        if signal.any():
            times[who[signal]] = t + 1
            who, state = who[~signal], tuple(a[~signal] for a in state)
            if not who.size:
                break
    return times


# Points.


def normal(shift: float = 0.0) -> Values:
    """Draw measurements in standard errors from the centre line."""
    return lambda rng, _, charts: rng.standard_normal(charts) + shift


def binomial(births: Sequence[float], chance: float, *, counted: bool = False) -> Values:
    """Draw events over births that repeat, as proportions or as counts; no births, no point."""

    def values(rng: np.random.Generator, t: int, charts: int) -> Floats:
        n = births[t % len(births)]
        if n == 0:
            return np.full(charts, np.nan)
        return rng.binomial(int(n), chance, charts) / (1.0 if counted else n)

    return values


def poisson(exposure: Sequence[float], rate: float, *, counted: bool = False) -> Values:
    """Draw events over exposures that repeat, as rates or as counts."""

    def values(rng: np.random.Generator, t: int, charts: int) -> Floats:
        n = exposure[t % len(exposure)]
        return rng.poisson(n * rate, charts) / (1.0 if counted else n)

    return values


def gaps(chance: float) -> Values:
    """Draw births from one event to the next, the birth with the event counted."""
    return lambda rng, _, charts: rng.geometric(chance, charts).astype(np.float64)


# Charts of points, by tests of zones.


Lines = Callable[[int, State], tuple[Any, Pair, Pair, Pair]]
"""From the point and what each chart has of its own: centre line and limits at one, two, three sigma."""


def fixed_lines(centre: Floats, *pairs: tuple[Floats, Floats]) -> Lines:
    """Give the lines of points that repeat, the same for all charts."""

    def lines(t: int, _: State) -> tuple[Any, Pair, Pair, Pair]:
        k = t % len(centre)
        one, two, three = ((low[k], high[k]) for low, high in pairs)
        return centre[k], one, two, three

    return lines


class Limits(NamedTuple):
    """A point beyond three sigma."""


class Row(NamedTuple):
    """So many points in a row on one side; points on the line end a row or are passed over."""

    length: int
    ties: str = "break"


class Several(NamedTuple):
    """So many of a full window beyond a number of sigmas.

    ``same``: "all" points of the window, those "beyond", or none ("any") lie on one side of the line.
    """

    points: int
    window: int
    sigmas: int
    same: str = "beyond"
    beyond_three: bool = True


class Near(NamedTuple):
    """So many in a row within one sigma."""

    length: int


class Far(NamedTuple):
    """So many in a row beyond one sigma, on both sides."""

    length: int


Rule = Limits | Row | Several | Near | Far


def zones(values: Values, lines: Lines, rules: Sequence[Rule], side: Side) -> Step:
    """Read points by tests of zones. State: levels of the last points, the row on one side, and their own.

    A level is 1 to 4 on either side of the line: how many limits a point lies beyond, and 1.
    """
    ties = next((rule.ties for rule in rules if isinstance(rule, Row)), "break")

    def step(rng: np.random.Generator, t: int, state: State) -> tuple[State, Bools]:
        seen, row, *own = state
        level = _level(values(rng, t, len(row)), *lines(t, tuple(own)))
        seen = np.concatenate([seen[:, 1:], level[:, None]], axis=1)
        row = _row(row, level, ties)
        signal = np.logical_or.reduce([_flagged(rule, seen, row, side) for rule in rules])
        return (seen, row, *own), signal

    return step


def zones_start(*own: Floats) -> State:
    """Give the state before the first point; ``own`` holds what each chart has of its own."""
    return (np.full((1, 15), NOT_SEEN, dtype=np.int8), np.zeros(1, dtype=np.int64), *own)


def _level(value: Floats, centre: npt.ArrayLike, *pairs: Pair) -> npt.NDArray[np.int8]:
    level = (value > centre).astype(np.int8) - (value < centre)
    for low, high in pairs:
        level += (value > high).astype(np.int8) - (value < low)
    level[np.isnan(value)] = NOT_SEEN
    return level


def _row(row: npt.NDArray[np.int64], level: npt.NDArray[np.int8], ties: str) -> npt.NDArray[np.int64]:
    """Count the points in a row on one side, below the line with a minus."""
    way = np.where(level == NOT_SEEN, 0, np.sign(level))
    longer = np.where(row * way > 0, row + way, way)
    kept = row if ties == "skip" else np.zeros_like(row)
    return np.where(level == 0, kept, longer)


def _flagged(rule: Rule, seen: npt.NDArray[np.int8], row: npt.NDArray[np.int64], side: Side) -> Bools:
    """Say of which charts the last point completes a pattern."""
    ways = WAYS[side]
    if isinstance(rule, Limits):
        return np.isin(seen[:, -1], [4 * way for way in ways])
    if isinstance(rule, Row):
        return np.logical_or.reduce([way * row >= rule.length for way in ways])
    if isinstance(rule, Several):
        return _several(rule, seen[:, -rule.window :], ways)
    last = np.abs(seen[:, -rule.length :])
    full = (last != NOT_SEEN).all(axis=1)
    if isinstance(rule, Near):
        return full & (last <= 1).all(axis=1)
    signs = np.sign(seen[:, -rule.length :])
    return full & (last >= 2).all(axis=1) & (signs.min(axis=1) < 0) & (signs.max(axis=1) > 0)


def _several(rule: Several, last: npt.NDArray[np.int8], ways: tuple[int, ...]) -> Bools:
    full = (last != NOT_SEEN).all(axis=1)
    far = (np.abs(last) > rule.sigmas) & (rule.beyond_three | (np.abs(last) < 4))
    number = [(far & (np.sign(last) == way)).sum(axis=1) for way in ways]
    if rule.same == "any":
        return full & (sum(number) >= rule.points)
    if rule.same == "all":
        number = [n * (np.sign(last) == way).all(axis=1) for n, way in zip(number, ways, strict=True)]
    return full & (np.maximum.reduce(number) >= rule.points)


# Runs of the whole series so far.


def anhoej(low: float, high: float, *, first: int, longest: bool, crossings: bool, every: int = 0) -> Step:
    """Read the longest run and crossings after every point; points that are left lie beyond the limits.

    State: points, side of the last, length of its run, longest run and crossings. Every so many points one is
    missing. Limits: round(log2 n) + 3, and the 5 % quantile of crossings of n - 1 fair coins.
    """
    n = np.arange(1, 2001)
    most = np.rint(np.log2(n)) + 3
    fewest = np.where(n > 1, stats.binom.ppf(0.05, np.maximum(n - 1, 1), 0.5), 0)

    def step(rng: np.random.Generator, t: int, state: State) -> tuple[State, Bools]:
        points, last, run, top, crossed = state
        if every and t % every == every - 1:
            return state, np.zeros(len(points), dtype=bool)
        u = rng.random(len(points))
        now = np.where(u < low, -1, 1)
        crossed = crossed + (now * last < 0)
        run = np.where(now == last, run + 1, 1)
        top, points = np.maximum(top, run), points + 1
        broken = (longest & (top > most[points - 1])) | (crossings & (crossed < fewest[points - 1]))
        return (points, now, run, top, crossed), (u >= low + high) | (broken & (points >= first))

    return step


def anhoej_start() -> State:
    """Give the state before the first point."""
    return tuple(np.zeros(1, dtype=np.int64) for _ in range(5))


# Sums and averages.


def tabular_cusum(shift: float, k: float, h: float, side: Side) -> Step:
    """Add up standardised points, less k, on either side: a signal lies strictly beyond h."""

    def step(rng: np.random.Generator, t: int, state: State) -> tuple[State, Bools]:
        z = rng.standard_normal(len(state[0])) + shift
        arms = tuple(np.maximum(0, arm + way * z - k) for way, arm in zip((-1, 1), state, strict=True))
        return arms, _any(side, *(arm > h for arm in arms))

    return step


def count_cusum(
    sizes: Sequence[float], chance: float, actual: float, ratio: float, h: float, side: Side, *, poisson: bool
) -> Step:
    """Add up log likelihood ratios of counts, for R times the odds (the rate) and for 1 / R of them."""

    def step(rng: np.random.Generator, t: int, state: State) -> tuple[State, Bools]:
        n, charts = sizes[t % len(sizes)], len(state[0])
        x = rng.poisson(n * actual, charts) if poisson else rng.binomial(int(n), actual, charts)
        arms = []
        for arm, r in zip(state, (1 / ratio, ratio), strict=True):
            taken = n * chance * (r - 1) if poisson else n * np.log(1 - chance + r * chance)
            arms.append(np.maximum(0, arm + x * np.log(r) - taken))
        return tuple(arms), _any(side, *(arm >= h - 1e-9 for arm in arms))

    return step


def bernoulli_cusum(chance: float, actual: float, ratio: float, h: float) -> Step:
    """Add up the log likelihood ratio of one arm birth by birth; a ratio below 1 looks for fewer events."""
    other = -np.log(1 - chance + ratio * chance)
    event = other + np.log(ratio)

    def step(rng: np.random.Generator, t: int, state: State) -> tuple[State, Bools]:
        had = rng.random(len(state[0])) < actual
        arm = np.maximum(0, state[0] + np.where(had, event, other))
        return (arm,), arm >= h - 1e-9

    return step


def score_cusum(actual: float, event: int, other: int, h: int) -> Step:
    """Add up whole-number scores birth by birth."""

    def step(rng: np.random.Generator, t: int, state: State) -> tuple[State, Bools]:
        arm = np.maximum(0, state[0] + np.where(rng.random(len(state[0])) < actual, event, other))
        return (arm,), arm >= h

    return step


def ewma(
    values: Values,
    centre: float,
    variance: Sequence[float],
    weight: float,
    width: float,
    *,
    exact: bool,
    side: Side,
) -> Step:
    """Average points exponentially; limits by the variance of the average, recursively or as it gets.

    State: the average and its variance so far. ``variance`` holds those of the points that repeat.
    """
    settled = 0.0
    for _ in range(1000):
        for one in variance:
            settled = weight**2 * one + (1 - weight) ** 2 * settled
    late = []
    for one in variance:
        settled = weight**2 * one + (1 - weight) ** 2 * settled
        late.append(settled)

    def step(rng: np.random.Generator, t: int, state: State) -> tuple[State, Bools]:
        average, spread = state
        y = values(rng, t, len(average))
        average = weight * y + (1 - weight) * average
        spread = weight**2 * variance[t % len(variance)] + (1 - weight) ** 2 * spread
        limit = width * np.sqrt(spread if exact else late[t % len(late)])
        return (average, spread), _any(side, average < centre - limit, average > centre + limit)

    return step


def _any(side: Side, low: Bools, high: Bools) -> Bools:
    return {"low": low, "high": high, "both": low | high}[side]


# Gaps between events.


def gap_births(
    chance: float, lower: float, upper: float, rng: np.random.Generator, charts: int, *, open_gap: bool
) -> tuple[Floats, Floats]:
    """Draw gaps until one is too short or too long; give the events, and the births, until then."""
    seen_at = np.floor(upper) + 1 if open_gap else np.inf
    return _until(lambda size: rng.geometric(chance, size).astype(np.float64), lower, upper, charts, seen_at)


def gap_times(
    rate: float, lower: float, upper: float, rng: np.random.Generator, charts: int, *, open_time: bool
) -> tuple[Floats, Floats]:
    """Draw times between events until one is too short or too long; give the events, and the time."""
    return _until(
        lambda size: rng.exponential(1 / rate, size), lower, upper, charts, upper if open_time else np.inf
    )


def _until(
    draw: Callable[[int], Floats], lower: float, upper: float, charts: int, seen_at: float
) -> tuple[Floats, Floats]:
    """Add gaps up; one that is too long is seen when it reaches ``seen_at``."""
    events, waited, who = np.zeros(charts), np.zeros(charts), np.arange(charts)
    while who.size:
        gap = draw(who.size)
        events[who] += 1
        waited[who] += np.where(gap > upper, np.minimum(gap, seen_at), gap)
        who = who[~((gap > upper) | (gap < lower))]
    return events, waited
