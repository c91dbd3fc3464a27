"""Counts of periods before and after a change, drawn with the same random numbers for every plan.

A count is the quantile of its own distribution at a random number that all plans share, so that more births,
a larger change or another period move a plan's counts and never change its luck.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from qi_equity.formulas._arrays import FloatArray, IntArray
from qi_equity.formulas._detectable import Kind

# Counts farther from their mean than this many standard deviations, and some more for small counts, have a
# chance below 1e-15.
_WIDTH, _EXTRA = 8.0, 30.0
_IRRATIONAL = np.sqrt([2.0, 3.0, 5.0, 7.0])
_SMALLEST = np.finfo(np.float64).eps
# Weights shorter than this are rounding: with one period on either side a line leaves nothing of a step.
_NOTHING = 1e-9


class Plan(NamedTuple):
    """Designs, arrays of shape (C,): births a period, both rates, and numbers of periods."""

    births: FloatArray
    before: FloatArray
    after: FloatArray
    periods_before: IntArray
    periods_after: IntArray

    def rows(self, index: slice | IntArray) -> Plan:
        """Give some of the designs."""
        first, last = self.periods_before[index], self.periods_after[index]
        return Plan(self.births[index], self.before[index], self.after[index], first, last)


class Months(NamedTuple):
    """Simulated periods, nearest to the change first on either side.

    ``events`` is of shape (C, D, T); ``size`` and ``segment`` (0 before, 1 after, -1 not in the design) of
    shape (C, 1, T), and ``time`` since the change of shape (T,).
    """

    events: FloatArray
    size: FloatArray
    segment: IntArray
    time: FloatArray


class Numbers(NamedTuple):
    """Normal random numbers of the periods of one side, shape (periods, D), and even ones, shape (D,)."""

    each: FloatArray
    even: FloatArray

    def along(self, direction: FloatArray) -> FloatArray:
        """Give uniform numbers of periods, shape (P, D, T), for directions of length 1, shape (P, T).

        The normal numbers are moved in the direction until they are as far along it as the even ones say.
        """
        each = self.each[: direction.shape[1]].T
        far = self.even - direction @ each.T
        return np.asarray(special.ndtr(each + far[..., None] * direction[:, None]))


def random_numbers(plan: Plan, draws: int, seed: int, series: int = 0) -> tuple[Numbers, Numbers]:
    """Draw the numbers of the periods before and after of one of the series that are simulated together.

    What most depends on, such as the mean of a side's periods, is spread evenly over its distribution, and
    evenly against that of the other sides: by multiples of irrational numbers, from a random start. It does
    not depend on what is left of independent normal numbers without it, so the counts stay independent.

    References
    ----------
    .. [1] Richtmyer. The evaluation of definite integrals, and a quasi-Monte-Carlo method based on the
       properties of algebraic numbers. Los Alamos report LA-1342, 1951.
    """
    sides = []
    for side, periods in enumerate((plan.periods_before, plan.periods_after)):
        stream = np.random.default_rng((seed, series, side))
        even = stream.random() + np.arange(draws) * _IRRATIONAL[2 * series + side]
        even = special.ndtri(np.clip(even % 1, _SMALLEST, 1 - _SMALLEST))
        sides.append(Numbers(stream.standard_normal((int(periods.max(initial=1)), draws)), even))
    return sides[0], sides[1]


def draw_months(plan: Plan, numbers: tuple[Numbers, Numbers], kind: Kind, *, trend: bool = False) -> Months:
    """Draw the counts of all designs (whose births and rates are known), spread evenly for their model."""
    parts = []
    lengths, row = np.unique([plan.periods_before, plan.periods_after], axis=1, return_inverse=True)
    directions = _directions(lengths[0], lengths[1], trend=trend)
    sides = (plan.before, plan.periods_before), (plan.after, plan.periods_after)
    for side, (of_side, (rate, periods)) in enumerate(zip(numbers, sides, strict=True)):
        place = np.arange(int(periods.max(initial=1)))
        size = _births_of(plan.births[:, None], place, kind)
        u = of_side.along(directions[side])[row.ravel()]
        events = _quantiles(u, size, rate[:, None], kind)
        inside = place < periods[:, None]
        parts.append((events, size, np.where(inside, side, -1), place if side else -1 - place))
    events, size, segment, time = (np.concatenate(p, axis=-1) for p in zip(*parts, strict=True))
    return Months(events, size[:, None], segment[:, None], time.astype(np.float64))


def _directions(first: IntArray, last: IntArray, *, trend: bool) -> tuple[FloatArray, FloatArray]:
    """Give what the estimate of the change weighs the periods of either side by, scaled to a length of 1.

    Alike for levels; with a trend, the step less the line through all periods nearest to it.
    """
    parts = []
    places = [np.arange(int(n.max(initial=1))) for n in (first, last)]
    inside = [place < n[:, None] for place, n in zip(places, (first, last), strict=True)]
    both = (first + last)[:, None].astype(np.float64)
    slope = 6 * (first * last)[:, None] / (both * np.maximum(both**2 - 1, 1))
    middle = (last - first - 1)[:, None] / 2
    for side, (place, here) in enumerate(zip(places, inside, strict=True)):
        time = place if side else -1 - place
        step = side - last[:, None] / both - slope * (time - middle)
        weight = np.where(here, step if trend else 1.0, 0.0)
        length = np.sqrt((weight**2).sum(axis=-1, keepdims=True))
        plain = here / np.sqrt(here.sum(axis=-1, keepdims=True))
        parts.append(np.where(length > _NOTHING, weight / np.where(length > _NOTHING, length, 1.0), plain))
    return parts[0], parts[1]


def _births_of(births: FloatArray, place: IntArray, kind: Kind) -> FloatArray:
    """Share births out over periods; as whole births, whose sum is as near as can be, for proportions."""
    if kind == "rate":
        return np.broadcast_to(births, (len(births), place.size))
    whole = np.floor(births * np.arange(place.size + 1) + 0.5)
    return np.asarray(np.diff(whole, axis=-1))


def _quantiles(u: FloatArray, size: FloatArray, rate: FloatArray, kind: Kind) -> FloatArray:
    """Give the counts at random numbers (C, D, T) for sizes (C, T) and rates (C, 1), shape (C, D, T).

    The distinct distributions are laid end to end in one ordered table, each lifted by 1 above the one
    before it, in which all counts are looked up at once.
    """
    cells = np.broadcast_to(np.arange(len(size))[:, None], size.shape)
    keys, row = np.unique(np.stack([cells.ravel(), size.ravel()]), axis=1, return_inverse=True)
    n, p = keys[1][:, None], rate[keys[0].astype(np.int64)]
    mean = n * p
    reach = _WIDTH * np.sqrt(mean) + _EXTRA
    low = np.floor(np.maximum(mean - reach, 0))
    count = low + np.arange(int(np.ceil((mean + reach - low).max(initial=1))) + 1)
    if kind == "rate":
        chance = special.pdtr(count, mean)
    else:
        inside, whole = count < n, np.maximum(n, 1).astype(np.int64)
        chance = np.where(inside, special.bdtr(np.where(inside, count, 0.0), whole, p), 1.0)
    width = count.shape[1]
    row = row.reshape(size.shape)[:, None]
    table = (chance + np.arange(len(chance))[:, None]).ravel()
    found = np.searchsorted(table, u + row) - row * width
    return np.asarray(low[:, 0][row] + np.minimum(found, width - 1))
