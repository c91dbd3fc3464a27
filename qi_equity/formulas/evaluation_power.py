"""Would the evaluation see it? Power of the library's own before and after comparison, by simulation."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import one_of, whole_number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray
from qi_equity.formulas._detectable import Kind, planned
from qi_equity.formulas._evaluation_draws import Plan, draw_months, random_numbers
from qi_equity.formulas._evaluation_tests import level_signs, trend_signs
from qi_equity.formulas._interval_parts import tail_of

__all__ = ["EvaluationPower", "evaluation_power"]

Model = Literal["level", "level+trend"]

# Simulated counts that are held at once.
_AT_ONCE = 1_500_000


class EvaluationPower(NamedTuple):
    """Chances that an evaluation shows a change, and how far simulation may be off.

    Parameters
    ----------
    power : numpy.ndarray of float, shape (...)
        Chances in [0, 1]; NaN where a plan is not known.
    standard_error : numpy.ndarray of float, shape (...)
        Monte-Carlo standard errors.

    Examples
    --------
    >>> EvaluationPower(0.8, 0.01).power
    0.8
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
    """Chance that the evaluation of a before and after design says the change is there, in its direction."""
    plan, shape = _plan(births, before, after, periods_before, periods_after, kind)
    chance = _chances(plan, kind, model, confidence, draws, seed)
    return EvaluationPower(chance.reshape(shape), np.sqrt(chance * (1 - chance) / draws).reshape(shape))


def _plan(
    births: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    periods_before: ArrayLike,
    periods_after: ArrayLike,
    kind: Kind,
) -> tuple[Plan, tuple[int, ...]]:
    """Check designs, give them flat, with their shape; what is not known becomes NaN births."""
    periods = {"periods_before": periods_before, "periods_after": periods_after}
    p0, p1, n, *counts = planned(
        kind, rates={"before": before, "after": after}, sizes={"births": births}, others=periods
    )
    for name, array in zip(periods, counts, strict=True):
        wrong = array[~np.isnan(array) & ((array % 1 != 0) | (array < 1))]
        if wrong.size:
            raise OptionError(f"{name} holds {float(wrong[0])!r}; give whole numbers of periods, 1 or more.")
    known = np.isfinite(p0 + p1 + n + sum(counts))
    n = np.where(known, n, np.nan)
    first, last = (np.where(known, a, 1).astype(np.int64) for a in counts)
    return Plan(n.ravel(), p0.ravel(), p1.ravel(), first.ravel(), last.ravel()), n.shape


def _chances(plan: Plan, kind: Kind, model: Model, confidence: float, draws: int, seed: int) -> FloatArray:
    """Simulate the designs that are known, a block at a time."""
    tail_of(confidence)
    signs_of = level_signs if one_of("model", model, ("level", "level+trend")) == "level" else trend_signs
    draws = whole_number("draws", draws, at_least=1)
    found = np.full(plan.births.shape, np.nan)
    numbers = random_numbers(plan, draws, seed)
    periods = plan.periods_before + plan.periods_after
    rows = np.flatnonzero(np.isfinite(plan.births))
    rows = rows[np.argsort(periods[rows], kind="stable")]
    while rows.size:
        cost = periods[rows] * draws * np.arange(1, rows.size + 1)
        block = rows[: max(1, int(np.searchsorted(cost, _AT_ONCE)))]
        rows = rows[block.size :]
        part = plan.rows(block)
        sign = np.where(part.after > part.before, 1.0, -1.0)[:, None]
        found[block] = (signs_of(draw_months(part, numbers, kind), kind, confidence) == sign).mean(axis=-1)
    return found
