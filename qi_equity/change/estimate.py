"""What every way of estimating a change returns."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from qi_equity.data.cells import Bools, Floats
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.level_change import choose, inflation, t_of, two_sided_p

__all__ = ["SCALES", "Effects", "around", "choose", "exponential", "inflation", "t_of", "two_sided_p"]

SCALES = ("difference", "ratio", "odds_ratio")


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """The changes of many strata; arrays of shape (..., K), one column a change.

    Everything is of the adverse outcome: a difference below 0 and a ratio below 1 are improvements.

    Parameters
    ----------
    before : Interval
        The rate that there would have been after the change, had the level before it gone on (with its trend
        and season, if the model has them).
    after : Interval
        The fitted rate after the change.
    difference, ratio, odds_ratio : Interval
        After against before; the odds ratio is NaN where the measure is no proportion.
    p : ndarray of float
        Two-sided p-value of no change in the ratio (for means not above 0, which have none, in the
        difference).
    dispersion : ndarray of float
        Dispersion of the stratum with which the intervals were made, >= 1 (for means: standard deviation).
    df : ndarray of float
        Degrees of freedom of the t quantile; infinite where there are too few periods to know dispersion.
    exact : ndarray of bool
        Whether the interval of the change is exact, because a cell is too small for a model.
    """

    before: Interval
    after: Interval
    difference: Interval
    ratio: Interval
    odds_ratio: Interval
    p: Floats
    dispersion: Floats
    df: Floats
    exact: Bools

    def reversed(self) -> Effects:
        """Turn round the changes of a measure of which more is better: below 0, or 1, is then improvement."""
        change, ratio = self.difference, self.ratio
        with np.errstate(divide="ignore"):
            turned = Interval(1 / ratio.estimate, 1 / ratio.upper, 1 / ratio.lower)
        return replace(
            self, difference=Interval(-change.estimate, -change.upper, -change.lower), ratio=turned
        )

    def without_ratio(self) -> Bools:
        """Tell which changes have a difference but no ratio: those of means that are not above 0."""
        return np.isfinite(self.difference.lower) & np.isnan(self.ratio.lower) & np.isnan(self.ratio.upper)

    def take(self, index: Any) -> Effects:
        """Give the strata of an index into the first axis."""
        parts: dict[str, Any] = {f.name: _part(getattr(self, f.name), index) for f in fields(self)}
        return Effects(**parts)


def _part(value: Any, index: Any) -> Any:
    if isinstance(value, Interval):
        return Interval(value.estimate[index], value.lower[index], value.upper[index])
    return value[index]


def around(estimate: Floats, error: Floats, t: Floats) -> Interval:
    """Give the interval of an estimate with a standard error."""
    return Interval(estimate, estimate - t * error, estimate + t * error)


def exponential(log: Interval) -> Interval:
    """Take an interval back from the logarithmic scale; ends too large to hold are infinite."""
    with np.errstate(over="ignore"):
        return Interval(np.exp(log.estimate), np.exp(log.lower), np.exp(log.upper))
