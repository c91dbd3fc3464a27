"""Estimates of the measures of inequality, for counts as they are and for draws of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qi_equity.data.cells import Floats, Ints
from qi_equity.formulas import inequality as of
from qi_equity.formulas.inequality_compared import best_group, compared_groups, value_of_group

__all__ = ["SIMULATED", "Compared", "Rule", "compare", "cut", "estimates", "groups_named"]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Which groups are compared, as positions among the groups; arrays of shape (..., R), -1 for none.

    Parameters
    ----------
    first, second : ndarray of int
        Of the difference and the ratio.
    best : ndarray of int
        The best group.
    reference : ndarray of int
        The reference of the mean differences from it; none where none is named.
    attributable : ndarray of int
        The reference of the attributable risk.
    cut : int
        Sign beyond which the attributable risk is cut off at 0; 0 for nowhere.
    """

    first: Ints
    second: Ints
    best: Ints
    reference: Ints
    attributable: Ints
    cut: int


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """How the groups compared are found.

    Parameters
    ----------
    higher_is_better : bool
        Direction of the measure; without one, as if lower were better.
    directed : bool
        Whether it has a direction.
    ordered : bool
        Whether the groups have an order.
    named : int or None
        Position of a group that is named as reference.
    best_is_named : bool
        Whether the best group is named as reference.
    able : ndarray of bool, shape (R, G)
        Groups that are large enough to be the best.
    fixed_best : ndarray of int, shape (R,), optional
        The best group, where it is not looked for anew.
    """

    higher_is_better: bool
    directed: bool
    ordered: bool
    named: int | None
    best_is_named: bool
    able: NDArray[np.bool_]
    fixed_best: Ints | None


def compare(values: Floats, births: Floats, rule: Rule) -> Compared:
    """Find the groups compared in values of shape (..., R, G)."""
    shape = values.shape[:-1]
    nobody = np.full(shape, -1, dtype=np.int64)
    if not rule.directed:
        best = nobody
    elif rule.fixed_best is not None:
        best = np.broadcast_to(rule.fixed_best, shape)
    else:
        best = best_group(np.where(rule.able, values, np.nan), births, higher_is_better=rule.higher_is_better)
    named = best if rule.best_is_named else nobody if rule.named is None else np.full(shape, rule.named)
    has_name = rule.best_is_named or rule.named is not None
    first, second = compared_groups(
        values,
        higher_is_better=rule.higher_is_better,
        reference=named if has_name else None,
        ordered=rule.ordered,
    )
    last = np.full(shape, values.shape[-1] - 1) if rule.ordered else best
    attributable = named if has_name else last
    is_best = rule.best_is_named or (rule.named is None and not rule.ordered)
    cut = 0 if is_best or not rule.directed else (-1 if rule.higher_is_better else 1)
    return Compared(first, second, best, named, attributable, cut)


def estimates(ids: tuple[str, ...], values: Floats, births: Floats, compared: Compared) -> dict[str, Floats]:
    """Give measures of values of shape (..., R, G), each of shape (..., R)."""
    call = {"y": values, "n": births, "c": compared}
    with np.errstate(divide="ignore", invalid="ignore"):
        return {i: np.asarray(_FORMULAS[i](**call)) for i in ids}


def groups_named(measure: str, compared: Compared, rule: Rule) -> tuple[Ints, Ints]:
    """Give the group that a measure compares, and the one it or all groups are compared with; -1 for none."""
    nobody = np.full(compared.first.shape, -1, dtype=np.int64)
    match measure:
        case "d" | "r":
            pair = compared.first, compared.second
            return pair[::-1] if rule.higher_is_better else pair
        case "mdbu" | "mdbw":
            return nobody, compared.best
        case "mdru" | "mdrw":
            return nobody, compared.reference
        case "par" | "paf":
            return nobody, compared.attributable
        case _:
            return nobody, nobody


def cut(value: Floats, compared: Compared) -> Floats:
    """Cut an attributable risk off at 0 where the reference would make the mean worse."""
    if compared.cut == 0:
        return value
    return np.minimum(value, 0) if compared.cut > 0 else np.maximum(value, 0)


def _from_group(weighted: bool, which: str) -> Callable[..., Floats]:
    def measure(y: Floats, n: Floats, c: Compared) -> Floats:
        against = value_of_group(y, getattr(c, which))
        return of.mean_difference_from(y, n, against=against, weighted=weighted)

    return measure


def _attributable(formula: Callable[..., Floats]) -> Callable[..., Floats]:
    def measure(y: Floats, n: Floats, c: Compared) -> Floats:
        return cut(formula(y, n, value_of_group(y, c.attributable)), c)

    return measure


_FORMULAS: Mapping[str, Callable[..., Any]] = {
    "d": lambda y, n, c: value_of_group(y, c.first) - value_of_group(y, c.second),
    "r": lambda y, n, c: value_of_group(y, c.first) / value_of_group(y, c.second),
    "bgv": lambda y, n, c: of.between_group_variance(y, n),
    "bgsd": lambda y, n, c: np.sqrt(of.between_group_variance(y, n)),
    "cov": lambda y, n, c: of.coefficient_of_variation(y, n),
    "mdmu": lambda y, n, c: of.mean_difference_from(y, n, weighted=False),
    "mdmw": lambda y, n, c: of.mean_difference_from(y, n, weighted=True),
    "mdbu": _from_group(False, "best"),
    "mdbw": _from_group(True, "best"),
    "mdru": _from_group(False, "reference"),
    "mdrw": _from_group(True, "reference"),
    "idisu": lambda y, n, c: of.index_of_disparity(y, n, weighted=False),
    "idisw": lambda y, n, c: of.index_of_disparity(y, n, weighted=True),
    "ti": lambda y, n, c: of.theil_index(y, n),
    "mld": lambda y, n, c: of.mean_log_deviation(y, n),
    "par": _attributable(of.population_attributable_risk),
    "paf": _attributable(of.population_attributable_fraction),
}

# The measures of which draws are made; those of ordered groups are linear in the values, or nearly so.
SIMULATED = tuple(_FORMULAS)
