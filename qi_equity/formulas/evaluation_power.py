"""Would the evaluation see it? Power of the library's own before and after comparison, by simulation.

The closed forms of :mod:`~qi_equity.formulas.detectable_change` are approximations; here months are drawn and
judged by the very test of ``evaluate_change``: quasi-likelihood with dispersion of 1 or more and t quantiles,
exact (mid-P) where a cell has fewer than 10 events, without the trend where it has fewer than 5. Periods are
independent and spread by chance alone. All plans share their random numbers, which are spread evenly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, floats
from qi_equity.formulas._detectable import Direction, Kind, least_power, sign_of
from qi_equity.formulas._evaluation_chances import Model, Simulation, chances, checked_plan, simulation_of
from qi_equity.formulas._evaluation_draws import Months, Plan
from qi_equity.formulas._evaluation_tests import gap_part, gap_signs
from qi_equity.formulas._interval_parts import tail_of
from qi_equity.formulas.detectable_gap_change import Scale

__all__ = [
    "MOST_PERIODS",
    "EvaluationPower",
    "evaluation_power",
    "gap_change_power",
    "periods_needed",
    "smallest_evaluated_ratio",
]

# A baseline longer than this is no plan.
MOST_PERIODS = 240

# The first baseline that is tried, doubled until it is enough.
_FIRST = 6
# Halvings of the bracket of a ratio: finer than the error of simulation.
_HALVINGS = 12
# Larger rises are not sought.
_MOST_RISE = 64.0


class EvaluationPower(NamedTuple):
    """Chances that an evaluation shows a change, and how far simulation may be off.

    Parameters
    ----------
    power : numpy.ndarray of float, shape (...)
        Chances in [0, 1]; NaN where a plan is not known.
    standard_error : numpy.ndarray of float, shape (...)
        Standard errors of independent draws: even ones have half of them, or as much where events are few.

    Examples
    --------
    >>> EvaluationPower(np.array([0.8]), np.array([0.009])).power.tolist()
    [0.8]
    """

    power: FloatArray
    standard_error: FloatArray


def evaluation_power(
    births: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    *,
    periods_before: ArrayLike,
    periods_after: ArrayLike,
    kind: Kind = "proportion",
    model: Model = "level",
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
) -> EvaluationPower:
    r"""Chance that the evaluation of a before and after design says the change is there, in its direction.

    The interval of the ratio (after over before) lies wholly below 1 for a fall, above for a rise.

    Parameters
    ----------
    births : array_like, shape (...)
        Births (exposure, for rates) of each period, > 0; NaN or 0 where not known. Those of proportions need
        not be whole: 7.5 are 7 and 8 in turn.
    before, after : array_like, broadcastable to (...)
        Rates of adverse events before and after the change, in [0, 1] for proportions. Where both are the
        same, the power is the chance of a false fall.
    periods_before, periods_after : array_like of whole numbers, broadcastable to (...)
        Numbers of periods, >= 1.
    kind : {"proportion", "rate"}
        Binomial or Poisson events.
    model : {"level", "level+trend"}
        Model of the evaluation; with a trend, the change is that of the fitted rates since it.
    confidence : float
        Level of confidence of the evaluation, in (0, 1).
    draws : int
        Simulated series of each plan.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    EvaluationPower
        Arrays of shape (...), at least one axis.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is out of range, births are infinite, or an option is not allowed.

    References
    ----------
    .. [1] McCullagh, Nelder. Generalized Linear Models, 2nd ed. 1989, section 4.5 (the test).
    .. [2] Hawley, Ali, Berencsi, Judge, Prieto-Alhambra. Sample size and power considerations for ordinary
       least squares interrupted time series analysis: a simulation study. Clinical Epidemiology 2019;11:197.

    Examples
    --------
    A fall from 12 to 6 % with a year on either side, for 10, 25 and 75 births a month:

    >>> found = evaluation_power([10, 25, 75], 0.12, 0.06, periods_before=12, periods_after=12)
    >>> found.power.round(1).tolist()
    [0.3, 0.6, 1.0]
    """
    periods = {"periods_before": periods_before, "periods_after": periods_after}
    plan, shape = checked_plan({"births": births}, {"before": before, "after": after}, periods, kind)
    chance = chances((plan,), simulation_of(model, kind, confidence, draws, seed))
    return _with_error(chance.reshape(shape), draws)


def gap_change_power(
    births: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    reference_births: ArrayLike,
    reference_rate: ArrayLike,
    *,
    periods_before: ArrayLike,
    periods_after: ArrayLike,
    scale: Scale = "ratio",
    kind: Kind = "proportion",
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
) -> EvaluationPower:
    r"""Chance that the evaluation says a gap changed, in its direction, while the reference stays as it is.

    The interval of the ratio of ratios (of odds ratios) of levels, by squares added from those of both sides,
    lies wholly below 1 where the group's rate falls, above where it rises.

    Parameters
    ----------
    births, before, after : array_like, broadcastable to (...)
        Of the group, as for :func:`evaluation_power`.
    reference_births, reference_rate : array_like, broadcastable to (...)
        Births of each period of the reference, > 0, and its rate, before and after the change.
    periods_before, periods_after : array_like of whole numbers, broadcastable to (...)
        Numbers of periods, >= 1.
    scale : {"ratio", "odds-ratio"}
        Ratio of rate ratios, or (proportions only) of odds ratios.
    kind : {"proportion", "rate"}
        Binomial or Poisson events.
    confidence : float
        Level of confidence of the evaluation, in (0, 1).
    draws : int
        Simulated pairs of series of each plan.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    EvaluationPower
        Arrays of shape (...), at least one axis.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is out of range, births are infinite, or an option is not allowed.

    References
    ----------
    .. [1] Zou, Donner. Construction of confidence limits about effect measures: a general approach.
       Statistics in Medicine 2008;27:1693-702.

    Examples
    --------
    A group falls from 12 to 6 % beside a reference at 5 %, with a year on either side:

    >>> year = {"periods_before": 12, "periods_after": 12}
    >>> gap_change_power([25, 75], 0.12, 0.06, [200, 400], 0.05, **year).power.round(1).tolist()
    [0.5, 1.0]
    """
    one_of("scale", scale, ("ratio", "odds-ratio"))
    if scale == "odds-ratio" and kind == "rate":
        raise OptionError(
            "scale='odds-ratio' is not allowed for kind='rate', which has no odds; use 'ratio'."
        )
    tail_of(confidence)
    given = {
        "births": births,
        "before": before,
        "after": after,
        "reference_births": reference_births,
        "reference_rate": reference_rate,
        "periods_before": periods_before,
        "periods_after": periods_after,
    }
    one_shape = dict(zip(given, floats(given), strict=True))

    def side(*names: str) -> tuple[Plan, tuple[int, ...]]:
        births_, *rates = ({name: one_shape[name]} for name in names)
        periods = {name: one_shape[name] for name in ("periods_before", "periods_after")}
        return checked_plan(births_, {k: v for rate in rates for k, v in rate.items()}, periods, kind)

    (own, shape), (other, _) = side("births", "before", "after"), side("reference_births", "reference_rate")

    def signs(group: Months, reference: Months) -> FloatArray:
        return gap_signs(*(gap_part(side, kind, scale, confidence) for side in (group, reference)))

    chance = chances((own, other), Simulation(signs, kind, False, draws, seed))
    return _with_error(chance.reshape(shape), draws)


def periods_needed(
    births: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    *,
    periods_after: ArrayLike,
    power: float = 0.8,
    kind: Kind = "proportion",
    model: Model = "level",
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
) -> FloatArray:
    r"""Periods of baseline with which the evaluation shows a change with the power wanted.

    The smallest number with which :func:`evaluation_power` is as high; with more it is taken to stay so.

    Parameters
    ----------
    births, before, after : array_like, broadcastable to (...)
        As for :func:`evaluation_power`.
    periods_after : array_like of whole numbers, broadcastable to (...)
        Periods after the change, >= 1.
    power : float
        Chance of showing it, in [0.5, 1).
    kind : {"proportion", "rate"}
        Binomial or Poisson events.
    model : {"level", "level+trend"}
        Model of the evaluation.
    confidence : float
        Level of confidence of the evaluation, in (0, 1).
    draws : int
        Simulated series of each plan.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Whole numbers from 1; infinite where 240 periods are not enough, NaN where a plan is not known.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is out of range, births are infinite, or an option is not allowed.

    References
    ----------
    .. [1] McCullagh, Nelder. Generalized Linear Models, 2nd ed. 1989, section 4.5 (the test).

    Examples
    --------
    A fall from 12 to 6 % with a year after it, for 10 and 75 births a month:

    >>> periods_needed([10, 75], 0.12, 0.06, periods_after=12).tolist()
    [inf, 4.0]
    """
    periods = {"periods_before": 1.0, "periods_after": periods_after}
    plan, shape = checked_plan({"births": births}, {"before": before, "after": after}, periods, kind)
    wanted, simulation = least_power(power), simulation_of(model, kind, confidence, draws, seed)
    low = np.zeros(plan.births.shape, dtype=np.int64)
    high = np.full(low.shape, MOST_PERIODS + 1)
    open_ = np.flatnonzero(np.isfinite(plan.births))
    while open_.size:
        far = high[open_] > MOST_PERIODS
        middle = (low[open_] + high[open_]) // 2
        tried = np.where(far, np.clip(2 * low[open_], _FIRST, MOST_PERIODS), middle)
        part = plan.rows(open_)._replace(periods_before=tried)
        enough = chances((part,), simulation) >= wanted
        high[open_], low[open_] = np.where(enough, tried, high[open_]), np.where(enough, low[open_], tried)
        open_ = open_[high[open_] - low[open_] > 1]
    found = np.where(high > MOST_PERIODS, np.inf, high)
    return np.where(np.isnan(plan.births), np.nan, found).reshape(shape)


def smallest_evaluated_ratio(
    births: ArrayLike,
    before: ArrayLike,
    *,
    periods_before: ArrayLike,
    periods_after: ArrayLike,
    power: float = 0.8,
    direction: Direction = "fall",
    kind: Kind = "proportion",
    model: Model = "level",
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
) -> FloatArray:
    r"""Smallest change of a rate that the evaluation shows with the power wanted.

    The ratio at which the simulated power of :func:`evaluation_power` reaches it, by halving a bracket. The
    closed form is :func:`~qi_equity.formulas.detectable_change.smallest_detectable_ratio` with
    :func:`~qi_equity.formulas.expected_inflation.expected_inflation`.

    Parameters
    ----------
    births, before : array_like, broadcastable to (...)
        Births of each period, and the rate before the change, as for :func:`evaluation_power`.
    periods_before, periods_after : array_like of whole numbers, broadcastable to (...)
        Numbers of periods, >= 1.
    power : float
        Chance of showing it, in [0.5, 1).
    direction : {"fall", "rise"}
        Which change.
    kind : {"proportion", "rate"}
        Binomial or Poisson events.
    model : {"level", "level+trend"}
        Model of the evaluation.
    confidence : float
        Level of confidence of the evaluation, in (0, 1).
    draws : int
        Simulated series of each plan.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    numpy.ndarray of float, shape (...)
        Rate after over rate before: in [0, 1) for a fall, above 1 for a rise. NaN where none is shown, not
        even a fall to no event at all, or a rise to an event at every birth or to 64 times the rate; and
        where a plan is not known or has no events before.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is out of range, births are infinite, or an option is not allowed.

    References
    ----------
    .. [1] McCullagh, Nelder. Generalized Linear Models, 2nd ed. 1989, section 4.5 (the test).

    Examples
    --------
    At 12 %, two years before and one after, for 10, 25 and 75 births a month:

    >>> ratio = smallest_evaluated_ratio([10, 25, 75], 0.12, periods_before=24, periods_after=12)
    >>> ratio.round(1).tolist()
    [0.3, 0.5, 0.7]
    """
    periods = {"periods_before": periods_before, "periods_after": periods_after}
    plan, shape = checked_plan({"births": births}, {"before": before}, periods, kind)
    wanted, falls = least_power(power), sign_of(direction) < 0
    simulation = simulation_of(model, kind, confidence, draws, seed)
    most = 1.0 if kind == "proportion" else np.inf
    p = np.where(np.isfinite(plan.births) & (plan.before > 0), plan.before, np.nan)
    with np.errstate(invalid="ignore"):
        far = np.zeros(p.shape) if falls else np.minimum(_MOST_RISE, most / p)
    plan = plan._replace(births=np.where(np.isnan(p) | (far == 1), np.nan, plan.births))

    def shown(ratio: FloatArray) -> FloatArray:
        changed = np.minimum(p * ratio, most)
        return chances((plan._replace(after=changed),), simulation)

    near, at_all = np.ones(p.shape), shown(far) >= wanted
    plan = plan._replace(births=np.where(at_all, plan.births, np.nan))
    for _ in range(_HALVINGS):
        middle = (near + far) / 2 if falls else np.sqrt(near * far)
        enough = shown(middle) >= wanted
        near, far = np.where(enough, near, middle), np.where(enough, middle, far)
    return np.where(at_all, far, np.nan).reshape(shape)


def _with_error(chance: FloatArray, draws: int) -> EvaluationPower:
    return EvaluationPower(chance, np.sqrt(chance * (1 - chance) / draws))
