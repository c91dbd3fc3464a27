"""How each side and their gap moved from phase to phase, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from qi_equity.data import periods
from qi_equity.data.cells import OBSERVED, SUPPRESSED
from qi_equity.equity.gap_chart.lines import phases_of
from qi_equity.equity.gap_chart.reasons import Moved, message, reasons
from qi_equity.equity.gap_chart.sides import Side
from qi_equity.formulas.gap_change import ratio_of_ratios, square_and_add
from qi_equity.formulas.interval import Interval
from qi_equity.formulas.mean_intervals import mean_interval
from qi_equity.formulas.proportion_intervals import wilson_interval
from qi_equity.formulas.rate_intervals import mid_p_rate_interval

if TYPE_CHECKING:
    from qi_equity.equity.gap_chart.state import GapState

FloatArray = npt.NDArray[np.float64]
Kind = Literal["proportion", "rate", "mean"]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Both sides of every stratum in every phase, shape (S, K)."""

    group: Side
    reference: Side


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """Rates, gaps and their changes as intervals of shape (S, K); a change is that from the phase before."""

    group: Interval
    reference: Interval
    difference: Interval
    ratio: Interval
    change: Interval
    relative_change: Interval
    reference_change: Interval
    reference_relative_change: Interval
    difference_change: Interval
    ratio_change: Interval


def movement_frame(chart: GapState) -> pd.DataFrame:
    """Give the frame that :meth:`GapChart.movement` describes."""
    sums, moved = movement_of(chart)
    row, phase = np.nonzero(_present(chart))
    own = chart._shown_mask[row]
    at = (row[own], phase[own])
    start, end = _ends(chart)
    columns = {
        "compared_with": np.asarray(chart.against.names, dtype=object)[at[0]],
        "phase": at[1].astype(np.int64) + 1,
        "start": start[at],
        "end": end[at],
    }
    for side, name in ((sums.group, ""), (sums.reference, "reference_")):
        counted = np.isfinite(side.size[at])
        for what, block in (("events", side.events), ("births", side.size)):
            columns[f"{name}{what}"] = np.where(counted, block[at], np.nan)
    for name, field in _COLUMNS.items():
        interval = getattr(moved, field)
        columns |= {
            name: interval.estimate[at],
            f"{name}_lower": interval.lower[at],
            f"{name}_upper": interval.upper[at],
        }
    said = words(chart)
    columns |= {name: said[name][at] for name in ("difference_moved", "ratio_moved", "message")}
    frame = chart.series.cells.strata.take(at[0]).reset_index(drop=True).assign(**columns)
    return frame.astype(dict.fromkeys(("compared_with", "difference_moved", "ratio_moved", "message"), "str"))


_COLUMNS = {
    "rate": "group",
    "reference_rate": "reference",
    "difference": "difference",
    "ratio": "ratio",
    "rate_change": "change",
    "rate_ratio": "relative_change",
    "reference_change": "reference_change",
    "reference_ratio": "reference_relative_change",
    "difference_change": "difference_change",
    "ratio_change": "ratio_change",
}


def movement_of(chart: GapState) -> tuple[Sums, Movement]:
    """Sum both sides over the phases and follow them."""
    return chart._cached("movement", lambda: _movement(chart))


def words(chart: GapState) -> dict[str, npt.NDArray[np.object_]]:
    """Say how each gap moved, in the words of ``reasons``; arrays of text (S, K)."""

    def compute() -> dict[str, npt.NDArray[np.object_]]:
        moved = movement_of(chart)[1]
        flipped, directed = chart._sides.flipped, chart.series.measure.better is not None
        way = -1 if flipped else 1
        own, other = (_visible(change) * way for change in (moved.change, moved.reference_change))
        difference = Moved(
            _before(moved.difference.estimate), moved.difference.estimate, _visible(moved.difference_change)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.log(moved.ratio.estimate)
        ratio = Moved(_before(log), log, _visible(moved.ratio_change, 1.0))
        names = {"difference_moved": difference, "ratio_moved": ratio}
        said = {name: reasons(gap, own, other, directed=directed) for name, gap in names.items()}
        said = {**said, "message": message(difference, ratio, **said)}
        # The reference has no gap: there is nothing to say of it, which is not the same as not knowing.
        itself = chart.against.is_reference[:, None]
        return {name: np.where(itself, "", text) for name, text in said.items()}

    return chart._cached("movement_words", compute)


def _movement(chart: GapState) -> tuple[Sums, Movement]:
    sides, level = chart._sides, chart.confidence
    kind: Kind = "mean" if sides.kind == "mean" else "proportion" if sides.kind == "proportion" else "rate"
    # A period counts for both sides or for neither; the reference itself has one side.
    both = np.isfinite(sides.group.value) & np.isfinite(sides.reference.value)
    known = (
        (sides.status == OBSERVED) & ~chart.timeline.excluded & (both | chart.against.is_reference[:, None])
    )
    sums = Sums(*(_summed(chart, side, known) for side in (sides.group, sides.reference)))
    own, other = (_rate(side, kind, level) for side in (sums.group, sums.reference))
    first, second = (other, own) if sides.flipped else (own, other)
    a, b = (sums.reference, sums.group) if sides.flipped else (sums.group, sums.reference)
    was = [_shifted(interval) for interval in (first, second)]
    return sums, Movement(
        group=own,
        reference=other,
        difference=square_and_add([first, second], [1, -1]),
        ratio=_ratio([a, b], [1, -1], kind, level),
        change=square_and_add([own, _shifted(own)], [1, -1]),
        relative_change=_ratio([sums.group, _earlier(sums.group)], [1, -1], kind, level),
        reference_change=square_and_add([other, _shifted(other)], [1, -1]),
        reference_relative_change=_ratio([sums.reference, _earlier(sums.reference)], [1, -1], kind, level),
        difference_change=square_and_add([first, second, *was], [1, -1, -1, 1]),
        ratio_change=_ratio([a, b, _earlier(a), _earlier(b)], [1, -1, -1, 1], kind, level),
    )


def _summed(chart: GapState, side: Side, known: npt.NDArray[np.bool_]) -> Side:
    """Sum a side over each phase; a sum with a suppressed part is not known."""
    withheld = chart._sides.status == SUPPRESSED
    names = ("events", "size", "value", "sd")
    parts = []
    for mask in phases_of(chart.timeline):
        part = side.pooled(known & mask)
        lost = (withheld & mask).any(axis=1, keepdims=True) & ~np.isinf(part.size)
        parts.append([np.where(lost, np.nan, getattr(part, name)) for name in names])
    return Side(*(np.concatenate(blocks, axis=1) for blocks in zip(*parts, strict=True)))


def _rate(side: Side, kind: Kind, confidence: float) -> Interval:
    """Give the rate of a side with its interval; a target is what it is."""
    fixed = np.isinf(side.size)
    size = np.where(fixed, np.nan, side.size)
    if kind == "mean":
        found = mean_interval(side.value, side.sd, size, confidence=confidence)
    else:
        events = np.where(np.isnan(size), np.nan, side.events)
        interval = wilson_interval if kind == "proportion" else mid_p_rate_interval
        found = interval(events, size, confidence=confidence)
    ends = (np.where(fixed, side.value, end) for end in (found.estimate, found.lower, found.upper))
    return Interval(*ends)


def _ratio(sides: list[Side], signs: list[int], kind: Kind, confidence: float) -> Interval:
    """Give a product and quotient of rates with its interval."""
    fixed = [np.isinf(side.size) for side in sides]
    events = np.stack(
        [np.where(f | (kind == "mean"), s.value, s.events) for s, f in zip(sides, fixed, strict=True)]
    )
    size, spread = (np.stack([getattr(side, name) for side in sides]) for name in ("size", "sd"))
    return ratio_of_ratios(events, size, signs, kind=kind, spread=spread, confidence=confidence)


def _before(block: FloatArray) -> FloatArray:
    """Give each phase the number of the phase before; NaN for the first."""
    return np.concatenate([np.full((len(block), 1), np.nan), block[:, :-1]], axis=1)


def _shifted(interval: Interval) -> Interval:
    return Interval(*(_before(end) for end in (interval.estimate, interval.lower, interval.upper)))


def _earlier(side: Side) -> Side:
    return Side(*(_before(getattr(side, name)) for name in ("events", "size", "value", "sd")))


def _visible(change: Interval, none: float = 0.0) -> FloatArray:
    """Give the sign of a change whose interval excludes none, else 0; NaN where not known."""
    with np.errstate(invalid="ignore"):
        seen = np.where(change.lower > none, 1.0, np.where(change.upper < none, -1.0, 0.0))
    return np.where(np.isnan(change.lower + change.upper), np.nan, seen)


def _present(chart: GapState) -> npt.NDArray[np.bool_]:
    """Tell which strata have which phases, shape (S, K)."""
    return np.stack([mask.any(axis=1) for mask in phases_of(chart.timeline)], axis=1)


def _ends(chart: GapState) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
    """Give the first and last day of each phase, each (S, K)."""
    starts = chart.series.cells.periods
    last = periods.end(starts, chart.series.every)  # type: ignore[arg-type]
    masks = phases_of(chart.timeline)
    first = np.stack([starts[mask.argmax(axis=1)] for mask in masks], axis=1)
    return first, np.stack([last[-1 - mask[:, ::-1].argmax(axis=1)] for mask in masks], axis=1)
