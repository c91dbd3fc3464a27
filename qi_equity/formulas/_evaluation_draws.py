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


def random_numbers(plan: Plan, draws: int, seed: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Draw the numbers of the periods before and after, shape (periods, draws).

    Those of a period do not depend on how many other periods there are.
    """
    streams = np.random.default_rng(seed).spawn(2)
    longest = (int(p.max(initial=1)) for p in (plan.periods_before, plan.periods_after))
    before, after = (s.random((n, draws)) for s, n in zip(streams, longest, strict=True))
    return before, after


def draw_months(plan: Plan, numbers: tuple[FloatArray, FloatArray], kind: Kind) -> Months:
    """Draw the counts of all designs (whose births and rates are known)."""
    parts = []
    sides = (plan.before, plan.periods_before), (plan.after, plan.periods_after)
    for side, (u, (rate, periods)) in enumerate(zip(numbers, sides, strict=True)):
        place = np.arange(int(periods.max(initial=1)))
        size = _births_of(plan.births[:, None], place, kind)
        events = _quantiles(u[: place.size].T, size, rate[:, None], kind)
        inside = place < periods[:, None]
        parts.append((events, size, np.where(inside, side, -1), place if side else -1 - place))
    events, size, segment, time = (np.concatenate(p, axis=-1) for p in zip(*parts, strict=True))
    return Months(events, size[:, None], segment[:, None], time.astype(np.float64))


def _births_of(births: FloatArray, place: IntArray, kind: Kind) -> FloatArray:
    """Share births out over periods; as whole births, whose sum is as near as can be, for proportions."""
    if kind == "rate":
        return np.broadcast_to(births, (len(births), place.size))
    whole = np.floor(births * np.arange(place.size + 1) + 0.5)
    return np.asarray(np.diff(whole, axis=-1))


def _quantiles(u: FloatArray, size: FloatArray, rate: FloatArray, kind: Kind) -> FloatArray:
    """Give the counts at random numbers (D, T) for sizes (C, T) and rates (C, 1), shape (C, D, T).

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
