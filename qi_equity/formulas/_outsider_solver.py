"""One block of sums as a program for HiGHS: solutions in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qi_equity.errors import DataError
from qi_equity.formulas._arrays import FloatArray, IntArray
from qi_equity.formulas._outsider_bounds import Block

_OPTIMAL, _INFEASIBLE, _UNBOUNDED = 0, 2, 3
_FITS = 1e-6

Box = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A best solution in whole numbers, or None with whether the objective has no end."""

    point: FloatArray | None
    unbounded: bool


class Solver:
    """Finds whole numbers that fit a block and make an objective least."""

    def __init__(self, block: Block) -> None:
        from scipy.sparse import block_array, csr_array

        self.block = block
        self.size = len(block.lower)
        self.holes = {v: runs for v, a in block.allowed.items() if len(runs := _runs(a, block, v)) > 1}
        self.matrix, self.least, self.most = block.sums, block.sum_lower, block.sum_upper
        self.n_switches = sum(len(runs) for runs in self.holes.values())
        if self.holes:
            own, switches, least, most = self._switch_rows()
            top = csr_array((block.sums.shape[0], self.n_switches))
            self.matrix = block_array([[block.sums, top], [own, switches]]).tocsr()
            self.least, self.most = np.append(self.least, least), np.append(self.most, most)

    def solve(
        self, objective: FloatArray, box: Box | None = None, extra: tuple[Any, float] | None = None
    ) -> Answer:
        """Make the objective least, within a box if given, and with one more sum known if given."""
        lower, upper = (self.block.lower, self.block.upper) if box is None else box
        if not self.holes:
            answer = self._run(objective, lower, upper, extra, whole=False)
            if answer is not None:
                return answer
        answer = self._run(objective, lower, upper, extra, whole=True)
        if answer is None:
            raise DataError("The solver found no solution in whole numbers that fits within its tolerance.")
        return answer

    def _run(
        self, objective: FloatArray, lower: FloatArray, upper: FloatArray, extra: Any, *, whole: bool
    ) -> Answer | None:
        """Solve with or without whole numbers; None if what comes out are no whole numbers that fit."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array, hstack

        more = np.zeros(self.n_switches)
        constraints = []
        if self.matrix.shape[0]:
            constraints.append(LinearConstraint(self.matrix, self.least, self.most))
        if extra is not None:
            row = hstack([extra[0], csr_array((1, self.n_switches))]) if self.n_switches else extra[0]
            constraints.append(LinearConstraint(row, extra[1], extra[1]))
        result = milp(
            np.append(objective, more),
            integrality=np.full(self.size + self.n_switches, int(whole)),
            bounds=Bounds(np.append(lower, more), np.append(upper, more + 1)),
            constraints=constraints,
            options={"mip_rel_gap": 0.0, "presolve": True},
        )
        if result.status == _INFEASIBLE:
            return Answer(None, False)
        if result.x is None:
            return self._without_end(objective, lower, upper, extra, result, whole=whole)
        point = np.round(result.x[: self.size])
        return Answer(point, False) if self._fits(point, lower, upper, extra) else None

    def _without_end(
        self,
        objective: FloatArray,
        lower: FloatArray,
        upper: FloatArray,
        extra: Any,
        result: Any,
        *,
        whole: bool,
    ) -> Answer | None:
        """Tell an objective without end from sums that nothing fits: HiGHS may leave that open."""
        if result.status == _UNBOUNDED:
            return Answer(None, True)
        if not objective.any():
            raise DataError(f"The solver gave up: {result.message}")
        plain = self._run(np.zeros(self.size), lower, upper, extra, whole=whole)
        return plain if plain is None or plain.point is None else Answer(None, True)

    def _fits(self, point: FloatArray, lower: FloatArray, upper: FloatArray, extra: Any) -> bool:
        block = self.block
        sums = block.sums @ point
        slack = _FITS * np.maximum(1.0, abs(block.sums) @ np.abs(point) * 1e-6)
        inside = (sums >= block.sum_lower - slack) & (sums <= block.sum_upper + slack)
        allowed = all(point[v] in a for v, a in block.allowed.items())
        also = extra is None or bool(np.abs(extra[0] @ point - extra[1]).max() < _FITS)
        return bool(inside.all() and (point >= lower).all() and (point <= upper).all() and allowed and also)

    def _switch_rows(self) -> tuple[Any, Any, FloatArray, FloatArray]:
        """Tie each number with gaps in its values to switches, one for each run of allowed values."""
        own: list[Any] = []
        switch: list[Any] = []
        least: list[float] = []
        most: list[float] = []
        at = row = 0
        for v, runs in self.holes.items():
            places = np.arange(at, at + len(runs))
            own += [(row, v, 1.0), (row + 1, v, 1.0)]
            switch += [(row, p, -low) for p, (low, _) in zip(places, runs, strict=True)]
            switch += [(row + 1, p, -high) for p, (_, high) in zip(places, runs, strict=True)]
            switch += [(row + 2, p, 1.0) for p in places]
            least += [0.0, -np.inf, 1.0]
            most += [np.inf, 0.0, 1.0]
            at, row = at + len(runs), row + 3
        matrices = [_sparse(triples, (row, width)) for triples, width in ((own, self.size), (switch, at))]
        return *matrices, np.array(least), np.array(most)


def _sparse(triples: Any, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array

    rows, columns, values = zip(*triples, strict=True)
    return csr_array((values, (rows, columns)), shape=shape)


def _runs(allowed: IntArray, block: Block, v: int) -> list[tuple[float, float]]:
    """Give the runs of neighbouring allowed values within the bounds, as (first, last)."""
    values = np.unique(allowed[(allowed >= block.lower[v]) & (allowed <= block.upper[v])])
    breaks = np.flatnonzero(np.diff(values) > 1)
    return [
        (float(a), float(b))
        for a, b in zip(
            values[np.append(0, breaks + 1)], values[np.append(breaks, len(values) - 1)], strict=True
        )
    ]
