"""Bounds carried from sum to sum, and the blocks into which what is left falls apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from qi_equity.formulas._arrays import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from qi_equity.formulas.outsider import Knowledge

_ROUNDS = 60
_TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Unknown whole numbers that hang together by common sums, and the cells asked about among them.

    ``sums`` holds no row that the bounds imply; ``targets`` (one row for each of ``cells``) leaves out what
    is settled.
    """

    lower: FloatArray
    upper: FloatArray
    sums: csr_array
    sum_lower: FloatArray
    sum_upper: FloatArray
    allowed: Mapping[int, IntArray]
    targets: csr_array
    cells: IntArray


def propagate(
    lower: FloatArray,
    upper: FloatArray,
    sums: csr_array,
    sum_lower: FloatArray,
    sum_upper: FloatArray,
    allowed: Mapping[int, IntArray],
) -> tuple[FloatArray, FloatArray]:
    """Tighten the bounds of whole numbers by each sum they are in, until nothing changes.

    A number is at most what its sum leaves when all others are least. The result holds every solution; a
    lower bound above an upper one means that there is none. Stops after 60 rounds: looser is right too.
    """
    low, high = np.ceil(lower - _TOLERANCE), np.floor(upper + _TOLERANCE)
    sums = without_zeros(sums)
    row = np.repeat(np.arange(sums.shape[0]), np.diff(sums.indptr))
    for _ in range(_ROUNDS):
        low, high = _within_allowed(low, high, allowed)
        rest_low, rest_high = _rest(sums, row, low, high)
        first = (sum_upper[row] - rest_low) / sums.data
        second = (sum_lower[row] - rest_high) / sums.data
        new_low, new_high = low.copy(), high.copy()
        np.minimum.at(new_high, sums.indices, np.floor(np.maximum(first, second) + _TOLERANCE))
        np.maximum.at(new_low, sums.indices, np.ceil(np.minimum(first, second) - _TOLERANCE))
        done = np.array_equal(new_low, low) and np.array_equal(new_high, high)
        low, high = new_low, new_high
        if done or (low > high).any():
            break
    return low, high


def split(
    knowledge: Knowledge, lower: FloatArray, upper: FloatArray, cells: csr_array
) -> tuple[FloatArray, list[Block]]:
    """Take out what is settled, and part the rest; also give the settled part of each cell, shape (K,)."""
    free = np.flatnonzero(upper > lower)
    settled = np.where(upper > lower, 0.0, lower)
    sums, targets = without_zeros(knowledge.sums), without_zeros(cells)
    constant = sums @ settled
    sums, targets_free = without_zeros(sums[:, free]), without_zeros(targets[:, free])
    least, most = knowledge.sum_lower - constant, knowledge.sum_upper - constant
    telling = _telling(sums, lower[free], upper[free], least, most)
    sums, least, most = sums[telling], least[telling], most[telling]
    label = joined(stacked(sums, targets_free))
    number = int(label.max(initial=-1)) + 1
    blocks = []
    place = {int(v): i for i, v in enumerate(free)}
    allowed = {place[v]: a for v, a in knowledge.allowed.items() if v in place}
    of_row, of_target = (label_of(m, label) for m in (sums, targets_free))
    wanted = np.unique(of_target[of_target >= 0])
    members, rows, asked = (members_of(x, number) for x in (label, of_row, of_target))
    for b in wanted:
        own, some, cell = members[b], rows[b], asked[b]
        blocks.append(
            Block(
                lower[free[own]], upper[free[own]], sums[some][:, own], least[some], most[some],
                {i: allowed[int(v)] for i, v in enumerate(own) if int(v) in allowed},
                targets_free[cell][:, own], cell,
            )
        )  # fmt: skip
    return targets @ settled, blocks


def span(rows: csr_array, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the least and greatest value of each row of sums within the bounds."""
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    small, large = _terms(rows, lower, upper)
    least, most = (np.bincount(row, term, minlength=rows.shape[0]).astype(float) for term in (small, large))
    return least, most


def _terms(rows: csr_array, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    up, down = rows.data * upper[rows.indices], rows.data * lower[rows.indices]
    return np.where(rows.data > 0, down, up), np.where(rows.data > 0, up, down)


def _rest(
    sums: csr_array, row: IntArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give, for each term of each sum, the least and greatest value of the other terms together."""
    found = []
    for term, infinite in zip(_terms(sums, lower, upper), (-np.inf, np.inf), strict=True):
        endless = np.isinf(term)
        finite = np.where(endless, 0.0, term)
        total = np.bincount(row, finite, minlength=sums.shape[0])[row]
        others_endless = np.bincount(row, endless, minlength=sums.shape[0])[row] - endless > 0
        found.append(np.where(others_endless, infinite, total - finite))
    return found[0], found[1]


def _within_allowed(
    lower: FloatArray, upper: FloatArray, allowed: Mapping[int, IntArray]
) -> tuple[FloatArray, FloatArray]:
    """Move bounds inwards to values that are allowed; crossed bounds where none is."""
    low, high = lower.copy(), upper.copy()
    for v, values in allowed.items():
        inside = values[(values >= low[v]) & (values <= high[v])]
        low[v], high[v] = (inside.min(), inside.max()) if inside.size else (np.inf, -np.inf)
    return low, high


def _telling(
    sums: csr_array, lower: FloatArray, upper: FloatArray, least: FloatArray, most: FloatArray
) -> BoolArray:
    """Tell which sums say more than the bounds of their parts do."""
    small, large = span(sums, lower, upper)
    telling: BoolArray = (small < least - _TOLERANCE) | (large > most + _TOLERANCE)
    return telling


def joined(rows: csr_array) -> IntArray:
    """Give the columns numbers, the same to those that hang together by common rows."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    first = rows.indices[rows.indptr[row]]
    size = rows.shape[1]
    graph = csr_array((np.ones(len(row)), (first, rows.indices)), shape=(size, size))
    label: IntArray = connected_components(graph, directed=False)[1].astype(np.int64)
    return label


def stacked(*rows: csr_array) -> csr_array:
    """Put rows below rows."""
    from scipy.sparse import vstack

    below: csr_array = vstack(rows).tocsr()
    return below


def label_of(rows: csr_array, label: IntArray) -> IntArray:
    """Give the block of each row, -1 for a row without numbers."""
    found = np.full(rows.shape[0], -1)
    some = np.diff(rows.indptr) > 0
    found[some] = label[rows.indices[rows.indptr[:-1][some]]]
    return found


def members_of(labels: IntArray, number: int) -> list[IntArray]:
    """List the positions that have each of the labels from 0 on."""
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(number + 1))
    return [order[a:b] for a, b in pairwise(edges)]


def without_zeros(rows: csr_array) -> csr_array:
    tidy = rows.astype(np.float64).tocsr()
    tidy.sum_duplicates()
    tidy.eliminate_zeros()
    return tidy
