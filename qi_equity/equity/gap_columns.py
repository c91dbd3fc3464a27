"""Differences and ratios between each group and what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qi_equity.data.cells import Bools, Floats
from qi_equity.data.reference import Against, orientation
from qi_equity.data.spans import Spans
from qi_equity.equity.intervals import DIFFERENCES, ODDS_RATIOS, RATIOS, Function, Names, default_name
from qi_equity.equity.rates import exposure_of, interval_of
from qi_equity.formulas.interval import Interval

AS_MEASURED, WITHOUT_EVENT, REVERSED = "as measured", "without the event", "reversed"
SCALES = ("difference", "ratio", "odds_ratio")


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """Gaps of every stratum and span, arrays of shape (S, K); NaN for the reference itself.

    Parameters
    ----------
    difference, ratio, odds_ratio : Interval
        Positive, or above 1, where the group fares worse; as measured without a direction.
    reference_rate, reference_exposure : ndarray of float
        What the groups are compared with, as measured.
    orientation : str
        "as measured", "without the event" or "reversed".
    """

    difference: Interval
    ratio: Interval
    odds_ratio: Interval
    reference_rate: Floats
    reference_exposure: Floats
    orientation: str

    def columns(self) -> dict[str, Floats]:
        """Give the nine columns of the three scales."""
        return {
            name + suffix: getattr(getattr(self, name), part)
            for name in SCALES
            for suffix, part in (("", "estimate"), ("_lower", "lower"), ("_upper", "upper"))
        }


def gaps_of(spans: Spans, against: Against, options: Mapping[str, Any]) -> Gaps:
    """Reckon the gaps of every stratum and span."""
    exposure = _reference_exposure(spans, against)
    kind = spans.series.measure.kind
    if against.exact or kind == "mean":
        rate = against.value
    else:
        rate = np.full(exposure.shape, np.nan)
        np.divide(against.numerator, exposure, out=rate, where=exposure > 0)
    way = orientation(spans.series.measure)
    if against.exact:
        found = _from_target(spans, against, way, options["confidence"])
    else:
        found = _from_counts(spans, against, exposure, way, options)
    own = np.broadcast_to(against.is_reference[:, None], rate.shape)
    difference, ratio, odds = (_without(interval, own) for interval in found)
    return Gaps(difference, ratio, odds, rate, exposure, way)


def _from_counts(
    spans: Spans, against: Against, exposure: Floats, way: str, options: Mapping[str, Any]
) -> list[Interval]:
    """Compare two samples."""
    kind, cells = spans.series.measure.kind, spans.cells
    if kind == "mean":
        group: tuple[Floats, ...] = (cells.value, cells.sd, cells.denominator)
        reference: tuple[Floats, ...] = (against.value, against.sd, against.denominator)
    else:
        group, reference = (cells.numerator, exposure_of(spans)), (against.numerator, exposure)
    if way == WITHOUT_EVENT:
        group, reference = ((n - x, n) for x, n in (group, reference))
    if way == REVERSED:
        group, reference = reference, group
    intervals = []
    for scale, known in zip(SCALES, (DIFFERENCES, RATIOS, ODDS_RATIOS), strict=True):
        function = _named(known, kind, options[scale])
        if function is None:
            intervals.append(_nothing(exposure.shape))
        else:
            intervals.append(function(*group, *reference, confidence=options["confidence"]))
    return intervals


def _named(known: Names, kind: str, name: str | None) -> Function | None:
    return None if name is None else known[kind][name]


def _from_target(spans: Spans, against: Against, way: str, confidence: float) -> list[Interval]:
    """Compare with a number, which has no sampling error: the interval of the rate, moved and scaled."""
    kind, target = spans.series.measure.kind, against.value
    interval = interval_of(spans, default_name(kind), confidence)
    ends = (interval.estimate, interval.lower, interval.upper)
    with np.errstate(divide="ignore", invalid="ignore"):
        if way == REVERSED:
            rate, lower, upper = ends
            difference = Interval(target - rate, target - upper, target - lower)
            return [difference, Interval(target / rate, target / upper, target / lower), _nothing(rate.shape)]
        if way == WITHOUT_EVENT:
            ends, target = (1 - ends[0], 1 - ends[2], 1 - ends[1]), 1 - target
        difference, ratio = (
            Interval(*(end - target for end in ends)),
            Interval(*(end / target for end in ends)),
        )
        if kind != "proportion":
            return [difference, ratio, _nothing(target.shape)]
        odds = target / (1 - target)
        return [difference, ratio, Interval(*(end / (1 - end) / odds for end in ends))]


def _reference_exposure(spans: Spans, against: Against) -> Floats:
    """Give what the events of the reference are counted over: births, or for counts its periods."""
    if spans.series.measure.kind != "count" or against.exact:
        return against.denominator
    return np.where(against.n_periods > 0, against.n_periods, np.nan)


def _without(interval: Interval, where: Bools) -> Interval:
    """Blank the gaps of the reference with itself."""
    parts = (interval.estimate, interval.lower, interval.upper)
    return Interval(*(np.where(where, np.nan, part) for part in parts))


def _nothing(shape: tuple[int, ...]) -> Interval:
    nothing = np.full(shape, np.nan)
    return Interval(nothing, nothing, nothing)
