"""Simulated chances that evaluations of many plans show a change: a block of plans at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of, whole_number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._detectable import Kind, planned
from qi_equity.formulas._evaluation_draws import Months, Plan, draw_months, random_numbers
from qi_equity.formulas._evaluation_tests import level_signs, trend_signs
from qi_equity.formulas._interval_parts import tail_of

Model = Literal["level", "level+trend"]

# Simulated counts that are held at once.
_AT_ONCE = 1_500_000


def has_trend(model: Model) -> bool:
    """Tell whether the model has a trend, after a check of its name."""
    return one_of("model", model, ("level", "level+trend")) == "level+trend"


def checked_periods(periods: Mapping[str, FloatArray]) -> None:
    """Check that periods are whole numbers from 1, or NaN.

    Raises
    ------
    OptionError
        Names what is not.
    """
    for name, array in periods.items():
        wrong = array[~np.isnan(array) & ((array % 1 != 0) | (array < 1))]
        if wrong.size:
            raise OptionError(f"{name} holds {float(wrong[0])!r}; give whole numbers of periods, 1 or more.")


def checked_plan(
    births: Mapping[str, ArrayLike],
    rates: Mapping[str, ArrayLike],
    periods: Mapping[str, ArrayLike],
    kind: Kind,
) -> tuple[Plan, tuple[int, ...]]:
    """Check designs; give them flat, with NaN births where anything is not known, and their shape.

    ``rates`` are those before and after, or the one of both.

    Raises
    ------
    InputTypeError
        If an argument does not hold numbers.
    OptionError
        If a number is out of range or births are infinite.
    """
    *of_rates, n, first, last = planned(kind, rates=rates, sizes=births, others=periods)
    if np.isinf(n).any():
        raise OptionError(f"{next(iter(births))} holds inf; give births of a period, NaN where not known.")
    checked_periods(dict(zip(periods, (first, last), strict=True)))
    before, after = of_rates[0], of_rates[-1]
    known = np.isfinite(n + before + after + first + last)
    n = np.where(known, n, np.nan)
    first, last = (np.where(known, a, 1.0) for a in (first, last))
    flat = n.ravel(), before.ravel(), after.ravel()
    return Plan(*flat, first.ravel().astype(np.int64), last.ravel().astype(np.int64)), n.shape


class Simulation(NamedTuple):
    """What series are drawn and judged with."""

    signs: Callable[..., FloatArray]
    kind: Kind
    trend: bool
    draws: int
    seed: int


def simulation_of(model: Model, kind: Kind, confidence: float, draws: int, seed: int) -> Simulation:
    """Give the simulation of one series, after a check of the options."""
    tail_of(confidence)
    test = trend_signs if has_trend(model) else level_signs

    def signs(months: Months) -> FloatArray:
        return test(months, kind, confidence)

    return Simulation(signs, kind, has_trend(model), draws, seed)


def chances(plans: tuple[Plan, ...], simulation: Simulation) -> FloatArray:
    """Give how often the signs of drawn series point the way in which the first series changes.

    Each series, of which the test takes as many as there are plans, has random numbers of its own. NaN where
    a plan has no births.
    """
    signs, kind, trend, draws, seed = simulation
    draws, seed = whole_number("draws", draws, at_least=1), whole_number("seed", seed)
    first = plans[0]
    numbers = [random_numbers(plan, draws, seed, place) for place, plan in enumerate(plans)]
    periods = first.periods_before + first.periods_after
    rows = np.flatnonzero(np.isfinite(sum(plan.births for plan in plans)))
    rows = rows[np.argsort(periods[rows], kind="stable")]
    found = np.full(first.births.shape, np.nan)
    while rows.size:
        cost = periods[rows] * draws * np.arange(1, rows.size + 1)
        block = rows[: max(1, int(np.searchsorted(cost, _AT_ONCE)))]
        rows = rows[block.size :]
        series = [
            draw_months(plan.rows(block), u, kind, trend=trend)
            for plan, u in zip(plans, numbers, strict=True)
        ]
        way = np.where(first.after > first.before, 1.0, -1.0)[block, None]
        found[block] = (signs(*series) == way).mean(axis=-1)
    return found
