"""The search for whole numbers that fit a block of sums: shared solutions first, then cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as count_up
from typing import TYPE_CHECKING, Self

import numpy as np

from qi_equity.formulas._arrays import FloatArray, IntArray
from qi_equity.formulas._outsider_bounds import Block, span
from qi_equity.formulas._outsider_solver import Solver

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_IN_VAIN = 2
_MOST_ROUNDS = 60
_SEED = 20260401


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found of one cell."""

    lowest: float
    highest: float
    values: IntArray
    exact: bool

    @classmethod
    def single(cls, value: int) -> Self:
        """Give the answer of a cell that is settled."""
        return cls(value, value, np.array([value]), True)

    def moved(self, by: int) -> Found:
        """Add the settled part of the cell."""
        return Found(self.lowest + by, self.highest + by, self.values + by, self.exact)


def search(block: Block, enough: int, bounds: bool) -> list[Found] | None:
    """Give what was found of each cell of a block; None if nothing fits the block."""
    hunt = _Hunt(block, enough)
    if not hunt.start():
        return None
    hunt.corners()
    return [hunt.settle(i, bounds) for i in range(len(block.cells))]


class _Hunt:
    """Possible values of the cells of one block, as far as they are known."""

    def __init__(self, block: Block, enough: int) -> None:
        self.block, self.enough = block, enough
        self.solver = Solver(block)
        self.gapless = not self.solver.holes and nested_in_two(block.sums, block.targets)
        least, most = span(block.targets, block.lower, block.upper)
        self.least, self.most = least, most
        self.seen: list[set[int]] = [set() for _ in block.cells]
        self.rng = np.random.default_rng(_SEED)
        self.first: FloatArray = np.zeros(len(block.lower))

    def start(self) -> bool:
        """Find a first solution, if there is one."""
        nothing = np.zeros(len(self.block.lower))
        bounded = np.isfinite(self.block.lower).all()
        rows = abs(self.block.targets)
        first = self.solver.solve(rows.T @ self.rng.uniform(0.5, 1.5, len(self.seen)) if bounded else nothing)
        if first.point is None:
            return False
        self.first = first.point
        self._add(first.point)
        return True

    def corners(self) -> None:
        """Go to random corners near the first solution, each of which moves many cells at once."""
        rng = self.rng
        reach = np.full(len(self.first), max(50.0, 4.0 * self.enough))
        box = (
            np.maximum(self.block.lower, self.first - reach),
            np.minimum(self.block.upper, self.first + reach),
        )
        vain, open_before = 0, len(self.seen)
        for _ in range(_MOST_ROUNDS):
            undecided = [i for i in range(len(self.seen)) if not self._enough(i)]
            vain = vain + 1 if len(undecided) == open_before else 0
            if len(undecided) < _IN_VAIN or vain > _IN_VAIN:
                return
            open_before = len(undecided)
            weights = rng.choice([-1.0, 1.0], len(undecided)) * rng.uniform(0.5, 1.5, len(undecided))
            objective = weights @ self.block.targets[undecided]
            for sign in (1.0, -1.0):
                corner = self.solver.solve(sign * objective, box)
                if corner.point is not None:
                    self._add(corner.point)

    def settle(self, i: int, bounds: bool) -> Found:
        """Find what is still open of one cell."""
        if self._enough(i) and not bounds:
            values = self._values(i, self.enough)
            return Found(values[0], values[-1], values, self._whole(i))
        lowest, highest = self._end(i, 1), self._end(i, -1)
        if self.gapless:
            stop = highest if np.isfinite(highest) else lowest if np.isfinite(lowest) else max(self.seen[i])
            self.seen[i] |= {int(v) for v in (lowest, highest) if np.isfinite(v)}
            exact = bool(np.isfinite(lowest) and np.isfinite(highest))
            if not exact:
                self.seen[i] |= {int(v) for v in self._outwards(stop, highest)}
            return Found(lowest, highest, self._values(i, None), exact)
        exact = self._one_by_one(i, lowest, highest)
        return Found(lowest, highest, self._values(i, None), exact)

    def _outwards(self, start: float, highest: float) -> range:
        """Give enough whole numbers at the finite end of a range without an end."""
        return (
            range(int(start), int(start) + self.enough)
            if np.isinf(highest)
            else range(int(start) - self.enough + 1, int(start) + 1)
        )

    def _add(self, point: FloatArray) -> None:
        for values, value in zip(self.seen, (self.block.targets @ point).round().astype(int), strict=True):
            values.add(int(value))

    def _enough(self, i: int) -> bool:
        seen = self.seen[i]
        found = max(seen) - min(seen) + 1 if self.gapless else len(seen)
        return bool(found >= min(self.enough, self.most[i] - self.least[i] + 1))

    def _whole(self, i: int) -> bool:
        """Tell whether all values within the bounds were found."""
        return bool(len(self._values(i, None)) == self.most[i] - self.least[i] + 1)

    def _values(self, i: int, most: int | None) -> IntArray:
        seen = self.seen[i]
        if not self.gapless:
            return np.array(sorted(seen), dtype=np.int64)
        low, high = min(seen), max(seen)
        return np.arange(low, high + 1 if most is None else min(high, low + 10 * most) + 1)

    def _end(self, i: int, sign: int) -> float:
        """Find the lowest (sign 1) or highest (-1) possible value of a cell."""
        bound = self.least[i] if sign > 0 else self.most[i]
        seen = min(self.seen[i]) if sign > 0 else max(self.seen[i])
        if seen == bound:
            return float(seen)
        answer = self.solver.solve(sign * self.block.targets[[i]].toarray()[0])
        if answer.point is None:
            return -sign * np.inf
        self._add(answer.point)
        return float((self.block.targets[[i]] @ answer.point).round()[0])

    def _one_by_one(self, i: int, lowest: float, highest: float) -> bool:
        """Try each number between the ends until enough are found; tell whether none was left out."""
        row = self.block.targets[[i]]
        tried = set(self.seen[i])
        for value in _between(lowest, highest):
            if len(self.seen[i]) >= self.enough:
                break
            if value not in tried:
                tried.add(value)
                answer = self.solver.solve(np.zeros(len(self.block.lower)), None, (row, float(value)))
                if answer.point is not None:
                    self._add(answer.point)
        return len(tried | self.seen[i]) == highest - lowest + 1


def _between(lowest: float, highest: float) -> Iterator[int]:
    """Count from the lowest to the highest; without a lowest, down from there; without both, up from 0."""
    if np.isfinite(lowest):
        yield from count_up(int(lowest)) if np.isinf(highest) else range(int(lowest), int(highest) + 1)
    else:
        yield from count_up(0) if np.isinf(highest) else count_up(int(highest), -1)


def nested_in_two(sums: csr_array, targets: csr_array) -> bool:
    """Tell whether all rows are plain sums in two families, each nested: disjoint, or one in the other.

    The matrix of two such families is totally unimodular, and so is that with the targets added; then every
    whole number between two possible values of a target is possible.
    """
    from scipy.sparse import block_array, vstack
    from scipy.sparse.csgraph import connected_components

    rows = vstack([sums, targets]).tocsr()
    rows = rows[np.diff(rows.indptr) > 1]
    if not rows.nnz:
        return bool((np.abs(targets.data) == 1).all())
    sign = np.sign(rows.data[rows.indptr[:-1]])
    if (rows.data != np.repeat(sign, np.diff(rows.indptr))).any() or (np.abs(targets.data) != 1).any():
        return False
    common = (abs(rows) @ abs(rows).T).toarray()
    size = common.diagonal()
    crossing = (common > 0) & (common < np.minimum(size, size[:, None]))
    if not crossing.any():
        return True
    parts = connected_components(crossing, directed=False)[0]
    from scipy.sparse import csr_array

    graph = csr_array(crossing)
    return bool(
        connected_components(block_array([[None, graph], [graph, None]]), directed=False)[0] == 2 * parts
    )
