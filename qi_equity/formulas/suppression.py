"""Which counts to withhold so that an outsider cannot work out the small ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qi_equity import _validate
from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray
from qi_equity.formulas._suppression_entries import Entries, known, numbers_left, parts
from qi_equity.formulas._suppression_repair import Repair

__all__ = ["Choice", "Entries", "known", "numbers_left", "rounded", "withhold"]

_SMALL = 400
_SEED = 20260402
_MORE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What is withheld beyond the rule, and what the rule by itself would have left.

    Parameters
    ----------
    hidden : ndarray of bool, shape (E,)
        Entries withheld beyond the rule.
    left_by_rule : ndarray of int, shape (E,)
        Whole numbers that the rule by itself leaves of a protected entry, up to ``protect``; 0 of others.
    unsafe : ndarray of bool, shape (E,)
        Protected entries that are not safe, whatever is withheld.
    """

    hidden: BoolArray
    left_by_rule: IntArray
    unsafe: BoolArray


def rounded(counts: FloatArray, base: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    r"""Round counts to the nearest multiple of a base, halves up, and say what each result stands for.

    .. math:: b \lfloor x / b + 1/2 \rfloor

    Parameters
    ----------
    counts : ndarray of float
        Whole numbers of 0 or more; NaN stays NaN.
    base : int
        The base, >= 1. A half occurs with even bases only: 5 to base 10 becomes 10.

    Returns
    -------
    rounded, lower, upper : ndarray of float
        The result, and the least and greatest whole number (of 0 or more) that is rounded to it.

    References
    ----------
    .. [1] NHS Digital, Maternity Services Data Set code: ``round(x / 5, 0) * 5``. SQL rounds halves away from
       zero, which for counts is up.

    Examples
    --------
    >>> import numpy as np
    >>> [a.tolist() for a in rounded(np.array([8.0, 12, 13]), 5)]
    [[10.0, 10.0, 15.0], [8.0, 8.0, 13.0], [12.0, 12.0, 17.0]]
    """
    step = _validate.whole_number("base", base, at_least=1)
    shown = np.floor((2 * np.asarray(counts, dtype=np.float64) + step) / (2 * step)) * step
    lower = np.maximum(np.ceil(shown - step / 2), 0)
    upper = np.ceil(shown + step / 2) - 1
    return shown, lower, upper


def withhold(entries: Entries, *, protect: int, allowed: bool = True) -> Choice:
    r"""Choose what to withhold so that each protected entry keeps ``protect`` possible whole numbers.

    For an entry that an outsider knows too well, the cheapest two tables are sought that look to them as
    the true one does and between which the entry differs by ``protect - 1``: a linear program over changes
    :math:`\delta^+, \delta^-` of the true counts, in which a change of an entry beyond what its published
    form leaves open costs its weight. Entries changed are withheld. Then each entry withheld is shown again,
    dearest first, if the attack allows it; small tables are done in several orders and the cheapest is taken.
    That something is safe is always shown by :func:`numbers_left`, never by the program. The least loss is
    not guaranteed.

    Parameters
    ----------
    entries : Entries
        The entries.
    protect : int
        Fewest whole numbers, >= 1.
    allowed : bool
        Whether anything may be withheld beyond the rule.

    Returns
    -------
    Choice

    Raises
    ------
    OptionError
        If ``protect`` is below 1.

    References
    ----------
    .. [1] Fischetti and Salazar, Solving the cell suppression problem on tabular data with linear
       constraints, Management Science 47(7), 2001, 1008-1027: the model, and one linear program an entry.
    .. [2] Kelly, Golden and Assad, Cell suppression: disclosure protection for sensitive tabular data,
       Networks 22(4), 1992, 397-417: taking back what turns out not to be needed.
    """
    needed = _validate.whole_number("protect", protect, at_least=1)
    size = len(entries.counts)
    hidden, unsafe = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    left = np.zeros(size, dtype=np.int64)
    for part in parts(entries):
        choice = _one_part(part.entries, needed, allowed)
        hidden[part.rows] |= choice.hidden
        unsafe[part.rows] |= choice.unsafe
        left[part.rows] = np.maximum(left[part.rows], choice.left_by_rule)
    return Choice(hidden, left, unsafe)


def _one_part(entries: Entries, needed: int, allowed: bool) -> Choice:
    nothing = np.zeros(len(entries.counts), dtype=bool)
    protected = np.flatnonzero(entries.protected)
    left = np.zeros(len(nothing), dtype=np.int64)
    left[protected] = numbers_left(entries, nothing, protected, enough=needed)
    failing = protected[left[protected] < needed]
    if not failing.size or not allowed:
        return Choice(nothing, left, entries.protected & (left < needed))
    work = _Work(entries, needed)
    best = work.trimmed(*work.fill(failing[np.lexsort((-entries.counts[failing], left[failing]))]))
    if len(entries.counts) <= _SMALL and len(failing) > 1 and best[0].sum() > 1:
        tries = [work.trimmed(*work.fill(order)) for order in _other_orders(entries, failing, left)]
        best = min([best, *tries], key=lambda t: (t[1].sum(), entries.cost[t[0]].sum()))
    return Choice(best[0], left, best[1])


def _other_orders(entries: Entries, failing: IntArray, left: IntArray) -> Iterator[IntArray]:
    """Give orders in which to mend besides the usual one, which starts with what is known best."""
    yield failing[np.lexsort((entries.counts[failing], -left[failing]))]
    yield np.random.default_rng(_SEED).permutation(failing)


class _Work:
    """Mends one part of a table."""

    def __init__(self, entries: Entries, needed: int) -> None:
        self.entries, self.needed = entries, needed
        self.repair = Repair(entries)
        self.protected = np.flatnonzero(entries.protected)

    def fill(self, order: IntArray) -> tuple[BoolArray, BoolArray]:
        """Withhold for one entry after another until all are safe; also tell which are not."""
        hidden = np.zeros(len(self.entries.counts), dtype=bool)
        unsafe = hidden.copy()
        while order.size:
            for step in self._steps(int(order[0]), hidden):
                hidden, safe = step, self._safe(step, order)
                if safe[0]:
                    break
            unsafe[order[0]] = not safe[0]
            order = order[1:][~safe[1:]]
        return hidden, unsafe

    def trimmed(self, hidden: BoolArray, unsafe: BoolArray) -> tuple[BoolArray, BoolArray]:
        """Show again what need not be withheld, dearest first."""
        withheld = np.flatnonzero(hidden)
        for entry in withheld[np.argsort(-self.entries.cost[withheld], kind="stable")]:
            trial = hidden.copy()
            trial[entry] = False
            first, all_ = self._touching(entry, unsafe), self._around(entry, unsafe)
            if self._safe(trial, first).all() and self._safe(trial, all_).all():
                hidden = trial
        return hidden, unsafe

    def _steps(self, entry: int, hidden: BoolArray) -> Iterator[BoolArray]:
        """Give what to withhold for one entry, more and more: at last all that can be withheld."""
        for unsaid in (False, True):
            if unsaid:
                hidden = hidden.copy()
                hidden[entry] = True
                yield hidden
            for step in self._wider(entry, hidden):
                hidden = step
                yield hidden
        everything = hidden.copy()
        near = self.repair.near(entry)
        everything[near[np.isfinite(self.entries.cost[near])]] = True
        yield everything

    def _wider(self, entry: int, hidden: BoolArray) -> Iterator[BoolArray]:
        """Give what ever wider changes of an entry ask to withhold, as far as it is more."""
        for width in range(max(self.needed - 1, 1), self.needed + _MORE):
            for unsaid in (False, True):
                for whole in (False, True):
                    chosen = self.repair.solve(entry, hidden, width, unsaid=unsaid, whole=whole)
                    if chosen is None:
                        break
                    if (chosen & ~hidden).any():
                        hidden = hidden | chosen
                        yield hidden
            if chosen is None:
                return

    def _safe(self, hidden: BoolArray, which: IntArray) -> BoolArray:
        safe: BoolArray = numbers_left(self.entries, hidden, which, enough=self.needed) >= self.needed
        return safe

    def _touching(self, entry: int, unsafe: BoolArray) -> IntArray:
        """List the protected entries that share a sum with one: the first to fail if it is shown."""
        numbers = self.entries.sums[[entry]].indices
        rows = np.flatnonzero(np.diff(self.entries.sums[:, numbers].tocsr().indptr))
        shared = np.unique(self.entries.sums[rows].indices)
        mine = self.protected[~unsafe[self.protected]]
        return mine[np.diff(self.entries.sums[mine][:, shared].tocsr().indptr) > 0]

    def _around(self, entry: int, unsafe: BoolArray) -> IntArray:
        return np.intersect1d(self.repair.near(entry), self.protected[~unsafe[self.protected]])
