"""The counts of a series and its margins as one set of entries, with what a rule lets an outsider know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity import _validate
from qi_equity.data.cells import PADDING, Bools, Cells, Floats, Ints
from qi_equity.data.disclosure.margins import View
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.formulas.suppression import Entries, rounded

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

NUMERATOR, DENOMINATOR, UNRECORDED = "numerator", "denominator", "unrecorded"
QUANTITIES = (DENOMINATOR, NUMERATOR, UNRECORDED)

# The loss of a count: births take the events of the cell with them, unrecorded outcomes are read by few.
_WEIGHT = {DENOMINATOR: 2.0, NUMERATOR: 1.0, UNRECORDED: 0.5}
# A protected count that is not even said to be one is the last resort.
_UNSAID = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """All counts that would be published, and where each stands.

    Parameters
    ----------
    entries : Entries
        The E counts, those of the series first.
    quantity : ndarray of int, shape (E,)
        Index into ``QUANTITIES``.
    view : ndarray of int, shape (E,)
        Index of the margin.
    place : ndarray of int, shape (E,)
        Position in the flattened cells of the margin.
    births : ndarray of int, shape (E,)
        The entry that holds the births of the same cell, -1 if there is none.
    excluded : ndarray of bool, shape (E,)
        Counts of cells with fewer births than the rule asks for.
    """

    entries: Entries
    quantity: Ints
    view: Ints
    place: Ints
    births: Ints
    excluded: Bools

    def where(self, mask: Bools, quantity: str, view: int, cells: Cells) -> Bools:
        """Tell the cells of a margin whose count is marked in ``mask`` (shape (E,))."""
        found = np.zeros(cells.status.size, dtype=bool)
        found[self.place[mask & (self.quantity == QUANTITIES.index(quantity)) & (self.view == view)]] = True
        return found.reshape(cells.status.shape)


def counts_of(series: StratifiedSeries) -> tuple[str, ...]:
    """Name the counts that the series holds; of measurements the number of values, not their sum."""
    held = (DENOMINATOR, UNRECORDED) if series.measure.kind == "mean" else QUANTITIES
    return tuple(q for q in QUANTITIES if q in held and np.isfinite(getattr(series.cells, q)).any())


def check_counts(series: StratifiedSeries, held: Sequence[str]) -> None:
    """Refuse counts that are no whole numbers.

    Raises
    ------
    DataError
        With the rows in ``bad_rows``.
    """
    frame = series.data
    found = []
    for name in held:
        values = frame[name].to_numpy()
        wrong = np.isfinite(values) & ((values % 1 != 0) | (values < 0))
        found.append(frame[wrong].assign(problem=f"{name} is no whole number of 0 or more"))
    if series.measure.kind == "mean":
        sizeless = np.isfinite(frame["value"]) & ~np.isfinite(frame["denominator"])
        found.append(frame[sizeless].assign(problem="a mean without the number of values in it"))
    problems = pd.concat(found) if found else frame.head(0).assign(problem="")
    _validate.rows(problems, "the series to be disclosed", "Only counts of women or events can be disclosed.")


def facts(series: StratifiedSeries, views: Sequence[View], rule: SuppressionRule) -> Facts:
    """Gather the counts of the series and its margins.

    Parameters
    ----------
    series : StratifiedSeries
        The true counts.
    views : sequence of View
        What is published together; the first is the series itself.
    rule : SuppressionRule
        The rule.

    Returns
    -------
    Facts
    """
    from scipy.sparse import csr_array, vstack

    held = counts_of(series)
    number, size = _numbers(series.cells, held)
    rows: list[Any] = []
    columns: dict[str, list[Any]] = {"count": [], "quantity": [], "view": [], "place": [], "parts": []}
    for v, view in enumerate(views):
        for name in held:
            there = number[name] >= 0
            inside = there & (view.place >= 0)
            member = csr_array(
                (np.ones(int(inside.sum())), (view.place[inside], number[name][inside])),
                shape=(view.cells.status.size, size),
            )
            count = getattr(view.cells, name).ravel()
            kept = np.flatnonzero(np.isfinite(count) & (np.diff(member.indptr) > 0))
            rows.append(member[kept])
            columns["count"].append(count[kept])
            columns["quantity"].append(np.full(len(kept), QUANTITIES.index(name)))
            columns["view"].append(np.full(len(kept), v))
            columns["place"].append(kept)
            columns["parts"].append(np.diff(member.indptr)[kept])
    at = {name: np.concatenate(parts) for name, parts in columns.items()}
    births, few = _births(at, views, rule.minimum_denominator)
    entries = _ranges(vstack(rows).tocsr(), at, few, rule, _pairs(series, number))
    return Facts(entries, at["quantity"], at["view"], at["place"], births, few)


def _numbers(cells: Cells, held: Sequence[str]) -> tuple[dict[str, Ints], int]:
    """Give each unknown count of the series a number, -1 where there is none; and how many there are."""
    number, size = {}, 0
    for name in held:
        there = np.isfinite(getattr(cells, name)) & (cells.status != PADDING)
        number[name] = np.where(there, size + np.cumsum(there).reshape(there.shape) - 1, -1)
        size += int(there.sum())
    return number, size


def _pairs(series: StratifiedSeries, number: dict[str, Ints]) -> Ints:
    """Pair the events and births of each cell of a proportion."""
    if series.measure.kind != "proportion" or not {NUMERATOR, DENOMINATOR} <= set(number):
        return np.zeros((0, 2), dtype=np.int64)
    both = (number[NUMERATOR] >= 0) & (number[DENOMINATOR] >= 0)
    return np.column_stack([number[NUMERATOR][both], number[DENOMINATOR][both]])


def _births(at: dict[str, Any], views: Sequence[View], least: int) -> tuple[Ints, Bools]:
    """Find the entry of the births of each cell, and the cells with too few of them."""
    first = np.cumsum([0, *(v.cells.status.size for v in views)])
    cell = first[at["view"]] + at["place"]
    of_cell = np.full(first[-1], -1)
    are_births = at["quantity"] == QUANTITIES.index(DENOMINATOR)
    of_cell[cell[are_births]] = np.flatnonzero(are_births)
    births = of_cell[cell]
    few = (births >= 0) & (at["count"][births] < least) & (at["count"][births] > 0)
    return births, few


def _ranges(sums: Any, at: dict[str, Any], few: Bools, rule: SuppressionRule, pairs: Ints) -> Entries:
    """Say what an outsider knows of each count, shown by the rule and withheld.

    In the outsider's favour: they are taken to know of every protected count that it is one, of every other
    count withheld that it is none, and every 0 even where it is not shown for want of births.
    """
    count: Floats = at["count"]
    protected = (count >= rule.smallest) & (count <= rule.largest) & rule.protects
    zero = (count == 0) & ~protected
    above = np.where(zero, 0.0, rule.largest + 1.0)
    lower, upper = count.copy(), count.copy()
    if rule.rounding is not None:
        lower, upper = rounded(count, rule.rounding)[1:]
        lower = np.maximum(lower, np.where(zero & ~rule.protects, 0.0, above))
        upper = np.where(zero & rule.protects, 0.0, upper)
    outside = few & ~protected & ~zero
    births = at["quantity"] == QUANTITIES.index(DENOMINATOR)
    lower = np.where(outside, above, lower)
    upper = np.where(outside, np.where(births, rule.minimum_denominator - 1.0, np.inf), upper)
    lower[protected], upper[protected] = rule.smallest, rule.largest
    hidden_lower = np.where(protected, float(rule.smallest), above)
    hidden_upper = np.where(zero, 0.0, np.inf)
    weight = np.array([_WEIGHT[q] for q in QUANTITIES])[at["quantity"]]
    cost = weight * (at["parts"] + 0.5 * count / max(count.max(initial=1.0), 1.0))
    cost = np.where(zero, np.inf, np.where(protected, cost * _UNSAID, cost))
    return Entries(
        sums, count, lower, upper,
        np.minimum(hidden_lower, lower), np.maximum(hidden_upper, upper), cost, protected, pairs,
    )  # fmt: skip


def as_withheld(entries: Entries, which: Bools) -> Entries:
    """Take some entries as withheld from the start."""
    return replace(
        entries,
        shown_lower=np.where(which, entries.hidden_lower, entries.shown_lower),
        shown_upper=np.where(which, entries.hidden_upper, entries.shown_upper),
    )
