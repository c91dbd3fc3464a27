"""The words for what an interval says: of a stratum's change, of a gap's change, and beyond the trend."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.holm import holm
from qi_equity.formulas.interval import Interval

__all__ = [
    "BEYOND",
    "GAP_VERDICTS",
    "IMPROVED",
    "NOT_VISIBLE",
    "NO_CHANGE",
    "VERDICTS",
    "WORSENED",
    "beyond_trend",
    "change_verdict",
    "family_verdict",
    "gap_verdict",
]

Words = NDArray[Any]

IMPROVED, WORSENED, ROSE, FELL = "improved", "worsened", "rose", "fell"
NO_CHANGE, NOT_VISIBLE = "no meaningful change", "not yet visible"
VERDICTS = (IMPROVED, WORSENED, ROSE, FELL, NO_CHANGE, NOT_VISIBLE)

NARROWED, WIDENED, REVERSED = "narrowed", "widened", "reversed"
LEVELLED_DOWN = "narrowed because the reference worsened"
GROUP_WORSENED = "narrowed because the group worsened"
GAP_VERDICTS = (NARROWED, LEVELLED_DOWN, GROUP_WORSENED, WIDENED, REVERSED, NO_CHANGE, NOT_VISIBLE)

BEYOND = ("yes", "no", "cannot tell")


def change_verdict(ratio: Interval, meaningful: float, *, directed: bool = True) -> Words:
    """Say what the interval of a ratio (after over before, adverse) shows.

    In this order: wholly below 1: improved; wholly above 1: worsened; wholly within ``meaningful`` and its
    reciprocal: no meaningful change; else not yet visible. Without a direction: fell, rose.
    """
    better, worse = (IMPROVED, WORSENED) if directed else (FELL, ROSE)
    known = np.isfinite(ratio.lower) & ~np.isnan(ratio.upper)
    inside = (ratio.lower >= meaningful) & (ratio.upper <= 1 / meaningful)
    return np.select(
        [known & (ratio.upper < 1), known & (ratio.lower > 1), known & inside],
        [better, worse, NO_CHANGE],
        NOT_VISIBLE,
    )


def family_verdict(
    verdict: Words, ratio: Interval, p: Floats, declared: Bools, meaningful: float, level: float
) -> tuple[Words, Floats]:
    """Give the verdicts that hold for all declared strata together, and Holm's p-values.

    A change that does not survive is "no meaningful change" where its interval says so, else "not yet
    visible". Strata that are not declared are judged each by itself; the last axis is the family.
    """
    adjusted = holm(p, counted=declared, axis=-1)
    changed = np.isin(verdict, (IMPROVED, WORSENED, ROSE, FELL))
    inside = (ratio.lower >= meaningful) & (ratio.upper <= 1 / meaningful)
    lost = declared & changed & ~(adjusted < level)
    return np.where(lost, np.where(inside, NO_CHANGE, NOT_VISIBLE), verdict), adjusted


def beyond_trend(change: Interval, step: Interval, meaningful: float) -> Words:
    """Say whether a change stands apart from trend and season, by its step in the model that has both.

    "yes" where the interval of the step lies wholly on that side of 1 on which the change is; "no" where it
    leaves out every meaningful step to that side; else "cannot tell".
    """
    fell = change.estimate <= 1
    apart = np.where(fell, step.upper < 1, step.lower > 1)
    nothing = np.where(fell, step.lower >= meaningful, step.upper <= 1 / meaningful)
    known = np.isfinite(step.lower) & np.isfinite(step.upper) & ~np.isnan(change.estimate)
    return np.select([known & apart, known & nothing], BEYOND[:2], BEYOND[2])


def gap_verdict(
    before: Interval, after: Interval, change: Interval, own: Floats, reference: Floats, margin: Floats
) -> Words:
    """Say what happened to a gap, on a scale on which no gap is 0 (ratios as logarithms).

    Parameters
    ----------
    before, after, change : Interval
        The gap (group less reference, adverse), and how much it moved.
    own, reference : ndarray of float
        Change of the group and of the reference on the same scale; their difference is the gap's.
    margin : ndarray of float
        Size of the smallest meaningful change of the gap, > 0.

    Returns
    -------
    ndarray of str
        In this order. "narrowed" where the interval of the change lies wholly on the side of no gap, and the
        gap ends nearer to no gap than it began, and not visibly (by its interval) on the other side. If at
        least half of the narrowing is because the side that fared better worsened, that is said. "reversed"
        where it is visibly on the other side, from a gap that was visible, or as large. "widened" where it
        moved away from no gap, or none was visible and one is. "no meaningful change" where the interval of
        the change is within the margin, and does not hold the closing of a gap that was visible. A gap that
        moved visibly, but no one can tell where to, is "not yet visible".
    """
    began = np.where(before.estimate == 0, change.estimate, before.estimate)
    side = np.where(began >= 0, 1.0, -1.0)
    low, high = _towards(change, side)
    shown, beyond = _towards(before, side)[0] > 0, _towards(after, side)[1] < 0
    known = ~np.isnan(low) & ~np.isnan(high) & ~np.isnan(before.estimate)
    # A ratio of 0 or infinity, because there was no event, is no gap that is known to be large.
    nearer = (np.abs(after.estimate) <= np.abs(before.estimate)) | np.isinf(after.estimate)
    closing = known & (high < 0)
    narrowed = closing & nearer & ~beyond
    # The side that fared better before: the reference where the gap was above 0, else the group.
    lost = np.where(side > 0, reference, own)
    gained = -np.where(side > 0, own, reference)
    down = narrowed & (lost > 0) & ~(gained > lost)
    # Of a gap that was there, no change that holds its closing is too small to matter.
    closes = shown & (low <= -np.abs(before.estimate))
    inside = (low >= -margin) & (high <= margin) & ~closes
    turned = closing & beyond & (shown | nearer)
    return np.select(
        [
            down & (side > 0),
            down,
            narrowed,
            turned,
            known & ((low > 0) | (closing & beyond)),
            known & inside,
        ],
        [LEVELLED_DOWN, GROUP_WORSENED, NARROWED, REVERSED, WIDENED, NO_CHANGE],
        NOT_VISIBLE,
    )


def _towards(interval: Interval, side: Floats) -> tuple[Floats, Floats]:
    """Give the ends of an interval, turned so that the gap was above 0."""
    return (
        np.where(side > 0, interval.lower, -interval.upper),
        np.where(side > 0, interval.upper, -interval.lower),
    )
