"""Which formula draws the points and lines of each kind of chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from qi_equity.data.cells import Cells
from qi_equity.formulas.attributes import c_limits, np_limits, p_limits, u_limits
from qi_equity.formulas.between import g_limits, g_probability_limits, t_limits, t_probability_limits
from qi_equity.formulas.individuals import i_limits, moving_ranges, mr_limits
from qi_equity.formulas.laney import pp_limits, up_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.medians import median_line
from qi_equity.formulas.probability_limits import (
    c_probability_limits,
    np_probability_limits,
    p_probability_limits,
    u_probability_limits,
)
from qi_equity.formulas.subgroups import r_limits, s_limits, xbar_limits
from qi_equity.formulas.taylor import ip_limits
from qi_equity.spc.kind import TAIL
from qi_equity.spc.kinds_between import G, T
from qi_equity.spc.kinds_counts import NP, C, P, U
from qi_equity.spc.kinds_measurements import Individuals, IPrime, MovingRange, R, Run, S, Xbar

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Shewhart = P | NP | U | C | Individuals | MovingRange | IPrime | Xbar | S | R | G | T | Run


@dataclass(frozen=True, slots=True)
class Width:
    """How far the limits lie from the centre line: in standard errors, and as the same tail probability."""

    nsigma: float
    tail: float


THREE_SIGMA = Width(3.0, TAIL)
TWO_SIGMA = Width(2.0, 0.02275013194817921)
ONE_SIGMA = Width(1.0, 0.15865525393145707)


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """What the formulas read of one phase (``inside``); arrays (S, T), NaN where nothing is known.

    ``baseline`` are the points that set the lines, ``stretch`` these and the missing points among them, and
    ``included`` all points that are neither missing nor excluded.
    """

    kind: str
    cells: Cells
    inside: BoolArray
    baseline: BoolArray
    stretch: BoolArray
    included: BoolArray

    def only(self, block: FloatArray) -> FloatArray:
        """Leave out what is not included."""
        return np.where(self.included, block, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """What is drawn: points by arm ("both", or "low" and "high"), lines, and points known to lie beyond."""

    plotted: Mapping[str, FloatArray]
    limits: Limits
    beyond: Mapping[str, BoolArray] | None = None


def shewhart_lines(
    spec: Shewhart, seen: Observations, width: Width, centre_line: FloatArray | None = None
) -> Lines:
    """Draw a chart whose points stand for themselves; counts take a centre line from outside."""
    plotted = plotted_values(spec, seen)
    return Lines({"both": plotted}, _limits(spec, seen, plotted, width, centre_line))


def tail_of(spec: P | NP | U | C | G | T, width: Width) -> float:
    """Give the tail probability of a line at a width: at three sigma the limit has that of its chart."""
    return spec.tail if width == THREE_SIGMA else width.tail


def own_tail(spec: object) -> float | None:
    """Give the probability of one side beyond the limits of a chart; None where no such makes them."""
    match spec:
        case (
            P(limits="exact")
            | NP(limits="exact")
            | U(limits="exact")
            | C(limits="exact")
            | G(limits="probability")
            | T(limits="exponential" | "weibull")
        ):
            return spec.tail
        case _:
            return None


def plotted_values(spec: Shewhart, seen: Observations) -> FloatArray:
    """Give the points of the chart."""
    match spec:
        case NP():
            # Without births there is no point, not one of no events.
            return np.where(np.isnan(seen.cells.value), np.nan, seen.cells.numerator)
        case MovingRange():
            missing = np.isnan(seen.cells.value) & seen.stretch
            return moving_ranges(seen.only(seen.cells.value), baseline=seen.included | missing)
        case S():
            return seen.cells.sd
        case R():
            return seen.cells.range
        case _:
            return seen.cells.value


def _limits(
    spec: Shewhart, seen: Observations, plotted: FloatArray, width: Width, centre_line: FloatArray | None
) -> Limits:
    match spec:
        case P() | NP() | U() | C():
            return _count_limits(spec, seen, width, centre_line)
        case G() | T():
            return _gap_limits(spec, seen.only(plotted), seen, width)
        case Run():
            nothing = np.full(plotted.shape, np.nan)
            return Limits(median_line(plotted, baseline=seen.baseline), nothing, nothing, nothing)
        case _:
            return _measurement_limits(spec, seen, plotted, width)


def _count_limits(
    spec: P | NP | U | C, seen: Observations, width: Width, centre_line: FloatArray | None
) -> Limits:
    events, births, baseline = seen.cells.numerator, seen.cells.denominator, seen.baseline
    tail, nsigma = tail_of(spec, width), width.nsigma
    match spec:
        case P(limits="exact"):
            return p_probability_limits(events, births, baseline=baseline, centre_line=centre_line, tail=tail)
        case P(limits="classical"):
            return p_limits(events, births, baseline=baseline, centre_line=centre_line, nsigma=nsigma)
        case P():
            return pp_limits(
                events,
                births,
                baseline=seen.stretch,
                spread=spec.spread,
                constants=spec.constants,
                nsigma=nsigma,
            )
        case U(limits="exact"):
            return u_probability_limits(events, births, baseline=baseline, centre_line=centre_line, tail=tail)
        case U(limits="classical"):
            return u_limits(events, births, baseline=baseline, centre_line=centre_line, nsigma=nsigma)
        case U():
            return up_limits(
                events,
                births,
                baseline=seen.stretch,
                spread=spec.spread,
                constants=spec.constants,
                nsigma=nsigma,
            )
        case NP(limits="exact"):
            return np_probability_limits(
                events, births, baseline=baseline, centre_line=centre_line, tail=tail
            )
        case NP():
            return np_limits(events, births, baseline=baseline, centre_line=centre_line, nsigma=nsigma)
        case C(limits="exact"):
            return c_probability_limits(events, baseline=baseline, tail=tail)
        case C():
            return c_limits(events, baseline=baseline, nsigma=nsigma)


def _measurement_limits(
    spec: Individuals | MovingRange | IPrime | Xbar | S | R,
    seen: Observations,
    plotted: FloatArray,
    width: Width,
) -> Limits:
    cells, baseline, nsigma = seen.cells, seen.baseline, width.nsigma
    match spec:
        case Individuals():
            return i_limits(
                plotted, baseline=seen.stretch, spread=spec.spread, constants=spec.constants, nsigma=nsigma
            )
        case MovingRange():
            return mr_limits(plotted, baseline=baseline, constants=spec.constants, nsigma=nsigma)
        case IPrime():
            return ip_limits(
                plotted, cells.denominator, baseline=seen.stretch, spread=spec.spread, nsigma=nsigma
            )
        case Xbar(spread="s"):
            return xbar_limits(plotted, cells.denominator, sds=cells.sd, baseline=baseline, nsigma=nsigma)
        case Xbar():
            return xbar_limits(
                plotted, cells.denominator, ranges=cells.range, baseline=baseline, nsigma=nsigma
            )
        case S():
            return s_limits(plotted, cells.denominator, baseline=baseline, nsigma=nsigma)
        case R():
            return r_limits(plotted, cells.denominator, baseline=baseline, nsigma=nsigma)


def _gap_limits(spec: G | T, plotted: FloatArray, seen: Observations, width: Width) -> Limits:
    match spec:
        case G(limits="probability"):
            return g_probability_limits(
                plotted, baseline=seen.baseline, smallest=spec.smallest, tail=tail_of(spec, width)
            )
        case G():
            return g_limits(plotted, baseline=seen.baseline, smallest=spec.smallest, nsigma=width.nsigma)
        case T(limits="transform"):
            return t_limits(
                plotted,
                baseline=seen.stretch,
                spread=spec.spread,
                constants=spec.constants,
                nsigma=width.nsigma,
            )
        case T():
            distribution: Literal["weibull", "exponential"] = (
                "weibull" if spec.limits == "weibull" else "exponential"
            )
            return t_probability_limits(
                plotted, baseline=seen.baseline, distribution=distribution, tail=tail_of(spec, width)
            )
