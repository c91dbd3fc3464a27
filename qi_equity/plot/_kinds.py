"""What a figure says of each kind of chart: its y axis, its arms, and how its lines are made."""

from __future__ import annotations

import numpy as np

from qi_equity.data.measure import Measure
from qi_equity.spc.kinds import Spec
from qi_equity.spc.kinds_between import G, T
from qi_equity.spc.kinds_counts import NP, C, P, U
from qi_equity.spc.kinds_measurements import Individuals, IPrime, MovingRange, R, Run, S, Xbar
from qi_equity.spc.kinds_weighted import (
    BernoulliCusum,
    CountCusum,
    Cusum,
    Ewma,
    RiskAdjustedCusum,
    Vlad,
)

_SPREADS = {"mr": "moving range", "s": "standard deviation", "r": "range"}
_FITTED = {"weibull": "Weibull", "exponential": "exponential"}


def plain_unit(measure: Measure) -> str:
    """Give the unit of a measure, or a word for what is measured."""
    plain = {"count": "events", "mean": "mean", "between": "between events"}
    return written_unit(measure) or plain.get(measure.kind, "value")


def written_unit(measure: Measure) -> str:
    """Give the unit of a measure as it is read; empty where it has none."""
    return measure.unit.replace("per 1000", "per 1,000")


def unit_of(measure: Measure, spec: Spec) -> str:
    """Give the label of the y axis."""
    unit = written_unit(measure)
    if spec.two_arms:
        return "CUSUM"
    match spec:
        case Vlad():
            return "expected − observed"
        case NP():
            return "events"
        case MovingRange() | S() | R():
            return f"{_SPREADS[spec.kind]}, {unit}" if unit else _SPREADS[spec.kind]
        case _:
            return plain_unit(measure)


def arm_names(measure: Measure, spec: Spec) -> dict[str, tuple[int, str]]:
    """Give the side of each arm of a chart and what it looks for; side 0 and nothing where there is one arm.

    The arms of a CUSUM of births between events look at how often events come, not at how long the gaps are.
    """
    if not spec.two_arms:
        return {"both": (0, "")}
    between = measure.kind == "between"
    return {
        "high": (1, "more events" if between else "a rise"),
        "low": (-1, "fewer events" if between else "a fall"),
    }


def has_target(spec: Spec) -> bool:
    """Tell whether the points are values that a target of the measure speaks of."""
    return spec.plots in ("value", "gap") or isinstance(spec, Ewma)


def possible(measure: Measure, spec: Spec) -> tuple[float, float]:
    """Give the lowest and highest value of a point: a limit that is not within them cannot be crossed."""
    floor, ceiling = spec.floor, spec.ceiling
    # Those of the measure hold where its values, or averages of them, are drawn.
    if has_target(spec) and measure.kind != "mean":
        floor, ceiling = max(floor, 0.0), min(ceiling, 1.0 if measure.kind == "proportion" else ceiling)
    return floor, ceiling


def reach_of(spec: Spec) -> float:
    """Say how far from its centre line a panel is followed, in spreads of the middle panel.

    A CUSUM that is not set back may run far. How far sums of events go tells how many they are. Times between
    events depend on the number of births, and their axis is stretched.
    """
    return np.inf if isinstance(spec, Vlad) else 3.0 if spec.two_arms or isinstance(spec, T) else 1.5


def power_of(spec: Spec) -> float:
    """Give the power of values by which the axis is spaced: that which makes exponential times symmetric."""
    return 1 / 3.6 if isinstance(spec, T) else 1.0


def lies_about_zero(spec: Spec) -> bool:
    """Tell whether the centre line is 0 by the kind, whatever the data."""
    return spec.two_arms or isinstance(spec, Vlad)


def has_limits(spec: Spec) -> bool:
    """Tell whether the kind has limits."""
    return not isinstance(spec, Run | Vlad)


def how_made(measure: Measure, spec: Spec) -> str:
    """Say how the lines of a kind are made."""
    match spec:
        case P() | NP() | U() | C():
            return _of_counts(spec)
        case G() | T():
            return _of_gaps(spec)
        case Run():
            return "the centre line is the median; a run chart has no limits"
        case Individuals() | IPrime():
            return f"limits from moving ranges ({spec.spread})"
        case MovingRange():
            return "limits from the mean moving range; it tells of spread, not of level"
        case Xbar():
            within = "standard deviations" if spec.spread == "s" else "ranges"
            return f"limits at 3 standard errors, from the {within} within subgroups"
        case S() | R():
            return "limits at 3 standard errors; it tells of spread, not of level"
        case _:
            return _of_past(measure, spec)


def _of_counts(spec: P | NP | U | C) -> str:
    if spec.limits == "exact":
        return f"exact probability limits ({_tails(spec)})"
    if spec.limits == "laney":
        return "Laney's limits (3 standard errors, times the spread between neighbouring periods)"
    return "classical limits (3 standard errors)"


def _tails(spec: P | NP | U | C | G | T) -> str:
    return f"each tail below {spec.tail:.4g}"


def _of_gaps(spec: G | T) -> str:
    if isinstance(spec, T):
        return f"{_of_times(spec)}; the axis is stretched towards 0, so that short times can be seen"
    if spec.limits == "classical":
        return "classical limits (3 standard deviations)"
    return f"probability limits of the geometric distribution ({_tails(spec)})"


def _of_times(spec: T) -> str:
    if spec.limits == "transform":
        return "limits from moving ranges of the times to the power 1/3.6"
    return f"probability limits of the {_FITTED[spec.limits]} distribution ({_tails(spec)})"


def _of_past(
    measure: Measure, spec: Ewma | Cusum | CountCusum | BernoulliCusum | RiskAdjustedCusum | Vlad
) -> str:
    match spec:
        case Ewma():
            return (
                f"each point is an average that gives the newest value the weight {spec.weight:g} and older "
                f"ones less and less; limits at {spec.width:g} standard errors of the average"
            )
        case Vlad():
            return (
                "expected minus observed events, added up: it rises while there are fewer events than "
                "expected; no limits"
            )
        case Cusum():
            sought = f"shifts of {2 * spec.k:g} × the standard error"
        case CountCusum():
            what = "odds" if measure.kind == "proportion" else "a rate"
            sought = f"{what} {spec.ratio:g} times as high or as low"
        case _:
            # by period the events are taken as Poisson
            by_birth = measure.kind == "between"
            sought = f"{'odds' if by_birth else 'a rate'} {spec.odds_ratio:g} times as high or as low"
    (_, above), (_, below) = arm_names(measure, spec).values()
    return (
        f"evidence added up, above 0 for {above} and below 0 for {below} "
        f"(looks for {sought}); a point beyond a limit signals"
    )
