"""Which formula draws the lines of each kind of chart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qi_equity.formulas.attributes import (
    c_limits,
    c_probability_limits,
    p_limits,
    p_probability_limits,
    u_limits,
    u_probability_limits,
)
from qi_equity.formulas.individuals import i_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.medians import median_line
from qi_equity.spc.kinds import C, Individuals, P, Run, Spec, U

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

TAIL_3_SIGMA = 0.00135
TAIL_2_SIGMA = 0.02275013194817921
"""P(Z > 2) of the normal distribution."""


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """What the formulas read, each (S, T): counts as they are, NaN where nothing is known."""

    numerator: FloatArray
    denominator: FloatArray
    value: FloatArray


def lines(
    spec: Spec, seen: Observations, baseline: BoolArray, centre_line: FloatArray | None = None
) -> Limits:
    """Give centre line and limits; p and u charts take a centre line from outside."""
    events, births = seen.numerator, seen.denominator
    match spec:
        case P(limits="exact"):
            return p_probability_limits(
                events, births, baseline=baseline, centre_line=centre_line, tail=TAIL_3_SIGMA
            )
        case P():
            return p_limits(events, births, baseline=baseline, centre_line=centre_line)
        case U(limits="exact"):
            return u_probability_limits(
                events, births, baseline=baseline, centre_line=centre_line, tail=TAIL_3_SIGMA
            )
        case U():
            return u_limits(events, births, baseline=baseline, centre_line=centre_line)
        case C(limits="exact"):
            return c_probability_limits(events, baseline=baseline, tail=TAIL_3_SIGMA)
        case C():
            return c_limits(events, baseline=baseline)
        case Individuals():
            return i_limits(seen.value, baseline=baseline, spread=spec.spread, constants=spec.constants)
        case Run():
            nothing = np.full(seen.value.shape, np.nan)
            return Limits(median_line(seen.value, baseline=baseline), nothing, nothing, nothing)


def two_sigma(
    spec: Spec, centre_line: FloatArray, sigma: FloatArray, denominator: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give the limits at two sigma; of exact limits those at the same tail probability."""
    match spec:
        case P(limits="exact"):
            found = p_probability_limits(denominator, denominator, centre_line=centre_line, tail=TAIL_2_SIGMA)
            return found.lower, found.upper
        case U(limits="exact"):
            found = u_probability_limits(denominator, denominator, centre_line=centre_line, tail=TAIL_2_SIGMA)
            return found.lower, found.upper
        case C(limits="exact"):
            found = c_probability_limits(centre_line, centre_line=centre_line, tail=TAIL_2_SIGMA)
            return found.lower, found.upper
        case P() | U() | C():
            lower, upper = centre_line - 2 * sigma, centre_line + 2 * sigma
            return np.maximum(lower, 0), np.minimum(upper, spec.ceiling)
        case _:
            return centre_line - 2 * sigma, centre_line + 2 * sigma
