"""What to withhold for one entry: the cheapest two tables that an outsider cannot tell from the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray
from qi_equity.formulas._outsider_bounds import joined, stacked, without_zeros
from qi_equity.formulas._suppression_entries import Entries, parted

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MOVED = 1e-6
# Good is good enough, and the effort is counted in nodes, not in time: the same data give the same choice.
_EFFORT: Any = {"mip_rel_gap": 0.1, "node_limit": 500}


class Repair:
    """The linear program of one part of a table, solved for one entry after another.

    A change of an entry is free within what its published form leaves open, and paid beyond; one-number
    entries stand for the numbers, the others are sums of them.
    """

    def __init__(self, entries: Entries) -> None:
        from scipy.sparse import csr_array

        small = entries.own[entries.pairs[:, 0]] if len(entries.pairs) else np.zeros(0, dtype=np.int64)
        large = entries.own[entries.pairs[:, 1]] if len(entries.pairs) else np.zeros(0, dtype=np.int64)
        tight = entries.protected[large] & (entries.counts[small] > 0)
        self.entries = parted(entries, tight)
        size, own = len(entries.counts), entries.own
        others = np.setdiff1d(np.arange(size), own)
        to_entry = csr_array((np.ones(len(own)), (np.arange(len(own)), own)), shape=(len(own), size))
        minus = csr_array((np.ones(len(others)), (np.arange(len(others)), others)), shape=(len(others), size))
        self.balance = without_zeros(entries.sums[others] @ to_entry - minus)
        small, large = small[tight], large[tight]
        n = len(small)
        at = (np.repeat(np.arange(n), 2), np.column_stack([small, large]).ravel())
        self.at_most = csr_array((np.tile([1.0, -1.0], n), at), shape=(n, size))
        self.room = entries.counts[large] - entries.counts[small]
        self.label = joined(stacked(self.balance, self.at_most))

    def near(self, entry: int) -> IntArray:
        """List the entries that hang together with one by sums that are open."""
        return np.flatnonzero(self.label == self.label[entry])

    def solve(
        self, entry: int, hidden: BoolArray, width: int, *, unsaid: bool, whole: bool
    ) -> BoolArray | None:
        """Tell which entries to withhold so that one can differ by ``width``; None if that cannot be.

        ``unsaid`` allows protected entries to be withheld without saying that they are protected ones,
        ``whole`` asks for tables in whole numbers.
        """
        from scipy.optimize import Bounds, LinearConstraint, milp

        near = self.near(entry)
        moves, lower, upper, cost = self._moves(near, entry, hidden, unsaid, width)
        rows, least, most = self._rows(near, moves)
        at = int(np.searchsorted(near, entry))
        rows, least, most = _two(rows, least, most, moves, at, width)
        answer = milp(
            np.tile(cost, 2),
            integrality=np.full(2 * len(cost), int(whole)),
            bounds=Bounds(np.tile(lower, 2), np.tile(upper, 2)),
            constraints=LinearConstraint(rows, least, most),
            options=_EFFORT,
        )
        if answer.x is None:
            return None
        paid = (np.abs(answer.x) > _MOVED) & (np.tile(cost, 2) > 0)
        column = np.tile(moves.indices, 2)[paid]
        chosen = np.zeros(len(hidden), dtype=bool)
        chosen[near[column]] = True
        return chosen

    def _moves(
        self, near: IntArray, entry: int, hidden: BoolArray, unsaid: bool, width: int
    ) -> tuple[csr_array, FloatArray, FloatArray, FloatArray]:
        """Give the ways in which the entries can change: freely, and up or down at a cost.

        The matrix, entries by ways, is given transposed: each way moves one entry.
        """
        from scipy.sparse import csr_array

        e, size = self.entries, len(near)
        itself = near == entry
        is_hidden = hidden[near]
        count = e.counts[near]
        low = np.where(is_hidden, e.hidden_lower[near], e.shown_lower[near]) - count
        high = np.where(is_hidden, e.hidden_upper[near], e.shown_upper[near]) - count
        payable = np.isfinite(e.cost[near]) & ~is_hidden & ~itself & (unsaid | ~e.protected[near])
        up, down = np.zeros((2, size))
        np.subtract(e.hidden_upper[near], e.shown_upper[near], out=up, where=payable & (high < np.inf))
        np.subtract(e.shown_lower[near], e.hidden_lower[near], out=down, where=payable)
        nothing = np.zeros(size)
        price = np.where(payable, e.cost[near], 0.0) / width
        lower = np.concatenate([low, nothing, nothing])
        upper = np.concatenate([high, up, down])
        cost = np.concatenate([nothing, price, price])
        sign = np.concatenate([nothing + 1, nothing + 1, nothing - 1])
        used = (lower < 0) | (upper > 0)
        mover = np.tile(np.arange(size), 3)[used]
        ways = csr_array((sign[used], mover, np.arange(used.sum() + 1)), shape=(int(used.sum()), size))
        return ways, lower[used], upper[used], cost[used]

    def _rows(self, near: IntArray, moves: csr_array) -> tuple[csr_array, FloatArray, FloatArray]:
        """Give what ties the ways together: sums balance, and pairs keep their order."""
        of_balance = np.flatnonzero(self._inside(self.balance, near))
        of_pairs = np.flatnonzero(self._inside(self.at_most, near))
        rows = stacked(self.balance[of_balance][:, near], self.at_most[of_pairs][:, near]) @ moves.T
        least = np.append(np.zeros(len(of_balance)), np.full(len(of_pairs), -np.inf))
        return rows, least, np.append(np.zeros(len(of_balance)), self.room[of_pairs])

    def _inside(self, rows: csr_array, near: IntArray) -> BoolArray:
        inside: BoolArray = self.label[rows.indices[rows.indptr[:-1]]] == self.label[near[0]]
        return inside


def _two(
    rows: csr_array, least: FloatArray, most: FloatArray, moves: csr_array, at: int, width: int
) -> tuple[Any, FloatArray, FloatArray]:
    """Write the program for two tables between which one entry differs by the width."""
    from scipy.sparse import block_array, hstack

    own = moves.T.tocsr()[[at]]
    both = stacked(block_array([[rows, None], [None, rows]]).tocsr(), hstack([own, -own]).tocsr())
    return both, np.concatenate([least, least, [width]]), np.concatenate([most, most, [np.inf]])
