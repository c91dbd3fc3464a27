"""How each gap changed, on every scale, from the changes of the group and of its reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qi_equity.change.estimate import SCALES, Effects, exponential
from qi_equity.change.verdicts import Words, gap_verdict
from qi_equity.formulas.gap_change import one_less_another
from qi_equity.formulas.interval import Interval

__all__ = ["GapEffects", "gap_effects"]


@dataclass(frozen=True, slots=True, eq=False)
class GapEffects:
    """The gap of every stratum on one scale, arrays of shape (..., K).

    Parameters
    ----------
    before, after : Interval
        The gap that there would have been, and the gap after the change: differences (0 is no gap) or ratios
        (1 is no gap), group against reference, adverse.
    change : Interval
        How much it moved: difference of the differences, or ratio of the ratios.
    verdict : ndarray of str
        What that says.
    """

    before: Interval
    after: Interval
    change: Interval
    verdict: Words


def gap_effects(
    group: Effects, reference: Effects, meaningful: float, *, reverse: bool = False
) -> dict[str, GapEffects]:
    """Set the changes of groups against those of their references, which are other births.

    The intervals add the squares of the distances of the two (on the log scale for ratios): the variance of a
    gap is the sum of its two groups'. Where a ratio is 0 or infinite, for want of events, the distances are
    added, which is wider. A meaningful change of a difference is one as large as a meaningful change of the
    group's own rate would make. ``reverse`` says that rates are of what is wanted, so that the lower one is
    the worse.
    """
    return {scale: _on_scale(scale, group, reference, meaningful, reverse) for scale in SCALES}


def _on_scale(scale: str, group: Effects, reference: Effects, meaningful: float, reverse: bool) -> GapEffects:
    def on(interval: Interval) -> Interval:
        return interval if scale == "difference" else _log(interval)

    def rate(effects: Effects, when: str) -> Interval:
        found: Interval = getattr(effects, when)
        value = on(_odds(found, effects) if scale == "odds_ratio" else found)
        return Interval(-value.estimate, -value.upper, -value.lower) if reverse else value

    own, other = on(getattr(group, scale)), on(getattr(reference, scale))
    before, after = (one_less_another(rate(group, w), rate(reference, w)) for w in ("before", "after"))
    change = one_less_another(own, other)
    size = (1 - meaningful) * group.before.estimate if scale == "difference" else -np.log(meaningful)
    margin = np.broadcast_to(size, change.estimate.shape)
    verdict = gap_verdict(before, after, change, own.estimate, other.estimate, margin)
    if scale == "difference":
        return GapEffects(before, after, change, verdict)
    return GapEffects(exponential(before), exponential(after), exponential(change), verdict)


def _log(interval: Interval) -> Interval:
    with np.errstate(divide="ignore", invalid="ignore"):
        return Interval(np.log(interval.estimate), np.log(interval.lower), np.log(interval.upper))


def _odds(rate: Interval, effects: Effects) -> Interval:
    """Give the odds of a proportion; NaN for a rate or a mean, which has none."""
    proportion = ~np.isnan(effects.odds_ratio.lower)
    with np.errstate(divide="ignore"):
        ends = (rate.estimate, rate.lower, rate.upper)
        return Interval(*(np.where(proportion, end / (1 - end), np.nan) for end in ends))
