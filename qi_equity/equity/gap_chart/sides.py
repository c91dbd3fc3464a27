"""Group and reference side by side in every period, turned so that more is worse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qi_equity.data.cells import MISSING, OBSERVED, PROVISIONAL, SUPPRESSED, Cells
from qi_equity.data.measure import Measure
from qi_equity.data.reference import Against, orientation
from qi_equity.errors import OptionError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Counts or means of one side; arrays (S, T) or sums (S, 1), NaN where not known.

    ``size`` is infinite where the rate has no sampling error. ``events`` are those that are worse to have
    (births without the event, where more of it is better); of means there are none.
    """

    events: FloatArray
    size: FloatArray
    value: FloatArray
    sd: FloatArray

    def pooled(self, where: BoolArray) -> Side:
        """Sum the periods where it is allowed, shape (S, 1); rates of sums, never means of rates."""
        used = where & np.isfinite(self.value)
        size = np.where(used, self.size, 0.0).sum(axis=1, keepdims=True)
        fixed = np.isinf(size)
        events = np.where(used, self.events, 0.0).sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = np.where(used & ~np.isinf(self.size), self.size, 0.0) / np.where(size > 0, size, np.nan)
            mean = np.where(used, weight * self.value, 0.0).sum(axis=1, keepdims=True)
            mean = np.where(np.isnan(events), mean, events / size)
        first = np.where(used, self.value, -np.inf).max(axis=1, initial=-np.inf, keepdims=True)
        value = np.where(fixed, first, np.where(size > 0, mean, np.nan))
        return Side(events, np.where(size > 0, size, np.nan), value, self._pooled_sd(used, value))

    def within(self, where: BoolArray) -> FloatArray:
        """Pool the standard deviations within the periods, shape (S, 1)."""
        used = where & np.isfinite(self.sd) & (self.size > 1) & np.isfinite(self.size)
        spare = np.where(used, self.size - 1, 0.0)
        squares = (spare * np.where(used, self.sd, 0.0) ** 2).sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.sqrt(squares / spare.sum(axis=1, keepdims=True)))

    def _pooled_sd(self, used: BoolArray, mean: FloatArray) -> FloatArray:
        """Give the standard deviation of all values about their common mean."""
        own = np.where(used & np.isfinite(self.size), self.size, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            inside = np.where(own > 1, (own - 1) * np.where(own > 1, self.sd, 0.0) ** 2, 0.0)
            about = np.where(own > 0, own * (np.where(own > 0, self.value, 0.0) - mean) ** 2, 0.0)
            total = own.sum(axis=1, keepdims=True)
            return np.asarray(np.sqrt((inside + about).sum(axis=1, keepdims=True) / (total - 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Group and reference of S strata in T periods.

    ``kind`` is that of the measure, ``flipped`` says that a gap is reckoned as reference less (or over)
    group: more is better, and yet there is no "without the event". ``status`` is the worse of both.
    """

    group: Side
    reference: Side
    kind: str
    flipped: bool
    exact: bool
    status: npt.NDArray[np.int8]

    @property
    def seen(self) -> BoolArray:
        """Points of which both sides are final, shape (S, T)."""
        both = np.isfinite(self.group.value) & np.isfinite(self.reference.value)
        return np.asarray(both & (self.status == OBSERVED))

    @property
    def counted(self) -> bool:
        """Whether events are counted, rather than values measured."""
        return self.kind != "mean"

    def turned(self, gap: FloatArray, scale: str) -> FloatArray:
        """Turn a gap of group against reference so that more is worse."""
        if not self.flipped:
            return gap
        with np.errstate(divide="ignore"):
            return 1 / gap if scale == "ratio" else -gap

    def turned_ends(self, lower: FloatArray, upper: FloatArray, scale: str) -> tuple[FloatArray, FloatArray]:
        """Turn two limits, which change places."""
        if not self.flipped:
            return lower, upper
        return self.turned(upper, scale), self.turned(lower, scale)


def sides_of(cells: Cells, against: Against, measure: Measure) -> Sides:
    """Put the counts of each stratum beside those of its reference.

    Raises
    ------
    OptionError
        For counts without births: groups of different size have different counts whatever their care.
    """
    if measure.kind == "count":
        raise OptionError(
            f"A gap in {measure.name!r} is not possible: counts without births say which group is larger, "
            "not which fares worse; give the series a denominator (kind 'rate' or 'proportion')."
        )
    turn = orientation(measure)
    without = turn == "without the event"
    itself = against.is_reference[:, None]
    status = np.where(itself, cells.status, _worse(cells.status, against.status)).astype(np.int8)
    group = _side(without, cells.numerator, cells.denominator, cells.value, cells.sd)
    if against.exact:
        value = 1 - against.value if without else against.value
        endless = np.full(value.shape, np.inf)
        other = Side(np.zeros_like(value), endless, value, np.zeros_like(value))
    else:
        blocks = (against.numerator, against.denominator, against.value, against.sd)
        other = _side(without, *(np.where(itself, np.nan, block) for block in blocks))
    return Sides(group, other, measure.kind, turn == "reversed", against.exact, status)


def _side(without: bool, events: FloatArray, size: FloatArray, value: FloatArray, sd: FloatArray) -> Side:
    if without:
        events = size - events
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.where(size > 0, events / size, np.nan)
    return Side(events, size, value, sd)


def _worse(one: npt.NDArray[np.int8], other: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Give the status of two cells taken together."""
    out = np.full(one.shape, OBSERVED, dtype=np.int8)
    for status in (PROVISIONAL, MISSING, SUPPRESSED):
        out[(one == status) | (other == status)] = status
    return out
