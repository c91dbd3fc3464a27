"""Points and lines of gap charts: one pass a phase, all strata at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from qi_equity.data.timeline import Timeline
from qi_equity.equity.gap_chart.sides import Sides
from qi_equity.formulas.gap_chances import chance_gap_above, undefined_ratio
from qi_equity.formulas.gap_limits import gap_limits, gap_of, mean_gap_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.observed_expected import observed_expected
from qi_equity.spc.lines import THREE_SIGMA, Width

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Plain = Literal["difference", "ratio"]
Scale = Plain | Literal["observed-expected"]

SCALES: tuple[Scale, ...] = ("difference", "ratio", "observed-expected")
BLOCKS = (
    "gap",
    "centre_line",
    "sigma",
    "lower",
    "upper",
    "expected",
    "lowest",
    "highest",
    "chance_above",
    "undefined",
    "crossed",
    "rate",
    "reference_rate",
)
"""Arrays (S, T) of a chart: the points, their lines, and what is known of them while nothing changes.

``lowest`` and ``highest`` are the gaps that the group alone could bring about, with the reference as it is
expected to be; ``rate`` and ``reference_rate`` are those of the baseline, turned so that more is worse.
"""

ROUNDING = 1e-12
"""Share of the rates by which a line can miss a point through rounding alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The rates held in each phase and the spread of single values, at each point, (S, T)."""

    rate: FloatArray
    sd: FloatArray
    reference_rate: FloatArray
    reference_sd: FloatArray


def phases_of(when: Timeline) -> list[BoolArray]:
    """Give the points of each phase."""
    return [when.phase == k for k in range(int(when.phase.max(initial=0)) + 1)]


def held_rates(sides: Sides, when: Timeline) -> Held:
    """Pool the baseline of each phase on both sides."""
    shape = when.phase.shape
    blocks = [np.full(shape, np.nan) for _ in range(4)]
    baseline = when.baseline & sides.seen
    for mask in phases_of(when):
        used = baseline & mask
        found = [
            part
            for side in (sides.group, sides.reference)
            for part in (side.pooled(used).value, side.within(used))
        ]
        for block, part in zip(blocks, found, strict=True):
            np.copyto(block, np.where(used.any(axis=1, keepdims=True), part, np.nan), where=mask)
    return Held(*blocks)


def draw(sides: Sides, when: Timeline, scale: Scale) -> dict[str, FloatArray]:
    """Draw points and lines."""
    held = held_rates(sides, when)
    shape = when.phase.shape
    lines = {name: np.full(shape, np.nan) for name in BLOCKS}
    lines |= {"rate": held.rate, "reference_rate": held.reference_rate}
    if scale == "observed-expected":
        return lines | _cumulative(sides, when)
    gap = gap_of(sides.group.value, sides.reference.value, scale=scale)
    lines["gap"] = sides.turned(np.where(sides.status >= 0, gap, np.nan), scale)
    limits = limits_of(sides, held, scale)
    lines |= {name: getattr(limits, name) for name in ("centre_line", "sigma", "lower", "upper")}
    lines |= _reach(sides, held, scale)
    if sides.counted:
        arrays, kind = _counts(sides, held), _kind(sides)
        above = chance_gap_above(*arrays, scale=scale, kind=kind)
        lines["chance_above"] = 1 - above if sides.flipped else above
        if scale == "ratio":
            lines["undefined"] = undefined_ratio(*arrays, kind=kind)
    return settled(lines)


def limits_of(sides: Sides, held: Held, scale: Scale, width: Width = THREE_SIGMA) -> Limits:
    """Draw the limits of a difference or ratio at some width, turned so that more is worse."""
    of: Plain = "ratio" if scale == "ratio" else "difference"
    if sides.counted:
        found = gap_limits(*_counts(sides, held), scale=of, kind=_kind(sides), tail=width.tail)
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            own = held.sd / np.sqrt(sides.group.size)
            other = np.zeros_like(own) if sides.exact else held.reference_sd / np.sqrt(sides.reference.size)
        found = mean_gap_limits(held.rate, own, held.reference_rate, other, scale=of, tail=width.tail)
    centre = sides.turned(found.centre_line, of)
    with np.errstate(invalid="ignore"):
        sigma = found.sigma * centre**2 if sides.flipped and of == "ratio" else found.sigma
    return Limits(centre, sigma, *sides.turned_ends(found.lower, found.upper, of))


def _counts(sides: Sides, held: Held) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    there = np.isfinite(sides.group.value) & np.isfinite(sides.reference.value)
    size = np.where(there, sides.group.size, np.nan)
    return held.rate, size, held.reference_rate, np.where(there, sides.reference.size, np.nan)


def _kind(sides: Sides) -> Literal["proportion", "rate"]:
    return "proportion" if sides.kind == "proportion" else "rate"


def _reach(sides: Sides, held: Held, scale: Scale) -> dict[str, FloatArray]:
    """Give the gaps that the group alone could bring about, from none to all with the event."""
    of: Plain = "ratio" if scale == "ratio" else "difference"
    none = np.zeros_like(held.rate) if sides.counted else np.full_like(held.rate, -np.inf)
    full = np.ones_like(none) if sides.kind == "proportion" else np.full_like(none, np.inf)
    least, most = (gap_of(end, held.reference_rate, scale=of) for end in (none, full))
    if scale == "ratio" and sides.counted and not sides.exact:
        # Without an event in the reference any event in the group is an infinite ratio.
        most = np.where(np.isnan(most), np.nan, np.inf)
    lowest, highest = sides.turned_ends(least, most, of)
    return {"lowest": lowest, "highest": highest}


def _cumulative(sides: Sides, when: Timeline) -> dict[str, FloatArray]:
    """Sum observed minus expected events from the start of each phase; excluded periods are passed over."""
    shape = when.phase.shape
    names = ("value", "expected", "sigma", "lower", "upper", "lowest", "highest", "crossed")
    out = {name: np.full(shape, np.nan) for name in names}
    used = sides.seen & ~when.excluded
    for mask in phases_of(when):
        part = used & mask
        found = observed_expected(
            np.where(part, sides.group.events, np.nan),
            np.where(part, sides.group.size, np.nan),
            np.where(part, sides.reference.value, np.nan),
            np.where(part, sides.reference.size, np.nan),
            kind=_kind(sides),
            tail=THREE_SIGMA.tail,
        )
        for name in names:
            np.copyto(out[name], getattr(found, name), where=part)
    gap, low, high, least, most = (out.pop(n) for n in ("value", "lower", "upper", "lowest", "highest"))
    lower, upper = sides.turned_ends(low, high, "difference")
    lowest, highest = sides.turned_ends(least, most, "difference")
    zero = np.where(np.isnan(gap), np.nan, 0.0)
    own = {"gap": sides.turned(gap, "difference"), "centre_line": zero, "lower": lower, "upper": upper}
    return out | own | {"lowest": lowest, "highest": highest}


def settled(lines: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Put a centre line that misses a point by rounding only onto that point."""
    gap, line = lines["gap"], lines["centre_line"]
    size = np.fmax(np.abs(lines["rate"]), np.abs(lines["reference_rate"]))
    size = np.fmax(size, np.abs(line))
    with np.errstate(invalid="ignore"):
        near = np.abs(gap - line) <= ROUNDING * size
    return {**lines, "centre_line": np.where(near, gap, line)}
