"""A diagram in columns: where its boxes stand, so that none lies on another and lines pass between them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_APART_PT, _LINE_PT, _SWEEPS = 9.0, 5.0, 12


@dataclass(frozen=True, slots=True)
class Layout:
    """The middle of each box in points from the top, how high all is, and the stations of each link.

    The stations of a link are its two boxes, and between them the places at which it passes the columns that
    lie between theirs: each a column and the points from the top.
    """

    y: Mapping[str, float]
    height: float
    routes: Sequence[Sequence[tuple[int, float]]]


def lay_out(
    columns: Mapping[str, int], heights: Mapping[str, float], links: Sequence[tuple[str, str]]
) -> Layout:
    """Find an order with few crossings (barycentres), then places near what a box is linked to.

    Parameters
    ----------
    columns, heights : mapping of str to number
        Of each box by its name.
    links : sequence of pairs of str
        Each from a box to one further right.

    References
    ----------
    .. [1] Sugiyama, Tagawa, Toda. Methods for visual understanding of hierarchical system structures. IEEE
       Trans Syst Man Cybern 1981;11:109-125 (seen at second hand).
    """
    column, height = dict(columns), dict(heights)
    chains = [_chain(link, column, height) for link in links]
    near: dict[str, list[str]] = {name: [] for name in column}
    for chain in chains:
        for left, right in itertools.pairwise(chain):
            near[left].append(right)
            near[right].append(left)
    order = _ordered(column, near)
    y = _placed(order, height, near)
    top = min((y[n] - height[n] / 2 for n in y), default=0.0)
    y = {name: at - top for name, at in y.items()}
    total = max((y[n] + height[n] / 2 for n in y), default=0.0)
    return Layout(y, total, [[(column[n], y[n]) for n in chain] for chain in chains])


def _chain(link: tuple[str, str], column: dict[str, int], height: dict[str, float]) -> list[str]:
    """Give the stations of a link; a place is made for it in each column that it passes."""
    left, right = link
    passed = []
    for at in range(column[left] + 1, column[right]):
        name = f"{left} > {right} at {at}"
        column[name], height[name] = at, _LINE_PT
        passed.append(name)
    return [left, *passed, right]


def _ordered(column: Mapping[str, int], near: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Order columns by the mean place of neighbours, to and fro; keep the order with fewest crossings."""
    order = [[n for n in column if column[n] == c] for c in range(1 + max(column.values(), default=0))]
    place = {n: i / len(of) for of in order for i, n in enumerate(of)}
    best, fewest = order, _crossings(order, near)
    for sweep in range(_SWEEPS):
        rightwards = sweep % 2 == 0
        order = [list(of) for of in order]
        for c in range(len(order)) if rightwards else range(len(order) - 1, -1, -1):
            means = {n: _mean(n, near, place, column, c + (-1 if rightwards else 1)) for n in order[c]}
            order[c].sort(key=means.__getitem__)
            _swap(order[c], near, place | {n: i / len(order[c]) for i, n in enumerate(order[c])}, column)
            place |= {n: (i + 0.5) / len(order[c]) for i, n in enumerate(order[c])}
        crossings = _crossings(order, near)
        if crossings < fewest:
            best, fewest = order, crossings
    return best


def _swap(
    of: list[str], near: Mapping[str, Sequence[str]], place: Mapping[str, float], column: Mapping[str, int]
) -> None:
    """Let neighbours in a column change places, once each, where no more of their links cross then."""
    for i in range(len(of) - 1):
        upper, lower = of[i], of[i + 1]
        ends = [(place[u], place[v]) for u in near[upper] for v in near[lower] if column[u] == column[v]]
        if sum(u < v for u, v in ends) <= sum(u > v for u, v in ends):
            of[i], of[i + 1] = lower, upper


def _crossings(order: Sequence[Sequence[str]], near: Mapping[str, Sequence[str]]) -> int:
    """Count the links that cross between neighbouring columns."""
    count = 0
    for left, right in itertools.pairwise(order):
        place = {n: i for i, n in enumerate(right)}
        ends = [[place[m] for m in near[n] if m in place] for n in left]
        count += sum(
            u > v for i, upper in enumerate(ends) for lower in ends[i + 1 :] for u in upper for v in lower
        )
    return count


def _mean(
    name: str, near: Mapping[str, Sequence[str]], place: Mapping[str, float], column: Mapping[str, int],
    at: int,
) -> float:  # fmt: skip
    """Give the mean place of the neighbours in one column; what has none there keeps its own place."""
    found = [place[n] for n in near[name] if column[n] == at]
    return sum(found) / len(found) if found else place[name]


def _placed(
    order: Sequence[Sequence[str]], height: Mapping[str, float], near: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Place boxes near the mean of their neighbours, in the order of their columns."""
    y: dict[str, float] = {}
    for of in order:
        edges = np.cumsum([height[n] + _APART_PT for n in of])
        y |= {n: float(edge - height[n] / 2 - edges[-1] / 2) for n, edge in zip(of, edges, strict=True)}
    for sweep in range(_SWEEPS):
        for of in order if sweep % 2 == 0 else reversed(order):
            wanted = [float(np.mean([y[m] for m in near[n]])) if near[n] else y[n] for n in of]
            y |= dict(zip(of, spread(wanted, [height[n] for n in of]).tolist(), strict=True))
    return y


def spread(wanted: Sequence[float], heights: Sequence[float]) -> Floats:
    """Move the middles of boxes apart so that none overlap, in their order, by the least squares.

    Without the room that boxes take, this is the regression of ``wanted`` on a rising sequence, found by
    pooling neighbours that are out of order.
    """
    tall = np.asarray(heights, dtype=np.float64) + _APART_PT
    offsets = np.cumsum(tall) - tall / 2
    blocks: list[tuple[float, int]] = []
    for value in np.asarray(wanted, dtype=np.float64) - offsets:
        mean, count = float(value), 1
        while blocks and blocks[-1][0] >= mean:
            before, of = blocks.pop()
            mean, count = (before * of + mean * count) / (of + count), of + count
        blocks.append((mean, count))
    return np.repeat([m for m, _ in blocks], [c for _, c in blocks]) + offsets
