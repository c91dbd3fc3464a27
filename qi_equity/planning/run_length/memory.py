"""Run lengths of charts whose points carry their past: EWMA and CUSUMs."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from qi_equity.data.cells import Floats
from qi_equity.errors import OptionError
from qi_equity.formulas.cusum_waiting import count_cusum_waiting, tabular_cusum_waiting
from qi_equity.formulas.ewma_waiting import count_ewma_waiting, ewma_waiting
from qi_equity.formulas.zone_test_chains import Side
from qi_equity.planning.run_length.followed import LATTICE, QUADRATURE, Run, run_of
from qi_equity.spc.kinds_weighted import CountCusum, Cusum, Ewma
from qi_equity.spc.rules import BeyondLimits, RuleSet

__all__ = ["Moving", "by_limits_only", "of_counts", "of_normal_points"]


class Moving(NamedTuple):
    """Births or exposure of points that repeat, (A, C); the rate of the line and the true one, (A,).

    ``family`` says whether a birth has the event or not ("binomial"), or events come at a rate ("poisson").
    """

    size: Floats
    rate: Floats
    actual: Floats
    family: Literal["binomial", "poisson"]


def by_limits_only(kind: str, rules: RuleSet) -> None:
    """Raise an OptionError where no test could signal on a chart whose points carry their past."""
    if BeyondLimits() not in rules.tests:
        raise OptionError(
            f"rules={rules.name!r} hold no test of limits, and a chart of kind={kind!r} signals by nothing "
            "else; give 'shewhart', or a set with beyond_limits."
        )


def of_normal_points(spec: Ewma | Cusum, shift: Floats, side: Side) -> Run:
    """Follow a chart of normal points from the first after a shift."""
    if isinstance(spec, Ewma):
        return run_of(ewma_waiting(shift, weight=spec.weight, width=spec.width, side=side), QUADRATURE)
    found = tabular_cusum_waiting(shift, k=spec.k, h=spec.h, head_start=spec.head_start, side=side)
    return run_of(found, QUADRATURE)


def of_counts(spec: Ewma | CountCusum, points: Moving, side: Side, thresholds: tuple[Floats, Floats]) -> Run:
    """Follow a chart of counts; thresholds (A,) of both arms are for the CUSUM."""
    size, rate, actual = points.size, points.rate[:, np.newaxis], points.actual[:, np.newaxis]
    if isinstance(spec, Ewma):
        found = count_ewma_waiting(
            size,
            rate,
            weight=spec.weight,
            width=spec.width,
            distribution=points.family,
            side=side,
            actual=actual,
        )
    else:
        low, high = (h[:, np.newaxis] for h in thresholds)
        found = count_cusum_waiting(
            size,
            rate,
            distribution=points.family,
            ratio=spec.ratio,
            h=(low, high),
            side=side,
            head_start=spec.head_start,
            actual=actual,
        )
    return run_of(found, LATTICE)
