"""What a chart of counts would look like if nothing changed: how its points are distributed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from qi_equity.formulas.distributions import (
    Binomial,
    Distribution,
    Geometric,
    Poisson,
)
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.zone_chances import zone_chances
from qi_equity.spc.kinds_between import G
from qi_equity.spc.kinds_counts import NP, C, P, U
from qi_equity.spc.lines import ONE_SIGMA, THREE_SIGMA, TWO_SIGMA, Width

if TYPE_CHECKING:
    from qi_equity.spc.chart import ControlChart

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Pair = tuple[FloatArray, FloatArray]
Counted = P | NP | U | C | G

WIDTHS: Mapping[int, Width] = {1: ONE_SIGMA, 2: TWO_SIGMA, 3: THREE_SIGMA}


@dataclass(frozen=True, slots=True, eq=False)
class Stable:
    """S strata in T periods of one phase.

    ``zones`` holds lower and upper limits by their distance in sigma, those that the tests look at.
    ``centre_line`` is NaN where there is no point.
    """

    points: Distribution
    centre_line: FloatArray
    zones: Mapping[int, Pair]

    def take(self, rows: IntArray) -> Stable:
        """Keep some strata."""
        return Stable(
            cut(self.points, rows),
            self.centre_line[rows],
            {k: (low[rows], high[rows]) for k, (low, high) in self.zones.items()},
        )

    def at(self, index: IntArray) -> Stable:
        """Keep the points at some places of each stratum, index (S, C)."""

        def there(block: FloatArray) -> FloatArray:
            return np.take_along_axis(np.broadcast_to(block, self.centre_line.shape), index, axis=1)

        kept: dict[str, Any] = {f.name: getattr(self.points, f.name) for f in fields(self.points)}  # type: ignore[arg-type]
        kept.update({name: there(kept[name]) for name in _arrays(self.points)})
        zones = {k: (there(low), there(high)) for k, (low, high) in self.zones.items()}
        return Stable(type(self.points)(**kept), there(self.centre_line), zones)

    def only(self, where: BoolArray) -> Stable:
        """Keep some points."""
        return Stable(self.points, np.where(where, self.centre_line, np.nan), self.zones)

    def zone_chances(self) -> FloatArray:
        """Chance of each zone at each point, shape (S, T, 10)."""
        zones = self.zones
        return zone_chances(
            self.points,
            self.centre_line,
            one_sigma=zones.get(1),
            two_sigma=zones.get(2),
            three_sigma=zones.get(3),
        )

    def limits(self) -> Limits:
        """Give the lines as the tests take them."""
        nothing = np.full(self.centre_line.shape, np.nan)
        lower, upper = self.zones.get(3, (nothing, nothing))
        return Limits(self.centre_line, nothing, lower, upper)

    def different(self) -> tuple[Stable, IntArray]:
        """Keep one of the strata that have all in common, and say which serves for each stratum."""
        blocks = [self.centre_line, *(line for pair in self.zones.values() for line in pair)]
        blocks += [getattr(self.points, name) for name in _arrays(self.points)]
        # What differs by rounding only is the same.
        numbers = np.concatenate(blocks, axis=1).round(9)
        numbers[np.isnan(numbers)] = -np.inf
        _, first, which = np.unique(numbers, axis=0, return_index=True, return_inverse=True)
        return self.take(first), which.reshape(-1)


def stable(chart: ControlChart, rows: IntArray, where: BoolArray, sigmas: tuple[int, ...]) -> Stable:
    """Describe the points marked, (rows, T), in some rows of a chart of one kind, with the limits wanted."""
    line = chart.centre_line[rows]
    points = points_of(
        cast("Counted", chart._spec), line, chart.sigma[rows], chart.series.cells.denominator[rows]
    )
    drawn = {k: _drawn(chart, k) for k in sigmas}
    zones = {k: (low[rows], high[rows]) for k, (low, high) in drawn.items()}
    return Stable(points, np.where(where, line, np.nan), zones)


def points_of(spec: Counted, line: FloatArray, sigma: FloatArray, births: FloatArray) -> Distribution:
    """Give the distribution of counts or gaps about a centre line."""
    match spec:
        case NP():
            with np.errstate(invalid="ignore", divide="ignore"):
                return Binomial(line / births, births, np.ones(births.shape))
        case P():
            return Binomial(line, births, births)
        case C():
            return Poisson(line, np.ones(line.shape))
        case U():
            return Poisson(line * births, births)
        case G():
            return Geometric((np.sqrt(1 + 4 * sigma**2) + (1 if spec.smallest else -1)) / 2, spec.smallest)


def _drawn(chart: ControlChart, k: int) -> Pair:
    """Give the limits that are drawn at a distance from the centre line."""
    if k == 3:
        return chart.lower, chart.upper
    return chart._two_sigma() if k == 2 else chart._one_sigma()


def _arrays(points: Distribution) -> list[str]:
    """Names of what varies between points."""
    return [f.name for f in fields(points) if isinstance(getattr(points, f.name), np.ndarray)]  # type: ignore[arg-type]


def cut(points: Distribution, rows: IntArray | slice) -> Distribution:
    """Keep the points of some strata."""
    kept: dict[str, Any] = {f.name: getattr(points, f.name) for f in fields(points)}  # type: ignore[arg-type]
    kept.update({name: kept[name][rows] for name in _arrays(points)})
    return type(points)(**kept)
