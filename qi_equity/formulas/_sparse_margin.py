"""From an odds or rate ratio, given the total of events, to the two rates and back to other scales."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas.interval import Interval

Rates = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
Contrast = Callable[[FloatArray, FloatArray], FloatArray]


class Total(NamedTuple):
    """All events of both, with the ends of their interval."""

    events: FloatArray
    least: FloatArray
    most: FloatArray


def proportions(n: FloatArray, n0: FloatArray) -> Rates:
    """Give the function from odds ratios, 0 and infinity too, and totals of events to both proportions."""

    def both(odds_ratio: FloatArray, events: FloatArray) -> tuple[FloatArray, FloatArray]:
        # Of the two, the one with fewer events than its share has the root without a loss of digits.
        turned = odds_ratio > 1
        psi = np.where(turned, 1 / odds_ratio, odds_ratio)
        few, many = np.where(turned, n0, n), np.where(turned, n, n0)
        b = many - events + psi * (few + events)
        # b^2 + 4 psi (1 - psi) few events, as a sum of terms that are all positive.
        square = (
            (many - events) ** 2
            + 2 * psi * (few * many + events * (few + many - events))
            + psi**2 * (few - events) ** 2
        )
        root = np.sqrt(square)
        own = np.where(b > 0, 2 * psi * few * events / (b + root), (root - b) / (2 * (1 - psi)))
        one, other = own / few, (events - own) / many
        return np.where(turned, other, one), np.where(turned, one, other)

    return both


def rates(e: FloatArray, e0: FloatArray) -> Rates:
    """Give the function from rate ratios and totals of events to both rates."""

    def both(rate_ratio: FloatArray, events: FloatArray) -> tuple[FloatArray, FloatArray]:
        turned = rate_ratio > 1
        theta = np.where(turned, 1 / rate_ratio, rate_ratio)
        few, many = np.where(turned, e0, e), np.where(turned, e, e0)
        base = events / (theta * few + many)
        return np.where(turned, base, theta * base), np.where(turned, theta * base, base)

    return both


def carried(ratio: Interval, total: Total, rates_at: Rates, contrast: Contrast) -> Interval:
    """Carry the interval of an odds or rate ratio to a contrast of the two rates.

    The distance of either end from the estimate is made of two, squared and added: to where the ratio is at
    its end, and to where the total is at its own. The end does not go beyond the corner, where both are:
    there the contrast still is on the same side of no change as the ratio.
    """

    def at(psi: FloatArray, events: FloatArray) -> FloatArray:
        return contrast(*rates_at(psi, events))

    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.isnan(ratio.lower) | ~np.isnan(ratio.estimate)
        middle = np.where(known, ratio.estimate, 1.0)
        estimate = at(middle, total.events)
        ends = []
        for end, outer, sign in ((ratio.lower, np.fmin, -1), (ratio.upper, np.fmax, 1)):
            here = at(end, total.events)
            corner = outer(here, outer(at(end, total.least), at(end, total.most)))
            far = outer(at(middle, total.least), at(middle, total.most))
            distance = np.hypot(here - estimate, far - estimate)
            inner = np.fmin if sign > 0 else np.fmax
            usable = known & np.isfinite(estimate)
            ends.append(np.where(usable, inner(estimate + sign * distance, corner), corner))
    return Interval(estimate, *ends)


def difference(one: FloatArray, other: FloatArray) -> FloatArray:
    """Give one rate less the other."""
    return one - other


def log_ratio(one: FloatArray, other: FloatArray) -> FloatArray:
    """Give the logarithm of one rate over the other."""
    return np.log(one) - np.log(other)
