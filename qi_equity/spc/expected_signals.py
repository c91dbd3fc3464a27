"""How often a set of rules signals on a chart that is only planned."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.attributes import c_limits, np_limits, p_limits, u_limits
from qi_equity.formulas.between import g_limits, g_probability_limits
from qi_equity.formulas.distributions import Normal
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.probability_limits import (
    c_probability_limits,
    np_probability_limits,
    p_probability_limits,
    u_probability_limits,
)
from qi_equity.spc.chance import of_tests, runs_only, sigmas_of
from qi_equity.spc.judge import ROUNDING
from qi_equity.spc.kinds import DEFAULTS, Spec
from qi_equity.spc.kinds_between import G
from qi_equity.spc.kinds_counts import NP, C, P, U
from qi_equity.spc.kinds_measurements import Individuals, IPrime, Xbar
from qi_equity.spc.lines import Width, tail_of
from qi_equity.spc.rule_sets import resolve_rules
from qi_equity.spc.rules import RuleSet
from qi_equity.spc.runs_tests import CHANCE_HIGH, CHANCE_LOW
from qi_equity.spc.stable import WIDTHS, Counted, Stable, points_of

FloatArray = npt.NDArray[np.float64]

_NAMES = ("i", "ip", "xbar", "pp", "up", "p", "np", "u", "c", "g")


class FalseSignal(NamedTuple):
    """Probability of at least one false signal, and its Monte-Carlo standard error: 0 where it is exact."""

    probability: float
    standard_error: float


def false_signal_probability(
    rules: str | RuleSet,
    n_points: int,
    *,
    kind: str | Spec = "i",
    centre_line: float | None = None,
    size: float | None = None,
) -> FalseSignal:
    """Give the probability that a set of rules signals at least once in a chart of a process that is stable.

    Zone tests are followed point by point as an automaton, longest run and crossings by their joint
    recursion, each on the distribution of the chart's own points: exact but for rounding. Trends, alternating
    points and the number of runs, and longest run or crossings beside other tests than limits, are simulated;
    what they add to the other tests has a standard error. The lines are taken as known.

    With lines from the same points a chart signals less often: an i chart of 24 points with
    ``"making_data_count"`` in 15 % and not in 22 % of charts; p, u and c charts of 24 points, at 12 to 294
    births and rates of 2 to 12 %, in about two thirds as many as said here with ``"anhoej+shewhart"`` (1 to 8
    and not 1 to 11 %), and in half to two thirds with ``"western_electric"``. With lines from a few points
    before them it signals more often. ``summary()`` of a chart allows for that, except for counts.

    Parameters
    ----------
    rules : str or RuleSet
        Names of ``rule_sets``, joined with "+", or a set of one's own.
    n_points : int
        Points of the chart, >= 1, none of them missing.
    kind : str or specification
        Kind of chart: ``"p"``, ``"np"``, ``"u"``, ``"c"`` or ``"g"`` with the distribution of their counts,
        or ``"i"``, ``"ip"``, ``"xbar"``, ``"pp"`` or ``"up"``, whose points are taken as normal.
    centre_line : float, optional
        Proportion (p, np), rate (u), events a period (c) or mean gap (g) to be expected; not for the others.
    size : float, optional
        Births (p, np; a whole number) or exposure (u) of every period; not for the others.

    Returns
    -------
    FalseSignal
        ``probability`` in [0, 1] and ``standard_error``. A runs test counts for nothing where it would not
        be given, because a point lies above the centre line with a chance below 0.4 or above 0.6.

    Raises
    ------
    InputTypeError, OptionError
        If an argument is of the wrong type, out of range, missing for this kind, or not for it.

    References
    ----------
    .. [1] Champ, Woodall, Exact results for Shewhart control charts with supplementary runs rules.
       Technometrics 1987;29:393-399.
    .. [2] Anhøj, Vigeland, Joint distribution for number of crossings and longest run in independent
       Bernoulli observations (R package crossrun). PLoS One 2019;14:e0223233.

    Examples
    --------
    >>> from qi_equity.spc.expected_signals import false_signal_probability
    >>> found = false_signal_probability("western_electric", 24)
    >>> round(found.probability, 3), found.standard_error
    (0.211, 0.0)
    >>> found = false_signal_probability("anhoej+shewhart", 24, kind="p", centre_line=0.06, size=60)
    >>> round(found.probability, 3)
    0.085
    """
    found, n = resolve_rules(rules), _validate.whole_number("n_points", n_points, at_least=1)
    process = planned_process(_spec(kind), n, centre_line, size, sigmas_of(found.tests))
    zones = process.zone_chances()[0, 0]
    on_line = float(zones[4])
    above = zones[5:9].sum() / (1 - on_line) if on_line < 1 else np.nan
    given = CHANCE_LOW <= above <= CHANCE_HIGH
    tests = tuple(t for t in found.tests if given or not t.is_runs_test)
    if not runs_only(tests):
        probability, error = of_tests(process, tests, np.ones((1, n), dtype=bool))[:, 0]
        return FalseSignal(float(probability), float(error))
    # How many points lie on the line is not known, but which of them do does not matter.
    number = np.arange(n + 1)
    each = of_tests(
        process.take(np.zeros(n + 1, dtype=np.int64)), tests, np.arange(n) < number[:, np.newaxis]
    )
    weight = special.binom(n, number) * (1 - on_line) ** number * on_line ** (n - number)
    return FalseSignal(float(weight @ each[0]), 0.0)


def _spec(kind: object) -> Spec:
    if isinstance(kind, str):
        return DEFAULTS[_validate.one_of("kind", kind, _NAMES)]
    if isinstance(kind, Counted | Individuals | IPrime | Xbar):
        return kind
    raise InputTypeError(
        f"kind={kind!r} is of type {type(kind).__name__}; give a name ({', '.join(map(repr, _NAMES))}) or a "
        "specification such as P() or Individuals()."
    )


def planned_process(
    spec: Spec, n: int, centre_line: float | None, size: float | None, sigmas: tuple[int, ...]
) -> Stable:
    """Describe one stratum of n points about known lines."""
    shape = np.ones((1, n))
    if not isinstance(spec, Counted) or spec.distribution == "normal":
        _not_for(spec, "centre_line", centre_line)
        _not_for(spec, "size", size)
        zones = {k: (-k * shape, k * shape) for k in sigmas}
        return Stable(Normal(0 * shape, shape), 0 * shape, zones)
    mean, births = _numbers(spec, centre_line, size)
    drawn = {k: counted_limits(spec, mean * shape, births * shape, WIDTHS[k]) for k in (*sigmas, 3)}
    line, sigma = drawn[3].centre_line, drawn[3].sigma
    points = points_of(spec, line, sigma, births * shape)
    # A limit above 0 by rounding only is 0, as on a chart, or no event at all would lie below it.
    return Stable(
        points,
        line,
        {k: (np.where(drawn[k].lower > ROUNDING, drawn[k].lower, 0.0), drawn[k].upper) for k in sigmas},
    )


def _numbers(spec: Counted, centre_line: float | None, size: float | None) -> tuple[float, float]:
    """Check what a chart of counts or gaps needs."""
    mean = _validate.number("centre_line", _needed(spec, "centre_line", centre_line), above=0)
    if isinstance(spec, P | NP):
        _validate.number("centre_line", mean, below=1)
        return mean, float(_validate.whole_number("size", _needed(spec, "size", size), at_least=1))
    if isinstance(spec, U):
        return mean, _validate.number("size", _needed(spec, "size", size), above=0)
    _not_for(spec, "size", size)
    if isinstance(spec, G):
        _validate.number("centre_line", mean, at_least=spec.smallest)
    return mean, 1.0


def counted_limits(spec: Counted, mean: FloatArray, births: FloatArray, width: Width) -> Limits:
    """Draw limits of counts or gaps about known centre lines."""
    tail, nsigma, nothing = tail_of(spec, width), width.nsigma, np.full(mean.shape, np.nan)
    match spec:
        case P(limits="exact"):
            return p_probability_limits(nothing, births, centre_line=mean, tail=tail)
        case P():
            return p_limits(nothing, births, centre_line=mean, nsigma=nsigma)
        case NP(limits="exact"):
            return np_probability_limits(nothing, births, centre_line=mean, tail=tail)
        case NP():
            return np_limits(nothing, births, centre_line=mean, nsigma=nsigma)
        case U(limits="exact"):
            return u_probability_limits(nothing, births, centre_line=mean, tail=tail)
        case U():
            return u_limits(nothing, births, centre_line=mean, nsigma=nsigma)
        case C(limits="exact"):
            return c_probability_limits(nothing, centre_line=mean, tail=tail)
        case C():
            return c_limits(nothing, centre_line=mean, nsigma=nsigma)
        case G(limits="probability"):
            gaps = np.full(mean.shape, float(spec.smallest))
            return g_probability_limits(gaps, mean=mean, smallest=spec.smallest, tail=tail)
        case G():
            gaps = np.full(mean.shape, float(spec.smallest))
            return g_limits(gaps, mean=mean, smallest=spec.smallest, nsigma=nsigma)


def _needed(spec: Spec, name: str, value: float | None) -> float:
    if value is None:
        raise OptionError(f"{name}=None is not allowed with kind={spec.kind!r}; give what is to be expected.")
    return value


def _not_for(spec: Spec, name: str, value: float | None) -> None:
    if value is not None:
        raise OptionError(
            f"{name}={value!r} is not for kind={spec.kind!r}, whose false signals do not depend on it; "
            "leave it out."
        )
